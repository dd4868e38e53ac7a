/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the store share. Lock order: writer, then index. */
#ifndef CORE_STORE_STATE_H
#define CORE_STORE_STATE_H

#include "store_index.h"
#include "store_log.h"

#define STORE_COMPACT_FROM 65536 /* bytes; a smaller log is not worth it */

/* What one record of the log says: a list of these. docs/STORE.md describes them. */
enum store_change {
	CHANGE_COUNTERS = 1,
	CHANGE_UNNAME = 2,
	CHANGE_PUT = 3,
	CHANGE_DELETE = 4,
	CHANGE_OBJECT = 5,
	CHANGE_TOKEN = 6,
};

#define CHANGE_COUNTERS_SIZE (1 + WIRE_ID_SIZE + 3 * 8)
#define CHANGE_UNNAME_SIZE (1 + WIRE_ID_SIZE)
#define CHANGE_PUT_SIZE(name_len, record_len) \
	(1 + WIRE_ID_SIZE + 3 * 8 + 1 + (name_len) + 2 + (record_len))
#define CHANGE_OBJECT_SIZE(record_len) (1 + WIRE_ID_SIZE + 2 + (record_len)) /* or a token */
#define CHANGE_DELETE_SIZE (1 + WIRE_ID_SIZE)
#define CHANGE_LARGEST CHANGE_OBJECT_SIZE(STORE_OBJECT_MAX)

_Static_assert(
	CHANGE_UNNAME_SIZE + CHANGE_PUT_SIZE(WIRE_NAME_MAX, WIRE_RECORD_MAX) <= CHANGE_LARGEST,
	"a change of an object is the largest");
_Static_assert(STORE_TOKEN_MAX <= STORE_OBJECT_MAX &&
		       STORE_DELETE_MANY * CHANGE_DELETE_SIZE <= CHANGE_LARGEST,
	"a change of an object is the largest");
_Static_assert(LOG_RECORD_HEAD + CHANGE_LARGEST + LOG_TAG_SIZE <= LOG_RECORD_MAX,
	"every change fits into a record");

struct store {
	struct platform_mutex *writer_lock; /* one change at a time, held through storage */
	struct platform_mutex *index_lock; /* held for the moment of a look or a change in memory */
	uint8_t device_key[DEVICE_KEY_SIZE];
	/* LOG_RECORD_MAX bytes for the record that is being built, then room for what is in it. */
	uint8_t *buf;

	/* Changed under both locks, so either will do for reading. Counters and the queue are the
	 * index lock's alone. */
	struct index index;
	uint64_t bytes;      /* size of the log */
	uint64_t sequence;   /* of the last change's record */
	uint64_t live_bytes; /* of it, still needed */
	uint32_t last_version;
	struct log log; /* readers use log.storage only; the rest is the writer's */

	/* The writer's. */
	uint64_t compact_from; /* size of the log from which compaction is considered */
	bool must_rewrite; /* the end of the log on disk is unknown: no append before a fresh log */
};

#define STORE_BUF_SIZE (LOG_RECORD_MAX + STORE_OBJECT_MAX)

struct store_put {
	enum entry_kind kind;
	const uint8_t *id;
	const char *name; /* as the counters, of keys only */
	size_t name_len;
	const uint8_t *record;
	size_t record_len;
	const struct store_counters *counters; /* NULL: an entry that is there keeps its own */
	uint64_t offset;                       /* of the record in the log */
	uint8_t hash[LOG_HASH_SIZE];           /* of the record */
};

void put_change_put(struct writer *w, const struct store_put *p);
/* Bytes that such a change takes. */
size_t change_put_size(enum entry_kind kind, size_t name_len, size_t record_len);
/* The entry of that kind, or NULL. */
struct index_entry *store_entry_of(
	const struct store *s, enum entry_kind kind, const uint8_t id[WIRE_ID_SIZE]);

/* In memory, under both locks. store_apply_put needs an index_reserve before. */
void store_apply_put(struct store *s, const struct store_put *p);
void store_apply_unname(struct store *s, struct index_entry *e);
void store_apply_delete(struct store *s, struct index_entry *e);

/* Applies a record's payload while the log is replayed: a log_apply, its context a struct store. */
log_apply store_replay;

/* Reads the record behind an entry and checks that it is what was authenticated when the entry was
 * made. Under either lock. */
enum kw_err store_fetch(struct store *s, const struct index_entry *e, uint8_t *buf) KW_MUST_USE;

/* Under the writer lock: a fresh log with everything that is live takes the place of the log. */
enum kw_err store_rewrite(struct store *s) KW_MUST_USE;
/* The first log of a store, in the place of an empty one. */
enum kw_err store_create(struct store *s) KW_MUST_USE;
/* Under the writer lock: writes the counters that changed. */
enum kw_err store_flush_counters(struct store *s) KW_MUST_USE;

#endif

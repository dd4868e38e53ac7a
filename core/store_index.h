/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store's index in memory: every key and object by number, id and name, and the queue of keys whose
 * counters changed. Entries never move, so numbers serve as cursors. The caller does the locking.
 */
#ifndef CORE_STORE_INDEX_H
#define CORE_STORE_INDEX_H

#include "store.h"

#define INDEX_KEYS_MAX 1000000u
#define INDEX_NONE UINT32_MAX
/* One for the start, one for the length, one for each 4 bytes of the longest key. */
#define INDEX_HASH_WORDS (2 + WIRE_NAME_MAX / 4)

enum entry_kind {
	ENTRY_KEY,
	ENTRY_OBJECT,
	ENTRY_TOKEN,
};

struct index_entry {
	struct store_entry shown;
	uint8_t hash[32]; /* SHA-256 of the record, which was authenticated when it was computed */
	uint64_t offset;  /* of the record in the log */
	uint32_t queue_next; /* INDEX_NONE at the end */
	uint32_t free_next;
	uint16_t record_len;
	uint8_t kind; /* enum entry_kind */
	bool is_live;
	bool is_queued;  /* is in the queue of changed counters */
	bool is_touched; /* counters changed since they were last put into a change */
};

struct index {
	struct index_entry **chunks;
	uint32_t chunk_count;
	uint32_t chunk_room;
	uint32_t used;      /* numbers below this were given out at some time */
	uint32_t free_head; /* of those, without a key now */
	uint32_t count;
	uint32_t objects; /* of them */
	uint32_t tokens;
	uint32_t queue_head;
	uint32_t queue_tail;
	uint32_t *by_id; /* open addressing; entry number + 1, 0 for none */
	uint32_t *by_name;
	uint32_t table_size; /* a power of two, or 0 before the first key */
	uint64_t hash_key[INDEX_HASH_WORDS];
};

enum kw_err index_init(struct index *ix) KW_MUST_USE;
void index_clear(struct index *ix);

struct index_entry *index_find_id(const struct index *ix, const uint8_t id[WIRE_ID_SIZE]);
/* NULL for an empty name. */
struct index_entry *index_find_name(const struct index *ix, const char *name, size_t len);
/* The entry with this number, NULL when it has no key now. */
struct index_entry *index_at(const struct index *ix, uint32_t number);

/* Makes room so that the next index_add cannot fail. KW_ERR_LIMIT, KW_ERR_NO_MEMORY. */
enum kw_err index_reserve(struct index *ix) KW_MUST_USE;
/* A new entry without a name, for an id that is not there. */
struct index_entry *index_add(
	struct index *ix, const uint8_t id[WIRE_ID_SIZE], enum entry_kind kind);
/* No other entry may have the name; len <= WIRE_NAME_MAX, 0 for none. */
void index_set_name(struct index *ix, struct index_entry *e, const char *name, size_t len);
void index_remove(struct index *ix, struct index_entry *e);

/* Puts the entry at the end of the queue of changed counters, once. */
void index_touch(struct index *ix, struct index_entry *e);
/* Takes the first n of the queue out; those touched again meanwhile go to its end. */
void index_queue_drop(struct index *ix, uint32_t n);
/* The entry behind a number of the queue, live or not. */
struct index_entry *index_queued(const struct index *ix, uint32_t number);

#endif

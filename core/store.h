/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store: one authenticated log of the records of keys, objects and tokens, and an index of it in memory. It
 * knows names, ids and counters, and keeps the records as bytes. A key is never found where an object
 * is asked for, nor the reverse. Safe from several threads: writers wait for
 * each other and for storage; readers never wait for storage writes.
 */
#ifndef CORE_STORE_H
#define CORE_STORE_H

#include "platform.h"

struct store;

struct store_counters {
	uint64_t signatures;
	uint64_t last_use; /* seconds since 1970, 0 for never */
	uint64_t refusals;
};

/* A key as the index knows it: a copy, valid for ever. */
struct store_entry {
	uint8_t id[WIRE_ID_SIZE];
	char name[WIRE_NAME_MAX + 1]; /* may be empty: a key whose name was given to another */
	/* Changes with every store_put of this id, so that a cached key knows it is stale. */
	uint32_t version;
	struct store_counters counters;
};

/* Replays the log. A torn tail is dropped and logged; damage elsewhere is KW_ERR_CORRUPT with the
 * offset in the log line; another device's store is KW_ERR_OTHER_DEVICE. */
enum kw_err store_open(struct store **store) KW_MUST_USE;
/* Writes counters that changed, then closes. */
void store_close(struct store **store);

/* Adds a record or replaces the one with the same id, durably. `name` may be empty. When another
 * key has the name: KW_ERR_NAME_TAKEN, or with take_name that key is left without one, in the
 * same commit. With `only_new` an id that is there is KW_ERR_KEY_EXISTS. On error nothing has
 * changed. */
enum kw_err store_put(struct store *store, const uint8_t id[WIRE_ID_SIZE], const char *name,
	const uint8_t *record, size_t record_len, bool take_name, bool only_new) KW_MUST_USE;
enum kw_err store_delete(struct store *store, const uint8_t id[WIRE_ID_SIZE]) KW_MUST_USE;

/* Constant time in the number of keys. KW_ERR_NO_KEY when there is none. `entry` may be NULL. */
enum kw_err store_find_id(
	struct store *store, const uint8_t id[WIRE_ID_SIZE], struct store_entry *entry) KW_MUST_USE;
enum kw_err store_find_name(
	struct store *store, const char *name, size_t len, struct store_entry *entry) KW_MUST_USE;
/* Reads a record and authenticates it again. buf has WIRE_RECORD_MAX bytes. `entry` may be NULL. */
enum kw_err store_read(struct store *store, const uint8_t id[WIRE_ID_SIZE], uint8_t *buf,
	size_t *len, struct store_entry *entry) KW_MUST_USE;
/* The first key at or after *cursor (start with 0), which moves past it. Keys that stay are listed
 * exactly once also when others come and go. KW_ERR_NO_KEY at the end. */
enum kw_err store_next(
	struct store *store, uint32_t *cursor, struct store_entry *entry) KW_MUST_USE;

/* Counts in memory only; written with the next change or at close. Unknown ids are ignored. */
void store_count_signature(struct store *store, const uint8_t id[WIRE_ID_SIZE], uint64_t now);
void store_count_refusal(struct store *store, const uint8_t id[WIRE_ID_SIZE]);

/* --- Objects, which are not keys: they have neither names nor counters --- */

#define STORE_OBJECT_MAX 8192 /* bytes of an object's record */

/* The same as store_put. With only_new an id that is there is KW_ERR_LIMIT: it was not chosen well. Without,
 * KW_ERR_NO_OBJECT when there is none to replace. */
enum kw_err store_object_put(struct store *store, const uint8_t id[WIRE_ID_SIZE],
	const uint8_t *record, size_t record_len, bool only_new) KW_MUST_USE;
enum kw_err store_object_delete(struct store *store, const uint8_t id[WIRE_ID_SIZE]) KW_MUST_USE;
/* buf has STORE_OBJECT_MAX bytes. KW_ERR_NO_OBJECT. */
enum kw_err store_object_read(
	struct store *store, const uint8_t id[WIRE_ID_SIZE], uint8_t *buf, size_t *len) KW_MUST_USE;
/* As store_next, with the same cursors. KW_ERR_NO_OBJECT at the end. */
enum kw_err store_object_next(
	struct store *store, uint32_t *cursor, uint8_t id[WIRE_ID_SIZE]) KW_MUST_USE;

/* --- Tokens, neither keys nor objects, likewise. KW_ERR_NO_TOKEN instead of _NO_OBJECT. --- */

#define STORE_TOKEN_MAX 2048 /* bytes of a token's record */

enum kw_err store_token_put(struct store *store, const uint8_t id[WIRE_ID_SIZE],
	const uint8_t *record, size_t record_len, bool only_new) KW_MUST_USE;
enum kw_err store_token_delete(struct store *store, const uint8_t id[WIRE_ID_SIZE]) KW_MUST_USE;
/* buf has STORE_TOKEN_MAX bytes. */
enum kw_err store_token_read(
	struct store *store, const uint8_t id[WIRE_ID_SIZE], uint8_t *buf, size_t *len) KW_MUST_USE;

/* Deletes up to STORE_DELETE_MANY keys and objects in one commit; ids that are not there are passed over. */
#define STORE_DELETE_MANY 64
enum kw_err store_delete_many(
	struct store *store, const uint8_t (*ids)[WIRE_ID_SIZE], unsigned count) KW_MUST_USE;

struct store_stats {
	uint32_t keys;
	uint32_t objects;
	uint64_t bytes;      /* size of the log */
	uint64_t live_bytes; /* of it, still needed */
	/* Of the last change. It grows for the life of the store: whoever sees the same twice missed none. */
	uint64_t sequence;
};
void store_stats(struct store *store, struct store_stats *stats);

#endif

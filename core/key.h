/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open keys: decrypted ones in the TEE's memory, the most recently used within a bound. Keys are shared
 * by reference; each use asks the store again whether the key is still what it was.
 */
#ifndef CORE_KEY_H
#define CORE_KEY_H

#include <stdatomic.h>

#include "key_record.h"
#include "store.h"

struct key {
	/* Never change after key_new. */
	uint8_t id[WIRE_ID_SIZE];
	uint8_t digest[32]; /* of a sealed key's record: another list is another entry */
	enum key_type type;
	enum wire_key_place place;
	uint32_t purposes;
	uint32_t version; /* of the store's entry */
	struct identity owner;
	struct token_ref token;
	struct crypto_key *crypto;
	/* Of a sealed key while it is open; stored ones are counted by the store. */
	atomic_ullong signatures;
	atomic_ullong last_use;
	atomic_ullong refusals;
	/* The cache's own. */
	atomic_uint refs;
	size_t size;
	size_t cost;
	struct key *chain, *newer, *older;
	bool cached;
	unsigned acl_count;
	struct identity acl[];
};

struct key_cache;

enum kw_err key_cache_new(size_t bytes, struct key_cache **cache) KW_MUST_USE;
void key_cache_free(struct key_cache **cache);
uint32_t key_cache_count(struct key_cache *cache);
/* Lets go of the half that was not used for longest. False when there was none. */
bool key_cache_shrink(struct key_cache *cache);
/* Lets go of all entries with this id. */
void key_cache_drop(struct key_cache *cache, const uint8_t id[WIRE_ID_SIZE]);

struct core;

/* Opens a key for use by the caller. KW_ERR_NOT_LOADED: neither stored nor, for this caller, open.
 * KW_ERR_ACCESS is counted. Give it back with key_release. */
enum kw_err key_use(struct core *core, const struct session *s, const uint8_t id[WIRE_ID_SIZE],
	struct key **key) KW_MUST_USE;
/* Opens a sealed key and keeps it open. The caller needs a right on it. */
enum kw_err key_load_sealed(struct core *core, const struct session *s, const uint8_t *record,
	size_t len, struct key_meta *meta, struct key **key) KW_MUST_USE;
void key_release(struct key **key);

void key_count_signature(struct core *core, struct key *key);
/* Also counts for the whole TEE. */
void key_count_refusal(struct core *core, struct key *key);

#endif

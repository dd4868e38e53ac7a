/* SPDX-License-Identifier: BSD-2-Clause */
#include "key.h"

#include <string.h>

#include "core_state.h"
#include "policy.h"
#include "token.h"

#define BUCKETS 4096u
/* Records of one sealed key, with different lists, that are open at a time: all are looked at, under the lock. */
#define LISTS_MAX 8

struct key_cache {
	struct platform_mutex *lock;
	struct key *buckets[BUCKETS];
	struct key *newest, *oldest;
	size_t bytes, bytes_max;
	uint32_t count;
};

static unsigned bucket_of(const uint8_t *id)
{
	/* Ids are hashes: any bits will do. */
	return ((unsigned)id[0] << 8 | id[1]) % BUCKETS;
}

enum kw_err key_cache_new(size_t bytes, struct key_cache **out)
{
	struct key_cache *cache = platform_alloc(sizeof(*cache));

	*out = NULL;
	if (!cache)
		return KW_ERR_NO_MEMORY;
	cache->lock = platform_mutex_new();
	if (!cache->lock) {
		platform_free(cache, sizeof(*cache));
		return KW_ERR_NO_MEMORY;
	}
	cache->bytes_max = bytes;
	*out = cache;
	return KW_ERR_OK;
}

static void key_free(struct key *key)
{
	crypto_key_free(&key->crypto);
	platform_free(key, key->size);
}

void key_release(struct key **key)
{
	struct key *k = *key;

	*key = NULL;
	if (k && atomic_fetch_sub(&k->refs, 1) == 1)
		key_free(k);
}

static void unlink_recent(struct key_cache *c, struct key *k)
{
	if (k->newer)
		k->newer->older = k->older;
	else
		c->newest = k->older;
	if (k->older)
		k->older->newer = k->newer;
	else
		c->oldest = k->newer;
	k->newer = k->older = NULL;
}

static void link_newest(struct key_cache *c, struct key *k)
{
	k->older = c->newest;
	if (c->newest)
		c->newest->newer = k;
	else
		c->oldest = k;
	c->newest = k;
}

/* Under the lock. The cache's own reference goes with it. */
static void remove_entry(struct key_cache *c, struct key *k)
{
	struct key **at = &c->buckets[bucket_of(k->id)];

	while (*at != k)
		at = &(*at)->chain;
	*at = k->chain;
	unlink_recent(c, k);
	c->bytes -= k->cost;
	c->count--;
	k->cached = false;
	key_release(&k);
}

static void shrink_to(struct key_cache *c, size_t bytes)
{
	while (c->bytes > bytes && c->oldest)
		remove_entry(c, c->oldest);
}

static bool same_entry(const struct key *a, const struct key *b)
{
	return a->place == b->place && !memcmp(a->id, b->id, sizeof(a->id)) &&
	       !memcmp(a->digest, b->digest, sizeof(a->digest));
}

/* Under the lock: one more reference to an entry that is being used. */
static void take(struct key_cache *c, struct key *k)
{
	atomic_fetch_add(&k->refs, 1);
	if (c->newest != k) {
		unlink_recent(c, k);
		link_newest(c, k);
	}
}

/* If the same record is open already, that entry takes the place of *key: it has the counters. */
static bool share_open(struct key_cache *c, struct key **key)
{
	struct key *k;

	platform_mutex_lock(c->lock);
	for (k = c->buckets[bucket_of((*key)->id)]; k; k = k->chain) {
		if (same_entry(k, *key))
			break;
	}
	if (k)
		take(c, k);
	platform_mutex_unlock(c->lock);
	if (!k)
		return false;
	key_release(key);
	*key = k;
	return true;
}

static void insert(struct key_cache *c, struct key *k)
{
	struct key **bucket = &c->buckets[bucket_of(k->id)];
	struct key *old, *next, *same = NULL;
	unsigned others = 0;

	platform_mutex_lock(c->lock);
	for (old = *bucket; old; old = next) {
		next = old->chain;
		if (memcmp(old->id, k->id, sizeof(old->id)))
			continue;
		if (same_entry(old, k))
			same = old;
		else if (old->place == PLACE_SEALED && ++others >= LISTS_MAX)
			remove_entry(c, old);
	}
	if (same) {
		/* Another thread was faster. */
		k->signatures = same->signatures;
		k->last_use = same->last_use;
		k->refusals = same->refusals;
		remove_entry(c, same);
	}
	atomic_fetch_add(&k->refs, 1);
	k->chain = *bucket;
	*bucket = k;
	k->cached = true;
	link_newest(c, k);
	c->bytes += k->cost;
	c->count++;
	shrink_to(c, c->bytes_max);
	platform_mutex_unlock(c->lock);
}

void key_cache_drop(struct key_cache *c, const uint8_t id[WIRE_ID_SIZE])
{
	struct key *k, *next;

	platform_mutex_lock(c->lock);
	for (k = c->buckets[bucket_of(id)]; k; k = next) {
		next = k->chain;
		if (!memcmp(k->id, id, WIRE_ID_SIZE))
			remove_entry(c, k);
	}
	platform_mutex_unlock(c->lock);
}

void key_cache_free(struct key_cache **cache)
{
	struct key_cache *c = *cache;

	*cache = NULL;
	if (!c)
		return;
	shrink_to(c, 0);
	platform_mutex_free(&c->lock);
	platform_free(c, sizeof(*c));
}

uint32_t key_cache_count(struct key_cache *c)
{
	uint32_t n;

	platform_mutex_lock(c->lock);
	n = c->count;
	platform_mutex_unlock(c->lock);
	return n;
}

bool key_cache_shrink(struct key_cache *c)
{
	uint32_t before;

	platform_mutex_lock(c->lock);
	before = c->count;
	/* Always one at least. */
	shrink_to(c, c->bytes / 2);
	platform_mutex_unlock(c->lock);
	return before > 0;
}

/* Takes *crypto over. One reference, the caller's. */
static enum kw_err key_new(
	const struct key_meta *meta, uint32_t version, struct crypto_key **crypto, struct key **out)
{
	size_t size = sizeof(struct key) + meta->acl_count * sizeof(meta->acl[0]);
	struct key *k = platform_alloc(size);

	*out = NULL;
	if (!k)
		return KW_ERR_NO_MEMORY;
	k->size = size;
	k->cost = size + crypto_key_memory((enum key_type)meta->type);
	memcpy(k->id, meta->id, sizeof(k->id));
	k->type = (enum key_type)meta->type;
	k->place = (enum wire_key_place)meta->place;
	k->purposes = meta->purposes;
	k->version = version;
	k->owner = meta->owner;
	k->token = meta->token;
	k->acl_count = meta->acl_count;
	memcpy(k->acl, meta->acl, meta->acl_count * sizeof(meta->acl[0]));
	atomic_init(&k->refs, 1);
	k->crypto = *crypto;
	*crypto = NULL;
	*out = k;
	return KW_ERR_OK;
}

static enum kw_err open_record(struct core *core, const uint8_t *record, size_t len,
	uint32_t version, struct key_meta *meta, struct key **out)
{
	struct crypto_key *crypto = NULL;
	enum kw_err err = record_open(&core->record_key, record, len, meta, &crypto);

	if (!err)
		err = key_new(meta, version, &crypto, out);
	crypto_key_free(&crypto);
	return err;
}

static struct key *find_stored(struct key_cache *c, const uint8_t *id, uint32_t version)
{
	struct key *k;

	platform_mutex_lock(c->lock);
	for (k = c->buckets[bucket_of(id)]; k; k = k->chain) {
		if (k->place == PLACE_STORED && !memcmp(k->id, id, WIRE_ID_SIZE))
			break;
	}
	if (k && k->version != version) {
		remove_entry(c, k);
		k = NULL;
	}
	if (k)
		take(c, k);
	platform_mutex_unlock(c->lock);
	return k;
}

/* A key may be open from several sealed records with different lists: one that lets the caller. */
static struct key *find_sealed(struct key_cache *c, const struct session *s, const uint8_t *id)
{
	struct key *k;

	platform_mutex_lock(c->lock);
	for (k = c->buckets[bucket_of(id)]; k; k = k->chain) {
		if (k->place == PLACE_SEALED && !memcmp(k->id, id, WIRE_ID_SIZE) &&
			policy_may_use(s, &k->owner, k->acl, k->acl_count))
			break;
	}
	if (k)
		take(c, k);
	platform_mutex_unlock(c->lock);
	return k;
}

static enum kw_err load_stored(struct core *core, const uint8_t *id, struct key **key)
{
	struct key_meta *meta = platform_alloc(sizeof(*meta));
	uint8_t *record = platform_alloc(WIRE_RECORD_MAX);
	struct store_entry entry;
	size_t len = 0;
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!meta || !record)
		goto out;
	err = store_read(core->store, id, record, &len, &entry);
	if (err)
		goto out;
	err = open_record(core, record, len, entry.version, meta, key);
	if (err)
		goto out;
	/* The store's tag says that this record belongs to this id; so does its own public key. */
	if (memcmp((*key)->id, id, WIRE_ID_SIZE) || (*key)->place != PLACE_STORED) {
		key_release(key);
		err = KW_ERR_CORRUPT;
		goto out;
	}
	insert(core->cache, *key);
out:
	platform_free(record, WIRE_RECORD_MAX);
	platform_free(meta, sizeof(*meta));
	return err;
}

enum kw_err key_use(struct core *core, const struct session *s, const uint8_t id[WIRE_ID_SIZE],
	struct key **key)
{
	struct store_entry entry;
	enum kw_err err;

	*key = NULL;
	err = store_find_id(core->store, id, &entry);
	if (err == KW_ERR_NO_KEY) {
		*key = find_sealed(core->cache, s, id);
		return *key ? KW_ERR_OK : KW_ERR_NOT_LOADED;
	}
	if (err)
		return err;
	*key = find_stored(core->cache, id, entry.version);
	if (!*key) {
		err = load_stored(core, id, key);
		if (err)
			return err;
	}
	if (!policy_may_use(s, &(*key)->owner, (*key)->acl, (*key)->acl_count)) {
		key_count_refusal(core, *key);
		key_release(key);
		return KW_ERR_ACCESS;
	}
	err = token_check(core, s, &(*key)->token);
	if (err)
		key_release(key);
	return err == KW_ERR_NO_TOKEN ? KW_ERR_NOT_LOADED : err;
}

enum kw_err key_load_sealed(struct core *core, const struct session *s, const uint8_t *record,
	size_t len, struct key_meta *meta, struct key **key)
{
	uint8_t digest[32];
	enum kw_err err;

	*key = NULL;
	err = crypto_hash(HASH_SHA256, record, len, digest);
	if (err)
		return err;
	err = open_record(core, record, len, 0, meta, key);
	if (err)
		return err;
	memcpy((*key)->digest, digest, sizeof(digest));
	if ((*key)->place != PLACE_SEALED)
		err = KW_ERR_BAD_REQUEST;
	else if (!policy_may_use(s, &meta->owner, meta->acl, meta->acl_count) &&
		 !policy_may_manage(s, &meta->owner))
		err = KW_ERR_ACCESS;
	if (err == KW_ERR_BAD_REQUEST)
		goto out;
	if (!share_open(core->cache, key) && !err)
		insert(core->cache, *key);
	if (err)
		key_count_refusal(core, *key);
out:
	if (err)
		key_release(key);
	return err;
}

void key_count_signature(struct core *core, struct key *key)
{
	uint64_t now = platform_time();

	atomic_fetch_add_explicit(&core->signatures, 1, memory_order_relaxed);
	if (key->place == PLACE_STORED) {
		store_count_signature(core->store, key->id, now);
		return;
	}
	atomic_fetch_add_explicit(&key->signatures, 1, memory_order_relaxed);
	atomic_store_explicit(&key->last_use, now, memory_order_relaxed);
}

void key_count_refusal(struct core *core, struct key *key)
{
	atomic_fetch_add_explicit(&core->refusals, 1, memory_order_relaxed);
	if (key->place == PLACE_STORED)
		store_count_refusal(core->store, key->id);
	else
		atomic_fetch_add_explicit(&key->refusals, 1, memory_order_relaxed);
}

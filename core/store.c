/* SPDX-License-Identifier: BSD-2-Clause */
#include "store_state.h"

#include <string.h>

static void store_free(struct store **store)
{
	struct store *s = *store;

	*store = NULL;
	if (!s)
		return;
	storage_close(&s->log.storage);
	index_clear(&s->index);
	platform_free(s->buf, STORE_BUF_SIZE);
	if (s->index_lock)
		platform_mutex_free(&s->index_lock);
	if (s->writer_lock)
		platform_mutex_free(&s->writer_lock);
	platform_free(s, sizeof(*s));
}

static enum kw_err prepare(struct store *s)
{
	enum kw_err err;

	s->compact_from = STORE_COMPACT_FROM;
	s->live_bytes = LOG_HEADER_SIZE;
	s->writer_lock = platform_mutex_new();
	s->index_lock = platform_mutex_new();
	s->buf = platform_alloc(STORE_BUF_SIZE);
	if (!s->writer_lock || !s->index_lock || !s->buf)
		return KW_ERR_NO_MEMORY;
	err = index_init(&s->index);
	if (!err)
		err = platform_device_key("keyward store v1", s->device_key);
	return err;
}

/*
 * The first log is swapped in whole, so a file with half a header is never a crash's work: only an
 * empty one is a new store.
 */
static enum kw_err load(struct store *s)
{
	uint64_t size = 0;
	enum kw_err err;

	err = storage_size(s->log.storage, &size);
	if (err)
		return err;
	if (!size)
		return store_create(s);
	err = log_replay(&s->log, s->device_key, size, store_replay, s);
	if (err)
		return err;
	/* What is new in the format is not to be met by those who do not know it. */
	if (s->log.format < LOG_FORMAT)
		s->must_rewrite = true;
	s->bytes = s->log.end.size;
	s->sequence = s->log.end.sequence;
	if (s->bytes == size) {
		/* A process that was killed may have left the last record unsynced. What is
		 * shown from here on must not be gone after a power cut, least of all below
		 * later records. */
		if (storage_resync(s->log.storage, s->log.last_at))
			s->must_rewrite = true;
		return KW_ERR_OK;
	}
	platform_log(
		"store: %llu bytes of a change that was never finished are dropped, at byte %llu",
		(unsigned long long)(size - s->bytes), (unsigned long long)s->bytes);
	if (storage_truncate(s->log.storage, s->bytes))
		s->must_rewrite = true;
	return KW_ERR_OK;
}

enum kw_err store_open(struct store **store)
{
	struct store *s = platform_alloc(sizeof(*s));
	enum kw_err err = KW_ERR_NO_MEMORY;

	*store = NULL;
	if (!s)
		goto out;
	err = prepare(s);
	if (!err)
		err = storage_open(&s->log.storage);
	if (!err)
		err = load(s);
	if (err)
		goto out;
	*store = s;
	s = NULL;
out:
	store_free(&s);
	return err;
}

void store_close(struct store **store)
{
	struct store *s = *store;
	enum kw_err err = KW_ERR_OK;

	if (!s)
		return;
	platform_mutex_lock(s->writer_lock);
	/* A change that failed must not come back with the next start. */
	if (s->must_rewrite)
		err = store_rewrite(s);
	if (!err)
		err = store_flush_counters(s);
	if (err)
		platform_log("store: the last counters of use could not be written (error %d)",
			(int)err);
	platform_mutex_unlock(s->writer_lock);
	store_free(store);
}

enum kw_err store_fetch(struct store *s, const struct index_entry *e, uint8_t *buf)
{
	uint8_t hash[LOG_HASH_SIZE];
	enum kw_err err;

	err = storage_read(s->log.storage, e->offset, buf, e->record_len);
	if (!err)
		err = crypto_hash(HASH_SHA256, buf, e->record_len, hash);
	if (!err && memcmp(hash, e->hash, sizeof(hash)))
		err = KW_ERR_CORRUPT;
	if (err) {
		platform_wipe(buf, e->record_len);
		platform_log("store: the record at byte %llu cannot be read (error %d)",
			(unsigned long long)e->offset, (int)err);
	}
	return err;
}

struct index_entry *store_entry_of(
	const struct store *s, enum entry_kind kind, const uint8_t id[WIRE_ID_SIZE])
{
	struct index_entry *e = index_find_id(&s->index, id);

	return e && e->kind == kind ? e : NULL;
}

static enum kw_err show(const struct index_entry *e, struct store_entry *entry)
{
	if (!e)
		return KW_ERR_NO_KEY;
	if (entry)
		*entry = e->shown;
	return KW_ERR_OK;
}

enum kw_err store_find_id(
	struct store *s, const uint8_t id[WIRE_ID_SIZE], struct store_entry *entry)
{
	enum kw_err err;

	platform_mutex_lock(s->index_lock);
	err = show(store_entry_of(s, ENTRY_KEY, id), entry);
	platform_mutex_unlock(s->index_lock);
	return err;
}

enum kw_err store_find_name(
	struct store *s, const char *name, size_t len, struct store_entry *entry)
{
	enum kw_err err;

	platform_mutex_lock(s->index_lock);
	err = show(index_find_name(&s->index, name, len), entry);
	platform_mutex_unlock(s->index_lock);
	return err;
}

static enum kw_err read_of(struct store *s, enum entry_kind kind, const uint8_t *id, uint8_t *buf,
	size_t *len, struct store_entry *entry)
{
	enum kw_err err = KW_ERR_NO_KEY;
	const struct index_entry *e;

	*len = 0;
	platform_mutex_lock(s->index_lock);
	e = store_entry_of(s, kind, id);
	if (!e)
		goto out;
	err = store_fetch(s, e, buf);
	if (err)
		goto out;
	*len = e->record_len;
	err = show(e, entry);
out:
	platform_mutex_unlock(s->index_lock);
	return err;
}

enum kw_err store_read(struct store *s, const uint8_t id[WIRE_ID_SIZE], uint8_t *buf, size_t *len,
	struct store_entry *entry)
{
	return read_of(s, ENTRY_KEY, id, buf, len, entry);
}

enum kw_err store_object_read(
	struct store *s, const uint8_t id[WIRE_ID_SIZE], uint8_t *buf, size_t *len)
{
	enum kw_err err = read_of(s, ENTRY_OBJECT, id, buf, len, NULL);

	return err == KW_ERR_NO_KEY ? KW_ERR_NO_OBJECT : err;
}

enum kw_err store_token_read(
	struct store *s, const uint8_t id[WIRE_ID_SIZE], uint8_t *buf, size_t *len)
{
	enum kw_err err = read_of(s, ENTRY_TOKEN, id, buf, len, NULL);

	return err == KW_ERR_NO_KEY ? KW_ERR_NO_TOKEN : err;
}

/* Under the index lock. NULL at the end. */
static const struct index_entry *next_of(
	const struct store *s, enum entry_kind kind, uint32_t *cursor)
{
	const struct index_entry *e;

	while (*cursor < s->index.used) {
		e = index_at(&s->index, (*cursor)++);
		if (e && e->kind == kind)
			return e;
	}
	return NULL;
}

enum kw_err store_next(struct store *s, uint32_t *cursor, struct store_entry *entry)
{
	enum kw_err err;

	platform_mutex_lock(s->index_lock);
	err = show(next_of(s, ENTRY_KEY, cursor), entry);
	platform_mutex_unlock(s->index_lock);
	return err;
}

enum kw_err store_object_next(struct store *s, uint32_t *cursor, uint8_t id[WIRE_ID_SIZE])
{
	enum kw_err err = KW_ERR_NO_OBJECT;
	const struct index_entry *e;

	platform_mutex_lock(s->index_lock);
	e = next_of(s, ENTRY_OBJECT, cursor);
	if (e) {
		memcpy(id, e->shown.id, WIRE_ID_SIZE);
		err = KW_ERR_OK;
	}
	platform_mutex_unlock(s->index_lock);
	return err;
}

void store_count_signature(struct store *s, const uint8_t id[WIRE_ID_SIZE], uint64_t now)
{
	struct index_entry *e;

	platform_mutex_lock(s->index_lock);
	e = store_entry_of(s, ENTRY_KEY, id);
	if (e) {
		e->shown.counters.signatures++;
		if (now > e->shown.counters.last_use)
			e->shown.counters.last_use = now;
		index_touch(&s->index, e);
	}
	platform_mutex_unlock(s->index_lock);
}

void store_count_refusal(struct store *s, const uint8_t id[WIRE_ID_SIZE])
{
	struct index_entry *e;

	platform_mutex_lock(s->index_lock);
	e = store_entry_of(s, ENTRY_KEY, id);
	if (e) {
		e->shown.counters.refusals++;
		index_touch(&s->index, e);
	}
	platform_mutex_unlock(s->index_lock);
}

void store_stats(struct store *s, struct store_stats *stats)
{
	platform_mutex_lock(s->index_lock);
	stats->keys = s->index.count - s->index.objects - s->index.tokens;
	stats->objects = s->index.objects;
	stats->bytes = s->bytes;
	stats->live_bytes = s->live_bytes;
	stats->sequence = s->sequence;
	platform_mutex_unlock(s->index_lock);
}

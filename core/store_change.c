/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes: built as one record, made durable, then applied in memory. */
#include "store_state.h"

#include <string.h>

static void put_counters(struct writer *w, const struct store_counters *c)
{
	put_u64(w, c->signatures);
	put_u64(w, c->last_use);
	put_u64(w, c->refusals);
}

void put_change_put(struct writer *w, const struct store_put *p)
{
	if (p->kind != ENTRY_KEY) {
		put_u8(w, p->kind == ENTRY_TOKEN ? CHANGE_TOKEN : CHANGE_OBJECT);
		put_bytes(w, p->id, WIRE_ID_SIZE);
		put_field16(w, p->record, p->record_len);
		return;
	}
	put_u8(w, CHANGE_PUT);
	put_bytes(w, p->id, WIRE_ID_SIZE);
	put_counters(w, p->counters);
	put_field8(w, p->name, p->name_len);
	put_field16(w, p->record, p->record_len);
}

size_t change_put_size(enum entry_kind kind, size_t name_len, size_t record_len)
{
	return kind == ENTRY_KEY ? CHANGE_PUT_SIZE(name_len, record_len)
				 : CHANGE_OBJECT_SIZE(record_len);
}

/* As many of the counters that changed as leave `spare` bytes. Returns how many of the queue
 * that is. */
static uint32_t put_queued_counters(struct store *s, struct writer *w, size_t spare)
{
	struct index_entry *e;
	uint32_t n = 0;

	platform_mutex_lock(s->index_lock);
	for (uint32_t i = s->index.queue_head; i != INDEX_NONE; i = e->queue_next) {
		e = index_queued(&s->index, i);
		if (log_room(w) < spare + CHANGE_COUNTERS_SIZE)
			break;
		n++;
		/* From here on a new use has to be written again. */
		e->is_touched = false;
		if (!e->is_live)
			continue;
		put_u8(w, CHANGE_COUNTERS);
		put_bytes(w, e->shown.id, WIRE_ID_SIZE);
		put_counters(w, &e->shown.counters);
	}
	platform_mutex_unlock(s->index_lock);
	return n;
}

/*
 * Makes the record durable or leaves the log as it was. After a failed sync the kernel may have
 * dropped the pages and call the next sync a success, so the log is not trusted with another change
 * then.
 */
static enum kw_err commit(struct store *s, struct writer *w)
{
	struct log_end before = s->log.end;
	enum kw_err err;

	err = log_append(&s->log, w);
	if (!err) {
		err = storage_sync(s->log.storage);
		if (err)
			s->must_rewrite = true;
	}
	if (err) {
		s->log.end = before;
		if (storage_truncate(s->log.storage, before.size))
			s->must_rewrite = true;
	}
	return err;
}

/* No harm when it fails: the log that is there goes on, and it is tried again later. */
static void compact(struct store *s)
{
	uint64_t size = s->log.end.size;
	enum kw_err err = KW_ERR_OK;

	if (size <= s->compact_from || s->live_bytes >= size / 2)
		return;
	err = store_rewrite(s);
	s->compact_from = err ? size + STORE_COMPACT_FROM : STORE_COMPACT_FROM;
}

enum kw_err store_flush_counters(struct store *s)
{
	enum kw_err err = KW_ERR_OK;

	/* The queue's head is safe to look at only under its lock: put_queued_counters does. */
	for (;;) {
		struct writer w = log_begin(s->buf);
		uint32_t n = put_queued_counters(s, &w, 0);

		if (n && w.len > LOG_RECORD_HEAD)
			err = commit(s, &w);
		if (!n || err)
			return err;
		platform_mutex_lock(s->index_lock);
		s->bytes = s->log.end.size;
		s->sequence = s->log.end.sequence;
		index_queue_drop(&s->index, n);
		platform_mutex_unlock(s->index_lock);
	}
}

static enum kw_err absent(enum entry_kind kind)
{
	return kind == ENTRY_KEY      ? KW_ERR_NO_KEY
	       : kind == ENTRY_OBJECT ? KW_ERR_NO_OBJECT
				      : KW_ERR_NO_TOKEN;
}

static enum kw_err put_prepare(struct store *s, const struct store_put *p, bool take_name,
	bool only_new, const struct index_entry **loser)
{
	const struct index_entry *e = index_find_id(&s->index, p->id);
	const struct index_entry *named = index_find_name(&s->index, p->name, p->name_len);
	enum kw_err err = KW_ERR_OK;

	/* A key's id is a hash and an object's chosen at random, so nobody makes the two meet. */
	if (e && (only_new || e->kind != p->kind))
		return p->kind == ENTRY_KEY ? KW_ERR_KEY_EXISTS : KW_ERR_LIMIT;
	if (!e && !only_new && p->kind != ENTRY_KEY)
		return absent(p->kind);
	if (named && named != e) {
		if (!take_name)
			return KW_ERR_NAME_TAKEN;
		*loser = named;
	}
	if (!e) {
		platform_mutex_lock(s->index_lock);
		err = index_reserve(&s->index);
		platform_mutex_unlock(s->index_lock);
	}
	return err;
}

static void get_entry_counters(struct store *s, const uint8_t *id, struct store_counters *c)
{
	struct store_entry entry = {0};

	if (store_find_id(s, id, &entry))
		memset(c, 0, sizeof(*c));
	else
		*c = entry.counters;
}

static enum kw_err put_locked(struct store *s, struct store_put *p, bool take_name, bool only_new)
{
	const struct index_entry *loser = NULL;
	uint8_t loser_id[WIRE_ID_SIZE] = {0};
	struct store_counters counters;
	struct writer w;
	uint32_t counted;
	enum kw_err err;

	err = put_prepare(s, p, take_name, only_new, &loser);
	if (!err)
		err = crypto_hash(HASH_SHA256, p->record, p->record_len, p->hash);
	if (!err && s->must_rewrite)
		err = store_rewrite(s);
	if (err)
		return err;
	w = log_begin(s->buf);
	counted = put_queued_counters(s, &w, CHANGE_LARGEST);
	if (loser) {
		memcpy(loser_id, loser->shown.id, sizeof(loser_id));
		put_u8(&w, CHANGE_UNNAME);
		put_bytes(&w, loser_id, sizeof(loser_id));
	}
	get_entry_counters(s, p->id, &counters);
	p->counters = &counters;
	put_change_put(&w, p);
	p->offset = log_offset(&s->log, &w) - p->record_len;
	err = commit(s, &w);
	if (err)
		return err;
	p->counters = NULL;
	platform_mutex_lock(s->index_lock);
	s->bytes = s->log.end.size;
	s->sequence = s->log.end.sequence;
	if (loser)
		store_apply_unname(s, index_find_id(&s->index, loser_id));
	store_apply_put(s, p);
	index_queue_drop(&s->index, counted);
	platform_mutex_unlock(s->index_lock);
	compact(s);
	return KW_ERR_OK;
}

enum kw_err store_put(struct store *s, const uint8_t id[WIRE_ID_SIZE], const char *name,
	const uint8_t *record, size_t record_len, bool take_name, bool only_new)
{
	struct store_put p = {
		.kind = ENTRY_KEY,
		.id = id,
		.name = name,
		.name_len = strnlen(name, WIRE_NAME_MAX + 1),
		.record = record,
		.record_len = record_len,
	};
	enum kw_err err;

	if (p.name_len > WIRE_NAME_MAX)
		return KW_ERR_BAD_NAME;
	if (!record_len || record_len > WIRE_RECORD_MAX)
		return KW_ERR_TOO_LARGE;
	platform_mutex_lock(s->writer_lock);
	err = put_locked(s, &p, take_name, only_new);
	platform_mutex_unlock(s->writer_lock);
	return err;
}

static enum kw_err put_other(struct store *s, enum entry_kind kind, const uint8_t *id,
	const uint8_t *record, size_t record_len, bool only_new)
{
	struct store_put p = {
		.kind = kind,
		.id = id,
		.name = "",
		.record = record,
		.record_len = record_len,
	};
	enum kw_err err;

	if (!record_len || record_len > (kind == ENTRY_TOKEN ? STORE_TOKEN_MAX : STORE_OBJECT_MAX))
		return KW_ERR_TOO_LARGE;
	platform_mutex_lock(s->writer_lock);
	err = put_locked(s, &p, false, only_new);
	platform_mutex_unlock(s->writer_lock);
	return err;
}

enum kw_err store_object_put(struct store *s, const uint8_t id[WIRE_ID_SIZE], const uint8_t *record,
	size_t record_len, bool only_new)
{
	return put_other(s, ENTRY_OBJECT, id, record, record_len, only_new);
}

enum kw_err store_token_put(struct store *s, const uint8_t id[WIRE_ID_SIZE], const uint8_t *record,
	size_t record_len, bool only_new)
{
	return put_other(s, ENTRY_TOKEN, id, record, record_len, only_new);
}

/* Those that are there; none twice. */
static enum kw_err delete_locked(
	struct store *s, const uint8_t (*ids)[WIRE_ID_SIZE], unsigned count)
{
	struct writer w;
	uint32_t counted;
	enum kw_err err = KW_ERR_OK;

	if (s->must_rewrite)
		err = store_rewrite(s);
	if (err)
		return err;
	w = log_begin(s->buf);
	counted = put_queued_counters(s, &w, CHANGE_LARGEST);
	for (unsigned i = 0; i < count; i++) {
		if (!index_find_id(&s->index, ids[i]))
			continue;
		put_u8(&w, CHANGE_DELETE);
		put_bytes(&w, ids[i], WIRE_ID_SIZE);
	}
	err = commit(s, &w);
	if (err)
		return err;
	platform_mutex_lock(s->index_lock);
	s->bytes = s->log.end.size;
	s->sequence = s->log.end.sequence;
	for (unsigned i = 0; i < count; i++) {
		struct index_entry *e = index_find_id(&s->index, ids[i]);

		if (e)
			store_apply_delete(s, e);
	}
	index_queue_drop(&s->index, counted);
	platform_mutex_unlock(s->index_lock);
	compact(s);
	return KW_ERR_OK;
}

static enum kw_err delete_of(struct store *s, enum entry_kind kind, const uint8_t id[WIRE_ID_SIZE])
{
	enum kw_err err = absent(kind);
	uint8_t ids[1][WIRE_ID_SIZE];

	memcpy(ids[0], id, WIRE_ID_SIZE);
	platform_mutex_lock(s->writer_lock);
	if (store_entry_of(s, kind, id))
		err = delete_locked(s, (const uint8_t(*)[WIRE_ID_SIZE])ids, 1);
	platform_mutex_unlock(s->writer_lock);
	return err;
}

enum kw_err store_delete(struct store *s, const uint8_t id[WIRE_ID_SIZE])
{
	return delete_of(s, ENTRY_KEY, id);
}

enum kw_err store_object_delete(struct store *s, const uint8_t id[WIRE_ID_SIZE])
{
	return delete_of(s, ENTRY_OBJECT, id);
}

enum kw_err store_token_delete(struct store *s, const uint8_t id[WIRE_ID_SIZE])
{
	return delete_of(s, ENTRY_TOKEN, id);
}

enum kw_err store_delete_many(struct store *s, const uint8_t (*ids)[WIRE_ID_SIZE], unsigned count)
{
	enum kw_err err;

	if (!count)
		return KW_ERR_OK;
	if (count > STORE_DELETE_MANY)
		return KW_ERR_TOO_LARGE;
	platform_mutex_lock(s->writer_lock);
	err = delete_locked(s, ids, count);
	platform_mutex_unlock(s->writer_lock);
	return err;
}

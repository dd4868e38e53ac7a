/* SPDX-License-Identifier: BSD-2-Clause */
/* A fresh log in the place of the present one: the first, a smaller one, or one whose end is
 * known. */
#include "store_state.h"

#include <string.h>

/* Adds the entry to the record that is being built, which is written first when it is full. Tells
 * where in the fresh log the key's record will be. */
static enum kw_err copy_entry(struct store *s, struct log *fresh, struct writer *w,
	struct index_entry *e, uint64_t *offset)
{
	uint8_t *record = s->buf + LOG_RECORD_MAX;
	struct store_counters counters;
	struct store_put p = {
		.kind = (enum entry_kind)e->kind,
		.id = e->shown.id,
		.name = e->shown.name,
		.name_len = strlen(e->shown.name),
		.record = record,
		.record_len = e->record_len,
		.counters = &counters,
	};
	enum kw_err err;

	if (log_room(w) < change_put_size(p.kind, p.name_len, p.record_len)) {
		err = log_append(fresh, w);
		if (err)
			return err;
		*w = log_begin(s->buf);
	}
	err = store_fetch(s, e, record);
	if (err)
		return err;
	platform_mutex_lock(s->index_lock);
	counters = e->shown.counters;
	platform_mutex_unlock(s->index_lock);
	put_change_put(w, &p);
	*offset = log_offset(fresh, w) - p.record_len;
	return KW_ERR_OK;
}

static enum kw_err fill(struct store *s, struct log *fresh, uint64_t *offsets)
{
	struct writer w = log_begin(s->buf);
	enum kw_err err;

	err = log_create(fresh, s->device_key);
	for (uint32_t i = 0; !err && i < s->index.used; i++) {
		struct index_entry *e = index_at(&s->index, i);

		if (e)
			err = copy_entry(s, fresh, &w, e, &offsets[i]);
	}
	if (!err && w.len > LOG_RECORD_HEAD)
		err = log_append(fresh, &w);
	return err ? err : storage_sync(fresh->storage);
}

/* offsets may be NULL when there is no key. */
static enum kw_err replace(struct store *s, uint64_t *offsets)
{
	struct log fresh = {.end.sequence = s->log.end.sequence};
	struct storage *old = NULL;
	enum kw_err err;

	memcpy(fresh.store_id, s->log.store_id, sizeof(fresh.store_id));
	err = storage_begin(s->log.storage, &fresh.storage);
	if (!err)
		err = fill(s, &fresh, offsets);
	if (!err)
		err = storage_swap(s->log.storage, fresh.storage);
	if (err) {
		storage_close(&fresh.storage);
		goto out;
	}
	platform_mutex_lock(s->index_lock);
	old = s->log.storage;
	s->log = fresh;
	s->bytes = fresh.end.size;
	for (uint32_t i = 0; i < s->index.used; i++) {
		struct index_entry *e = index_at(&s->index, i);

		if (e)
			e->offset = offsets[i];
	}
	platform_mutex_unlock(s->index_lock);
	storage_close(&old);
	s->must_rewrite = false;
out:
	platform_wipe(fresh.key, sizeof(fresh.key));
	return err;
}

enum kw_err store_rewrite(struct store *s)
{
	size_t size = s->index.used * sizeof(uint64_t);
	uint64_t *offsets = NULL;
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (size) {
		offsets = platform_alloc(size);
		if (!offsets)
			goto out;
	}
	err = replace(s, offsets);
out:
	platform_free(offsets, size);
	if (err)
		platform_log("store: a fresh log could not be written (error %d)", (int)err);
	return err;
}

enum kw_err store_create(struct store *s)
{
	enum kw_err err;

	err = platform_random(s->log.store_id, sizeof(s->log.store_id));
	return err ? err : replace(s, NULL);
}

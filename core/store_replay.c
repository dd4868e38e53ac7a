/* SPDX-License-Identifier: BSD-2-Clause */
/* What the log says, applied to the index: at replay, and after each change that is durable. */
#include "store_state.h"

#include <string.h>

static uint64_t entry_bytes(const struct index_entry *e)
{
	return change_put_size((enum entry_kind)e->kind, strlen(e->shown.name), e->record_len);
}

void store_apply_put(struct store *s, const struct store_put *p)
{
	struct index_entry *e = index_find_id(&s->index, p->id);

	if (e)
		s->live_bytes -= entry_bytes(e);
	else
		e = index_add(&s->index, p->id, p->kind);
	index_set_name(&s->index, e, p->name, p->name_len);
	e->offset = p->offset;
	e->record_len = (uint16_t)p->record_len;
	memcpy(e->hash, p->hash, sizeof(e->hash));
	if (p->counters)
		e->shown.counters = *p->counters;
	e->shown.version = ++s->last_version;
	s->live_bytes += entry_bytes(e);
}

/* The version changes as well: who has this key open has it with its old name. */
void store_apply_unname(struct store *s, struct index_entry *e)
{
	s->live_bytes -= strlen(e->shown.name);
	index_set_name(&s->index, e, "", 0);
	e->shown.version = ++s->last_version;
}

void store_apply_delete(struct store *s, struct index_entry *e)
{
	s->live_bytes -= entry_bytes(e);
	index_remove(&s->index, e);
}

static void get_counters(struct reader *r, struct store_counters *c)
{
	c->signatures = get_u64(r);
	c->last_use = get_u64(r);
	c->refusals = get_u64(r);
}

static enum kw_err replay_record(struct store *s, struct store_put *p, uint64_t offset)
{
	enum kw_err err;

	p->offset = offset;
	err = crypto_hash(HASH_SHA256, p->record, p->record_len, p->hash);
	if (!err)
		err = index_reserve(&s->index);
	if (!err)
		store_apply_put(s, p);
	return err;
}

static enum kw_err replay_put(
	struct store *s, struct reader *r, const uint8_t *id, const uint8_t *payload, uint64_t at)
{
	struct store_counters counters;
	struct store_put p = {.kind = ENTRY_KEY, .id = id, .counters = &counters};
	const struct index_entry *named, *e = index_find_id(&s->index, id);

	get_counters(r, &counters);
	p.name = (const char *)get_field8(r, WIRE_NAME_MAX, &p.name_len);
	p.record = get_field16(r, WIRE_RECORD_MAX, &p.record_len);
	if (r->failed || !p.record_len || memchr(p.name, 0, p.name_len) ||
		(e && e->kind != ENTRY_KEY))
		return KW_ERR_CORRUPT;
	named = index_find_name(&s->index, p.name, p.name_len);
	if (named && memcmp(named->shown.id, id, WIRE_ID_SIZE))
		return KW_ERR_CORRUPT;
	return replay_record(s, &p, at + (uint64_t)(p.record - payload));
}

/* An object or a token. */
static enum kw_err replay_other(struct store *s, struct reader *r, enum entry_kind kind,
	const uint8_t *id, const uint8_t *payload, uint64_t at)
{
	struct store_put p = {.kind = kind, .id = id, .name = ""};
	const struct index_entry *e = index_find_id(&s->index, id);

	p.record = get_field16(
		r, kind == ENTRY_TOKEN ? STORE_TOKEN_MAX : STORE_OBJECT_MAX, &p.record_len);
	if (r->failed || !p.record_len || (e && e->kind != kind))
		return KW_ERR_CORRUPT;
	return replay_record(s, &p, at + (uint64_t)(p.record - payload));
}

/* Genuine records that make no sense are CORRUPT too: nothing is guessed. */
enum kw_err store_replay(void *context, const uint8_t *payload, size_t len, uint64_t at)
{
	struct reader r = reader_over(payload, len);
	struct store *s = context;
	enum kw_err err = KW_ERR_OK;

	while (!err && reader_left(&r)) {
		uint8_t change = get_u8(&r);
		const uint8_t *id = get_bytes(&r, WIRE_ID_SIZE);
		struct index_entry *e = id ? index_find_id(&s->index, id) : NULL;

		if (id && change == CHANGE_PUT)
			err = replay_put(s, &r, id, payload, at);
		else if (id && change == CHANGE_OBJECT)
			err = replay_other(s, &r, ENTRY_OBJECT, id, payload, at);
		else if (id && change == CHANGE_TOKEN)
			err = replay_other(s, &r, ENTRY_TOKEN, id, payload, at);
		else if (!e)
			err = KW_ERR_CORRUPT;
		else if (change == CHANGE_DELETE)
			store_apply_delete(s, e);
		else if (e->kind != ENTRY_KEY)
			err = KW_ERR_CORRUPT;
		else if (change == CHANGE_COUNTERS)
			get_counters(&r, &e->shown.counters);
		else if (change == CHANGE_UNNAME)
			store_apply_unname(s, e);
		else
			err = KW_ERR_CORRUPT;
	}
	return !err && r.failed ? KW_ERR_CORRUPT : err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "token.h"

#include <string.h>

#include "object_record.h"
#include "policy.h"

struct tokens {
	struct platform_mutex *lock; /* for a look or a change in memory */
	struct token *at[WIRE_SLOT_MAX + 1];
};

void token_free(struct token **token)
{
	struct token *t = *token;

	*token = NULL;
	platform_free(t, sizeof(*t));
}

/* --- What is in the store --- */

static enum kw_err load(struct core *core, uint8_t slot, uint8_t *record)
{
	struct token *t = NULL;
	uint8_t id[WIRE_ID_SIZE];
	size_t len = 0;
	enum kw_err err = token_store_id(slot, id);

	if (!err)
		err = store_token_read(core->store, id, record, &len);
	if (err)
		return err == KW_ERR_NO_TOKEN ? KW_ERR_OK : err;
	t = platform_alloc(sizeof(*t));
	if (!t)
		return KW_ERR_NO_MEMORY;
	err = token_record_open(&core->record_key, record, len, t);
	/* Another slot's record in this one's place would be another PIN for the same keys. */
	if (!err && t->slot != slot)
		err = KW_ERR_CORRUPT;
	if (err) {
		platform_log("token: the record of slot %u cannot be read (error %d)",
			(unsigned)slot, (int)err);
		token_free(&t);
		return err;
	}
	core->tokens->at[slot] = t;
	return KW_ERR_OK;
}

enum kw_err tokens_open(struct core *core)
{
	struct tokens *all = platform_alloc(sizeof(*all));
	uint8_t *record = platform_alloc(STORE_TOKEN_MAX);
	enum kw_err err = KW_ERR_NO_MEMORY;

	core->tokens = all;
	if (!all || !record)
		goto out;
	all->lock = platform_mutex_new();
	if (!all->lock)
		goto out;
	err = logins_new(core);
	for (uint8_t slot = 1; !err && slot <= WIRE_SLOT_MAX; slot++)
		err = load(core, slot, record);
	/* What cannot be swept now is invisible all the same. */
	for (uint8_t slot = 1; !err && slot <= WIRE_SLOT_MAX; slot++) {
		if (all->at[slot] && token_sweep(core, slot))
			platform_log("token: slot %u could not be cleared of what was deleted",
				(unsigned)slot);
	}
out:
	platform_free(record, STORE_TOKEN_MAX);
	return err;
}

void tokens_close(struct core *core)
{
	struct tokens *all = core->tokens;

	logins_free(core);
	core->tokens = NULL;
	if (!all)
		return;
	for (unsigned i = 0; i <= WIRE_SLOT_MAX; i++)
		token_free(&all->at[i]);
	if (all->lock)
		platform_mutex_free(&all->lock);
	platform_free(all, sizeof(*all));
}

/* --- What is in memory --- */

enum kw_err token_get(struct core *core, uint8_t slot, struct token **token)
{
	struct tokens *all = core->tokens;
	struct token *t;
	enum kw_err err = KW_ERR_NO_TOKEN;

	*token = NULL;
	if (!slot || slot > WIRE_SLOT_MAX)
		return err;
	t = platform_alloc(sizeof(*t));
	if (!t)
		return KW_ERR_NO_MEMORY;
	platform_mutex_lock(all->lock);
	if (all->at[slot] && all->at[slot]->state != TOKEN_IS_GONE) {
		*t = *all->at[slot];
		err = KW_ERR_OK;
	}
	platform_mutex_unlock(all->lock);
	if (err)
		token_free(&t);
	*token = t;
	return err;
}

enum kw_err token_find(struct core *core, uint8_t slot, struct token_ref *ref)
{
	struct tokens *all = core->tokens;
	enum kw_err err = KW_ERR_NO_TOKEN;
	const struct token *t;

	memset(ref, 0, sizeof(*ref));
	if (slot > WIRE_SLOT_MAX)
		return err;
	if (slot == WIRE_SLOT_DEFAULT)
		return KW_ERR_OK;
	platform_mutex_lock(all->lock);
	t = all->at[slot];
	if (t && t->state != TOKEN_IS_GONE) {
		ref->slot = slot;
		memcpy(ref->id, t->id, sizeof(ref->id));
		err = KW_ERR_OK;
	}
	platform_mutex_unlock(all->lock);
	return err;
}

bool token_is_there(struct core *core, const struct token_ref *ref)
{
	struct token_ref now;

	return !ref->slot ||
	       (!token_find(core, ref->slot, &now) && !memcmp(now.id, ref->id, sizeof(now.id)));
}

enum kw_err token_check(struct core *core, const struct session *s, const struct token_ref *ref)
{
	if (!ref->slot)
		return KW_ERR_OK;
	if (!token_is_there(core, ref))
		return KW_ERR_NO_TOKEN;
	return login_holds(core, s, ref->slot, TOKEN_USER) ? KW_ERR_OK : KW_ERR_NOT_LOGGED_IN;
}

bool token_may_log_in(const struct session *s, const struct token *t)
{
	return policy_may_use(s, &t->owner, t->acl, t->acl_count) ||
	       policy_may_manage(s, &t->owner);
}

static void show(struct core *core, const struct token *t, struct token **room)
{
	struct tokens *all = core->tokens;

	platform_mutex_lock(all->lock);
	if (!all->at[t->slot]) {
		all->at[t->slot] = *room;
		*room = NULL;
	}
	*all->at[t->slot] = *t;
	platform_mutex_unlock(all->lock);
}

enum kw_err token_keep(struct core *core, const struct token *t, bool is_new)
{
	uint8_t *record = platform_alloc(STORE_TOKEN_MAX);
	struct token *room = is_new ? platform_alloc(sizeof(*room)) : NULL;
	uint8_t id[WIRE_ID_SIZE];
	size_t len = 0;
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!record || (is_new && !room))
		goto out;
	err = token_store_id(t->slot, id);
	if (!err)
		err = token_record_seal(&core->record_key, t, record, &len);
	if (!err)
		err = store_token_put(core->store, id, record, len, is_new);
	if (!err)
		show(core, t, &room);
out:
	token_free(&room);
	platform_free(record, STORE_TOKEN_MAX);
	return err;
}

/* --- What a token leaves behind --- */

struct sweep {
	struct core *core;
	struct token_ref stays; /* its id; all zeros when nothing does */
	struct key_meta meta;
	struct object object;
	uint8_t record[WIRE_RECORD_MAX];
	uint8_t ids[STORE_DELETE_MANY][WIRE_ID_SIZE];
	unsigned count;
};

static enum kw_err flush(struct sweep *sw)
{
	enum kw_err err = store_delete_many(
		sw->core->store, (const uint8_t(*)[WIRE_ID_SIZE])sw->ids, sw->count);

	for (unsigned i = 0; !err && i < sw->count; i++)
		key_cache_drop(sw->core->cache, sw->ids[i]);
	sw->count = 0;
	return err;
}

static enum kw_err consider(
	struct sweep *sw, const struct token_ref *ref, const uint8_t id[WIRE_ID_SIZE])
{
	if (ref->slot != sw->stays.slot || !memcmp(ref->id, sw->stays.id, sizeof(ref->id)))
		return KW_ERR_OK;
	memcpy(sw->ids[sw->count++], id, WIRE_ID_SIZE);
	return sw->count == STORE_DELETE_MANY ? flush(sw) : KW_ERR_OK;
}

/* A record that is damaged is nobody's, and passed over; one that cannot be read just now is not. */
static bool is_damaged(enum kw_err err)
{
	return err == KW_ERR_CORRUPT || err == KW_ERR_OTHER_DEVICE || err == KW_ERR_STORE_VERSION;
}

static enum kw_err sweep_keys(struct sweep *sw)
{
	struct store_entry entry;
	uint32_t cursor = 0;
	size_t len;
	enum kw_err err;

	for (;;) {
		err = store_next(sw->core->store, &cursor, &entry);
		if (err)
			return err == KW_ERR_NO_KEY ? KW_ERR_OK : err;
		err = store_read(sw->core->store, entry.id, sw->record, &len, NULL);
		if (!err)
			err = record_parse(&sw->core->record_key, sw->record, len, &sw->meta);
		if (!err)
			err = consider(sw, &sw->meta.token, entry.id);
		if (err && !is_damaged(err))
			return err;
	}
}

static enum kw_err sweep_objects(struct sweep *sw)
{
	struct object *o = &sw->object;
	uint32_t cursor = 0;
	enum kw_err err;

	for (;;) {
		err = store_object_next(sw->core->store, &cursor, o->id);
		if (err)
			return err == KW_ERR_NO_OBJECT ? KW_ERR_OK : err;
		err = store_object_read(sw->core->store, o->id, o->record, &o->record_len);
		if (!err)
			err = object_record_parse(&sw->core->record_key, o);
		if (!err)
			err = consider(sw, &o->token, o->id);
		if (err && !is_damaged(err))
			return err;
	}
}

/* The token's own record, when nothing of it is left. */
static enum kw_err finish(struct core *core, struct token *t)
{
	uint8_t id[WIRE_ID_SIZE];
	enum kw_err err;

	if (t->state == TOKEN_IS_SWEPT) {
		t->state = TOKEN_IS_GOOD;
		return token_keep(core, t, false);
	}
	err = token_store_id(t->slot, id);
	if (!err)
		err = store_token_delete(core->store, id);
	if (err)
		return err;
	platform_mutex_lock(core->tokens->lock);
	token_free(&core->tokens->at[t->slot]);
	platform_mutex_unlock(core->tokens->lock);
	return KW_ERR_OK;
}

enum kw_err token_sweep(struct core *core, uint8_t slot)
{
	struct token *t = platform_alloc(sizeof(*t));
	struct sweep *sw = platform_alloc(sizeof(*sw));
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!t || !sw)
		goto out;
	err = KW_ERR_OK;
	/* No lock for reading: changes are under core->change, as this is. */
	if (!core->tokens->at[slot] || core->tokens->at[slot]->state == TOKEN_IS_GOOD)
		goto out;
	*t = *core->tokens->at[slot];
	sw->core = core;
	sw->stays.slot = slot;
	if (t->state == TOKEN_IS_SWEPT)
		memcpy(sw->stays.id, t->id, sizeof(sw->stays.id));
	err = sweep_keys(sw);
	if (!err)
		err = sweep_objects(sw);
	if (!err)
		err = flush(sw);
	if (!err)
		err = finish(core, t);
out:
	token_free(&t);
	platform_free(sw, sizeof(*sw));
	return err;
}

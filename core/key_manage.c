/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that describe and change keys. */
#include <string.h>

#include "list_page.h"
#include "policy.h"
#include "subject.h"
#include "token.h"

enum kw_err cmd_key_info(struct call *c, struct reader *req, struct writer *rsp)
{
	struct subject *s = subject_new();
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!s)
		goto out;
	err = subject_get(c, req, RIGHT_USE | RIGHT_MANAGE, true, s);
	if (err)
		goto out;
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req))
		goto out;
	subject_put(rsp, &s->meta, &s->counters, subject_rights(c->session, &s->meta), true);
	err = KW_ERR_OK;
out:
	subject_free(s);
	return err;
}

/* What a description in a list takes at most: it has no public key. */
#define DESCRIPTION_MAX                                                                            \
	(WIRE_ID_SIZE + 4 + 4 + 8 + 5 + 1 + WIRE_NAME_MAX + 1 + 5 * WIRE_ACL_MAX + 1 + 3 * 8 + 2 + \
		2 + WIRE_ATTRIBUTES_MAX)

/* A key that is deleted meanwhile is passed over. */
static enum kw_err list_one(
	struct call *c, uint32_t *cursor, void *context, struct writer *w, uint16_t *count)
{
	struct subject *s = context;
	struct store_entry entry;
	enum kw_err err;
	uint8_t rights;

	err = store_next(c->core->store, cursor, &entry);
	if (err)
		return err;
	err = subject_read(c, entry.id, s);
	if (err == KW_ERR_NO_KEY)
		return KW_ERR_OK;
	if (err)
		return err;
	rights = subject_rights(c->session, &s->meta);
	if (!rights)
		return KW_ERR_OK;
	subject_put(w, &s->meta, &s->counters, rights, false);
	++*count;
	return KW_ERR_OK;
}

enum kw_err cmd_key_list(struct call *c, struct reader *req, struct writer *rsp)
{
	struct subject *s = subject_new();
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (s)
		err = list_page(c, req, rsp, DESCRIPTION_MAX, list_one, s);
	subject_free(s);
	return err;
}

/* May the caller take this name from whoever has it? */
static enum kw_err check_take(struct call *c, const char *name, size_t n)
{
	struct store_entry entry;
	struct subject *other = NULL;
	enum kw_err err;

	err = store_find_name(c->core->store, name, n, &entry);
	if (err == KW_ERR_NO_KEY)
		return KW_ERR_OK;
	if (err)
		return err;
	other = subject_new();
	if (!other)
		return KW_ERR_NO_MEMORY;
	err = subject_read(c, entry.id, other);
	if (!err && !policy_may_manage(c->session, &other->meta.owner)) {
		subject_refuse(c, other);
		err = KW_ERR_NOT_OWNER;
	}
	if (!err)
		err = token_check(c->core, c->session, &other->meta.token);
	subject_free(other);
	return err;
}

enum kw_err cmd_key_rename(struct call *c, struct reader *req, struct writer *rsp)
{
	struct core *core = c->core;
	struct subject *s = subject_new();
	char name[WIRE_NAME_MAX + 1] = "";
	const uint8_t *p;
	size_t n;
	uint8_t take;
	enum kw_err err = KW_ERR_NO_MEMORY;

	platform_mutex_lock(core->change);
	if (!s)
		goto out;
	err = subject_get(c, req, RIGHT_MANAGE, false, s);
	if (err)
		goto out;
	p = get_field8(req, WIRE_NAME_MAX, &n);
	take = get_u8(req);
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req) || take > 1)
		goto out;
	err = KW_ERR_BAD_NAME;
	if (!policy_name_is_good((const char *)p, n))
		goto out;
	memcpy(name, p, n);
	if (take)
		err = check_take(c, name, n);
	else
		err = KW_ERR_OK;
	if (err)
		goto out;
	if (strcmp(name, s->meta.name))
		err = store_put(
			core->store, s->meta.id, name, s->record, s->record_len, take, false);
	if (err)
		goto out;
	memcpy(s->meta.name, name, sizeof(name));
	subject_put(rsp, &s->meta, &s->counters, subject_rights(c->session, &s->meta), true);
out:
	platform_mutex_unlock(core->change);
	subject_free(s);
	return err;
}

enum kw_err cmd_key_delete(struct call *c, struct reader *req, struct writer *rsp)
{
	struct core *core = c->core;
	struct subject *s = subject_new();
	enum kw_err err = KW_ERR_NO_MEMORY;

	(void)rsp;
	platform_mutex_lock(core->change);
	if (!s)
		goto out;
	err = subject_get(c, req, RIGHT_MANAGE, false, s);
	if (err)
		goto out;
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req))
		goto out;
	err = store_delete(core->store, s->meta.id);
	if (!err)
		key_cache_drop(core->cache, s->meta.id);
out:
	platform_mutex_unlock(core->change);
	subject_free(s);
	return err;
}

/* Seals the subject anew after its description changed, and stores it where it is a stored one. */
static enum kw_err keep_changed(struct call *c, struct subject *s)
{
	struct core *core = c->core;
	struct key_meta *before = platform_alloc(sizeof(*before));
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!before)
		return err;
	err = record_open(&core->record_key, s->record, s->record_len, before, &s->crypto);
	if (err)
		goto out;
	err = record_seal(&core->record_key, &s->meta, s->crypto, s->record, &s->record_len);
	if (err || s->meta.place != PLACE_STORED)
		goto out;
	err = store_put(
		core->store, s->meta.id, s->meta.name, s->record, s->record_len, false, false);
out:
	platform_free(before, sizeof(*before));
	return err;
}

enum kw_err cmd_key_access(struct call *c, struct reader *req, struct writer *rsp)
{
	struct core *core = c->core;
	struct subject *s = subject_new();
	struct identity who;
	bool changed;
	uint8_t change;
	enum kw_err err = KW_ERR_NO_MEMORY;

	platform_mutex_lock(core->change);
	if (!s)
		goto out;
	err = subject_get(c, req, RIGHT_MANAGE, true, s);
	if (err)
		goto out;
	change = get_u8(req);
	err = KW_ERR_BAD_REQUEST;
	if (!subject_get_identity(req, &who) || !reader_done(req) ||
		(change != ACCESS_ALLOW && change != ACCESS_DENY))
		goto out;
	err = subject_change_acl(s->meta.acl, &s->meta.acl_count, change, &who, &changed);
	if (err)
		goto out;
	if (changed)
		err = keep_changed(c, s);
	if (!err)
		subject_put_result(c, rsp, s);
out:
	platform_mutex_unlock(core->change);
	subject_free(s);
	return err;
}

enum kw_err cmd_key_attributes(struct call *c, struct reader *req, struct writer *rsp)
{
	struct core *core = c->core;
	struct subject *s = subject_new();
	const uint8_t *p;
	size_t n;
	enum kw_err err = KW_ERR_NO_MEMORY;

	platform_mutex_lock(core->change);
	if (!s)
		goto out;
	err = subject_get(c, req, RIGHT_MANAGE, true, s);
	if (err)
		goto out;
	p = get_field16(req, WIRE_ATTRIBUTES_MAX, &n);
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req))
		goto out;
	err = KW_ERR_OK;
	if (n != s->meta.attributes_len || memcmp(p, s->meta.attributes, n)) {
		memcpy(s->meta.attributes, p, n);
		s->meta.attributes_len = n;
		err = keep_changed(c, s);
	}
	if (!err)
		subject_put_result(c, rsp, s);
out:
	platform_mutex_unlock(core->change);
	subject_free(s);
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about objects that are not keys: OBJECT_PUT, OBJECT_GET, OBJECT_LIST, OBJECT_DELETE. */
#include <string.h>

#include "list_page.h"
#include "object_record.h"
#include "policy.h"
#include "subject.h"
#include "token.h"

static struct object *object_new(void)
{
	return platform_alloc(sizeof(struct object));
}

static void object_free(struct object *o)
{
	platform_free(o, sizeof(*o));
}

static uint8_t object_rights(const struct session *s, const struct object *o)
{
	uint8_t rights = 0;

	if (o->is_public || policy_may_use(s, &o->owner, o->acl, o->acl_count))
		rights |= RIGHT_USE;
	if (policy_may_manage(s, &o->owner))
		rights |= RIGHT_MANAGE;
	return rights;
}

/* The stored object with this id, with no look at rights. */
static enum kw_err read_object(struct call *c, const uint8_t *id, struct object *o)
{
	enum kw_err err = store_object_read(c->core->store, id, o->record, &o->record_len);

	if (err)
		return err;
	memcpy(o->id, id, WIRE_ID_SIZE);
	err = object_record_parse(&c->core->record_key, o);
	return !err && !token_is_there(c->core, &o->token) ? KW_ERR_NO_OBJECT : err;
}

/* What is private on a token needs a login to be seen at all: its label may say too much already. Changes
 * always do. */
static enum kw_err check_token(struct call *c, const struct object *o, uint8_t right)
{
	if (right == RIGHT_USE && o->is_public)
		return KW_ERR_OK;
	return token_check(c->core, c->session, &o->token);
}

/* The same for a caller who must have the right: else KW_ERR_ACCESS or KW_ERR_NOT_OWNER. */
static enum kw_err get_object(struct call *c, const uint8_t *id, uint8_t right, struct object *o)
{
	enum kw_err err = read_object(c, id, o);

	if (err)
		return err;
	if (object_rights(c->session, o) & right)
		return check_token(c, o, right);
	atomic_fetch_add(&c->core->refusals, 1);
	return right == RIGHT_USE ? KW_ERR_ACCESS : KW_ERR_NOT_OWNER;
}

/* What a description takes at most. */
#define DESCRIPTION_MAX \
	(WIRE_ID_SIZE + 3 + 8 + 5 + 1 + 5 * WIRE_ACL_MAX + 1 + 2 + WIRE_ATTRIBUTES_MAX + 2)

static void put_object(struct call *c, struct writer *w, const struct object *o)
{
	put_bytes(w, o->id, WIRE_ID_SIZE);
	put_u8(w, o->kind);
	put_u8(w, (uint8_t)((o->is_public ? OBJECT_PUBLIC : 0) |
			    (o->token.slot ? OBJECT_ON_TOKEN : 0)));
	if (o->token.slot)
		put_u8(w, o->token.slot);
	put_u64(w, o->created);
	subject_put_identity(w, &o->owner);
	subject_put_acl(w, o->acl, o->acl_count);
	put_u8(w, object_rights(c->session, o));
	put_field16(w, o->attributes, o->attributes_len);
	put_u16(w, (uint16_t)o->value_len);
}

struct put_request {
	uint8_t how; /* enum wire_object_put */
	uint8_t slot;
	const uint8_t *id;
	const uint8_t *value;
	size_t value_len;
};

/* The request, into *o where it describes the object. */
static bool get_put_request(struct reader *req, struct put_request *p, struct object *o)
{
	const uint8_t *attributes;
	uint8_t is_public;

	p->how = get_u8(req);
	if (p->how > OBJECT_NEW_ON_TOKEN)
		return false;
	if (p->how == OBJECT_NEW_ON_TOKEN)
		p->slot = get_u8(req);
	else if (p->how != OBJECT_NEW)
		p->id = get_bytes(req, WIRE_ID_SIZE);
	o->kind = get_u8(req);
	is_public = get_u8(req);
	o->is_public = is_public == 1;
	if (!subject_get_acl(req, o->acl, &o->acl_count))
		return false;
	attributes = get_field16(req, WIRE_ATTRIBUTES_MAX, &o->attributes_len);
	p->value = get_field16(req, WIRE_OBJECT_MAX, &p->value_len);
	if (!reader_done(req) || is_public > 1 ||
		(o->kind != OBJECT_CERTIFICATE && o->kind != OBJECT_DATA) ||
		(p->how == OBJECT_CHANGE && p->value_len))
		return false;
	memcpy(o->attributes, attributes, o->attributes_len);
	return true;
}

static enum kw_err prepare_new(struct call *c, uint8_t slot, struct object *o)
{
	enum kw_err err;

	if (!c->session->is_admin && !c->session->may_create) {
		atomic_fetch_add(&c->core->refusals, 1);
		return KW_ERR_MAY_NOT_CREATE;
	}
	err = token_find(c->core, slot, &o->token);
	if (!err)
		err = token_check(c->core, c->session, &o->token);
	if (err)
		return err;
	o->owner = c->session->user;
	o->created = platform_time();
	return platform_random(o->id, sizeof(o->id));
}

/* Whose it is, since when, and what kind of object, stays; with OBJECT_CHANGE the value as well. */
static enum kw_err prepare_change(
	struct call *c, struct put_request *p, struct object *before, struct object *o)
{
	enum kw_err err = get_object(c, p->id, RIGHT_MANAGE, before);

	if (err)
		return err;
	if (before->kind != o->kind)
		return KW_ERR_BAD_REQUEST;
	memcpy(o->id, before->id, sizeof(o->id));
	o->owner = before->owner;
	o->token = before->token;
	o->created = before->created;
	if (p->how == OBJECT_REPLACE)
		return KW_ERR_OK;
	p->value_len = before->value_len;
	return object_record_open(&c->core->record_key, before, &p->value);
}

enum kw_err cmd_object_put(struct call *c, struct reader *req, struct writer *rsp)
{
	struct core *core = c->core;
	struct object *o = object_new(), *before = object_new();
	struct put_request p = {0};
	bool is_new;
	enum kw_err err = KW_ERR_NO_MEMORY;

	platform_mutex_lock(core->change);
	if (!o || !before)
		goto out;
	err = KW_ERR_BAD_REQUEST;
	if (!get_put_request(req, &p, o))
		goto out;
	is_new = p.how == OBJECT_NEW || p.how == OBJECT_NEW_ON_TOKEN;
	err = is_new ? prepare_new(c, p.slot, o) : prepare_change(c, &p, before, o);
	if (err)
		goto out;
	err = object_record_seal(&core->record_key, o, p.value, p.value_len);
	if (err)
		goto out;
	err = store_object_put(core->store, o->id, o->record, o->record_len, is_new);
	if (!err)
		put_object(c, rsp, o);
out:
	platform_mutex_unlock(core->change);
	object_free(before);
	object_free(o);
	return err;
}

enum kw_err cmd_object_get(struct call *c, struct reader *req, struct writer *rsp)
{
	const uint8_t *id = get_bytes(req, WIRE_ID_SIZE);
	struct object *o = object_new();
	const uint8_t *value;
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!o)
		goto out;
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req))
		goto out;
	err = get_object(c, id, RIGHT_USE, o);
	if (err)
		goto out;
	err = object_record_open(&c->core->record_key, o, &value);
	if (err)
		goto out;
	put_object(c, rsp, o);
	put_field16(rsp, value, o->value_len);
out:
	object_free(o);
	return err;
}

/* An object that is deleted meanwhile is passed over. */
static enum kw_err list_one(
	struct call *c, uint32_t *cursor, void *context, struct writer *w, uint16_t *count)
{
	struct object *o = context;
	uint8_t id[WIRE_ID_SIZE];
	enum kw_err err;

	err = store_object_next(c->core->store, cursor, id);
	if (err)
		return err;
	err = read_object(c, id, o);
	if (err == KW_ERR_NO_OBJECT)
		return KW_ERR_OK;
	if (err || !object_rights(c->session, o) || check_token(c, o, RIGHT_USE))
		return err;
	put_object(c, w, o);
	++*count;
	return KW_ERR_OK;
}

enum kw_err cmd_object_list(struct call *c, struct reader *req, struct writer *rsp)
{
	struct object *o = object_new();
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (o)
		err = list_page(c, req, rsp, DESCRIPTION_MAX, list_one, o);
	object_free(o);
	return err;
}

enum kw_err cmd_object_delete(struct call *c, struct reader *req, struct writer *rsp)
{
	const uint8_t *id = get_bytes(req, WIRE_ID_SIZE);
	struct core *core = c->core;
	struct object *o = object_new();
	enum kw_err err = KW_ERR_NO_MEMORY;

	(void)rsp;
	platform_mutex_lock(core->change);
	if (!o)
		goto out;
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req))
		goto out;
	err = get_object(c, id, RIGHT_MANAGE, o);
	if (!err)
		err = store_object_delete(core->store, id);
out:
	platform_mutex_unlock(core->change);
	object_free(o);
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates and data in the TEE's store. */
#include "call.h"
#include "key.h"
#include "list.h"

#include <stdlib.h>
#include <string.h>

/* A description, and the value where the reply had it. */
struct kw_object {
	uint8_t id[KW_ID_SIZE];
	enum kw_object_kind kind;
	bool is_public;
	uint8_t slot;
	uint8_t rights; /* of this caller: RIGHT_USE, RIGHT_MANAGE */
	uint64_t created;
	struct kw_identity owner;
	struct kw_identity allowed[WIRE_ACL_MAX];
	unsigned allowed_count;
	uint8_t *attributes; /* NULL when there are none */
	size_t attributes_len;
	size_t size;
	uint8_t *value;
};

void kw_object_free(struct kw_object **object)
{
	if (!object || !*object)
		return;
	if ((*object)->value)
		explicit_bzero((*object)->value, (*object)->size);
	free((*object)->value);
	free((*object)->attributes);
	free(*object);
	*object = NULL;
}

static void get_body(struct reader *r, struct kw_object *o)
{
	uint8_t kind, is_public;

	get_copy(r, o->id, KW_ID_SIZE);
	kind = get_u8(r);
	o->kind = kind == OBJECT_DATA ? KW_OBJECT_DATA : KW_OBJECT_CERTIFICATE;
	is_public = get_u8(r);
	o->is_public = is_public & OBJECT_PUBLIC;
	if (is_public & OBJECT_ON_TOKEN)
		o->slot = get_slot(r);
	o->created = get_u64(r);
	get_identity(r, &o->owner);
	o->allowed_count = get_acl(r, o->allowed);
	o->rights = get_u8(r);
	if ((kind != OBJECT_CERTIFICATE && kind != OBJECT_DATA) ||
		is_public > (OBJECT_PUBLIC | OBJECT_ON_TOKEN) ||
		o->rights & ~(RIGHT_USE | RIGHT_MANAGE))
		r->failed = true;
}

/* Reads one description. KW_ERR_PROTOCOL (not explained: see call_nonsense) or KW_ERR_NO_MEMORY. */
static enum kw_err get_object(struct reader *r, struct kw_object **object)
{
	struct kw_object *o = calloc(1, sizeof(*o));
	enum kw_err err = KW_ERR_NO_MEMORY;

	*object = NULL;
	if (!o)
		goto out;
	get_body(r, o);
	if (!get_copied(r, WIRE_ATTRIBUTES_MAX, &o->attributes, &o->attributes_len))
		goto out;
	o->size = get_u16(r);
	err = KW_ERR_PROTOCOL;
	if (r->failed || o->size > WIRE_OBJECT_MAX)
		goto out;
	*object = o;
	o = NULL;
	err = KW_ERR_OK;
out:
	kw_object_free(&o);
	return err == KW_ERR_NO_MEMORY ? explain(err, "there is no memory for an object") : err;
}

/* A reply that is one description and, if asked for, the value. */
static enum kw_err get_reply(struct reader *r, bool with_value, struct kw_object **object)
{
	struct kw_object *o = NULL;
	const uint8_t *value;
	enum kw_err err = get_object(r, &o);
	size_t n;

	if (err)
		goto out;
	err = KW_ERR_PROTOCOL;
	if (with_value) {
		value = get_field16(r, WIRE_OBJECT_MAX, &n);
		if (!value || n != o->size)
			goto out;
		o->value = copy_bytes(value, n);
		if (!o->value) {
			err = explain(KW_ERR_NO_MEMORY, "there is no memory for an object");
			goto out;
		}
	}
	if (!reader_done(r))
		goto out;
	*object = o;
	o = NULL;
	err = KW_ERR_OK;
out:
	kw_object_free(&o);
	return err;
}

static enum kw_err put_object(struct writer *w, const struct kw_object_template *t)
{
	bool keeps = t->id && !t->value;
	enum kw_err err;

	if (t->value_len > KW_OBJECT_MAX)
		return explain(KW_ERR_TOO_LARGE,
			"the value of an object has at most %d bytes, and this one %zu",
			KW_OBJECT_MAX, t->value_len);
	if ((!t->value && t->value_len) || (!t->attributes && t->attributes_len) ||
		(!t->allow && t->allow_count))
		return explain(KW_ERR_ARGUMENT, "a part of the object is missing");
	if (t->token > KW_SLOT_MAX)
		return explain(KW_ERR_ARGUMENT, "slots are 0 to %d", KW_SLOT_MAX);
	put_u8(w, t->id      ? (keeps ? OBJECT_CHANGE : OBJECT_REPLACE)
		  : t->token ? OBJECT_NEW_ON_TOKEN
			     : OBJECT_NEW);
	if (t->token && !t->id)
		put_u8(w, (uint8_t)t->token);
	if (t->id)
		put_bytes(w, t->id, KW_ID_SIZE);
	put_u8(w, enum_byte(t->kind));
	put_u8(w, t->is_public);
	err = put_acl(w, t->allow, t->allow_count);
	if (!err)
		err = put_attributes(w, t->attributes, t->attributes_len);
	if (!err)
		put_field16(w, t->value, t->value_len);
	return err;
}

enum kw_err kw_object_put(
	struct kw *kw, const struct kw_object_template *t, struct kw_object **object)
{
	struct subject subject = {.is_object = true};
	struct reader rsp;
	struct call c;
	enum kw_err err;

	if (!object)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	*object = NULL;
	if (!t)
		return explain(KW_ERR_ARGUMENT, "there is no description of the object to store");
	err = call_begin(&c, kw, CMD_OBJECT_PUT);
	if (err)
		goto out;
	c.secret = true;
	err = put_object(&c.req, t);
	if (err)
		goto out;
	subject.id = t->id;
	err = call_run(&c, &rsp);
	if (err) {
		err = call_refused(&c, err, &subject);
		goto out;
	}
	err = get_reply(&rsp, false, object);
	if (err == KW_ERR_PROTOCOL)
		err = call_nonsense(&c);
out:
	call_end(&c);
	return err;
}

enum kw_err kw_object_get(struct kw *kw, const uint8_t id[KW_ID_SIZE], struct kw_object **object)
{
	struct subject subject = {.is_object = true, .id = id};
	struct reader rsp;
	struct call c;
	enum kw_err err;

	if (!object)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	*object = NULL;
	if (!id)
		return explain(KW_ERR_ARGUMENT, "an object is named by its id");
	err = call_begin(&c, kw, CMD_OBJECT_GET);
	if (err)
		goto out;
	c.secret = true;
	put_bytes(&c.req, id, KW_ID_SIZE);
	err = call_run(&c, &rsp);
	if (err) {
		err = call_refused(&c, err, &subject);
		goto out;
	}
	err = get_reply(&rsp, true, object);
	/* Not the one that was asked for. */
	if (!err && memcmp((*object)->id, id, KW_ID_SIZE) != 0) {
		kw_object_free(object);
		err = KW_ERR_PROTOCOL;
	}
	if (err == KW_ERR_PROTOCOL)
		err = call_nonsense(&c);
out:
	call_end(&c);
	return err;
}

enum kw_err kw_object_delete(struct kw *kw, const uint8_t id[KW_ID_SIZE])
{
	struct subject subject = {.is_object = true, .id = id};
	struct reader rsp;
	struct call c;
	enum kw_err err;

	if (!id)
		return explain(KW_ERR_ARGUMENT, "an object is named by its id");
	err = call_begin(&c, kw, CMD_OBJECT_DELETE);
	if (err)
		goto out;
	put_bytes(&c.req, id, KW_ID_SIZE);
	err = call_run(&c, &rsp);
	if (err)
		err = call_refused(&c, err, &subject);
	else if (!reader_done(&rsp))
		err = call_nonsense(&c);
out:
	call_end(&c);
	return err;
}

/* --- Walking all of them --- */

struct kw_object_page {
	struct list_page list;
};

void kw_object_page_free(struct kw_object_page **page)
{
	if (!page || !*page)
		return;
	free((*page)->list.buf);
	free(*page);
	*page = NULL;
}

static enum kw_err take_object(struct kw *kw, struct list_page *p, struct kw_object **object)
{
	enum kw_err err = get_object(&p->at, object);

	p->left--;
	if (!err && p->left == 0 && !reader_done(&p->at)) {
		kw_object_free(object);
		err = KW_ERR_PROTOCOL;
	}
	if (err == KW_ERR_PROTOCOL)
		return explain(err, "%s sent a list of objects that makes no sense", kw->called);
	return err;
}

enum kw_err kw_object_next(struct kw *kw, struct kw_object_page **page, struct kw_object **object)
{
	struct kw_object_page *p;
	enum kw_err err = KW_ERR_OK;
	bool is_end = false;

	if (!page || !object || !kw)
		return explain(
			KW_ERR_ARGUMENT, "context, page and place for the result are needed");
	*object = NULL;
	p = *page;
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return explain(KW_ERR_NO_MEMORY, "there is no memory for a list");
		*page = p;
		p->list.command = CMD_OBJECT_LIST;
		err = list_page_fetch(kw, &p->list);
	}
	if (!err)
		err = list_page_more(kw, &p->list, &is_end);
	if (!err && is_end)
		return explain(KW_ERR_NO_OBJECT, "there are no more objects");
	if (!err)
		err = take_object(kw, &p->list, object);
	/* After a failure there is no telling where the walk was: it would start again. */
	if (err)
		kw_object_page_free(page);
	return err;
}

/* --- What a description tells --- */

const uint8_t *kw_object_id(const struct kw_object *o)
{
	return o->id;
}

enum kw_object_kind kw_object_kind(const struct kw_object *o)
{
	return o->kind;
}

bool kw_object_is_public(const struct kw_object *o)
{
	return o->is_public;
}

unsigned kw_object_token(const struct kw_object *o)
{
	return o->slot;
}

uint64_t kw_object_created(const struct kw_object *o)
{
	return o->created;
}

struct kw_identity kw_object_owner(const struct kw_object *o)
{
	return o->owner;
}

unsigned kw_object_allowed(const struct kw_object *o)
{
	return o->allowed_count;
}

struct kw_identity kw_object_allowed_at(const struct kw_object *o, unsigned i)
{
	return i < o->allowed_count ? o->allowed[i] : (struct kw_identity){0};
}

bool kw_object_may_read(const struct kw_object *o)
{
	return o->rights & RIGHT_USE;
}

bool kw_object_may_manage(const struct kw_object *o)
{
	return o->rights & RIGHT_MANAGE;
}

const uint8_t *kw_object_attributes(const struct kw_object *o, size_t *len)
{
	*len = o->attributes_len;
	return o->attributes;
}

size_t kw_object_size(const struct kw_object *o)
{
	return o->size;
}

const uint8_t *kw_object_value(const struct kw_object *o, size_t *len)
{
	*len = o->value ? o->size : 0;
	return o->value;
}

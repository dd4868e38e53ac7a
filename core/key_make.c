/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that make keys: KEY_GENERATE and KEY_IMPORT, and what others that do so share with them. */
#include <string.h>

#include "key_make.h"
#include "key_type.h"
#include "policy.h"
#include "subject.h"
#include "token.h"

/* Where the key is to be. On a token it is a stored one. */
static enum kw_err get_place(struct call *c, struct reader *req, struct key_meta *m)
{
	enum kw_err err;

	m->place = get_u8(req);
	if (m->place != PLACE_TOKEN)
		return KW_ERR_OK;
	m->place = PLACE_STORED;
	err = token_find(c->core, get_u8(req), &m->token);
	return err ? err : token_check(c->core, c->session, &m->token);
}

/* What KEY_GENERATE and KEY_IMPORT have in common. */
static enum kw_err get_template(struct call *c, struct reader *req, struct key_meta *m)
{
	const uint8_t *name, *attributes;
	enum kw_err err;
	size_t n;

	m->type = get_u8(req);
	err = get_place(c, req, m);
	if (err)
		return err;
	m->purposes = get_u32(req);
	name = get_field8(req, WIRE_NAME_MAX, &n);
	if (!name)
		return KW_ERR_BAD_REQUEST;
	if (!key_type_find(m->type))
		return KW_ERR_UNSUPPORTED_TYPE;
	if (n && !policy_name_is_good((const char *)name, n))
		return KW_ERR_BAD_NAME;
	if ((m->place != PLACE_STORED && m->place != PLACE_SEALED) ||
		!policy_purposes_fit(m->purposes, (enum key_type)m->type) ||
		!subject_get_acl(req, m->acl, &m->acl_count))
		return KW_ERR_BAD_REQUEST;
	memcpy(m->name, name, n);
	attributes = get_field16(req, WIRE_ATTRIBUTES_MAX, &m->attributes_len);
	if (!attributes)
		return KW_ERR_BAD_REQUEST;
	/* Nobody would know what a stored key is for that has neither. */
	if (m->place == PLACE_STORED && !m->name[0] && !m->attributes_len)
		return KW_ERR_BAD_NAME;
	memcpy(m->attributes, attributes, m->attributes_len);
	m->owner = c->session->user;
	m->created = platform_time();
	return KW_ERR_OK;
}

/* Before work that takes long; the commit checks again. */
static enum kw_err check_name_free(struct call *c, const struct key_meta *m)
{
	enum kw_err err;

	if (m->place != PLACE_STORED || !m->name[0])
		return KW_ERR_OK;
	err = store_find_name(c->core->store, m->name, strlen(m->name), NULL);
	if (!err)
		return KW_ERR_NAME_TAKEN;
	return err == KW_ERR_NO_KEY ? KW_ERR_OK : err;
}

static enum kw_err keep_new(struct call *c, struct subject *s, struct writer *rsp)
{
	struct core *core = c->core;
	enum kw_err err;

	err = record_describe(&s->meta, s->crypto);
	if (err)
		return err;
	err = record_seal(&core->record_key, &s->meta, s->crypto, s->record, &s->record_len);
	if (err)
		return err;
	if (s->meta.place == PLACE_STORED) {
		platform_mutex_lock(core->change);
		/* The token may be another one since the request came. */
		err = token_check(core, c->session, &s->meta.token);
		if (!err)
			err = store_put(core->store, s->meta.id, s->meta.name, s->record,
				s->record_len, false, true);
		platform_mutex_unlock(core->change);
	}
	if (!err)
		subject_put_result(c, rsp, s);
	return err;
}

enum kw_err make_allowed(struct call *c)
{
	if (c->session->is_admin || c->session->may_create)
		return KW_ERR_OK;
	atomic_fetch_add(&c->core->refusals, 1);
	return KW_ERR_MAY_NOT_CREATE;
}

enum kw_err make_begin(struct call *c, struct reader *req, struct key_meta *m)
{
	enum kw_err err = get_template(c, req, m);

	if (!err)
		err = policy_purposes_check(c->session, m->purposes);
	return err ? err : check_name_free(c, m);
}

enum kw_err make_secret(struct subject *s, const uint8_t *value, size_t n)
{
	if (!key_type_is_secret((enum key_type)s->meta.type))
		return KW_ERR_BAD_ALGORITHM;
	return crypto_key_import((enum key_type)s->meta.type, value, n, &s->crypto);
}

enum kw_err make_end(struct call *c, struct subject *s, struct writer *rsp)
{
	return keep_new(c, s, rsp);
}

/* A secret key's bytes come from the TEE's random source. n: 0 for the type's own length. */
static enum kw_err generate(struct subject *s, size_t n)
{
	const struct key_type_info *info = key_type_find(s->meta.type);
	uint8_t value[CRYPTO_SECRET_MAX];
	enum kw_err err = KW_ERR_BAD_KEY;

	if (!key_type_is_secret(info->type))
		return crypto_key_generate(info->type, &s->crypto);
	if (!n)
		n = key_type_bytes(info);
	if (n < WIRE_SECRET_MIN || !key_type_takes(info, n))
		return err;
	err = platform_random(value, n);
	if (!err)
		err = make_secret(s, value, n);
	platform_wipe(value, sizeof(value));
	return err;
}

enum kw_err cmd_key_generate(struct call *c, struct reader *req, struct writer *rsp)
{
	struct subject *s = subject_new();
	enum kw_err err = KW_ERR_NO_MEMORY;
	size_t n = 0;

	if (!s)
		goto out;
	err = make_begin(c, req, &s->meta);
	if (err)
		goto out;
	if (s->meta.type == KEY_TYPE_HMAC)
		n = get_u16(req);
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req))
		goto out;
	s->meta.origin = ORIGIN_GENERATED;
	err = generate(s, n);
	if (err)
		goto out;
	err = keep_new(c, s, rsp);
out:
	subject_free(s);
	return err;
}

enum kw_err cmd_key_import(struct call *c, struct reader *req, struct writer *rsp)
{
	struct subject *s = subject_new();
	const uint8_t *material;
	size_t n;
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!s)
		goto out;
	err = make_begin(c, req, &s->meta);
	if (err)
		goto out;
	material = get_field16(req, CRYPTO_PRIVATE_MAX, &n);
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req))
		goto out;
	s->meta.origin = ORIGIN_IMPORTED;
	err = crypto_key_import((enum key_type)s->meta.type, material, n, &s->crypto);
	if (err)
		goto out;
	err = keep_new(c, s, rsp);
out:
	subject_free(s);
	return err;
}

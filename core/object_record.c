/* SPDX-License-Identifier: BSD-2-Clause */
#include "object_record.h"

#include <string.h>

#include "wire/codec.h"

#define OBJECT_MAGIC 0x4b4f /* "KO" */
#define OBJECT_VERSION 2
#define OBJECT_WITH_TOKEN 2 /* the first version that has one */
#define LABEL "object record"

#define IDENTITY_SIZE (1 + 4 + WIRE_UUID_SIZE)

_Static_assert(SEALING_HEAD_SIZE + WIRE_ID_SIZE + 2 + 8 + IDENTITY_SIZE + 1 +
			       WIRE_ACL_MAX * IDENTITY_SIZE + 2 + WIRE_ATTRIBUTES_MAX +
			       RECORD_TOKEN_SIZE + SEALING_SIZE(WIRE_OBJECT_MAX) <=
		       STORE_OBJECT_MAX,
	"every object fits into a record");

enum kw_err object_record_seal(
	const struct record_key *rk, struct object *o, const uint8_t *value, size_t n)
{
	struct writer w = writer_over(o->record, sizeof(o->record));
	enum kw_err err;

	o->record_len = 0;
	if (n > WIRE_OBJECT_MAX)
		return KW_ERR_TOO_LARGE;
	sealing_put_head(&w, rk, OBJECT_MAGIC, OBJECT_VERSION);
	put_bytes(&w, o->id, sizeof(o->id));
	put_u8(&w, o->kind);
	put_u8(&w, o->is_public);
	put_u64(&w, o->created);
	record_put_identity(&w, &o->owner);
	record_put_acl(&w, o->acl, o->acl_count);
	put_field16(&w, o->attributes, o->attributes_len);
	record_put_token(&w, &o->token);
	err = sealing_put(&w, rk, LABEL, value, n);
	if (err)
		return err;
	o->record_len = w.len;
	o->value_len = n;
	return KW_ERR_OK;
}

static enum kw_err read_object(const struct record_key *rk, struct object *o, struct sealed *sealed)
{
	struct reader r = reader_over(o->record, o->record_len);
	uint8_t version, is_public;
	const uint8_t *id, *p;
	enum kw_err err;
	size_t n;

	err = sealing_get_head(&r, rk, OBJECT_MAGIC, OBJECT_VERSION, &version);
	if (err)
		return err;
	id = get_bytes(&r, WIRE_ID_SIZE);
	o->kind = get_u8(&r);
	is_public = get_u8(&r);
	o->is_public = is_public == 1;
	o->created = get_u64(&r);
	record_get_identity(&r, &o->owner);
	record_get_acl(&r, o->acl, &o->acl_count);
	p = get_field16(&r, WIRE_ATTRIBUTES_MAX, &n);
	if (p)
		memcpy(o->attributes, p, n);
	o->attributes_len = n;
	memset(&o->token, 0, sizeof(o->token));
	if (version >= OBJECT_WITH_TOKEN)
		record_get_token(&r, &o->token);
	sealing_get(&r, o->record, WIRE_OBJECT_MAX, sealed);
	o->value_len = sealed->len;
	/* Another object's record in this one's place would be read with its rights. */
	if (!reader_done(&r) || is_public > 1 || memcmp(id, o->id, WIRE_ID_SIZE) ||
		(o->kind != OBJECT_CERTIFICATE && o->kind != OBJECT_DATA))
		return KW_ERR_CORRUPT;
	return KW_ERR_OK;
}

enum kw_err object_record_parse(const struct record_key *rk, struct object *o)
{
	struct sealed sealed;

	return read_object(rk, o, &sealed);
}

enum kw_err object_record_open(const struct record_key *rk, struct object *o, const uint8_t **value)
{
	struct sealed sealed;
	enum kw_err err = read_object(rk, o, &sealed);
	uint8_t *out;

	*value = NULL;
	if (err)
		return err;
	out = o->record + sealed.aad_len;
	err = sealing_open(rk, LABEL, o->record, &sealed, out);
	if (!err)
		*value = out;
	return err;
}

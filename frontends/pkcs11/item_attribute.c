/* SPDX-License-Identifier: BSD-2-Clause */
#include "item_attribute.h"

#include <stdio.h>
#include <string.h>

#include "stored.h"
#include "value.h"

static CK_RV kept(const struct item *item, enum stored_tag tag, struct value *v)
{
	size_t n = 0;
	const uint8_t *p = item_attribute(item, tag, &n);

	return p ? bytes(v, p, n) : bytes(v, "", 0);
}

/* Big-endian, as short as they were put */
static CK_RV kept_number(
	const struct item *item, enum stored_tag tag, CK_ULONG by_default, struct value *v)
{
	size_t n = 0;
	const uint8_t *p = item_attribute(item, tag, &n);
	CK_ULONG found = 0;

	if (!p || n > sizeof(uint32_t))
		return number(v, by_default);
	for (size_t i = 0; i < n; i++)
		found = found << 8 | p[i];
	return number(v, found);
}

bool item_has_flag(const struct item *item, unsigned flag)
{
	size_t n = 0;
	const uint8_t *p = item_attribute(item, STORED_FLAGS, &n);

	return p && n == 1 && *p & flag;
}

static bool may_change(const struct object *o, unsigned flag)
{
	return o->item->may_manage && !item_has_flag(o->item, flag);
}

static CK_RV unique_id(const struct object *o, struct value *v)
{
	char *at = v->own.text;

	*at++ = o->class == CKO_CERTIFICATE ? 'c' : 'd';
	for (size_t i = 0; i < KW_ID_SIZE; i++)
		at += sprintf(at, "%02x", o->item->id[i]);
	return bytes(v, v->own.text, (size_t)(at - v->own.text));
}

static CK_RV value_of(const struct object *o, struct value *v)
{
	const struct item_value *value;
	CK_RV rv = item_get_value(o->item, &value);

	return rv ? rv : bytes(v, value->p, value->n);
}

/* 4.4, 4.5 */
static CK_RV get_common(const struct object *o, CK_ATTRIBUTE_TYPE type, struct value *v)
{
	switch (type) {
	case CKA_CLASS:
		return number(v, o->class);
	case CKA_TOKEN:
		return flag(v, object_is_token(o));
	case CKA_PRIVATE:
		return flag(v, object_is_private(o));
	case CKA_MODIFIABLE:
		return flag(v, may_change(o, STORED_FIXED));
	case CKA_COPYABLE:
		return flag(v, !item_has_flag(o->item, STORED_UNCOPIED));
	case CKA_DESTROYABLE:
		return flag(v, may_change(o, STORED_LASTING));
	case CKA_UNIQUE_ID:
		return unique_id(o, v);
	case CKA_LABEL:
		return kept(o->item, STORED_LABEL, v);
	case CKA_VALUE:
		return value_of(o, v);
	default:
		return CKR_ATTRIBUTE_TYPE_INVALID;
	}
}

static CK_RV get_data(const struct object *o, CK_ATTRIBUTE_TYPE type, struct value *v)
{
	switch (type) {
	case CKA_APPLICATION:
		return kept(o->item, STORED_APPLICATION, v);
	case CKA_OBJECT_ID:
		return kept(o->item, STORED_OBJECT_ID, v);
	default:
		return CKR_ATTRIBUTE_TYPE_INVALID;
	}
}

/* What was chosen; else what is the CKA_ID of the key that it belongs to when nothing was chosen there. */
static CK_RV certificate_id(const struct object *o, struct value *v)
{
	size_t n = 0;
	const uint8_t *p = item_attribute(o->item, STORED_ID, &n);

	if (p)
		return bytes(v, p, n);
	p = item_key_id(o->item);
	return p ? bytes(v, p, CKA_ID_SIZE) : bytes(v, "", 0);
}

/* 4.6.3: what is the token's to keep */
static CK_RV get_certificate(const struct object *o, CK_ATTRIBUTE_TYPE type, struct value *v)
{
	switch (type) {
	case CKA_CERTIFICATE_TYPE:
		return number(v, CKC_X_509);
	case CKA_TRUSTED:
		return flag(v, false);
	case CKA_CERTIFICATE_CATEGORY:
		return kept_number(o->item, STORED_CATEGORY, 0, v);
	case CKA_JAVA_MIDP_SECURITY_DOMAIN:
		return kept_number(o->item, STORED_JAVA_DOMAIN, 0, v);
	case CKA_NAME_HASH_ALGORITHM:
		return kept_number(o->item, STORED_NAME_HASH, CKM_SHA_1, v);
	case CKA_URL:
		return kept(o->item, STORED_URL, v);
	case CKA_HASH_OF_SUBJECT_PUBLIC_KEY:
		return kept(o->item, STORED_SUBJECT_KEY_HASH, v);
	case CKA_HASH_OF_ISSUER_PUBLIC_KEY:
		return kept(o->item, STORED_ISSUER_KEY_HASH, v);
	case CKA_ID:
		return certificate_id(o, v);
	default:
		return CKR_ATTRIBUTE_TYPE_INVALID;
	}
}

static CK_RV chosen_date(
	const struct object *o, enum stored_tag tag, const char date[8], struct value *v)
{
	CK_RV rv = kept(o->item, tag, v);

	return v->n ? rv : bytes(v, date, 8);
}

/* What the certificate says */
static CK_RV get_from_certificate(const struct object *o, CK_ATTRIBUTE_TYPE type, struct value *v)
{
	const struct item_value *value;
	const struct certificate *c;
	CK_RV rv;

	switch (type) {
	case CKA_SUBJECT:
	case CKA_ISSUER:
	case CKA_SERIAL_NUMBER:
	case CKA_PUBLIC_KEY_INFO:
	case CKA_CHECK_VALUE:
	case CKA_START_DATE:
	case CKA_END_DATE:
		break;
	default:
		return CKR_ATTRIBUTE_TYPE_INVALID;
	}
	rv = item_get_value(o->item, &value);
	if (rv)
		return rv;
	c = &value->certificate;
	if (type == CKA_SUBJECT)
		return bytes(v, c->subject, c->subject_len);
	if (type == CKA_ISSUER)
		return bytes(v, c->issuer, c->issuer_len);
	if (type == CKA_SERIAL_NUMBER)
		return bytes(v, c->serial, c->serial_len);
	if (type == CKA_PUBLIC_KEY_INFO)
		return bytes(v, c->spki, c->spki_len);
	if (type == CKA_CHECK_VALUE)
		return bytes(v, c->check, sizeof(c->check));
	return type == CKA_START_DATE ? chosen_date(o, STORED_START_DATE, c->start, v)
				      : chosen_date(o, STORED_END_DATE, c->end, v);
}

CK_RV item_attribute_get(struct object *o, CK_ATTRIBUTE_TYPE type, struct value *v)
{
	CK_RV rv = get_common(o, type, v);

	if (rv != CKR_ATTRIBUTE_TYPE_INVALID)
		return rv;
	if (o->class == CKO_DATA)
		return get_data(o, type, v);
	rv = get_certificate(o, type, v);
	return rv == CKR_ATTRIBUTE_TYPE_INVALID ? get_from_certificate(o, type, v) : rv;
}

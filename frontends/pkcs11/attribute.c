/* SPDX-License-Identifier: BSD-2-Clause */
#include "attribute.h"

#include <stdio.h>
#include <string.h>

#include "stored.h"

#define CKA_ID_SIZE 20 /* of a key's id: what is there when nothing else was chosen */

static const struct {
	enum kw_key_type type;
	size_t n;
	uint8_t der[12];
} curves[] = {
	{KW_KEY_TYPE_EC_P256, 10, {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}},
	{KW_KEY_TYPE_EC_P384, 7, {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22}},
	{KW_KEY_TYPE_EC_P521, 7, {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23}},
	{KW_KEY_TYPE_ED25519, 5, {0x06, 0x03, 0x2b, 0x65, 0x70}}, /* RFC 8410 */
};

/* PrintableString "edwards25519", which version 3.0 allows as well (2.3.5) */
static const uint8_t edwards_name[] = {
	0x13, 12, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'};

const uint8_t *attribute_ec_params(enum kw_key_type type, size_t *len)
{
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		if (curves[i].type == type) {
			*len = curves[i].n;
			return curves[i].der;
		}
	}
	*len = 0;
	return NULL;
}

CK_RV attribute_curve(const CK_ATTRIBUTE *params, enum kw_key_type *type)
{
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		if (curves[i].n == params->ulValueLen &&
			!memcmp(curves[i].der, params->pValue, curves[i].n)) {
			*type = curves[i].type;
			return CKR_OK;
		}
	}
	if (params->ulValueLen == sizeof(edwards_name) &&
		!memcmp(edwards_name, params->pValue, sizeof(edwards_name))) {
		*type = KW_KEY_TYPE_ED25519;
		return CKR_OK;
	}
	return CKR_CURVE_NOT_SUPPORTED;
}

const CK_ATTRIBUTE *attribute_find(
	const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
	for (CK_ULONG i = 0; i < count; i++) {
		if (attributes[i].type == type)
			return &attributes[i];
	}
	return NULL;
}

CK_RV attribute_check_template(const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
	if (!attributes && count)
		return CKR_ARGUMENTS_BAD;
	/* Nothing that is known has more; it also bounds the comparison below. */
	if (count > 256)
		return CKR_TEMPLATE_INCONSISTENT;
	for (CK_ULONG i = 0; i < count; i++) {
		if (!attributes[i].pValue && attributes[i].ulValueLen)
			return CKR_ATTRIBUTE_VALUE_INVALID;
		if (attributes[i].ulValueLen > 1u << 20)
			return CKR_ATTRIBUTE_VALUE_INVALID;
		if (attribute_find(attributes, i, attributes[i].type))
			return CKR_TEMPLATE_INCONSISTENT;
	}
	return CKR_OK;
}

CK_RV attribute_flag(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
	bool by_default, bool *flag)
{
	const CK_ATTRIBUTE *a = attribute_find(attributes, count, type);
	CK_BBOOL given = by_default;

	if (a && a->ulValueLen != sizeof(given))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	if (a)
		memcpy(&given, a->pValue, sizeof(given));
	if (given > 1)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	*flag = given;
	return CKR_OK;
}

CK_RV attribute_number(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
	CK_ULONG by_default, CK_ULONG *number)
{
	const CK_ATTRIBUTE *a = attribute_find(attributes, count, type);

	*number = by_default;
	if (!a)
		return CKR_OK;
	if (a->ulValueLen != sizeof(*number))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	memcpy(number, a->pValue, sizeof(*number));
	return CKR_OK;
}

/* --- Values --- */

static CK_RV flag(struct value *v, bool is_set)
{
	v->own.flag = is_set;
	v->p = &v->own.flag;
	v->n = sizeof(v->own.flag);
	return CKR_OK;
}

static CK_RV number(struct value *v, CK_ULONG n)
{
	v->own.number = n;
	v->p = &v->own.number;
	v->n = sizeof(v->own.number);
	return CKR_OK;
}

static CK_RV bytes(struct value *v, const void *p, size_t n)
{
	v->p = p;
	v->n = n;
	return CKR_OK;
}

static uint32_t purposes_of(const struct object *o)
{
	return o->data->key ? kw_key_purposes(o->data->key)
			    : (uint32_t)KW_PURPOSE_SIGN | KW_PURPOSE_DECRYPT;
}

static bool can_sign(const struct object *o)
{
	return purposes_of(o) & (KW_PURPOSE_SIGN | KW_PURPOSE_TLS_SERVER | KW_PURPOSE_TLS_CLIENT);
}

static bool can_decrypt(const struct object *o)
{
	return purposes_of(o) & (KW_PURPOSE_DECRYPT | KW_PURPOSE_DECRYPT_PKCS1);
}

static bool is_generated(const struct object *o)
{
	return o->data->key && !kw_key_is_imported(o->data->key);
}

static bool may_manage(const struct object *o)
{
	return !object_is_token(o) || kw_key_may_manage(o->data->key);
}

static CK_RV allowed_mechanisms(const struct object *o, struct value *v)
{
	const struct mechanism *m;
	CK_FLAGS uses =
		o->class == CKO_PRIVATE_KEY ? CKF_SIGN | CKF_DECRYPT : CKF_VERIFY | CKF_ENCRYPT;
	size_t n = 0;

	if (!can_sign(o))
		uses &= ~(CK_FLAGS)(CKF_SIGN | CKF_VERIFY);
	if (!can_decrypt(o))
		uses &= ~(CK_FLAGS)(CKF_DECRYPT | CKF_ENCRYPT);
	for (unsigned i = 0; (m = mechanism_at(i)) && n < 32; i++) {
		if (m->family == mechanism_family(o->data->type) && m->flags & uses)
			v->own.mechanisms[n++] = m->type;
	}
	return bytes(v, v->own.mechanisms, n * sizeof(v->own.mechanisms[0]));
}

static CK_RV generation(const struct object *o, struct value *v)
{
	static const CK_MECHANISM_TYPE types[] = {[FAMILY_RSA] = CKM_RSA_PKCS_KEY_PAIR_GEN,
		[FAMILY_EC] = CKM_EC_KEY_PAIR_GEN,
		[FAMILY_ED] = CKM_EC_EDWARDS_KEY_PAIR_GEN};

	return number(v, is_generated(o) ? types[mechanism_family(o->data->type)]
					 : CK_UNAVAILABLE_INFORMATION);
}

static CK_RV unique_id(const struct object *o, struct value *v)
{
	char *at = v->own.text;

	*at++ = o->class == CKO_PRIVATE_KEY ? 's' : 'p';
	for (size_t i = 0; i < KW_ID_SIZE; i++)
		at += sprintf(at, "%02x", o->data->id[i]);
	return bytes(v, v->own.text, (size_t)(at - v->own.text));
}

/* What was chosen; else the key's name is its label, and its id begins with what is its CKA_ID. */
static CK_RV stored(const struct object *o, CK_ATTRIBUTE_TYPE type, struct value *v)
{
	size_t len, n;
	const uint8_t *list = object_attributes(o, &len);
	const uint8_t *p = stored_find(list, len, stored_tag_of(type), &n);
	const char *name = o->data->key ? kw_key_name(o->data->key) : "";

	if (p)
		return bytes(v, p, n);
	if (type == CKA_LABEL)
		return bytes(v, name, strlen(name));
	if (type == CKA_ID)
		return bytes(v, o->data->id, CKA_ID_SIZE);
	return bytes(v, "", 0);
}

/* What public and private keys have in common (4.7, 4.8). */
static CK_RV get_common(const struct object *o, CK_ATTRIBUTE_TYPE type, struct value *v)
{
	switch (type) {
	case CKA_CLASS:
		return number(v, o->class);
	case CKA_KEY_TYPE:
		return number(v, object_key_type(o->data->type));
	case CKA_TOKEN:
		return flag(v, object_is_token(o));
	case CKA_PRIVATE: /* the token is open to whoever the kernel lets in: nobody has to log in */
	case CKA_DERIVE:
		return flag(v, false);
	case CKA_MODIFIABLE:
		return flag(v, may_manage(o));
	case CKA_COPYABLE:
		return flag(v, false);
	case CKA_DESTROYABLE:
		return flag(v, may_manage(o));
	case CKA_UNIQUE_ID:
		return unique_id(o, v);
	case CKA_LABEL:
	case CKA_ID:
	case CKA_START_DATE:
	case CKA_END_DATE:
	case CKA_SUBJECT:
		return stored(o, type, v);
	case CKA_LOCAL:
		return flag(v, is_generated(o));
	case CKA_KEY_GEN_MECHANISM:
		return generation(o, v);
	case CKA_ALLOWED_MECHANISMS:
		return allowed_mechanisms(o, v);
	default:
		return CKR_ATTRIBUTE_TYPE_INVALID;
	}
}

static CK_RV get_private(const struct object *o, CK_ATTRIBUTE_TYPE type, struct value *v)
{
	bool is_rsa = mechanism_family(o->data->type) == FAMILY_RSA;

	switch (type) {
	case CKA_SIGN:
		return flag(v, can_sign(o));
	case CKA_DECRYPT:
		return flag(v, can_decrypt(o));
	case CKA_SIGN_RECOVER:
	case CKA_UNWRAP:
	case CKA_EXTRACTABLE:
	case CKA_WRAP_WITH_TRUSTED:
	case CKA_ALWAYS_AUTHENTICATE:
		return flag(v, false);
	case CKA_SENSITIVE:
		return flag(v, true);
	case CKA_ALWAYS_SENSITIVE:
	case CKA_NEVER_EXTRACTABLE:
		return flag(v, is_generated(o));
	case CKA_PRIVATE_EXPONENT:
	case CKA_PRIME_1:
	case CKA_PRIME_2:
	case CKA_EXPONENT_1:
	case CKA_EXPONENT_2:
	case CKA_COEFFICIENT:
		return is_rsa ? CKR_ATTRIBUTE_SENSITIVE : CKR_ATTRIBUTE_TYPE_INVALID;
	case CKA_VALUE:
		return is_rsa ? CKR_ATTRIBUTE_TYPE_INVALID : CKR_ATTRIBUTE_SENSITIVE;
	default:
		return CKR_ATTRIBUTE_TYPE_INVALID;
	}
}

static CK_RV get_public(const struct object *o, CK_ATTRIBUTE_TYPE type, struct value *v)
{
	switch (type) {
	case CKA_VERIFY:
		return flag(v, can_sign(o));
	case CKA_ENCRYPT:
		return flag(v, can_decrypt(o) && mechanism_family(o->data->type) == FAMILY_RSA);
	case CKA_VERIFY_RECOVER:
	case CKA_WRAP:
	case CKA_TRUSTED:
		return flag(v, false);
	case CKA_MODULUS_BITS:
		if (mechanism_family(o->data->type) == FAMILY_RSA)
			return number(v, kw_key_type_bits(o->data->type));
		return CKR_ATTRIBUTE_TYPE_INVALID;
	default:
		return CKR_ATTRIBUTE_TYPE_INVALID;
	}
}

/* A private key shows its public half too: many programs look there first. */
static CK_RV get_key_material(struct object *o, CK_ATTRIBUTE_TYPE type, struct value *v)
{
	bool is_rsa = mechanism_family(o->data->type) == FAMILY_RSA;
	const struct public_part *part;
	const uint8_t *params;
	CK_RV rv;

	switch (type) {
	case CKA_EC_PARAMS:
		params = attribute_ec_params(o->data->type, &v->n);
		return params ? bytes(v, params, v->n) : CKR_ATTRIBUTE_TYPE_INVALID;
	case CKA_MODULUS:
	case CKA_PUBLIC_EXPONENT:
		if (!is_rsa)
			return CKR_ATTRIBUTE_TYPE_INVALID;
		break;
	case CKA_EC_POINT:
		if (is_rsa)
			return CKR_ATTRIBUTE_TYPE_INVALID;
		break;
	case CKA_PUBLIC_KEY_INFO:
		break;
	default:
		return CKR_ATTRIBUTE_TYPE_INVALID;
	}
	rv = object_public(o, &part);
	if (rv)
		return rv;
	if (type == CKA_MODULUS)
		return bytes(v, part->modulus, part->modulus_len);
	if (type == CKA_PUBLIC_EXPONENT)
		return bytes(v, part->exponent, part->exponent_len);
	if (type == CKA_EC_POINT)
		return bytes(v, part->point, part->point_len);
	return bytes(v, part->spki, part->spki_len);
}

/* Another one each time, since it has the time. */
static CK_RV attestation(const struct object *o, struct value *v)
{
	struct kw_use use = object_use(o);
	struct kw_target target = {0};
	size_t n = sizeof(v->own.statement);
	CK_RV rv;

	if (!o->data->key)
		return CKR_ATTRIBUTE_TYPE_INVALID;
	target.record = use.record;
	target.record_len = use.record_len;
	if (!target.record)
		target.id = use.id;
	rv = module_error(kw_key_attest(module_kw(), &target, NULL, 0, v->own.statement, &n));
	if (rv)
		return rv == CKR_KEY_HANDLE_INVALID ? CKR_OBJECT_HANDLE_INVALID : rv;
	return bytes(v, v->own.statement, n);
}

CK_RV attribute_get(struct object *o, CK_ATTRIBUTE_TYPE type, struct value *v)
{
	CK_RV rv;

	if (type == CKA_KEYWARD_ATTESTATION)
		return attestation(o, v);
	rv = get_common(o, type, v);
	if (rv == CKR_ATTRIBUTE_TYPE_INVALID)
		rv = o->class == CKO_PRIVATE_KEY ? get_private(o, type, v) : get_public(o, type, v);
	if (rv == CKR_ATTRIBUTE_TYPE_INVALID)
		rv = get_key_material(o, type, v);
	return rv;
}

bool attribute_matches(struct object *o, const CK_ATTRIBUTE *wanted, CK_RV *rv)
{
	struct value v;
	CK_RV got;

	*rv = CKR_OK;
	/* No two statements are equal: nothing is asked for, key by key. */
	if (wanted->type == CKA_KEYWARD_ATTESTATION)
		return false;
	got = attribute_get(o, wanted->type, &v);
	if (got == CKR_OK)
		return v.n == wanted->ulValueLen && (!v.n || !memcmp(v.p, wanted->pValue, v.n));
	if (got != CKR_ATTRIBUTE_TYPE_INVALID && got != CKR_ATTRIBUTE_SENSITIVE &&
		got != CKR_OBJECT_HANDLE_INVALID)
		*rv = got;
	return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "attribute.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "item_attribute.h"
#include "secret.h"
#include "stored.h"
#include "value.h"

static bool has_purpose(const struct object *o, uint32_t any)
{
	return object_purposes(o) & any;
}

static bool can_sign(const struct object *o)
{
	if (object_is_secret(o))
		return has_purpose(o, KW_PURPOSE_MAC);
	return has_purpose(o,
		KW_PURPOSE_SIGN | KW_PURPOSE_TLS_SERVER | KW_PURPOSE_TLS_CLIENT | KW_PURPOSE_RAW);
}

static bool can_decrypt(const struct object *o)
{
	return has_purpose(o, KW_PURPOSE_DECRYPT | KW_PURPOSE_DECRYPT_PKCS1 | KW_PURPOSE_RAW);
}

static bool can_derive(const struct object *o)
{
	return has_purpose(o, KW_PURPOSE_DERIVE | KW_PURPOSE_DERIVE_VALUE);
}

static bool is_extractable(const struct object *o)
{
	return has_purpose(o, KW_PURPOSE_EXTRACTABLE);
}

static uint32_t kept_number(const struct object *o, enum stored_tag tag)
{
	size_t len;
	const uint8_t *list = object_attributes(o, &len);

	return stored_number(list, len, tag);
}

static bool is_sensitive(const struct object *o)
{
	return !(kept_number(o, STORED_FLAGS) & STORED_NOT_SENSITIVE);
}

bool attribute_always_authenticates(const struct object *o)
{
	return o->class == CKO_PRIVATE_KEY &&
	       kept_number(o, STORED_FLAGS) & STORED_ALWAYS_AUTHENTICATE;
}

static CK_ULONG key_type_of(const struct object *o)
{
	uint32_t chosen = object_is_secret(o) ? kept_number(o, STORED_KEY_TYPE) : 0;

	return chosen ? chosen : object_key_type(o->data->type);
}

static bool is_generated(const struct object *o)
{
	return o->data->key ? !kw_key_is_imported(o->data->key) : o->data->is_local;
}

static bool may_manage(const struct object *o)
{
	if (!object_is_token(o))
		return true;
	return o->item ? o->item->may_manage : kw_key_may_manage(o->data->key);
}

/* What the object can do, in flags of mechanisms. */
static CK_FLAGS uses_of(const struct object *o)
{
	bool is_private = o->class != CKO_PUBLIC_KEY, is_public = o->class != CKO_PRIVATE_KEY;
	bool is_rsa = mechanism_family(o->data->type) == FAMILY_RSA;
	CK_FLAGS uses = 0;

	if (can_sign(o))
		uses |= (is_private ? CKF_SIGN : 0) | (is_public ? CKF_VERIFY : 0);
	if (is_private && can_decrypt(o))
		uses |= CKF_DECRYPT;
	if (object_is_secret(o) ? has_purpose(o, KW_PURPOSE_ENCRYPT)
				: is_public && is_rsa && can_decrypt(o))
		uses |= CKF_ENCRYPT;
	if (is_private && can_derive(o))
		uses |= CKF_DERIVE;
	if (is_public && has_purpose(o, KW_PURPOSE_WRAP))
		uses |= CKF_WRAP;
	if (is_private && has_purpose(o, KW_PURPOSE_UNWRAP))
		uses |= CKF_UNWRAP;
	return uses;
}

bool attribute_allows(const struct object *o, CK_MECHANISM_TYPE mechanism)
{
	size_t len;
	const uint8_t *list = object_attributes(o, &len);

	return stored_allows(list, len, mechanism);
}

static CK_RV allowed_mechanisms(const struct object *o, struct value *v)
{
	const struct mechanism *m;
	CK_FLAGS uses = uses_of(o);
	size_t n = 0;

	for (unsigned i = 0; (m = mechanism_at(i)) && n < 64; i++) {
		if (m->family & mechanism_family(o->data->type) && m->flags & uses &&
			attribute_allows(o, m->type))
			v->own.mechanisms[n++] = m->type;
	}
	return bytes(v, v->own.mechanisms, n * sizeof(v->own.mechanisms[0]));
}

static CK_RV generation(const struct object *o, struct value *v)
{
	CK_FLAGS wanted = object_is_secret(o) ? CKF_GENERATE : CKF_GENERATE_KEY_PAIR;
	const struct mechanism *m;

	if (is_generated(o)) {
		for (unsigned i = 0; (m = mechanism_at(i)); i++) {
			if (m->family == mechanism_family(o->data->type) && m->flags & wanted)
				return number(v, m->type);
		}
	}
	return number(v, CK_UNAVAILABLE_INFORMATION);
}

static CK_RV unique_id(const struct object *o, struct value *v)
{
	char *at = v->own.text;

	*at++ = o->class == CKO_PRIVATE_KEY ? 's' : o->class == CKO_PUBLIC_KEY ? 'p' : 'k';
	/* A public key alone may be on the token beside one of a pair. */
	if (o->item)
		v->own.text[0] = 'a';
	for (size_t i = 0; i < KW_ID_SIZE; i++)
		at += sprintf(at, "%02x", o->item ? o->item->id[i] : o->data->id[i]);
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
		return number(v, key_type_of(o));
	case CKA_TOKEN:
		return flag(v, object_is_token(o));
	case CKA_PRIVATE: /* the default token is open to whoever the kernel lets in */
		return flag(v, object_is_private(o));
	case CKA_DERIVE:
		return flag(v, uses_of(o) & CKF_DERIVE);
	case CKA_MODIFIABLE: /* A session's key is what it was made. */
		return flag(v, may_manage(o) && (o->item || object_is_token(o)) &&
				       !(kept_number(o, STORED_FLAGS) & STORED_FIXED));
	case CKA_COPYABLE: /* A key that cannot leave the TEE is in one place. */
		return flag(v, o->item && !item_has_flag(o->item, STORED_UNCOPIED));
	case CKA_DESTROYABLE: /* A public key on the token goes with its private key. */
		return flag(v, may_manage(o) && (o->item || o->class != CKO_PUBLIC_KEY ||
							!object_is_token(o)));
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
	case CKA_UNWRAP:
		return flag(v, has_purpose(o, KW_PURPOSE_UNWRAP));
	case CKA_EXTRACTABLE:
		return flag(v, is_extractable(o));
	case CKA_WRAP_WITH_TRUSTED:
		return flag(v, has_purpose(o, KW_PURPOSE_WITH_TRUSTED));
	case CKA_KEYWARD_RAW:
		return flag(v, has_purpose(o, KW_PURPOSE_RAW));
	case CKA_ALWAYS_AUTHENTICATE:
		return flag(v, attribute_always_authenticates(o));
	case CKA_SIGN_RECOVER:
		return flag(v, false);
	case CKA_SENSITIVE:
		return flag(v, true);
	case CKA_ALWAYS_SENSITIVE:
		return flag(v, is_generated(o));
	case CKA_NEVER_EXTRACTABLE:
		return flag(v, is_generated(o) && !is_extractable(o));
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

/* 4.11 */
static CK_RV get_secret(struct object *o, CK_ATTRIBUTE_TYPE type, struct value *v)
{
	CK_RV rv;

	switch (type) {
	case CKA_ENCRYPT:
		return flag(v, uses_of(o) & CKF_ENCRYPT);
	case CKA_DECRYPT:
		return flag(v, uses_of(o) & CKF_DECRYPT);
	case CKA_SIGN:
	case CKA_VERIFY:
		return flag(v, can_sign(o));
	case CKA_WRAP:
		return flag(v, has_purpose(o, KW_PURPOSE_WRAP));
	case CKA_UNWRAP:
		return flag(v, has_purpose(o, KW_PURPOSE_UNWRAP));
	case CKA_TRUSTED:
		return flag(v, has_purpose(o, KW_PURPOSE_TRUSTED));
	case CKA_EXTRACTABLE:
		return flag(v, is_extractable(o));
	case CKA_WRAP_WITH_TRUSTED:
		return flag(v, has_purpose(o, KW_PURPOSE_WITH_TRUSTED));
	case CKA_SENSITIVE:
		return flag(v, is_sensitive(o));
	case CKA_ALWAYS_SENSITIVE:
		return flag(v, is_generated(o) && is_sensitive(o));
	case CKA_NEVER_EXTRACTABLE:
		return flag(v, is_generated(o) && !is_extractable(o));
	case CKA_KEYWARD_MIXED:
		return flag(v, has_purpose(o, KW_PURPOSE_MIXED));
	case CKA_VALUE_LEN:
		rv = object_secret_size(o, &v->n);
		return rv ? rv : number(v, v->n);
	case CKA_VALUE:
		if (is_sensitive(o) || !is_extractable(o))
			return CKR_ATTRIBUTE_SENSITIVE;
		if (o->data->value)
			return bytes(v, o->data->value, o->data->value_len);
		v->p = v->own.secret;
		return secret_reveal(o, v->own.secret, &v->n);
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
		return flag(v, false);
	case CKA_WRAP:
		return flag(v, has_purpose(o, KW_PURPOSE_WRAP));
	case CKA_TRUSTED:
		return flag(v, has_purpose(o, KW_PURPOSE_TRUSTED));
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

	if (object_is_secret(o))
		return CKR_ATTRIBUTE_TYPE_INVALID;

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
	struct kw_use use;
	struct kw_target target = {0};
	size_t n = sizeof(v->own.statement);
	CK_RV rv;

	if (!o->data->key)
		return CKR_ATTRIBUTE_TYPE_INVALID;
	rv = object_use(o, &use);
	if (rv)
		return rv;
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

	if (!o->data)
		return item_attribute_get(o, type, v);
	if (type == CKA_KEYWARD_ATTESTATION)
		return attestation(o, v);
	rv = get_common(o, type, v);
	if (rv == CKR_ATTRIBUTE_TYPE_INVALID)
		rv = o->class == CKO_PRIVATE_KEY  ? get_private(o, type, v)
		     : o->class == CKO_SECRET_KEY ? get_secret(o, type, v)
						  : get_public(o, type, v);
	if (rv == CKR_ATTRIBUTE_TYPE_INVALID)
		rv = get_key_material(o, type, v);
	return rv;
}

void attribute_wipe(CK_ATTRIBUTE_TYPE type, struct value *v)
{
	if (type == CKA_VALUE)
		OPENSSL_cleanse(v->own.secret, sizeof(v->own.secret));
}

/* What this caller cannot have of one object is no reason to show none of the others. */
static bool is_failure(CK_RV rv)
{
	return rv == CKR_HOST_MEMORY || rv == CKR_DEVICE_ERROR || rv == CKR_DEVICE_MEMORY ||
	       rv == CKR_TOKEN_NOT_PRESENT || rv == CKR_FUNCTION_FAILED;
}

bool attribute_matches(struct object *o, const CK_ATTRIBUTE *wanted, CK_RV *rv)
{
	struct value v;
	bool is_equal;
	CK_RV got;

	*rv = CKR_OK;
	/* No two statements are equal: nothing is asked for, key by key. */
	if (wanted->type == CKA_KEYWARD_ATTESTATION)
		return false;
	got = attribute_get(o, wanted->type, &v);
	if (is_failure(got))
		*rv = got;
	is_equal = !got && v.n == wanted->ulValueLen && (!v.n || !memcmp(v.p, wanted->pValue, v.n));
	attribute_wipe(wanted->type, &v);
	return is_equal;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that leave the TEE encrypted, and come into it so. */
#include <openssl/crypto.h>
#include <string.h>

#include "create.h"
#include "operation.h"
#include "secret.h"

/* The initial values of RFC 3394 (2.2.3.1) and RFC 5649 (3): no others. */
static bool is_default_iv(const struct mechanism *m, const CK_MECHANISM *given)
{
	static const uint8_t kw[8] = {0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6};
	static const uint8_t kwp[4] = {0xa6, 0x59, 0x59, 0xa6};
	bool is_kw = m->cipher == KW_CIPHER_AES_KW;
	size_t n = is_kw ? sizeof(kw) : sizeof(kwp);

	if (!given->ulParameterLen)
		return true;
	return given->pParameter && given->ulParameterLen == n &&
	       !memcmp(given->pParameter, is_kw ? kw : kwp, n);
}

/* how->label points into *op, which the caller frees. */
static CK_RV take_way(
	const struct mechanism *m, CK_MECHANISM *given, struct operation *op, struct kw_wrap *how)
{
	CK_RV rv;

	if (m->cipher) {
		how->wrapping =
			m->cipher == KW_CIPHER_AES_KW ? KW_WRAPPING_AES_KW : KW_WRAPPING_AES_KWP;
		return is_default_iv(m, given) ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;
	}
	rv = operation_take_oaep(op, given);
	how->wrapping = KW_WRAPPING_RSA_OAEP;
	how->hash = op->hash;
	how->mgf_hash = op->mgf_hash;
	how->label = op->label;
	how->label_len = op->label_len;
	return rv;
}

static bool flag_of(struct object *o, CK_ATTRIBUTE_TYPE type)
{
	struct value v;

	return !attribute_get(o, type, &v) && *(const CK_BBOOL *)v.p;
}

static CK_RV wrap(struct object *by, struct object *key, const struct kw_wrap *how,
	unsigned char *out, CK_ULONG *out_len)
{
	uint8_t wrapped[KW_WRAPPED_MAX];
	struct kw_use by_use, key_use;
	size_t n = 0;
	CK_RV rv;

	if ((key->class != CKO_SECRET_KEY && key->class != CKO_PRIVATE_KEY) ||
		!memcmp(key->data->id, by->data->id, KW_ID_SIZE))
		return CKR_KEY_NOT_WRAPPABLE;
	if (!flag_of(key, CKA_EXTRACTABLE))
		return CKR_KEY_UNEXTRACTABLE;
	if (flag_of(key, CKA_WRAP_WITH_TRUSTED) && !flag_of(by, CKA_TRUSTED))
		return CKR_KEY_NOT_WRAPPABLE;
	rv = object_use(by, &by_use);
	if (!rv)
		rv = object_use(key, &key_use);
	if (!rv)
		rv = module_error(kw_wrap(module_kw(), &by_use, &key_use, how, wrapped, &n));
	if (rv == CKR_MECHANISM_PARAM_INVALID)
		rv = CKR_KEY_SIZE_RANGE; /* KW takes whole blocks, OAEP what fits into the modulus */
	if (!rv && module_wants_output(out, out_len, n, &rv))
		memcpy(out, wrapped, n);
	return rv;
}

CK_RV C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE wrapping_key,
	CK_OBJECT_HANDLE key, unsigned char *out, CK_ULONG *out_len)
{
	struct object *by = NULL, *what = NULL;
	struct operation op = {0};
	struct kw_wrap how = {0};
	const struct mechanism *m;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = mechanism && out_len ? CKR_OK : CKR_ARGUMENTS_BAD;
	if (!rv)
		rv = operation_check_key(
			mechanism->mechanism, CKF_WRAP, wrapping_key, CKA_WRAP, &m, &by);
	if (rv == CKR_KEY_HANDLE_INVALID)
		rv = CKR_WRAPPING_KEY_HANDLE_INVALID;
	if (rv == CKR_KEY_TYPE_INCONSISTENT)
		rv = CKR_WRAPPING_KEY_TYPE_INCONSISTENT;
	if (!rv)
		rv = take_way(m, mechanism, &op, &how);
	if (!rv && object_get(key, &what))
		rv = CKR_KEY_HANDLE_INVALID;
	if (!rv)
		rv = wrap(by, what, &how, out, out_len);
	operation_wipe(&op);
	object_put(&what);
	object_put(&by);
	session_put(&s);
	return rv;
}

/* --- */

struct unwrapping {
	struct kw_use by;
	const struct kw_wrap *how;
	const uint8_t *wrapped;
	size_t len;
};

static enum kw_err unwrap_key(
	const struct kw_key_template *t, const void *context, struct kw_key **key)
{
	const struct unwrapping *u = context;
	struct kw_key_template plain = *t;

	plain.secret_len = 0;
	return kw_unwrap(module_kw(), &u->by, u->how, u->wrapped, u->len, &plain, key);
}

/* Which size or curve a key has that came wrapped is seen when the TEE has opened it. */
static const struct {
	CK_KEY_TYPE key_type;
	enum kw_key_type type;
} candidates[] = {
	{CKK_AES, KW_KEY_TYPE_AES_256},
	{CKK_AES, KW_KEY_TYPE_AES_128},
	{CKK_AES, KW_KEY_TYPE_AES_192},
	{CKK_RSA, KW_KEY_TYPE_RSA_2048},
	{CKK_RSA, KW_KEY_TYPE_RSA_3072},
	{CKK_RSA, KW_KEY_TYPE_RSA_4096},
	{CKK_EC, KW_KEY_TYPE_EC_P256},
	{CKK_EC, KW_KEY_TYPE_EC_P384},
	{CKK_EC, KW_KEY_TYPE_EC_P521},
	{CKK_EC_EDWARDS, KW_KEY_TYPE_ED25519},
	{CKK_EC_MONTGOMERY, KW_KEY_TYPE_X25519},
};

static CK_RV unwrap_any(
	struct key_request *request, const struct unwrapping *u, struct kw_key **key)
{
	bool is_tried = false;
	CK_RV rv = CKR_ATTRIBUTE_VALUE_INVALID;

	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		if (request->size || candidates[i].key_type != request->key_type)
			continue;
		is_tried = true;
		rv = create_with(request, candidates[i].type, unwrap_key, u, key);
		if (rv != CKR_ATTRIBUTE_VALUE_INVALID)
			break;
	}
	return is_tried ? rv : create_with(request, request->type, unwrap_key, u, key);
}

/* The template of a secret or a private key; the standard wants class and type. */
static CK_RV read_template(
	const CK_ATTRIBUTE *attributes, CK_ULONG count, bool is_rw, struct key_request *request)
{
	CK_ULONG class, key_type;
	CK_RV rv = attribute_number(attributes, count, CKA_CLASS, CKO_SECRET_KEY, &class);

	if (!rv)
		rv = attribute_number(
			attributes, count, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION, &key_type);
	if (rv)
		return rv;
	if (class != CKO_PRIVATE_KEY)
		return template_read_secret(attributes, count, SECRET_UNWRAPPED,
			CK_UNAVAILABLE_INFORMATION, is_rw, request);
	if (!attribute_find(attributes, count, CKA_KEY_TYPE))
		return CKR_TEMPLATE_INCOMPLETE;
	rv = CKR_ATTRIBUTE_VALUE_INVALID;
	for (size_t i = 0; rv && i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		if (candidates[i].key_type == key_type && key_type != CKK_AES) {
			rv = template_read(
				attributes, count, candidates[i].type, false, is_rw, request);
			request->key_type = key_type;
			return rv;
		}
	}
	return rv;
}

static CK_RV unwrap(struct session *s, struct object *by, struct unwrapping *u,
	struct key_request *request, CK_OBJECT_HANDLE *handle)
{
	struct kw_key *key = NULL;
	CK_RV rv = object_use(by, &u->by);

	if (!rv)
		rv = unwrap_any(request, u, &key);
	if (rv == CKR_ENCRYPTED_DATA_INVALID)
		rv = CKR_WRAPPED_KEY_INVALID;
	else if (rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_MECHANISM_PARAM_INVALID ||
		 rv == CKR_DATA_LEN_RANGE)
		rv = CKR_WRAPPED_KEY_LEN_RANGE;
	if (!rv)
		rv = create_objects(s, request, &key, handle, NULL);
	kw_key_free(&key);
	return rv;
}

CK_RV C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
	CK_OBJECT_HANDLE unwrapping_key, unsigned char *wrapped, CK_ULONG wrapped_len,
	CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *key)
{
	struct unwrapping u = {.wrapped = wrapped, .len = wrapped_len};
	struct key_request request;
	struct operation op = {0};
	struct object *by = NULL;
	struct kw_wrap how = {0};
	const struct mechanism *m;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = mechanism && key && wrapped ? attribute_check_template(attributes, count)
					 : CKR_ARGUMENTS_BAD;
	if (!rv)
		rv = operation_check_key(
			mechanism->mechanism, CKF_UNWRAP, unwrapping_key, CKA_UNWRAP, &m, &by);
	if (rv == CKR_KEY_HANDLE_INVALID)
		rv = CKR_UNWRAPPING_KEY_HANDLE_INVALID;
	if (rv == CKR_KEY_TYPE_INCONSISTENT)
		rv = CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT;
	if (!rv)
		rv = take_way(m, mechanism, &op, &how);
	if (!rv)
		rv = read_template(attributes, count, session_is_rw(s), &request);
	u.how = &how;
	if (!rv)
		rv = wrapped_len && wrapped_len <= KW_WRAPPED_MAX ? unwrap(s, by, &u, &request, key)
								  : CKR_WRAPPED_KEY_LEN_RANGE;
	operation_wipe(&op);
	object_put(&by);
	session_put(&s);
	return rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "create.h"

CK_RV secret_show(struct session *s, const struct key_request *request, const uint8_t *value,
	size_t len, CK_OBJECT_HANDLE *handle)
{
	struct key_data *data = key_data_of_value(request->type, request->purposes, value, len,
		request->attributes, request->attributes_len);
	struct object *o = data ? object_new(CKO_SECRET_KEY, data) : NULL;

	if (o)
		data->is_local = request->is_local;
	key_data_put(&data);
	if (!o)
		return CKR_HOST_MEMORY;
	o->session = s->handle;
	return object_add(&o, handle);
}

static CK_RV make(struct session *s, struct key_request *request, const uint8_t *value, size_t len,
	CK_OBJECT_HANDLE *handle)
{
	struct kw_key *key = NULL;
	CK_RV rv = create_key(request, request->type, value, len, &key);

	if (!rv)
		rv = create_objects(s, request, &key, handle, NULL);
	kw_key_free(&key);
	return rv;
}

CK_RV secret_create(
	struct session *s, const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *handle)
{
	const CK_ATTRIBUTE *value = attribute_find(attributes, count, CKA_VALUE);
	struct key_request request;
	CK_RV rv = template_read_secret(attributes, count, SECRET_GIVEN, CK_UNAVAILABLE_INFORMATION,
		session_is_rw(s), &request);

	if (rv)
		return rv;
	return request.is_shown ? secret_show(s, &request, value->pValue, value->ulValueLen, handle)
				: make(s, &request, value->pValue, value->ulValueLen, handle);
}

static CK_RV generate(struct session *s, struct key_request *request, CK_OBJECT_HANDLE *handle)
{
	uint8_t value[KW_SECRET_MAX];
	CK_RV rv;

	if (!request->is_shown)
		return make(s, request, NULL, 0, handle);
	request->is_local = true;
	rv = module_error(kw_random(module_kw(), value, request->size));
	if (!rv)
		rv = secret_show(s, request, value, request->size, handle);
	OPENSSL_cleanse(value, sizeof(value));
	return rv;
}

CK_RV C_GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *attributes,
	CK_ULONG count, CK_OBJECT_HANDLE *key)
{
	struct key_request request;
	const struct mechanism *m;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = mechanism && key ? attribute_check_template(attributes, count) : CKR_ARGUMENTS_BAD;
	if (rv)
		goto out;
	m = mechanism_find(mechanism->mechanism);
	rv = CKR_MECHANISM_INVALID;
	if (!m || !(m->flags & CKF_GENERATE))
		goto out;
	rv = CKR_MECHANISM_PARAM_INVALID;
	if (mechanism->ulParameterLen)
		goto out;
	rv = template_read_secret(attributes, count, SECRET_GENERATED,
		m->family == FAMILY_AES                 ? CKK_AES
		: m->type == CKM_GENERIC_SECRET_KEY_GEN ? CKK_GENERIC_SECRET
							: CKK_HKDF,
		session_is_rw(s), &request);
	/* What another mechanism makes */
	if (!rv && (request.key_type == CKK_AES) != (m->family == FAMILY_AES))
		rv = CKR_TEMPLATE_INCONSISTENT;
	if (!rv)
		rv = generate(s, &request, key);
out:
	session_put(&s);
	return rv;
}

/* --- What may leave --- */

static bool unwrap_here(const uint8_t wrapping[32], const uint8_t *wrapped, size_t wrapped_len,
	uint8_t *value, size_t *len)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(module_libcrypto(), "AES-256-WRAP-PAD", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t plain[KW_SECRET_MAX + 16];
	int n = 0;
	bool ok = cipher && ctx && wrapped_len <= sizeof(plain);

	if (ctx)
		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	ok = ok && EVP_DecryptInit_ex2(ctx, cipher, wrapping, NULL, NULL) &&
	     EVP_DecryptUpdate(ctx, plain, &n, wrapped, (int)wrapped_len) && n > 0 &&
	     n <= KW_SECRET_MAX;
	if (ok) {
		memcpy(value, plain, (size_t)n);
		*len = (size_t)n;
	}
	OPENSSL_cleanse(plain, sizeof(plain));
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return ok;
}

/* The TEE gives no values; it wraps keys that may leave. So it wraps this one with a key that is known here. */
CK_RV secret_reveal(struct object *o, uint8_t *value, size_t *len)
{
	struct kw_key_template t = {.name = "",
		.type = KW_KEY_TYPE_AES_256,
		.purposes = KW_PURPOSE_WRAP,
		.sealed = true};
	struct kw_wrap how = {.wrapping = KW_WRAPPING_AES_KWP};
	uint8_t wrapping[32], wrapped[KW_WRAPPED_MAX];
	struct kw_use by = {0}, use;
	struct kw_key *key = NULL;
	size_t n = 0;
	CK_RV rv = object_use(o, &use);

	if (object_purposes(o) & KW_PURPOSE_WITH_TRUSTED)
		rv = CKR_ATTRIBUTE_SENSITIVE;
	if (!rv && RAND_priv_bytes_ex(module_libcrypto(), wrapping, sizeof(wrapping), 0) != 1)
		rv = CKR_FUNCTION_FAILED;
	if (!rv)
		rv = module_error(kw_key_import(module_kw(), &t, wrapping, sizeof(wrapping), &key));
	if (rv)
		goto out;
	by.id = kw_key_id(key);
	by.record = kw_key_record(key, &by.record_len);
	rv = module_error(kw_wrap(module_kw(), &by, &use, &how, wrapped, &n));
	if (!rv && !unwrap_here(wrapping, wrapped, n, value, len))
		rv = CKR_FUNCTION_FAILED;
out:
	OPENSSL_cleanse(wrapping, sizeof(wrapping));
	kw_key_free(&key);
	return rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Key management. A key of ours is a private key in a TEE and a public key here, which another
 * provider of the application holds and answers for. Nothing ever exports the private part, not
 * even a made-up one: OpenSSL 3.0 takes the first provider that has an algorithm and asks to have
 * the key there, and would then sign with what it got. A refusal brings it back to this provider.
 * It is a quiet refusal, for the same reason: an error left in the queue for a question that
 * OpenSSL asks all day would confuse servers.
 */
#include "provider.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <string.h>

static void *new_rsa(void *provctx)
{
	return prov_key_new(provctx, PROV_RSA);
}

static void *new_ec(void *provctx)
{
	return prov_key_new(provctx, PROV_EC);
}

static void *new_ed25519(void *provctx)
{
	return prov_key_new(provctx, PROV_ED25519);
}

static void key_free(void *keydata)
{
	prov_key_free(keydata);
}

static void *key_load(const void *reference, size_t size)
{
	struct prov_key *key = NULL;

	if (size == sizeof(key)) {
		/* The reference is ours (prov_key_give): take the key out of it. */
		memcpy(&key, reference, sizeof(key));
		memset((void *)(uintptr_t)reference, 0, sizeof(key));
	}
	return key;
}

static int key_has(const void *keydata, int selection)
{
	const struct prov_key *key = keydata;

	if (!key)
		return 0;
	if (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY && !key->front)
		return 0;
	if (selection & (OSSL_KEYMGMT_SELECT_PUBLIC_KEY | OSSL_KEYMGMT_SELECT_ALL_PARAMETERS))
		return key->public != NULL;
	return 1;
}

/* Two keys with the same public key are the same key: the private one need not be seen for that. */
static int key_match(const void *keydata1, const void *keydata2, int selection)
{
	const struct prov_key *a = keydata1, *b = keydata2;

	if (!a || !b || !a->public || !b->public || a->kind != b->kind)
		return 0;
	if (selection & OSSL_KEYMGMT_SELECT_KEYPAIR)
		return EVP_PKEY_eq(a->public, b->public) == 1;
	return EVP_PKEY_parameters_eq(a->public, b->public) == 1 || a->kind != PROV_EC;
}

/* The public part is checked here, the private one by asking the TEE whether it has this very
 * key. */
static int key_validate(const void *keydata, int selection, int checktype)
{
	const struct prov_key *key = keydata;
	EVP_PKEY_CTX *ctx = NULL;
	enum kw_err err;
	int ok = 0;

	if (!key || !key->public)
		goto out;
	if (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) {
		if (!key->front)
			goto out;
		err = front_key_check(key->front);
		if (err) {
			prov_raise(key->prov, err, "%s", front_explain(err));
			goto out;
		}
	}
	ctx = EVP_PKEY_CTX_new_from_pkey(key->prov->libctx, key->public, PROV_OTHERS);
	if (!ctx)
		goto out;
	ok = checktype == OSSL_KEYMGMT_VALIDATE_QUICK_CHECK ? EVP_PKEY_public_check_quick(ctx) == 1
							    : EVP_PKEY_public_check(ctx) == 1;
out:
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static void *key_dup(const void *keydata, int selection)
{
	/* Keys do not change, so a copy of the whole is the key itself. */
	if (selection & OSSL_KEYMGMT_SELECT_KEYPAIR)
		return prov_key_ref((struct prov_key *)(uintptr_t)keydata);
	return NULL;
}

static bool has_private(const OSSL_PARAM params[])
{
	static const char *const names[] = {
		OSSL_PKEY_PARAM_PRIV_KEY, OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (OSSL_PARAM_locate_const(params, names[i]))
			return true;
	return false;
}

/* Public keys come in when OpenSSL compares a certificate with our key. */
static int key_import(void *keydata, int selection, const OSSL_PARAM params[])
{
	struct prov_key *key = keydata;
	OSSL_PARAM *copy = (OSSL_PARAM *)(uintptr_t)params;
	EVP_PKEY_CTX *ctx = NULL;
	int ok = 0;

	if (!key || key->public || has_private(params))
		goto out;
	if (!(selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY))
		goto out;
	ctx = EVP_PKEY_CTX_new_from_name(key->prov->libctx, prov_kind_name(key->kind), PROV_OTHERS);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1)
		goto out;
	if (EVP_PKEY_fromdata(ctx, &key->public, EVP_PKEY_PUBLIC_KEY, copy) != 1)
		goto out;
	key->max_size = (size_t)EVP_PKEY_get_size(key->public);
	ok = 1;
out:
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static int key_export(void *keydata, int selection, OSSL_CALLBACK *cb, void *arg)
{
	const struct prov_key *key = keydata;

	if (!key || !key->public || selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY)
		return 0;
	return EVP_PKEY_export(key->public, selection, cb, arg);
}

static int key_get_params(void *keydata, OSSL_PARAM params[])
{
	const struct prov_key *key = keydata;

	return key && key->public && EVP_PKEY_get_params(key->public, params) == 1;
}

#define SIZES                                                        \
	OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),                  \
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL), \
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL)
#define DIGESTS                                                          \
	OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0), \
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0)
#define RSA_PUBLIC \
	OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0), OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0)
#define EC_PUBLIC                                                    \
	OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0), \
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0)
#define EC_GROUP                                                                             \
	OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, NULL, 0),                        \
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, NULL, 0), \
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_FIELD_TYPE, NULL, 0),              \
		OSSL_PARAM_int(OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, NULL),       \
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_P, NULL, 0),                                \
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_A, NULL, 0),                                \
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_B, NULL, 0),                                \
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_EC_GENERATOR, NULL, 0),              \
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_ORDER, NULL, 0),                            \
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_COFACTOR, NULL, 0),                         \
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_X, NULL, 0),                            \
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_Y, NULL, 0)
#define ENCODED OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0)

static const OSSL_PARAM *rsa_types(int selection)
{
	static const OSSL_PARAM list[] = {RSA_PUBLIC, OSSL_PARAM_END};

	(void)selection;
	return list;
}

static const OSSL_PARAM *ec_types(int selection)
{
	static const OSSL_PARAM list[] = {EC_PUBLIC, EC_GROUP, OSSL_PARAM_END};

	(void)selection;
	return list;
}

static const OSSL_PARAM *ed25519_types(int selection)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0), OSSL_PARAM_END};

	(void)selection;
	return list;
}

static const OSSL_PARAM *rsa_gettable(void *provctx)
{
	static const OSSL_PARAM list[] = {SIZES, DIGESTS, RSA_PUBLIC, OSSL_PARAM_END};

	(void)provctx;
	return list;
}

static const OSSL_PARAM *ec_gettable(void *provctx)
{
	static const OSSL_PARAM list[] = {
		SIZES, DIGESTS, EC_PUBLIC, EC_GROUP, ENCODED, OSSL_PARAM_END};

	(void)provctx;
	return list;
}

static const OSSL_PARAM *ed25519_gettable(void *provctx)
{
	static const OSSL_PARAM list[] = {SIZES, DIGESTS,
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0), ENCODED, OSSL_PARAM_END};

	(void)provctx;
	return list;
}

static const char *rsa_operation(int operation)
{
	(void)operation;
	return "RSA";
}

static const char *ec_operation(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "ECDSA" : "EC";
}

static const char *ed25519_operation(int operation)
{
	(void)operation;
	return "ED25519";
}

#define KEYMGMT(name)                                                              \
	const OSSL_DISPATCH prov_##name##_keymgmt[] = {                            \
		PROV_FN(OSSL_FUNC_KEYMGMT_NEW, new_##name),                        \
		PROV_FN(OSSL_FUNC_KEYMGMT_FREE, key_free),                         \
		PROV_FN(OSSL_FUNC_KEYMGMT_LOAD, key_load),                         \
		PROV_FN(OSSL_FUNC_KEYMGMT_HAS, key_has),                           \
		PROV_FN(OSSL_FUNC_KEYMGMT_MATCH, key_match),                       \
		PROV_FN(OSSL_FUNC_KEYMGMT_VALIDATE, key_validate),                 \
		PROV_FN(OSSL_FUNC_KEYMGMT_DUP, key_dup),                           \
		PROV_FN(OSSL_FUNC_KEYMGMT_IMPORT, key_import),                     \
		PROV_FN(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, name##_types),             \
		PROV_FN(OSSL_FUNC_KEYMGMT_EXPORT, key_export),                     \
		PROV_FN(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, name##_types),             \
		PROV_FN(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),             \
		PROV_FN(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, name##_gettable),       \
		PROV_FN(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, name##_operation), \
		PROV_END,                                                          \
	}

KEYMGMT(rsa);
KEYMGMT(ec);
KEYMGMT(ed25519);

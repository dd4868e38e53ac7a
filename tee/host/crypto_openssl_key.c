/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of any family on libcrypto: creation, encodings, and which family's code runs. */
#include "crypto_openssl.h"

#include <openssl/crypto.h>

struct family {
	enum kw_err (*generate)(struct crypto_key *key);
	enum kw_err (*import)(struct crypto_key *key, const uint8_t *in, size_t n);
	enum kw_err (*load)(struct crypto_key *key, const uint8_t *in, size_t n);
	enum kw_err (*private_part)(const struct crypto_key *key, uint8_t *buf, size_t *n);
	enum kw_err (*public_part)(const struct crypto_key *key, uint8_t *buf, size_t *n);
	enum kw_err (*sign)(const struct crypto_key *key, const struct crypto_sign *what,
		uint8_t *sig, size_t *n);
};

static const struct family families[] = {
	[FAMILY_RSA] = {rsa_key_generate, rsa_key_import, rsa_key_load, rsa_key_private,
		rsa_key_public, rsa_key_sign},
	[FAMILY_EC] = {ec_key_generate, ec_key_import, ec_key_import, ec_key_private, ec_key_public,
		ec_key_sign},
	[FAMILY_ED] = {ed_key_generate, ed_key_import, ed_key_import, ed_key_private, ed_key_public,
		ed_key_sign},
	[FAMILY_X] = {x_key_generate, x_key_import, x_key_import, ed_key_private, ed_key_public,
		secret_key_sign},
	[FAMILY_AES] = {secret_key_generate, secret_key_import, secret_key_import,
		secret_key_private, secret_key_public, secret_key_sign},
	[FAMILY_HMAC] = {secret_key_generate, secret_key_import, secret_key_import,
		secret_key_private, secret_key_public, secret_key_sign},
};

static const struct family *family_of(const struct crypto_key *key)
{
	return &families[key->info->family];
}

static enum kw_err key_new(enum key_type type, struct crypto_key **key)
{
	const struct key_type_info *info = key_type_find((uint8_t)type);

	*key = NULL;
	if (!info)
		return KW_ERR_UNSUPPORTED_TYPE;
	*key = OPENSSL_zalloc(sizeof(**key));
	if (!*key)
		return KW_ERR_NO_MEMORY;
	(*key)->info = info;
	return KW_ERR_OK;
}

/* Gives the key away when err is 0, frees it otherwise. */
static enum kw_err finish(struct crypto_key **key, enum kw_err err)
{
	if (!err)
		return KW_ERR_OK;
	crypto_key_free(key);
	return openssl_failure(err);
}

enum kw_err crypto_key_generate(enum key_type type, struct crypto_key **key)
{
	enum kw_err err = key_new(type, key);

	if (!err)
		err = family_of(*key)->generate(*key);
	return finish(key, err);
}

enum kw_err crypto_key_import(
	enum key_type type, const uint8_t *material, size_t n, struct crypto_key **key)
{
	enum kw_err err = key_new(type, key);

	if (!err)
		err = family_of(*key)->import(*key, material, n);
	return finish(key, err);
}

enum kw_err crypto_key_load(
	enum key_type type, const uint8_t *private_part, size_t n, struct crypto_key **key)
{
	enum kw_err err = key_new(type, key);

	if (!err)
		err = family_of(*key)->load(*key, private_part, n);
	return finish(key, err);
}

void crypto_key_free(struct crypto_key **key)
{
	if (!*key)
		return;
	/* Each of these wipes what it frees. */
	RSA_free((*key)->rsa);
	ec_key_free(*key);
	EVP_MD_CTX_free((*key)->ed_ready);
	EVP_PKEY_free((*key)->ed);
	OPENSSL_clear_free((*key)->value, (*key)->value_len);
	OPENSSL_clear_free(*key, sizeof(**key));
	*key = NULL;
}

enum kw_err crypto_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	enum kw_err err = family_of(key)->private_part(key, buf, n);

	if (err) {
		OPENSSL_cleanse(buf, CRYPTO_PRIVATE_MAX);
		*n = 0;
	}
	return err ? openssl_failure(err) : KW_ERR_OK;
}

enum kw_err crypto_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	enum kw_err err = family_of(key)->public_part(key, buf, n);

	if (err)
		*n = 0;
	return err ? openssl_failure(err) : KW_ERR_OK;
}

enum kw_err crypto_sign(
	const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig, size_t *n)
{
	enum kw_err err = family_of(key)->sign(key, what, sig, n);

	if (err) {
		/* Half a signature is no one's business. */
		OPENSSL_cleanse(sig, CRYPTO_SIGNATURE_MAX);
		*n = 0;
	}
	return err ? openssl_failure(err) : KW_ERR_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Secret keys on libcrypto: AES and HMAC. */
#include "crypto_openssl.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>

static const char *const cipher_names[][3] = {
	[CIPHER_AES_ECB] = {"AES-128-ECB", "AES-192-ECB", "AES-256-ECB"},
	[CIPHER_AES_CBC] = {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC"},
	[CIPHER_AES_CTR] = {"AES-128-CTR", "AES-192-CTR", "AES-256-CTR"},
	[CIPHER_AES_GCM] = {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"},
};

#define MODES (sizeof(cipher_names) / sizeof(cipher_names[0]))

static EVP_CIPHER *ciphers[MODES][3];
static EVP_MAC *cmac;

enum kw_err secret_init(void)
{
	for (size_t mode = CIPHER_AES_ECB; mode < MODES; mode++) {
		for (size_t i = 0; i < 3; i++) {
			ciphers[mode][i] = EVP_CIPHER_fetch(NULL, cipher_names[mode][i], NULL);
			if (!ciphers[mode][i])
				return KW_ERR_CRYPTO;
		}
	}
	cmac = EVP_MAC_fetch(NULL, "CMAC", NULL);
	return cmac ? KW_ERR_OK : KW_ERR_CRYPTO;
}

static size_t size_index(const struct crypto_key *key)
{
	return key->value_len == 16 ? 0 : key->value_len == 24 ? 1 : 2;
}

enum kw_err secret_key_generate(struct crypto_key *key)
{
	(void)key;
	return KW_ERR_UNSUPPORTED_TYPE;
}

enum kw_err secret_key_import(struct crypto_key *key, const uint8_t *in, size_t n)
{
	if (!key_type_takes(key->info, n))
		return KW_ERR_BAD_KEY;
	key->value = OPENSSL_memdup(in, n);
	if (!key->value)
		return KW_ERR_NO_MEMORY;
	key->value_len = n;
	return KW_ERR_OK;
}

enum kw_err secret_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	memcpy(buf, key->value, key->value_len);
	*n = key->value_len;
	return KW_ERR_OK;
}

enum kw_err secret_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	(void)key;
	(void)buf;
	*n = 0;
	return KW_ERR_BAD_ALGORITHM;
}

enum kw_err secret_key_sign(
	const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig, size_t *n)
{
	(void)key;
	(void)what;
	(void)sig;
	*n = 0;
	return KW_ERR_BAD_ALGORITHM;
}

static bool sizes_fit(const struct crypto_cipher *what)
{
	if (what->n > INT_MAX || what->iv.n > INT_MAX || what->aad.n > INT_MAX)
		return false;
	switch (what->mode) {
	case CIPHER_AES_ECB:
		return what->iv.n == 0 && what->n % CRYPTO_BLOCK == 0;
	case CIPHER_AES_CBC:
		return what->iv.n == CRYPTO_BLOCK && what->n % CRYPTO_BLOCK == 0;
	case CIPHER_AES_CTR:
		return what->iv.n == CRYPTO_BLOCK;
	case CIPHER_AES_GCM:
		return what->iv.n > 0 && what->tag_len > 0 && what->tag_len <= CRYPTO_TAG_SIZE;
	default:
		return false;
	}
}

static bool cipher_start(
	EVP_CIPHER_CTX *ctx, const struct crypto_key *key, const struct crypto_cipher *what)
{
	const EVP_CIPHER *cipher = ciphers[what->mode][size_index(key)];
	int len;

	if (what->mode != CIPHER_AES_GCM)
		return EVP_CipherInit_ex2(
			       ctx, cipher, key->value, what->iv.p, what->encrypt, NULL) > 0 &&
		       EVP_CIPHER_CTX_set_padding(ctx, 0) > 0;
	return EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, what->encrypt, NULL) > 0 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)what->iv.n, NULL) > 0 &&
	       EVP_CipherInit_ex2(ctx, NULL, key->value, what->iv.p, what->encrypt, NULL) > 0 &&
	       (!what->aad.n ||
		       EVP_CipherUpdate(ctx, NULL, &len, what->aad.p, (int)what->aad.n) > 0);
}

/* The tag that libcrypto compares with is its own copy; it does so in constant time. */
static enum kw_err cipher_finish(EVP_CIPHER_CTX *ctx, const struct crypto_cipher *what)
{
	bool is_gcm = what->mode == CIPHER_AES_GCM;
	uint8_t rest[CRYPTO_BLOCK];
	int size = (int)what->tag_len;
	int len;

	if (is_gcm && !what->encrypt &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, size, what->tag) <= 0)
		return KW_ERR_CRYPTO;
	if (EVP_CipherFinal_ex(ctx, rest, &len) <= 0)
		return is_gcm && !what->encrypt ? KW_ERR_DECRYPT : KW_ERR_CRYPTO;
	if (is_gcm && what->encrypt &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, size, what->tag) <= 0)
		return KW_ERR_CRYPTO;
	return len == 0 ? KW_ERR_OK : KW_ERR_CRYPTO;
}

enum kw_err crypto_cipher(
	const struct crypto_key *key, const struct crypto_cipher *what, uint8_t *out)
{
	enum kw_err err = KW_ERR_BAD_ALGORITHM;
	EVP_CIPHER_CTX *ctx = NULL;
	int len;

	if (key->info->family != FAMILY_AES || !sizes_fit(what))
		goto out;
	err = KW_ERR_NO_MEMORY;
	ctx = EVP_CIPHER_CTX_new();
	if (!ctx)
		goto out;
	err = KW_ERR_CRYPTO;
	if (!cipher_start(ctx, key, what))
		goto out;
	if (what->n && (EVP_CipherUpdate(ctx, out, &len, what->in, (int)what->n) <= 0 ||
			       (size_t)len != what->n))
		goto out;
	err = cipher_finish(ctx, what);
out:
	EVP_CIPHER_CTX_free(ctx);
	if (err) {
		/* Nobody is to use what was not authenticated. */
		OPENSSL_cleanse(out, what->n);
		err = openssl_failure(err);
	}
	return err;
}

enum kw_err crypto_cmac(
	const struct crypto_key *key, const uint8_t *in, size_t n, uint8_t tag[CRYPTO_BLOCK])
{
	OSSL_PARAM params[2];
	enum kw_err err = KW_ERR_BAD_ALGORITHM;
	EVP_MAC_CTX *ctx = NULL;
	char name[16];
	size_t len;

	if (key->info->family != FAMILY_AES)
		goto out;
	memcpy(name, cipher_names[CIPHER_AES_CBC][size_index(key)], sizeof("AES-128-CBC"));
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, name, 0);
	params[1] = OSSL_PARAM_construct_end();
	err = KW_ERR_NO_MEMORY;
	ctx = EVP_MAC_CTX_new(cmac);
	if (!ctx)
		goto out;
	err = KW_ERR_CRYPTO;
	if (EVP_MAC_init(ctx, key->value, key->value_len, params) &&
		(!n || EVP_MAC_update(ctx, in, n)) && EVP_MAC_final(ctx, tag, &len, CRYPTO_BLOCK) &&
		len == CRYPTO_BLOCK)
		err = KW_ERR_OK;
out:
	EVP_MAC_CTX_free(ctx);
	return err ? openssl_failure(err) : KW_ERR_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* core/crypto.h on libcrypto: hashes and symmetric keys. */
#include "crypto_openssl.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/sha.h>

static const char *const md_names[] = {
#define KW_HASH(number, NAME, name, bytes) [HASH_##NAME] = name,
#include "keyward/algorithms.def"
};

static const size_t hash_sizes[] = {
#define KW_HASH(number, NAME, name, bytes) [HASH_##NAME] = bytes,
#include "keyward/algorithms.def"
};

#define HASHES (sizeof(hash_sizes) / sizeof(hash_sizes[0]))

static EVP_MD *mds[HASHES];
static EVP_CIPHER *gcm;
static EVP_MAC *hmac;

const char *crypto_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

enum kw_err openssl_failure(enum kw_err err)
{
	unsigned long code;

	while ((code = ERR_get_error()) != 0) {
		if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
			err = KW_ERR_NO_MEMORY;
	}
	return err;
}

enum kw_err crypto_init(void)
{
	static bool ready;
	enum kw_err err = KW_ERR_CRYPTO;

	if (ready)
		return KW_ERR_OK;
	/* Without openssl.cnf: no other provider, ENGINE or random source may get into the TEE. */
	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL))
		goto out;
	for (size_t i = 1; i < HASHES; i++) {
		mds[i] = EVP_MD_fetch(NULL, md_names[i], NULL);
		if (!mds[i] || (size_t)EVP_MD_get_size(mds[i]) != hash_sizes[i])
			goto out;
	}
	gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (!gcm || !hmac)
		goto out;
	err = context_init();
	if (!err)
		err = ec_init();
	if (!err)
		err = secret_init();
	ready = !err;
out:
	return err ? openssl_failure(err) : KW_ERR_OK;
}

size_t hash_size(enum hash_id hash)
{
	return (size_t)hash < HASHES ? hash_sizes[hash] : 0;
}

const EVP_MD *openssl_md(enum hash_id hash)
{
	return (size_t)hash < HASHES ? mds[hash] : NULL;
}

enum kw_err crypto_hash(enum hash_id hash, const void *in, size_t n, uint8_t *out)
{
	const EVP_MD *md = openssl_md(hash);

	if (!md)
		return KW_ERR_BAD_ALGORITHM;
	if (!EVP_Digest(in, n, out, NULL, md, NULL))
		return openssl_failure(KW_ERR_CRYPTO);
	return KW_ERR_OK;
}

/* What servers sign most is a short message: EVP_Digest takes 60 % longer for that. */
static void sha256(const uint8_t *in, size_t n, uint8_t out[32])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, in, n);
	SHA256_Final(out, &ctx);
}

enum kw_err openssl_digest(const struct crypto_sign *what, uint8_t digest[HASH_MAX_SIZE], size_t *n)
{
	*n = hash_size(what->hash);
	if (!*n || (what->is_digest && what->n != *n))
		return KW_ERR_BAD_ALGORITHM;
	if (!what->is_digest && what->hash == HASH_SHA256) {
		sha256(what->data, what->n, digest);
		return KW_ERR_OK;
	}
	if (!what->is_digest)
		return crypto_hash(what->hash, what->data, what->n, digest);
	for (size_t i = 0; i < *n; i++)
		digest[i] = what->data[i];
	return KW_ERR_OK;
}

enum kw_err crypto_hmac_with(enum hash_id hash, struct crypto_bytes key,
	const struct crypto_bytes *parts, size_t count, uint8_t *tag)
{
	OSSL_PARAM params[2] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
	enum kw_err err = KW_ERR_BAD_ALGORITHM;
	size_t size = hash_size(hash);
	EVP_MAC_CTX *ctx = NULL;
	char name[16];
	size_t n;

	if (!size)
		goto out;
	/* Parameters that are only read are not const there. */
	OPENSSL_strlcpy(name, md_names[hash], sizeof(name));
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
	err = KW_ERR_NO_MEMORY;
	ctx = EVP_MAC_CTX_new(hmac);
	if (!ctx)
		goto out;
	err = KW_ERR_CRYPTO;
	if (!EVP_MAC_init(ctx, key.p, key.n, params))
		goto out;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].n && !EVP_MAC_update(ctx, parts[i].p, parts[i].n))
			goto out;
	}
	if (EVP_MAC_final(ctx, tag, &n, size) && n == size)
		err = KW_ERR_OK;
out:
	EVP_MAC_CTX_free(ctx);
	return err ? openssl_failure(err) : KW_ERR_OK;
}

enum kw_err crypto_hmac(const uint8_t key[CRYPTO_KEY_SIZE], const struct crypto_bytes *parts,
	size_t count, uint8_t tag[32])
{
	return crypto_hmac_with(
		HASH_SHA256, (struct crypto_bytes){key, CRYPTO_KEY_SIZE}, parts, count, tag);
}

/* Either direction up to the tag. ivlen is GCM's default of 96 bits. */
static bool gcm_run(EVP_CIPHER_CTX *ctx, const uint8_t *key, const uint8_t *nonce,
	struct crypto_bytes aad, const uint8_t *in, size_t n, uint8_t *out, int encrypt)
{
	int len;

	if (n > INT_MAX || aad.n > INT_MAX)
		return false;
	return EVP_CipherInit_ex2(ctx, gcm, key, nonce, encrypt, NULL) &&
	       (!aad.n || EVP_CipherUpdate(ctx, NULL, &len, aad.p, (int)aad.n)) &&
	       (!n || (EVP_CipherUpdate(ctx, out, &len, in, (int)n) && len == (int)n));
}

enum kw_err crypto_seal(const uint8_t key[CRYPTO_KEY_SIZE], const uint8_t nonce[12],
	struct crypto_bytes aad, const uint8_t *in, size_t n, uint8_t *out,
	uint8_t tag[CRYPTO_TAG_SIZE])
{
	enum kw_err err = KW_ERR_NO_MEMORY;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t rest[16];
	int len;

	if (!ctx)
		goto out;
	err = KW_ERR_CRYPTO;
	if (gcm_run(ctx, key, nonce, aad, in, n, out, 1) && EVP_CipherFinal_ex(ctx, rest, &len) &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG_SIZE, tag) > 0)
		err = KW_ERR_OK;
out:
	EVP_CIPHER_CTX_free(ctx);
	return err ? openssl_failure(err) : KW_ERR_OK;
}

enum kw_err crypto_open(const uint8_t key[CRYPTO_KEY_SIZE], const uint8_t nonce[12],
	struct crypto_bytes aad, const uint8_t *in, size_t n, uint8_t *out,
	const uint8_t tag[CRYPTO_TAG_SIZE])
{
	enum kw_err err = KW_ERR_NO_MEMORY;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t expected[CRYPTO_TAG_SIZE];
	uint8_t rest[16];
	int len;

	if (!ctx)
		goto out;
	err = KW_ERR_CRYPTO;
	for (size_t i = 0; i < CRYPTO_TAG_SIZE; i++)
		expected[i] = tag[i];
	if (!gcm_run(ctx, key, nonce, aad, in, n, out, 0) ||
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, CRYPTO_TAG_SIZE, expected) <= 0)
		goto out;
	err = EVP_CipherFinal_ex(ctx, rest, &len) > 0 ? KW_ERR_OK : KW_ERR_CORRUPT;
out:
	EVP_CIPHER_CTX_free(ctx);
	if (err) {
		/* Nobody is to use what was not authenticated. */
		OPENSSL_cleanse(out, n);
		err = openssl_failure(err);
	}
	return err;
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
	return !CRYPTO_memcmp(a, b, n);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* core/crypto.h on nettle: hashes, symmetric keys and randomness. */
#include "crypto_nettle.h"

#include <gmp.h>
#include <nettle/gcm.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/version.h>
#include <string.h>

#include "core/platform.h"
#include "crypto_nettle_memory.h"

#define TEXT(x) #x
#define NUMBER(x) TEXT(x)
#define NETTLE NUMBER(NETTLE_VERSION_MAJOR) "." NUMBER(NETTLE_VERSION_MINOR)
#define GMP_MINOR NUMBER(__GNU_MP_VERSION_MINOR) "." NUMBER(__GNU_MP_VERSION_PATCHLEVEL)
#define GMP NUMBER(__GNU_MP_VERSION) "." GMP_MINOR

static const struct nettle_hash *const hashes[] = {
	[HASH_SHA224] = &nettle_sha224,
	[HASH_SHA256] = &nettle_sha256,
	[HASH_SHA384] = &nettle_sha384,
	[HASH_SHA512] = &nettle_sha512,
};

#define HASHES (sizeof(hashes) / sizeof(hashes[0]))

const char *crypto_version(void)
{
	return "nettle " NETTLE ", GMP " GMP;
}

enum kw_err crypto_init(void)
{
	operation_setup();
	return KW_ERR_OK;
}

const struct nettle_hash *hash_table(enum hash_id hash)
{
	return (size_t)hash < HASHES ? hashes[hash] : NULL;
}

size_t hash_size(enum hash_id hash)
{
	const struct nettle_hash *table = hash_table(hash);

	return table ? table->digest_size : 0;
}

enum kw_err crypto_hash(enum hash_id hash, const void *in, size_t n, uint8_t *out)
{
	const struct nettle_hash *table = hash_table(hash);
	union {
		struct sha256_ctx sha256;
		struct sha512_ctx sha512;
	} ctx;

	if (!table || table->context_size > sizeof(ctx))
		return KW_ERR_BAD_ALGORITHM;
	table->init(&ctx);
	if (n)
		table->update(&ctx, n, in);
	table->digest(&ctx, table->digest_size, out);
	platform_wipe(&ctx, sizeof(ctx));
	return KW_ERR_OK;
}

enum kw_err sign_digest(const struct crypto_sign *what, uint8_t digest[HASH_MAX_SIZE], size_t *n)
{
	*n = hash_size(what->hash);
	if (!*n || (what->is_digest && what->n != *n))
		return KW_ERR_BAD_ALGORITHM;
	if (!what->is_digest)
		return crypto_hash(what->hash, what->data, what->n, digest);
	memcpy(digest, what->data, *n);
	return KW_ERR_OK;
}

enum kw_err crypto_hmac(const uint8_t key[CRYPTO_KEY_SIZE], const struct crypto_bytes *parts,
	size_t count, uint8_t tag[32])
{
	struct hmac_sha256_ctx ctx;

	hmac_sha256_set_key(&ctx, CRYPTO_KEY_SIZE, key);
	for (size_t i = 0; i < count; i++) {
		if (parts[i].n)
			hmac_sha256_update(&ctx, parts[i].n, parts[i].p);
	}
	hmac_sha256_digest(&ctx, 32, tag);
	platform_wipe(&ctx, sizeof(ctx));
	return KW_ERR_OK;
}

static void gcm_start(struct gcm_aes256_ctx *ctx, const uint8_t *key, const uint8_t *nonce,
	struct crypto_bytes aad)
{
	gcm_aes256_set_key(ctx, key);
	gcm_aes256_set_iv(ctx, GCM_IV_SIZE, nonce);
	if (aad.n)
		gcm_aes256_update(ctx, aad.n, aad.p);
}

enum kw_err crypto_seal(const uint8_t key[CRYPTO_KEY_SIZE], const uint8_t nonce[12],
	struct crypto_bytes aad, const uint8_t *in, size_t n, uint8_t *out,
	uint8_t tag[CRYPTO_TAG_SIZE])
{
	struct gcm_aes256_ctx ctx;

	gcm_start(&ctx, key, nonce, aad);
	if (n)
		gcm_aes256_encrypt(&ctx, n, out, in);
	gcm_aes256_digest(&ctx, CRYPTO_TAG_SIZE, tag);
	platform_wipe(&ctx, sizeof(ctx));
	return KW_ERR_OK;
}

enum kw_err crypto_open(const uint8_t key[CRYPTO_KEY_SIZE], const uint8_t nonce[12],
	struct crypto_bytes aad, const uint8_t *in, size_t n, uint8_t *out,
	const uint8_t tag[CRYPTO_TAG_SIZE])
{
	struct gcm_aes256_ctx ctx;
	uint8_t computed[CRYPTO_TAG_SIZE];
	enum kw_err err = KW_ERR_CORRUPT;

	gcm_start(&ctx, key, nonce, aad);
	if (n)
		gcm_aes256_decrypt(&ctx, n, out, in);
	gcm_aes256_digest(&ctx, CRYPTO_TAG_SIZE, computed);
	if (crypto_equal(computed, tag, CRYPTO_TAG_SIZE))
		err = KW_ERR_OK;
	else
		platform_wipe(out, n);
	platform_wipe(&ctx, sizeof(ctx));
	platform_wipe(computed, sizeof(computed));
	return err;
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
	return memeql_sec(a, b, n);
}

enum kw_err stream_seed(struct stream *s, const struct crypto_bytes *parts, size_t count)
{
	uint8_t fresh[CRYPTO_KEY_SIZE];
	enum kw_err err = platform_random(fresh, sizeof(fresh));

	s->counter = 0;
	if (!err)
		err = crypto_hmac(fresh, parts, count, s->key);
	platform_wipe(fresh, sizeof(fresh));
	return err;
}

/* HMAC-SHA-256 of a counter under the seed; a block is used once and what is left of it dropped. */
void stream_read(void *stream, size_t n, uint8_t *out)
{
	struct stream *s = stream;
	struct hmac_sha256_ctx ctx;
	uint8_t counter[8];

	hmac_sha256_set_key(&ctx, sizeof(s->key), s->key);
	while (n) {
		size_t take = n < SHA256_DIGEST_SIZE ? n : SHA256_DIGEST_SIZE;

		for (unsigned i = 0; i < sizeof(counter); i++)
			counter[i] = (uint8_t)(s->counter >> 8 * i);
		s->counter++;
		hmac_sha256_update(&ctx, sizeof(counter), counter);
		hmac_sha256_digest(&ctx, take, out);
		out += take;
		n -= take;
	}
	platform_wipe(&ctx, sizeof(ctx));
}

void stream_wipe(struct stream *s)
{
	platform_wipe(s, sizeof(*s));
}

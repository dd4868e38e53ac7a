/* SPDX-License-Identifier: BSD-2-Clause */
/* Secret keys on nettle: AES and HMAC. */
#include "crypto_nettle.h"

#include <nettle/aes.h>
#include <nettle/cbc.h>
#include <nettle/cmac.h>
#include <nettle/ctr.h>
#include <nettle/gcm.h>
#include <nettle/hmac.h>
#include <string.h>

#include "core/platform.h"

union aes {
	struct aes128_ctx a128;
	struct aes192_ctx a192;
	struct aes256_ctx a256;
};

union hash_state {
	struct sha256_ctx sha256;
	struct sha512_ctx sha512;
};

enum kw_err crypto_hmac_with(enum hash_id hash, struct crypto_bytes key,
	const struct crypto_bytes *parts, size_t count, uint8_t *tag)
{
	const struct nettle_hash *table = hash_table(hash);
	union hash_state outer, inner, state;

	if (!table || table->context_size > sizeof(state))
		return KW_ERR_BAD_ALGORITHM;
	hmac_set_key(&outer, &inner, &state, table, key.n, key.p);
	for (size_t i = 0; i < count; i++) {
		if (parts[i].n)
			hmac_update(&state, table, parts[i].n, parts[i].p);
	}
	hmac_digest(&outer, &inner, &state, table, table->digest_size, tag);
	platform_wipe(&outer, sizeof(outer));
	platform_wipe(&inner, sizeof(inner));
	platform_wipe(&state, sizeof(state));
	return KW_ERR_OK;
}

static const struct nettle_cipher *aes_of(const struct crypto_key *key)
{
	switch (key->value_len) {
	case AES128_KEY_SIZE:
		return &nettle_aes128;
	case AES192_KEY_SIZE:
		return &nettle_aes192;
	default:
		return &nettle_aes256;
	}
}

enum kw_err secret_key_generate(struct crypto_key *key)
{
	(void)key;
	return KW_ERR_UNSUPPORTED_TYPE;
}

enum kw_err secret_key_import(struct crypto_key *key, const uint8_t *in, size_t n)
{
	if (!key_type_takes(key->info, n) || n > sizeof(key->value))
		return KW_ERR_BAD_KEY;
	memcpy(key->value, in, n);
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

static void run_blocks(const struct crypto_key *key, const struct crypto_cipher *what, uint8_t *out)
{
	const struct nettle_cipher *c = aes_of(key);
	uint8_t iv[CRYPTO_BLOCK];
	union aes ctx;

	if (what->encrypt || what->mode == CIPHER_AES_CTR)
		c->set_encrypt_key(&ctx, key->value);
	else
		c->set_decrypt_key(&ctx, key->value);
	if (what->mode != CIPHER_AES_ECB)
		memcpy(iv, what->iv.p, sizeof(iv));
	if (what->mode == CIPHER_AES_CTR)
		ctr_crypt(&ctx, c->encrypt, CRYPTO_BLOCK, iv, what->n, out, what->in);
	else if (what->mode == CIPHER_AES_CBC && what->encrypt)
		cbc_encrypt(&ctx, c->encrypt, CRYPTO_BLOCK, iv, what->n, out, what->in);
	else if (what->mode == CIPHER_AES_CBC)
		cbc_decrypt(&ctx, c->decrypt, CRYPTO_BLOCK, iv, what->n, out, what->in);
	else
		(what->encrypt ? c->encrypt : c->decrypt)(&ctx, what->n, out, what->in);
	platform_wipe(&ctx, sizeof(ctx));
	platform_wipe(iv, sizeof(iv));
}

static enum kw_err run_gcm(
	const struct crypto_key *key, const struct crypto_cipher *what, uint8_t *out)
{
	const struct nettle_cipher *c = aes_of(key);
	uint8_t tag[CRYPTO_TAG_SIZE];
	enum kw_err err = KW_ERR_OK;
	struct gcm_key hash_key;
	struct gcm_ctx gcm;
	union aes ctx;

	c->set_encrypt_key(&ctx, key->value);
	gcm_set_key(&hash_key, &ctx, c->encrypt);
	gcm_set_iv(&gcm, &hash_key, what->iv.n, what->iv.p);
	if (what->aad.n)
		gcm_update(&gcm, &hash_key, what->aad.n, what->aad.p);
	if (what->n && what->encrypt)
		gcm_encrypt(&gcm, &hash_key, &ctx, c->encrypt, what->n, out, what->in);
	else if (what->n)
		gcm_decrypt(&gcm, &hash_key, &ctx, c->encrypt, what->n, out, what->in);
	gcm_digest(&gcm, &hash_key, &ctx, c->encrypt, sizeof(tag), tag);
	if (what->encrypt)
		memcpy(what->tag, tag, what->tag_len);
	else if (!crypto_equal(tag, what->tag, what->tag_len))
		err = KW_ERR_DECRYPT;
	platform_wipe(&ctx, sizeof(ctx));
	platform_wipe(&gcm, sizeof(gcm));
	platform_wipe(&hash_key, sizeof(hash_key));
	platform_wipe(tag, sizeof(tag));
	return err;
}

static bool sizes_fit(const struct crypto_cipher *what)
{
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

enum kw_err crypto_cipher(
	const struct crypto_key *key, const struct crypto_cipher *what, uint8_t *out)
{
	enum kw_err err = KW_ERR_BAD_ALGORITHM;

	if (key->info->family == FAMILY_AES && sizes_fit(what)) {
		err = KW_ERR_OK;
		if (what->mode == CIPHER_AES_GCM)
			err = run_gcm(key, what, out);
		else if (what->n)
			run_blocks(key, what, out);
	}
	/* Nobody is to use what was not authenticated. */
	if (err)
		platform_wipe(out, what->n);
	return err;
}

enum kw_err crypto_cmac(
	const struct crypto_key *key, const uint8_t *in, size_t n, uint8_t tag[CRYPTO_BLOCK])
{
	const struct nettle_cipher *c = aes_of(key);
	struct cmac128_key masks;
	struct cmac128_ctx mac;
	union aes ctx;

	if (key->info->family != FAMILY_AES)
		return KW_ERR_BAD_ALGORITHM;
	c->set_encrypt_key(&ctx, key->value);
	cmac128_set_key(&masks, &ctx, c->encrypt);
	cmac128_init(&mac);
	if (n)
		cmac128_update(&mac, &ctx, c->encrypt, n, in);
	cmac128_digest(&mac, &masks, &ctx, c->encrypt, CRYPTO_BLOCK, tag);
	platform_wipe(&ctx, sizeof(ctx));
	platform_wipe(&mac, sizeof(mac));
	platform_wipe(&masks, sizeof(masks));
	return KW_ERR_OK;
}

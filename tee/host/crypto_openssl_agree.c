/* SPDX-License-Identifier: BSD-2-Clause */
/* X25519 keys, and what two keys agree on, on libcrypto. */
#include "crypto_openssl.h"

#include <openssl/crypto.h>
#include <openssl/ecdh.h>

#define X25519_SIZE 32

enum kw_err x_key_generate(struct crypto_key *key)
{
	key->ed = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	return key->ed ? KW_ERR_OK : KW_ERR_CRYPTO;
}

enum kw_err x_key_import(struct crypto_key *key, const uint8_t *in, size_t n)
{
	if (n != X25519_SIZE)
		return KW_ERR_BAD_KEY;
	key->ed = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, in, n);
	return key->ed ? KW_ERR_OK : KW_ERR_CRYPTO;
}

static enum kw_err agree_x(
	const struct crypto_key *key, const uint8_t *peer, size_t n, uint8_t *out, size_t *out_len)
{
	enum kw_err err = KW_ERR_BAD_KEY;
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *other = NULL;

	if (n != X25519_SIZE)
		goto out;
	err = KW_ERR_NO_MEMORY;
	other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer, n);
	ctx = EVP_PKEY_CTX_new(key->ed, NULL);
	if (!other || !ctx)
		goto out;
	err = KW_ERR_CRYPTO;
	if (EVP_PKEY_derive_init(ctx) <= 0 || EVP_PKEY_derive_set_peer(ctx, other) <= 0)
		goto out;
	/* Fails for a point of small order, whose result is zero (RFC 7748, 6.1). */
	err = KW_ERR_BAD_KEY;
	*out_len = X25519_SIZE;
	if (EVP_PKEY_derive(ctx, out, out_len) > 0 && *out_len == X25519_SIZE)
		err = KW_ERR_OK;
out:
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(other);
	return err;
}

static enum kw_err agree_ec(
	const struct crypto_key *key, const uint8_t *peer, size_t n, uint8_t *out, size_t *out_len)
{
	const EC_GROUP *group = EC_KEY_get0_group(key->ec);
	size_t size = key_type_bytes(key->info);
	enum kw_err err = KW_ERR_BAD_KEY;
	EC_POINT *point = NULL;

	if (n != 1 + 2 * size || peer[0] != POINT_CONVERSION_UNCOMPRESSED)
		goto out;
	err = KW_ERR_NO_MEMORY;
	point = EC_POINT_new(group);
	if (!point)
		goto out;
	/* Fails for coordinates that are out of range or not on the curve. */
	err = KW_ERR_BAD_KEY;
	if (!EC_POINT_oct2point(group, point, peer, n, NULL))
		goto out;
	err = KW_ERR_CRYPTO;
	if (ECDH_compute_key(out, size, point, key->ec, NULL) == (int)size) {
		*out_len = size;
		err = KW_ERR_OK;
	}
out:
	EC_POINT_free(point);
	return err;
}

enum kw_err crypto_agree(
	const struct crypto_key *key, const uint8_t *peer, size_t n, uint8_t *out, size_t *out_len)
{
	enum kw_err err = KW_ERR_BAD_ALGORITHM;

	*out_len = 0;
	if (key->info->family == FAMILY_EC)
		err = agree_ec(key, peer, n, out, out_len);
	else if (key->info->family == FAMILY_X)
		err = agree_x(key, peer, n, out, out_len);
	if (err) {
		OPENSSL_cleanse(out, CRYPTO_AGREED_MAX);
		*out_len = 0;
		err = openssl_failure(err);
	}
	return err;
}

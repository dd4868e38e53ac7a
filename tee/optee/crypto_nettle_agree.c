/* SPDX-License-Identifier: BSD-2-Clause */
/* X25519 keys, and what two keys agree on, on nettle. */
#include "crypto_nettle.h"

#include <nettle/bignum.h>
#include <nettle/curve25519.h>
#include <string.h>

#include "core/platform.h"

static enum kw_err x_finish(struct crypto_key *key)
{
	curve25519_mul_g(key->ed_public, key->ed_seed);
	return KW_ERR_OK;
}

enum kw_err x_key_generate(struct crypto_key *key)
{
	enum kw_err err = platform_random(key->ed_seed, sizeof(key->ed_seed));

	return err ? err : x_finish(key);
}

enum kw_err x_key_import(struct crypto_key *key, const uint8_t *in, size_t n)
{
	if (n != sizeof(key->ed_seed))
		return KW_ERR_BAD_KEY;
	memcpy(key->ed_seed, in, n);
	return x_finish(key);
}

static enum kw_err agree_x(
	const struct crypto_key *key, const uint8_t *peer, size_t n, uint8_t *out, size_t *out_len)
{
	static const uint8_t zeros[CURVE25519_SIZE];

	if (n != CURVE25519_SIZE)
		return KW_ERR_BAD_KEY;
	curve25519_mul(out, key->ed_seed, peer);
	*out_len = CURVE25519_SIZE;
	/* A point of small order (RFC 7748, 6.1). */
	return crypto_equal(out, zeros, sizeof(zeros)) ? KW_ERR_BAD_KEY : KW_ERR_OK;
}

static enum kw_err agree_ec(
	const struct crypto_key *key, const uint8_t *peer, size_t n, uint8_t *out, size_t *out_len)
{
	size_t size = key_type_bytes(key->info);
	enum kw_err err = KW_ERR_BAD_KEY;
	struct ecc_point point;
	mpz_t x, y;

	if (n != 1 + 2 * size || peer[0] != 4) /* SEC 1, 2.3.4: uncompressed */
		return KW_ERR_BAD_KEY;
	ecc_point_init(&point, ec_curve_of(key->info->type));
	nettle_mpz_init_set_str_256_u(x, size, peer + 1);
	nettle_mpz_init_set_str_256_u(y, size, peer + 1 + size);
	/* False for coordinates that are out of range or not on the curve. The order is a prime, so that no
	 * product with a good scalar is the point at infinity. */
	if (!ecc_point_set(&point, x, y))
		goto out;
	ecc_point_mul(&point, &key->ec, &point);
	ecc_point_get(&point, x, NULL);
	err = number_to_bytes(x, out, size) ? KW_ERR_OK : KW_ERR_CRYPTO;
	*out_len = size;
out:
	mpz_clear(x);
	mpz_clear(y);
	ecc_point_clear(&point);
	return err;
}

enum kw_err agree_run(
	const struct crypto_key *key, const uint8_t *peer, size_t n, uint8_t *out, size_t *out_len)
{
	if (key->info->family == FAMILY_EC)
		return agree_ec(key, peer, n, out, out_len);
	if (key->info->family == FAMILY_X)
		return agree_x(key, peer, n, out, out_len);
	return KW_ERR_BAD_ALGORITHM;
}

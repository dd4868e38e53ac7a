/* SPDX-License-Identifier: BSD-2-Clause */
/* EC and Ed25519 keys on nettle. */
#include "crypto_nettle.h"

#include <nettle/bignum.h>
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <nettle/eddsa.h>
#include <string.h>

#include "core/platform.h"

#define EC_MAX 66 /* bytes of a P-521 scalar */

const struct ecc_curve *ec_curve_of(enum key_type type)
{
	switch (type) {
	case KEY_TYPE_EC_P384:
		return nettle_get_secp_384r1();
	case KEY_TYPE_EC_P521:
		return nettle_get_secp_521r1();
	default:
		return nettle_get_secp_256r1();
	}
}

static void ec_prepare(struct crypto_key *key)
{
	ecc_scalar_init(&key->ec, ec_curve_of(key->info->type));
	key->has_numbers = true;
}

enum kw_err ec_key_generate(struct crypto_key *key)
{
	struct stream stream;
	enum kw_err err = stream_seed(&stream, NULL, 0);

	if (err)
		goto out;
	ec_prepare(key);
	ecc_scalar_random(&key->ec, &stream, stream_read);
out:
	stream_wipe(&stream);
	return err;
}

enum kw_err ec_key_import(struct crypto_key *key, const uint8_t *in, size_t n)
{
	enum kw_err err = KW_ERR_BAD_KEY;
	mpz_t scalar;

	if (n != key_type_bytes(key->info))
		return KW_ERR_BAD_KEY;
	ec_prepare(key);
	nettle_mpz_init_set_str_256_u(scalar, n, in);
	/* False unless 1 <= scalar < n. */
	if (ecc_scalar_set(&key->ec, scalar))
		err = KW_ERR_OK;
	mpz_clear(scalar);
	return err;
}

enum kw_err ec_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	size_t size = key_type_bytes(key->info);
	bool good;
	mpz_t scalar;

	mpz_init(scalar);
	ecc_scalar_get(&key->ec, scalar);
	good = number_to_bytes(scalar, buf, size);
	mpz_clear(scalar);
	*n = size;
	return good ? KW_ERR_OK : KW_ERR_CRYPTO;
}

enum kw_err ec_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	size_t size = key_type_bytes(key->info);
	struct ecc_point point;
	bool good;
	mpz_t x, y;

	ecc_point_init(&point, ec_curve_of(key->info->type));
	ecc_point_mul_g(&point, &key->ec);
	mpz_inits(x, y, NULL);
	ecc_point_get(&point, x, y);
	buf[0] = 4; /* SEC 1, 2.3.3: uncompressed */
	good = number_to_bytes(x, buf + 1, size) && number_to_bytes(y, buf + 1 + size, size);
	mpz_clears(x, y, NULL);
	ecc_point_clear(&point);
	*n = 1 + 2 * size;
	return good ? KW_ERR_OK : KW_ERR_CRYPTO;
}

/*
 * The nonce comes from fresh randomness, private key and digest together: a stuck random source
 * does not repeat it for another message, and a fault cannot make it repeat for another digest as
 * with RFC 6979.
 */
static enum kw_err nonce_stream(
	const struct crypto_key *key, const uint8_t *digest, size_t n, struct stream *stream)
{
	uint8_t scalar[EC_MAX];
	struct crypto_bytes parts[] = {{scalar, 0}, {digest, n}};
	enum kw_err err = ec_key_private(key, scalar, &parts[0].n);

	if (!err)
		err = stream_seed(stream, parts, 2);
	platform_wipe(scalar, sizeof(scalar));
	return err;
}

/* nettle truncates the digest (FIPS 186-5, 6.4.1). */
enum kw_err ec_key_sign(
	const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig, size_t *n)
{
	size_t size = key_type_bytes(key->info);
	uint8_t digest[HASH_MAX_SIZE];
	struct dsa_signature rs;
	struct stream stream = {0};
	enum kw_err err;
	size_t len;

	if (what->scheme != SCHEME_ECDSA)
		return KW_ERR_BAD_ALGORITHM;
	err = sign_digest(what, digest, &len);
	if (err)
		return err;
	err = nonce_stream(key, digest, len, &stream);
	if (err)
		goto out;
	dsa_signature_init(&rs);
	ecdsa_sign(&key->ec, &stream, stream_read, len, digest, &rs);
	err = KW_ERR_CRYPTO;
	if (number_to_bytes(rs.r, sig, size) && number_to_bytes(rs.s, sig + size, size))
		err = KW_ERR_OK;
	dsa_signature_clear(&rs);
	*n = 2 * size;
out:
	stream_wipe(&stream);
	return err;
}

static enum kw_err ed_finish(struct crypto_key *key)
{
	ed25519_sha512_public_key(key->ed_public, key->ed_seed);
	return KW_ERR_OK;
}

enum kw_err ed_key_generate(struct crypto_key *key)
{
	enum kw_err err = platform_random(key->ed_seed, sizeof(key->ed_seed));

	return err ? err : ed_finish(key);
}

enum kw_err ed_key_import(struct crypto_key *key, const uint8_t *in, size_t n)
{
	if (n != sizeof(key->ed_seed))
		return KW_ERR_BAD_KEY;
	memcpy(key->ed_seed, in, n);
	return ed_finish(key);
}

enum kw_err ed_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	*n = sizeof(key->ed_seed);
	memcpy(buf, key->ed_seed, *n);
	return KW_ERR_OK;
}

enum kw_err ed_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	*n = sizeof(key->ed_public);
	memcpy(buf, key->ed_public, *n);
	return KW_ERR_OK;
}

enum kw_err ed_key_sign(
	const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig, size_t *n)
{
	if (what->scheme != SCHEME_EDDSA || what->hash != HASH_NONE || what->is_digest)
		return KW_ERR_BAD_ALGORITHM;
	ed25519_sha512_sign(key->ed_public, key->ed_seed, what->n, what->data, sig);
	*n = ED25519_SIGNATURE_SIZE;
	return KW_ERR_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What RSA keys do, on nettle. */
#include "crypto_nettle.h"

#include <gmp.h>
#include <nettle/bignum.h>
#include <nettle/pkcs1.h>
#include <nettle/pss.h>
#include <string.h>

#include "core/platform.h"
#include "core/rsa_unpad.h"

#define DIGEST_INFO_HEAD 19

/* DER of DigestInfo up to the digest itself (RFC 8017, 9.2, note 1). The hashes differ in the last
 * byte of the object identifier and in lengths only. */
static size_t digest_info(enum hash_id hash, const uint8_t *digest, size_t n,
	uint8_t out[DIGEST_INFO_HEAD + HASH_MAX_SIZE])
{
	static const uint8_t oid_end[] = {
		[HASH_SHA224] = 4,
		[HASH_SHA256] = 1,
		[HASH_SHA384] = 2,
		[HASH_SHA512] = 3,
	};
	const uint8_t head[DIGEST_INFO_HEAD] = {0x30, (uint8_t)(17 + n), 0x30, 13, 6, 9, 0x60, 0x86,
		0x48, 1, 0x65, 3, 4, 2, oid_end[hash], 5, 0, 4, (uint8_t)n};

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), digest, n);
	return sizeof(head) + n;
}

/*
 * The private operation: blinded, and checked with the public exponent before it is given out
 * (rsa_compute_root_tr). False for a wrong result, from a fault or a damaged key.
 */
static bool private_operation(
	const struct crypto_key *key, const mpz_t in, uint8_t *out, size_t k, enum kw_err *err)
{
	struct stream stream;
	bool good = false;
	mpz_t root;

	mpz_init(root);
	*err = stream_seed(&stream, NULL, 0);
	if (*err)
		goto out;
	if (!mpz_sgn(in)) {
		/* GMP's functions for secrets need a limb at least. */
		memset(out, 0, k);
		good = true;
		goto out;
	}
	good = rsa_compute_root_tr(&key->rsa_public, &key->rsa, &stream, stream_read, root, in) &&
	       number_to_bytes(root, out, k);
	*err = good ? KW_ERR_OK : KW_ERR_CRYPTO;
out:
	stream_wipe(&stream);
	mpz_clear(root);
	return good;
}

/* EMSA-PSS (RFC 8017, 9.1.1). */
static enum kw_err encode_pss(const struct crypto_key *key, const struct crypto_sign *what,
	const uint8_t *digest, mpz_t em)
{
	uint8_t salt[RSA_UNPAD_MAX];
	enum kw_err err = platform_random(salt, what->salt_len);

	if (err)
		return err;
	/* FIPS 186-5, 5.4: modBits - 1. */
	if (!pss_encode_mgf1(
		    em, key->info->bits - 1, hash_table(what->hash), what->salt_len, salt, digest))
		return KW_ERR_CRYPTO;
	return KW_ERR_OK;
}

static enum kw_err sign_raw(
	const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig, size_t *n)
{
	size_t k = key->info->bits / 8;
	enum kw_err err = KW_ERR_BAD_REQUEST;
	mpz_t em;

	if (what->n != k || what->hash != HASH_NONE || what->is_digest)
		return KW_ERR_BAD_ALGORITHM;
	nettle_mpz_init_set_str_256_u(em, k, what->data);
	if (mpz_cmp(em, key->rsa_public.n) < 0 && private_operation(key, em, sig, k, &err))
		*n = k;
	mpz_clear(em);
	return err;
}

enum kw_err rsa_key_public_use(
	const struct crypto_key *key, const uint8_t *block, size_t n, uint8_t *out)
{
	enum kw_err err = KW_ERR_CRYPTO;
	mpz_t m;

	nettle_mpz_init_set_str_256_u(m, n, block);
	if (mpz_cmp(m, key->rsa_public.n) >= 0)
		goto out;
	/* The block is a padded secret: without branches on it, which asks for an odd modulus, as all are. */
	if (mpz_sgn(m))
		mpz_powm_sec(m, m, key->rsa_public.e, key->rsa_public.n);
	if (number_to_bytes(m, out, n))
		err = KW_ERR_OK;
out:
	mpz_clear(m);
	return err;
}

enum kw_err rsa_key_sign(
	const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig, size_t *n)
{
	uint8_t info[DIGEST_INFO_HEAD + HASH_MAX_SIZE];
	uint8_t digest[HASH_MAX_SIZE];
	size_t k = key->info->bits / 8;
	enum kw_err err;
	bool is_bytes;
	size_t h = 0;
	mpz_t em;

	if (what->scheme == SCHEME_RSA_RAW)
		return sign_raw(key, what, sig, n);
	if (what->scheme != SCHEME_RSA_PKCS1 && what->scheme != SCHEME_RSA_PSS)
		return KW_ERR_BAD_ALGORITHM;
	is_bytes = what->scheme == SCHEME_RSA_PKCS1 && what->hash == HASH_NONE && what->is_digest;
	if (is_bytes && what->n + 11 > k)
		return KW_ERR_BAD_ALGORITHM;
	err = is_bytes ? KW_ERR_OK : sign_digest(what, digest, &h);
	if (err)
		return err;
	if (what->scheme == SCHEME_RSA_PSS && h + what->salt_len + 2 > k)
		return KW_ERR_BAD_ALGORITHM;
	mpz_init(em);
	if (what->scheme == SCHEME_RSA_PSS)
		err = encode_pss(key, what, digest, em);
	else if (is_bytes)
		err = pkcs1_rsa_digest_encode(em, k, what->n, what->data) ? KW_ERR_OK
									  : KW_ERR_CRYPTO;
	else if (!pkcs1_rsa_digest_encode(em, k, digest_info(what->hash, digest, h, info), info))
		err = KW_ERR_CRYPTO;
	if (!err && private_operation(key, em, sig, k, &err))
		*n = k;
	mpz_clear(em);
	return err;
}

/* d = (1 + k phi) / e with k = -1 / phi mod e, as in the other backend. */
enum kw_err rsa_key_exponent(const struct crypto_key *key, uint8_t *out, size_t n)
{
	enum kw_err err = KW_ERR_CRYPTO;
	mpz_t d, q1, k;

	mpz_inits(d, q1, k, NULL);
	mpz_sub_ui(d, key->rsa.p, 1);
	mpz_sub_ui(q1, key->rsa.q, 1);
	mpz_mul(d, d, q1);
	mpz_fdiv_r(k, d, key->rsa_public.e);
	if (!mpz_invert(k, k, key->rsa_public.e))
		goto out;
	mpz_sub(k, key->rsa_public.e, k);
	mpz_mul(d, d, k);
	mpz_add_ui(d, d, 1);
	mpz_divexact(d, d, key->rsa_public.e);
	if (number_to_bytes(d, out, n))
		err = KW_ERR_OK;
out:
	mpz_clears(d, q1, k, NULL);
	return err;
}

/* What messages are made up from: SHA-256 of d, in as many bytes as the modulus. A key gives the same in every
 * backend. */
static enum kw_err rejection_secret(
	const struct crypto_key *key, size_t size, uint8_t secret[CRYPTO_KEY_SIZE])
{
	uint8_t d[RSA_UNPAD_MAX];
	enum kw_err err = rsa_key_exponent(key, d, size);

	if (!err)
		err = crypto_hash(HASH_SHA256, d, size, secret);
	platform_wipe(d, sizeof(d));
	return err;
}

enum kw_err rsa_key_decrypt(
	const struct crypto_key *key, const struct crypto_decrypt *what, uint8_t *out, size_t *n)
{
	uint8_t secret[CRYPTO_KEY_SIZE];
	uint8_t em[RSA_UNPAD_MAX];
	enum kw_err err;
	size_t k = key->info->bits / 8;
	mpz_t c;

	*n = 0;
	if (what->n != k)
		return KW_ERR_DECRYPT;
	nettle_mpz_init_set_str_256_u(c, k, what->in);
	/* Everybody can see that a ciphertext is not below the modulus. */
	err = KW_ERR_DECRYPT;
	if (mpz_cmp(c, key->rsa_public.n) >= 0 || !private_operation(key, c, em, k, &err))
		goto out;
	if (what->oaep) {
		err = rsa_unpad_oaep(what, em, k, out, n);
		goto out;
	}
	err = rejection_secret(key, k, secret);
	if (!err)
		err = rsa_unpad_pkcs1(secret, what->in, em, k, out, n);
out:
	platform_wipe(secret, sizeof(secret));
	platform_wipe(em, sizeof(em));
	mpz_clear(c);
	return err;
}

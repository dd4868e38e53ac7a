/* SPDX-License-Identifier: BSD-2-Clause */
/* RSA keys on libcrypto. */
#include "crypto_openssl.h"

#include <openssl/crypto.h>
#include <openssl/obj_mac.h>

#include "core/rsa_unpad.h"
#include "wire/codec.h"

#define DEFAULT_EXPONENT 65537
/* FIPS 186-5, A.1.3: primes that are closer than 2^(bits/2 - 100) are found by Fermat's method. */
#define CLOSE_BITS 100

struct rsa_parts {
	BIGNUM *n, *e, *d;
	BIGNUM *p, *q;
	BIGNUM *dp, *dq, *qinv;
};

static bool parts_new(struct rsa_parts *parts)
{
	*parts = (struct rsa_parts){
		.n = BN_new(),
		.e = BN_new(),
		.d = BN_secure_new(),
		.p = BN_secure_new(),
		.q = BN_secure_new(),
		.dp = BN_secure_new(),
		.dq = BN_secure_new(),
		.qinv = BN_secure_new(),
	};
	if (!parts->n || !parts->e || !parts->d || !parts->p || !parts->q || !parts->dp ||
		!parts->dq || !parts->qinv)
		return false;
	BN_set_flags(parts->d, BN_FLG_CONSTTIME);
	BN_set_flags(parts->p, BN_FLG_CONSTTIME);
	BN_set_flags(parts->q, BN_FLG_CONSTTIME);
	BN_set_flags(parts->dp, BN_FLG_CONSTTIME);
	BN_set_flags(parts->dq, BN_FLG_CONSTTIME);
	BN_set_flags(parts->qinv, BN_FLG_CONSTTIME);
	return true;
}

static void parts_free(struct rsa_parts *parts)
{
	BN_free(parts->n);
	BN_free(parts->e);
	BN_clear_free(parts->d);
	BN_clear_free(parts->p);
	BN_clear_free(parts->q);
	BN_clear_free(parts->dp);
	BN_clear_free(parts->dq);
	BN_clear_free(parts->qinv);
}

static bool read_number(struct reader *r, size_t n, BIGNUM *to)
{
	const uint8_t *p = get_bytes(r, n);

	return p && BN_bin2bn(p, (int)n, to);
}

/* What memory safety and the library need of any key: odd primes and modulus of the exact sizes. */
static bool sizes_fit(const struct rsa_parts *parts, unsigned bits, BN_CTX *ctx)
{
	return BN_num_bits(parts->p) == (int)bits / 2 && BN_num_bits(parts->q) == (int)bits / 2 &&
	       BN_is_odd(parts->p) && BN_is_odd(parts->q) && BN_is_odd(parts->e) &&
	       BN_cmp(parts->p, parts->q) && BN_mul(parts->n, parts->p, parts->q, ctx) &&
	       BN_num_bits(parts->n) == (int)bits;
}

/*
 * d = (1 + k phi) / e with k = -1 / phi mod e: exact, and much quicker than an inverse modulo phi
 * when e has 32 bits. libcrypto falls back on d when it finds that a result by way of p and q is
 * wrong, and rsa_unpad_pkcs1 makes up messages from it: it must be the same after each load.
 */
static bool compute_d(struct rsa_parts *parts, BN_CTX *ctx)
{
	BN_ULONG e = BN_get_word(parts->e);
	BN_ULONG rest;
	bool good = false;
	BIGNUM *q1;
	BIGNUM *k;

	BN_CTX_start(ctx);
	q1 = BN_CTX_get(ctx);
	k = BN_CTX_get(ctx);
	if (!k || !BN_copy(parts->d, parts->p) || !BN_sub_word(parts->d, 1) ||
		!BN_copy(q1, parts->q) || !BN_sub_word(q1, 1) ||
		!BN_mul(parts->d, parts->d, q1, ctx))
		goto out;
	rest = BN_mod_word(parts->d, e);
	if (rest == (BN_ULONG)-1 || !BN_set_word(k, rest) || !BN_mod_inverse(k, k, parts->e, ctx))
		goto out;
	good = BN_mul_word(parts->d, e - BN_get_word(k)) && BN_add_word(parts->d, 1) &&
	       BN_div_word(parts->d, e) == 0;
out:
	BN_CTX_end(ctx);
	return good;
}

/* For a key from outside or a new one: FIPS 186-5, A.1.1. False when e has no inverse, too. */
static bool compute_crt(struct rsa_parts *parts, BN_CTX *ctx)
{
	bool good = false;
	BIGNUM *less_one;

	BN_CTX_start(ctx);
	less_one = BN_CTX_get(ctx);
	if (!less_one)
		goto out;
	BN_set_flags(less_one, BN_FLG_CONSTTIME);
	good = BN_copy(less_one, parts->p) && BN_sub_word(less_one, 1) &&
	       BN_mod_inverse(parts->dp, parts->e, less_one, ctx) && BN_copy(less_one, parts->q) &&
	       BN_sub_word(less_one, 1) && BN_mod_inverse(parts->dq, parts->e, less_one, ctx) &&
	       BN_mod_inverse(parts->qinv, parts->q, parts->p, ctx);
out:
	BN_CTX_end(ctx);
	return good;
}

/* Moves the parts into an RSA object, which has blinding switched on as its default. */
static enum kw_err parts_to_key(struct rsa_parts *parts, struct crypto_key *key)
{
	enum kw_err err = KW_ERR_NO_MEMORY;
	RSA *rsa = RSA_new();

	if (!rsa)
		goto out;
	err = KW_ERR_CRYPTO;
	if (!RSA_set0_key(rsa, parts->n, parts->e, parts->d))
		goto out;
	parts->n = parts->e = parts->d = NULL;
	if (!RSA_set0_factors(rsa, parts->p, parts->q))
		goto out;
	parts->p = parts->q = NULL;
	if (!RSA_set0_crt_params(rsa, parts->dp, parts->dq, parts->qinv))
		goto out;
	parts->dp = parts->dq = parts->qinv = NULL;
	key->rsa = rsa;
	rsa = NULL;
	err = KW_ERR_OK;
out:
	RSA_free(rsa);
	return err;
}

enum kw_err rsa_key_generate(struct crypto_key *key)
{
	struct rsa_parts parts = {0};
	BN_CTX *ctx = BN_CTX_secure_new();
	enum kw_err err = KW_ERR_NO_MEMORY;
	RSA *fresh = RSA_new();

	if (!ctx || !fresh || !parts_new(&parts))
		goto out;
	err = KW_ERR_CRYPTO;
	/* Only the primes are taken, so that the rest is the same as after a load. */
	if (BN_set_word(parts.e, DEFAULT_EXPONENT) &&
		RSA_generate_key_ex(fresh, (int)key->info->bits, parts.e, NULL) &&
		BN_copy(parts.p, RSA_get0_p(fresh)) && BN_copy(parts.q, RSA_get0_q(fresh)) &&
		sizes_fit(&parts, key->info->bits, ctx) && compute_crt(&parts, ctx) &&
		compute_d(&parts, ctx))
		err = parts_to_key(&parts, key);
out:
	RSA_free(fresh);
	parts_free(&parts);
	BN_CTX_free(ctx);
	return err;
}

static bool are_good_primes(const struct rsa_parts *parts, unsigned bits, BN_CTX *ctx)
{
	bool good = false;
	BIGNUM *distance;

	BN_CTX_start(ctx);
	distance = BN_CTX_get(ctx);
	good = distance && BN_sub(distance, parts->p, parts->q) &&
	       BN_num_bits(distance) > (int)bits / 2 - CLOSE_BITS &&
	       BN_check_prime(parts->p, ctx, NULL) == 1 && BN_check_prime(parts->q, ctx, NULL) == 1;
	BN_CTX_end(ctx);
	return good;
}

enum kw_err rsa_key_import(struct crypto_key *key, const uint8_t *in, size_t n)
{
	struct reader r = reader_over(in, n);
	struct rsa_parts parts = {0};
	size_t half = key->info->bits / 16;
	enum kw_err err = KW_ERR_NO_MEMORY;
	BN_CTX *ctx = BN_CTX_secure_new();

	if (!ctx || !parts_new(&parts))
		goto out;
	err = KW_ERR_BAD_KEY;
	if (!read_number(&r, 4, parts.e) || !read_number(&r, half, parts.p) ||
		!read_number(&r, half, parts.q) || !reader_done(&r))
		goto out;
	if (BN_get_word(parts.e) < DEFAULT_EXPONENT || !sizes_fit(&parts, key->info->bits, ctx) ||
		!are_good_primes(&parts, key->info->bits, ctx) || !compute_crt(&parts, ctx) ||
		!compute_d(&parts, ctx))
		goto out;
	err = parts_to_key(&parts, key);
out:
	parts_free(&parts);
	BN_CTX_free(ctx);
	return err;
}

enum kw_err rsa_key_load(struct crypto_key *key, const uint8_t *in, size_t n)
{
	struct reader r = reader_over(in, n);
	struct rsa_parts parts = {0};
	size_t half = key->info->bits / 16;
	enum kw_err err = KW_ERR_NO_MEMORY;
	BN_CTX *ctx = BN_CTX_secure_new();

	if (!ctx || !parts_new(&parts))
		goto out;
	err = KW_ERR_BAD_KEY;
	if (!read_number(&r, 4, parts.e) || !read_number(&r, half, parts.p) ||
		!read_number(&r, half, parts.q) || !read_number(&r, half, parts.dp) ||
		!read_number(&r, half, parts.dq) || !read_number(&r, half, parts.qinv) ||
		!reader_done(&r))
		goto out;
	if (!sizes_fit(&parts, key->info->bits, ctx) || !compute_d(&parts, ctx))
		goto out;
	err = parts_to_key(&parts, key);
out:
	parts_free(&parts);
	BN_CTX_free(ctx);
	return err;
}

static void write_number(struct writer *w, const BIGNUM *from, size_t n)
{
	uint8_t buf[RSA_UNPAD_MAX];

	if (!from || BN_bn2binpad(from, buf, (int)n) != (int)n)
		w->failed = true;
	else
		put_bytes(w, buf, n);
	OPENSSL_cleanse(buf, sizeof(buf));
}

enum kw_err rsa_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	struct writer w = writer_over(buf, CRYPTO_PRIVATE_MAX);
	size_t half = key->info->bits / 16;

	write_number(&w, RSA_get0_e(key->rsa), 4);
	write_number(&w, RSA_get0_p(key->rsa), half);
	write_number(&w, RSA_get0_q(key->rsa), half);
	write_number(&w, RSA_get0_dmp1(key->rsa), half);
	write_number(&w, RSA_get0_dmq1(key->rsa), half);
	write_number(&w, RSA_get0_iqmp(key->rsa), half);
	*n = w.len;
	return w.failed ? KW_ERR_CRYPTO : KW_ERR_OK;
}

enum kw_err rsa_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	struct writer w = writer_over(buf, CRYPTO_PUBLIC_MAX);

	write_number(&w, RSA_get0_e(key->rsa), 4);
	write_number(&w, RSA_get0_n(key->rsa), key->info->bits / 8);
	*n = w.len;
	return w.failed ? KW_ERR_CRYPTO : KW_ERR_OK;
}

/* EMSA-PSS (RFC 8017, 9.1.1), then the private operation. */
static bool sign_pss(const struct crypto_key *key, const struct crypto_sign *what,
	const uint8_t *digest, uint8_t *sig)
{
	const EVP_MD *md = openssl_md(what->hash);
	int k = RSA_size(key->rsa);
	uint8_t em[RSA_UNPAD_MAX];

	return RSA_padding_add_PKCS1_PSS_mgf1(key->rsa, em, digest, md, md, what->salt_len) &&
	       RSA_private_encrypt(k, em, sig, key->rsa, RSA_NO_PADDING) == k;
}

/* EMSA-PKCS1-v1_5's padding (RFC 8017, 9.2) around what the caller made. */
static enum kw_err sign_bytes(
	const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig)
{
	size_t k = key->info->bits / 8;

	if (what->n + 11 > k)
		return KW_ERR_BAD_ALGORITHM;
	return RSA_private_encrypt((int)what->n, what->data, sig, key->rsa, RSA_PKCS1_PADDING) ==
			       (int)k
		       ? KW_ERR_OK
		       : KW_ERR_CRYPTO;
}

static bool is_below_modulus(const struct crypto_key *key, const uint8_t *block, size_t k)
{
	BIGNUM *number = BN_bin2bn(block, (int)k, NULL);
	bool good = number && BN_ucmp(number, RSA_get0_n(key->rsa)) < 0;

	BN_clear_free(number);
	return good;
}

static enum kw_err sign_raw(
	const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig, size_t *n)
{
	size_t k = key->info->bits / 8;

	if (what->n != k || what->hash != HASH_NONE || what->is_digest)
		return KW_ERR_BAD_ALGORITHM;
	if (!is_below_modulus(key, what->data, k))
		return KW_ERR_BAD_REQUEST;
	*n = k;
	return RSA_private_encrypt((int)k, what->data, sig, key->rsa, RSA_NO_PADDING) == (int)k
		       ? KW_ERR_OK
		       : KW_ERR_CRYPTO;
}

/*
 * libcrypto blinds, and checks the result with the public exponent before it gives it out
 * (rsa_ossl_mod_exp); one that is wrong, from a fault or a damaged dp, dq or qinv, is computed
 * again with d. test_crypto_rsa.c damages keys and sees that no bad signature comes out.
 */
enum kw_err rsa_key_sign(
	const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig, size_t *n)
{
	size_t k = key->info->bits / 8;
	uint8_t digest[HASH_MAX_SIZE];
	unsigned len = 0;
	size_t h;
	enum kw_err err;

	if (what->scheme == SCHEME_RSA_RAW)
		return sign_raw(key, what, sig, n);
	if (what->scheme != SCHEME_RSA_PKCS1 && what->scheme != SCHEME_RSA_PSS)
		return KW_ERR_BAD_ALGORITHM;
	*n = k;
	if (what->scheme == SCHEME_RSA_PKCS1 && what->hash == HASH_NONE && what->is_digest)
		return sign_bytes(key, what, sig);
	err = openssl_digest(what, digest, &h);
	if (err)
		return err;
	if (what->scheme == SCHEME_RSA_PKCS1) {
		if (!RSA_sign(EVP_MD_get_type(openssl_md(what->hash)), digest, (unsigned)h, sig,
			    &len, key->rsa) ||
			len != k)
			return KW_ERR_CRYPTO;
		return KW_ERR_OK;
	}
	if (h + what->salt_len + 2 > k)
		return KW_ERR_BAD_ALGORITHM;
	return sign_pss(key, what, digest, sig) ? KW_ERR_OK : KW_ERR_CRYPTO;
}

enum kw_err crypto_rsa_exponent(const struct crypto_key *key, uint8_t *out, size_t n)
{
	if (key->info->family != FAMILY_RSA || n != key->info->bits / 8)
		return KW_ERR_BAD_ALGORITHM;
	return BN_bn2binpad(RSA_get0_d(key->rsa), out, (int)n) == (int)n
		       ? KW_ERR_OK
		       : openssl_failure(KW_ERR_CRYPTO);
}

/* What messages are made up from: SHA-256 of d, in as many bytes as the modulus. */
static enum kw_err rejection_secret(
	const struct crypto_key *key, size_t k, uint8_t secret[CRYPTO_KEY_SIZE])
{
	uint8_t d[RSA_UNPAD_MAX];
	enum kw_err err = crypto_rsa_exponent(key, d, k);

	if (!err)
		err = crypto_hash(HASH_SHA256, d, k, secret);
	OPENSSL_cleanse(d, sizeof(d));
	return err;
}

enum kw_err crypto_rsa_decrypt(
	const struct crypto_key *key, const struct crypto_decrypt *what, uint8_t *out, size_t *n)
{
	uint8_t secret[CRYPTO_KEY_SIZE];
	uint8_t em[RSA_UNPAD_MAX];
	enum kw_err err = KW_ERR_BAD_ALGORITHM;
	size_t k = key->info->bits / 8;

	*n = 0;
	if (key->info->family != FAMILY_RSA)
		goto out;
	/* A ciphertext that is not below the modulus fails here: everybody can see that. */
	err = KW_ERR_DECRYPT;
	if (what->n != k ||
		RSA_private_decrypt((int)k, what->in, em, key->rsa, RSA_NO_PADDING) != (int)k)
		goto out;
	if (what->oaep) {
		err = rsa_unpad_oaep(what, em, k, out, n);
		goto out;
	}
	err = rejection_secret(key, k, secret);
	if (!err)
		err = rsa_unpad_pkcs1(secret, what->in, em, k, out, n);
out:
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(em, sizeof(em));
	return err ? openssl_failure(err) : KW_ERR_OK;
}

enum kw_err crypto_rsa_public(
	const struct crypto_key *key, const uint8_t *block, size_t n, uint8_t *out)
{
	enum kw_err err = KW_ERR_BAD_ALGORITHM;

	if (key->info->family != FAMILY_RSA || n != key->info->bits / 8)
		goto out;
	err = KW_ERR_CRYPTO;
	if (RSA_public_encrypt((int)n, block, out, key->rsa, RSA_NO_PADDING) == (int)n)
		err = KW_ERR_OK;
out:
	return err ? openssl_failure(err) : KW_ERR_OK;
}

/* Measured with bench_crypto after a signature, which makes the Montgomery forms and blinding. */
size_t crypto_key_memory(enum key_type type)
{
	switch (type) {
	case KEY_TYPE_RSA_2048:
		return 6000;
	case KEY_TYPE_RSA_3072:
		return 8000;
	case KEY_TYPE_RSA_4096:
		return 10000;
	case KEY_TYPE_ED25519:
	case KEY_TYPE_X25519:
		return 1500;
	case KEY_TYPE_AES_128:
	case KEY_TYPE_AES_192:
	case KEY_TYPE_AES_256:
	case KEY_TYPE_HMAC:
		return 400;
	default:
		return 2000;
	}
}

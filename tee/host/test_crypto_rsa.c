/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RSA in every backend of core/crypto.h: which keys are refused, what faults lead to, decryption.
 * libcrypto's BIGNUM makes the primes and its EVP does the public side.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/bn.h>
#include <string.h>

#include "core/crypto.h"
#include "tests/support/verify.h"

#define HALF 128
#define MATERIAL (4 + 2 * HALF)
#define MODULUS 256

static struct crypto_key *key;
static uint8_t private_part[CRYPTO_PRIVATE_MAX];
static uint8_t public_part[CRYPTO_PUBLIC_MAX];
static size_t private_len, public_len;

static int make_key(void **state)
{
	(void)state;
	return crypto_key_generate(KEY_TYPE_RSA_2048, &key) ||
	       crypto_key_private(key, private_part, &private_len) ||
	       crypto_key_public(key, public_part, &public_len);
}

static int free_key(void **state)
{
	(void)state;
	crypto_key_free(&key);
	return 0;
}

/* e, p, q as a caller would import them. */
static enum kw_err import(uint32_t e, const BIGNUM *p, const BIGNUM *q)
{
	uint8_t material[MATERIAL];
	struct crypto_key *imported = NULL;
	enum kw_err err;

	for (int i = 0; i < 4; i++)
		material[i] = (uint8_t)(e >> (24 - 8 * i));
	assert_int_equal(BN_bn2binpad(p, material + 4, HALF), HALF);
	assert_int_equal(BN_bn2binpad(q, material + 4 + HALF, HALF), HALF);
	err = crypto_key_import(KEY_TYPE_RSA_2048, material, MATERIAL, &imported);
	assert_true(!err == !!imported);
	crypto_key_free(&imported);
	return err;
}

static BIGNUM *prime(int bits, const BIGNUM *add, const BIGNUM *rest)
{
	BIGNUM *p = BN_new();

	assert_true(BN_generate_prime_ex(p, bits, 0, add, rest, NULL));
	return p;
}

static void test_good_primes_in_any_order(void **state)
{
	BIGNUM *p = prime(8 * HALF, NULL, NULL);
	BIGNUM *q = prime(8 * HALF, NULL, NULL);

	(void)state;
	assert_int_equal(import(65537, p, q), KW_ERR_OK);
	assert_int_equal(import(65537, q, p), KW_ERR_OK);
	BN_free(p);
	BN_free(q);
}

/* The order of the primes must not matter to the signatures either. */
static void test_signs_with_the_smaller_prime_first(void **state)
{
	struct crypto_sign what = {
		.scheme = SCHEME_RSA_PKCS1, .hash = HASH_SHA256, .data = private_part, .n = 1};
	uint8_t material[2][MATERIAL], sig[2][CRYPTO_SIGNATURE_MAX];
	size_t n;

	(void)state;
	memcpy(material[0], private_part, MATERIAL);
	memcpy(material[1], private_part, 4);
	memcpy(material[1] + 4, private_part + 4 + HALF, HALF);
	memcpy(material[1] + 4 + HALF, private_part + 4, HALF);
	for (int i = 0; i < 2; i++) {
		struct crypto_key *imported = NULL;

		assert_int_equal(
			crypto_key_import(KEY_TYPE_RSA_2048, material[i], MATERIAL, &imported),
			KW_ERR_OK);
		assert_int_equal(crypto_sign(imported, &what, sig[i], &n), KW_ERR_OK);
		crypto_key_free(&imported);
	}
	assert_memory_equal(sig[0], sig[1], MODULUS);
	assert_true(verify_signature(KEY_TYPE_RSA_2048, public_part, public_len, &what, sig[0], n));
}

static void test_bad_exponents(void **state)
{
	BIGNUM *p = prime(8 * HALF, NULL, NULL);
	BIGNUM *q = prime(8 * HALF, NULL, NULL);
	BIGNUM *add = BN_new(), *one = BN_new();
	BIGNUM *bad;

	(void)state;
	assert_int_equal(import(0, p, q), KW_ERR_BAD_KEY);
	assert_int_equal(import(1, p, q), KW_ERR_BAD_KEY);
	assert_int_equal(import(3, p, q), KW_ERR_BAD_KEY);
	assert_int_equal(import(65535, p, q), KW_ERR_BAD_KEY);
	assert_int_equal(import(65538, p, q), KW_ERR_BAD_KEY);
	assert_int_equal(import(0xfffffffe, p, q), KW_ERR_BAD_KEY);
	/* No inverse: p = 1 mod e. */
	BN_set_word(add, 2 * 65537);
	BN_set_word(one, 1);
	bad = prime(8 * HALF, add, one);
	assert_int_equal(import(65537, bad, q), KW_ERR_BAD_KEY);
	assert_int_equal(import(65537, p, bad), KW_ERR_BAD_KEY);
	BN_free(p);
	BN_free(q);
	BN_free(bad);
	BN_free(add);
	BN_free(one);
}

static void test_numbers_that_are_not_good_primes(void **state)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = prime(8 * HALF, NULL, NULL);
	BIGNUM *q = prime(8 * HALF, NULL, NULL);
	BIGNUM *a = NULL, *b = NULL;
	BIGNUM *product = BN_new();

	(void)state;
	assert_int_equal(import(65537, p, p), KW_ERR_BAD_KEY);
	/* Two primes of half the size: odd, without small factors, as long as generated ones. */
	do {
		BN_free(a);
		BN_free(b);
		a = prime(4 * HALF, NULL, NULL);
		b = prime(4 * HALF, NULL, NULL);
		assert_true(BN_mul(product, a, b, ctx));
	} while (!BN_is_bit_set(product, 8 * HALF - 1) || !BN_is_bit_set(product, 8 * HALF - 2));
	assert_int_equal(import(65537, product, q), KW_ERR_BAD_KEY);
	assert_int_equal(import(65537, p, product), KW_ERR_BAD_KEY);
	BN_sub_word(product, 1); /* even */
	assert_int_equal(import(65537, product, q), KW_ERR_BAD_KEY);
	/* A prime that is too short, and none at all. */
	assert_int_equal(import(65537, a, q), KW_ERR_BAD_KEY);
	BN_zero(a);
	assert_int_equal(import(65537, a, q), KW_ERR_BAD_KEY);
	assert_int_equal(import(65537, p, a), KW_ERR_BAD_KEY);
	BN_one(a);
	assert_int_equal(import(65537, a, q), KW_ERR_BAD_KEY);
	BN_free(p);
	BN_free(q);
	BN_free(a);
	BN_free(b);
	BN_free(product);
	BN_CTX_free(ctx);
}

static BIGNUM *next_prime(const BIGNUM *from, BN_CTX *ctx)
{
	BIGNUM *p = BN_dup(from);

	assert_non_null(p);
	if (!BN_is_odd(p))
		BN_sub_word(p, 1);
	do
		assert_true(BN_add_word(p, 2));
	while (BN_check_prime(p, ctx, NULL) != 1);
	return p;
}

/* Fermat's factorisation finds neighbours at once. */
static void test_primes_too_close(void **state)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = prime(8 * HALF, NULL, NULL);
	BIGNUM *q = next_prime(p, ctx);

	(void)state;
	assert_int_equal(import(65537, p, q), KW_ERR_BAD_KEY);
	assert_int_equal(import(65537, q, p), KW_ERR_BAD_KEY);
	BN_free(p);
	BN_free(q);
	BN_CTX_free(ctx);
}

/* Both primes have 1024 bits, but their product only 2047. */
static void test_modulus_too_short(void **state)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *start = BN_new();
	BIGNUM *p, *q;

	(void)state;
	BN_set_bit(start, 8 * HALF - 1);
	p = next_prime(start, ctx);
	BN_set_bit(start, 8 * HALF - 9);
	q = next_prime(start, ctx);
	assert_int_equal(import(65537, p, q), KW_ERR_BAD_KEY);
	BN_free(start);
	BN_free(p);
	BN_free(q);
	BN_CTX_free(ctx);
}

/*
 * Boneh, DeMillo and Lipton: one signature that is right modulo only one of the primes gives the
 * key away. Whatever is wrong with dp, dq or qinv, no signature comes out that does not verify.
 */
static void test_no_bad_signature_after_a_fault(void **state)
{
	struct crypto_sign what = {
		.scheme = SCHEME_RSA_PKCS1, .hash = HASH_SHA256, .data = public_part, .n = 100};
	uint8_t damaged[CRYPTO_PRIVATE_MAX];
	uint8_t sig[CRYPTO_SIGNATURE_MAX];
	unsigned refused = 0, right = 0;
	size_t n;

	(void)state;
	/* From the start of dp to the end of qinv. */
	for (size_t at = MATERIAL; at < private_len; at += 13) {
		struct crypto_key *faulty = NULL;

		memcpy(damaged, private_part, private_len);
		damaged[at] ^= (uint8_t)(1 << at % 8);
		if (crypto_key_load(KEY_TYPE_RSA_2048, damaged, private_len, &faulty)) {
			refused++;
			continue;
		}
		for (int i = 0; i < 2; i++) {
			what.scheme = i ? SCHEME_RSA_PSS : SCHEME_RSA_PKCS1;
			what.salt_len = i ? 32 : 0;
			if (crypto_sign(faulty, &what, sig, &n)) {
				refused++;
				continue;
			}
			assert_true(verify_signature(
				KEY_TYPE_RSA_2048, public_part, public_len, &what, sig, n));
			right++;
		}
		crypto_key_free(&faulty);
	}
	assert_true(refused + right > 20);
}

static void check_oaep(enum hash_id hash, enum hash_id mgf, const char *label, size_t message_len)
{
	struct crypto_decrypt what = {.oaep = true,
		.hash = hash,
		.mgf = mgf,
		.label = {label, label ? strlen(label) : 0}};
	uint8_t message[MODULUS], block[CRYPTO_SIGNATURE_MAX], out[MODULUS];
	size_t n = 999;

	memset(message, 0x5a, sizeof(message));
	assert_true(encrypt_to(
		KEY_TYPE_RSA_2048, public_part, public_len, &what, message, message_len, block));
	what.in = block;
	what.n = MODULUS;
	assert_int_equal(crypto_rsa_decrypt(key, &what, out, &n), KW_ERR_OK);
	assert_int_equal(n, message_len);
	assert_memory_equal(out, message, n);
	/* Another label, another hash, a changed block. */
	what.label = (struct crypto_bytes){"other", 5};
	assert_int_equal(crypto_rsa_decrypt(key, &what, out, &n), KW_ERR_DECRYPT);
	assert_int_equal(n, 0);
	what.label = (struct crypto_bytes){label, label ? strlen(label) : 0};
	what.mgf = mgf == HASH_SHA256 ? HASH_SHA384 : HASH_SHA256;
	assert_int_equal(crypto_rsa_decrypt(key, &what, out, &n), KW_ERR_DECRYPT);
	what.mgf = mgf;
	block[200] ^= 1;
	assert_int_equal(crypto_rsa_decrypt(key, &what, out, &n), KW_ERR_DECRYPT);
}

static void test_oaep(void **state)
{
	static const enum hash_id all[] = {HASH_SHA224, HASH_SHA256, HASH_SHA384, HASH_SHA512};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (size_t j = 0; j < 4; j++)
			check_oaep(all[i], all[j], NULL, 48);
		check_oaep(all[i], all[i], "a label", MODULUS - 2 * hash_size(all[i]) - 2);
		check_oaep(all[i], all[i], NULL, 0);
	}
}

static void test_pkcs1(void **state)
{
	static const size_t lengths[] = {0, 1, 48, 200, MODULUS - 11};
	struct crypto_decrypt what = {.n = MODULUS};
	uint8_t message[MODULUS], block[CRYPTO_SIGNATURE_MAX], out[MODULUS];
	size_t n;

	(void)state;
	memset(message, 0xa5, sizeof(message));
	what.in = block;
	for (size_t i = 0; i < 5; i++) {
		assert_true(encrypt_to(KEY_TYPE_RSA_2048, public_part, public_len, &what, message,
			lengths[i], block));
		assert_int_equal(crypto_rsa_decrypt(key, &what, out, &n), KW_ERR_OK);
		assert_int_equal(n, lengths[i]);
		assert_memory_equal(out, message, n);
	}
}

/* Bad padding gives a message that depends on key and ciphertext only, and never an error. */
static void test_implicit_rejection(void **state)
{
	struct crypto_decrypt what = {.n = MODULUS};
	uint8_t padded[MODULUS], block[CRYPTO_SIGNATURE_MAX];
	uint8_t out[MODULUS], again[MODULUS];
	struct crypto_key *loaded = NULL;
	unsigned lengths_seen = 0;
	size_t n, m, last = SIZE_MAX;

	(void)state;
	what.in = block;
	assert_int_equal(
		crypto_key_load(KEY_TYPE_RSA_2048, private_part, private_len, &loaded), KW_ERR_OK);
	for (uint8_t i = 0; i < 20; i++) {
		/* No zero after the padding; a wrong second byte; padding too short. */
		memset(padded, 0xff, sizeof(padded));
		padded[0] = 0;
		padded[1] = i % 3 == 1 ? 1 : 2;
		if (i % 3 == 2)
			padded[9] = 0;
		padded[MODULUS - 1] = i;
		if (i % 3 == 1)
			padded[100] = 0;
		assert_true(encrypt_raw(
			KEY_TYPE_RSA_2048, public_part, public_len, padded, MODULUS, block));
		assert_int_equal(crypto_rsa_decrypt(key, &what, out, &n), KW_ERR_OK);
		assert_int_equal(crypto_rsa_decrypt(loaded, &what, again, &m), KW_ERR_OK);
		assert_in_range(n, 0, MODULUS - 11);
		assert_int_equal(n, m);
		assert_memory_equal(out, again, n);
		if (n > 4)
			assert_null(memmem(padded, sizeof(padded), out, n));
		lengths_seen += n != last;
		last = n;
	}
	assert_true(lengths_seen > 10);
	crypto_key_free(&loaded);
}

/* What everybody can see is wrong is refused: length, a number that is not below the modulus. */
static void test_ciphertexts_out_of_range(void **state)
{
	uint8_t block[MODULUS + 1], out[MODULUS];
	struct crypto_decrypt what = {.in = block, .n = MODULUS};
	struct crypto_key *ec = NULL;
	size_t n;

	(void)state;
	for (int oaep = 0; oaep < 2; oaep++) {
		what.oaep = oaep;
		what.hash = what.mgf = oaep ? HASH_SHA256 : HASH_NONE;
		what.n = MODULUS;
		memset(block, 0xff, sizeof(block));
		assert_int_equal(crypto_rsa_decrypt(key, &what, out, &n), KW_ERR_DECRYPT);
		memcpy(block, public_part + 4, MODULUS); /* n itself */
		assert_int_equal(crypto_rsa_decrypt(key, &what, out, &n), KW_ERR_DECRYPT);
		memset(block, 0, sizeof(block));
		block[MODULUS - 1] = 1;
		what.n = MODULUS - 1;
		assert_int_equal(crypto_rsa_decrypt(key, &what, out, &n), KW_ERR_DECRYPT);
		what.n = MODULUS + 1;
		assert_int_equal(crypto_rsa_decrypt(key, &what, out, &n), KW_ERR_DECRYPT);
		what.n = 0;
		assert_int_equal(crypto_rsa_decrypt(key, &what, out, &n), KW_ERR_DECRYPT);
		/* Zero and one are their own roots: bad padding. */
		what.n = MODULUS;
		assert_int_equal(
			crypto_rsa_decrypt(key, &what, out, &n), oaep ? KW_ERR_DECRYPT : KW_ERR_OK);
		block[MODULUS - 1] = 0;
		assert_int_equal(
			crypto_rsa_decrypt(key, &what, out, &n), oaep ? KW_ERR_DECRYPT : KW_ERR_OK);
	}
	assert_int_equal(crypto_key_generate(KEY_TYPE_EC_P256, &ec), KW_ERR_OK);
	assert_int_equal(crypto_rsa_decrypt(ec, &what, out, &n), KW_ERR_BAD_ALGORITHM);
	crypto_key_free(&ec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_primes_in_any_order),
		cmocka_unit_test(test_signs_with_the_smaller_prime_first),
		cmocka_unit_test(test_bad_exponents),
		cmocka_unit_test(test_numbers_that_are_not_good_primes),
		cmocka_unit_test(test_primes_too_close),
		cmocka_unit_test(test_modulus_too_short),
		cmocka_unit_test(test_no_bad_signature_after_a_fault),
		cmocka_unit_test(test_oaep),
		cmocka_unit_test(test_pkcs1),
		cmocka_unit_test(test_implicit_rejection),
		cmocka_unit_test(test_ciphertexts_out_of_range),
	};

	if (crypto_init())
		return 1;
	return cmocka_run_group_tests(tests, make_key, free_key);
}

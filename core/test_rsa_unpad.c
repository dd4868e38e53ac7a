/* SPDX-License-Identifier: BSD-2-Clause */
/* Removing RSA padding: right by the standard, and without telling where it is bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/rsa_unpad.h"

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_COUNT_ERRORS 0u
#define VALGRIND_MAKE_MEM_UNDEFINED(p, n) ((void)(p))
#define VALGRIND_MAKE_MEM_DEFINED(p, n) ((void)(p))
#endif

#define K 256

static const uint8_t secret[CRYPTO_KEY_SIZE] = {1, 2, 3};
static const uint8_t ciphertext[K] = {4, 5, 6};

/* 00 02, padding up to the zero at `zero_at` (none when it is K), then a message. */
static void make_pkcs1(uint8_t em[K], size_t zero_at)
{
	memset(em, 0x77, K);
	em[0] = 0;
	em[1] = 2;
	if (zero_at < K)
		em[zero_at] = 0;
	for (size_t i = zero_at + 1; i < K; i++)
		em[i] = (uint8_t)(i * 7);
}

static size_t unpad(const uint8_t em[K], uint8_t out[K])
{
	uint8_t copy[K];
	size_t n = SIZE_MAX;

	memcpy(copy, em, K);
	assert_int_equal(rsa_unpad_pkcs1(secret, ciphertext, copy, K, out, &n), KW_ERR_OK);
	for (size_t i = 0; i < K; i++)
		assert_int_equal(copy[i], 0);
	return n;
}

static void test_every_length_of_message(void **state)
{
	uint8_t em[K], out[K];

	(void)state;
	for (size_t zero_at = 10; zero_at < K; zero_at++) {
		make_pkcs1(em, zero_at);
		assert_int_equal(unpad(em, out), K - 1 - zero_at);
		assert_memory_equal(out, em + zero_at + 1, K - 1 - zero_at);
		/* Nothing of the block beyond the message. */
		for (size_t i = K - 1 - zero_at; i < K; i++)
			assert_int_equal(out[i], 0);
	}
}

/* Whatever is bad, the same message is made up, as it depends on secret and ciphertext only. */
static void test_bad_padding_makes_up_one_message(void **state)
{
	/* Computed by another program from draft-irtf-cfrg-rsa-guidance, section 7. */
	static const uint8_t first[] = {0x21, 0xc8, 0xbd, 0x3e, 0x79, 0x12, 0x7d, 0x79};
	uint8_t em[K], out[K], made_up[K];
	size_t n, made_up_len;

	(void)state;
	make_pkcs1(em, K);
	made_up_len = unpad(em, made_up);
	assert_int_equal(made_up_len, 244);
	assert_memory_equal(made_up, first, sizeof(first));
	for (size_t zero_at = 0; zero_at < 10; zero_at++) {
		make_pkcs1(em, zero_at);
		if (zero_at == 0)
			em[1] = 1;
		n = unpad(em, out);
		assert_int_equal(n, made_up_len);
		assert_memory_equal(out, made_up, n);
	}
	for (unsigned bit = 0; bit < 16; bit++) {
		make_pkcs1(em, 100);
		em[bit / 8] ^= (uint8_t)(1 << bit % 8);
		n = unpad(em, out);
		assert_int_equal(n, made_up_len);
		assert_memory_equal(out, made_up, n);
	}
}

static void test_made_up_messages_differ(void **state)
{
	uint8_t em[K], out[K], other[K], changed[K];
	uint8_t other_secret[CRYPTO_KEY_SIZE] = {0};
	size_t n, m;

	(void)state;
	make_pkcs1(em, K);
	n = unpad(em, out);
	memcpy(changed, ciphertext, K);
	changed[K - 1] ^= 1;
	assert_int_equal(rsa_unpad_pkcs1(secret, changed, em, K, other, &m), KW_ERR_OK);
	assert_true(m != n || memcmp(out, other, n) != 0);
	make_pkcs1(em, K);
	assert_int_equal(rsa_unpad_pkcs1(other_secret, ciphertext, em, K, other, &m), KW_ERR_OK);
	assert_true(m != n || memcmp(out, other, n) != 0);
}

static void xor_mgf1(
	enum hash_id hash, const uint8_t *seed, size_t seed_len, uint8_t *buf, size_t n)
{
	uint8_t in[K + 4], block[HASH_MAX_SIZE];
	size_t size = hash_size(hash);

	memcpy(in, seed, seed_len);
	for (size_t i = 0; i < n; i++) {
		if (i % size == 0) {
			memset(in + seed_len, 0, 4);
			in[seed_len + 3] = (uint8_t)(i / size);
			assert_int_equal(crypto_hash(hash, in, seed_len + 4, block), KW_ERR_OK);
		}
		buf[i] ^= block[i % size];
	}
}

static const struct crypto_decrypt oaep = {
	.oaep = true, .hash = HASH_SHA256, .mgf = HASH_SHA384, .label = {"label", 5}};

#define H 32
#define DB (K - H - 1)

/* db is masked in place behind a seed (RFC 8017, 7.1.1, step 2). */
static void make_oaep(const uint8_t db[DB], uint8_t first, uint8_t em[K])
{
	em[0] = first;
	memset(em + 1, 0x3c, H);
	memcpy(em + 1 + H, db, DB);
	xor_mgf1(HASH_SHA384, em + 1, H, em + 1 + H, DB);
	xor_mgf1(HASH_SHA384, em + 1 + H, DB, em + 1, H);
}

static void good_db(uint8_t db[DB], size_t one_at)
{
	memset(db, 0, DB);
	assert_int_equal(crypto_hash(HASH_SHA256, "label", 5, db), KW_ERR_OK);
	db[one_at] = 1;
	for (size_t i = one_at + 1; i < DB; i++)
		db[i] = (uint8_t)(i * 11);
}

static void test_oaep_every_length(void **state)
{
	uint8_t db[DB], em[K], out[K];
	size_t n;

	(void)state;
	for (size_t one_at = H; one_at < DB; one_at++) {
		good_db(db, one_at);
		make_oaep(db, 0, em);
		assert_int_equal(rsa_unpad_oaep(&oaep, em, K, out, &n), KW_ERR_OK);
		assert_int_equal(n, DB - 1 - one_at);
		assert_memory_equal(out, db + one_at + 1, n);
		for (size_t i = 0; i < K; i++)
			assert_int_equal(em[i], 0);
	}
}

static void test_oaep_every_bad_byte(void **state)
{
	uint8_t db[DB], em[K], out[K];
	size_t n;

	(void)state;
	/* The first byte, each byte of the label's hash, each byte of the zeros, the one itself. */
	for (size_t bad = 0; bad <= 101; bad++) {
		good_db(db, 100);
		if (bad > 0)
			db[bad - 1] ^= 0x40;
		make_oaep(db, bad ? 0 : 0x40, em);
		assert_int_equal(rsa_unpad_oaep(&oaep, em, K, out, &n), KW_ERR_DECRYPT);
		for (size_t i = 0; i < K; i++)
			assert_int_equal(em[i], 0);
	}
	/* No one at all. */
	good_db(db, DB - 1);
	db[DB - 1] = 0;
	make_oaep(db, 0, em);
	assert_int_equal(rsa_unpad_oaep(&oaep, em, K, out, &n), KW_ERR_DECRYPT);
}

static void test_sizes_are_checked(void **state)
{
	struct crypto_decrypt what = {.oaep = true, .hash = HASH_SHA512, .mgf = HASH_SHA512};
	uint8_t em[K] = {0}, out[K];
	size_t n;

	(void)state;
	assert_int_equal(rsa_unpad_oaep(&what, em, 129, out, &n), KW_ERR_BAD_ALGORITHM);
	assert_int_equal(rsa_unpad_oaep(&what, em, 130, out, &n), KW_ERR_DECRYPT);
	what.mgf = HASH_NONE;
	assert_int_equal(rsa_unpad_oaep(&what, em, K, out, &n), KW_ERR_BAD_ALGORITHM);
	what.mgf = HASH_SHA256;
	what.hash = (enum hash_id)9;
	assert_int_equal(rsa_unpad_oaep(&what, em, K, out, &n), KW_ERR_BAD_ALGORITHM);
	assert_int_equal(
		rsa_unpad_pkcs1(secret, ciphertext, em, 32, out, &n), KW_ERR_BAD_ALGORITHM);
	assert_int_equal(
		rsa_unpad_pkcs1(secret, ciphertext, em, 250, out, &n), KW_ERR_BAD_ALGORITHM);
}

/*
 * Under Valgrind what must stay secret is called undefined: each branch and each address that
 * depends on it is then an error. It is run that way by `meson test`.
 */
static void test_no_branch_on_secrets(void **state)
{
	uint8_t em[K], out[K], db[DB], other[K];
	unsigned before = VALGRIND_COUNT_ERRORS;
	size_t n;
	bool same;

	(void)state;
	if (!RUNNING_ON_VALGRIND)
		skip();
	for (size_t zero_at = 2; zero_at <= K; zero_at += 50) {
		make_pkcs1(em, zero_at);
		VALGRIND_MAKE_MEM_UNDEFINED(em, K);
		assert_int_equal(rsa_unpad_pkcs1(secret, ciphertext, em, K, out, &n), KW_ERR_OK);
		VALGRIND_MAKE_MEM_DEFINED(out, K);
	}
	memset(em, 1, K);
	memset(other, 2, K);
	VALGRIND_MAKE_MEM_UNDEFINED(em, K);
	same = crypto_equal(em, other, K);
	VALGRIND_MAKE_MEM_DEFINED(&same, sizeof(same));
	assert_false(same);
	assert_int_equal(VALGRIND_COUNT_ERRORS, before);
	/* OAEP may tell good from bad, which its result does, and no more: one branch. */
	for (size_t bad = 0; bad < 101; bad += 10) {
		good_db(db, 100);
		db[bad] ^= 0x40;
		make_oaep(db, 0, em);
		before = VALGRIND_COUNT_ERRORS;
		VALGRIND_MAKE_MEM_UNDEFINED(em, K);
		assert_int_equal(rsa_unpad_oaep(&oaep, em, K, out, &n), KW_ERR_DECRYPT);
		assert_int_equal(VALGRIND_COUNT_ERRORS, before + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length_of_message),
		cmocka_unit_test(test_bad_padding_makes_up_one_message),
		cmocka_unit_test(test_made_up_messages_differ),
		cmocka_unit_test(test_oaep_every_length),
		cmocka_unit_test(test_oaep_every_bad_byte),
		cmocka_unit_test(test_sizes_are_checked),
		cmocka_unit_test(test_no_branch_on_secrets),
	};

	if (crypto_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

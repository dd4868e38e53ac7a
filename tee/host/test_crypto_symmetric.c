/* SPDX-License-Identifier: BSD-2-Clause */
/* The rest of every backend of core/crypto.h: hashes, HMAC, sealing, comparison, failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/crypto.h"
#include "tests/support/platform_memory.h"

#if !WITH_NETTLE
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/rand.h>
#endif

#define BYTES(...) ((const uint8_t[]){__VA_ARGS__})

/* FIPS 180-4 examples: the first bytes of the hash of "abc". */
static void test_hashes(void **state)
{
	static const struct {
		enum hash_id hash;
		size_t size;
		uint8_t first[4];
	} cases[] = {
		{HASH_SHA224, 28, {0x23, 0x09, 0x7d, 0x22}},
		{HASH_SHA256, 32, {0xba, 0x78, 0x16, 0xbf}},
		{HASH_SHA384, 48, {0xcb, 0x00, 0x75, 0x3f}},
		{HASH_SHA512, 64, {0xdd, 0xaf, 0x35, 0xa1}},
	};
	uint8_t out[HASH_MAX_SIZE];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(hash_size(cases[i].hash), cases[i].size);
		assert_int_equal(crypto_hash(cases[i].hash, "abc", 3, out), KW_ERR_OK);
		assert_memory_equal(out, cases[i].first, 4);
	}
	assert_int_equal(crypto_hash(HASH_SHA256, NULL, 0, out), KW_ERR_OK);
	assert_memory_equal(out, BYTES(0xe3, 0xb0, 0xc4, 0x42), 4);
	assert_int_equal(hash_size(HASH_NONE), 0);
	assert_int_equal(hash_size((enum hash_id)99), 0);
	assert_int_equal(crypto_hash(HASH_NONE, "abc", 3, out), KW_ERR_BAD_ALGORITHM);
	assert_int_equal(crypto_hash((enum hash_id)99, "abc", 3, out), KW_ERR_BAD_ALGORITHM);
}

/* RFC 4231, test case 2: zeros after the key "Jefe" change nothing. */
static void test_hmac(void **state)
{
	static const uint8_t key[CRYPTO_KEY_SIZE] = "Jefe";
	static const uint8_t expected[32] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a,
		0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39,
		0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
	struct crypto_bytes whole = {"what do ya want for nothing?", 28};
	struct crypto_bytes parts[] = {{"what do ya want ", 16}, {NULL, 0}, {"for nothing?", 12}};
	uint8_t tag[32];

	(void)state;
	assert_int_equal(crypto_hmac(key, &whole, 1, tag), KW_ERR_OK);
	assert_memory_equal(tag, expected, 32);
	memset(tag, 0, 32);
	assert_int_equal(crypto_hmac(key, parts, 3, tag), KW_ERR_OK);
	assert_memory_equal(tag, expected, 32);
}

/* The GCM specification's test case 14. */
static void test_seal_known_answer(void **state)
{
	static const uint8_t key[CRYPTO_KEY_SIZE], nonce[12], zeros[16];
	static const uint8_t expected[16] = {0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07,
		0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d, 0x18};
	static const uint8_t expected_tag[16] = {0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0,
		0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19};
	uint8_t out[16], tag[CRYPTO_TAG_SIZE];

	(void)state;
	assert_int_equal(
		crypto_seal(key, nonce, (struct crypto_bytes){0}, zeros, 16, out, tag), KW_ERR_OK);
	assert_memory_equal(out, expected, 16);
	assert_memory_equal(tag, expected_tag, 16);
}

struct sealed {
	uint8_t key[CRYPTO_KEY_SIZE];
	uint8_t nonce[12];
	uint8_t aad[40];
	uint8_t data[100];
	uint8_t tag[CRYPTO_TAG_SIZE];
};

static enum kw_err open_it(const struct sealed *s, size_t aad, size_t n, uint8_t *out)
{
	return crypto_open(
		s->key, s->nonce, (struct crypto_bytes){s->aad, aad}, s->data, n, out, s->tag);
}

/* Each bit of everything that goes in is authenticated, and nothing comes out when one is wrong. */
static void test_open_refuses_every_change(void **state)
{
	static const uint8_t zeros[100];
	struct sealed s = {.key = {1}, .nonce = {2}, .aad = {3}, .data = {4}};
	struct sealed good;
	uint8_t plain[100], out[100];
	uint8_t *bytes = (uint8_t *)&s;

	(void)state;
	memcpy(plain, s.data, sizeof(plain));
	/* In place. */
	assert_int_equal(crypto_seal(s.key, s.nonce, (struct crypto_bytes){s.aad, 40}, s.data, 100,
				 s.data, s.tag),
		KW_ERR_OK);
	assert_memory_not_equal(s.data, plain, 100);
	good = s;
	assert_int_equal(open_it(&s, 40, 100, out), KW_ERR_OK);
	assert_memory_equal(out, plain, 100);
	for (size_t i = 0; i < sizeof(s); i++) {
		bytes[i] ^= (uint8_t)(1 << i % 8);
		memset(out, 0xaa, sizeof(out));
		assert_int_equal(open_it(&s, 40, 100, out), KW_ERR_CORRUPT);
		assert_memory_equal(out, zeros, 100);
		s = good;
	}
	assert_int_equal(open_it(&s, 39, 100, out), KW_ERR_CORRUPT);
	assert_int_equal(open_it(&s, 40, 99, out), KW_ERR_CORRUPT);
	assert_int_equal(crypto_open(s.key, s.nonce, (struct crypto_bytes){s.aad, 40}, s.data, 100,
				 s.data, s.tag),
		KW_ERR_OK);
	assert_memory_equal(s.data, plain, 100);
}

static void test_seal_of_nothing(void **state)
{
	struct sealed s = {.key = {9}};
	uint8_t out[1];

	(void)state;
	assert_int_equal(crypto_seal(s.key, s.nonce, (struct crypto_bytes){s.aad, 40}, s.data, 0,
				 s.data, s.tag),
		KW_ERR_OK);
	assert_int_equal(open_it(&s, 40, 0, out), KW_ERR_OK);
	s.aad[0] ^= 1;
	assert_int_equal(open_it(&s, 40, 0, out), KW_ERR_CORRUPT);
}

static void test_equal(void **state)
{
	uint8_t a[64] = {0}, b[64] = {0};

	(void)state;
	assert_true(crypto_equal(a, b, 64));
	for (size_t i = 0; i < 64; i++) {
		b[i] = 0x80;
		assert_false(crypto_equal(a, b, 64));
		assert_true(crypto_equal(a, b, i));
		b[i] = 0;
	}
	assert_true(crypto_equal(a, b, 0));
}

#if !WITH_NETTLE
static int no_bytes(unsigned char *buf, int n)
{
	(void)buf;
	(void)n;
	return 0;
}

static void break_random(bool broken)
{
	static const RAND_METHOD method = {.bytes = no_bytes, .pseudorand = no_bytes};

	RAND_set_rand_method(broken ? &method : NULL);
}
#else
static void break_random(bool broken)
{
	platform_memory_fail_random(broken);
}
#endif

/* Without randomness there is no key, and no signature that needs some: the buffer is clean. */
static void test_random_source_fails(void **state)
{
	static const uint8_t zeros[CRYPTO_SIGNATURE_MAX];
	struct crypto_sign what = {
		.scheme = SCHEME_ECDSA, .hash = HASH_SHA256, .data = zeros, .n = 9};
	uint8_t sig[CRYPTO_SIGNATURE_MAX];
	struct crypto_key *key = NULL, *none = NULL;
	size_t n = 1;

	(void)state;
	assert_int_equal(crypto_key_generate(KEY_TYPE_EC_P256, &key), KW_ERR_OK);
	memset(sig, 0xaa, sizeof(sig));
	break_random(true);
	assert_int_equal(crypto_sign(key, &what, sig, &n), KW_ERR_CRYPTO);
	assert_int_equal(n, 0);
	assert_memory_equal(sig, zeros, sizeof(sig));
	assert_int_equal(crypto_key_generate(KEY_TYPE_EC_P256, &none), KW_ERR_CRYPTO);
	assert_int_equal(crypto_key_generate(KEY_TYPE_ED25519, &none), KW_ERR_CRYPTO);
	assert_int_equal(crypto_key_generate(KEY_TYPE_RSA_2048, &none), KW_ERR_CRYPTO);
	assert_null(none);
	break_random(false);
	assert_int_equal(crypto_sign(key, &what, sig, &n), KW_ERR_OK);
	crypto_key_free(&key);
}

static void test_version_names_the_library(void **state)
{
	(void)state;
	assert_non_null(strstr(crypto_version(), WITH_NETTLE ? "nettle" : "OpenSSL"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_seal_known_answer),
		cmocka_unit_test(test_open_refuses_every_change),
		cmocka_unit_test(test_seal_of_nothing),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_random_source_fails),
		cmocka_unit_test(test_version_names_the_library),
	};

	if (crypto_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

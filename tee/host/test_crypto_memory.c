/* SPDX-License-Identifier: BSD-2-Clause */
/* The libcrypto backend when memory runs out at any allocation: an error, never a wrong result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/key_type.h"
#include "tests/support/verify.h"

#define ENOUGH 5000 /* allocations; each operation takes a few hundred at most */

/* How many allocations still succeed; negative: all. */
static long left = -1;

static bool is_refused(void)
{
	if (left > 0)
		left--;
	return left == 0;
}

static void *get(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return is_refused() ? NULL : malloc(n);
}

static void *resize(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return is_refused() ? NULL : realloc(p, n);
}

static void put(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

struct subject {
	enum key_type type;
	struct crypto_sign what;
	uint8_t private_part[CRYPTO_PRIVATE_MAX];
	uint8_t public_part[CRYPTO_PUBLIC_MAX];
	size_t private_len, public_len, material_len;
};

static void make_subject(enum key_type type, struct subject *s)
{
	const struct key_type_info *info = key_type_find((uint8_t)type);
	struct crypto_key *key = NULL;

	s->type = type;
	s->what = (struct crypto_sign){.scheme = SCHEME_ECDSA, .hash = HASH_SHA256};
	if (info->family == FAMILY_RSA)
		s->what = (struct crypto_sign){SCHEME_RSA_PSS, HASH_SHA256, .salt_len = 32};
	if (info->family == FAMILY_ED)
		s->what = (struct crypto_sign){.scheme = SCHEME_EDDSA};
	s->what.data = s->public_part;
	s->what.n = 20;
	assert_int_equal(crypto_key_generate(type, &key), KW_ERR_OK);
	assert_int_equal(crypto_key_private(key, s->private_part, &s->private_len), KW_ERR_OK);
	assert_int_equal(crypto_key_public(key, s->public_part, &s->public_len), KW_ERR_OK);
	s->material_len = info->family == FAMILY_RSA ? 4 + info->bits / 8 : s->private_len;
	crypto_key_free(&key);
}

/* All memory is gone after `at` allocations. True when it was enough. */
static bool load_and_sign(struct subject *s, long at)
{
	uint8_t sig[CRYPTO_SIGNATURE_MAX], public_part[CRYPTO_PUBLIC_MAX];
	struct crypto_key *key = NULL;
	enum kw_err loaded, signed_it = KW_ERR_NO_MEMORY, told = KW_ERR_NO_MEMORY;
	size_t n = 0, public_len = 0;
	bool enough;

	left = at;
	loaded = crypto_key_load(s->type, s->private_part, s->private_len, &key);
	if (!loaded)
		signed_it = crypto_sign(key, &s->what, sig, &n);
	if (!loaded)
		told = crypto_key_public(key, public_part, &public_len);
	enough = left != 0;
	left = -1;
	assert_true(!loaded == (key != NULL));
	assert_true(!loaded || !enough);
	assert_true(!signed_it || (!enough && n == 0));
	assert_true(!told || (!enough && public_len == 0));
	if (!signed_it)
		assert_true(
			verify_signature(s->type, s->public_part, s->public_len, &s->what, sig, n));
	if (!told) {
		assert_int_equal(public_len, s->public_len);
		assert_memory_equal(public_part, s->public_part, public_len);
	}
	crypto_key_free(&key);
	return enough;
}

static bool import(struct subject *s, long at)
{
	uint8_t private_part[CRYPTO_PRIVATE_MAX];
	struct crypto_key *key = NULL;
	enum kw_err err;
	bool enough;
	size_t n;

	left = at;
	err = crypto_key_import(s->type, s->private_part, s->material_len, &key);
	enough = left != 0;
	left = -1;
	assert_true(!err == (key != NULL));
	assert_true(!err || !enough);
	if (!err) {
		assert_int_equal(crypto_key_private(key, private_part, &n), KW_ERR_OK);
		assert_int_equal(n, s->private_len);
		assert_memory_equal(private_part, s->private_part, n);
	}
	crypto_key_free(&key);
	return enough;
}

static void test_every_allocation_fails(void **state)
{
	static const enum key_type types[] = {KEY_TYPE_RSA_2048, KEY_TYPE_EC_P256, KEY_TYPE_EC_P384,
		KEY_TYPE_EC_P521, KEY_TYPE_ED25519};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct subject s;
		long at;

		make_subject(types[i], &s);
		/* What libcrypto makes once in a process it has made now. */
		assert_true(load_and_sign(&s, -1));
		for (at = 1; at < ENOUGH && !load_and_sign(&s, at); at++)
			;
		assert_in_range(at, 5, ENOUGH - 1);
		assert_true(import(&s, -1));
		/* The tests of primes take their time: not after each of their allocations. */
		for (at = 1; at < ENOUGH && !import(&s, at); at += 1 + at / 30)
			;
		assert_in_range(at, 5, ENOUGH - 1);
	}
}

static void test_seal_and_hmac(void **state)
{
	static const uint8_t key[CRYPTO_KEY_SIZE], nonce[12], zeros[40];
	uint8_t sealed[40], tag[CRYPTO_TAG_SIZE], mac[32], out[40];
	struct crypto_bytes aad = {"aad", 3};
	bool enough = false;

	(void)state;
	assert_int_equal(crypto_seal(key, nonce, aad, zeros, 40, sealed, tag), KW_ERR_OK);
	for (long at = 1; !enough && at < ENOUGH; at++) {
		enum kw_err opened, hmac;

		memset(out, 0xaa, sizeof(out));
		left = at;
		opened = crypto_open(key, nonce, aad, sealed, 40, out, tag);
		hmac = crypto_hmac(key, &aad, 1, mac);
		enough = left != 0;
		left = -1;
		/* Never that the data is damaged: it is not. And nothing is left in `out`. */
		assert_true(opened == KW_ERR_OK || opened == KW_ERR_NO_MEMORY ||
			    opened == KW_ERR_CRYPTO);
		assert_memory_equal(out, zeros, sizeof(out));
		assert_true(!enough || (!opened && !hmac));
	}
	assert_true(enough);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_allocation_fails),
		cmocka_unit_test(test_seal_and_hmac),
	};

	if (!CRYPTO_set_mem_functions(get, resize, put) || crypto_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

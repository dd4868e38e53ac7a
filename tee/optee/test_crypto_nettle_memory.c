/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The nettle backend when any one of its allocations fails: an error, nothing lost, nothing kept, and the
 * key as good as before. GMP by itself would end the process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/crypto.h"
#include "core/key_type.h"
#include "crypto_nettle_memory.h"
#include "tests/support/platform_memory.h"
#include "tests/support/verify.h"

static const enum key_type types[] = {
	KEY_TYPE_EC_P256, KEY_TYPE_EC_P384, KEY_TYPE_EC_P521, KEY_TYPE_ED25519, KEY_TYPE_RSA_2048};

#define TYPES (sizeof(types) / sizeof(types[0]))

struct subject {
	enum key_type type;
	struct crypto_key *key;
	uint8_t private_part[CRYPTO_PRIVATE_MAX], public_part[CRYPTO_PUBLIC_MAX];
	size_t private_len, public_len, material_len;
	struct crypto_sign sign;
};

typedef enum kw_err step(struct subject *s, struct crypto_key **made);

static enum kw_err generate(struct subject *s, struct crypto_key **made)
{
	return crypto_key_generate(s->type, made);
}

static enum kw_err import(struct subject *s, struct crypto_key **made)
{
	return crypto_key_import(s->type, s->private_part, s->material_len, made);
}

static enum kw_err load(struct subject *s, struct crypto_key **made)
{
	return crypto_key_load(s->type, s->private_part, s->private_len, made);
}

static enum kw_err tell_private(struct subject *s, struct crypto_key **made)
{
	uint8_t buf[CRYPTO_PRIVATE_MAX];
	size_t n = 1;
	enum kw_err err = crypto_key_private(s->key, buf, &n);

	*made = NULL;
	if (err)
		assert_int_equal(n, 0);
	else
		assert_memory_equal(buf, s->private_part, s->private_len);
	return err;
}

static enum kw_err tell_public(struct subject *s, struct crypto_key **made)
{
	uint8_t buf[CRYPTO_PUBLIC_MAX];
	size_t n = 1;
	enum kw_err err = crypto_key_public(s->key, buf, &n);

	*made = NULL;
	if (err)
		assert_int_equal(n, 0);
	else
		assert_memory_equal(buf, s->public_part, s->public_len);
	return err;
}

static enum kw_err sign(struct subject *s, struct crypto_key **made)
{
	uint8_t sig[CRYPTO_SIGNATURE_MAX];
	static const uint8_t none[CRYPTO_SIGNATURE_MAX];
	size_t n = 1;
	enum kw_err err;

	*made = NULL;
	memset(sig, 0xff, sizeof(sig));
	err = crypto_sign(s->key, &s->sign, sig, &n);
	if (err) {
		assert_int_equal(n, 0);
		assert_memory_equal(sig, none, sizeof(sig));
	} else {
		assert_true(
			verify_signature(s->type, s->public_part, s->public_len, &s->sign, sig, n));
	}
	return err;
}

static enum kw_err decrypt(struct subject *s, struct crypto_key **made)
{
	struct crypto_decrypt what = {.n = s->public_len - 4};
	uint8_t in[CRYPTO_SIGNATURE_MAX] = {0, 1, 2, 3}, out[CRYPTO_SIGNATURE_MAX];
	size_t n = 1;
	enum kw_err err;

	*made = NULL;
	what.in = in;
	err = crypto_rsa_decrypt(s->key, &what, out, &n);
	if (err)
		assert_int_equal(n, 0);
	return err;
}

static void make_subject(enum key_type type, struct subject *s)
{
	const struct key_type_info *info = key_type_find((uint8_t)type);

	memset(s, 0, sizeof(*s));
	s->type = type;
	s->sign = (struct crypto_sign){.scheme = SCHEME_ECDSA, .hash = HASH_SHA256};
	if (info->family == FAMILY_RSA)
		s->sign = (struct crypto_sign){SCHEME_RSA_PSS, HASH_SHA256, .salt_len = 32};
	if (info->family == FAMILY_ED)
		s->sign = (struct crypto_sign){.scheme = SCHEME_EDDSA};
	s->sign.data = (const uint8_t *)"a message";
	s->sign.n = 9;
	assert_int_equal(crypto_key_generate(type, &s->key), KW_ERR_OK);
	assert_int_equal(crypto_key_private(s->key, s->private_part, &s->private_len), KW_ERR_OK);
	assert_int_equal(crypto_key_public(s->key, s->public_part, &s->public_len), KW_ERR_OK);
	s->material_len = info->family == FAMILY_RSA ? 4 + info->bits / 8 : s->private_len;
}

/* Fails one allocation after the other, until the step takes fewer than that. */
static void sweep(struct subject *s, step *run, unsigned least, unsigned most)
{
	unsigned refused = 0;

	for (unsigned n = 1;; n += n < most ? 1 : n) {
		unsigned blocks = platform_memory_blocks(), left;
		size_t bytes = platform_memory_bytes();
		struct crypto_key *made = NULL;
		enum kw_err err;

		platform_memory_fail_alloc(n);
		err = run(s, &made);
		left = platform_memory_fail_alloc_left();
		platform_memory_fail_alloc(0);
		assert_int_equal(err, left ? KW_ERR_OK : KW_ERR_NO_MEMORY);
		assert_true(!err || !made);
		crypto_key_free(&made);
		assert_int_equal(platform_memory_blocks(), blocks);
		assert_int_equal(platform_memory_bytes(), bytes);
		assert_false(operation_is_running());
		if (left)
			break;
		refused++;
	}
	/* If nothing was refused, nothing was tried. */
	assert_in_range(refused, least, UINT32_MAX);
}

static void test_every_allocation_may_fail(void **state)
{
	struct subject s;

	(void)state;
	for (size_t i = 0; i < TYPES; i++) {
		bool is_rsa = types[i] == KEY_TYPE_RSA_2048;

		make_subject(types[i], &s);
		sweep(&s, import, 1, 2000);
		sweep(&s, load, 1, 2000);
		if (types[i] != KEY_TYPE_ED25519) {
			sweep(&s, tell_public, is_rsa ? 0 : 1, 2000);
			sweep(&s, tell_private, is_rsa ? 0 : 1, 2000);
		}
		sweep(&s, sign, 1, 2000);
		if (is_rsa)
			sweep(&s, decrypt, 1, 2000);
		/* Making RSA keys takes thousands, and long. */
		sweep(&s, generate, 1, is_rsa ? 40 : 2000);
		assert_int_equal(sign(&s, &(struct crypto_key *){NULL}), KW_ERR_OK);
		crypto_key_free(&s.key);
	}
}

static void test_a_key_costs_what_the_cache_counts(void **state)
{
	static const enum key_type all[] = {KEY_TYPE_RSA_2048, KEY_TYPE_RSA_3072, KEY_TYPE_RSA_4096,
		KEY_TYPE_EC_P256, KEY_TYPE_EC_P384, KEY_TYPE_EC_P521, KEY_TYPE_ED25519};
	/* What an allocator adds to a block. */
	const size_t head = 32;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct crypto_key *loaded = NULL;
		struct subject s;
		size_t cost;

		make_subject(all[i], &s);
		cost = platform_memory_bytes() + head * platform_memory_blocks();
		assert_int_equal(load(&s, &loaded), KW_ERR_OK);
		cost = platform_memory_bytes() + head * platform_memory_blocks() - cost;
		assert_in_range(crypto_key_memory(all[i]), cost, cost + cost / 4);
		crypto_key_free(&loaded);
		crypto_key_free(&s.key);
	}
}

static void test_nothing_is_broken_off_outside_an_operation(void **state)
{
	(void)state;
	operation_break(KW_ERR_CRYPTO);
	assert_false(operation_is_running());
}

static int setup(void **state)
{
	(void)state;
	return crypto_init() != KW_ERR_OK;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_allocation_may_fail),
		cmocka_unit_test(test_a_key_costs_what_the_cache_counts),
		cmocka_unit_test(test_nothing_is_broken_off_outside_an_operation),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

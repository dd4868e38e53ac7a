/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "key_type.h"
#include "test_messages.h"

static void test_certificate_verify_form(void **state)
{
	uint8_t m[98 + 64];

	(void)state;
	for (size_t hash = 0; hash <= 64; hash++) {
		size_t n = test_certificate_verify(m, "server", hash);
		enum kw_err expected = hash == 32 || hash == 48 ? KW_ERR_OK : KW_ERR_TLS_MESSAGE;

		assert_int_equal(test_server(m, n), expected);
		assert_int_equal(test_client(m, n), KW_ERR_TLS_MESSAGE);
		test_certificate_verify(m, "client", hash);
		assert_int_equal(test_client(m, n), expected);
		assert_int_equal(test_server(m, n), KW_ERR_TLS_MESSAGE);
	}
	/* Every bit before the hash matters, and none of the hash. */
	for (size_t bit = 0; bit < 130 * 8; bit++) {
		size_t n = test_certificate_verify(m, "server", 32);

		m[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(test_server(m, n), bit < 98 * 8 ? KW_ERR_TLS_MESSAGE : KW_ERR_OK);
	}
}

static void test_ecdhe_form(void **state)
{
	uint8_t m[257];

	(void)state;
	for (size_t i = 0; i < TEST_GROUPS; i++) {
		const struct test_group *g = &test_groups[i];
		size_t n = test_ecdhe(m, g, 'e');

		assert_int_equal(test_server(m, n), KW_ERR_OK);
		assert_int_equal(test_client(m, n), KW_ERR_TLS_MESSAGE);
		for (size_t len = 0; len <= sizeof(m); len++)
			assert_int_equal(
				test_server(m, len), len == n ? KW_ERR_OK : KW_ERR_TLS_MESSAGE);
		/* Type, group, length, and the first byte of a point that has a form. */
		for (size_t bit = 64 * 8; bit < (g->first ? 69u : 68u) * 8; bit++) {
			m[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_int_equal(test_server(m, n), KW_ERR_TLS_MESSAGE);
			m[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

/* explicit_prime and explicit_char2 curves (RFC 4492) and groups that nobody has. */
static void test_ecdhe_unknown_groups(void **state)
{
	uint8_t m[256];
	size_t n = test_ecdhe(m, &test_groups[6], 'e');

	(void)state;
	for (unsigned group = 0; group < 0x10000; group++) {
		bool known = group == 29;

		m[65] = (uint8_t)(group >> 8);
		m[66] = (uint8_t)group;
		assert_int_equal(test_server(m, n), known ? KW_ERR_OK : KW_ERR_TLS_MESSAGE);
	}
}

static BIGNUM *named_prime(const char *name)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(
			OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)name, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *key = NULL;
	BIGNUM *p = NULL;

	assert_int_equal(EVP_PKEY_paramgen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_params(ctx, params), 1);
	assert_int_equal(EVP_PKEY_paramgen(ctx, &key), 1);
	assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_FFC_P, &p), 1);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
	return p;
}

struct dhe {
	uint8_t p[1100];
	size_t p_len;
	uint8_t g[2];
	size_t g_len;
	uint8_t y[1100];
	size_t y_len;
};

static struct dhe dhe_with(BIGNUM *p)
{
	struct dhe d = {.g = {2}, .g_len = 1};

	d.p_len = (size_t)BN_num_bytes(p);
	BN_bn2bin(p, d.p);
	BN_free(p);
	d.y_len = d.p_len;
	memset(d.y, 0x5a, d.y_len);
	return d;
}

static enum kw_err check_dhe(const struct dhe *d)
{
	static uint8_t m[4096];
	struct writer w = writer_over(m, sizeof(m));

	memset(m, 'd', sizeof(m));
	w.len = 64;
	put_field16(&w, d->p, d->p_len);
	put_field16(&w, d->g, d->g_len);
	put_field16(&w, d->y, d->y_len);
	/* Nothing passes that is shorter or longer. */
	assert_int_equal(test_server(m, w.len - 1), KW_ERR_TLS_MESSAGE);
	assert_int_equal(test_server(m, w.len + 1), KW_ERR_TLS_MESSAGE);
	assert_int_equal(test_client(m, w.len), KW_ERR_TLS_MESSAGE);
	return test_server(m, w.len);
}

static void check_public_values(struct dhe d)
{
	memcpy(d.y, d.p, d.p_len);
	assert_int_equal(check_dhe(&d), KW_ERR_TLS_MESSAGE); /* p */
	d.y[d.p_len - 1]--;
	assert_int_equal(check_dhe(&d), KW_ERR_TLS_MESSAGE); /* p - 1 */
	d.y[d.p_len - 1]--;
	assert_int_equal(check_dhe(&d), KW_ERR_OK); /* p - 2 */
	memset(d.y, 0xff, d.y_len);
	assert_int_equal(check_dhe(&d), KW_ERR_TLS_MESSAGE);
	memset(d.y, 0, d.y_len);
	assert_int_equal(check_dhe(&d), KW_ERR_TLS_MESSAGE); /* 0 */
	d.y[d.y_len - 1] = 1;
	assert_int_equal(check_dhe(&d), KW_ERR_TLS_MESSAGE); /* 1 */
	d.y[d.y_len - 1] = 2;
	assert_int_equal(check_dhe(&d), KW_ERR_OK);
	memset(d.y, 0x5a, sizeof(d.y));
	d.y_len = d.p_len + 1;
	assert_int_equal(check_dhe(&d), KW_ERR_TLS_MESSAGE);
	d.y[0] = 0; /* a zero too many in front */
	assert_int_equal(check_dhe(&d), KW_ERR_TLS_MESSAGE);
	d.y[0] = 0x5a;
	d.y_len = d.p_len - 8; /* leading zeros left out */
	assert_int_equal(check_dhe(&d), KW_ERR_OK);
	d.y_len = d.p_len - 9;
	assert_int_equal(check_dhe(&d), KW_ERR_TLS_MESSAGE);
	d.y_len = 0;
	assert_int_equal(check_dhe(&d), KW_ERR_TLS_MESSAGE);
}

static void test_dhe_known_primes(void **state)
{
	static const char *const names[] = {
		"ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"};
	BIGNUM *(*const modp[])(BIGNUM *) = {BN_get_rfc3526_prime_2048, BN_get_rfc3526_prime_3072,
		BN_get_rfc3526_prime_4096, BN_get_rfc3526_prime_6144, BN_get_rfc3526_prime_8192};

	(void)state;
	for (size_t i = 0; i < 10; i++) {
		struct dhe d = dhe_with(i < 5 ? named_prime(names[i]) : modp[i - 5](NULL));

		assert_int_equal(check_dhe(&d), KW_ERR_OK);
		check_public_values(d);
		d.g[0] = 5;
		assert_int_equal(check_dhe(&d), KW_ERR_TLS_MESSAGE);
		d.g[0] = 0;
		d.g[1] = 2;
		d.g_len = 2;
		assert_int_equal(check_dhe(&d), KW_ERR_TLS_MESSAGE);
		d.g_len = 0;
		assert_int_equal(check_dhe(&d), KW_ERR_TLS_MESSAGE);
		d.g[0] = 2;
		d.g_len = 1;
		d.p[d.p_len / 2] ^= 0x10;
		assert_int_equal(check_dhe(&d), KW_ERR_TLS_MESSAGE);
		d.p[d.p_len / 2] ^= 0x10;
		memmove(d.p + 1, d.p, d.p_len++);
		d.p[0] = 0;
		assert_int_equal(check_dhe(&d), KW_ERR_TLS_MESSAGE);
	}
}

static void test_dhe_other_primes(void **state)
{
	struct dhe small = dhe_with(BN_get_rfc2409_prime_1024(NULL));
	struct dhe medium = dhe_with(BN_get_rfc3526_prime_1536(NULL));
	BIGNUM *own = BN_new();
	struct dhe d;

	(void)state;
	assert_int_equal(check_dhe(&small), KW_ERR_TLS_MESSAGE);
	assert_int_equal(check_dhe(&medium), KW_ERR_TLS_MESSAGE);
	/* As from `openssl dhparam 2048`, but for the time that a safe prime takes. */
	assert_int_equal(BN_generate_prime_ex(own, 2048, 0, NULL, NULL, NULL), 1);
	d = dhe_with(own);
	assert_int_equal(check_dhe(&d), KW_ERR_TLS_MESSAGE);
}

/* IANA's "TLS SignatureScheme": the rows that a key of Keyward can have. */
static const struct {
	enum key_family family;
	enum scheme scheme;
	enum hash_id hash;
	uint16_t salt;
	bool tls12;
	enum key_type tls13; /* the one type with it in TLS 1.3, or any RSA */
} schemes[] = {
	{FAMILY_EC, SCHEME_ECDSA, HASH_SHA224, 0, true, 0},
	{FAMILY_EC, SCHEME_ECDSA, HASH_SHA256, 0, true, KEY_TYPE_EC_P256},
	{FAMILY_EC, SCHEME_ECDSA, HASH_SHA384, 0, true, KEY_TYPE_EC_P384},
	{FAMILY_EC, SCHEME_ECDSA, HASH_SHA512, 0, true, KEY_TYPE_EC_P521},
	{FAMILY_RSA, SCHEME_RSA_PKCS1, HASH_SHA224, 0, true, 0},
	{FAMILY_RSA, SCHEME_RSA_PKCS1, HASH_SHA256, 0, true, 0},
	{FAMILY_RSA, SCHEME_RSA_PKCS1, HASH_SHA384, 0, true, 0},
	{FAMILY_RSA, SCHEME_RSA_PKCS1, HASH_SHA512, 0, true, 0},
	{FAMILY_RSA, SCHEME_RSA_PSS, HASH_SHA256, 32, true, KEY_TYPE_RSA_2048},
	{FAMILY_RSA, SCHEME_RSA_PSS, HASH_SHA384, 48, true, KEY_TYPE_RSA_2048},
	{FAMILY_RSA, SCHEME_RSA_PSS, HASH_SHA512, 64, true, KEY_TYPE_RSA_2048},
	{FAMILY_ED, SCHEME_EDDSA, HASH_NONE, 0, true, KEY_TYPE_ED25519},
};

static bool is_scheme(const struct key_type_info *key, const struct crypto_sign *what, bool tls13)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (schemes[i].family != key->family || schemes[i].scheme != what->scheme ||
			schemes[i].hash != what->hash || schemes[i].salt != what->salt_len)
			continue;
		if (!tls13)
			return schemes[i].tls12;
		return key->family == FAMILY_RSA ? schemes[i].tls13 != 0
						 : schemes[i].tls13 == key->type;
	}
	return false;
}

static void test_algorithms(void **state)
{
	static const uint16_t salts[] = {0, 20, 28, 32, 48, 64, 222, 0xffff};
	uint8_t m12[256], m13[256];
	size_t n12 = test_ecdhe(m12, &test_groups[0], 'a');
	size_t n13 = test_certificate_verify(m13, "server", 32);
	unsigned allowed = 0;

	(void)state;
	for (unsigned i = 0; i < 256u * 8 * 8 * 8 * 2; i++) {
		bool tls13 = i & 1;
		const struct key_type_info *key = key_type_find((uint8_t)(i >> 10));
		struct crypto_sign what = {
			.scheme = (enum scheme)(i >> 1 & 7),
			.hash = (enum hash_id)(i >> 4 & 7),
			.salt_len = salts[i >> 7 & 7],
			.data = tls13 ? m13 : m12,
			.n = tls13 ? n13 : n12,
		};
		enum kw_err expected = KW_ERR_BAD_ALGORITHM;

		if (!key)
			expected = KW_ERR_UNSUPPORTED_TYPE;
		else if (is_scheme(key, &what, tls13))
			expected = KW_ERR_OK;
		allowed += !expected;
		assert_int_equal(
			tls_message_check_server((enum key_type)(i >> 10), &what), expected);
		memcpy(m13 + 73, "client", 6);
		if (tls13)
			assert_int_equal(tls_message_check_client((enum key_type)(i >> 10), &what),
				expected);
		memcpy(m13 + 73, "server", 6);
		/* A digest is never looked at. */
		what.is_digest = true;
		assert_int_equal(tls_message_check_server((enum key_type)(i >> 10), &what),
			KW_ERR_TLS_MESSAGE);
		assert_int_equal(tls_message_check_client((enum key_type)(i >> 10), &what),
			KW_ERR_TLS_MESSAGE);
	}
	/* TLS 1.2: 3 x 7 for RSA, 3 x 4 for EC, 1; TLS 1.3: 3 x 3, 3, 1. */
	assert_int_equal(allowed, 21 + 12 + 1 + 9 + 3 + 1);
}

static void test_nothing_and_noise(void **state)
{
	static uint8_t zeros[65536];
	uint8_t spaces[256];

	(void)state;
	assert_int_equal(test_server(NULL, 0), KW_ERR_TLS_MESSAGE);
	assert_int_equal(test_client(NULL, 0), KW_ERR_TLS_MESSAGE);
	memset(spaces, ' ', sizeof(spaces));
	for (size_t n = 0; n <= sizeof(spaces); n++) {
		assert_int_equal(test_server(spaces, n), KW_ERR_TLS_MESSAGE);
		assert_int_equal(test_client(spaces, n), KW_ERR_TLS_MESSAGE);
		assert_int_equal(test_server(zeros, n), KW_ERR_TLS_MESSAGE);
		assert_int_equal(test_client(zeros, n), KW_ERR_TLS_MESSAGE);
	}
	assert_int_equal(test_server(zeros, sizeof(zeros)), KW_ERR_TLS_MESSAGE);
	assert_int_equal(test_client(zeros, sizeof(zeros)), KW_ERR_TLS_MESSAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate_verify_form),
		cmocka_unit_test(test_ecdhe_form),
		cmocka_unit_test(test_ecdhe_unknown_groups),
		cmocka_unit_test(test_dhe_known_primes),
		cmocka_unit_test(test_dhe_other_primes),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_nothing_and_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* libcrypto's own encoding is the measure: an id must be the same for everybody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "key_type.h"
#include "spki.h"
#include "wire/wire.h"

#define PUBLIC_MAX 520

static const uint8_t types[] = {
#define KW_KEY_TYPE(number, NAME, name, FAMILY, bits) number,
#include "keyward/algorithms.def"
};

static EVP_PKEY *generate(const struct key_type_info *info)
{
	if (info->family == FAMILY_RSA)
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)info->bits);
	if (info->family == FAMILY_ED || info->family == FAMILY_X)
		return EVP_PKEY_Q_keygen(
			NULL, NULL, info->family == FAMILY_ED ? "ED25519" : "X25519");
	return EVP_PKEY_Q_keygen(NULL, NULL, "EC",
		info->bits == 256   ? "P-256"
		: info->bits == 384 ? "P-384"
				    : "P-521");
}

/* The public encoding of crypto.h. */
static size_t public_part(const struct key_type_info *info, EVP_PKEY *key, uint8_t *out)
{
	size_t n = key_type_bytes(info);
	BIGNUM *e = NULL, *modulus = NULL;

	if (info->family == FAMILY_ED || info->family == FAMILY_X) {
		assert_int_equal(EVP_PKEY_get_raw_public_key(key, out, &n), 1);
		return n;
	}
	if (info->family == FAMILY_EC) {
		assert_int_equal(EVP_PKEY_get_octet_string_param(
					 key, OSSL_PKEY_PARAM_PUB_KEY, out, PUBLIC_MAX, &n),
			1);
		return n;
	}
	assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e), 1);
	assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus), 1);
	BN_bn2binpad(e, out, 4);
	BN_bn2binpad(modulus, out + 4, (int)n);
	BN_free(e);
	BN_free(modulus);
	return 4 + n;
}

static void check_errors(const struct key_type_info *info, uint8_t *pub, size_t n, size_t der_len)
{
	uint8_t out[WIRE_SPKI_MAX];
	struct writer w;

	for (size_t cap = 0; cap < der_len; cap++) {
		w = writer_over(out, cap);
		assert_int_equal(spki_encode(info->type, pub, n, &w), KW_ERR_TOO_LARGE);
	}
	for (size_t len = 0; len <= n + 1; len++) {
		w = writer_over(out, sizeof(out));
		assert_int_equal(spki_encode(info->type, pub, len, &w),
			len == n ? KW_ERR_OK : KW_ERR_BAD_KEY);
	}
	if (info->family == FAMILY_ED || info->family == FAMILY_X)
		return;
	/* A compressed point; an even exponent, a modulus that is too small or even. */
	for (size_t i = 0; i < (info->family == FAMILY_EC ? 1u : 3u); i++) {
		static const uint8_t bits[] = {1, 0x80, 1};
		size_t at = info->family == FAMILY_EC ? 0 : i == 0 ? 3 : i == 1 ? 4 : n - 1;

		pub[at] ^= bits[i];
		w = writer_over(out, sizeof(out));
		assert_int_equal(spki_encode(info->type, pub, n, &w), KW_ERR_BAD_KEY);
		pub[at] ^= bits[i];
	}
}

static void test_as_libcrypto(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(types); i++) {
		const struct key_type_info *info = key_type_find(types[i]);
		EVP_PKEY *key = key_type_is_secret(info->type) ? NULL : generate(info);
		uint8_t pub[PUBLIC_MAX + 8], out[WIRE_SPKI_MAX];
		size_t n = key ? public_part(info, key, pub) : 32;
		struct writer w = writer_over(out, sizeof(out));
		unsigned char *der = NULL;
		int len = key ? i2d_PUBKEY(key, &der) : 0;

		if (!key) {
			assert_int_equal(spki_encode(info->type, pub, n, &w), KW_ERR_BAD_KEY);
			continue;
		}
		assert_int_equal(spki_encode(info->type, pub, n, &w), KW_ERR_OK);
		assert_int_equal(w.len, len);
		assert_memory_equal(out, der, w.len);
		check_errors(info, pub, n, w.len);
		OPENSSL_free(der);
		EVP_PKEY_free(key);
	}
}

/* After what is there already, as in a longer message. */
static void test_appends(void **state)
{
	uint8_t pub[32] = {1, 2, 3}, out[WIRE_SPKI_MAX];
	struct writer w = writer_over(out, sizeof(out));

	(void)state;
	put_u16(&w, 0xabcd);
	assert_int_equal(spki_encode(KEY_TYPE_ED25519, pub, sizeof(pub), &w), KW_ERR_OK);
	assert_int_equal(w.len, 2 + 44);
	assert_memory_equal(out, "\xab\xcd\x30\x2a", 4);
	assert_memory_equal(out + 2 + 12, pub, sizeof(pub));
}

static void test_types(void **state)
{
	unsigned known = 0;

	(void)state;
	for (unsigned number = 0; number < 256; number++) {
		const struct key_type_info *info = key_type_find((uint8_t)number);
		uint8_t pub[4] = {0}, out[64];
		struct writer w = writer_over(out, sizeof(out));

		if (info) {
			known++;
			assert_int_equal(info->type, number);
			continue;
		}
		assert_int_equal(spki_encode((enum key_type)number, pub, sizeof(pub), &w),
			KW_ERR_UNSUPPORTED_TYPE);
	}
	assert_int_equal(known, sizeof(types));
	assert_int_equal(key_type_bytes(key_type_find(KEY_TYPE_EC_P521)), 66);
	assert_int_equal(key_type_bytes(key_type_find(KEY_TYPE_ED25519)), 32);
	assert_int_equal(key_type_bytes(key_type_find(KEY_TYPE_RSA_3072)), 384);
	assert_string_equal(key_type_find(KEY_TYPE_EC_P384)->name, "ec-p384");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_libcrypto),
		cmocka_unit_test(test_appends),
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every backend of core/crypto.h promises. Built once with libcrypto and once with nettle; the
 * signatures of both are verified by libcrypto, which gets to see the public key only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "core/crypto.h"
#include "core/key_type.h"
#include "tests/support/platform_memory.h"
#include "tests/support/verify.h"

#if !WITH_NETTLE
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/rand.h>
#endif

static const enum key_type types[] = {
#define KW_KEY_TYPE(number, NAME, name, FAMILY, bits) KEY_TYPE_##NAME,
#include "keyward/algorithms.def"
};

static const enum hash_id hash_ids[] = {
#define KW_HASH(number, NAME, name, bytes) HASH_##NAME,
#include "keyward/algorithms.def"
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const uint8_t message[] =
	"in the year of the key, a message that is longer than one block of "
	"SHA-512, so that the hash has to work a little, and then some more";

/* Made once: RSA keys take a while. */
static struct crypto_key *keys[COUNT(types)];

static struct crypto_key *key_of(enum key_type type)
{
	for (size_t i = 0; i < COUNT(types); i++) {
		if (types[i] != type)
			continue;
		if (!keys[i])
			assert_int_equal(crypto_key_generate(type, &keys[i]), KW_ERR_OK);
		return keys[i];
	}
	fail();
	return NULL;
}

static int free_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(types); i++)
		crypto_key_free(&keys[i]);
	return 0;
}

static bool is_good(
	enum key_type type, const struct crypto_sign *what, const uint8_t *sig, size_t n)
{
	uint8_t public_part[CRYPTO_PUBLIC_MAX];
	size_t len;

	assert_int_equal(crypto_key_public(key_of(type), public_part, &len), KW_ERR_OK);
	return verify_signature(type, public_part, len, what, sig, n);
}

/* Signs, verifies, and sees that another message and a changed signature do not verify. */
static void check_signature(enum key_type type, struct crypto_sign what)
{
	uint8_t sig[CRYPTO_SIGNATURE_MAX];
	uint8_t other[sizeof(message)];
	size_t n = 0;

	assert_int_equal(crypto_sign(key_of(type), &what, sig, &n), KW_ERR_OK);
	assert_true(is_good(type, &what, sig, n));
	sig[n / 2] ^= 1;
	assert_false(is_good(type, &what, sig, n));
	sig[n / 2] ^= 1;
	memcpy(other, what.data, what.n);
	other[0] ^= 1;
	what.data = other;
	assert_false(is_good(type, &what, sig, n));
}

static void check_message_and_digest(enum key_type type, struct crypto_sign what)
{
	uint8_t digest[HASH_MAX_SIZE];

	what.data = message;
	what.n = sizeof(message);
	check_signature(type, what);
	assert_int_equal(crypto_hash(what.hash, message, sizeof(message), digest), KW_ERR_OK);
	what.is_digest = true;
	what.data = digest;
	what.n = hash_size(what.hash);
	check_signature(type, what);
}

static void test_every_type_signs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		enum key_family family = key_type_find((uint8_t)types[i])->family;

		if (family > FAMILY_ED)
			continue;
		if (family == FAMILY_ED) {
			check_signature(types[i], (struct crypto_sign){.scheme = SCHEME_EDDSA,
							  .data = message,
							  .n = sizeof(message)});
			continue;
		}
		for (size_t j = 0; j < COUNT(hash_ids); j++) {
			struct crypto_sign what = {.hash = hash_ids[j]};

			what.scheme = family == FAMILY_EC ? SCHEME_ECDSA : SCHEME_RSA_PKCS1;
			check_message_and_digest(types[i], what);
			if (family == FAMILY_EC)
				continue;
			what.scheme = SCHEME_RSA_PSS;
			what.salt_len = (uint16_t)hash_size(what.hash);
			check_message_and_digest(types[i], what);
			what.salt_len = 0;
			check_message_and_digest(types[i], what);
			what.salt_len = 20;
			check_message_and_digest(types[i], what);
		}
	}
}

static void test_pss_takes_the_longest_salt_and_no_more(void **state)
{
	struct crypto_sign what = {.scheme = SCHEME_RSA_PSS,
		.hash = HASH_SHA512,
		.salt_len = 256 - 64 - 2,
		.data = message,
		.n = sizeof(message)};
	uint8_t sig[CRYPTO_SIGNATURE_MAX];
	size_t n;

	(void)state;
	check_signature(KEY_TYPE_RSA_2048, what);
	what.salt_len++;
	assert_int_equal(
		crypto_sign(key_of(KEY_TYPE_RSA_2048), &what, sig, &n), KW_ERR_BAD_ALGORITHM);
	what.salt_len = UINT16_MAX;
	assert_int_equal(
		crypto_sign(key_of(KEY_TYPE_RSA_2048), &what, sig, &n), KW_ERR_BAD_ALGORITHM);
}

static void test_empty_message(void **state)
{
	struct crypto_sign what = {.scheme = SCHEME_EDDSA, .data = message};
	uint8_t sig[CRYPTO_SIGNATURE_MAX];
	size_t n;

	(void)state;
	assert_int_equal(crypto_sign(key_of(KEY_TYPE_ED25519), &what, sig, &n), KW_ERR_OK);
	assert_true(is_good(KEY_TYPE_ED25519, &what, sig, n));
	what.scheme = SCHEME_ECDSA;
	what.hash = HASH_SHA256;
	assert_int_equal(crypto_sign(key_of(KEY_TYPE_EC_P256), &what, sig, &n), KW_ERR_OK);
	assert_true(is_good(KEY_TYPE_EC_P256, &what, sig, n));
}

static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		unsigned v = 0;

		for (int j = 0; j < 2; j++) {
			char c = hex[2 * i + (size_t)j];

			v = v << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
		}
		out[i] = (uint8_t)v;
	}
	return n;
}

/* RFC 8032, 7.1, test 1. */
static void test_ed25519_known_answer(void **state)
{
	struct crypto_sign what = {.scheme = SCHEME_EDDSA, .data = message};
	uint8_t seed[32], expected[64], sig[CRYPTO_SIGNATURE_MAX];
	struct crypto_key *key = NULL;
	size_t n;

	(void)state;
	from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", seed);
	from_hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
		 "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
		expected);
	assert_int_equal(crypto_key_import(KEY_TYPE_ED25519, seed, 32, &key), KW_ERR_OK);
	assert_int_equal(crypto_sign(key, &what, sig, &n), KW_ERR_OK);
	assert_int_equal(n, 64);
	assert_memory_equal(sig, expected, 64);
	crypto_key_free(&key);
}

static void test_schemes_that_do_not_fit(void **state)
{
	static const enum scheme schemes[] = {
		SCHEME_ECDSA, SCHEME_RSA_PKCS1, SCHEME_RSA_PSS, SCHEME_EDDSA};
	uint8_t sig[CRYPTO_SIGNATURE_MAX];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		enum key_family family = key_type_find((uint8_t)types[i])->family;

		if (key_type_is_secret(types[i]))
			continue;
		for (size_t j = 0; j < COUNT(schemes); j++) {
			bool fits = schemes[j] == SCHEME_ECDSA   ? family == FAMILY_EC
				    : schemes[j] == SCHEME_EDDSA ? family == FAMILY_ED
								 : family == FAMILY_RSA;
			struct crypto_sign what = {.scheme = schemes[j],
				.data = message,
				.hash = schemes[j] == SCHEME_EDDSA ? HASH_NONE : HASH_SHA256,
				.n = sizeof(message)};

			assert_int_equal(crypto_sign(key_of(types[i]), &what, sig, &n),
				fits ? KW_ERR_OK : KW_ERR_BAD_ALGORITHM);
			/* No hash where one is needed, one where none is, one that is unknown. */
			what.hash = what.hash ? HASH_NONE : HASH_SHA256;
			assert_int_equal(crypto_sign(key_of(types[i]), &what, sig, &n),
				KW_ERR_BAD_ALGORITHM);
			what.hash = (enum hash_id)200;
			assert_int_equal(crypto_sign(key_of(types[i]), &what, sig, &n),
				KW_ERR_BAD_ALGORITHM);
			/* A digest of the wrong length. */
			what.hash = HASH_SHA256;
			what.is_digest = true;
			what.n = 31;
			assert_int_equal(crypto_sign(key_of(types[i]), &what, sig, &n),
				KW_ERR_BAD_ALGORITHM);
		}
	}
}

/* PKCS #1 v1.5 around bytes that are no digest, up to what leaves eleven for the padding. */
static void test_rsa_bytes(void **state)
{
	static const uint8_t bytes[600] = {1, 2, 3};
	uint8_t sig[CRYPTO_SIGNATURE_MAX], digest[32];
	struct crypto_sign what = {.scheme = SCHEME_RSA_PKCS1, .is_digest = true, .data = bytes};
	struct crypto_sign hashed = {.scheme = SCHEME_RSA_PKCS1,
		.hash = HASH_SHA256,
		.is_digest = true,
		.data = digest,
		.n = sizeof(digest)};
	uint8_t info[51] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
		0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
	uint8_t same[CRYPTO_SIGNATURE_MAX];
	const struct crypto_key *key = key_of(KEY_TYPE_RSA_2048);
	size_t n;

	(void)state;
	what.n = 256 - 11;
	assert_int_equal(crypto_sign(key, &what, sig, &n), KW_ERR_OK);
	assert_int_equal(n, 256);
	what.n++;
	assert_int_equal(crypto_sign(key, &what, sig, &n), KW_ERR_BAD_ALGORITHM);
	what.is_digest = false;
	what.n = 32;
	assert_int_equal(crypto_sign(key, &what, sig, &n), KW_ERR_BAD_ALGORITHM);
	/* A DigestInfo of the caller's is the same as the digest. */
	assert_int_equal(crypto_hash(HASH_SHA256, "abc", 3, digest), KW_ERR_OK);
	memcpy(info + 19, digest, sizeof(digest));
	what.is_digest = true;
	what.data = info;
	what.n = sizeof(info);
	assert_int_equal(crypto_sign(key, &what, sig, &n), KW_ERR_OK);
	assert_int_equal(crypto_sign(key, &hashed, same, &n), KW_ERR_OK);
	assert_memory_equal(sig, same, n);
}

/* The private encoding gives the same key again, byte for byte, by load and by import. */
static void test_private_encoding(void **state)
{
	uint8_t first[CRYPTO_PRIVATE_MAX], again[CRYPTO_PRIVATE_MAX];
	uint8_t public_first[CRYPTO_PUBLIC_MAX], public_again[CRYPTO_PUBLIC_MAX];
	size_t n, m, pn, pm;

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		const struct key_type_info *info = key_type_find((uint8_t)types[i]);
		size_t size = info->family == FAMILY_RSA  ? 4 + info->bits / 16 * 5
			      : info->family == FAMILY_EC ? key_type_bytes(info)
							  : 32;
		size_t material = info->family == FAMILY_RSA ? 4 + info->bits / 8 : size;

		if (key_type_is_secret(types[i]))
			continue;
		assert_int_equal(crypto_key_private(key_of(types[i]), first, &n), KW_ERR_OK);
		assert_int_equal(n, size);
		assert_int_equal(crypto_key_public(key_of(types[i]), public_first, &pn), KW_ERR_OK);
		for (int import = 0; import <= 1; import++) {
			struct crypto_key *key = NULL;

			assert_int_equal(import ? crypto_key_import(types[i], first, material, &key)
						: crypto_key_load(types[i], first, n, &key),
				KW_ERR_OK);
			assert_int_equal(crypto_key_private(key, again, &m), KW_ERR_OK);
			assert_int_equal(m, n);
			assert_memory_equal(first, again, n);
			assert_int_equal(crypto_key_public(key, public_again, &pm), KW_ERR_OK);
			assert_int_equal(pm, pn);
			assert_memory_equal(public_first, public_again, pn);
			crypto_key_free(&key);
			assert_null(key);
			/* One byte less or more is not a key. */
			assert_int_equal(
				import ? crypto_key_import(types[i], first, material - 1, &key)
				       : crypto_key_load(types[i], first, n - 1, &key),
				KW_ERR_BAD_KEY);
			assert_null(key);
			assert_int_equal(
				import ? crypto_key_import(types[i], first, material + 1, &key)
				       : crypto_key_load(types[i], first, n + 1, &key),
				KW_ERR_BAD_KEY);
			assert_null(key);
		}
	}
}

static void test_unknown_type(void **state)
{
	struct crypto_key *key = NULL;

	(void)state;
	assert_int_equal(crypto_key_generate((enum key_type)77, &key), KW_ERR_UNSUPPORTED_TYPE);
	assert_null(key);
	/* Those are bytes that the core makes. */
	assert_int_equal(crypto_key_generate(KEY_TYPE_AES_128, &key), KW_ERR_UNSUPPORTED_TYPE);
	assert_null(key);
	crypto_key_free(&key);
}

static void test_generated_keys_differ(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		uint8_t a[CRYPTO_PUBLIC_MAX], b[CRYPTO_PUBLIC_MAX];
		struct crypto_key *key = NULL;
		size_t n, m;

		if (types[i] == KEY_TYPE_RSA_3072 || types[i] == KEY_TYPE_RSA_4096 ||
			key_type_is_secret(types[i]))
			continue;
		assert_int_equal(crypto_key_generate(types[i], &key), KW_ERR_OK);
		assert_int_equal(crypto_key_public(key, a, &n), KW_ERR_OK);
		assert_int_equal(crypto_key_public(key_of(types[i]), b, &m), KW_ERR_OK);
		assert_int_equal(n, m);
		assert_memory_not_equal(a, b, n);
		crypto_key_free(&key);
	}
}

static const char *const orders[] = {
	"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
	"ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
	"581a0db248b0a77aecec196accc52973",
	"01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	"fffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
};

/* SEC 1, 3.2.1: 1 <= d < n. */
static void test_ec_scalar_range(void **state)
{
	static const enum key_type ec[] = {KEY_TYPE_EC_P256, KEY_TYPE_EC_P384, KEY_TYPE_EC_P521};

	(void)state;
	for (size_t i = 0; i < COUNT(ec); i++) {
		struct crypto_key *key = NULL;
		uint8_t scalar[66] = {0};
		size_t n = from_hex(orders[i], scalar);

		assert_int_equal(crypto_key_import(ec[i], scalar, n, &key), KW_ERR_BAD_KEY);
		assert_null(key);
		scalar[n - 1]--;
		assert_int_equal(crypto_key_import(ec[i], scalar, n, &key), KW_ERR_OK);
		crypto_key_free(&key);
		memset(scalar, 0xff, n);
		assert_int_equal(crypto_key_import(ec[i], scalar, n, &key), KW_ERR_BAD_KEY);
		memset(scalar, 0, n);
		assert_int_equal(crypto_key_import(ec[i], scalar, n, &key), KW_ERR_BAD_KEY);
		scalar[n - 1] = 1;
		assert_int_equal(crypto_key_import(ec[i], scalar, n, &key), KW_ERR_OK);
		crypto_key_free(&key);
	}
}

/* The same message twice gives two nonces and so two r. */
static void test_ecdsa_nonces_are_fresh(void **state)
{
	struct crypto_sign what = {
		.scheme = SCHEME_ECDSA, .hash = HASH_SHA256, .data = message, .n = sizeof(message)};
	uint8_t a[CRYPTO_SIGNATURE_MAX], b[CRYPTO_SIGNATURE_MAX];
	size_t n;

	(void)state;
	assert_int_equal(crypto_sign(key_of(KEY_TYPE_EC_P256), &what, a, &n), KW_ERR_OK);
	assert_int_equal(crypto_sign(key_of(KEY_TYPE_EC_P256), &what, b, &n), KW_ERR_OK);
	assert_memory_not_equal(a, b, 32);
}

#if !WITH_NETTLE
static int stuck_bytes(unsigned char *buf, int n)
{
	memset(buf, 7, (size_t)n);
	return 1;
}

static int stuck_status(void)
{
	return 1;
}

static void stick(bool on)
{
	static const RAND_METHOD stuck = {
		.bytes = stuck_bytes, .pseudorand = stuck_bytes, .status = stuck_status};

	RAND_set_rand_method(on ? &stuck : NULL);
}
#else
static void stick(bool on)
{
	platform_memory_stuck_random(on ? 7 : -1);
}
#endif

/*
 * With a random source that always says the same, two messages still have different nonces: the
 * same r with two messages gives the key away. And two keys do not share theirs.
 */
static void test_ecdsa_nonces_are_hedged(void **state)
{
	struct crypto_sign what = {
		.scheme = SCHEME_ECDSA, .hash = HASH_SHA256, .data = message, .n = sizeof(message)};
	uint8_t a[CRYPTO_SIGNATURE_MAX], b[CRYPTO_SIGNATURE_MAX], c[CRYPTO_SIGNATURE_MAX];
	uint8_t again[CRYPTO_SIGNATURE_MAX], scalar[32] = {[31] = 5};
	struct crypto_key *other = NULL;
	size_t n;

	(void)state;
	key_of(KEY_TYPE_EC_P256);
	assert_int_equal(crypto_key_load(KEY_TYPE_EC_P256, scalar, 32, &other), KW_ERR_OK);
	stick(true);
	assert_int_equal(crypto_sign(key_of(KEY_TYPE_EC_P256), &what, a, &n), KW_ERR_OK);
	assert_int_equal(crypto_sign(key_of(KEY_TYPE_EC_P256), &what, again, &n), KW_ERR_OK);
	assert_int_equal(crypto_sign(other, &what, c, &n), KW_ERR_OK);
	what.n--;
	assert_int_equal(crypto_sign(key_of(KEY_TYPE_EC_P256), &what, b, &n), KW_ERR_OK);
	stick(false);
	/* That the source was stuck indeed. */
	assert_memory_equal(a, again, 64);
	assert_memory_not_equal(a, b, 32);
	assert_memory_not_equal(a, c, 32);
	crypto_key_free(&other);
}

struct signer {
	pthread_t thread;
	const struct crypto_key *key;
	struct crypto_sign what;
	uint8_t message[8];
	uint8_t sig[CRYPTO_SIGNATURE_MAX];
	size_t n;
	unsigned failures;
};

static void *sign_many(void *arg)
{
	struct signer *s = arg;

	for (int i = 0; i < 40; i++) {
		s->message[1] = (uint8_t)i;
		if (crypto_sign(s->key, &s->what, s->sig, &s->n))
			s->failures++;
	}
	return NULL;
}

static void test_one_key_in_four_threads(void **state)
{
	static const struct {
		enum key_type type;
		enum scheme scheme;
		enum hash_id hash;
	} cases[] = {{KEY_TYPE_RSA_2048, SCHEME_RSA_PKCS1, HASH_SHA256},
		{KEY_TYPE_RSA_2048, SCHEME_RSA_PSS, HASH_SHA256},
		{KEY_TYPE_EC_P256, SCHEME_ECDSA, HASH_SHA256},
		{KEY_TYPE_EC_P384, SCHEME_ECDSA, HASH_SHA384},
		{KEY_TYPE_ED25519, SCHEME_EDDSA, HASH_NONE}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct signer signers[4] = {0};

		for (size_t j = 0; j < 4; j++) {
			struct signer *s = &signers[j];

			s->key = key_of(cases[i].type);
			s->what = (struct crypto_sign){.scheme = cases[i].scheme,
				.hash = cases[i].hash,
				.data = s->message,
				.n = sizeof(s->message)};
			s->message[0] = (uint8_t)j;
			assert_int_equal(pthread_create(&s->thread, NULL, sign_many, s), 0);
		}
		for (size_t j = 0; j < 4; j++) {
			pthread_join(signers[j].thread, NULL);
			assert_int_equal(signers[j].failures, 0);
			assert_true(is_good(
				cases[i].type, &signers[j].what, signers[j].sig, signers[j].n));
		}
	}
}

static void test_memory_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(types); i++)
		assert_in_range(crypto_key_memory(types[i]), 64, 20000);
	assert_true(crypto_key_memory(KEY_TYPE_RSA_4096) > crypto_key_memory(KEY_TYPE_RSA_2048));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_signs),
		cmocka_unit_test(test_pss_takes_the_longest_salt_and_no_more),
		cmocka_unit_test(test_empty_message),
		cmocka_unit_test(test_ed25519_known_answer),
		cmocka_unit_test(test_schemes_that_do_not_fit),
		cmocka_unit_test(test_rsa_bytes),
		cmocka_unit_test(test_private_encoding),
		cmocka_unit_test(test_unknown_type),
		cmocka_unit_test(test_generated_keys_differ),
		cmocka_unit_test(test_ec_scalar_range),
		cmocka_unit_test(test_ecdsa_nonces_are_fresh),
		cmocka_unit_test(test_ecdsa_nonces_are_hedged),
		cmocka_unit_test(test_one_key_in_four_threads),
		cmocka_unit_test(test_memory_is_told),
	};

	if (crypto_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, free_keys);
}

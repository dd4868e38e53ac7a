/* SPDX-License-Identifier: BSD-2-Clause */
/* Agreement, derivation and whole RSA blocks as a caller meets them. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "test_calls.h"

#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#define RSA_BYTES 256

struct derive_call {
	uint8_t derivation;
	uint8_t hash;
	uint8_t how;       /* KDF or steps */
	const void *first; /* public key or salt */
	size_t first_len;
	const void *info;
	size_t info_len;
	uint16_t n;
};

static void put_derive(struct writer *w, struct id id, const struct derive_call *d, uint8_t result)
{
	put_bytes(w, id.b, sizeof(id.b));
	put_u8(w, d->derivation);
	put_u8(w, d->hash);
	put_u8(w, d->how);
	put_field16(w, d->first, d->first_len);
	put_field16(w, d->info, d->info_len);
	put_u8(w, result);
	put_u16(w, d->n);
}

static enum kw_err derive_value(struct id id, const struct derive_call *d)
{
	struct writer w = fresh();

	put_derive(&w, id, d, DERIVED_VALUE);
	return call(SERVER, CMD_DERIVE, &w);
}

static enum kw_err derive_key(
	uint32_t uid, struct id id, const struct derive_call *d, uint8_t type, uint32_t purposes)
{
	struct writer w = fresh();

	put_derive(&w, id, d, DERIVED_KEY);
	put_template(&w, type, purposes);
	return call(uid, CMD_DERIVE, &w);
}

/* A key and its public part in the encoding of an agreement, at the end of its SubjectPublicKeyInfo. */
static struct id generate_pair(uint8_t type, uint32_t purposes, uint8_t *point, size_t *n)
{
	struct id id = generate(type, purposes);
	const struct key_type_info *info = key_type_find(type);
	const uint8_t *spki;
	size_t len = public_part(&spki);

	*n = info->family == FAMILY_X ? 32 : 1 + 2 * key_type_bytes(info);
	memcpy(point, spki + len - *n, *n);
	return id;
}

static const uint8_t agreeing[] = {
	KEY_TYPE_EC_P256, KEY_TYPE_EC_P384, KEY_TYPE_EC_P521, KEY_TYPE_X25519};

static void test_both_sides_agree(void **state)
{
	uint8_t mine[133], theirs[133], secret[66];
	struct derive_call d = {.derivation = DERIVATION_AGREEMENT, .first = theirs};
	struct id a, b;
	size_t n, len;

	(void)state;
	for (size_t i = 0; i < COUNT(agreeing); i++) {
		a = generate_pair(agreeing[i], PURPOSE_DERIVE_VALUE, mine, &n);
		b = generate_pair(agreeing[i], PURPOSE_DERIVE_VALUE, theirs, &n);
		d.first = theirs;
		d.first_len = n;
		assert_int_equal(derive_value(a, &d), KW_ERR_OK);
		len = reply_len - 2;
		assert_int_equal(len, key_type_bytes(key_type_find(agreeing[i])));
		memcpy(secret, reply + 2, len);
		d.first = mine;
		assert_int_equal(derive_value(b, &d), KW_ERR_OK);
		assert_memory_equal(reply + 2, secret, len);
		/* Fewer are the last ones; more than there are there cannot be. */
		d.n = 20;
		assert_int_equal(derive_value(b, &d), KW_ERR_OK);
		assert_int_equal(reply_len, 22);
		assert_memory_equal(reply + 2, secret + len - 20, 20);
		d.n = (uint16_t)(len + 1);
		assert_int_equal(derive_value(b, &d), KW_ERR_BAD_ALGORITHM);
		d.n = 0;
	}
}

static void test_public_keys_that_are_none(void **state)
{
	static const uint8_t zeros[133] = {0};
	uint8_t point[133];
	struct derive_call d = {.derivation = DERIVATION_AGREEMENT, .first = point};
	struct id id;
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(agreeing); i++) {
		bool is_x = agreeing[i] == KEY_TYPE_X25519;

		id = generate_pair(agreeing[i], PURPOSE_DERIVE_VALUE, point, &n);
		d.first = point;
		for (d.first_len = 0; d.first_len < n; d.first_len++)
			assert_int_equal(derive_value(id, &d), KW_ERR_BAD_KEY);
		assert_int_equal(derive_value(id, &d), KW_ERR_OK);
		if (!is_x) {
			point[n - 1] ^= 1; /* not on the curve */
			assert_int_equal(derive_value(id, &d), KW_ERR_BAD_KEY);
			point[n - 1] ^= 1;
			point[0] = 2;
			assert_int_equal(derive_value(id, &d), KW_ERR_BAD_KEY);
			memset(point + 1, 0xff, n - 1);
			point[0] = 4;
			assert_int_equal(derive_value(id, &d), KW_ERR_BAD_KEY);
		}
		/* X25519: a point of small order. */
		d.first = zeros;
		assert_int_equal(derive_value(id, &d), KW_ERR_BAD_KEY);
	}
}

/* RFC 5869, A.1 and A.3: with the steps at once and one by one. */
static void test_hkdf(void **state)
{
	static const uint8_t ikm[22] = {0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b,
		0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b};
	static const uint8_t salt[13] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	static const uint8_t info[10] = {
		0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9};
	static const uint8_t okm[42] = {0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5, 0x7a, 0x90, 0x43,
		0x4f, 0x64, 0xd0, 0x36, 0x2f, 0x2a, 0x2d, 0x2d, 0x0a, 0x90, 0xcf, 0x1a, 0x5a, 0x4c,
		0x5d, 0xb0, 0x2d, 0x56, 0xec, 0xc4, 0xc5, 0xbf, 0x34, 0x00, 0x72, 0x08, 0xd5, 0xb8,
		0x87, 0x18, 0x58, 0x65};
	static const uint8_t okm_bare[] = {0x8d, 0xa4, 0xe7, 0x75, 0xa5, 0x63, 0xc1, 0x8f};
	struct derive_call d = {.derivation = DERIVATION_HKDF,
		.hash = HASH_SHA256,
		.how = HKDF_EXTRACT | HKDF_EXPAND,
		.first = salt,
		.first_len = sizeof(salt),
		.info = info,
		.info_len = sizeof(info),
		.n = sizeof(okm)};
	struct id id, prk;

	(void)state;
	id = import(KEY_TYPE_HMAC, PURPOSE_DERIVE_VALUE, ikm, sizeof(ikm));
	assert_int_equal(derive_value(id, &d), KW_ERR_OK);
	assert_int_equal(reply_len, 2 + sizeof(okm));
	assert_memory_equal(reply + 2, okm, sizeof(okm));
	d.how = HKDF_EXTRACT;
	d.info_len = 0;
	d.n = 0;
	assert_int_equal(derive_key(OWNER, id, &d, KEY_TYPE_HMAC, PURPOSE_DERIVE_VALUE), 0);
	prk = made();
	d.how = HKDF_EXPAND;
	d.first_len = 0;
	d.info_len = sizeof(info);
	d.n = sizeof(okm);
	assert_int_equal(derive_value(prk, &d), KW_ERR_OK);
	assert_memory_equal(reply + 2, okm, sizeof(okm));
	d.how = HKDF_EXTRACT | HKDF_EXPAND;
	d.info_len = 0;
	assert_int_equal(derive_value(id, &d), KW_ERR_OK);
	assert_memory_equal(reply + 2, okm_bare, sizeof(okm_bare));
	/* Parameters of a step that is not taken, no steps, too much. */
	d.how = HKDF_EXPAND;
	d.first_len = 1;
	assert_int_equal(derive_value(id, &d), KW_ERR_BAD_REQUEST);
	d.how = HKDF_EXTRACT;
	d.info_len = 1;
	assert_int_equal(derive_value(id, &d), KW_ERR_BAD_REQUEST);
	d.how = 0;
	assert_int_equal(derive_value(id, &d), KW_ERR_BAD_REQUEST);
	d.how = HKDF_EXTRACT | HKDF_EXPAND;
	d.n = WIRE_VALUE_MAX + 1;
	assert_int_equal(derive_value(id, &d), KW_ERR_TOO_LARGE);
}

/* SEC 1, 3.6.1: what libcrypto's ANSI X9.63 KDF gives for the same secret. */
static void test_x963(void **state)
{
	uint8_t point[133], z[32], in[32 + 4 + 5], expected[64];
	struct derive_call d = {.derivation = DERIVATION_AGREEMENT, .first = point};
	struct id id;
	size_t n;

	(void)state;
	id = generate_pair(KEY_TYPE_EC_P256, PURPOSE_DERIVE_VALUE, point, &n);
	d.first_len = n;
	assert_int_equal(derive_value(id, &d), KW_ERR_OK);
	memcpy(z, reply + 2, sizeof(z));
	for (uint8_t i = 1; i <= 2; i++) {
		memcpy(in, z, 32);
		memcpy(in + 32, (const uint8_t[]){0, 0, 0, i}, 4);
		memcpy(in + 36, "other", 5);
		SHA256(in, sizeof(in), expected + 32 * (i - 1));
	}
	d.how = KDF_X963;
	d.hash = HASH_SHA256;
	d.info = "other";
	d.info_len = 5;
	d.n = 50;
	assert_int_equal(derive_value(id, &d), KW_ERR_OK);
	assert_int_equal(reply_len, 52);
	assert_memory_equal(reply + 2, expected, 50);
	d.hash = HASH_NONE;
	assert_int_equal(derive_value(id, &d), KW_ERR_BAD_REQUEST);
}

static void test_a_secret_that_stays_inside(void **state)
{
	static const uint32_t leaks[] = {
		PURPOSE_MAC | PURPOSE_EXTRACTABLE, PURPOSE_DERIVE_VALUE, PURPOSE_EXTRACTABLE};
	uint8_t point[133], one[32], other[32];
	struct derive_call d = {.derivation = DERIVATION_AGREEMENT, .first = point};
	struct id key, open, sign, derived;
	size_t n;

	(void)state;
	sign = generate(KEY_TYPE_EC_P256, PURPOSE_SIGN);
	open = generate_pair(KEY_TYPE_EC_P256, PURPOSE_DERIVE_VALUE, point, &n);
	key = generate(KEY_TYPE_EC_P256, PURPOSE_DERIVE);
	d.first_len = n;
	assert_int_equal(derive_value(key, &d), KW_ERR_PURPOSE);
	assert_int_equal(derive_value(sign, &d), KW_ERR_PURPOSE);
	assert_int_equal(derive_key(OWNER, sign, &d, KEY_TYPE_HMAC, PURPOSE_MAC), KW_ERR_PURPOSE);
	for (size_t i = 0; i < COUNT(leaks); i++) {
		assert_int_equal(
			derive_key(OWNER, key, &d, KEY_TYPE_HMAC, leaks[i]), KW_ERR_PURPOSE);
		assert_int_equal(derive_key(OWNER, open, &d, KEY_TYPE_HMAC, leaks[i]), KW_ERR_OK);
	}
	/* Who could try all keys of a byte would have the secret byte by byte. */
	d.n = WIRE_SECRET_MIN - 1;
	assert_int_equal(derive_key(OWNER, key, &d, KEY_TYPE_HMAC, PURPOSE_MAC), KW_ERR_BAD_KEY);
	d.n = 0;
	assert_int_equal(
		derive_key(OWNER, key, &d, KEY_TYPE_EC_P256, PURPOSE_SIGN), KW_ERR_BAD_ALGORITHM);
	assert_int_equal(
		derive_key(SERVER, key, &d, KEY_TYPE_HMAC, PURPOSE_MAC), KW_ERR_MAY_NOT_CREATE);
	assert_int_equal(derive_key(OWNER, key, &d, KEY_TYPE_AES_256, PURPOSE_ENCRYPT), KW_ERR_OK);
	d.n = 16;
	assert_int_equal(
		derive_key(OWNER, key, &d, KEY_TYPE_AES_256, PURPOSE_ENCRYPT), KW_ERR_BAD_KEY);
	d.n = 0;
	/* The key that comes of it is the secret. */
	assert_int_equal(derive_key(OWNER, open, &d, KEY_TYPE_HMAC, PURPOSE_MAC), KW_ERR_OK);
	derived = made();
	assert_int_equal(hmac(derived, one), KW_ERR_OK);
	assert_int_equal(derive_value(open, &d), KW_ERR_OK);
	memcpy(point, reply + 2, 32);
	derived = import(KEY_TYPE_HMAC, PURPOSE_MAC, point, 32);
	assert_int_equal(hmac(derived, other), KW_ERR_OK);
	assert_memory_equal(one, other, sizeof(one));
}

static void test_derivation_of_other_types(void **state)
{
	struct derive_call agree = {.derivation = DERIVATION_AGREEMENT};
	struct derive_call hkdf = {
		.derivation = DERIVATION_HKDF, .hash = HASH_SHA256, .how = HKDF_EXTRACT};
	struct id ec, secret, aes;

	(void)state;
	ec = generate(KEY_TYPE_EC_P256, PURPOSE_DERIVE_VALUE);
	secret = generate(KEY_TYPE_HMAC, PURPOSE_DERIVE_VALUE);
	aes = generate(KEY_TYPE_AES_256, PURPOSE_ENCRYPT);
	assert_int_equal(derive_value(secret, &hkdf), KW_ERR_OK);
	assert_int_equal(derive_value(secret, &agree), KW_ERR_BAD_ALGORITHM);
	assert_int_equal(derive_value(ec, &hkdf), KW_ERR_BAD_ALGORITHM);
	assert_int_equal(derive_value(aes, &hkdf), KW_ERR_BAD_ALGORITHM);
	assert_int_equal(derive_value(generate(KEY_TYPE_HMAC, PURPOSE_MAC), &hkdf), KW_ERR_PURPOSE);
}

static enum kw_err sign_with(
	struct id id, uint8_t scheme, uint8_t hash, const uint8_t *data, size_t n)
{
	struct writer w = fresh();

	put_bytes(&w, id.b, sizeof(id.b));
	put_u8(&w, scheme);
	put_u8(&w, hash);
	put_u8(&w, INPUT_MESSAGE);
	put_u16(&w, 0);
	put_field32(&w, data, n);
	return call(OWNER, CMD_SIGN, &w);
}

static enum kw_err decrypt_block(struct id id, const uint8_t *block, size_t n)
{
	struct writer w = fresh();

	put_bytes(&w, id.b, sizeof(id.b));
	put_u8(&w, PADDING_NONE);
	put_u16(&w, 0);
	put_u16(&w, 0);
	put_field16(&w, block, n);
	return call(OWNER, CMD_RSA_DECRYPT, &w);
}

static RSA *last_public(void)
{
	const uint8_t *p;
	size_t n = public_part(&p);

	return d2i_RSA_PUBKEY(NULL, &p, (long)n);
}

static void test_blocks_with_padding(void **state)
{
	static const uint8_t info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
	uint8_t em[RSA_BYTES], digest[32], t[sizeof(info) + 32], sig[RSA_BYTES];
	struct id id, tls;
	RSA *rsa;

	(void)state;
	tls = generate(KEY_TYPE_RSA_2048, PURPOSE_TLS_SERVER);
	id = generate(KEY_TYPE_RSA_2048, PURPOSE_SIGN);
	rsa = last_public();
	assert_non_null(rsa);
	SHA256((const uint8_t *)"a", 1, digest);
	memcpy(t, info, sizeof(info));
	memcpy(t + sizeof(info), digest, 32);
	assert_int_equal(RSA_padding_add_PKCS1_type_1(em, RSA_BYTES, t, sizeof(t)), 1);
	assert_int_equal(sign_with(id, SCHEME_RSA_RAW, 0, em, RSA_BYTES), KW_ERR_OK);
	memcpy(sig, reply + 2, RSA_BYTES);
	assert_int_equal(sign_with(id, SCHEME_RSA_PKCS1, HASH_SHA256, (const uint8_t *)"a", 1), 0);
	assert_memory_equal(sig, reply + 2, RSA_BYTES);
	assert_int_equal(sign_with(tls, SCHEME_RSA_RAW, 0, em, RSA_BYTES), KW_ERR_PURPOSE);
	assert_int_equal(decrypt_block(id, em, RSA_BYTES), KW_ERR_PURPOSE);
	/* Its padding is cut or damaged; its length is another. */
	em[9] = 0xfe;
	assert_int_equal(sign_with(id, SCHEME_RSA_RAW, 0, em, RSA_BYTES), KW_ERR_PURPOSE);
	em[9] = 0;
	assert_int_equal(sign_with(id, SCHEME_RSA_RAW, 0, em, RSA_BYTES), KW_ERR_PURPOSE);
	em[1] = 2;
	assert_int_equal(sign_with(id, SCHEME_RSA_RAW, 0, em, RSA_BYTES), KW_ERR_PURPOSE);
	assert_int_equal(sign_with(id, SCHEME_RSA_RAW, 0, em, RSA_BYTES - 1), KW_ERR_BAD_REQUEST);
	assert_int_equal(
		sign_with(id, SCHEME_RSA_RAW, HASH_SHA256, em, RSA_BYTES), KW_ERR_BAD_ALGORITHM);
	/* PSS: as an update client pads it; with a salt that leaves no zeros next to every block would be one. */
	assert_int_equal(RSA_padding_add_PKCS1_PSS(rsa, em, digest, EVP_sha256(), 32), 1);
	assert_int_equal(sign_with(id, SCHEME_RSA_RAW, 0, em, RSA_BYTES), KW_ERR_OK);
	assert_int_equal(
		RSA_public_decrypt(RSA_BYTES, reply + 2, sig, rsa, RSA_NO_PADDING), RSA_BYTES);
	assert_int_equal(RSA_verify_PKCS1_PSS(rsa, digest, EVP_sha256(), sig, 32), 1);
	em[3] ^= 1;
	assert_int_equal(sign_with(id, SCHEME_RSA_RAW, 0, em, RSA_BYTES), KW_ERR_PURPOSE);
	assert_int_equal(RSA_padding_add_PKCS1_PSS(rsa, em, digest, EVP_sha256(), 0), 1);
	assert_int_equal(sign_with(id, SCHEME_RSA_RAW, 0, em, RSA_BYTES), KW_ERR_OK);
	assert_int_equal(RSA_padding_add_PKCS1_PSS(rsa, em, digest, EVP_sha256(), 33), 1);
	assert_int_equal(sign_with(id, SCHEME_RSA_RAW, 0, em, RSA_BYTES), KW_ERR_PURPOSE);
	RSA_free(rsa);
}

static void test_blocks_of_a_raw_key(void **state)
{
	uint8_t block[RSA_BYTES] = {0}, sealed[RSA_BYTES];
	struct id id;
	RSA *rsa;

	(void)state;
	id = generate(KEY_TYPE_RSA_2048, PURPOSE_RAW);
	rsa = last_public();
	assert_non_null(rsa);
	memset(block + 1, 0x5a, RSA_BYTES - 1);
	assert_int_equal(
		RSA_public_encrypt(RSA_BYTES, block, sealed, rsa, RSA_NO_PADDING), RSA_BYTES);
	assert_int_equal(decrypt_block(id, sealed, RSA_BYTES), KW_ERR_OK);
	assert_memory_equal(reply + 2, block, RSA_BYTES);
	assert_int_equal(sign_with(id, SCHEME_RSA_RAW, 0, sealed, RSA_BYTES), KW_ERR_OK);
	assert_memory_equal(reply + 2, block, RSA_BYTES);
	/* The padded schemes are other purposes. */
	assert_int_equal(sign_with(id, SCHEME_RSA_PKCS1, HASH_SHA256, block, 5), KW_ERR_PURPOSE);
	memset(block, 0, sizeof(block));
	assert_int_equal(sign_with(id, SCHEME_RSA_RAW, 0, block, RSA_BYTES), KW_ERR_OK);
	assert_memory_equal(reply + 2, block, RSA_BYTES);
	memset(block, 0xff, sizeof(block));
	assert_int_equal(sign_with(id, SCHEME_RSA_RAW, 0, block, RSA_BYTES), KW_ERR_BAD_REQUEST);
	assert_int_equal(decrypt_block(id, block, RSA_BYTES), KW_ERR_DECRYPT);
	assert_int_equal(decrypt_block(id, block, RSA_BYTES - 1), KW_ERR_DECRYPT);
	RSA_free(rsa);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_both_sides_agree),
		TEST(test_public_keys_that_are_none),
		TEST(test_hkdf),
		TEST(test_x963),
		TEST(test_a_secret_that_stays_inside),
		TEST(test_derivation_of_other_types),
		TEST(test_blocks_with_padding),
		TEST(test_blocks_of_a_raw_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

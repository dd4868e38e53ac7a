/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that leave wrapped and come back, and those that do not. The other side is libcrypto, which knows the key
 * that wraps. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "test_calls.h"
#include "wire/der.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define RSA_BYTES 256
#define DER_MAX 2400

static void put_wrapping(struct writer *w, struct id by, uint8_t wrapping)
{
	bool oaep = wrapping == WRAPPING_RSA_OAEP;

	put_bytes(w, by.b, sizeof(by.b));
	put_u8(w, wrapping);
	put_u8(w, oaep ? HASH_SHA256 : 0);
	put_u8(w, oaep ? HASH_SHA384 : 0);
	put_field16(w, "label", oaep ? 5 : 0);
}

static uint8_t wrapped[WIRE_WRAPPED_MAX];
static size_t wrapped_len;

static enum kw_err wrap(uint32_t uid, struct id by, uint8_t wrapping, struct id key)
{
	struct writer w = fresh();
	enum kw_err err;

	put_wrapping(&w, by, wrapping);
	put_bytes(&w, key.b, sizeof(key.b));
	err = call(uid, CMD_WRAP, &w);
	if (err)
		return err;
	wrapped_len = reply_len - 2;
	memcpy(wrapped, reply + 2, wrapped_len);
	return KW_ERR_OK;
}

static enum kw_err unwrap(
	uint32_t uid, struct id by, uint8_t wrapping, uint8_t type, uint32_t purposes)
{
	struct writer w = fresh();

	put_wrapping(&w, by, wrapping);
	put_field16(&w, wrapped, wrapped_len);
	put_template(&w, type, purposes);
	return call(uid, CMD_UNWRAP, &w);
}

static void test_keys_leave_and_come_back(void **state)
{
	const uint32_t both = PURPOSE_WRAP | PURPOSE_UNWRAP;
	const uint32_t leaves = PURPOSE_MAC | PURPOSE_EXTRACTABLE;
	const struct {
		uint8_t wrapping, type;
		size_t len;
	} all[] = {{WRAPPING_AES_KW, KEY_TYPE_AES_128, 40},
		{WRAPPING_AES_KWP, KEY_TYPE_AES_256, 40},
		{WRAPPING_RSA_OAEP, KEY_TYPE_RSA_2048, RSA_BYTES}};
	uint8_t before[32], after[32];
	struct id key, by, other;

	(void)state;
	key = generate(KEY_TYPE_HMAC, leaves);
	assert_int_equal(hmac(key, before), KW_ERR_OK);
	for (size_t i = 0; i < COUNT(all); i++) {
		by = generate(all[i].type, both);
		other = generate(all[i].type, both);
		assert_int_equal(wrap(OWNER, by, all[i].wrapping, key), KW_ERR_OK);
		assert_int_equal(wrapped_len, all[i].len);
		assert_int_equal(unwrap(OWNER, other, all[i].wrapping, KEY_TYPE_HMAC, PURPOSE_MAC),
			KW_ERR_DECRYPT);
		assert_int_equal(unwrap(OWNER, by, all[i].wrapping, KEY_TYPE_AES_128, PURPOSE_MAC),
			KW_ERR_BAD_KEY);
		assert_int_equal(unwrap(OWNER, by, all[i].wrapping, KEY_TYPE_EC_P256, PURPOSE_SIGN),
			KW_ERR_BAD_KEY);
		assert_int_equal(unwrap(SERVER, by, all[i].wrapping, KEY_TYPE_HMAC, PURPOSE_MAC),
			KW_ERR_MAY_NOT_CREATE);
		assert_int_equal(
			unwrap(OWNER, by, all[i].wrapping, KEY_TYPE_HMAC, PURPOSE_MAC), KW_ERR_OK);
		assert_int_equal(hmac(made(), after), KW_ERR_OK);
		assert_memory_equal(after, before, sizeof(after));
		wrapped[wrapped_len - 1] ^= 1;
		assert_int_equal(unwrap(OWNER, by, all[i].wrapping, KEY_TYPE_HMAC, PURPOSE_MAC),
			KW_ERR_DECRYPT);
	}
}

static void test_keys_that_do_not_leave(void **state)
{
	const uint32_t leaves = PURPOSE_MAC | PURPOSE_EXTRACTABLE;
	struct id by, trusted, data, key, ec, odd, asks;

	(void)state;
	by = generate(KEY_TYPE_AES_256, PURPOSE_WRAP);
	assert_int_equal(generate_as(ADMIN, KEY_TYPE_AES_256,
				 PURPOSE_WRAP | PURPOSE_UNWRAP | PURPOSE_TRUSTED, 0),
		KW_ERR_OK);
	trusted = made();
	data = generate(KEY_TYPE_AES_256, PURPOSE_ENCRYPT | PURPOSE_DECRYPT);
	key = generate(KEY_TYPE_HMAC, leaves);
	assert_int_equal(wrap(OWNER, data, WRAPPING_AES_KW, key), KW_ERR_PURPOSE);
	assert_int_equal(wrap(OWNER, key, WRAPPING_AES_KW, data), KW_ERR_BAD_ALGORITHM);
	assert_int_equal(wrap(OWNER, by, WRAPPING_AES_KW, data), KW_ERR_PURPOSE);
	assert_int_equal(wrap(OWNER, by, WRAPPING_AES_KW, by), KW_ERR_BAD_REQUEST);
	assert_int_equal(wrap(OWNER, by, WRAPPING_RSA_OAEP, key), KW_ERR_BAD_ALGORITHM);
	ec = generate(KEY_TYPE_EC_P256, PURPOSE_SIGN);
	assert_int_equal(wrap(OWNER, by, WRAPPING_AES_KWP, ec), KW_ERR_PURPOSE);
	odd = import(KEY_TYPE_HMAC, leaves, "thirteen bytes", 13);
	assert_int_equal(wrap(OWNER, by, WRAPPING_AES_KW, odd), KW_ERR_BAD_ALGORITHM);
	assert_int_equal(wrap(OWNER, by, WRAPPING_AES_KWP, odd), KW_ERR_OK);
	assert_int_equal(
		unwrap(OWNER, by, WRAPPING_AES_KWP, KEY_TYPE_HMAC, PURPOSE_MAC), KW_ERR_PURPOSE);
	/* Both keys let the caller, or nothing happens. */
	assert_int_equal(wrap(SERVER, by, WRAPPING_AES_KW, key), KW_ERR_OK);
	assert_int_equal(wrap(STRANGER, by, WRAPPING_AES_KW, key), KW_ERR_ACCESS);
	/* SERVER is on the list of the trusted key as well. */
	asks = generate(KEY_TYPE_HMAC, leaves | PURPOSE_WITH_TRUSTED);
	assert_int_equal(wrap(SERVER, by, WRAPPING_AES_KW, asks), KW_ERR_PURPOSE);
	assert_int_equal(wrap(SERVER, trusted, WRAPPING_AES_KW, asks), KW_ERR_OK);
	/* Nor does it leave by another door once it is back. */
	assert_int_equal(
		unwrap(ADMIN, trusted, WRAPPING_AES_KW, KEY_TYPE_HMAC, leaves), KW_ERR_PURPOSE);
	assert_int_equal(unwrap(ADMIN, trusted, WRAPPING_AES_KW, KEY_TYPE_HMAC,
				 leaves | PURPOSE_WITH_TRUSTED),
		KW_ERR_OK);
	assert_int_equal(
		unwrap(ADMIN, trusted, WRAPPING_AES_KW, KEY_TYPE_HMAC, PURPOSE_MAC), KW_ERR_OK);
}

static const uint8_t kek[32] = "this key is known to both sides";

static struct id known_wrapper(void)
{
	return import(KEY_TYPE_AES_256, PURPOSE_WRAP | PURPOSE_UNWRAP, kek, sizeof(kek));
}

/* RFC 5649 by libcrypto, from one buffer into the other. */
static size_t wrap_pad(bool encrypt, const uint8_t *in, size_t n, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len = 0;

	assert_non_null(ctx);
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	assert_int_equal(
		EVP_CipherInit_ex(ctx, EVP_aes_256_wrap_pad(), NULL, kek, NULL, encrypt), 1);
	assert_int_equal(EVP_CipherUpdate(ctx, out, &len, in, (int)n), 1);
	EVP_CIPHER_CTX_free(ctx);
	return (size_t)len;
}

/* What libcrypto has wrapped is what the next unwrap sends. */
static void give(const uint8_t *der, size_t n)
{
	wrapped_len = wrap_pad(true, der, n, wrapped);
}

static size_t opened(uint8_t *der)
{
	return wrap_pad(false, wrapped, wrapped_len, der);
}

static void forget(struct id id)
{
	struct writer w = fresh();

	put_u8(&w, TARGET_ID);
	put_bytes(&w, id.b, sizeof(id.b));
	assert_int_equal(call(OWNER, CMD_KEY_DELETE, &w), KW_ERR_OK);
}

static size_t pkcs8_of(const EVP_PKEY *key, uint8_t *der)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	uint8_t *at = der;
	int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, NULL) : 0;

	assert_in_range(n, 1, DER_MAX);
	n = i2d_PKCS8_PRIV_KEY_INFO(info, &at);
	PKCS8_PRIV_KEY_INFO_free(info);
	return (size_t)n;
}

/* A whole PrivateKeyInfo, as libcrypto reads it. */
static EVP_PKEY *key_of(const uint8_t *der, size_t n)
{
	const uint8_t *at = der;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)n);
	EVP_PKEY *key = info ? EVP_PKCS82PKEY(info) : NULL;

	assert_ptr_equal(at, der + n);
	assert_non_null(key);
	PKCS8_PRIV_KEY_INFO_free(info);
	return key;
}

static void assert_last_is(const EVP_PKEY *key)
{
	uint8_t *expected = NULL;
	const uint8_t *p;
	size_t n = public_part(&p);

	assert_int_equal(i2d_PUBKEY(key, &expected), n);
	assert_memory_equal(p, expected, n);
	OPENSSL_free(expected);
}

static const struct {
	uint8_t type;
	uint32_t purposes;
	const char *kind; /* what libcrypto calls it */
	const char *curve;
	size_t bits;
} private_types[] = {
	{KEY_TYPE_RSA_2048, PURPOSE_SIGN, "RSA", NULL, 2048},
	{KEY_TYPE_EC_P256, PURPOSE_SIGN, "EC", "P-256", 0},
	{KEY_TYPE_EC_P384, PURPOSE_DERIVE, "EC", "P-384", 0},
	{KEY_TYPE_EC_P521, PURPOSE_SIGN, "EC", "P-521", 0},
	{KEY_TYPE_ED25519, PURPOSE_SIGN, "ED25519", NULL, 0},
	{KEY_TYPE_X25519, PURPOSE_DERIVE, "X25519", NULL, 0},
};

static EVP_PKEY *new_private(size_t i)
{
	EVP_PKEY *key;

	if (private_types[i].curve)
		key = EVP_PKEY_Q_keygen(NULL, NULL, private_types[i].kind, private_types[i].curve);
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, private_types[i].kind, private_types[i].bits);
	assert_non_null(key);
	return key;
}

static void test_private_keys_leave_for_libcrypto(void **state)
{
	uint8_t der[DER_MAX], again[DER_MAX];
	struct id by, key;
	EVP_PKEY *other;
	size_t n;

	(void)state;
	by = known_wrapper();
	for (size_t i = 0; i < COUNT(private_types); i++) {
		uint32_t purposes = private_types[i].purposes;
		EVP_PKEY_CTX *ctx;

		key = generate(private_types[i].type, purposes | PURPOSE_EXTRACTABLE);
		assert_int_equal(wrap(OWNER, by, WRAPPING_AES_KWP, key), KW_ERR_OK);
		n = opened(der);
		other = key_of(der, n);
		/* It is the last thing that was described. */
		forget(key);
		assert_int_equal(
			unwrap(OWNER, by, WRAPPING_AES_KWP, private_types[i].type, purposes),
			KW_ERR_OK);
		assert_memory_equal(made().b, key.b, sizeof(key.b));
		assert_last_is(other);
		assert_int_equal(pkcs8_of(other, again), n);
		assert_memory_equal(again, der, n);
		ctx = EVP_PKEY_CTX_new(other, NULL);
		assert_int_equal(EVP_PKEY_check(ctx), 1);
		EVP_PKEY_CTX_free(ctx);
		EVP_PKEY_free(other);
		/* Without the purpose it does not leave again. */
		assert_int_equal(wrap(OWNER, by, WRAPPING_AES_KWP, key), KW_ERR_PURPOSE);
	}
}

static void test_private_keys_of_libcrypto_come_in(void **state)
{
	uint8_t der[DER_MAX];
	struct id by;

	(void)state;
	by = known_wrapper();
	for (size_t i = 0; i < COUNT(private_types); i++) {
		uint32_t purposes = private_types[i].purposes | PURPOSE_EXTRACTABLE;
		EVP_PKEY *key = new_private(i);

		give(der, pkcs8_of(key, der));
		for (size_t j = 0; j < COUNT(private_types); j++) {
			if (j != i)
				assert_int_equal(
					unwrap(OWNER, by, WRAPPING_AES_KWP, private_types[j].type,
						private_types[j].purposes),
					KW_ERR_BAD_KEY);
		}
		assert_int_equal(
			unwrap(OWNER, by, WRAPPING_AES_KWP, KEY_TYPE_AES_256, PURPOSE_ENCRYPT),
			KW_ERR_BAD_KEY);
		assert_int_equal(
			unwrap(OWNER, by, WRAPPING_AES_KWP, private_types[i].type, purposes),
			KW_ERR_OK);
		assert_last_is(key);
		assert_int_equal(
			unwrap(OWNER, by, WRAPPING_AES_KWP, private_types[i].type, purposes),
			KW_ERR_KEY_EXISTS);
		EVP_PKEY_free(key);
	}
}

/* A PrivateKeyInfo put together by hand. */
struct info {
	uint8_t version;
	const char *algorithm; /* contents of the AlgorithmIdentifier */
	size_t algorithm_len;
	const uint8_t *key;
	size_t key_len;
	const char *more; /* after the key */
	size_t more_len;
};

#define OID_ED "\x06\x03\x2b\x65\x70"
#define OID_X "\x06\x03\x2b\x65\x6e"
#define OID_EC "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
#define OID_P256 "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define OID_P384 "\x06\x05\x2b\x81\x04\x00\x22"
#define OID_RSA "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define DER_NULL_VALUE "\x05\x00"
#define TEXT(t) (t), sizeof(t) - 1

static size_t put_info(const struct info *info, uint8_t *out)
{
	struct writer w = writer_over(out, DER_MAX);
	size_t mark = der_begin(&w, DER_SEQUENCE);

	der_put_unsigned(&w, &info->version, 1);
	der_put(&w, DER_SEQUENCE, info->algorithm, info->algorithm_len);
	der_put(&w, DER_OCTET_STRING, info->key, info->key_len);
	put_bytes(&w, info->more, info->more_len);
	der_end(&w, mark);
	assert_false(w.failed);
	return w.len;
}

static enum kw_err take_in(struct id by, uint8_t type, const uint8_t *der, size_t n)
{
	enum kw_err err;

	give(der, n);
	err = unwrap(OWNER, by, WRAPPING_AES_KWP, type, PURPOSE_SIGN);
	if (!err)
		forget(made());
	return err;
}

static enum kw_err take_info(struct id by, uint8_t type, const struct info *info)
{
	uint8_t der[DER_MAX];

	return take_in(by, type, der, put_info(info, der));
}

/* All of it, nothing shorter and nothing longer. */
static void assert_only_whole(struct id by, uint8_t type, const uint8_t *der, size_t n)
{
	uint8_t more[DER_MAX + 1] = {0};

	assert_int_equal(take_in(by, type, der, n), KW_ERR_OK);
	for (size_t len = 1; len<n; len += n> 500 ? 37 : 1)
		assert_int_equal(take_in(by, type, der, len), KW_ERR_BAD_KEY);
	memcpy(more, der, n);
	assert_int_equal(take_in(by, type, more, n + 1), KW_ERR_BAD_KEY);
}

/* RFC 8410, 10.3: the key of the examples. */
#define ED_SEED                                                            \
	"\xd4\xee\x72\xdb\xf9\x13\x58\x4a\xd5\xb6\xd8\xf1\xf7\x69\xf8\xad" \
	"\x3a\xfe\x7c\x28\xcb\xf1\xd4\xfb\xe0\x97\xa8\x8f\x44\x75\x58\x42"
#define ED_PUBLIC                                                          \
	"\x19\xbf\x44\x09\x69\x84\xcd\xfe\x85\x41\xba\xc1\x67\xdc\x3b\x96" \
	"\xc8\x50\x86\xaa\x30\xb6\xb6\xcb\x0c\x5c\x38\xad\x70\x31\x66\xe1"
/* The same example's attributes: a friendly name. */
#define ED_ATTRIBUTES                                                              \
	"\xa0\x1f\x30\x1d\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x09\x09\x14\x31\x0f" \
	"\x0c\x0d\x43\x75\x72\x64\x6c\x65\x20\x43\x68\x61\x69\x72\x73"

static void test_ed25519_keys_in_forms_good_and_bad(void **state)
{
	static const uint8_t seed[] = "\x04\x20" ED_SEED;
	static const uint8_t more[] = "\x04\x20" ED_SEED "\x00";
	static const uint8_t shorter[] = "\x04\x1f" ED_SEED;
	static const uint8_t longer[] = "\x04\x21" ED_SEED "\x00";
	static const uint8_t long_form[] = "\x04\x81\x20" ED_SEED;
	static const struct {
		struct info info;
		enum kw_err expected;
	} all[] = {
		{{0, TEXT(OID_ED), TEXT(seed), TEXT("")}, KW_ERR_OK},
		{{0, TEXT(OID_ED), TEXT(seed), TEXT(ED_ATTRIBUTES)}, KW_ERR_OK},
		{{1, TEXT(OID_ED), TEXT(seed), TEXT(ED_ATTRIBUTES "\x81\x21\x00" ED_PUBLIC)},
			KW_ERR_OK},
		{{1, TEXT(OID_ED), TEXT(seed), TEXT("\x81\x21\x00" ED_PUBLIC)}, KW_ERR_OK},
		{{1, TEXT(OID_ED), TEXT(seed), TEXT("\x81\x21\x00" ED_SEED)}, KW_ERR_BAD_KEY},
		{{1, TEXT(OID_ED), TEXT(seed), TEXT("\x81\x21\x01" ED_PUBLIC)}, KW_ERR_BAD_KEY},
		{{1, TEXT(OID_ED), TEXT(seed), TEXT("\x81\x20" ED_PUBLIC)}, KW_ERR_BAD_KEY},
		{{1, TEXT(OID_ED), TEXT(seed), TEXT("")}, KW_ERR_BAD_KEY},
		{{0, TEXT(OID_ED), TEXT(seed), TEXT("\x81\x21\x00" ED_PUBLIC)}, KW_ERR_BAD_KEY},
		{{0, TEXT(OID_ED), TEXT(seed), TEXT("\xa0\x02\x30\x01")}, KW_ERR_BAD_KEY},
		{{0, TEXT(OID_ED), TEXT(seed), TEXT("\x05\x00")}, KW_ERR_BAD_KEY},
		{{2, TEXT(OID_ED), TEXT(seed), TEXT("")}, KW_ERR_BAD_KEY},
		{{255, TEXT(OID_ED), TEXT(seed), TEXT("")}, KW_ERR_BAD_KEY},
		{{0, TEXT(OID_ED DER_NULL_VALUE), TEXT(seed), TEXT("")}, KW_ERR_BAD_KEY},
		{{0, TEXT(OID_X), TEXT(seed), TEXT("")}, KW_ERR_BAD_KEY},
		{{0, TEXT(""), TEXT(seed), TEXT("")}, KW_ERR_BAD_KEY},
		{{0, TEXT(OID_ED), seed + 2, 32, TEXT("")}, KW_ERR_BAD_KEY},
		{{0, TEXT(OID_ED), TEXT(more), TEXT("")}, KW_ERR_BAD_KEY},
		{{0, TEXT(OID_ED), shorter, 33, TEXT("")}, KW_ERR_BAD_KEY},
		{{0, TEXT(OID_ED), TEXT(longer), TEXT("")}, KW_ERR_BAD_KEY},
		{{0, TEXT(OID_ED), TEXT(long_form), TEXT("")}, KW_ERR_BAD_KEY},
	};
	uint8_t der[DER_MAX];
	struct id by;

	(void)state;
	by = known_wrapper();
	for (size_t i = 0; i < COUNT(all); i++)
		assert_int_equal(take_info(by, KEY_TYPE_ED25519, &all[i].info), all[i].expected);
	assert_only_whole(by, KEY_TYPE_ED25519, der, put_info(&all[2].info, der));
}

/* ECPrivateKey (RFC 5915), of which parts may be missing. */
struct ec_private {
	uint8_t version;
	size_t scalar_len;
	const char *curve; /* contents of [0], or NULL */
	size_t curve_len;
	uint8_t point; /* first byte of the public key, 0 for none */
};

static size_t put_ec(const struct ec_private *ec, const uint8_t scalar[32], uint8_t *point,
	size_t point_len, uint8_t *out)
{
	struct writer w = writer_over(out, 300);
	size_t mark = der_begin(&w, DER_SEQUENCE), inner, bits;
	const uint8_t zero = 0;

	der_put_unsigned(&w, &ec->version, 1);
	inner = der_begin(&w, DER_OCTET_STRING);
	if (ec->scalar_len > 32)
		put_bytes(&w, &zero, 1);
	put_bytes(&w, scalar, ec->scalar_len > 32 ? 32 : ec->scalar_len);
	der_end(&w, inner);
	if (ec->curve)
		der_put(&w, DER_CONTEXT_CONSTRUCTED(0), ec->curve, ec->curve_len);
	if (ec->point) {
		inner = der_begin(&w, DER_CONTEXT_CONSTRUCTED(1));
		bits = der_begin(&w, DER_BIT_STRING);
		put_u8(&w, 0);
		put_u8(&w, ec->point);
		put_bytes(&w, point + 1, ec->point == 4 ? point_len - 1 : 32);
		der_end(&w, bits);
		der_end(&w, inner);
	}
	der_end(&w, mark);
	assert_false(w.failed);
	return w.len;
}

static void test_ec_keys_in_forms_good_and_bad(void **state)
{
	static const struct {
		struct ec_private ec;
		enum kw_err expected;
	} all[] = {
		{{1, 32, NULL, 0, 0}, KW_ERR_OK},
		{{1, 32, NULL, 0, 4}, KW_ERR_OK},
		{{1, 32, TEXT(OID_P256), 0}, KW_ERR_OK},
		{{1, 32, TEXT(OID_P256), 4}, KW_ERR_OK},
		{{0, 32, NULL, 0, 4}, KW_ERR_BAD_KEY},
		{{2, 32, NULL, 0, 4}, KW_ERR_BAD_KEY},
		{{1, 31, NULL, 0, 0}, KW_ERR_BAD_KEY},
		{{1, 33, NULL, 0, 0}, KW_ERR_BAD_KEY},
		{{1, 0, NULL, 0, 0}, KW_ERR_BAD_KEY},
		{{1, 32, TEXT(OID_P384), 4}, KW_ERR_BAD_KEY},
		{{1, 32, TEXT(OID_P256 OID_P256), 4}, KW_ERR_BAD_KEY},
		{{1, 32, NULL, 0, 2}, KW_ERR_BAD_KEY},
		{{1, 32, NULL, 0, 5}, KW_ERR_BAD_KEY},
	};
	static const char *const algorithms[] = {
		OID_EC OID_P384, OID_EC, OID_P256, OID_EC OID_P256 DER_NULL_VALUE, OID_P256 OID_EC};
	/* The order of P-256 (SEC 2, 2.4.2). */
	static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3,
		0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
	static const uint8_t zeros[32] = {0};
	uint8_t scalar[32], inner[300], point[65], der[DER_MAX];
	struct info info = {0, TEXT(OID_EC OID_P256), inner, 0, TEXT("")};
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(key);
	struct id by;

	(void)state;
	by = known_wrapper();
	assert_int_equal(EC_KEY_priv2oct(ec, scalar, 32), 32);
	assert_int_equal(EC_POINT_point2oct(EC_KEY_get0_group(ec), EC_KEY_get0_public_key(ec),
				 POINT_CONVERSION_UNCOMPRESSED, point, sizeof(point), NULL),
		sizeof(point));
	for (size_t i = 0; i < COUNT(all); i++) {
		info.key_len = put_ec(&all[i].ec, scalar, point, sizeof(point), inner);
		assert_int_equal(take_info(by, KEY_TYPE_EC_P256, &info), all[i].expected);
	}
	/* The public key of another one. */
	point[40] ^= 1;
	info.key_len = put_ec(&all[1].ec, scalar, point, sizeof(point), inner);
	assert_int_equal(take_info(by, KEY_TYPE_EC_P256, &info), KW_ERR_BAD_KEY);
	point[40] ^= 1;
	info.key_len = put_ec(&all[0].ec, order, point, sizeof(point), inner);
	assert_int_equal(take_info(by, KEY_TYPE_EC_P256, &info), KW_ERR_BAD_KEY);
	info.key_len = put_ec(&all[0].ec, zeros, point, sizeof(point), inner);
	assert_int_equal(take_info(by, KEY_TYPE_EC_P256, &info), KW_ERR_BAD_KEY);
	info.key_len = put_ec(&all[3].ec, scalar, point, sizeof(point), inner);
	assert_only_whole(by, KEY_TYPE_EC_P256, der, put_info(&info, der));
	for (size_t i = 0; i < COUNT(algorithms); i++) {
		info.algorithm = algorithms[i];
		/* The zero of P-384's name is in its middle. */
		info.algorithm_len = i ? strlen(algorithms[i]) : sizeof(OID_EC OID_P384) - 1;
		assert_int_equal(take_info(by, KEY_TYPE_EC_P256, &info), KW_ERR_BAD_KEY);
	}
	EVP_PKEY_free(key);
}

#define NUMBERS 8 /* of an RSAPrivateKey */

/* RSAPrivateKey (RFC 8017, A.1.2). `at`: which number is changed, NUMBERS for none. */
static size_t put_rsa(const RSA *rsa, uint8_t version, unsigned at, unsigned how, uint8_t *out)
{
	const BIGNUM *numbers[NUMBERS] = {RSA_get0_n(rsa), RSA_get0_e(rsa), RSA_get0_d(rsa),
		RSA_get0_p(rsa), RSA_get0_q(rsa), RSA_get0_dmp1(rsa), RSA_get0_dmq1(rsa),
		RSA_get0_iqmp(rsa)};
	struct writer w = writer_over(out, DER_MAX);
	size_t mark = der_begin(&w, DER_SEQUENCE);
	uint8_t bytes[1 + 1 + RSA_BYTES];

	der_put_unsigned(&w, &version, 1);
	for (unsigned i = 0; i < NUMBERS; i++) {
		int n = BN_bn2bin(numbers[i], bytes + 2);

		bytes[0] = 1;
		bytes[1] = 0;
		if (i == at && how == 0)
			bytes[1 + n] ^= 2; /* another number */
		if (i == at && how == 1) {
			der_put(&w, DER_INTEGER, NULL, 0);
			continue;
		}
		if (i == at && how == 2) { /* a negative one */
			bytes[2] |= 0x80;
			der_put(&w, DER_INTEGER, bytes + 2, (size_t)n);
			continue;
		}
		if (i == at && how == 3) { /* with a zero that need not be there */
			bytes[0] = 0;
			der_put(&w, DER_INTEGER, bytes, 2 + (size_t)n);
			continue;
		}
		if (i == at && how == 4) /* too large */
			der_put_unsigned(&w, bytes, RSA_BYTES + 2);
		else if (i == at && how == 5)
			der_put_unsigned(&w, NULL, 0);
		else
			der_put_unsigned(&w, bytes + 2, (size_t)n);
	}
	if (at == NUMBERS && how == 1)
		put_bytes(&w, "\x02\x01\x01", 3);
	der_end(&w, mark);
	assert_false(w.failed);
	return w.len;
}

static void test_rsa_keys_in_forms_good_and_bad(void **state)
{
	static uint8_t inner[DER_MAX];
	uint8_t der[DER_MAX];
	struct info info = {0, TEXT(OID_RSA DER_NULL_VALUE), inner, 0, TEXT("")};
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	const RSA *rsa = EVP_PKEY_get0_RSA(key);
	struct id by;

	(void)state;
	by = known_wrapper();
	info.key_len = put_rsa(rsa, 0, NUMBERS, 0, inner);
	assert_only_whole(by, KEY_TYPE_RSA_2048, der, put_info(&info, der));
	assert_int_equal(take_info(by, KEY_TYPE_RSA_3072, &info), KW_ERR_BAD_KEY);
	info.algorithm_len -= 2; /* without the NULL (RFC 8017, A.1) */
	assert_int_equal(take_info(by, KEY_TYPE_RSA_2048, &info), KW_ERR_BAD_KEY);
	info.algorithm_len += 2;
	/* More primes, or one number more. */
	info.key_len = put_rsa(rsa, 1, NUMBERS, 0, inner);
	assert_int_equal(take_info(by, KEY_TYPE_RSA_2048, &info), KW_ERR_BAD_KEY);
	info.key_len = put_rsa(rsa, 0, NUMBERS, 1, inner);
	assert_int_equal(take_info(by, KEY_TYPE_RSA_2048, &info), KW_ERR_BAD_KEY);
	for (unsigned at = 0; at < NUMBERS; at++) {
		for (unsigned how = 0; how < 6; how++) {
			/* d is not needed, and there are several that are good. */
			bool good = at == 2 && (how == 0 || how == 5);

			info.key_len = put_rsa(rsa, 0, at, how, inner);
			assert_int_equal(take_info(by, KEY_TYPE_RSA_2048, &info),
				good ? KW_ERR_OK : KW_ERR_BAD_KEY);
		}
	}
	EVP_PKEY_free(key);
}

/* One of libcrypto's, which finds its primes sooner than an emulated board does. */
static struct id bring_rsa(struct id by, uint32_t purposes)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	uint8_t der[DER_MAX];

	give(der, pkcs8_of(key, der));
	EVP_PKEY_free(key);
	assert_int_equal(
		unwrap(OWNER, by, WRAPPING_AES_KWP, KEY_TYPE_RSA_2048, purposes), KW_ERR_OK);
	return made();
}

/* Which ways take a private key at all, and that the rules for secret keys are its rules. */
static void test_private_keys_that_do_not_leave(void **state)
{
	struct id by, rsa, ec, large, asks, trusted, data;

	(void)state;
	by = known_wrapper();
	rsa = bring_rsa(by, PURPOSE_WRAP | PURPOSE_UNWRAP);
	ec = generate(KEY_TYPE_EC_P256, PURPOSE_SIGN | PURPOSE_EXTRACTABLE);
	large = bring_rsa(by, PURPOSE_SIGN | PURPOSE_EXTRACTABLE);
	data = generate(KEY_TYPE_AES_256, PURPOSE_ENCRYPT | PURPOSE_DECRYPT);
	/* 138 and 1,216 to 1,219 bytes. */
	assert_int_equal(wrap(OWNER, by, WRAPPING_AES_KW, ec), KW_ERR_BAD_ALGORITHM);
	assert_int_equal(wrap(OWNER, by, WRAPPING_AES_KWP, ec), KW_ERR_OK);
	assert_int_equal(wrapped_len, 152);
	assert_int_equal(wrap(OWNER, rsa, WRAPPING_RSA_OAEP, large), KW_ERR_BAD_ALGORITHM);
	assert_int_equal(wrap(OWNER, data, WRAPPING_AES_KWP, ec), KW_ERR_PURPOSE);
	assert_int_equal(wrap(STRANGER, by, WRAPPING_AES_KWP, ec), KW_ERR_ACCESS);
	asks = generate(
		KEY_TYPE_EC_P256, PURPOSE_SIGN | PURPOSE_EXTRACTABLE | PURPOSE_WITH_TRUSTED);
	assert_int_equal(generate_as(ADMIN, KEY_TYPE_AES_256,
				 PURPOSE_WRAP | PURPOSE_UNWRAP | PURPOSE_TRUSTED, 0),
		KW_ERR_OK);
	trusted = made();
	assert_int_equal(wrap(SERVER, by, WRAPPING_AES_KWP, asks), KW_ERR_PURPOSE);
	assert_int_equal(wrap(SERVER, trusted, WRAPPING_AES_KWP, asks), KW_ERR_OK);
	forget(asks);
	assert_int_equal(unwrap(ADMIN, trusted, WRAPPING_AES_KWP, KEY_TYPE_EC_P256,
				 PURPOSE_SIGN | PURPOSE_EXTRACTABLE),
		KW_ERR_PURPOSE);
	assert_int_equal(unwrap(ADMIN, trusted, WRAPPING_AES_KWP, KEY_TYPE_EC_P256, PURPOSE_SIGN),
		KW_ERR_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_keys_leave_and_come_back),
		TEST(test_keys_that_do_not_leave),
		TEST(test_private_keys_leave_for_libcrypto),
		TEST(test_private_keys_of_libcrypto_come_in),
		TEST(test_ed25519_keys_in_forms_good_and_bad),
		TEST(test_ec_keys_in_forms_good_and_bad),
		TEST(test_rsa_keys_in_forms_good_and_bad),
		TEST(test_private_keys_that_do_not_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

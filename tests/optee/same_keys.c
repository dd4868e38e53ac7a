/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "same.h"

struct known known[KEYS];

static uint64_t state;

void chance_seed(uint64_t seed)
{
	state = seed;
}

/* SplitMix64: S. Vigna, public domain. */
uint64_t chance(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

unsigned below(unsigned n)
{
	return (unsigned)(chance() % n);
}

bool one_in(unsigned n)
{
	return below(n) == 0;
}

void chance_bytes(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)chance();
}

/* The public key alone: of a curve with its point, or of RSA with n and e. */
static EVP_PKEY *public_key(const char *kind, OSSL_PARAM_BLD *b)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *key = NULL;

	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

static EVP_PKEY *ec_public(const struct known *k)
{
	int nid = k->type == KEY_TYPE_EC_P256   ? NID_X9_62_prime256v1
		  : k->type == KEY_TYPE_EC_P384 ? NID_secp384r1
						: NID_secp521r1;
	EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
	EC_POINT *point = EC_POINT_new(group);
	BIGNUM *scalar = BN_bin2bn(k->material, (int)k->material_len, NULL);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	uint8_t encoded[133];
	EVP_PKEY *key = NULL;
	size_t n;

	if (EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) != 1)
		goto out;
	n = EC_POINT_point2oct(
		group, point, POINT_CONVERSION_UNCOMPRESSED, encoded, sizeof(encoded), NULL);
	OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, OBJ_nid2sn(nid), 0);
	OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, encoded, n);
	key = public_key("EC", b);
out:
	OSSL_PARAM_BLD_free(b);
	BN_free(scalar);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	return key;
}

static bool prime_from_chance(BIGNUM *p, size_t bytes)
{
	uint8_t buf[256];

	for (;;) {
		chance_bytes(buf, bytes);
		buf[0] |= 0xc0; /* so that the product has all its bits */
		buf[bytes - 1] |= 1;
		if (!BN_bin2bn(buf, (int)bytes, p))
			return false;
		if (BN_mod_word(p, 65537) != 1 && BN_check_prime(p, NULL, NULL) == 1)
			return true;
	}
}

static EVP_PKEY *rsa_make(struct known *k)
{
	size_t half = k->type == KEY_TYPE_RSA_2048 ? 128 : 192;
	BIGNUM *p = BN_new(), *q = BN_new(), *n = BN_new();
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	struct writer w = writer_over(k->material, sizeof(k->material));
	BN_CTX *ctx = BN_CTX_new();
	EVP_PKEY *key = NULL;

	if (!prime_from_chance(p, half) || !prime_from_chance(q, half) || BN_mul(n, p, q, ctx) != 1)
		goto out;
	put_u32(&w, 65537);
	BN_bn2binpad(p, k->material + 4, (int)half);
	BN_bn2binpad(q, k->material + 4 + half, (int)half);
	k->material_len = 4 + 2 * half;
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_uint(b, OSSL_PKEY_PARAM_RSA_E, 65537);
	key = public_key("RSA", b);
out:
	OSSL_PARAM_BLD_free(b);
	BN_CTX_free(ctx);
	BN_free(n);
	BN_free(q);
	BN_free(p);
	return key;
}

static EVP_PKEY *fixed_make(struct known *k)
{
	uint8_t raw[32];
	EVP_PKEY *private_key, *key;
	size_t n = sizeof(raw);

	if (k->type < KEY_TYPE_EC_P256)
		return rsa_make(k);
	k->material_len = k->type == KEY_TYPE_EC_P384 ? 48 : k->type == KEY_TYPE_EC_P521 ? 66 : 32;
	chance_bytes(k->material, k->material_len);
	if (k->type == KEY_TYPE_ED25519 || k->type == KEY_TYPE_X25519) {
		int kind = k->type == KEY_TYPE_ED25519 ? EVP_PKEY_ED25519 : EVP_PKEY_X25519;

		private_key =
			EVP_PKEY_new_raw_private_key(kind, NULL, k->material, k->material_len);
		if (!private_key || EVP_PKEY_get_raw_public_key(private_key, raw, &n) != 1)
			return NULL;
		key = EVP_PKEY_new_raw_public_key(kind, NULL, raw, n);
		EVP_PKEY_free(private_key);
		return key;
	}
	/* Below the order of the curve. */
	k->material[0] &= k->type == KEY_TYPE_EC_P521 ? 0 : 0x7f;
	return ec_public(k);
}

bool make_fixed_keys(void)
{
	static const uint8_t types[FIXED] = {KEY_TYPE_EC_P256, KEY_TYPE_EC_P256, KEY_TYPE_EC_P256,
		KEY_TYPE_EC_P256, KEY_TYPE_EC_P384, KEY_TYPE_EC_P384, KEY_TYPE_EC_P521,
		KEY_TYPE_ED25519, KEY_TYPE_ED25519, KEY_TYPE_X25519, KEY_TYPE_X25519,
		KEY_TYPE_RSA_2048, KEY_TYPE_RSA_2048, KEY_TYPE_RSA_3072};
	static const uint8_t secrets[SECRETS] = {KEY_TYPE_AES_128, KEY_TYPE_AES_256,
		KEY_TYPE_AES_192, KEY_TYPE_AES_256, KEY_TYPE_AES_128, KEY_TYPE_HMAC, KEY_TYPE_HMAC,
		KEY_TYPE_HMAC};
	static const uint8_t bytes[SECRETS] = {16, 32, 24, 32, 16, 20, 32, 128};

	for (unsigned i = 0; i < FIXED; i++) {
		uint8_t *at = known[i].spki;
		int n;

		known[i].type = types[i];
		known[i].public_key = fixed_make(&known[i]);
		n = known[i].public_key ? i2d_PUBKEY(known[i].public_key, NULL) : -1;
		if (n <= 0 || n > WIRE_SPKI_MAX)
			return false;
		known[i].spki_len = (size_t)i2d_PUBKEY(known[i].public_key, &at);
		if (EVP_Digest(known[i].spki, known[i].spki_len, known[i].id, NULL, EVP_sha256(),
			    NULL) != 1)
			return false;
		known[i].is_known = known[i].is_same = true;
	}
	for (unsigned i = 0; i < SECRETS; i++) {
		struct known *k = &known[SECRET_FIRST + i];

		k->type = secrets[i];
		k->material_len = bytes[i];
		chance_bytes(k->material, k->material_len);
	}
	return true;
}

bool is_secret(uint8_t type)
{
	return type >= KEY_TYPE_AES_128;
}

struct known *known_by_id(const uint8_t *id)
{
	for (unsigned i = 0; i < KEYS; i++)
		if (known[i].is_known && !memcmp(known[i].id, id, WIRE_ID_SIZE))
			return &known[i];
	return NULL;
}

const char *known_label(const struct known *k)
{
	static char text[24];
	unsigned i = k ? (unsigned)(k - known) : 0;

	if (!k)
		return "other";
	if (i < FIXED)
		snprintf(text, sizeof(text), "fixed%u", i);
	else if (i < SECRET_FIRST)
		snprintf(text, sizeof(text), "new%u", i - FIXED);
	else
		snprintf(text, sizeof(text), "secret%u", i - SECRET_FIRST);
	return text;
}

bool learn(struct known *k, uint8_t type, const uint8_t *id, const uint8_t *spki, size_t n)
{
	const uint8_t *at = spki;
	uint8_t digest[WIRE_ID_SIZE];

	EVP_PKEY_free(k->public_key);
	k->public_key = NULL;
	k->is_known = false;
	k->record_len = 0;
	k->type = type;
	k->spki_len = n;
	if (n > sizeof(k->spki))
		return false;
	memcpy(k->id, id, WIRE_ID_SIZE);
	memcpy(k->spki, spki, n);
	k->is_known = true;
	if (is_secret(type))
		return n == 2;
	if (EVP_Digest(spki, n, digest, NULL, EVP_sha256(), NULL) != 1 ||
		memcmp(digest, id, WIRE_ID_SIZE))
		return false;
	k->public_key = d2i_PUBKEY(NULL, &at, (long)n);
	return k->public_key && at == spki + n;
}

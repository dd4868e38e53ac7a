/* SPDX-License-Identifier: BSD-2-Clause */
#include "key_material.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/obj_mac.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

static bool take_rsa(struct key_material *m, EVP_PKEY *pkey)
{
	static const struct {
		int bits;
		enum kw_key_type type;
	} sizes[] = {{2048, KW_KEY_TYPE_RSA_2048}, {3072, KW_KEY_TYPE_RSA_3072},
		{4096, KW_KEY_TYPE_RSA_4096}};
	BIGNUM *e = NULL, *p = NULL, *q = NULL, *third = NULL;
	int bits = EVP_PKEY_get_bits(pkey), half = bits / 16;
	bool ok = false;
	uint8_t e_bytes[4];
	size_t i;

	for (i = 0; i < 3 && sizes[i].bits != bits; i++)
		;
	if (i == 3) {
		key_problem(m,
			"this is an RSA key of %d bits: Keyward keeps RSA keys of 2048, 3072 and "
			"4096 bits",
			bits);
		goto out;
	}
	m->type = sizes[i].type;
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR3, &third)) {
		key_problem(m, "this is an RSA key with more than two primes, which Keyward does "
			       "not keep: "
			       "make a new key");
		goto out;
	}
	if (!EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) ||
		!EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, &p) ||
		!EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, &q)) {
		key_problem(m, "this RSA key lacks its two primes: use a complete copy of it");
		goto out;
	}
	if (BN_bn2binpad(e, e_bytes, 4) != 4 || BN_num_bits(p) != 8 * half ||
		BN_num_bits(q) != 8 * half || BN_bn2binpad(p, m->bytes + 4, half) != half ||
		BN_bn2binpad(q, m->bytes + 4 + half, half) != half) {
		key_problem(m, "this RSA key has a public exponent of more than 32 bits or primes "
			       "of different "
			       "sizes, which Keyward does not keep: make a new key");
		goto out;
	}
	memcpy(m->bytes, e_bytes, 4);
	m->len = 4 + 2 * (size_t)half;
	ok = true;
out:
	BN_free(e);
	BN_clear_free(p);
	BN_clear_free(q);
	BN_clear_free(third);
	return ok;
}

static bool take_ec(struct key_material *m, EVP_PKEY *pkey)
{
	static const struct {
		const char *curve;
		enum kw_key_type type;
		int bytes;
	} curves[] = {
		{SN_X9_62_prime256v1, KW_KEY_TYPE_EC_P256, 32},
		{SN_secp384r1, KW_KEY_TYPE_EC_P384, 48},
		{SN_secp521r1, KW_KEY_TYPE_EC_P521, 66},
	};
	char curve[64] = "";
	BIGNUM *scalar = NULL;
	bool ok = false;
	size_t i;

	if (!EVP_PKEY_get_group_name(pkey, curve, sizeof(curve), NULL))
		snprintf(curve, sizeof(curve), "of its own");
	for (i = 0; i < 3 && strcmp(curve, curves[i].curve) != 0; i++)
		;
	if (i == 3) {
		key_problem(m,
			"this is an EC key on the curve %s: Keyward keeps EC keys on P-256, P-384 "
			"and P-521",
			curve);
		goto out;
	}
	if (!EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) ||
		BN_bn2binpad(scalar, m->bytes, curves[i].bytes) != curves[i].bytes) {
		key_problem(m, "this EC key lacks its private part: use a complete copy of it");
		goto out;
	}
	m->type = curves[i].type;
	m->len = (size_t)curves[i].bytes;
	ok = true;
out:
	BN_clear_free(scalar);
	return ok;
}

/* Ed25519 and X25519. */
static bool take_raw(struct key_material *m, EVP_PKEY *pkey, enum kw_key_type type)
{
	m->type = type;
	m->len = 32;
	if (EVP_PKEY_get_raw_private_key(pkey, m->bytes, &m->len) && m->len == 32)
		return true;
	return key_problem(m, "this key lacks its private part: use a complete copy of it");
}

/* The public part that the file states has to belong to its private part. */
static bool is_consistent(EVP_PKEY *pkey, OSSL_LIB_CTX *lib)
{
	EVP_PKEY_CTX *check = EVP_PKEY_CTX_new_from_pkey(lib, pkey, NULL);
	bool ok = check && EVP_PKEY_check(check) == 1;

	EVP_PKEY_CTX_free(check);
	return ok;
}

bool key_material_take(struct key_material *m, EVP_PKEY *pkey, OSSL_LIB_CTX *lib)
{
	uint8_t *spki = NULL;
	bool ok = false;
	int n;

	if (EVP_PKEY_is_a(pkey, "RSA"))
		ok = take_rsa(m, pkey);
	else if (EVP_PKEY_is_a(pkey, "EC"))
		ok = take_ec(m, pkey);
	else if (EVP_PKEY_is_a(pkey, "ED25519"))
		ok = take_raw(m, pkey, KW_KEY_TYPE_ED25519);
	else if (EVP_PKEY_is_a(pkey, "X25519"))
		ok = take_raw(m, pkey, KW_KEY_TYPE_X25519);
	else if (EVP_PKEY_is_a(pkey, "RSA-PSS"))
		key_problem(m,
			"this is an RSA key for PSS only, a limit that would be lost in the TEE: "
			"make a new key");
	else
		key_problem(m,
			"this is a key of type %s, which Keyward does not keep: use RSA, EC, "
			"Ed25519 or X25519",
			EVP_PKEY_get0_type_name(pkey) ? EVP_PKEY_get0_type_name(pkey) : "unknown");
	if (!ok)
		return false;
	if (!is_consistent(pkey, lib))
		return key_problem(m, "this is not a valid key, its parts do not belong together: "
				      "use another copy of the file");
	n = i2d_PUBKEY(pkey, &spki);
	if (n <= 0)
		return key_problem(m, "its public key cannot be computed");
	m->spki = spki;
	m->spki_len = (size_t)n;
	return true;
}

void key_material_wipe(struct key_material *m)
{
	OPENSSL_free(m->spki);
	OPENSSL_cleanse(m, sizeof(*m));
}

bool key_material_is(const struct key_material *m, const uint8_t *spki, size_t len)
{
	const uint8_t *ours = m->spki, *theirs = spki;
	EVP_PKEY *a, *b;
	bool same;

	if (!m->spki || !spki)
		return false;
	if (m->spki_len == len && memcmp(m->spki, spki, len) == 0)
		return true;
	/* The same curve may be written as parameters in the file and by its name in the TEE. */
	a = d2i_PUBKEY(NULL, &ours, (long)m->spki_len);
	b = d2i_PUBKEY(NULL, &theirs, (long)len);
	same = a && b && EVP_PKEY_eq(a, b) == 1;
	EVP_PKEY_free(a);
	EVP_PKEY_free(b);
	return same;
}

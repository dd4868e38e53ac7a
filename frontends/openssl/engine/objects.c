/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RSA and EC_KEY objects that ask the TEE, for callers below the EVP interface. They bring digests,
 * so only keys with the purpose "sign" serve them.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "engine.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <limits.h>
#include <string.h>

static RSA_METHOD *rsa_method;
static EC_KEY_METHOD *ec_method;
static int rsa_index = -1;
static int ec_index = -1;
static int pkey_index = -1; /* for Ed25519, which has no object of its own */

static void ex_free(void *parent, void *p, CRYPTO_EX_DATA *data, int index, long l, void *arg)
{
	struct front_key *key = p;

	(void)parent;
	(void)data;
	(void)index;
	(void)l;
	(void)arg;
	front_key_free(&key);
}

static int ex_dup(
	CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **p, int index, long l, void *arg)
{
	(void)to;
	(void)from;
	(void)index;
	(void)l;
	(void)arg;
	if (*p)
		front_key_ref(*p);
	return 1;
}

struct front_key *engine_key_of_rsa(const RSA *rsa)
{
	return rsa ? RSA_get_ex_data(rsa, rsa_index) : NULL;
}

struct front_key *engine_key_of_ec(const EC_KEY *ec)
{
	return ec ? EC_KEY_get_ex_data(ec, ec_index) : NULL;
}

struct front_key *engine_key_of_pkey(EVP_PKEY *pkey)
{
	switch (EVP_PKEY_get_id(pkey)) {
	case EVP_PKEY_RSA:
		return engine_key_of_rsa(EVP_PKEY_get0_RSA(pkey));
	case EVP_PKEY_EC:
		return engine_key_of_ec(EVP_PKEY_get0_EC_KEY(pkey));
	case EVP_PKEY_ED25519:
		return EVP_PKEY_get_ex_data(pkey, pkey_index);
	default:
		return NULL;
	}
}

int engine_sign(
	struct front_key *key, const struct kw_sign *what, unsigned char *sig, size_t *siglen)
{
	uint8_t out[KW_SIGNATURE_MAX];
	size_t len = 0;
	enum kw_err err;

	err = front_key_sign(key, what, out, &len);
	if (err) {
		engine_raise(err, "%s", front_explain(err));
		return 0;
	}
	if (len > *siglen) {
		engine_raise(KW_ERR_TOO_LARGE, "the buffer is too small for a signature");
		return 0;
	}
	memcpy(sig, out, len);
	*siglen = len;
	return 1;
}

static int sign_pkcs1(const RSA *rsa, const struct front_hash *hash, const unsigned char *digest,
	size_t n, unsigned char *sig, size_t *siglen)
{
	struct kw_sign what = {.scheme = KW_SCHEME_RSA_PKCS1, .is_digest = true, .data = digest};
	struct front_key *key = engine_key_of_rsa(rsa);

	if (!key || !hash || n != hash->size) {
		engine_raise(KW_ERR_BAD_ALGORITHM, "Keyward signs SHA-2 digests only");
		return 0;
	}
	what.hash = hash->hash;
	what.len = n;
	*siglen = (size_t)RSA_size(rsa);
	return engine_sign(key, &what, sig, siglen);
}

static int rsa_sign(int type, const unsigned char *m, unsigned n, unsigned char *sig,
	unsigned *siglen, const RSA *rsa)
{
	size_t len = 0;

	if (!sign_pkcs1(rsa, front_hash_by_nid(type), m, n, sig, &len))
		return 0;
	*siglen = (unsigned)len;
	return 1;
}

/* The oldest interface: what is to be encrypted with the private key must be the DigestInfo of a
 * SHA-2 digest. Raw RSA is not to be had. */
static int rsa_private_encrypt(
	int n, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
	const uint8_t *digest = from;
	const struct front_hash *hash = NULL;
	size_t len = 0;

	if (padding == RSA_PKCS1_PADDING && n > 0)
		hash = front_digest_info(from, (size_t)n, &digest);
	if (!sign_pkcs1(rsa, hash, digest, hash ? hash->size : 0, to, &len))
		return -1;
	return (int)len;
}

static int rsa_private_decrypt(
	int n, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
	struct kw_decrypt what = {.data = from, .len = n > 0 ? (size_t)n : 0};
	struct front_key *key = engine_key_of_rsa(rsa);
	uint8_t out[KW_SIGNATURE_MAX];
	enum kw_err err;
	size_t len = 0;

	if (!key || padding != RSA_PKCS1_PADDING) {
		engine_raise(KW_ERR_BAD_ALGORITHM, "Keyward does not decrypt with this padding");
		return -1;
	}
	err = front_key_decrypt(key, &what, out, &len);
	if (err) {
		engine_raise(err, "%s", front_explain(err));
		return -1;
	}
	/* Callers give a buffer of the modulus' length. */
	if (len > (size_t)RSA_size(rsa)) {
		OPENSSL_cleanse(out, sizeof(out));
		return -1;
	}
	memcpy(to, out, len);
	OPENSSL_cleanse(out, sizeof(out));
	return (int)len;
}

static int ec_sign(int type, const unsigned char *digest, int n, unsigned char *sig,
	unsigned *siglen, const BIGNUM *kinv, const BIGNUM *r, EC_KEY *ec)
{
	struct kw_sign what = {.scheme = KW_SCHEME_ECDSA, .is_digest = true, .data = digest};
	const struct front_hash *hash = n > 0 ? front_hash_by_size((size_t)n) : NULL;
	struct front_key *key = engine_key_of_ec(ec);
	size_t len = (size_t)ECDSA_size(ec);

	(void)type;
	if (!key || !hash || kinv || r) {
		engine_raise(KW_ERR_BAD_ALGORITHM, "Keyward signs SHA-2 digests only");
		return 0;
	}
	what.hash = hash->hash;
	what.len = hash->size;
	if (!engine_sign(key, &what, sig, &len))
		return 0;
	*siglen = (unsigned)len;
	return 1;
}

/* Nonces are made in the TEE. */
static int ec_sign_setup(EC_KEY *ec, BN_CTX *ctx, BIGNUM **kinv, BIGNUM **r)
{
	(void)ec;
	(void)ctx;
	(void)kinv;
	(void)r;
	engine_raise(KW_ERR_BAD_ALGORITHM, "a nonce never leaves the TEE");
	return 0;
}

static ECDSA_SIG *ec_sign_sig(
	const unsigned char *digest, int n, const BIGNUM *kinv, const BIGNUM *r, EC_KEY *ec)
{
	unsigned char der[KW_SIGNATURE_MAX];
	const unsigned char *p = der;
	unsigned len = 0;

	if (!ec_sign(0, digest, n, der, &len, kinv, r, ec))
		return NULL;
	return d2i_ECDSA_SIG(NULL, &p, (long)len);
}

bool engine_object_methods_new(void)
{
	if (rsa_method)
		return true;
	rsa_index = RSA_get_ex_new_index(0, NULL, NULL, ex_dup, ex_free);
	ec_index = EC_KEY_get_ex_new_index(0, NULL, NULL, ex_dup, ex_free);
	pkey_index = EVP_PKEY_get_ex_new_index(0, NULL, NULL, ex_dup, ex_free);
	if (rsa_index < 0 || ec_index < 0 || pkey_index < 0)
		return false;
	ec_method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
	rsa_method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
	if (!rsa_method || !ec_method)
		return false;
	EC_KEY_METHOD_set_sign(ec_method, ec_sign, ec_sign_setup, ec_sign_sig);
	return RSA_meth_set1_name(rsa_method, "Keyward") &&
	       RSA_meth_set_sign(rsa_method, rsa_sign) &&
	       RSA_meth_set_priv_enc(rsa_method, rsa_private_encrypt) &&
	       RSA_meth_set_priv_dec(rsa_method, rsa_private_decrypt);
}

static EVP_PKEY *new_rsa(struct front_key *key, const uint8_t *spki, size_t len)
{
	RSA *rsa = d2i_RSA_PUBKEY(NULL, &spki, (long)len);
	EVP_PKEY *pkey = EVP_PKEY_new();

	if (!rsa || !pkey || !RSA_set_method(rsa, rsa_method))
		goto bad;
	if (!RSA_set_ex_data(rsa, rsa_index, key))
		goto bad;
	front_key_ref(key);
	/* The private part is somewhere else: do not look for it here. */
	RSA_set_flags(rsa, RSA_FLAG_EXT_PKEY);
	if (!EVP_PKEY_assign_RSA(pkey, rsa))
		goto bad;
	return pkey;
bad:
	RSA_free(rsa);
	EVP_PKEY_free(pkey);
	return NULL;
}

static EVP_PKEY *new_ec(struct front_key *key, const uint8_t *spki, size_t len)
{
	EC_KEY *ec = d2i_EC_PUBKEY(NULL, &spki, (long)len);
	EVP_PKEY *pkey = EVP_PKEY_new();

	if (!ec || !pkey || !EC_KEY_set_method(ec, ec_method))
		goto bad;
	if (!EC_KEY_set_ex_data(ec, ec_index, key))
		goto bad;
	front_key_ref(key);
	if (!EVP_PKEY_assign_EC_KEY(pkey, ec))
		goto bad;
	return pkey;
bad:
	EC_KEY_free(ec);
	EVP_PKEY_free(pkey);
	return NULL;
}

static EVP_PKEY *new_ed25519(ENGINE *e, struct front_key *key, const uint8_t *spki, size_t len)
{
	const size_t n = 32; /* the public key ends the SubjectPublicKeyInfo (RFC 8410 4) */
	EVP_PKEY *pkey;

	/* With an ENGINE this makes a key outside any provider, which our method can serve. */
	pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, e, spki + len - n, n);
	if (!pkey)
		return NULL;
	if (!EVP_PKEY_set_ex_data(pkey, pkey_index, key)) {
		EVP_PKEY_free(pkey);
		return NULL;
	}
	front_key_ref(key);
	return pkey;
}

EVP_PKEY *engine_pkey_new(ENGINE *e, struct front_key **front)
{
	enum kw_key_type type = front_key_type(*front);
	EVP_PKEY *pkey;
	const uint8_t *spki;
	size_t len = 0;

	spki = front_key_spki(*front, &len);
	if (kw_key_type_is_rsa(type))
		pkey = new_rsa(*front, spki, len);
	else if (kw_key_type_is_ec(type))
		pkey = new_ec(*front, spki, len);
	else
		pkey = new_ed25519(e, *front, spki, len);
	front_key_free(front);
	/* From now on OpenSSL asks our EVP_PKEY_METHODs, and does not try providers. */
	if (pkey && EVP_PKEY_set1_engine(pkey, e))
		return pkey;
	engine_raise(KW_ERR_BAD_REFERENCE, "OpenSSL does not take the public key of this key");
	EVP_PKEY_free(pkey);
	return NULL;
}

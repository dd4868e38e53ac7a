/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#include "core/key_type.h"

static const EVP_MD *md_of(enum hash_id hash)
{
	switch (hash) {
	case HASH_SHA224:
		return EVP_sha224();
	case HASH_SHA256:
		return EVP_sha256();
	case HASH_SHA384:
		return EVP_sha384();
	case HASH_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

static EVP_PKEY *from_params(const char *algorithm, OSSL_PARAM_BLD *bld)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY *pkey = NULL;

	if (ctx && params && EVP_PKEY_fromdata_init(ctx) > 0 &&
		EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		pkey = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static EVP_PKEY *rsa_public(const uint8_t *in, size_t n, unsigned bits)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;
	BIGNUM *e = NULL;
	BIGNUM *modulus = NULL;

	if (!bld || n != 4 + bits / 8)
		goto out;
	e = BN_bin2bn(in, 4, NULL);
	modulus = BN_bin2bn(in + 4, (int)(n - 4), NULL);
	if (e && modulus && BN_num_bits(modulus) == (int)bits &&
		OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) &&
		OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, modulus))
		pkey = from_params("RSA", bld);
out:
	OSSL_PARAM_BLD_free(bld);
	BN_free(e);
	BN_free(modulus);
	return pkey;
}

static EVP_PKEY *ec_public(const uint8_t *in, size_t n, unsigned bits)
{
	const char *curve = bits == 256 ? "P-256" : bits == 384 ? "P-384" : "P-521";
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;

	if (bld && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) &&
		OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, in, n))
		pkey = from_params("EC", bld);
	OSSL_PARAM_BLD_free(bld);
	return pkey;
}

static EVP_PKEY *public_key(const struct key_type_info *info, const uint8_t *in, size_t n)
{
	if (info->family == FAMILY_RSA)
		return rsa_public(in, n, info->bits);
	if (info->family == FAMILY_EC)
		return ec_public(in, n, info->bits);
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, in, n);
}

/* r and s of fixed width to what libcrypto verifies. */
static int ecdsa_der(const uint8_t *sig, size_t n, uint8_t **der)
{
	ECDSA_SIG *rs = ECDSA_SIG_new();
	int len = -1;

	if (rs && ECDSA_SIG_set0(rs, BN_bin2bn(sig, (int)n / 2, NULL),
			  BN_bin2bn(sig + n / 2, (int)n / 2, NULL)))
		len = i2d_ECDSA_SIG(rs, der);
	ECDSA_SIG_free(rs);
	return len;
}

static bool set_padding(EVP_PKEY_CTX *ctx, const struct crypto_sign *what)
{
	if (what->scheme == SCHEME_RSA_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
	if (what->scheme == SCHEME_RSA_PSS)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md_of(what->hash)) > 0 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, what->salt_len) > 0;
	return true;
}

static bool verify_with(
	EVP_PKEY *pkey, const struct crypto_sign *what, const uint8_t *sig, size_t n)
{
	const EVP_MD *md = md_of(what->hash);
	bool good = false;

	if (what->is_digest) {
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);

		good = ctx && EVP_PKEY_verify_init(ctx) > 0 && set_padding(ctx, what) &&
		       EVP_PKEY_CTX_set_signature_md(ctx, md) > 0 &&
		       EVP_PKEY_verify(ctx, sig, n, what->data, what->n) == 1;
		EVP_PKEY_CTX_free(ctx);
	} else {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		EVP_PKEY_CTX *pctx = NULL;

		good = ctx && EVP_DigestVerifyInit(ctx, &pctx, md, NULL, pkey) > 0 &&
		       set_padding(pctx, what) &&
		       EVP_DigestVerify(ctx, sig, n, what->data, what->n) == 1;
		EVP_MD_CTX_free(ctx);
	}
	return good;
}

bool verify_signature(enum key_type type, const uint8_t *public_part, size_t n,
	const struct crypto_sign *what, const uint8_t *sig, size_t sig_len)
{
	const struct key_type_info *info = key_type_find((uint8_t)type);
	EVP_PKEY *pkey = public_key(info, public_part, n);
	uint8_t *der = NULL;
	bool good = false;
	int len;

	if (!pkey)
		return false;
	if (info->family == FAMILY_EC) {
		len = ecdsa_der(sig, sig_len, &der);
		good = sig_len == 2 * key_type_bytes(info) && len > 0 &&
		       verify_with(pkey, what, der, (size_t)len);
	} else {
		good = verify_with(pkey, what, sig, sig_len);
	}
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
	return good;
}

static bool encrypt(enum key_type type, const uint8_t *public_part, size_t n, int padding,
	const struct crypto_decrypt *what, const uint8_t *message, size_t len, uint8_t *out)
{
	EVP_PKEY *pkey = public_key(key_type_find((uint8_t)type), public_part, n);
	EVP_PKEY_CTX *ctx = pkey ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
	size_t out_len = CRYPTO_SIGNATURE_MAX;
	bool good = ctx && EVP_PKEY_encrypt_init(ctx) > 0 &&
		    EVP_PKEY_CTX_set_rsa_padding(ctx, padding) > 0;

	if (good && padding == RSA_PKCS1_OAEP_PADDING) {
		void *label = OPENSSL_memdup(what->label.p, what->label.n);

		good = EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md_of(what->hash)) > 0 &&
		       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md_of(what->mgf)) > 0 &&
		       (!label || EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, (int)what->label.n) >
					  0);
	}
	good = good && EVP_PKEY_encrypt(ctx, out, &out_len, message, len) > 0;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return good;
}

bool encrypt_to(enum key_type type, const uint8_t *public_part, size_t n,
	const struct crypto_decrypt *what, const uint8_t *message, size_t len, uint8_t *out)
{
	return encrypt(type, public_part, n,
		what->oaep ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING, what, message, len, out);
}

bool encrypt_raw(enum key_type type, const uint8_t *public_part, size_t n, const uint8_t *block,
	size_t len, uint8_t *out)
{
	return encrypt(type, public_part, n, RSA_NO_PADDING, NULL, block, len, out);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Verification: with public keys here, of MACs by the TEE. */
#include <openssl/rsa.h>
#include <string.h>

#include "cipher.h"

CK_RV operation_public_key(const struct operation *op, EVP_PKEY **pkey)
{
	const struct public_part *part;
	CK_RV rv = object_public(op->key, &part);

	*pkey = rv ? NULL : part->pkey;
	return rv == CKR_OBJECT_HANDLE_INVALID ? CKR_KEY_HANDLE_INVALID : rv;
}

static bool set_pss(EVP_PKEY_CTX *ctx, const struct operation *op, const EVP_MD *md)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) > 0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, op->salt_len) > 0;
}

/* A digest, or for CKM_RSA_PKCS what was padded. md: of a digest, else NULL. */
static CK_RV verify_digest(const struct operation *op, EVP_PKEY *pkey, const EVP_MD *md,
	const uint8_t *data, size_t len, const uint8_t *sig, size_t sig_len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(module_libcrypto(), pkey, NULL);
	CK_RV rv = CKR_FUNCTION_FAILED;

	if (!ctx || EVP_PKEY_verify_init(ctx) <= 0)
		goto out;
	if (md && EVP_PKEY_CTX_set_signature_md(ctx, md) <= 0)
		goto out;
	if (op->mechanism->scheme == KW_SCHEME_RSA_PSS && !set_pss(ctx, op, md))
		goto out;
	if (op->mechanism->scheme == KW_SCHEME_RSA_PKCS1 &&
		EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) <= 0)
		goto out;
	if (op->mechanism->scheme == KW_SCHEME_RSA_RAW &&
		EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) <= 0)
		goto out;
	rv = EVP_PKEY_verify(ctx, sig, sig_len, data, len) == 1 ? CKR_OK : CKR_SIGNATURE_INVALID;
out:
	EVP_PKEY_CTX_free(ctx);
	return rv;
}

static CK_RV verify_eddsa(
	EVP_PKEY *pkey, const uint8_t *data, size_t len, const uint8_t *sig, size_t sig_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	CK_RV rv = CKR_FUNCTION_FAILED;

	if (ctx &&
		EVP_DigestVerifyInit_ex(ctx, NULL, NULL, module_libcrypto(), NULL, pkey, NULL) == 1)
		rv = EVP_DigestVerify(ctx, sig, sig_len, data, len) == 1 ? CKR_OK
									 : CKR_SIGNATURE_INVALID;
	EVP_MD_CTX_free(ctx);
	return rv;
}

/* is_digest: the data was hashed by the operation. */
static CK_RV verify_with(const struct operation *op, const uint8_t *data, size_t len,
	bool is_digest, const uint8_t *sig, size_t sig_len)
{
	size_t size = kw_key_type_signature_size(op->key->data->type);
	uint8_t hash[64], der[KW_SIGNATURE_MAX], block[KW_SIGNATURE_MAX];
	EVP_MD *md = NULL;
	EVP_PKEY *pkey;
	size_t n = 0;
	CK_RV rv;

	if (op->mechanism->mac)
		return mac_verify(op, data, len, sig, sig_len);
	rv = operation_public_key(op, &pkey);
	if (rv)
		return rv;
	if (sig_len != size)
		return CKR_SIGNATURE_LEN_RANGE;
	if (op->mechanism->scheme == KW_SCHEME_EDDSA)
		return verify_eddsa(pkey, data, len, sig, sig_len);
	rv = CKR_FUNCTION_FAILED;
	if (op->hash) {
		md = EVP_MD_fetch(module_libcrypto(), mechanism_hash_name(op->hash), NULL);
		if (!md)
			goto out;
	}
	if (mechanism_own_hash(op->mechanism) && !is_digest) {
		if (!EVP_Q_digest(module_libcrypto(), mechanism_own_hash(op->mechanism), NULL, data,
			    len, hash, &n))
			goto out;
		data = hash;
		len = n;
	}
	rv = CKR_DATA_LEN_RANGE;
	if (md && len != mechanism_hash_size(op->hash))
		goto out;
	if (op->mechanism->scheme == KW_SCHEME_RSA_RAW) {
		if (len > size)
			goto out;
		operation_block(data, len, block, size);
		data = block;
		len = size;
	}
	if (op->mechanism->scheme == KW_SCHEME_ECDSA) {
		/* Not a DER of two numbers: it cannot be right. */
		rv = CKR_SIGNATURE_INVALID;
		if (kw_ecdsa_to_der(sig, sig_len, der, &n))
			goto out;
		sig = der;
		sig_len = n;
	}
	rv = verify_digest(op, pkey, md, data, len, sig, sig_len);
out:
	EVP_MD_free(md);
	return rv;
}

CK_RV C_VerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return operation_start(session, OP_VERIFY, mechanism, key);
}

CK_RV C_Verify(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG len,
	unsigned char *signature, CK_ULONG signature_len)
{
	struct operation *op;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = operation_get(s, OP_VERIFY, true, &op);
	if (rv)
		goto out;
	rv = (!data && len) || !signature
		     ? CKR_ARGUMENTS_BAD
		     : verify_with(op, data, len, false, signature, signature_len);
	operation_free(&s->operations[OP_VERIFY]);
out:
	session_put(&s);
	return rv;
}

CK_RV C_VerifyUpdate(CK_SESSION_HANDLE session, unsigned char *part, CK_ULONG len)
{
	struct operation *op;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = operation_get(s, OP_VERIFY, false, &op);
	if (rv)
		goto out;
	rv = operation_update(op, part, len);
	if (rv)
		operation_free(&s->operations[OP_VERIFY]);
out:
	session_put(&s);
	return rv;
}

CK_RV C_VerifyFinal(CK_SESSION_HANDLE session, unsigned char *signature, CK_ULONG signature_len)
{
	uint8_t hash[64];
	struct operation *op;
	struct session *s;
	unsigned n = 0;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = operation_get(s, OP_VERIFY, false, &op);
	if (rv)
		goto out;
	if (!signature)
		rv = CKR_ARGUMENTS_BAD;
	else if (!op->digest)
		rv = verify_with(op, op->data, op->len, false, signature, signature_len);
	else if (!EVP_DigestFinal_ex(op->digest, hash, &n))
		rv = CKR_FUNCTION_FAILED;
	else
		rv = verify_with(op, hash, n, true, signature, signature_len);
	operation_free(&s->operations[OP_VERIFY]);
out:
	session_put(&s);
	return rv;
}

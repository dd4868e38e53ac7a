/* SPDX-License-Identifier: BSD-2-Clause */
/* Encryption and decryption: AES and with private keys by the TEE, with RSA's public keys here. */
#include <openssl/rsa.h>
#include <string.h>

#include "cipher.h"

static bool set_oaep(EVP_PKEY_CTX *ctx, const struct operation *op)
{
	EVP_MD *md = EVP_MD_fetch(module_libcrypto(), mechanism_hash_name(op->hash), NULL);
	EVP_MD *mgf = EVP_MD_fetch(module_libcrypto(), mechanism_hash_name(op->mgf_hash), NULL);
	void *label = op->label_len ? OPENSSL_memdup(op->label, op->label_len) : NULL;
	bool ok = md && mgf && (label || !op->label_len) &&
		  EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
		  EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) > 0 &&
		  EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf) > 0;

	/* The context takes the label over. */
	if (ok && label) {
		ok = EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, (int)op->label_len) > 0;
		if (ok)
			label = NULL;
	}
	OPENSSL_free(label);
	EVP_MD_free(md);
	EVP_MD_free(mgf);
	return ok;
}

static CK_RV rsa_encrypt(const struct operation *op, const uint8_t *data, size_t len,
	unsigned char *out, CK_ULONG *out_len)
{
	bool is_oaep = op->mechanism->type == CKM_RSA_PKCS_OAEP;
	bool is_raw = op->mechanism->scheme == KW_SCHEME_RSA_RAW;
	size_t size = kw_key_type_signature_size(op->key->data->type);
	size_t overhead = is_oaep ? 2 * mechanism_hash_size(op->hash) + 2 : is_raw ? 0 : 11;
	uint8_t block[KW_SIGNATURE_MAX];
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *pkey;
	CK_RV rv;

	if (!module_wants_output(out, out_len, size, &rv))
		return rv;
	if (len > size - overhead)
		return CKR_DATA_LEN_RANGE;
	rv = operation_public_key(op, &pkey);
	if (rv)
		return rv;
	rv = CKR_FUNCTION_FAILED;
	ctx = EVP_PKEY_CTX_new_from_pkey(module_libcrypto(), pkey, NULL);
	if (!ctx || EVP_PKEY_encrypt_init(ctx) <= 0)
		goto out;
	if (is_oaep ? !set_oaep(ctx, op)
		    : EVP_PKEY_CTX_set_rsa_padding(
			      ctx, is_raw ? RSA_NO_PADDING : RSA_PKCS1_PADDING) <= 0)
		goto out;
	/* A number that is shorter has zeros in front (2.1.7); one that is not below the modulus fails. */
	if (is_raw) {
		memset(block, 0, size - len);
		memcpy(block + size - len, data, len);
		data = block;
		len = size;
		rv = CKR_DATA_INVALID;
	}
	if (EVP_PKEY_encrypt(ctx, out, &size, data, len) <= 0)
		goto out;
	*out_len = size;
	rv = CKR_OK;
out:
	EVP_PKEY_CTX_free(ctx);
	return rv;
}

static CK_RV rsa_decrypt(const struct operation *op, const uint8_t *data, size_t len,
	unsigned char *out, CK_ULONG *out_len)
{
	size_t size = kw_key_type_signature_size(op->key->data->type), n = 0;
	struct kw_use use;
	struct kw_decrypt what = {.oaep = op->mechanism->type == CKM_RSA_PKCS_OAEP,
		.hash = op->hash,
		.mgf_hash = op->mgf_hash,
		.label = op->label,
		.label_len = op->label_len,
		.data = data,
		.len = len,
		.raw = op->mechanism->scheme == KW_SCHEME_RSA_RAW};
	uint8_t plain[KW_SIGNATURE_MAX];
	CK_RV rv;

	if (len != size)
		return CKR_ENCRYPTED_DATA_LEN_RANGE;
	/* How long the result is at most; the exact length is known with it only. */
	if (!out) {
		*out_len = size;
		return CKR_OK;
	}
	rv = object_use(op->key, &use);
	if (!rv)
		rv = module_error(kw_rsa_decrypt(module_kw(), &use, &what, plain, &n));
	if (!rv && module_wants_output(out, out_len, n, &rv))
		memcpy(out, plain, n);
	OPENSSL_cleanse(plain, sizeof(plain));
	return rv;
}

static CK_RV run(struct operation *op, bool decrypt, const uint8_t *data, size_t len,
	unsigned char *out, CK_ULONG *out_len)
{
	if ((!data && len) || !out_len)
		return CKR_ARGUMENTS_BAD;
	if (op->mechanism->cipher)
		return cipher_part(op, decrypt, true, data, len, out, out_len);
	return decrypt ? rsa_decrypt(op, data, len, out, out_len)
		       : rsa_encrypt(op, data, len, out, out_len);
}

static CK_RV one_shot(CK_SESSION_HANDLE session, enum operation_kind kind, const uint8_t *data,
	size_t len, unsigned char *out, CK_ULONG *out_len)
{
	struct operation *op;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = operation_get(s, kind, true, &op);
	if (rv)
		goto out;
	rv = run(op, kind == OP_DECRYPT, data, len, out, out_len);
	operation_end(s, kind, rv, out);
out:
	session_put(&s);
	return rv;
}

/* RSA has no parts (6.1.1). That ends the operation, as any other error does (5.8.3, 5.10.3). */
static CK_RV part(CK_SESSION_HANDLE session, enum operation_kind kind, bool is_last,
	const uint8_t *data, size_t len, unsigned char *out, CK_ULONG *out_len)
{
	struct operation *op;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = operation_get(s, kind, false, &op);
	if (rv)
		goto out;
	if (!op->mechanism->cipher)
		rv = CKR_FUNCTION_NOT_SUPPORTED;
	else if ((!data && len) || !out_len)
		rv = CKR_ARGUMENTS_BAD;
	else
		rv = cipher_part(op, kind == OP_DECRYPT, is_last, data, len, out, out_len);
	if (!rv && out)
		op->is_multi = true;
	if (is_last)
		operation_end(s, kind, rv, out);
	else if (rv && rv != CKR_BUFFER_TOO_SMALL)
		operation_free(&s->operations[kind]);
out:
	session_put(&s);
	return rv;
}

CK_RV C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return operation_start(session, OP_ENCRYPT, mechanism, key);
}

CK_RV C_Encrypt(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG len, unsigned char *out,
	CK_ULONG *out_len)
{
	return one_shot(session, OP_ENCRYPT, data, len, out, out_len);
}

CK_RV C_EncryptUpdate(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG len,
	unsigned char *out, CK_ULONG *out_len)
{
	return part(session, OP_ENCRYPT, false, data, len, out, out_len);
}

CK_RV C_EncryptFinal(CK_SESSION_HANDLE session, unsigned char *out, CK_ULONG *out_len)
{
	return part(session, OP_ENCRYPT, true, NULL, 0, out, out_len);
}

CK_RV C_DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return operation_start(session, OP_DECRYPT, mechanism, key);
}

CK_RV C_Decrypt(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG len, unsigned char *out,
	CK_ULONG *out_len)
{
	return one_shot(session, OP_DECRYPT, data, len, out, out_len);
}

CK_RV C_DecryptUpdate(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG len,
	unsigned char *out, CK_ULONG *out_len)
{
	return part(session, OP_DECRYPT, false, data, len, out, out_len);
}

CK_RV C_DecryptFinal(CK_SESSION_HANDLE session, unsigned char *out, CK_ULONG *out_len)
{
	return part(session, OP_DECRYPT, true, NULL, 0, out, out_len);
}

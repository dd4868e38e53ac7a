/* SPDX-License-Identifier: BSD-2-Clause */
/* Signatures, by the TEE: one request for each. */
#include <string.h>

#include "cipher.h"

/* A message that is hashed here saves the TEE the copy; a key that may sign anything takes that. */
#define HASH_HERE_FROM 8192

/*
 * CKM_ECDSA takes a digest of any length and uses as many bits of it as the order has (2.3.6). The TEE takes a
 * SHA-2 digest: one of the order's length, with zeros in front, is the same number.
 */
static CK_RV take_ecdsa_digest(const struct operation *op, const uint8_t *data, size_t len,
	uint8_t out[64], struct kw_sign *what)
{
	size_t order = (kw_key_type_bits(op->key->data->type) + 7) / 8;
	size_t size = order > 64 ? 64 : order;

	if (!len)
		return CKR_DATA_LEN_RANGE;
	if (len > size) {
		/* P-521: more than 64 bytes are no SHA-2 digest, and not cut by the standard's rule. */
		if (order > 64)
			return CKR_DATA_LEN_RANGE;
		len = size;
	}
	memset(out, 0, size);
	memcpy(out + size - len, data, len);
	what->hash = size == 32 ? KW_HASH_SHA256 : size == 48 ? KW_HASH_SHA384 : KW_HASH_SHA512;
	what->data = out;
	what->len = size;
	return CKR_OK;
}

/* CKM_RSA_X_509 takes a number (2.1.7): a shorter one has zeros in front. The TEE signs it when it is padded as a signature
 * is, or the key is for any block. */
static CK_RV take_block(const struct operation *op, const uint8_t *data, size_t len,
	uint8_t out[KW_SIGNATURE_MAX], struct kw_sign *what)
{
	size_t size = kw_key_type_signature_size(op->key->data->type);

	if (len > size)
		return CKR_DATA_LEN_RANGE;
	operation_block(data, len, out, size);
	what->is_digest = false;
	what->data = out;
	what->len = size;
	return CKR_OK;
}

static CK_RV prepare(const struct operation *op, const uint8_t *data, size_t len, bool is_digest,
	uint8_t own[KW_SIGNATURE_MAX], struct kw_sign *what)
{
	memset(what, 0, sizeof(*what));
	what->scheme = (enum kw_scheme)op->mechanism->scheme;
	what->hash = op->hash;
	what->salt_len = op->salt_len;
	what->data = data;
	what->len = len;
	what->is_digest = is_digest;
	if (op->mechanism->hash || op->mechanism->scheme == KW_SCHEME_EDDSA)
		return CKR_OK;
	what->is_digest = true;
	switch (op->mechanism->scheme) {
	case KW_SCHEME_ECDSA:
		return take_ecdsa_digest(op, data, len, own, what);
	case KW_SCHEME_RSA_RAW:
		return take_block(op, data, len, own, what);
	case KW_SCHEME_RSA_PSS:
		return len == mechanism_hash_size(op->hash) ? CKR_OK : CKR_DATA_LEN_RANGE;
	default:
		/* The caller's DigestInfo, or whatever it signs: padded as it is (2.1.5). */
		return len + 11 <= kw_key_type_signature_size(op->key->data->type)
			       ? CKR_OK
			       : CKR_DATA_LEN_RANGE;
	}
}

static CK_RV sign_with(const struct operation *op, const uint8_t *data, size_t len, bool is_digest,
	unsigned char *out, CK_ULONG *out_len)
{
	size_t size = kw_key_type_signature_size(op->key->data->type);
	uint8_t own[KW_SIGNATURE_MAX], hash[64], signature[KW_SIGNATURE_MAX];
	const char *own_hash = mechanism_own_hash(op->mechanism);
	struct kw_use use;
	struct kw_sign what;
	enum kw_err err;
	size_t n = 0;
	CK_RV rv;

	if (op->mechanism->mac)
		return mac_sign(op, data, len, out, out_len);
	if (!module_wants_output(out, out_len, size, &rv))
		return rv;
	/* A purpose that looks at the message gets it whole. */
	if (own_hash && !is_digest &&
		(!op->mechanism->hash ||
			(len >= HASH_HERE_FROM &&
				kw_key_purposes(op->key->data->key) & KW_PURPOSE_SIGN))) {
		if (!EVP_Q_digest(module_libcrypto(), own_hash, NULL, data, len, hash, &n))
			return CKR_FUNCTION_FAILED;
		data = hash;
		len = n;
		is_digest = true;
	}
	rv = prepare(op, data, len, is_digest, own, &what);
	if (!rv)
		rv = object_use(op->key, &use);
	if (rv)
		return rv;
	err = kw_sign(module_kw(), &use, &what, signature, &n);
	rv = module_error(err);
	/* The key signs (C_SignInit saw to that), and this block is none to be signed. */
	if (err == KW_ERR_PURPOSE && what.scheme == KW_SCHEME_RSA_RAW)
		return CKR_DATA_INVALID;
	/* So much around which the TEE puts no padding: docs/PURPOSES.md. */
	if (err == KW_ERR_PURPOSE && what.scheme == KW_SCHEME_RSA_PKCS1 && !what.hash)
		return CKR_DATA_LEN_RANGE;
	if (rv)
		return rv;
	if (n != size)
		return CKR_DEVICE_ERROR;
	memcpy(out, signature, n);
	return CKR_OK;
}

CK_RV C_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return operation_start(session, OP_SIGN, mechanism, key);
}

CK_RV C_Sign(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG len, unsigned char *out,
	CK_ULONG *out_len)
{
	struct operation *op;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = operation_get(s, OP_SIGN, true, &op);
	if (rv)
		goto out;
	rv = (!data && len) || !out_len ? CKR_ARGUMENTS_BAD
					: sign_with(op, data, len, false, out, out_len);
	operation_end(s, OP_SIGN, rv, out);
out:
	session_put(&s);
	return rv;
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE session, unsigned char *part, CK_ULONG len)
{
	struct operation *op;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = operation_get(s, OP_SIGN, false, &op);
	if (rv)
		goto out;
	rv = operation_update(op, part, len);
	if (rv)
		operation_end(s, OP_SIGN, rv, part);
out:
	session_put(&s);
	return rv;
}

CK_RV C_SignFinal(CK_SESSION_HANDLE session, unsigned char *out, CK_ULONG *out_len)
{
	uint8_t hash[64];
	struct operation *op;
	struct session *s;
	unsigned n = 0;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = operation_get(s, OP_SIGN, false, &op);
	if (rv)
		goto out;
	if (!out_len)
		rv = CKR_ARGUMENTS_BAD;
	else if (!op->digest)
		rv = sign_with(op, op->data, op->len, false, out, out_len);
	/* Not before there is room: the digest ends once. */
	else if (!out || *out_len < kw_key_type_signature_size(op->key->data->type))
		rv = sign_with(op, hash, 0, true, out, out_len);
	else if (!EVP_DigestFinal_ex(op->digest, hash, &n))
		rv = CKR_FUNCTION_FAILED;
	else
		rv = sign_with(op, hash, n, true, out, out_len);
	operation_end(s, OP_SIGN, rv, out);
out:
	session_put(&s);
	return rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "operation.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "attribute.h"

static const struct {
	CK_FLAGS flag;
	CK_OBJECT_CLASS class;
	CK_ATTRIBUTE_TYPE permission;
} kinds[OP_KINDS] = {
	[OP_SIGN] = {CKF_SIGN, CKO_PRIVATE_KEY, CKA_SIGN},
	[OP_VERIFY] = {CKF_VERIFY, CKO_PUBLIC_KEY, CKA_VERIFY},
	[OP_ENCRYPT] = {CKF_ENCRYPT, CKO_PUBLIC_KEY, CKA_ENCRYPT},
	[OP_DECRYPT] = {CKF_DECRYPT, CKO_PRIVATE_KEY, CKA_DECRYPT},
	[OP_DIGEST] = {CKF_DIGEST, 0, 0},
};

void operation_free(struct operation **operation)
{
	struct operation *op = *operation;

	*operation = NULL;
	if (!op)
		return;
	object_put(&op->key);
	free(op->label);
	if (op->data)
		OPENSSL_cleanse(op->data, op->room);
	free(op->data);
	EVP_MD_CTX_free(op->digest);
	free(op);
}

/* --- Parameters --- */

static CK_RV take_pss(struct operation *op, const CK_MECHANISM *m)
{
	CK_RSA_PKCS_PSS_PARAMS p;
	enum kw_hash hash;

	if (!m->pParameter || m->ulParameterLen != sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, m->pParameter, sizeof(p));
	hash = mechanism_hash(p.hashAlg);
	if (!hash || (op->hash && op->hash != hash) || mechanism_mgf_hash(p.mgf) != hash ||
		p.sLen > 512)
		return CKR_MECHANISM_PARAM_INVALID;
	op->hash = hash;
	op->salt_len = (uint16_t)p.sLen;
	return CKR_OK;
}

static CK_RV take_oaep(struct operation *op, const CK_MECHANISM *m)
{
	CK_RSA_PKCS_OAEP_PARAMS p;

	if (!m->pParameter || m->ulParameterLen != sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, m->pParameter, sizeof(p));
	op->hash = mechanism_hash(p.hashAlg);
	op->mgf_hash = mechanism_mgf_hash(p.mgf);
	if (!op->hash || !op->mgf_hash || p.ulSourceDataLen > 256 ||
		(p.ulSourceDataLen && (p.source != CKZ_DATA_SPECIFIED || !p.pSourceData)))
		return CKR_MECHANISM_PARAM_INVALID;
	if (!p.ulSourceDataLen)
		return CKR_OK;
	op->label = malloc(p.ulSourceDataLen);
	if (!op->label)
		return CKR_HOST_MEMORY;
	memcpy(op->label, p.pSourceData, p.ulSourceDataLen);
	op->label_len = p.ulSourceDataLen;
	return CKR_OK;
}

static CK_RV take_parameters(struct operation *op, const CK_MECHANISM *m)
{
	op->hash = op->mechanism->hash;
	if (op->mechanism->scheme == KW_SCHEME_RSA_PSS)
		return take_pss(op, m);
	if (op->mechanism->type == CKM_RSA_PKCS_OAEP)
		return take_oaep(op, m);
	/* Ed25519 without parameters is RFC 8032's pure variant, the only one here (3.0, 2.3.14). */
	return m->ulParameterLen ? CKR_MECHANISM_PARAM_INVALID : CKR_OK;
}

/* --- */

static CK_RV take_key(struct operation *op, enum operation_kind kind, CK_OBJECT_HANDLE handle)
{
	struct value v;

	if (object_get(handle, &op->key))
		return CKR_KEY_HANDLE_INVALID;
	if (op->key->class != kinds[kind].class ||
		mechanism_family(op->key->data->type) != op->mechanism->family)
		return CKR_KEY_TYPE_INCONSISTENT;
	if (attribute_get(op->key, kinds[kind].permission, &v) || !*(const CK_BBOOL *)v.p)
		return CKR_KEY_FUNCTION_NOT_PERMITTED;
	return CKR_OK;
}

CK_RV operation_start(CK_SESSION_HANDLE session, enum operation_kind kind, CK_MECHANISM *mechanism,
	CK_OBJECT_HANDLE key)
{
	struct operation *op = NULL;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	/* Version 3.0: a NULL mechanism ends the active operation (5.8.1). */
	if (!mechanism) {
		rv = s->operations[kind] ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
		operation_free(&s->operations[kind]);
		goto out;
	}
	rv = CKR_OPERATION_ACTIVE;
	if (s->operations[kind])
		goto out;
	rv = CKR_HOST_MEMORY;
	op = calloc(1, sizeof(*op));
	if (!op)
		goto out;
	rv = CKR_MECHANISM_INVALID;
	op->mechanism = mechanism_find(mechanism->mechanism);
	if (!op->mechanism || !(op->mechanism->flags & kinds[kind].flag))
		goto out;
	rv = take_parameters(op, mechanism);
	if (rv)
		goto out;
	if (kind != OP_DIGEST)
		rv = take_key(op, kind, key);
	if (rv)
		goto out;
	s->operations[kind] = op;
	op = NULL;
out:
	operation_free(&op);
	session_put(&s);
	return rv;
}

CK_RV operation_get(
	struct session *s, enum operation_kind kind, bool one_shot, struct operation **operation)
{
	struct operation *op = s->operations[kind];

	*operation = op;
	if (!op)
		return CKR_OPERATION_NOT_INITIALIZED;
	if (one_shot && op->is_multi) {
		operation_free(&s->operations[kind]);
		return CKR_OPERATION_ACTIVE;
	}
	return CKR_OK;
}

static CK_RV digest_instead(struct operation *op)
{
	EVP_MD *md = NULL;
	bool ok = false;

	/* Without a hash of its own there is nothing to go on with. */
	if (!mechanism_own_hash(op->mechanism))
		return CKR_DATA_LEN_RANGE;
	md = EVP_MD_fetch(module_libcrypto(), mechanism_own_hash(op->mechanism), NULL);
	op->digest = EVP_MD_CTX_new();
	ok = md && op->digest && EVP_DigestInit_ex2(op->digest, md, NULL) &&
	     EVP_DigestUpdate(op->digest, op->data, op->len);
	EVP_MD_free(md);
	OPENSSL_cleanse(op->data, op->room);
	op->len = 0;
	return ok ? CKR_OK : CKR_FUNCTION_FAILED;
}

CK_RV operation_update(struct operation *op, const uint8_t *part, size_t len)
{
	CK_RV rv = CKR_OK;

	op->is_multi = true;
	if (!part && len)
		return CKR_ARGUMENTS_BAD;
	if (!op->digest && len > OPERATION_WHOLE_MAX - op->len)
		rv = digest_instead(op);
	if (rv || !len)
		return rv;
	if (op->digest)
		return EVP_DigestUpdate(op->digest, part, len) ? CKR_OK : CKR_FUNCTION_FAILED;
	if (len > op->room - op->len) {
		size_t room = op->room ? op->room : 512;
		uint8_t *more;

		while (room < op->len + len)
			room *= 2;
		more = malloc(room);
		if (!more)
			return CKR_HOST_MEMORY;
		if (op->len)
			memcpy(more, op->data, op->len);
		if (op->data)
			OPENSSL_cleanse(op->data, op->room);
		free(op->data);
		op->data = more;
		op->room = room;
	}
	memcpy(op->data + op->len, part, len);
	op->len += len;
	return CKR_OK;
}

void operation_end(struct session *s, enum operation_kind kind, CK_RV rv, const void *out)
{
	if (rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && !out))
		return;
	operation_free(&s->operations[kind]);
}

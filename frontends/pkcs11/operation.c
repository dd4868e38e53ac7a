/* SPDX-License-Identifier: BSD-2-Clause */
#include "operation.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "attribute.h"
#include "cipher.h"
#include "login.h"

static const struct {
	CK_FLAGS flag;
	CK_ATTRIBUTE_TYPE permission;
} kinds[OP_KINDS] = {
	[OP_SIGN] = {CKF_SIGN, CKA_SIGN},
	[OP_VERIFY] = {CKF_VERIFY, CKA_VERIFY},
	[OP_ENCRYPT] = {CKF_ENCRYPT, CKA_ENCRYPT},
	[OP_DECRYPT] = {CKF_DECRYPT, CKA_DECRYPT},
	[OP_DIGEST] = {CKF_DIGEST, 0},
	[OP_MESSAGE_ENCRYPT] = {CKF_MESSAGE_ENCRYPT, CKA_ENCRYPT},
	[OP_MESSAGE_DECRYPT] = {CKF_MESSAGE_DECRYPT, CKA_DECRYPT},
};

void operation_wipe(struct operation *op)
{
	object_put(&op->key);
	free(op->label);
	if (op->data)
		OPENSSL_cleanse(op->data, op->room);
	free(op->data);
	EVP_MD_CTX_free(op->digest);
}

void operation_free(struct operation **operation)
{
	struct operation *op = *operation;

	*operation = NULL;
	if (!op)
		return;
	operation_wipe(op);
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

CK_RV operation_keep_label(struct operation *op, const void *p, size_t n)
{
	op->label_len = n;
	if (!n)
		return CKR_OK;
	op->label = malloc(n);
	if (!op->label)
		return CKR_HOST_MEMORY;
	memcpy(op->label, p, n);
	return CKR_OK;
}

CK_RV operation_take_oaep(struct operation *op, const CK_MECHANISM *m)
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
	return operation_keep_label(op, p.pSourceData, p.ulSourceDataLen);
}

static CK_RV take_parameters(struct operation *op, const CK_MECHANISM *m)
{
	op->hash = op->mechanism->hash;
	if (op->mechanism->scheme == KW_SCHEME_RSA_PSS)
		return take_pss(op, m);
	if (op->mechanism->type == CKM_RSA_PKCS_OAEP)
		return operation_take_oaep(op, m);
	if (op->mechanism->cipher)
		return cipher_take_parameters(op, m);
	if (op->mechanism->mac)
		return mac_take_parameters(op, m);
	/* Ed25519 without parameters is RFC 8032's pure variant, the only one here (3.0, 2.3.14). */
	return m->ulParameterLen ? CKR_MECHANISM_PARAM_INVALID : CKR_OK;
}

/* --- */

static CK_OBJECT_CLASS class_for(const struct mechanism *m, CK_FLAGS flag)
{
	if (m->family & (FAMILY_AES | FAMILY_SECRET))
		return CKO_SECRET_KEY;
	return flag & (CKF_VERIFY | CKF_ENCRYPT | CKF_WRAP) ? CKO_PUBLIC_KEY : CKO_PRIVATE_KEY;
}

CK_RV operation_check_key(CK_MECHANISM_TYPE type, CK_FLAGS flag, CK_OBJECT_HANDLE handle,
	CK_ATTRIBUTE_TYPE permission, const struct mechanism **mechanism, struct object **key)
{
	const struct mechanism *m = mechanism_find(type);
	struct value v;

	*mechanism = m;
	if (!m || !(m->flags & flag))
		return CKR_MECHANISM_INVALID;
	if (object_get(handle, key))
		return CKR_KEY_HANDLE_INVALID;
	if (!(*key)->data)
		return CKR_KEY_HANDLE_INVALID;
	if ((*key)->class != class_for(m, flag) ||
		!(mechanism_family((*key)->data->type) & m->family))
		return CKR_KEY_TYPE_INCONSISTENT;
	if (attribute_get(*key, permission, &v) || !*(const CK_BBOOL *)v.p)
		return CKR_KEY_FUNCTION_NOT_PERMITTED;
	/* Nothing is begun here for which the PIN could be given. */
	if (flag & (CKF_DERIVE | CKF_UNWRAP) && attribute_always_authenticates(*key))
		return CKR_USER_NOT_LOGGED_IN;
	return attribute_allows(*key, type) ? CKR_OK : CKR_MECHANISM_INVALID;
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
	op->ends = login_ends(s->slot);
	rv = CKR_MECHANISM_INVALID;
	op->mechanism = mechanism_find(mechanism->mechanism);
	if (!op->mechanism || !(op->mechanism->flags & kinds[kind].flag))
		goto out;
	/* Each message has its own. */
	rv = kinds[kind].flag & (CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT)
		     ? CKR_OK
		     : take_parameters(op, mechanism);
	if (!rv && kind != OP_DIGEST)
		rv = operation_check_key(mechanism->mechanism, kinds[kind].flag, key,
			kinds[kind].permission, &op->mechanism, &op->key);
	if (rv)
		goto out;
	if (op->key && attribute_always_authenticates(op->key)) {
		const struct operation *other = operation_waiting(s);

		op->needs_login = other ? other->needs_login + 1 : 1;
	}
	s->operations[kind] = op;
	op = NULL;
out:
	operation_free(&op);
	session_put(&s);
	return rv;
}

struct operation *operation_waiting(const struct session *s)
{
	struct operation *latest = NULL;

	for (int i = 0; i < OP_KINDS; i++) {
		struct operation *op = s->operations[i];

		/* One that was begun before a logout cannot go on. */
		if (op && op->needs_login > (latest ? latest->needs_login : 0) &&
			op->ends == login_ends(s->slot))
			latest = op;
	}
	return latest;
}

CK_RV operation_get(
	struct session *s, enum operation_kind kind, bool one_shot, struct operation **operation)
{
	struct operation *op = s->operations[kind];

	*operation = op;
	if (!op)
		return CKR_OPERATION_NOT_INITIALIZED;
	/* The user has logged out since it began, and is perhaps back. */
	if (op->key &&
		(!object_is_visible(op->key) ||
			(object_is_private(op->key) && op->ends != login_ends(op->key->slot)))) {
		operation_free(&s->operations[kind]);
		*operation = NULL;
		return CKR_USER_NOT_LOGGED_IN;
	}
	/* Nor did anybody give the PIN for this use of the key (5.6.7). */
	if (op->needs_login) {
		operation_free(&s->operations[kind]);
		*operation = NULL;
		return CKR_USER_NOT_LOGGED_IN;
	}
	/* Destroyed since then: what goes on to work is not what its owner thinks. */
	if (op->key && !object_is_there(op->key)) {
		operation_free(&s->operations[kind]);
		*operation = NULL;
		return CKR_KEY_HANDLE_INVALID;
	}
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

	/* Without a hash of its own there is nothing to go on with; HMAC's is not of the data alone. */
	if (op->mechanism->mac || !mechanism_own_hash(op->mechanism))
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
	if (!op->digest && len > OPERATION_WHOLE_MAX + op->tag_len - op->len)
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

void operation_block(const uint8_t *data, size_t len, uint8_t *out, size_t size)
{
	memset(out, 0, size - len);
	if (len)
		memcpy(out + size - len, data, len);
}

void operation_end(struct session *s, enum operation_kind kind, CK_RV rv, const void *out)
{
	if (rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && !out))
		return;
	operation_free(&s->operations[kind]);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Digests, computed here, and random numbers. */
#include <string.h>

#include "operation.h"

CK_RV C_DigestInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism)
{
	return operation_start(session, OP_DIGEST, mechanism, CK_INVALID_HANDLE);
}

/* Longer data than an operation gathers is hashed as it comes; so is what comes whole. */
static CK_RV finish(struct operation *op, const uint8_t *data, size_t len, unsigned char *out,
	CK_ULONG *out_len)
{
	size_t size = mechanism_hash_size(op->hash);
	unsigned n = 0;
	CK_RV rv;

	if (!module_wants_output(out, out_len, size, &rv))
		return rv;
	if (op->digest)
		return EVP_DigestFinal_ex(op->digest, out, &n) ? CKR_OK : CKR_FUNCTION_FAILED;
	return EVP_Q_digest(module_libcrypto(), mechanism_hash_name(op->hash), NULL, data, len, out,
		       &size)
		       ? CKR_OK
		       : CKR_FUNCTION_FAILED;
}

CK_RV C_Digest(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG len, unsigned char *out,
	CK_ULONG *out_len)
{
	struct operation *op;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = operation_get(s, OP_DIGEST, true, &op);
	if (rv)
		goto out;
	rv = (!data && len) || !out_len ? CKR_ARGUMENTS_BAD : finish(op, data, len, out, out_len);
	operation_end(s, OP_DIGEST, rv, out);
out:
	session_put(&s);
	return rv;
}

CK_RV C_DigestUpdate(CK_SESSION_HANDLE session, unsigned char *part, CK_ULONG len)
{
	struct operation *op;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = operation_get(s, OP_DIGEST, false, &op);
	if (rv)
		goto out;
	rv = operation_update(op, part, len);
	if (rv)
		operation_free(&s->operations[OP_DIGEST]);
out:
	session_put(&s);
	return rv;
}

CK_RV C_DigestFinal(CK_SESSION_HANDLE session, unsigned char *out, CK_ULONG *out_len)
{
	struct operation *op;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = operation_get(s, OP_DIGEST, false, &op);
	if (rv)
		goto out;
	rv = !out_len ? CKR_ARGUMENTS_BAD : finish(op, op->data, op->len, out, out_len);
	operation_end(s, OP_DIGEST, rv, out);
out:
	session_put(&s);
	return rv;
}

/* No key's value is known here. */
CK_RV C_DigestKey(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	struct object *o = NULL;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	if (!s->operations[OP_DIGEST])
		rv = CKR_OPERATION_NOT_INITIALIZED;
	else if (object_get(key, &o))
		rv = CKR_KEY_HANDLE_INVALID;
	else
		rv = CKR_KEY_INDIGESTIBLE;
	object_put(&o);
	session_put(&s);
	return rv;
}

CK_RV C_SeedRandom(CK_SESSION_HANDLE session, unsigned char *seed, CK_ULONG len)
{
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	/* The TEE's generator needs none from a program. */
	rv = !seed && len ? CKR_ARGUMENTS_BAD : CKR_RANDOM_SEED_NOT_SUPPORTED;
	session_put(&s);
	return rv;
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE session, unsigned char *out, CK_ULONG len)
{
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = !out && len ? CKR_ARGUMENTS_BAD : CKR_OK;
	if (!rv && len)
		rv = module_error(kw_random(module_kw(), out, len));
	session_put(&s);
	return rv;
}

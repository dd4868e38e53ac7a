/* SPDX-License-Identifier: BSD-2-Clause */
/* Two operations in one call (PKCS #11 3.0, 5.16): a part is encrypted or decrypted, and hashed as plaintext. */
#include "operation.h"
#include "session.h"

static CK_RV check_both(
	CK_SESSION_HANDLE session, enum operation_kind cipher, enum operation_kind other)
{
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	if (!s->operations[cipher] || !s->operations[other])
		rv = CKR_OPERATION_NOT_INITIALIZED;
	session_put(&s);
	return rv;
}

typedef CK_RV update(CK_SESSION_HANDLE session, unsigned char *part, CK_ULONG len);

/* The plaintext is hashed before it is gone: out may be the same bytes. */
static CK_RV encrypt_and(CK_SESSION_HANDLE session, enum operation_kind kind, update *other,
	unsigned char *part, CK_ULONG len, unsigned char *out, CK_ULONG *out_len)
{
	CK_ULONG needed = 0;
	CK_RV rv = check_both(session, OP_ENCRYPT, kind);

	if (rv)
		return rv;
	/* A question, or what is refused without looking further */
	if (!out || !out_len || (!part && len))
		return C_EncryptUpdate(session, part, len, out, out_len);
	rv = C_EncryptUpdate(session, part, len, NULL, &needed);
	if (rv)
		return rv;
	if (*out_len < needed) {
		*out_len = needed;
		return CKR_BUFFER_TOO_SMALL;
	}
	rv = other(session, part, len);
	return rv ? rv : C_EncryptUpdate(session, part, len, out, out_len);
}

static CK_RV decrypt_and(CK_SESSION_HANDLE session, enum operation_kind kind, update *other,
	unsigned char *part, CK_ULONG len, unsigned char *out, CK_ULONG *out_len)
{
	CK_RV rv = check_both(session, OP_DECRYPT, kind);

	if (!rv)
		rv = C_DecryptUpdate(session, part, len, out, out_len);
	return rv || !out ? rv : other(session, out, *out_len);
}

CK_RV C_DigestEncryptUpdate(CK_SESSION_HANDLE session, unsigned char *part, CK_ULONG len,
	unsigned char *out, CK_ULONG *out_len)
{
	return encrypt_and(session, OP_DIGEST, C_DigestUpdate, part, len, out, out_len);
}

CK_RV C_SignEncryptUpdate(CK_SESSION_HANDLE session, unsigned char *part, CK_ULONG len,
	unsigned char *out, CK_ULONG *out_len)
{
	return encrypt_and(session, OP_SIGN, C_SignUpdate, part, len, out, out_len);
}

CK_RV C_DecryptDigestUpdate(CK_SESSION_HANDLE session, unsigned char *part, CK_ULONG len,
	unsigned char *out, CK_ULONG *out_len)
{
	return decrypt_and(session, OP_DIGEST, C_DigestUpdate, part, len, out, out_len);
}

CK_RV C_DecryptVerifyUpdate(CK_SESSION_HANDLE session, unsigned char *part, CK_ULONG len,
	unsigned char *out, CK_ULONG *out_len)
{
	return decrypt_and(session, OP_VERIFY, C_VerifyUpdate, part, len, out, out_len);
}

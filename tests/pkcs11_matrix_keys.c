/* SPDX-License-Identifier: BSD-2-Clause */
/* The objects that tests/pkcs11_matrix.c works with, and the witness that nothing changed. */
#include <stdlib.h>
#include <string.h>

#include "pkcs11_matrix.h"

CK_SLOT_ID slot;
CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
CK_BYTE p256[10] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
CK_BYTE iv[16] = "initial value 0", tag[16];
CK_GCM_PARAMS gcm_whole = {iv, 12, 96, NULL, 0, 128};
struct gcm_message gcm_message = {iv, 12, 0, CKG_NO_GENERATE, tag, 128};
struct hkdf_parameters hkdf = {
	CK_TRUE, CK_TRUE, CKM_SHA256, CKF_HKDF_SALT_NULL, NULL, 0, 0, NULL, 0};

static CK_BYTE ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
static CK_BYTE x25519[] = {0x06, 0x03, 0x2b, 0x65, 0x6e};
static CK_OBJECT_CLASS data_class = CKO_DATA;
static CK_MECHANISM by_ecdsa = {CKM_ECDSA, NULL, 0}, by_sha256 = {CKM_SHA256, NULL, 0};

CK_SESSION_HANDLE session_open(CK_FLAGS flags)
{
	CK_SESSION_HANDLE s = 0;

	EXPECT(CKR_OK, C_OpenSession(slot, CKF_SERIAL_SESSION | flags, NULL, NULL, &s));
	return s;
}

CK_OBJECT_HANDLE data_make(CK_SESSION_HANDLE s, CK_BBOOL *token, const char *label)
{
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &data_class, sizeof(data_class)}, {CKA_TOKEN, token, 1},
		{CKA_VALUE, iv, sizeof(iv)}, {CKA_LABEL, (void *)(size_t)label, strlen(label)}};
	CK_OBJECT_HANDLE o = 0;

	EXPECT(CKR_OK, C_CreateObject(s, t, COUNT(t), &o));
	return o;
}

/* With every use that the type has, and those that undermine each other. */
static void pair_of(CK_SESSION_HANDLE s, CK_MECHANISM_TYPE generator, CK_ATTRIBUTE *of_public,
	CK_ULONG count, CK_BBOOL *token, const char *label, CK_OBJECT_HANDLE *public,
	CK_OBJECT_HANDLE *private)
{
	CK_MECHANISM m = {generator, NULL, 0};
	CK_ATTRIBUTE of_private[] = {{CKA_TOKEN, token, 1}, {CKA_SIGN, &yes, 1},
		{CKA_DECRYPT, &yes, 1}, {CKA_DERIVE, &yes, 1}, {CKA_UNWRAP, &yes, 1},
		{CKA_KEYWARD_MIXED, &yes, 1}, {CKA_LABEL, (void *)(size_t)label, strlen(label)}};

	*public = *private = 0;
	EXPECT(CKR_OK, C_GenerateKeyPair(s, &m, of_public, count, of_private, COUNT(of_private),
			       public, private));
}

void pair_make(CK_SESSION_HANDLE s, CK_BBOOL *token, const char *label, CK_OBJECT_HANDLE *public,
	CK_OBJECT_HANDLE *private)
{
	CK_ATTRIBUTE a = {CKA_EC_PARAMS, p256, sizeof(p256)};

	pair_of(s, CKM_EC_KEY_PAIR_GEN, &a, 1, token, label, public, private);
}

CK_OBJECT_HANDLE secret_make(
	CK_SESSION_HANDLE s, CK_MECHANISM_TYPE generator, CK_BBOOL *token, const char *label)
{
	CK_MECHANISM m = {generator, NULL, 0};
	CK_ULONG size = 32;
	CK_ATTRIBUTE t[16] = {{CKA_TOKEN, token, 1}, {CKA_VALUE_LEN, &size, sizeof(size)},
		{CKA_LABEL, (void *)(size_t)label, strlen(label)}, {CKA_SIGN, &yes, 1},
		{CKA_VERIFY, &yes, 1}, {CKA_EXTRACTABLE, &yes, 1}};
	static const CK_ATTRIBUTE_TYPE of_aes[] = {
		CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP, CKA_KEYWARD_MIXED};
	CK_OBJECT_HANDLE o = 0;
	CK_ULONG n = 6;

	if (generator == CKM_AES_KEY_GEN) {
		for (size_t i = 0; i < COUNT(of_aes); i++)
			t[n++] = (CK_ATTRIBUTE){of_aes[i], &yes, 1};
	} else {
		t[n++] = (CK_ATTRIBUTE){CKA_DERIVE, &yes, 1};
	}
	EXPECT(CKR_OK, C_GenerateKey(s, &m, t, n, &o));
	return o;
}

void keys_make(CK_SESSION_HANDLE s, struct keys *keys)
{
	CK_ULONG bits = 2048;
	CK_ATTRIBUTE rsa[] = {{CKA_MODULUS_BITS, &bits, sizeof(bits)}, {CKA_ENCRYPT, &yes, 1},
		{CKA_WRAP, &yes, 1}};
	CK_ATTRIBUTE ed = {CKA_EC_PARAMS, ed25519, sizeof(ed25519)};
	CK_ATTRIBUTE x = {CKA_EC_PARAMS, x25519, sizeof(x25519)};

	pair_of(s, CKM_RSA_PKCS_KEY_PAIR_GEN, rsa, COUNT(rsa), &no, "rsa", &keys->rsa_public,
		&keys->rsa);
	pair_make(s, &no, "ec", &keys->ec_public, &keys->ec);
	pair_of(s, CKM_EC_EDWARDS_KEY_PAIR_GEN, &ed, 1, &no, "ed", &keys->ed_public, &keys->ed);
	pair_of(s, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, &x, 1, &no, "x", &keys->x_public, &keys->x);
	keys->aes = secret_make(s, CKM_AES_KEY_GEN, &no, "aes");
	keys->generic = secret_make(s, CKM_GENERIC_SECRET_KEY_GEN, &no, "generic");
	keys->data = data_make(s, &no, "data");
}

/* --- */

struct witness {
	CK_SESSION_HANDLE busy, other;
	CK_OBJECT_HANDLE public;
	CK_SESSION_INFO info;
	CK_ULONG objects, sessions;
};

static CK_ULONG count_objects(CK_SESSION_HANDLE s)
{
	CK_OBJECT_HANDLE found[64];
	CK_ULONG n = 0, all = 0;

	EXPECT(CKR_OK, C_FindObjectsInit(s, NULL, 0));
	do {
		EXPECT(CKR_OK, C_FindObjects(s, found, COUNT(found), &n));
		all += n;
	} while (n);
	EXPECT(CKR_OK, C_FindObjectsFinal(s));
	return all;
}

static CK_ULONG count_sessions(void)
{
	CK_TOKEN_INFO info = {.ulSessionCount = 0};

	EXPECT(CKR_OK, C_GetTokenInfo(0, &info));
	return info.ulSessionCount;
}

struct witness *witness_new(const struct keys *keys)
{
	struct witness *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	about("the witness");
	w->busy = session_open(CKF_RW_SESSION);
	w->other = session_open(0);
	w->public = keys->ec_public;
	EXPECT(CKR_OK, C_SignInit(w->busy, &by_ecdsa, keys->ec));
	EXPECT(CKR_OK, C_SignUpdate(w->busy, iv, 8));
	EXPECT(CKR_OK, C_DigestInit(w->busy, &by_sha256));
	EXPECT(CKR_OK, C_DigestUpdate(w->busy, (CK_BYTE *)"ab", 2));
	EXPECT(CKR_OK, C_FindObjectsInit(w->busy, NULL, 0));
	EXPECT(CKR_OK, C_GetSessionInfo(w->busy, &w->info));
	w->objects = count_objects(w->other);
	w->sessions = count_sessions();
	return w;
}

void witness_check(struct witness *w)
{
	CK_SESSION_INFO info;

	EXPECT(CKR_OK, C_GetSessionInfo(w->busy, &info));
	check("sessions are in the state that they were in",
		!memcmp(&info, &w->info, sizeof(info)));
	expect("there are as many sessions", w->sessions, count_sessions());
	expect("there are as many objects", w->objects, count_objects(w->other));
	EXPECT(CKR_OPERATION_ACTIVE, C_SignInit(w->busy, &by_ecdsa, w->public));
	EXPECT(CKR_OPERATION_ACTIVE, C_DigestInit(w->busy, &by_sha256));
	EXPECT(CKR_OPERATION_ACTIVE, C_FindObjectsInit(w->busy, NULL, 0));
}

void witness_end(struct witness **w)
{
	static const CK_BYTE abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41,
		0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
		0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
	CK_SESSION_HANDLE s = (*w)->busy;
	CK_OBJECT_HANDLE o;
	CK_BYTE out[64];
	CK_ULONG n = sizeof(out), found = 0;

	about("the witness");
	EXPECT(CKR_OK, C_SignUpdate(s, iv + 8, 8));
	EXPECT(CKR_OK, C_SignFinal(s, out, &n));
	EXPECT(CKR_OK, C_VerifyInit(s, &by_ecdsa, (*w)->public));
	EXPECT(CKR_OK, C_Verify(s, iv, 16, out, n));
	EXPECT(CKR_OK, C_DigestUpdate(s, (CK_BYTE *)"c", 1));
	n = sizeof(out);
	EXPECT(CKR_OK, C_DigestFinal(s, out, &n));
	check("the digest is that of abc", n == sizeof(abc) && !memcmp(out, abc, n));
	EXPECT(CKR_OK, C_FindObjects(s, &o, 1, &found));
	expect("the search goes on", 1, found);
	EXPECT(CKR_OK, C_FindObjectsFinal(s));
	EXPECT(CKR_OK, C_CloseSession(s));
	EXPECT(CKR_OK, C_CloseSession((*w)->other));
	free(*w);
	*w = NULL;
}

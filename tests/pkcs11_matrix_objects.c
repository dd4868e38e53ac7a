/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of every class, on the token and of a session: what may be done to them is what they say, and is done only by a
 * session that may write. */
#include <stdio.h>
#include <string.h>

#include "pkcs11_matrix.h"

enum what { PRIVATE, PUBLIC, SECRET, DATA, CERTIFICATE, WHATS };

static const char *const names[] = {
	"private key", "public key", "secret key", "data object", "certificate"};
static CK_BYTE der[4096];
static CK_ULONG der_len;

static CK_OBJECT_HANDLE certificate_make(CK_SESSION_HANDLE s, CK_BBOOL *token)
{
	CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	CK_CERTIFICATE_TYPE type = CKC_X_509;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_TOKEN, token, 1},
		{CKA_CERTIFICATE_TYPE, &type, sizeof(type)}, {CKA_VALUE, der, der_len},
		{CKA_LABEL, "certificate", 11}};
	CK_OBJECT_HANDLE o = 0;

	EXPECT(CKR_OK, C_CreateObject(s, t, COUNT(t), &o));
	return o;
}

static int flag(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL v = 2;
	CK_ATTRIBUTE a = {type, &v, 1};

	EXPECT(CKR_OK, C_GetAttributeValue(s, o, &a, 1));
	return v;
}

/* By a session that only reads: an object on the token stays as it is. */
static void read_only(CK_OBJECT_HANDLE o, int is_token)
{
	CK_ATTRIBUTE label = {CKA_LABEL, "other", 5}, to_token = {CKA_TOKEN, &yes, 1};
	CK_SESSION_HANDLE ro = session_open(0);
	CK_OBJECT_HANDLE copy = 0;
	CK_ULONG n = 0;

	EXPECT(CKR_OK, C_GetObjectSize(ro, o, &n));
	if (is_token) {
		EXPECT(CKR_SESSION_READ_ONLY, C_SetAttributeValue(ro, o, &label, 1));
		EXPECT(CKR_SESSION_READ_ONLY, C_DestroyObject(ro, o));
	}
	expect("a copy on the token",
		flag(ro, o, CKA_COPYABLE) ? CKR_SESSION_READ_ONLY : CKR_ACTION_PROHIBITED,
		p11->C_CopyObject(ro, o, &to_token, 1, &copy));
	EXPECT(CKR_OK, C_CloseSession(ro));
}

/* What its flags say is so. */
static void as_it_says(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o)
{
	CK_ATTRIBUTE label = {CKA_LABEL, "other", 5}, of_session = {CKA_TOKEN, &no, 1};
	int copyable = flag(s, o, CKA_COPYABLE), destroyable = flag(s, o, CKA_DESTROYABLE);
	CK_OBJECT_HANDLE copy = 0;

	expect("CKA_MODIFIABLE", flag(s, o, CKA_MODIFIABLE) ? CKR_OK : CKR_ACTION_PROHIBITED,
		p11->C_SetAttributeValue(s, o, &label, 1));
	expect("CKA_COPYABLE", copyable ? CKR_OK : CKR_ACTION_PROHIBITED,
		p11->C_CopyObject(s, o, &of_session, 1, &copy));
	check("a copy is another object", !copyable == !copy && copy != o);
	expect("CKA_DESTROYABLE", destroyable ? CKR_OK : CKR_ACTION_PROHIBITED,
		p11->C_DestroyObject(s, o));
	if (destroyable)
		EXPECT(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(s, o));
}

static void one(enum what what, CK_BBOOL *token, const struct keys *keys)
{
	CK_SESSION_HANDLE s = session_open(CKF_RW_SESSION);
	CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
	CK_OBJECT_HANDLE made[2] = {0}, o;
	struct witness *w;

	about("a %s, %s", names[what], *token ? "on the token" : "of the session");
	if (what == PRIVATE || what == PUBLIC)
		pair_make(s, token, "matrix", &made[1], &made[0]);
	else if (what == SECRET)
		made[0] = secret_make(s, CKM_AES_KEY_GEN, token, "matrix");
	else
		made[0] = what == DATA ? data_make(s, token, "matrix") : certificate_make(s, token);
	o = made[what == PUBLIC];
	w = witness_new(keys);
	about("a %s, %s", names[what], *token ? "on the token" : "of the session");
	if (what >= DATA)
		EXPECT(CKR_KEY_HANDLE_INVALID, C_SignInit(s, &ecdsa, o));
	else if (what != PRIVATE)
		EXPECT(CKR_KEY_TYPE_INCONSISTENT, C_SignInit(s, &ecdsa, o));
	read_only(o, *token);
	witness_check(w);
	witness_end(&w);
	about("a %s, %s", names[what], *token ? "on the token" : "of the session");
	as_it_says(s, o);
	/* A public key on the token goes with its private key. */
	if (what == PUBLIC)
		EXPECT(CKR_OK, C_DestroyObject(s, made[0]));
	EXPECT(CKR_OK, C_CloseSession(s));
}

void check_objects(const struct keys *keys, const char *certificate)
{
	FILE *f = fopen(certificate, "rb");

	about("objects");
	der_len = f ? fread(der, 1, sizeof(der), f) : 0;
	check("there is a certificate", der_len != 0);
	if (f)
		fclose(f);
	for (enum what what = 0; what < WHATS; what++) {
		one(what, &no, keys);
		one(what, &yes, keys);
	}
}

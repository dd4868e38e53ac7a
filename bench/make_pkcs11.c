/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Initialises the first token of a PKCS #11 module and generates keys in it, for bench_pkcs11.
 *
 *	make_pkcs11 MODULE PIN ec|rsa|ed…
 *
 * A key's label is its word here. The token must have no PIN yet.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <string.h>

#define LABEL_SIZE 32 /* of a token, padded with spaces */

static CK_FUNCTION_LIST *f;

static int failed(const char *what, CK_RV rv)
{
	if (rv)
		fprintf(stderr, "make_pkcs11: %s: 0x%lx\n", what, rv);
	return rv ? -1 : 0;
}

static int make_token(CK_SLOT_ID slot, CK_UTF8CHAR *pin, CK_SESSION_HANDLE *session)
{
	CK_ULONG len = strlen((char *)pin);
	CK_UTF8CHAR label[LABEL_SIZE];

	memset(label, ' ', sizeof(label));
	memcpy(label, "bench", 5);
	if (failed("C_InitToken", f->C_InitToken(slot, pin, len, label)))
		return -1;
	if (failed("C_OpenSession", f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
					    NULL, NULL, session)))
		return -1;
	if (failed("C_Login", f->C_Login(*session, CKU_SO, pin, len)) ||
		failed("C_InitPIN", f->C_InitPIN(*session, pin, len)) ||
		failed("C_Logout", f->C_Logout(*session)))
		return -1;
	return failed("C_Login", f->C_Login(*session, CKU_USER, pin, len));
}

static int make_key(CK_SESSION_HANDLE session, char *kind)
{
	static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	/* PrintableString, PKCS #11 v3.0, 2.3.7 */
	static CK_BYTE ed25519[] = "\x13\x0c"
				   "edwards25519";
	CK_KEY_TYPE type = CKK_EC;
	CK_ULONG bits = 2048;
	CK_BYTE exponent[] = {1, 0, 1};
	CK_BBOOL yes = CK_TRUE;
	CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_ATTRIBUTE public_part[] = {
		{CKA_KEY_TYPE, &type, sizeof(type)},
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_VERIFY, &yes, sizeof(yes)},
		{CKA_EC_PARAMS, p256, sizeof(p256)},
		{CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)},
	};
	CK_ATTRIBUTE private_part[] = {
		{CKA_KEY_TYPE, &type, sizeof(type)},
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_PRIVATE, &yes, sizeof(yes)},
		{CKA_SENSITIVE, &yes, sizeof(yes)},
		{CKA_SIGN, &yes, sizeof(yes)},
		{CKA_LABEL, kind, strlen(kind)},
	};
	CK_ULONG count = 4;
	CK_OBJECT_HANDLE keys[2];

	if (!strcmp(kind, "rsa")) {
		type = CKK_RSA;
		mechanism.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
		public_part[3] = (CK_ATTRIBUTE){CKA_MODULUS_BITS, &bits, sizeof(bits)};
		count = 5;
	} else if (!strcmp(kind, "ed")) {
		type = CKK_EC_EDWARDS;
		mechanism.mechanism = CKM_EC_EDWARDS_KEY_PAIR_GEN;
		public_part[3] = (CK_ATTRIBUTE){CKA_EC_PARAMS, ed25519, sizeof(ed25519) - 1};
	}
	return failed(kind, f->C_GenerateKeyPair(session, &mechanism, public_part, count,
				    private_part, 6, &keys[0], &keys[1]));
}

int main(int argc, char **argv)
{
	void *library = argc > 3 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	CK_C_GetFunctionList get = NULL;
	CK_SESSION_HANDLE session;
	CK_SLOT_ID slots[16];
	CK_ULONG count = sizeof(slots) / sizeof(slots[0]);

	if (argc <= 3) {
		fprintf(stderr, "usage: make_pkcs11 MODULE PIN ec|rsa|ed...\n");
		return 2;
	}
	if (library)
		*(void **)&get = dlsym(library, "C_GetFunctionList");
	if (!get || get(&f)) {
		fprintf(stderr, "make_pkcs11: %s is not a PKCS #11 module\n", argv[1]);
		return 1;
	}
	if (failed("C_Initialize", f->C_Initialize(NULL)) ||
		failed("C_GetSlotList", f->C_GetSlotList(CK_TRUE, slots, &count)) || !count)
		return 1;
	if (make_token(slots[0], (CK_UTF8CHAR *)argv[2], &session))
		return 1;
	for (int i = 3; i < argc; i++) {
		if (make_key(session, argv[i]))
			return 1;
	}
	f->C_Finalize(NULL);
	return 0;
}

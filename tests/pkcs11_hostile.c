/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What no careful application does, or what somebody else makes it do: the module stays whole, gives nothing away, and does not say
 * that something is right which it has not looked at. tests/pkcs11_hostile.sh starts a TEE for it.
 *
 * usage: pkcs11_hostile MODULE
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frontends/pkcs11/cryptoki.h"

static CK_FUNCTION_LIST *p11;
static CK_FUNCTION_LIST_3_0 *p30;
static CK_SESSION_HANDLE s;
static unsigned passed, failed;

static void expect(const char *what, CK_RV expected, CK_RV found)
{
	if (expected == found) {
		passed++;
		return;
	}
	failed++;
	printf("not ok - %s: expected 0x%lx, found 0x%lx\n", what, expected, found);
}

static void check(const char *what, int good)
{
	expect(what, 1, good != 0);
}

#define EXPECT(rv, call) expect(#call, rv, p11->call)
#define EXPECT3(rv, call) expect(#call, rv, p30->call)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY, data_class = CKO_DATA;
static CK_KEY_TYPE generic_type = CKK_GENERIC_SECRET;
static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static CK_MECHANISM ecdsa_sha256 = {CKM_ECDSA_SHA256, NULL, 0};
static CK_MECHANISM make_ec = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
static CK_MECHANISM make_aes = {CKM_AES_KEY_GEN, NULL, 0};

static CK_SESSION_HANDLE open_session(void)
{
	CK_SESSION_HANDLE h = 0;

	EXPECT(CKR_OK, C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h));
	return h;
}

static CK_OBJECT_HANDLE make_pair(CK_BBOOL *token, CK_OBJECT_HANDLE *public)
{
	CK_ATTRIBUTE of_public[] = {{CKA_EC_PARAMS, p256, sizeof(p256)}};
	CK_ATTRIBUTE of_private[] = {
		{CKA_TOKEN, token, 1}, {CKA_SIGN, &yes, 1}, {CKA_DERIVE, &yes, 1}};
	CK_OBJECT_HANDLE private = 0;

	EXPECT(CKR_OK, C_GenerateKeyPair(s, &make_ec, of_public, 1, of_private, COUNT(of_private),
			       public, &private));
	return private;
}

static CK_OBJECT_HANDLE make_secret(void)
{
	CK_ULONG size = 32;
	CK_ATTRIBUTE t[] = {{CKA_VALUE_LEN, &size, sizeof(size)}, {CKA_ENCRYPT, &yes, 1},
		{CKA_DECRYPT, &yes, 1}};
	CK_OBJECT_HANDLE key = 0;

	EXPECT(CKR_OK, C_GenerateKey(s, &make_aes, t, COUNT(t), &key));
	return key;
}

/* A template is looked at before the mechanism is. */
static void bad_derivation(void)
{
	CK_OBJECT_HANDLE public, private = make_pair(&no, &public), key;
	CK_ATTRIBUTE bad = {CKA_LABEL, NULL, 5};
	CK_MECHANISM m = {CKM_ECDH1_DERIVE, NULL, 0};

	EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, C_DeriveKey(s, &m, private, &bad, 1, &key));
	EXPECT(CKR_MECHANISM_PARAM_INVALID, C_DeriveKey(s, &m, private, NULL, 0, &key));
}

static int start(const char *path)
{
	void *module = dlopen(path, RTLD_NOW);
	CK_C_GetFunctionList get;
	CK_RV (*get_interface)(unsigned char *, CK_VERSION *, CK_INTERFACE **, CK_FLAGS);
	CK_INTERFACE *found;

	if (!module) {
		fprintf(stderr, "pkcs11_hostile: %s\n", dlerror());
		return 0;
	}
	get = (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList");
	*(void **)&get_interface = dlsym(module, "C_GetInterface");
	if (!get || get(&p11) || !get_interface || get_interface(NULL, NULL, &found, 0))
		return 0;
	p30 = found->pFunctionList;
	return p11->C_Initialize(NULL) == CKR_OK;
}

int main(int argc, char **argv)
{
	if (argc != 2 || !start(argv[1]))
		return 2;
	s = open_session();
	bad_derivation();
	EXPECT(CKR_OK, C_Finalize(NULL));
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}

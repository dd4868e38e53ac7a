/* SPDX-License-Identifier: BSD-2-Clause */
#include "pkcs11_use.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the header is of version 2.40 */
#ifndef CKM_EDDSA
#define CKM_EDDSA 0x1057UL
#define CKM_EC_EDWARDS_KEY_PAIR_GEN 0x1055UL
#endif

static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static CK_BYTE edwards[] = {0x06, 0x03, 0x2b, 0x65, 0x70};

CK_FUNCTION_LIST *p11_load(const char *path)
{
	void *module = dlopen(path, RTLD_NOW);
	CK_FUNCTION_LIST *p11 = NULL;
	CK_C_GetFunctionList get = NULL;

	if (module)
		get = (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList");
	if (!get || get(&p11)) {
		printf("not ok - %s is not a PKCS #11 module: %s\n", path,
			module ? "no list" : dlerror());
		exit(2);
	}
	return p11;
}

static void need(const char *what, CK_RV rv)
{
	if (!rv)
		return;
	printf("not ok - %s: 0x%lx\n", what, rv);
	exit(1);
}

void p11_initialize(CK_FUNCTION_LIST *p11)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

	need("C_Initialize", p11->C_Initialize(&args));
}

CK_SESSION_HANDLE p11_open(CK_FUNCTION_LIST *p11)
{
	CK_SESSION_HANDLE s = 0;

	need("C_OpenSession",
		p11->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s));
	return s;
}

CK_RV p11_generate(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE s, int ed25519, CK_BBOOL token,
	const char *label, CK_OBJECT_HANDLE *public, CK_OBJECT_HANDLE *private)
{
	CK_MECHANISM mechanism = {
		ed25519 ? CKM_EC_EDWARDS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE of_public[] = {
		{CKA_EC_PARAMS, ed25519 ? edwards : p256, ed25519 ? sizeof(edwards) : sizeof(p256)},
		{CKA_LABEL, (void *)(size_t)label, strlen(label)}};
	CK_ATTRIBUTE of_private[] = {{CKA_TOKEN, &token, 1}, {CKA_SIGN, &yes, 1},
		{CKA_LABEL, (void *)(size_t)label, strlen(label)}};

	return p11->C_GenerateKeyPair(s, &mechanism, of_public, 2, of_private, 3, public, private);
}

static CK_MECHANISM signing(int ed25519)
{
	return (CK_MECHANISM){ed25519 ? CKM_EDDSA : CKM_ECDSA_SHA256, NULL, 0};
}

CK_RV p11_sign(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE s, int ed25519, CK_OBJECT_HANDLE private,
	CK_BYTE *message, CK_ULONG len, CK_BYTE signature[64])
{
	CK_MECHANISM mechanism = signing(ed25519);
	CK_ULONG n = 64;
	CK_RV rv = p11->C_SignInit(s, &mechanism, private);

	return rv ? rv : p11->C_Sign(s, message, len, signature, &n);
}

CK_RV p11_verify(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE s, int ed25519, CK_OBJECT_HANDLE public,
	CK_BYTE *message, CK_ULONG len, CK_BYTE signature[64])
{
	CK_MECHANISM mechanism = signing(ed25519);
	CK_RV rv = p11->C_VerifyInit(s, &mechanism, public);

	return rv ? rv : p11->C_Verify(s, message, len, signature, 64);
}

CK_RV p11_find(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE s, CK_OBJECT_CLASS class, const char *label,
	CK_OBJECT_HANDLE found[P11_FOUND_MAX], CK_ULONG *count)
{
	CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof(class)},
		{CKA_LABEL, (void *)(size_t)label, strlen(label)}};
	CK_RV rv = p11->C_FindObjectsInit(s, wanted, 2);

	*count = 0;
	if (rv)
		return rv;
	rv = p11->C_FindObjects(s, found, P11_FOUND_MAX, count);
	return rv ? rv : p11->C_FindObjectsFinal(s);
}

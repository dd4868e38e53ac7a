/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the vendor attribute with the TEE's statement about a key to a file, tries what must not be done with it, and prints how
 * many objects of the key have it; for tests/attest.sh.
 *
 * usage: pkcs11_attest MODULE LABEL FILE
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CKA_KEYWARD_ATTESTATION (CKA_VENDOR_DEFINED | 0x4b570001UL)

static void need(const char *what, CK_RV expected, CK_RV found)
{
	if (expected == found)
		return;
	printf("%s: expected 0x%lx, found 0x%lx\n", what, expected, found);
	exit(1);
}

static CK_ULONG find(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE s, CK_ATTRIBUTE *wanted, CK_ULONG n,
	CK_OBJECT_HANDLE *key)
{
	CK_ULONG count = 0;

	need("C_FindObjectsInit", CKR_OK, p11->C_FindObjectsInit(s, wanted, n));
	need("C_FindObjects", CKR_OK, p11->C_FindObjects(s, key, 1, &count));
	need("C_FindObjectsFinal", CKR_OK, p11->C_FindObjectsFinal(s));
	return count;
}

int main(int argc, char **argv)
{
	void *module = argc == 4 ? dlopen(argv[1], RTLD_NOW) : NULL;
	CK_C_GetFunctionList get =
		module ? (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList") : NULL;
	CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY};
	CK_BYTE statement[4096];
	CK_ATTRIBUTE a = {CKA_KEYWARD_ATTESTATION, NULL, 0};
	CK_FUNCTION_LIST *p11 = NULL;
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE key = 0;
	unsigned found = 0;
	FILE *f;

	if (!get || get(&p11))
		return 2;
	need("C_Initialize", CKR_OK, p11->C_Initialize(NULL));
	need("C_OpenSession", CKR_OK,
		p11->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s));
	for (unsigned i = 0; i < 3; i++) {
		CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &classes[i], sizeof(classes[i])},
			{CKA_LABEL, argv[2], strlen(argv[2])}};

		if (!find(p11, s, wanted, 2, &key))
			continue;
		found++;
		a.pValue = NULL;
		need("its length", CKR_OK, p11->C_GetAttributeValue(s, key, &a, 1));
		need("is some", 1, a.ulValueLen > 200 && a.ulValueLen < sizeof(statement));
		a.pValue = statement;
		a.ulValueLen = 100;
		need("a short buffer", CKR_BUFFER_TOO_SMALL,
			p11->C_GetAttributeValue(s, key, &a, 1));
		a.ulValueLen = sizeof(statement);
		need("the statement", CKR_OK, p11->C_GetAttributeValue(s, key, &a, 1));
	}
	printf("%u\n", found);
	need("it does not change", CKR_ATTRIBUTE_READ_ONLY,
		p11->C_SetAttributeValue(s, key, &a, 1));
	need("nothing is found by it", 0, find(p11, s, &a, 1, &key));
	f = fopen(argv[3], "we");
	if (!f || fwrite(statement, 1, a.ulValueLen, f) != a.ulValueLen || fclose(f))
		return 2;
	need("C_Finalize", CKR_OK, p11->C_Finalize(NULL));
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a PKCS #11 module searches among many keys.
 *
 *	find_pkcs11 MODULE COUNT
 *
 * Makes P-256 keys until the first token has that many, then prints microseconds for each search, the median
 * of 101: by label, by id, by public key, for a label that nobody has, and for all objects.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 101

static CK_FUNCTION_LIST *f;
static CK_OBJECT_HANDLE *all;
static CK_ULONG room;

static int failed(const char *what, CK_RV rv)
{
	if (rv)
		fprintf(stderr, "find_pkcs11: %s: 0x%lx\n", what, rv);
	return rv ? -1 : 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int search(CK_SESSION_HANDLE s, CK_ATTRIBUTE *wanted, CK_ULONG n, CK_ULONG *found)
{
	return failed("C_FindObjectsInit", f->C_FindObjectsInit(s, wanted, n)) ||
	       failed("C_FindObjects", f->C_FindObjects(s, all, room, found)) ||
	       failed("C_FindObjectsFinal", f->C_FindObjectsFinal(s));
}

static int make(CK_SESSION_HANDLE s, CK_ULONG i)
{
	static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_BBOOL yes = CK_TRUE;
	CK_OBJECT_HANDLE public, private;
	CK_BYTE id[4] = {(CK_BYTE)(i >> 24), (CK_BYTE)(i >> 16), (CK_BYTE)(i >> 8), (CK_BYTE)i};
	char label[32];
	CK_ATTRIBUTE of_public[] = {{CKA_EC_PARAMS, p256, sizeof(p256)}};
	CK_ATTRIBUTE of_private[] = {{CKA_TOKEN, &yes, 1}, {CKA_SIGN, &yes, 1},
		{CKA_LABEL, label, (CK_ULONG)snprintf(label, sizeof(label), "find %lu", i)},
		{CKA_ID, id, sizeof(id)}};

	return failed("C_GenerateKeyPair", f->C_GenerateKeyPair(s, &mechanism, of_public, 1,
						   of_private, 4, &public, &private));
}

static int by_number(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int measure(
	CK_SESSION_HANDLE s, const char *what, CK_ATTRIBUTE *wanted, CK_ULONG n, CK_ULONG expected)
{
	double took[ROUNDS];
	CK_ULONG found = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double start = now();

		if (search(s, wanted, n, &found))
			return -1;
		took[i] = now() - start;
		if (found != expected) {
			fprintf(stderr, "find_pkcs11: %s: %lu objects, not %lu\n", what, found,
				expected);
			return -1;
		}
	}
	qsort(took, ROUNDS, sizeof(*took), by_number);
	printf("%-24s %10.0f\n", what, took[ROUNDS / 2]);
	return 0;
}

static int run(CK_SESSION_HANDLE s, CK_ULONG count)
{
	CK_BYTE middle[4] = {(CK_BYTE)(count / 2 >> 24), (CK_BYTE)(count / 2 >> 16),
		(CK_BYTE)(count / 2 >> 8), (CK_BYTE)(count / 2)};
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_BYTE point[80];
	char label[32];
	CK_ULONG n = (CK_ULONG)snprintf(label, sizeof(label), "find %lu", count / 2), found;
	CK_ATTRIBUTE by_label[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_LABEL, label, n}};
	CK_ATTRIBUTE by_id[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_ID, middle, 4}};
	CK_ATTRIBUTE by_point[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_EC_POINT, point, 80}};
	CK_ATTRIBUTE nobody[] = {{CKA_LABEL, "nobody has this", 15}};
	double start = now();

	if (search(s, NULL, 0, &found))
		return -1;
	printf("%-24s %10.0f\n", "the first, of all", now() - start);
	for (; found / 2 < count; found += 2)
		if (make(s, found / 2))
			return -1;
	if (search(s, by_label, 2, &found) || found != 1 ||
		failed("C_GetAttributeValue", f->C_GetAttributeValue(s, all[0], &by_point[1], 1)))
		return -1;
	return measure(s, "by label", by_label, 2, 1) || measure(s, "by id", by_id, 2, 1) ||
	       measure(s, "by public key", by_point, 2, 1) ||
	       measure(s, "what nobody has", nobody, 1, 0) ||
	       measure(s, "all objects", NULL, 0, 2 * count);
}

int main(int argc, char **argv)
{
	void *module = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
	CK_C_GetFunctionList get;
	CK_SESSION_HANDLE s;
	CK_ULONG count;

	if (!module) {
		fprintf(stderr, "usage: find_pkcs11 MODULE COUNT (%s)\n",
			argc == 3 ? dlerror() : "two arguments");
		return 2;
	}
	count = strtoul(argv[2], NULL, 10);
	room = 4 * count + 16;
	all = calloc(room, sizeof(*all));
	get = (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList");
	if (!all || !get || get(&f) || failed("C_Initialize", f->C_Initialize(NULL)) ||
		failed("C_OpenSession",
			f->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s)))
		return 1;
	return run(s, count) ? 1 : 0;
}

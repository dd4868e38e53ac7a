/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same signatures through a PKCS #11 module, called directly: for comparison with SoftHSM2.
 *
 *	bench_pkcs11 [-t] COUNT SECONDS MODULE PIN LABEL ec|rsa|ed
 *
 * By COUNT processes; with -t by COUNT threads of one process, each with a session of its own, and with CKM_ECDSA's digest at hand:
 * two modules are compared then, and not what the application does before it calls them.
 * The first token with a private key of that label is used.
 */
#include "rounds.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct token {
	const char *module;
	char *pin;
	char *label;
	char kind;
	bool has_digest;
	CK_FUNCTION_LIST *f;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	uint64_t n;
};

static int open_slot(struct token *t, CK_SLOT_ID slot)
{
	CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &private_key, sizeof(private_key)},
		{CKA_LABEL, t->label, strlen(t->label)},
	};
	CK_ULONG found = 0;

	if (t->f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &t->session))
		return -1;
	if (t->f->C_Login(t->session, CKU_USER, (CK_UTF8CHAR *)t->pin, strlen(t->pin)))
		return -1;
	if (t->f->C_FindObjectsInit(t->session, template, 2))
		return -1;
	if (t->f->C_FindObjects(t->session, &t->key, 1, &found))
		return -1;
	t->f->C_FindObjectsFinal(t->session);
	t->slot = slot;
	return found == 1 ? 0 : -1;
}

/* SoftHSM2 loses keys when several processes open a token in the same instant, so this tries again. */
static int open_token(void *ctx)
{
	struct token *t = ctx;
	void *library = dlopen(t->module, RTLD_NOW | RTLD_LOCAL);
	CK_C_INITIALIZE_ARGS threads = {.flags = CKF_OS_LOCKING_OK};
	CK_C_GetFunctionList get = NULL;

	if (library)
		*(void **)&get = dlsym(library, "C_GetFunctionList");
	if (!get || get(&t->f))
		return -1;
	for (unsigned i = 0; i < 100; i++) {
		CK_SLOT_ID slots[16];
		CK_ULONG count = 16;

		if (t->f->C_Initialize(&threads) || t->f->C_GetSlotList(CK_TRUE, slots, &count))
			return -1;
		for (CK_ULONG k = 0; k < count; k++)
			if (!open_slot(t, slots[k]))
				return 0;
		t->f->C_Finalize(NULL);
		usleep(1000u + (unsigned)getpid() * 7919u % 50000u);
	}
	fprintf(stderr, "bench_pkcs11: no key '%s' in any token\n", t->label);
	return -1;
}

static void *another_session(void *ctx)
{
	const struct token *first = ctx;
	struct token *t = malloc(sizeof(*t));

	if (!t)
		return NULL;
	*t = *first;
	t->n = (uint64_t)(uintptr_t)t; /* other messages than another thread's */
	if (t->f->C_OpenSession(t->slot, CKF_SERIAL_SESSION, NULL, NULL, &t->session)) {
		free(t);
		return NULL;
	}
	return t;
}

static int sign_once(void *ctx)
{
	struct token *t = ctx;
	CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
	CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
	uint8_t message[BENCH_MESSAGE_SIZE];
	uint8_t digest[32];
	uint8_t signature[512];
	CK_ULONG len = sizeof(signature);
	uint8_t *data = message;
	size_t n = sizeof(message);
	CK_RV result;

	bench_message(message, t->n++);
	if (t->kind == 'r') {
		mechanism = (CK_MECHANISM){CKM_SHA256_RSA_PKCS_PSS, &pss, sizeof(pss)};
	} else if (t->kind == 'd') {
		mechanism.mechanism = CKM_EDDSA;
	} else if (t->has_digest) {
		memcpy(digest, message + sizeof(message) - sizeof(digest), sizeof(digest));
		data = digest;
		n = sizeof(digest);
	} else {
		unsigned size;

		if (EVP_Digest(message, sizeof(message), digest, &size, EVP_sha256(), NULL) != 1)
			return -1;
		data = digest;
		n = size;
	}
	result = t->f->C_SignInit(t->session, &mechanism, t->key);
	if (!result)
		result = t->f->C_Sign(t->session, data, n, signature, &len);
	if (result)
		fprintf(stderr, "bench_pkcs11: no signature: 0x%lx\n", result);
	return result ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct token token = {0};
	struct bench bench = {open_token, sign_once, &token, another_session};
	bool threads = argc > 1 && strcmp(argv[1], "-t") == 0;
	unsigned count;
	double rate;

	argv += threads;
	argc -= threads;
	if (argc != 7 || atoi(argv[1]) <= 0 || atof(argv[2]) <= 0) {
		fprintf(stderr,
			"usage: bench_pkcs11 [-t] COUNT SECONDS MODULE PIN LABEL ec|rsa|ed\n");
		return 2;
	}
	token.has_digest = threads;
	token.module = argv[3];
	token.pin = argv[4];
	token.label = argv[5];
	token.kind = strcmp(argv[6], "rsa") == 0 ? 'r' : strcmp(argv[6], "ed") == 0 ? 'd' : 'e';
	count = (unsigned)atoi(argv[1]);
	rate = threads ? bench_thread_rate(&bench, count, atof(argv[2]))
		       : bench_rate(&bench, count, atof(argv[2]));
	if (rate < 0)
		return 1;
	printf("%.1f\n", rate);
	return 0;
}

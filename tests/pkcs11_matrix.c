/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every function of the lists in every state: pkcs11_matrix_rows.def says what each answers, and here it is called so. After each
 * refused call all is as it was. tests/pkcs11_matrix.sh starts a TEE for it.
 *
 * usage: pkcs11_matrix MODULE
 */
#include "pkcs11_matrix.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

CK_FUNCTION_LIST_3_0 *p11;
static unsigned passed, failed;
static char subject[128];

void about(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(subject, sizeof(subject), format, args);
	va_end(args);
}

void expect(const char *what, CK_RV expected, CK_RV found)
{
	if (expected == found) {
		passed++;
		return;
	}
	failed++;
	printf("not ok - %s: %s: expected 0x%lx, found 0x%lx\n", subject, what, expected, found);
}

void check(const char *what, int good)
{
	expect(what, 1, good != 0);
}

/* --- The calls --- */

enum kind { KIND_NONE, KIND_ALWAYS, KIND_STARTS, KIND_SLOT, KIND_SESSION };
enum after { AFTER_STAYS, AFTER_ENDED };
enum operation {
	UNDER_WAY_NONE,
	UNDER_WAY_SIGN,
	UNDER_WAY_VERIFY,
	UNDER_WAY_ENCRYPT,
	UNDER_WAY_DECRYPT,
	UNDER_WAY_DIGEST,
	UNDER_WAY_FIND,
	UNDER_WAY_MESSAGE_ENCRYPT,
	UNDER_WAY_MESSAGE_DECRYPT,
	UNDER_WAY_MESSAGE_ENCRYPT_BEGUN,
	UNDER_WAY_MESSAGE_DECRYPT_BEGUN,
};

struct arguments {
	int is_null;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session, opened;
	CK_OBJECT_HANDLE object;
	CK_MECHANISM *with;
};

static CK_OBJECT_CLASS data_class = CKO_DATA;
static CK_ULONG secret_len = 32;
static CK_BYTE in[64] = "what a function gets, longer than any of them here asks", label[32];
static CK_ATTRIBUTE of_data[] = {
	{CKA_CLASS, &data_class, sizeof(data_class)}, {CKA_TOKEN, &yes, 1}, {CKA_VALUE, in, 8}};
static CK_ATTRIBUTE of_copy[] = {{CKA_TOKEN, &yes, 1}};
static CK_ATTRIBUTE of_secret[] = {
	{CKA_TOKEN, &yes, 1}, {CKA_VALUE_LEN, &secret_len, sizeof(secret_len)}};
static CK_ATTRIBUTE of_public[] = {{CKA_EC_PARAMS, p256, sizeof(p256)}};
static CK_MECHANISM mechanism_NONE = {CKM_VENDOR_DEFINED, NULL, 0};
static CK_MECHANISM mechanism_ECDSA = {CKM_ECDSA, NULL, 0};
static CK_MECHANISM mechanism_AES_CBC = {CKM_AES_CBC, iv, sizeof(iv)};
static CK_MECHANISM mechanism_AES_GCM = {CKM_AES_GCM, NULL, 0};
static CK_MECHANISM mechanism_AES_KEY_GEN = {CKM_AES_KEY_GEN, NULL, 0};
static CK_MECHANISM mechanism_AES_KEY_WRAP = {CKM_AES_KEY_WRAP, NULL, 0};
static CK_MECHANISM mechanism_EC_KEY_PAIR_GEN = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
static CK_MECHANISM mechanism_HKDF_DERIVE = {CKM_HKDF_DERIVE, &hkdf, sizeof(hkdf)};
static CK_MECHANISM mechanism_SHA256 = {CKM_SHA256, NULL, 0};

static union {
	CK_INFO info;
	CK_SLOT_INFO slot;
	CK_TOKEN_INFO token;
	CK_SESSION_INFO session;
	CK_MECHANISM_INFO mechanism;
	CK_FUNCTION_LIST *list;
	CK_INTERFACE interfaces[8], *interface;
} answer;

#define CKR_SKIP (CKR_VENDOR_DEFINED + 1)
#define P(x) (a->is_null ? NULL : (x))
/* No function has use for all of these. */
#define ROW(name, given, kind, mechanism, operation, idle, gone, null, after) \
	static CK_RV call_##name(struct arguments *a)                         \
	{                                                                     \
		CK_ULONG many[128] = {0}, n = sizeof(many) / sizeof(many[0]); \
		CK_MECHANISM *m = a->with;                                    \
		CK_BYTE out[256] = {0};                                       \
                                                                              \
		(void)many, (void)n, (void)m, (void)out;                      \
		return p11->name given;                                       \
	}
#include "pkcs11_matrix_rows.def"
#undef ROW

static const struct row {
	const char *name;
	size_t place; /* in the list */
	CK_RV (*call)(struct arguments *a);
	enum kind kind;
	CK_MECHANISM *mechanism;
	enum operation operation;
	CK_RV idle, gone, null;
	enum after after;
} rows[] = {
#define ROW(name, given, kind, mechanism, operation, idle, gone, null, after)                      \
	{#name, offsetof(CK_FUNCTION_LIST_3_0, name), call_##name, KIND_##kind,                    \
		&mechanism_##mechanism, UNDER_WAY_##operation, CKR_##idle, CKR_##gone, CKR_##null, \
		AFTER_##after},
#include "pkcs11_matrix_rows.def"
#undef ROW
};

/* As many rows as the lists have functions, and no two of the same: none is missing. */
#define FIRST offsetof(CK_FUNCTION_LIST_3_0, C_Initialize)
#define FUNCTIONS ((sizeof(CK_FUNCTION_LIST_3_0) - FIRST) / sizeof(CK_C_Initialize))
_Static_assert(COUNT(rows) == FUNCTIONS, "a row for each function of PKCS #11 3.0");

static void whole_table(const CK_FUNCTION_LIST *old)
{
	char seen[FUNCTIONS] = {0};

	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t place = (rows[i].place - FIRST) / sizeof(CK_C_Initialize);

		about("%s", rows[i].name);
		check("has one row", !seen[place]);
		seen[place] = 1;
	}
	about("version 2.40");
	check("its functions are those of 3.0",
		!memcmp((const char *)old + FIRST, (const char *)p11 + FIRST,
			sizeof(*old) - FIRST));
}

/* --- The columns --- */

static CK_RV begin(CK_SESSION_HANDLE s, enum operation which, const struct keys *keys)
{
	CK_RV rv = CKR_OK;

	switch (which) {
	case UNDER_WAY_SIGN:
		return p11->C_SignInit(s, &mechanism_ECDSA, keys->ec);
	case UNDER_WAY_VERIFY:
		return p11->C_VerifyInit(s, &mechanism_ECDSA, keys->ec_public);
	case UNDER_WAY_ENCRYPT:
		return p11->C_EncryptInit(s, &mechanism_AES_CBC, keys->aes);
	case UNDER_WAY_DECRYPT:
		return p11->C_DecryptInit(s, &mechanism_AES_CBC, keys->aes);
	case UNDER_WAY_DIGEST:
		return p11->C_DigestInit(s, &mechanism_SHA256);
	case UNDER_WAY_FIND:
		return p11->C_FindObjectsInit(s, NULL, 0);
	case UNDER_WAY_MESSAGE_ENCRYPT:
	case UNDER_WAY_MESSAGE_ENCRYPT_BEGUN:
		rv = p11->C_MessageEncryptInit(s, &mechanism_AES_GCM, keys->aes);
		if (!rv && which == UNDER_WAY_MESSAGE_ENCRYPT_BEGUN)
			rv = p11->C_EncryptMessageBegin(
				s, &gcm_message, sizeof(gcm_message), NULL, 0);
		return rv;
	case UNDER_WAY_MESSAGE_DECRYPT:
	case UNDER_WAY_MESSAGE_DECRYPT_BEGUN:
		rv = p11->C_MessageDecryptInit(s, &mechanism_AES_GCM, keys->aes);
		if (!rv && which == UNDER_WAY_MESSAGE_DECRYPT_BEGUN)
			rv = p11->C_DecryptMessageBegin(
				s, &gcm_message, sizeof(gcm_message), NULL, 0);
		return rv;
	default:
		return rv;
	}
}

static void without_initialize(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arguments a = {.session = 1, .object = 1, .with = rows[i].mechanism};

		about("%s, not initialized", rows[i].name);
		if (rows[i].kind == KIND_STARTS)
			continue;
		expect("answers",
			rows[i].kind == KIND_ALWAYS ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED,
			rows[i].call(&a));
		a.is_null = 1;
		if (rows[i].kind == KIND_ALWAYS)
			expect("with NULL", rows[i].null, rows[i].call(&a));
		else
			expect("with NULL", CKR_CRYPTOKI_NOT_INITIALIZED, rows[i].call(&a));
	}
}

/* Handles and slots that there are not: before anything else is looked at. */
static void no_such(const struct row *row, CK_SESSION_HANDLE closed, struct witness *w)
{
	CK_ULONG wrong[] = {0, closed, closed + 1000, 0x7fffffff, ~0UL};
	struct arguments a = {.with = row->mechanism};

	if (row->kind != KIND_SESSION && row->kind != KIND_SLOT)
		return;
	for (size_t i = row->kind == KIND_SLOT ? 3 : 0; i < COUNT(wrong); i++) {
		CK_RV rv =
			row->kind == KIND_SLOT ? CKR_SLOT_ID_INVALID : CKR_SESSION_HANDLE_INVALID;

		about("%s, with %s 0x%lx", row->name, row->kind == KIND_SLOT ? "slot" : "session",
			wrong[i]);
		a.slot = a.session = wrong[i];
		a.is_null = 0;
		expect("answers", rv, row->call(&a));
		a.is_null = 1;
		expect("with NULL", rv, row->call(&a));
	}
	witness_check(w);
}

static void in_session(const struct row *row, const char *state, CK_OBJECT_HANDLE object,
	CK_RV expected, struct witness *w)
{
	struct arguments a = {.session = session_open(0), .object = object, .with = row->mechanism};

	about("%s, %s", row->name, state);
	if (expected != CKR_SKIP) {
		expect("answers", expected, row->call(&a));
		if (a.opened)
			EXPECT(CKR_OK, C_CloseSession(a.opened));
	}
	(void)p11->C_CloseSession(a.session);
	witness_check(w);
}

static void with_null(const struct row *row, const struct keys *keys, struct witness *w)
{
	struct arguments a = {.is_null = 1, .session = session_open(0), .with = row->mechanism};
	CK_RV still = row->after == AFTER_ENDED ? CKR_OK : CKR_OPERATION_ACTIVE;

	about("%s, with NULL", row->name);
	if (row->null != CKR_SKIP) {
		expect("the operation begins", CKR_OK, begin(a.session, row->operation, keys));
		expect("answers", row->null, row->call(&a));
		if (row->operation != UNDER_WAY_NONE)
			expect("the operation after it", still,
				begin(a.session, row->operation, keys));
	}
	EXPECT(CKR_OK, C_CloseSession(a.session));
	witness_check(w);
}

static int is_key_handle(CK_RV rv)
{
	return rv == CKR_KEY_HANDLE_INVALID || rv == CKR_WRAPPING_KEY_HANDLE_INVALID ||
	       rv == CKR_UNWRAPPING_KEY_HANDLE_INVALID;
}

static void each_row(const struct keys *keys)
{
	CK_SESSION_HANDLE s = session_open(CKF_RW_SESSION), closed = session_open(0);
	CK_OBJECT_HANDLE public, private, gone[3];
	struct witness *w;

	about("what is destroyed");
	pair_make(s, &no, "gone", &public, &private);
	EXPECT(CKR_OK, C_DestroyObject(s, private));
	EXPECT(CKR_OK, C_DestroyObject(s, public));
	gone[0] = private;
	gone[1] = public;
	gone[2] = data_make(s, &no, "gone");
	EXPECT(CKR_OK, C_DestroyObject(s, gone[2]));
	EXPECT(CKR_OK, C_CloseSession(closed));
	w = witness_new(keys);
	for (size_t i = 0; i < COUNT(rows); i++) {
		no_such(&rows[i], closed, w);
		in_session(&rows[i], "nothing under way", 0, rows[i].idle, w);
		for (size_t k = 0; k < COUNT(gone); k++)
			in_session(&rows[i], "object destroyed", gone[k], rows[i].gone, w);
		if (is_key_handle(rows[i].gone))
			in_session(&rows[i], "not a key", keys->data, rows[i].gone, w);
		with_null(&rows[i], keys, w);
	}
	about("logging in and out");
	EXPECT(CKR_OK, C_Login(s, CKU_USER, in, 4));
	EXPECT(CKR_OK, C_Logout(s));
	for (size_t i = 0; i < COUNT(rows); i++)
		in_session(&rows[i], "after C_Logout", 0, rows[i].idle, w);
	witness_end(&w);
	EXPECT(CKR_OK, C_CloseSession(s));
}

int main(int argc, char **argv)
{
	void *module = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	CK_C_GetFunctionList get_list;
	CK_RV (*get)(unsigned char *, CK_VERSION *, CK_INTERFACE **, CK_FLAGS);
	CK_VERSION version = {3, 0};
	CK_INTERFACE *interface = NULL;
	CK_FUNCTION_LIST *old = NULL;
	CK_SESSION_HANDLE s;
	struct keys keys;

	if (!module) {
		fprintf(stderr, "pkcs11_matrix: %s\n", dlerror());
		return 2;
	}
	get_list = (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList");
	*(void **)&get = dlsym(module, "C_GetInterface");
	if (!get_list || !get || get_list(&old) || get(NULL, &version, &interface, 0))
		return 2;
	p11 = interface->pFunctionList;
	whole_table(old);
	without_initialize();
	about("the keys");
	EXPECT(CKR_OK, C_Initialize(NULL));
	s = session_open(CKF_RW_SESSION);
	keys_make(s, &keys);
	each_row(&keys);
	check_limits(&keys);
	check_templates(&keys);
	check_mechanisms(&keys);
	check_gone();
	about("the end");
	EXPECT(CKR_OK, C_CloseAllSessions(0));
	EXPECT(CKR_SESSION_HANDLE_INVALID, C_CloseSession(s));
	EXPECT(CKR_OK, C_Finalize(NULL));
	without_initialize();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The module's answers to calls that come at the wrong time, with handles that are not valid, and with buffers that are too
 * small: the standard's codes, and nothing changed. tests/pkcs11_tool.sh starts a TEE for it.
 *
 * usage: pkcs11_states MODULE [SIGNATURES of each thread]
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static CK_FUNCTION_LIST *p11;
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

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static CK_MECHANISM ecdsa_sha256 = {CKM_ECDSA_SHA256, NULL, 0};
static CK_MECHANISM make_ec = {CKM_EC_KEY_PAIR_GEN, NULL, 0};

static CK_SESSION_HANDLE open_session(CK_FLAGS flags)
{
	CK_SESSION_HANDLE s = 0;

	EXPECT(CKR_OK, C_OpenSession(0, CKF_SERIAL_SESSION | flags, NULL, NULL, &s));
	return s;
}

static void make_key(CK_SESSION_HANDLE s, CK_BBOOL *token, const char *label,
	CK_OBJECT_HANDLE *public, CK_OBJECT_HANDLE *private)
{
	CK_ATTRIBUTE of_public[] = {{CKA_EC_PARAMS, p256, sizeof(p256)}};
	CK_ATTRIBUTE of_private[] = {{CKA_TOKEN, token, 1}, {CKA_SIGN, &yes, 1},
		{CKA_LABEL, (void *)(size_t)label, strlen(label)},
		{CKA_ID, (void *)(size_t) "\x07", 1}};

	EXPECT(CKR_OK,
		C_GenerateKeyPair(s, &make_ec, of_public, 1, of_private, 4, public, private));
}

/* Every function, before C_Initialize */
static void not_initialized(void)
{
	CK_RV no_module = CKR_CRYPTOKI_NOT_INITIALIZED;
	CK_ULONG n = 0;
	CK_BYTE b[64];
	CK_INFO info;
	CK_SLOT_INFO slot;
	CK_TOKEN_INFO token;
	CK_SESSION_HANDLE s;
	CK_SESSION_INFO session;
	CK_MECHANISM_INFO mechanism;
	CK_OBJECT_HANDLE o;

	EXPECT(no_module, C_Finalize(NULL));
	EXPECT(no_module, C_GetInfo(&info));
	EXPECT(no_module, C_GetSlotList(CK_TRUE, NULL, &n));
	EXPECT(no_module, C_GetSlotInfo(0, &slot));
	EXPECT(no_module, C_GetTokenInfo(0, &token));
	EXPECT(no_module, C_GetMechanismList(0, NULL, &n));
	EXPECT(no_module, C_GetMechanismInfo(0, CKM_ECDSA, &mechanism));
	EXPECT(no_module, C_InitToken(0, b, 4, b));
	EXPECT(no_module, C_InitPIN(1, b, 4));
	EXPECT(no_module, C_SetPIN(1, b, 4, b, 4));
	EXPECT(no_module, C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &s));
	EXPECT(no_module, C_CloseSession(1));
	EXPECT(no_module, C_CloseAllSessions(0));
	EXPECT(no_module, C_GetSessionInfo(1, &session));
	EXPECT(no_module, C_GetOperationState(1, b, &n));
	EXPECT(no_module, C_SetOperationState(1, b, 1, 0, 0));
	EXPECT(no_module, C_Login(1, CKU_USER, b, 4));
	EXPECT(no_module, C_Logout(1));
	EXPECT(no_module, C_CreateObject(1, NULL, 0, &o));
	EXPECT(no_module, C_CopyObject(1, 1, NULL, 0, &o));
	EXPECT(no_module, C_DestroyObject(1, 1));
	EXPECT(no_module, C_GetObjectSize(1, 1, &n));
	EXPECT(no_module, C_GetAttributeValue(1, 1, NULL, 0));
	EXPECT(no_module, C_SetAttributeValue(1, 1, NULL, 0));
	EXPECT(no_module, C_FindObjectsInit(1, NULL, 0));
	EXPECT(no_module, C_FindObjects(1, &o, 1, &n));
	EXPECT(no_module, C_FindObjectsFinal(1));
	EXPECT(no_module, C_EncryptInit(1, &ecdsa_sha256, 1));
	EXPECT(no_module, C_Encrypt(1, b, 1, b, &n));
	EXPECT(no_module, C_EncryptUpdate(1, b, 1, b, &n));
	EXPECT(no_module, C_EncryptFinal(1, b, &n));
	EXPECT(no_module, C_DecryptInit(1, &ecdsa_sha256, 1));
	EXPECT(no_module, C_Decrypt(1, b, 1, b, &n));
	EXPECT(no_module, C_DecryptUpdate(1, b, 1, b, &n));
	EXPECT(no_module, C_DecryptFinal(1, b, &n));
	EXPECT(no_module, C_DigestInit(1, &ecdsa_sha256));
	EXPECT(no_module, C_Digest(1, b, 1, b, &n));
	EXPECT(no_module, C_DigestUpdate(1, b, 1));
	EXPECT(no_module, C_DigestKey(1, 1));
	EXPECT(no_module, C_DigestFinal(1, b, &n));
	EXPECT(no_module, C_SignInit(1, &ecdsa_sha256, 1));
	EXPECT(no_module, C_Sign(1, b, 1, b, &n));
	EXPECT(no_module, C_SignUpdate(1, b, 1));
	EXPECT(no_module, C_SignFinal(1, b, &n));
	EXPECT(no_module, C_SignRecoverInit(1, &ecdsa_sha256, 1));
	EXPECT(no_module, C_SignRecover(1, b, 1, b, &n));
	EXPECT(no_module, C_VerifyInit(1, &ecdsa_sha256, 1));
	EXPECT(no_module, C_Verify(1, b, 1, b, 1));
	EXPECT(no_module, C_VerifyUpdate(1, b, 1));
	EXPECT(no_module, C_VerifyFinal(1, b, 1));
	EXPECT(no_module, C_VerifyRecoverInit(1, &ecdsa_sha256, 1));
	EXPECT(no_module, C_VerifyRecover(1, b, 1, b, &n));
	EXPECT(no_module, C_DigestEncryptUpdate(1, b, 1, b, &n));
	EXPECT(no_module, C_DecryptDigestUpdate(1, b, 1, b, &n));
	EXPECT(no_module, C_SignEncryptUpdate(1, b, 1, b, &n));
	EXPECT(no_module, C_DecryptVerifyUpdate(1, b, 1, b, &n));
	EXPECT(no_module, C_GenerateKey(1, &make_ec, NULL, 0, &o));
	EXPECT(no_module, C_GenerateKeyPair(1, &make_ec, NULL, 0, NULL, 0, &o, &o));
	EXPECT(no_module, C_WrapKey(1, &make_ec, 1, 1, b, &n));
	EXPECT(no_module, C_UnwrapKey(1, &make_ec, 1, b, 1, NULL, 0, &o));
	EXPECT(no_module, C_DeriveKey(1, &make_ec, 1, NULL, 0, &o));
	EXPECT(no_module, C_SeedRandom(1, b, 1));
	EXPECT(no_module, C_GenerateRandom(1, b, 1));
	EXPECT(no_module, C_GetFunctionStatus(1));
	EXPECT(no_module, C_CancelFunction(1));
	EXPECT(no_module, C_WaitForSlotEvent(CKF_DONT_BLOCK, &n, NULL));
}

static void initializing(void)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK, .pReserved = &args};

	EXPECT(CKR_ARGUMENTS_BAD, C_Initialize(&args));
	args.pReserved = NULL;
	EXPECT(CKR_OK, C_Initialize(&args));
	EXPECT(CKR_CRYPTOKI_ALREADY_INITIALIZED, C_Initialize(&args));
	EXPECT(CKR_ARGUMENTS_BAD, C_Finalize(&args));
	EXPECT(CKR_OK, C_Finalize(NULL));
	EXPECT(CKR_OK, C_Initialize(NULL));
}

static void sessions(void)
{
	CK_SESSION_HANDLE s = 0, ro, again;
	CK_SESSION_INFO info;
	CK_ULONG n = 0;
	CK_SLOT_ID slot;

	EXPECT(CKR_OK, C_GetSlotList(CK_TRUE, NULL, &n));
	expect("the default slot and one for a new token", 2, n);
	n = 0;
	EXPECT(CKR_BUFFER_TOO_SMALL, C_GetSlotList(CK_TRUE, &slot, &n));
	EXPECT(CKR_TOKEN_NOT_RECOGNIZED, C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &s));
	EXPECT(CKR_SLOT_ID_INVALID, C_OpenSession(64, CKF_SERIAL_SESSION, NULL, NULL, &s));
	EXPECT(CKR_SESSION_PARALLEL_NOT_SUPPORTED, C_OpenSession(0, 0, NULL, NULL, &s));
	EXPECT(CKR_ARGUMENTS_BAD, C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, NULL));
	s = open_session(CKF_RW_SESSION);
	ro = open_session(0);
	EXPECT(CKR_USER_NOT_LOGGED_IN, C_Logout(s));
	EXPECT(CKR_USER_TYPE_INVALID, C_Login(s, CKU_SO, NULL, 0));
	EXPECT(CKR_OK, C_Login(s, CKU_USER, (unsigned char *)&n, 4));
	EXPECT(CKR_USER_ALREADY_LOGGED_IN, C_Login(ro, CKU_USER, NULL, 0));
	EXPECT(CKR_OK, C_GetSessionInfo(ro, &info));
	expect("login is for all sessions", CKS_RO_USER_FUNCTIONS, info.state);
	EXPECT(CKR_OK, C_Logout(ro));
	EXPECT(CKR_OK, C_CloseSession(s));
	EXPECT(CKR_SESSION_HANDLE_INVALID, C_CloseSession(s));
	EXPECT(CKR_SESSION_HANDLE_INVALID, C_GetSessionInfo(s, &info));
	again = open_session(0);
	check("a handle is not used again at once", again != s);
	EXPECT(CKR_OK, C_CloseAllSessions(0));
	EXPECT(CKR_SESSION_HANDLE_INVALID, C_GetSessionInfo(ro, &info));
	EXPECT(CKR_SESSION_HANDLE_INVALID, C_GetSessionInfo(again, &info));
}

static void signing(void)
{
	CK_SESSION_HANDLE s = open_session(CKF_RW_SESSION);
	CK_OBJECT_HANDLE public = 0, private = 0;
	CK_MECHANISM unknown = {0x7fffffff, NULL, 0}, odd = {CKM_ECDSA_SHA256, &yes, 1};
	CK_BYTE message[] = "message", sig[64], other[64];
	CK_ULONG n = sizeof(sig);

	make_key(s, &no, "passing", &public, &private);
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_Sign(s, message, 7, sig, &n));
	EXPECT(CKR_MECHANISM_INVALID, C_SignInit(s, &unknown, private));
	EXPECT(CKR_MECHANISM_PARAM_INVALID, C_SignInit(s, &odd, private));
	EXPECT(CKR_KEY_HANDLE_INVALID, C_SignInit(s, &ecdsa_sha256, 0));
	EXPECT(CKR_KEY_HANDLE_INVALID, C_SignInit(s, &ecdsa_sha256, 123456));
	EXPECT(CKR_KEY_TYPE_INCONSISTENT, C_SignInit(s, &ecdsa_sha256, public));
	EXPECT(CKR_OK, C_SignInit(s, &ecdsa_sha256, private));
	EXPECT(CKR_OPERATION_ACTIVE, C_SignInit(s, &ecdsa_sha256, private));
	EXPECT(CKR_OK, C_Sign(s, message, 7, NULL, &n));
	expect("how long it is", 64, n);
	n = 63;
	EXPECT(CKR_BUFFER_TOO_SMALL, C_Sign(s, message, 7, sig, &n));
	expect("how long it must be", 64, n);
	EXPECT(CKR_OK, C_Sign(s, message, 7, sig, &n));
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_Sign(s, message, 7, sig, &n));
	EXPECT(CKR_OK, C_VerifyInit(s, &ecdsa_sha256, public));
	EXPECT(CKR_OK, C_Verify(s, message, 7, sig, 64));
	EXPECT(CKR_OK, C_VerifyInit(s, &ecdsa_sha256, public));
	EXPECT(CKR_SIGNATURE_INVALID, C_Verify(s, message, 6, sig, 64));
	EXPECT(CKR_OK, C_VerifyInit(s, &ecdsa_sha256, public));
	EXPECT(CKR_SIGNATURE_LEN_RANGE, C_Verify(s, message, 7, sig, 63));
	/* In parts, as long as one likes */
	EXPECT(CKR_OK, C_SignInit(s, &ecdsa_sha256, private));
	for (int i = 0; i < 20000; i++)
		(void)p11->C_SignUpdate(s, message, 7);
	n = sizeof(other);
	EXPECT(CKR_OK, C_SignFinal(s, NULL, &n));
	EXPECT(CKR_OK, C_SignFinal(s, other, &n));
	EXPECT(CKR_OK, C_VerifyInit(s, &ecdsa_sha256, public));
	for (int i = 0; i < 20000; i++)
		(void)p11->C_VerifyUpdate(s, message, 7);
	EXPECT(CKR_OK, C_VerifyFinal(s, other, 64));
	EXPECT(CKR_OK, C_SignInit(s, &ecdsa_sha256, private));
	EXPECT(CKR_OK, C_SignUpdate(s, message, 7));
	EXPECT(CKR_OPERATION_ACTIVE, C_Sign(s, message, 7, other, &n));
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_SignFinal(s, other, &n));
	/* A key that goes between init and operation */
	EXPECT(CKR_OK, C_SignInit(s, &ecdsa_sha256, private));
	EXPECT(CKR_OK, C_DestroyObject(s, private));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(s, private));
	EXPECT(CKR_KEY_HANDLE_INVALID, C_VerifyInit(s, &ecdsa_sha256, private));
	EXPECT(CKR_OK, C_CloseSession(s));
	EXPECT(CKR_SESSION_HANDLE_INVALID, C_Sign(s, message, 7, other, &n));
}

static CK_ULONG find(CK_SESSION_HANDLE s, CK_ATTRIBUTE *wanted, CK_ULONG count, CK_OBJECT_HANDLE *o)
{
	CK_ULONG n = 0;

	EXPECT(CKR_OK, C_FindObjectsInit(s, wanted, count));
	EXPECT(CKR_OK, C_FindObjects(s, o, 8, &n));
	EXPECT(CKR_OK, C_FindObjectsFinal(s));
	return n;
}

static void objects(void)
{
	CK_SESSION_HANDLE s = open_session(CKF_RW_SESSION), ro = open_session(0);
	CK_OBJECT_HANDLE public = 0, private = 0, found[8], o;
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_BYTE value[600], label[32];
	CK_ATTRIBUTE by_label[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_LABEL, "kept key", 8}};
	CK_ATTRIBUTE by_id[] = {{CKA_ID, "\x07", 1}}, twice[] = {by_id[0], by_id[0]};
	CK_ATTRIBUTE secret[] = {{CKA_VALUE, value, sizeof(value)}, {CKA_LABEL, label, 3},
		{CKA_MODULUS, value, sizeof(value)}, {CKA_ID, value, sizeof(value)}};
	CK_ATTRIBUTE bad = {CKA_LABEL, NULL, 5}, other = {CKA_LABEL, "other", 5};
	CK_ATTRIBUTE sensitive = {CKA_SENSITIVE, &no, 1};
	CK_ATTRIBUTE of_public[] = {{CKA_EC_PARAMS, p256, sizeof(p256)}};
	CK_ATTRIBUTE plain[] = {{CKA_TOKEN, &yes, 1}, {CKA_SENSITIVE, &no, 1}};
	CK_ATTRIBUTE strange[] = {{CKA_TOKEN, &yes, 1}, {0x12345, &yes, 1}};
	CK_ULONG n = 0;

	make_key(s, &yes, "kept key", &public, &private);
	EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, C_FindObjectsInit(s, &bad, 1));
	EXPECT(CKR_TEMPLATE_INCONSISTENT, C_FindObjectsInit(s, twice, 2));
	EXPECT(CKR_ARGUMENTS_BAD, C_FindObjectsInit(s, NULL, 1));
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_FindObjects(s, found, 8, &n));
	expect("found by label", 1, find(s, by_label, 2, found));
	expect("the same handle", private, found[0]);
	expect("both found by id", 2, find(ro, by_id, 1, found));
	EXPECT(CKR_OK, C_FindObjectsInit(s, NULL, 0));
	EXPECT(CKR_OPERATION_ACTIVE, C_FindObjectsInit(s, NULL, 0));
	EXPECT(CKR_OK, C_FindObjectsFinal(s));
	expect("the worst answer", 1, p11->C_GetAttributeValue(s, private, secret, 4) != CKR_OK);
	expect("no value", CK_UNAVAILABLE_INFORMATION, secret[0].ulValueLen);
	expect("too small", CK_UNAVAILABLE_INFORMATION, secret[1].ulValueLen);
	expect("no modulus", CK_UNAVAILABLE_INFORMATION, secret[2].ulValueLen);
	expect("the id, nevertheless", 1, secret[3].ulValueLen);
	EXPECT(CKR_SESSION_READ_ONLY, C_SetAttributeValue(ro, private, &other, 1));
	EXPECT(CKR_ATTRIBUTE_READ_ONLY, C_SetAttributeValue(s, private, &sensitive, 1));
	EXPECT(CKR_OK, C_SetAttributeValue(s, private, &other, 1));
	expect("not found by the old label", 0, find(s, by_label, 2, found));
	by_label[1] = other;
	expect("found by the new label", 1, find(s, by_label, 2, found));
	expect("it is the same object", private, found[0]);
	EXPECT(CKR_TEMPLATE_INCONSISTENT,
		C_GenerateKeyPair(s, &make_ec, of_public, 1, plain, 2, &o, &o));
	EXPECT(CKR_ATTRIBUTE_TYPE_INVALID,
		C_GenerateKeyPair(s, &make_ec, of_public, 1, strange, 2, &o, &o));
	EXPECT(CKR_TEMPLATE_INCOMPLETE, C_GenerateKeyPair(s, &make_ec, NULL, 0, plain, 1, &o, &o));
	EXPECT(CKR_SESSION_READ_ONLY,
		C_GenerateKeyPair(ro, &make_ec, of_public, 1, plain, 1, &o, &o));
	EXPECT(CKR_TEMPLATE_INCOMPLETE, C_CreateObject(s, plain, 1, &o));
	EXPECT(CKR_SESSION_READ_ONLY, C_DestroyObject(ro, private));
	EXPECT(CKR_OK, C_DestroyObject(s, private));
	expect("gone", 0, find(ro, by_id, 1, found));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, C_GetAttributeValue(s, private, secret, 1));
	EXPECT(CKR_OK, C_CloseAllSessions(0));
}

/* What a session made ends with it; what is on the token stays. */
static void session_objects(void)
{
	CK_SESSION_HANDLE s = open_session(CKF_RW_SESSION), other = open_session(CKF_RW_SESSION);
	CK_OBJECT_HANDLE public = 0, private = 0, found[8];
	CK_ATTRIBUTE wanted = {CKA_LABEL, "passing", 7};
	CK_ULONG n;

	make_key(s, &no, "passing", &public, &private);
	expect("found from another session", 2, find(other, &wanted, 1, found));
	EXPECT(CKR_OK, C_CloseSession(s));
	expect("gone with its session", 0, find(other, &wanted, 1, found));
	EXPECT(CKR_KEY_HANDLE_INVALID, C_SignInit(other, &ecdsa_sha256, private));
	(void)n;
	EXPECT(CKR_OK, C_CloseAllSessions(0));
}

static CK_SESSION_HANDLE shared;
static CK_OBJECT_HANDLE shared_key;

static int signatures = 500;

static void *sign_much(void *arg)
{
	CK_SESSION_HANDLE s = 0;
	CK_BYTE sig[64];
	CK_ULONG n;
	size_t bad = 0;

	(void)arg;
	bad += p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &s) != CKR_OK;
	for (int i = 0; i < signatures; i++) {
		n = sizeof(sig);
		bad += p11->C_SignInit(s, &ecdsa_sha256, shared_key) ||
		       p11->C_Sign(s, (unsigned char *)"m", 1, sig, &n);
	}
	return (void *)bad;
}

/* A child goes on with what it inherited, while its parent's threads sign. */
static void forks(void)
{
	CK_OBJECT_HANDLE public = 0;
	pthread_t threads[4];
	unsigned bad = 0;

	shared = open_session(CKF_RW_SESSION);
	make_key(shared, &no, "shared", &public, &shared_key);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, sign_much, NULL);
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();
		int status = 1;

		if (!pid) {
			CK_BYTE sig[64];
			CK_ULONG n = sizeof(sig);
			int good = !p11->C_SignInit(shared, &ecdsa_sha256, shared_key) &&
				   !p11->C_Sign(shared, (unsigned char *)"m", 1, sig, &n);

			/* And one that does as version 2.40 says */
			good = good && !p11->C_Initialize(NULL) && !p11->C_Finalize(NULL);
			_exit(!good);
		}
		waitpid(pid, &status, 0);
		bad += status != 0;
	}
	for (int i = 0; i < 4; i++) {
		void *result;

		pthread_join(threads[i], &result);
		bad += (unsigned)(size_t)result;
	}
	expect("threads and children sign", 0, bad);
	EXPECT(CKR_OK, C_CloseAllSessions(0));
}

static void many_sessions(void)
{
	CK_SESSION_HANDLE *all = calloc(10000, sizeof(*all));
	unsigned bad = 0;

	for (int i = 0; all && i < 10000; i++)
		bad += p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &all[i]) != CKR_OK;
	expect("10,000 sessions", 0, bad);
	for (int i = 0; all && i < 10000; i++)
		bad += p11->C_CloseSession(all[i]) != CKR_OK;
	expect("and each is closed", 0, bad);
	free(all);
}

int main(int argc, char **argv)
{
	void *module = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	CK_C_GetFunctionList get;

	if (argc > 2)
		signatures = atoi(argv[2]);
	if (!module) {
		fprintf(stderr, "pkcs11_states: %s\n", dlerror());
		return 2;
	}
	get = (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList");
	if (!get || get(&p11) || p11->version.major != 2 || p11->version.minor != 40)
		return 2;
	not_initialized();
	initializing();
	sessions();
	signing();
	objects();
	session_objects();
	forks();
	many_sessions();
	EXPECT(CKR_OK, C_Finalize(NULL));
	not_initialized();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logins of the PKCS #11 module in one process: the states of sessions, what each of them sees and may do, and what a fork and
 * a restart of the TEE leave of them. For tests/tokens.sh, which starts a TEE without tokens and restarts it
 * when it reads "restart".
 *
 * usage: pkcs11_logins MODULE
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOT 1
#define SO_PIN ((unsigned char *)(size_t) "87654321"), 8
#define PIN ((unsigned char *)(size_t) "4711"), 4
#define NEW_PIN ((unsigned char *)(size_t) "0815 and more"), 13
#define WRONG ((unsigned char *)(size_t) "0000"), 4

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

#define EXPECT(rv, call) expect(#call, rv, p11->call)

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static CK_MECHANISM ecdsa = {CKM_ECDSA_SHA256, NULL, 0};
static CK_MECHANISM make_ec = {CKM_EC_KEY_PAIR_GEN, NULL, 0};

static CK_SESSION_HANDLE open_on(CK_SLOT_ID slot, CK_FLAGS flags)
{
	CK_SESSION_HANDLE s = 0;

	EXPECT(CKR_OK, C_OpenSession(slot, CKF_SERIAL_SESSION | flags, NULL, NULL, &s));
	return s;
}

static CK_RV generate(
	CK_SESSION_HANDLE s, CK_BBOOL *token, CK_OBJECT_HANDLE *public, CK_OBJECT_HANDLE *private)
{
	CK_ATTRIBUTE of_public[] = {{CKA_EC_PARAMS, p256, sizeof(p256)}};
	CK_ATTRIBUTE of_private[] = {{CKA_TOKEN, token, 1}, {CKA_SIGN, &yes, 1}};

	return p11->C_GenerateKeyPair(s, &make_ec, of_public, 1, of_private, 2, public, private);
}

static CK_RV sign(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key)
{
	CK_BYTE message[] = "message", signature[64];
	CK_ULONG n = sizeof(signature);
	CK_RV rv = p11->C_SignInit(s, &ecdsa, key);

	return rv ? rv : p11->C_Sign(s, message, 7, signature, &n);
}

static CK_ULONG count(CK_SESSION_HANDLE s, CK_OBJECT_CLASS class)
{
	CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof(class)};
	CK_OBJECT_HANDLE found[32];
	CK_ULONG n = 0;

	EXPECT(CKR_OK, C_FindObjectsInit(s, &wanted, 1));
	EXPECT(CKR_OK, C_FindObjects(s, found, 32, &n));
	EXPECT(CKR_OK, C_FindObjectsFinal(s));
	return n;
}

/* Handles of private objects end with a logout: the one with this attribute, again. */
static CK_OBJECT_HANDLE only(CK_SESSION_HANDLE s, CK_OBJECT_CLASS class, CK_ATTRIBUTE_TYPE is_set)
{
	CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof(class)}, {is_set, &yes, 1}};
	CK_OBJECT_HANDLE found[2] = {0};
	CK_ULONG n = 0;

	EXPECT(CKR_OK, C_FindObjectsInit(s, wanted, 2));
	EXPECT(CKR_OK, C_FindObjects(s, found, 2, &n));
	EXPECT(CKR_OK, C_FindObjectsFinal(s));
	expect("one object", 1, n);
	return found[0];
}

static CK_OBJECT_HANDLE only_key(CK_SESSION_HANDLE s)
{
	return only(s, CKO_PRIVATE_KEY, CKA_TOKEN);
}

static CK_ULONG state(CK_SESSION_HANDLE s)
{
	CK_SESSION_INFO info = {0};

	EXPECT(CKR_OK, C_GetSessionInfo(s, &info));
	expect("the session's slot", SLOT, info.slotID);
	return info.state;
}

static CK_FLAGS token_flags(void)
{
	CK_TOKEN_INFO info;

	EXPECT(CKR_OK, C_GetTokenInfo(SLOT, &info));
	return info.flags &
	       (CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED |
		       CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED |
		       CKF_SO_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY | CKF_SO_PIN_LOCKED);
}

/* A token, and its two users. */
static void officers(void)
{
	unsigned char label[32];
	CK_SESSION_HANDLE rw, ro, other;
	CK_SLOT_ID slots[64];
	CK_ULONG n = 0;

	memset(label, ' ', sizeof(label));
	memcpy(label, "states", 6);
	EXPECT(CKR_OK, C_GetSlotList(CK_TRUE, NULL, &n));
	expect("two slots", 2, n);
	expect("not initialized", 0, token_flags());
	EXPECT(CKR_SLOT_ID_INVALID, C_InitToken(64, SO_PIN, label));
	EXPECT(CKR_TOKEN_WRITE_PROTECTED, C_InitToken(0, SO_PIN, label));
	EXPECT(CKR_PIN_LEN_RANGE, C_InitToken(SLOT, (unsigned char *)(size_t) "123", 3, label));
	EXPECT(CKR_ARGUMENTS_BAD, C_InitToken(SLOT, NULL, 0, label));
	EXPECT(CKR_OK, C_InitToken(SLOT, SO_PIN, label));
	/* The list of the length that was told before. */
	EXPECT(CKR_OK, C_GetSlotList(CK_TRUE, slots, &n));
	expect("still two", 2, n);
	EXPECT(CKR_OK, C_GetSlotList(CK_TRUE, NULL, &n));
	expect("and now three", 3, n);
	expect("initialized", CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED, token_flags());
	rw = open_on(SLOT, CKF_RW_SESSION);
	ro = open_on(SLOT, 0);
	EXPECT(CKR_SESSION_EXISTS, C_InitToken(SLOT, SO_PIN, label));
	EXPECT(CKR_USER_PIN_NOT_INITIALIZED, C_Login(rw, CKU_USER, PIN));
	EXPECT(CKR_USER_NOT_LOGGED_IN, C_InitPIN(rw, PIN));
	EXPECT(CKR_SESSION_READ_ONLY_EXISTS, C_Login(rw, CKU_SO, SO_PIN));
	EXPECT(CKR_OK, C_CloseSession(ro));
	EXPECT(CKR_ARGUMENTS_BAD, C_Login(rw, CKU_SO, NULL, 0));
	EXPECT(CKR_USER_TYPE_INVALID, C_Login(rw, 7, PIN));
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_Login(rw, CKU_CONTEXT_SPECIFIC, PIN));
	EXPECT(CKR_PIN_INCORRECT, C_Login(rw, CKU_SO, WRONG));
	expect("a wrong PIN is told",
		CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_SO_PIN_COUNT_LOW, token_flags());
	EXPECT(CKR_OK, C_Login(rw, CKU_SO, SO_PIN));
	expect("the state of the SO", CKS_RW_SO_FUNCTIONS, state(rw));
	EXPECT(CKR_SESSION_READ_WRITE_SO_EXISTS,
		C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &other));
	EXPECT(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, C_Login(rw, CKU_USER, PIN));
	EXPECT(CKR_USER_ALREADY_LOGGED_IN, C_Login(rw, CKU_SO, SO_PIN));
	EXPECT(CKR_PIN_LEN_RANGE, C_InitPIN(rw, (unsigned char *)(size_t) "123", 3));
	EXPECT(CKR_OK, C_InitPIN(rw, PIN));
	expect("the SO makes no keys", CKR_USER_NOT_LOGGED_IN, generate(rw, &yes, &n, &n));
	EXPECT(CKR_OK, C_Logout(rw));
	EXPECT(CKR_USER_NOT_LOGGED_IN, C_Logout(rw));
	expect("the state of nobody", CKS_RW_PUBLIC_SESSION, state(rw));
	expect("the PIN is set",
		CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED,
		token_flags());
	EXPECT(CKR_OK, C_CloseAllSessions(SLOT));
}

/* What is there before the login, with it, and after the logout. */
static void users(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *key)
{
	CK_SESSION_HANDLE ro = open_on(SLOT, 0), other = open_on(0, CKF_RW_SESSION);
	CK_OBJECT_HANDLE public, private, of_session, dummy;
	CK_BYTE message[] = "message", signature[64];
	CK_ULONG n = sizeof(signature);
	CK_BBOOL is_private = 2;
	CK_ATTRIBUTE a = {CKA_PRIVATE, &is_private, 1};

	expect("no key without a login", CKR_USER_NOT_LOGGED_IN,
		generate(s, &yes, &public, &private));
	expect("nor one of the session", CKR_USER_NOT_LOGGED_IN,
		generate(s, &no, &public, &private));
	EXPECT(CKR_OK, C_Login(ro, CKU_USER, PIN));
	expect("the login is for all sessions", CKS_RW_USER_FUNCTIONS, state(s));
	expect("also those that only read", CKS_RO_USER_FUNCTIONS, state(ro));
	expect("a key on the token", CKR_OK, generate(s, &yes, &public, &private));
	expect("not by a session that only reads", CKR_SESSION_READ_ONLY,
		generate(ro, &yes, &dummy, &dummy));
	expect("a key of the session", CKR_OK, generate(s, &no, &dummy, &of_session));
	expect("signs", CKR_OK, sign(s, private));
	expect("in the other session, too", CKR_OK, sign(ro, private));
	expect("the session's key signs", CKR_OK, sign(s, of_session));
	EXPECT(CKR_OK, C_GetAttributeValue(s, private, &a, 1));
	expect("a private key is private", CK_TRUE, is_private);
	EXPECT(CKR_OK, C_GetAttributeValue(s, public, &a, 1));
	expect("a public key is not", CK_FALSE, is_private);
	expect("not for another slot", CKR_KEY_HANDLE_INVALID, sign(other, private));
	expect("where it is not found", 0, count(other, CKO_PRIVATE_KEY));
	expect("here are both", 2, count(s, CKO_PRIVATE_KEY));
	EXPECT(CKR_OK, C_SignInit(s, &ecdsa, private));
	EXPECT(CKR_OK, C_SignInit(ro, &ecdsa, of_session));
	EXPECT(CKR_OK, C_Logout(s));
	EXPECT(CKR_USER_NOT_LOGGED_IN, C_Sign(s, message, 7, signature, &n));
	EXPECT(CKR_USER_NOT_LOGGED_IN, C_Sign(ro, message, 7, signature, &n));
	expect("the key is not there", CKR_KEY_HANDLE_INVALID, sign(s, private));
	expect("nor found", 0, count(s, CKO_PRIVATE_KEY));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, C_GetAttributeValue(s, private, &a, 1));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(s, private));
	expect("the public keys are", 2, count(ro, CKO_PUBLIC_KEY));
	EXPECT(CKR_OK, C_Login(s, CKU_USER, PIN));
	expect("an old handle stays invalid", CKR_KEY_HANDLE_INVALID, sign(s, private));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, C_GetAttributeValue(s, private, &a, 1));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(s, private));
	EXPECT(CKR_OK, C_GetAttributeValue(s, public, &a, 1));
	private = only_key(s);
	expect("the key that is found signs", CKR_OK, sign(s, private));
	expect("the session's key is not", CKR_KEY_HANDLE_INVALID, sign(s, of_session));
	EXPECT(CKR_OK, C_CloseSession(ro));
	EXPECT(CKR_OK, C_CloseSession(other));
	*key = private;
}

/* The PIN is for one use, and that is the latest. */
static void two_at_a_time(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE signs)
{
	CK_MECHANISM make_rsa = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0}, rsa = {CKM_RSA_PKCS, NULL, 0};
	CK_ULONG bits = 2048, n = 256;
	CK_ATTRIBUTE of_public = {CKA_MODULUS_BITS, &bits, sizeof(bits)};
	CK_ATTRIBUTE of_private[] = {{CKA_DECRYPT, &yes, 1}, {CKA_ALWAYS_AUTHENTICATE, &yes, 1}};
	CK_BYTE message[] = "message", out[256], signature[64];
	CK_OBJECT_HANDLE public = 0, decrypts = 0;

	EXPECT(CKR_OK,
		C_GenerateKeyPair(s, &make_rsa, &of_public, 1, of_private, 2, &public, &decrypts));
	EXPECT(CKR_OK, C_EncryptInit(s, &rsa, public));
	EXPECT(CKR_OK, C_Encrypt(s, message, 7, out, &n));
	EXPECT(CKR_OK, C_SignInit(s, &ecdsa, signs));
	EXPECT(CKR_OK, C_DecryptInit(s, &rsa, decrypts));
	EXPECT(CKR_OK, C_Login(s, CKU_CONTEXT_SPECIFIC, PIN));
	EXPECT(CKR_OK, C_Decrypt(s, out, 256, out, &n));
	n = sizeof(signature);
	EXPECT(CKR_USER_NOT_LOGGED_IN, C_Sign(s, message, 7, signature, &n));
	n = sizeof(out);
	EXPECT(CKR_OK, C_EncryptInit(s, &rsa, public));
	EXPECT(CKR_OK, C_Encrypt(s, message, 7, out, &n));
	EXPECT(CKR_OK, C_DecryptInit(s, &rsa, decrypts));
	EXPECT(CKR_OK, C_SignInit(s, &ecdsa, signs));
	EXPECT(CKR_OK, C_Login(s, CKU_CONTEXT_SPECIFIC, PIN));
	EXPECT(CKR_OK, C_Login(s, CKU_CONTEXT_SPECIFIC, PIN));
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_Login(s, CKU_CONTEXT_SPECIFIC, PIN));
	EXPECT(CKR_OK, C_Decrypt(s, out, 256, out, &n));
	n = sizeof(signature);
	EXPECT(CKR_OK, C_Sign(s, message, 7, signature, &n));
	EXPECT(CKR_OK, C_DestroyObject(s, decrypts));
}

/* A key that asks for the PIN each time. */
static void each_time(CK_SESSION_HANDLE s)
{
	CK_SESSION_HANDLE plain = open_on(0, CKF_RW_SESSION);
	CK_ATTRIBUTE of_public[] = {{CKA_EC_PARAMS, p256, sizeof(p256)}};
	CK_ATTRIBUTE of_private[] = {
		{CKA_TOKEN, &yes, 1}, {CKA_SIGN, &yes, 1}, {CKA_ALWAYS_AUTHENTICATE, &yes, 1}};
	CK_BYTE message[] = "message", signature[64];
	CK_OBJECT_HANDLE public = 0, key = 0;
	CK_ULONG n = sizeof(signature);
	CK_BBOOL flag = CK_FALSE;
	CK_ATTRIBUTE ask = {CKA_ALWAYS_AUTHENTICATE, &flag, 1};

	EXPECT(CKR_TEMPLATE_INCONSISTENT,
		C_GenerateKeyPair(plain, &make_ec, of_public, 1, of_private, 3, &public, &key));
	EXPECT(CKR_OK, C_CloseSession(plain));
	EXPECT(CKR_OK, C_GenerateKeyPair(s, &make_ec, of_public, 1, of_private, 3, &public, &key));
	EXPECT(CKR_OK, C_GetAttributeValue(s, key, &ask, 1));
	expect("the key says so", CK_TRUE, flag);
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_Login(s, CKU_CONTEXT_SPECIFIC, PIN));
	expect("no signature without the PIN", CKR_USER_NOT_LOGGED_IN, sign(s, key));
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_Sign(s, message, 7, signature, &n));
	EXPECT(CKR_OK, C_SignInit(s, &ecdsa, key));
	EXPECT(CKR_PIN_INCORRECT, C_Login(s, CKU_CONTEXT_SPECIFIC, WRONG));
	EXPECT(CKR_OK, C_Login(s, CKU_CONTEXT_SPECIFIC, PIN));
	EXPECT(CKR_OK, C_Sign(s, message, 7, signature, &n));
	expect("one signature for each", CKR_USER_NOT_LOGGED_IN, sign(s, key));
	two_at_a_time(s, key);
	/* Nobody logs in by what a login left behind. */
	EXPECT(CKR_OK, C_SignInit(s, &ecdsa, key));
	EXPECT(CKR_OK, C_Logout(s));
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_Login(s, CKU_CONTEXT_SPECIFIC, PIN));
	EXPECT(CKR_OK, C_Login(s, CKU_USER, PIN));
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_Login(s, CKU_CONTEXT_SPECIFIC, PIN));
	EXPECT(CKR_USER_NOT_LOGGED_IN, C_Sign(s, message, 7, signature, &n));
	EXPECT(CKR_OK, C_DestroyObject(s, only(s, CKO_PRIVATE_KEY, CKA_ALWAYS_AUTHENTICATE)));
}

static CK_BBOOL flag_of(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL v = 2;
	CK_ATTRIBUTE a = {type, &v, 1};

	EXPECT(CKR_OK, C_GetAttributeValue(s, o, &a, 1));
	return v;
}

/* What may be different in a copy: CKA_TOKEN, CKA_PRIVATE and CKA_MODIFIABLE (4.4). */
static void copies(CK_SESSION_HANDLE s)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE of_data[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_VALUE, "value", 5},
		{CKA_MODIFIABLE, &no, 1}};
	CK_ATTRIBUTE hidden[] = {{CKA_PRIVATE, &yes, 1}, {CKA_TOKEN, &yes, 1}};
	CK_ATTRIBUTE shown[] = {{CKA_PRIVATE, &no, 1}, {CKA_MODIFIABLE, &yes, 1}};
	CK_ATTRIBUTE label = {CKA_LABEL, "new", 3};
	CK_OBJECT_HANDLE original = 0, private = 0, public = 0;
	CK_ULONG before = count(s, CKO_DATA);

	EXPECT(CKR_OK, C_CreateObject(s, of_data, 3, &original));
	EXPECT(CKR_OK, C_CopyObject(s, original, hidden, 2, &private));
	expect("the copy is private", CK_TRUE, flag_of(s, private, CKA_PRIVATE));
	EXPECT(CKR_OK, C_CopyObject(s, private, shown, 2, &public));
	expect("its copy is not", CK_FALSE, flag_of(s, public, CKA_PRIVATE));
	expect("and is one to change", CK_TRUE, flag_of(s, public, CKA_MODIFIABLE));
	EXPECT(CKR_OK, C_SetAttributeValue(s, public, &label, 1));
	EXPECT(CKR_ACTION_PROHIBITED, C_SetAttributeValue(s, private, &label, 1));
	expect("three", before + 3, count(s, CKO_DATA));
	EXPECT(CKR_OK, C_Logout(s));
	expect("without the PIN nobody sees the private one", before + 2, count(s, CKO_DATA));
	EXPECT(CKR_OK, C_Login(s, CKU_USER, PIN));
	EXPECT(CKR_OK, C_DestroyObject(s, only(s, CKO_DATA, CKA_PRIVATE)));
	EXPECT(CKR_OK, C_DestroyObject(s, original));
	EXPECT(CKR_OK, C_DestroyObject(s, public));
}

/* A public key without its private one can be for the user's eyes only. */
static void lone_public_key(CK_SESSION_HANDLE s)
{
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = CKK_EC;
	/* The generator of P-256 (SP 800-186, 3.2.1.3) */
	static CK_BYTE point[] = {0x04, 0x41, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47,
		0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb,
		0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2,
		0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce,
		0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
	CK_ATTRIBUTE of_public[] = {{CKA_CLASS, &class, sizeof(class)},
		{CKA_KEY_TYPE, &type, sizeof(type)}, {CKA_EC_PARAMS, p256, sizeof(p256)},
		{CKA_EC_POINT, point, sizeof(point)}, {CKA_TOKEN, &yes, 1}, {CKA_PRIVATE, &yes, 1}};
	CK_OBJECT_HANDLE public = 0;
	CK_ULONG before = count(s, CKO_PUBLIC_KEY);

	EXPECT(CKR_OK, C_CreateObject(s, of_public, 6, &public));
	expect("a public key is private", CK_TRUE, flag_of(s, public, CKA_PRIVATE));
	EXPECT(CKR_OK, C_Logout(s));
	expect("and not seen without the PIN", before, count(s, CKO_PUBLIC_KEY));
	EXPECT(CKR_OK, C_Login(s, CKU_USER, PIN));
	EXPECT(CKR_OK, C_DestroyObject(s, only(s, CKO_PUBLIC_KEY, CKA_PRIVATE)));
}

static void change_pin(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *key)
{
	EXPECT(CKR_PIN_INCORRECT, C_SetPIN(s, WRONG, NEW_PIN));
	EXPECT(CKR_PIN_LEN_RANGE, C_SetPIN(s, PIN, (unsigned char *)(size_t) "12", 2));
	EXPECT(CKR_OK, C_SetPIN(s, PIN, NEW_PIN));
	expect("who changed it is still logged in", CKR_OK, sign(s, *key));
	EXPECT(CKR_OK, C_Logout(s));
	EXPECT(CKR_PIN_INCORRECT, C_Login(s, CKU_USER, PIN));
	/* Nobody is logged in: it is the user's. */
	EXPECT(CKR_OK, C_SetPIN(s, NEW_PIN, PIN));
	EXPECT(CKR_OK, C_Login(s, CKU_USER, PIN));
	*key = only_key(s);
	expect("it works", CKR_OK, sign(s, *key));
}

/* A child goes on with the login, and its logout is its own. */
static void children(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key)
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();

	if (!child) {
		failed = 0;
		expect("the child signs", CKR_OK, sign(s, key));
		EXPECT(CKR_OK, C_Logout(s));
		expect("and then not", CKR_KEY_HANDLE_INVALID, sign(s, key));
		fflush(stdout);
		_exit(failed != 0);
	}
	waitpid(child, &status, 0);
	expect("the child", 0, (CK_RV)status);
	expect("the parent still signs", CKR_OK, sign(s, key));
}

static CK_OBJECT_HANDLE shared_key;

static void *sign_often(void *result)
{
	CK_SESSION_HANDLE s;
	CK_RV rv = p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &s);

	for (int i = 0; !rv && i < 50; i++)
		rv = sign(s, shared_key);
	*(CK_RV *)result = rv;
	return NULL;
}

static void threads(CK_OBJECT_HANDLE key)
{
	pthread_t t[4];
	CK_RV results[4];

	shared_key = key;
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, sign_often, &results[i]);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		expect("a thread", CKR_OK, results[i]);
	}
}

static void restart(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key)
{
	char line[16];

	puts("restart");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(1);
	expect("after a restart of the TEE", CKR_USER_NOT_LOGGED_IN, sign(s, key));
	EXPECT(CKR_OK, C_Login(s, CKU_USER, PIN));
	expect("and a login", CKR_OK, sign(s, key));
}

static atomic_bool is_open;

static void *log_in(void *result)
{
	CK_SESSION_HANDLE s = 0;
	CK_RV rv = p11->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &s);

	atomic_store(&is_open, true);
	*(CK_RV *)result = rv ? rv : p11->C_Login(s, CKU_USER, PIN);
	return NULL;
}

/* Closing the last session ends the login, also one that is about to be (5.6.3). */
static void closed_meanwhile(void)
{
	for (int i = 0; i < 30; i++) {
		CK_RV result = CKR_OK;
		pthread_t t;

		atomic_store(&is_open, false);
		pthread_create(&t, NULL, log_in, &result);
		while (!atomic_load(&is_open))
			usleep(100);
		usleep(200 * (unsigned)i);
		EXPECT(CKR_OK, C_CloseAllSessions(SLOT));
		pthread_join(t, NULL);
		if (result != CKR_SESSION_CLOSED && result != CKR_SESSION_HANDLE_INVALID)
			expect("a login", CKR_OK, result);
		expect("nobody is left", CKS_RO_PUBLIC_SESSION, state(open_on(SLOT, 0)));
		EXPECT(CKR_OK, C_CloseAllSessions(SLOT));
	}
}

int main(int argc, char **argv)
{
	void *module = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
	CK_C_GetFunctionList get =
		module ? (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList") : NULL;
	CK_SESSION_HANDLE s, of_default;
	CK_OBJECT_HANDLE key = 0;

	if (!get || get(&p11) != CKR_OK)
		return 1;
	EXPECT(CKR_OK, C_Initialize(NULL));
	officers();
	s = open_on(SLOT, CKF_RW_SESSION);
	of_default = open_on(0, CKF_RW_SESSION);
	users(s, &key);
	each_time(s);
	copies(s);
	lone_public_key(s);
	key = only_key(s);
	change_pin(s, &key);
	children(s, key);
	threads(key);
	restart(s, key);
	/* The login ends with the last session of its slot, and not with another's. */
	EXPECT(CKR_OK, C_CloseAllSessions(SLOT));
	EXPECT(CKR_SESSION_HANDLE_INVALID, C_Logout(s));
	EXPECT(CKR_USER_NOT_LOGGED_IN, C_Logout(of_default));
	s = open_on(SLOT, 0);
	expect("nobody", CKS_RO_PUBLIC_SESSION, state(s));
	EXPECT(CKR_SESSION_READ_ONLY, C_SetPIN(s, PIN, NEW_PIN));
	EXPECT(CKR_OK, C_CloseAllSessions(SLOT));
	closed_meanwhile();
	EXPECT(CKR_OK, C_Finalize(NULL));
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}

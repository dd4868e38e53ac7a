/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that are destroyed, and sessions that are closed, while something is under way. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkcs11_matrix.h"

static CK_BYTE in[64] = "what is signed";
static CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0}, cbc = {CKM_AES_CBC, iv, 16},
		    hmac = {CKM_SHA256_HMAC, NULL, 0}, gcm = {CKM_AES_GCM, NULL, 0};

/* Who ends it */
enum by { THIS_PROCESS, OTHER_PROCESS, END_OF_SESSION, LOGOUT, NEW_LOGIN };

static const char *const ways[] = {"destroyed here", "destroyed by another process",
	"gone with its session", "with its user logged out",
	"with its user logged out, and in again"};

#define SO_PIN ((unsigned char *)(size_t) "87654321"), 8
#define PIN ((unsigned char *)(size_t) "4711"), 4

static bool find_and_destroy(CK_SESSION_HANDLE s, const char *label)
{
	CK_ATTRIBUTE a = {CKA_LABEL, (void *)(size_t)label, strlen(label)};
	CK_OBJECT_HANDLE found[4];
	CK_ULONG n = 0;
	bool good = false;

	if (p11->C_FindObjectsInit(s, &a, 1) || p11->C_FindObjects(s, found, 4, &n) ||
		p11->C_FindObjectsFinal(s))
		return false;
	/* The public key does not go alone. */
	for (CK_ULONG i = 0; !good && i < n; i++)
		good = !p11->C_DestroyObject(s, found[i]);
	return good;
}

static bool destroy_labelled(const char *label)
{
	CK_SESSION_HANDLE s;

	return !p11->C_Initialize(NULL) &&
	       !p11->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s) &&
	       find_and_destroy(s, label) && !p11->C_Finalize(NULL);
}

static void destroy(enum by by, CK_SESSION_HANDLE maker, CK_OBJECT_HANDLE key, const char *label)
{
	int status = 1;
	pid_t pid;

	if (by == THIS_PROCESS) {
		EXPECT(CKR_OK, C_DestroyObject(maker, key));
		return;
	}
	if (by == END_OF_SESSION) {
		EXPECT(CKR_OK, C_CloseSession(maker));
		return;
	}
	if (by == LOGOUT || by == NEW_LOGIN) {
		EXPECT(CKR_OK, C_Logout(maker));
		if (by == NEW_LOGIN)
			EXPECT(CKR_OK, C_Login(maker, CKU_USER, PIN));
		return;
	}
	pid = fork();
	if (!pid)
		_exit(!destroy_labelled(label));
	waitpid(pid, &status, 0);
	expect("another process destroys it", 0, (CK_RV)status);
}

enum use { SIGN, SIGN_PARTS, MAC, ENCRYPT, ENCRYPT_PARTS, DECRYPT, MESSAGE, USES };

static const char *const uses[] = {"C_Sign", "C_SignFinal", "C_Sign (MAC)", "C_Encrypt",
	"C_EncryptUpdate", "C_Decrypt", "C_EncryptMessage"};

static CK_OBJECT_HANDLE make(enum use use, CK_SESSION_HANDLE s, CK_BBOOL *token, const char *label)
{
	CK_OBJECT_HANDLE public, private;

	if (use == MAC)
		return secret_make(s, CKM_GENERIC_SECRET_KEY_GEN, token, label);
	if (use != SIGN && use != SIGN_PARTS)
		return secret_make(s, CKM_AES_KEY_GEN, token, label);
	pair_make(s, token, label, &public, &private);
	return private;
}

static CK_RV begin(enum use use, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key)
{
	CK_BYTE out[64];
	CK_ULONG n = sizeof(out);
	CK_RV rv;

	switch (use) {
	case SIGN:
		return p11->C_SignInit(s, &ecdsa, key);
	case SIGN_PARTS:
		rv = p11->C_SignInit(s, &ecdsa, key);
		return rv ? rv : p11->C_SignUpdate(s, in, 32);
	case MAC:
		return p11->C_SignInit(s, &hmac, key);
	case ENCRYPT:
		return p11->C_EncryptInit(s, &cbc, key);
	case ENCRYPT_PARTS:
		rv = p11->C_EncryptInit(s, &cbc, key);
		return rv ? rv : p11->C_EncryptUpdate(s, in, 32, out, &n);
	case DECRYPT:
		return p11->C_DecryptInit(s, &cbc, key);
	default:
		return p11->C_MessageEncryptInit(s, &gcm, key);
	}
}

static CK_RV go_on(enum use use, CK_SESSION_HANDLE s)
{
	CK_BYTE out[64];
	CK_ULONG n = sizeof(out);

	switch (use) {
	case SIGN:
	case MAC:
		return p11->C_Sign(s, in, 32, out, &n);
	case SIGN_PARTS:
		return p11->C_SignFinal(s, out, &n);
	case ENCRYPT:
		return p11->C_Encrypt(s, in, 32, out, &n);
	case ENCRYPT_PARTS:
		return p11->C_EncryptUpdate(s, in, 32, out, &n);
	case DECRYPT:
		return p11->C_Decrypt(s, in, 32, out, &n);
	default:
		return p11->C_EncryptMessage(
			s, &gcm_message, sizeof(gcm_message), NULL, 0, in, 20, out, &n);
	}
}

/* Between the beginning of an operation and its end. A key that is not there signs nothing. */
static void between(enum use use, enum by by, CK_BBOOL *token)
{
	CK_SESSION_HANDLE s = session_open(0), maker = session_open(CKF_RW_SESSION);
	CK_OBJECT_HANDLE key;
	CK_RV rv;

	about("%s, %s key %s", uses[use], *token ? "token" : "session", ways[by]);
	key = make(use, maker, token, "soon gone");
	expect("the operation begins", CKR_OK, begin(use, s, key));
	destroy(by, maker, key, "soon gone");
	expect("the key is not there",
		by == LOGOUT || by == NEW_LOGIN ? CKR_USER_NOT_LOGGED_IN : CKR_KEY_HANDLE_INVALID,
		go_on(use, s));
	expect("and nothing is under way", CKR_OPERATION_NOT_INITIALIZED, go_on(use, s));
	/* What another process did is seen at the next search, or by the TEE. */
	rv = begin(use, s, key);
	check("it may begin", rv == CKR_KEY_HANDLE_INVALID || (!rv && by == OTHER_PROCESS));
	expect("but does nothing", CKR_KEY_HANDLE_INVALID, rv ? rv : go_on(use, s));
	if (by == LOGOUT)
		EXPECT(CKR_OK, C_Login(maker, CKU_USER, PIN));
	if ((by == LOGOUT || by == NEW_LOGIN) && *token)
		check("the key is still on the token", find_and_destroy(maker, "soon gone"));
	if (by != END_OF_SESSION)
		EXPECT(CKR_OK, C_CloseSession(maker));
	EXPECT(CKR_OK, C_CloseSession(s));
}

/* --- Threads --- */

struct runner {
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE key;
	atomic_int rounds;
	CK_RV last;
};

static void *sign_until_closed(void *arg)
{
	struct runner *r = arg;
	CK_BYTE out[64];
	CK_ULONG n;

	do {
		n = sizeof(out);
		r->last = p11->C_SignInit(r->s, &ecdsa, r->key);
		if (!r->last)
			r->last = p11->C_Sign(r->s, in, 32, out, &n);
		r->rounds++;
	} while (!r->last);
	return NULL;
}

static void *make_until_closed(void *arg)
{
	struct runner *r = arg;
	CK_ATTRIBUTE t[] = {{CKA_LABEL, "left", 4}};
	CK_ATTRIBUTE curve = {CKA_EC_PARAMS, p256, sizeof(p256)};
	CK_MECHANISM m = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_OBJECT_HANDLE public, private;

	do {
		r->last = p11->C_GenerateKeyPair(r->s, &m, &curve, 1, t, 1, &public, &private);
		r->rounds++;
	} while (!r->last);
	return NULL;
}

static CK_ULONG count_labelled(CK_SESSION_HANDLE s, char *label)
{
	CK_ATTRIBUTE a = {CKA_LABEL, label, strlen(label)};
	CK_OBJECT_HANDLE found[64];
	CK_ULONG n = 0;

	EXPECT(CKR_OK, C_FindObjectsInit(s, &a, 1));
	EXPECT(CKR_OK, C_FindObjects(s, found, 64, &n));
	EXPECT(CKR_OK, C_FindObjectsFinal(s));
	return n;
}

/* Closed by another thread: it says so, and leaves nothing behind. */
static void closed_meanwhile(void)
{
	CK_SESSION_HANDLE s = session_open(CKF_RW_SESSION);
	CK_OBJECT_HANDLE public, private;

	pair_make(s, &no, "for threads", &public, &private);
	for (int i = 0; i < 40; i++) {
		struct runner r = {.s = session_open(CKF_RW_SESSION), .key = private};
		pthread_t thread;

		about("a session closed by another thread");
		check("a thread starts",
			!pthread_create(
				&thread, NULL, i & 1 ? make_until_closed : sign_until_closed, &r));
		while (r.rounds < 3)
			sched_yield();
		EXPECT(CKR_OK, C_CloseSession(r.s));
		pthread_join(thread, NULL);
		check("the thread is told",
			r.last == CKR_SESSION_HANDLE_INVALID || r.last == CKR_SESSION_CLOSED);
		expect("it leaves no objects", 0, count_labelled(s, "left"));
	}
	EXPECT(CKR_OK, C_CloseSession(s));
}

/* What a session began ends with the login, on a token that asks for one. */
static void logged_out(void)
{
	CK_BYTE label[32] = "matrix                          ";
	CK_SESSION_HANDLE s;

	about("a token with PINs");
	slot = 1;
	EXPECT(CKR_OK, C_InitToken(slot, SO_PIN, label));
	s = session_open(CKF_RW_SESSION);
	EXPECT(CKR_OK, C_Login(s, CKU_SO, SO_PIN));
	EXPECT(CKR_OK, C_InitPIN(s, PIN));
	EXPECT(CKR_OK, C_Logout(s));
	EXPECT(CKR_OK, C_Login(s, CKU_USER, PIN));
	for (enum use use = 0; use < USES; use++) {
		between(use, LOGOUT, &no);
		between(use, LOGOUT, &yes);
		between(use, NEW_LOGIN, &no);
		between(use, NEW_LOGIN, &yes);
	}
	EXPECT(CKR_OK, C_CloseSession(s));
	slot = 0;
}

void check_gone(void)
{
	for (enum use use = 0; use < USES; use++) {
		between(use, THIS_PROCESS, &no);
		between(use, END_OF_SESSION, &no);
		between(use, THIS_PROCESS, &yes);
		between(use, OTHER_PROCESS, &yes);
	}
	closed_meanwhile();
	logged_out();
}

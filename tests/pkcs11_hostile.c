/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What no careful application does, or what somebody else makes it do: the module stays whole, gives nothing away, and does not say
 * that something is right which it has not looked at. tests/pkcs11_hostile.sh starts a TEE for it.
 *
 * usage: pkcs11_hostile MODULE
 *        pkcs11_hostile MODULE by-value     a search by what this user may not read goes on to the end
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
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

static CK_OBJECT_CLASS data_class = CKO_DATA;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
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

/* Associated data alone: there is no plaintext, and some give no buffer for it. */
static void tag_without_data(void)
{
	CK_OBJECT_HANDLE key = make_secret();
	CK_BYTE iv[12] = {1}, tag[16] = {0}, out[16], aad[] = "to be believed";
	struct gcm_message p = {iv, sizeof(iv), 0, CKG_NO_GENERATE, tag, 128};
	CK_GCM_PARAMS gcm = {iv, sizeof(iv), 96, aad, sizeof(aad), 128};
	CK_MECHANISM m = {CKM_AES_GCM, &gcm, sizeof(gcm)};
	CK_ULONG n = 0;

	EXPECT3(CKR_OK, C_MessageEncryptInit(s, &m, key));
	EXPECT3(CKR_OK, C_EncryptMessage(s, &p, sizeof(p), aad, sizeof(aad), NULL, 0, NULL, &n));
	check("there is a tag", tag[0] | tag[1] | tag[2] | tag[3]);
	EXPECT3(CKR_OK, C_MessageEncryptFinal(s));
	EXPECT3(CKR_OK, C_MessageDecryptInit(s, &m, key));
	EXPECT3(CKR_OK, C_DecryptMessage(s, &p, sizeof(p), aad, sizeof(aad), NULL, 0, NULL, &n));
	EXPECT(CKR_OK, C_DecryptInit(s, &m, key));
	EXPECT(CKR_OK, C_Decrypt(s, tag, 16, NULL, &n));
	n = sizeof(out);
	EXPECT(CKR_OK, C_Decrypt(s, tag, 16, out, &n));
	tag[5] ^= 1;
	EXPECT3(CKR_AEAD_DECRYPT_FAILED,
		C_DecryptMessage(s, &p, sizeof(p), aad, sizeof(aad), NULL, 0, NULL, &n));
	EXPECT3(CKR_OK, C_DecryptMessageBegin(s, &p, sizeof(p), aad, sizeof(aad)));
	EXPECT3(CKR_AEAD_DECRYPT_FAILED,
		C_DecryptMessageNext(s, &p, sizeof(p), NULL, 0, NULL, &n, CKF_END_OF_MESSAGE));
	EXPECT3(CKR_OK, C_MessageDecryptFinal(s));
	EXPECT(CKR_OK, C_DecryptInit(s, &m, key));
	EXPECT(CKR_ENCRYPTED_DATA_INVALID, C_Decrypt(s, tag, 16, NULL, &n));
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_Decrypt(s, tag, 16, out, &n));
}

/* One buffer for what goes in and what comes out, also when the two are not quite the same place. */
static void one_buffer(void)
{
	static const CK_MECHANISM_TYPE types[] = {
		CKM_AES_ECB, CKM_AES_CBC, CKM_AES_CBC_PAD, CKM_AES_CTR, CKM_AES_GCM};
	CK_BYTE plain[48], at_once[80], b[96], iv[16] = {3};
	CK_OBJECT_HANDLE key = make_secret();
	CK_AES_CTR_PARAMS ctr = {128, {7}};
	CK_GCM_PARAMS gcm = {iv, 12, 96, NULL, 0, 128};
	CK_ULONG n, m_len;

	memset(plain, 0x5a, sizeof(plain));
	for (size_t i = 0; i < COUNT(types); i++) {
		CK_MECHANISM m = {types[i], iv, types[i] == CKM_AES_ECB ? 0 : sizeof(iv)};

		if (types[i] == CKM_AES_CTR)
			m = (CK_MECHANISM){types[i], &ctr, sizeof(ctr)};
		if (types[i] == CKM_AES_GCM)
			m = (CK_MECHANISM){types[i], &gcm, sizeof(gcm)};
		m_len = sizeof(at_once);
		EXPECT(CKR_OK, C_EncryptInit(s, &m, key));
		EXPECT(CKR_OK, C_Encrypt(s, plain, sizeof(plain), at_once, &m_len));
		for (size_t shift = 0; shift <= 8; shift += 8) {
			memcpy(b, plain, sizeof(plain));
			n = sizeof(b) - shift;
			EXPECT(CKR_OK, C_EncryptInit(s, &m, key));
			EXPECT(CKR_OK, C_Encrypt(s, b, sizeof(plain), b + shift, &n));
			check("the same ciphertext", n == m_len && !memcmp(b + shift, at_once, n));
			EXPECT(CKR_OK, C_DecryptInit(s, &m, key));
			EXPECT(CKR_OK, C_Decrypt(s, b + shift, n, b, &n));
			check("the same plaintext", n == sizeof(plain) && !memcmp(b, plain, n));
		}
	}
}

static CK_RV make_with(
	const CK_ATTRIBUTE *private_one, const CK_ATTRIBUTE *public_one, CK_OBJECT_HANDLE *private)
{
	CK_ATTRIBUTE of_private[] = {{CKA_TOKEN, &yes, 1}, *private_one};
	CK_ATTRIBUTE of_public[] = {{CKA_EC_PARAMS, p256, sizeof(p256)}, *public_one};
	CK_OBJECT_HANDLE public;

	return p11->C_GenerateKeyPair(s, &make_ec, of_public, 2, of_private, 2, &public, private);
}

/* What a template asks for is there, or the key is not. */
static void templates(void)
{
	CK_ATTRIBUTE sign = {CKA_SIGN, &yes, 1}, verify = {CKA_VERIFY, &yes, 1};
	CK_ATTRIBUTE fixed = {CKA_MODIFIABLE, &no, 1}, label = {CKA_LABEL, "renamed", 7};
	CK_ATTRIBUTE strange = {0x12345, &yes, 1}, trusted = {CKA_TRUSTED, &yes, 1};
	CK_ATTRIBUTE nested = {CKA_WRAP_TEMPLATE, &strange, sizeof(strange)};
	CK_ATTRIBUTE date = {CKA_START_DATE, "2026", 4};
	CK_BBOOL may_change = 2;
	CK_ATTRIBUTE asked = {CKA_MODIFIABLE, &may_change, 1};
	CK_OBJECT_HANDLE key = 0;

	expect("unknown", CKR_ATTRIBUTE_TYPE_INVALID, make_with(&sign, &strange, &key));
	expect("nested", CKR_ATTRIBUTE_TYPE_INVALID, make_with(&sign, &nested, &key));
	expect("trusted", CKR_TEMPLATE_INCONSISTENT, make_with(&sign, &trusted, &key));
	expect("half a date", CKR_ATTRIBUTE_VALUE_INVALID, make_with(&date, &verify, &key));
	expect("no key", 0, key);
	expect("not to be changed", CKR_OK, make_with(&fixed, &verify, &key));
	EXPECT(CKR_OK, C_GetAttributeValue(s, key, &asked, 1));
	expect("so it says", CK_FALSE, may_change);
	EXPECT(CKR_ACTION_PROHIBITED, C_SetAttributeValue(s, key, &label, 1));
	EXPECT(CKR_OK, C_DestroyObject(s, key));
	expect("an ordinary one", CKR_OK, make_with(&sign, &verify, &key));
	EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, C_SetAttributeValue(s, key, &date, 1));
	EXPECT(CKR_OK, C_SetAttributeValue(s, key, &label, 1));
	EXPECT(CKR_OK, C_DestroyObject(s, key));
}

/* What a heap may take besides; AddressSanitizer keeps what was freed. */
#define GROWTH_MAX_KIB 2048
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#undef GROWTH_MAX_KIB
#define GROWTH_MAX_KIB SIZE_MAX / 2
#endif
#endif

static size_t memory_kib(void)
{
	unsigned long kib = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "VmData: %lu", &kib) == 1)
			break;
	}
	if (f)
		fclose(f);
	return kib;
}

/* A server makes an object of its session for each of its clients, for years. */
static void many_objects(void)
{
	CK_ATTRIBUTE t[] = {
		{CKA_CLASS, &data_class, sizeof(data_class)}, {CKA_VALUE, (void *)"v", 1}};
	CK_OBJECT_HANDLE o = 0, first = 0, last = 0;
	size_t before = 0;

	for (int i = 0; i < 200000; i++) {
		if (i == 20000)
			before = memory_kib();
		if (p11->C_CreateObject(s, t, COUNT(t), &o) || o == first || o == last ||
			p11->C_DestroyObject(s, o)) {
			failed++;
			printf("not ok - object number %d\n", i);
			return;
		}
		first = first ? first : o;
		last = o;
	}
	EXPECT(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(s, first));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(s, last));
	check("what is gone takes no memory", memory_kib() < before + GROWTH_MAX_KIB);
}

/* --- Threads --- */

static atomic_int stop;
static _Atomic(CK_OBJECT_HANDLE) shared_key;

/* What a call may answer when the ground goes from under it. */
static int is_answer(CK_RV rv)
{
	return rv == CKR_OK || rv == CKR_CRYPTOKI_NOT_INITIALIZED ||
	       rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_SESSION_CLOSED ||
	       rv == CKR_KEY_HANDLE_INVALID || rv == CKR_OPERATION_NOT_INITIALIZED ||
	       rv == CKR_OPERATION_ACTIVE;
}

static void *use_always(void *arg)
{
	CK_SESSION_HANDLE h = 0;
	CK_TOKEN_INFO token;
	CK_BYTE sig[64];
	size_t bad = 0;
	CK_ULONG n;

	(void)arg;
	while (!atomic_load(&stop)) {
		if (p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &h))
			continue;
		bad += !is_answer(p11->C_GetTokenInfo(0, &token));
		for (int i = 0; i < 20; i++) {
			n = sizeof(sig);
			bad += !is_answer(p11->C_SignInit(h, &ecdsa_sha256, shared_key));
			bad += !is_answer(p11->C_Sign(h, sig, 1, sig, &n));
			bad += !is_answer(p11->C_FindObjectsInit(h, NULL, 0));
			bad += !is_answer(p11->C_FindObjectsFinal(h));
		}
	}
	return (void *)bad;
}

#define THREADS 4

static void start_threads(pthread_t threads[THREADS], void *(*run)(void *))
{
	atomic_store(&stop, 0);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, run, NULL);
}

static size_t join_threads(pthread_t threads[THREADS])
{
	size_t bad = 0;
	void *result;

	atomic_store(&stop, 1);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		bad += (size_t)result;
	}
	return bad;
}

/* The end of the module while other threads are in it, and its next beginning. */
static void finalized_in_use(void)
{
	pthread_t threads[THREADS];
	CK_OBJECT_HANDLE public;

	shared_key = make_pair(&no, &public);
	start_threads(threads, use_always);
	for (int i = 0; i < 40; i++) {
		usleep(3000);
		EXPECT(CKR_OK, C_Finalize(NULL));
		EXPECT(CKR_OK, C_Initialize(NULL));
		s = open_session();
		shared_key = make_pair(&no, &public);
	}
	check("each call had an answer", join_threads(threads) == 0);
}

static _Atomic(CK_SESSION_HANDLE) shared;

/* Keys of a session that somebody else closes. */
static void *make_always(void *arg)
{
	CK_ULONG size = 32;
	CK_ATTRIBUTE t[] = {{CKA_VALUE_LEN, &size, sizeof(size)}, {CKA_LABEL, "left over", 9}};
	CK_OBJECT_HANDLE key;
	size_t bad = 0;

	(void)arg;
	while (!atomic_load(&stop))
		bad += !is_answer(p11->C_GenerateKey(shared, &make_aes, t, COUNT(t), &key));
	return (void *)bad;
}

static void closed_in_use(void)
{
	CK_ATTRIBUTE wanted = {CKA_LABEL, "left over", 9};
	pthread_t threads[THREADS];
	CK_OBJECT_HANDLE found[4];
	CK_ULONG n = 0;

	shared = open_session();
	start_threads(threads, make_always);
	for (int i = 0; i < 60; i++) {
		usleep(1000);
		EXPECT(CKR_OK, C_CloseSession(shared));
		shared = open_session();
	}
	check("each call had an answer", join_threads(threads) == 0);
	EXPECT(CKR_OK, C_CloseSession(shared));
	EXPECT(CKR_OK, C_FindObjectsInit(s, &wanted, 1));
	EXPECT(CKR_OK, C_FindObjects(s, found, 4, &n));
	EXPECT(CKR_OK, C_FindObjectsFinal(s));
	expect("nothing outlives its session", 0, n);
}

/* An operation that grows all the time */
static void *gather_always(void *arg)
{
	static CK_BYTE part[700];

	(void)arg;
	while (!atomic_load(&stop)) {
		(void)p11->C_SignInit(shared, &ecdsa_sha256, shared_key);
		for (int i = 0; i < 50; i++)
			(void)p11->C_SignUpdate(shared, part, sizeof(part));
		(void)p11->C_SignInit(shared, NULL, 0);
	}
	return NULL;
}

/* A child of a process whose other threads were in the midst of something. */
static void forked_in_use(void)
{
	pthread_t threads[THREADS];
	CK_OBJECT_HANDLE public;
	unsigned bad = 0;

	shared = open_session();
	shared_key = make_pair(&no, &public);
	start_threads(threads, gather_always);
	for (int i = 0; i < 200; i++) {
		pid_t pid = fork();
		int status = 1;

		if (!pid) {
			alarm(20);
			/* Frees whatever there is. */
			(void)p11->C_SignInit(shared, NULL, 0);
			_exit(p11->C_SignInit(shared, &ecdsa_sha256, shared_key) ||
				p11->C_SignUpdate(shared, (CK_BYTE *)"m", 1) ||
				p11->C_CloseAllSessions(0));
		}
		waitpid(pid, &status, 0);
		bad += status != 0;
	}
	expect("children go on", 0, bad);
	check("so does the parent", join_threads(threads) == 0);
	EXPECT(CKR_OK, C_CloseSession(shared));
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

static void by_value(void)
{
	CK_ATTRIBUTE wanted = {CKA_VALUE, "0123456789abcdef", 16};
	CK_OBJECT_HANDLE found[4];
	CK_ULONG n = 7;

	EXPECT(CKR_OK, C_FindObjectsInit(s, &wanted, 1));
	EXPECT(CKR_OK, C_FindObjects(s, found, 4, &n));
	expect("it is nobody's value", 0, n);
}

int main(int argc, char **argv)
{
	if (argc < 2 || !start(argv[1]))
		return 2;
	s = open_session();
	if (argc > 2) {
		by_value();
		return failed != 0;
	}
	bad_derivation();
	tag_without_data();
	one_buffer();
	templates();
	many_objects();
	finalized_in_use();
	closed_in_use();
	forked_in_use();
	EXPECT(CKR_OK, C_Finalize(NULL));
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}

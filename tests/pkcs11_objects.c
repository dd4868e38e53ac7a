/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates and data through the PKCS #11 module: which templates are refused, and how; what of an object changes; when
 * it ends; and what another process sees. tests/pkcs11_certificates.sh starts a TEE for it.
 *
 * usage: pkcs11_objects MODULE CERTIFICATE.der ANOTHER.der
 */
#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CKO_NSS_TRUST 0xce534353UL /* NSS, pkcs11n.h */
#define OBJECT_MAX 6000

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
static CK_OBJECT_CLASS of_certificate = CKO_CERTIFICATE, of_data = CKO_DATA;
static CK_CERTIFICATE_TYPE x509 = CKC_X_509;

/* --- What the certificate says, as libcrypto reads it --- */

static struct {
	unsigned char der[8192], other[8192];
	size_t len, other_len;
	unsigned char *subject, *issuer, *serial, *spki;
	CK_ULONG subject_len, issuer_len, serial_len, spki_len;
	unsigned char check[20];
} cert;

static size_t read_file(const char *path, unsigned char *to, size_t room)
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(to, 1, room, f) : 0;

	if (f)
		fclose(f);
	return n;
}

static int read_certificate(const char *path, const char *other)
{
	const unsigned char *p = cert.der;
	X509 *x;

	cert.len = read_file(path, cert.der, sizeof(cert.der));
	cert.other_len = read_file(other, cert.other, sizeof(cert.other));
	x = d2i_X509(NULL, &p, (long)cert.len);
	if (!x || !cert.other_len)
		return 0;
	cert.subject_len = (CK_ULONG)i2d_X509_NAME(X509_get_subject_name(x), &cert.subject);
	cert.issuer_len = (CK_ULONG)i2d_X509_NAME(X509_get_issuer_name(x), &cert.issuer);
	cert.serial_len = (CK_ULONG)i2d_ASN1_INTEGER(X509_get0_serialNumber(x), &cert.serial);
	cert.spki_len = (CK_ULONG)i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &cert.spki);
	X509_free(x);
	return EVP_Digest(cert.der, cert.len, cert.check, NULL, EVP_sha1(), NULL);
}

static void no_certificate_left(void)
{
	OPENSSL_free(cert.subject);
	OPENSSL_free(cert.issuer);
	OPENSSL_free(cert.serial);
	OPENSSL_free(cert.spki);
}

/* --- Short forms --- */

static CK_SESSION_HANDLE open_session(CK_FLAGS flags)
{
	CK_SESSION_HANDLE s = 0;

	EXPECT(CKR_OK, C_OpenSession(0, CKF_SERIAL_SESSION | flags, NULL, NULL, &s));
	return s;
}

static CK_ULONG find(CK_SESSION_HANDLE s, CK_ATTRIBUTE *wanted, CK_ULONG count, CK_OBJECT_HANDLE *o)
{
	static CK_OBJECT_HANDLE many[1000];
	CK_ULONG n = 0;

	EXPECT(CKR_OK, C_FindObjectsInit(s, wanted, count));
	EXPECT(CKR_OK, C_FindObjects(s, many, COUNT(many), &n));
	EXPECT(CKR_OK, C_FindObjectsFinal(s));
	if (o)
		*o = n ? many[0] : 0;
	return n;
}

/* A certificate with at most six attributes more */
static CK_RV create(CK_SESSION_HANDLE s, CK_BBOOL *token, const CK_ATTRIBUTE *more, CK_ULONG count,
	CK_OBJECT_HANDLE *o)
{
	CK_ATTRIBUTE all[10] = {{CKA_CLASS, &of_certificate, sizeof(of_certificate)},
		{CKA_CERTIFICATE_TYPE, &x509, sizeof(x509)}, {CKA_TOKEN, token, 1},
		{CKA_VALUE, cert.der, cert.len}};

	if (count)
		memcpy(all + 4, more, count * sizeof(*more));
	return p11->C_CreateObject(s, all, 4 + count, o);
}

static CK_RV create_data(CK_SESSION_HANDLE s, CK_BBOOL *token, const char *label, void *value,
	CK_ULONG n, CK_OBJECT_HANDLE *o)
{
	CK_ATTRIBUTE all[] = {{CKA_CLASS, &of_data, sizeof(of_data)}, {CKA_TOKEN, token, 1},
		{CKA_LABEL, (void *)(size_t)label, strlen(label)}, {CKA_VALUE, value, n}};

	return p11->C_CreateObject(s, all, COUNT(all), o);
}

static int has(
	CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type, const void *p, CK_ULONG n)
{
	unsigned char buffer[8192];
	CK_ATTRIBUTE a = {type, buffer, sizeof(buffer)};

	return !p11->C_GetAttributeValue(s, o, &a, 1) && a.ulValueLen == n && !memcmp(buffer, p, n);
}

/* --- */

static void refused_templates(void)
{
	CK_SESSION_HANDLE s = open_session(CKF_RW_SESSION), ro = open_session(0);
	CK_CERTIFICATE_TYPE wtls = CKC_WTLS;
	CK_ULONG category = 4;
	CK_OBJECT_CLASS trust = CKO_NSS_TRUST;
	CK_ATTRIBUTE bad[] = {{CKA_TRUSTED, &yes, 1}, {CKA_SUBJECT, "\x30\0", 2},
		{CKA_ISSUER, "\x30\0", 2}, {CKA_SERIAL_NUMBER, "\x02\1\x63", 3},
		{CKA_CHECK_VALUE, "abc", 3},
		{CKA_CERTIFICATE_CATEGORY, &category, sizeof(category)},
		{CKA_START_DATE, "2026010", 7}, {4 /* CKA_UNIQUE_ID */, "x", 1},
		{CKA_MODULUS, "x", 1}, {CKA_MODIFIABLE, "\2", 1}};
	static const CK_RV answers[] = {CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT,
		CKR_TEMPLATE_INCONSISTENT, CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_VALUE_INVALID,
		CKR_ATTRIBUTE_VALUE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID, CKR_ATTRIBUTE_READ_ONLY,
		CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID};
	CK_ATTRIBUTE all[] = {{CKA_CLASS, &of_certificate, sizeof(of_certificate)},
		{CKA_VALUE, cert.der, cert.len}, {CKA_CERTIFICATE_TYPE, &x509, sizeof(x509)}};
	CK_ULONG before = find(s, NULL, 0, NULL);
	CK_OBJECT_HANDLE o = 0;

	for (size_t i = 0; i < COUNT(bad); i++)
		expect("a template that is refused", answers[i], create(s, &yes, &bad[i], 1, &o));
	EXPECT(CKR_TEMPLATE_INCOMPLETE, C_CreateObject(s, all, 2, &o));
	EXPECT(CKR_ARGUMENTS_BAD, C_CreateObject(s, all, 3, NULL));
	all[2].pValue = &wtls;
	EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, C_CreateObject(s, all, 3, &o));
	all[2].pValue = &x509;
	all[1].ulValueLen = cert.len - 1;
	EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, C_CreateObject(s, all, 3, &o));
	all[1].ulValueLen = cert.len + 1;
	EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, C_CreateObject(s, all, 3, &o));
	all[1].ulValueLen = 0;
	EXPECT(CKR_TEMPLATE_INCOMPLETE, C_CreateObject(s, all, 3, &o));
	all[0].pValue = &trust;
	EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, C_CreateObject(s, all, 1, &o));
	expect("on the token, by a session that only reads", CKR_SESSION_READ_ONLY,
		create(ro, &yes, NULL, 0, &o));
	expect("data of 6001 bytes", CKR_DEVICE_MEMORY,
		create_data(s, &yes, "big", cert.der, OBJECT_MAX + 1, &o));
	expect("nothing was made of these", before, find(s, NULL, 0, NULL));
	EXPECT(CKR_OK, C_CloseAllSessions(0));
}

static void what_it_says(CK_BBOOL *token)
{
	CK_SESSION_HANDLE s = open_session(CKF_RW_SESSION);
	CK_ATTRIBUTE more[] = {{CKA_LABEL, "says", 4}, {CKA_ID, "\x01", 1},
		{CKA_SUBJECT, cert.subject, cert.subject_len}, {CKA_CHECK_VALUE, cert.check, 3}};
	CK_ATTRIBUTE by_name[] = {{CKA_ISSUER, cert.issuer, cert.issuer_len},
		{CKA_SERIAL_NUMBER, cert.serial, cert.serial_len}, {CKA_TOKEN, token, 1}};
	CK_ATTRIBUTE by_key[] = {
		{CKA_PUBLIC_KEY_INFO, cert.spki, cert.spki_len}, {CKA_TOKEN, token, 1}};
	CK_ATTRIBUTE by_value[] = {{CKA_VALUE, cert.der, cert.len}, {CKA_TOKEN, token, 1}};
	CK_ATTRIBUTE ask[] = {{CKA_VALUE, NULL, 0}, {CKA_MODULUS, NULL, 0}};
	CK_MECHANISM ecdsa = {CKM_ECDSA_SHA256, NULL, 0};
	CK_OBJECT_HANDLE o = 0, found = 0;
	CK_ULONG size = 0, unspecified = 0;
	CK_DATE start;

	expect("created", CKR_OK, create(s, token, more, COUNT(more), &o));
	check("its subject", has(s, o, CKA_SUBJECT, cert.subject, cert.subject_len));
	check("its issuer", has(s, o, CKA_ISSUER, cert.issuer, cert.issuer_len));
	check("its serial number", has(s, o, CKA_SERIAL_NUMBER, cert.serial, cert.serial_len));
	check("its key", has(s, o, CKA_PUBLIC_KEY_INFO, cert.spki, cert.spki_len));
	check("its value", has(s, o, CKA_VALUE, cert.der, cert.len));
	check("its check value", has(s, o, CKA_CHECK_VALUE, cert.check, 3));
	check("nobody trusts it", has(s, o, CKA_TRUSTED, &no, 1));
	check("its category",
		has(s, o, CKA_CERTIFICATE_CATEGORY, &unspecified, sizeof(unspecified)));
	check("where it is", has(s, o, CKA_TOKEN, token, 1));
	ask[0].pValue = &start;
	ask[0].type = CKA_START_DATE;
	ask[0].ulValueLen = sizeof(start);
	EXPECT(CKR_OK, C_GetAttributeValue(s, o, ask, 1));
	check("the century in which it begins", !memcmp(start.year, "20", 2));
	ask[0] = (CK_ATTRIBUTE){CKA_VALUE, NULL, 0};
	EXPECT(CKR_ATTRIBUTE_TYPE_INVALID, C_GetAttributeValue(s, o, ask, 2));
	expect("the length, nevertheless", cert.len, ask[0].ulValueLen);
	expect("found by issuer and serial number", 1, find(s, by_name, 3, &found));
	expect("itself", o, found);
	expect("by its key", 1, find(s, by_key, 2, &found));
	expect("itself", o, found);
	expect("by its value", 1, find(s, by_value, 2, &found));
	by_value[0].pValue = cert.other;
	by_value[0].ulValueLen = cert.other_len;
	check("not by another", !find(s, by_value, 2, &found) || found != o);
	EXPECT(CKR_OK, C_GetObjectSize(s, o, &size));
	check("at least as big as its value", size >= cert.len && size < cert.len + 1024);
	EXPECT(CKR_KEY_HANDLE_INVALID, C_SignInit(s, &ecdsa, o));
	EXPECT(CKR_KEY_HANDLE_INVALID, C_VerifyInit(s, &ecdsa, o));
	EXPECT(CKR_OK, C_DestroyObject(s, o));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(s, o));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, C_GetAttributeValue(s, o, ask, 1));
	expect("gone", 0, find(s, by_key, 2, &found));
	EXPECT(CKR_OK, C_CloseAllSessions(0));
}

static void changes(CK_BBOOL *token)
{
	CK_SESSION_HANDLE s = open_session(CKF_RW_SESSION), ro = open_session(0);
	CK_ATTRIBUTE label = {CKA_LABEL, "old", 3}, other = {CKA_LABEL, "new", 3};
	CK_ATTRIBUTE id = {CKA_ID, "\x09\x08", 2}, value = {CKA_VALUE, cert.other, cert.other_len};
	CK_ATTRIBUTE fixed[] = {
		{CKA_MODIFIABLE, &no, 1}, {CKA_COPYABLE, &no, 1}, {CKA_LABEL, "fixed", 5}};
	CK_OBJECT_HANDLE o = 0, found = 0, copy = 0;

	expect("created", CKR_OK, create(s, token, &label, 1, &o));
	EXPECT(CKR_OK, C_SetAttributeValue(s, o, &other, 1));
	EXPECT(CKR_OK, C_SetAttributeValue(s, o, &id, 1));
	expect("not found by the old label", 0, find(s, &label, 1, &found));
	expect("found by the new one", 1, find(s, &other, 1, &found));
	expect("the same handle", o, found);
	expect("found by the new id", 1, find(s, &id, 1, &found));
	check("with its value", has(s, o, CKA_VALUE, cert.der, cert.len));
	EXPECT(CKR_ATTRIBUTE_READ_ONLY, C_SetAttributeValue(s, o, &value, 1));
	EXPECT(CKR_ATTRIBUTE_READ_ONLY, C_CopyObject(s, o, &value, 1, &copy));
	if (*token) {
		EXPECT(CKR_SESSION_READ_ONLY, C_SetAttributeValue(ro, o, &label, 1));
		EXPECT(CKR_SESSION_READ_ONLY, C_DestroyObject(ro, o));
	}
	EXPECT(CKR_OK, C_CopyObject(s, o, &label, 1, &copy));
	check("a copy is another object", copy != o && find(s, &label, 1, &found) == 1);
	check("with the same value", has(s, copy, CKA_VALUE, cert.der, cert.len));
	check("and the same id", has(s, copy, CKA_ID, "\x09\x08", 2));
	EXPECT(CKR_OK, C_DestroyObject(s, copy));
	EXPECT(CKR_OK, C_DestroyObject(s, o));
	expect("created, to stay as it is", CKR_OK, create(s, token, fixed, 3, &o));
	EXPECT(CKR_ACTION_PROHIBITED, C_SetAttributeValue(s, o, &other, 1));
	EXPECT(CKR_ACTION_PROHIBITED, C_CopyObject(s, o, &other, 1, &copy));
	check("it says so", has(s, o, CKA_MODIFIABLE, &no, 1) && has(s, o, CKA_COPYABLE, &no, 1));
	EXPECT(CKR_OK, C_DestroyObject(s, o));
	EXPECT(CKR_OK, C_CloseAllSessions(0));
}

/* A public key whose private key is not here: the certificate's, of P-256 */
static void public_key(CK_BBOOL *token)
{
	static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	CK_SESSION_HANDLE s = open_session(CKF_RW_SESSION), ro = open_session(0);
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = CKK_EC;
	CK_BYTE point[67] = {0x04, 65};
	CK_ATTRIBUTE all[] = {{CKA_CLASS, &class, sizeof(class)},
		{CKA_KEY_TYPE, &type, sizeof(type)}, {CKA_TOKEN, token, 1},
		{CKA_EC_PARAMS, p256, sizeof(p256)}, {CKA_EC_POINT, point, sizeof(point)},
		{CKA_ID, "\x03", 1}};
	CK_ATTRIBUTE label = {CKA_LABEL, "a friend's", 10}, copied = {CKA_LABEL, "copy", 4};
	CK_ATTRIBUTE by_key[] = {all[0], {CKA_PUBLIC_KEY_INFO, cert.spki, cert.spki_len}};
	CK_OBJECT_HANDLE o = 0, found = 0, copy = 0;

	memcpy(point + 2, cert.spki + cert.spki_len - 65, 65);
	EXPECT(CKR_OK, C_CreateObject(s, all, COUNT(all), &o));
	expect("found by its key", 1, find(ro, by_key, 2, &found));
	expect("itself", o, found);
	check("its point", has(s, o, CKA_EC_POINT, point, sizeof(point)));
	check("its id", has(s, o, CKA_ID, "\x03", 1));
	check("it verifies", has(s, o, CKA_VERIFY, &yes, 1));
	check("it may be copied", has(s, o, CKA_COPYABLE, &yes, 1));
	EXPECT(CKR_OK, C_SetAttributeValue(s, o, &label, 1));
	expect("found by its new label", 1, find(ro, &label, 1, &found));
	EXPECT(CKR_OK, C_CopyObject(s, o, &copied, 1, &copy));
	EXPECT(CKR_OK, C_DestroyObject(s, o));
	expect("the copy stays", 1, find(ro, by_key, 2, &found));
	expect("itself", copy, found);
	check("with its id", has(s, copy, CKA_ID, "\x03", 1));
	EXPECT(CKR_OK, C_DestroyObject(s, copy));
	expect("no more", 0, find(ro, by_key, 2, &found));
	point[5] ^= 1;
	EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, C_CreateObject(s, all, COUNT(all), &o));
	point[5] ^= 1;
	if (*token)
		EXPECT(CKR_SESSION_READ_ONLY, C_CreateObject(ro, all, COUNT(all), &o));
	EXPECT(CKR_OK, C_CloseAllSessions(0));
}

static void lifetimes(void)
{
	CK_SESSION_HANDLE s = open_session(CKF_RW_SESSION), other = open_session(CKF_RW_SESSION);
	CK_ATTRIBUTE label = {CKA_LABEL, "short", 5}, kept = {CKA_LABEL, "kept", 4};
	CK_ATTRIBUTE as_token[] = {{CKA_TOKEN, &yes, 1}, kept};
	CK_ATTRIBUTE lasting[] = {{CKA_DESTROYABLE, &no, 1}, label};
	unsigned char big[OBJECT_MAX + 1] = {7};
	CK_OBJECT_HANDLE o = 0, copy = 0, found = 0;

	expect("session data may be longer", CKR_OK,
		create_data(s, &no, "short", big, sizeof(big), &o));
	check("it is whole", has(other, o, CKA_VALUE, big, sizeof(big)));
	EXPECT(CKR_DEVICE_MEMORY, C_CopyObject(s, o, as_token, 2, &copy));
	EXPECT(CKR_OK, C_DestroyObject(other, o));
	expect("session data", CKR_OK, create_data(s, &no, "short", big, OBJECT_MAX, &o));
	EXPECT(CKR_OK, C_CopyObject(s, o, as_token, 2, &copy));
	expect("what lasts", CKR_OK, create(s, &no, lasting, 2, &found));
	EXPECT(CKR_ACTION_PROHIBITED, C_DestroyObject(s, found));
	EXPECT(CKR_OK, C_CloseSession(s));
	expect("gone with its session", 0, find(other, &label, 1, &found));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(other, o));
	expect("the copy on the token stays", 1, find(other, &kept, 1, &found));
	expect("itself", copy, found);
	check("with its value", has(other, copy, CKA_VALUE, big, OBJECT_MAX));
	EXPECT(CKR_OK, C_DestroyObject(other, copy));
	expect("data may be empty", CKR_OK, create_data(other, &yes, "kept", NULL, 0, &o));
	check("and is", has(other, o, CKA_VALUE, "", 0));
	EXPECT(CKR_OK, C_DestroyObject(other, o));
	EXPECT(CKR_OK, C_CloseAllSessions(0));
}

/* In a process of its own: 0 when all went well */
static int in_child(int (*what)(CK_SESSION_HANDLE s))
{
	int status = 1;
	pid_t pid = fork();

	if (!pid) {
		CK_SESSION_HANDLE s = 0;

		_exit(p11->C_Initialize(NULL) ||
			p11->C_OpenSession(
				0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s) ||
			what(s));
	}
	waitpid(pid, &status, 0);
	return status;
}

static int rename_it(CK_SESSION_HANDLE s)
{
	CK_ATTRIBUTE label = {CKA_LABEL, "shared", 6}, other = {CKA_LABEL, "renamed", 7};
	CK_OBJECT_HANDLE o;

	return find(s, &label, 1, &o) != 1 || !has(s, o, CKA_VALUE, "value", 5) ||
	       p11->C_SetAttributeValue(s, o, &other, 1);
}

static int destroy_it(CK_SESSION_HANDLE s)
{
	CK_ATTRIBUTE label = {CKA_LABEL, "renamed", 7};
	CK_OBJECT_HANDLE o;

	return find(s, &label, 1, &o) != 1 || p11->C_DestroyObject(s, o);
}

#define MANY 150

static int make_many(CK_SESSION_HANDLE s)
{
	CK_ATTRIBUTE label = {CKA_LABEL, "many", 4};
	CK_OBJECT_HANDLE o;
	int bad = 0;

	for (int i = 0; i < MANY; i++)
		bad += create(s, &yes, &label, 1, &o) != CKR_OK;
	return bad;
}

static void two_processes(void)
{
	CK_SESSION_HANDLE s = open_session(CKF_RW_SESSION);
	CK_ATTRIBUTE label = {CKA_LABEL, "shared", 6}, other = {CKA_LABEL, "renamed", 7};
	CK_ATTRIBUTE many[] = {{CKA_LABEL, "many", 4}, {CKA_VALUE, cert.der, cert.len}};
	CK_OBJECT_HANDLE o = 0, found = 0;
	CK_ULONG n;

	expect("created", CKR_OK, create_data(s, &yes, "shared", "value", 5, &o));
	check("another process renames it", !in_child(rename_it));
	expect("that is seen", 1, find(s, &other, 1, &found));
	expect("as the same object", o, found);
	expect("and the old name is gone", 0, find(s, &label, 1, &found));
	check("another process destroys it", !in_child(destroy_it));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, C_SetAttributeValue(s, o, &label, 1));
	expect("that is seen", 0, find(s, &other, 1, &found));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(s, o));
	check("another process makes many", !in_child(make_many));
	n = find(s, many, 2, NULL);
	expect("all are found, with their values", MANY, n);
	while (n-- && find(s, many, 1, &found))
		EXPECT(CKR_OK, C_DestroyObject(s, found));
	expect("and gone", 0, find(s, many, 1, &found));
	EXPECT(CKR_OK, C_CloseAllSessions(0));
}

/* Each thread has its own label, and sees what the others do go by. */
static void *come_and_go(void *arg)
{
	char name[8] = {'t', *(const char *)arg};
	CK_ATTRIBUTE label = {CKA_LABEL, name, 2}, other = {CKA_ID, name, 2};
	CK_ATTRIBUTE by_class = {CKA_CLASS, &of_certificate, sizeof(of_certificate)};
	CK_SESSION_HANDLE s = 0;
	CK_OBJECT_HANDLE o, found;
	CK_BYTE value[8192];
	CK_ULONG n;
	size_t bad = p11->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s) !=
		     CKR_OK;

	for (int i = 0; i < 20; i++) {
		CK_ATTRIBUTE a = {CKA_VALUE, value, sizeof(value)};

		bad += create(s, i % 4 ? &yes : &no, &label, 1, &o) != CKR_OK;
		bad += p11->C_SetAttributeValue(s, o, &other, 1) != CKR_OK;
		found = 0;
		bad += p11->C_FindObjectsInit(s, &other, 1) ||
		       p11->C_FindObjects(s, &found, 1, &n) || n != 1 || found != o ||
		       p11->C_FindObjectsFinal(s);
		bad += p11->C_GetAttributeValue(s, o, &a, 1) || a.ulValueLen != cert.len ||
		       memcmp(value, cert.der, cert.len);
		bad += p11->C_FindObjectsInit(s, &by_class, 1) || p11->C_FindObjectsFinal(s);
		bad += p11->C_DestroyObject(s, o) != CKR_OK;
	}
	return (void *)bad;
}

static void threads(void)
{
	static const char names[] = "abcd";
	pthread_t all[4];
	size_t bad = 0;
	void *result;

	for (int i = 0; i < 4; i++)
		pthread_create(&all[i], NULL, come_and_go, (void *)(size_t)&names[i]);
	for (int i = 0; i < 4; i++) {
		pthread_join(all[i], &result);
		bad += (size_t)result;
	}
	expect("threads make, find, change and destroy", 0, bad);
	EXPECT(CKR_OK, C_CloseAllSessions(0));
}

int main(int argc, char **argv)
{
	void *module = argc == 4 ? dlopen(argv[1], RTLD_NOW) : NULL;
	CK_C_GetFunctionList get;

	get = module ? (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList") : NULL;
	if (!get || get(&p11) || !read_certificate(argv[2], argv[3]))
		return 2;
	EXPECT(CKR_OK, C_Initialize(NULL));
	refused_templates();
	what_it_says(&yes);
	what_it_says(&no);
	changes(&yes);
	changes(&no);
	public_key(&yes);
	public_key(&no);
	lifetimes();
	two_processes();
	threads();
	EXPECT(CKR_OK, C_Finalize(NULL));
	no_certificate_left();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}

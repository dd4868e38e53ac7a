/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Templates of every kind, given to every function that takes one: the input is a run of calls
 *
 *     u8 function, u8 object (the how manieth that was made), template [, template]
 *
 * on an empty TEE (fuzz/pkcs11_tee.c has the templates). What was made is listed and read in the end, and again after the
 * module has forgotten it.
 */
#include <string.h>

#include "pkcs11_tee.h"

#define OBJECTS 16
#define CALLS_MAX 48

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static CK_SESSION_HANDLE session;
static CK_OBJECT_HANDLE objects[OBJECTS];
static unsigned object_count;

static void remember(CK_OBJECT_HANDLE o)
{
	REQUIRE(o != CK_INVALID_HANDLE);
	objects[object_count++ % OBJECTS] = o;
}

static CK_OBJECT_HANDLE object(uint8_t which)
{
	return which == 0xff ? 0xffff : objects[which % OBJECTS];
}

/* Asks for a length first, then for the value, then for it with room that is short by one. */
static void read_attribute(CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type)
{
	CK_ATTRIBUTE a = {type, NULL, 0};
	CK_ULONG n;
	CK_RV rv = C_GetAttributeValue(session, o, &a, 1);

	pkcs11_check(rv);
	n = a.ulValueLen;
	if (rv)
		return;
	REQUIRE(n != CK_UNAVAILABLE_INFORMATION && n < 1 << 17);
	a.pValue = pkcs11_alloc(n);
	REQUIRE(C_GetAttributeValue(session, o, &a, 1) == CKR_OK && a.ulValueLen == n);
	if (!n)
		return;
	a.pValue = pkcs11_alloc(n - 1);
	a.ulValueLen = n - 1;
	rv = C_GetAttributeValue(session, o, &a, 1);
	REQUIRE(rv == CKR_BUFFER_TOO_SMALL && a.ulValueLen == CK_UNAVAILABLE_INFORMATION);
}

static void read_object(CK_OBJECT_HANDLE o)
{
	static const CK_ATTRIBUTE_TYPE all[] = {CKA_CLASS, CKA_LABEL, CKA_ID, CKA_VALUE,
		CKA_KEY_TYPE, CKA_EC_POINT, CKA_EC_PARAMS, CKA_MODULUS, CKA_SUBJECT, CKA_ISSUER,
		CKA_SERIAL_NUMBER, CKA_START_DATE, CKA_END_DATE, CKA_ALLOWED_MECHANISMS,
		CKA_PUBLIC_KEY_INFO, CKA_CHECK_VALUE, CKA_UNIQUE_ID, CKA_PRIVATE_EXPONENT,
		CKA_PRIME_1, CKA_KEYWARD_ATTESTATION};
	CK_OBJECT_CLASS class = 0;
	CK_ATTRIBUTE what = {CKA_CLASS, &class, sizeof(class)};
	CK_BYTE byte;
	CK_ATTRIBUTE value = {CKA_VALUE, &byte, 1};
	CK_ULONG n;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		read_attribute(o, all[i]);
	pkcs11_check(C_GetObjectSize(session, o, &n));
	/* The point of it all: nobody reads a private key, whatever its template said. */
	if (!C_GetAttributeValue(session, o, &what, 1) && class == CKO_PRIVATE_KEY)
		REQUIRE(C_GetAttributeValue(session, o, &value, 1) != CKR_OK);
}

static void find_all(CK_ATTRIBUTE *template, CK_ULONG count)
{
	CK_OBJECT_HANDLE found[8];
	CK_ULONG n = 0;
	CK_RV rv = C_FindObjectsInit(session, template, count);

	pkcs11_check(rv);
	if (rv)
		return;
	do {
		REQUIRE(C_FindObjects(session, found, 8, &n) == CKR_OK && n <= 8);
		for (CK_ULONG i = 0; i < n; i++)
			read_object(found[i]);
	} while (n);
	REQUIRE(C_FindObjectsFinal(session) == CKR_OK);
}

static void generate(struct reader *r, CK_ATTRIBUTE *template, CK_ULONG count)
{
	CK_MECHANISM mechanism = {pkcs11_number(r), NULL, 0};
	CK_OBJECT_HANDLE o = 0;
	CK_RV rv = C_GenerateKey(session, &mechanism, template, count, &o);

	pkcs11_check(rv);
	if (!rv)
		remember(o);
}

static void generate_pair(struct reader *r, CK_ATTRIBUTE *template, CK_ULONG count)
{
	CK_MECHANISM mechanism = {pkcs11_number(r), NULL, 0};
	CK_OBJECT_HANDLE public = 0, private = 0;
	CK_ULONG other_count;
	CK_ATTRIBUTE *other = pkcs11_template(r, &other_count);
	CK_RV rv = C_GenerateKeyPair(
		session, &mechanism, template, count, other, other_count, &public, &private);

	pkcs11_check(rv);
	if (!rv) {
		remember(public);
		remember(private);
	}
}

static void one_call(struct reader *r)
{
	uint8_t function = get_u8(r);
	CK_OBJECT_HANDLE o = object(get_u8(r)), made = 0;
	CK_ULONG count;
	CK_ATTRIBUTE *template = pkcs11_template(r, &count);
	CK_RV rv;

	switch (function % 8) {
	case 0:
		rv = C_CreateObject(session, template, count, &made);
		pkcs11_check(rv);
		if (!rv)
			remember(made);
		break;
	case 1:
		generate(r, template, count);
		break;
	case 2:
		generate_pair(r, template, count);
		break;
	case 3:
		find_all(template, count);
		break;
	case 4:
		pkcs11_check(C_GetAttributeValue(session, o, template, count));
		break;
	case 5:
		pkcs11_check(C_SetAttributeValue(session, o, template, count));
		break;
	case 6:
		rv = C_CopyObject(session, o, template, count, &made);
		pkcs11_check(rv);
		if (!rv)
			remember(made);
		break;
	default:
		pkcs11_check(C_DestroyObject(session, o));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);

	pkcs11_start();
	REQUIRE(!C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
	memset(objects, 0, sizeof(objects));
	object_count = 0;
	for (unsigned i = 0; i < CALLS_MAX && reader_left(&r); i++)
		one_call(&r);
	find_all(NULL, 0);
	/* Only what is on the token is left now, and reads as the TEE describes it. */
	REQUIRE(!C_CloseSession(session));
	REQUIRE(!C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session));
	find_all(NULL, 0);
	pkcs11_stop();
	return 0;
}

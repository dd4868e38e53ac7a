/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the module keeps with a key or an object in the TEE, in its attributes: a list of u8 tag, u16 length (big-endian) and that many
 * bytes, each tag once. Unknown tags stay. docs/PKCS11.md
 */
#ifndef FRONTENDS_PKCS11_STORED_H
#define FRONTENDS_PKCS11_STORED_H

#include "module.h"

enum stored_tag {
	STORED_LABEL = 1,
	STORED_ID = 2,
	STORED_SUBJECT = 3,
	STORED_START_DATE = 4,
	STORED_END_DATE = 5,
	/* Of objects that are no keys */
	STORED_CLASS = 16, /* u8: CKO_PUBLIC_KEY; else data is data */
	STORED_KEY = 17,   /* of a certificate: SHA-256 of its SubjectPublicKeyInfo */
	STORED_APPLICATION = 18,
	STORED_OBJECT_ID = 19,
	STORED_CATEGORY = 20, /* u8 */
	STORED_URL = 21,
	STORED_SUBJECT_KEY_HASH = 22,
	STORED_ISSUER_KEY_HASH = 23,
	STORED_NAME_HASH = 24,   /* u32: CKM_… */
	STORED_JAVA_DOMAIN = 25, /* u8 */
	STORED_FLAGS = 26,       /* u8: enum stored_flag; also of keys */
	/* Of keys */
	STORED_KEY_TYPE = 32,  /* u32: CKK_… of a generic secret that is not CKK_GENERIC_SECRET */
	STORED_MECHANISMS = 33 /* u32 each: CKA_ALLOWED_MECHANISMS */
};

enum stored_flag {
	STORED_FIXED = 1,    /* CKA_MODIFIABLE is false */
	STORED_UNCOPIED = 2, /* CKA_COPYABLE */
	STORED_LASTING = 4,  /* CKA_DESTROYABLE */
	STORED_NOT_SENSITIVE = 8,
	STORED_ALWAYS_AUTHENTICATE = 16
};

/* NULL when it is not there, or the list is not one of ours. */
const uint8_t *stored_find(const uint8_t *list, size_t len, enum stored_tag tag, size_t *n);
/* The tag of an attribute; 0 for one that is not kept so. */
enum stored_tag stored_tag_of(CK_ATTRIBUTE_TYPE type);
/* Puts in, or replaces. list has KW_ATTRIBUTES_MAX bytes. CKR_ATTRIBUTE_VALUE_INVALID: no room. */
CK_RV stored_put(uint8_t *list, size_t *len, enum stored_tag tag, const void *p, size_t n);

/* An u8 or u32; 0 when it is not there. */
uint32_t stored_number(const uint8_t *list, size_t len, enum stored_tag tag);
CK_RV stored_put_number(uint8_t *list, size_t *len, enum stored_tag tag, uint32_t number);
/* Whether CKA_ALLOWED_MECHANISMS, if it is there, has this one. */
bool stored_allows(const uint8_t *list, size_t len, CK_MECHANISM_TYPE mechanism);
CK_RV stored_put_mechanisms(uint8_t *list, size_t *len, const CK_ATTRIBUTE *allowed);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the module keeps with a key in the TEE, in the key's attributes: a list of u8 tag, u16 length (big-endian) and that many
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
	STORED_FLAGS = 20, /* u8: enum stored_flags */
	STORED_KEY_TYPE =
		21, /* u32: of a generic secret CKK_…, where it is not CKK_GENERIC_SECRET */
	STORED_MECHANISMS = 22 /* u32 each: CKA_ALLOWED_MECHANISMS */
};

enum stored_flags { STORED_NOT_SENSITIVE = 1 };

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

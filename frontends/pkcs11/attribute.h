/* SPDX-License-Identifier: BSD-2-Clause */
/* Attributes of objects (PKCS #11 3.0, section 4), made when somebody asks. */
#ifndef FRONTENDS_PKCS11_ATTRIBUTE_H
#define FRONTENDS_PKCS11_ATTRIBUTE_H

#include "object.h"

#define CKA_ID_SIZE 20 /* of a key's id: what is there when nothing else was chosen */

struct value {
	const void *p;
	size_t n;
	union {
		CK_ULONG number;
		CK_BBOOL flag;
		CK_MECHANISM_TYPE mechanisms[64];
		uint8_t secret[KW_SECRET_MAX];
		char text[2 * KW_ID_SIZE + 8];
		uint8_t statement[KW_ATTESTATION_MAX];
	} own;
};

/* CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_SENSITIVE. v->p may point into the object. The caller wipes it where the type may
 * be that of a secret. */
CK_RV attribute_get(struct object *o, CK_ATTRIBUTE_TYPE type, struct value *v);
void attribute_wipe(CK_ATTRIBUTE_TYPE type, struct value *v);
/* Whether the object has this very value; *rv for what is not an answer. */
bool attribute_matches(struct object *o, const CK_ATTRIBUTE *wanted, CK_RV *rv);

/* --- Of the application: attribute_template.c --- */

/* NULL when the template does not have it. */
const CK_ATTRIBUTE *attribute_find(
	const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type);
/* CKR_ARGUMENTS_BAD or CKR_ATTRIBUTE_VALUE_INVALID for pointers and lengths that do not fit; CKR_TEMPLATE_INCONSISTENT
 * for an attribute that is there twice. */
CK_RV attribute_check_template(const CK_ATTRIBUTE *attributes, CK_ULONG count);
/* The default when it is not there. CKR_ATTRIBUTE_VALUE_INVALID for another length or value. */
CK_RV attribute_flag(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
	bool by_default, bool *flag);
CK_RV attribute_number(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
	CK_ULONG by_default, CK_ULONG *number);
/* CKA_EC_PARAMS: the OID of a curve. */
const uint8_t *attribute_ec_params(enum kw_key_type type, size_t *len);
/* Whether CKA_ALLOWED_MECHANISMS, where the key has been given one, has this mechanism. */
bool attribute_allows(const struct object *o, CK_MECHANISM_TYPE mechanism);
/* CKA_ALWAYS_AUTHENTICATE */
bool attribute_always_authenticates(const struct object *o);
/* CKR_CURVE_NOT_SUPPORTED */
CK_RV attribute_curve(const CK_ATTRIBUTE *params, enum kw_key_type *type);

#endif

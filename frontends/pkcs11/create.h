/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FRONTENDS_PKCS11_CREATE_H
#define FRONTENDS_PKCS11_CREATE_H

#include "session.h"
#include "template.h"

/* The new key becomes objects: on the token, or of the session. Takes it over. */
CK_RV create_objects(struct session *s, const struct key_request *request, struct kw_key **key,
	CK_OBJECT_HANDLE *private_handle, CK_OBJECT_HANDLE *public_handle);
/* How the TEE comes to a key: t has everything. */
typedef enum kw_err create_maker(
	const struct kw_key_template *t, const void *context, struct kw_key **key);
/* Has a key made. A label that is no good name, or is taken, is a label alone. */
CK_RV create_with(struct key_request *request, enum kw_key_type type, create_maker *make,
	const void *context, struct kw_key **key);
/* Asks the TEE to make a key, or with material to take one. */
CK_RV create_key(struct key_request *request, enum kw_key_type type, const uint8_t *material,
	size_t len, struct kw_key **key);

/* What a template's CKA_MODULUS and CKA_PUBLIC_EXPONENT, or CKA_EC_PARAMS and CKA_EC_POINT, are. *pkey is NULL before. */
CK_RV create_rsa_public(const CK_ATTRIBUTE *attributes, CK_ULONG count, EVP_PKEY **pkey);
CK_RV create_ec_public(const CK_ATTRIBUTE *attributes, CK_ULONG count, EVP_PKEY **pkey);
/* The point in a CKA_EC_POINT, which is an OCTET STRING, or the bare point that some programs give. */
const uint8_t *create_bare_point(const CK_ATTRIBUTE *a, size_t *n);

#endif

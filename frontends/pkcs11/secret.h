/* SPDX-License-Identifier: BSD-2-Clause */
/* Secret keys: AES keys and generic secrets. */
#ifndef FRONTENDS_PKCS11_SECRET_H
#define FRONTENDS_PKCS11_SECRET_H

#include "object.h"
#include "session.h"
#include "template.h"

/* C_CreateObject */
CK_RV secret_create(struct session *s, const CK_ATTRIBUTE *attributes, CK_ULONG count,
	CK_OBJECT_HANDLE *handle);
/* A session object whose value the application may read. */
CK_RV secret_show(struct session *s, const struct key_request *request, const uint8_t *value,
	size_t len, CK_OBJECT_HANDLE *handle);
/* The value of a key in the TEE that is extractable and not sensitive. value has KW_SECRET_MAX bytes.
 * CKR_ATTRIBUTE_SENSITIVE: it leaves wrapped by trusted keys only. */
CK_RV secret_reveal(struct object *o, uint8_t *value, size_t *len);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates, data and public keys alone: made, changed and deleted. The session is locked by the caller. */
#ifndef FRONTENDS_PKCS11_ITEM_CREATE_H
#define FRONTENDS_PKCS11_ITEM_CREATE_H

#include "item_template.h"
#include "session.h"

/* Of CKO_CERTIFICATE or CKO_DATA */
CK_RV item_create(struct session *s, const CK_ATTRIBUTE *attributes, CK_ULONG count,
	CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *handle);
/* What the request says becomes an object: of the TEE, or of the session. */
CK_RV item_keep(struct session *s, struct item_request *request, CK_OBJECT_HANDLE *handle);
CK_RV item_copy(struct session *s, struct object *o, const CK_ATTRIBUTE *attributes, CK_ULONG count,
	CK_OBJECT_HANDLE *handle);
CK_RV item_change(
	struct session *s, struct object *o, const CK_ATTRIBUTE *attributes, CK_ULONG count);
CK_RV item_destroy(struct session *s, struct object *o);

#endif

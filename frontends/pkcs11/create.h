/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FRONTENDS_PKCS11_CREATE_H
#define FRONTENDS_PKCS11_CREATE_H

#include "session.h"
#include "template.h"

/* The new key becomes objects: on the token, or of the session. Takes it over. */
CK_RV create_objects(struct session *s, const struct key_request *request, struct kw_key **key,
	CK_OBJECT_HANDLE *private_handle, CK_OBJECT_HANDLE *public_handle);
/* Asks the TEE to make a key, or with material to take one. A label that is no good name, or is taken, is a label alone. */
CK_RV create_key(struct key_request *request, enum kw_key_type type, const uint8_t *material,
	size_t len, struct kw_key **key);

#endif

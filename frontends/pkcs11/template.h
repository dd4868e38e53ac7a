/* SPDX-License-Identifier: BSD-2-Clause */
/* What an application says of a key that it makes. */
#ifndef FRONTENDS_PKCS11_TEMPLATE_H
#define FRONTENDS_PKCS11_TEMPLATE_H

#include "attribute.h"

struct key_request {
	bool is_token;
	uint32_t purposes;
	char name[KW_NAME_MAX + 1]; /* of a token key, as far as its label is one */
	uint8_t attributes[KW_ATTRIBUTES_MAX];
	size_t attributes_len;
};

/* Reads a private key's template, whose type is known. `material`: attributes of the key's value are allowed. The standard's
 * codes for what cannot be had. */
CK_RV template_read(const CK_ATTRIBUTE *attributes, CK_ULONG count, enum kw_key_type type,
	bool material, bool is_rw, struct key_request *request);
/* A public key's template says nothing that the private one does not; only contradictions are found. The label
 * and id are taken when the private one has none. */
CK_RV template_read_public(const CK_ATTRIBUTE *attributes, CK_ULONG count, enum kw_key_type type,
	struct key_request *request);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What an application says of a certificate or of data. */
#ifndef FRONTENDS_PKCS11_ITEM_TEMPLATE_H
#define FRONTENDS_PKCS11_ITEM_TEMPLATE_H

#include "item_attribute.h"

struct item_request {
	CK_OBJECT_CLASS class;
	bool is_token;
	bool is_private;
	uint8_t attributes[KW_ATTRIBUTES_MAX];
	size_t attributes_len;
	struct item_value *value; /* the caller frees it */
};

/* Of C_CreateObject. The standard's codes for what cannot be had. */
CK_RV item_template_read(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_CLASS class,
	struct item_request *request);
/* Of C_CopyObject and C_SetAttributeValue: puts what changes into a list of attributes. */
CK_RV item_template_change(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_CLASS class,
	bool is_copy, uint8_t *list, size_t *len);

#endif

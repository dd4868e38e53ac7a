/* SPDX-License-Identifier: BSD-2-Clause */
/* Attributes of certificates and data. */
#ifndef FRONTENDS_PKCS11_ITEM_ATTRIBUTE_H
#define FRONTENDS_PKCS11_ITEM_ATTRIBUTE_H

#include "attribute.h"

/* As attribute_get. CKA_LABEL and CKA_ID are known without a question to the TEE. */
CK_RV item_attribute_get(struct object *o, CK_ATTRIBUTE_TYPE type, struct value *v);
/* Whether a flag was set when the object was made. */
bool item_has_flag(const struct item *item, unsigned flag);

#endif

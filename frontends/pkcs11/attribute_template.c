/* SPDX-License-Identifier: BSD-2-Clause */
/* What an application's attributes say. */
#include <string.h>

#include "attribute.h"

static const struct {
	enum kw_key_type type;
	size_t n;
	uint8_t der[12];
} curves[] = {
	{KW_KEY_TYPE_EC_P256, 10, {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}},
	{KW_KEY_TYPE_EC_P384, 7, {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22}},
	{KW_KEY_TYPE_EC_P521, 7, {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23}},
	{KW_KEY_TYPE_ED25519, 5, {0x06, 0x03, 0x2b, 0x65, 0x70}}, /* RFC 8410 */
	{KW_KEY_TYPE_X25519, 5, {0x06, 0x03, 0x2b, 0x65, 0x6e}},
};

/* PrintableString "edwards25519", which version 3.0 allows as well (2.3.5) */
static const uint8_t edwards_name[] = {
	0x13, 12, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'};

/* and "curve25519" (2.3.7) */
static const uint8_t montgomery_name[] = {
	0x13, 10, 'c', 'u', 'r', 'v', 'e', '2', '5', '5', '1', '9'};

const uint8_t *attribute_ec_params(enum kw_key_type type, size_t *len)
{
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		if (curves[i].type == type) {
			*len = curves[i].n;
			return curves[i].der;
		}
	}
	*len = 0;
	return NULL;
}

CK_RV attribute_curve(const CK_ATTRIBUTE *params, enum kw_key_type *type)
{
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		if (curves[i].n == params->ulValueLen &&
			!memcmp(curves[i].der, params->pValue, curves[i].n)) {
			*type = curves[i].type;
			return CKR_OK;
		}
	}
	if (params->ulValueLen == sizeof(edwards_name) &&
		!memcmp(edwards_name, params->pValue, sizeof(edwards_name))) {
		*type = KW_KEY_TYPE_ED25519;
		return CKR_OK;
	}
	if (params->ulValueLen == sizeof(montgomery_name) &&
		!memcmp(montgomery_name, params->pValue, sizeof(montgomery_name))) {
		*type = KW_KEY_TYPE_X25519;
		return CKR_OK;
	}
	return CKR_CURVE_NOT_SUPPORTED;
}

const CK_ATTRIBUTE *attribute_find(
	const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
	for (CK_ULONG i = 0; i < count; i++) {
		if (attributes[i].type == type)
			return &attributes[i];
	}
	return NULL;
}

CK_RV attribute_check_template(const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
	if (!attributes && count)
		return CKR_ARGUMENTS_BAD;
	/* Nothing that is known has more; it also bounds the comparison below. */
	if (count > 256)
		return CKR_TEMPLATE_INCONSISTENT;
	for (CK_ULONG i = 0; i < count; i++) {
		if (!attributes[i].pValue && attributes[i].ulValueLen)
			return CKR_ATTRIBUTE_VALUE_INVALID;
		if (attributes[i].ulValueLen > 1u << 20)
			return CKR_ATTRIBUTE_VALUE_INVALID;
		if (attribute_find(attributes, i, attributes[i].type))
			return CKR_TEMPLATE_INCONSISTENT;
	}
	return CKR_OK;
}

CK_RV attribute_flag(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
	bool by_default, bool *flag)
{
	const CK_ATTRIBUTE *a = attribute_find(attributes, count, type);
	CK_BBOOL given = by_default;

	if (a && a->ulValueLen != sizeof(given))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	if (a)
		memcpy(&given, a->pValue, sizeof(given));
	if (given > 1)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	*flag = given;
	return CKR_OK;
}

CK_RV attribute_number(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
	CK_ULONG by_default, CK_ULONG *number)
{
	const CK_ATTRIBUTE *a = attribute_find(attributes, count, type);

	*number = by_default;
	if (!a)
		return CKR_OK;
	if (a->ulValueLen != sizeof(*number))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	memcpy(number, a->pValue, sizeof(*number));
	return CKR_OK;
}

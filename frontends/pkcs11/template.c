/* SPDX-License-Identifier: BSD-2-Clause */
#include "template.h"

#include <string.h>

#include "stored.h"

enum rule {
	ANY,        /* a flag that is looked at elsewhere, or that changes nothing */
	FALSE_ONLY, /* a flag with a meaning that is not there */
	TRUE_ONLY,
	KEPT,  /* in the TEE, with the key */
	VALUE, /* of a key that is given, not made */
	MINE,  /* the token's to say */
};

struct attribute_rule {
	CK_ATTRIBUTE_TYPE type;
	enum rule rule;
};

/* 4.9 and 4.10. Uses that the module does not have are left out of the key: it says so itself. */
static const struct attribute_rule private_rules[] = {
	{CKA_CLASS, ANY},
	{CKA_KEY_TYPE, ANY},
	{CKA_TOKEN, ANY},
	{CKA_PRIVATE, ANY},
	{CKA_MODIFIABLE, ANY},
	{CKA_COPYABLE, ANY},
	{CKA_DESTROYABLE, TRUE_ONLY},
	{CKA_SIGN, ANY},
	{CKA_DECRYPT, ANY},
	{CKA_DERIVE, ANY},
	{CKA_UNWRAP, ANY},
	{CKA_SIGN_RECOVER, ANY},
	{CKA_SENSITIVE, TRUE_ONLY},
	{CKA_EXTRACTABLE, FALSE_ONLY},
	{CKA_WRAP_WITH_TRUSTED, ANY},
	{CKA_ALWAYS_AUTHENTICATE, FALSE_ONLY},
	{CKA_LABEL, KEPT},
	{CKA_ID, KEPT},
	{CKA_SUBJECT, KEPT},
	{CKA_START_DATE, KEPT},
	{CKA_END_DATE, KEPT},
	{CKA_EC_PARAMS, ANY},
	{CKA_MODULUS, VALUE},
	{CKA_PUBLIC_EXPONENT, VALUE},
	{CKA_PRIVATE_EXPONENT, VALUE},
	{CKA_PRIME_1, VALUE},
	{CKA_PRIME_2, VALUE},
	{CKA_EXPONENT_1, VALUE},
	{CKA_EXPONENT_2, VALUE},
	{CKA_COEFFICIENT, VALUE},
	{CKA_VALUE, VALUE},
	{CKA_EC_POINT, VALUE},
	{CKA_PUBLIC_KEY_INFO, VALUE},
	{CKA_LOCAL, MINE},
	{CKA_KEY_GEN_MECHANISM, MINE},
	{CKA_ALWAYS_SENSITIVE, MINE},
	{CKA_NEVER_EXTRACTABLE, MINE},
	{CKA_UNIQUE_ID, MINE},
	{CKA_KEYWARD_ATTESTATION, MINE},
};

static CK_RV apply(enum rule rule, const CK_ATTRIBUTE *a, bool material)
{
	bool is_set;

	switch (rule) {
	case FALSE_ONLY:
	case TRUE_ONLY:
		if (attribute_flag(a, 1, a->type, false, &is_set))
			return CKR_ATTRIBUTE_VALUE_INVALID;
		return is_set == (rule == TRUE_ONLY) ? CKR_OK : CKR_TEMPLATE_INCONSISTENT;
	case VALUE:
		return material ? CKR_OK : CKR_TEMPLATE_INCONSISTENT;
	case MINE:
		return CKR_ATTRIBUTE_READ_ONLY;
	default:
		return CKR_OK;
	}
}

static CK_RV check_rules(const CK_ATTRIBUTE *attributes, CK_ULONG count, bool material)
{
	for (CK_ULONG i = 0; i < count; i++) {
		CK_RV rv = CKR_ATTRIBUTE_TYPE_INVALID;

		for (size_t k = 0; k < sizeof(private_rules) / sizeof(private_rules[0]); k++) {
			if (private_rules[k].type == attributes[i].type)
				rv = apply(private_rules[k].rule, &attributes[i], material);
		}
		if (rv)
			return rv;
	}
	return CKR_OK;
}

static CK_RV keep(
	const CK_ATTRIBUTE *attributes, CK_ULONG count, bool replace, struct key_request *request)
{
	for (CK_ULONG i = 0; i < count; i++) {
		const CK_ATTRIBUTE *a = &attributes[i];
		enum stored_tag tag = stored_tag_of(a->type);
		size_t n;
		CK_RV rv;

		if (!tag || !a->ulValueLen)
			continue;
		if (!replace && stored_find(request->attributes, request->attributes_len, tag, &n))
			continue;
		rv = stored_put(request->attributes, &request->attributes_len, tag, a->pValue,
			a->ulValueLen);
		if (rv)
			return rv;
	}
	return CKR_OK;
}

static CK_RV expect_number(
	const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
	CK_ULONG given;
	CK_RV rv = attribute_number(attributes, count, type, value, &given);

	if (rv)
		return rv;
	return given == value ? CKR_OK : CKR_TEMPLATE_INCONSISTENT;
}

CK_RV template_read(const CK_ATTRIBUTE *attributes, CK_ULONG count, enum kw_key_type type,
	bool material, bool is_rw, struct key_request *request)
{
	bool is_rsa = mechanism_family(type) == FAMILY_RSA;
	bool sign, decrypt, with_trusted;
	CK_RV rv;

	memset(request, 0, sizeof(*request));
	rv = check_rules(attributes, count, material);
	if (!rv)
		rv = expect_number(attributes, count, CKA_CLASS, CKO_PRIVATE_KEY);
	if (!rv)
		rv = expect_number(attributes, count, CKA_KEY_TYPE, object_key_type(type));
	if (!rv)
		rv = attribute_flag(attributes, count, CKA_TOKEN, false, &request->is_token);
	if (!rv)
		rv = attribute_flag(attributes, count, CKA_DECRYPT, false, &decrypt);
	/* A key that is not said to be for anything is for signatures. */
	if (!rv)
		rv = attribute_flag(attributes, count, CKA_SIGN, !decrypt, &sign);
	if (!rv)
		rv = attribute_flag(attributes, count, CKA_WRAP_WITH_TRUSTED, false, &with_trusted);
	if (rv)
		return rv;
	if (request->is_token && !is_rw)
		return CKR_SESSION_READ_ONLY;
	if (sign)
		request->purposes |= KW_PURPOSE_SIGN | KW_PURPOSE_CSR;
	if (decrypt && is_rsa)
		request->purposes |= KW_PURPOSE_DECRYPT | KW_PURPOSE_DECRYPT_PKCS1;
	if (!request->purposes)
		return CKR_TEMPLATE_INCONSISTENT;
	return keep(attributes, count, true, request);
}

CK_RV template_read_public(const CK_ATTRIBUTE *attributes, CK_ULONG count, enum kw_key_type type,
	struct key_request *request)
{
	CK_RV rv = expect_number(attributes, count, CKA_CLASS, CKO_PUBLIC_KEY);

	if (!rv)
		rv = expect_number(attributes, count, CKA_KEY_TYPE, object_key_type(type));
	return rv ? rv : keep(attributes, count, false, request);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "template.h"

#include <string.h>

#include "session.h"
#include "stored.h"

/* 4.9 and 4.10. Uses that the module does not have are left out of the key: it says so itself. */
static const struct attribute_rule private_rules[] = {
	{CKA_CLASS, RULE_ANY},
	{CKA_KEY_TYPE, RULE_ANY},
	{CKA_TOKEN, RULE_ANY},
	{CKA_PRIVATE, RULE_ANY},
	{CKA_MODIFIABLE, RULE_ANY},
	{CKA_COPYABLE, RULE_ANY},
	{CKA_DESTROYABLE, RULE_TRUE_ONLY},
	{CKA_SIGN, RULE_ANY},
	{CKA_DECRYPT, RULE_ANY},
	{CKA_DERIVE, RULE_ANY},
	{CKA_UNWRAP, RULE_ANY},
	{CKA_SIGN_RECOVER, RULE_ANY},
	{CKA_SENSITIVE, RULE_TRUE_ONLY},
	{CKA_EXTRACTABLE, RULE_ANY},
	{CKA_WRAP_WITH_TRUSTED, RULE_ANY},
	{CKA_ALWAYS_AUTHENTICATE, RULE_ANY},
	{CKA_ALLOWED_MECHANISMS, RULE_KEPT},
	{CKA_KEYWARD_MIXED, RULE_ANY},
	{CKA_KEYWARD_RAW, RULE_ANY},
	{CKA_LABEL, RULE_KEPT},
	{CKA_ID, RULE_KEPT},
	{CKA_SUBJECT, RULE_KEPT},
	{CKA_START_DATE, RULE_DATE},
	{CKA_END_DATE, RULE_DATE},
	{CKA_EC_PARAMS, RULE_ANY},
	{CKA_MODULUS, RULE_VALUE},
	{CKA_PUBLIC_EXPONENT, RULE_VALUE},
	{CKA_PRIVATE_EXPONENT, RULE_VALUE},
	{CKA_PRIME_1, RULE_VALUE},
	{CKA_PRIME_2, RULE_VALUE},
	{CKA_EXPONENT_1, RULE_VALUE},
	{CKA_EXPONENT_2, RULE_VALUE},
	{CKA_COEFFICIENT, RULE_VALUE},
	{CKA_VALUE, RULE_VALUE},
	{CKA_EC_POINT, RULE_VALUE},
	{CKA_PUBLIC_KEY_INFO, RULE_VALUE},
	{CKA_LOCAL, RULE_MINE},
	{CKA_KEY_GEN_MECHANISM, RULE_MINE},
	{CKA_ALWAYS_SENSITIVE, RULE_MINE},
	{CKA_NEVER_EXTRACTABLE, RULE_MINE},
	{CKA_UNIQUE_ID, RULE_MINE},
	{CKA_KEYWARD_ATTESTATION, RULE_MINE},
};

/* 4.8. A public key's uses follow from its private key's. */
static const struct attribute_rule public_rules[] = {
	{CKA_CLASS, RULE_ANY},
	{CKA_KEY_TYPE, RULE_ANY},
	{CKA_TOKEN, RULE_ANY},
	{CKA_PRIVATE, RULE_ANY},
	{CKA_MODIFIABLE, RULE_ANY},
	{CKA_COPYABLE, RULE_ANY},
	{CKA_DESTROYABLE, RULE_TRUE_ONLY},
	{CKA_ENCRYPT, RULE_ANY},
	{CKA_VERIFY, RULE_ANY},
	{CKA_VERIFY_RECOVER, RULE_ANY},
	{CKA_WRAP, RULE_ANY},
	{CKA_DERIVE, RULE_ANY},
	{CKA_TRUSTED, RULE_FALSE_ONLY},
	{CKA_ALLOWED_MECHANISMS, RULE_KEPT},
	{CKA_LABEL, RULE_KEPT},
	{CKA_ID, RULE_KEPT},
	{CKA_SUBJECT, RULE_KEPT},
	{CKA_START_DATE, RULE_DATE},
	{CKA_END_DATE, RULE_DATE},
	{CKA_EC_PARAMS, RULE_ANY},
	{CKA_MODULUS_BITS, RULE_ANY},
	{CKA_PUBLIC_EXPONENT, RULE_ANY},
	{CKA_MODULUS, RULE_VALUE},
	{CKA_EC_POINT, RULE_VALUE},
	{CKA_PUBLIC_KEY_INFO, RULE_VALUE},
	{CKA_LOCAL, RULE_MINE},
	{CKA_KEY_GEN_MECHANISM, RULE_MINE},
	{CKA_UNIQUE_ID, RULE_MINE},
	{CKA_KEYWARD_ATTESTATION, RULE_MINE},
};

static CK_RV apply(enum rule rule, const CK_ATTRIBUTE *a, bool material)
{
	bool is_set;

	switch (rule) {
	case RULE_FALSE_ONLY:
	case RULE_TRUE_ONLY:
		if (attribute_flag(a, 1, a->type, false, &is_set))
			return CKR_ATTRIBUTE_VALUE_INVALID;
		return is_set == (rule == RULE_TRUE_ONLY) ? CKR_OK : CKR_TEMPLATE_INCONSISTENT;
	case RULE_DATE:
		return !a->ulValueLen || a->ulValueLen == sizeof(CK_DATE)
			       ? CKR_OK
			       : CKR_ATTRIBUTE_VALUE_INVALID;
	case RULE_VALUE:
		return material ? CKR_OK : CKR_TEMPLATE_INCONSISTENT;
	case RULE_MINE:
		return CKR_ATTRIBUTE_READ_ONLY;
	default:
		return CKR_OK;
	}
}

CK_RV template_check_rules(const struct attribute_rule *rules, size_t rule_count,
	const CK_ATTRIBUTE *attributes, CK_ULONG count, bool material)
{
	for (CK_ULONG i = 0; i < count; i++) {
		CK_RV rv = CKR_ATTRIBUTE_TYPE_INVALID;

		for (size_t k = 0; k < rule_count; k++) {
			if (rules[k].type == attributes[i].type)
				rv = apply(rules[k].rule, &attributes[i], material);
		}
		if (rv)
			return rv;
	}
	return CKR_OK;
}

CK_RV template_keep(
	const CK_ATTRIBUTE *attributes, CK_ULONG count, bool replace, struct key_request *request)
{
	const CK_ATTRIBUTE *a;

	for (CK_ULONG i = 0; i < count; i++) {
		enum stored_tag tag = stored_tag_of(attributes[i].type);
		size_t n;
		CK_RV rv;

		a = &attributes[i];
		if (!tag || !a->ulValueLen)
			continue;
		if (!replace && stored_find(request->attributes, request->attributes_len, tag, &n))
			continue;
		rv = stored_put(request->attributes, &request->attributes_len, tag, a->pValue,
			a->ulValueLen);
		if (rv)
			return rv;
	}
	a = attribute_find(attributes, count, CKA_ALLOWED_MECHANISMS);
	return a ? stored_put_mechanisms(request->attributes, &request->attributes_len, a) : CKR_OK;
}

CK_RV template_keep_flags(
	const CK_ATTRIBUTE *attributes, CK_ULONG count, uint8_t flags, uint8_t *list, size_t *len)
{
	bool may_change;
	CK_RV rv = attribute_flag(attributes, count, CKA_MODIFIABLE, true, &may_change);

	flags |= may_change ? 0 : STORED_FIXED;
	return rv || !flags ? rv : stored_put(list, len, STORED_FLAGS, &flags, 1);
}

CK_RV template_expect(
	const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
	CK_ULONG given;
	CK_RV rv = attribute_number(attributes, count, type, value, &given);

	if (rv)
		return rv;
	return given == value ? CKR_OK : CKR_TEMPLATE_INCONSISTENT;
}

/* What the key's family cannot do is left out. A key that decrypts does not unwrap as well, unless it is asked to on purpose:
 * it would decrypt what was wrapped (docs/PURPOSES.md). */
static uint32_t private_purposes(enum family family, CK_FLAGS uses, bool mixed)
{
	uint32_t purposes = 0;

	if (uses & CKF_SIGN && family != FAMILY_X)
		purposes |= KW_PURPOSE_SIGN | KW_PURPOSE_CSR;
	if (uses & CKF_DECRYPT && family == FAMILY_RSA)
		purposes |= KW_PURPOSE_DECRYPT | KW_PURPOSE_DECRYPT_PKCS1;
	if (uses & CKF_UNWRAP && family == FAMILY_RSA && (mixed || !(uses & CKF_DECRYPT)))
		purposes |= KW_PURPOSE_UNWRAP;
	if ((uses & CKF_DERIVE && family == FAMILY_EC) || family == FAMILY_X)
		purposes |= KW_PURPOSE_DERIVE | KW_PURPOSE_DERIVE_VALUE;
	if (purposes && mixed && family == FAMILY_RSA)
		purposes |= KW_PURPOSE_MIXED;
	return purposes;
}

struct flags {
	bool sign, decrypt, derive, unwrap;
	bool extractable, with_trusted, mixed, raw, each_time;
};

static CK_RV read_flags(const CK_ATTRIBUTE *attributes, CK_ULONG count, struct flags *f)
{
	const struct {
		CK_ATTRIBUTE_TYPE type;
		bool *flag;
	} all[] = {
		{CKA_DECRYPT, &f->decrypt},
		{CKA_DERIVE, &f->derive},
		{CKA_UNWRAP, &f->unwrap},
		{CKA_EXTRACTABLE, &f->extractable},
		{CKA_WRAP_WITH_TRUSTED, &f->with_trusted},
		{CKA_KEYWARD_MIXED, &f->mixed},
		{CKA_KEYWARD_RAW, &f->raw},
		{CKA_ALWAYS_AUTHENTICATE, &f->each_time},
	};
	CK_RV rv = CKR_OK;

	for (size_t i = 0; !rv && i < sizeof(all) / sizeof(all[0]); i++)
		rv = attribute_flag(attributes, count, all[i].type, false, all[i].flag);
	/* A key that is not said to be for anything is for what its type does. */
	return rv ? rv
		  : attribute_flag(attributes, count, CKA_SIGN,
			    !f->decrypt && !f->derive && !f->unwrap, &f->sign);
}

CK_RV template_read(const CK_ATTRIBUTE *attributes, CK_ULONG count, enum kw_key_type type,
	bool material, bool is_rw, struct key_request *request)
{
	struct flags f;
	CK_RV rv;

	memset(request, 0, sizeof(*request));
	rv = template_check_rules(private_rules, sizeof(private_rules) / sizeof(private_rules[0]),
		attributes, count, material);
	if (!rv)
		rv = template_expect(attributes, count, CKA_CLASS, CKO_PRIVATE_KEY);
	if (!rv)
		rv = template_expect(attributes, count, CKA_KEY_TYPE, object_key_type(type));
	if (!rv)
		rv = attribute_flag(attributes, count, CKA_TOKEN, false, &request->is_token);
	if (!rv)
		rv = read_flags(attributes, count, &f);
	if (rv)
		return rv;
	if (request->is_token && !is_rw)
		return CKR_SESSION_READ_ONLY;
	request->purposes = private_purposes(mechanism_family(type),
		(f.sign ? CKF_SIGN : 0) | (f.decrypt ? CKF_DECRYPT : 0) |
			(f.derive ? CKF_DERIVE : 0) | (f.unwrap ? CKF_UNWRAP : 0),
		f.mixed);
	if (!request->purposes || (f.raw && mechanism_family(type) != FAMILY_RSA))
		return CKR_TEMPLATE_INCONSISTENT;
	/* The default token has no PIN that could be asked for. */
	if (f.each_time && session_slot_now() == SLOT_DEFAULT)
		return CKR_TEMPLATE_INCONSISTENT;
	request->purposes |= (f.raw ? KW_PURPOSE_RAW : 0) |
			     (f.extractable ? KW_PURPOSE_EXTRACTABLE : 0) |
			     (f.extractable && f.with_trusted ? KW_PURPOSE_WITH_TRUSTED : 0);
	rv = template_keep_flags(attributes, count, f.each_time ? STORED_ALWAYS_AUTHENTICATE : 0,
		request->attributes, &request->attributes_len);
	return rv ? rv : template_keep(attributes, count, true, request);
}

CK_RV template_read_public(const CK_ATTRIBUTE *attributes, CK_ULONG count, enum kw_key_type type,
	bool material, struct key_request *request)
{
	bool wrap;
	CK_RV rv = template_check_rules(public_rules,
		sizeof(public_rules) / sizeof(public_rules[0]), attributes, count, material);

	if (!rv)
		rv = template_expect(attributes, count, CKA_CLASS, CKO_PUBLIC_KEY);
	if (!rv)
		rv = template_expect(attributes, count, CKA_KEY_TYPE, object_key_type(type));
	if (!rv)
		rv = attribute_flag(attributes, count, CKA_WRAP, false, &wrap);
	/* As above */
	if (!rv && wrap && mechanism_family(type) == FAMILY_RSA &&
		(request->purposes & KW_PURPOSE_MIXED || !(request->purposes & KW_PURPOSE_DECRYPT)))
		request->purposes |= KW_PURPOSE_WRAP;
	return rv ? rv : template_keep(attributes, count, false, request);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Templates of secret keys (PKCS #11 3.0, 4.11 and 2.7, 2.8 of the mechanisms). */
#include <string.h>

#include "stored.h"
#include "template.h"

static const struct attribute_rule rules[] = {
	{CKA_CLASS, RULE_ANY},
	{CKA_KEY_TYPE, RULE_ANY},
	{CKA_TOKEN, RULE_ANY},
	{CKA_PRIVATE, RULE_ANY},
	{CKA_MODIFIABLE, RULE_ANY},
	{CKA_COPYABLE, RULE_ANY},
	{CKA_DESTROYABLE, RULE_TRUE_ONLY},
	{CKA_ENCRYPT, RULE_ANY},
	{CKA_DECRYPT, RULE_ANY},
	{CKA_SIGN, RULE_ANY},
	{CKA_VERIFY, RULE_ANY},
	{CKA_WRAP, RULE_ANY},
	{CKA_UNWRAP, RULE_ANY},
	{CKA_DERIVE, RULE_ANY},
	{CKA_SENSITIVE, RULE_ANY},
	{CKA_EXTRACTABLE, RULE_ANY},
	{CKA_WRAP_WITH_TRUSTED, RULE_ANY},
	{CKA_TRUSTED, RULE_ANY},
	{CKA_KEYWARD_MIXED, RULE_ANY},
	{CKA_VALUE_LEN, RULE_ANY},
	{CKA_VALUE, RULE_VALUE},
	{CKA_ALLOWED_MECHANISMS, RULE_KEPT},
	{CKA_LABEL, RULE_KEPT},
	{CKA_ID, RULE_KEPT},
	{CKA_START_DATE, RULE_DATE},
	{CKA_END_DATE, RULE_DATE},
	{CKA_LOCAL, RULE_MINE},
	{CKA_KEY_GEN_MECHANISM, RULE_MINE},
	{CKA_ALWAYS_SENSITIVE, RULE_MINE},
	{CKA_NEVER_EXTRACTABLE, RULE_MINE},
	{CKA_UNIQUE_ID, RULE_MINE},
	{CKA_KEYWARD_ATTESTATION, RULE_MINE},
};

bool template_aes_type(size_t size, enum kw_key_type *type)
{
	*type = size == 16   ? KW_KEY_TYPE_AES_128
		: size == 24 ? KW_KEY_TYPE_AES_192
			     : KW_KEY_TYPE_AES_256;
	return size == 16 || size == 24 || size == 32;
}

static bool is_generic(CK_ULONG key_type)
{
	return key_type == CKK_GENERIC_SECRET || key_type == CKK_HKDF ||
	       (key_type >= CKK_SHA256_HMAC && key_type <= CKK_SHA224_HMAC);
}

static CK_RV read_key_type(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_KEY_TYPE by_default,
	struct key_request *request)
{
	CK_RV rv =
		attribute_number(attributes, count, CKA_KEY_TYPE, by_default, &request->key_type);

	if (rv)
		return rv;
	if (by_default == CK_UNAVAILABLE_INFORMATION &&
		!attribute_find(attributes, count, CKA_KEY_TYPE))
		return CKR_TEMPLATE_INCOMPLETE;
	if (request->key_type != CKK_AES && !is_generic(request->key_type))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	request->type = KW_KEY_TYPE_HMAC;
	return CKR_OK;
}

static CK_RV read_size(const CK_ATTRIBUTE *attributes, CK_ULONG count, enum secret_source source,
	struct key_request *request)
{
	const CK_ATTRIBUTE *value = attribute_find(attributes, count, CKA_VALUE);
	bool is_aes = request->key_type == CKK_AES;
	CK_ULONG size;
	CK_RV rv = attribute_number(attributes, count, CKA_VALUE_LEN, 0, &size);

	if (rv)
		return rv;
	if (source == SECRET_GIVEN && !value)
		return CKR_TEMPLATE_INCOMPLETE;
	if (source == SECRET_GIVEN) {
		if (size && size != value->ulValueLen)
			return CKR_TEMPLATE_INCONSISTENT;
		size = value->ulValueLen;
	}
	if (!size && (source == SECRET_GENERATED || (is_aes && source == SECRET_DERIVED)))
		return CKR_TEMPLATE_INCOMPLETE;
	if (size > KW_SECRET_MAX || (source == SECRET_GENERATED && size < KW_SECRET_MIN) ||
		(source == SECRET_GIVEN && !size))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	if (is_aes && size && !template_aes_type(size, &request->type))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	request->size = size;
	return CKR_OK;
}

struct flags {
	bool encrypt, decrypt, sign, verify, wrap, unwrap, derive;
	bool sensitive, extractable, with_trusted, trusted, mixed;
};

static CK_RV read_flags(const CK_ATTRIBUTE *attributes, CK_ULONG count, struct flags *f)
{
	const struct {
		CK_ATTRIBUTE_TYPE type;
		bool by_default;
		bool *flag;
	} all[] = {
		{CKA_ENCRYPT, false, &f->encrypt},
		{CKA_DECRYPT, false, &f->decrypt},
		{CKA_SIGN, false, &f->sign},
		{CKA_VERIFY, false, &f->verify},
		{CKA_WRAP, false, &f->wrap},
		{CKA_UNWRAP, false, &f->unwrap},
		{CKA_DERIVE, false, &f->derive},
		{CKA_SENSITIVE, true, &f->sensitive},
		{CKA_EXTRACTABLE, false, &f->extractable},
		{CKA_WRAP_WITH_TRUSTED, false, &f->with_trusted},
		{CKA_TRUSTED, false, &f->trusted},
		{CKA_KEYWARD_MIXED, false, &f->mixed},
	};
	CK_RV rv = CKR_OK;

	for (size_t i = 0; !rv && i < sizeof(all) / sizeof(all[0]); i++)
		rv = attribute_flag(attributes, count, all[i].type, all[i].by_default, all[i].flag);
	return rv;
}

/* What the key's type cannot do is left out: the key says so itself. */
static CK_RV put_purposes(const struct flags *f, struct key_request *request)
{
	bool is_aes = request->key_type == CKK_AES;
	uint32_t purposes = 0;

	if (f->sign || f->verify)
		purposes |= KW_PURPOSE_MAC;
	if (is_aes)
		purposes |= (f->encrypt ? KW_PURPOSE_ENCRYPT : 0) |
			    (f->decrypt ? KW_PURPOSE_DECRYPT : 0) |
			    (f->wrap ? KW_PURPOSE_WRAP : 0) | (f->unwrap ? KW_PURPOSE_UNWRAP : 0);
	else if (f->derive)
		/* An HMAC key can do each of HKDF's steps, so there is nothing to keep back. */
		purposes |= KW_PURPOSE_DERIVE |
			    (purposes || !f->sensitive ? KW_PURPOSE_DERIVE_VALUE : 0);
	/* A key that is not said to be for anything */
	if (!purposes)
		purposes = is_aes                          ? KW_PURPOSE_ENCRYPT | KW_PURPOSE_DECRYPT
			   : request->key_type == CKK_HKDF ? KW_PURPOSE_DERIVE
							   : KW_PURPOSE_MAC;
	if (f->trusted && !(purposes & KW_PURPOSE_WRAP))
		return CKR_TEMPLATE_INCONSISTENT;
	purposes |= (f->extractable ? KW_PURPOSE_EXTRACTABLE : 0) |
		    (f->extractable && f->with_trusted ? KW_PURPOSE_WITH_TRUSTED : 0) |
		    (f->trusted ? KW_PURPOSE_TRUSTED : 0) | (f->mixed ? KW_PURPOSE_MIXED : 0);
	request->purposes = purposes;
	return CKR_OK;
}

CK_RV template_read_secret(const CK_ATTRIBUTE *attributes, CK_ULONG count,
	enum secret_source source, CK_KEY_TYPE key_type, bool is_rw, struct key_request *request)
{
	struct flags f;
	CK_RV rv;

	memset(request, 0, sizeof(*request));
	rv = template_check_rules(
		rules, sizeof(rules) / sizeof(rules[0]), attributes, count, source == SECRET_GIVEN);
	if (!rv)
		rv = template_expect(attributes, count, CKA_CLASS, CKO_SECRET_KEY);
	if (!rv)
		rv = attribute_flag(attributes, count, CKA_TOKEN, false, &request->is_token);
	if (!rv)
		rv = read_key_type(attributes, count, key_type, request);
	if (!rv)
		rv = read_size(attributes, count, source, request);
	if (!rv)
		rv = read_flags(attributes, count, &f);
	if (!rv)
		rv = put_purposes(&f, request);
	if (rv)
		return rv;
	if (request->is_token && !is_rw)
		return CKR_SESSION_READ_ONLY;
	request->is_shown = !request->is_token && !f.sensitive && f.extractable && !f.with_trusted;
	rv = template_keep(attributes, count, true, request);
	if (!rv)
		rv = template_keep_flags(attributes, count, f.sensitive ? 0 : STORED_NOT_SENSITIVE,
			request->attributes, &request->attributes_len);
	if (!rv && is_generic(request->key_type) && request->key_type != CKK_GENERIC_SECRET)
		rv = stored_put_number(request->attributes, &request->attributes_len,
			STORED_KEY_TYPE, (uint32_t)request->key_type);
	return rv;
}

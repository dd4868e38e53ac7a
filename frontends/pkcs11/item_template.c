/* SPDX-License-Identifier: BSD-2-Clause */
#include "item_template.h"

#include <string.h>

#include "stored.h"

enum rule {
	FLAG,       /* looked at elsewhere, or changes nothing */
	NEVER,      /* a flag that the application cannot set */
	TURNED_OFF, /* kept when it is false: `tag` is the bit of STORED_FLAGS */
	NUMBER,     /* kept, at most `most` */
	TYPE,       /* CKC_X_509 */
	KEPT,
	DATE, /* kept; empty or of eight characters */
	VALUE,
	SAID, /* by the certificate: the same, or nothing */
	MINE, /* the token's to say */
};

struct attribute_rule {
	CK_ATTRIBUTE_TYPE type;
	enum rule rule;
	unsigned tag;
	CK_ULONG most;
	bool may_change; /* later */
};

/* 4.6.3 */
static const struct attribute_rule certificate_rules[] = {
	{CKA_CLASS, FLAG, 0, 0, false},
	{CKA_TOKEN, FLAG, 0, 0, false},
	{CKA_PRIVATE, FLAG, 0, 0, false},
	{CKA_MODIFIABLE, TURNED_OFF, STORED_FIXED, 0, false},
	{CKA_COPYABLE, TURNED_OFF, STORED_UNCOPIED, 0, false},
	{CKA_DESTROYABLE, TURNED_OFF, STORED_LASTING, 0, false},
	{CKA_CERTIFICATE_TYPE, TYPE, 0, 0, false},
	{CKA_TRUSTED, NEVER, 0, 0, false},
	{CKA_LABEL, KEPT, STORED_LABEL, 0, true},
	{CKA_ID, KEPT, STORED_ID, 0, true},
	{CKA_VALUE, VALUE, 0, 0, false},
	{CKA_SUBJECT, SAID, 0, 0, false},
	{CKA_ISSUER, SAID, 0, 0, false},
	{CKA_SERIAL_NUMBER, SAID, 0, 0, false},
	{CKA_PUBLIC_KEY_INFO, SAID, 0, 0, false},
	{CKA_CHECK_VALUE, SAID, 0, 0, false},
	{CKA_START_DATE, DATE, STORED_START_DATE, 0, false},
	{CKA_END_DATE, DATE, STORED_END_DATE, 0, false},
	{CKA_CERTIFICATE_CATEGORY, NUMBER, STORED_CATEGORY, 3, false},
	{CKA_JAVA_MIDP_SECURITY_DOMAIN, NUMBER, STORED_JAVA_DOMAIN, 3, false},
	{CKA_NAME_HASH_ALGORITHM, NUMBER, STORED_NAME_HASH, UINT32_MAX, false},
	{CKA_URL, KEPT, STORED_URL, 0, false},
	{CKA_HASH_OF_SUBJECT_PUBLIC_KEY, KEPT, STORED_SUBJECT_KEY_HASH, 0, false},
	{CKA_HASH_OF_ISSUER_PUBLIC_KEY, KEPT, STORED_ISSUER_KEY_HASH, 0, false},
	{CKA_UNIQUE_ID, MINE, 0, 0, false},
};

/* 4.5 */
static const struct attribute_rule data_rules[] = {
	{CKA_CLASS, FLAG, 0, 0, false},
	{CKA_TOKEN, FLAG, 0, 0, false},
	{CKA_PRIVATE, FLAG, 0, 0, false},
	{CKA_MODIFIABLE, TURNED_OFF, STORED_FIXED, 0, false},
	{CKA_COPYABLE, TURNED_OFF, STORED_UNCOPIED, 0, false},
	{CKA_DESTROYABLE, TURNED_OFF, STORED_LASTING, 0, false},
	{CKA_LABEL, KEPT, STORED_LABEL, 0, true},
	{CKA_APPLICATION, KEPT, STORED_APPLICATION, 0, true},
	{CKA_OBJECT_ID, KEPT, STORED_OBJECT_ID, 0, true},
	{CKA_VALUE, VALUE, 0, 0, false},
	{CKA_UNIQUE_ID, MINE, 0, 0, false},
};

/* Of a public key alone, after it was made: 4.8 */
static const struct attribute_rule public_key_rules[] = {
	{CKA_LABEL, KEPT, STORED_LABEL, 0, true},
	{CKA_ID, KEPT, STORED_ID, 0, true},
	{CKA_SUBJECT, KEPT, STORED_SUBJECT, 0, true},
	{CKA_START_DATE, DATE, STORED_START_DATE, 0, true},
	{CKA_END_DATE, DATE, STORED_END_DATE, 0, true},
};

#define RULES(table) table, sizeof(table) / sizeof(table[0])

static const struct attribute_rule *rule_in(
	const struct attribute_rule *rules, size_t n, CK_ATTRIBUTE_TYPE type)
{
	for (size_t i = 0; i < n; i++) {
		if (rules[i].type == type)
			return &rules[i];
	}
	return NULL;
}

static const struct attribute_rule *rule_of(CK_OBJECT_CLASS class, CK_ATTRIBUTE_TYPE type)
{
	if (class == CKO_CERTIFICATE)
		return rule_in(RULES(certificate_rules), type);
	if (class == CKO_DATA)
		return rule_in(RULES(data_rules), type);
	return rule_in(RULES(public_key_rules), type);
}

static CK_RV keep_number(
	const struct attribute_rule *rule, const CK_ATTRIBUTE *a, uint8_t *list, size_t *len)
{
	CK_ULONG n;
	uint8_t be[4];
	CK_RV rv = attribute_number(a, 1, a->type, 0, &n);

	if (rv)
		return rv;
	if (n > rule->most)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	for (int i = 0; i < 4; i++)
		be[i] = (uint8_t)(n >> (24 - 8 * i));
	/* One byte where that is enough */
	return rule->most > UINT8_MAX ? stored_put(list, len, rule->tag, be, 4)
				      : stored_put(list, len, rule->tag, be + 3, 1);
}

static CK_RV keep_flag(
	const struct attribute_rule *rule, const CK_ATTRIBUTE *a, uint8_t *list, size_t *len)
{
	size_t n;
	const uint8_t *old = stored_find(list, *len, STORED_FLAGS, &n);
	uint8_t flags = old && n == 1 ? *old : 0;
	bool is_set;
	CK_RV rv = attribute_flag(a, 1, a->type, true, &is_set);

	/* A copy of an object without it may have it again (4.4). */
	if (rv || is_set == !(flags & rule->tag))
		return rv;
	flags ^= (uint8_t)rule->tag;
	return stored_put(list, len, STORED_FLAGS, &flags, 1);
}

static CK_RV check_type(const CK_ATTRIBUTE *a)
{
	CK_ULONG type;
	CK_RV rv = attribute_number(a, 1, a->type, 0, &type);

	if (rv)
		return rv;
	return type == CKC_X_509 ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

static CK_RV apply(
	const struct attribute_rule *rule, const CK_ATTRIBUTE *a, uint8_t *list, size_t *len)
{
	bool is_set;
	CK_RV rv;

	switch (rule->rule) {
	case FLAG:
		/* CKA_CLASS was read, or this would not be the table. */
		return a->type == CKA_CLASS ? CKR_OK
					    : attribute_flag(a, 1, a->type, false, &is_set);
	case NEVER:
		rv = attribute_flag(a, 1, a->type, false, &is_set);
		return !rv && is_set ? CKR_ATTRIBUTE_READ_ONLY : rv;
	case TURNED_OFF:
		return keep_flag(rule, a, list, len);
	case NUMBER:
		return keep_number(rule, a, list, len);
	case TYPE:
		return check_type(a);
	case DATE:
		if (a->ulValueLen && a->ulValueLen != sizeof(CK_DATE))
			return CKR_ATTRIBUTE_VALUE_INVALID;
		break;
	case KEPT:
		break;
	case MINE:
		return CKR_ATTRIBUTE_READ_ONLY;
	default:
		return CKR_OK;
	}
	return stored_put(list, len, rule->tag, a->pValue, a->ulValueLen);
}

static bool is_same(const CK_ATTRIBUTE *a, const uint8_t *p, size_t n)
{
	return !a->ulValueLen || (a->ulValueLen == n && !memcmp(a->pValue, p, n));
}

/* Some programs give the serial number without the head that makes it a DER INTEGER. */
static bool is_serial(const CK_ATTRIBUTE *a, const struct certificate *c)
{
	return is_same(a, c->serial, c->serial_len) ||
	       (c->serial_len > 2 && c->serial[1] < 128 &&
		       is_same(a, c->serial + 2, c->serial_len - 2));
}

/* A certificate that is found by what it does not say would be taken for another. */
static CK_RV check_said(const CK_ATTRIBUTE *attributes, CK_ULONG count, const struct certificate *c)
{
	for (CK_ULONG i = 0; i < count; i++) {
		const CK_ATTRIBUTE *a = &attributes[i];
		bool ok = true;

		if (a->type == CKA_SUBJECT)
			ok = is_same(a, c->subject, c->subject_len);
		else if (a->type == CKA_ISSUER)
			ok = is_same(a, c->issuer, c->issuer_len);
		else if (a->type == CKA_SERIAL_NUMBER)
			ok = is_serial(a, c);
		else if (a->type == CKA_PUBLIC_KEY_INFO)
			ok = is_same(a, c->spki, c->spki_len);
		/* 4.6.2: a check value that is not right is a value that is not valid. */
		else if (a->type == CKA_CHECK_VALUE && !is_same(a, c->check, sizeof(c->check)))
			return CKR_ATTRIBUTE_VALUE_INVALID;
		if (!ok)
			return CKR_TEMPLATE_INCONSISTENT;
	}
	return CKR_OK;
}

/* An empty CKA_ID says nothing: the certificate is then found by its key's. */
static bool is_left_out(const CK_ATTRIBUTE *a)
{
	return a->type == CKA_ID && !a->ulValueLen;
}

CK_RV item_template_read(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_CLASS class,
	struct item_request *request)
{
	const CK_ATTRIBUTE *value = attribute_find(attributes, count, CKA_VALUE);
	CK_RV rv = attribute_flag(attributes, count, CKA_TOKEN, false, &request->is_token);

	if (!rv)
		rv = attribute_flag(attributes, count, CKA_PRIVATE, false, &request->is_private);
	request->class = class;
	for (CK_ULONG i = 0; !rv && i < count; i++) {
		const struct attribute_rule *rule = rule_of(class, attributes[i].type);

		if (!rule)
			return CKR_ATTRIBUTE_TYPE_INVALID;
		if (!is_left_out(&attributes[i]))
			rv = apply(rule, &attributes[i], request->attributes,
				&request->attributes_len);
	}
	if (rv)
		return rv;
	if (class == CKO_CERTIFICATE && (!attribute_find(attributes, count, CKA_CERTIFICATE_TYPE) ||
						!value || !value->ulValueLen))
		return CKR_TEMPLATE_INCOMPLETE;
	if (value && request->is_token && value->ulValueLen > KW_OBJECT_MAX)
		return CKR_DEVICE_MEMORY;
	rv = item_value_new(class, value ? value->pValue : NULL, value ? value->ulValueLen : 0,
		&request->value);
	if (rv || class != CKO_CERTIFICATE)
		return rv;
	rv = check_said(attributes, count, &request->value->certificate);
	if (rv)
		return rv;
	return stored_put(request->attributes, &request->attributes_len, STORED_KEY,
		request->value->certificate.key_id, KW_ID_SIZE);
}

CK_RV item_template_change(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_CLASS class,
	bool is_copy, uint8_t *list, size_t *len)
{
	for (CK_ULONG i = 0; i < count; i++) {
		const struct attribute_rule *rule = rule_of(class, attributes[i].type);
		bool is_flag = attributes[i].type == CKA_TOKEN || attributes[i].type == CKA_PRIVATE;
		bool is_set;
		CK_RV rv;

		/* 5.7.2: what a copy may have of its own, and the original may not get later. */
		if (is_copy && is_flag) {
			rv = attribute_flag(&attributes[i], 1, attributes[i].type, false, &is_set);
		} else {
			if (!rule || !(rule->may_change || (is_copy && rule->rule == TURNED_OFF)))
				return CKR_ATTRIBUTE_READ_ONLY;
			rv = apply(rule, &attributes[i], list, len);
		}
		if (rv)
			return rv;
	}
	return CKR_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "csr_names.h"

#include <string.h>

#include "wire/der.h"
#include "wire/wire.h"

#define SUBJECT_MAX 16

/* X.520 and RFC 5280 A.1, whose upper bounds count characters; emailAddress is of RFC 2985. */
static const struct attribute {
	const char *name;
	uint8_t oid[9];
	uint8_t oid_len;
	uint8_t tag;
	uint8_t min;
	uint8_t max;
} attributes[] = {
	{"CN", {0x55, 0x04, 0x03}, 3, DER_UTF8_STRING, 1, 64},
	{"O", {0x55, 0x04, 0x0a}, 3, DER_UTF8_STRING, 1, 64},
	{"OU", {0x55, 0x04, 0x0b}, 3, DER_UTF8_STRING, 1, 64},
	{"C", {0x55, 0x04, 0x06}, 3, DER_PRINTABLE_STRING, 2, 2},
	{"ST", {0x55, 0x04, 0x08}, 3, DER_UTF8_STRING, 1, 128},
	{"L", {0x55, 0x04, 0x07}, 3, DER_UTF8_STRING, 1, 128},
	{"serialNumber", {0x55, 0x04, 0x05}, 3, DER_PRINTABLE_STRING, 1, 64},
	{"emailAddress", {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01}, 9, DER_IA5_STRING,
		3, 255},
};

static bool is_letter(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_one_of(uint8_t c, const char *set)
{
	return c && strchr(set, c);
}

/* Well-formed UTF-8 (RFC 3629 4) without control characters, which could make two names look the
 * same or end one early for software that stops at a NUL. *count: characters. */
static bool is_text(const uint8_t *s, size_t n, size_t *count)
{
	static const uint32_t lowest[] = {0, 0x80, 0x800, 0x10000};

	*count = 0;
	for (size_t i = 0; i < n; ++*count) {
		uint8_t first = s[i++];
		uint32_t c = first;
		size_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;

		if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || more > n - i)
			return false;
		if (more)
			c = first & (0x3fu >> more);
		for (size_t j = 0; j < more; j++, i++) {
			if ((s[i] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (s[i] & 0x3f);
		}
		if (c < lowest[more] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
			return false;
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			return false;
	}
	return true;
}

/* X.680 41.4. */
static bool is_printable_string(const uint8_t *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_letter(s[i]) && !is_digit(s[i]) && !is_one_of(s[i], " '()+,-./:=?"))
			return false;
	}
	return true;
}

/* RFC 1034 3.5 and RFC 1123 2.1: labels of letters, digits and inner hyphens; the last one is not a
 * number, or an IP address would pass for a name. */
static bool is_host_name(const uint8_t *s, size_t n)
{
	size_t start = 0;
	bool digits_only = true;

	if (n == 0 || n > 253)
		return false;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && s[i] != '.') {
			if (!is_letter(s[i]) && !is_digit(s[i]) && s[i] != '-')
				return false;
			digits_only = digits_only && is_digit(s[i]);
			continue;
		}
		if (i == start || i - start > 63 || s[start] == '-' || s[i - 1] == '-')
			return false;
		if (i < n)
			digits_only = true;
		start = i + 1;
	}
	return !digits_only;
}

/* RFC 6125 6.4.3: a wildcard is the whole first label. */
static bool is_dns_name(const uint8_t *s, size_t n)
{
	if (n > 253)
		return false;
	if (n > 2 && s[0] == '*' && s[1] == '.')
		return is_host_name(s + 2, n - 2);
	return is_host_name(s, n);
}

/* RFC 5280 4.2.1.6: local-part "@" domain, without comments or quoting. */
static bool is_email(const uint8_t *s, size_t n)
{
	const uint8_t *at = n ? memchr(s, '@', n) : NULL;
	size_t local = at ? (size_t)(at - s) : 0;

	if (local == 0 || local > 64 || s[0] == '.' || s[local - 1] == '.')
		return false;
	for (size_t i = 0; i < local; i++) {
		if (!is_letter(s[i]) && !is_digit(s[i]) && !is_one_of(s[i], "!#$%&'*+-/=?^_`{|}~."))
			return false;
		if (s[i] == '.' && s[i + 1] == '.')
			return false;
	}
	return is_host_name(s + local + 1, n - local - 1);
}

/* RFC 3986: an absolute URI, of its characters only. */
static bool is_uri(const uint8_t *s, size_t n)
{
	const uint8_t *colon = n ? memchr(s, ':', n) : NULL;
	size_t scheme = colon ? (size_t)(colon - s) : 0;

	if (scheme == 0 || scheme + 1 == n || !is_letter(s[0]))
		return false;
	for (size_t i = 0; i < scheme; i++) {
		if (!is_letter(s[i]) && !is_digit(s[i]) && !is_one_of(s[i], "+-."))
			return false;
	}
	for (size_t i = scheme + 1; i < n; i++) {
		if (!is_letter(s[i]) && !is_digit(s[i]) &&
			!is_one_of(s[i], "-._~:/?#[]@!$&'()*+,;=%"))
			return false;
	}
	return true;
}

static bool is_value(const struct attribute *a, const uint8_t *s, size_t n)
{
	size_t count = n;

	switch (a->tag) {
	case DER_UTF8_STRING:
		if (!is_text(s, n, &count))
			return false;
		break;
	case DER_PRINTABLE_STRING:
		if (!is_printable_string(s, n))
			return false;
		break;
	default:
		if (!is_email(s, n))
			return false;
	}
	/* A country is two letters (X.520 6.3.1). */
	if (a->max == 2 && (n != 2 || !is_letter(s[0]) || !is_letter(s[1])))
		return false;
	return count >= a->min && count <= a->max;
}

static const struct attribute *find_attribute(const uint8_t *name, size_t n)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (strlen(attributes[i].name) == n && memcmp(attributes[i].name, name, n) == 0)
			return &attributes[i];
	}
	return NULL;
}

enum kw_err csr_put_subject(struct reader *request, struct writer *w, unsigned *count)
{
	size_t name = der_begin(w, DER_SEQUENCE);

	*count = get_u8(request);
	if (request->failed || *count > SUBJECT_MAX)
		return KW_ERR_BAD_REQUEST;
	for (unsigned i = 0; i < *count; i++) {
		size_t type_len, n, set, pair;
		const uint8_t *type = get_field8(request, UINT8_MAX, &type_len);
		const uint8_t *value = get_field8(request, UINT8_MAX, &n);
		const struct attribute *a = value ? find_attribute(type, type_len) : NULL;

		if (!a || !is_value(a, value, n))
			return KW_ERR_BAD_REQUEST;
		set = der_begin(w, DER_SET);
		pair = der_begin(w, DER_SEQUENCE);
		der_put(w, DER_OID, a->oid, a->oid_len);
		der_put(w, a->tag, value, n);
		der_end(w, pair);
		der_end(w, set);
	}
	der_end(w, name);
	return KW_ERR_OK;
}

enum kw_err csr_put_alt_names(struct reader *request, unsigned m, struct writer *w)
{
	size_t names = der_begin(w, DER_SEQUENCE);

	for (unsigned i = 0; i < m; i++) {
		uint8_t kind = get_u8(request);
		uint8_t tag = 0; /* of GeneralName, RFC 5280 4.2.1.6 */
		size_t n;
		const uint8_t *value = get_field8(request, UINT8_MAX, &n);

		if (!value)
			return KW_ERR_BAD_REQUEST;
		if (kind == SAN_EMAIL && is_email(value, n))
			tag = DER_CONTEXT(1);
		else if (kind == SAN_DNS && is_dns_name(value, n))
			tag = DER_CONTEXT(2);
		else if (kind == SAN_URI && is_uri(value, n))
			tag = DER_CONTEXT(6);
		else if (kind == SAN_IP && (n == 4 || n == 16))
			tag = DER_CONTEXT(7);
		else
			return KW_ERR_BAD_REQUEST;
		der_put(w, tag, value, n);
	}
	der_end(w, names);
	return KW_ERR_OK;
}

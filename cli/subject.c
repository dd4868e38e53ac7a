/* SPDX-License-Identifier: BSD-2-Clause */
#include "subject.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text.h"

/* The TEE checks all of this again; here a person is told which part is wrong. The upper bounds in
 * characters are those of RFC 5280 A.1. */
static const struct attribute {
	const char *name;
	unsigned max;
} attributes[] = {
	{"CN", 64},
	{"O", 64},
	{"OU", 64},
	{"C", 2},
	{"ST", 128},
	{"L", 128},
	{"serialNumber", 64},
	{"emailAddress", VALUE_MAX},
};

#define ATTRIBUTES_TEXT "CN, O, OU, C, ST, L, serialNumber or emailAddress"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

__attribute__((format(printf, 2, 3))) static bool wrong(
	char problem[PROBLEM_SIZE], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(problem, PROBLEM_SIZE, format, ap);
	va_end(ap);
	return false;
}

static const struct attribute *find_attribute(const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (strlen(attributes[i].name) == n && strncmp(attributes[i].name, name, n) == 0)
			return &attributes[i];
	}
	return NULL;
}

/* RFC 1034 3.5: labels of letters, digits and inner hyphens; a wildcard is the whole first label. One
 * that ends in a number would be an IP address. */
static bool is_host(const char *s)
{
	size_t n = strlen(s), label;

	if (strncmp(s, "*.", 2) == 0)
		s += 2;
	if (!*s || n > 253)
		return false;
	for (;;) {
		label = strspn(s, LETTERS DIGITS "-");
		if (!label || label > 63 || s[0] == '-' || s[label - 1] == '-')
			return false;
		if (!s[label])
			return strspn(s, DIGITS) != label;
		if (s[label] != '.')
			return false;
		s += label + 1;
	}
}

static bool is_email(const char *s)
{
	const char *at = strchr(s, '@');
	size_t n = at ? (size_t)(at - s) : 0;

	return n > 0 && n <= 64 && strspn(s, LETTERS DIGITS "!#$%&'*+-/=?^_`{|}~.") == n &&
	       is_host(at + 1);
}

/* Characters of a text, or -1 when one of them is a control character or it is not UTF-8. */
static int count_characters(const char *s)
{
	uint32_t c;
	unsigned n;
	int count = 0;

	for (; *s; s += n, count++) {
		n = text_utf8(s, &c);
		if (!n || c < 0x20 || (c >= 0x7f && c < 0xa0))
			return -1;
	}
	return count;
}

static bool check_value(const struct attribute *a, const char *value, char problem[PROBLEM_SIZE])
{
	int n = count_characters(value);

	if (n < 0)
		return wrong(
			problem, "the value of %s is not UTF-8 or has control characters", a->name);
	if (!n)
		return wrong(
			problem, "the value of %s is empty: leave it out or give one", a->name);
	if (strcmp(a->name, "C") == 0 && (n != 2 || strspn(value, LETTERS) != 2))
		return wrong(problem, "a country (C) is two letters, like DE, and not '%s'", value);
	if ((unsigned)n > a->max || strlen(value) > VALUE_MAX)
		return wrong(problem, "the value of %s has more than %u characters%s", a->name,
			a->max, strcmp(a->name, "CN") ? "" : ": give a long name as --san only");
	if (strcmp(a->name, "serialNumber") == 0 &&
		value[strspn(value, LETTERS DIGITS " '()+,-./:=?")])
		return wrong(problem,
			"the serial number '%s' has other characters than letters, digits and "
			"' ( ) + , - . / : = ?",
			value);
	if (strcmp(a->name, "emailAddress") == 0 && !is_email(value))
		return wrong(problem, "'%s' is not an e-mail address", value);
	return true;
}

/* Copies up to the next '/', taking out backslashes. Returns where it ended, NULL after a problem. */
static const char *copy_value(const char *text, char **to, char problem[PROBLEM_SIZE])
{
	while (*text && *text != '/') {
		if (*text == '+') {
			wrong(problem, "a plus sign joins values in a subject, which is not "
				       "supported: write \\+");
			return NULL;
		}
		if (*text == '\\' && !*++text) {
			wrong(problem, "the subject ends with a backslash: write \\\\ for one");
			return NULL;
		}
		*(*to)++ = *text++;
	}
	*(*to)++ = '\0';
	return text;
}

bool subject_parse(const char *text, struct subject *s, char problem[PROBLEM_SIZE])
{
	char *to;

	memset(s, 0, sizeof(*s));
	if (text[0] != '/')
		return wrong(
			problem, "a subject begins with a slash, like /CN=www.test.com/O=Test");
	s->storage = malloc(strlen(text) + 1);
	if (!s->storage)
		return wrong(problem, "there is not enough memory");
	to = s->storage;
	while (*text) {
		const struct attribute *a;
		size_t n;

		text++;
		/* openssl takes a slash at the end as well. */
		if (!*text)
			break;
		n = strcspn(text, "=/");
		if (text[n] != '=')
			return wrong(problem,
				"'%.*s' in the subject has no value: write TYPE=VALUE, and \\/ for "
				"a slash",
				(int)(n > 100 ? 100 : n), text);
		if (s->n == SUBJECT_MAX)
			return wrong(problem, "a subject has at most %d parts", SUBJECT_MAX);
		a = find_attribute(text, n);
		if (!a)
			return wrong(problem,
				"there is no '%.*s' in a subject: use " ATTRIBUTES_TEXT,
				(int)(n > 100 ? 100 : n), text);
		s->names[s->n][0] = a->name;
		s->names[s->n][1] = to;
		text = copy_value(text + n + 1, &to, problem);
		if (!text || !check_value(a, s->names[s->n][1], problem))
			return false;
		s->n++;
	}
	if (!s->n)
		return wrong(problem, "the subject is empty: write one like /CN=www.test.com");
	return true;
}

void subject_free(struct subject *s)
{
	free(s->storage);
	memset(s, 0, sizeof(*s));
}

static const struct {
	const char *prefix;
	enum kw_san_kind kind;
} kinds[] = {
	{"DNS:", KW_SAN_DNS}, {"IP:", KW_SAN_IP}, {"email:", KW_SAN_EMAIL}, {"URI:", KW_SAN_URI}};

/* The kind that text begins with, 0 for none; *after: where its value begins. */
static enum kw_san_kind kind_of(const char *text, const char **after)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t n = strlen(kinds[i].prefix);

		if (strncasecmp(text, kinds[i].prefix, n) == 0) {
			*after = text + n;
			return kinds[i].kind;
		}
	}
	return 0;
}

/* A comma ends a name only when another one follows: URIs may contain commas. */
static size_t name_length(const char *value)
{
	const char *at = value, *after;

	while ((at = strchr(at, ','))) {
		if (kind_of(at + 1 + strspn(at + 1, " "), &after))
			return (size_t)(at - value);
		at++;
	}
	return strlen(value);
}

/* RFC 5280 4.2.1.6: IA5String; white space and controls are in none of them. */
static bool is_printable_ascii(const char *text)
{
	for (; *text; text++) {
		if (*text <= ' ' || *text > '~')
			return false;
	}
	return true;
}

static bool check_name(enum kw_san_kind kind, const char *value, char problem[PROBLEM_SIZE])
{
	size_t scheme = strspn(value, LETTERS DIGITS "+-.");

	if (!*value)
		return wrong(
			problem, "an alternative name is empty: write one like DNS:www.test.com");
	if (strlen(value) > VALUE_MAX)
		return wrong(problem, "an alternative name has more than %d bytes", VALUE_MAX);
	if (!is_printable_ascii(value))
		return wrong(problem,
			"the alternative name '%s' is not plain ASCII: write international names "
			"as xn--…",
			value);
	if (kind == KW_SAN_DNS && !is_host(value))
		return wrong(problem, "'%s' is not a host's name: write it like DNS:www.test.com",
			value);
	if (kind == KW_SAN_EMAIL && !is_email(value))
		return wrong(problem,
			"'%s' is not an e-mail address: write it like email:a@test.com", value);
	/* RFC 3986 2.2, 2.3 and 3.1 */
	if (kind == KW_SAN_URI &&
		(value[scheme] != ':' || !strchr(LETTERS, value[0]) || !value[scheme + 1] ||
			value[strspn(value, LETTERS DIGITS "-._~:/?#[]@!$&'()*+,;=%")]))
		return wrong(
			problem, "'%s' is not a URI: write it like URI:https://test.com/", value);
	return true;
}

static bool add_one(struct san_list *list, enum kw_san_kind kind, const char *value, size_t len,
	char problem[PROBLEM_SIZE])
{
	struct kw_san *san = &list->at[list->n];
	uint8_t address[16];
	char *copy;

	if (list->n == SAN_MAX)
		return wrong(problem, "a request has at most %d alternative names", SAN_MAX);
	copy = strndup(value, len);
	if (!copy)
		return wrong(problem, "there is not enough memory");
	list->storage[list->n++] = copy;
	*san = (struct kw_san){.kind = kind, .value = (const uint8_t *)copy, .len = len};
	if (kind != KW_SAN_IP)
		return check_name(kind, copy, problem);
	if (inet_pton(AF_INET, copy, address) == 1)
		san->len = 4;
	else if (inet_pton(AF_INET6, copy, address) == 1)
		san->len = 16;
	else
		return wrong(problem,
			"'%s' is not an IP address: write it like IP:192.0.2.1 or IP:2001:db8::1",
			copy);
	/* Every text of an address is longer than the address, but for the shortest of IPv6. */
	copy = realloc(copy, sizeof(address));
	if (!copy)
		return wrong(problem, "there is not enough memory");
	list->storage[list->n - 1] = copy;
	memcpy(copy, address, san->len);
	san->value = (const uint8_t *)copy;
	return true;
}

bool san_add(struct san_list *list, const char *text, char problem[PROBLEM_SIZE])
{
	for (;;) {
		enum kw_san_kind kind;
		const char *value;
		size_t n;

		kind = kind_of(text, &value);
		if (!kind)
			return wrong(problem,
				"'%s' is not an alternative name: begin it with DNS:, IP:, email: "
				"or URI:",
				text);
		n = name_length(value);
		if (!add_one(list, kind, value, n, problem))
			return false;
		if (!value[n])
			return true;
		text = value + n + 1;
		text += strspn(text, " ");
	}
}

void san_free(struct san_list *list)
{
	while (list->n)
		free(list->storage[--list->n]);
}

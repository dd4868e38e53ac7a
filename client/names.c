/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and sizes, out of algorithms.def. */
#include "internal.h"

#include <string.h>

enum family {
	FAMILY_RSA,
	FAMILY_EC,
	FAMILY_ED,
	FAMILY_X,
	FAMILY_AES,
	FAMILY_HMAC,
};

static const struct type_row {
	const char *name;
	enum kw_key_type type;
	enum family family;
	unsigned bits;
} types[] = {
#define KW_KEY_TYPE(number, NAME, name, FAMILY, bits) \
	{name, KW_KEY_TYPE_##NAME, FAMILY_##FAMILY, bits},
#include "keyward/algorithms.def"
};

static const struct purpose_row {
	const char *name;
	const char *sentence;
	uint32_t bit;
} purposes_known[] = {
#define KW_PURPOSE(bit, NAME, name, sentence) {name, sentence, UINT32_C(1) << bit},
#include "keyward/algorithms.def"
};

#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))
#define PURPOSE_COUNT (sizeof(purposes_known) / sizeof(purposes_known[0]))

static const struct type_row *find_type(enum kw_key_type type)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (types[i].type == type)
			return &types[i];
	return NULL;
}

enum kw_key_type kw_key_type_from_name(const char *name)
{
	for (size_t i = 0; name && i < TYPE_COUNT; i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	return (enum kw_key_type)0;
}

const char *kw_key_type_name(enum kw_key_type type)
{
	const struct type_row *row = find_type(type);

	return row ? row->name : NULL;
}

bool kw_key_type_is_rsa(enum kw_key_type type)
{
	const struct type_row *row = find_type(type);

	return row && row->family == FAMILY_RSA;
}

bool kw_key_type_is_ec(enum kw_key_type type)
{
	const struct type_row *row = find_type(type);

	return row && row->family == FAMILY_EC;
}

bool kw_key_type_is_secret(enum kw_key_type type)
{
	const struct type_row *row = find_type(type);

	return row && (row->family == FAMILY_AES || row->family == FAMILY_HMAC);
}

bool kw_key_type_signs(enum kw_key_type type)
{
	return kw_key_type_signature_size(type) > 0;
}

unsigned kw_key_type_bits(enum kw_key_type type)
{
	const struct type_row *row = find_type(type);

	return row ? row->bits : 0;
}

size_t kw_key_type_signature_size(enum kw_key_type type)
{
	const struct type_row *row = find_type(type);

	if (!row)
		return 0;
	if (row->family == FAMILY_RSA)
		return row->bits / 8;
	if (row->family == FAMILY_EC)
		return 2 * (size_t)((row->bits + 7) / 8);
	return row->family == FAMILY_ED ? 64 : 0; /* RFC 8032 5.1.6 */
}

static const struct purpose_row *find_purpose(const char *name, size_t len)
{
	for (size_t i = 0; i < PURPOSE_COUNT; i++)
		if (strlen(purposes_known[i].name) == len &&
			memcmp(purposes_known[i].name, name, len) == 0)
			return &purposes_known[i];
	return NULL;
}

enum kw_err kw_purposes_from_names(const char *list, uint32_t *purposes)
{
	const struct purpose_row *row;
	uint32_t found = 0;
	char known[256];
	size_t len;

	if (!purposes)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	*purposes = 0;
	if (!list)
		return explain(KW_ERR_ARGUMENT, "no purpose is given");
	for (;;) {
		len = strcspn(list, ",");
		row = find_purpose(list, len);
		if (!row) {
			kw_purposes_names(UINT32_MAX, known, sizeof(known));
			return explain(KW_ERR_ARGUMENT, "'%.*s' is not a purpose; those known: %s",
				(int)(len > 40 ? 40 : len), list, known);
		}
		found |= row->bit;
		if (list[len] == '\0')
			break;
		list += len + 1;
	}
	*purposes = found;
	return KW_ERR_OK;
}

void kw_purposes_names(uint32_t purposes, char *buf, size_t size)
{
	size_t used = 0;
	size_t len;

	if (size == 0)
		return;
	for (size_t i = 0; i < PURPOSE_COUNT; i++) {
		if (!(purposes & purposes_known[i].bit))
			continue;
		len = strlen(purposes_known[i].name);
		if (used && used + 1 < size)
			buf[used++] = ',';
		if (len > size - 1 - used)
			len = size - 1 - used;
		memcpy(buf + used, purposes_known[i].name, len);
		used += len;
	}
	buf[used] = '\0';
}

const char *kw_key_type_row(unsigned i)
{
	return i < TYPE_COUNT ? types[i].name : NULL;
}

const char *kw_purpose_row(unsigned i, const char **sentence)
{
	if (sentence)
		*sentence = i < PURPOSE_COUNT ? purposes_known[i].sentence : NULL;
	return i < PURPOSE_COUNT ? purposes_known[i].name : NULL;
}

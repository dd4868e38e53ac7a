/* SPDX-License-Identifier: BSD-2-Clause */
#include "stored.h"

#include <string.h>

#define HEAD 3

/* The entry at `at`, and how long it is with its head; false when it is not whole. */
static bool entry_at(const uint8_t *list, size_t len, size_t at, size_t *size)
{
	if (len - at < HEAD)
		return false;
	*size = HEAD + ((size_t)list[at + 1] << 8 | list[at + 2]);
	return *size <= len - at;
}

const uint8_t *stored_find(const uint8_t *list, size_t len, enum stored_tag tag, size_t *n)
{
	size_t size;

	for (size_t at = 0; at < len && entry_at(list, len, at, &size); at += size) {
		if (list[at] == tag) {
			*n = size - HEAD;
			return list + at + HEAD;
		}
	}
	return NULL;
}

enum stored_tag stored_tag_of(CK_ATTRIBUTE_TYPE type)
{
	switch (type) {
	case CKA_LABEL:
		return STORED_LABEL;
	case CKA_ID:
		return STORED_ID;
	case CKA_SUBJECT:
		return STORED_SUBJECT;
	case CKA_START_DATE:
		return STORED_START_DATE;
	case CKA_END_DATE:
		return STORED_END_DATE;
	default:
		return 0;
	}
}

CK_RV stored_put(uint8_t *list, size_t *len, enum stored_tag tag, const void *p, size_t n)
{
	const uint8_t *old;
	size_t old_n = 0, at, rest;

	old = stored_find(list, *len, tag, &old_n);
	if (n > KW_ATTRIBUTES_MAX - HEAD ||
		*len - (old ? old_n + HEAD : 0) + HEAD + n > KW_ATTRIBUTES_MAX)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	if (old) {
		at = (size_t)(old - list) - HEAD;
		rest = *len - at - HEAD - old_n;
		memmove(list + at, old + old_n, rest);
		*len -= old_n + HEAD;
	}
	list[(*len)++] = (uint8_t)tag;
	list[(*len)++] = (uint8_t)(n >> 8);
	list[(*len)++] = (uint8_t)n;
	if (n)
		memcpy(list + *len, p, n);
	*len += n;
	return CKR_OK;
}

static uint32_t number_at(const uint8_t *p, size_t n)
{
	uint32_t number = 0;

	for (size_t i = 0; i < n; i++)
		number = number << 8 | p[i];
	return number;
}

uint32_t stored_number(const uint8_t *list, size_t len, enum stored_tag tag)
{
	size_t n = 0;
	const uint8_t *p = stored_find(list, len, tag, &n);

	return p && n <= sizeof(uint32_t) ? number_at(p, n) : 0;
}

CK_RV stored_put_number(uint8_t *list, size_t *len, enum stored_tag tag, uint32_t number)
{
	uint8_t p[] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
		(uint8_t)number};

	return stored_put(list, len, tag, p, sizeof(p));
}

bool stored_allows(const uint8_t *list, size_t len, CK_MECHANISM_TYPE mechanism)
{
	size_t n = 0;
	const uint8_t *p = stored_find(list, len, STORED_MECHANISMS, &n);

	for (size_t at = 0; p && at + sizeof(uint32_t) <= n; at += sizeof(uint32_t)) {
		if (number_at(p + at, sizeof(uint32_t)) == mechanism)
			return true;
	}
	return !p;
}

CK_RV stored_put_mechanisms(uint8_t *list, size_t *len, const CK_ATTRIBUTE *allowed)
{
	uint8_t numbers[64 * sizeof(uint32_t)];
	size_t n = 0;

	if (allowed->ulValueLen % sizeof(CK_MECHANISM_TYPE) ||
		allowed->ulValueLen / sizeof(CK_MECHANISM_TYPE) > 64)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	for (size_t i = 0; i < allowed->ulValueLen; i += sizeof(CK_MECHANISM_TYPE)) {
		CK_MECHANISM_TYPE type;

		memcpy(&type, (const uint8_t *)allowed->pValue + i, sizeof(type));
		if (type > UINT32_MAX)
			return CKR_ATTRIBUTE_VALUE_INVALID;
		numbers[n++] = (uint8_t)(type >> 24);
		numbers[n++] = (uint8_t)(type >> 16);
		numbers[n++] = (uint8_t)(type >> 8);
		numbers[n++] = (uint8_t)type;
	}
	return stored_put(list, len, STORED_MECHANISMS, numbers, n);
}

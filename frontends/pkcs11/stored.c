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

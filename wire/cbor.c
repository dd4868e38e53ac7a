/* SPDX-License-Identifier: BSD-2-Clause */
#include "cbor.h"

#include <string.h>

/* RFC 8949 3: the low five bits of an item's first byte. Up to 23 they are the argument itself. */
#define INFO_ONE_BYTE 24
#define INFO_EIGHT_BYTES 27
/* RFC 8949 3.3: simple values. */
#define SIMPLE_FALSE 20
#define SIMPLE_TRUE 21
#define SIMPLE_NULL 22

/* --- Writing --- */

static void put_head(struct writer *w, enum cbor_type type, uint64_t argument)
{
	uint8_t major = (uint8_t)((unsigned)type << 5);

	if (argument < INFO_ONE_BYTE) {
		put_u8(w, (uint8_t)(major | argument));
	} else if (argument <= UINT8_MAX) {
		put_u8(w, major | INFO_ONE_BYTE);
		put_u8(w, (uint8_t)argument);
	} else if (argument <= UINT16_MAX) {
		put_u8(w, major | (INFO_ONE_BYTE + 1));
		put_u16(w, (uint16_t)argument);
	} else if (argument <= UINT32_MAX) {
		put_u8(w, major | (INFO_ONE_BYTE + 2));
		put_u32(w, (uint32_t)argument);
	} else {
		put_u8(w, major | INFO_EIGHT_BYTES);
		put_u64(w, argument);
	}
}

void cbor_put_uint(struct writer *w, uint64_t v)
{
	put_head(w, CBOR_UNSIGNED, v);
}

void cbor_put_int(struct writer *w, int64_t v)
{
	if (v >= 0)
		put_head(w, CBOR_UNSIGNED, (uint64_t)v);
	else
		put_head(w, CBOR_NEGATIVE, (uint64_t)(-1 - v));
}

void cbor_put_bytes(struct writer *w, const void *p, size_t n)
{
	put_head(w, CBOR_BYTES, n);
	put_bytes(w, p, n);
}

void cbor_put_text(struct writer *w, const char *text)
{
	size_t n = strlen(text);

	put_head(w, CBOR_TEXT, n);
	put_bytes(w, text, n);
}

void cbor_put_array(struct writer *w, size_t n)
{
	put_head(w, CBOR_ARRAY, n);
}

void cbor_put_map(struct writer *w, size_t n)
{
	put_head(w, CBOR_MAP, n);
}

void cbor_put_tag(struct writer *w, uint64_t tag)
{
	put_head(w, CBOR_TAG, tag);
}

void cbor_put_bool(struct writer *w, bool v)
{
	put_head(w, CBOR_SIMPLE, v ? SIMPLE_TRUE : SIMPLE_FALSE);
}

void cbor_put_null(struct writer *w)
{
	put_head(w, CBOR_SIMPLE, SIMPLE_NULL);
}

/* --- Reading --- */

/* RFC 8949 4.2.1: the argument in its shortest form, no indefinite length. */
static uint64_t get_head(struct reader *r, enum cbor_type *type)
{
	uint8_t first = get_u8(r), info = first & 0x1f;
	uint64_t argument = info, least = 0;

	*type = (enum cbor_type)(first >> 5);
	if (info == INFO_ONE_BYTE) {
		argument = get_u8(r);
		least = INFO_ONE_BYTE;
	} else if (info == INFO_ONE_BYTE + 1) {
		argument = get_u16(r);
		least = (uint64_t)UINT8_MAX + 1;
	} else if (info == INFO_ONE_BYTE + 2) {
		argument = get_u32(r);
		least = (uint64_t)UINT16_MAX + 1;
	} else if (info == INFO_EIGHT_BYTES) {
		argument = get_u64(r);
		least = (uint64_t)UINT32_MAX + 1;
	}
	/* Floating-point numbers and simple values that take more than a byte are of no use here. */
	if (info > INFO_EIGHT_BYTES || argument < least ||
		(*type == CBOR_SIMPLE && (info < SIMPLE_FALSE || info > SIMPLE_NULL)))
		r->failed = true;
	return r->failed ? 0 : argument;
}

static uint64_t get_typed(struct reader *r, enum cbor_type wanted)
{
	enum cbor_type type;
	uint64_t argument = get_head(r, &type);

	if (type != wanted)
		r->failed = true;
	return r->failed ? 0 : argument;
}

uint64_t cbor_get_uint(struct reader *r)
{
	return get_typed(r, CBOR_UNSIGNED);
}

int64_t cbor_get_int(struct reader *r)
{
	enum cbor_type type;
	uint64_t argument = get_head(r, &type);

	if ((type != CBOR_UNSIGNED && type != CBOR_NEGATIVE) || argument > INT64_MAX)
		r->failed = true;
	if (r->failed)
		return 0;
	return type == CBOR_UNSIGNED ? (int64_t)argument : -1 - (int64_t)argument;
}

static const uint8_t *get_string(struct reader *r, enum cbor_type type, size_t max, size_t *n)
{
	uint64_t len = get_typed(r, type);
	const uint8_t *p = NULL;

	*n = 0;
	if (len > max)
		r->failed = true;
	if (!r->failed)
		p = get_bytes(r, (size_t)len);
	if (p)
		*n = (size_t)len;
	return p;
}

const uint8_t *cbor_get_bytes(struct reader *r, size_t max, size_t *n)
{
	return get_string(r, CBOR_BYTES, max, n);
}

/* RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF. 0 when it is none of UTF-8. */
static size_t utf8_length(const uint8_t *p, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = p[0] < 0x80   ? 1
		     : p[0] < 0xc0 ? 0
		     : p[0] < 0xe0 ? 2
		     : p[0] < 0xf0 ? 3
		     : p[0] < 0xf8 ? 4
				   : 0;
	uint32_t c = p[0];

	if (len < 2)
		return len;
	if (len > n)
		return 0;
	c &= 0x7fu >> len;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : len;
}

const uint8_t *cbor_get_text(struct reader *r, size_t max, size_t *n)
{
	const uint8_t *p = get_string(r, CBOR_TEXT, max, n);
	size_t len;

	for (size_t at = 0; p && at < *n; at += len) {
		len = utf8_length(p + at, *n - at);
		if (!len) {
			r->failed = true;
			*n = 0;
			return NULL;
		}
	}
	return p;
}

/* A count that the bytes that are left cannot hold is refused before anybody counts to it. */
static size_t get_count(struct reader *r, enum cbor_type type, size_t max, size_t each)
{
	uint64_t n = get_typed(r, type);

	if (n > max || n > reader_left(r) / each)
		r->failed = true;
	return r->failed ? 0 : (size_t)n;
}

size_t cbor_get_array(struct reader *r, size_t max)
{
	return get_count(r, CBOR_ARRAY, max, 1);
}

size_t cbor_get_map(struct reader *r, size_t max)
{
	return get_count(r, CBOR_MAP, max, 2);
}

uint64_t cbor_get_tag(struct reader *r)
{
	return get_typed(r, CBOR_TAG);
}

bool cbor_get_bool(struct reader *r)
{
	uint64_t v = get_typed(r, CBOR_SIMPLE);

	if (v != SIMPLE_FALSE && v != SIMPLE_TRUE)
		r->failed = true;
	return !r->failed && v == SIMPLE_TRUE;
}

bool cbor_peek(const struct reader *r, enum cbor_type *type)
{
	if (!reader_left(r))
		return false;
	*type = (enum cbor_type)(*r->at >> 5);
	return true;
}

static void read_any(struct reader *r, unsigned depth);

/* RFC 8949 4.2.1: in bytewise order of their encodings, where one that comes twice is out of order. */
static void read_pairs(struct reader *r, size_t n, unsigned depth)
{
	const uint8_t *before = NULL, *key;
	size_t before_len = 0, len, common;
	int order;

	while (n-- && !r->failed) {
		key = r->at;
		read_any(r, depth);
		if (r->failed)
			return;
		len = (size_t)(r->at - key);
		common = len < before_len ? len : before_len;
		order = before ? memcmp(before, key, common) : -1;
		if (order > 0 || (order == 0 && before_len >= len))
			r->failed = true;
		before = key;
		before_len = len;
		read_any(r, depth);
	}
}

static void read_any(struct reader *r, unsigned depth)
{
	enum cbor_type type;
	size_t n;

	if (!depth || !cbor_peek(r, &type)) {
		r->failed = true;
		return;
	}
	switch (type) {
	case CBOR_BYTES:
		cbor_get_bytes(r, SIZE_MAX, &n);
		return;
	case CBOR_TEXT:
		cbor_get_text(r, SIZE_MAX, &n);
		return;
	case CBOR_ARRAY:
		for (n = cbor_get_array(r, SIZE_MAX); n && !r->failed; n--)
			read_any(r, depth - 1);
		return;
	case CBOR_MAP:
		read_pairs(r, cbor_get_map(r, SIZE_MAX), depth - 1);
		return;
	case CBOR_TAG:
		cbor_get_tag(r);
		read_any(r, depth - 1);
		return;
	default:
		get_head(r, &type);
	}
}

void cbor_skip(struct reader *r)
{
	read_any(r, CBOR_DEPTH_MAX);
}

bool cbor_is_deterministic(const uint8_t *buf, size_t len)
{
	struct reader r = reader_over(buf, len);

	cbor_skip(&r);
	return reader_done(&r);
}

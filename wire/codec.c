/* SPDX-License-Identifier: BSD-2-Clause */
#include "codec.h"

#include <string.h>

struct reader reader_over(const void *buf, size_t len)
{
	static const uint8_t nothing[1];
	const uint8_t *at = len ? buf : nothing;

	return (struct reader){.at = at, .end = at + len};
}

size_t reader_left(const struct reader *r)
{
	return r->failed ? 0 : (size_t)(r->end - r->at);
}

bool reader_done(const struct reader *r)
{
	return !r->failed && r->at == r->end;
}

const uint8_t *get_bytes(struct reader *r, size_t n)
{
	const uint8_t *p = r->at;

	if (r->failed || n > (size_t)(r->end - r->at)) {
		r->failed = true;
		return NULL;
	}
	r->at += n;
	return p;
}

void get_copy(struct reader *r, void *dst, size_t n)
{
	const uint8_t *p = get_bytes(r, n);

	if (p)
		memcpy(dst, p, n);
	else
		memset(dst, 0, n);
}

static uint64_t get_uint(struct reader *r, size_t n)
{
	const uint8_t *p = get_bytes(r, n);
	uint64_t v = 0;

	for (size_t i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t get_u8(struct reader *r)
{
	return (uint8_t)get_uint(r, 1);
}

uint16_t get_u16(struct reader *r)
{
	return (uint16_t)get_uint(r, 2);
}

uint32_t get_u32(struct reader *r)
{
	return (uint32_t)get_uint(r, 4);
}

uint64_t get_u64(struct reader *r)
{
	return get_uint(r, 8);
}

static const uint8_t *get_field(struct reader *r, size_t n, size_t max, size_t *len)
{
	const uint8_t *p;

	*len = 0;
	if (n > max) {
		r->failed = true;
		return NULL;
	}
	p = get_bytes(r, n);
	if (p)
		*len = n;
	return p;
}

const uint8_t *get_field8(struct reader *r, size_t max, size_t *len)
{
	return get_field(r, get_u8(r), max, len);
}

const uint8_t *get_field16(struct reader *r, size_t max, size_t *len)
{
	return get_field(r, get_u16(r), max, len);
}

const uint8_t *get_field32(struct reader *r, size_t max, size_t *len)
{
	return get_field(r, get_u32(r), max, len);
}

struct writer writer_over(void *buf, size_t cap)
{
	return (struct writer){.buf = buf, .cap = cap};
}

void put_bytes(struct writer *w, const void *src, size_t n)
{
	if (w->failed || n > w->cap - w->len) {
		w->failed = true;
		return;
	}
	if (n)
		memcpy(w->buf + w->len, src, n);
	w->len += n;
}

static void put_uint(struct writer *w, uint64_t v, size_t n)
{
	uint8_t b[8];

	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
	put_bytes(w, b, n);
}

void put_u8(struct writer *w, uint8_t v)
{
	put_uint(w, v, 1);
}

void put_u16(struct writer *w, uint16_t v)
{
	put_uint(w, v, 2);
}

void put_u32(struct writer *w, uint32_t v)
{
	put_uint(w, v, 4);
}

void put_u64(struct writer *w, uint64_t v)
{
	put_uint(w, v, 8);
}

static void put_field(struct writer *w, const void *src, size_t n, size_t width)
{
	if (n >= (uint64_t)1 << (8 * width))
		w->failed = true;
	put_uint(w, n, width);
	put_bytes(w, src, n);
}

uint8_t *put_room(struct writer *w, size_t n)
{
	uint8_t *room = w->buf + w->len;

	if (w->failed || n > w->cap - w->len) {
		w->failed = true;
		return NULL;
	}
	w->len += n;
	return room;
}

void put_field8(struct writer *w, const void *src, size_t n)
{
	put_field(w, src, n, 1);
}

void put_field16(struct writer *w, const void *src, size_t n)
{
	put_field(w, src, n, 2);
}

void put_field32(struct writer *w, const void *src, size_t n)
{
	put_field(w, src, n, 4);
}

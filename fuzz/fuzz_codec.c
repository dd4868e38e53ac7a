/* SPDX-License-Identifier: BSD-2-Clause */
/* Any sequence of reads over any bytes stays inside them, and what was read writes back the same
 * bytes. The first byte says how many of the next ones are the reads to do. */
#include <stdlib.h>
#include <string.h>

#include "wire/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* One read, and on success the same thing to w. */
static void step(uint8_t op, struct reader *r, struct writer *w)
{
	size_t max = (size_t)(op >> 3) * 97;
	size_t left = reader_left(r);
	size_t n = 0;
	uint64_t v = 0;
	const uint8_t *p = r->at;

	switch (op & 7) {
	case 0:
		v = get_u8(r);
		break;
	case 1:
		v = get_u16(r);
		break;
	case 2:
		v = get_u32(r);
		break;
	case 3:
		v = get_u64(r);
		break;
	case 4:
		p = get_bytes(r, max);
		n = p ? max : 0;
		break;
	case 5:
		p = get_field8(r, max, &n);
		break;
	case 6:
		p = get_field16(r, max, &n);
		break;
	default:
		p = get_field32(r, max, &n);
	}
	if (r->failed) {
		check(v == 0 && n == 0 && reader_left(r) == 0 && !reader_done(r));
		check((op & 7) < 4 || !p);
		return;
	}
	check(n <= max && n <= left && reader_left(r) <= left);
	switch (op & 7) {
	case 0:
		put_u8(w, (uint8_t)v);
		break;
	case 1:
		put_u16(w, (uint16_t)v);
		break;
	case 2:
		put_u32(w, (uint32_t)v);
		break;
	case 3:
		put_u64(w, v);
		break;
	case 4:
		put_bytes(w, p, n);
		break;
	case 5:
		put_field8(w, p, n);
		break;
	case 6:
		put_field16(w, p, n);
		break;
	default:
		put_field32(w, p, n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t ops = size ? data[0] : 0;
	struct reader r;
	struct writer w;
	uint8_t *out;
	size_t n;

	if (size < 1 + ops)
		return 0;
	n = size - 1 - ops;
	/* Exactly as large as what can be written: a sanitizer sees one byte more. */
	out = malloc(n ? n : 1);
	if (!out)
		return 0;
	r = reader_over(data + 1 + ops, n);
	w = writer_over(out, n);
	for (size_t i = 0; i < ops && !r.failed; i++)
		step(data[1 + i], &r, &w);
	check(!w.failed);
	check(memcmp(out, data + 1 + ops, w.len) == 0);
	check(r.failed || w.len + reader_left(&r) == n);
	free(out);
	return 0;
}

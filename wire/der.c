/* SPDX-License-Identifier: BSD-2-Clause */
#include "der.h"

#include <string.h>

#define DEPTH_MAX 16

static size_t get_length(struct reader *r)
{
	size_t n = get_u8(r);
	size_t count = n & 0x7f;

	if (n < 0x80)
		return n;
	/* No indefinite form, nothing over 16 MiB, and only the shortest form (X.690 10.1). */
	if (count == 0 || count > 3) {
		r->failed = true;
		return 0;
	}
	n = 0;
	for (size_t i = 0; i < count; i++) {
		n = n << 8 | get_u8(r);
		if (n == 0)
			r->failed = true;
	}
	if (n < 0x80)
		r->failed = true;
	return n;
}

uint8_t der_get_any(struct reader *r, struct reader *inner)
{
	uint8_t tag = get_u8(r);
	size_t len = get_length(r);
	const uint8_t *p;

	if ((tag & 0x1f) == 0x1f || tag == 0)
		r->failed = true;
	p = get_bytes(r, len);
	*inner = reader_over(p, p ? len : 0);
	if (p)
		return tag;
	inner->failed = true;
	return 0;
}

void der_get(struct reader *r, uint8_t tag, struct reader *inner)
{
	if (der_get_any(r, inner) == tag)
		return;
	r->failed = true;
	inner->failed = true;
}

const uint8_t *der_get_unsigned(struct reader *r, size_t max, size_t *len)
{
	struct reader in;
	const uint8_t *p;
	size_t n;

	*len = 0;
	der_get(r, DER_INTEGER, &in);
	n = reader_left(&in);
	p = get_bytes(&in, n);
	if (!p || n == 0 || p[0] & 0x80 || (n > 1 && p[0] == 0 && !(p[1] & 0x80)))
		goto bad;
	if (p[0] == 0) {
		p++;
		n--;
	}
	if (n > max)
		goto bad;
	*len = n;
	return p;
bad:
	r->failed = true;
	return NULL;
}

static bool well_formed(struct reader *r, unsigned depth)
{
	struct reader inner;
	uint8_t tag;

	while (reader_left(r)) {
		tag = der_get_any(r, &inner);
		if (!tag)
			return false;
		if (tag & 0x20 && (depth == 0 || !well_formed(&inner, depth - 1)))
			return false;
	}
	return reader_done(r);
}

bool der_is_well_formed(const uint8_t *buf, size_t len)
{
	struct reader r = reader_over(buf, len);
	struct reader inner;
	uint8_t tag = der_get_any(&r, &inner);

	if (!tag || !reader_done(&r))
		return false;
	return !(tag & 0x20) || well_formed(&inner, DEPTH_MAX);
}

/* What a BER reader makes of the head of a TLV: every form of X.690 8.1.2 and 8.1.3. */
struct ber_head {
	size_t tag; /* its number, at most TAG_LARGE */
	size_t len;
	bool universal;
	bool context;
	bool constructed;
	bool indefinite;
	bool long_form;
};

#define TAG_LARGE 0xffff

static bool ber_get_tag(struct reader *r, struct ber_head *h)
{
	uint8_t first = get_u8(r);
	uint8_t next;

	h->universal = (first & 0xc0) == 0;
	h->context = (first & 0xc0) == 0x80;
	h->constructed = first & 0x20;
	h->tag = first & 0x1f;
	if (h->tag != 0x1f)
		return !r->failed;
	/* libcrypto takes small numbers and leading zeros in this form too: 3f 10 is a SEQUENCE. */
	h->tag = 0;
	do {
		next = get_u8(r);
		h->tag = h->tag << 7 | (next & 0x7f);
		if (h->tag > TAG_LARGE)
			h->tag = TAG_LARGE;
	} while (next & 0x80);
	return !r->failed;
}

/* False when no reader would take it, because the length goes past the end of r. */
static bool ber_get_head(struct reader *r, struct ber_head *h)
{
	uint8_t first;

	*h = (struct ber_head){0};
	if (!ber_get_tag(r, h))
		return false;
	first = get_u8(r);
	h->indefinite = first == 0x80;
	h->long_form = first > 0x80;
	if (!h->long_form) {
		h->len = first & 0x7f;
		return !r->failed && h->len <= reader_left(r);
	}
	for (unsigned i = 0; i < (first & 0x7fu); i++) {
		h->len = h->len << 8 | get_u8(r);
		if (h->len > reader_left(r))
			return false;
	}
	return !r->failed;
}

/* Whether any ASN.1 that is signed could have this element right inside its outermost one: context
 * tags, and the universal types in the forms and sizes that X.690 8 gives them. */
static bool is_plausible(const struct ber_head *h)
{
	const uint32_t primitive =
		0x00006666; /* BOOLEAN, INTEGER, NULL, OID, REAL, ENUMERATED, … */
	const uint32_t constructed = 0x20030900; /* EXTERNAL, EMBEDDED PDV, SEQUENCE, SET, … */
	const uint32_t not_empty =
		0x0000244e; /* BOOLEAN, INTEGER, BIT STRING, OID, ENUMERATED, … */
	uint32_t bit;

	if (!h->universal)
		return h->context;
	if (h->tag == 0 || h->tag == 15 || h->tag > 30)
		return false;
	bit = (uint32_t)1 << h->tag;
	if (h->constructed ? bit & primitive : bit & constructed)
		return false;
	return !(bit & not_empty) || h->len || h->indefinite;
}

bool der_may_be_structure(const uint8_t *buf, size_t len)
{
	struct reader r = reader_over(buf, len);
	struct ber_head h;

	if (!ber_get_head(&r, &h) || !h.universal || !h.constructed ||
		(h.tag != (DER_SEQUENCE & 0x1f) && h.tag != (DER_SET & 0x1f)))
		return false;
	if (h.indefinite)
		return len >= 4 && buf[len - 2] == 0 && buf[len - 1] == 0;
	if (h.len != reader_left(&r))
		return false;
	/* So much does not happen to random bytes. With a short length it may: then the elements
	 * inside have to fill it as well. What they contain does not count, because libcrypto does
	 * not look into every element either (ASN1_ANY). */
	while (!h.long_form && reader_left(&r)) {
		struct ber_head inner;

		if (!ber_get_head(&r, &inner) || !is_plausible(&inner))
			return false;
		if (inner.indefinite)
			return inner.constructed;
		get_bytes(&r, inner.len);
	}
	return true;
}

size_t der_begin(struct writer *w, uint8_t tag)
{
	put_u8(w, tag);
	return w->len;
}

static size_t length_bytes(size_t n, uint8_t out[4])
{
	if (n < 0x80) {
		out[0] = (uint8_t)n;
		return 1;
	}
	if (n < 0x100) {
		out[0] = 0x81;
		out[1] = (uint8_t)n;
		return 2;
	}
	if (n < 0x10000) {
		out[0] = 0x82;
		out[1] = (uint8_t)(n >> 8);
		out[2] = (uint8_t)n;
		return 3;
	}
	out[0] = 0x83;
	out[1] = (uint8_t)(n >> 16);
	out[2] = (uint8_t)(n >> 8);
	out[3] = (uint8_t)n;
	return 4;
}

void der_end(struct writer *w, size_t mark)
{
	uint8_t head[4];
	size_t len = w->len - mark;
	size_t n;

	if (w->failed)
		return;
	n = length_bytes(len, head);
	if (len >= 1u << 24 || n > w->cap - w->len) {
		w->failed = true;
		return;
	}
	memmove(w->buf + mark + n, w->buf + mark, len);
	memcpy(w->buf + mark, head, n);
	w->len += n;
}

void der_put(struct writer *w, uint8_t tag, const void *contents, size_t len)
{
	size_t mark = der_begin(w, tag);

	put_bytes(w, contents, len);
	der_end(w, mark);
}

void der_put_unsigned(struct writer *w, const uint8_t *magnitude, size_t len)
{
	size_t mark = der_begin(w, DER_INTEGER);

	while (len && magnitude[0] == 0) {
		magnitude++;
		len--;
	}
	if (len == 0 || magnitude[0] & 0x80)
		put_u8(w, 0);
	put_bytes(w, magnitude, len);
	der_end(w, mark);
}

void der_put_ecdsa(struct writer *w, const uint8_t *rs, size_t half)
{
	size_t mark = der_begin(w, DER_SEQUENCE);

	der_put_unsigned(w, rs, half);
	der_put_unsigned(w, rs + half, half);
	der_end(w, mark);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the strict reader takes has one form only: the writer writes it again, byte for byte. */
#include <stdlib.h>
#include <string.h>

#include "wire/cose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* The codec writes texts up to a NUL; here there may be one inside. */
static void copy_text(struct reader *r, struct writer *w)
{
	char text[4096];
	size_t n, mark = w->len;
	const uint8_t *p = cbor_get_text(r, sizeof(text) - 1, &n);

	if (!p)
		return;
	for (size_t i = 0; i < n; i++)
		text[i] = p[i] ? (char)p[i] : ' ';
	text[n] = '\0';
	cbor_put_text(w, text);
	check(w->failed || w->len >= mark + n);
	if (!w->failed)
		memcpy(w->buf + w->len - n, p, n);
}

static void copy_item(struct reader *r, struct writer *w, unsigned depth)
{
	enum cbor_type type;
	struct reader before = *r;
	const uint8_t *p;
	size_t n;

	if (!depth || !cbor_peek(r, &type)) {
		r->failed = true;
		return;
	}
	switch (type) {
	case CBOR_UNSIGNED:
		cbor_put_uint(w, cbor_get_uint(r));
		return;
	case CBOR_NEGATIVE:
		cbor_put_int(w, cbor_get_int(r));
		return;
	case CBOR_BYTES:
		p = cbor_get_bytes(r, SIZE_MAX, &n);
		if (p)
			cbor_put_bytes(w, p, n);
		return;
	case CBOR_TEXT:
		copy_text(r, w);
		return;
	case CBOR_ARRAY:
		n = cbor_get_array(r, SIZE_MAX);
		cbor_put_array(w, n);
		while (n-- && !r->failed)
			copy_item(r, w, depth - 1);
		return;
	case CBOR_MAP:
		n = cbor_get_map(r, SIZE_MAX);
		cbor_put_map(w, n);
		for (n *= 2; n-- && !r->failed;)
			copy_item(r, w, depth - 1);
		return;
	case CBOR_TAG:
		cbor_put_tag(w, cbor_get_tag(r));
		copy_item(r, w, depth - 1);
		return;
	default:
		if (*before.at == 0xf6) {
			get_u8(r);
			cbor_put_null(w);
		} else {
			cbor_put_bool(w, cbor_get_bool(r));
		}
	}
}

static void check_cose(const uint8_t *data, size_t size, uint8_t *out)
{
	struct reader r = reader_over(data, size);
	struct writer w = writer_over(out, size);
	struct cose_sign1 s;

	cose_get_sign1(&r, &s);
	if (!reader_done(&r))
		return;
	check(cbor_is_deterministic(data, size));
	cose_put_sign1(&w, &s);
	check(!w.failed && w.len == size && memcmp(out, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool deterministic = cbor_is_deterministic(data, size);
	struct reader r = reader_over(data, size);
	struct writer w;
	uint8_t *out = malloc(size ? size : 1);

	if (!out)
		return 0;
	w = writer_over(out, size);
	copy_item(&r, &w, CBOR_DEPTH_MAX);
	/* The order of keys is all that the copy does not look at; numbers below -2^63 and long texts all that
	 * it cannot do. */
	if (deterministic && reader_done(&r))
		check(!w.failed && w.len == size && memcmp(out, data, size) == 0);
	if (reader_done(&r) && !w.failed)
		check(w.len == size && memcmp(out, data, size) == 0);
	check_cose(data, size, out);
	free(out);
	return 0;
}

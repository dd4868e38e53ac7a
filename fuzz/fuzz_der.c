/* SPDX-License-Identifier: BSD-2-Clause */
/* What the strict reader takes, the writer writes again, byte for byte; and what is well-formed DER
 * and a SEQUENCE or SET is a structure for the lenient look as well. */
#include <stdlib.h>
#include <string.h>

#include "wire/der.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void copy_element(struct reader *r, struct writer *w, unsigned depth)
{
	struct reader inner;
	uint8_t tag = der_get_any(r, &inner);
	size_t mark;

	if (!tag)
		return;
	mark = der_begin(w, tag);
	/* As deep as the codec goes itself. */
	if (tag & 0x20 && !depth)
		r->failed = true;
	if (tag & 0x20) {
		while (depth && reader_left(&inner))
			copy_element(&inner, w, depth - 1);
		r->failed |= inner.failed;
	} else {
		size_t n = reader_left(&inner);

		put_bytes(w, get_bytes(&inner, n), n);
	}
	der_end(w, mark);
}

static void check_unsigned(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	uint8_t out[600];
	struct writer w = writer_over(out, sizeof(out));
	size_t n;
	const uint8_t *p = der_get_unsigned(&r, 512, &n);

	check((p != NULL) == !r.failed);
	if (!p)
		return;
	check(n <= 512);
	der_put_unsigned(&w, p, n);
	check(!w.failed && w.len == size - reader_left(&r) && memcmp(out, data, w.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool well_formed = der_is_well_formed(data, size);
	bool structure = der_may_be_structure(data, size);
	struct reader r = reader_over(data, size);
	struct writer w;
	uint8_t *out;

	/* der_end wants room for the length only once it is known: the buffer may be exact. */
	out = malloc(size ? size : 1);
	if (!out)
		return 0;
	w = writer_over(out, size);
	copy_element(&r, &w, 17);
	if (well_formed)
		check(reader_done(&r));
	if (reader_done(&r)) {
		check(!w.failed && w.len == size && memcmp(out, data, size) == 0);
		check(well_formed);
	}
	/* With a short length the elements have to be real ones, so only the long form is certain.
	 */
	if (well_formed && (data[0] == DER_SEQUENCE || data[0] == DER_SET) && size > 129)
		check(structure);
	if (structure)
		check(size >= 2 &&
			(data[0] == DER_SEQUENCE || data[0] == DER_SET || data[0] == 0x3f));
	check_unsigned(data, size);
	free(out);
	return 0;
}

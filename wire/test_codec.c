/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec.h"

static const uint8_t bytes[] = {0x81, 0x02, 0x83, 0x04, 0x85, 0x06, 0x87, 0x08, 0x89};

/* A copy whose end is the end of its memory, so that a sanitizer sees a read past it. */
static uint8_t *copy_of(const uint8_t *src, size_t n)
{
	uint8_t *p = malloc(n ? n : 1);

	if (n)
		memcpy(p, src, n);
	return p;
}

static void test_integers(void **state)
{
	struct reader r = reader_over(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(get_u8(&r), 0x81);
	assert_int_equal(get_u16(&r), 0x0283);
	assert_int_equal(get_u32(&r), 0x04850687);
	assert_int_equal(reader_left(&r), 2);
	assert_false(reader_done(&r));
	assert_int_equal(get_u16(&r), 0x0889);
	assert_true(reader_done(&r));
	r = reader_over(bytes, 8);
	assert_true(get_u64(&r) == 0x8102830485068708);
	assert_true(reader_done(&r));
}

/* Every integer at every length that is too short: zero, failed, and so for good. */
static void test_short_integers(void **state)
{
	(void)state;
	for (size_t n = 0; n < 8; n++) {
		uint8_t *p = copy_of(bytes, n);

		for (size_t width = 1; width <= 8; width *= 2) {
			struct reader r = reader_over(p, n);
			uint64_t v = width == 1   ? get_u8(&r)
				     : width == 2 ? get_u16(&r)
				     : width == 4 ? get_u32(&r)
						  : get_u64(&r);

			assert_int_equal(r.failed, n < width);
			if (n >= width)
				continue;
			assert_true(v == 0);
			assert_int_equal(reader_left(&r), 0);
			assert_false(reader_done(&r));
			assert_int_equal(get_u8(&r), 0);
			assert_null(get_bytes(&r, 0));
			assert_null(get_bytes(&r, 1));
		}
		free(p);
	}
}

static void test_bytes(void **state)
{
	struct reader r = reader_over(bytes, sizeof(bytes));
	uint8_t dst[4] = {1, 1, 1, 1};

	(void)state;
	assert_ptr_equal(get_bytes(&r, 0), bytes);
	assert_ptr_equal(get_bytes(&r, 2), bytes);
	get_copy(&r, dst, 4);
	assert_memory_equal(dst, bytes + 2, 4);
	assert_null(get_bytes(&r, SIZE_MAX));
	assert_true(r.failed);
	/* A copy that fails leaves nothing of before in its place. */
	get_copy(&r, dst, 4);
	assert_memory_equal(dst, "\0\0\0\0", 4);
	r = reader_over(bytes, sizeof(bytes));
	assert_null(get_bytes(&r, sizeof(bytes) + 1));
	r = reader_over(bytes, sizeof(bytes));
	assert_non_null(get_bytes(&r, sizeof(bytes)));
	assert_true(reader_done(&r));
}

static void test_empty(void **state)
{
	struct reader r = reader_over(NULL, 0);

	(void)state;
	assert_true(reader_done(&r));
	assert_int_equal(reader_left(&r), 0);
	assert_non_null(get_bytes(&r, 0));
	assert_true(reader_done(&r));
	assert_int_equal(get_u8(&r), 0);
	assert_true(r.failed);
}

static const uint8_t *get_field(unsigned width, struct reader *r, size_t max, size_t *len)
{
	if (width == 1)
		return get_field8(r, max, len);
	return width == 2 ? get_field16(r, max, len) : get_field32(r, max, len);
}

static void put_field(unsigned width, struct writer *w, const void *p, size_t n)
{
	if (width == 1)
		put_field8(w, p, n);
	else if (width == 2)
		put_field16(w, p, n);
	else
		put_field32(w, p, n);
}

static void test_fields(void **state)
{
	(void)state;
	for (unsigned width = 1; width <= 4; width *= 2) {
		uint8_t buf[64];
		struct writer w = writer_over(buf, sizeof(buf));
		struct reader r;
		size_t len, n;

		put_field(width, &w, "abc", 3);
		put_field(width, &w, NULL, 0);
		assert_false(w.failed);
		assert_int_equal(w.len, 2 * width + 3);
		r = reader_over(buf, w.len);
		assert_memory_equal(get_field(width, &r, 3, &len), "abc", 3);
		assert_int_equal(len, 3);
		len = 9;
		assert_non_null(get_field(width, &r, 0, &len));
		assert_int_equal(len, 0);
		assert_true(reader_done(&r));
		/* Too long for its bound, though all there. */
		r = reader_over(buf, w.len);
		len = 9;
		assert_null(get_field(width, &r, 2, &len));
		assert_int_equal(len, 0);
		assert_true(r.failed);
		for (n = 0; n < width + 3; n++) {
			uint8_t *p = copy_of(buf, n);

			r = reader_over(p, n);
			len = 9;
			assert_null(get_field(width, &r, 100, &len));
			assert_int_equal(len, 0);
			assert_true(r.failed);
			free(p);
		}
		/* The longest length that the width can say. */
		memset(buf, 0xff, 4);
		r = reader_over(buf, sizeof(buf));
		assert_null(get_field(width, &r, SIZE_MAX, &len));
		assert_int_equal(len, 0);
	}
}

static void test_writing(void **state)
{
	uint8_t buf[15];
	struct writer w = writer_over(buf, sizeof(buf));

	(void)state;
	put_u8(&w, 0x81);
	put_u16(&w, 0x0283);
	put_u32(&w, 0x04850687);
	put_u64(&w, 0x1122334455667788);
	assert_false(w.failed);
	assert_int_equal(w.len, 15);
	assert_memory_equal(
		buf, "\x81\x02\x83\x04\x85\x06\x87\x11\x22\x33\x44\x55\x66\x77\x88", 15);
	put_bytes(&w, NULL, 0);
	assert_false(w.failed);
	put_u8(&w, 1);
	assert_true(w.failed);
	assert_int_equal(w.len, 15);
}

/* Nothing is written past the end, nothing after a failure, and a failure stays. */
static void test_full(void **state)
{
	uint8_t buf[8];

	(void)state;
	for (size_t cap = 0; cap < 8; cap++) {
		struct writer w = writer_over(buf, cap);

		memset(buf, 0xee, sizeof(buf));
		put_u64(&w, 0);
		assert_true(w.failed);
		put_bytes(&w, NULL, 0);
		put_u8(&w, 0);
		put_bytes(&w, bytes, SIZE_MAX);
		put_field32(&w, bytes, SIZE_MAX);
		assert_true(w.failed);
		assert_int_equal(w.len, 0);
		for (size_t i = 0; i < sizeof(buf); i++)
			assert_int_equal(buf[i], 0xee);
	}
}

static void test_fields_too_long(void **state)
{
	static uint8_t big[0x10000], out[0x10100];
	struct writer w = writer_over(out, sizeof(out));

	(void)state;
	put_field8(&w, big, 255);
	put_field16(&w, big, 0xffff - 300);
	assert_false(w.failed);
	w = writer_over(out, sizeof(out));
	put_field8(&w, big, 256);
	assert_true(w.failed);
	w = writer_over(out, sizeof(out));
	put_field16(&w, big, 0x10000);
	assert_true(w.failed);
	w = writer_over(out, sizeof(out));
	put_field32(&w, big, 0x10000);
	assert_false(w.failed);
	assert_int_equal(w.len, 0x10004);
	w = writer_over(out, sizeof(out));
	put_field32(&w, big, SIZE_MAX);
	assert_true(w.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_short_integers),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_writing),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_fields_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

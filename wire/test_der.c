/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "der.h"

#define DER(...)                                  \
	{                                         \
		sizeof((uint8_t[]){__VA_ARGS__}), \
		{                                 \
			__VA_ARGS__               \
		}                                 \
	}

struct sample {
	size_t len;
	uint8_t bytes[24];
};

/* One TLV, alone at the end of its own memory. */
static uint8_t read_one(const struct sample *s, size_t *inner_len, bool *done)
{
	uint8_t *p = malloc(s->len ? s->len : 1);
	struct reader r, inner;
	uint8_t tag;

	memcpy(p, s->bytes, s->len);
	r = reader_over(p, s->len);
	tag = der_get_any(&r, &inner);
	*inner_len = reader_left(&inner);
	*done = reader_done(&r);
	/* A tag and nothing else is the sign of success. */
	assert_int_equal(tag == 0, r.failed);
	assert_int_equal(tag == 0, inner.failed);
	free(p);
	return tag;
}

static void test_refused_heads(void **state)
{
	static const struct sample bad[] = {
		{0, {0}}, DER(0x30), DER(0x30, 0x80, 0, 0), /* indefinite */
		DER(0x30, 0x81, 0x01, 0),                   /* longer than need be */
		DER(0x30, 0x81, 0x7f, 0), DER(0x30, 0x82, 0x00, 0x80),
		DER(0x30, 0x83, 0x00, 0x80, 0x00),
		DER(0x30, 0x84, 0x01, 0x00, 0x00, 0x00), /* over 16 MiB */
		DER(0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 1, 0), DER(0x30, 0xff), DER(0x30, 0x81),
		DER(0x30, 0x82, 0x01), DER(0x30, 0x83, 0x01, 0x00), /* cut */
		DER(0x30, 0x01), DER(0x30, 0x02, 0), DER(0x30, 0x83, 0xff, 0xff, 0xff, 0),
		DER(0x1f, 0x10, 0), DER(0x3f, 0x10, 0),
		DER(0xbf, 0x81, 0x01, 0), /* tags of several bytes */
		DER(0x00, 0x00),          /* end of contents */
	};
	size_t len;
	bool done;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (read_one(&bad[i], &len, &done))
			fail_msg("sample %zu passes", i);
		assert_false(done);
		assert_int_equal(len, 0);
		assert_false(der_is_well_formed(bad[i].bytes, bad[i].len));
	}
}

/* All the contents are there: it is the form of the length alone that is refused. */
static void test_long_lengths(void **state)
{
	static const struct {
		uint8_t head[6];
		uint8_t len;
		size_t contents;
		bool good;
	} tries[] = {
		{{4, 0x81, 0x7f}, 3, 0x7f, false},
		{{4, 0x81, 0x80}, 3, 0x80, true},
		{{4, 0x82, 0, 0x80}, 4, 0x80, false},
		{{4, 0x82, 1, 0}, 4, 0x100, true},
		{{4, 0x83, 0, 0x80, 0}, 5, 0x8000, false},
		{{4, 0x83, 1, 0, 0}, 5, 0x10000, true},
		{{4, 0x84, 1, 0, 0, 0}, 6, 0x1000000, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		size_t n = tries[i].len + tries[i].contents;
		uint8_t *p = calloc(1, n);
		struct reader r = reader_over(p, n);
		struct reader inner;

		memcpy(p, tries[i].head, tries[i].len);
		assert_int_equal(der_get_any(&r, &inner), tries[i].good ? 4 : 0);
		assert_int_equal(reader_left(&inner), tries[i].good ? tries[i].contents : 0);
		free(p);
	}
}

static void test_taken_heads(void **state)
{
	static uint8_t big[0x10010];
	static const size_t lens[] = {0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000};

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct writer w = writer_over(big, sizeof(big));
		static const uint8_t zeros[0x10000];
		struct reader r, inner;
		size_t head = lens[i] < 0x80 ? 2 : lens[i] < 0x100 ? 3 : lens[i] < 0x10000 ? 4 : 5;

		der_put(&w, DER_OCTET_STRING, zeros, lens[i]);
		assert_false(w.failed);
		assert_int_equal(w.len, head + lens[i]);
		r = reader_over(big, w.len);
		assert_int_equal(der_get_any(&r, &inner), DER_OCTET_STRING);
		assert_true(reader_done(&r));
		assert_int_equal(reader_left(&inner), lens[i]);
		assert_true(der_is_well_formed(big, w.len));
		assert_false(der_is_well_formed(big, w.len + 1));
		if (lens[i])
			assert_false(der_is_well_formed(big, w.len - 1));
		/* No room for the last byte. */
		w = writer_over(big, head + lens[i] - 1);
		der_put(&w, DER_OCTET_STRING, zeros, lens[i]);
		assert_true(w.failed);
	}
}

static void test_get(void **state)
{
	static const uint8_t two[] = {0x02, 0x01, 0x05, 0x04, 0x01, 0x06};
	struct reader r = reader_over(two, sizeof(two));
	struct reader inner;

	(void)state;
	der_get(&r, DER_INTEGER, &inner);
	assert_int_equal(get_u8(&inner), 5);
	assert_true(reader_done(&inner));
	der_get(&r, DER_INTEGER, &inner);
	assert_true(r.failed);
	assert_true(inner.failed);
	assert_int_equal(reader_left(&inner), 0);
	/* A failed reader gives nothing more. */
	assert_int_equal(der_get_any(&r, &inner), 0);
	assert_true(inner.failed);
}

static void test_unsigned(void **state)
{
	static const struct {
		struct sample der;
		size_t max;
		int len; /* -1: refused */
		uint8_t first;
	} tries[] = {
		{DER(2, 1, 0), 8, 0, 0},
		{DER(2, 1, 5), 8, 1, 5},
		{DER(2, 1, 0x7f), 1, 1, 0x7f},
		{DER(2, 2, 0, 0x80), 1, 1, 0x80},
		{DER(2, 2, 1, 0), 2, 2, 1},
		{DER(2, 2, 1, 0), 1, -1, 0},
		{DER(2, 1, 0x80), 8, -1, 0},
		{DER(2, 1, 0xff), 8, -1, 0}, /* negative */
		{DER(2, 2, 0, 0), 8, -1, 0},
		{DER(2, 2, 0, 0x7f), 8, -1, 0}, /* not minimal */
		{DER(2, 3, 0, 0, 0x80), 8, -1, 0},
		{DER(2, 0), 8, -1, 0},
		{DER(2, 2, 1), 8, -1, 0},
		{DER(4, 1, 1), 8, -1, 0},
		{DER(0x22, 1, 1), 8, -1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		struct reader r = reader_over(tries[i].der.bytes, tries[i].der.len);
		size_t len = 99;
		const uint8_t *p = der_get_unsigned(&r, tries[i].max, &len);

		assert_int_equal(r.failed, tries[i].len < 0);
		assert_int_equal(p != NULL, tries[i].len >= 0);
		assert_int_equal(len, tries[i].len < 0 ? 0 : tries[i].len);
		if (tries[i].len > 0)
			assert_int_equal(p[0], tries[i].first);
	}
}

static void test_well_formed(void **state)
{
	static const struct sample good[] = {
		DER(0x30, 0),
		DER(0x05, 0),
		DER(0x30, 4, 0x30, 2, 0x05, 0),
		DER(0x30, 4, 5, 0, 5, 0),
		DER(0x04, 2, 0x30, 9), /* what is in an OCTET STRING does not count */
		DER(0xa0, 3, 0x80, 1, 9),
	};
	static const struct sample bad[] = {
		DER(0x30, 2, 0x30, 1),
		DER(0x30, 1, 0x30),
		DER(0x30, 3, 5, 0, 5),
		DER(0x31, 4, 0x30, 2, 5, 1),
		DER(0xa0, 2, 0x80, 1),
		DER(0x30, 4, 0x30, 0x80, 0, 0),
		DER(0x30, 0, 0),
	};
	uint8_t deep[64];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(der_is_well_formed(good[i].bytes, good[i].len));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(der_is_well_formed(bad[i].bytes, bad[i].len));
	/* A bounded depth: no caller makes the TEE recurse further. */
	for (size_t depth = 1; depth <= 32; depth++) {
		for (size_t i = 0; i < depth; i++) {
			deep[2 * i] = 0x30;
			deep[2 * i + 1] = (uint8_t)(2 * (depth - 1 - i));
		}
		assert_int_equal(der_is_well_formed(deep, 2 * depth), depth <= 17);
	}
}

static void test_may_be_structure(void **state)
{
	static const struct sample yes[] = {
		DER(0x30, 0),
		DER(0x31, 0),
		DER(0x30, 3, 2, 1, 5),
		DER(0x30, 0x81, 3, 2, 1, 5),
		DER(0x30, 0x83, 0, 0, 1, 0xff), /* a long form: nobody looks further */
		DER(0x30, 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff),
		DER(0x3f, 0x10, 0),
		DER(0x3f, 0x80, 0x11, 0),
		DER(0x30, 0x80, 0, 0),
		DER(0x30, 0x80, 9, 9, 9, 0, 0),
		DER(0x30, 4, 0xa0, 0x80, 0, 0),
		DER(0x30, 5, 0x30, 0x81, 2, 9, 9),
		DER(0x30, 5, 0x80, 0, 0xbf, 0x01, 0),
	};
	static const struct sample no[] = {
		{0, {0}},
		DER(0x30),
		DER(0x30, 1),
		DER(0x30, 0, 0),
		DER(0x30, 3, 2, 1),
		DER(0x10, 0),
		DER(0x04, 0),
		DER(0x70, 0),
		DER(0xb0, 0),
		DER(0x3f, 0x12, 0),
		DER(0x1f, 0x10, 0),
		DER(0x3f),
		DER(0x30, 0x80, 0),
		DER(0x30, 0x80),
		DER(0x30, 0x80, 0, 1),
		DER(0x30, 0x81),
		DER(0x30, 0x82, 0),
		DER(0x30, 0x81, 2, 9),
		DER(0x30, 0x88, 1, 0, 0, 0, 0, 0, 0, 0), /* wrong lengths */
		DER(0x30, 3, 2, 2, 5),
		DER(0x30, 3, 2, 0, 5),
		DER(0x30, 1, 2), /* elements that do not fit */
		DER(0x30, 2, 0, 0),
		DER(0x30, 2, 0x42, 0),
		DER(0x30, 2, 0xc2, 0),
		DER(0x30, 3, 0x22, 1, 5),
		DER(0x30, 2, 0x10, 0),
		DER(0x30, 2, 0x0f, 0),
		DER(0x30, 2, 1, 0),
		DER(0x30, 2, 3, 0),
		DER(0x30, 2, 0x80, 0x80),
		DER(0x30, 3, 0x1f, 0x7f, 0),
		DER(0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x90, 0),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (!der_may_be_structure(yes[i].bytes, yes[i].len))
			fail_msg("structure %zu is not seen", i);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (der_may_be_structure(no[i].bytes, no[i].len))
			fail_msg("sample %zu is seen as a structure", i);
	}
}

static void test_nesting(void **state)
{
	uint8_t buf[600], contents[200];
	struct writer w = writer_over(buf, sizeof(buf));
	size_t outer = der_begin(&w, DER_SEQUENCE);
	size_t middle = der_begin(&w, DER_SET);

	(void)state;
	memset(contents, 0x11, sizeof(contents));
	der_put(&w, DER_OCTET_STRING, contents, 100);
	der_put(&w, DER_OCTET_STRING, contents, 200);
	der_end(&w, middle);
	der_put(&w, DER_NULL, NULL, 0);
	der_end(&w, outer);
	assert_false(w.failed);
	assert_true(der_is_well_formed(buf, w.len));
	assert_memory_equal(buf, "\x30\x82\x01\x37\x31\x82\x01\x31\x04\x64\x11", 11);
	assert_memory_equal(buf + 4 + 4 + 102, "\x04\x81\xc8\x11", 4);
	assert_memory_equal(buf + w.len - 2, "\x05\x00", 2);
	/* Any smaller buffer fails, and no byte is written past its end. */
	for (size_t cap = 0, full = w.len; cap < full; cap++) {
		memset(buf, 0xee, sizeof(buf));
		w = writer_over(buf, cap);
		outer = der_begin(&w, DER_SEQUENCE);
		middle = der_begin(&w, DER_SET);
		der_put(&w, DER_OCTET_STRING, contents, 100);
		der_put(&w, DER_OCTET_STRING, contents, 200);
		der_end(&w, middle);
		der_put(&w, DER_NULL, NULL, 0);
		der_end(&w, outer);
		assert_true(w.failed);
		assert_int_equal(buf[cap], 0xee);
	}
}

static void test_put_unsigned(void **state)
{
	static const struct {
		struct sample magnitude, der;
	} tries[] = {
		{{0, {0}}, DER(2, 1, 0)},
		{DER(0), DER(2, 1, 0)},
		{DER(0, 0, 0), DER(2, 1, 0)},
		{DER(1), DER(2, 1, 1)},
		{DER(0, 0x7f), DER(2, 1, 0x7f)},
		{DER(0x80), DER(2, 2, 0, 0x80)},
		{DER(0, 0, 0x80, 1), DER(2, 3, 0, 0x80, 1)},
		{DER(1, 0, 0), DER(2, 3, 1, 0, 0)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		uint8_t buf[16];
		struct writer w = writer_over(buf, sizeof(buf));

		der_put_unsigned(&w, tries[i].magnitude.bytes, tries[i].magnitude.len);
		assert_false(w.failed);
		assert_int_equal(w.len, tries[i].der.len);
		assert_memory_equal(buf, tries[i].der.bytes, w.len);
	}
}

static void test_ecdsa(void **state)
{
	static const uint8_t rs[] = {0, 0x80, 0x7f, 1};
	uint8_t wide[132], buf[160];
	struct writer w = writer_over(buf, sizeof(buf));

	(void)state;
	der_put_ecdsa(&w, rs, 2);
	assert_int_equal(w.len, 10);
	assert_memory_equal(buf, "\x30\x08\x02\x02\x00\x80\x02\x02\x7f\x01", 10);
	/* P-521, as long as it gets: the outer length takes a second byte. */
	memset(wide, 0xff, sizeof(wide));
	wide[0] = wide[66] = 1;
	w = writer_over(buf, sizeof(buf));
	der_put_ecdsa(&w, wide, 66);
	assert_false(w.failed);
	assert_int_equal(w.len, 139);
	assert_memory_equal(buf, "\x30\x81\x88\x02\x42\x01\xff", 7);
	assert_true(der_is_well_formed(buf, w.len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_heads),
		cmocka_unit_test(test_long_lengths),
		cmocka_unit_test(test_taken_heads),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_unsigned),
		cmocka_unit_test(test_well_formed),
		cmocka_unit_test(test_may_be_structure),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_put_unsigned),
		cmocka_unit_test(test_ecdsa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

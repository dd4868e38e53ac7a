/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cbor.h"
#include "cose.h"

static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;
	char byte[3] = "";

	for (size_t i = 0; i < n; i++) {
		memcpy(byte, hex + 2 * i, 2);
		out[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return n;
}

static void expect(const struct writer *w, const char *hex)
{
	uint8_t want[128];
	size_t n = from_hex(hex, want);

	assert_false(w->failed);
	assert_int_equal(w->len, n);
	assert_memory_equal(w->buf, want, n);
}

/* Alone at the end of its own memory, so that a sanitizer sees a read past it. */
static uint8_t *exact(const char *hex, size_t *n)
{
	uint8_t *p = malloc(strlen(hex) / 2 + 1), *q;

	assert_non_null(p);
	*n = from_hex(hex, p);
	q = malloc(*n ? *n : 1);
	assert_non_null(q);
	memcpy(q, p, *n);
	free(p);
	return q;
}

static bool is_taken(const char *hex)
{
	size_t n;
	uint8_t *p = exact(hex, &n);
	bool ok = cbor_is_deterministic(p, n);

	free(p);
	return ok;
}

/* RFC 8949, appendix A. */
static void test_integers(void **state)
{
	static const struct {
		int64_t v;
		const char *hex;
	} samples[] = {
		{0, "00"},
		{1, "01"},
		{10, "0a"},
		{23, "17"},
		{24, "1818"},
		{25, "1819"},
		{100, "1864"},
		{255, "18ff"},
		{256, "190100"},
		{1000, "1903e8"},
		{65535, "19ffff"},
		{65536, "1a00010000"},
		{1000000, "1a000f4240"},
		{4294967295, "1affffffff"},
		{4294967296, "1b0000000100000000"},
		{1000000000000, "1b000000e8d4a51000"},
		{INT64_MAX, "1b7fffffffffffffff"},
		{-1, "20"},
		{-10, "29"},
		{-24, "37"},
		{-25, "3818"},
		{-100, "3863"},
		{-1000, "3903e7"},
		{INT64_MIN, "3b7fffffffffffffff"},
	};
	uint8_t buf[16];
	struct writer w;
	struct reader r;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		w = writer_over(buf, sizeof(buf));
		cbor_put_int(&w, samples[i].v);
		expect(&w, samples[i].hex);
		r = reader_over(buf, w.len);
		assert_true(cbor_get_int(&r) == samples[i].v);
		assert_true(reader_done(&r));
		r = reader_over(buf, w.len);
		assert_true(cbor_get_uint(&r) == (samples[i].v < 0 ? 0 : (uint64_t)samples[i].v));
		assert_int_equal(r.failed, samples[i].v < 0);
	}
	w = writer_over(buf, sizeof(buf));
	cbor_put_uint(&w, UINT64_MAX);
	expect(&w, "1bffffffffffffffff");
	r = reader_over(buf, w.len);
	assert_true(cbor_get_uint(&r) == UINT64_MAX && reader_done(&r));
	/* No int64_t has it, nor -18446744073709551616. */
	r = reader_over(buf, w.len);
	assert_true(cbor_get_int(&r) == 0 && r.failed);
	assert_true(is_taken("3bffffffffffffffff"));
}

static void test_strings(void **state)
{
	static const struct {
		const char *text, *hex;
	} samples[] = {
		{"", "60"},
		{"a", "6161"},
		{"IETF", "6449455446"},
		{"\"\\", "62225c"},
		{"\xc3\xbc", "62c3bc"},
		{"\xe6\xb0\xb4", "63e6b0b4"},
		{"\xf0\x90\x85\x91", "64f0908591"},
	};
	uint8_t buf[16];
	struct writer w = writer_over(buf, sizeof(buf));
	const uint8_t *p;
	struct reader r;
	size_t n;

	(void)state;
	cbor_put_bytes(&w, "\1\2\3\4", 4);
	expect(&w, "4401020304");
	r = reader_over(buf, w.len);
	p = cbor_get_bytes(&r, 4, &n);
	assert_true(p == buf + 1 && n == 4 && reader_done(&r));
	r = reader_over(buf, w.len);
	assert_null(cbor_get_bytes(&r, 3, &n));
	assert_true(r.failed && n == 0);
	w.len = 0;
	cbor_put_bytes(&w, "", 0);
	expect(&w, "40");
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		w = writer_over(buf, sizeof(buf));
		cbor_put_text(&w, samples[i].text);
		expect(&w, samples[i].hex);
		r = reader_over(buf, w.len);
		p = cbor_get_text(&r, 16, &n);
		assert_true(p && n == strlen(samples[i].text) && reader_done(&r));
		assert_memory_equal(p, samples[i].text, n);
		r = reader_over(buf, w.len);
		assert_null(cbor_get_bytes(&r, 16, &n));
	}
}

static void test_containers(void **state)
{
	uint8_t buf[64];
	struct writer w = writer_over(buf, sizeof(buf));

	(void)state;
	cbor_put_array(&w, 0);
	expect(&w, "80");
	w.len = 0;
	cbor_put_array(&w, 3);
	cbor_put_uint(&w, 1);
	cbor_put_array(&w, 2);
	cbor_put_uint(&w, 2);
	cbor_put_uint(&w, 3);
	cbor_put_array(&w, 2);
	cbor_put_uint(&w, 4);
	cbor_put_uint(&w, 5);
	expect(&w, "8301820203820405");
	w.len = 0;
	cbor_put_array(&w, 25);
	for (unsigned i = 1; i <= 25; i++)
		cbor_put_uint(&w, i);
	expect(&w, "98190102030405060708090a0b0c0d0e0f101112131415161718181819");
	w.len = 0;
	cbor_put_map(&w, 0);
	expect(&w, "a0");
	w.len = 0;
	cbor_put_map(&w, 2);
	cbor_put_uint(&w, 1);
	cbor_put_uint(&w, 2);
	cbor_put_uint(&w, 3);
	cbor_put_uint(&w, 4);
	expect(&w, "a201020304");
	w.len = 0;
	cbor_put_map(&w, 2);
	cbor_put_text(&w, "a");
	cbor_put_uint(&w, 1);
	cbor_put_text(&w, "b");
	cbor_put_array(&w, 2);
	cbor_put_uint(&w, 2);
	cbor_put_uint(&w, 3);
	expect(&w, "a26161016162820203");
	w.len = 0;
	cbor_put_tag(&w, 1);
	cbor_put_uint(&w, 1363896240);
	expect(&w, "c11a514b67b0");
	w.len = 0;
	cbor_put_tag(&w, 24);
	cbor_put_bytes(&w, "dIETF", 5);
	expect(&w, "d818456449455446");
	w.len = 0;
	cbor_put_bool(&w, false);
	cbor_put_bool(&w, true);
	cbor_put_null(&w);
	expect(&w, "f4f5f6");
}

static void test_deterministic_is_taken(void **state)
{
	static const char *const good[] = {"00", "1bffffffffffffffff", "c249010000000000000000",
		"f4", "f5", "f6", "d74401020304", "d818456449455446", "8301820203820405",
		"98190102030405060708090a0b0c0d0e0f101112131415161718181819", "a0", "a201020304",
		"a26161016162820203", "826161a161626163",
		"a56161614161626142616361436164614461656145",
		/* RFC 8949 4.2.1's own order of keys */
		"a80a0018640020006"
		"17a0062616100811864008120"
		"00f400",
		"63efbfbf"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!is_taken(good[i]))
			fail_msg("%s is refused", good[i]);
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"", "0000", /* nothing, and more than one item */
		"1800", "1817", "190000", "1900ff", "1a00000000", "1a0000ffff",
		"1b0000000000000000", "1b00000000ffffffff", "3817", "580100", "7800", "9800",
		"b800", "d80100", /* not in the shortest form */
		"1c", "1d", "1e", "1f", "3f", "5c", "7e", "9d", "bc", "dc", "fc",
		"ff", /* reserved */
		"5f42010243030405ff", "7f657374726561646d696e67ff", "9fff", "9f018202039f0405ffff",
		"bfff", "bf61610161629f0203ffff", /* indefinite lengths */
		"f90000", "f93c00", "fa47c35000", "fb3ff199999999999a", "f97c00", /* floats */
		"e0", "f0", "f3", "f7", "f820", "f8ff", "f814", /* simple values */
		"18", "19", "1900", "1a000000", "1b00000000000000", "41", "6261", "81", "810100",
		"a1", "a101", "a20102", "d8", "c1", /* cut off, and too long */
		"5affffffff", "5bffffffffffffffff", "7bffffffffffffffff", "9affffffff00",
		"9bffffffffffffffff", "bbffffffffffffffff0000", /* lengths that nothing has */
		"a203040102", "a201020102", "a2616101616102", "a262616100616200", "a220000000",
		"81a202000100", /* keys out of order, or there twice */
		"61ff", "61c3", "62c328", "62c0af", "63e08080", "63eda080", "64f4908080",
		"64f08080af", "6180", /* not UTF-8 (RFC 3629) */
		"818181818181818100", "c1c1c1c1c1c1c1c100",
		"a100a100a100a100a100a100a100a10000", /* too deep */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (is_taken(bad[i]))
			fail_msg("%s is taken", bad[i]);
	}
	assert_true(is_taken("8181818181818100"));
}

/* A count that is larger than what is left is no reason to count. */
static void test_counts(void **state)
{
	uint8_t buf[] = {0x9a, 0x7f, 0xff, 0xff, 0xff, 0x00};
	uint8_t map[] = {0xa2, 0x01, 0x02, 0x03, 0x04};
	struct reader r = reader_over(buf, sizeof(buf));

	(void)state;
	assert_int_equal(cbor_get_array(&r, SIZE_MAX), 0);
	assert_true(r.failed);
	r = reader_over(map, sizeof(map));
	assert_int_equal(cbor_get_map(&r, 1), 0);
	assert_true(r.failed);
	r = reader_over(map, sizeof(map));
	assert_int_equal(cbor_get_map(&r, 2), 2);
	assert_false(r.failed);
	r = reader_over(map, sizeof(map) - 1);
	assert_int_equal(cbor_get_map(&r, 2), 0);
	assert_true(r.failed);
}

/* Nothing is written past the end, whatever is put. */
static void test_full_writer(void **state)
{
	uint8_t buf[4] = {0, 0, 0, 0x55};
	struct writer w = writer_over(buf, 3);

	(void)state;
	cbor_put_bytes(&w, "abc", 3);
	assert_true(w.failed && w.len <= 3 && buf[3] == 0x55);
}

static void test_cose(void **state)
{
	uint8_t id[WIRE_ID_SIZE], sig[COSE_SIGNATURE_SIZE], buf[256], changed[256];
	struct cose_sign1 s = {id, (const uint8_t *)"\xa0", 1, sig}, found;
	struct writer w = writer_over(buf, sizeof(buf));
	struct reader r;
	unsigned taken = 0;

	(void)state;
	memset(id, 0x11, sizeof(id));
	memset(sig, 0x22, sizeof(sig));
	cose_put_sign1(&w, &s);
	assert_false(w.failed);
	assert_true(cbor_is_deterministic(buf, w.len));
	r = reader_over(buf, w.len);
	cose_get_sign1(&r, &found);
	assert_true(reader_done(&r));
	assert_memory_equal(found.key_id, id, sizeof(id));
	assert_memory_equal(found.signature, sig, sizeof(sig));
	assert_true(found.payload_len == 1 && found.payload[0] == 0xa0);
	/* Another algorithm, header, tag or shape is none of ours: only contents may differ. */
	for (size_t i = 0; i < w.len; i++) {
		memcpy(changed, buf, w.len);
		changed[i] ^= 1;
		r = reader_over(changed, w.len);
		cose_get_sign1(&r, &found);
		taken += reader_done(&r);
	}
	assert_int_equal(taken, sizeof(id) + 1 + sizeof(sig));
	for (size_t n = 0; n < w.len; n++) {
		r = reader_over(buf, n);
		cose_get_sign1(&r, &found);
		assert_true(r.failed);
	}
	w = writer_over(buf, sizeof(buf));
	cose_put_signed(&w, &s);
	assert_memory_equal(buf, "\x84\x6aSignature1\x58\x26\xa2\x01\x27\x04\x58\x20", 20);
	assert_memory_equal(buf + 20 + 32, "\x40\x41\xa0", 3);
	assert_int_equal(w.len, 20 + 32 + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_containers),
		cmocka_unit_test(test_deterministic_is_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_full_writer),
		cmocka_unit_test(test_cose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

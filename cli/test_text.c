/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_run.h"
#include "json.h"
#include "text.h"

static void assert_printed(
	void (*print)(FILE *f, const char *s), const char *s, const char *expected)
{
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);

	assert_non_null(f);
	print(f, s);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(out, expected);
	free(out);
}

static void test_nothing_moves_the_cursor(void **state)
{
	(void)state;
	assert_printed(text_print, "www.test.com", "www.test.com");
	assert_printed(text_print, "a\x1b[31mb\r\n\t\x7f", "a\\x1b[31mb\\x0d\\x0a\\x09\\x7f");
	assert_printed(text_print, "M\xc3\xbcller \xe2\x82\xac", "M\xc3\xbcller \xe2\x82\xac");
	/* C1 controls in UTF-8 and as bytes, overlong and cut-off forms, a surrogate. */
	assert_printed(text_print,
		"\xc2\x9b"
		"31m",
		"\\u{9b}31m");
	assert_printed(text_print,
		"\x9b"
		"31m",
		"\\x9b31m");
	assert_printed(text_print, "\xc0\xaf", "\\xc0\\xaf");
	assert_printed(text_print, "\xe2\x82", "\\xe2\\x82");
	assert_printed(text_print, "\xed\xa0\x80", "\\xed\\xa0\\x80");
	assert_printed(text_print, "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	/* What reorders text could show one name and mean another. */
	assert_printed(text_print,
		"a\xe2\x80\xae"
		"b",
		"a\\u{202e}b");
	assert_int_equal(text_width("a\x1b"), 5);
}

static void test_words_of_commands(void **state)
{
	(void)state;
	assert_printed(text_print_word, "/etc/a.key", "/etc/a.key");
	assert_printed(text_print_word, "*.test.com", "'*.test.com'");
	assert_printed(text_print_word, "it's $(a)", "'it'\\''s $(a)'");
	assert_printed(text_print_word, "", "''");
}

static void test_wrapping(void **state)
{
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);

	(void)state;
	text_print_wrapped(f, "one two three four", 4, 13);
	fclose(f);
	assert_string_equal(out, "one two\n    three\n    four\n");
	free(out);
}

static void test_json(void **state)
{
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);
	struct json j = {.f = f};

	(void)state;
	json_open(&j, NULL, '{');
	json_string(&j, "a\"", "x\\\n\x01\xff\xc3\xbc");
	json_open(&j, "list", '[');
	json_number(&j, NULL, UINT64_MAX);
	json_bool(&j, NULL, true);
	json_null(&j, NULL);
	json_decimal(&j, NULL, 0.5);
	json_decimal(&j, NULL, 1.0 / 0.0);
	json_open(&j, NULL, '{');
	json_close(&j, '}');
	json_close(&j, ']');
	json_close(&j, '}');
	fclose(f);
	assert_string_equal(out,
		"{\n  \"a\\\"\": \"x\\\\\\n\\u0001\\ufffd\xc3\xbc\",\n  \"list\": [\n"
		"    18446744073709551615,\n    true,\n    null,\n    0.500,\n    null,\n    {}\n  "
		"]\n}\n");
	free(out);
}

static void test_percentiles(void **state)
{
	struct histogram *h = calloc(1, sizeof(*h));
	uint64_t i, p;

	(void)state;
	assert_int_equal(histogram_percentile(h, 0.5), 0);
	for (i = 1; i <= 100000; i++)
		histogram_add(h, i);
	p = histogram_percentile(h, 0.5);
	assert_in_range(p, 49000, 50100);
	p = histogram_percentile(h, 0.99);
	assert_in_range(p, 97000, 99100);
	histogram_add(h, UINT64_MAX);
	assert_true(histogram_percentile(h, 1.0) > UINT64_MAX / 2);
	free(h);
}

static bool count_to_ten(void *context)
{
	unsigned *n = context;

	return ++*n < 10;
}

/* A failing signature must end the measurement, not be counted as a fast one. */
static void test_failure_ends_a_run(void **state)
{
	struct histogram *h = calloc(1, sizeof(*h));
	unsigned counts[2] = {0, 0};
	void *contexts[2] = {&counts[0], &counts[1]};

	(void)state;
	assert_true(bench_run(count_to_ten, contexts, 2, UINT64_MAX, h) < 0);
	assert_int_equal(counts[0], 10);
	assert_int_equal(counts[1], 10);
	free(h);
}

static void test_hex(void **state)
{
	static const char *const bad[] = {
		"0", "0g", "g0", "0x12", " 12", "12 ", "112233445", "1122334455"};
	uint8_t bytes[4];
	size_t n = 7;

	(void)state;
	assert_true(text_unhex("00aBCdff", bytes, sizeof(bytes), &n));
	assert_int_equal(n, 4);
	assert_memory_equal(bytes, "\0\xab\xcd\xff", 4);
	assert_true(text_unhex("", bytes, sizeof(bytes), &n));
	assert_int_equal(n, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_unhex(bad[i], bytes, sizeof(bytes), &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_moves_the_cursor),
		cmocka_unit_test(test_words_of_commands),
		cmocka_unit_test(test_wrapping),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_failure_ends_a_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "subject.h"

static void test_parts(void **state)
{
	char problem[PROBLEM_SIZE] = "";
	struct subject s;

	(void)state;
	assert_true(subject_parse("/C=DE/O=A\\/B\\+C\\\\/CN=www.test.com", &s, problem));
	assert_int_equal(s.n, 3);
	assert_string_equal(s.names[0][0], "C");
	assert_string_equal(s.names[0][1], "DE");
	assert_string_equal(s.names[1][1], "A/B+C\\");
	assert_string_equal(s.names[2][0], "CN");
	assert_string_equal(s.names[2][1], "www.test.com");
	subject_free(&s);
	/* As openssl takes it: a slash at the end, an equals sign in a value. */
	assert_true(subject_parse("/CN=a=b/", &s, problem));
	assert_int_equal(s.n, 1);
	assert_string_equal(s.names[0][1], "a=b");
	subject_free(&s);
}

static void test_wrong_subjects(void **state)
{
	static const struct {
		const char *text, *sentence;
	} wrong[] = {
		{"", "begins with a slash"},
		{"CN=a", "begins with a slash"},
		{"/", "is empty"},
		{"/CN", "has no value"},
		{"/CN=a/b", "'b' in the subject has no value"},
		{"/CN=", "empty"},
		{"/XX=a", "no 'XX'"},
		{"/cn=a", "no 'cn'"},
		{"/=a", "no ''"},
		{"/CN=a+O=b", "plus sign"},
		{"/CN=a\\", "ends with a backslash"},
		{"/C=Germany", "two letters"},
		{"/C=D1", "two letters"},
		{"/CN=\xff", "not UTF-8"},
		{"/CN=\xc0\x80", "not UTF-8"},
		{"/CN=a\n", "control characters"},
		{"/CN=a\xc2\x85", "control characters"},
		{"/serialNumber=a_b", "other characters"},
		{"/emailAddress=a", "not an e-mail address"},
	};
	char problem[PROBLEM_SIZE], text[1024];
	struct subject s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(subject_parse(wrong[i].text, &s, problem));
		if (!strstr(problem, wrong[i].sentence))
			fail_msg("'%s': said '%s'", wrong[i].text, problem);
		subject_free(&s);
	}
	/* Characters, not bytes: 64 of two bytes each fit. */
	for (i = 0, strcpy(text, "/CN="); i < 64; i++)
		strcat(text, "\xc3\xbc");
	assert_true(subject_parse(text, &s, problem));
	subject_free(&s);
	strcat(text, "a");
	assert_false(subject_parse(text, &s, problem));
	assert_non_null(strstr(problem, "--san"));
	subject_free(&s);
	snprintf(text, sizeof(text), "/L=%0129d", 0);
	assert_false(subject_parse(text, &s, problem));
	subject_free(&s);
	for (i = 0, text[0] = '\0'; i < SUBJECT_MAX; i++)
		strcat(text, "/OU=a");
	assert_true(subject_parse(text, &s, problem));
	subject_free(&s);
	strcat(text, "/OU=a");
	assert_false(subject_parse(text, &s, problem));
	subject_free(&s);
}

static void assert_san(const struct san_list *list, unsigned i, enum kw_san_kind kind,
	const char *value, size_t len)
{
	assert_int_equal(list->at[i].kind, kind);
	assert_int_equal(list->at[i].len, len);
	assert_memory_equal(list->at[i].value, value, len);
}

static void test_alternative_names(void **state)
{
	struct san_list list = {.n = 0};
	char problem[PROBLEM_SIZE] = "";

	(void)state;
	assert_true(san_add(&list, "DNS:*.test.com, dns:test.com,IP:192.0.2.7", problem));
	assert_true(san_add(&list, "IP:::1", problem));
	assert_true(san_add(&list, "email:a+b@test.com", problem));
	assert_true(san_add(&list, "URI:https://test.com/a,b?x=DNS", problem));
	assert_int_equal(list.n, 6);
	assert_san(&list, 0, KW_SAN_DNS, "*.test.com", 10);
	assert_san(&list, 1, KW_SAN_DNS, "test.com", 8);
	assert_san(&list, 2, KW_SAN_IP, "\xc0\x00\x02\x07", 4);
	assert_san(&list, 3, KW_SAN_IP, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	assert_san(&list, 4, KW_SAN_EMAIL, "a+b@test.com", 12);
	assert_san(&list, 5, KW_SAN_URI, "https://test.com/a,b?x=DNS", 26);
	san_free(&list);
}

static void test_wrong_alternative_names(void **state)
{
	static const struct {
		const char *text, *sentence;
	} wrong[] = {
		{"www.test.com", "begin it with"},
		{"", "begin it with"},
		{"DNS:", "empty"},
		{"DNS:a b", "plain ASCII"},
		{"DNS:m\xc3\xbcller.test", "xn--"},
		{"DNS:a/b", "not a host's name"},
		{"DNS:a,b", "not a host's name"},
		{"IP:1.2.3", "not an IP address"},
		{"IP:1.2.3.4.5", "not an IP address"},
		{"IP:", "not an IP address"},
		{"email:a", "not an e-mail address"},
		{"email:@test.com", "not an e-mail address"},
		{"URI:a", "not a URI"},
		{"DNS:a\n", "plain ASCII"},
		{"DNS:a_b.test", "not a host's name"},
		{"DNS:-a.test", "not a host's name"},
		{"DNS:a..test", "not a host's name"},
		{"DNS:test.", "not a host's name"},
		{"DNS:*", "not a host's name"},
		{"DNS:a.*.test", "not a host's name"},
		{"DNS:192.0.2.1", "not a host's name"},
		{"email:a@b_c", "not an e-mail address"},
		{"URI:1a:b", "not a URI"},
		{"URI:https:", "not a URI"},
	};
	struct san_list list = {.n = 0};
	char problem[PROBLEM_SIZE], text[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(san_add(&list, wrong[i].text, problem));
		if (!strstr(problem, wrong[i].sentence))
			fail_msg("'%s': said '%s'", wrong[i].text, problem);
		san_free(&list);
	}
	snprintf(text, sizeof(text), "DNS:%0256d.test", 0);
	assert_false(san_add(&list, text, problem));
	san_free(&list);
	for (i = 0; i < SAN_MAX; i++)
		assert_true(san_add(&list, "DNS:a.test", problem));
	assert_false(san_add(&list, "DNS:a.test", problem));
	san_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_wrong_subjects),
		cmocka_unit_test(test_alternative_names),
		cmocka_unit_test(test_wrong_alternative_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

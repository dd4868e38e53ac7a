/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define SIGN 12

static int from_log;

/* What has been logged since the last time. */
static const char *logged(void)
{
	static char text[65536];
	ssize_t n = read(from_log, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		n++;
	return n;
}

static void a_refusal_names_user_command_and_reason(void **state)
{
	(void)state;
	log_refusal(33, SIGN, KW_ERR_PURPOSE);
	assert_string_equal(logged(),
		"<5>keyward-teed: refused sign of uid 33: the key's purposes do "
		"not allow this operation\n");
}

static void a_flood_of_one_user_hides_no_other(void **state)
{
	const char *text;

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		log_refusal(1000, SIGN, KW_ERR_ACCESS);
	log_refusal(34, SIGN, KW_ERR_ACCESS);
	text = logged();
	/* A second may begin on the way, and with it a new share. */
	assert_in_range(count(text, "of uid 1000:"), 5, 10);
	assert_int_equal(count(text, "of uid 34:"), 1);
}

static void a_long_line_is_cut(void **state)
{
	static char much[5000];
	const char *text;

	(void)state;
	memset(much, 'x', sizeof(much) - 1);
	platform_log("%s", much);
	text = logged();
	assert_int_equal(strncmp(text, "<4>keyward-teed: xxx", 20), 0);
	assert_true(strlen(text) <= 1024);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

/* Hangs when it waits for the reader. */
static void a_reader_that_does_not_read_stops_nobody(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		platform_log("nobody reads this line, and the pipe is full after a while");
	assert_true(count(logged(), "nobody reads") > 100);
	while (*logged())
		;
	platform_log("again");
	assert_string_equal(logged(), "<4>keyward-teed: again\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_names_user_command_and_reason),
		cmocka_unit_test(a_flood_of_one_user_hides_no_other),
		cmocka_unit_test(a_long_line_is_cut),
		cmocka_unit_test(a_reader_that_does_not_read_stops_nobody),
	};
	int fd[2], saved, failed;

	saved = dup(STDERR_FILENO);
	if (pipe2(fd, O_CLOEXEC) || fcntl(fd[0], F_SETFL, O_NONBLOCK) ||
		dup2(fd[1], STDERR_FILENO) < 0)
		return 1;
	from_log = fd[0];
	log_init();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	/* What cmocka had to say went into the pipe as well. */
	(void)dup2(saved, STDERR_FILENO);
	if (failed)
		(void)dprintf(saved, "%s\n", logged());
	return failed;
}

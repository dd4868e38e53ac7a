/* SPDX-License-Identifier: BSD-2-Clause */
/* What serving needs goes on working behind the list of system calls. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fair.h"
#include "sandbox.h"

#define CALLERS 70000

/* A user may have 65,536 more uids (subuid(5)), and each is a caller. */
static _Noreturn void meet_many(void)
{
	struct fair f = {0};

	sandbox_seal();
	for (uint32_t uid = 0; uid < CALLERS; uid++) {
		if (!fair_caller_get(&f, uid))
			_exit(1);
	}
	_exit(0);
}

static void a_crowd_of_users_does_not_end_it(void **state)
{
	int status = -1;
	pid_t child = fork();

	(void)state;
	if (!child)
		meet_many();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crowd_of_users_does_not_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said on a machine without OP-TEE: without its library, or without its device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keyward/keyward.h"

static bool have_library(void)
{
	void *library = dlopen("libteec.so.2", RTLD_NOW);

	if (!library)
		library = dlopen("libteec.so.1", RTLD_NOW);
	if (library)
		dlclose(library);
	return library;
}

static struct kw *new_kw(void)
{
	struct kw_options options = {.tee = "optee"};
	struct kw *kw = NULL;

	assert_int_equal(kw_new(&options, &kw), KW_ERR_OK);
	return kw;
}

static void says(struct kw *kw, const char *wanted)
{
	struct kw_status *status = (struct kw_status *)1;

	assert_int_equal(kw_status_new(kw, &status), KW_ERR_NO_TEE);
	assert_null(status);
	if (!strstr(kw_explain(), wanted))
		fail_msg("'%s' is not in: %s", wanted, kw_explain());
}

static void no_library(void **state)
{
	struct kw *kw;

	(void)state;
	if (have_library())
		skip();
	kw = new_kw();
	says(kw, "libteec.so.2");
	says(kw, "install libteec2");
	kw_free(&kw);
}

static void no_device(void **state)
{
	struct kw *kw;
	int status;
	pid_t child;

	(void)state;
	if (!have_library() || access("/dev/tee0", F_OK) == 0)
		skip();
	kw = new_kw();
	says(kw, "modprobe optee");
	/* The same in a child of a process that has tried already. */
	child = fork();
	if (child == 0) {
		says(kw, "modprobe optee");
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	kw_free(&kw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_library),
		cmocka_unit_test(no_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

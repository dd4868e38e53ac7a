/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process whose deadlines are short while tee-supplicant, whose number is the argument, hangs: each
 * call ends, and once tee-supplicant goes on nothing of them is left.
 */
#include "use.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_MS 200
#define CALLS 20

static unsigned threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *e;
	unsigned n = 0;

	while (tasks && (e = readdir(tasks)))
		n += e->d_name[0] != '.';
	closedir(tasks);
	return n;
}

/* Some threads end when OP-TEE lets go of them. */
static bool threads_become(unsigned wanted)
{
	for (unsigned i = 0; i < 300 && threads() > wanted; i++)
		usleep(100000);
	return threads() <= wanted;
}

static bool rename_back_and_forth(struct kw *kw, const struct signer *s, unsigned n)
{
	struct kw_target t = {.id = s->use.id};
	enum kw_err err = KW_ERR_OK;
	char name[32];

	snprintf(name, sizeof(name), "board-hang-%u", n);
	err = kw_key_rename(kw, &t, name, false);
	return err == KW_ERR_OK;
}

int main(int argc, char **argv)
{
	struct kw *kw = optee_kw(TIMEOUT_MS), *patient = optee_kw(0);
	pid_t supplicant = argc == 2 ? (pid_t)atoi(argv[1]) : 0;
	unsigned before, explained = 0, failed = 0;
	struct signer s;

	if (supplicant <= 1)
		return 2;
	signer_make(&s, patient, "board-hang");
	report(rename_back_and_forth(patient, &s, 0), "a change is made");
	before = threads();
	kill(supplicant, SIGSTOP);
	for (unsigned i = 1; i <= CALLS; i++) {
		failed += !rename_back_and_forth(kw, &s, i);
		explained += strstr(kw_explain(), "tee-supplicant") != NULL;
	}
	report(failed == CALLS, "while tee-supplicant hangs every call ends, and fails");
	report(explained == CALLS, "and says whom it waits for");
	report(threads() > before && threads() <= before + 16, "a few threads wait in OP-TEE");
	kill(supplicant, SIGCONT);
	report(threads_become(before), "when it goes on they end");
	report(rename_back_and_forth(patient, &s, CALLS + 1), "and a change is made again");
	report(signer_use(&s, patient, "a message") == KW_ERR_OK, "the key is there");
	signer_end(&s);
	return report_sums();
}

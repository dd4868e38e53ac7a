/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What servers see while tee-supplicant is killed and started again: threads, and a child, sign with
 * stored and sealed keys until the file that is the argument is there.
 */
#include "use.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4

static const char *stop_file;
static struct signer stored, sealed;

struct work {
	struct signer *signer;
	unsigned number;
	unsigned done;
	enum kw_err err;
	char why[300];
};

static bool is_over(void)
{
	return access(stop_file, F_OK) == 0;
}

static void *sign_until_over(void *arg)
{
	struct work *w = arg;
	char message[64];

	while (!w->err && !is_over()) {
		snprintf(message, sizeof(message), "%u of thread %u", w->done, w->number);
		w->err = signer_use(w->signer, w->signer->kw, message);
		w->done++;
	}
	if (w->err)
		snprintf(w->why, sizeof(w->why), "%s", kw_explain());
	return NULL;
}

static int child_until_over(void)
{
	unsigned n = 0;

	while (!is_over()) {
		if (signer_use(&stored, stored.kw, "child") ||
			signer_use(&sealed, sealed.kw, "c")) {
			printf("# the child after %u: %s\n", n, kw_explain());
			fflush(stdout);
			return 1;
		}
		n++;
	}
	return n == 0;
}

static void run_threads(struct work *work)
{
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		work[i] = (struct work){.signer = i % 2 ? &sealed : &stored, .number = i};
		if (pthread_create(&threads[i], NULL, sign_until_over, &work[i]))
			abort();
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	struct work work[THREADS];
	unsigned done = 0;
	int status;
	pid_t child;

	if (argc != 2)
		return 2;
	stop_file = argv[1];
	signer_make(&stored, optee_kw(0), "board-load");
	signer_make(&sealed, stored.kw, NULL);
	child = fork();
	if (child == 0)
		_exit(child_until_over());
	run_threads(work);
	for (unsigned i = 0; i < THREADS; i++) {
		if (work[i].err)
			printf("# thread %u after %u: %s\n", i, work[i].done, work[i].why);
		report(!work[i].err && work[i].done > 1, "thread %u signs without a failure", i);
		done += work[i].done;
	}
	waitpid(child, &status, 0);
	report(status == 0, "so does a child");
	printf("# %u signatures\n", done);
	signer_end(&stored);
	signer_end(&sealed);
	kw_free(&stored.kw);
	return report_sums();
}

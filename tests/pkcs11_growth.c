/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures by several processes: the memory of none of them grows, nor that of the TEE. And 10,000 sessions at once, in each.
 *
 * usage: pkcs11_growth MODULE SIGNATURES PROCESSES TEE-PID
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkcs11_use.h"

#define SESSIONS 10000
/* What a heap may still take after the warm-up, in KiB: less than two bytes for each signature of the long run. */
#define GROWTH_MAX 256

static CK_FUNCTION_LIST *p11;

static long resident(pid_t pid)
{
	char path[64], line[256];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	}
	if (f)
		fclose(f);
	return kib;
}

static int sign(CK_SESSION_HANDLE *sessions, CK_OBJECT_HANDLE public, CK_OBJECT_HANDLE private,
	unsigned long count)
{
	CK_BYTE message[32] = {0}, signature[64];

	for (unsigned long i = 0; i < count; i++) {
		CK_SESSION_HANDLE s = sessions[i % SESSIONS];
		CK_RV rv;

		memcpy(message, &i, sizeof(i));
		rv = p11_sign(p11, s, 0, private, message, sizeof(message), signature);
		if (!rv && i % 100 == 0)
			rv = p11_verify(p11, s, 0, public, message, sizeof(message), signature);
		if (rv) {
			printf("not ok - signature %lu: 0x%lx\n", i, rv);
			return -1;
		}
	}
	return 0;
}

/* In a child: says by one byte when it is warm, and goes on when `go` is closed. */
static int run(unsigned long count, int go, int report)
{
	CK_SESSION_HANDLE *sessions = calloc(SESSIONS, sizeof(*sessions));
	CK_OBJECT_HANDLE public, private;
	unsigned long warm_up = count / 4;
	long before, after;
	char byte = 'w';

	if (!sessions)
		return 1;
	p11_initialize(p11);
	for (unsigned i = 0; i < SESSIONS; i++)
		sessions[i] = p11_open(p11);
	if (p11_generate(p11, sessions[0], 0, CK_FALSE, "passing", &public, &private))
		return 1;
	if (sign(sessions, public, private, warm_up))
		return 1;
	if (write(report, &byte, 1) != 1)
		return 1;
	while (read(go, &byte, 1) > 0)
		;
	before = resident(getpid());
	if (sign(sessions, public, private, count - warm_up))
		return 1;
	after = resident(getpid());
	if (before < 0 || after > before + GROWTH_MAX) {
		printf("not ok - a process grew from %ld to %ld KiB\n", before, after);
		return 1;
	}
	/* Half of them one by one, the others all at once */
	for (unsigned i = 0; i < SESSIONS / 2; i++) {
		if (p11->C_CloseSession(sessions[i]))
			return 1;
	}
	free(sessions);
	return p11->C_CloseAllSessions(0) || p11->C_Finalize(NULL);
}

int main(int argc, char **argv)
{
	unsigned processes = argc == 5 ? (unsigned)atoi(argv[3]) : 0, failed = 0;
	unsigned long count = argc == 5 ? strtoul(argv[2], NULL, 10) : 0;
	pid_t tee = argc == 5 ? atoi(argv[4]) : 0;
	int go[2], report[2], status;
	long before, after;
	char byte;

	if (!processes || !count || tee <= 0 || pipe(go) || pipe(report)) {
		fprintf(stderr, "usage: pkcs11_growth MODULE SIGNATURES PROCESSES TEE-PID\n");
		return 2;
	}
	p11 = p11_load(argv[1]);
	for (unsigned i = 0; i < processes; i++) {
		if (fork() == 0) {
			close(go[1]);
			close(report[0]);
			status = run(count / processes, go[0], report[1]);
			fflush(stdout);
			_exit(status);
		}
	}
	close(go[0]);
	close(report[1]);
	for (unsigned i = 0; i < processes; i++)
		failed += read(report[0], &byte, 1) != 1;
	before = resident(tee);
	close(go[1]);
	while (wait(&status) > 0)
		failed += status != 0;
	after = resident(tee);
	printf("# %lu signatures, the TEE had %ld KiB and has %ld KiB\n", count, before, after);
	if (before < 0 || after > before + GROWTH_MAX) {
		printf("not ok - the TEE grew\n");
		failed++;
	}
	return failed != 0;
}

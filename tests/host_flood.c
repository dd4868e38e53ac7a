/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One user who takes all he can get, and another who goes on working: measured in requests, not in
 * time. host_flood SOCKET PART [LIMIT], as root: it becomes uid 60001 and 60002.
 */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host_raw.h"
#include "wire/algorithms.h"
#include "wire/codec.h"
#include "wire/errors.h"
#include "wire/wire.h"

#define GREEDY 60001
#define PATIENT 60002
#define CONNECTIONS 1000
#define UNKNOWN 99

static const uint8_t unknown[] = {0, UNKNOWN, 0, 0};

/* What the processes tell each other. */
static struct {
	atomic_uint ready;
	atomic_uint finished;
	atomic_uint busy;
	atomic_uint answered;
} * shared;

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		raw_check(false, "pinning to CPU %d: %s", cpu, strerror(errno));
}

static int first_cpu(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 0;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET((size_t)i, &set))
			return i;
	}
	return 0;
}

static int open_as(uid_t uid, int cpu)
{
	int fd;

	/* The kernel notes who connects, not who sends. */
	if (seteuid(uid))
		return -1;
	fd = raw_open((uint16_t)cpu);
	return seteuid(0) ? -1 : fd;
}

/* A thousand requests of one user and then one of another, all before the thread that serves them
 * gets to run: this process has its CPU, with a real-time priority, until it waits. It waits for
 * the one. */
static void fairness(void)
{
	static int greedy[CONNECTIONS];
	struct sched_param first = {.sched_priority = 1};
	int cpu = first_cpu(), patient;
	unsigned good = 0, before = 0, rest = 0;

	for (unsigned i = 0; i < CONNECTIONS; i++) {
		greedy[i] = open_as(GREEDY, cpu);
		good += greedy[i] >= 0;
	}
	raw_check(good == CONNECTIONS, "one user has %u connections", good);
	patient = open_as(PATIENT, cpu);
	pin(cpu);
	if (sched_setscheduler(0, SCHED_FIFO, &first)) {
		printf("ok - # SKIP no real-time priority here\n");
		return;
	}
	for (unsigned i = 0; i < CONNECTIONS; i++)
		raw_send(greedy[i], unknown, sizeof(unknown));
	raw_check(raw_call(patient, UNKNOWN, NULL, 0) == KW_ERR_UNKNOWN_COMMAND,
		"another user's request is answered");
	for (unsigned i = 0; i < CONNECTIONS; i++)
		before +=
			recv(greedy[i], (uint8_t[8]){0}, 8, MSG_PEEK | MSG_DONTWAIT) == WIRE_HEADER;
	raw_check(before < CONNECTIONS / 10,
		"it came last, and went before most: %u of %d were first", before, CONNECTIONS);
	for (unsigned i = 0; i < CONNECTIONS; i++)
		rest += raw_reply(greedy[i], NULL, NULL) == KW_ERR_UNKNOWN_COMMAND;
	raw_check(rest == CONNECTIONS, "and these are answered as well: %u", rest);
}

/* As many connections as one user may have, and one of another. */
static void crowd(unsigned limit)
{
	static int fds[20000];
	unsigned tried = limit + 50, good = 0, busy = 0, other = 0;
	int status = 0, err;
	pid_t patient;

	for (unsigned i = 0; i < tried; i++) {
		fds[i] = raw_connect();
		err = fds[i] < 0 ? RAW_CLOSED : raw_hello(fds[i], (uint16_t)(i % 2));
		/* A refusal may come before HELLO was sent. */
		if (err == RAW_CLOSED && fds[i] >= 0)
			err = raw_reply(fds[i], NULL, NULL);
		good += !err;
		busy += err == KW_ERR_BUSY;
		other += err && err != KW_ERR_BUSY;
	}
	raw_check(good == limit, "one user gets %u connections of %u: %u", limit, tried, good);
	raw_check(busy == tried - limit, "the others are told that it is busy: %u, and %u not",
		busy, other);
	patient = fork();
	if (!patient) {
		raw_become(PATIENT);
		_exit(raw_call(raw_open(0), CMD_STATUS, NULL, 0) ? 1 : 0);
	}
	waitpid(patient, &status, 0);
	raw_check(!status, "another user is served");
	for (unsigned i = 0; i < tried; i++)
		close(fds[i]);
	for (err = RAW_CLOSED; err == RAW_CLOSED || err == KW_ERR_BUSY; close(fds[0])) {
		fds[0] = raw_connect();
		err = raw_hello(fds[0], 0);
	}
	raw_check(!err, "when they are gone the first user is served again");
}

static size_t slow_request(uint8_t *frame, size_t cap)
{
	struct writer w = writer_over(frame, cap);

	put_u16(&w, CMD_KEY_GENERATE);
	put_u16(&w, 0);
	put_u8(&w, KEY_TYPE_RSA_3072);
	put_u8(&w, PLACE_SEALED);
	put_u32(&w, PURPOSE_SIGN);
	put_field8(&w, "", 0);
	put_u8(&w, 0);
	put_field16(&w, "", 0);
	return w.len;
}

static _Noreturn void generate_one(const uint8_t *frame, size_t n)
{
	int fd = raw_open(WIRE_CPU_ANY), err;

	if (!raw_send(fd, frame, n))
		_exit(1);
	atomic_fetch_add(&shared->ready, 1);
	err = raw_reply(fd, NULL, NULL);
	if (err == KW_ERR_BUSY)
		atomic_fetch_add(&shared->busy, 1);
	else if (!err)
		atomic_fetch_add(&shared->finished, 1);
	else
		printf("# error %d\n", err);
	atomic_fetch_add(&shared->answered, 1);
	_exit(0);
}

/* Keys that take long, more than may wait: signatures and the like go on. As uid 0, which may
 * create keys. */
static void long_requests(void)
{
	enum { MANY = 40, REQUESTS = 500 };
	uint8_t frame[64];
	size_t n = slow_request(frame, sizeof(frame));
	unsigned good = 0, left;
	int fd;

	for (unsigned i = 0; i < MANY; i++) {
		if (!fork())
			generate_one(frame, n);
	}
	while (atomic_load(&shared->ready) < MANY)
		usleep(1000);
	fd = raw_open(WIRE_CPU_ANY);
	for (unsigned i = 0; i < REQUESTS; i++)
		good += !raw_call(fd, CMD_STATUS, NULL, 0);
	left = MANY - atomic_load(&shared->answered);
	raw_check(good == REQUESTS && left > 0,
		"%u requests are answered before %d keys of RSA-3072 are made (%u are left)", good,
		MANY, left);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	raw_check(atomic_load(&shared->busy) > 0, "of %d at once %u are told that it is busy", MANY,
		atomic_load(&shared->busy));
	raw_check(atomic_load(&shared->finished) >= 16 &&
			  atomic_load(&shared->finished) + atomic_load(&shared->busy) == MANY,
		"the others get their keys: %u", atomic_load(&shared->finished));
}

int main(int argc, char **argv)
{
	const char *part = argc > 2 ? argv[2] : "";
	struct rlimit files = {0, 0};

	raw_path = argc > 1 ? argv[1] : "";
	shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (!strcmp(part, "fairness"))
		fairness();
	else if (!strcmp(part, "crowd"))
		crowd(argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 2048);
	else if (!strcmp(part, "long"))
		long_requests();
	else
		raw_check(false, "there is no part '%s'", part);
	return raw_finish();
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "rounds.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 20
#define WARM_UP_SECONDS 1.0 /* enough where one takes a third of a second */

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void bench_message(uint8_t message[BENCH_MESSAGE_SIZE], uint64_t n)
{
	static const char context[] = "TLS 1.3, server CertificateVerify";

	memset(message, 0x20, 64);
	memcpy(message + 64, context, sizeof(context)); /* with its NUL, the separator */
	memset(message + 64 + sizeof(context), 0, 32);
	memcpy(message + 64 + sizeof(context), &n, sizeof(n));
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_percentile(double *values, size_t n, double share)
{
	qsort(values, n, sizeof(*values), compare);
	return values[(size_t)(share * (double)(n - 1))];
}

static int warm_up(const struct bench *bench)
{
	int failed = bench->open(bench->ctx);
	double begin = bench_now();

	for (int i = 0; i < WARM_UP && !failed && bench_now() - begin < WARM_UP_SECONDS; i++)
		failed = bench->once(bench->ctx);
	return failed;
}

/* In a child: reports by one byte that it is warm, or not; starts when `go` is closed; reports its rate. */
static int run_child(const struct bench *bench, double seconds, int go, int report)
{
	uint64_t count = 0;
	double begin;
	double now;
	double rate;
	char byte = warm_up(bench) ? 'x' : 'w';

	if (write(report, &byte, 1) != 1 || byte == 'x')
		return 1;
	while (read(go, &byte, 1) > 0)
		;
	begin = bench_now();
	do {
		now = -1;
		if (bench->once(bench->ctx))
			break;
		count++;
		now = bench_now();
	} while (now - begin < seconds);
	rate = now < 0 ? -1 : (double)count / (now - begin);
	return write(report, &rate, sizeof(rate)) == sizeof(rate) && rate > 0 ? 0 : 1;
}

static int read_all(int fd, void *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = read(fd, (char *)buf + done, n - done);

		if (got <= 0)
			return -1;
		done += (size_t)got;
	}
	return 0;
}

double bench_rate(const struct bench *bench, unsigned processes, double seconds)
{
	int go[2];
	int report[2];
	double total = 0;
	unsigned started = 0;
	int status;

	if (pipe(go) || pipe(report))
		return -1;
	fflush(NULL);
	for (; started < processes; started++) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0) {
			close(go[1]);
			close(report[0]);
			_exit(run_child(bench, seconds, go[0], report[1]));
		}
	}
	close(go[0]);
	close(report[1]);
	for (unsigned i = 0; i < started && total >= 0; i++) {
		char byte;

		if (read_all(report[0], &byte, 1) || byte != 'w')
			total = -1;
	}
	close(go[1]);
	for (unsigned i = 0; i < started && total >= 0; i++) {
		double rate;

		total = read_all(report[0], &rate, sizeof(rate)) || rate < 0 ? -1 : total + rate;
	}
	close(report[0]);
	while (wait(&status) > 0)
		if (status)
			total = -1;
	return started == processes ? total : -1;
}

struct runner {
	const struct bench *bench;
	void *ctx;
	double seconds;
	pthread_barrier_t *start;
	double rate;
};

static void *run_thread(void *arg)
{
	struct runner *r = arg;
	uint64_t count = 0;
	bool failed = false;
	double begin, now;

	for (int i = 0; i < WARM_UP && !failed; i++)
		failed = r->bench->once(r->ctx);
	pthread_barrier_wait(r->start);
	begin = now = bench_now();
	while (!failed && now - begin < r->seconds) {
		failed = r->bench->once(r->ctx);
		count++;
		now = bench_now();
	}
	r->rate = failed ? -1 : (double)count / (now - begin);
	return NULL;
}

double bench_thread_rate(const struct bench *bench, unsigned threads, double seconds)
{
	struct runner *runners = calloc(threads, sizeof(*runners));
	pthread_t *ids = calloc(threads, sizeof(*ids));
	pthread_barrier_t start;
	double total = 0;

	if (!runners || !ids || bench->open(bench->ctx) ||
		pthread_barrier_init(&start, NULL, threads))
		return -1;
	for (unsigned i = 0; i < threads; i++) {
		runners[i] = (struct runner){bench, bench->thread(bench->ctx), seconds, &start, 0};
		/* The others wait at the barrier: there is no going on without this one. */
		if (!runners[i].ctx || pthread_create(&ids[i], NULL, run_thread, &runners[i])) {
			fprintf(stderr, "bench: thread %u cannot be started\n", i);
			exit(1);
		}
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		total = total < 0 || runners[i].rate < 0 ? -1 : total + runners[i].rate;
	}
	pthread_barrier_destroy(&start);
	free(runners);
	free(ids);
	return total;
}

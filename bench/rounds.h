/* SPDX-License-Identifier: BSD-2-Clause */
/* One measured operation, run in several processes or threads at once. */
#ifndef BENCH_ROUNDS_H
#define BENCH_ROUNDS_H

#include <stddef.h>
#include <stdint.h>

struct bench {
	/* Called in each process before the clock starts: opens what the operation needs. 0 is success. */
	int (*open)(void *ctx);
	/* The operation. 0 is success. */
	int (*once)(void *ctx);
	void *ctx;
	/* What another thread of the process passes to once, made after open. NULL: failed. For bench_thread_rate. */
	void *(*thread)(void *ctx);
};

/* Operations a second, summed over the processes; each runs for `seconds` after all are warm. Negative: failed. */
double bench_rate(const struct bench *bench, unsigned processes, double seconds);

/* The same with threads of this process. */
double bench_thread_rate(const struct bench *bench, unsigned threads, double seconds);

double bench_now(void); /* seconds, monotonic */

/* What a TLS 1.3 server signs (RFC 8446 4.4.3), with `n` in its transcript hash. Every bench signs this. */
#define BENCH_MESSAGE_SIZE 130
void bench_message(uint8_t message[BENCH_MESSAGE_SIZE], uint64_t n);

/* The value below which `share` (0..1) of n values lie; sorts them. */
double bench_percentile(double *values, size_t n, double share);

#endif

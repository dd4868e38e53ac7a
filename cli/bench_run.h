/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures how often something can be done by a number of threads, and how long each time takes. */
#ifndef CLI_BENCH_RUN_H
#define CLI_BENCH_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <keyward/keyward.h>

#define BENCH_THREADS_MAX 256

/* Latencies in classes of width 1/64 of their value, so that any percentile is exact to 1.6 %. */
#define HISTOGRAM_CLASSES (64 * 64)
struct histogram {
	uint64_t count[HISTOGRAM_CLASSES];
	uint64_t total;
};

void histogram_add(struct histogram *h, uint64_t ns);
void histogram_merge(struct histogram *to, const struct histogram *from);
/* The value below which this share (0 to 1) lies; 0 of an empty one. */
uint64_t histogram_percentile(const struct histogram *h, double share);

/* Does it once; false ends the run. Each thread has its own `context`. */
typedef bool bench_work(void *context);

/* Runs `work` in threads for ns nanoseconds. Adds to h. Returns how often a second, or a negative number
 * when it failed somewhere. */
double bench_run(bench_work *work, void *const *contexts, unsigned threads, uint64_t ns,
	struct histogram *h);

#endif

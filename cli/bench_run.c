/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench_run.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static unsigned class_of(uint64_t ns)
{
	unsigned shift = 0;

	/* Below 64 every value is a class; above, the six bits after the highest one decide. */
	while (ns >> shift >= 128)
		shift++;
	if (ns < 64)
		return (unsigned)ns;
	return (shift + 1) * 64 + (unsigned)((ns >> shift) - 64);
}

static uint64_t value_of(unsigned class)
{
	unsigned shift;

	if (class < 64)
		return class;
	shift = class / 64 - 1;
	return ((uint64_t)(64 + class % 64)) << shift;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	h->count[class_of(ns)]++;
	h->total++;
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
	unsigned i;

	for (i = 0; i < HISTOGRAM_CLASSES; i++)
		to->count[i] += from->count[i];
	to->total += from->total;
}

uint64_t histogram_percentile(const struct histogram *h, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)h->total), seen = 0;
	unsigned i;

	for (i = 0; h->total && i < HISTOGRAM_CLASSES; i++) {
		seen += h->count[i];
		if (seen > wanted || seen == h->total)
			return value_of(i);
	}
	return 0;
}

/* Where threads wait until all of them are there, or are sent home because one could not be made. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum { GATE_WAIT, GATE_GO, GATE_CANCEL } state;
};

struct worker {
	pthread_t thread;
	struct gate *gate;
	bench_work *work;
	void *context;
	uint64_t ns;
	uint64_t elapsed;
	uint64_t done;
	struct histogram latencies;
	bool failed;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool gate_pass(struct gate *gate)
{
	bool go;

	pthread_mutex_lock(&gate->lock);
	while (gate->state == GATE_WAIT)
		pthread_cond_wait(&gate->changed, &gate->lock);
	go = gate->state == GATE_GO;
	pthread_mutex_unlock(&gate->lock);
	return go;
}

static void gate_open(struct gate *gate, bool go)
{
	pthread_mutex_lock(&gate->lock);
	gate->state = go ? GATE_GO : GATE_CANCEL;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	uint64_t begin, before, after;

	w->failed = !gate_pass(w->gate);
	begin = after = now_ns();
	while (!w->failed && after - begin < w->ns) {
		before = after;
		w->failed = !w->work(w->context);
		after = now_ns();
		histogram_add(&w->latencies, after - before);
		w->done++;
	}
	w->elapsed = after - begin;
	return NULL;
}

double bench_run(
	bench_work *work, void *const *contexts, unsigned threads, uint64_t ns, struct histogram *h)
{
	struct worker *workers = calloc(threads, sizeof(*workers));
	struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, GATE_WAIT};
	double rate = 0;
	unsigned i, n;

	if (!workers)
		return -1;
	for (n = 0; n < threads; n++) {
		workers[n].gate = &gate;
		workers[n].work = work;
		workers[n].context = contexts[n];
		workers[n].ns = ns;
		if (pthread_create(&workers[n].thread, NULL, worker_main, &workers[n]))
			break;
	}
	gate_open(&gate, n == threads);
	for (i = 0; i < n; i++) {
		pthread_join(workers[i].thread, NULL);
		histogram_merge(h, &workers[i].latencies);
		if (workers[i].failed || !workers[i].elapsed)
			rate = -1;
		else if (rate >= 0)
			rate += (double)workers[i].done * 1e9 / (double)workers[i].elapsed;
	}
	free(workers);
	return n == threads ? rate : -1;
}

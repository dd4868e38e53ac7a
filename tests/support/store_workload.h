/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A random but repeatable series of changes to a store, and a model of what the store must then hold.
 * A change that failed may be there or not after a restart; one that was acknowledged must be, and in
 * the running store a failed one must not be. The struct may live in memory shared with a child that
 * is killed.
 */
#ifndef TESTS_STORE_WORKLOAD_H
#define TESTS_STORE_WORKLOAD_H

#include "core/store.h"

#define WORKLOAD_KEYS 12
#define WORKLOAD_OBJECTS 3 /* so many of them, the last, are objects and not keys */
#define WORKLOAD_FAILED_MAX 160

struct model_key {
	uint32_t content; /* what its record is made from; 0: there is no such key */
	uint16_t len;
	uint8_t name; /* 0: none */
};

struct model {
	struct model_key keys[WORKLOAD_KEYS];
};

struct workload {
	uint32_t random;
	uint32_t contents;
	uint64_t signatures; /* counted in all */
	struct model acknowledged;
	/* States that changes which failed since the last acknowledged one would have led to. */
	struct model failed[WORKLOAD_FAILED_MAX];
	unsigned failed_count;
	char why[256]; /* what did not match */
};

void workload_start(struct workload *w, uint32_t seed);
/* One change. Returns what the store gave; when that is the wrong error for the change, `why` is set and
 * *is_wrong. */
enum kw_err workload_step(struct workload *w, struct store *store, bool *is_wrong);
/* The running store holds exactly what was acknowledged. */
bool workload_holds(struct workload *w, struct store *store);
/* After a restart: also what the last failed change would have made. From then on the workload goes on
 * from what it found. */
bool workload_recovers(struct workload *w, struct store *store);

#endif

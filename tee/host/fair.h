/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A queue that is fair between callers: the next item is one of the caller that has used the least
 * time so far, however many items or connections others have. Not locked.
 */
#ifndef TEE_HOST_FAIR_H
#define TEE_HOST_FAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache_lines.h"

struct fair_item {
	struct fair_item *next;
};

/* A uid as one queue sees it. */
struct fair_caller {
	_Alignas(CACHE_LINES) uint32_t uid;
	unsigned refs;
	unsigned waiting; /* items in the queue */
	uint64_t used;    /* ns of service; after idling at least what the others have */
	size_t heap_at;   /* place in the heap + 1; 0: not in it */
	struct fair_item *first;
	struct fair_item *last;
	struct fair_caller *next; /* of the same bucket */
};

#define FAIR_BUCKETS 64

struct fair {
	struct fair_caller *bucket[FAIR_BUCKETS];
	struct fair_caller **heap; /* callers with items, least used first */
	size_t ready;
	size_t callers;
	size_t heap_size;
	uint64_t floor; /* the least used time of those served; grows only */
};

/* Finds or makes a caller. NULL: no memory. Each get needs a put. */
struct fair_caller *fair_caller_get(struct fair *f, uint32_t uid);
void fair_caller_put(struct fair *f, struct fair_caller *c);

void fair_add(struct fair *f, struct fair_caller *c, struct fair_item *item);
/* NULL when there is none. *caller: whose it is, to be charged. */
struct fair_item *fair_take(struct fair *f, struct fair_caller **caller);
void fair_charge(struct fair *f, struct fair_caller *c, uint64_t ns);
static inline bool fair_empty(const struct fair *f)
{
	return !f->ready;
}
/* Whether no other caller has items and used less. */
static inline bool fair_is_next(const struct fair *f, const struct fair_caller *c)
{
	return !f->ready || f->heap[0] == c || f->heap[0]->used > c->used;
}
/* Frees what it holds; items are the caller's. */
void fair_done(struct fair *f);

#endif

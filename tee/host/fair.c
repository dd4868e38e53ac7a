/* SPDX-License-Identifier: BSD-2-Clause */
#include "fair.h"

#include <stdlib.h>

static void place(struct fair *f, struct fair_caller *c, size_t at)
{
	f->heap[at] = c;
	c->heap_at = at + 1;
}

static void sift_up(struct fair *f, size_t at)
{
	struct fair_caller *c = f->heap[at];

	while (at && f->heap[(at - 1) / 2]->used > c->used) {
		place(f, f->heap[(at - 1) / 2], at);
		at = (at - 1) / 2;
	}
	place(f, c, at);
}

static void sift_down(struct fair *f, size_t at)
{
	struct fair_caller *c = f->heap[at];
	size_t child;

	while ((child = 2 * at + 1) < f->ready) {
		if (child + 1 < f->ready && f->heap[child + 1]->used < f->heap[child]->used)
			child++;
		if (f->heap[child]->used >= c->used)
			break;
		place(f, f->heap[child], at);
		at = child;
	}
	place(f, c, at);
}

static void heap_remove(struct fair *f, struct fair_caller *c)
{
	size_t at = c->heap_at - 1;
	struct fair_caller *last = f->heap[--f->ready];

	c->heap_at = 0;
	if (last == c)
		return;
	place(f, last, at);
	sift_up(f, at);
	sift_down(f, last->heap_at - 1);
}

static bool heap_room(struct fair *f)
{
	struct fair_caller **bigger;
	size_t size = f->heap_size ? 2 * f->heap_size : 16;

	if (f->callers < f->heap_size)
		return true;
	bigger = reallocarray(f->heap, size, sizeof(struct fair_caller *));
	if (!bigger)
		return false;
	f->heap = bigger;
	f->heap_size = size;
	return true;
}

/* Who has used more than the others stays known for a while: leaving and coming back wipes out no
 * debt. */
static bool may_forget(const struct fair *f, const struct fair_caller *c)
{
	return !c->refs && c->used <= f->floor;
}

static struct fair_caller *find(struct fair *f, uint32_t uid)
{
	struct fair_caller **at = &f->bucket[uid % FAIR_BUCKETS];
	struct fair_caller *found = NULL;
	struct fair_caller *c;

	while ((c = *at)) {
		if (c->uid == uid)
			found = c;
		if (c->uid == uid || !may_forget(f, c)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		f->callers--;
		free(c);
	}
	return found;
}

struct fair_caller *fair_caller_get(struct fair *f, uint32_t uid)
{
	struct fair_caller **bucket = &f->bucket[uid % FAIR_BUCKETS];
	struct fair_caller *c = find(f, uid);

	if (c) {
		c->refs++;
		return c;
	}
	/* Room in the heap for everybody, so that adding cannot fail. */
	if (!heap_room(f))
		return NULL;
	c = apart_alloc(sizeof(*c));
	if (!c)
		return NULL;
	c->uid = uid;
	c->refs = 1;
	c->used = f->floor;
	c->next = *bucket;
	*bucket = c;
	f->callers++;
	return c;
}

void fair_caller_put(struct fair *f, struct fair_caller *c)
{
	(void)f;
	c->refs--; /* find() frees it */
}

void fair_add(struct fair *f, struct fair_caller *c, struct fair_item *item)
{
	item->next = NULL;
	if (c->last)
		c->last->next = item;
	else
		c->first = item;
	c->last = item;
	c->waiting++;
	if (c->heap_at)
		return;
	/* Who was idle gets no credit for it. */
	if (c->used < f->floor)
		c->used = f->floor;
	place(f, c, f->ready++);
	sift_up(f, f->ready - 1);
}

struct fair_item *fair_take(struct fair *f, struct fair_caller **caller)
{
	struct fair_caller *c;
	struct fair_item *item;

	*caller = NULL;
	if (!f->ready)
		return NULL;
	c = f->heap[0];
	item = c->first;
	c->first = item->next;
	c->waiting--;
	if (!c->first) {
		c->last = NULL;
		heap_remove(f, c);
	}
	if (f->floor < c->used)
		f->floor = c->used;
	*caller = c;
	return item;
}

void fair_charge(struct fair *f, struct fair_caller *c, uint64_t ns)
{
	c->used += ns;
	if (c->heap_at)
		sift_down(f, c->heap_at - 1);
}

void fair_done(struct fair *f)
{
	struct fair_caller *c;

	for (size_t i = 0; i < FAIR_BUCKETS; i++) {
		while ((c = f->bucket[i])) {
			f->bucket[i] = c->next;
			free(c);
		}
	}
	free(f->heap);
	*f = (struct fair){0};
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The open connections of a process. No locks: a fork may happen while another thread is in
 * here. */
#ifndef CLIENT_POOL_H
#define CLIENT_POOL_H

#include "transport.h"

/* A place for one connection. `link` is NULL while it has none. */
struct slot {
	struct slot *next; /* constant once the slot can be seen */
	_Atomic(struct link *) link;
	atomic_int state;
	unsigned ordinal; /* in its bucket */
};

struct pool *pool_new(void);
void pool_free(struct kw *kw);
/* The pool of this process: in a forked child a fresh one. NULL: no memory. */
struct pool *pool_current(struct kw *kw);
/* A slot for this thread alone until pool_put, with a connection of this CPU if there is an
 * idle one. NULL: no memory. */
struct slot *pool_take(struct kw *kw, struct pool *pool, unsigned cpu, uint32_t euid);
/* An idle connection of any CPU, NULL when there is none. */
struct slot *pool_steal(struct kw *kw, struct pool *pool, uint32_t euid);
void pool_put(struct kw *kw, struct slot *slot);
/* Closes the slot's connection, if it has one. */
void slot_close(struct kw *kw, struct slot *slot);

#endif

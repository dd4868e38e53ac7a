/* SPDX-License-Identifier: BSD-2-Clause */
/* How many connections there are, in all and of each user, and the list of them. Locked. */
#ifndef TEE_HOST_ADMISSION_H
#define TEE_HOST_ADMISSION_H

#include <stdint.h>

#include "connection.h"

#define LIMIT_PER_UID 2048

struct admission;

/* total: connections at most. One user may hold half of them, and LIMIT_PER_UID at most. */
struct admission *admission_new(unsigned total, uint64_t now);
/* Closes the connections that are left. No other thread may be running, but for
 * admission_undertaker. */
void admission_free(struct admission **l);
/* A thread that closes what connection_close could not, one after the other; until then they count.
 * It never ends, and `admission` is never freed then. */
void admission_undertaker(void *admission);

/* Counts a connection in, or KW_ERR_BUSY. */
enum kw_err admission_enter(struct admission *l, struct connection *c) KW_MUST_USE;
/* Takes over one that was not let in and that connection_close could not close: it counts, whatever
 * the limits. */
void admission_bury(struct admission *l, struct connection *c);
/* Counts it out, closes and frees it. */
void admission_leave(struct admission *l, struct connection *c, uint64_t now);
/* Connections now; when there is none, *since is when the last one went, or the start. */
unsigned admission_count(struct admission *l, uint64_t *since);

#endif

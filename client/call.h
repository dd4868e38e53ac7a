/* SPDX-License-Identifier: BSD-2-Clause */
/* One call of the API: takes a connection, sends requests, gives it back. */
#ifndef CLIENT_CALL_H
#define CLIENT_CALL_H

#include "pool.h"

struct call {
	struct kw *kw;
	struct pool *pool;
	struct slot *slot;
	struct link *link;
	struct deadline deadline;
	struct writer req; /* fill it, then call_run */
	uint16_t command;
	uint16_t cpu;
	uint32_t euid;
	bool late;   /* some of the deadline is used up */
	bool broken; /* the connection is not to be used again */
	bool secret; /* wipe the buffers at the end: set it before anything secret is written */
};

/* Gets a connection and an empty request for `command`. On failure nothing is held; call_end is
 * allowed all the same. */
enum kw_err call_begin(struct call *c, struct kw *kw, uint16_t command) KW_MUST_USE;
/* Another request on the same connection, within the same deadline. */
void call_next(struct call *c, uint16_t command);
/* Sends the request. 0: *rsp is over the reply's payload. Errors that the TEE answered (below
 * 64) are not explained yet; all others are. */
enum kw_err call_run(struct call *c, struct reader *rsp) KW_MUST_USE;
/* Explains an error of call_run, unless that was done already, and returns it. */
enum kw_err call_refused(struct call *c, enum kw_err err, const struct subject *s);
/* The reply makes no sense: explains that and gives the connection up. */
enum kw_err call_nonsense(struct call *c);
void call_end(struct call *c);

#endif

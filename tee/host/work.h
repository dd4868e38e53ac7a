/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests that take long: run by threads of their own, fairly between users, never delaying
 * signatures. */
#ifndef TEE_HOST_WORK_H
#define TEE_HOST_WORK_H

#include "connection.h"

#define WORK_PER_UID 16 /* requests of one user that wait */
#define WORK_TOTAL 1024 /* requests that wait in all */

struct work;
struct server;

/* `nice`: of the threads, 0 to 19. */
enum kw_err work_new(struct server *s, unsigned threads, int nice, struct work **work) KW_MUST_USE;
/* No request is begun any more. */
void work_stop(struct work *w);
void work_free(struct work **w);
/* Copies the request. The connection, which no epoll may hold, is the worker's until serve_return.
 * KW_ERR_BUSY, _NO_MEMORY: it stays the caller's. */
enum kw_err work_submit(struct work *w, struct connection *c, uint16_t command,
	const uint8_t *request, size_t n) KW_MUST_USE;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the server share. */
#ifndef TEE_HOST_SERVER_STATE_H
#define TEE_HOST_SERVER_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "connection.h"
#include "admission.h"
#include "server.h"
#include "work.h"

#define NS_PER_SECOND UINT64_C(1000000000)

/* A thread pinned to a CPU, and its connections. All but `orphans` is its own. */
struct server_thread {
	_Alignas(CACHE_LINES) struct server *server;
	struct buffers buffers;
	struct fair fair;
	int epoll;
	int wake; /* eventfd: stop, or look at the orphans */
	uint16_t cpu;
	/* Connections that came back from a worker and could not be added to the epoll: to be
	 * closed. */
	_Atomic(struct connection *) orphans;
};

struct server {
	struct server_options options;
	struct admission *admission;
	struct server_thread *threads;
	unsigned thread_count;
	unsigned next_thread; /* for clients that do not care */
	struct work *writer;
	struct work *slow;
	struct buffers buffers;    /* of the lobby */
	struct connection *oldest; /* in the lobby, by deadline */
	struct connection *youngest;
	int epoll;
	int signals;
	bool accepting;
	atomic_bool stopping;
	/* Threads wait for `released` and the end waits for `running` == 0. Not pthread_join: the
	 * kernel cannot signal the end of a thread whose stack is secret memory. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned running;
	unsigned settled; /* of them, those that need no more than the sandbox lets through */
	bool released;
};

static inline uint64_t now_ns(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_SECOND + (uint64_t)t.tv_nsec;
}

/* Makes a thread, on a stack of secret memory where there is some, that runs when the server does.
 */
struct thread_plan {
	void (*run)(void *);
	void *arg;
	int cpu;  /* < 0: any */
	int nice; /* 0 to 19 */
};
enum kw_err server_spawn(struct server *s, const struct thread_plan *plan) KW_MUST_USE;

/* serve.c */
enum kw_err serve_new(struct server *s, struct server_thread *t, uint16_t cpu) KW_MUST_USE;
void serve_stop(struct server_thread *t);
void serve_free(struct server_thread *t);
/* Gives a connection to its thread. After success it is not the caller's any more. */
enum kw_err serve_add(struct connection *c) KW_MUST_USE;
/* The same for a worker, which cannot keep it: it is closed when it cannot be added. */
void serve_return(struct connection *c);
/* Logs refusals that an administrator wants to know about. */
void serve_report(const struct connection *c, uint16_t command, enum kw_err err);

/* lobby.c */
enum kw_err lobby_open(struct server *s) KW_MUST_USE;
void lobby_run(struct server *s);
void lobby_close(struct server *s);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* A pinned thread: epoll_wait, read, dispatch, write. No lock, no allocation, no log on this path.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <string.h>

#include "log.h"
#include "secret_memory.h"
#include "server_state.h"

#define EVENTS 256
/* New requests are looked for after this long, so that the least served caller does not wait for a
 * queue. */
#define POLL_AGAIN_NS 200000
/* A connection whose next request is there already is served again at once, for this long: its process
 * ran in between, since the reply woke it, and is warm in the caches. Measured with eight processes on
 * two CPUs: 5 % more signatures, and a look at the queue spared for most. */
#define STREAK_NS 150000

enum fate {
	FATE_KEEP,
	FATE_SERVED, /* keep, and there may be more */
	FATE_CLOSE,
	FATE_PARKED, /* a worker has it */
};

void serve_report(const struct connection *c, uint16_t command, enum kw_err err)
{
	switch (err) {
	case KW_ERR_ACCESS:
	case KW_ERR_NOT_OWNER:
	case KW_ERR_PURPOSE:
	case KW_ERR_TLS_MESSAGE:
	case KW_ERR_MAY_NOT_CREATE:
	case KW_ERR_PIN:
	case KW_ERR_PIN_LOCKED:
		log_refusal(c->session.user.id, command, err);
		break;
	default:
		break;
	}
}

static struct epoll_event readable(struct connection *c)
{
	/* Edge-triggered: an event for each request, and a thousand idle or waiting connections
	 * cost nothing. */
	return (struct epoll_event){.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = c};
}

enum kw_err serve_add(struct connection *c)
{
	struct epoll_event e = readable(c);

	return epoll_ctl(c->thread->epoll, EPOLL_CTL_ADD, c->fd, &e) ? KW_ERR_NO_MEMORY : KW_ERR_OK;
}

static void wake(struct server_thread *t)
{
	uint64_t one = 1;

	/* Only a counter that is full fails, and then the thread wakes anyway. */
	if (write(t->wake, &one, sizeof(one)) < 0)
		return;
}

void serve_return(struct connection *c)
{
	struct server_thread *t = c->thread;
	struct connection *head;

	if (!serve_add(c))
		return;
	/* While a worker has it nothing else uses this link. */
	head = atomic_load(&t->orphans);
	do {
		c->item.next = head ? &head->item : NULL;
	} while (!atomic_compare_exchange_weak(&t->orphans, &head, c));
	wake(t);
}

static void finish(struct server_thread *t, struct connection *c)
{
	if (c->caller)
		fair_caller_put(&t->fair, c->caller);
	/* It may stay open for a while. */
	(void)epoll_ctl(t->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	admission_leave(t->server->admission, c, now_ns());
}

static void finish_orphans(struct server_thread *t)
{
	struct connection *c = atomic_exchange(&t->orphans, NULL);
	struct connection *next;

	for (; c; c = next) {
		next = (struct connection *)(void *)c->item.next;
		finish(t, c);
	}
}

static enum fate park(
	struct server_thread *t, struct connection *c, enum lane lane, uint16_t command, size_t n)
{
	struct server *s = t->server;
	enum kw_err err;

	if (epoll_ctl(t->epoll, EPOLL_CTL_DEL, c->fd, NULL))
		return FATE_CLOSE;
	err = work_submit(lane == LANE_WRITE ? s->writer : s->slow, c, command,
		t->buffers.request + WIRE_HEADER, n);
	if (!err)
		return FATE_PARKED;
	if (!connection_reply(c, t->buffers.reply, err, 0) || serve_add(c))
		return FATE_CLOSE;
	return FATE_KEEP;
}

static enum fate serve(struct server_thread *t, struct connection *c)
{
	struct buffers *b = &t->buffers;
	uint16_t command;
	size_t payload, n = 0;
	enum fate fate = FATE_SERVED;
	enum lane lane;
	enum kw_err err;

	switch (connection_receive(c, b, &command, &payload, &err)) {
	case RECEIVED_NOTHING:
		return FATE_KEEP;
	case RECEIVED_END:
	case RECEIVED_STUCK:
		return FATE_CLOSE;
	case RECEIVED_BAD:
		connection_refuse(c->fd, err);
		return FATE_CLOSE;
	case RECEIVED_FRAME:
		break;
	}
	lane = kw_command_lane(command);
	if (lane != LANE_FAST) {
		fate = park(t, c, lane, command, payload);
		goto out;
	}
	err = kw_dispatch(t->server->options.core, &c->session, command, b->request + WIRE_HEADER,
		payload, b->reply + WIRE_HEADER, WIRE_MAX_PAYLOAD, &n);
	if (err)
		serve_report(c, command, err);
	if (!connection_reply(c, b->reply, err, n))
		fate = FATE_CLOSE;
	/* Plaintext of RSA_DECRYPT, for one. */
	explicit_bzero(b->reply, WIRE_HEADER + n);
out:
	explicit_bzero(b->request, WIRE_HEADER + payload);
	return fate;
}

/* Queues what has become ready. False: stop. */
static bool collect(struct server_thread *t, bool wait)
{
	struct epoll_event events[EVENTS];
	struct connection *c;
	int n;

	do {
		n = epoll_wait(t->epoll, events, EVENTS, wait ? -1 : 0);
		for (int i = 0; i < n; i++) {
			c = events[i].data.ptr;
			if (!c) {
				finish_orphans(t);
				if (atomic_load(&t->server->stopping))
					return false;
				continue;
			}
			if (c->queued)
				continue;
			if (!c->caller)
				c->caller = fair_caller_get(&t->fair, c->session.user.id);
			if (!c->caller) {
				finish(t, c);
				continue;
			}
			c->queued = true;
			fair_add(&t->fair, c->caller, &c->item);
		}
		wait = false;
		/* All of them: a caller with a thousand connections must not hide another's. */
	} while (n == EVENTS);
	return true;
}

/* Serves what a connection has sent, while no other caller is to come first. The result: now. */
static uint64_t serve_streak(
	struct server_thread *t, struct connection *c, struct fair_caller *caller, uint64_t start)
{
	uint64_t before = start, now;
	enum fate fate;

	do {
		fate = serve(t, c);
		now = now_ns();
		fair_charge(&t->fair, caller, now - before);
		before = now;
	} while (fate == FATE_SERVED && now - start < STREAK_NS && fair_is_next(&t->fair, caller));
	if (fate == FATE_CLOSE)
		finish(t, c);
	return now;
}

static void run(void *arg)
{
	struct server_thread *t = arg;
	struct fair_caller *caller;
	struct connection *c;
	uint64_t polled, now;

	secret_memory_keep_apart();
	while (collect(t, fair_empty(&t->fair))) {
		polled = now = now_ns();
		while (now - polled <= POLL_AGAIN_NS &&
			(c = (struct connection *)(void *)fair_take(&t->fair, &caller))) {
			c->queued = false;
			now = serve_streak(t, c, caller, now);
		}
	}
}

enum kw_err serve_new(struct server *s, struct server_thread *t, uint16_t cpu)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLET};
	const struct thread_plan plan = {run, t, cpu, 0};

	t->server = s;
	t->cpu = cpu;
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->epoll < 0 || t->wake < 0 || epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->wake, &e))
		return KW_ERR_LIMIT;
	if (buffers_new(&t->buffers))
		return KW_ERR_NO_MEMORY;
	return server_spawn(s, &plan);
}

void serve_stop(struct server_thread *t)
{
	wake(t);
}

void serve_free(struct server_thread *t)
{
	fair_done(&t->fair);
	buffers_free(&t->buffers);
	if (t->epoll >= 0)
		close(t->epoll);
	if (t->wake >= 0)
		close(t->wake);
}

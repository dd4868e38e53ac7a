/* SPDX-License-Identifier: BSD-2-Clause */
/* The main thread: new connections until their HELLO, signals, and the idle time. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "server_state.h"
#include "wire/codec.h"

#define HELLO_NS (10 * NS_PER_SECOND)
#define EVENTS 64
#define ACCEPT_AT_ONCE 64

static void list_add(struct server *s, struct connection *c)
{
	c->younger = NULL;
	c->older = s->youngest;
	if (s->youngest)
		s->youngest->younger = c;
	else
		s->oldest = c;
	s->youngest = c;
}

static void list_remove(struct server *s, struct connection *c)
{
	if (c->older)
		c->older->younger = c->younger;
	else
		s->oldest = c->younger;
	if (c->younger)
		c->younger->older = c->older;
	else
		s->youngest = c->older;
}

static void turn_away(struct server *s, struct connection *c)
{
	list_remove(s, c);
	/* It may stay open for a while. */
	(void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	admission_leave(s->admission, c, now_ns());
}

/* c may be NULL. */
static void turn_off(struct server *s, int fd, struct connection *c, enum kw_err err)
{
	connection_refuse(fd, err);
	if (connection_close(fd))
		free(c);
	else if (c)
		admission_bury(s->admission, c);
}

static void admit(struct server *s, int fd)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP};
	struct connection *c = apart_alloc(sizeof(*c));
	bool ready = connection_prepare(fd);
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (c && ready) {
		c->fd = fd;
		err = peer_session(s->options.rules, fd, &c->session);
		c->session.grants = &c->grants;
	}
	if (!err)
		err = admission_enter(s->admission, c);
	if (err) {
		turn_off(s, fd, c, err);
		return;
	}
	c->deadline = now_ns() + HELLO_NS;
	list_add(s, c);
	e.data.ptr = c;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e))
		turn_away(s, c);
}

static void listen_for(struct server *s, bool more)
{
	struct epoll_event e = {.events = more ? EPOLLIN : 0, .data.ptr = &s->options};

	if (more != s->accepting && !epoll_ctl(s->epoll, EPOLL_CTL_MOD, s->options.listener, &e))
		s->accepting = more;
}

static void accept_some(struct server *s)
{
	int fd;

	for (unsigned i = 0; i < ACCEPT_AT_ONCE; i++) {
		fd = accept4(s->options.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			admit(s, fd);
			continue;
		}
		/* The system is out of descriptors: come back when a second has passed. */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			listen_for(s, false);
		return;
	}
}

static struct server_thread *thread_for(struct server *s, uint16_t cpu)
{
	for (unsigned i = 0; i < s->thread_count; i++) {
		if (s->threads[i].cpu == cpu)
			return &s->threads[i];
	}
	return &s->threads[s->next_thread++ % s->thread_count];
}

/* The first message. False: the connection ends. */
static bool hello(struct server *s, struct connection *c, size_t payload)
{
	struct reader r = reader_over(s->buffers.request + WIRE_HEADER, payload);
	uint8_t *reply = s->buffers.reply;
	enum kw_err err;
	size_t n = 0;

	get_u16(&r);
	get_u16(&r);
	c->thread = thread_for(s, get_u16(&r));
	c->session.cpu = c->thread->cpu;
	err = kw_dispatch(s->options.core, &c->session, CMD_HELLO, s->buffers.request + WIRE_HEADER,
		payload, reply + WIRE_HEADER, WIRE_MAX_PAYLOAD, &n);
	if (err) {
		connection_refuse(c->fd, err);
		return false;
	}
	if (!connection_reply(c, reply, err, n) || epoll_ctl(s->epoll, EPOLL_CTL_DEL, c->fd, NULL))
		return false;
	list_remove(s, c);
	if (serve_add(c))
		admission_leave(s->admission, c, now_ns());
	return true;
}

static void greet(struct server *s, struct connection *c)
{
	uint16_t command;
	size_t payload;
	enum kw_err err;

	switch (connection_receive(c, &s->buffers, &command, &payload, &err)) {
	case RECEIVED_NOTHING:
		return;
	case RECEIVED_END:
	case RECEIVED_STUCK:
		break;
	case RECEIVED_BAD:
		connection_refuse(c->fd, err);
		break;
	case RECEIVED_FRAME:
		if (command != CMD_HELLO)
			connection_refuse(c->fd, KW_ERR_BAD_REQUEST);
		else if (hello(s, c, payload))
			return;
		break;
	}
	turn_away(s, c);
}

/* Milliseconds until something is due, -1 for never. Stops the server after its idle time. */
static int due(struct server *s)
{
	uint64_t since, now = now_ns();
	uint64_t idle = s->options.idle_exit * NS_PER_SECOND;
	uint64_t at = UINT64_MAX;

	while (s->oldest && s->oldest->deadline <= now) {
		connection_refuse(s->oldest->fd, KW_ERR_BAD_REQUEST);
		turn_away(s, s->oldest);
	}
	if (s->oldest)
		at = s->oldest->deadline;
	if (!s->accepting && at > now + NS_PER_SECOND)
		at = now + NS_PER_SECOND;
	if (idle && admission_count(s->admission, &since))
		since = now; /* look again in a while */
	if (idle && since + idle <= now)
		atomic_store(&s->stopping, true);
	if (idle && since + idle < at)
		at = since + idle;
	if (at == UINT64_MAX)
		return -1;
	return at <= now ? 0 : (int)((at - now) / 1000000 + 1);
}

static void on_signal(struct server *s)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info) &&
		info.ssi_signo != SIGHUP)
		atomic_store(&s->stopping, true);
}

void lobby_run(struct server *s)
{
	struct epoll_event events[EVENTS];
	void *what;
	int n;

	while (!atomic_load(&s->stopping)) {
		n = epoll_wait(s->epoll, events, EVENTS, due(s));
		for (int i = 0; i < n; i++) {
			what = events[i].data.ptr;
			if (what == &s->options)
				accept_some(s);
			else if (what == &s->signals)
				on_signal(s);
			else
				greet(s, what);
		}
		if (!s->accepting && n <= 0)
			listen_for(s, true);
	}
}

static void undertaker(void *arg)
{
	struct server *s = arg;

	/* Nobody waits for its end: it may be in a close that takes days. */
	pthread_mutex_lock(&s->lock);
	s->running--;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	admission_undertaker(s->admission);
}

enum kw_err lobby_open(struct server *s)
{
	const struct thread_plan plan = {undertaker, s, -1, 0};
	struct epoll_event e = {.events = EPOLLIN};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->signals < 0 || s->epoll < 0)
		return KW_ERR_LIMIT;
	e.data.ptr = &s->options;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->options.listener, &e))
		return KW_ERR_LIMIT;
	s->accepting = true;
	e.data.ptr = &s->signals;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->signals, &e))
		return KW_ERR_LIMIT;
	if (buffers_new(&s->buffers))
		return KW_ERR_NO_MEMORY;
	if (!connection_watches_descriptors())
		return KW_ERR_OK;
	return server_spawn(s, &plan);
}

void lobby_close(struct server *s)
{
	buffers_free(&s->buffers);
	if (s->epoll >= 0)
		close(s->epoll);
	if (s->signals >= 0)
		close(s->signals);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients that pass descriptors whose closing takes as long as they like. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admission.h"
#include "connection.h"
#include "listener.h"
#include "wire/wire.h"

static const uint8_t status[] = {0, CMD_STATUS, 0, 0};

static ssize_t send_with(int fd, const void *p, size_t n, int descriptor)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec io = {(void *)(uintptr_t)p, n};
	struct msghdr m = {.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &descriptor, sizeof(int));
	return sendmsg(fd, &m, MSG_NOSIGNAL);
}

/* A connection to *peer whose close waits until the peer is closed, or for 30 s. */
static int lingering(int *peer)
{
	static const char junk[65536];
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct linger linger = {1, 30};
	socklen_t n = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)(void *)&a, n), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)(void *)&a, &n), 0);
	(void)connect(fd, (struct sockaddr *)(void *)&a, n);
	*peer = accept(listener, NULL, NULL);
	close(listener);
	while (write(fd, junk, sizeof(junk)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	return fd;
}

static void the_listener_refuses_descriptors(void **state)
{
	char dir[] = "/tmp/keyward-test.XXXXXX";
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct listener l;
	bool passes;
	int fd, served;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s/socket", dir);
	assert_int_equal(listener_make(&l, a.sun_path, 0600), KW_ERR_OK);
	passes = l.passes_descriptors;
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)(void *)&a, sizeof(a)), 0);
	/* What the listener says is what happens, before and after the connection is accepted. */
	assert_int_equal(send_with(fd, status, 4, 0), passes ? 4 : -1);
	served = accept(l.fd, NULL, NULL);
	assert_true(served >= 0);
	assert_int_equal(send_with(fd, status, 4, 0), passes ? 4 : -1);
	assert_int_equal(send(fd, status, 4, MSG_NOSIGNAL), 4);
	close(served);
	close(fd);
	listener_close(&l);
	assert_int_equal(rmdir(dir), 0);
	if (passes)
		skip();
}

static struct connection *pair(int *client)
{
	struct connection *c = calloc(1, sizeof(*c));
	int fds[2];

	assert_non_null(c);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	c->fd = fds[0];
	*client = fds[1];
	assert_true(connection_prepare(c->fd));
	return c;
}

static enum received receive(struct connection *c)
{
	static uint8_t request[WIRE_MAX_FRAME + 1];
	struct buffers b = {.request = request};
	uint16_t command;
	size_t payload;
	enum kw_err err;

	return connection_receive(c, &b, &command, &payload, &err);
}

static void messages_with_descriptors_are_not_read(void **state)
{
	int client;
	struct connection *c = pair(&client);

	(void)state;
	assert_int_equal(receive(c), RECEIVED_NOTHING);
	assert_int_equal(send(client, status, 4, 0), 4);
	assert_int_equal(receive(c), RECEIVED_FRAME);
	assert_int_equal(receive(c), RECEIVED_NOTHING);
	assert_int_equal(send_with(client, status, 4, 0), 4);
	assert_int_equal(receive(c), RECEIVED_STUCK);
	connection_refuse(c->fd, KW_ERR_BUSY);
	assert_int_equal(receive(c), RECEIVED_STUCK);
	assert_false(connection_close(c->fd));
	close(c->fd);
	free(c);
	close(client);
}

/* None of what a client can do hides one from the close. */
static void descriptors_behind_other_messages_are_seen(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 8; how++) {
		int client;
		struct connection *c = pair(&client);

		if (how & 1)
			assert_int_equal(send(client, status, 4, 0), 4);
		if (how & 2)
			assert_int_equal(send(client, "", 0, 0), 0);
		assert_int_equal(send_with(client, status, how & 1 ? 4 : 0, 0), how & 1 ? 4 : 0);
		/* Its end with an unread message is an error here that comes before the messages. */
		if (how & 4) {
			assert_int_equal(send(c->fd, status, 4, 0), 4);
			close(client);
		}
		assert_false(connection_close(c->fd));
		close(c->fd);
		if (!(how & 4))
			close(client);
		free(c);
	}
}

static void other_connections_are_closed(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 8; how++) {
		int client;
		struct connection *c = pair(&client);

		for (unsigned i = 0; how & 1 && i < 20; i++)
			assert_int_equal(send(client, status, i % 5, 0), i % 5);
		if (how & 2)
			assert_int_equal(send(c->fd, status, 4, 0), 4);
		if (how & 4)
			close(client);
		assert_true(connection_close(c->fd));
		assert_int_equal(fcntl(c->fd, F_GETFD), -1);
		if (!(how & 4))
			close(client);
		free(c);
	}
}

static void *undertaker(void *l)
{
	admission_undertaker(l);
	return NULL;
}

static void a_slow_close_holds_up_nobody(void **state)
{
	struct admission *l = admission_new(10, 0);
	struct connection *slow, *other;
	int client, other_client, peer, passed;
	pthread_t thread;
	uint64_t since;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, undertaker, l), 0);
	slow = pair(&client);
	other = pair(&other_client);
	assert_int_equal(admission_enter(l, slow), KW_ERR_OK);
	assert_int_equal(admission_enter(l, other), KW_ERR_OK);
	passed = lingering(&peer);
	assert_int_equal(send_with(client, status, 4, passed), 4);
	close(passed);
	assert_int_equal(receive(slow), RECEIVED_STUCK);
	admission_leave(l, slow, 1);
	admission_leave(l, other, 1);
	/* It counts until it is gone. */
	assert_int_equal(admission_count(l, &since), 1);
	close(peer);
	while (admission_count(l, &since))
		usleep(1000);
	close(client);
	close(other_client);
	admission_free(&l);
}

static int watch(void **state)
{
	(void)state;
	connection_watch_descriptors();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_listener_refuses_descriptors),
		cmocka_unit_test(messages_with_descriptors_are_not_read),
		cmocka_unit_test(descriptors_behind_other_messages_are_seen),
		cmocka_unit_test(other_connections_are_closed),
		cmocka_unit_test(a_slow_close_holds_up_nobody),
	};

	return cmocka_run_group_tests(tests, watch, NULL);
}

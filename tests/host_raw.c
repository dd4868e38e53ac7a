/* SPDX-License-Identifier: BSD-2-Clause */
#include "host_raw.h"

#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "wire/codec.h"
#include "wire/wire.h"

const char *raw_path;
unsigned raw_passed, raw_failed;

void raw_check(bool good, const char *format, ...)
{
	va_list args;

	*(good ? &raw_passed : &raw_failed) += 1;
	printf("%s - ", good ? "ok" : "not ok");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

int raw_finish(void)
{
	printf("%u passed, %u failed\n", raw_passed, raw_failed);
	return raw_failed ? 1 : 0;
}

#ifndef KW_LIVE_TEE
int raw_connect(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct timeval patience = {300, 0};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", raw_path);
	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) &&
		!connect(fd, (struct sockaddr *)(void *)&a, sizeof(a)))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

bool raw_send(int fd, const void *p, size_t n)
{
	return send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n;
}

int raw_reply(int fd, uint8_t *payload, size_t *n)
{
	static uint8_t frame[WIRE_MAX_FRAME + 1];
	ssize_t got = recv(fd, frame, sizeof(frame), 0);
	struct reader r;
	uint16_t err;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return RAW_SILENT;
	if (got <= 0)
		return RAW_CLOSED;
	r = reader_over(frame, (size_t)got);
	err = get_u16(&r);
	if (get_u16(&r) || r.failed || got > WIRE_MAX_FRAME || (err && got != WIRE_HEADER)) {
		fprintf(stderr, "a reply of %zd bytes that is no frame\n", got);
		abort();
	}
	if (n)
		*n = (size_t)got - WIRE_HEADER;
	if (payload)
		memcpy(payload, frame + WIRE_HEADER, (size_t)got - WIRE_HEADER);
	return err;
}

int raw_call(int fd, uint16_t command, const void *payload, size_t n)
{
	static uint8_t frame[WIRE_MAX_FRAME];
	struct writer w = writer_over(frame, sizeof(frame));

	put_u16(&w, command);
	put_u16(&w, 0);
	put_bytes(&w, payload, n);
	if (w.failed)
		abort();
	if (!raw_send(fd, frame, w.len))
		return RAW_CLOSED;
	return raw_reply(fd, NULL, NULL);
}

int raw_hello(int fd, uint16_t cpu)
{
	uint8_t payload[6];
	struct writer w = writer_over(payload, sizeof(payload));

	put_u16(&w, WIRE_VERSION);
	put_u16(&w, WIRE_VERSION);
	put_u16(&w, cpu);
	return raw_call(fd, CMD_HELLO, payload, sizeof(payload));
}
#endif

int raw_open(uint16_t cpu)
{
	int fd = raw_connect();

	if (fd >= 0 && !raw_hello(fd, cpu))
		return fd;
	printf("not ok - a TEE answers at %s\n%u passed, %u failed\n", raw_path, raw_passed,
		raw_failed + 1);
	exit(1);
}

void raw_become(uid_t uid)
{
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid)) {
		printf("not ok - becoming uid %u\n", uid);
		exit(1);
	}
}

uint32_t raw_random(void)
{
	static uint32_t seed = 1;

	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

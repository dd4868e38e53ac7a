/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The requests of tests/host_hostile.c to the TEE that $KEYWARD_TEE names, from the user whose number is given where
 * the host's socket would be. He has one connection, whatever is opened and closed here.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "live.h"
#include "tests/host_raw.h"
#include "wire/wire.h"

int raw_connect(void)
{
	static bool started;

	if (!started)
		live_start("live_hostile");
	started = true;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Bytes that are no message are a socket's affair. */
bool raw_send(int fd, const void *p, size_t n)
{
	(void)fd;
	(void)p;
	(void)n;
	return false;
}

int raw_reply(int fd, uint8_t *payload, size_t *n)
{
	(void)fd;
	(void)payload;
	(void)n;
	return RAW_CLOSED;
}

int raw_call(int fd, uint16_t command, const void *payload, size_t n)
{
	uint32_t uid = (uint32_t)strtoul(raw_path, NULL, 10);
	struct live_reply reply;

	(void)fd;
	if (live_call(uid, command, payload ? payload : "", n, &reply))
		return RAW_CLOSED;
	/* An error with a payload is no answer that travels. */
	return reply.answer && reply.len ? RAW_SILENT : reply.answer;
}

int raw_hello(int fd, uint16_t cpu)
{
	(void)fd;
	(void)cpu;
	return 0; /* live_call has said it */
}

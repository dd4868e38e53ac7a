/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages as they are to the TEE that $KEYWARD_TEE names, from any user: for programs that run as root. */
#ifndef TESTS_LIVE_H
#define TESTS_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/errors.h"

struct live_reply {
	uint16_t answer; /* the TEE's error */
	const uint8_t *payload;
	size_t len;
};

/* Ends the program when this user is not root, or the TEE is not there. */
void live_start(const char *program);
/* A message of that user; each has one connection. The reply is there until his next message. An error
 * is that of the client library: then no answer came. */
enum kw_err live_call(
	uint32_t uid, uint16_t command, const void *payload, size_t n, struct live_reply *reply);
void live_hang_up(uint32_t uid);
void live_end(void);

#endif

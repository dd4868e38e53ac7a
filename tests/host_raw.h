/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of the host TEE that may break every rule. With KW_LIVE_TEE, of the TEE that $KEYWARD_TEE names, and then
 * without what only a socket has: tests/optee/live_raw.c. */
#ifndef TESTS_HOST_RAW_H
#define TESTS_HOST_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RAW_CLOSED (-1) /* the TEE closed the connection */
#define RAW_SILENT (-2) /* no answer for five minutes */

extern const char *raw_path;
extern unsigned raw_passed, raw_failed;

void raw_check(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints the counts and gives the exit status. */
int raw_finish(void);

/* A connection without HELLO, -1 if refused. */
int raw_connect(void);
/* Sends bytes as they are: a message. */
bool raw_send(int fd, const void *p, size_t n);
/* The error of the next reply, or RAW_…; *n: bytes of its payload, which goes to `payload` (65,000
 * bytes) if not NULL. */
int raw_reply(int fd, uint8_t *payload, size_t *n);
int raw_call(int fd, uint16_t command, const void *payload, size_t n);
int raw_hello(int fd, uint16_t cpu);
/* A connection that has said HELLO; ends the program when there is none. */
int raw_open(uint16_t cpu);
/* Becomes a user for good, with no groups. */
void raw_become(uid_t uid);
uint32_t raw_random(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The listening socket: made here, or passed by systemd. */
#ifndef TEE_HOST_LISTENER_H
#define TEE_HOST_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "wire/errors.h"

struct listener {
	int fd;
	int dir;          /* of the socket, when it is to be removed at the end; else -1 */
	const char *name; /* in dir */
	dev_t dev;        /* of the socket, to remove no other */
	ino_t ino;
	bool passes_descriptors; /* clients can send some with a message: this kernel has no way to
				    refuse them */
};

/* Whether systemd passed a socket to this process (sd_listen_fds(3)). Before descriptors are
 * closed. */
bool listener_inherited(void);
/* Takes the inherited one: KW_ERR_SYSTEM, logged, when it is not a listening SOCK_SEQPACKET one. */
enum kw_err listener_take(struct listener *l) KW_MUST_USE;
/* Makes one at the path, in the place of one that nobody answers on. What fails is logged. */
enum kw_err listener_make(struct listener *l, const char *path, mode_t mode) KW_MUST_USE;
/* Removes the socket that was made. */
void listener_close(struct listener *l);

/* sd_notify(3): connects while that is allowed; -1 when nobody wants to know. */
int notify_open(void);
void notify_send(int fd, const char *state);

#endif

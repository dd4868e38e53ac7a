/* SPDX-License-Identifier: BSD-2-Clause */
/* --daemon: the parent waits until the child answers, or failed. */
#ifndef TEE_HOST_DAEMONIZE_H
#define TEE_HOST_DAEMONIZE_H

/* Returns in the child, with a descriptor to say so on. The parent never returns: it exits 0 when
 * the child is ready, and as the child did when it is not. -1: no process could be made. */
int daemonize(void);
/* In the child, before the sandbox is closed: the log goes to this file from now on, standard input
 * and output nowhere. */
void daemonize_detach(const char *log);
void daemonize_ready(int fd);

#endif

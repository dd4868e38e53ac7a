/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server. The main thread is the lobby: it accepts, hears HELLO and waits for signals. A thread
 * pinned to each CPU serves the connections that asked for that CPU; workers run what takes long.
 */
#ifndef TEE_HOST_SERVER_H
#define TEE_HOST_SERVER_H

#include "core/core.h"
#include "peer.h"

struct server_options {
	struct core *core;
	const struct peer_rules *rules;
	int listener;
	unsigned connections; /* at most */
	unsigned idle_exit;   /* seconds without a connection after which it stops; 0: never */
};

struct server;

/* Makes the threads, which wait. SIGTERM, SIGINT and SIGHUP must be blocked. What fails is logged.
 */
enum kw_err server_new(const struct server_options *options, struct server **server) KW_MUST_USE;
/* Serves until SIGTERM, SIGINT or the idle time. When it returns no other thread runs requests. */
void server_run(struct server *server);
void server_free(struct server **server);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of keyward-teed. */
#ifndef TEE_HOST_OPTIONS_H
#define TEE_HOST_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

#include "peer.h"

struct options {
	const char *store;
	const char *socket; /* NULL: inherited */
	const char *device_secret;
	const char *user;
	uid_t uid; /* of user */
	gid_t gid;
	struct peer_rules rules;
	mode_t socket_mode;
	unsigned cache_mib;
	unsigned idle_exit;
	bool daemon;
};

/* Fills o. When it returns false the process ends with *code: help was shown, or an error. The
 * strings are argv's, or live as long as the process. `inherited`: a socket was passed, so --socket
 * is not needed. */
bool options_read(struct options *o, int argc, char **argv, bool inherited, int *code);

#endif

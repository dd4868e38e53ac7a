/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is at the other end of a connection, as the kernel vouches for it. */
#ifndef TEE_HOST_PEER_H
#define TEE_HOST_PEER_H

#include "core/core.h"

#define PEER_RULES_MAX 64

struct peer_rule {
	enum wire_identity_kind kind;
	uint32_t id;
	bool admin; /* else only: may create */
};

struct peer_rules {
	struct peer_rule rule[PEER_RULES_MAX];
	unsigned count;
	uint32_t own_uid; /* the TEE's own user, an administrator as root is */
};

/* Adds "user:NAME" or "group:NAME", or with a number. Looks names up, so only at the start.
 * KW_ERR_BAD_NAME: no such user or group, or another form. KW_ERR_LIMIT: too many. */
enum kw_err peer_rule_add(struct peer_rules *rules, const char *text, bool admin) KW_MUST_USE;
/* Fills a session from the credentials of a connected socket, cpu aside. */
enum kw_err peer_session(const struct peer_rules *rules, int fd, struct session *s) KW_MUST_USE;

#endif

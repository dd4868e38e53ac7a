/* SPDX-License-Identifier: BSD-2-Clause */
/* The door of the TEE's core: what each platform's entry points call. */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "platform.h"

struct core;

struct core_options {
	size_t cache_bytes; /* bound on open keys; 0 for the default of 4 MiB */
};

/* Opens the store and gets ready. KW_ERR_STORE_BUSY, _OTHER_DEVICE, _CORRUPT, _STORE_IO, …: each is
 * also logged with its details. */
enum kw_err core_open(const struct core_options *options, struct core **core) KW_MUST_USE;
/* Writes the counters and closes the store. No dispatch may be running. */
void core_close(struct core **core);

#define CALLER_GROUPS_MAX 64

struct identity {
	uint8_t uuid[WIRE_UUID_SIZE];
	uint32_t id;
	uint8_t kind; /* enum wire_identity_kind */
};

/* What a connection has proved by PIN: logins by their numbers, 0 for none. */
#define GRANTS_MAX 8
struct grants {
	uint64_t logins[GRANTS_MAX];
};

/* Who calls: what the kernel or the TEE vouches for, filled by the platform for each connection. */
struct session {
	struct identity user;
	uint8_t groups[CALLER_GROUPS_MAX][WIRE_UUID_SIZE];
	unsigned group_count;
	bool is_admin; /* may do everything to every key except use it: access lists hold for all */
	bool may_create; /* may create keys, which it then owns */
	uint16_t cpu;    /* which thread serves it, reported by HELLO */
	/* The connection's, zeroed when it begins; one call at a time uses it. NULL: it cannot log in. */
	struct grants *grants;
};

enum lane {
	LANE_FAST,
	LANE_WRITE,
	LANE_LONG,
};

/* Where a command should run. Unknown ones are FAST: they fail at once. */
enum lane kw_command_lane(uint16_t command);

/* May this request make the store larger? A platform that reserves what is needed for using and deleting what
 * is stored refuses such ones before the reserve is gone. Taking somebody off a list is none of them. */
bool kw_command_grows(uint16_t command, const uint8_t *request, size_t request_len);

/*
 * The only door. `request` is private memory that holds exactly the payload. `reply` has reply_cap
 * bytes, of which *reply_len are filled; on error none. Safe from several threads; never fails hard.
 */
enum kw_err kw_dispatch(struct core *core, const struct session *session, uint16_t command,
	const uint8_t *request, size_t request_len, uint8_t *reply, size_t reply_cap,
	size_t *reply_len) KW_MUST_USE;

#endif

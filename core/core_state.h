/* SPDX-License-Identifier: BSD-2-Clause */
/* What the handlers share. Private to core/. */
#ifndef CORE_CORE_STATE_H
#define CORE_CORE_STATE_H

#include <stdatomic.h>

#include "key.h"
#include "wire/codec.h"

struct core {
	struct store *store;
	struct key_cache *cache;
	struct record_key record_key;
	/* Held by changes from their check to their commit, so that nothing comes in between. */
	struct platform_mutex *change;
	struct tokens *tokens;
	struct logins *logins;
	uint64_t started;
	atomic_ullong signatures;
	atomic_ullong refusals;
};

struct call {
	struct core *core;
	const struct session *session;
};

typedef enum kw_err handler(struct call *c, struct reader *request, struct writer *reply);

#define KW_COMMAND(number, NAME, name, role, lane, repeat, rmin, rmax, pmax) handler cmd_##name;
#include "wire/commands.def"

#endif

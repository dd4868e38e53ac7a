/* SPDX-License-Identifier: BSD-2-Clause */
#include "core.h"

#include <string.h>

#include "core_state.h"
#include "token.h"

enum role {
	ROLE_ANY,
	ROLE_CREATOR,
	ROLE_KEY,
};

struct command {
	handler *run;
	uint16_t number;
	uint8_t role;
	uint8_t lane;
	uint32_t request_min;
	uint32_t request_max;
	uint32_t reply_max;
};

static const struct command commands[] = {
#define KW_COMMAND(number, NAME, name, role, lane, repeat, rmin, rmax, pmax) \
	{cmd_##name, number, ROLE_##role, LANE_##lane, rmin, rmax, pmax},
#include "wire/commands.def"
};

static const struct command *find(uint16_t number)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].number == number)
			return &commands[i];
	}
	return NULL;
}

enum lane kw_command_lane(uint16_t command)
{
	const struct command *c = find(command);

	return c ? (enum lane)c->lane : LANE_FAST;
}

/* The last fields of these are u8 change and an identity. */
static bool allows_somebody(const uint8_t *request, size_t n)
{
	const size_t end = 1 + 1 + 4;
	struct reader r = reader_over(n < end ? request : request + (n - end), n < end ? 0 : end);

	return get_u8(&r) == ACCESS_ALLOW;
}

bool kw_command_grows(uint16_t command, const uint8_t *request, size_t request_len)
{
	switch (command) {
	case CMD_KEY_GENERATE:
	case CMD_KEY_IMPORT:
	case CMD_KEY_RENAME:
	case CMD_KEY_ATTRIBUTES:
	case CMD_OBJECT_PUT:
	case CMD_DERIVE:
	case CMD_UNWRAP:
	case CMD_TOKEN_INIT:
		return true;
	case CMD_KEY_ACCESS:
	case CMD_TOKEN_ACCESS:
		return allows_somebody(request, request_len);
	default:
		return false;
	}
}

/* A command that fails for want of memory has changed nothing. */
static enum kw_err run(const struct command *c, struct call *call, const uint8_t *request,
	size_t request_len, struct writer *w)
{
	struct reader r = reader_over(request, request_len);
	enum kw_err err = c->run(call, &r, w);

	return !err && w->failed ? KW_ERR_TOO_LARGE : err;
}

/* How often keys that are open, for whoever uses them next, make room for a command: half of them at a time. */
#define SHRINKS_MAX 4

enum kw_err kw_dispatch(struct core *core, const struct session *session, uint16_t command,
	const uint8_t *request, size_t request_len, uint8_t *reply, size_t reply_cap,
	size_t *reply_len)
{
	const struct command *c = find(command);
	struct call call = {core, session};
	struct writer w;
	enum kw_err err;

	*reply_len = 0;
	if (!c)
		return KW_ERR_UNKNOWN_COMMAND;
	if (request_len > c->request_max)
		return KW_ERR_TOO_LARGE;
	if (request_len < c->request_min)
		return KW_ERR_BAD_REQUEST;
	if (c->role == ROLE_CREATOR && !session->is_admin && !session->may_create) {
		atomic_fetch_add(&core->refusals, 1);
		return KW_ERR_MAY_NOT_CREATE;
	}
	if (reply_cap > c->reply_max)
		reply_cap = c->reply_max;
	for (unsigned i = 0;; i++) {
		w = writer_over(reply, reply_cap);
		err = run(c, &call, request, request_len, &w);
		if (!err) {
			*reply_len = w.len;
			return KW_ERR_OK;
		}
		/* Whatever a handler wrote before it failed stays inside. */
		platform_wipe(reply, w.len);
		if (err != KW_ERR_NO_MEMORY || i == SHRINKS_MAX || !key_cache_shrink(core->cache))
			return err;
	}
}

enum kw_err core_open(const struct core_options *options, struct core **out)
{
	size_t cache = options && options->cache_bytes ? options->cache_bytes : 4u << 20;
	struct core *core = platform_alloc(sizeof(*core));
	enum kw_err err;

	*out = NULL;
	if (!core)
		return KW_ERR_NO_MEMORY;
	err = crypto_init();
	if (err)
		goto out;
	err = KW_ERR_NO_MEMORY;
	core->change = platform_mutex_new();
	if (!core->change)
		goto out;
	err = key_cache_new(cache, &core->cache);
	if (err)
		goto out;
	err = record_key_derive(&core->record_key);
	if (err)
		goto out;
	err = store_open(&core->store);
	if (err)
		goto out;
	err = tokens_open(core);
	if (err)
		goto out;
	core->started = platform_time();
	*out = core;
	core = NULL;
out:
	core_close(&core);
	return err;
}

void core_close(struct core **core)
{
	struct core *c = *core;

	*core = NULL;
	if (!c)
		return;
	tokens_close(c);
	if (c->store)
		store_close(&c->store);
	key_cache_free(&c->cache);
	if (c->change)
		platform_mutex_free(&c->change);
	platform_free(c, sizeof(*c));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core's door, opened to a TEE that runs: what core/test_dispatch.c asks of the core in its own process goes to the
 * TEE that $KEYWARD_TEE names instead, from the user whose session it is. That TEE has to let uid 1000 make keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "live.h"
#include "tests/support/platform_memory.h"
#include "tests/support/storage_memory.h"
#include "wire/codec.h"

static bool started;

static bool list(uint16_t command, uint32_t *cursor, uint16_t *count, const uint8_t **first)
{
	uint8_t payload[4];
	struct writer w = writer_over(payload, sizeof(payload));
	struct live_reply reply;
	struct reader r;

	put_u32(&w, *cursor);
	if (live_call(0, command, payload, w.len, &reply) || reply.answer)
		return false;
	r = reader_over(reply.payload, reply.len);
	*cursor = get_u32(&r);
	*count = get_u16(&r);
	*first = *count ? get_bytes(&r, WIRE_ID_SIZE) : NULL;
	return !r.failed;
}

/* The first of the list, again and again: all of them are the tests' own. */
static bool delete_listed(uint16_t list_command, uint16_t delete_command)
{
	uint8_t payload[1 + WIRE_ID_SIZE];
	struct writer w;
	struct live_reply reply;
	const uint8_t *id;
	uint32_t cursor;
	uint16_t count;

	for (;;) {
		cursor = 0;
		do {
			if (!list(list_command, &cursor, &count, &id))
				return false;
		} while (!count && cursor);
		if (!count)
			return true;
		w = writer_over(payload, sizeof(payload));
		if (delete_command == CMD_KEY_DELETE)
			put_u8(&w, TARGET_ID);
		put_bytes(&w, id, WIRE_ID_SIZE);
		if (live_call(0, delete_command, payload, w.len, &reply) || reply.answer)
			return false;
	}
}

/* Before what is on them, which only who has logged in may delete. */
static bool delete_tokens(void)
{
	struct live_reply reply;
	uint8_t payload[2] = {0};

	for (uint8_t slot = 1; slot <= WIRE_SLOT_MAX; slot++) {
		payload[0] = slot;
		if (live_call(0, CMD_TOKEN_DELETE, payload, sizeof(payload), &reply) ||
			(reply.answer && reply.answer != KW_ERR_NO_TOKEN))
			return false;
	}
	return true;
}

static bool delete_all(void)
{
	return delete_tokens() && delete_listed(CMD_KEY_LIST, CMD_KEY_DELETE) &&
	       delete_listed(CMD_OBJECT_LIST, CMD_OBJECT_DELETE);
}

/* Somebody's keys are not to be deleted by a test. */
static void start(void)
{
	static const uint16_t lists[] = {CMD_KEY_LIST, CMD_OBJECT_LIST};
	uint32_t cursor = 0;
	uint16_t count = 0;
	const uint8_t *id;

	started = true;
	live_start("test of the core");
	for (size_t i = 0; i < 2; i++) {
		do {
			if (!list(lists[i], &cursor, &count, &id) || count) {
				fprintf(stderr, "test of the core: wants a TEE without keys\n");
				exit(1);
			}
		} while (cursor);
	}
}

enum kw_err core_open(const struct core_options *options, struct core **core)
{
	(void)options;
	if (!started)
		start();
	*core = NULL;
	return KW_ERR_OK;
}

void core_close(struct core **core)
{
	*core = NULL;
}

void storage_memory_reset(void)
{
	if (started && !delete_all()) {
		fprintf(stderr, "test of the core: cannot delete the keys\n");
		exit(1);
	}
}

void platform_memory_set_device(uint8_t device)
{
	(void)device;
}

/* The TEE makes its own of whom the kernel names. */
enum kw_err platform_identity(
	enum wire_identity_kind kind, uint32_t id, uint8_t uuid[WIRE_UUID_SIZE])
{
	struct writer w = writer_over(uuid, WIRE_UUID_SIZE);

	memset(uuid, 0, WIRE_UUID_SIZE);
	put_u8(&w, (uint8_t)kind);
	put_u32(&w, id);
	return KW_ERR_OK;
}

enum kw_err kw_dispatch(struct core *core, const struct session *session, uint16_t command,
	const uint8_t *request, size_t request_len, uint8_t *reply, size_t reply_cap,
	size_t *reply_len)
{
	struct live_reply r;

	(void)core;
	if (live_call(session->user.id, command, request, request_len, &r) || r.len > reply_cap) {
		fprintf(stderr, "test of the core: command %u got no answer\n", command);
		abort();
	}
	memcpy(reply, r.payload, r.len);
	*reply_len = r.len;
	return (enum kw_err)r.answer;
}

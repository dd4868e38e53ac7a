/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same commands at random, to whichever TEE $KEYWARD_TEE names, and a line for each with what came back: the error,
 * and of the reply what every TEE has to say alike. For tests/optee_same.sh, as root.
 *
 *	same SEED COMMANDS
 *
 * Messages go as they are, from three users. The TEE is new: it has no keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"
#include "same.h"
#include "wire/errors.h"

#define USERS 3

static const uint32_t users[USERS] = {0, 1001, 1002};

static const struct {
	const char *name;
	unsigned share;
} commands[] = {
#define SHARE_HELLO 1
#define SHARE_STATUS 2
#define SHARE_KEY_GENERATE 5
#define SHARE_KEY_IMPORT 22
#define SHARE_KEY_INFO 6
#define SHARE_KEY_LIST 4
#define SHARE_KEY_RENAME 8
#define SHARE_KEY_DELETE 6
#define SHARE_KEY_ACCESS 8
#define SHARE_KEY_CSR 8
#define SHARE_KEY_LOAD 7
#define SHARE_SIGN 22
#define SHARE_RSA_DECRYPT 9
#define SHARE_KEY_ATTRIBUTES 6
#define SHARE_OBJECT_PUT 8
#define SHARE_OBJECT_GET 5
#define SHARE_OBJECT_LIST 3
#define SHARE_OBJECT_DELETE 4
#define SHARE_RANDOM 1
#define SHARE_CIPHER 12
#define SHARE_MAC 8
#define SHARE_DERIVE 12
#define SHARE_WRAP 14
#define SHARE_UNWRAP 8
#define SHARE_TOKEN_LIST 3
#define SHARE_TOKEN_INIT 4
#define SHARE_TOKEN_LOGIN 8
#define SHARE_TOKEN_LOGOUT 2
#define SHARE_TOKEN_SET_PIN 3
#define SHARE_TOKEN_INIT_PIN 4
#define SHARE_TOKEN_DELETE 1
#define SHARE_AUTHORIZE 3
#define SHARE_TOKEN_ACCESS 3
#define SHARE_KEY_ATTEST 6
#define SHARE_ATTEST_KEY 1
#define KW_COMMAND(number, NAME, name, ROLE, LANE, REPEAT, rmin, rmax, pmax) \
	[number] = {#name, SHARE_##NAME},
#include "wire/commands.def"
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char *error_name(unsigned err)
{
	switch (err) {
#define KW_ERROR(number, NAME, sentence) \
	case number:                     \
		return #NAME;
#include "wire/errors.def"
	}
	return "?";
}

static void call(unsigned user, struct answer *a, unsigned line)
{
	const char *name = a->command && a->command < COMMANDS ? commands[a->command].name : "none";
	struct live_reply reply;
	enum kw_err err = live_call(users[user], a->command, a->request, a->request_len, &reply);

	printf("%u uid %u %s(%u) of %zu: ", line, users[user], name, a->command, a->request_len);
	a->reply = reply.payload;
	a->reply_len = reply.len;
	if (err) {
		printf("NO ANSWER %s", error_name(err));
		wrong++;
	} else if (reply.answer) {
		printf("%s", error_name(reply.answer));
		wrong += reply.len != 0;
	} else {
		printf("OK ");
		show_reply(a);
	}
	putchar('\n');
}

static uint16_t some_command(void)
{
	unsigned all = 0, at;

	if (one_in(200))
		return (uint16_t)(one_in(2) ? below(20) + COMMANDS : one_in(2) ? 0 : chance() | 64);
	for (uint16_t i = 1; i < COMMANDS; i++)
		all += commands[i].share;
	at = below(all);
	for (uint16_t i = 1; i < COMMANDS; i++) {
		if (at < commands[i].share)
			return i;
		at -= commands[i].share;
	}
	return 0;
}

static bool makes_key(uint16_t command)
{
	return command == CMD_KEY_GENERATE || command == CMD_KEY_IMPORT || command == CMD_DERIVE ||
	       command == CMD_UNWRAP;
}

/* A secret key has another id each time: the one before is deleted when there is a new one. */
static void make_in_place_of(unsigned user, struct answer *a, unsigned line)
{
	struct known before = known[a->aim];
	struct answer deletion = {.command = CMD_KEY_DELETE};
	uint8_t payload[64];

	call(user, a, line);
	if (!before.is_stored || !memcmp(before.id, known[a->aim].id, WIRE_ID_SIZE))
		return;
	deletion.request = payload;
	deletion.request_len = compose_delete(payload, before.id);
	call(0, &deletion, line);
}

static void one_round(unsigned line)
{
	static uint8_t request[WIRE_MAX_PAYLOAD];
	struct answer a = {.command = some_command(), .request = request};
	unsigned user = one_in(3) ? 1 + below(USERS - 1) : 0;
	unsigned aim;

	if (one_in(100))
		live_hang_up(users[user]);
	a.request_len = compose(a.command, request, &aim);
	/* A new key takes the place of one that is then known no more: there are not to be ever more of them. */
	if (a.command == CMD_KEY_GENERATE && aim < SECRET_FIRST && known[aim].is_stored) {
		struct answer before = {.command = CMD_KEY_DELETE};
		uint8_t payload[64];

		before.request = payload;
		before.request_len = compose_delete(payload, known[aim].id);
		known[aim].is_stored = false;
		call(0, &before, line);
	}
	if (a.command == CMD_OBJECT_PUT && a.request_len &&
		(request[0] == OBJECT_NEW || request[0] == OBJECT_NEW_ON_TOKEN) &&
		objects[aim].is_stored) {
		struct answer before = {.command = CMD_OBJECT_DELETE};

		before.request = objects[aim].id;
		before.request_len = WIRE_ID_SIZE;
		objects[aim].is_stored = false;
		call(0, &before, line);
	}
	a.aim = aim;
	if (makes_key(a.command) && aim >= SECRET_FIRST && aim < KEYS)
		return make_in_place_of(user, &a, line);
	call(user, &a, line);
}

int main(int argc, char **argv)
{
	unsigned count = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;

	if (!count) {
		fprintf(stderr, "usage: same SEED COMMANDS\n");
		return 2;
	}
	live_start("same");
	chance_seed(strtoull(argv[1], NULL, 10));
	if (!make_fixed_keys()) {
		fprintf(stderr, "same: no keys\n");
		return 1;
	}
	for (unsigned i = 1; i <= count; i++)
		one_round(i);
	live_end();
	if (wrong)
		fprintf(stderr, "same: %u replies are wrong\n", wrong);
	return wrong != 0;
}

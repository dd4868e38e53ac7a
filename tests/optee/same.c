/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same commands at random, to whichever TEE $KEYWARD_TEE names, and a line for each with what came back: the error,
 * and of the reply what every TEE has to say alike. For tests/optee_same.sh, as root.
 *
 *	same SEED COMMANDS
 *
 * Messages go as they are, through the client library's lowest level, from three users. The TEE is new: no keys.
 */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/transport.h"
#include "same.h"

#define USERS 3

static const uid_t users[USERS] = {0, 1001, 1002};
static struct link *links[USERS];
static struct kw *kw;

static const struct {
	const char *name;
	unsigned share;
	size_t reply_max;
} commands[] = {
#define SHARE_HELLO 1
#define SHARE_STATUS 2
#define SHARE_KEY_GENERATE 5
#define SHARE_KEY_IMPORT 14
#define SHARE_KEY_INFO 6
#define SHARE_KEY_LIST 4
#define SHARE_KEY_RENAME 8
#define SHARE_KEY_DELETE 6
#define SHARE_KEY_ACCESS 8
#define SHARE_KEY_CSR 8
#define SHARE_KEY_LOAD 7
#define SHARE_SIGN 22
#define SHARE_RSA_DECRYPT 9
#define KW_COMMAND(number, NAME, name, ROLE, LANE, REPEAT, rmin, rmax, pmax) \
	[number] = {#name, SHARE_##NAME, pmax},
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

static enum kw_err exchange(
	struct link *link, uint16_t command, const uint8_t *p, size_t n, struct exchange *x)
{
	struct deadline d = deadline_in(LONG_TIMEOUT_MS);

	*x = (struct exchange){.command = command,
		.request_len = n,
		.reply_max = command < COMMANDS ? commands[command].reply_max : 0,
		.deadline = &d,
		.late = true};
	memcpy(link->request, p, n);
	return kw->transport->exchange(kw, link, x);
}

static void hang_up(unsigned user)
{
	if (links[user])
		kw->transport->close(links[user]);
	links[user] = NULL;
}

static struct link *link_of(unsigned user)
{
	static const uint8_t hello[] = {0, 1, 0, 1, 0xff, 0xff};
	struct deadline d = deadline_in(kw->timeout_ms);
	struct exchange x;
	enum kw_err err = KW_ERR_SYSTEM;

	if (links[user])
		return links[user];
	if (!seteuid(users[user]))
		err = kw->transport->open(kw, &d, &links[user]);
	if (!err)
		err = exchange(links[user], CMD_HELLO, hello, sizeof(hello), &x);
	if (seteuid(0) || err || x.answer) {
		fprintf(stderr, "same: uid %u cannot reach the TEE: %s\n", users[user],
			kw_explain());
		exit(1);
	}
	return links[user];
}

static void call(unsigned user, struct answer *a, unsigned line)
{
	struct link *link = link_of(user);
	struct exchange x;
	enum kw_err err = exchange(link, a->command, a->request, a->request_len, &x);
	const char *name = a->command && a->command < COMMANDS ? commands[a->command].name : "none";

	printf("%u uid %u %s(%u) of %zu: ", line, users[user], name, a->command, a->request_len);
	a->reply = link->reply;
	a->reply_len = x.reply_len;
	if (err) {
		printf("NO ANSWER %s", error_name(err));
		wrong++;
	} else if (x.answer) {
		printf("%s", error_name(x.answer));
		wrong += x.reply_len != 0;
	} else {
		printf("OK ");
		show_reply(a);
	}
	putchar('\n');
	/* The host's socket ends with a greeting that went wrong. */
	if (err || (a->command == CMD_HELLO && x.answer))
		hang_up(user);
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

static void one_round(unsigned line)
{
	static uint8_t request[WIRE_MAX_PAYLOAD];
	struct answer a = {.command = some_command(), .request = request};
	unsigned user = one_in(3) ? 1 + below(USERS - 1) : 0;
	unsigned aim;

	if (one_in(100))
		hang_up(user);
	a.request_len = compose(a.command, request, &aim);
	/* A new key takes the place of one that is then known no more: there are not to be ever more of them. */
	if (a.command == CMD_KEY_GENERATE && known[aim].is_stored) {
		struct answer before = {.command = CMD_KEY_DELETE};
		uint8_t payload[64];

		before.request = payload;
		before.request_len = compose_delete(payload, known[aim].id);
		known[aim].is_stored = false;
		call(0, &before, line);
	}
	a.aim = aim;
	call(user, &a, line);
}

int main(int argc, char **argv)
{
	unsigned count = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	struct group *tee = getgrnam("teeclnt");

	if (!count) {
		fprintf(stderr, "usage: same SEED COMMANDS\n");
		return 2;
	}
	/* Who may open /dev/tee0 is not what is tried here. */
	if (setgroups(0, NULL) || (tee && setegid(tee->gr_gid)) || kw_new(NULL, &kw)) {
		fprintf(stderr, "same: needs root, and a TEE: %s\n", kw_explain());
		return 1;
	}
	chance_seed(strtoull(argv[1], NULL, 10));
	if (!make_fixed_keys()) {
		fprintf(stderr, "same: no keys\n");
		return 1;
	}
	for (unsigned i = 1; i <= count; i++)
		one_round(i);
	for (unsigned i = 0; i < USERS; i++)
		hang_up(i);
	kw_free(&kw);
	if (wrong)
		fprintf(stderr, "same: %u replies are wrong\n", wrong);
	return wrong != 0;
}

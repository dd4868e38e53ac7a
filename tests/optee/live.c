/* SPDX-License-Identifier: BSD-2-Clause */
#include "live.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/transport.h"

#define USERS 16

static struct {
	uint32_t uid;
	struct link *link;
} users[USERS];
static unsigned user_count;
static struct kw *kw;
static const char *program;

static const size_t reply_max[] = {
#define KW_COMMAND(number, NAME, name, ROLE, LANE, REPEAT, rmin, rmax, pmax) [number] = pmax,
#include "wire/commands.def"
};

void live_start(const char *name)
{
	struct group *tee = getgrnam("teeclnt");

	program = name;
	/* Who may open /dev/tee0 is not what is tried here. */
	if (setgroups(0, NULL) || (tee && setegid(tee->gr_gid)) || kw_new(NULL, &kw)) {
		fprintf(stderr, "%s: needs root, and a TEE: %s\n", program, kw_explain());
		exit(1);
	}
}

static enum kw_err exchange(struct link *link, uint16_t command, const void *payload, size_t n,
	struct live_reply *reply)
{
	struct deadline d = deadline_in(LONG_TIMEOUT_MS);
	bool known = command < sizeof(reply_max) / sizeof(reply_max[0]);
	struct exchange x = {.command = command,
		.request_len = n,
		.reply_max = known ? reply_max[command] : 0,
		.deadline = &d,
		.late = true};
	enum kw_err err;

	memcpy(link->request, payload, n);
	err = kw->transport->exchange(kw, link, &x);
	*reply = (struct live_reply){x.answer, link->reply, x.reply_len};
	return err;
}

static unsigned place_of(uint32_t uid)
{
	for (unsigned i = 0; i < user_count; i++)
		if (users[i].uid == uid)
			return i;
	if (user_count == USERS)
		abort();
	users[user_count].uid = uid;
	return user_count++;
}

static struct link *link_of(uint32_t uid)
{
	static const uint8_t hello[] = {0, WIRE_VERSION, 0, WIRE_VERSION, 0xff, 0xff};
	struct deadline d = deadline_in(kw->timeout_ms);
	struct live_reply reply = {0};
	unsigned at = place_of(uid);
	enum kw_err err = KW_ERR_SYSTEM;

	if (users[at].link)
		return users[at].link;
	if (!seteuid(uid))
		err = kw->transport->open(kw, &d, &users[at].link);
	if (!err)
		err = exchange(users[at].link, CMD_HELLO, hello, sizeof(hello), &reply);
	if (seteuid(0) || err || reply.answer) {
		fprintf(stderr, "%s: uid %u cannot reach the TEE: %s\n", program, uid,
			kw_explain());
		exit(1);
	}
	return users[at].link;
}

void live_hang_up(uint32_t uid)
{
	unsigned at = place_of(uid);

	if (users[at].link)
		kw->transport->close(users[at].link);
	users[at].link = NULL;
}

enum kw_err live_call(
	uint32_t uid, uint16_t command, const void *payload, size_t n, struct live_reply *reply)
{
	enum kw_err err = exchange(link_of(uid), command, payload, n, reply);

	/* The host's socket ends with a greeting that went wrong. */
	if (err || (command == CMD_HELLO && reply->answer))
		live_hang_up(uid);
	return err;
}

void live_end(void)
{
	for (unsigned i = 0; i < user_count; i++)
		live_hang_up(users[i].uid);
	kw_free(&kw);
}

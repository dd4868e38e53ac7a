/* SPDX-License-Identifier: BSD-2-Clause */
#include "call.h"
#include "tickets.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RETRY_SLEEP_MS 20
/* Connections that one call finds dead before it stops trying. */
#define ATTEMPTS_MAX 4

static const struct command {
	bool repeat;
	bool is_long;
	size_t request_max;
	size_t reply_max;
} commands[] = {
#define REPEAT_YES true
#define REPEAT_NO false
#define LANE_IS_FAST false
#define LANE_IS_WRITE false
#define LANE_IS_LONG true
#define KW_COMMAND(number, NAME, name, ROLE, LANE, REPEAT, rmin, rmax, pmax) \
	[number] = {REPEAT_##REPEAT, LANE_IS_##LANE, rmax, pmax},
#include "wire/commands.def"
};

static void empty_request(struct call *c)
{
	c->req = writer_over(c->link->request, commands[c->command].request_max);
}

/* One request and reply, without trying again. */
static enum kw_err exchange(struct call *c, struct link *link, struct exchange *x)
{
	enum kw_err err;

	x->reply_max = commands[x->command].reply_max;
	err = c->kw->transport->exchange(c->kw, link, x);
	if (err)
		return err;
	if ((x->answer && x->reply_len) || x->reply_len > x->reply_max)
		return explain(KW_ERR_PROTOCOL,
			"%s sent an answer of %zu bytes that makes no sense", c->kw->called,
			x->reply_len);
	if (!error_is_from_tee(x->answer))
		return explain(KW_ERR_PROTOCOL,
			"%s reports error %u, which this library does not know; it may "
			"be newer",
			c->kw->called, (unsigned)x->answer);
	return KW_ERR_OK;
}

static enum kw_err greet(struct call *c, struct link *link, const struct deadline *d)
{
	struct writer w = writer_over(link->request, WIRE_MAX_PAYLOAD);
	struct exchange x = {.command = CMD_HELLO, .deadline = d};
	struct reader r;
	enum kw_err err;
	uint16_t version;
	uint8_t kind;
	size_t len;

	put_u16(&w, WIRE_VERSION);
	put_u16(&w, WIRE_VERSION);
	put_u16(&w, c->cpu);
	x.request_len = w.len;
	err = exchange(c, link, &x);
	if (err)
		return err;
	if (x.answer)
		return explain_answer(c->kw, CMD_HELLO, (enum kw_err)x.answer, NULL);
	r = reader_over(link->reply, x.reply_len);
	version = get_u16(&r);
	kind = get_u8(&r);
	get_u32(&r); /* capabilities: each command says itself when it cannot */
	get_u16(&r); /* which thread serves us is the TEE's affair */
	get_field8(&r, UINT8_MAX, &len);
	if (!reader_done(&r) || version != WIRE_VERSION || kind != c->kw->transport->tee_kind)
		return explain(KW_ERR_PROTOCOL, "%s greets in a way that makes no sense; %s",
			c->kw->called, c->kw->transport->stranger);
	return KW_ERR_OK;
}

/* A ticket that the TEE does not know any more is no failure: what needs it will say so. */
static enum kw_err present(
	struct call *c, struct link *link, const struct deadline *d, const uint8_t *ticket)
{
	struct writer w = writer_over(link->request, WIRE_MAX_PAYLOAD);
	struct exchange x = {.command = CMD_AUTHORIZE, .deadline = d, .late = true, .reply_max = 0};
	enum kw_err err;

	put_bytes(&w, ticket, WIRE_TICKET_SIZE);
	x.request_len = w.len;
	err = exchange(c, link, &x);
	explicit_bzero(link->request, w.len);
	return err;
}

/* Tells the connection of the logins of the context, if they changed since it was told. */
static enum kw_err authorize(struct call *c, struct link *link, const struct deadline *d)
{
	static const uint8_t nobody[WIRE_TICKET_SIZE];
	unsigned logins = atomic_load(&c->kw->logins);
	struct ticket t;
	enum kw_err err = KW_ERR_OK;

	if (link->logins == logins)
		return KW_ERR_OK;
	if (atomic_load(&c->kw->has_forgotten))
		err = present(c, link, d, nobody);
	for (unsigned slot = 1; !err && slot <= WIRE_SLOT_MAX; slot++) {
		if (ticket_get(c->kw, slot, &t))
			err = present(c, link, d, t.bytes);
	}
	explicit_bzero(&t, sizeof(t));
	if (!err)
		link->logins = logins;
	return err;
}

static enum kw_err open_link(struct call *c, struct link **link)
{
	unsigned left = deadline_left(&c->deadline);
	/* A TEE that does not even greet must not hold up a call that may take minutes. */
	struct deadline d = deadline_in(left < c->kw->timeout_ms ? left : c->kw->timeout_ms);
	enum kw_err err = c->kw->transport->open(c->kw, &d, link);

	c->late = true;
	if (err)
		return err;
	(*link)->logins = 0;
	err = greet(c, *link, &d);
	if (!err)
		err = authorize(c, *link, &d);
	if (!err)
		return KW_ERR_OK;
	c->kw->transport->close(*link);
	*link = NULL;
	return err;
}

static void sleep_ms(unsigned ms)
{
	struct timespec t = {.tv_nsec = (long)ms * 1000000};

	nanosleep(&t, NULL);
}

/* Whether it is worth trying again after `err`. A TEE that was there before is probably being
 * restarted, and a busy one has a place soon; one that never was there is not worth a wait. */
static bool worth_waiting(struct call *c, enum kw_err err)
{
	switch ((int)err) {
	case KW_ERR_BUSY:
		return true;
	case KW_ERR_NO_TEE:
	case KW_ERR_DISCONNECTED:
		return atomic_load(&c->kw->had_tee);
	default:
		return false;
	}
}

/* No room for another connection, in the TEE or in this process: share one that is idle. */
static bool share(struct call *c)
{
	struct slot *other = pool_steal(c->kw, c->pool, c->euid);

	if (!other)
		return false;
	pool_put(c->kw, c->slot);
	c->slot = other;
	c->link = atomic_load(&other->link);
	return true;
}

/* Opens a connection, or finds an idle one to share (then *link stays NULL). */
static enum kw_err open_or_share(struct call *c, struct link **link)
{
	uint64_t until = 0;
	enum kw_err before = KW_ERR_OK;
	enum kw_err err;

	for (;;) {
		err = open_link(c, link);
		if (!err)
			return err;
		if ((err == KW_ERR_BUSY || err == KW_ERR_SYSTEM) && share(c))
			return KW_ERR_OK;
		/* The deadline came while the TEE said it was busy: that is what to report. */
		if (err == KW_ERR_TIMEOUT && before == KW_ERR_BUSY)
			return explain_answer(c->kw, CMD_HELLO, KW_ERR_BUSY, NULL);
		if (!until)
			until = now_ms() + RESTART_WAIT_MS;
		if (!worth_waiting(c, err))
			break;
		before = err;
		if (now_ms() >= until || deadline_left(&c->deadline) <= RETRY_SLEEP_MS)
			break;
		sleep_ms(RETRY_SLEEP_MS);
	}
	/* Waiting was in vain: the next calls must not each hold up a server for as long. */
	if (before)
		atomic_store(&c->kw->had_tee, false);
	return err;
}

/* Gives the call a connection. */
static enum kw_err reach(struct call *c)
{
	struct link *link = NULL;
	enum kw_err err = open_or_share(c, &link);

	if (err)
		return err;
	/* What failed on the way did not fail the call. */
	explain_clear();
	if (!link)
		return KW_ERR_OK;
	atomic_store(&c->kw->had_tee, true);
	atomic_store(&c->slot->link, link);
	c->link = link;
	return KW_ERR_OK;
}

/* An idle connection may not know of the last logins; it may also be dead. */
static enum kw_err catch_up(struct call *c)
{
	enum kw_err err;

	for (unsigned attempt = 0;; attempt++) {
		err = authorize(c, c->link, &c->deadline);
		if (!err)
			return err;
		slot_close(c->kw, c->slot);
		c->link = NULL;
		if (err != KW_ERR_DISCONNECTED || attempt == ATTEMPTS_MAX)
			return err;
		err = reach(c);
		if (err)
			return err;
	}
}

enum kw_err call_begin(struct call *c, struct kw *kw, uint16_t command)
{
	enum kw_err err = KW_ERR_NO_MEMORY;
	unsigned timeout_ms = kw ? kw->timeout_ms : 0;
	int cpu = sched_getcpu();

	*c = (struct call){.kw = kw, .command = command, .euid = geteuid()};
	if (!kw)
		return explain(KW_ERR_ARGUMENT, "there is no context: call kw_new first");
	if (commands[command].is_long && timeout_ms < LONG_TIMEOUT_MS)
		timeout_ms = LONG_TIMEOUT_MS;
	c->deadline = deadline_in(timeout_ms);
	c->cpu = cpu >= 0 && cpu < WIRE_CPU_ANY ? (uint16_t)cpu : WIRE_CPU_ANY;
	c->pool = pool_current(kw);
	if (c->pool)
		c->slot = pool_take(kw, c->pool, c->cpu, c->euid);
	if (!c->slot)
		return explain(err, "there is no memory for a connection to the TEE");
	c->link = atomic_load(&c->slot->link);
	err = c->link ? KW_ERR_OK : reach(c);
	if (!err)
		err = catch_up(c);
	if (!err)
		empty_request(c);
	return err;
}

void call_next(struct call *c, uint16_t command)
{
	c->command = command;
	empty_request(c);
}

static void wipe(struct call *c)
{
	if (!c->secret || !c->link)
		return;
	explicit_bzero(c->link->request, commands[c->command].request_max);
	explicit_bzero(c->link->reply, commands[c->command].reply_max);
}

/* The connection is dead: a new one, with the same request in its buffer. */
static enum kw_err reach_again(struct call *c)
{
	struct link *dead = atomic_exchange(&c->slot->link, NULL);
	enum kw_err err;

	err = reach(c);
	if (!err)
		err = catch_up(c);
	if (!err)
		memcpy(c->link->request, dead->request, c->req.len);
	if (c->secret)
		explicit_bzero(dead->request, c->req.len);
	c->kw->transport->close(dead);
	if (err)
		c->link = NULL;
	else
		c->req.buf = c->link->request;
	return err;
}

/* A change was asked for, and the answer did not come. */
static enum kw_err explain_unknown(struct call *c, enum kw_err err)
{
	const char *unknown = "whether the change was made is not known, see:";
	char why[400];

	if (c->command == CMD_OBJECT_PUT || c->command == CMD_OBJECT_DELETE)
		return explain(err,
			"%s did not answer in time or closed the connection before it answered; "
			"whether the change was made is not known",
			c->kw->called);
	if (err == KW_ERR_DISCONNECTED)
		return explain(err, "%s closed the connection before it answered; %s %s key list",
			c->kw->called, unknown, c->kw->cli);
	if (err != KW_ERR_TIMEOUT)
		return err;
	snprintf(why, sizeof(why), "%s", kw_explain());
	return explain(err, "%s; %s %s key list", why, unknown, c->kw->cli);
}

enum kw_err call_run(struct call *c, struct reader *rsp)
{
	struct exchange x = {
		.command = c->command, .request_len = c->req.len, .deadline = &c->deadline};
	bool repeated = false;
	enum kw_err err;

	if (c->req.failed)
		return explain(KW_ERR_TOO_LARGE,
			"the request is larger than the TEE takes: %zu bytes at most",
			commands[c->command].request_max);
	for (unsigned attempt = 1;; attempt++) {
		x.late = c->late;
		c->late = true;
		err = exchange(c, c->link, &x);
		if (err != KW_ERR_DISCONNECTED || attempt == ATTEMPTS_MAX)
			break;
		/* What was not sent cannot have been done. What was, is sent once more at
		 * most, and only if doing it twice does no harm. */
		if (x.sent && (repeated || !commands[c->command].repeat))
			break;
		repeated |= x.sent;
		err = reach_again(c);
		if (err)
			break;
	}
	if (err) {
		c->broken = true;
		return commands[c->command].repeat || !x.sent ? err : explain_unknown(c, err);
	}
	*rsp = reader_over(c->link->reply, x.reply_len);
	return (enum kw_err)x.answer;
}

enum kw_err call_refused(struct call *c, enum kw_err err, const struct subject *s)
{
	if (!error_is_from_tee((uint16_t)err))
		return err;
	return explain_answer(c->kw, c->command, err, s);
}

enum kw_err call_nonsense(struct call *c)
{
	c->broken = true;
	return explain(KW_ERR_PROTOCOL, "%s sent an answer that makes no sense", c->kw->called);
}

void call_end(struct call *c)
{
	if (!c->slot)
		return;
	wipe(c);
	if (c->broken)
		slot_close(c->kw, c->slot);
	pool_put(c->kw, c->slot);
	c->slot = NULL;
}

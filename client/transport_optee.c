/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OP-TEE: one session, one invocation for a request, docs/PROTOCOL.md "The frame".
 *
 * What OP-TEE does lasts as long as it lasts: the kernel lets nobody out of an invocation that waits
 * for tee-supplicant, or for another client's call, but those whom it kills. So that callers can
 * keep their deadlines each connection has a thread, its carrier, which makes the calls. A caller
 * that does not wait any longer leaves the connection to it, and it takes it down when OP-TEE
 * returns. Using a key is the exception: that waits for nothing when all is well, and handing it to a
 * thread and back takes a quarter of its time. Callers do that themselves, unless another one seems
 * to hang.
 */
#include "optee_carrier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "explain_optee.h"

/* Calls of a process that are late and still in OP-TEE: each has a thread, and all wait for the same. */
#define STUCK_MAX 16u

/* A signature takes milliseconds, RSA-4096 some hundred on a slow machine. */
#define HANG_MS 1000

/* Calls that callers make themselves. A forked child may count some of its parent's threads for ever:
 * then its first call after a while goes to the carrier, and no more comes of it. */
static atomic_uint direct;

/* False: some are in OP-TEE, and none came back for long. */
static bool direct_begin(void)
{
	uint64_t now = now_ms();

	if (atomic_fetch_add(&direct, 1) == 0) {
		atomic_store(&optee_alive_ms, now);
		return true;
	}
	/* It may have been set since: then this is negative. */
	if ((int64_t)(now - atomic_load(&optee_alive_ms)) < HANG_MS)
		return true;
	atomic_fetch_sub(&direct, 1);
	return false;
}

static struct optee_link *optee(struct link *link)
{
	return (struct optee_link *)link;
}

static bool wait_until(struct optee_link *l, uint64_t at_ms)
{
	struct timespec until = {
		.tv_sec = (time_t)(at_ms / 1000), .tv_nsec = (long)(at_ms % 1000) * 1000000};

	while (sem_clockwait(&l->done, CLOCK_MONOTONIC, &until) != 0)
		if (errno != EINTR)
			return false;
	return true;
}

/* False: the deadline came first. Making a key may take minutes, waiting for a tee-supplicant that
 * nobody starts may not. */
static bool wait_for_carrier(const struct kw *kw, struct optee_link *l, const struct deadline *d)
{
	uint64_t at = now_ms();

	do {
		at = at + kw->timeout_ms < d->at_ms ? at + kw->timeout_ms : d->at_ms;
		if (wait_until(l, at))
			return true;
	} while (at < d->at_ms && supplicant_runs());
	return false;
}

/* The carrier frees it, now or when OP-TEE lets go of it. */
static void optee_close(struct link *link)
{
	struct optee_link *l = optee(link);

	atomic_store(&l->left, true);
	sem_post(&l->go);
}

static void give_up_waiting(struct optee_link *l)
{
	atomic_fetch_add(optee_stuck(), 1);
	atomic_store(&l->late, true);
}

static enum kw_err explain_step(const struct kw *kw, const struct optee_link *l)
{
	switch (l->step) {
	case STEP_DEVICE:
		return explain_device(kw, l->result);
	case STEP_MEMORY:
		return explain_shared_memory(l->result);
	default:
		return explain_session(kw, l->result, l->origin);
	}
}

static struct optee_link *new_link(const struct tee_client *tee, const struct deadline *d)
{
	struct optee_link *l = calloc(1, sizeof(*l));
	uint64_t until = now_ms() + RESTART_WAIT_MS;

	if (!l)
		return NULL;
	l->tee = tee;
	l->base.euid = geteuid();
	l->open_until_ms = until < d->at_ms ? until : d->at_ms;
	sem_init(&l->go, 0, 0);
	sem_init(&l->done, 0, 0);
	return l;
}

static enum kw_err optee_open(struct kw *kw, const struct deadline *d, struct link **link)
{
	const struct tee_client *tee = tee_client_load();
	unsigned late = atomic_load(optee_stuck());
	struct optee_link *l;
	enum kw_err err;
	int error;

	*link = NULL;
	if (!tee)
		return KW_ERR_NO_TEE;
	if (late >= STUCK_MAX)
		return explain_stuck(late);
	l = new_link(tee, d);
	if (!l)
		return explain(KW_ERR_NO_MEMORY, "there is no memory for a connection to OP-TEE");
	error = carrier_start(l);
	if (error) {
		free(l);
		return explain(KW_ERR_SYSTEM, "no thread can be started to talk to OP-TEE: %s",
			strerror(error));
	}
	if (!wait_for_carrier(kw, l, d)) {
		err = explain_slow(d, true);
		give_up_waiting(l);
		optee_close(&l->base);
		return err;
	}
	if (l->step != STEP_DONE) {
		err = explain_step(kw, l);
		optee_close(&l->base);
		return err;
	}
	l->base.request = optee_request(l);
	l->base.reply = optee_frame(l) + WIRE_HEADER;
	*link = &l->base;
	return KW_ERR_OK;
}

/* Turned away before the Trusted Application saw it: sending it again is safe. */
static bool was_turned_away(const struct optee_link *l)
{
	return l->origin != TEEC_ORIGIN_TRUSTED_APP &&
	       (l->result == TEEC_ERROR_BUSY || l->result == TEEC_ERROR_OUT_OF_MEMORY);
}

/* OP-TEE did not carry the request to the Trusted Application, or the other way round. */
static enum kw_err broken(const struct optee_link *l, struct exchange *x)
{
	x->sent = l->origin != TEEC_ORIGIN_API && !was_turned_away(l);
	if (l->origin == TEEC_ORIGIN_TRUSTED_APP)
		return explain(KW_ERR_PROTOCOL,
			"Keyward's Trusted Application rejects how it is called (error 0x%08x); is "
			"it of this version?",
			l->result);
	switch (l->result) {
	case TEEC_ERROR_OUT_OF_MEMORY:
		return explain(KW_ERR_NO_MEMORY, "OP-TEE has no memory for a request; try again");
	case TEEC_ERROR_BUSY:
		return explain(KW_ERR_BUSY, "OP-TEE is busy; try again");
	case TEEC_ERROR_TARGET_DEAD:
		return explain(KW_ERR_DISCONNECTED,
			"Keyward's Trusted Application ended before it answered; see OP-TEE's log, "
			"on the secure world's serial port");
	default:
		return explain(KW_ERR_DISCONNECTED,
			"OP-TEE ended the connection before it answered (error 0x%08x from %u)",
			l->result, l->origin);
	}
}

static bool read_frame(const struct optee_link *l, struct exchange *x)
{
	struct reader r;
	uint16_t reserved;

	if (l->frame_len > l->frame_max)
		return false;
	r = reader_over(optee_frame(l), l->frame_len);
	x->answer = get_u16(&r);
	reserved = get_u16(&r);
	x->reply_len = reader_left(&r);
	return !r.failed && reserved == 0;
}

/* False: the deadline came first. */
static bool call(const struct kw *kw, struct optee_link *l, const struct deadline *d)
{
	bool uses_key = l->command == CMD_SIGN || l->command == CMD_RSA_DECRYPT;

	if (uses_key && direct_begin()) {
		optee_invoke(l);
		atomic_fetch_sub(&direct, 1);
		return true;
	}
	sem_post(&l->go);
	return wait_for_carrier(kw, l, d);
}

static enum kw_err optee_exchange(struct kw *kw, struct link *link, struct exchange *x)
{
	struct optee_link *l = optee(link);

	l->command = x->command;
	l->request_len = x->request_len;
	l->frame_max = WIRE_HEADER + x->reply_max;
	for (;;) {
		x->sent = true;
		if (!call(kw, l, x->deadline)) {
			give_up_waiting(l);
			return explain_slow(x->deadline, false);
		}
		if (!was_turned_away(l) || deadline_left(x->deadline) <= OPTEE_RETRY_MS)
			break;
		sleep_ms(OPTEE_RETRY_MS);
	}
	if (l->result)
		return broken(l, x);
	if (!read_frame(l, x))
		return explain(KW_ERR_PROTOCOL,
			"Keyward's Trusted Application sent a frame that makes no sense; is it of "
			"this version?");
	return KW_ERR_OK;
}

/* The carrier is the parent's, and so is the session: closing that would close the parent's. The
 * descriptors are copies, and without them the memory of this copy can go. */
static void optee_abandon(struct link *link)
{
	struct optee_link *l = optee(link);

	optee_drop(l);
	free(l);
}

const struct transport transport_optee = {
	.name = "optee",
	.tee_kind = TEE_KIND_OPTEE,
	.stranger = "is the Trusted Application of this version?",
	.damaged = OPTEE_DAMAGED,
	.log = "does tee-supplicant run, and has its disk room? systemctl status tee-supplicant",
	.open = optee_open,
	.exchange = optee_exchange,
	.close = optee_close,
	.abandon = optee_abandon,
};

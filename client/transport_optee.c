/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OP-TEE: one session, one invocation for a request, docs/PROTOCOL.md "The frame".
 *
 * What OP-TEE does lasts as long as it lasts: the kernel lets nobody out of an invocation that waits
 * for tee-supplicant, or for another client's call, but those whom it kills. So that callers can
 * keep their deadlines each connection has a thread, its carrier, which makes all the calls. A caller
 * that does not wait any longer leaves the connection to it, and it takes it down when OP-TEE
 * returns.
 */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "explain_optee.h"
#include "tee_client.h"
#include "wire/optee.h"

/* The shared memory: each half begins on a page of its own, of 4 KiB or 64 KiB. */
#define HALF 65536u
_Static_assert(WIRE_MAX_FRAME <= HALF, "a frame fits in half of the shared memory");

/* A carrier calls libteec and nothing else; thread-local variables of the program come out of this. */
#define CARRIER_STACK ((size_t)256 * 1024)
#define RETRY_SLEEP_MS 20
/* Calls of a process that are late and still in OP-TEE: each has a thread, and all wait for the same. */
#define STUCK_MAX 16u

/* What failed when a connection was opened. */
enum step {
	STEP_DEVICE,
	STEP_SESSION,
	STEP_MEMORY,
	STEP_DONE,
};

struct optee_link {
	struct link base;
	const struct tee_client *tee;
	union tee_context context;
	union tee_session session;
	struct tee_memory memory;
	/* What the context's descriptor is: a program that closes descriptors which are not its own
	 * may have given the number to something else. is_known: libteec's is where it is expected. */
	bool is_known;
	dev_t dev;
	ino_t ino;

	sem_t go;         /* the carrier has something to do */
	sem_t done;       /* it has done it */
	atomic_bool left; /* nobody will ask for more: take it down */
	atomic_bool late; /* the caller did not wait for the end of a call */
	uint64_t open_until_ms;

	/* Between go and done they are the carrier's, else the caller's. */
	uint16_t command;
	size_t request_len;
	size_t frame_max;
	size_t frame_len;
	enum step step;
	uint32_t result;
	uint32_t origin;
};

/* Of this process: a child has none of its parent's threads. */
static struct {
	atomic_int pid;
	atomic_uint n;
} stuck;

static atomic_uint *stuck_count(void)
{
	int pid = (int)getpid();

	if (atomic_load(&stuck.pid) != pid) {
		atomic_store(&stuck.n, 0);
		atomic_store(&stuck.pid, pid);
	}
	return &stuck.n;
}

static struct optee_link *optee(struct link *link)
{
	return (struct optee_link *)link;
}

static uint8_t *request_of(const struct optee_link *l)
{
	return l->memory.buffer;
}

static uint8_t *frame_of(const struct optee_link *l)
{
	return (uint8_t *)l->memory.buffer + HALF;
}

static void sleep_ms(unsigned ms)
{
	struct timespec t = {.tv_nsec = (long)ms * 1000000};

	nanosleep(&t, NULL);
}

/* --- The carrier --- */

/* Whether another try may succeed soon, although nothing else changes. */
static bool is_passing(uint32_t result, uint32_t origin)
{
	if (origin == TEEC_ORIGIN_TRUSTED_APP)
		return result == TEEC_ERROR_BUSY;
	return result == TEEC_ERROR_BUSY || result == TEEC_ERROR_OUT_OF_MEMORY ||
	       result == TEEC_ERROR_COMMUNICATION || result == TEEC_ERROR_TARGET_DEAD;
}

/* libteec opens the device without O_CLOEXEC. A program that this process executes, perhaps as another
 * user, would inherit its sessions, and with them its identity. */
static void know_descriptor(struct optee_link *l)
{
	struct stat st;
	int flags;

	if (fstat(l->context.fd, &st) || !S_ISCHR(st.st_mode))
		return;
	flags = fcntl(l->context.fd, F_GETFD);
	if (flags < 0 || fcntl(l->context.fd, F_SETFD, flags | FD_CLOEXEC))
		return;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	l->is_known = true;
}

static bool is_still_ours(const struct optee_link *l)
{
	struct stat st;

	return !l->is_known ||
	       (fstat(l->context.fd, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino);
}

static void open_session(struct optee_link *l)
{
	static const struct tee_uuid application = OPTEE_TA_UUID;

	for (;;) {
		/* Not to be believed, only compared: wire/optee.h. */
		struct tee_operation op = {
			.types =
				TEEC_PARAM_TYPES(TEEC_VALUE_INPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE),
			.params[0].value.a = l->base.euid,
		};

		l->origin = 0;
		l->result = l->tee->open_session(&l->context, &l->session, &application,
			TEEC_LOGIN_USER, NULL, &op, &l->origin);
		if (!l->result || !is_passing(l->result, l->origin) || atomic_load(&l->left) ||
			now_ms() + RETRY_SLEEP_MS >= l->open_until_ms)
			return;
		sleep_ms(RETRY_SLEEP_MS);
	}
}

/* Undone before the memory goes back to malloc. False: then it must not go. */
static bool share_with_children(const struct optee_link *l)
{
	size_t size = 2 * (size_t)HALF;

	/* EINVAL: it is the driver's, and will be unmapped. */
	if (madvise(l->memory.buffer, size, MADV_KEEPONFORK) != 0)
		return errno == EINVAL;
	return madvise(l->memory.buffer, size, MADV_DODUMP) == 0;
}

/* A forked child gets neither the contents, which may be secret, nor, when it writes, pages that
 * OP-TEE takes for the parent's: with WIPEONFORK the parent's are not shared at all. That is for
 * private memory; what comes from the driver is shared, and a child does without it. */
static void keep_from_children(const struct optee_link *l)
{
	size_t size = 2 * (size_t)HALF;

	if (madvise(l->memory.buffer, size, MADV_WIPEONFORK) != 0)
		madvise(l->memory.buffer, size, MADV_DONTFORK);
	madvise(l->memory.buffer, size, MADV_DONTDUMP);
}

/* What is closed by number has to be checked first. */
static void drop_context(struct optee_link *l)
{
	if (!is_still_ours(l))
		return;
	if (share_with_children(l))
		l->tee->release(&l->memory);
	l->tee->finalize(&l->context);
}

static void carrier_open(struct optee_link *l)
{
	l->step = STEP_DEVICE;
	l->result = l->tee->initialize(NULL, &l->context);
	if (l->result)
		return;
	know_descriptor(l);
	l->step = STEP_MEMORY;
	l->memory.size = 2 * (size_t)HALF;
	l->memory.flags = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT;
	l->result = l->tee->allocate(&l->context, &l->memory);
	if (l->result) {
		l->tee->finalize(&l->context);
		return;
	}
	keep_from_children(l);
	l->step = STEP_SESSION;
	open_session(l);
	if (l->result)
		drop_context(l);
	else
		l->step = STEP_DONE;
}

static void carrier_invoke(struct optee_link *l)
{
	struct tee_operation op = {
		.types = TEEC_PARAM_TYPES(TEEC_MEMREF_PARTIAL_INPUT, TEEC_MEMREF_PARTIAL_OUTPUT,
			TEEC_NONE, TEEC_NONE),
		.params = {[OPTEE_PARAM_REQUEST].memref = {.parent = &l->memory,
				   .size = l->request_len},
			[OPTEE_PARAM_REPLY].memref = {.parent = &l->memory,
				.size = l->frame_max,
				.offset = HALF}},
	};

	l->origin = 0;
	l->result = l->tee->invoke(&l->session, l->command, &op, &l->origin);
	l->frame_len = op.params[OPTEE_PARAM_REPLY].memref.size;
}

static void carrier_close(struct optee_link *l)
{
	if (l->step != STEP_DONE || !is_still_ours(l))
		return;
	/* An answer that came too late was not wiped by its caller. */
	explicit_bzero(l->memory.buffer, 2 * (size_t)HALF);
	l->tee->close_session(&l->session);
	drop_context(l);
}

static void *carry(void *arg)
{
	struct optee_link *l = arg;

	carrier_open(l);
	for (;;) {
		sem_post(&l->done);
		while (sem_wait(&l->go) != 0)
			;
		if (atomic_load(&l->left))
			break;
		carrier_invoke(l);
	}
	if (atomic_load(&l->late))
		atomic_fetch_sub(stuck_count(), 1);
	carrier_close(l);
	sem_destroy(&l->go);
	sem_destroy(&l->done);
	free(l);
	return NULL;
}

/* The program's signals are for its own threads. */
static int start_carrier(struct optee_link *l)
{
	pthread_attr_t attr;
	sigset_t all, before;
	pthread_t thread;
	int error = pthread_attr_init(&attr);

	if (error)
		return error;
	sigfillset(&all);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	error = pthread_attr_setstacksize(&attr, CARRIER_STACK);
	if (!error)
		error = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!error) {
		error = pthread_create(&thread, &attr, carry, l);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	pthread_attr_destroy(&attr);
	return error;
}

/* --- The caller --- */

/* False: the deadline came first. */
static bool wait_for_carrier(struct optee_link *l, const struct deadline *d)
{
	struct timespec until = {
		.tv_sec = (time_t)(d->at_ms / 1000), .tv_nsec = (long)(d->at_ms % 1000) * 1000000};

	while (sem_clockwait(&l->done, CLOCK_MONOTONIC, &until) != 0)
		if (errno != EINTR)
			return false;
	return true;
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
	atomic_fetch_add(stuck_count(), 1);
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
	unsigned late = atomic_load(stuck_count());
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
	error = start_carrier(l);
	if (error) {
		free(l);
		return explain(KW_ERR_SYSTEM, "no thread can be started to talk to OP-TEE: %s",
			strerror(error));
	}
	if (!wait_for_carrier(l, d)) {
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
	l->base.request = request_of(l);
	l->base.reply = frame_of(l) + WIRE_HEADER;
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
	r = reader_over(frame_of(l), l->frame_len);
	x->answer = get_u16(&r);
	reserved = get_u16(&r);
	x->reply_len = reader_left(&r);
	return !r.failed && reserved == 0;
}

static enum kw_err optee_exchange(struct kw *kw, struct link *link, struct exchange *x)
{
	struct optee_link *l = optee(link);

	(void)kw;
	l->command = x->command;
	l->request_len = x->request_len;
	l->frame_max = WIRE_HEADER + x->reply_max;
	for (;;) {
		x->sent = true;
		sem_post(&l->go);
		if (!wait_for_carrier(l, x->deadline)) {
			give_up_waiting(l);
			return explain_slow(x->deadline, false);
		}
		if (!was_turned_away(l) || deadline_left(x->deadline) <= RETRY_SLEEP_MS)
			break;
		sleep_ms(RETRY_SLEEP_MS);
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

	drop_context(l);
	free(l);
}

const struct transport transport_optee = {
	.name = "optee",
	.tee_kind = TEE_KIND_OPTEE,
	.stranger = "is the Trusted Application of this version?",
	.log = "does tee-supplicant run, and has its disk room? systemctl status tee-supplicant",
	.open = optee_open,
	.exchange = optee_exchange,
	.close = optee_close,
	.abandon = optee_abandon,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* What speaks to libteec. */
#include "optee_carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "wire/optee.h"

/* The shared memory: each half begins on a page of its own, of 4 KiB or 64 KiB. */
#define HALF 65536u
_Static_assert(WIRE_MAX_FRAME <= HALF, "a frame fits in half of the shared memory");

/* A carrier calls libteec and nothing else; thread-local variables of the program come out of this. */
#define CARRIER_STACK ((size_t)256 * 1024)

_Atomic uint64_t optee_alive_ms;

/* Of this process: a child has none of its parent's threads. */
static struct {
	atomic_int pid;
	atomic_uint n;
} stuck;

atomic_uint *optee_stuck(void)
{
	int pid = (int)getpid();

	if (atomic_load(&stuck.pid) != pid) {
		atomic_store(&stuck.n, 0);
		atomic_store(&stuck.pid, pid);
	}
	return &stuck.n;
}

uint8_t *optee_request(const struct optee_link *l)
{
	return l->memory.buffer;
}

uint8_t *optee_frame(const struct optee_link *l)
{
	return (uint8_t *)l->memory.buffer + HALF;
}

void sleep_ms(unsigned ms)
{
	struct timespec t = {.tv_nsec = (long)ms * 1000000};

	nanosleep(&t, NULL);
}

/* tee-supplicant or the Trusted Application is being started again: another try may succeed soon. That
 * there is no room is for the caller to deal with. */
static bool is_restarting(uint32_t result, uint32_t origin)
{
	return origin != TEEC_ORIGIN_TRUSTED_APP &&
	       (result == TEEC_ERROR_COMMUNICATION || result == TEEC_ERROR_TARGET_DEAD);
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
			.types = TEEC_PARAM_TYPES(TEEC_VALUE_INPUT, TEEC_VALUE_INPUT,
				TEEC_VALUE_INPUT, TEEC_VALUE_INPUT),
			.params[0].value.a = l->base.euid,
		};

		/* What the kernel does not have yet is not waited for: it would only have made good
		 * better. */
		for (int i = 1; i < 4; i++)
			(void)!getrandom(
				&op.params[i].value, sizeof(op.params[i].value), GRND_NONBLOCK);

		l->origin = 0;
		l->result = l->tee->open_session(&l->context, &l->session, &application,
			TEEC_LOGIN_USER, NULL, &op, &l->origin);
		if (!l->result || !is_restarting(l->result, l->origin) || atomic_load(&l->left) ||
			now_ms() + OPTEE_RETRY_MS >= l->open_until_ms)
			return;
		sleep_ms(OPTEE_RETRY_MS);
	}
}

/* Undone before the memory goes back to malloc. False: then it must not go. */
static bool share_with_children(const struct optee_link *l)
{
	size_t size = 2 * (size_t)HALF;

	/* Memory of the driver's cannot be dumped at all, and is unmapped when it is released. */
	madvise(l->memory.buffer, size, MADV_DODUMP);
	return madvise(l->memory.buffer, size, MADV_KEEPONFORK) == 0 || errno == EINVAL;
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
void optee_drop(struct optee_link *l)
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
		optee_drop(l);
	else
		l->step = STEP_DONE;
}

void optee_invoke(struct optee_link *l)
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
	atomic_store(&optee_alive_ms, now_ms());
}

static void carrier_close(struct optee_link *l)
{
	if (l->step != STEP_DONE || !is_still_ours(l))
		return;
	/* An answer that came too late was not wiped by its caller. */
	explicit_bzero(l->memory.buffer, 2 * (size_t)HALF);
	l->tee->close_session(&l->session);
	optee_drop(l);
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
		optee_invoke(l);
	}
	if (atomic_load(&l->late))
		atomic_fetch_sub(optee_stuck(), 1);
	carrier_close(l);
	sem_destroy(&l->go);
	sem_destroy(&l->done);
	free(l);
	return NULL;
}

/* The program's signals are for its own threads. */
int carrier_start(struct optee_link *l)
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

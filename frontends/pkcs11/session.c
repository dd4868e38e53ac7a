/* SPDX-License-Identifier: BSD-2-Clause */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "login.h"
#include "object.h"
#include "operation.h"
#include "search.h"

/* A handle is a place in the table and how often it was used before, so that an old handle is not taken for
 * the session that has its place now. CK_ULONG has 32 bits on some machines. */
#define PLACE_BITS 20
#define PLACES_MAX (1u << PLACE_BITS)
#define TIMES_MASK 0x7ffu

struct place {
	struct session *session;
	unsigned times;
};

static struct place *places;
static unsigned room, lowest_free; /* nothing below it is free */
static struct {
	CK_ULONG all, rw;
} counts[KW_SLOT_MAX + 1]; /* by slot */

/* A call is about one session, and sees the objects of its slot. */
static _Thread_local CK_SLOT_ID slot_now;

CK_SLOT_ID session_slot_now(void)
{
	return slot_now;
}

static CK_SESSION_HANDLE handle_of(unsigned i)
{
	return ((CK_ULONG)(places[i].times & TIMES_MASK) << PLACE_BITS | i) + 1;
}

static struct session *find(CK_SESSION_HANDLE handle)
{
	unsigned i = (unsigned)(handle - 1) & (PLACES_MAX - 1);

	if (!handle || i >= room || !places[i].session || handle_of(i) != handle)
		return NULL;
	return places[i].session;
}

static void session_free(struct session *s)
{
	for (int i = 0; i < OP_KINDS; i++)
		operation_free(&s->operations[i]);
	search_free(&s->search);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* Under the module's lock. */
static void release(struct session *s)
{
	if (--s->refs == 0)
		session_free(s);
}

CK_RV session_get(CK_SESSION_HANDLE handle, struct session **session)
{
	CK_RV rv = CKR_SESSION_HANDLE_INVALID;
	struct session *s;

	*session = NULL;
	module_lock();
	if (!module_begin_call()) {
		module_unlock();
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	}
	s = find(handle);
	if (s)
		s->refs++;
	else
		module_end_call();
	module_unlock();
	if (!s)
		return rv;
	pthread_mutex_lock(&s->lock);
	slot_now = s->slot;
	*session = s;
	/* Somebody closed it while this thread waited for its turn. */
	if (atomic_load(&s->is_closed)) {
		session_put(session);
		return rv;
	}
	return CKR_OK;
}

void session_put(struct session **session)
{
	struct session *s = *session;

	*session = NULL;
	if (!s)
		return;
	slot_now = SLOT_DEFAULT;
	pthread_mutex_unlock(&s->lock);
	module_lock();
	release(s);
	module_end_call();
	module_unlock();
}

bool session_is_open(CK_SESSION_HANDLE handle)
{
	return find(handle) != NULL;
}

bool session_is_rw(const struct session *s)
{
	return s->flags & CKF_RW_SESSION;
}

void session_counts(CK_SLOT_ID slot, CK_ULONG *all, CK_ULONG *rw)
{
	module_lock();
	*all = counts[slot].all;
	*rw = counts[slot].rw;
	module_unlock();
}

/* Under the module's lock. */
static void close_place(unsigned i)
{
	struct session *s = places[i].session;

	object_forget_session(s->handle);
	places[i].session = NULL;
	places[i].times++;
	if (i < lowest_free)
		lowest_free = i;
	counts[s->slot].all--;
	if (session_is_rw(s))
		counts[s->slot].rw--;
	if (!counts[s->slot].all)
		login_over(s->slot);
	atomic_store(&s->is_closed, true);
	release(s);
}

static void close_slot(CK_SLOT_ID slot)
{
	for (unsigned i = 0; i < room; i++) {
		if (places[i].session && places[i].session->slot == slot)
			close_place(i);
	}
}

void session_close_all(void)
{
	for (unsigned i = 0; i < room; i++) {
		if (places[i].session)
			close_place(i);
	}
}

/*
 * The threads that used the sessions are not in the child. What they were at may be half changed: it is not
 * there any more, and not even freed.
 */
void session_after_fork(void)
{
	for (unsigned i = 0; i < room; i++) {
		struct session *s = places[i].session;

		if (!s)
			continue;
		pthread_mutex_init(&s->lock, NULL);
		if (s->refs == 1)
			continue;
		memset(s->operations, 0, sizeof(s->operations));
		s->search = NULL;
		s->refs = 1;
	}
}

/* Under the module's lock: a free place, or PLACES_MAX. */
static unsigned find_place(void)
{
	unsigned wanted = room ? 2 * room : 16;
	struct place *more;

	while (lowest_free < room && places[lowest_free].session)
		lowest_free++;
	if (lowest_free < room)
		return lowest_free;
	if (wanted > PLACES_MAX)
		return PLACES_MAX;
	more = realloc(places, wanted * sizeof(*places));
	if (!more)
		return PLACES_MAX;
	memset(more + room, 0, (wanted - room) * sizeof(*places));
	places = more;
	room = wanted;
	return lowest_free;
}

CK_RV C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
	CK_SESSION_HANDLE *handle)
{
	struct session *s = NULL;
	CK_RV rv = module_enter();
	unsigned i;

	(void)application;
	(void)notify; /* there is nothing to notify of */
	if (rv)
		return rv;
	rv = slot_check(slot);
	module_lock();
	if (rv)
		goto out;
	if (!module_is_ready())
		rv = CKR_CRYPTOKI_NOT_INITIALIZED;
	else if (!handle)
		rv = CKR_ARGUMENTS_BAD;
	else if (!(flags & CKF_SERIAL_SESSION))
		rv = CKR_SESSION_PARALLEL_NOT_SUPPORTED;
	else if (!(flags & CKF_RW_SESSION) && login_of(slot) == LOGIN_SO)
		rv = CKR_SESSION_READ_WRITE_SO_EXISTS;
	if (rv)
		goto out;
	rv = CKR_HOST_MEMORY;
	i = find_place();
	if (i == PLACES_MAX)
		goto out;
	s = calloc(1, sizeof(*s));
	if (!s)
		goto out;
	pthread_mutex_init(&s->lock, NULL);
	s->refs = 1;
	s->flags = flags;
	s->slot = slot;
	s->handle = handle_of(i);
	places[i].session = s;
	counts[slot].all++;
	if (session_is_rw(s))
		counts[slot].rw++;
	*handle = s->handle;
	rv = CKR_OK;
out:
	module_end_call();
	module_unlock();
	return rv;
}

CK_RV C_CloseSession(CK_SESSION_HANDLE handle)
{
	CK_RV rv = module_enter();

	if (rv)
		return rv;
	module_lock();
	if (!find(handle))
		rv = CKR_SESSION_HANDLE_INVALID;
	else
		close_place((unsigned)(handle - 1) & (PLACES_MAX - 1));
	module_unlock();
	login_settle();
	module_leave();
	return rv;
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slot)
{
	CK_RV rv = module_enter();

	if (rv)
		return rv;
	module_lock();
	if (slot > KW_SLOT_MAX)
		rv = CKR_SLOT_ID_INVALID;
	else
		close_slot(slot);
	module_unlock();
	login_settle();
	module_leave();
	return rv;
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE handle, CK_SESSION_INFO *info)
{
	struct session *s;
	CK_RV rv = session_get(handle, &s);

	if (rv)
		return rv;
	if (!info) {
		rv = CKR_ARGUMENTS_BAD;
		goto out;
	}
	memset(info, 0, sizeof(*info));
	info->slotID = s->slot;
	info->flags = s->flags;
	if (login_of(s->slot) == LOGIN_SO)
		info->state = CKS_RW_SO_FUNCTIONS;
	else if (login_of(s->slot) == LOGIN_USER)
		info->state = session_is_rw(s) ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
	else
		info->state = session_is_rw(s) ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
out:
	session_put(&s);
	return rv;
}

CK_RV C_SessionCancel(CK_SESSION_HANDLE handle, CK_FLAGS flags)
{
	static const struct {
		CK_FLAGS flag;
		enum operation_kind kind;
	} kinds[] = {{CKF_SIGN, OP_SIGN}, {CKF_VERIFY, OP_VERIFY}, {CKF_ENCRYPT, OP_ENCRYPT},
		{CKF_DECRYPT, OP_DECRYPT}, {CKF_DIGEST, OP_DIGEST},
		{CKF_MESSAGE_ENCRYPT, OP_MESSAGE_ENCRYPT},
		{CKF_MESSAGE_DECRYPT, OP_MESSAGE_DECRYPT}};
	struct session *s;
	CK_RV rv = session_get(handle, &s);

	if (rv)
		return rv;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (flags & kinds[i].flag)
			operation_free(&s->operations[kinds[i].kind]);
	}
	if (flags & 0x40UL) /* CKF_FIND_OBJECTS of version 3.0 */
		search_free(&s->search);
	session_put(&s);
	return CKR_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "session.h"

#include <stdlib.h>
#include <string.h>

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
static CK_ULONG count, rw_count;
static bool is_logged_in; /* for all sessions of the application with a token (5.6) */

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

void session_counts(CK_ULONG *all, CK_ULONG *rw)
{
	module_lock();
	*all = count;
	*rw = rw_count;
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
	count--;
	if (session_is_rw(s))
		rw_count--;
	if (!count)
		is_logged_in = false;
	atomic_store(&s->is_closed, true);
	release(s);
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
	CK_RV rv = CKR_OK;
	unsigned i;

	(void)application;
	(void)notify; /* there is nothing to notify of */
	module_lock();
	if (!module_is_ready())
		rv = CKR_CRYPTOKI_NOT_INITIALIZED;
	else if (slot != SLOT_DEFAULT)
		rv = CKR_SLOT_ID_INVALID;
	else if (!handle)
		rv = CKR_ARGUMENTS_BAD;
	else if (!(flags & CKF_SERIAL_SESSION))
		rv = CKR_SESSION_PARALLEL_NOT_SUPPORTED;
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
	s->handle = handle_of(i);
	places[i].session = s;
	count++;
	if (session_is_rw(s))
		rw_count++;
	*handle = s->handle;
	rv = CKR_OK;
out:
	module_unlock();
	return rv;
}

CK_RV C_CloseSession(CK_SESSION_HANDLE handle)
{
	CK_RV rv = CKR_OK;

	module_lock();
	if (!module_is_ready())
		rv = CKR_CRYPTOKI_NOT_INITIALIZED;
	else if (!find(handle))
		rv = CKR_SESSION_HANDLE_INVALID;
	else
		close_place((unsigned)(handle - 1) & (PLACES_MAX - 1));
	module_unlock();
	return rv;
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slot)
{
	CK_RV rv = CKR_OK;

	module_lock();
	if (!module_is_ready())
		rv = CKR_CRYPTOKI_NOT_INITIALIZED;
	else if (slot != SLOT_DEFAULT)
		rv = CKR_SLOT_ID_INVALID;
	else
		session_close_all();
	module_unlock();
	return rv;
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE handle, CK_SESSION_INFO *info)
{
	struct session *s;
	bool logged_in;
	CK_RV rv = session_get(handle, &s);

	if (rv)
		return rv;
	if (!info) {
		rv = CKR_ARGUMENTS_BAD;
		goto out;
	}
	memset(info, 0, sizeof(*info));
	info->slotID = SLOT_DEFAULT;
	info->flags = s->flags;
	module_lock();
	logged_in = is_logged_in;
	module_unlock();
	if (logged_in)
		info->state = session_is_rw(s) ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
	else
		info->state = session_is_rw(s) ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
out:
	session_put(&s);
	return rv;
}

/*
 * The default token asks for no PIN: who the caller is, the kernel says. Programs that log in without being
 * asked to are let in, and what they give as a PIN is not looked at.
 */
CK_RV C_Login(CK_SESSION_HANDLE handle, CK_USER_TYPE user, unsigned char *pin, CK_ULONG pin_len)
{
	CK_RV rv = CKR_OK;

	module_lock();
	if (!module_is_ready())
		rv = CKR_CRYPTOKI_NOT_INITIALIZED;
	else if (!find(handle))
		rv = CKR_SESSION_HANDLE_INVALID;
	else if (!pin && pin_len)
		rv = CKR_ARGUMENTS_BAD;
	else if (user == CKU_CONTEXT_SPECIFIC)
		rv = CKR_OPERATION_NOT_INITIALIZED; /* no key asks for it */
	else if (user != CKU_USER)
		rv = CKR_USER_TYPE_INVALID; /* nobody administers this token */
	else if (is_logged_in)
		rv = CKR_USER_ALREADY_LOGGED_IN;
	else
		is_logged_in = true;
	module_unlock();
	return rv;
}

CK_RV C_Logout(CK_SESSION_HANDLE handle)
{
	CK_RV rv = CKR_OK;

	module_lock();
	if (!module_is_ready())
		rv = CKR_CRYPTOKI_NOT_INITIALIZED;
	else if (!find(handle))
		rv = CKR_SESSION_HANDLE_INVALID;
	else if (!is_logged_in)
		rv = CKR_USER_NOT_LOGGED_IN;
	else
		is_logged_in = false;
	module_unlock();
	return rv;
}

/* Names of users came with version 3.0; no token of this module has them. */
CK_RV C_LoginUser(CK_SESSION_HANDLE handle, CK_USER_TYPE user, unsigned char *pin, CK_ULONG pin_len,
	unsigned char *name, CK_ULONG name_len)
{
	if (!name && name_len)
		return module_is_ready() ? CKR_ARGUMENTS_BAD : CKR_CRYPTOKI_NOT_INITIALIZED;
	return C_Login(handle, user, pin, pin_len);
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

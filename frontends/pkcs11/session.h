/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions are the module's own: the TEE knows nothing of them. A session is locked while a call uses it. */
#ifndef FRONTENDS_PKCS11_SESSION_H
#define FRONTENDS_PKCS11_SESSION_H

#include <pthread.h>
#include <stdatomic.h>

#include "module.h"

enum operation_kind {
	OP_SIGN,
	OP_VERIFY,
	OP_ENCRYPT,
	OP_DECRYPT,
	OP_DIGEST,
	OP_MESSAGE_ENCRYPT,
	OP_MESSAGE_DECRYPT,
	OP_KINDS
};

struct operation;
struct search;

struct session {
	CK_SESSION_HANDLE handle;
	CK_FLAGS flags;
	CK_SLOT_ID slot;
	pthread_mutex_t lock;
	unsigned refs; /* under the module's lock */
	atomic_bool is_closed;
	struct operation *operations[OP_KINDS];
	struct search *search;
};

/* CKR_CRYPTOKI_NOT_INITIALIZED, CKR_SESSION_HANDLE_INVALID. Give it back with session_put. */
CK_RV session_get(CK_SESSION_HANDLE handle, struct session **session);
void session_put(struct session **session);
bool session_is_rw(const struct session *s);
/* Of the slot, which is one. */
void session_counts(CK_SLOT_ID slot, CK_ULONG *all, CK_ULONG *rw);
/* The slot of the session that this thread's call has from session_get; without one the default. */
CK_SLOT_ID session_slot_now(void);

/* Under the module's lock. */
bool session_is_open(CK_SESSION_HANDLE handle);
void session_close_all(void);
void session_after_fork(void);

#endif

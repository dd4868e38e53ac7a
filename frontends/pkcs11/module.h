/* SPDX-License-Identifier: BSD-2-Clause */
/* The module's one state: whether it is initialized, its way to the TEE, its lock. */
#ifndef FRONTENDS_PKCS11_MODULE_H
#define FRONTENDS_PKCS11_MODULE_H

#include <keyward/keyward.h>
#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "cryptoki.h"

#define SLOT_DEFAULT 0UL

bool module_is_ready(void);
/* A call that needs the TEE, but no session: session_get and session_put do the same. CKR_CRYPTOKI_NOT_INITIALIZED. */
CK_RV module_enter(void);
void module_leave(void);
/* The same under the module's lock. */
bool module_begin_call(void);
void module_end_call(void);
/* In a call. It is there until the call's end, whatever C_Finalize does meanwhile. */
struct kw *module_kw(void);
/* For the tables of sessions and objects: short sections without a call to the TEE. Held over fork. */
void module_lock(void);
void module_unlock(void);

/*
 * The module's own libcrypto, for all that it computes. The application's may have been told to take RSA, EC or everything
 * from PKCS #11 by a provider or an ENGINE: from this module, which is about to call it.
 */
OSSL_LIB_CTX *module_libcrypto(void);

/* In a call: whether sessions can be opened there. CKR_SLOT_ID_INVALID, CKR_TOKEN_NOT_RECOGNIZED for a token that is not
 * initialized. */
CK_RV slot_check(CK_SLOT_ID slot);
/* Under the lock: what is known of the token is another TEE's from now on. */
void slot_forget(void);

/* Blank-padded, as the standard wants its texts. */
void module_pad(unsigned char *to, size_t size, const char *text);
/* Says why on standard error when KEYWARD_PKCS11_DEBUG is set. */
CK_RV module_error(enum kw_err err);
/* The standard's protocol for results of variable length (5.2): a NULL buffer asks for the size. True when
 * the caller is to write; else *rv is the answer. */
bool module_wants_output(const void *out, CK_ULONG *out_len, size_t needed, CK_RV *rv);

#endif

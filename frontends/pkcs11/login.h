/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has logged in to which slot: for all sessions of the application there (5.6). The TEE decides what that opens. */
#ifndef FRONTENDS_PKCS11_LOGIN_H
#define FRONTENDS_PKCS11_LOGIN_H

#include "module.h"

enum login { LOGIN_NOBODY, LOGIN_USER, LOGIN_SO };

enum login login_of(CK_SLOT_ID slot);
/* Private objects are there for the user, and for everybody on the default token. */
bool login_shows_private(CK_SLOT_ID slot);
/* How many logins to the slot are over: what began in one of them ends with it. */
unsigned login_ends(CK_SLOT_ID slot);
/* The TEE says that nobody has logged in: it was restarted, or the PIN was changed. */
void login_lost(CK_SLOT_ID slot);
/* Under the module's lock: the last session of the slot is closed. login_settle tells the TEE, without the lock. */
void login_over(CK_SLOT_ID slot);
void login_settle(void);
/* Under the module's lock: all of them are forgotten. */
void login_forget_all(void);

#endif

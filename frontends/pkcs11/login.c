/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens with PINs: making them, logging in and out, changing PINs. */
#include "login.h"

#include <stdatomic.h>
#include <string.h>

#include "operation.h"
#include "session.h"

static atomic_int logins[KW_SLOT_MAX + 1]; /* enum login, by slot */
static atomic_uint ends[KW_SLOT_MAX + 1];  /* how many logins are over */
static _Atomic uint64_t left;              /* slots whose logout the TEE has not been told of */

enum login login_of(CK_SLOT_ID slot)
{
	return slot <= KW_SLOT_MAX ? (enum login)atomic_load(&logins[slot]) : LOGIN_NOBODY;
}

bool login_shows_private(CK_SLOT_ID slot)
{
	return slot == SLOT_DEFAULT || login_of(slot) == LOGIN_USER;
}

unsigned login_ends(CK_SLOT_ID slot)
{
	return slot <= KW_SLOT_MAX ? atomic_load(&ends[slot]) : 0;
}

void login_lost(CK_SLOT_ID slot)
{
	int user = LOGIN_USER;

	if (slot != SLOT_DEFAULT && slot <= KW_SLOT_MAX &&
		atomic_compare_exchange_strong(&logins[slot], &user, LOGIN_NOBODY))
		atomic_fetch_add(&ends[slot], 1);
}

void login_over(CK_SLOT_ID slot)
{
	if (atomic_exchange(&logins[slot], LOGIN_NOBODY) == LOGIN_NOBODY || slot == SLOT_DEFAULT)
		return;
	atomic_fetch_add(&ends[slot], 1);
	object_forget_private(slot);
	object_renew_private(slot);
	refresh_forget();
	atomic_fetch_or(&left, UINT64_C(1) << slot);
}

void login_settle(void)
{
	uint64_t slots = atomic_exchange(&left, 0);

	for (unsigned slot = 1; slots && module_kw() && slot <= KW_SLOT_MAX; slot++) {
		/* One that the TEE has ended already is as good. */
		if (slots >> slot & 1)
			(void)!kw_token_logout(module_kw(), slot);
	}
}

void login_forget_all(void)
{
	for (unsigned slot = 0; slot <= KW_SLOT_MAX; slot++)
		atomic_store(&logins[slot], LOGIN_NOBODY);
	atomic_store(&left, 0);
}

/* Who is not on the token's list has no key that forbids anything. */
static CK_RV token_error(enum kw_err err)
{
	CK_RV rv = module_error(err);

	return err == KW_ERR_ACCESS ? CKR_FUNCTION_FAILED : rv;
}

static bool is_good_length(CK_ULONG n)
{
	return n >= KW_PIN_MIN && n <= KW_PIN_MAX;
}

/* --- C_InitToken --- */

/* 32 bytes, filled up with blanks. */
static bool take_label(const unsigned char *from, char label[KW_LABEL_MAX + 1])
{
	size_t n = KW_LABEL_MAX;

	while (n && from[n - 1] == ' ')
		n--;
	memcpy(label, from, n);
	label[n] = '\0';
	return strlen(label) == n;
}

static CK_RV init_token(
	CK_SLOT_ID slot, const unsigned char *pin, CK_ULONG pin_len, const unsigned char *label)
{
	char text[KW_LABEL_MAX + 1];
	struct kw_token_template t = {.slot = (unsigned)slot, .label = text, .so_pin = pin};
	CK_ULONG sessions, rw;
	CK_RV rv;

	if (slot > KW_SLOT_MAX)
		return CKR_SLOT_ID_INVALID;
	/* There is no other way to give a PIN than this. */
	if (!label || !pin)
		return CKR_ARGUMENTS_BAD;
	/* The default token belongs to whoever the kernel lets in. */
	if (slot == SLOT_DEFAULT)
		return CKR_TOKEN_WRITE_PROTECTED;
	session_counts(slot, &sessions, &rw);
	if (sessions)
		return CKR_SESSION_EXISTS;
	if (!is_good_length(pin_len))
		return CKR_PIN_LEN_RANGE;
	if (!take_label(label, text))
		return CKR_ARGUMENTS_BAD;
	t.so_pin_len = pin_len;
	rv = token_error(kw_token_init(module_kw(), &t));
	if (rv)
		return rv;
	module_lock();
	refresh_forget();
	module_unlock();
	return rv;
}

CK_RV C_InitToken(CK_SLOT_ID slot, unsigned char *pin, CK_ULONG pin_len, unsigned char *label)
{
	CK_RV rv = module_enter();

	if (rv)
		return rv;
	rv = init_token(slot, pin, pin_len, label);
	module_leave();
	return rv;
}

/* --- Logging in --- */

static enum kw_token_user as_user(enum login who)
{
	return who == LOGIN_SO ? KW_TOKEN_SO : KW_TOKEN_USER;
}

/* A PIN that was never set is not one that is locked. */
static CK_RV explain_locked(unsigned slot)
{
	struct kw_tokens *tokens = NULL;
	const struct kw_token *t = NULL;
	CK_RV rv = CKR_PIN_LOCKED;

	if (!kw_tokens_new(module_kw(), &tokens))
		t = kw_tokens_find(tokens, slot);
	if (t && !kw_token_has_user_pin(t))
		rv = CKR_USER_PIN_NOT_INITIALIZED;
	kw_tokens_free(&tokens);
	return rv;
}

static CK_RV check_state(const struct session *s, enum login wanted)
{
	enum login now = login_of(s->slot);
	int before = (int)now;
	CK_ULONG all, rw;

	/* Is it still true? Who was logged in before the TEE was restarted logs in again. */
	if (now == LOGIN_NOBODY || kw_token_check(module_kw(), (unsigned)s->slot, as_user(now)) ==
					   KW_ERR_NOT_LOGGED_IN) {
		module_lock();
		/* Another thread may have logged in since then. */
		if (atomic_compare_exchange_strong(&logins[s->slot], &before, LOGIN_NOBODY)) {
			atomic_fetch_add(&ends[s->slot], 1);
			object_forget_private(s->slot);
		}
		module_unlock();
		now = login_of(s->slot);
	}
	if (now != LOGIN_NOBODY)
		return now == wanted ? CKR_USER_ALREADY_LOGGED_IN
				     : CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
	session_counts(s->slot, &all, &rw);
	return wanted == LOGIN_SO && all != rw ? CKR_SESSION_READ_ONLY_EXISTS : CKR_OK;
}

/*
 * The TEE let the caller in. Who has no session any more is not logged in (5.6.3): another thread may have closed it while the
 * TEE looked at the PIN, and nobody would end this login.
 */
static CK_RV logged_in(const struct session *s, enum login who)
{
	int nobody = LOGIN_NOBODY;
	CK_RV rv = CKR_SESSION_CLOSED;

	module_lock();
	if (!atomic_load(&s->is_closed)) {
		if (s->slot != SLOT_DEFAULT)
			refresh_forget();
		/* Another thread may have been faster. */
		rv = atomic_compare_exchange_strong(&logins[s->slot], &nobody, (int)who)
			     ? CKR_OK
			     : CKR_USER_ALREADY_LOGGED_IN;
	} else if (s->slot != SLOT_DEFAULT && login_of(s->slot) == LOGIN_NOBODY) {
		atomic_fetch_or(&left, UINT64_C(1) << s->slot);
	}
	module_unlock();
	login_settle();
	return rv;
}

static CK_RV enter(const struct session *s, enum login who, const unsigned char *pin, CK_ULONG n)
{
	unsigned slot = (unsigned)s->slot;
	enum kw_err err;

	/* No PIN has such a length: not worth a try. */
	if (!is_good_length(n))
		return CKR_PIN_INCORRECT;
	err = kw_token_login(module_kw(), slot, as_user(who), pin, n);
	if (err == KW_ERR_PIN_LOCKED && who == LOGIN_USER)
		return explain_locked(slot);
	if (err)
		return token_error(err);
	return logged_in(s, who);
}

/*
 * The default token asks for no PIN: who the caller is, the kernel says. Programs that log in without being
 * asked to are let in, and what they give as a PIN is not looked at.
 */
static CK_RV enter_default(const struct session *s, enum login who)
{
	if (who == LOGIN_SO)
		return CKR_USER_TYPE_INVALID; /* nobody administers this token */
	return logged_in(s, who);
}

/* For one use of a key with CKA_ALWAYS_AUTHENTICATE: the TEE checks the PIN, and counts wrong ones. */
static CK_RV enter_for_operation(struct session *s, const unsigned char *pin, CK_ULONG n)
{
	struct operation *op = operation_waiting(s);
	CK_RV rv;

	if (!op)
		return CKR_OPERATION_NOT_INITIALIZED;
	if (!is_good_length(n))
		return CKR_PIN_INCORRECT;
	rv = token_error(kw_token_login(module_kw(), (unsigned)s->slot, KW_TOKEN_USER, pin, n));
	if (rv)
		return rv;
	op->needs_login = 0;
	/* The operation ended with the login, and that with the session, perhaps. */
	module_lock();
	if (login_of(s->slot) == LOGIN_NOBODY)
		atomic_fetch_or(&left, UINT64_C(1) << s->slot);
	module_unlock();
	login_settle();
	return rv;
}

CK_RV C_Login(CK_SESSION_HANDLE handle, CK_USER_TYPE user, unsigned char *pin, CK_ULONG pin_len)
{
	enum login who = user == CKU_SO ? LOGIN_SO : LOGIN_USER;
	struct session *s;
	CK_RV rv = session_get(handle, &s);

	if (rv)
		return rv;
	if (!pin && (pin_len || s->slot != SLOT_DEFAULT))
		rv = CKR_ARGUMENTS_BAD;
	else if (user == CKU_CONTEXT_SPECIFIC)
		rv = enter_for_operation(s, pin, pin_len);
	else if (user != CKU_SO && user != CKU_USER)
		rv = CKR_USER_TYPE_INVALID;
	else if (s->slot == SLOT_DEFAULT)
		rv = enter_default(s, who);
	else
		rv = check_state(s, who);
	if (!rv && s->slot != SLOT_DEFAULT && user != CKU_CONTEXT_SPECIFIC)
		rv = enter(s, who, pin, pin_len);
	session_put(&s);
	return rv;
}

/* Names of users came with version 3.0; no token of this module has them. */
CK_RV C_LoginUser(CK_SESSION_HANDLE handle, CK_USER_TYPE user, unsigned char *pin, CK_ULONG pin_len,
	unsigned char *name, CK_ULONG name_len)
{
	struct session *s;
	CK_RV rv = session_get(handle, &s);

	session_put(&s);
	if (!rv && !name && name_len)
		rv = CKR_ARGUMENTS_BAD;
	return rv ? rv : C_Login(handle, user, pin, pin_len);
}

CK_RV C_Logout(CK_SESSION_HANDLE handle)
{
	struct session *s;
	CK_RV rv = session_get(handle, &s);

	if (rv)
		return rv;
	module_lock();
	if (login_of(s->slot) == LOGIN_NOBODY)
		rv = CKR_USER_NOT_LOGGED_IN;
	else
		login_over(s->slot);
	module_unlock();
	login_settle();
	session_put(&s);
	return rv;
}

/* --- PINs --- */

CK_RV C_InitPIN(CK_SESSION_HANDLE session, unsigned char *pin, CK_ULONG pin_len)
{
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	if (login_of(s->slot) != LOGIN_SO)
		rv = CKR_USER_NOT_LOGGED_IN;
	else if (!pin)
		rv = CKR_ARGUMENTS_BAD;
	else if (!is_good_length(pin_len))
		rv = CKR_PIN_LEN_RANGE;
	else
		rv = token_error(kw_token_init_pin(module_kw(), (unsigned)s->slot, pin, pin_len));
	session_put(&s);
	return rv;
}

/* Of who is logged in, and of the user when nobody is. Who was logged in stays so. */
static CK_RV set_pin(const struct session *s, const unsigned char *old_pin, CK_ULONG old_len,
	const unsigned char *new_pin, CK_ULONG new_len)
{
	enum login who = login_of(s->slot);
	unsigned slot = (unsigned)s->slot;
	CK_RV rv;

	rv = token_error(kw_token_set_pin(
		module_kw(), slot, as_user(who), old_pin, old_len, new_pin, new_len));
	if (rv || who == LOGIN_NOBODY)
		return rv;
	rv = token_error(kw_token_login(module_kw(), slot, as_user(who), new_pin, new_len));
	/* The PIN is the new one all the same. */
	if (rv)
		atomic_store(&logins[slot], LOGIN_NOBODY);
	return CKR_OK;
}

CK_RV C_SetPIN(CK_SESSION_HANDLE session, unsigned char *old_pin, CK_ULONG old_len,
	unsigned char *new_pin, CK_ULONG new_len)
{
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	if ((!old_pin && (old_len || s->slot)) || (!new_pin && (new_len || s->slot)))
		rv = CKR_ARGUMENTS_BAD;
	else if (!session_is_rw(s))
		rv = CKR_SESSION_READ_ONLY;
	else if (s->slot == SLOT_DEFAULT)
		rv = CKR_TOKEN_WRITE_PROTECTED;
	else if (!is_good_length(new_len))
		rv = CKR_PIN_LEN_RANGE;
	else if (!is_good_length(old_len))
		rv = CKR_PIN_INCORRECT;
	else
		rv = set_pin(s, old_pin, old_len, new_pin, new_len);
	session_put(&s);
	return rv;
}

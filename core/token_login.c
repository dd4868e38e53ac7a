/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands with a PIN or a ticket: TOKEN_LOGIN, TOKEN_LOGOUT, AUTHORIZE, TOKEN_SET_PIN, TOKEN_INIT_PIN. */
#include "policy.h"
#include "token.h"

static const uint8_t *get_pin(struct reader *r, struct crypto_bytes *pin)
{
	return pin->p = get_field8(r, WIRE_PIN_MAX, &pin->n);
}

static bool is_user(uint8_t user)
{
	return user == TOKEN_SO || user == TOKEN_USER;
}

/* The token, for somebody who may try a PIN of it: others could lock it by trying. */
static enum kw_err get_allowed(struct call *c, uint8_t slot, struct token **t)
{
	enum kw_err err = token_get(c->core, slot, t);

	if (!err && !token_may_log_in(c->session, *t)) {
		atomic_fetch_add(&c->core->refusals, 1);
		token_free(t);
		err = KW_ERR_ACCESS;
	}
	return err;
}

/* Makes what a right PIN changed durable. A command that counted a try must not be run again for want of
 * memory. */
static enum kw_err keep(struct call *c, const struct token *t)
{
	enum kw_err err = token_keep(c->core, t, false);

	return err == KW_ERR_NO_MEMORY ? KW_ERR_LIMIT : err;
}

enum kw_err cmd_token_login(struct call *c, struct reader *req, struct writer *rsp)
{
	uint8_t slot = get_u8(req);
	uint8_t user = get_u8(req);
	uint8_t ticket[WIRE_TICKET_SIZE];
	struct crypto_bytes pin;
	struct token *t = NULL;
	enum kw_err err = KW_ERR_BAD_REQUEST;

	platform_mutex_lock(c->core->change);
	if (!get_pin(req, &pin) || !reader_done(req) || !is_user(user))
		goto out;
	err = get_allowed(c, slot, &t);
	if (!err)
		err = pin_try(c->core, t, (enum wire_token_user)user, pin);
	if (!err)
		err = keep(c, t);
	if (!err)
		err = login_add(c->core, c->session, slot, (enum wire_token_user)user, ticket);
	if (!err)
		put_bytes(rsp, ticket, sizeof(ticket));
out:
	platform_mutex_unlock(c->core->change);
	platform_wipe(ticket, sizeof(ticket));
	token_free(&t);
	return err;
}

enum kw_err cmd_token_logout(struct call *c, struct reader *req, struct writer *rsp)
{
	const uint8_t *ticket = get_bytes(req, WIRE_TICKET_SIZE);

	(void)rsp;
	if (!reader_done(req))
		return KW_ERR_BAD_REQUEST;
	return login_end(c->core, c->session, ticket);
}

enum kw_err cmd_authorize(struct call *c, struct reader *req, struct writer *rsp)
{
	static const uint8_t nobody[WIRE_TICKET_SIZE];
	const uint8_t *ticket = get_bytes(req, WIRE_TICKET_SIZE);

	(void)rsp;
	if (!reader_done(req))
		return KW_ERR_BAD_REQUEST;
	if (crypto_equal(ticket, nobody, sizeof(nobody))) {
		login_leave(c->session);
		return KW_ERR_OK;
	}
	return login_present(c->core, c->session, ticket);
}

enum kw_err cmd_token_set_pin(struct call *c, struct reader *req, struct writer *rsp)
{
	uint8_t slot = get_u8(req);
	uint8_t user = get_u8(req);
	struct crypto_bytes old, fresh;
	struct token *t = NULL;
	enum kw_err err = KW_ERR_BAD_REQUEST;

	(void)rsp;
	platform_mutex_lock(c->core->change);
	if (!get_pin(req, &old) || !get_pin(req, &fresh) || !reader_done(req) || !is_user(user) ||
		fresh.n < WIRE_PIN_MIN)
		goto out;
	err = get_allowed(c, slot, &t);
	if (!err)
		err = pin_try(c->core, t, (enum wire_token_user)user, old);
	if (err)
		goto out;
	err = pin_set(t, (enum wire_token_user)user, fresh);
	if (!err)
		err = keep(c, t);
	if (!err)
		login_end_all(c->core, slot, user);
	if (err == KW_ERR_NO_MEMORY)
		err = KW_ERR_LIMIT;
out:
	platform_mutex_unlock(c->core->change);
	token_free(&t);
	return err;
}

enum kw_err cmd_token_init_pin(struct call *c, struct reader *req, struct writer *rsp)
{
	uint8_t slot = get_u8(req);
	struct crypto_bytes pin;
	struct token *t = NULL;
	enum kw_err err = KW_ERR_BAD_REQUEST;

	(void)rsp;
	platform_mutex_lock(c->core->change);
	if (!get_pin(req, &pin) || !reader_done(req) || pin.n < WIRE_PIN_MIN)
		goto out;
	err = get_allowed(c, slot, &t);
	if (err)
		goto out;
	err = KW_ERR_NOT_LOGGED_IN;
	if (!login_holds(c->core, c->session, slot, TOKEN_SO))
		goto out;
	err = pin_set(t, TOKEN_USER, pin);
	if (!err)
		err = token_keep(c->core, t, false);
	if (!err)
		login_end_all(c->core, slot, TOKEN_USER);
out:
	platform_mutex_unlock(c->core->change);
	token_free(&t);
	return err;
}

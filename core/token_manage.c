/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about tokens themselves: TOKEN_LIST, TOKEN_INIT, TOKEN_DELETE, TOKEN_ACCESS. */
#include <string.h>

#include "key_make.h"
#include "policy.h"
#include "token.h"

/* UTF-8 is checked by those who show it; here only that it is text. Everybody has the list of tokens, and clients
 * take the whole of it for nonsense when there is a control character, U+0080 to U+009F among them. */
static bool label_is_good(const uint8_t *label, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (label[i] < ' ' || label[i] == 0x7f)
			return false;
		if (label[i] == 0xc2 && i + 1 < n && label[i + 1] < 0xa0)
			return false;
	}
	return true;
}

/* --- TOKEN_LIST --- */

static uint8_t token_rights(const struct session *s, const struct token *t)
{
	return (uint8_t)((token_may_log_in(s, t) ? RIGHT_USE : 0) |
			 (policy_may_manage(s, &t->owner) ? RIGHT_MANAGE : 0));
}

/* From the id, which is random, so no other token of any device has it; it changes with each initialisation. */
static void put_serial(struct writer *w, const struct token *t)
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < WIRE_SERIAL_SIZE / 2; i++) {
		put_u8(w, (uint8_t)digits[t->id[i] >> 4]);
		put_u8(w, (uint8_t)digits[t->id[i] & 15]);
	}
}

static void put_token(struct call *c, struct writer *w, const struct token *t)
{
	uint8_t state = 0;

	if (t->pins[TOKEN_USER - 1].is_set)
		state |= TOKEN_HAS_USER_PIN;
	if (login_holds(c->core, c->session, t->slot, TOKEN_SO))
		state |= TOKEN_SO_LOGGED_IN;
	if (login_holds(c->core, c->session, t->slot, TOKEN_USER))
		state |= TOKEN_USER_LOGGED_IN;
	put_u8(w, t->slot);
	put_field8(w, t->label, t->label_len);
	put_serial(w, t);
	put_u64(w, t->created);
	subject_put_identity(w, &t->owner);
	subject_put_acl(w, t->acl, t->acl_count);
	put_u8(w, token_rights(c->session, t));
	put_u8(w, state);
	put_u8(w, t->pins[TOKEN_SO - 1].tries);
	put_u8(w, t->pins[TOKEN_USER - 1].tries);
}

enum kw_err cmd_token_list(struct call *c, struct reader *req, struct writer *rsp)
{
	size_t start = rsp->len;
	struct token *t;
	uint8_t n = 0;
	enum kw_err err;

	if (!reader_done(req))
		return KW_ERR_BAD_REQUEST;
	put_u8(rsp, 0);
	for (uint8_t slot = 1; slot <= WIRE_SLOT_MAX; slot++) {
		err = token_get(c->core, slot, &t);
		if (err == KW_ERR_NO_TOKEN)
			continue;
		if (err)
			return err;
		put_token(c, rsp, t);
		token_free(&t);
		n++;
	}
	if (!rsp->failed)
		rsp->buf[start] = n;
	return KW_ERR_OK;
}

/* --- TOKEN_INIT --- */

struct init_request {
	uint8_t slot;
	const uint8_t *label;
	size_t label_len;
	struct crypto_bytes pin;
};

static bool get_pin(struct reader *r, struct crypto_bytes *pin)
{
	pin->p = get_field8(r, WIRE_PIN_MAX, &pin->n);
	return pin->p;
}

static enum kw_err prepare_new(struct call *c, const struct init_request *q, struct token **token)
{
	enum kw_err err = make_allowed(c);
	struct token *t;

	if (err)
		return err;
	t = platform_alloc(sizeof(*t));
	if (!t)
		return KW_ERR_NO_MEMORY;
	t->slot = q->slot;
	t->owner = c->session->user;
	*token = t;
	return KW_ERR_OK;
}

/* The token that is there: whoever may log in and knows the SO PIN takes it, with all that is on it. */
static enum kw_err prepare_again(struct call *c, const struct init_request *q, struct token *t)
{
	enum kw_err err;

	if (!token_may_log_in(c->session, t)) {
		atomic_fetch_add(&c->core->refusals, 1);
		return KW_ERR_ACCESS;
	}
	err = pin_try(c->core, t, TOKEN_SO, q->pin);
	t->state = TOKEN_IS_SWEPT;
	return err;
}

static enum kw_err init(struct call *c, const struct init_request *q, struct token *t, bool is_new)
{
	enum kw_err err;

	memcpy(t->label, q->label, q->label_len);
	t->label_len = q->label_len;
	t->created = platform_time();
	platform_wipe(t->pins, sizeof(t->pins));
	err = platform_random(t->id, sizeof(t->id));
	if (!err)
		err = pin_set(t, TOKEN_SO, q->pin);
	if (!err)
		err = token_keep(c->core, t, is_new);
	if (err)
		return err;
	login_end_all(c->core, q->slot, 0);
	if (token_sweep(c->core, q->slot))
		platform_log("token: slot %u could not be cleared of what was deleted",
			(unsigned)q->slot);
	return KW_ERR_OK;
}

enum kw_err cmd_token_init(struct call *c, struct reader *req, struct writer *rsp)
{
	struct init_request q = {.slot = get_u8(req)};
	struct identity acl[WIRE_ACL_MAX];
	struct token *t = NULL;
	unsigned acl_count = 0;
	bool is_new;
	enum kw_err err = KW_ERR_BAD_REQUEST;

	(void)rsp;
	q.label = get_field8(req, WIRE_LABEL_MAX, &q.label_len);
	platform_mutex_lock(c->core->change);
	if (!get_pin(req, &q.pin) || !subject_get_acl(req, acl, &acl_count) || !reader_done(req) ||
		!q.slot || q.slot > WIRE_SLOT_MAX || q.pin.n < WIRE_PIN_MIN ||
		!label_is_good(q.label, q.label_len))
		goto out;
	/* One that is being deleted goes first. */
	err = token_sweep(c->core, q.slot);
	if (err)
		goto out;
	err = token_get(c->core, q.slot, &t);
	is_new = err == KW_ERR_NO_TOKEN;
	if (is_new)
		err = prepare_new(c, &q, &t);
	else if (!err)
		err = prepare_again(c, &q, t);
	if (err)
		goto out;
	/* A list that nobody gave leaves the one that is there. */
	if (is_new || acl_count) {
		memcpy(t->acl, acl, acl_count * sizeof(acl[0]));
		t->acl_count = acl_count;
	}
	err = init(c, &q, t, is_new);
	if (err == KW_ERR_NO_MEMORY && !is_new)
		err = KW_ERR_LIMIT;
out:
	platform_mutex_unlock(c->core->change);
	token_free(&t);
	return err;
}

/* --- TOKEN_DELETE, TOKEN_ACCESS --- */

enum kw_err cmd_token_delete(struct call *c, struct reader *req, struct writer *rsp)
{
	uint8_t slot = get_u8(req);
	struct crypto_bytes pin;
	struct token *t = NULL;
	enum kw_err err = KW_ERR_BAD_REQUEST;

	(void)rsp;
	platform_mutex_lock(c->core->change);
	if (!get_pin(req, &pin) || !reader_done(req))
		goto out;
	err = token_get(c->core, slot, &t);
	if (err)
		goto out;
	/* An administrator needs no PIN: this is the way out when the SO's is locked or forgotten. */
	if (!pin.n)
		err = c->session->is_admin ? KW_ERR_OK : KW_ERR_NOT_OWNER;
	else
		err = token_may_log_in(c->session, t) ? pin_try(c->core, t, TOKEN_SO, pin)
						      : KW_ERR_ACCESS;
	if (err == KW_ERR_NOT_OWNER || err == KW_ERR_ACCESS)
		atomic_fetch_add(&c->core->refusals, 1);
	if (err)
		goto out;
	t->state = TOKEN_IS_GONE;
	err = token_keep(c->core, t, false);
	if (err) {
		err = err == KW_ERR_NO_MEMORY ? KW_ERR_LIMIT : err;
		goto out;
	}
	login_end_all(c->core, slot, 0);
	if (token_sweep(c->core, slot))
		platform_log(
			"token: slot %u could not be cleared of what was deleted", (unsigned)slot);
out:
	platform_mutex_unlock(c->core->change);
	token_free(&t);
	return err;
}

enum kw_err cmd_token_access(struct call *c, struct reader *req, struct writer *rsp)
{
	uint8_t slot = get_u8(req);
	uint8_t change = get_u8(req);
	struct token *t = NULL;
	struct identity who;
	bool changed;
	enum kw_err err = KW_ERR_BAD_REQUEST;

	(void)rsp;
	platform_mutex_lock(c->core->change);
	if (!subject_get_identity(req, &who) || !reader_done(req) ||
		(change != ACCESS_ALLOW && change != ACCESS_DENY))
		goto out;
	err = token_get(c->core, slot, &t);
	if (err)
		goto out;
	if (!policy_may_manage(c->session, &t->owner)) {
		atomic_fetch_add(&c->core->refusals, 1);
		err = KW_ERR_NOT_OWNER;
		goto out;
	}
	err = subject_change_acl(t->acl, &t->acl_count, change, &who, &changed);
	if (!err && changed)
		err = token_keep(c->core, t, false);
	/* Who was taken off the list is out at once, and the others log in again. */
	if (!err && changed && change == ACCESS_DENY)
		login_end_all(c->core, slot, 0);
out:
	platform_mutex_unlock(c->core->change);
	token_free(&t);
	return err;
}

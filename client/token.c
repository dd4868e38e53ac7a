/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens with PINs: what there are, and who logs in to them. */
#include "call.h"
#include "key.h"
#include "tickets.h"

#include <stdlib.h>
#include <string.h>

struct kw_token {
	unsigned slot;
	char label[KW_LABEL_MAX + 1];
	char serial[WIRE_SERIAL_SIZE + 1];
	uint64_t created;
	struct kw_identity owner;
	struct kw_identity allowed[WIRE_ACL_MAX];
	unsigned allowed_count;
	uint8_t rights;
	uint8_t state;
	uint8_t tries[2];
};

struct kw_tokens {
	unsigned count;
	struct kw_token at[];
};

/* --- The list --- */

static void get_text(struct reader *r, const uint8_t *p, size_t n, char *out)
{
	if (!p)
		return;
	if (!text_is_clean(p, n))
		r->failed = true;
	memcpy(out, p, n);
	out[n] = '\0';
}

static void get_token(struct reader *r, struct kw_token *t, unsigned above)
{
	const uint8_t *p;
	size_t n;

	t->slot = get_u8(r);
	p = get_field8(r, WIRE_LABEL_MAX, &n);
	get_text(r, p, n, t->label);
	get_text(r, get_bytes(r, WIRE_SERIAL_SIZE), WIRE_SERIAL_SIZE, t->serial);
	t->created = get_u64(r);
	get_identity(r, &t->owner);
	t->allowed_count = get_acl(r, t->allowed);
	t->rights = get_u8(r);
	t->state = get_u8(r);
	t->tries[0] = get_u8(r);
	t->tries[1] = get_u8(r);
	if (t->slot <= above || t->slot > WIRE_SLOT_MAX || t->tries[0] > WIRE_PIN_TRIES ||
		t->tries[1] > WIRE_PIN_TRIES)
		r->failed = true;
}

static enum kw_err get_tokens(struct reader *r, struct kw_tokens **tokens)
{
	unsigned count = get_u8(r), above = 0;
	struct kw_tokens *t;

	if (count > WIRE_SLOT_MAX)
		return KW_ERR_PROTOCOL;
	t = calloc(1, sizeof(*t) + count * sizeof(t->at[0]));
	if (!t)
		return explain(KW_ERR_NO_MEMORY, "there is no memory for a list of tokens");
	t->count = count;
	for (unsigned i = 0; i < count && !r->failed; i++) {
		get_token(r, &t->at[i], above);
		above = t->at[i].slot;
	}
	if (!reader_done(r)) {
		free(t);
		return KW_ERR_PROTOCOL;
	}
	*tokens = t;
	return KW_ERR_OK;
}

enum kw_err kw_tokens_new(struct kw *kw, struct kw_tokens **tokens)
{
	struct reader rsp;
	struct call c;
	enum kw_err err;

	if (!tokens)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	*tokens = NULL;
	err = call_begin(&c, kw, CMD_TOKEN_LIST);
	if (err)
		goto out;
	err = call_run(&c, &rsp);
	if (err) {
		err = call_refused(&c, err, NULL);
		goto out;
	}
	err = get_tokens(&rsp, tokens);
	if (err == KW_ERR_PROTOCOL)
		err = call_nonsense(&c);
out:
	call_end(&c);
	return err;
}

void kw_tokens_free(struct kw_tokens **tokens)
{
	if (!tokens)
		return;
	free(*tokens);
	*tokens = NULL;
}

unsigned kw_tokens_count(const struct kw_tokens *t)
{
	return t->count;
}

const struct kw_token *kw_tokens_at(const struct kw_tokens *t, unsigned i)
{
	return i < t->count ? &t->at[i] : NULL;
}

const struct kw_token *kw_tokens_find(const struct kw_tokens *t, unsigned slot)
{
	for (unsigned i = 0; i < t->count; i++) {
		if (t->at[i].slot == slot)
			return &t->at[i];
	}
	return NULL;
}

unsigned kw_token_slot(const struct kw_token *t)
{
	return t->slot;
}

const char *kw_token_label(const struct kw_token *t)
{
	return t->label;
}

const char *kw_token_serial(const struct kw_token *t)
{
	return t->serial;
}

uint64_t kw_token_created(const struct kw_token *t)
{
	return t->created;
}

struct kw_identity kw_token_owner(const struct kw_token *t)
{
	return t->owner;
}

unsigned kw_token_allowed(const struct kw_token *t)
{
	return t->allowed_count;
}

struct kw_identity kw_token_allowed_at(const struct kw_token *t, unsigned i)
{
	return i < t->allowed_count ? t->allowed[i] : (struct kw_identity){0};
}

bool kw_token_may_log_in(const struct kw_token *t)
{
	return t->rights & RIGHT_USE;
}

bool kw_token_may_manage(const struct kw_token *t)
{
	return t->rights & RIGHT_MANAGE;
}

bool kw_token_has_user_pin(const struct kw_token *t)
{
	return t->state & TOKEN_HAS_USER_PIN;
}

unsigned kw_token_tries(const struct kw_token *t, enum kw_token_user user)
{
	return t->tries[user == KW_TOKEN_SO ? 0 : 1];
}

/* --- Requests --- */

static enum kw_err put_slot(struct writer *w, unsigned slot)
{
	if (!slot || slot > KW_SLOT_MAX)
		return explain(KW_ERR_ARGUMENT, "tokens with PINs have the slots 1 to %d, not %u",
			KW_SLOT_MAX, slot);
	put_u8(w, (uint8_t)slot);
	return KW_ERR_OK;
}

static enum kw_err put_pin(struct writer *w, const void *pin, size_t len)
{
	if (!pin || len < KW_PIN_MIN || len > KW_PIN_MAX)
		return explain(KW_ERR_ARGUMENT, "a PIN has %d to %d bytes", KW_PIN_MIN, KW_PIN_MAX);
	put_field8(w, pin, len);
	return KW_ERR_OK;
}

/* Starts a request about a slot; call_end is due in any case. Nothing of it stays in the buffers. */
static enum kw_err begin(struct call *c, struct kw *kw, uint16_t command, unsigned slot)
{
	enum kw_err err = call_begin(c, kw, command);

	if (err)
		return err;
	c->secret = true;
	return put_slot(&c->req, slot);
}

/* Sends it, for a reply of n bytes. */
static enum kw_err finish(struct call *c, unsigned slot, size_t n, uint8_t *out)
{
	struct subject subject = {.slot = slot};
	struct reader rsp;
	enum kw_err err = call_run(c, &rsp);

	if (err)
		return call_refused(c, err, &subject);
	if (n)
		get_copy(&rsp, out, n);
	return reader_done(&rsp) ? KW_ERR_OK : call_nonsense(c);
}

enum kw_err kw_token_init(struct kw *kw, const struct kw_token_template *t)
{
	size_t len;
	struct call c;
	enum kw_err err;

	if (!t || !t->label || (!t->allow && t->allow_count))
		return explain(KW_ERR_ARGUMENT, "there is no description of the token to make");
	len = strnlen(t->label, KW_LABEL_MAX + 1);
	if (len > KW_LABEL_MAX || !text_is_clean((const uint8_t *)t->label, len))
		return explain(KW_ERR_ARGUMENT,
			"a token's label has at most %d bytes, and no control characters",
			KW_LABEL_MAX);
	err = begin(&c, kw, CMD_TOKEN_INIT, t->slot);
	if (err)
		goto out;
	put_field8(&c.req, t->label, len);
	err = put_pin(&c.req, t->so_pin, t->so_pin_len);
	if (!err)
		err = put_acl(&c.req, t->allow, t->allow_count);
	if (!err)
		err = finish(&c, t->slot, 0, NULL);
	if (!err)
		ticket_forget(kw, t->slot);
out:
	call_end(&c);
	return err;
}

enum kw_err kw_token_delete(struct kw *kw, unsigned slot, const void *so_pin, size_t len)
{
	struct call c;
	enum kw_err err = begin(&c, kw, CMD_TOKEN_DELETE, slot);

	if (err)
		goto out;
	if (so_pin)
		err = put_pin(&c.req, so_pin, len);
	else
		put_u8(&c.req, 0);
	if (!err)
		err = finish(&c, slot, 0, NULL);
	if (!err)
		ticket_forget(kw, slot);
out:
	call_end(&c);
	return err;
}

static enum kw_err change_access(
	struct kw *kw, unsigned slot, uint8_t change, struct kw_identity who)
{
	struct call c;
	enum kw_err err = begin(&c, kw, CMD_TOKEN_ACCESS, slot);

	if (err)
		goto out;
	put_u8(&c.req, change);
	put_identity(&c.req, &who);
	err = finish(&c, slot, 0, NULL);
out:
	call_end(&c);
	return err;
}

enum kw_err kw_token_allow(struct kw *kw, unsigned slot, struct kw_identity who)
{
	return change_access(kw, slot, ACCESS_ALLOW, who);
}

enum kw_err kw_token_deny(struct kw *kw, unsigned slot, struct kw_identity who)
{
	return change_access(kw, slot, ACCESS_DENY, who);
}

/* --- Logins --- */

enum kw_err kw_token_login(
	struct kw *kw, unsigned slot, enum kw_token_user user, const void *pin, size_t len)
{
	struct ticket t = {.user = enum_byte(user)};
	struct call c;
	enum kw_err err = begin(&c, kw, CMD_TOKEN_LOGIN, slot);

	if (err)
		goto out;
	put_u8(&c.req, t.user);
	err = put_pin(&c.req, pin, len);
	if (!err)
		err = finish(&c, slot, sizeof(t.bytes), t.bytes);
out:
	call_end(&c);
	/* The other of the token's two users, or the same again. */
	if (!err)
		(void)!kw_token_logout(kw, slot);
	if (!err)
		ticket_set(kw, slot, &t);
	explicit_bzero(&t, sizeof(t));
	return err;
}

/* A request that is a ticket. */
static enum kw_err present(struct kw *kw, uint16_t command, unsigned slot, const struct ticket *t)
{
	struct call c;
	enum kw_err err = call_begin(&c, kw, command);

	if (err)
		goto out;
	c.secret = true;
	put_bytes(&c.req, t->bytes, sizeof(t->bytes));
	err = finish(&c, slot, 0, NULL);
out:
	call_end(&c);
	return err;
}

static enum kw_err explain_no_login(unsigned slot)
{
	return explain(KW_ERR_NOT_LOGGED_IN, "nobody has logged in to the token in slot %u", slot);
}

enum kw_err kw_token_logout(struct kw *kw, unsigned slot)
{
	struct ticket t;
	enum kw_err err = KW_ERR_OK;

	if (!kw || !slot || slot > KW_SLOT_MAX || !ticket_get(kw, slot, &t))
		return explain_no_login(slot);
	ticket_forget(kw, slot);
	/* A child's logout is not its parent's. */
	if (t.is_ours)
		err = present(kw, CMD_TOKEN_LOGOUT, slot, &t);
	explicit_bzero(&t, sizeof(t));
	return err;
}

enum kw_err kw_token_check(struct kw *kw, unsigned slot, enum kw_token_user user)
{
	struct ticket t;
	enum kw_err err;

	if (!kw || !slot || slot > KW_SLOT_MAX || !ticket_get(kw, slot, &t))
		return explain_no_login(slot);
	err = t.user == enum_byte(user) ? present(kw, CMD_AUTHORIZE, slot, &t)
					: explain_no_login(slot);
	explicit_bzero(&t, sizeof(t));
	return err;
}

enum kw_err kw_token_set_pin(struct kw *kw, unsigned slot, enum kw_token_user user,
	const void *old_pin, size_t old_len, const void *new_pin, size_t new_len)
{
	struct call c;
	enum kw_err err = begin(&c, kw, CMD_TOKEN_SET_PIN, slot);

	if (err)
		goto out;
	put_u8(&c.req, enum_byte(user));
	err = put_pin(&c.req, old_pin, old_len);
	if (!err)
		err = put_pin(&c.req, new_pin, new_len);
	if (!err)
		err = finish(&c, slot, 0, NULL);
out:
	call_end(&c);
	return err;
}

enum kw_err kw_token_init_pin(struct kw *kw, unsigned slot, const void *pin, size_t len)
{
	struct call c;
	enum kw_err err = begin(&c, kw, CMD_TOKEN_INIT_PIN, slot);

	if (err)
		goto out;
	err = put_pin(&c.req, pin, len);
	if (!err)
		err = finish(&c, slot, 0, NULL);
out:
	call_end(&c);
	return err;
}

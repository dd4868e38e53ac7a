/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens: keys and objects that need a PIN, besides the right identity. A token has a slot that it keeps,
 * a security officer, who sets the user's PIN and cannot use the keys, and a user. Each of the two PINs is
 * locked after WIRE_PIN_TRIES wrong ones in a row. All tokens are in memory, and in the store.
 */
#ifndef CORE_TOKEN_H
#define CORE_TOKEN_H

#include "core_state.h"

#define PIN_SALT_SIZE 32
#define PIN_VERIFIER_SIZE 32

struct pin {
	bool is_set;
	uint8_t tries; /* left */
	uint8_t salt[PIN_SALT_SIZE];
	uint8_t verifier[PIN_VERIFIER_SIZE];
};

enum token_state {
	TOKEN_IS_GOOD = 0,
	TOKEN_IS_SWEPT = 1, /* initialised again: what was on it before may still be in the store */
	TOKEN_IS_GONE = 2,  /* deleted: the same, and then the token itself */
};

struct token {
	uint8_t slot;
	uint8_t state; /* enum token_state */
	uint8_t id[WIRE_ID_SIZE];
	uint64_t created; /* seconds since 1970, of the last initialisation */
	struct identity owner;
	struct identity acl[WIRE_ACL_MAX]; /* who may log in, besides owner and administrators */
	unsigned acl_count;
	char label[WIRE_LABEL_MAX];
	size_t label_len;
	struct pin pins[2]; /* of enum wire_token_user - 1 */
};

/* --- token.c: the tokens that there are --- */

/* Reads them from the store, and ends what a crash interrupted. */
enum kw_err tokens_open(struct core *core) KW_MUST_USE;
void tokens_close(struct core *core);

/* A copy of the token in the slot, for a change, wiped when it is freed. KW_ERR_NO_TOKEN: also when it is
 * being deleted. */
enum kw_err token_get(struct core *core, uint8_t slot, struct token **token) KW_MUST_USE;
void token_free(struct token **token);
/* The same token under core->change: KW_ERR_NO_TOKEN. A reference for what is to be made on it. */
enum kw_err token_find(struct core *core, uint8_t slot, struct token_ref *ref) KW_MUST_USE;

/* Under core->change. Makes the token durable as *t is, then shows it. On error nothing has changed. */
enum kw_err token_keep(struct core *core, const struct token *t, bool is_new) KW_MUST_USE;
/* Under core->change: deletes what is in the slot and not on the token, and ends the token's own change of
 * state. What is left after an error is done when the TEE starts, or before the slot's next change. */
enum kw_err token_sweep(struct core *core, uint8_t slot) KW_MUST_USE;

bool token_may_log_in(const struct session *s, const struct token *t) KW_MUST_USE;

/* May this connection use what is on the token? The user must have logged in. KW_ERR_NO_TOKEN: it was on
 * one that is not there any more, and is to be treated as if it were not there either. */
enum kw_err token_check(
	struct core *core, const struct session *s, const struct token_ref *ref) KW_MUST_USE;
/* The same without a login: is it on a token that is there? */
bool token_is_there(struct core *core, const struct token_ref *ref) KW_MUST_USE;

/* --- token_record.c --- */

/* The id that the store has the slot's token under. */
enum kw_err token_store_id(uint8_t slot, uint8_t id[WIRE_ID_SIZE]) KW_MUST_USE;
/* out has STORE_TOKEN_MAX bytes. PINs' states are encrypted, all else is authenticated. */
enum kw_err token_record_seal(
	const struct record_key *rk, const struct token *t, uint8_t *out, size_t *len) KW_MUST_USE;
/* KW_ERR_CORRUPT, _OTHER_DEVICE, _STORE_VERSION. */
enum kw_err token_record_open(
	const struct record_key *rk, uint8_t *record, size_t len, struct token *t) KW_MUST_USE;

/* --- token_pin.c --- */

/* In *t only. KW_ERR_BAD_REQUEST: too short or too long. */
enum kw_err pin_set(
	struct token *t, enum wire_token_user user, struct crypto_bytes pin) KW_MUST_USE;
/*
 * Under core->change: one try. It is counted in the store before the PIN is looked at, so that neither a
 * crash nor a failing disk gives another. When the PIN is right *t has all tries again, and the caller
 * makes that durable with whatever else it changes. KW_ERR_PIN, _PIN_LOCKED, storage errors.
 */
enum kw_err pin_try(struct core *core, struct token *t, enum wire_token_user user,
	struct crypto_bytes pin) KW_MUST_USE;

/* --- login.c: who has logged in --- */

enum kw_err logins_new(struct core *core) KW_MUST_USE;
void logins_free(struct core *core);
/* A login of the caller, who has proved that he knows the PIN; also valid on this connection. */
enum kw_err login_add(struct core *core, const struct session *s, uint8_t slot,
	enum wire_token_user user, uint8_t ticket[WIRE_TICKET_SIZE]) KW_MUST_USE;
/* KW_ERR_NOT_LOGGED_IN: no such ticket of this caller. */
enum kw_err login_present(struct core *core, const struct session *s,
	const uint8_t ticket[WIRE_TICKET_SIZE]) KW_MUST_USE;
enum kw_err login_end(struct core *core, const struct session *s,
	const uint8_t ticket[WIRE_TICKET_SIZE]) KW_MUST_USE;
/* The connection has none of its logins any more; they go on elsewhere. */
void login_leave(const struct session *s);
/* All that the slot's PIN gave; user 0: either. */
void login_end_all(struct core *core, uint8_t slot, uint8_t user);
bool login_holds(struct core *core, const struct session *s, uint8_t slot,
	enum wire_token_user user) KW_MUST_USE;

#endif

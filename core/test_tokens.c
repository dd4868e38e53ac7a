/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens as a caller meets them: who logs in, what that opens, and what ends it. Guesses of PINs, and changes, with
 * storage that fails or a machine that stops at each step.
 */
#include "test_calls.h"

#include <stdio.h>

#define SO_PIN "12345678"
#define USER_PIN "4711"
#define SLOT 3

struct ticket {
	uint8_t b[WIRE_TICKET_SIZE];
};

static void put_text(struct writer *w, const char *s)
{
	put_field8(w, s, strlen(s));
}

static enum kw_err init_as(uint32_t uid, uint8_t slot, const char *label, const char *pin)
{
	struct writer w = fresh();

	put_u8(&w, slot);
	put_text(&w, label);
	put_text(&w, pin);
	put_u8(&w, 1);
	put_u8(&w, IDENTITY_USER);
	put_u32(&w, SERVER);
	return call(uid, CMD_TOKEN_INIT, &w);
}

static enum kw_err login_as(
	uint32_t uid, uint8_t slot, uint8_t user, const char *pin, struct ticket *t)
{
	struct writer w = fresh();
	enum kw_err err;

	put_u8(&w, slot);
	put_u8(&w, user);
	put_text(&w, pin);
	err = call(uid, CMD_TOKEN_LOGIN, &w);
	if (!err) {
		assert_int_equal(reply_len, WIRE_TICKET_SIZE);
		if (t)
			memcpy(t->b, reply, sizeof(t->b));
	}
	return err;
}

static enum kw_err login(uint8_t user, const char *pin)
{
	return login_as(OWNER, SLOT, user, pin, NULL);
}

static enum kw_err with_ticket(uint32_t uid, uint16_t command, const struct ticket *t)
{
	struct writer w = fresh();

	put_bytes(&w, t->b, sizeof(t->b));
	return call(uid, command, &w);
}

static enum kw_err set_pin(uint8_t user, const char *old, const char *new)
{
	struct writer w = fresh();

	put_u8(&w, SLOT);
	put_u8(&w, user);
	put_text(&w, old);
	put_text(&w, new);
	return call(OWNER, CMD_TOKEN_SET_PIN, &w);
}

static enum kw_err init_pin(const char *pin)
{
	struct writer w = fresh();

	put_u8(&w, SLOT);
	put_text(&w, pin);
	return call(OWNER, CMD_TOKEN_INIT_PIN, &w);
}

static enum kw_err delete_token(uint32_t uid, uint8_t slot, const char *pin)
{
	struct writer w = fresh();

	put_u8(&w, slot);
	put_text(&w, pin);
	return call(uid, CMD_TOKEN_DELETE, &w);
}

static enum kw_err change_access(uint32_t uid, uint8_t change, uint32_t whom)
{
	struct writer w = fresh();

	put_u8(&w, SLOT);
	put_u8(&w, change);
	put_u8(&w, IDENTITY_USER);
	put_u32(&w, whom);
	return call(uid, CMD_TOKEN_ACCESS, &w);
}

struct shown {
	bool is_there;
	char label[WIRE_LABEL_MAX + 1];
	uint8_t serial[WIRE_SERIAL_SIZE];
	uint32_t owner;
	unsigned allowed;
	uint8_t rights, state, so_tries, tries;
};

static struct shown shown_as(uint32_t uid, uint8_t slot)
{
	struct writer w = fresh();
	struct shown s = {0}, one;
	struct reader r;
	const uint8_t *p;
	size_t n;

	assert_int_equal(call(uid, CMD_TOKEN_LIST, &w), 0);
	r = reader_over(reply, reply_len);
	for (unsigned i = get_u8(&r); i; i--) {
		uint8_t at = get_u8(&r);

		one = (struct shown){.is_there = true};
		p = get_field8(&r, WIRE_LABEL_MAX, &n);
		assert_non_null(p);
		memcpy(one.label, p, n);
		get_copy(&r, one.serial, sizeof(one.serial));
		get_u64(&r);
		assert_int_equal(get_u8(&r), IDENTITY_USER);
		one.owner = get_u32(&r);
		one.allowed = get_u8(&r);
		get_bytes(&r, 5 * (size_t)one.allowed);
		one.rights = get_u8(&r);
		one.state = get_u8(&r);
		one.so_tries = get_u8(&r);
		one.tries = get_u8(&r);
		if (at == slot)
			s = one;
	}
	assert_true(reader_done(&r));
	return s;
}

static struct shown shown(void)
{
	return shown_as(OWNER, SLOT);
}

/* A token in SLOT, with both PINs set. Nobody is logged in on this connection. */
static void make_token(void)
{
	struct ticket t;

	assert_int_equal(init_as(OWNER, SLOT, "first", SO_PIN), 0);
	assert_int_equal(login_as(OWNER, SLOT, TOKEN_SO, SO_PIN, &t), 0);
	assert_int_equal(init_pin(USER_PIN), 0);
	assert_int_equal(with_ticket(OWNER, CMD_TOKEN_LOGOUT, &t), 0);
}

static enum kw_err generate_on_as(uint32_t uid, uint8_t slot, const char *name)
{
	struct writer w = fresh();

	put_u8(&w, KEY_TYPE_ED25519);
	put_u8(&w, PLACE_TOKEN);
	put_u8(&w, slot);
	put_u32(&w, PURPOSE_SIGN);
	put_text(&w, name);
	put_u8(&w, 1);
	put_u8(&w, IDENTITY_USER);
	put_u32(&w, SERVER);
	put_field16(&w, NULL, 0);
	return call(uid, CMD_KEY_GENERATE, &w);
}

static struct id generate_on(uint8_t slot, const char *name)
{
	assert_int_equal(generate_on_as(OWNER, slot, name), 0);
	assert_int_equal(reply[WIRE_ID_SIZE + 2], PLACE_TOKEN);
	assert_int_equal(reply[WIRE_ID_SIZE + 3], slot);
	return made();
}

static enum kw_err sign_as(uint32_t uid, struct id id)
{
	struct writer w = fresh();

	put_bytes(&w, id.b, sizeof(id.b));
	put_u8(&w, SCHEME_EDDSA);
	put_u8(&w, HASH_NONE);
	put_u8(&w, INPUT_MESSAGE);
	put_u16(&w, 0);
	put_field32(&w, "message", 7);
	return call(uid, CMD_SIGN, &w);
}

static enum kw_err on_key(uint16_t command, struct id id)
{
	struct writer w = fresh();

	put_u8(&w, TARGET_ID);
	put_bytes(&w, id.b, sizeof(id.b));
	if (command == CMD_KEY_RENAME) {
		put_text(&w, "renamed");
		put_u8(&w, 0);
	} else if (command == CMD_KEY_ACCESS) {
		put_u8(&w, ACCESS_ALLOW);
		put_u8(&w, IDENTITY_USER);
		put_u32(&w, STRANGER);
	} else if (command == CMD_KEY_ATTRIBUTES) {
		put_field16(&w, "x", 1);
	} else if (command == CMD_KEY_CSR) {
		put_u8(&w, 1);
		put_text(&w, "CN");
		put_text(&w, "somebody");
		put_u8(&w, 0);
	}
	return call(OWNER, command, &w);
}

static enum kw_err put_object(uint8_t slot, uint8_t is_public)
{
	struct writer w = fresh();

	put_u8(&w, OBJECT_NEW_ON_TOKEN);
	put_u8(&w, slot);
	put_u8(&w, OBJECT_DATA);
	put_u8(&w, is_public);
	put_u8(&w, 0);
	put_field16(&w, NULL, 0);
	put_field16(&w, "value", 5);
	return call(OWNER, CMD_OBJECT_PUT, &w);
}

static enum kw_err on_object(uint32_t uid, uint16_t command, struct id id)
{
	struct writer w = fresh();

	put_bytes(&w, id.b, sizeof(id.b));
	return call(uid, command, &w);
}

static unsigned count(uint32_t uid, uint16_t command)
{
	uint32_t cursor = 0;
	unsigned n = 0;

	do {
		struct writer w = fresh();
		struct reader r;

		put_u32(&w, cursor);
		assert_int_equal(call(uid, command, &w), 0);
		r = reader_over(reply, reply_len);
		cursor = get_u32(&r);
		n += get_u16(&r);
	} while (cursor);
	return n;
}

#ifndef KW_LIVE_TEE
static void reopen(void)
{
	core_close(&core);
	assert_int_equal(core_open(NULL, &core), 0);
}
#endif

/* --- */

static void test_life_of_a_token(void **state)
{
	struct shown s;
	struct id id;

	(void)state;
	assert_false(shown().is_there);
	assert_int_equal(login(TOKEN_SO, SO_PIN), KW_ERR_NO_TOKEN);
	assert_int_equal(init_as(OWNER, SLOT, "first", SO_PIN), 0);
	s = shown();
	assert_true(s.is_there);
	assert_string_equal(s.label, "first");
	assert_int_equal(s.owner, OWNER);
	assert_int_equal(s.allowed, 1);
	assert_int_equal(s.rights, RIGHT_USE | RIGHT_MANAGE);
	assert_int_equal(s.state, 0);
	assert_int_equal(s.so_tries, WIRE_PIN_TRIES);
	/* There is no user's PIN before the security officer sets one. */
	assert_int_equal(login(TOKEN_USER, USER_PIN), KW_ERR_PIN_LOCKED);
	assert_int_equal(init_pin(USER_PIN), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(login(TOKEN_SO, SO_PIN), 0);
	assert_int_equal(shown().state, TOKEN_SO_LOGGED_IN);
	assert_int_equal(init_pin(USER_PIN), 0);
	assert_int_equal(generate_on_as(OWNER, SLOT, "key"), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
	assert_int_equal(
		shown().state, TOKEN_HAS_USER_PIN | TOKEN_SO_LOGGED_IN | TOKEN_USER_LOGGED_IN);
	assert_int_equal(shown().tries, WIRE_PIN_TRIES);
	id = generate_on(SLOT, "key");
	assert_int_equal(sign_as(OWNER, id), 0);
}

#ifndef KW_LIVE_TEE
static void test_a_login_opens_one_connection(void **state)
{
	struct grants other = {{0}};
	struct ticket t;
	struct id id;

	(void)state;
	make_token();
	assert_int_equal(login_as(OWNER, SLOT, TOKEN_USER, USER_PIN, &t), 0);
	id = generate_on(SLOT, "key");
	connection = &other;
	assert_int_equal(sign_as(OWNER, id), KW_ERR_NOT_LOGGED_IN);
	/* Nobody else's ticket, and not on the strength of the PIN alone. */
	assert_int_equal(with_ticket(SERVER, CMD_AUTHORIZE, &t), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(with_ticket(ADMIN, CMD_AUTHORIZE, &t), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(with_ticket(SERVER, CMD_TOKEN_LOGOUT, &t), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(with_ticket(OWNER, CMD_AUTHORIZE, &t), 0);
	assert_int_equal(sign_as(OWNER, id), 0);
	/* A logout ends it everywhere. */
	assert_int_equal(with_ticket(OWNER, CMD_TOKEN_LOGOUT, &t), 0);
	assert_int_equal(sign_as(OWNER, id), KW_ERR_NOT_LOGGED_IN);
	connection = &own_grants;
	assert_int_equal(sign_as(OWNER, id), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(with_ticket(OWNER, CMD_AUTHORIZE, &t), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(with_ticket(OWNER, CMD_TOKEN_LOGOUT, &t), KW_ERR_NOT_LOGGED_IN);
}

static void test_identity_counts_as_well(void **state)
{
	struct id id;

	(void)state;
	make_token();
	assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
	id = generate_on(SLOT, "key");
	memset(connection, 0, sizeof(*connection));
	/* Strangers cannot lock the PIN by trying. */
	for (unsigned i = 0; i < 2 * WIRE_PIN_TRIES; i++)
		assert_int_equal(
			login_as(STRANGER, SLOT, TOKEN_USER, USER_PIN, NULL), KW_ERR_ACCESS);
	assert_int_equal(shown().tries, WIRE_PIN_TRIES);
	assert_int_equal(shown_as(STRANGER, SLOT).rights, 0);
	assert_int_equal(delete_token(STRANGER, SLOT, SO_PIN), KW_ERR_ACCESS);
	assert_int_equal(init_as(STRANGER, SLOT, "mine", SO_PIN), KW_ERR_ACCESS);
	assert_int_equal(init_as(SERVER, SLOT + 1, "mine", SO_PIN), KW_ERR_MAY_NOT_CREATE);
	assert_int_equal(sign_as(STRANGER, id), KW_ERR_ACCESS);
	/* On the token's list and on the key's. */
	assert_int_equal(sign_as(SERVER, id), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(login_as(SERVER, SLOT, TOKEN_USER, USER_PIN, NULL), 0);
	assert_int_equal(sign_as(SERVER, id), 0);
	/* Administrators may log in, and are on no key's list. */
	memset(connection, 0, sizeof(*connection));
	assert_int_equal(login_as(ADMIN, SLOT, TOKEN_USER, USER_PIN, NULL), 0);
	assert_int_equal(sign_as(ADMIN, id), KW_ERR_ACCESS);
}
#endif

static void test_access_to_a_token_changes(void **state)
{
	(void)state;
	make_token();
	assert_int_equal(change_access(SERVER, ACCESS_ALLOW, STRANGER), KW_ERR_NOT_OWNER);
	assert_int_equal(change_access(OWNER, ACCESS_ALLOW, STRANGER), 0);
	assert_int_equal(shown().allowed, 2);
	assert_int_equal(login_as(STRANGER, SLOT, TOKEN_USER, USER_PIN, NULL), 0);
	assert_int_equal(shown_as(STRANGER, SLOT).state, TOKEN_HAS_USER_PIN | TOKEN_USER_LOGGED_IN);
	assert_int_equal(change_access(ADMIN, ACCESS_DENY, STRANGER), 0);
	/* At once. */
	assert_int_equal(shown_as(STRANGER, SLOT).state, TOKEN_HAS_USER_PIN);
	assert_int_equal(login_as(STRANGER, SLOT, TOKEN_USER, USER_PIN, NULL), KW_ERR_ACCESS);
	assert_int_equal(change_access(OWNER, 3, STRANGER), KW_ERR_BAD_REQUEST);
}

static void test_all_uses_of_a_key_need_the_login(void **state)
{
	static const uint16_t commands[] = {
		CMD_KEY_CSR, CMD_KEY_ATTRIBUTES, CMD_KEY_ACCESS, CMD_KEY_RENAME, CMD_KEY_DELETE};
	struct ticket t;
	struct id id;

	(void)state;
	make_token();
	assert_int_equal(login_as(OWNER, SLOT, TOKEN_USER, USER_PIN, &t), 0);
	id = generate_on(SLOT, "key");
	assert_int_equal(with_ticket(OWNER, CMD_TOKEN_LOGOUT, &t), 0);
	for (size_t i = 0; i < COUNT(commands); i++)
		assert_int_equal(on_key(commands[i], id), KW_ERR_NOT_LOGGED_IN);
	/* Its public key is no secret. */
	assert_int_equal(on_key(CMD_KEY_INFO, id), 0);
	assert_int_equal(count(OWNER, CMD_KEY_LIST), 1);
	/* The security officer is not the user. */
	assert_int_equal(login(TOKEN_SO, SO_PIN), 0);
	assert_int_equal(sign_as(OWNER, id), KW_ERR_NOT_LOGGED_IN);
	for (size_t i = 0; i < COUNT(commands); i++)
		assert_int_equal(on_key(commands[i], id), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
	for (size_t i = 0; i < COUNT(commands); i++)
		assert_int_equal(on_key(commands[i], id), 0);
	assert_int_equal(count(OWNER, CMD_KEY_LIST), 0);
}

/* Who does not log in to one token cannot take a name away from another's key. */
static void test_names_are_not_taken_from_a_token(void **state)
{
	struct writer w = fresh();
	struct ticket t;
	struct id id;

	(void)state;
	make_token();
	assert_int_equal(login_as(OWNER, SLOT, TOKEN_USER, USER_PIN, &t), 0);
	generate_on(SLOT, "key");
	assert_int_equal(with_ticket(OWNER, CMD_TOKEN_LOGOUT, &t), 0);
	id = generate(KEY_TYPE_ED25519, PURPOSE_SIGN);
	put_u8(&w, TARGET_ID);
	put_bytes(&w, id.b, sizeof(id.b));
	put_text(&w, "key");
	put_u8(&w, 1);
	assert_int_equal(call(OWNER, CMD_KEY_RENAME, &w), KW_ERR_NOT_LOGGED_IN);
}

static void test_objects_on_a_token(void **state)
{
	struct id secret, public;
	struct ticket t;

	(void)state;
	make_token();
	assert_int_equal(put_object(SLOT, 0), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(put_object(SLOT + 1, 0), KW_ERR_NO_TOKEN);
	assert_int_equal(login_as(OWNER, SLOT, TOKEN_USER, USER_PIN, &t), 0);
	assert_int_equal(put_object(SLOT, 0), 0);
	secret = made();
	assert_int_equal(reply[WIRE_ID_SIZE + 1], OBJECT_ON_TOKEN);
	assert_int_equal(reply[WIRE_ID_SIZE + 2], SLOT);
	assert_int_equal(put_object(SLOT, 1), 0);
	public = made();
	assert_int_equal(count(OWNER, CMD_OBJECT_LIST), 2);
	assert_int_equal(on_object(OWNER, CMD_OBJECT_GET, secret), 0);
	assert_int_equal(with_ticket(OWNER, CMD_TOKEN_LOGOUT, &t), 0);
	/* The one that is not public is not even in the list. */
	assert_int_equal(count(OWNER, CMD_OBJECT_LIST), 1);
	assert_int_equal(on_object(OWNER, CMD_OBJECT_GET, secret), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(on_object(STRANGER, CMD_OBJECT_GET, public), 0);
	assert_int_equal(on_object(OWNER, CMD_OBJECT_DELETE, secret), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(on_object(OWNER, CMD_OBJECT_DELETE, public), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
	assert_int_equal(on_object(OWNER, CMD_OBJECT_DELETE, secret), 0);
	assert_int_equal(on_object(OWNER, CMD_OBJECT_DELETE, public), 0);
}

static void lock_pin(uint8_t user)
{
	for (unsigned left = WIRE_PIN_TRIES; left; left--) {
		struct shown s = shown();

		assert_int_equal(user == TOKEN_SO ? s.so_tries : s.tries, left);
		assert_int_equal(login(user, "wrong"), KW_ERR_PIN);
	}
	assert_int_equal(login(user, user == TOKEN_SO ? SO_PIN : USER_PIN), KW_ERR_PIN_LOCKED);
}

static void test_wrong_pins_lock(void **state)
{
	struct ticket t;
	struct id id;

	(void)state;
	make_token();
	assert_int_equal(login_as(OWNER, SLOT, TOKEN_USER, USER_PIN, &t), 0);
	id = generate_on(SLOT, "key");
	for (unsigned i = 1; i < WIRE_PIN_TRIES; i++)
		assert_int_equal(login(TOKEN_USER, i % 2 ? "471" : "47111"), KW_ERR_PIN);
	/* One that is right in time gives all of them back. */
	assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
	assert_int_equal(shown().tries, WIRE_PIN_TRIES);
	lock_pin(TOKEN_USER);
	assert_int_equal(shown().tries, 0);
	assert_int_equal(set_pin(TOKEN_USER, USER_PIN, "00000000"), KW_ERR_PIN_LOCKED);
#ifndef KW_LIVE_TEE
	reopen();
#endif
	assert_int_equal(login(TOKEN_USER, USER_PIN), KW_ERR_PIN_LOCKED);
	/* The security officer unlocks it, and does not learn the old one. */
	assert_int_equal(login(TOKEN_SO, SO_PIN), 0);
	assert_int_equal(init_pin("new one"), 0);
	assert_int_equal(login(TOKEN_USER, USER_PIN), KW_ERR_PIN);
	assert_int_equal(login(TOKEN_USER, "new one"), 0);
	assert_int_equal(sign_as(OWNER, id), 0);
}

static void test_a_locked_security_officer(void **state)
{
	struct id id;

	(void)state;
	make_token();
	assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
	id = generate_on(SLOT, "key");
	lock_pin(TOKEN_SO);
	assert_int_equal(init_as(OWNER, SLOT, "again", SO_PIN), KW_ERR_PIN_LOCKED);
	assert_int_equal(delete_token(OWNER, SLOT, SO_PIN), KW_ERR_PIN_LOCKED);
	assert_int_equal(delete_token(OWNER, SLOT, ""), KW_ERR_NOT_OWNER);
	assert_int_equal(init_pin("new one"), KW_ERR_NOT_LOGGED_IN);
	/* The user goes on, and an administrator can end it. */
	assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
	assert_int_equal(sign_as(OWNER, id), 0);
	assert_int_equal(delete_token(ADMIN, SLOT, ""), 0);
	assert_false(shown().is_there);
	assert_int_equal(sign_as(OWNER, id), KW_ERR_NOT_LOADED);
	assert_int_equal(delete_token(ADMIN, SLOT, ""), KW_ERR_NO_TOKEN);
}

/* Each way of trying a PIN counts. */
static void test_all_tries_count(void **state)
{
	(void)state;
	make_token();
	assert_int_equal(set_pin(TOKEN_SO, "wrong", "00000000"), KW_ERR_PIN);
	assert_int_equal(shown().so_tries, WIRE_PIN_TRIES - 1);
	assert_int_equal(init_as(OWNER, SLOT, "again", "wrong"), KW_ERR_PIN);
	assert_int_equal(shown().so_tries, WIRE_PIN_TRIES - 2);
	assert_int_equal(delete_token(OWNER, SLOT, "wrong"), KW_ERR_PIN);
	assert_int_equal(delete_token(ADMIN, SLOT, "wrong"), KW_ERR_PIN);
	assert_int_equal(shown().so_tries, WIRE_PIN_TRIES - 4);
	assert_int_equal(set_pin(TOKEN_USER, "wrong", "00000000"), KW_ERR_PIN);
	assert_int_equal(shown().tries, WIRE_PIN_TRIES - 1);
	assert_string_equal(shown().label, "first");
	assert_int_equal(set_pin(TOKEN_SO, SO_PIN, "00000000"), 0);
	assert_int_equal(shown().so_tries, WIRE_PIN_TRIES);
	assert_int_equal(login(TOKEN_SO, SO_PIN), KW_ERR_PIN);
	assert_int_equal(login(TOKEN_SO, "00000000"), 0);
}

static void test_what_ends_a_login(void **state)
{
	(void)state;
	make_token();
	assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
	assert_int_equal(login(TOKEN_SO, SO_PIN), 0);
	assert_int_equal(set_pin(TOKEN_USER, USER_PIN, "0815"), 0);
	assert_int_equal(shown().state, TOKEN_HAS_USER_PIN | TOKEN_SO_LOGGED_IN);
	assert_int_equal(login(TOKEN_USER, "0815"), 0);
	assert_int_equal(init_pin(USER_PIN), 0);
	assert_int_equal(shown().state, TOKEN_HAS_USER_PIN | TOKEN_SO_LOGGED_IN);
	assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
	assert_int_equal(init_as(OWNER, SLOT, "again", SO_PIN), 0);
	assert_int_equal(shown().state, 0);
}

#ifndef KW_LIVE_TEE
static void test_a_restart_ends_logins(void **state)
{
	struct ticket t;

	(void)state;
	make_token();
	assert_int_equal(login_as(OWNER, SLOT, TOKEN_USER, USER_PIN, &t), 0);
	/* The connection goes with the TEE; if it could stay it would have nothing. */
	reopen();
	assert_int_equal(shown().state, TOKEN_HAS_USER_PIN);
	assert_int_equal(with_ticket(OWNER, CMD_AUTHORIZE, &t), KW_ERR_NOT_LOGGED_IN);
}
#endif

static void test_initialising_again_takes_all(void **state)
{
	uint8_t serial[WIRE_SERIAL_SIZE];
	struct id id, other;

	(void)state;
	make_token();
	memcpy(serial, shown().serial, sizeof(serial));
	assert_int_equal(init_as(OWNER, SLOT + 1, "other", SO_PIN), 0);
	assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
	other = generate(KEY_TYPE_ED25519, PURPOSE_SIGN);
	id = generate_on(SLOT, "key");
	/* More than one commit can delete. */
	for (unsigned i = 0; i < 70; i++) {
		char name[8];

		snprintf(name, sizeof(name), "key%u", i);
		generate_on(SLOT, name);
		assert_int_equal(put_object(SLOT, 0), 0);
	}
	assert_int_equal(count(OWNER, CMD_KEY_LIST), 72);
	assert_int_equal(init_as(OWNER, SLOT, "second", SO_PIN), 0);
	assert_string_equal(shown().label, "second");
	assert_int_equal(shown().state, 0);
	assert_memory_not_equal(shown().serial, serial, sizeof(serial));
	assert_int_equal(count(OWNER, CMD_KEY_LIST), 1);
	assert_int_equal(count(OWNER, CMD_OBJECT_LIST), 0);
	assert_int_equal(sign_as(OWNER, other), 0);
	assert_int_equal(sign_as(OWNER, id), KW_ERR_NOT_LOADED);
	assert_int_equal(on_key(CMD_KEY_INFO, id), KW_ERR_NO_KEY);
	assert_string_equal(shown_as(OWNER, SLOT + 1).label, "other");
	/* The names are free again. */
	assert_int_equal(login(TOKEN_SO, SO_PIN), 0);
	assert_int_equal(init_pin(USER_PIN), 0);
	assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
	generate_on(SLOT, "key");
}

#ifndef KW_LIVE_TEE
static void test_logins_are_bounded(void **state)
{
	struct ticket first, last;

	(void)state;
	make_token();
	assert_int_equal(login_as(OWNER, SLOT, TOKEN_USER, USER_PIN, &first), 0);
	for (unsigned i = 0; i < 70; i++) {
		memset(connection, 0, sizeof(*connection));
		assert_int_equal(login_as(OWNER, SLOT, TOKEN_USER, USER_PIN, &last), 0);
	}
	/* The oldest made room, of this caller alone. */
	assert_int_equal(with_ticket(OWNER, CMD_AUTHORIZE, &first), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(with_ticket(OWNER, CMD_AUTHORIZE, &last), 0);
	assert_int_equal(login_as(SERVER, SLOT, TOKEN_USER, USER_PIN, NULL), 0);
	/* A connection is logged in to a few tokens at a time. */
	memset(connection, 0, sizeof(*connection));
	for (uint8_t slot = 10; slot < 10 + GRANTS_MAX; slot++) {
		assert_int_equal(init_as(OWNER, slot, "", SO_PIN), 0);
		assert_int_equal(login_as(OWNER, slot, TOKEN_SO, SO_PIN, NULL), 0);
	}
	assert_int_equal(login(TOKEN_USER, USER_PIN), KW_ERR_LIMIT);
	assert_int_equal(with_ticket(OWNER, CMD_AUTHORIZE, &last), KW_ERR_LIMIT);
}
#endif

#ifndef KW_LIVE_TEE
/* Programs that end without logging out fill the table. That is not to keep others from it. */
static void test_a_full_table_has_room_for_others(void **state)
{
	struct ticket modest, oldest, t;

	(void)state;
	make_token();
	assert_int_equal(login_as(SERVER, SLOT, TOKEN_USER, USER_PIN, &modest), 0);
	for (uint32_t uid = 2000; uid < 2008; uid++) {
		assert_int_equal(change_access(OWNER, ACCESS_ALLOW, uid), 0);
		for (unsigned i = 0; i < 64; i++) {
			memset(connection, 0, sizeof(*connection));
			assert_int_equal(login_as(uid, SLOT, TOKEN_USER, USER_PIN, &t), 0);
			if (uid == 2000 && i == 0)
				oldest = t;
		}
	}
	memset(connection, 0, sizeof(*connection));
	assert_int_equal(login_as(OWNER, SLOT, TOKEN_USER, USER_PIN, NULL), 0);
	memset(connection, 0, sizeof(*connection));
	assert_int_equal(login_as(OWNER, SLOT, TOKEN_USER, USER_PIN, NULL), 0);
	/* At the cost of those who have most. */
	assert_int_equal(with_ticket(SERVER, CMD_AUTHORIZE, &modest), 0);
	assert_int_equal(with_ticket(2000, CMD_AUTHORIZE, &oldest), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(with_ticket(2007, CMD_AUTHORIZE, &t), 0);
}
#endif

static void test_malformed_requests(void **state)
{
	static const uint8_t zeros[200];
	char long_pin[WIRE_PIN_MAX + 2], longest[WIRE_PIN_MAX + 1];
	struct writer w = fresh();

	(void)state;
	memset(long_pin, 'p', sizeof(long_pin));
	long_pin[WIRE_PIN_MAX + 1] = 0;
	memcpy(longest, long_pin + 1, sizeof(longest));
	assert_int_equal(init_as(OWNER, 0, "x", SO_PIN), KW_ERR_BAD_REQUEST);
	assert_int_equal(init_as(OWNER, WIRE_SLOT_MAX + 1, "x", SO_PIN), KW_ERR_BAD_REQUEST);
	assert_int_equal(init_as(OWNER, SLOT, "x", "123"), KW_ERR_BAD_REQUEST);
	assert_int_equal(init_as(OWNER, SLOT, "x", long_pin), KW_ERR_BAD_REQUEST);
	assert_int_equal(init_as(OWNER, SLOT, "a\nb", SO_PIN), KW_ERR_BAD_REQUEST);
	/* Control characters of Unicode: clients take a list with one for nonsense, all of it. */
	assert_int_equal(init_as(OWNER, SLOT, "a\xc2\x9b", SO_PIN), KW_ERR_BAD_REQUEST);
	assert_int_equal(init_as(OWNER, SLOT, "\xc2\x80z", SO_PIN), KW_ERR_BAD_REQUEST);
	assert_int_equal(init_as(OWNER, WIRE_SLOT_MAX - 1, "\xc3\x9b\xc2\xa0\xc2", SO_PIN), 0);
	assert_int_equal(init_as(OWNER, SLOT, "123456789012345678901234567890123", SO_PIN),
		KW_ERR_BAD_REQUEST);
	assert_int_equal(
		init_as(OWNER, WIRE_SLOT_MAX, "12345678901234567890123456789012", longest), 0);
	make_token();
	assert_int_equal(login(0, USER_PIN), KW_ERR_BAD_REQUEST);
	assert_int_equal(login(3, USER_PIN), KW_ERR_BAD_REQUEST);
	assert_int_equal(set_pin(TOKEN_USER, USER_PIN, "123"), KW_ERR_BAD_REQUEST);
	assert_int_equal(set_pin(TOKEN_USER, USER_PIN, ""), KW_ERR_BAD_REQUEST);
	assert_int_equal(login(TOKEN_SO, SO_PIN), 0);
	assert_int_equal(init_pin("123"), KW_ERR_BAD_REQUEST);
	assert_int_equal(login_as(OWNER, 0, TOKEN_USER, USER_PIN, NULL), KW_ERR_NO_TOKEN);
	assert_int_equal(login_as(OWNER, 200, TOKEN_USER, USER_PIN, NULL), KW_ERR_NO_TOKEN);
	/* None of these was a try. */
	assert_int_equal(shown().tries, WIRE_PIN_TRIES);
	put_u8(&w, KEY_TYPE_ED25519);
	put_u8(&w, PLACE_TOKEN);
	put_u8(&w, 200);
	put_bytes(&w, zeros, 20);
	assert_int_equal(call(OWNER, CMD_KEY_GENERATE, &w), KW_ERR_NO_TOKEN);
	w = fresh();
	put_bytes(&w, zeros + 1, WIRE_TICKET_SIZE - 1);
	put_u8(&w, 1);
	assert_int_equal(call(OWNER, CMD_AUTHORIZE, &w), KW_ERR_NOT_LOGGED_IN);
}

/* A ticket of zeros is nobody's: the connection is as it began, and the login goes on. */
static void test_a_connection_can_forget(void **state)
{
	const struct ticket nobody = {{0}};
	struct ticket t;

	(void)state;
	make_token();
	assert_int_equal(login_as(OWNER, SLOT, TOKEN_USER, USER_PIN, &t), 0);
	assert_int_equal(with_ticket(OWNER, CMD_AUTHORIZE, &nobody), 0);
	assert_int_equal(shown().state, TOKEN_HAS_USER_PIN);
	assert_int_equal(with_ticket(OWNER, CMD_AUTHORIZE, &t), 0);
	assert_int_equal(shown().state, TOKEN_HAS_USER_PIN | TOKEN_USER_LOGGED_IN);
	assert_int_equal(with_ticket(OWNER, CMD_TOKEN_LOGOUT, &nobody), KW_ERR_NOT_LOGGED_IN);
}

#ifndef KW_LIVE_TEE
/* PINs of both lengths, as they are and in no simple disguise. */
static void test_the_store_has_no_pin(void **state)
{
	const uint8_t *bytes;
	size_t n;

	(void)state;
	make_token();
	assert_int_equal(set_pin(TOKEN_USER, USER_PIN, "correct horse battery staple"), 0);
	bytes = storage_memory_bytes(&n);
	assert_null(memmem(bytes, n, SO_PIN, strlen(SO_PIN)));
	assert_null(memmem(bytes, n, "correct horse", 13));
	assert_non_null(memmem(bytes, n, "first", 5));
	/* On another device the store is not even opened. */
	core_close(&core);
	platform_memory_set_device(2);
	assert_int_equal(core_open(NULL, &core), KW_ERR_OTHER_DEVICE);
	platform_memory_set_device(1);
}

/* --- Faults --- */

static void restart(bool power_lost)
{
	storage_memory_stop();
	core_close(&core);
	storage_memory_restart(power_lost);
	memset(connection, 0, sizeof(*connection));
	assert_int_equal(core_open(NULL, &core), 0);
}

/* The moment of the write tells nothing either: what is on the disk when a PIN's answer is known has the try. */
static unsigned syncs;

static void count_sync(void)
{
	syncs++;
}

static void test_a_try_is_written_first(void **state)
{
	unsigned wrong_syncs;

	(void)state;
	make_token();
	storage_memory_set_hook(count_sync);
	syncs = 0;
	assert_int_equal(login(TOKEN_USER, "wrong"), KW_ERR_PIN);
	wrong_syncs = syncs;
	syncs = 0;
	assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
	storage_memory_set_hook(NULL);
	/* Both are written once before the answer is known; the right one is put back. */
	assert_int_equal(wrong_syncs, 1);
	assert_int_equal(syncs, 2);
	/* A disk that takes nothing gives the same answer to both. */
	for (unsigned i = 0; i < 2; i++) {
		storage_memory_fault(FAULT_DEAD, 1, 1);
		assert_int_equal(login(TOKEN_USER, i ? USER_PIN : "wrong"), KW_ERR_STORE_IO);
		restart(true);
	}
	storage_memory_fault(FAULT_FULL, 1, 1);
	assert_int_equal(login(TOKEN_USER, "wrong"), KW_ERR_STORE_FULL);
	assert_int_equal(login(TOKEN_USER, USER_PIN), KW_ERR_STORE_FULL);
	storage_memory_make_room();
	assert_int_equal(shown().state, TOKEN_HAS_USER_PIN);
}

/*
 * Somebody tries PINs, and breaks the disk or the power at the n-th operation of it, again and again: he never
 * learns of more PINs than the limit whether they are right.
 */
static void guess_through(enum storage_fault fault, unsigned n, bool power_lost)
{
	unsigned verdicts = 0, seed = 1;

	storage_memory_reset();
	memset(connection, 0, sizeof(*connection));
	assert_int_equal(core_open(NULL, &core), 0);
	make_token();
	for (unsigned guess = 0; guess < 60; guess++) {
		enum kw_err err;

		if (guess % 3 == 0)
			storage_memory_fault(fault, n, seed++);
		err = login(TOKEN_USER, "wrong");
		verdicts += err == KW_ERR_PIN;
		if (err == KW_ERR_PIN_LOCKED)
			assert_int_equal(shown().tries, 0);
		if (guess % 3 == 2 || (err && err != KW_ERR_PIN && err != KW_ERR_PIN_LOCKED))
			restart(power_lost);
		/* What he learned is counted for good. */
		if (shown().tries + verdicts > WIRE_PIN_TRIES)
			fail_msg("fault %d at operation %u: %u tries left after %u answers", fault,
				n, shown().tries, verdicts);
	}
	assert_int_equal(login(TOKEN_USER, USER_PIN), KW_ERR_PIN_LOCKED);
	core_close(&core);
}

static void test_no_fault_gives_a_free_try(void **state)
{
	(void)state;
	core_close(&core);
	for (enum storage_fault fault = FAULT_NONE; fault < FAULT_KINDS; fault++) {
		if (fault == FAULT_FULL)
			continue;
		for (unsigned n = 1; n < 12; n++) {
			guess_through(fault, n, true);
			guess_through(fault, n, false);
		}
	}
}

/* A right PIN is worth all tries again, or none more than there were. */
static void test_faults_around_a_right_pin(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 12; n++) {
		uint8_t tries;
		enum kw_err err;

		core_close(&core);
		storage_memory_reset();
		memset(connection, 0, sizeof(*connection));
		assert_int_equal(core_open(NULL, &core), 0);
		make_token();
		assert_int_equal(login(TOKEN_USER, "wrong"), KW_ERR_PIN);
		storage_memory_fault(FAULT_CRASH, n, n);
		err = login(TOKEN_USER, USER_PIN);
		restart(true);
		tries = shown().tries;
		if (!err)
			assert_int_equal(tries, WIRE_PIN_TRIES);
		else
			assert_true(tries == WIRE_PIN_TRIES - 1 || tries == WIRE_PIN_TRIES - 2 ||
				    tries == WIRE_PIN_TRIES);
		assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
	}
}

/* All of what was on the token, or nothing. */
static void check_whole(bool is_deleted, struct id other)
{
	struct shown s = shown();
	unsigned keys = count(OWNER, CMD_KEY_LIST) - 1;

	assert_int_equal(sign_as(OWNER, other), 0);
	if (s.is_there && !strcmp(s.label, "first")) {
		assert_int_equal(keys, 3);
		assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
		assert_int_equal(count(OWNER, CMD_OBJECT_LIST), 2);
		return;
	}
	assert_int_equal(keys, 0);
	assert_int_equal(count(OWNER, CMD_OBJECT_LIST), 0);
	assert_true(s.is_there != is_deleted);
	if (is_deleted) {
		make_token();
	} else {
		assert_int_equal(login(TOKEN_USER, USER_PIN), KW_ERR_PIN_LOCKED);
		assert_int_equal(login(TOKEN_SO, SO_PIN), 0);
		assert_int_equal(init_pin(USER_PIN), 0);
	}
	assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
	generate_on(SLOT, "a");
}

static void test_tokens_end_whole(void **state)
{
	static const enum storage_fault faults[] = {
		FAULT_CLEAN, FAULT_PARTIAL, FAULT_PAIR, FAULT_DEAD, FAULT_CRASH};
	static const char *const names[] = {"a", "b", "c"};

	(void)state;
	for (unsigned i = 0; i < 2 * COUNT(faults) * 20; i++) {
		bool is_delete = i % 2;
		struct id other;
		enum kw_err err;

		core_close(&core);
		storage_memory_reset();
		memset(connection, 0, sizeof(*connection));
		assert_int_equal(core_open(NULL, &core), 0);
		make_token();
		assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
		other = generate(KEY_TYPE_ED25519, PURPOSE_SIGN);
		for (size_t k = 0; k < COUNT(names); k++)
			generate_on(SLOT, names[k]);
		assert_int_equal(put_object(SLOT, 0), 0);
		assert_int_equal(put_object(SLOT, 1), 0);
		storage_memory_fault(faults[i / 2 % COUNT(faults)], 1 + i / 2 / COUNT(faults), i);
		err = is_delete ? delete_token(OWNER, SLOT, SO_PIN)
				: init_as(OWNER, SLOT, "second", SO_PIN);
		if (!err)
			assert_int_equal(shown().is_there, !is_delete);
		restart(i % 3 == 0);
		if (!err)
			assert_string_equal(shown().label, is_delete ? "" : "second");
		check_whole(is_delete, other);
	}
}

/* A command that finds no memory at any of its steps says so, and gives no try more than it counts. */
static void test_without_memory(void **state)
{
	(void)state;
	make_token();
	for (unsigned n = 1; n < 60; n++) {
		uint8_t before = shown().tries;
		enum kw_err err;

		platform_memory_fail_alloc(n);
		err = login(TOKEN_USER, n % 2 ? USER_PIN : "wrong");
		platform_memory_fail_alloc(0);
		if (n % 2 && !err)
			assert_int_equal(shown().tries, WIRE_PIN_TRIES);
		if (err == KW_ERR_PIN)
			assert_int_equal(shown().tries, before - 1);
		if (shown().tries < 4)
			assert_int_equal(login(TOKEN_USER, USER_PIN), 0);
	}
}
#endif

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_life_of_a_token),
		TEST(test_wrong_pins_lock),
		TEST(test_a_locked_security_officer),
		TEST(test_all_tries_count),
		TEST(test_all_uses_of_a_key_need_the_login),
		TEST(test_names_are_not_taken_from_a_token),
		TEST(test_objects_on_a_token),
		TEST(test_access_to_a_token_changes),
		TEST(test_what_ends_a_login),
		TEST(test_initialising_again_takes_all),
		TEST(test_malformed_requests),
		TEST(test_a_connection_can_forget),
#ifndef KW_LIVE_TEE
		TEST(test_a_login_opens_one_connection),
		TEST(test_identity_counts_as_well),
		TEST(test_logins_are_bounded),
		TEST(test_a_full_table_has_room_for_others),
		TEST(test_a_restart_ends_logins),
		TEST(test_the_store_has_no_pin),
		TEST(test_a_try_is_written_first),
		TEST(test_no_fault_gives_a_free_try),
		TEST(test_faults_around_a_right_pin),
		TEST(test_tokens_end_whole),
		TEST(test_without_memory),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

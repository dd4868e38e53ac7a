/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens with PINs: logins that every connection presents, and lists that make sense or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_fake_tee.h"

static uint8_t ticket[WIRE_TICKET_SIZE] = {1, 2, 3, [31] = 4}; /* another one for each login */
static const uint8_t nobody[WIRE_TICKET_SIZE];

/* What the fake TEE knows of each connection. */
static atomic_bool is_in[FAKE_CONNECTIONS];
static atomic_uint presented, left;
static atomic_bool knows_ticket;

static void answer_ticket(struct fake_request *rq)
{
	const uint8_t *given = get_bytes(&rq->payload, WIRE_TICKET_SIZE);
	bool is_ours = given && !memcmp(given, ticket, sizeof(ticket)) && knows_ticket;

	if (!given || !reader_done(&rq->payload)) {
		rq->err = KW_ERR_BAD_REQUEST;
	} else if (rq->command == CMD_AUTHORIZE && !memcmp(given, nobody, sizeof(nobody))) {
		is_in[rq->connection] = false;
		left++;
	} else if (!is_ours) {
		rq->err = KW_ERR_NOT_LOGGED_IN;
	} else if (rq->command == CMD_TOKEN_LOGOUT) {
		knows_ticket = false;
	} else {
		is_in[rq->connection] = true;
		presented++;
	}
}

static void tokens(struct fake_tee *f, struct fake_request *rq)
{
	static const uint8_t login[] = "\x07\x02\x04"
				       "4711";

	switch (rq->command) {
	case CMD_TOKEN_LOGIN:
		if (reader_left(&rq->payload) != sizeof(login) - 1 ||
			memcmp(rq->payload.at, login, sizeof(login) - 1) != 0) {
			rq->err = KW_ERR_PIN;
			return;
		}
		knows_ticket = true;
		is_in[rq->connection] = true;
		ticket[5]++;
		put_bytes(&rq->reply, ticket, sizeof(ticket));
		return;
	case CMD_AUTHORIZE:
	case CMD_TOKEN_LOGOUT:
		answer_ticket(rq);
		return;
	case CMD_SIGN:
		if (!is_in[rq->connection] || !knows_ticket)
			rq->err = KW_ERR_NOT_LOGGED_IN;
		else
			fake_signer(f, rq);
		return;
	default:
		rq->err = KW_ERR_UNKNOWN_COMMAND;
	}
}

static void begin(struct fake_tee *f, struct kw **kw)
{
	for (size_t i = 0; i < FAKE_CONNECTIONS; i++)
		is_in[i] = false;
	presented = left = 0;
	knows_ticket = false;
	fake_start(f, tokens);
	*kw = fake_kw(f, 0);
	fake_stay_on_cpu(0);
}

static enum kw_err login(struct kw *kw)
{
	return kw_token_login(kw, 7, KW_TOKEN_USER, "4711", 4);
}

static void test_each_connection_is_told(void **state)
{
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	begin(&f, &kw);
	assert_int_equal(fake_sign(kw, "a"), KW_ERR_NOT_LOGGED_IN);
	fake_stay_on_cpu(1);
	assert_int_equal(fake_sign(kw, "a"), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(f.connections, 2);
	assert_int_equal(login(kw), 0);
	assert_int_equal(fake_sign(kw, "a"), 0);
	fake_stay_on_cpu(0);
	assert_int_equal(fake_sign(kw, "a"), 0);
	/* Once for each of them. */
	assert_int_equal(presented, 2);
	assert_int_equal(fake_sign(kw, "a"), 0);
	assert_int_equal(presented, 2);
	assert_int_equal(kw_token_check(kw, 7, KW_TOKEN_USER), 0);
	assert_int_equal(kw_token_check(kw, 7, KW_TOKEN_SO), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(kw_token_logout(kw, 7), 0);
	assert_int_equal(fake_sign(kw, "a"), KW_ERR_NOT_LOGGED_IN);
	assert_true(left > 0);
	assert_int_equal(kw_token_logout(kw, 7), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(kw_token_check(kw, 7, KW_TOKEN_USER), KW_ERR_NOT_LOGGED_IN);
	kw_free(&kw);
	fake_end(&f);
}

/* The connection is another one, and whether the TEE is, the TEE says. */
static void test_a_restart(void **state)
{
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	begin(&f, &kw);
	assert_int_equal(login(kw), 0);
	assert_int_equal(fake_sign(kw, "a"), 0);
	fake_stop(&f);
	fake_listen(&f);
	assert_int_equal(fake_sign(kw, "a"), 0);
	fake_stop(&f);
	knows_ticket = false;
	fake_listen(&f);
	assert_int_equal(fake_sign(kw, "a"), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(kw_token_check(kw, 7, KW_TOKEN_USER), KW_ERR_NOT_LOGGED_IN);
	assert_int_equal(login(kw), 0);
	assert_int_equal(fake_sign(kw, "a"), 0);
	kw_free(&kw);
	fake_end(&f);
}

static int child(struct kw *kw)
{
	if (fake_sign(kw, "a"))
		return 1;
	if (kw_token_logout(kw, 7))
		return 2;
	return fake_sign(kw, "a") == KW_ERR_NOT_LOGGED_IN ? 0 : 3;
}

static void test_a_child_logs_out_alone(void **state)
{
	struct fake_tee f;
	struct kw *kw;
	int status = -1;
	pid_t pid;

	(void)state;
	begin(&f, &kw);
	assert_int_equal(login(kw), 0);
	pid = fork();
	if (!pid)
		_exit(child(kw));
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(f.counts[CMD_TOKEN_LOGOUT], 0);
	assert_int_equal(fake_sign(kw, "a"), 0);
	kw_free(&kw);
	fake_end(&f);
}

static void test_arguments(void **state)
{
	static const char longest[KW_PIN_MAX + 2] = "x";
	struct kw_token_template t = {
		.slot = 1, .label = "a\nb", .so_pin = "1234", .so_pin_len = 4};
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	begin(&f, &kw);
	assert_int_equal(kw_token_login(kw, 0, KW_TOKEN_USER, "4711", 4), KW_ERR_ARGUMENT);
	assert_int_equal(kw_token_login(kw, 64, KW_TOKEN_USER, "4711", 4), KW_ERR_ARGUMENT);
	assert_int_equal(kw_token_login(kw, 1, KW_TOKEN_USER, "471", 3), KW_ERR_ARGUMENT);
	assert_int_equal(
		kw_token_login(kw, 1, KW_TOKEN_USER, longest, KW_PIN_MAX + 1), KW_ERR_ARGUMENT);
	assert_int_equal(kw_token_login(kw, 1, KW_TOKEN_USER, NULL, 4), KW_ERR_ARGUMENT);
	assert_int_equal(kw_token_login(NULL, 1, KW_TOKEN_USER, "4711", 4), KW_ERR_ARGUMENT);
	assert_int_equal(
		kw_token_set_pin(kw, 1, KW_TOKEN_USER, "4711", 4, "1", 1), KW_ERR_ARGUMENT);
	assert_int_equal(kw_token_init_pin(kw, 1, "1", 1), KW_ERR_ARGUMENT);
	assert_int_equal(kw_token_delete(kw, 1, "1", 1), KW_ERR_ARGUMENT);
	assert_int_equal(kw_token_init(kw, &t), KW_ERR_ARGUMENT);
	assert_int_equal(kw_token_init(kw, NULL), KW_ERR_ARGUMENT);
	assert_int_equal(kw_token_logout(kw, 99), KW_ERR_NOT_LOGGED_IN);
	for (size_t i = 30; i < 39; i++)
		assert_int_equal(f.counts[i], 0);
	assert_int_equal(kw_token_login(kw, 7, KW_TOKEN_USER, "0000", 4), KW_ERR_PIN);
	assert_non_null(strstr(kw_explain(), "slot 7"));
	assert_null(strstr(kw_explain(), "0000"));
	kw_free(&kw);
	fake_end(&f);
}

/* --- TOKEN_LIST --- */

static unsigned variant;

static void put_token(struct writer *w, uint8_t slot, const char *label)
{
	put_u8(w, slot);
	put_field8(w, label, strlen(label));
	put_bytes(w, "0123456789abcdef", 16);
	put_u64(w, 1700000000);
	put_u8(w, IDENTITY_USER);
	put_u32(w, 1000);
	put_u8(w, 1);
	put_u8(w, IDENTITY_GROUP);
	put_u32(w, 33);
	put_u8(w, RIGHT_USE);
	put_u8(w, TOKEN_HAS_USER_PIN);
	put_u8(w, 10);
	put_u8(w, variant == 4 ? 11 : 3);
}

static void list(struct fake_tee *f, struct fake_request *rq)
{
	(void)f;
	put_u8(&rq->reply, variant == 5 ? 64 : 2);
	put_token(&rq->reply, variant == 1 ? 0 : 2, variant == 3 ? "\x1b[2J" : "first");
	put_token(&rq->reply, variant == 2 ? 2 : 63, "caf\xc3\xa9");
	if (variant == 6)
		put_u8(&rq->reply, 0);
}

static void test_lists(void **state)
{
	struct kw_tokens *all = NULL;
	const struct kw_token *t;
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, list);
	kw = fake_kw(&f, 0);
	variant = 0;
	assert_int_equal(kw_tokens_new(kw, &all), 0);
	assert_int_equal(kw_tokens_count(all), 2);
	assert_null(kw_tokens_at(all, 2));
	assert_null(kw_tokens_find(all, 1));
	t = kw_tokens_find(all, 2);
	assert_ptr_equal(t, kw_tokens_at(all, 0));
	assert_int_equal(kw_token_slot(t), 2);
	assert_string_equal(kw_token_label(t), "first");
	assert_string_equal(kw_token_serial(t), "0123456789abcdef");
	assert_int_equal(kw_token_created(t), 1700000000);
	assert_int_equal(kw_token_owner(t).id, 1000);
	assert_int_equal(kw_token_allowed(t), 1);
	assert_int_equal(kw_token_allowed_at(t, 0).kind, KW_IDENTITY_GROUP);
	assert_true(kw_token_may_log_in(t));
	assert_false(kw_token_may_manage(t));
	assert_true(kw_token_has_user_pin(t));
	assert_int_equal(kw_token_tries(t, KW_TOKEN_SO), 10);
	assert_int_equal(kw_token_tries(t, KW_TOKEN_USER), 3);
	kw_tokens_free(&all);
	assert_null(all);
	for (variant = 1; variant <= 6; variant++) {
		assert_int_equal(kw_tokens_new(kw, &all), KW_ERR_PROTOCOL);
		assert_null(all);
	}
	assert_int_equal(kw_tokens_new(kw, NULL), KW_ERR_ARGUMENT);
	kw_free(&kw);
	fake_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_connection_is_told),
		cmocka_unit_test(test_a_restart),
		cmocka_unit_test(test_a_child_logs_out_alone),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

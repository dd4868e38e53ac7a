/* SPDX-License-Identifier: BSD-2-Clause */
/* What each function of the API sends, byte for byte, and how it takes replies that are cut or
 * garbled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "test_apis.h"

/* What the fake answers now, and what it got. */
static uint8_t reply_bytes[8192];
static size_t reply_len;
static uint16_t reply_err;
static uint8_t request_bytes[WIRE_MAX_PAYLOAD];
static size_t request_len;
static uint16_t request_command;

static void answer(struct fake_tee *f, struct fake_request *rq)
{
	(void)f;
	request_command = rq->command;
	request_len = reader_left(&rq->payload);
	get_copy(&rq->payload, request_bytes, request_len);
	rq->err = reply_err;
	put_bytes(&rq->reply, reply_bytes, reply_len);
}

static void good_reply(const struct api *api)
{
	struct writer w = writer_over(reply_bytes, sizeof(reply_bytes));

	api->reply(&w);
	assert_false(w.failed);
	reply_len = w.len;
	reply_err = 0;
}

static void sends_what_the_protocol_says(void **state)
{
	uint8_t expected[1024];
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, answer);
	kw = fake_kw(&f, 0);
	for (size_t i = 0; i < api_count; i++) {
		struct writer w = writer_over(expected, sizeof(expected));

		print_message("%s\n", apis[i].name);
		good_reply(&apis[i]);
		assert_int_equal(apis[i].run(kw), KW_ERR_OK);
		apis[i].request(&w);
		assert_int_equal(request_command, apis[i].command);
		assert_int_equal(request_len, w.len);
		assert_memory_equal(request_bytes, expected, w.len);
	}
	kw_free(&kw);
	fake_end(&f);
}

static void cut_and_padded_replies_make_no_sense(void **state)
{
	struct fake_tee f;
	struct kw *kw;
	size_t full;

	(void)state;
	fake_start(&f, answer);
	kw = fake_kw(&f, 0);
	for (size_t i = 0; i < api_count; i++) {
		good_reply(&apis[i]);
		full = reply_len;
		for (reply_len = 0; reply_len < full; reply_len++)
			assert_int_equal(apis[i].run(kw), KW_ERR_PROTOCOL);
		reply_bytes[full] = 0;
		reply_len = full + 1;
		assert_int_equal(apis[i].run(kw), KW_ERR_PROTOCOL);
		/* And the next call is none the worse. */
		reply_len = full;
		assert_int_equal(apis[i].run(kw), KW_ERR_OK);
	}
	kw_free(&kw);
	fake_end(&f);
}

static enum kw_err run_find_only(struct kw *kw)
{
	struct kw_target t = {.name = "a"};
	struct kw_key *key = NULL;
	enum kw_err err = kw_key_find(kw, &t, &key);

	kw_key_free(&key);
	return err;
}

static enum kw_err run_status_only(struct kw *kw)
{
	struct kw_status *s = NULL;
	enum kw_err err = kw_status_new(kw, &s);

	kw_status_free(&s);
	return err;
}

/* A description and a status with each byte changed: understood or refused, never worse. */
static void garbled_replies_do_no_harm(void **state)
{
	struct fake_tee f;
	struct kw *kw;
	enum kw_err err;

	(void)state;
	fake_start(&f, answer);
	kw = fake_kw(&f, 0);
	for (size_t i = 0; i < 2; i++) {
		good_reply(&apis[i ? 3 : 0]);
		for (size_t at = 0; at < reply_len; at++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				reply_bytes[at] ^= (uint8_t)(1 << bit);
				err = i ? run_find_only(kw) : run_status_only(kw);
				assert_true(err == KW_ERR_OK || err == KW_ERR_PROTOCOL);
				reply_bytes[at] ^= (uint8_t)(1 << bit);
			}
		}
	}
	kw_free(&kw);
	fake_end(&f);
}

/* Values that the tables do not have, at their places in a description. */
static void unknown_values_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} bad[] = {
		{32, 0}, {32, 99},    /* type */
		{33, 0}, {33, 3},     /* origin */
		{34, 0}, {34, 3},     /* place */
		{35, 0x80}, {38, 0},  /* purposes: unknown, none */
		{47, 0}, {47, 3},     /* owner's kind */
		{52, 129},            /* length of the name */
		{53, '\n'}, {53, 0},  /* the name */
		{53, 0x80}, {65, 33}, /* entries of the access list */
		{66, 0},              /* kind of the first */
		{76, 4},              /* rights */
		{106, 0x29},          /* the public key: longer than it is */
	};
	struct fake_tee f;
	struct kw *kw;
	uint8_t before;

	(void)state;
	fake_start(&f, answer);
	kw = fake_kw(&f, 0);
	good_reply(&apis[3]);
	assert_int_equal(run_find_only(kw), KW_ERR_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		before = reply_bytes[bad[i].at];
		reply_bytes[bad[i].at] = bad[i].value;
		if (run_find_only(kw) != KW_ERR_PROTOCOL)
			fail_msg("byte %zu as %u is accepted", bad[i].at, bad[i].value);
		reply_bytes[bad[i].at] = before;
	}
	kw_free(&kw);
	fake_end(&f);
}

/* Every error that a TEE can answer arrives as itself, with a sentence. */
static void errors_arrive(void **state)
{
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, answer);
	kw = fake_kw(&f, 0);
	reply_len = 0;
	for (uint16_t e = KW_ERR_BAD_REQUEST; e <= KW_ERR_NO_OBJECT; e++) {
		reply_err = e;
		for (size_t i = 0; i < api_count; i++) {
			enum kw_err got = apis[i].run(kw);

			/* Without a record there is nothing to load: there is no such key. */
			if (e == KW_ERR_NOT_LOADED &&
				(apis[i].command == CMD_SIGN || apis[i].command == CMD_RSA_DECRYPT))
				assert_int_equal(got, KW_ERR_NO_KEY);
			/* It would look like the end of the list. */
			else if ((e == KW_ERR_NO_KEY || e == KW_ERR_NO_OBJECT) &&
				 (apis[i].command == CMD_KEY_LIST ||
					 apis[i].command == CMD_OBJECT_LIST))
				assert_int_equal(got, KW_ERR_PROTOCOL);
			else
				assert_int_equal(got, e);
			assert_true(strlen(kw_explain()) > 10);
		}
	}
	kw_free(&kw);
	fake_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_what_the_protocol_says),
		cmocka_unit_test(cut_and_padded_replies_make_no_sense),
		cmocka_unit_test(garbled_replies_do_no_harm),
		cmocka_unit_test(unknown_values_are_refused),
		cmocka_unit_test(errors_arrive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

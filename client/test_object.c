/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates and data, and the attributes of keys: what is not sent, what is not believed, what a person reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "test_fake_tee.h"

static void fails_if_called(struct fake_tee *f, struct fake_request *rq)
{
	(void)f;
	(void)rq;
	abort();
}

static void bad_arguments_are_not_sent(void **state)
{
	static const uint8_t large[KW_OBJECT_MAX + 1];
	struct kw_object_template t = {.kind = KW_OBJECT_DATA, .value = large};
	struct kw_key_template k = {.name = "a", .type = KW_KEY_TYPE_ED25519, .purposes = 1};
	struct kw_target name = {.name = "a"};
	struct kw_object *o;
	struct kw_key *key;
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, fails_if_called);
	kw = fake_kw(&f, 0);
	assert_int_equal(kw_object_put(kw, NULL, &o), KW_ERR_ARGUMENT);
	assert_int_equal(kw_object_put(kw, &t, NULL), KW_ERR_ARGUMENT);
	assert_int_equal(kw_object_get(kw, NULL, &o), KW_ERR_ARGUMENT);
	assert_int_equal(kw_object_get(NULL, fake_id, &o), KW_ERR_ARGUMENT);
	assert_int_equal(kw_object_delete(kw, NULL), KW_ERR_ARGUMENT);
	t.value_len = KW_OBJECT_MAX + 1;
	assert_int_equal(kw_object_put(kw, &t, &o), KW_ERR_TOO_LARGE);
	assert_non_null(strstr(kw_explain(), "at most 6000 bytes, and this one 6001"));
	t.value_len = 0;
	t.attributes_len = 1;
	assert_int_equal(kw_object_put(kw, &t, &o), KW_ERR_ARGUMENT);
	t.attributes = large;
	t.attributes_len = KW_ATTRIBUTES_MAX + 1;
	assert_int_equal(kw_object_put(kw, &t, &o), KW_ERR_TOO_LARGE);
	t.attributes_len = 0;
	t.allow_count = 1;
	assert_int_equal(kw_object_put(kw, &t, &o), KW_ERR_ARGUMENT);
	assert_null(o);
	k.attributes_len = 1;
	assert_int_equal(kw_key_generate(kw, &k, &key), KW_ERR_ARGUMENT);
	k.attributes = large;
	k.attributes_len = KW_ATTRIBUTES_MAX + 1;
	assert_int_equal(kw_key_generate(kw, &k, &key), KW_ERR_TOO_LARGE);
	assert_int_equal(kw_key_set_attributes(kw, &name, NULL, 1, &key), KW_ERR_ARGUMENT);
	assert_int_equal(kw_key_set_attributes(kw, &name, large, KW_ATTRIBUTES_MAX + 1, &key),
		KW_ERR_TOO_LARGE);
	assert_int_equal(kw_key_set_attributes(kw, NULL, large, 1, &key), KW_ERR_ARGUMENT);
	assert_null(key);
	kw_free(&kw);
	fake_end(&f);
}

/* --- Replies --- */

static uint8_t reply_bytes[WIRE_MAX_PAYLOAD];
static size_t reply_len;

static void answer(struct fake_tee *f, struct fake_request *rq)
{
	(void)f;
	put_bytes(&rq->reply, reply_bytes, reply_len);
}

static void good_reply(void)
{
	struct writer w = writer_over(reply_bytes, sizeof(reply_bytes));

	fake_object(&w);
	put_field16(&w, "value", 5);
	reply_len = w.len;
}

static enum kw_err get_only(struct kw *kw)
{
	struct kw_object *o = NULL;
	enum kw_err err = kw_object_get(kw, fake_id, &o);

	assert_int_equal(err == KW_ERR_OK, o != NULL);
	kw_object_free(&o);
	return err;
}

/* Values that the protocol does not have, at their places in the reply. */
static void unknown_values_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} bad[] = {
		{0, 0},              /* another object */
		{32, 0}, {32, 3},    /* kind */
		{33, 2},             /* public */
		{42, 0}, {42, 3},    /* owner's kind */
		{47, 33},            /* entries of the access list */
		{48, 0},             /* kind of the first */
		{53, 4},             /* rights */
		{54, 4},             /* attributes: more than there may be */
		{66, 0x20}, {67, 4}, /* size of the value */
		{69, 4}, {69, 6},    /* the value */
	};
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, answer);
	kw = fake_kw(&f, 0);
	good_reply();
	assert_int_equal(get_only(kw), KW_ERR_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		good_reply();
		reply_bytes[bad[i].at] = bad[i].value;
		if (get_only(kw) != KW_ERR_PROTOCOL)
			fail_msg("byte %zu as %u is accepted", bad[i].at, bad[i].value);
	}
	kw_free(&kw);
	fake_end(&f);
}

static void garbled_replies_do_no_harm(void **state)
{
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, answer);
	kw = fake_kw(&f, 0);
	good_reply();
	for (size_t i = 0; i < reply_len * 8; i++) {
		enum kw_err err;

		reply_bytes[i / 8] ^= (uint8_t)(1u << i % 8);
		err = get_only(kw);
		assert_true(err == KW_ERR_OK || err == KW_ERR_PROTOCOL);
		reply_bytes[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	kw_free(&kw);
	fake_end(&f);
}

/* --- Refusals --- */

static enum kw_err refuse_with;

static void refuser(struct fake_tee *f, struct fake_request *rq)
{
	(void)f;
	rq->err = (uint16_t)refuse_with;
}

static void refusals_speak_of_objects(void **state)
{
	struct kw_object_template t = {.kind = KW_OBJECT_DATA};
	struct kw_object *o;
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, refuser);
	kw = fake_kw(&f, 0);
	refuse_with = KW_ERR_ACCESS;
	assert_int_equal(kw_object_get(kw, fake_id, &o), KW_ERR_ACCESS);
	assert_non_null(strstr(kw_explain(), "may not read the object abcdef0102030405…"));
	refuse_with = KW_ERR_NOT_OWNER;
	assert_int_equal(kw_object_delete(kw, fake_id), KW_ERR_NOT_OWNER);
	assert_non_null(strstr(kw_explain(), "may not change the object abcdef0102030405…"));
	refuse_with = KW_ERR_MAY_NOT_CREATE;
	assert_int_equal(kw_object_put(kw, &t, &o), KW_ERR_MAY_NOT_CREATE);
	assert_non_null(strstr(kw_explain(), "may not store objects"));
	refuse_with = KW_ERR_NO_OBJECT;
	assert_int_equal(kw_object_get(kw, fake_id, &o), KW_ERR_NO_OBJECT);
	assert_non_null(strstr(kw_explain(), "the object abcdef0102030405… is not in"));
	kw_free(&kw);
	fake_end(&f);
}

static void hangs_up(struct fake_tee *f, struct fake_request *rq)
{
	(void)f;
	rq->action = FAKE_CLOSE;
}

/* Twice would be two objects. */
static void a_change_is_not_sent_twice(void **state)
{
	struct kw_object_template t = {.kind = KW_OBJECT_DATA};
	struct kw_object *o;
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, hangs_up);
	kw = fake_kw(&f, 0);
	assert_int_equal(kw_object_put(kw, &t, &o), KW_ERR_DISCONNECTED);
	assert_non_null(strstr(kw_explain(), "whether the change was made is not known"));
	assert_int_equal(atomic_load(&f.counts[CMD_OBJECT_PUT]), 1);
	assert_int_equal(kw_object_delete(kw, fake_id), KW_ERR_DISCONNECTED);
	assert_int_equal(atomic_load(&f.counts[CMD_OBJECT_DELETE]), 1);
	kw_free(&kw);
	fake_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_arguments_are_not_sent),
		cmocka_unit_test(unknown_values_are_refused),
		cmocka_unit_test(garbled_replies_do_no_harm),
		cmocka_unit_test(refusals_speak_of_objects),
		cmocka_unit_test(a_change_is_not_sent_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

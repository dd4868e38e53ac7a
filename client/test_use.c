/* SPDX-License-Identifier: BSD-2-Clause */
/* Sealed keys, lists of several pages, limits of arguments, and what refusals say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_fake_tee.h"

static const uint8_t record[] = "a sealed key";
static const uint8_t message[] = "message";

static const struct kw_use sealed_use = {
	.id = fake_id, .record = record, .record_len = sizeof(record), .label = "www.test.com"};
static const struct kw_sign what = {
	.scheme = KW_SCHEME_ECDSA, .hash = KW_HASH_SHA256, .data = message, .len = sizeof(message)};

static enum kw_err sign_with(struct kw *kw, const struct kw_use *use)
{
	uint8_t sig[KW_SIGNATURE_MAX];
	size_t len = 1;
	enum kw_err err = kw_sign(kw, use, &what, sig, &len);

	assert_int_equal(len, err ? 0 : sizeof(message));
	return err;
}

static unsigned loads_needed;
static atomic_bool loaded;
static uint8_t loaded_id[KW_ID_SIZE];

/* Knows the key only after the record came; lets it go again `loads_needed` times. */
static void loader(struct fake_tee *f, struct fake_request *rq)
{
	const uint8_t *p;
	size_t len;

	if (rq->command == CMD_KEY_LOAD) {
		p = get_field16(&rq->payload, KW_RECORD_MAX, &len);
		if (!reader_done(&rq->payload) || len != sizeof(record) ||
			memcmp(p, record, len) != 0)
			rq->err = KW_ERR_CORRUPT;
		else
			put_bytes(&rq->reply, loaded_id, KW_ID_SIZE);
		atomic_store(&loaded, rq->count >= loads_needed);
	} else if (!atomic_load(&loaded)) {
		rq->err = KW_ERR_NOT_LOADED;
	} else {
		fake_signer(f, rq);
	}
}

static void sealed_key_is_loaded_when_needed(void **state)
{
	static const uint8_t longer[KW_RECORD_MAX + 1];
	struct kw_use use = sealed_use;
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, loader);
	kw = fake_kw(&f, 0);
	memcpy(loaded_id, fake_id, KW_ID_SIZE);
	loads_needed = 1;
	assert_int_equal(sign_with(kw, &sealed_use), KW_ERR_OK);
	assert_int_equal(atomic_load(&f.counts[CMD_KEY_LOAD]), 1);
	assert_int_equal(atomic_load(&f.counts[CMD_SIGN]), 2);
	/* Then it is open, and the record is not sent again. */
	assert_int_equal(sign_with(kw, &sealed_use), KW_ERR_OK);
	assert_int_equal(atomic_load(&f.counts[CMD_KEY_LOAD]), 1);
	/* A stored key that is gone. */
	atomic_store(&loaded, false);
	use.record = NULL;
	assert_int_equal(sign_with(kw, &use), KW_ERR_NO_KEY);
	assert_non_null(strstr(kw_explain(), "www.test.com"));
	assert_int_equal(atomic_load(&f.counts[CMD_KEY_LOAD]), 1);
	/* Records of impossible sizes are not sent. */
	use.record = longer;
	use.record_len = 0;
	assert_int_equal(sign_with(kw, &use), KW_ERR_ARGUMENT);
	use.record_len = sizeof(longer);
	assert_int_equal(sign_with(kw, &use), KW_ERR_ARGUMENT);
	assert_int_equal(atomic_load(&f.counts[CMD_KEY_LOAD]), 1);
	kw_free(&kw);
	fake_end(&f);
}

static void loading_is_not_tried_for_ever(void **state)
{
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, loader);
	kw = fake_kw(&f, 0);
	memcpy(loaded_id, fake_id, KW_ID_SIZE);
	atomic_store(&loaded, false);
	loads_needed = 2;
	assert_int_equal(sign_with(kw, &sealed_use), KW_ERR_OK);
	assert_int_equal(atomic_load(&f.counts[CMD_KEY_LOAD]), 2);
	atomic_store(&loaded, false);
	loads_needed = 1000;
	assert_int_equal(sign_with(kw, &sealed_use), KW_ERR_NOT_LOADED);
	assert_int_equal(atomic_load(&f.counts[CMD_KEY_LOAD]), 4);
	kw_free(&kw);
	fake_end(&f);
}

static void record_of_another_key_is_refused(void **state)
{
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, loader);
	kw = fake_kw(&f, 0);
	memset(loaded_id, 7, KW_ID_SIZE);
	atomic_store(&loaded, false);
	loads_needed = 1;
	assert_int_equal(sign_with(kw, &sealed_use), KW_ERR_BAD_REFERENCE);
	kw_free(&kw);
	fake_end(&f);
}

static void other_device(struct fake_tee *f, struct fake_request *rq)
{
	(void)f;
	rq->err = rq->command == CMD_SIGN ? KW_ERR_NOT_LOADED : KW_ERR_OTHER_DEVICE;
}

static void sealed_elsewhere_is_explained(void **state)
{
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, other_device);
	kw = fake_kw(&f, 0);
	assert_int_equal(sign_with(kw, &sealed_use), KW_ERR_OTHER_DEVICE);
	assert_non_null(strstr(kw_explain(), "'www.test.com' was sealed by another device"));
	kw_free(&kw);
	fake_end(&f);
}

/* --- Refusals --- */

static enum kw_err refuse_with;

static void refuser(struct fake_tee *f, struct fake_request *rq)
{
	(void)f;
	if (rq->command == CMD_KEY_INFO)
		fake_description(&rq->reply, "www.test.com", PLACE_STORED, 300);
	else
		rq->err = (uint16_t)refuse_with;
}

static void refusals_say_who_what_and_how(void **state)
{
	struct kw_use use = {.id = fake_id, .label = "www.test.com"};
	struct fake_tee f;
	char who[64];
	struct kw *kw;

	(void)state;
	fake_start(&f, refuser);
	kw = fake_kw(&f, 0);
	refuse_with = KW_ERR_ACCESS;
	assert_int_equal(sign_with(kw, &use), KW_ERR_ACCESS);
	snprintf(who, sizeof(who), "uid %u", (unsigned)geteuid());
	assert_non_null(strstr(kw_explain(), who));
	assert_non_null(strstr(kw_explain(), "may not use the key 'www.test.com'"));
	assert_non_null(strstr(kw_explain(), "keyward key allow www.test.com user:"));
	refuse_with = KW_ERR_TLS_MESSAGE;
	assert_int_equal(sign_with(kw, &use), KW_ERR_TLS_MESSAGE);
	assert_string_equal(kw_explain(),
		"the key 'www.test.com' signs TLS server handshakes only "
		"(purposes: tls-server,csr); this was a request to sign something "
		"else");
	refuse_with = KW_ERR_PURPOSE;
	assert_int_equal(sign_with(kw, &use), KW_ERR_PURPOSE);
	assert_non_null(strstr(kw_explain(), "purposes: tls-server,csr"));
	/* Without a label the id has to do, in full where it is to be pasted. */
	use.label = NULL;
	refuse_with = KW_ERR_ACCESS;
	assert_int_equal(sign_with(kw, &use), KW_ERR_ACCESS);
	assert_non_null(strstr(kw_explain(), "key allow abcdef0102030405"));
	assert_non_null(strstr(kw_explain(), "99 user:"));
	/* A wildcard is quoted, and what a shell would run is not repeated as a command. */
	use.label = "*.test.com";
	assert_int_equal(sign_with(kw, &use), KW_ERR_ACCESS);
	assert_non_null(strstr(kw_explain(), "key allow '*.test.com' user:"));
	use.label = "a;reboot";
	assert_int_equal(sign_with(kw, &use), KW_ERR_ACCESS);
	assert_non_null(strstr(kw_explain(), "key allow abcdef0102030405"));
	use.label = "-a";
	assert_int_equal(sign_with(kw, &use), KW_ERR_ACCESS);
	assert_non_null(strstr(kw_explain(), "key allow abcdef0102030405"));
	/* Control characters of a name do not reach a log. */
	use.label = "a\n\033[2Jb";
	assert_int_equal(sign_with(kw, &use), KW_ERR_ACCESS);
	assert_null(strchr(kw_explain(), '\n'));
	assert_null(strchr(kw_explain(), '\033'));
	kw_free(&kw);
	fake_end(&f);
}

/* --- Lists --- */

static unsigned bad_page;

/* Three pages: two keys, none, one. */
static void lister(struct fake_tee *f, struct fake_request *rq)
{
	uint32_t cursor = get_u32(&rq->payload);

	(void)f;
	if (cursor == 0) {
		put_u32(&rq->reply, 10);
		put_u16(&rq->reply, 2);
		fake_description(&rq->reply, "a", PLACE_STORED, 0);
		fake_description(&rq->reply, "b", PLACE_STORED, 0);
	} else if (cursor == 10) {
		put_u32(&rq->reply, bad_page ? bad_page : 20);
		put_u16(&rq->reply, 0);
	} else {
		put_u32(&rq->reply, 0);
		put_u16(&rq->reply, 1);
		fake_description(&rq->reply, "c", PLACE_STORED, 0);
	}
}

static enum kw_err walk(struct kw *kw, char names[8])
{
	struct kw_page *page = NULL;
	struct kw_key *key;
	enum kw_err err;
	size_t n = 0;

	while ((err = kw_key_next(kw, &page, &key)) == KW_ERR_OK) {
		assert_true(n < 7);
		names[n++] = kw_key_name(key)[0];
		kw_key_free(&key);
	}
	names[n] = '\0';
	kw_page_free(&page);
	return err;
}

static void lists_have_pages(void **state)
{
	struct kw_page *page = NULL;
	struct kw_key *key;
	struct fake_tee f;
	char names[8];
	struct kw *kw;

	(void)state;
	fake_start(&f, lister);
	kw = fake_kw(&f, 0);
	bad_page = 0;
	assert_int_equal(walk(kw, names), KW_ERR_NO_KEY);
	assert_string_equal(names, "abc");
	assert_int_equal(atomic_load(&f.counts[CMD_KEY_LIST]), 3);
	/* Stopping in the middle leaks nothing. */
	assert_int_equal(kw_key_next(kw, &page, &key), KW_ERR_OK);
	kw_key_free(&key);
	kw_page_free(&page);
	assert_null(page);
	/* A list that goes round in circles ends. */
	bad_page = 10;
	assert_int_equal(walk(kw, names), KW_ERR_PROTOCOL);
	bad_page = 3;
	assert_int_equal(walk(kw, names), KW_ERR_PROTOCOL);
	kw_free(&kw);
	fake_end(&f);
}

/* --- Arguments --- */

static void fails_if_called(struct fake_tee *f, struct fake_request *rq)
{
	(void)f;
	(void)rq;
	abort();
}

static void bad_arguments_are_not_sent(void **state)
{
	static const uint8_t long_message[KW_MESSAGE_MAX + 1];
	struct kw_sign s = {.data = long_message, .len = sizeof(long_message)};
	struct kw_decrypt d = {.oaep = true, .data = message, .len = KW_SIGNATURE_MAX + 1};
	struct kw_use use = {.id = fake_id};
	struct kw_target both = {.name = "a", .id = fake_id};
	struct kw_target none = {0};
	struct kw_target sealed = {.record = record, .record_len = sizeof(record)};
	struct kw_target name = {.name = ""};
	struct kw_key_template t = {
		.name = "a", .type = KW_KEY_TYPE_ED25519, .purposes = 1, .allow_count = 33};
	char long_name[KW_NAME_MAX + 2];
	uint8_t out[KW_SIGNATURE_MAX];
	struct kw_key *key;
	struct fake_tee f;
	struct kw *kw;
	size_t len;

	(void)state;
	memset(long_name, 'a', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	fake_start(&f, fails_if_called);
	kw = fake_kw(&f, 0);
	assert_int_equal(kw_sign(kw, &use, &s, out, &len), KW_ERR_TOO_LARGE);
	assert_int_equal(kw_sign(kw, NULL, &s, out, &len), KW_ERR_ARGUMENT);
	assert_int_equal(kw_sign(NULL, &use, &what, out, &len), KW_ERR_ARGUMENT);
	assert_int_equal(kw_rsa_decrypt(kw, &use, &d, out, &len), KW_ERR_TOO_LARGE);
	d.len = 1;
	d.label = message;
	d.label_len = 257;
	assert_int_equal(kw_rsa_decrypt(kw, &use, &d, out, &len), KW_ERR_TOO_LARGE);
	assert_int_equal(kw_key_find(kw, &both, &key), KW_ERR_ARGUMENT);
	assert_int_equal(kw_key_find(kw, &none, &key), KW_ERR_ARGUMENT);
	assert_int_equal(kw_key_find(kw, NULL, &key), KW_ERR_ARGUMENT);
	assert_int_equal(kw_key_find(kw, &name, &key), KW_ERR_BAD_NAME);
	name.name = long_name;
	assert_int_equal(kw_key_find(kw, &name, &key), KW_ERR_BAD_NAME);
	assert_int_equal(kw_key_rename(kw, &sealed, "b", false), KW_ERR_ARGUMENT);
	assert_int_equal(kw_key_delete(kw, &sealed), KW_ERR_ARGUMENT);
	name.name = "a";
	assert_int_equal(kw_key_rename(kw, &name, "", false), KW_ERR_BAD_NAME);
	assert_int_equal(kw_key_rename(kw, &name, long_name, false), KW_ERR_BAD_NAME);
	assert_int_equal(kw_key_generate(kw, &t, &key), KW_ERR_LIMIT);
	t.allow_count = 0;
	t.type = (enum kw_key_type)99;
	assert_int_equal(kw_key_generate(kw, &t, &key), KW_ERR_UNSUPPORTED_TYPE);
	t.type = KW_KEY_TYPE_ED25519;
	t.name = "";
	assert_int_equal(kw_key_generate(kw, &t, &key), KW_ERR_BAD_NAME);
	t.name = "a";
	assert_int_equal(kw_key_import(kw, &t, long_message, 5000, &key), KW_ERR_BAD_KEY);
	kw_free(&kw);
	fake_end(&f);
}

/* The longest message fits, and so does the largest certificate request. */
static void longest_requests_fit(void **state)
{
	static uint8_t data[KW_MESSAGE_MAX];
	struct kw_sign s = {.scheme = KW_SCHEME_EDDSA, .data = data, .len = sizeof(data)};
	struct kw_use use = {.id = fake_id};
	uint8_t sig[KW_SIGNATURE_MAX];
	struct fake_tee f;
	struct kw *kw;
	size_t len;

	(void)state;
	fake_start(&f, fake_signer);
	kw = fake_kw(&f, 0);
	assert_int_equal(kw_sign(kw, &use, &s, sig, &len), KW_ERR_OK);
	assert_int_equal(len, 64);
	kw_free(&kw);
	fake_end(&f);
}

static void ecdsa_signatures_become_der(void **state)
{
	static const uint8_t rs[64] = {[31] = 0x80, [32] = 0x01, [63] = 0x02};
	static const uint8_t first[] = {0x30, 0x26, 0x02, 0x02, 0x00, 0x80, 0x02, 0x20, 0x01};
	uint8_t der[KW_SIGNATURE_MAX];
	uint8_t large[600] = {1};
	size_t len;

	(void)state;
	assert_int_equal(kw_ecdsa_to_der(rs, sizeof(rs), der, &len), KW_ERR_OK);
	assert_int_equal(len, 40);
	assert_memory_equal(der, first, sizeof(first));
	assert_int_equal(der[39], 2);
	assert_int_equal(kw_ecdsa_to_der(rs, 63, der, &len), KW_ERR_ARGUMENT);
	assert_int_equal(len, 0);
	assert_int_equal(kw_ecdsa_to_der(rs, 0, der, &len), KW_ERR_ARGUMENT);
	assert_int_equal(kw_ecdsa_to_der(large, sizeof(large), der, &len), KW_ERR_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_key_is_loaded_when_needed),
		cmocka_unit_test(loading_is_not_tried_for_ever),
		cmocka_unit_test(record_of_another_key_is_refused),
		cmocka_unit_test(sealed_elsewhere_is_explained),
		cmocka_unit_test(refusals_say_who_what_and_how),
		cmocka_unit_test(lists_have_pages),
		cmocka_unit_test(bad_arguments_are_not_sent),
		cmocka_unit_test(longest_requests_fit),
		cmocka_unit_test(ecdsa_signatures_become_der),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

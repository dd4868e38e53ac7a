/* SPDX-License-Identifier: BSD-2-Clause */
/* Statements taken apart: what they say arrives, and what is not one is refused. Signatures are the caller's matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_fake_tee.h"

static uint8_t statement[KW_ATTESTATION_MAX];
static size_t statement_len;

static void make(void)
{
	struct writer w = writer_over(statement, sizeof(statement));

	fake_statement(&w);
	assert_false(w.failed);
	statement_len = w.len;
}

/* In memory of its own size, so that a sanitizer sees who leaves it. */
static enum kw_err parse(const uint8_t *bytes, size_t len, struct kw_attestation **a)
{
	uint8_t *exact = malloc(len ? len : 1);
	enum kw_err err;

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	err = kw_attestation_parse(exact, len, a);
	/* Nothing that it has points there. */
	memset(exact, 0xff, len);
	free(exact);
	return err;
}

static void what_it_says_arrives(void **state)
{
	enum kw_protection_state protection;
	struct kw_attestation *a;
	size_t n;

	(void)state;
	make();
	assert_int_equal(parse(statement, statement_len, &a), KW_ERR_OK);
	assert_memory_equal(kw_attestation_signer(a), fake_id, KW_ID_SIZE);
	assert_memory_equal(kw_attestation_id(a), fake_id, KW_ID_SIZE);
	assert_memory_equal(kw_attestation_challenge(a, &n), "challenge", 9);
	assert_int_equal(n, 9);
	assert_int_equal(kw_attestation_time(a), 1700000009);
	assert_int_equal(kw_attestation_created(a), 1700000000);
	assert_memory_equal(kw_attestation_spki(a, &n), "\x30\x02\x05\0", 4);
	assert_int_equal(n, 4);
	assert_string_equal(kw_attestation_type(a), "ec-p256");
	assert_string_equal(kw_attestation_tee(a), "optee");
	assert_string_equal(kw_attestation_version(a), "9.9");
	assert_true(kw_attestation_is_imported(a));
	assert_true(kw_attestation_is_sealed(a));
	assert_true(kw_attestation_is_extractable(a));
	assert_string_equal(kw_attestation_purpose(a, 0), "csr");
	assert_string_equal(kw_attestation_purpose(a, 1), "sign");
	assert_null(kw_attestation_purpose(a, 2));
	assert_string_equal(kw_attestation_protection(a, 0, &protection), "rollback");
	assert_int_equal(protection, KW_PROTECTION_ABSENT);
	assert_string_equal(kw_attestation_protection(a, 1, &protection), "device-secret");
	assert_int_equal(protection, KW_PROTECTION_PRESENT);
	assert_null(kw_attestation_protection(a, 2, &protection));
	assert_int_equal(kw_attestation_signature(a, &n)[0], 0x5a);
	assert_int_equal(n, 64);
	/* RFC 9052, 4.4: what is signed is everything but the signature. */
	assert_memory_equal(
		kw_attestation_signed(a, &n), "\x84\x6aSignature1\x58\x26\xa2\x01\x27", 17);
	assert_int_equal(n, statement_len - 2 - 1 - 2 - 64 + 12 + 1);
	kw_attestation_free(&a);
	assert_null(a);
	kw_attestation_free(&a);
}

/* The statement with `from` replaced by what is as long; false when it is not there. */
static bool replace(const char *from, const char *to, size_t n)
{
	make();
	for (size_t i = 0; i + n <= statement_len; i++) {
		if (memcmp(statement + i, from, n) == 0) {
			memcpy(statement + i, to, n);
			return true;
		}
	}
	return false;
}

#define SAME_LENGTH(from, to)              \
	{                                  \
		from, to, sizeof(from) - 1 \
	}

static void what_is_none_is_refused(void **state)
{
	static const struct {
		const char *from, *to;
		size_t n;
	} bad[] = {
		/* another format */
		SAME_LENGTH("urn:uuid:5", "urn:uuid:4"),
		SAME_LENGTH("\x19\x01\x09\x78", "\x19\x01\x08\x78"),
		SAME_LENGTH("\xd2\x84", "\xd3\x84"),
		SAME_LENGTH("\xa2\x01\x27", "\xa2\x01\x26"),
		/* something is missing: its name is another */
		SAME_LENGTH("\x62id", "\x62ie"),
		SAME_LENGTH("\x64type", "\x64typf"),
		SAME_LENGTH("\x65place", "\x65placf"),
		SAME_LENGTH("\x66origin", "\x66origio"),
		SAME_LENGTH("\x67"
			    "created",
			"\x67"
			"createe"),
		SAME_LENGTH("\x68purposes", "\x68purposet"),
		SAME_LENGTH("\x6b"
			    "extractable",
			"\x6b"
			"extractablf"),
		SAME_LENGTH("\x64kind", "\x64kine"),
		SAME_LENGTH("\x66"
			    "absent",
			"\x66"
			"absenu"),
		SAME_LENGTH("\x67partial", "\x67partiam"),
		SAME_LENGTH("\x67present", "\x67presenu"),
		SAME_LENGTH("\x19\x01\x0f\x81", "\x19\x01\x10\x81"),
		SAME_LENGTH("\x3a\x00\x01\x11\x70", "\x3a\x00\x01\x11\x6f"),
		SAME_LENGTH("\x3a\x00\x01\x11\x71", "\x3a\x00\x01\x11\x72"),
		/* a word that it cannot be */
		SAME_LENGTH("imported", "importee"),
		SAME_LENGTH("sealed", "sealee"),
		SAME_LENGTH("optee", "opted"),
		/* another type */
		SAME_LENGTH("extractable\xf5", "extractable\xf6"),
		SAME_LENGTH("created\x1a", "created\x3a"),
		SAME_LENGTH("\x82\x63"
			    "csr",
			"\x82\x43"
			"csr"),
		SAME_LENGTH("\x63"
			    "9.9",
			"\x43"
			"9.9"),
		SAME_LENGTH("spki\x44\x30", "spki\x64\x30"),
		/* control characters, and what is not UTF-8 */
		SAME_LENGTH("ec-p256", "ec\x1b[256"),
		SAME_LENGTH("9.9", "9\n9"),
		SAME_LENGTH("rollback", "roll\xff"
					"ack"),
		/* DER that is none */
		SAME_LENGTH("spki\x44\x30\x02", "spki\x44\x30\x03"),
		/* twice the same, and out of order */
		SAME_LENGTH("\x67present", "\x67partial"),
		SAME_LENGTH("\x64type", "\x64spki"),
		SAME_LENGTH("\x64spki", "\x64tzki"),
	};
	struct kw_attestation *a = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!replace(bad[i].from, bad[i].to, bad[i].n))
			fail_msg("there is no %zu: %s", i, bad[i].from);
		if (parse(statement, statement_len, &a) != KW_ERR_BAD_STATEMENT)
			fail_msg("%zu is taken: %s", i, bad[i].to);
		assert_null(a);
		assert_non_null(strstr(kw_explain(), "not a good attestation statement"));
	}
}

static void what_is_newer_is_passed_over(void **state)
{
	struct kw_attestation *a = NULL;
	size_t n;

	(void)state;
	/* A secret key has no public one: the item has a name that nobody knows. */
	assert_true(replace("\x64spki", "\x64spkj", 5));
	assert_int_equal(parse(statement, statement_len, &a), KW_ERR_OK);
	assert_null(kw_attestation_spki(a, &n));
	assert_int_equal(n, 0);
	kw_attestation_free(&a);
	/* Neither a time nor a challenge. */
	assert_true(
		replace("\x06\x1a\x65\x53\xf1\x09\x0a\x49", "\x07\x1a\x65\x53\xf1\x09\x0b\x49", 8));
	assert_int_equal(parse(statement, statement_len, &a), KW_ERR_OK);
	assert_int_equal(kw_attestation_time(a), 0);
	assert_null(kw_attestation_challenge(a, &n));
	kw_attestation_free(&a);
}

/* Cut, padded, changed: refused or understood, and never read past its end. */
static void damage_does_no_harm(void **state)
{
	struct kw_attestation *a = NULL;
	uint8_t huge[KW_ATTESTATION_MAX + 1] = {0};

	(void)state;
	make();
	for (size_t n = 0; n < statement_len; n++)
		assert_int_equal(parse(statement, n, &a), KW_ERR_BAD_STATEMENT);
	statement[statement_len] = 0;
	assert_int_equal(parse(statement, statement_len + 1, &a), KW_ERR_BAD_STATEMENT);
	for (size_t at = 0; at < statement_len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			statement[at] ^= (uint8_t)(1 << bit);
			if (parse(statement, statement_len, &a))
				assert_null(a);
			kw_attestation_free(&a);
			statement[at] ^= (uint8_t)(1 << bit);
		}
	}
	assert_int_equal(parse(huge, sizeof(huge), &a), KW_ERR_BAD_STATEMENT);
	assert_int_equal(kw_attestation_parse(NULL, 0, &a), KW_ERR_BAD_STATEMENT);
	assert_int_equal(kw_attestation_parse(statement, statement_len, NULL), KW_ERR_ARGUMENT);
}

static void arguments_are_checked(void **state)
{
	struct kw_options options = {.tee = "host", .socket = "/nonexistent/socket"};
	struct kw_target t = {.name = "a"};
	uint8_t challenge[KW_CHALLENGE_MAX + 1] = {0}, buf[16];
	static const size_t bad[] = {1, KW_CHALLENGE_MIN - 1, KW_CHALLENGE_MAX + 1};
	struct kw *kw;
	size_t len;

	(void)state;
	assert_int_equal(kw_new(&options, &kw), KW_ERR_OK);
	for (size_t i = 0; i < 3; i++) {
		len = sizeof(buf);
		assert_int_equal(
			kw_key_attest(kw, &t, challenge, bad[i], buf, &len), KW_ERR_ARGUMENT);
		assert_int_equal(len, 0);
	}
	len = sizeof(buf);
	assert_int_equal(kw_key_attest(kw, &t, NULL, 8, buf, &len), KW_ERR_ARGUMENT);
	assert_int_equal(kw_key_attest(kw, &t, NULL, 0, NULL, &len), KW_ERR_ARGUMENT);
	assert_int_equal(kw_key_attest(kw, &t, NULL, 0, buf, NULL), KW_ERR_ARGUMENT);
	assert_int_equal(kw_attestation_key(kw, NULL, &len), KW_ERR_ARGUMENT);
	assert_int_equal(kw_attestation_key(kw, buf, NULL), KW_ERR_ARGUMENT);
	kw_free(&kw);
}

static void answer(struct fake_tee *f, struct fake_request *rq)
{
	(void)f;
	put_field16(&rq->reply, statement, statement_len);
}

static void a_short_buffer_is_left_alone(void **state)
{
	struct kw_target t = {.name = "a"};
	uint8_t buf[64];
	struct fake_tee f;
	struct kw *kw;
	size_t len = sizeof(buf) - 1;

	(void)state;
	make();
	memset(buf, 0x77, sizeof(buf));
	fake_start(&f, answer);
	kw = fake_kw(&f, 0);
	assert_int_equal(kw_key_attest(kw, &t, NULL, 0, buf, &len), KW_ERR_TOO_LARGE);
	assert_int_equal(len, 0);
	for (size_t i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], 0x77);
	kw_free(&kw);
	fake_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_says_arrives),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(what_is_newer_is_passed_over),
		cmocka_unit_test(damage_does_no_harm),
		cmocka_unit_test(arguments_are_checked),
		cmocka_unit_test(a_short_buffer_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

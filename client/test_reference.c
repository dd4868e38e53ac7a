/* SPDX-License-Identifier: BSD-2-Clause */
/* Key files: there and back, and everything that is not one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "key.h"
#include "test_fake_tee.h"
#include "wire/der.h"

static const uint8_t spki[] = {0x30, 0x03, 0x02, 0x01, 0x05};

/* A key file with the parts as given; NULL leaves one out. */
struct parts {
	uint8_t version;
	const char *name;
	size_t id_len;
	const uint8_t *spki;
	size_t spki_len;
	const uint8_t *record;
	size_t record_len;
	bool extra; /* something behind the record */
};

static const struct parts good = {
	.version = 1, .name = "www.test.com", .id_len = 32, .spki = spki, .spki_len = sizeof(spki)};

static size_t build(const struct parts *p, uint8_t *der, size_t size)
{
	struct writer w = writer_over(der, size);
	size_t mark = der_begin(&w, DER_SEQUENCE);
	uint8_t id[64] = {0};

	memcpy(id, fake_id, sizeof(fake_id));
	der_put_unsigned(&w, &p->version, 1);
	der_put(&w, DER_UTF8_STRING, p->name, strlen(p->name));
	der_put(&w, DER_OCTET_STRING, id, p->id_len);
	der_put(&w, DER_OCTET_STRING, p->spki, p->spki_len);
	if (p->record)
		der_put(&w, DER_CONTEXT(0), p->record, p->record_len);
	if (p->extra)
		der_put(&w, DER_NULL, NULL, 0);
	der_end(&w, mark);
	assert_false(w.failed);
	return w.len;
}

static enum kw_err parse(const uint8_t *der, size_t len)
{
	struct kw_reference *ref = (struct kw_reference *)1;
	enum kw_err err = kw_reference_parse(der, len, &ref);

	if (err)
		assert_null(ref);
	kw_reference_free(&ref);
	return err;
}

static enum kw_err parse_parts(const struct parts *p)
{
	static uint8_t der[16384];

	return parse(der, build(p, der, sizeof(der)));
}

static void there_and_back(struct kw_key *key)
{
	struct kw_reference *ref;
	uint8_t der[KW_REFERENCE_MAX];
	uint8_t again[KW_REFERENCE_MAX];
	const uint8_t *p;
	size_t len, again_len, n;

	assert_int_equal(kw_reference_new(key, &ref), KW_ERR_OK);
	assert_int_equal(kw_reference_encode(ref, der, &len), KW_ERR_OK);
	kw_reference_free(&ref);
	assert_null(ref);
	assert_int_equal(kw_reference_parse(der, len, &ref), KW_ERR_OK);
	assert_string_equal(kw_reference_name(ref), key->name);
	assert_memory_equal(kw_reference_id(ref), key->id, KW_ID_SIZE);
	p = kw_reference_spki(ref, &n);
	assert_int_equal(n, key->spki_len);
	assert_memory_equal(p, key->spki, n);
	p = kw_reference_record(ref, &n);
	assert_int_equal(n, key->record_len);
	if (key->record)
		assert_memory_equal(p, key->record, n);
	else
		assert_null(p);
	assert_int_equal(kw_reference_encode(ref, again, &again_len), KW_ERR_OK);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, der, len);
	kw_reference_free(&ref);
	for (n = 0; n < len; n++)
		assert_int_equal(parse(der, n), KW_ERR_BAD_REFERENCE);
	der[len] = 0;
	assert_int_equal(parse(der, len + 1), KW_ERR_BAD_REFERENCE);
}

static void stored_and_sealed_there_and_back(void **state)
{
	uint8_t record[KW_RECORD_MAX] = {1, 2, 3};
	uint8_t public_key[sizeof(spki)];
	struct kw_key key = {.place = PLACE_STORED, .spki = public_key, .spki_len = sizeof(spki)};
	struct kw_reference *ref;

	(void)state;
	memcpy(public_key, spki, sizeof(spki));
	memcpy(key.id, fake_id, KW_ID_SIZE);
	there_and_back(&key);
	memset(key.name, 'x', KW_NAME_MAX);
	there_and_back(&key);
	key.place = PLACE_SEALED;
	assert_int_equal(kw_reference_new(&key, &ref), KW_ERR_ARGUMENT);
	key.record = record;
	key.record_len = 40;
	there_and_back(&key);
	key.record_len = sizeof(record);
	there_and_back(&key);
	/* One out of a listing. */
	key.spki = NULL;
	assert_int_equal(kw_reference_new(&key, &ref), KW_ERR_ARGUMENT);
	assert_null(ref);
}

static void other_versions_are_refused(void **state)
{
	struct parts p = good;

	(void)state;
	assert_int_equal(parse_parts(&p), KW_ERR_OK);
	p.version = 0;
	assert_int_equal(parse_parts(&p), KW_ERR_BAD_REFERENCE);
	p.version = 2;
	assert_int_equal(parse_parts(&p), KW_ERR_BAD_REFERENCE);
	assert_non_null(strstr(kw_explain(), "version 2"));
	p.version = 255;
	assert_int_equal(parse_parts(&p), KW_ERR_BAD_REFERENCE);
}

static void sizes_and_contents_are_checked(void **state)
{
	static const uint8_t large[KW_RECORD_MAX + 1] = {0x30};
	static const uint8_t garbage[] = {0x30, 0x05, 0x02, 0x01, 0x05};
	char long_name[KW_NAME_MAX + 2];
	struct parts p = good;

	(void)state;
	memset(long_name, 'a', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	p.name = long_name;
	assert_int_equal(parse_parts(&p), KW_ERR_BAD_REFERENCE);
	p.name = "a;reboot";
	assert_int_equal(parse_parts(&p), KW_ERR_BAD_REFERENCE);
	p.name = "*.test-1_a@b+c.COM";
	assert_int_equal(parse_parts(&p), KW_ERR_OK);
	p.name = "two\nlines";
	assert_int_equal(parse_parts(&p), KW_ERR_BAD_REFERENCE);
	p = good;
	p.id_len = 31;
	assert_int_equal(parse_parts(&p), KW_ERR_BAD_REFERENCE);
	p.id_len = 33;
	assert_int_equal(parse_parts(&p), KW_ERR_BAD_REFERENCE);
	p = good;
	p.spki_len = 0;
	assert_int_equal(parse_parts(&p), KW_ERR_BAD_REFERENCE);
	p.spki = garbage;
	p.spki_len = sizeof(garbage);
	assert_int_equal(parse_parts(&p), KW_ERR_BAD_REFERENCE);
	p = good;
	p.record = large;
	assert_int_equal(parse_parts(&p), KW_ERR_BAD_REFERENCE);
	p.record_len = sizeof(large);
	assert_int_equal(parse_parts(&p), KW_ERR_BAD_REFERENCE);
	p.record_len = KW_RECORD_MAX;
	assert_int_equal(parse_parts(&p), KW_ERR_OK);
	p.extra = true;
	assert_int_equal(parse_parts(&p), KW_ERR_BAD_REFERENCE);
	p.record = NULL;
	assert_int_equal(parse_parts(&p), KW_ERR_BAD_REFERENCE);
	assert_int_equal(parse(NULL, 0), KW_ERR_BAD_REFERENCE);
}

/* What is not in the shortest form is another file with the same meaning: not DER. */
static void only_der_is_accepted(void **state)
{
	uint8_t der[256];
	uint8_t other[258];
	size_t len = build(&good, der, sizeof(der));

	(void)state;
	assert_true(len < 127);
	other[0] = der[0];
	other[1] = 0x81;
	memcpy(other + 2, der + 1, len - 1);
	assert_int_equal(parse(other, len + 1), KW_ERR_BAD_REFERENCE);
	/* Every single bit: never a crash, and mostly refused. */
	for (size_t i = 0; i < len * 8; i++) {
		memcpy(other, der, len);
		other[i / 8] ^= (uint8_t)(1 << (i % 8));
		if (parse(other, len) == KW_ERR_OK)
			assert_true(i / 8 > 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stored_and_sealed_there_and_back),
		cmocka_unit_test(other_versions_are_refused),
		cmocka_unit_test(sizes_and_contents_are_checked),
		cmocka_unit_test(only_der_is_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

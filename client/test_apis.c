/* SPDX-License-Identifier: BSD-2-Clause */
/* Every function of the API that talks to a TEE, with what it sends and what it gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "test_apis.h"

static const uint8_t record[] = "the record of a sealed key";
static const uint8_t message[] = "a message";
static const uint8_t signature[64] = {1, 2, 3, [63] = 64};
static const struct kw_identity allowed[] = {
	{KW_IDENTITY_USER, 33}, {KW_IDENTITY_GROUP, 0x01020304}};

static void nothing(struct writer *w)
{
	(void)w;
}

static void stored_reply(struct writer *w)
{
	fake_description(w, "www.test.com", PLACE_STORED, 300);
	put_u16(w, 0);
}

static void sealed_reply(struct writer *w)
{
	fake_description(w, "", PLACE_SEALED, 300);
	put_field16(w, record, sizeof(record));
}

static void description_reply(struct writer *w)
{
	fake_description(w, "www.test.com", PLACE_STORED, 300);
}

static enum kw_err check_key(enum kw_err err, struct kw_key *key, const char *name, bool sealed)
{
	struct kw_identity second;
	size_t len;

	if (err) {
		assert_null(key);
		return err;
	}
	assert_memory_equal(kw_key_id(key), fake_id, KW_ID_SIZE);
	assert_string_equal(kw_key_name(key), name);
	assert_int_equal(kw_key_type(key), KW_KEY_TYPE_EC_P256);
	assert_int_equal(kw_key_purposes(key), KW_PURPOSE_TLS_SERVER | KW_PURPOSE_CSR);
	assert_int_equal(kw_key_is_sealed(key), sealed);
	assert_true(kw_key_is_imported(key));
	assert_int_equal(kw_key_created(key), 1700000000);
	assert_int_equal(kw_key_owner(key).kind, KW_IDENTITY_USER);
	assert_int_equal(kw_key_owner(key).id, 1000);
	assert_int_equal(kw_key_allowed(key), 2);
	second = kw_key_allowed_at(key, 1);
	assert_int_equal(second.kind, KW_IDENTITY_GROUP);
	assert_int_equal(second.id, 115);
	assert_int_equal(kw_key_allowed_at(key, 2).id, 0);
	assert_true(kw_key_may_use(key));
	assert_false(kw_key_may_manage(key));
	assert_int_equal(kw_key_signatures(key), 7);
	assert_int_equal(kw_key_last_use(key), 1700000001);
	assert_true(kw_key_refusals(key) == UINT64_MAX);
	assert_non_null(kw_key_spki(key, &len));
	assert_int_equal(len, 300);
	assert_memory_equal(kw_key_attributes(key, &len), "attributes", 10);
	assert_int_equal(len, 10);
	if (sealed) {
		assert_memory_equal(kw_key_record(key, &len), record, sizeof(record));
		assert_int_equal(len, sizeof(record));
	} else {
		assert_null(kw_key_record(key, &len));
		assert_int_equal(len, 0);
	}
	kw_key_free(&key);
	return err;
}

/* --- STATUS --- */

static void status_reply(struct writer *w)
{
	put_u8(w, TEE_KIND_HOST);
	put_field8(w, "0.1.0", 5);
	put_field8(w, "OpenSSL 3.0.22", 14);
	put_u64(w, 1700000100);
	put_u64(w, 1700000000);
	put_u32(w, 12);
	put_u32(w, 3);
	put_u32(w, 17);
	put_u64(w, 4096);
	put_u64(w, 77);
	put_u64(w, 99);
	put_u64(w, 5);
	put_u64(w, 1 << 20);
	put_u64(w, 8 << 20);
	put_field16(w, "a file", 6);
	put_u8(w, 2);
	put_u8(w, 2);
	put_field8(w, "seccomp", 7);
	put_u8(w, PROTECTION_PRESENT);
	put_field16(w, "system calls are filtered", 25);
	put_field8(w, "tpm", 3);
	put_u8(w, PROTECTION_ABSENT);
	put_field16(w, "no TPM", 6);
}

static enum kw_err run_status(struct kw *kw)
{
	enum kw_protection_state state;
	struct kw_status *s = NULL;
	const char *sentence;
	enum kw_err err = kw_status_new(kw, &s);

	if (err) {
		assert_null(s);
		return err;
	}
	assert_string_equal(kw_status_tee(s), "host");
	assert_string_equal(kw_status_version(s), "0.1.0");
	assert_string_equal(kw_status_crypto(s), "OpenSSL 3.0.22");
	assert_int_equal(kw_status_started(s), 1700000000);
	assert_int_equal(kw_status_keys(s), 12);
	assert_int_equal(kw_status_open_keys(s), 3);
	assert_int_equal(kw_status_objects(s), 17);
	assert_int_equal(kw_status_store_bytes(s), 4096);
	assert_int_equal(kw_status_changes(s), 77);
	assert_int_equal(kw_status_signatures(s), 99);
	assert_int_equal(kw_status_refusals(s), 5);
	assert_int_equal(kw_status_memory(s), 1 << 20);
	assert_int_equal(kw_status_memory_max(s), 8 << 20);
	assert_string_equal(kw_status_storage(s), "a file");
	assert_false(kw_status_is_admin(s));
	assert_true(kw_status_may_create(s));
	assert_int_equal(kw_status_protections(s), 2);
	assert_string_equal(kw_status_protection(s, 0, &state, &sentence), "seccomp");
	assert_int_equal(state, KW_PROTECTION_PRESENT);
	assert_string_equal(sentence, "system calls are filtered");
	assert_string_equal(kw_status_protection(s, 1, &state, &sentence), "tpm");
	assert_int_equal(state, KW_PROTECTION_ABSENT);
	assert_string_equal(sentence, "no TPM");
	assert_null(kw_status_protection(s, 2, &state, &sentence));
	kw_status_free(&s);
	assert_null(s);
	return err;
}

/* --- KEY_GENERATE, KEY_IMPORT --- */

static void generate_request(struct writer *w)
{
	put_bytes(w,
		"\x10\x01\0\0\0\x05\x0cwww.test.com\x02\x01\0\0\0\x21\x02\x01\x02\x03\x04\0\x02xy",
		34);
}

static enum kw_err run_generate(struct kw *kw)
{
	struct kw_key_template t = {.name = "www.test.com",
		.type = KW_KEY_TYPE_EC_P256,
		.purposes = KW_PURPOSE_TLS_SERVER | KW_PURPOSE_CSR,
		.allow = allowed,
		.allow_count = 2,
		.attributes = (const uint8_t *)"xy",
		.attributes_len = 2};
	struct kw_key *key = (struct kw_key *)1;
	enum kw_err err = kw_key_generate(kw, &t, &key);

	return check_key(err, key, "www.test.com", false);
}

static void import_request(struct writer *w)
{
	put_bytes(w,
		"\x10\x02\0\0\0\x08\0\0\0\0\0\x04"
		"abcd",
		16);
}

static enum kw_err run_import(struct kw *kw)
{
	struct kw_key_template t = {
		.type = KW_KEY_TYPE_EC_P256, .purposes = KW_PURPOSE_SIGN, .sealed = true};
	struct kw_key *key = (struct kw_key *)1;
	enum kw_err err = kw_key_import(kw, &t, (const uint8_t *)"abcd", 4, &key);

	return check_key(err, key, "", true);
}

/* --- KEY_INFO --- */

static void info_request(struct writer *w)
{
	put_bytes(w, "\x01\x0cwww.test.com", 14);
}

static enum kw_err run_info(struct kw *kw)
{
	struct kw_target t = {.name = "www.test.com"};
	struct kw_key *key = (struct kw_key *)1;
	enum kw_err err = kw_key_find(kw, &t, &key);

	return check_key(err, key, "www.test.com", false);
}

/* --- KEY_LIST --- */

static void list_request(struct writer *w)
{
	put_u32(w, 0);
}

static void list_reply(struct writer *w)
{
	put_u32(w, 0);
	put_u16(w, 2);
	fake_description(w, "one", PLACE_STORED, 0);
	fake_description(w, "two", PLACE_STORED, 0);
}

static enum kw_err run_list(struct kw *kw)
{
	struct kw_page *page = NULL;
	struct kw_key *key;
	enum kw_err err;
	unsigned n = 0;
	size_t len;

	while ((err = kw_key_next(kw, &page, &key)) == KW_ERR_OK) {
		assert_string_equal(kw_key_name(key), n++ ? "two" : "one");
		assert_null(kw_key_spki(key, &len));
		assert_int_equal(len, 0);
		kw_key_free(&key);
	}
	assert_null(key);
	kw_page_free(&page);
	if (err == KW_ERR_NO_KEY)
		assert_int_equal(n, 2);
	return err == KW_ERR_NO_KEY ? KW_ERR_OK : err;
}

/* --- KEY_RENAME, KEY_DELETE, KEY_ACCESS --- */

static void rename_request(struct writer *w)
{
	put_u8(w, 0);
	put_bytes(w, fake_id, KW_ID_SIZE);
	put_bytes(w, "\x03new\x01", 5);
}

static enum kw_err run_rename(struct kw *kw)
{
	struct kw_target t = {.id = fake_id};

	return kw_key_rename(kw, &t, "new", true);
}

static void delete_request(struct writer *w)
{
	put_bytes(w,
		"\x01\x01"
		"a",
		3);
}

static enum kw_err run_delete(struct kw *kw)
{
	struct kw_target t = {.name = "a"};

	return kw_key_delete(kw, &t);
}

static void allow_request(struct writer *w)
{
	put_bytes(w,
		"\x01\x01"
		"a\x01\x02\x01\x02\x03\x04",
		9);
}

static enum kw_err run_allow(struct kw *kw)
{
	struct kw_target t = {.name = "a"};
	struct kw_key *key = (struct kw_key *)1;
	enum kw_err err = kw_key_allow(kw, &t, allowed[1], &key);

	return check_key(err, key, "www.test.com", false);
}

static void deny_request(struct writer *w)
{
	put_u8(w, 2);
	put_field16(w, record, sizeof(record));
	put_bytes(w, "\x02\x01\0\0\0\x21", 6);
}

static enum kw_err run_deny(struct kw *kw)
{
	struct kw_target t = {.record = record, .record_len = sizeof(record)};
	struct kw_key *key = (struct kw_key *)1;
	enum kw_err err = kw_key_deny(kw, &t, allowed[0], &key);

	return check_key(err, key, "", true);
}

/* --- KEY_ATTRIBUTES --- */

static void attributes_request(struct writer *w)
{
	put_u8(w, 2);
	put_field16(w, record, sizeof(record));
	put_bytes(w, "\0\x03new", 5);
}

static enum kw_err run_attributes(struct kw *kw)
{
	struct kw_target t = {.record = record, .record_len = sizeof(record)};
	struct kw_key *key = (struct kw_key *)1;
	enum kw_err err = kw_key_set_attributes(kw, &t, (const uint8_t *)"new", 3, &key);

	return check_key(err, key, "", true);
}

/* --- KEY_ATTEST, ATTEST_KEY --- */

static void attest_request(struct writer *w)
{
	put_bytes(w,
		"\x01\x01"
		"a\x09"
		"challenge",
		13);
}

static void attest_reply(struct writer *w)
{
	uint8_t statement[KW_ATTESTATION_MAX];
	struct writer s = writer_over(statement, sizeof(statement));

	fake_statement(&s);
	put_field16(w, statement, s.len);
}

static enum kw_err run_attest(struct kw *kw)
{
	struct kw_target t = {.name = "a"};
	uint8_t expected[KW_ATTESTATION_MAX], got[KW_ATTESTATION_MAX];
	struct writer w = writer_over(expected, sizeof(expected));
	size_t len = sizeof(got);
	enum kw_err err = kw_key_attest(kw, &t, (const uint8_t *)"challenge", 9, got, &len);

	fake_statement(&w);
	assert_int_equal(len, err ? 0 : w.len);
	if (!err)
		assert_memory_equal(got, expected, len);
	return err;
}

static void attestation_key_reply(struct writer *w)
{
	put_field16(w, "\x30\x03\x02\x01\x05", 5);
}

static enum kw_err run_attestation_key(struct kw *kw)
{
	uint8_t spki[5];
	size_t len = sizeof(spki);
	enum kw_err err = kw_attestation_key(kw, spki, &len);

	assert_int_equal(len, err ? 0 : 5);
	if (!err)
		assert_memory_equal(spki, "\x30\x03\x02\x01\x05", 5);
	return err;
}

/* --- OBJECT_PUT, OBJECT_GET, OBJECT_LIST, OBJECT_DELETE --- */

static void object_get_reply(struct writer *w)
{
	fake_object(w);
	put_field16(w, "value", 5);
}

static void object_list_reply(struct writer *w)
{
	put_u32(w, 0);
	put_u16(w, 2);
	fake_object(w);
	fake_object(w);
}

static void check_object(struct kw_object *o, bool with_value)
{
	size_t len;

	assert_memory_equal(kw_object_id(o), fake_id, KW_ID_SIZE);
	assert_int_equal(kw_object_kind(o), KW_OBJECT_DATA);
	assert_true(kw_object_is_public(o));
	assert_int_equal(kw_object_created(o), 1700000000);
	assert_int_equal(kw_object_owner(o).id, 1000);
	assert_int_equal(kw_object_allowed(o), 1);
	assert_int_equal(kw_object_allowed_at(o, 0).kind, KW_IDENTITY_GROUP);
	assert_int_equal(kw_object_allowed_at(o, 0).id, 115);
	assert_int_equal(kw_object_allowed_at(o, 1).id, 0);
	assert_true(kw_object_may_read(o));
	assert_false(kw_object_may_manage(o));
	assert_memory_equal(kw_object_attributes(o, &len), "attributes", 10);
	assert_int_equal(len, 10);
	assert_int_equal(kw_object_size(o), 5);
	if (with_value)
		assert_memory_equal(kw_object_value(o, &len), "value", 5);
	else
		assert_null(kw_object_value(o, &len));
	assert_int_equal(len, with_value ? 5 : 0);
	kw_object_free(&o);
	assert_null(o);
}

static void object_new_request(struct writer *w)
{
	put_bytes(w, "\0\x02\x01\x01\x02\x01\x02\x03\x04\0\x02xy\0\x03\0\0\1", 18);
}

static enum kw_err run_object_new(struct kw *kw)
{
	struct kw_object_template t = {.kind = KW_OBJECT_DATA,
		.is_public = true,
		.allow = &allowed[1],
		.allow_count = 1,
		.attributes = (const uint8_t *)"xy",
		.attributes_len = 2,
		.value = (const uint8_t *)"\0\0\1",
		.value_len = 3};
	struct kw_object *o = (struct kw_object *)1;
	enum kw_err err = kw_object_put(kw, &t, &o);

	if (err)
		assert_null(o);
	else
		check_object(o, false);
	return err;
}

static void object_change_request(struct writer *w)
{
	put_u8(w, 2);
	put_bytes(w, fake_id, KW_ID_SIZE);
	put_bytes(w, "\x01\0\0\0\0\0\0", 7);
}

static enum kw_err run_object_change(struct kw *kw)
{
	struct kw_object_template t = {.id = fake_id, .kind = KW_OBJECT_CERTIFICATE};
	struct kw_object *o = (struct kw_object *)1;
	enum kw_err err = kw_object_put(kw, &t, &o);

	if (err)
		assert_null(o);
	else
		check_object(o, false);
	return err;
}

static void object_id_request(struct writer *w)
{
	put_bytes(w, fake_id, KW_ID_SIZE);
}

static enum kw_err run_object_get(struct kw *kw)
{
	struct kw_object *o = (struct kw_object *)1;
	enum kw_err err = kw_object_get(kw, fake_id, &o);

	if (err)
		assert_null(o);
	else
		check_object(o, true);
	return err;
}

static enum kw_err run_object_list(struct kw *kw)
{
	struct kw_object_page *page = NULL;
	struct kw_object *o;
	enum kw_err err;
	unsigned n = 0;

	while ((err = kw_object_next(kw, &page, &o)) == KW_ERR_OK) {
		check_object(o, false);
		n++;
	}
	assert_null(o);
	kw_object_page_free(&page);
	if (err == KW_ERR_NO_OBJECT)
		assert_int_equal(n, 2);
	return err == KW_ERR_NO_OBJECT ? KW_ERR_OK : err;
}

static enum kw_err run_object_delete(struct kw *kw)
{
	return kw_object_delete(kw, fake_id);
}

/* --- KEY_CSR --- */

static void csr_request(struct writer *w)
{
	put_bytes(w,
		"\x01\x01"
		"a\x02\x02"
		"CN\x04test\x01O\x01T\x02\x01\x08test.com\x02\x04\x7f\0\0\x01",
		33);
}

static void csr_reply(struct writer *w)
{
	put_bytes(w, "\0\x04\x30\x02\x05\0", 6);
}

static enum kw_err run_csr(struct kw *kw)
{
	static const char *const subject[][2] = {{"CN", "test"}, {"O", "T"}};
	static const struct kw_san sans[] = {{KW_SAN_DNS, (const uint8_t *)"test.com", 8},
		{KW_SAN_IP, (const uint8_t *)"\x7f\0\0\x01", 4}};
	struct kw_csr csr = {subject, 2, sans, 2};
	struct kw_target t = {.name = "a"};
	uint8_t der[16];
	size_t len = sizeof(der);
	enum kw_err err = kw_key_csr(kw, &t, &csr, der, &len);

	if (err) {
		assert_int_equal(len, 0);
		return err;
	}
	assert_int_equal(len, 4);
	assert_memory_equal(der, "\x30\x02\x05\0", 4);
	return err;
}

/* --- SIGN, RSA_DECRYPT --- */

static void sign_request(struct writer *w)
{
	put_bytes(w, fake_id, KW_ID_SIZE);
	put_bytes(w,
		"\x03\x03\x01\0\x30\0\0\0\x0a"
		"a message",
		19);
}

static void sign_reply(struct writer *w)
{
	put_field16(w, signature, sizeof(signature));
}

static enum kw_err run_sign(struct kw *kw)
{
	struct kw_use use = {.id = fake_id};
	struct kw_sign what = {.scheme = KW_SCHEME_RSA_PSS,
		.hash = KW_HASH_SHA384,
		.is_digest = true,
		.salt_len = 48,
		.data = message,
		.len = sizeof(message)};
	uint8_t sig[KW_SIGNATURE_MAX];
	size_t len = 7;
	enum kw_err err = kw_sign(kw, &use, &what, sig, &len);

	assert_int_equal(len, err ? 0 : sizeof(signature));
	if (!err)
		assert_memory_equal(sig, signature, sizeof(signature));
	return err;
}

static void decrypt_request(struct writer *w)
{
	put_bytes(w, fake_id, KW_ID_SIZE);
	put_bytes(w, "\x01\x02\x04\0\x03lab\0\x04text", 14);
}

static void decrypt_reply(struct writer *w)
{
	put_field16(w, "plain", 5);
}

static enum kw_err run_decrypt(struct kw *kw)
{
	struct kw_use use = {.id = fake_id};
	struct kw_decrypt what = {.oaep = true,
		.hash = KW_HASH_SHA256,
		.mgf_hash = KW_HASH_SHA512,
		.label = (const uint8_t *)"lab",
		.label_len = 3,
		.data = (const uint8_t *)"text",
		.len = 4};
	uint8_t out[KW_SIGNATURE_MAX];
	size_t len = 7;
	enum kw_err err = kw_rsa_decrypt(kw, &use, &what, out, &len);

	assert_int_equal(len, err ? 0 : 5);
	if (!err)
		assert_memory_equal(out, "plain", 5);
	return err;
}

const struct api apis[] = {
	{"status", CMD_STATUS, nothing, status_reply, run_status},
	{"generate", CMD_KEY_GENERATE, generate_request, stored_reply, run_generate},
	{"import", CMD_KEY_IMPORT, import_request, sealed_reply, run_import},
	{"find", CMD_KEY_INFO, info_request, description_reply, run_info},
	{"next", CMD_KEY_LIST, list_request, list_reply, run_list},
	{"rename", CMD_KEY_RENAME, rename_request, description_reply, run_rename},
	{"delete", CMD_KEY_DELETE, delete_request, nothing, run_delete},
	{"allow", CMD_KEY_ACCESS, allow_request, stored_reply, run_allow},
	{"deny", CMD_KEY_ACCESS, deny_request, sealed_reply, run_deny},
	{"csr", CMD_KEY_CSR, csr_request, csr_reply, run_csr},
	{"sign", CMD_SIGN, sign_request, sign_reply, run_sign},
	{"decrypt", CMD_RSA_DECRYPT, decrypt_request, decrypt_reply, run_decrypt},
	{"attributes", CMD_KEY_ATTRIBUTES, attributes_request, sealed_reply, run_attributes},
	{"attest", CMD_KEY_ATTEST, attest_request, attest_reply, run_attest},
	{"attestation key", CMD_ATTEST_KEY, nothing, attestation_key_reply, run_attestation_key},
	{"object new", CMD_OBJECT_PUT, object_new_request, fake_object, run_object_new},
	{"object change", CMD_OBJECT_PUT, object_change_request, fake_object, run_object_change},
	{"object get", CMD_OBJECT_GET, object_id_request, object_get_reply, run_object_get},
	{"object list", CMD_OBJECT_LIST, list_request, object_list_reply, run_object_list},
	{"object delete", CMD_OBJECT_DELETE, object_id_request, nothing, run_object_delete},
};

const size_t api_count = sizeof(apis) / sizeof(apis[0]);

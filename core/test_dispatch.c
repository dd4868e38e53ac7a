/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The door as a caller meets it: rights, purposes, sealed keys, malformed requests. With KW_LIVE_TEE it is
 * the door of a TEE that runs, and what needs the core's own process is left out: tests/optee/live_core.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core.h"
#include "crypto.h"
#include "key_record.h"
#include "tests/support/platform_memory.h"
#include "tests/support/storage_memory.h"
#include "wire/codec.h"

#define ADMIN 0
#define OWNER 1000
#define SERVER 33
#define STRANGER 4711
#define GROUP 77
#define ATTRIBUTES "what the key's users keep with it"

struct message {
	uint8_t bytes[WIRE_MAX_PAYLOAD];
	size_t len;
};

static struct core *core;
static struct message reply;

static struct session session_of(uint32_t uid)
{
	struct session s = {.user = {.id = uid, .kind = IDENTITY_USER}};

	assert_int_equal(platform_identity(IDENTITY_USER, uid, s.user.uuid), 0);
	s.is_admin = uid == ADMIN;
	s.may_create = uid == OWNER;
	return s;
}

static enum kw_err call_as(const struct session *s, uint16_t command, const void *req, size_t len)
{
	enum kw_err err;
	uint8_t *exact = malloc(len ? len : 1);

	/* Exactly as large as the request, so that a sanitizer sees a read past its end. */
	assert_non_null(exact);
	memcpy(exact, req, len);
	err = kw_dispatch(
		core, s, command, exact, len, reply.bytes, sizeof(reply.bytes), &reply.len);
	free(exact);
	if (err)
		assert_int_equal(reply.len, 0);
	return err;
}

static enum kw_err call(uint32_t uid, uint16_t command, const struct writer *w)
{
	struct session s = session_of(uid);

	assert_false(w->failed);
	return call_as(&s, command, w->buf, w->len);
}

static int setup(void **state)
{
	(void)state;
	platform_memory_set_device(1);
	storage_memory_reset();
	return core_open(NULL, &core) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	core_close(&core);
	storage_memory_reset();
	return 0;
}

static void put_template(struct writer *w, uint8_t type, uint8_t place, uint32_t purposes,
	const char *name, uint32_t allowed)
{
	put_u8(w, type);
	put_u8(w, place);
	put_u32(w, purposes);
	put_field8(w, name, strlen(name));
	put_u8(w, allowed ? 1 : 0);
	if (allowed) {
		put_u8(w, IDENTITY_USER);
		put_u32(w, allowed);
	}
	put_field16(w, ATTRIBUTES, *name ? sizeof(ATTRIBUTES) : 0);
}

static enum kw_err generate(uint32_t uid, uint8_t type, uint8_t place, uint32_t purposes,
	const char *name, uint32_t allowed)
{
	uint8_t buf[512];
	struct writer w = writer_over(buf, sizeof(buf));

	put_template(&w, type, place, purposes, name, allowed);
	return call(uid, CMD_KEY_GENERATE, &w);
}

/* Makes a key and gives its id. */
static void make(const char *name, uint8_t type, uint32_t purposes, uint32_t allowed,
	uint8_t id[WIRE_ID_SIZE])
{
	assert_int_equal(generate(OWNER, type, PLACE_STORED, purposes, name, allowed), 0);
	memcpy(id, reply.bytes, WIRE_ID_SIZE);
}

static void put_sign(struct writer *w, const uint8_t *id, uint8_t scheme, uint8_t hash,
	uint8_t input, const void *data, size_t n)
{
	put_bytes(w, id, WIRE_ID_SIZE);
	put_u8(w, scheme);
	put_u8(w, hash);
	put_u8(w, input);
	put_u16(w, 0);
	put_field32(w, data, n);
}

static enum kw_err sign(uint32_t uid, const uint8_t *id, const void *data, size_t n)
{
	uint8_t buf[512];
	struct writer w = writer_over(buf, sizeof(buf));

	put_sign(&w, id, SCHEME_ECDSA, HASH_SHA256, INPUT_MESSAGE, data, n);
	return call(uid, CMD_SIGN, &w);
}

static enum kw_err sign_digest(uint32_t uid, const uint8_t *id)
{
	uint8_t buf[512];
	uint8_t digest[32] = {1};
	struct writer w = writer_over(buf, sizeof(buf));

	put_sign(&w, id, SCHEME_ECDSA, HASH_SHA256, INPUT_DIGEST, digest, sizeof(digest));
	return call(uid, CMD_SIGN, &w);
}

struct description {
	uint8_t id[WIRE_ID_SIZE];
	char name[WIRE_NAME_MAX + 1];
	uint8_t rights;
	uint64_t signatures, refusals;
	unsigned allowed;
};

static void get_description(struct reader *r, struct description *d)
{
	const uint8_t *p;
	size_t n;

	memset(d, 0, sizeof(*d));
	get_copy(r, d->id, sizeof(d->id));
	get_bytes(r, 3 + 4 + 8 + 5);
	p = get_field8(r, WIRE_NAME_MAX, &n);
	assert_non_null(p);
	memcpy(d->name, p, n);
	d->allowed = get_u8(r);
	get_bytes(r, 5 * (size_t)d->allowed);
	d->rights = get_u8(r);
	d->signatures = get_u64(r);
	get_u64(r);
	d->refusals = get_u64(r);
	get_field16(r, WIRE_SPKI_MAX, &n);
	p = get_field16(r, WIRE_ATTRIBUTES_MAX, &n);
	assert_false(r->failed);
	assert_int_equal(n, sizeof(ATTRIBUTES));
	assert_memory_equal(p, ATTRIBUTES, n);
}

static enum kw_err info(uint32_t uid, const char *name, struct description *d)
{
	uint8_t buf[256];
	struct writer w = writer_over(buf, sizeof(buf));
	struct reader r;
	enum kw_err err;

	put_u8(&w, TARGET_NAME);
	put_field8(&w, name, strlen(name));
	err = call(uid, CMD_KEY_INFO, &w);
	if (err)
		return err;
	r = reader_over(reply.bytes, reply.len);
	get_description(&r, d);
	assert_true(reader_done(&r));
	return err;
}

static enum kw_err change_access(
	uint32_t uid, const uint8_t *id, uint8_t change, uint8_t kind, uint32_t who)
{
	uint8_t buf[64];
	struct writer w = writer_over(buf, sizeof(buf));

	put_u8(&w, TARGET_ID);
	put_bytes(&w, id, WIRE_ID_SIZE);
	put_u8(&w, change);
	put_u8(&w, kind);
	put_u32(&w, who);
	return call(uid, CMD_KEY_ACCESS, &w);
}

static enum kw_err rename_to(uint32_t uid, const uint8_t *id, const char *name, uint8_t take)
{
	uint8_t buf[512];
	struct writer w = writer_over(buf, sizeof(buf));

	put_u8(&w, TARGET_ID);
	put_bytes(&w, id, WIRE_ID_SIZE);
	put_field8(&w, name, strlen(name));
	put_u8(&w, take);
	return call(uid, CMD_KEY_RENAME, &w);
}

static enum kw_err delete_key(uint32_t uid, const uint8_t *id)
{
	uint8_t buf[64];
	struct writer w = writer_over(buf, sizeof(buf));

	put_u8(&w, TARGET_ID);
	put_bytes(&w, id, WIRE_ID_SIZE);
	return call(uid, CMD_KEY_DELETE, &w);
}

static void reopen(void)
{
	core_close(&core);
	assert_int_equal(core_open(NULL, &core), 0);
}

static void test_hello(void **state)
{
	uint8_t buf[8];
	struct writer w = writer_over(buf, sizeof(buf));

	(void)state;
	put_u16(&w, 1);
	put_u16(&w, 9);
	put_u16(&w, WIRE_CPU_ANY);
	assert_int_equal(call(STRANGER, CMD_HELLO, &w), 0);
	w = writer_over(buf, sizeof(buf));
	put_u16(&w, WIRE_VERSION + 1);
	put_u16(&w, WIRE_VERSION + 1);
	put_u16(&w, WIRE_CPU_ANY);
	assert_int_equal(call(STRANGER, CMD_HELLO, &w), KW_ERR_BAD_VERSION);
	assert_int_equal(call(STRANGER, 999, &w), KW_ERR_UNKNOWN_COMMAND);
}

static void test_only_creators_create(void **state)
{
	struct description d;

	(void)state;
	assert_int_equal(generate(STRANGER, KEY_TYPE_EC_P256, PLACE_STORED, PURPOSE_SIGN, "a", 0),
		KW_ERR_MAY_NOT_CREATE);
	assert_int_equal(generate(STRANGER, KEY_TYPE_EC_P256, PLACE_SEALED, PURPOSE_SIGN, "a", 0),
		KW_ERR_MAY_NOT_CREATE);
	assert_int_equal(info(ADMIN, "a", &d), KW_ERR_NO_KEY);
	assert_int_equal(generate(OWNER, KEY_TYPE_EC_P256, PLACE_STORED, PURPOSE_SIGN, "a", 0), 0);
	assert_int_equal(info(ADMIN, "a", &d), 0);
}

static void test_life_of_a_key(void **state)
{
	uint8_t a[WIRE_ID_SIZE], b[WIRE_ID_SIZE];
	struct description d;

	(void)state;
	make("one", KEY_TYPE_EC_P256, PURPOSE_SIGN, 0, a);
	make("two", KEY_TYPE_ED25519, PURPOSE_SIGN, 0, b);
	assert_int_equal(generate(OWNER, KEY_TYPE_ED25519, PLACE_STORED, PURPOSE_SIGN, "two", 0),
		KW_ERR_NAME_TAKEN);
	assert_int_equal(rename_to(OWNER, a, "two", 0), KW_ERR_NAME_TAKEN);
	assert_int_equal(rename_to(STRANGER, a, "three", 0), KW_ERR_NOT_OWNER);
	assert_int_equal(info(OWNER, "one", &d), 0);
	/* The alias moves; the key that had it lives on by its id. */
	assert_int_equal(rename_to(OWNER, a, "two", 1), 0);
	assert_int_equal(info(OWNER, "two", &d), 0);
	assert_memory_equal(d.id, a, WIRE_ID_SIZE);
	assert_int_equal(info(OWNER, "one", &d), KW_ERR_NO_KEY);
	reopen();
	assert_int_equal(info(OWNER, "two", &d), 0);
	assert_memory_equal(d.id, a, WIRE_ID_SIZE);
	assert_int_equal(sign(OWNER, a, "x", 1), 0);
	assert_int_equal(delete_key(STRANGER, a), KW_ERR_NOT_OWNER);
	assert_int_equal(sign(OWNER, a, "x", 1), 0);
	assert_int_equal(delete_key(OWNER, a), 0);
	assert_int_equal(sign(OWNER, a, "x", 1), KW_ERR_NOT_LOADED);
	assert_int_equal(info(OWNER, "two", &d), KW_ERR_NO_KEY);
	assert_int_equal(delete_key(OWNER, a), KW_ERR_NO_KEY);
	reopen();
	assert_int_equal(sign(OWNER, a, "x", 1), KW_ERR_NOT_LOADED);
}

static void test_a_name_is_not_taken_from_another_owner(void **state)
{
	uint8_t mine[WIRE_ID_SIZE], theirs[WIRE_ID_SIZE];
	struct description d;

	(void)state;
	make("mine", KEY_TYPE_EC_P256, PURPOSE_SIGN, 0, mine);
	assert_int_equal(
		generate(ADMIN, KEY_TYPE_EC_P256, PLACE_STORED, PURPOSE_SIGN, "root", 0), 0);
	memcpy(theirs, reply.bytes, WIRE_ID_SIZE);
	assert_int_equal(rename_to(OWNER, mine, "root", 1), KW_ERR_NOT_OWNER);
	assert_int_equal(info(ADMIN, "root", &d), 0);
	assert_memory_equal(d.id, theirs, WIRE_ID_SIZE);
}

static void test_access_is_asked_at_every_use(void **state)
{
	uint8_t id[WIRE_ID_SIZE];
	struct description d;

	(void)state;
	make("k", KEY_TYPE_EC_P256, PURPOSE_SIGN, SERVER, id);
	assert_int_equal(sign(SERVER, id, "x", 1), 0);
	assert_int_equal(sign(STRANGER, id, "x", 1), KW_ERR_ACCESS);
	/* Being an administrator is not being on the list. */
	assert_int_equal(sign(ADMIN, id, "x", 1), KW_ERR_ACCESS);
	assert_int_equal(
		change_access(SERVER, id, ACCESS_ALLOW, IDENTITY_USER, STRANGER), KW_ERR_NOT_OWNER);
	assert_int_equal(change_access(ADMIN, id, ACCESS_ALLOW, IDENTITY_USER, STRANGER), 0);
	assert_int_equal(sign(STRANGER, id, "x", 1), 0);
	assert_int_equal(change_access(OWNER, id, ACCESS_DENY, IDENTITY_USER, STRANGER), 0);
	assert_int_equal(sign(STRANGER, id, "x", 1), KW_ERR_ACCESS);
	reopen();
	assert_int_equal(sign(STRANGER, id, "x", 1), KW_ERR_ACCESS);
	assert_int_equal(sign(SERVER, id, "x", 1), 0);
	assert_int_equal(info(STRANGER, "k", &d), KW_ERR_ACCESS);
	assert_int_equal(info(OWNER, "k", &d), 0);
	assert_int_equal(d.signatures, 3);
	assert_int_equal(d.refusals, 6);
}

#ifndef KW_LIVE_TEE
static void test_groups(void **state)
{
	struct session s = session_of(STRANGER);
	uint8_t id[WIRE_ID_SIZE];
	uint8_t buf[512];
	struct writer w = writer_over(buf, sizeof(buf));

	(void)state;
	make("k", KEY_TYPE_EC_P256, PURPOSE_SIGN, 0, id);
	assert_int_equal(change_access(OWNER, id, ACCESS_ALLOW, IDENTITY_GROUP, GROUP), 0);
	put_sign(&w, id, SCHEME_ECDSA, HASH_SHA256, INPUT_MESSAGE, "x", 1);
	assert_int_equal(call_as(&s, CMD_SIGN, w.buf, w.len), KW_ERR_ACCESS);
	assert_int_equal(platform_identity(IDENTITY_GROUP, GROUP, s.groups[0]), 0);
	s.group_count = 1;
	assert_int_equal(call_as(&s, CMD_SIGN, w.buf, w.len), 0);
	/* A user whose number is the group's is not the group. */
	s = session_of(GROUP);
	assert_int_equal(call_as(&s, CMD_SIGN, w.buf, w.len), KW_ERR_ACCESS);
}
#endif

static void certificate_verify(uint8_t m[130], const char *role)
{
	memset(m, 0x20, 64);
	memcpy(m + 64, "TLS 1.3, ", 9);
	memcpy(m + 73, role, 6);
	memcpy(m + 79, " CertificateVerify", 19);
	memset(m + 98, 0x5a, 32);
}

static void test_purposes(void **state)
{
	uint8_t tls[WIRE_ID_SIZE], csr[WIRE_ID_SIZE];
	uint8_t m[130];
	struct description d;

	(void)state;
	make("tls", KEY_TYPE_EC_P256, PURPOSE_TLS_SERVER, SERVER, tls);
	make("csr", KEY_TYPE_EC_P256, PURPOSE_CSR, SERVER, csr);
	certificate_verify(m, "server");
	assert_int_equal(sign(SERVER, tls, m, sizeof(m)), 0);
	certificate_verify(m, "client");
	assert_int_equal(sign(SERVER, tls, m, sizeof(m)), KW_ERR_TLS_MESSAGE);
	assert_int_equal(sign(SERVER, tls, "pay", 3), KW_ERR_TLS_MESSAGE);
	assert_int_equal(sign_digest(SERVER, tls), KW_ERR_TLS_MESSAGE);
	assert_int_equal(sign(SERVER, csr, m, sizeof(m)), KW_ERR_PURPOSE);
	assert_int_equal(sign_digest(SERVER, csr), KW_ERR_PURPOSE);
	assert_int_equal(info(SERVER, "tls", &d), 0);
	assert_int_equal(d.signatures, 1);
	assert_int_equal(d.refusals, 3);
	assert_int_equal(d.rights, RIGHT_USE);
}

static void test_templates(void **state)
{
	(void)state;
	assert_int_equal(
		generate(OWNER, KEY_TYPE_EC_P256, PLACE_STORED, 0, "a", 0), KW_ERR_BAD_REQUEST);
	assert_int_equal(generate(OWNER, KEY_TYPE_EC_P256, PLACE_STORED, 1u << 31, "a", 0),
		KW_ERR_BAD_REQUEST);
	assert_int_equal(generate(OWNER, KEY_TYPE_EC_P256, PLACE_STORED, PURPOSE_DECRYPT, "a", 0),
		KW_ERR_BAD_REQUEST);
	assert_int_equal(
		generate(OWNER, 99, PLACE_STORED, PURPOSE_SIGN, "a", 0), KW_ERR_UNSUPPORTED_TYPE);
	assert_int_equal(
		generate(OWNER, KEY_TYPE_EC_P256, 3, PURPOSE_SIGN, "a", 0), KW_ERR_BAD_REQUEST);
}

static void test_names(void **state)
{
	static const char *const bad[] = {"", "a/b", "../x", "-x", ".x", "a b", "\x1b[2J", "a\n",
		"\xc3\xa9", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};
	static const char *const good[] = {
		"www.test.com", "*.test.com", "_x", "a@b-c+d", "0123456789abcdef"};
	char longest[WIRE_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			generate(OWNER, KEY_TYPE_ED25519, PLACE_STORED, PURPOSE_SIGN, bad[i], 0),
			KW_ERR_BAD_NAME);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(
			generate(OWNER, KEY_TYPE_ED25519, PLACE_STORED, PURPOSE_SIGN, good[i], 0),
			0);
	memset(longest, 'n', WIRE_NAME_MAX);
	longest[WIRE_NAME_MAX] = 0;
	assert_int_equal(
		generate(OWNER, KEY_TYPE_ED25519, PLACE_STORED, PURPOSE_SIGN, longest, 0), 0);
}

static void test_import_twice(void **state)
{
	uint8_t buf[128];
	uint8_t scalar[32] = {0};
	struct writer w = writer_over(buf, sizeof(buf));

	(void)state;
	scalar[31] = 7;
	put_template(&w, KEY_TYPE_EC_P256, PLACE_STORED, PURPOSE_SIGN, "first", 0);
	put_field16(&w, scalar, sizeof(scalar));
	assert_int_equal(call(OWNER, CMD_KEY_IMPORT, &w), 0);
	w = writer_over(buf, sizeof(buf));
	put_template(&w, KEY_TYPE_EC_P256, PLACE_STORED, PURPOSE_SIGN, "second", 0);
	put_field16(&w, scalar, sizeof(scalar));
	assert_int_equal(call(OWNER, CMD_KEY_IMPORT, &w), KW_ERR_KEY_EXISTS);
	scalar[31] = 0;
	w = writer_over(buf, sizeof(buf));
	put_template(&w, KEY_TYPE_EC_P256, PLACE_STORED, PURPOSE_SIGN, "zero", 0);
	put_field16(&w, scalar, sizeof(scalar));
	assert_int_equal(call(OWNER, CMD_KEY_IMPORT, &w), KW_ERR_BAD_KEY);
}

/* Makes a sealed key; the record is copied out. */
static size_t make_sealed(uint32_t allowed, uint8_t id[WIRE_ID_SIZE], uint8_t *record)
{
	struct description d;
	struct reader r;
	const uint8_t *p;
	size_t n;

	assert_int_equal(
		generate(OWNER, KEY_TYPE_EC_P256, PLACE_SEALED, PURPOSE_SIGN, "s", allowed), 0);
	r = reader_over(reply.bytes, reply.len);
	get_description(&r, &d);
	p = get_field16(&r, WIRE_RECORD_MAX, &n);
	assert_true(reader_done(&r) && n);
	memcpy(record, p, n);
	memcpy(id, d.id, WIRE_ID_SIZE);
	return n;
}

static enum kw_err load(uint32_t uid, const uint8_t *record, size_t n)
{
	static uint8_t buf[WIRE_RECORD_MAX + 2];
	struct writer w = writer_over(buf, sizeof(buf));

	put_field16(&w, record, n);
	return call(uid, CMD_KEY_LOAD, &w);
}

static void test_sealed(void **state)
{
	static uint8_t record[WIRE_RECORD_MAX], other[WIRE_RECORD_MAX];
	uint8_t id[WIRE_ID_SIZE];
	size_t n = make_sealed(SERVER, id, record);
	struct description d;

	(void)state;
	assert_int_equal(info(OWNER, "s", &d), KW_ERR_NO_KEY);
	assert_int_equal(sign(SERVER, id, "x", 1), KW_ERR_NOT_LOADED);
	assert_int_equal(load(STRANGER, record, n), KW_ERR_ACCESS);
	assert_int_equal(load(ADMIN, record, n), KW_ERR_ACCESS);
	assert_int_equal(load(SERVER, record, n), 0);
	assert_memory_equal(reply.bytes, id, WIRE_ID_SIZE);
	assert_int_equal(sign(SERVER, id, "x", 1), 0);
	assert_int_equal(sign(OWNER, id, "x", 1), 0);
	assert_int_equal(sign(STRANGER, id, "x", 1), KW_ERR_NOT_LOADED);
	/* A restart forgets it; the file brings it back. */
	reopen();
#ifndef KW_LIVE_TEE
	assert_int_equal(sign(SERVER, id, "x", 1), KW_ERR_NOT_LOADED);
#endif
	assert_int_equal(load(SERVER, record, n), 0);
	assert_int_equal(sign(SERVER, id, "x", 1), 0);
	for (size_t i = 0; i < n; i++) {
		memcpy(other, record, n);
		other[i] ^= 0x40;
		assert_int_not_equal(load(SERVER, other, n), 0);
	}
	for (size_t i = 0; i < n; i++)
		assert_int_not_equal(load(SERVER, record, i), 0);
}

static void test_sealed_access_change(void **state)
{
	static uint8_t record[WIRE_RECORD_MAX], buf[WIRE_RECORD_MAX + 32];
	uint8_t id[WIRE_ID_SIZE];
	size_t n = make_sealed(0, id, record);
	struct writer w = writer_over(buf, sizeof(buf));
	struct description d;
	struct reader r;
	const uint8_t *p;
	size_t len;

	(void)state;
	assert_int_equal(load(SERVER, record, n), KW_ERR_ACCESS);
	put_u8(&w, TARGET_RECORD);
	put_field16(&w, record, n);
	put_u8(&w, ACCESS_ALLOW);
	put_u8(&w, IDENTITY_USER);
	put_u32(&w, SERVER);
	assert_int_equal(call(SERVER, CMD_KEY_ACCESS, &w), KW_ERR_ACCESS);
	assert_int_equal(call(OWNER, CMD_KEY_ACCESS, &w), 0);
	r = reader_over(reply.bytes, reply.len);
	get_description(&r, &d);
	assert_int_equal(d.allowed, 1);
	p = get_field16(&r, WIRE_RECORD_MAX, &len);
	assert_non_null(p);
	memcpy(record, p, len);
	assert_int_equal(load(SERVER, record, len), 0);
	assert_int_equal(sign(SERVER, id, "x", 1), 0);
}

static enum kw_err sealed_info(uint32_t uid, const uint8_t *record, size_t n, struct description *d)
{
	static uint8_t buf[WIRE_RECORD_MAX + 3];
	struct writer w = writer_over(buf, sizeof(buf));
	struct reader r;
	enum kw_err err;

	put_u8(&w, TARGET_RECORD);
	put_field16(&w, record, n);
	err = call(uid, CMD_KEY_INFO, &w);
	if (err)
		return err;
	r = reader_over(reply.bytes, reply.len);
	get_description(&r, d);
	return err;
}

static void test_sealed_keys_count_while_they_are_open(void **state)
{
	static uint8_t record[WIRE_RECORD_MAX], buf[WIRE_RECORD_MAX + 64];
	uint8_t id[WIRE_ID_SIZE];
	size_t n = make_sealed(SERVER, id, record);
	struct writer w = writer_over(buf, sizeof(buf));
	struct description d;

	(void)state;
	assert_int_equal(load(SERVER, record, n), 0);
	assert_int_equal(sign(SERVER, id, "x", 1), 0);
	/* A stranger who has the file, one who may only use the key, and a request. */
	assert_int_equal(load(STRANGER, record, n), KW_ERR_ACCESS);
	put_u8(&w, TARGET_RECORD);
	put_field16(&w, record, n);
	put_u8(&w, ACCESS_ALLOW);
	put_u8(&w, IDENTITY_USER);
	put_u32(&w, STRANGER);
	assert_int_equal(call(SERVER, CMD_KEY_ACCESS, &w), KW_ERR_NOT_OWNER);
	w = writer_over(buf, sizeof(buf));
	put_u8(&w, TARGET_RECORD);
	put_field16(&w, record, n);
	put_u8(&w, 1);
	put_field8(&w, "CN", 2);
	put_field8(&w, "x", 1);
	put_u8(&w, 0);
	assert_int_equal(call(SERVER, CMD_KEY_CSR, &w), 0);
	assert_int_equal(sealed_info(OWNER, record, n, &d), 0);
	assert_int_equal(d.signatures, 2);
	assert_int_equal(d.refusals, 2);
}

static uint32_t open_keys(void)
{
	struct writer nothing = writer_over(reply.bytes, 0);
	struct reader r;
	size_t n;

	assert_int_equal(call(ADMIN, CMD_STATUS, &nothing), 0);
	r = reader_over(reply.bytes, reply.len);
	get_u8(&r);
	get_field8(&r, 255, &n);
	get_field8(&r, 255, &n);
	get_bytes(&r, 8 + 8 + 4);
	return get_u32(&r);
}

/* Each use looks at all that are open of the key, and everybody waits meanwhile. */
static void test_few_lists_of_one_sealed_key_are_open(void **state)
{
	static uint8_t record[WIRE_RECORD_MAX], buf[WIRE_RECORD_MAX + 64];
	uint8_t id[WIRE_ID_SIZE];
	size_t n = make_sealed(SERVER, id, record);
	uint32_t before = open_keys();
	struct description d;

	(void)state;
	for (uint32_t i = 0; i < 30; i++) {
		struct writer w = writer_over(buf, sizeof(buf));
		struct reader r;
		const uint8_t *p;

		put_u8(&w, TARGET_RECORD);
		put_field16(&w, record, n);
		put_u8(&w, ACCESS_ALLOW);
		put_u8(&w, IDENTITY_USER);
		put_u32(&w, 5000 + i);
		assert_int_equal(call(OWNER, CMD_KEY_ACCESS, &w), 0);
		r = reader_over(reply.bytes, reply.len);
		get_description(&r, &d);
		p = get_field16(&r, WIRE_RECORD_MAX, &n);
		assert_non_null(p);
		memcpy(record, p, n);
		assert_int_equal(load(SERVER, record, n), 0);
	}
	assert_in_range(open_keys(), 1, before + 8);
	assert_int_equal(sign(5029, id, "x", 1), 0);
}

#ifndef KW_LIVE_TEE
static void test_many_sealed_keys_stay_in_bounds(void **state)
{
	static uint8_t records[64][1024];
	static size_t len[64];
	uint8_t id[64][WIRE_ID_SIZE];
	struct core_options small = {.cache_bytes = 16 * 1024};
	unsigned reloads = 0;

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		len[i] = make_sealed(SERVER, id[i], records[i]);
	core_close(&core);
	assert_int_equal(core_open(&small, &core), 0);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 64; i++) {
			if (sign(SERVER, id[i], "x", 1)) {
				reloads++;
				assert_int_equal(load(SERVER, records[i], len[i]), 0);
				assert_int_equal(sign(SERVER, id[i], "x", 1), 0);
			}
		}
	}
	assert_true(reloads > 128);
}
#endif

static void test_listing_shows_only_ones_own(void **state)
{
	uint8_t a[WIRE_ID_SIZE], b[WIRE_ID_SIZE];
	uint8_t zero[4] = {0};
	struct writer w = {.buf = zero, .len = 4, .cap = 4};
	struct reader r;

	(void)state;
	make("a", KEY_TYPE_ED25519, PURPOSE_SIGN, SERVER, a);
	make("b", KEY_TYPE_ED25519, PURPOSE_SIGN, 0, b);
	for (unsigned i = 0; i < 3; i++) {
		static const uint32_t who[] = {OWNER, SERVER, STRANGER};

		assert_int_equal(call(who[i], CMD_KEY_LIST, &w), 0);
		r = reader_over(reply.bytes, reply.len);
		assert_int_equal(get_u32(&r), 0);
		assert_int_equal(get_u16(&r), 2 - i);
	}
}

static void test_long_listing(void **state)
{
	uint8_t cursor[4] = {0};
	struct writer w = {.buf = cursor, .len = 4, .cap = 4};
	struct description d;
	struct reader r;
	unsigned seen = 0;
	char name[16];
	uint16_t n;

	(void)state;
	for (unsigned i = 0; i < 150; i++) {
		snprintf(name, sizeof(name), "k%u", i);
		assert_int_equal(
			generate(OWNER, KEY_TYPE_ED25519, PLACE_STORED, PURPOSE_SIGN, name, SERVER),
			0);
	}
	do {
		assert_int_equal(call(OWNER, CMD_KEY_LIST, &w), 0);
		memcpy(cursor, reply.bytes, 4);
		r = reader_over(reply.bytes + 4, reply.len - 4);
		for (n = get_u16(&r); n; n--, seen++)
			get_description(&r, &d);
		assert_true(reader_done(&r));
	} while (cursor[0] | cursor[1] | cursor[2] | cursor[3]);
	assert_int_equal(seen, 150);
}

#ifndef KW_LIVE_TEE
static void test_other_device(void **state)
{
	static uint8_t record[WIRE_RECORD_MAX];
	uint8_t id[WIRE_ID_SIZE];
	size_t n = make_sealed(SERVER, id, record);

	(void)state;
	make("k", KEY_TYPE_ED25519, PURPOSE_SIGN, 0, id);
	core_close(&core);
	platform_memory_set_device(2);
	assert_int_equal(core_open(NULL, &core), KW_ERR_OTHER_DEVICE);
	storage_memory_reset();
	assert_int_equal(core_open(NULL, &core), 0);
	assert_int_equal(load(SERVER, record, n), KW_ERR_OTHER_DEVICE);
}

/* A private key that is not the record's public one, as after a fault, is never used to sign. */
static void test_mismatched_rsa_key(void **state)
{
	static uint8_t record[WIRE_RECORD_MAX];
	static struct key_meta meta, opened;
	struct crypto_key *key = NULL, *other = NULL;
	struct record_key rk;
	size_t n = 0;

	(void)state;
	assert_int_equal(record_key_derive(&rk), 0);
	assert_int_equal(crypto_key_generate(KEY_TYPE_RSA_2048, &key), 0);
	meta.type = KEY_TYPE_RSA_2048;
	meta.owner.kind = IDENTITY_USER;
	assert_int_equal(record_describe(&meta, key), 0);
	assert_int_equal(record_seal(&rk, &meta, key, record, &n), 0);
	assert_int_equal(record_open(&rk, record, n, &opened, &other), 0);
	crypto_key_free(&other);
	meta.spki[meta.spki_len / 2] ^= 1;
	assert_int_equal(record_seal(&rk, &meta, key, record, &n), 0);
	assert_int_equal(record_open(&rk, record, n, &opened, &other), KW_ERR_CORRUPT);
	assert_null(other);
	crypto_key_free(&key);
}
#endif

/* Valid requests of every command, for cutting and stretching. */
static struct writer sample(uint16_t command, const uint8_t *id, uint8_t *buf, size_t size)
{
	struct writer w = writer_over(buf, size);

	switch (command) {
	case CMD_HELLO:
		put_u16(&w, 1);
		put_u16(&w, 1);
		put_u16(&w, 0);
		break;
	case CMD_KEY_GENERATE:
	case CMD_KEY_IMPORT:
		put_template(&w, KEY_TYPE_ED25519, PLACE_STORED, PURPOSE_SIGN, "new", SERVER);
		if (command == CMD_KEY_IMPORT)
			put_field16(&w, "abcdefghijklmnopqrstuvwxyz012345", 32);
		break;
	case CMD_KEY_LIST:
	case CMD_OBJECT_LIST:
		put_u32(&w, 0);
		break;
	case CMD_OBJECT_PUT:
		put_u8(&w, OBJECT_NEW);
		put_u8(&w, OBJECT_DATA);
		put_u8(&w, 0);
		put_u8(&w, 1);
		put_u8(&w, IDENTITY_USER);
		put_u32(&w, SERVER);
		put_field16(&w, "attributes", 10);
		put_field16(&w, "value", 5);
		break;
	case CMD_OBJECT_GET:
	case CMD_OBJECT_DELETE:
		put_bytes(&w, id, WIRE_ID_SIZE);
		break;
	case CMD_KEY_INFO:
	case CMD_KEY_DELETE:
	case CMD_KEY_RENAME:
	case CMD_KEY_ACCESS:
	case CMD_KEY_CSR:
	case CMD_KEY_ATTRIBUTES:
		put_u8(&w, TARGET_ID);
		put_bytes(&w, id, WIRE_ID_SIZE);
		if (command == CMD_KEY_RENAME) {
			put_field8(&w, "other", 5);
			put_u8(&w, 0);
		} else if (command == CMD_KEY_ACCESS) {
			put_u8(&w, ACCESS_ALLOW);
			put_u8(&w, IDENTITY_USER);
			put_u32(&w, STRANGER);
		} else if (command == CMD_KEY_ATTRIBUTES) {
			put_field16(&w, "other", 5);
		} else if (command == CMD_KEY_CSR) {
			put_u8(&w, 1);
			put_field8(&w, "CN", 2);
			put_field8(&w, "x", 1);
			put_u8(&w, 1);
			put_u8(&w, SAN_DNS);
			put_field8(&w, "x.test", 6);
		}
		break;
	case CMD_KEY_LOAD:
		put_field16(&w, "?", 1);
		break;
	case CMD_SIGN:
		put_sign(&w, id, SCHEME_ECDSA, HASH_SHA256, INPUT_MESSAGE, "abc", 3);
		break;
	case CMD_RSA_DECRYPT:
		put_bytes(&w, id, WIRE_ID_SIZE);
		put_u8(&w, PADDING_OAEP);
		put_u8(&w, HASH_SHA256);
		put_u8(&w, HASH_SHA256);
		put_field16(&w, "", 0);
		put_field16(&w, "abc", 3);
		break;
	default:
		break;
	}
	return w;
}

/* Every command with every truncation, and with one byte too many: refused, and nothing changed. */
static void test_truncated_requests(void **state)
{
	static const uint16_t commands[] = {
#define KW_COMMAND(number, NAME, name, role, lane, repeat, rmin, rmax, pmax) number,
#include "wire/commands.def"
	};
	struct session s = session_of(OWNER);
	struct description before, after;
	uint8_t id[WIRE_ID_SIZE], buf[512];
	struct writer w;

	(void)state;
	make("k", KEY_TYPE_EC_P256, PURPOSE_SIGN, 0, id);
	assert_int_equal(info(OWNER, "k", &before), 0);
	for (size_t c = 0; c < sizeof(commands) / sizeof(commands[0]); c++) {
		w = sample(commands[c], id, buf, sizeof(buf));
		for (size_t n = 0; n < w.len; n++)
			assert_int_not_equal(call_as(&s, commands[c], buf, n), 0);
		buf[w.len] = 0;
		assert_int_not_equal(call_as(&s, commands[c], buf, w.len + 1), 0);
	}
	assert_int_equal(info(OWNER, "k", &after), 0);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(info(ADMIN, "new", &after), KW_ERR_NO_KEY);
}

#ifndef KW_LIVE_TEE
static void test_out_of_memory(void **state)
{
	struct session s = session_of(OWNER);
	uint8_t id[WIRE_ID_SIZE], buf[512];
	static const uint16_t commands[] = {CMD_SIGN, CMD_KEY_INFO, CMD_KEY_CSR, CMD_KEY_ACCESS,
		CMD_KEY_RENAME, CMD_KEY_GENERATE, CMD_KEY_LIST, CMD_KEY_ATTRIBUTES, CMD_OBJECT_PUT,
		CMD_OBJECT_LIST, CMD_KEY_DELETE};
	bool is_reached;

	(void)state;
	make("k", KEY_TYPE_EC_P256, PURPOSE_SIGN, 0, id);
	for (size_t c = 0; c < sizeof(commands) / sizeof(commands[0]); c++) {
		unsigned n = 0;

		do {
			struct writer w = sample(commands[c], id, buf, sizeof(buf));
			enum kw_err err;

			reopen();
			platform_memory_fail_alloc(++n);
			err = call_as(&s, commands[c], buf, w.len);
			is_reached = platform_memory_fail_alloc_left() == 0;
			platform_memory_fail_alloc(0);
			assert_int_equal(err, is_reached ? KW_ERR_NO_MEMORY : KW_ERR_OK);
		} while (is_reached);
		assert_true(n > 1);
	}
	reopen();
}

/* Keys that are open only for whoever uses them next make room for any command. */
static void test_open_keys_make_room(void **state)
{
	struct session s = session_of(OWNER);
	uint8_t id[WIRE_ID_SIZE], buf[512];
	static const uint16_t commands[] = {CMD_SIGN, CMD_KEY_INFO, CMD_KEY_CSR, CMD_KEY_ACCESS,
		CMD_KEY_LIST, CMD_OBJECT_PUT, CMD_OBJECT_LIST, CMD_KEY_GENERATE};
	struct description made;
	bool is_reached;

	(void)state;
	make("k", KEY_TYPE_EC_P256, PURPOSE_SIGN, 0, id);
	for (size_t c = 0; c < sizeof(commands) / sizeof(commands[0]); c++) {
		unsigned n = 0;

		do {
			struct writer w = sample(CMD_SIGN, id, buf, sizeof(buf));

			reopen();
			assert_int_equal(call_as(&s, CMD_SIGN, buf, w.len), 0);
			w = sample(commands[c], id, buf, sizeof(buf));
			platform_memory_fail_alloc(++n);
			assert_int_equal(call_as(&s, commands[c], buf, w.len), 0);
			is_reached = platform_memory_fail_alloc_left() == 0;
			platform_memory_fail_alloc(0);
			if (commands[c] == CMD_KEY_GENERATE) {
				assert_int_equal(info(OWNER, "new", &made), 0);
				assert_int_equal(delete_key(OWNER, made.id), 0);
			}
		} while (is_reached);
	}
	reopen();
}
#endif

#ifndef KW_LIVE_TEE
/* Where nothing more may be stored, a user can still be taken off a list. */
static void test_lists_shrink_when_the_store_is_full(void **state)
{
	static const uint8_t commands[] = {CMD_KEY_ACCESS, CMD_TOKEN_ACCESS};
	uint8_t at_end[] = {1, 1, ACCESS_ALLOW, IDENTITY_USER, 0, 0, 0, ACCESS_ALLOW};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		at_end[2] = ACCESS_ALLOW;
		assert_true(kw_command_grows(commands[i], at_end, sizeof(at_end)));
		at_end[2] = ACCESS_DENY;
		assert_false(kw_command_grows(commands[i], at_end, sizeof(at_end)));
		assert_false(kw_command_grows(commands[i], at_end, 5));
		assert_false(kw_command_grows(commands[i], NULL, 0));
	}
	assert_true(kw_command_grows(CMD_KEY_RENAME, NULL, 0));
	assert_false(kw_command_grows(CMD_KEY_DELETE, NULL, 0));
	assert_false(kw_command_grows(CMD_TOKEN_LOGIN, NULL, 0));
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hello, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_creators_create, setup, teardown),
		cmocka_unit_test_setup_teardown(test_life_of_a_key, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_name_is_not_taken_from_another_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(test_access_is_asked_at_every_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_purposes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_templates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_import_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sealed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sealed_access_change, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_sealed_keys_count_while_they_are_open, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_few_lists_of_one_sealed_key_are_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listing_shows_only_ones_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_listing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncated_requests, setup, teardown),
#ifndef KW_LIVE_TEE
		cmocka_unit_test_setup_teardown(test_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_many_sealed_keys_stay_in_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_device, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mismatched_rsa_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_keys_make_room, setup, teardown),
		cmocka_unit_test(test_lists_shrink_when_the_store_is_full),
#endif
	};

	return cmocka_run_group_tests_name("core dispatch", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates and data in the store, and the attributes of keys, as a caller meets them. With KW_LIVE_TEE it is a
 * TEE that runs: tests/optee/live_core.c.
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
#include "store_log.h"
#include "tests/support/platform_memory.h"
#include "tests/support/storage_memory.h"
#include "wire/codec.h"

#define ADMIN 0
#define OWNER 1000
#define SERVER 33
#define STRANGER 4711

static struct core *core;
static uint8_t reply[WIRE_MAX_PAYLOAD];
static size_t reply_len;
static uint8_t request[WIRE_MAX_PAYLOAD];
static uint8_t pattern[WIRE_MAX_PAYLOAD];

static enum kw_err call_n(uint32_t uid, uint16_t command, const void *req, size_t len)
{
	struct session s = {.user = {.id = uid, .kind = IDENTITY_USER}};
	uint8_t *exact = malloc(len ? len : 1);
	enum kw_err err;

	assert_int_equal(platform_identity(IDENTITY_USER, uid, s.user.uuid), 0);
	s.is_admin = uid == ADMIN;
	s.may_create = uid == OWNER;
	/* Exactly as large as the request, so that a sanitizer sees a read past its end. */
	assert_non_null(exact);
	memcpy(exact, req, len);
	err = kw_dispatch(core, &s, command, exact, len, reply, sizeof(reply), &reply_len);
	free(exact);
	return err;
}

static enum kw_err call(uint32_t uid, uint16_t command, const struct writer *w)
{
	assert_false(w->failed);
	return call_n(uid, command, w->buf, w->len);
}

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 7 + i / 256);
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

static void reopen(void)
{
	core_close(&core);
	assert_int_equal(core_open(NULL, &core), 0);
}

struct put {
	const uint8_t *id; /* NULL: new */
	uint8_t how;
	uint8_t kind;
	uint8_t is_public;
	uint32_t allowed;
	size_t attributes_len;
	const void *value;
	size_t value_len;
};

static struct writer put_request(const struct put *p)
{
	struct writer w = writer_over(request, sizeof(request));

	put_u8(&w, p->how);
	if (p->id)
		put_bytes(&w, p->id, WIRE_ID_SIZE);
	put_u8(&w, p->kind);
	put_u8(&w, p->is_public);
	put_u8(&w, p->allowed != 0);
	if (p->allowed) {
		put_u8(&w, IDENTITY_USER);
		put_u32(&w, p->allowed);
	}
	put_field16(&w, pattern, p->attributes_len);
	put_field16(&w, p->value, p->value_len);
	return w;
}

static enum kw_err put(uint32_t uid, const struct put *p)
{
	struct writer w = put_request(p);

	return call(uid, CMD_OBJECT_PUT, &w);
}

/* A new one with this value. */
static void make(
	const void *value, size_t n, uint8_t is_public, uint32_t allowed, uint8_t id[WIRE_ID_SIZE])
{
	struct put p = {.kind = OBJECT_CERTIFICATE,
		.is_public = is_public,
		.allowed = allowed,
		.attributes_len = 20,
		.value = value,
		.value_len = n};

	assert_int_equal(put(OWNER, &p), 0);
	memcpy(id, reply, WIRE_ID_SIZE);
}

struct seen {
	uint8_t id[WIRE_ID_SIZE];
	uint8_t kind, is_public, rights;
	uint32_t owner;
	unsigned allowed;
	size_t attributes_len, size;
	const uint8_t *attributes;
};

static void get_seen(struct reader *r, struct seen *s)
{
	get_copy(r, s->id, WIRE_ID_SIZE);
	s->kind = get_u8(r);
	s->is_public = get_u8(r);
	get_u64(r);
	get_u8(r);
	s->owner = get_u32(r);
	s->allowed = get_u8(r);
	get_bytes(r, 5 * (size_t)s->allowed);
	s->rights = get_u8(r);
	s->attributes = get_field16(r, WIRE_ATTRIBUTES_MAX, &s->attributes_len);
	s->size = get_u16(r);
	assert_false(r->failed);
}

static enum kw_err get(uint32_t uid, const uint8_t *id, const void *value, size_t n)
{
	enum kw_err err = call_n(uid, CMD_OBJECT_GET, id, WIRE_ID_SIZE);
	struct reader r = reader_over(reply, reply_len);
	const uint8_t *p;
	struct seen s;
	size_t len;

	if (err)
		return err;
	get_seen(&r, &s);
	assert_memory_equal(s.id, id, WIRE_ID_SIZE);
	p = get_field16(&r, WIRE_OBJECT_MAX, &len);
	assert_true(reader_done(&r));
	assert_int_equal(s.size, n);
	assert_int_equal(len, n);
	assert_memory_equal(p, value, n);
	return err;
}

static enum kw_err delete_object(uint32_t uid, const uint8_t *id)
{
	return call_n(uid, CMD_OBJECT_DELETE, id, WIRE_ID_SIZE);
}

/* How many there are for this caller; *last is one of them. */
static unsigned list(uint32_t uid, uint16_t command, struct seen *last)
{
	uint8_t cursor[4] = {0};
	unsigned n = 0;
	struct reader r;

	do {
		assert_int_equal(call_n(uid, command, cursor, 4), 0);
		memcpy(cursor, reply, 4);
		r = reader_over(reply + 4, reply_len - 4);
		for (unsigned i = get_u16(&r); i; i--, n++) {
			if (last)
				get_seen(&r, last);
		}
		if (last)
			assert_true(reader_done(&r));
	} while (cursor[0] | cursor[1] | cursor[2] | cursor[3]);
	return n;
}

static void test_life_of_an_object(void **state)
{
	uint8_t a[WIRE_ID_SIZE], b[WIRE_ID_SIZE];
	struct put change = {.id = a,
		.how = OBJECT_REPLACE,
		.kind = OBJECT_CERTIFICATE,
		.value = "new",
		.value_len = 3};

	(void)state;
	make("one", 3, 0, 0, a);
	make("one", 3, 0, 0, b);
	assert_memory_not_equal(a, b, WIRE_ID_SIZE);
	assert_int_equal(get(OWNER, a, "one", 3), 0);
	assert_int_equal(put(OWNER, &change), 0);
	assert_memory_equal(reply, a, WIRE_ID_SIZE);
	assert_int_equal(get(OWNER, a, "new", 3), 0);
	assert_int_equal(get(OWNER, b, "one", 3), 0);
	reopen();
	assert_int_equal(get(OWNER, a, "new", 3), 0);
	assert_int_equal(delete_object(OWNER, a), 0);
	assert_int_equal(delete_object(OWNER, a), KW_ERR_NO_OBJECT);
	assert_int_equal(get(OWNER, a, "", 0), KW_ERR_NO_OBJECT);
	assert_int_equal(put(OWNER, &change), KW_ERR_NO_OBJECT);
	reopen();
	assert_int_equal(get(OWNER, a, "", 0), KW_ERR_NO_OBJECT);
	assert_int_equal(get(OWNER, b, "one", 3), 0);
	assert_int_equal(list(OWNER, CMD_OBJECT_LIST, NULL), 1);
}

static void test_who_may_do_what(void **state)
{
	static const uint32_t everybody[] = {ADMIN, OWNER, SERVER, STRANGER};
	uint8_t own[WIRE_ID_SIZE], shared[WIRE_ID_SIZE], open[WIRE_ID_SIZE];
	struct put new = {.kind = OBJECT_DATA}, change = {.how = OBJECT_CHANGE};
	struct reader r;
	struct seen s;

	(void)state;
	assert_int_equal(put(STRANGER, &new), KW_ERR_MAY_NOT_CREATE);
	make("own", 3, 0, 0, own);
	make("shared", 6, 0, SERVER, shared);
	make("open", 4, 1, 0, open);
	for (size_t i = 0; i < 4; i++) {
		uint32_t uid = everybody[i];
		bool manages = uid == ADMIN || uid == OWNER;

		assert_int_equal(get(uid, own, "own", 3), uid == OWNER ? KW_ERR_OK : KW_ERR_ACCESS);
		assert_int_equal(get(uid, shared, "shared", 6),
			uid == OWNER || uid == SERVER ? KW_ERR_OK : KW_ERR_ACCESS);
		assert_int_equal(get(uid, open, "open", 4), 0);
		r = reader_over(reply, reply_len);
		get_seen(&r, &s);
		assert_int_equal(s.rights, manages ? RIGHT_USE | RIGHT_MANAGE : RIGHT_USE);
		assert_int_equal(list(uid, CMD_OBJECT_LIST, &s), manages         ? 3
								 : uid == SERVER ? 2
										 : 1);
		if (manages)
			continue;
		change.id = open;
		change.kind = OBJECT_CERTIFICATE;
		assert_int_equal(put(uid, &change), KW_ERR_NOT_OWNER);
		assert_int_equal(delete_object(uid, open), KW_ERR_NOT_OWNER);
		assert_int_equal(get(uid, open, "open", 4), 0);
	}
	/* An administrator who wants to read it puts himself on the list, and that shows. */
	change.id = own;
	change.allowed = SERVER;
	assert_int_equal(put(ADMIN, &change), 0);
	assert_int_equal(get(SERVER, own, "own", 3), 0);
	assert_int_equal(get(OWNER, own, "own", 3), 0);
	assert_int_equal(get(ADMIN, own, "own", 3), KW_ERR_ACCESS);
	assert_int_equal(delete_object(ADMIN, own), 0);
}

static void test_a_change_keeps_the_rest(void **state)
{
	uint8_t id[WIRE_ID_SIZE];
	struct put p = {.id = id,
		.how = OBJECT_CHANGE,
		.kind = OBJECT_CERTIFICATE,
		.attributes_len = 33,
		.allowed = SERVER};
	struct seen s;

	(void)state;
	make(pattern, 5000, 0, 0, id);
	assert_int_equal(put(ADMIN, &p), 0);
	reopen();
	assert_int_equal(get(SERVER, id, pattern, 5000), 0);
	assert_int_equal(list(OWNER, CMD_OBJECT_LIST, &s), 1);
	assert_int_equal(s.owner, OWNER);
	assert_int_equal(s.kind, OBJECT_CERTIFICATE);
	assert_int_equal(s.attributes_len, 33);
	assert_memory_equal(s.attributes, pattern, 33);
	/* What was a certificate stays one, and a value that is to stay is not given. */
	p.kind = OBJECT_DATA;
	assert_int_equal(put(OWNER, &p), KW_ERR_BAD_REQUEST);
	p.kind = OBJECT_CERTIFICATE;
	p.value_len = 1;
	p.value = "x";
	assert_int_equal(put(OWNER, &p), KW_ERR_BAD_REQUEST);
	assert_int_equal(get(OWNER, id, pattern, 5000), 0);
}

static void test_sizes(void **state)
{
	uint8_t id[WIRE_ID_SIZE];
	struct put p = {.kind = OBJECT_DATA, .is_public = 1, .value = pattern};

	(void)state;
	make("", 0, 0, 0, id);
	assert_int_equal(get(OWNER, id, "", 0), 0);
	p.attributes_len = WIRE_ATTRIBUTES_MAX;
	p.value_len = WIRE_OBJECT_MAX;
	assert_int_equal(put(OWNER, &p), 0);
	memcpy(id, reply, WIRE_ID_SIZE);
	p.value_len++;
	assert_int_equal(put(OWNER, &p), KW_ERR_BAD_REQUEST);
	p.value_len--;
	p.attributes_len++;
	assert_int_equal(put(OWNER, &p), KW_ERR_BAD_REQUEST);
	reopen();
	assert_int_equal(get(STRANGER, id, pattern, WIRE_OBJECT_MAX), 0);
	for (uint8_t kind = 0; kind < 5; kind++) {
		struct put q = {.kind = kind};

		assert_int_equal(put(OWNER, &q), kind == OBJECT_CERTIFICATE || kind == OBJECT_DATA
							 ? KW_ERR_OK
							 : KW_ERR_BAD_REQUEST);
	}
	p = (struct put){.kind = OBJECT_DATA, .is_public = 2};
	assert_int_equal(put(OWNER, &p), KW_ERR_BAD_REQUEST);
	p = (struct put){.kind = OBJECT_DATA, .how = 3, .id = id};
	assert_int_equal(put(OWNER, &p), KW_ERR_BAD_REQUEST);
}

/* The list is as long as it may be, and everything else as well. */
static struct writer fullest(uint8_t how, const uint8_t *id)
{
	struct writer w = writer_over(request, sizeof(request));

	put_u8(&w, how);
	if (id)
		put_bytes(&w, id, WIRE_ID_SIZE);
	put_u8(&w, OBJECT_DATA);
	put_u8(&w, 0);
	put_u8(&w, WIRE_ACL_MAX);
	for (uint32_t i = 0; i < WIRE_ACL_MAX; i++) {
		put_u8(&w, IDENTITY_USER);
		put_u32(&w, 60000 + i);
	}
	put_field16(&w, pattern, WIRE_ATTRIBUTES_MAX);
	put_field16(&w, pattern, WIRE_OBJECT_MAX);
	return w;
}

static void test_many_large_ones_are_listed(void **state)
{
	uint8_t id[WIRE_ID_SIZE];
	struct seen s;

	(void)state;
	for (unsigned i = 0; i < 70; i++) {
		struct writer w = fullest(OBJECT_NEW, NULL);

		assert_int_equal(call(OWNER, CMD_OBJECT_PUT, &w), 0);
		memcpy(id, reply, WIRE_ID_SIZE);
	}
	assert_int_equal(list(OWNER, CMD_OBJECT_LIST, &s), 70);
	assert_int_equal(s.attributes_len, WIRE_ATTRIBUTES_MAX);
	assert_int_equal(get(60031, id, pattern, WIRE_OBJECT_MAX), 0);
}

/* --- Keys and objects are not each other --- */

static void put_template(struct writer *w, uint8_t place, const char *name, size_t attributes)
{
	put_u8(w, KEY_TYPE_EC_P256);
	put_u8(w, place);
	put_u32(w, PURPOSE_SIGN);
	put_field8(w, name, strlen(name));
	put_u8(w, 0);
	put_field16(w, pattern, attributes);
}

static void make_key(const char *name, size_t attributes, uint8_t id[WIRE_ID_SIZE])
{
	struct writer w = writer_over(request, sizeof(request));

	put_template(&w, PLACE_STORED, name, attributes);
	assert_int_equal(call(OWNER, CMD_KEY_GENERATE, &w), 0);
	memcpy(id, reply, WIRE_ID_SIZE);
}

static struct writer for_key(const uint8_t *id)
{
	struct writer w = writer_over(request, sizeof(request));

	put_u8(&w, TARGET_ID);
	put_bytes(&w, id, WIRE_ID_SIZE);
	return w;
}

static enum kw_err sign(const uint8_t *id)
{
	struct writer w = writer_over(request, sizeof(request));

	put_bytes(&w, id, WIRE_ID_SIZE);
	put_u8(&w, SCHEME_ECDSA);
	put_u8(&w, HASH_SHA256);
	put_u8(&w, INPUT_MESSAGE);
	put_u16(&w, 0);
	put_field32(&w, "abc", 3);
	return call(OWNER, CMD_SIGN, &w);
}

static void test_keys_are_no_objects(void **state)
{
	uint8_t key[WIRE_ID_SIZE], object[WIRE_ID_SIZE];
	struct put p = {.how = OBJECT_REPLACE,
		.kind = OBJECT_DATA,
		.id = key,
		.value = "x",
		.value_len = 1};
	struct writer w;

	(void)state;
	make_key("key", 0, key);
	make("object", 6, 1, 0, object);
	assert_int_equal(get(OWNER, key, "", 0), KW_ERR_NO_OBJECT);
	assert_int_equal(delete_object(ADMIN, key), KW_ERR_NO_OBJECT);
	assert_int_equal(put(OWNER, &p), KW_ERR_NO_OBJECT);
	p.how = OBJECT_CHANGE;
	p.value_len = 0;
	assert_int_equal(put(OWNER, &p), KW_ERR_NO_OBJECT);
	assert_int_equal(sign(object), KW_ERR_NOT_LOADED);
	w = for_key(object);
	assert_int_equal(call(OWNER, CMD_KEY_INFO, &w), KW_ERR_NO_KEY);
	assert_int_equal(call(OWNER, CMD_KEY_DELETE, &w), KW_ERR_NO_KEY);
	put_field16(&w, "x", 1);
	assert_int_equal(call(OWNER, CMD_KEY_ATTRIBUTES, &w), KW_ERR_NO_KEY);
	w = for_key(object);
	put_field8(&w, "name", 4);
	put_u8(&w, 0);
	assert_int_equal(call(OWNER, CMD_KEY_RENAME, &w), KW_ERR_NO_KEY);
	assert_int_equal(list(OWNER, CMD_OBJECT_LIST, NULL), 1);
	assert_int_equal(list(OWNER, CMD_KEY_LIST, NULL), 1);
	assert_int_equal(get(OWNER, object, "object", 6), 0);
	assert_int_equal(sign(key), 0);
	reopen();
	assert_int_equal(sign(key), 0);
	assert_int_equal(get(OWNER, object, "object", 6), 0);
}

/* --- Attributes of keys --- */

/* Checks what is at the end of a description, and gives the field behind it. */
static const uint8_t *check_key_attributes(
	const void *attributes, size_t n, bool has_record, size_t *record_len)
{
	struct reader r = reader_over(reply, reply_len);
	const uint8_t *p;
	size_t len;

	*record_len = 0;
	get_bytes(&r, WIRE_ID_SIZE + 3 + 4 + 8 + 5);
	get_field8(&r, WIRE_NAME_MAX, &len);
	get_bytes(&r, 5 * (size_t)get_u8(&r));
	get_bytes(&r, 1 + 3 * 8);
	get_field16(&r, WIRE_SPKI_MAX, &len);
	p = get_field16(&r, WIRE_ATTRIBUTES_MAX, &len);
	assert_int_equal(len, n);
	assert_memory_equal(p, attributes, n);
	p = has_record ? get_field16(&r, WIRE_RECORD_MAX, record_len) : NULL;
	assert_true(reader_done(&r));
	return p;
}

static void test_attributes_of_keys(void **state)
{
	uint8_t id[WIRE_ID_SIZE];
	struct writer w;
	size_t n;

	(void)state;
	make_key("key", 12, id);
	check_key_attributes(pattern, 12, true, &n);
	w = for_key(id);
	assert_int_equal(call(OWNER, CMD_KEY_INFO, &w), 0);
	check_key_attributes(pattern, 12, false, &n);
	put_field16(&w, pattern, WIRE_ATTRIBUTES_MAX);
	assert_int_equal(call(SERVER, CMD_KEY_ATTRIBUTES, &w), KW_ERR_NOT_OWNER);
	assert_int_equal(call(ADMIN, CMD_KEY_ATTRIBUTES, &w), 0);
	check_key_attributes(pattern, WIRE_ATTRIBUTES_MAX, true, &n);
	assert_int_equal(sign(id), 0);
	reopen();
	assert_int_equal(sign(id), 0);
	w = for_key(id);
	assert_int_equal(call(OWNER, CMD_KEY_INFO, &w), 0);
	check_key_attributes(pattern, WIRE_ATTRIBUTES_MAX, false, &n);
	put_field16(&w, pattern, WIRE_ATTRIBUTES_MAX + 1);
	assert_int_equal(call(OWNER, CMD_KEY_ATTRIBUTES, &w), KW_ERR_BAD_REQUEST);
	w = for_key(id);
	put_field16(&w, "", 0);
	assert_int_equal(call(OWNER, CMD_KEY_ATTRIBUTES, &w), 0);
	check_key_attributes("", 0, true, &n);
	w = writer_over(request, sizeof(request));
	put_template(&w, PLACE_STORED, "other", WIRE_ATTRIBUTES_MAX + 1);
	assert_int_equal(call(OWNER, CMD_KEY_GENERATE, &w), KW_ERR_BAD_REQUEST);
}

static void test_attributes_of_sealed_keys(void **state)
{
	static uint8_t record[WIRE_RECORD_MAX];
	struct writer w = writer_over(request, sizeof(request));
	const uint8_t *p;
	size_t n;

	(void)state;
	put_template(&w, PLACE_SEALED, "", 5);
	assert_int_equal(call(OWNER, CMD_KEY_GENERATE, &w), 0);
	p = check_key_attributes(pattern, 5, true, &n);
	memcpy(record, p, n);
	w = writer_over(request, sizeof(request));
	put_u8(&w, TARGET_RECORD);
	put_field16(&w, record, n);
	put_field16(&w, pattern, 100);
	assert_int_equal(call(STRANGER, CMD_KEY_ATTRIBUTES, &w), KW_ERR_ACCESS);
	assert_int_equal(call(OWNER, CMD_KEY_ATTRIBUTES, &w), 0);
	p = check_key_attributes(pattern, 100, true, &n);
	memcpy(record, p, n);
	w = writer_over(request, sizeof(request));
	put_field16(&w, record, n);
	assert_int_equal(call(OWNER, CMD_KEY_LOAD, &w), 0);
	/* They are authenticated: who changes a byte has no key any more. */
	for (size_t i = 0; i < n; i++) {
		request[2 + i] ^= 1;
		assert_int_not_equal(call(OWNER, CMD_KEY_LOAD, &w), 0);
		request[2 + i] ^= 1;
	}
}

/* A page of keys with everything that a key can have does not fit all that are looked at. */
static void test_keys_with_large_attributes_are_listed(void **state)
{
	uint8_t id[WIRE_ID_SIZE];
	char name[WIRE_NAME_MAX + 1];

	(void)state;
	for (unsigned i = 0; i < 70; i++) {
		snprintf(name, sizeof(name), "%0128u", i);
		make_key(name, WIRE_ATTRIBUTES_MAX, id);
	}
	assert_int_equal(list(OWNER, CMD_KEY_LIST, NULL), 70);
}

#ifndef KW_LIVE_TEE
/* The longest list, the longest key, and as much with it as it can carry. */
static void test_fullest_key_fits(void **state)
{
	static uint8_t material[4 + 512];
	struct crypto_key *key = NULL;
	struct writer w;
	size_t n = 0;

	(void)state;
	assert_int_equal(crypto_key_generate(KEY_TYPE_RSA_4096, &key), 0);
	assert_int_equal(crypto_key_private(key, pattern, &n), 0);
	memcpy(material, pattern, sizeof(material));
	crypto_key_free(&key);
	w = writer_over(request, sizeof(request));
	put_u8(&w, KEY_TYPE_RSA_4096);
	put_u8(&w, PLACE_SEALED);
	put_u32(&w, PURPOSE_SIGN);
	memset(reply, 'n', WIRE_NAME_MAX);
	put_field8(&w, reply, WIRE_NAME_MAX);
	put_u8(&w, WIRE_ACL_MAX);
	for (uint32_t i = 0; i < WIRE_ACL_MAX; i++) {
		put_u8(&w, IDENTITY_USER);
		put_u32(&w, 60000 + i);
	}
	put_field16(&w, pattern, WIRE_ATTRIBUTES_MAX);
	put_field16(&w, material, sizeof(material));
	assert_int_equal(call(OWNER, CMD_KEY_IMPORT, &w), 0);
	check_key_attributes(pattern, WIRE_ATTRIBUTES_MAX, true, &n);
	assert_in_range(n, 3700, WIRE_RECORD_MAX);
}

/* What version 1 wrote: a log without objects, and records without attributes. */
static void make_version_1(
	const uint8_t id_of_record[WIRE_ID_SIZE], const uint8_t *record, size_t n)
{
	uint8_t header[LOG_HEADER_SIZE], buf[LOG_RECORD_MAX], device_key[DEVICE_KEY_SIZE];
	struct writer w = writer_over(header, sizeof(header)), r;
	struct log log = {0};
	struct storage *empty;

	assert_int_equal(platform_device_key("keyward store v1", device_key), 0);
	put_bytes(&w, "KWSTORE\n", 8);
	put_u32(&w, 1);
	memset(header + w.len, 0, sizeof(header) - w.len);
	assert_int_equal(
		crypto_hmac(device_key, &(struct crypto_bytes){header, 56}, 1, header + 56), 0);
	assert_int_equal(crypto_hash(HASH_SHA256, header, 88, header + 88), 0);
	assert_int_equal(crypto_hash(HASH_SHA256, header, sizeof(header), log.end.hash), 0);
	assert_int_equal(crypto_hmac(device_key,
				 (const struct crypto_bytes[]){
					 {"keyward log v1", 14}, {log.end.hash, LOG_HASH_SIZE}},
				 2, log.key),
		0);
	assert_int_equal(storage_open(&empty), 0);
	assert_int_equal(storage_begin(empty, &log.storage), 0);
	assert_int_equal(storage_append(log.storage, header, sizeof(header)), 0);
	log.end.size = sizeof(header);
	r = log_begin(buf);
	put_u8(&r, 3);
	put_bytes(&r, id_of_record, WIRE_ID_SIZE);
	put_u64(&r, 0);
	put_u64(&r, 0);
	put_u64(&r, 0);
	put_field8(&r, "old", 3);
	put_field16(&r, record, n);
	assert_int_equal(log_append(&log, &r), 0);
	assert_int_equal(storage_sync(log.storage), 0);
	assert_int_equal(storage_swap(empty, log.storage), 0);
	storage_close(&empty);
	storage_close(&log.storage);
}

/* A key's record as version 1 had it. */
static size_t make_record_1(uint8_t *record, uint8_t id[WIRE_ID_SIZE])
{
	static struct key_meta meta;
	struct writer w = writer_over(record, WIRE_RECORD_MAX);
	struct crypto_key *key = NULL;
	uint8_t private_part[CRYPTO_PRIVATE_MAX];
	struct record_key rk;
	size_t n = 0;

	assert_int_equal(record_key_derive(&rk), 0);
	assert_int_equal(crypto_key_generate(KEY_TYPE_EC_P256, &key), 0);
	meta.type = KEY_TYPE_EC_P256;
	meta.owner = (struct identity){.kind = IDENTITY_USER, .id = OWNER};
	assert_int_equal(platform_identity(IDENTITY_USER, OWNER, meta.owner.uuid), 0);
	assert_int_equal(record_describe(&meta, key), 0);
	memcpy(id, meta.id, WIRE_ID_SIZE);
	sealing_put_head(&w, &rk, 0x4b57, 1);
	put_u8(&w, meta.type);
	put_u8(&w, ORIGIN_GENERATED);
	put_u8(&w, PLACE_STORED);
	put_u32(&w, PURPOSE_SIGN);
	put_u64(&w, 0);
	record_put_identity(&w, &meta.owner);
	put_field8(&w, "old", 3);
	record_put_acl(&w, NULL, 0);
	put_field16(&w, meta.spki, meta.spki_len);
	assert_int_equal(crypto_key_private(key, private_part, &n), 0);
	assert_int_equal(sealing_put(&w, &rk, "key record", private_part, n), 0);
	crypto_key_free(&key);
	return w.len;
}

static void test_version_1_is_read(void **state)
{
	static uint8_t record[WIRE_RECORD_MAX];
	uint8_t id[WIRE_ID_SIZE], object[WIRE_ID_SIZE];
	struct writer w;
	size_t n;

	(void)state;
	n = make_record_1(record, id);
	core_close(&core);
	storage_memory_reset();
	make_version_1(id, record, n);
	assert_int_equal(core_open(NULL, &core), 0);
	assert_int_equal(sign(id), 0);
	w = for_key(id);
	assert_int_equal(call(OWNER, CMD_KEY_INFO, &w), 0);
	check_key_attributes("", 0, false, &n);
	/* From the first change on it is one that older versions know not to read. */
	assert_int_equal(storage_memory_bytes(&n)[11], 1);
	make("object", 6, 0, 0, object);
	assert_int_equal(storage_memory_bytes(&n)[11], LOG_FORMAT);
	w = for_key(id);
	put_field16(&w, pattern, 10);
	assert_int_equal(call(OWNER, CMD_KEY_ATTRIBUTES, &w), 0);
	reopen();
	assert_int_equal(sign(id), 0);
	assert_int_equal(get(OWNER, object, "object", 6), 0);
	w = for_key(id);
	assert_int_equal(call(OWNER, CMD_KEY_INFO, &w), 0);
	check_key_attributes(pattern, 10, false, &n);
}

/* What is in an object is nowhere in the store to be read, what describes it is. */
static void test_values_are_encrypted(void **state)
{
	static const char secret[] = "the quick brown fox jumps over the lazy dog";
	uint8_t id[WIRE_ID_SIZE];
	const uint8_t *bytes;
	size_t len;

	(void)state;
	make(secret, sizeof(secret), 0, 0, id);
	bytes = storage_memory_bytes(&len);
	assert_null(memmem(bytes, len, secret, 8));
	assert_non_null(memmem(bytes, len, pattern, 20));
}
#endif

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_life_of_an_object),
		TEST(test_who_may_do_what),
		TEST(test_a_change_keeps_the_rest),
		TEST(test_sizes),
		TEST(test_many_large_ones_are_listed),
		TEST(test_keys_are_no_objects),
		TEST(test_attributes_of_keys),
		TEST(test_attributes_of_sealed_keys),
		TEST(test_keys_with_large_attributes_are_listed),
#ifndef KW_LIVE_TEE
		TEST(test_fullest_key_fits),
		TEST(test_version_1_is_read),
		TEST(test_values_are_encrypted),
#endif
	};

	return cmocka_run_group_tests_name("core objects", tests, NULL, NULL);
}

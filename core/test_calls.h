/* SPDX-License-Identifier: BSD-2-Clause */
/* A core on a platform in memory and calls of its door, for the tests that include this. */
#ifndef CORE_TEST_CALLS_H
#define CORE_TEST_CALLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core.h"
#include "key_type.h"
#include "tests/support/platform_memory.h"
#include "tests/support/storage_memory.h"
#include "wire/codec.h"

#define ADMIN 0
#define OWNER 1000
#define SERVER 33
#define STRANGER 4711

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct id {
	uint8_t b[WIRE_ID_SIZE];
};

static struct core *core;
static uint8_t reply[WIRE_MAX_PAYLOAD];
static size_t reply_len;
static uint8_t request[WIRE_MAX_PAYLOAD];

/* The connection of the next calls: what it has proved. */
static struct grants own_grants;
static struct grants *connection = &own_grants;

#ifndef KW_LIVE_TEE
struct stored {
	uint32_t keys, objects;
};

static inline struct stored stored_now(void)
{
	static uint8_t status[8192];
	const struct session s = {.user = {.kind = IDENTITY_USER}};
	struct stored now;
	struct reader r;
	size_t n;

	assert_int_equal(
		kw_dispatch(core, &s, CMD_STATUS, NULL, 0, status, sizeof(status), &n), KW_ERR_OK);
	r = reader_over(status, n);
	get_u8(&r);
	get_field8(&r, 255, &n);
	get_field8(&r, 255, &n);
	get_bytes(&r, 2 * 8);
	now.keys = get_u32(&r);
	get_u32(&r);
	now.objects = get_u32(&r);
	assert_false(r.failed);
	return now;
}
#endif

static inline enum kw_err call(uint32_t uid, uint16_t command, const struct writer *w)
{
	struct session s = {.user = {.id = uid, .kind = IDENTITY_USER}};
	uint8_t *exact = malloc(w->len ? w->len : 1);
	enum kw_err err;

	assert_false(w->failed);
	assert_non_null(exact);
	assert_int_equal(platform_identity(IDENTITY_USER, uid, s.user.uuid), 0);
	s.is_admin = uid == ADMIN;
	s.may_create = uid == OWNER;
	s.grants = connection;
	/* Exactly as large as the request, so that a sanitizer sees a read past its end. */
	memcpy(exact, w->buf, w->len);
#ifndef KW_LIVE_TEE
	struct stored before = stored_now(), after;
#endif
	err = kw_dispatch(core, &s, command, exact, w->len, reply, sizeof(reply), &reply_len);
#ifndef KW_LIVE_TEE
	/* A platform with little storage is told which commands fill it. */
	after = stored_now();
	if (after.keys > before.keys || after.objects > before.objects)
		assert_true(kw_command_grows(command, exact, w->len));
#endif
	free(exact);
	if (err)
		assert_int_equal(reply_len, 0);
	return err;
}

static inline int setup(void **state)
{
	(void)state;
	platform_memory_set_device(1);
	storage_memory_reset();
	connection = &own_grants;
	memset(connection, 0, sizeof(*connection));
	return core_open(NULL, &core) ? -1 : 0;
}

static inline int teardown(void **state)
{
	(void)state;
	core_close(&core);
	storage_memory_reset();
	return 0;
}

static inline struct writer fresh(void)
{
	return writer_over(request, sizeof(request));
}

/* Names are counted up: nothing here is about them. */
static inline void put_template(struct writer *w, uint8_t type, uint32_t purposes)
{
	static unsigned n;
	char name[] = "key-0000";

	n++;
	for (unsigned i = 0, v = n; i < 4; i++, v /= 10)
		name[7 - i] = (char)('0' + v % 10);
	put_u8(w, type);
	put_u8(w, PLACE_STORED);
	put_u32(w, purposes);
	put_field8(w, name, sizeof(name) - 1);
	put_u8(w, 1);
	put_u8(w, IDENTITY_USER);
	put_u32(w, SERVER);
	put_field16(w, NULL, 0);
}

static inline enum kw_err generate_as(uint32_t uid, uint8_t type, uint32_t purposes, uint16_t n)
{
	struct writer w = fresh();

	put_template(&w, type, purposes);
	if (type == KEY_TYPE_HMAC)
		put_u16(&w, n);
	return call(uid, CMD_KEY_GENERATE, &w);
}

static inline struct id made(void)
{
	struct id id;

	memcpy(id.b, reply, sizeof(id.b));
	return id;
}

static inline struct id generate(uint8_t type, uint32_t purposes)
{
	assert_int_equal(generate_as(OWNER, type, purposes, 0), KW_ERR_OK);
	return made();
}

static inline enum kw_err import_as(
	uint32_t uid, uint8_t type, uint32_t purposes, const void *material, size_t n)
{
	struct writer w = fresh();

	put_template(&w, type, purposes);
	put_field16(&w, material, n);
	return call(uid, CMD_KEY_IMPORT, &w);
}

static inline struct id import(uint8_t type, uint32_t purposes, const void *material, size_t n)
{
	assert_int_equal(import_as(OWNER, type, purposes, material, n), KW_ERR_OK);
	return made();
}

/* The public part out of the description that is the last reply. */
static inline size_t public_part(const uint8_t **p)
{
	struct reader r = reader_over(reply, reply_len);
	size_t n;

	get_bytes(&r, WIRE_ID_SIZE + 3 + 4 + 8 + 5);
	get_field8(&r, WIRE_NAME_MAX, &n);
	get_bytes(&r, 5 * (size_t)get_u8(&r));
	get_bytes(&r, 25);
	*p = get_field16(&r, WIRE_SPKI_MAX, &n);
	assert_false(r.failed);
	return n;
}

static inline enum kw_err hmac(struct id id, uint8_t out[32])
{
	struct writer w = fresh();
	enum kw_err err;

	put_bytes(&w, id.b, sizeof(id.b));
	put_u8(&w, MAC_HMAC);
	put_u8(&w, HASH_SHA256);
	put_u8(&w, MAC_MAKE);
	put_u8(&w, 0);
	put_field32(&w, "test", 4);
	err = call(OWNER, CMD_MAC, &w);
	if (!err)
		memcpy(out, reply + 1, 32);
	return err;
}

#endif

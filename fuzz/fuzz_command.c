/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every command, stateful: the input is a run of calls by several callers on one core, whose storage
 * lasts over restarts in the middle. A call is
 *
 *     u8 caller (0-2; with 0x80: restart first), u8 command, u16 length, payload
 *
 * and in a payload the byte 0xee stands for the id, and 0xef for the record, of the key that the next
 * byte counts; 0xed for the last wrapped key, 0xec for the caller's last ticket. So a short input reaches deep.
 */
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/crypto.h"
#include "tests/support/storage_memory.h"
#include "wire/codec.h"
#include "wire/cose.h"

#define KEYS 16
#define CALLS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct known {
	uint8_t id[WIRE_ID_SIZE];
	uint8_t record[WIRE_RECORD_MAX];
	size_t record_len;
};

static struct core *core;
static struct known keys[KEYS];
static unsigned key_count;
static uint8_t wrapped[2 + WIRE_WRAPPED_MAX]; /* with its length */
static size_t wrapped_len;

#define REQUIRE(condition)        \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* One connection of each caller, which a restart ends; its last ticket. */
static struct grants grants[3];
static uint8_t tickets[3][WIRE_TICKET_SIZE];

static struct session caller(unsigned which)
{
	static const uint32_t uids[] = {0, 33, 1000};
	struct session s = {.user = {.kind = IDENTITY_USER, .id = uids[which % 3]}};

	REQUIRE(!platform_identity(IDENTITY_USER, s.user.id, s.user.uuid));
	s.is_admin = s.user.id == 0;
	s.may_create = s.user.id == 1000;
	s.grants = &grants[which % 3];
	return s;
}

static size_t expand(struct reader *r, unsigned who, uint8_t *out, size_t cap)
{
	struct writer w = writer_over(out, cap);
	const struct known *k;
	uint8_t b;

	while (reader_left(r)) {
		b = get_u8(r);
		k = &keys[(b == 0xee || b == 0xef) && key_count ? get_u8(r) % key_count : 0];
		if (b == 0xee)
			put_bytes(&w, k->id, WIRE_ID_SIZE);
		else if (b == 0xef)
			put_field16(&w, k->record, k->record_len);
		else if (b == 0xed && wrapped_len)
			put_bytes(&w, wrapped, wrapped_len);
		else if (b == 0xec)
			put_bytes(&w, tickets[who % 3], WIRE_TICKET_SIZE);
		else
			put_u8(&w, b);
	}
	return w.len;
}

static bool too_slow(uint16_t command, const uint8_t *p, size_t n)
{
	/* An RSA key takes seconds to find. */
	return command == CMD_KEY_GENERATE && n && p[0] < KEY_TYPE_EC_P256;
}

static void remember(const uint8_t *reply, size_t len)
{
	struct known *k = &keys[key_count % KEYS];
	struct reader r = reader_over(reply, len);
	const uint8_t *p;
	size_t n;

	get_copy(&r, k->id, WIRE_ID_SIZE);
	get_bytes(&r, 2);
	get_bytes(&r, get_u8(&r) == PLACE_TOKEN);
	get_bytes(&r, 17);
	get_field8(&r, WIRE_NAME_MAX, &n);
	get_bytes(&r, 5 * (size_t)get_u8(&r));
	get_bytes(&r, 25);
	get_field16(&r, WIRE_SPKI_MAX, &n);
	get_field16(&r, WIRE_ATTRIBUTES_MAX, &n);
	p = get_field16(&r, WIRE_RECORD_MAX, &n);
	/* What the TEE sends is exactly what the protocol says. */
	REQUIRE(reader_done(&r));
	memcpy(k->record, p, n);
	k->record_len = n;
	if (key_count < KEYS)
		key_count++;
}

/* DERIVE gives a value or makes a key: the byte after two fields says which. */
static bool makes_key(uint16_t command, const uint8_t *request, size_t n)
{
	struct reader r = reader_over(request, n);
	size_t len;

	if (command != CMD_DERIVE)
		return command == CMD_KEY_GENERATE || command == CMD_KEY_IMPORT ||
		       command == CMD_UNWRAP;
	get_bytes(&r, WIRE_ID_SIZE + 3);
	get_field16(&r, WIRE_MAX_PAYLOAD, &len);
	get_field16(&r, WIRE_MAX_PAYLOAD, &len);
	return get_u8(&r) == DERIVED_KEY;
}

/* Objects are named like keys: by the byte that counts them. */
static void remember_object(const uint8_t *reply, size_t len)
{
	struct known *k = &keys[key_count % KEYS];
	struct reader r = reader_over(reply, len);
	size_t n;

	get_copy(&r, k->id, WIRE_ID_SIZE);
	get_u8(&r);
	get_bytes(&r, get_u8(&r) & OBJECT_ON_TOKEN ? 1 : 0);
	get_bytes(&r, 13);
	get_bytes(&r, 5 * (size_t)get_u8(&r));
	get_u8(&r);
	get_field16(&r, WIRE_ATTRIBUTES_MAX, &n);
	REQUIRE(get_u16(&r) <= WIRE_OBJECT_MAX && reader_done(&r));
	k->record_len = 0;
	if (key_count < KEYS)
		key_count++;
}

/* In its one form, within its bound. */
static void check_statement(const uint8_t *reply, size_t len)
{
	struct reader r = reader_over(reply, len);
	struct cose_sign1 s;
	const uint8_t *p;
	size_t n;

	p = get_field16(&r, WIRE_ATTESTATION_MAX, &n);
	REQUIRE(reader_done(&r));
	r = reader_over(p, n);
	cose_get_sign1(&r, &s);
	REQUIRE(reader_done(&r) && cbor_is_deterministic(s.payload, s.payload_len));
}

static void restart(void)
{
	core_close(&core);
	memset(grants, 0, sizeof(grants));
	REQUIRE(!core_open(NULL, &core));
}

static void one_call(struct reader *r)
{
	static uint8_t request[WIRE_MAX_PAYLOAD], reply[WIRE_MAX_PAYLOAD];
	uint8_t who = get_u8(r);
	uint16_t command = get_u8(r);
	struct session s = caller(who & 0x7f);
	const uint8_t *p;
	uint8_t *exact;
	struct reader body;
	size_t n, len = 0;
	enum kw_err err;

	p = get_field16(r, 4096, &n);
	if (!p)
		return;
	if (who & 0x80)
		restart();
	body = reader_over(p, n);
	n = expand(&body, who & 0x7f, request, sizeof(request));
	if (too_slow(command, request, n))
		return;
	exact = malloc(n ? n : 1);
	REQUIRE(exact);
	memcpy(exact, request, n);
	err = kw_dispatch(core, &s, command, exact, n, reply, sizeof(reply), &len);
	free(exact);
	REQUIRE(len <= sizeof(reply) && (!err || len == 0));
	if (!err && makes_key(command, request, n)) {
		REQUIRE(s.is_admin || s.may_create);
		remember(reply, len);
	}
	if (!err && command == CMD_KEY_ATTEST)
		check_statement(reply, len);
	if (!err && command == CMD_WRAP) {
		REQUIRE(len > 2 && len <= sizeof(wrapped));
		memcpy(wrapped, reply, len);
		wrapped_len = len;
	}
	if (!err && command == CMD_TOKEN_LOGIN) {
		REQUIRE(len == WIRE_TICKET_SIZE);
		memcpy(tickets[(who & 0x7f) % 3], reply, len);
	}
	if (!err && command == CMD_OBJECT_PUT &&
		(request[0] == OBJECT_NEW || request[0] == OBJECT_NEW_ON_TOKEN)) {
		REQUIRE(s.is_admin || s.may_create);
		remember_object(reply, len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);

	storage_memory_reset();
	key_count = 0;
	wrapped_len = 0;
	memset(keys, 0, sizeof(keys));
	memset(grants, 0, sizeof(grants));
	REQUIRE(!core_open(NULL, &core));
	for (unsigned i = 0; i < CALLS_MAX && reader_left(&r); i++)
		one_call(&r);
	restart();
	core_close(&core);
	return 0;
}

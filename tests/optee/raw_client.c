/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invocations that no client of ours makes. raw_client PART [ROUNDS]; the last line counts. Whatever is
 * sent, the Trusted Application has to be the same afterwards: each part ends by asking it who it is.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tee_client_api.h>
#include <unistd.h>

#include "wire/algorithms.h"
#include "wire/codec.h"
#include "wire/errors.h"
#include "wire/optee.h"

#define ROOM_AT 65536 /* of the reply in the shared memory */
#define SHARED_SIZE (2 * 65536 + 8192)
#define NOT_SUCCESS (-1) /* the invocation itself failed: `result` says how */

static const TEEC_UUID uuid = OPTEE_TA_UUID;

static TEEC_Context context;
static TEEC_Session session;
static TEEC_SharedMemory shared;
static TEEC_Result result;
static size_t reply_len;
static unsigned passed, failed;

static void __attribute__((format(printf, 2, 3))) check(bool good, const char *format, ...)
{
	va_list args;

	if (good)
		passed++;
	else
		failed++;
	printf("%s - ", good ? "ok" : "not ok");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static uint8_t *request(void)
{
	return shared.buffer;
}

static const uint8_t *reply(void)
{
	return (const uint8_t *)shared.buffer + ROOM_AT;
}

static TEEC_Result open_session(TEEC_Session *s, uint32_t login, uint32_t types, uint32_t a)
{
	TEEC_Operation op = {.paramTypes = types};
	gid_t group = getegid();
	uint32_t origin;

	for (unsigned i = 0; i < 4; i++) {
		if ((types >> 4 * i & 0xf) < TEEC_MEMREF_TEMP_INPUT) {
			op.params[i].value.a = a;
		} else {
			op.params[i].memref.parent = &shared;
			op.params[i].memref.size = 64;
		}
	}
	return TEEC_OpenSession(&context, s, &uuid, login,
		login == TEEC_LOGIN_GROUP ? &group : NULL, types ? &op : NULL, &origin);
}

static TEEC_Result open_ours(TEEC_Session *s)
{
	return open_session(s, TEEC_LOGIN_USER,
		TEEC_PARAM_TYPES(TEEC_VALUE_INPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE), geteuid());
}

/* The error of the reply's frame, or NOT_SUCCESS. */
static int call_in(TEEC_Session *s, uint32_t command, size_t n, size_t room)
{
	TEEC_Operation op = {.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_PARTIAL_INPUT,
				     TEEC_MEMREF_PARTIAL_OUTPUT, TEEC_NONE, TEEC_NONE)};
	uint32_t origin;

	op.params[0].memref = (TEEC_RegisteredMemoryReference){&shared, n, 0};
	op.params[1].memref = (TEEC_RegisteredMemoryReference){&shared, room, ROOM_AT};
	result = TEEC_InvokeCommand(s, command, &op, &origin);
	reply_len = op.params[1].memref.size;
	if (result)
		return NOT_SUCCESS;
	return reply_len < WIRE_HEADER ? NOT_SUCCESS : reply()[0] << 8 | reply()[1];
}

static int call(uint32_t command, size_t n)
{
	return call_in(&session, command, n, WIRE_MAX_FRAME);
}

static bool is_alive(void)
{
	struct writer w = writer_over(request(), 16);

	put_u16(&w, WIRE_VERSION);
	put_u16(&w, WIRE_VERSION);
	put_u16(&w, WIRE_CPU_ANY);
	return call(CMD_HELLO, w.len) == KW_ERR_OK && reply_len > WIRE_HEADER + 3 &&
	       reply()[WIRE_HEADER + 2] == TEE_KIND_OPTEE;
}

/* --- Types of parameters --- */

static const uint8_t kinds[] = {TEEC_NONE, TEEC_VALUE_INPUT, TEEC_VALUE_OUTPUT, TEEC_VALUE_INOUT,
	TEEC_MEMREF_PARTIAL_INPUT, TEEC_MEMREF_PARTIAL_OUTPUT, TEEC_MEMREF_PARTIAL_INOUT};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define COMBINATIONS (KINDS * KINDS * KINDS * KINDS)

static uint32_t combination(size_t i)
{
	return TEEC_PARAM_TYPES((uint32_t)kinds[i % KINDS], (uint32_t)kinds[i / KINDS % KINDS],
		(uint32_t)kinds[i / KINDS / KINDS % KINDS],
		(uint32_t)kinds[i / KINDS / KINDS / KINDS]);
}

static TEEC_Result invoke_with(uint32_t types, uint32_t command)
{
	TEEC_Operation op = {.paramTypes = types};
	uint32_t origin;

	for (unsigned i = 0; i < 4; i++) {
		if ((types >> 4 * i & 0xf) >= TEEC_MEMREF_PARTIAL_INPUT)
			op.params[i].memref =
				(TEEC_RegisteredMemoryReference){&shared, 16384, i * 16384};
		else
			op.params[i].value = (TEEC_Value){0xffffffff, 0xffffffff};
	}
	return TEEC_InvokeCommand(&session, command, &op, &origin);
}

static void types(void)
{
	const uint32_t right = TEEC_PARAM_TYPES(
		TEEC_MEMREF_PARTIAL_INPUT, TEEC_MEMREF_PARTIAL_OUTPUT, TEEC_NONE, TEEC_NONE);
	const uint32_t with_id =
		TEEC_PARAM_TYPES(TEEC_VALUE_INPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE);
	const uint32_t with_random = TEEC_PARAM_TYPES(
		TEEC_VALUE_INPUT, TEEC_VALUE_INPUT, TEEC_VALUE_INPUT, TEEC_VALUE_INPUT);
	unsigned refused = 0, taken = 0, opened = 0, closed_out = 0;
	TEEC_Session s;
	TEEC_Result r;

	for (size_t i = 0; i < COMBINATIONS; i++) {
		r = invoke_with(combination(i), CMD_STATUS);
		if (combination(i) == right)
			taken += r == TEEC_SUCCESS;
		else
			refused += r == TEEC_ERROR_BAD_PARAMETERS;
	}
	check(taken == 1, "the right types of parameters are taken");
	check(refused == COMBINATIONS - 1, "%u of %zu others are refused as bad parameters",
		refused, COMBINATIONS - 1);
	check(is_alive(), "it is alive after every combination of types");
	for (size_t i = 0; i < COMBINATIONS; i++) {
		r = open_session(&s, TEEC_LOGIN_USER, combination(i), geteuid());
		if (!r) {
			opened += combination(i) == 0 || combination(i) == with_id ||
				  combination(i) == with_random;
			TEEC_CloseSession(&s);
		}
		closed_out += r == TEEC_ERROR_BAD_PARAMETERS;
	}
	check(opened == 3, "a session opens with an id and randomness, with an id, and without");
	check(closed_out == COMBINATIONS - 3, "%u of %zu others are refused as bad parameters",
		closed_out, COMBINATIONS - 3);
	check(is_alive(), "it is alive after sessions with every combination of types");
}

/* --- Sizes --- */

static bool wants(uint32_t command, size_t n, size_t room, TEEC_Result expected)
{
	int err = call_in(&session, command, n, room);

	return expected ? result == expected : err != NOT_SUCCESS;
}

static TEEC_Result invoke_null(size_t in_size, size_t out_size)
{
	TEEC_Operation op = {.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT,
				     TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE, TEEC_NONE)};
	static uint8_t room[WIRE_MAX_FRAME];
	uint32_t origin;

	op.params[0].tmpref.size = in_size;
	op.params[1].tmpref.size = out_size;
	if (out_size > sizeof(room)) {
		op.params[1].tmpref.buffer = room;
		op.params[1].tmpref.size = sizeof(room);
	}
	return TEEC_InvokeCommand(&session, CMD_STATUS, &op, &origin);
}

static void sizes(void)
{
	static const size_t too_large[] = {65001, 65002, 65536, 70000};
	unsigned bad = 0;
	size_t full;

	memset(request(), 0xa5, ROOM_AT);
	for (size_t n = 0; n <= WIRE_MAX_PAYLOAD; n += n < 600 || n > 64950 ? 1 : 211) {
		for (uint32_t command = 0; command <= 24; command++) {
			int err = call(command, n);

			/* Of what is all 0xa5 these are whole requests. */
			if ((command == CMD_STATUS && n == 0) ||
				(command == CMD_KEY_LIST && n == 4) ||
				(command == CMD_OBJECT_LIST && n == 4))
				bad += err != KW_ERR_OK;
			else
				bad += err <= 0 || err >= 64 || reply_len != WIRE_HEADER;
		}
	}
	check(!bad, "requests of every size get an error and nothing else (%u did not)", bad);
	bad = 0;
	for (size_t i = 0; i < sizeof(too_large) / sizeof(too_large[0]); i++)
		bad += !wants(CMD_SIGN, too_large[i], 1028, TEEC_ERROR_BAD_PARAMETERS);
	check(!bad, "longer ones are refused");
	check(call(CMD_STATUS, 0) == KW_ERR_OK, "STATUS in a large room");
	full = reply_len;
	bad = 0;
	for (size_t room = 0; room < full; room++) {
		bad += !wants(CMD_STATUS, 0, room,
			room < WIRE_HEADER ? TEEC_ERROR_BAD_PARAMETERS : TEEC_ERROR_SHORT_BUFFER);
		bad += room >= WIRE_HEADER && reply_len != full;
	}
	check(!bad, "a room that is too small is refused, with the size that is needed");
	check(wants(CMD_STATUS, 0, full, TEEC_SUCCESS) && reply_len == full,
		"one that fits is enough");
	check(invoke_null(0, SIZE_MAX) == TEEC_SUCCESS, "no request at all is an empty one");
	check(invoke_null(0, 0) == TEEC_ERROR_BAD_PARAMETERS, "no room at all is refused");
	check(invoke_null(100, SIZE_MAX) != TEEC_SUCCESS, "a size without a request is refused");
	check(invoke_null(0, 100) != TEEC_SUCCESS, "a size without a room is refused");
	check(call(0x10002, 0) == KW_ERR_UNKNOWN_COMMAND,
		"a command's number is not cut to 16 bits");
	check(is_alive(), "it is alive after every size");
}

/* --- Requests at random --- */

static size_t likely(uint32_t command)
{
	struct writer w = writer_over(request(), ROOM_AT);

	if (command == CMD_KEY_GENERATE || command == CMD_KEY_IMPORT) {
		put_u8(&w, KEY_TYPE_EC_P256);
		put_u8(&w, PLACE_SEALED);
		put_u32(&w, PURPOSE_SIGN);
		put_field8(&w, "x", 1);
		put_u8(&w, 0);
		put_field16(&w, "", 0);
		put_field16(
			&w, "0123456789abcdef0123456789abcdef", command == CMD_KEY_IMPORT ? 32 : 0);
	} else if (command == CMD_SIGN || command == CMD_RSA_DECRYPT) {
		put_bytes(&w, "0123456789abcdef0123456789abcdef", 32);
		put_u8(&w, 1);
		put_u8(&w, 2);
		put_u32(&w, 0);
		put_u32(&w, 32);
		put_bytes(&w, "0123456789abcdef0123456789abcdef", 32);
	} else {
		put_u8(&w, TARGET_NAME);
		put_field8(&w, "nobody", 6);
		put_u32(&w, 0);
	}
	return w.len;
}

static void random_requests(unsigned rounds)
{
	unsigned bad = 0;

	srandom(1);
	for (unsigned i = 0; i < rounds; i++) {
		uint32_t command = (uint32_t)random() % 25;
		size_t n = likely(command);
		int err;

		for (long changes = random() % 6; changes > 0; changes--)
			request()[(size_t)random() % n] = (uint8_t)random();
		n += (size_t)(random() % 4 ? 0 : random() % 40);
		err = call(random() % 50 ? command : (uint32_t)random(), n);
		bad += err < 0 || err >= 64 || (err && reply_len != WIRE_HEADER);
	}
	check(!bad, "%u requests at random get an answer each (%u did not)", rounds, bad);
	check(is_alive(), "it is alive after requests at random");
}

/* --- A request that changes while it is read --- */

static atomic_bool stop;
static atomic_uint target; /* offset of the byte that changes */
static atomic_bool wild;

/* Bytes change one at a time, so that a copy is one request or the other. */
static void *change(void *unused)
{
	volatile uint8_t *at = request();
	unsigned seed = 1;

	(void)unused;
	while (!stop) {
		if (wild)
			at[(unsigned)rand_r(&seed) % 4096] = (uint8_t)rand_r(&seed);
		else
			at[target] ^= 1;
	}
	return NULL;
}

static bool make_key(uint8_t id[WIRE_ID_SIZE])
{
	struct writer w = writer_over(request(), ROOM_AT);
	bool good;

	put_u8(&w, KEY_TYPE_ED25519);
	put_u8(&w, PLACE_STORED);
	put_u32(&w, PURPOSE_SIGN);
	put_field8(&w, "raw-client", 10);
	put_u8(&w, 0);
	put_u16(&w, 0);
	good = call(CMD_KEY_GENERATE, w.len) == KW_ERR_OK;
	memcpy(id, reply() + WIRE_HEADER, WIRE_ID_SIZE);
	return good;
}

static bool delete_key(void)
{
	struct writer w = writer_over(request(), ROOM_AT);

	put_u8(&w, TARGET_NAME);
	put_field8(&w, "raw-client", 10);
	return call(CMD_KEY_DELETE, w.len) == KW_ERR_OK;
}

static size_t sign_request(const uint8_t id[WIRE_ID_SIZE], size_t message)
{
	struct writer w = writer_over(request(), ROOM_AT);
	static const uint8_t zeros[60000];

	put_bytes(&w, id, WIRE_ID_SIZE);
	put_u8(&w, SCHEME_EDDSA);
	put_u8(&w, HASH_NONE);
	put_u8(&w, INPUT_MESSAGE);
	put_u16(&w, 0);
	put_field32(&w, zeros, message);
	return w.len;
}

/*
 * Ed25519 hashes the message twice, and a signature whose two hashes are of different messages gives the
 * private key away. So each has to be that of one message or of the other, and both have to occur, or
 * nothing was tried.
 */
static void two_messages(const uint8_t *id, size_t message, unsigned rounds)
{
	uint8_t expected[2][66];
	unsigned seen[2] = {0}, other = 0;
	size_t n = sign_request(id, message);
	pthread_t thread;

	for (int i = 0; i < 2; i++) {
		request()[n - 1] = (uint8_t)i;
		if (call(CMD_SIGN, n) || reply_len != WIRE_HEADER + 66)
			other++;
		memcpy(expected[i], reply() + WIRE_HEADER, 66);
	}
	check(!other && memcmp(expected[0], expected[1], 66), "two messages, two signatures");
	target = (unsigned)(n - 1);
	wild = stop = false;
	if (pthread_create(&thread, NULL, change, NULL))
		return check(false, "a thread starts");
	for (unsigned i = 0; i < rounds; i++) {
		if (call(CMD_SIGN, n) || reply_len != WIRE_HEADER + 66)
			other++;
		else if (!memcmp(reply() + WIRE_HEADER, expected[0], 66))
			seen[0]++;
		else if (!memcmp(reply() + WIRE_HEADER, expected[1], 66))
			seen[1]++;
		else
			other++;
	}
	stop = true;
	pthread_join(thread, NULL);
	check(seen[0] && seen[1] && !other,
		"a message of %zu bytes that changes is signed as it was or as it is: %u, %u, "
		"neither %u",
		message, seen[0], seen[1], other);
}

static void race(unsigned rounds)
{
	uint8_t id[WIRE_ID_SIZE];
	pthread_t thread;
	unsigned bad = 0;
	size_t n;

	check(make_key(id), "a key to sign with");
	two_messages(id, 100, rounds);
	two_messages(id, 60000, rounds / 10);
	n = sign_request(id, 3000);
	wild = true;
	stop = false;
	if (pthread_create(&thread, NULL, change, NULL))
		return check(false, "a thread starts");
	for (unsigned i = 0; i < rounds; i++) {
		uint32_t command = i % 14 + 1;
		int err;

		/* Half of them whole at first. KEY_DELETE might meet the right name, but not in 2^80. */
		if (i & 1)
			n = likely(command);
		err = call(command, n);
		bad += err < 0 || err >= 64;
	}
	stop = true;
	pthread_join(thread, NULL);
	check(!bad, "%u requests that change everywhere get an answer each (%u did not)", rounds,
		bad);
	check(is_alive(), "it is alive after requests that change");
	check(delete_key(), "and the key is deleted");
}

/* --- Sessions --- */

static int status_flags(TEEC_Session *s)
{
	struct reader r;
	size_t n;

	if (call_in(s, CMD_STATUS, 0, WIRE_MAX_FRAME))
		return -1;
	r = reader_over(reply() + WIRE_HEADER, reply_len - WIRE_HEADER);
	get_u8(&r);
	get_field8(&r, 255, &n);
	get_field8(&r, 255, &n);
	get_bytes(&r, 8 + 8 + 4 + 4 + 4 + 8 + 8 + 8 + 8 + 8 + 8);
	get_field16(&r, 4096, &n);
	n = get_u8(&r);
	return r.failed ? -1 : (int)n;
}

static void sessions(void)
{
	static TEEC_Session many[400];
	const bool is_root = geteuid() == 0;
	unsigned count = 0;
	TEEC_Session s;
	TEEC_Result r;

	check(open_session(&s, TEEC_LOGIN_PUBLIC, 0, 0) == TEEC_ERROR_ACCESS_DENIED,
		"a session without an identity is refused");
	check(open_session(&s, TEEC_LOGIN_APPLICATION, 0, 0) != TEEC_SUCCESS,
		"one of an application is refused");
	check(!open_session(&s, TEEC_LOGIN_USER,
		      TEEC_PARAM_TYPES(TEEC_VALUE_INPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE), 0),
		"a session that says it is root's");
	check((status_flags(&s) & 1) == is_root, "is an administrator's only if root opened it");
	TEEC_CloseSession(&s);
	check(!open_session(&s, TEEC_LOGIN_GROUP, 0, 0), "a session of a group");
	check(status_flags(&s) == 0, "administers nothing and creates nothing");
	TEEC_CloseSession(&s);
	while (count < 400 && !(r = open_ours(&many[count])))
		count++;
	check(r == TEEC_ERROR_BUSY && count >= 100 && count < 300,
		"sessions end with \"busy\" (0x%x after %u)", r, count);
	check(is_alive(), "it is alive when there is no other session to be had");
	while (count--)
		TEEC_CloseSession(&many[count]);
	r = open_ours(&s);
	check(!r, "and there is one when others were closed");
	if (!r)
		TEEC_CloseSession(&s);
}

static bool start(void)
{
	if (TEEC_InitializeContext(NULL, &context)) {
		fprintf(stderr, "raw_client: OP-TEE is not there\n");
		return false;
	}
	shared.size = SHARED_SIZE;
	shared.flags = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT;
	if (TEEC_AllocateSharedMemory(&context, &shared) || open_ours(&session)) {
		fprintf(stderr, "raw_client: no session\n");
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	const char *part = argc > 1 ? argv[1] : "";
	unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 2000;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!start())
		return 1;
	if (!strcmp(part, "types"))
		types();
	else if (!strcmp(part, "sizes"))
		sizes();
	else if (!strcmp(part, "random"))
		random_requests(rounds);
	else if (!strcmp(part, "race"))
		race(rounds);
	else if (!strcmp(part, "sessions"))
		sessions();
	else
		fprintf(stderr, "usage: raw_client types|sizes|random|race|sessions [ROUNDS]\n");
	TEEC_CloseSession(&session);
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed;
}

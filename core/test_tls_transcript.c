/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_messages.h"
#include "tls_transcript.h"

struct part {
	uint8_t type;
	size_t len;
	uint8_t body[256];
};

#define PARTS 9

enum { HELLO, REPLY, CHAIN, STATUS, EXCHANGE, REQUEST, DONE, OWN_CHAIN, SECRET };

#define RANDOM "0123456789abcdef0123456789abcdef"
#define BODY(...) .len = sizeof((uint8_t[]){__VA_ARGS__}), .body = {__VA_ARGS__}

struct transcript {
	struct part parts[PARTS];
	size_t count;
	bool dtls;
};

static void append(struct part *p, const void *bytes, size_t n)
{
	memcpy(p->body + p->len, bytes, n);
	p->len += n;
}

/* All messages that there can be, each with every field that it can have. */
static struct transcript whole(bool dtls)
{
	struct transcript t = {.count = PARTS, .dtls = dtls};
	const char *version = dtls ? "\xfe\xfd" : "\x03\x03";
	const struct part fixed[] = {
		[CHAIN] = {11, BODY(0, 0, 9, 0, 0, 2, 0x30, 0, 0, 0, 1, 0x30)},
		[STATUS] = {22, BODY(1, 0, 0, 2, 0x30, 0)},
		[EXCHANGE] = {12, BODY(3, 0, 29, 2, 8, 9, 4, 1, 0, 2, 7, 7)},
		[REQUEST] = {13, BODY(1, 64, 0, 2, 4, 3, 0, 7, 0, 1, 0x30, 0, 2, 0x30, 0)},
		[DONE] = {14, 0, {0}},
		[OWN_CHAIN] = {11, BODY(0, 0, 5, 0, 0, 2, 0x30, 0)},
		[SECRET] = {16, BODY(3, 1, 2, 3)},
	};

	memcpy(t.parts, fixed, sizeof(fixed));
	t.parts[HELLO].type = 1;
	append(&t.parts[HELLO], version, 2);
	append(&t.parts[HELLO], RANDOM, 32);
	append(&t.parts[HELLO], "\x02id", 3);
	if (dtls)
		append(&t.parts[HELLO],
			"\x06"
			"cookie",
			7);
	append(&t.parts[HELLO], "\0\x04\xc0\x2b\xc0\x2f", 6);
	append(&t.parts[HELLO], "\x01\0", 2);
	append(&t.parts[HELLO], "\0\x09\0\x0a\0\x01x\0\x17\0\0", 11);
	t.parts[REPLY].type = 2;
	append(&t.parts[REPLY], version, 2);
	append(&t.parts[REPLY], RANDOM, 32);
	append(&t.parts[REPLY], "\x02id\xc0\x2b\0", 6);
	append(&t.parts[REPLY], "\0\x05\xff\x01\0\x01\0", 7);
	return t;
}

static size_t encode(const struct transcript *t, uint8_t *buf, size_t cap)
{
	struct writer w = writer_over(buf, cap);

	for (size_t i = 0; i < t->count; i++) {
		const struct part *p = &t->parts[i];

		put_u8(&w, p->type);
		put_u8(&w, 0);
		put_u16(&w, (uint16_t)p->len);
		if (t->dtls) {
			put_u16(&w, (uint16_t)i);
			put_u32(&w, 0);
			put_u16(&w, (uint16_t)p->len);
		}
		put_bytes(&w, p->body, p->len);
	}
	assert_false(w.failed);
	return w.len;
}

static bool passes(const struct transcript *t)
{
	uint8_t m[4096];
	size_t n = encode(t, m, sizeof(m));
	bool taken = tls_transcript_is_client(m, n);

	assert_int_equal(test_client(m, n), taken ? KW_ERR_OK : KW_ERR_TLS_MESSAGE);
	/* Whatever the client's purpose takes or leaves: the server's takes none of it. */
	assert_int_equal(test_server(m, n), KW_ERR_TLS_MESSAGE);
	return taken;
}

static enum kw_err test_client_of(const struct transcript *t)
{
	uint8_t m[4096];
	size_t n = encode(t, m, sizeof(m));

	return test_client(m, n);
}

static void test_whole(void **state)
{
	uint8_t m[4096];

	(void)state;
	for (int dtls = 0; dtls < 2; dtls++) {
		struct transcript t = whole(dtls);
		size_t n = encode(&t, m, sizeof(m));

		assert_true(passes(&t));
		for (size_t len = 0; len < n; len++)
			assert_int_equal(test_client(m, len), KW_ERR_TLS_MESSAGE);
		m[n] = 0;
		assert_int_equal(test_client(m, n + 1), KW_ERR_TLS_MESSAGE);
		m[n] = 14;
		memset(m + n + 1, 0, 20); /* a further empty message */
		assert_int_equal(test_client(m, n + (dtls ? 12 : 4)), KW_ERR_TLS_MESSAGE);
	}
}

static void test_order(void **state)
{
	(void)state;
	for (int dtls = 0; dtls < 2; dtls++) {
		for (size_t i = 0; i < PARTS; i++) {
			struct transcript t = whole(dtls);

			memmove(t.parts + i, t.parts + i + 1, (PARTS - 1 - i) * sizeof(t.parts[0]));
			t.count--;
			/* Not all servers staple, and RSA key exchange has no message of its own.
			 */
			assert_int_equal(passes(&t), i == STATUS || i == EXCHANGE);
			/* The same one once more, at the end. */
			t = whole(dtls);
			if (i == SECRET)
				continue;
			t.parts[SECRET] = t.parts[i];
			assert_false(passes(&t));
			t = whole(dtls);
			t.parts[i] = t.parts[i + 1];
			t.parts[i + 1] = whole(dtls).parts[i];
			assert_false(passes(&t));
		}
	}
}

/* One byte of one message set to a value that breaks it. */
static void test_fields(void **state)
{
	static const struct {
		uint8_t part;
		uint8_t at;
		uint8_t value;
	} breaks[] = {
		{HELLO, 0, 4},
		{HELLO, 1, 2},
		{HELLO, 1, 1}, /* version */
		{HELLO, 34, 33},
		{HELLO, 34, 1},
		{HELLO, 34, 0}, /* session id */
		{HELLO, 38, 3},
		{HELLO, 38, 0},
		{HELLO, 38, 200}, /* cipher suites */
		{HELLO, 43, 0},
		{HELLO, 43, 9}, /* compression methods */
		{HELLO, 46, 8},
		{HELLO, 46, 10},
		{HELLO, 50, 2},
		{HELLO, 55, 1}, /* extensions */
		{REPLY, 0, 2},
		{REPLY, 1, 2},
		{REPLY, 1, 4},
		{REPLY, 34, 33},
		{REPLY, 34, 3},
		{REPLY, 41, 4},
		{REPLY, 41, 6},
		{REPLY, 45, 2},
		{CHAIN, 2, 8},
		{CHAIN, 2, 10},
		{CHAIN, 5, 3},
		{CHAIN, 10, 0},
		{CHAIN, 10, 2},
		{STATUS, 0, 0},
		{STATUS, 0, 3},
		{STATUS, 3, 1},
		{STATUS, 3, 3},
		{EXCHANGE, 0, 2},
		{EXCHANGE, 3, 0},
		{EXCHANGE, 3, 3},
		{EXCHANGE, 9, 1},
		{EXCHANGE, 9, 3},
		{REQUEST, 0, 0},
		{REQUEST, 0, 2},
		{REQUEST, 3, 1},
		{REQUEST, 3, 4},
		{REQUEST, 7, 6},
		{REQUEST, 7, 8},
		{REQUEST, 9, 3},
		{REQUEST, 12, 3},
		{OWN_CHAIN, 2, 4},
		{OWN_CHAIN, 5, 0},
		{OWN_CHAIN, 5, 3},
		{SECRET, 0, 2},
		{SECRET, 0, 4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		struct transcript t = whole(false);

		assert_int_not_equal(t.parts[breaks[i].part].body[breaks[i].at], breaks[i].value);
		t.parts[breaks[i].part].body[breaks[i].at] = breaks[i].value;
		if (passes(&t))
			fail_msg("part %u, byte %u = %u passes", breaks[i].part, breaks[i].at,
				breaks[i].value);
	}
	for (size_t i = 0; i < PARTS; i++) {
		struct transcript t = whole(false);

		t.parts[i].len++;
		assert_false(passes(&t));
		if (t.parts[i].len < 2)
			continue;
		t.parts[i].len -= 2;
		assert_false(passes(&t));
	}
}

static void test_alternatives(void **state)
{
	static const struct part alternatives[] = {
		[EXCHANGE] = {12, BODY(0, 2, 9, 9, 0, 1, 2, 0, 1, 7, 4, 1, 0, 1, 9)}, /* DHE */
		[SECRET] = {16, BODY(0, 2, 9, 9)},               /* DHE or RSA */
		[REQUEST] = {13, BODY(1, 64, 0, 2, 4, 3, 0, 0)}, /* any authority */
	};
	struct transcript t = whole(false);

	(void)state;
	t.parts[EXCHANGE] = alternatives[EXCHANGE];
	assert_true(passes(&t));
	t.parts[SECRET] = alternatives[SECRET];
	assert_true(passes(&t));
	t.parts[REQUEST] = alternatives[REQUEST];
	assert_true(passes(&t));
	/* Hellos without extensions. */
	t.parts[HELLO].len -= 11;
	t.parts[REPLY].len -= 7;
	assert_true(passes(&t));
	/* No compression method, not even the one that does nothing. */
	t.parts[HELLO].len -= 2;
	append(&t.parts[HELLO], "\0", 1);
	assert_false(passes(&t));
	t.parts[HELLO].len--;
	append(&t.parts[HELLO], "\1\0", 2);
	assert_true(passes(&t));
	/* No cipher suite; no type of certificate. */
	memmove(t.parts[HELLO].body + 39, t.parts[HELLO].body + 43, 2);
	t.parts[HELLO].body[38] = 0;
	t.parts[HELLO].len -= 4;
	assert_false(passes(&t));
	t.parts[HELLO] = whole(false).parts[HELLO];
	assert_true(passes(&t));
	t.parts[REQUEST] = (struct part){13, BODY(0, 0, 2, 4, 3, 0, 0)};
	assert_false(passes(&t));
	t.parts[REQUEST] = alternatives[REQUEST];
	assert_true(passes(&t));
	/* A client that has no certificate signs nothing. */
	t.parts[OWN_CHAIN] = (struct part){11, BODY(0, 0, 0)};
	assert_false(passes(&t));
}

/* A transcript that an OpenPGP signature could end with. */
static void test_foreign_end(void **state)
{
	static const uint8_t tail[] = {4, 0, 27, 8, 0, 0, 4, 0xff, 0, 0, 0, 6};
	struct transcript t = whole(false);
	struct part *p = &t.parts[SECRET];

	(void)state;
	p->len = 0;
	append(p, "\x0d!", 2);
	append(p, tail, sizeof(tail));
	assert_int_equal(test_client_of(&t), KW_ERR_TLS_MESSAGE);
	p->body[2] = 5; /* the version, where the trailer says that the signature's head begins */
	assert_int_equal(test_client_of(&t), KW_ERR_OK);
}

/* In DTLS every header says that the message came in one piece. */
static void test_fragments(void **state)
{
	uint8_t m[4096];
	struct transcript t = whole(true);
	size_t n = encode(&t, m, sizeof(m));
	size_t at = 12 + t.parts[HELLO].len;

	(void)state;
	for (size_t i = 6; i < 12; i++) {
		m[at + i] ^= 1;
		assert_int_equal(test_client(m, n), KW_ERR_TLS_MESSAGE);
		m[at + i] ^= 1;
	}
	assert_int_equal(test_client(m, n), KW_ERR_OK);
}

/* A server that talks TLS 1.2 after a hello of the form of SSL 2: not worth supporting. */
static void test_other_framings(void **state)
{
	uint8_t m[4096];
	struct transcript t = whole(true);
	size_t n = encode(&t, m, sizeof(m));

	(void)state;
	for (size_t i = 0; i < 12; i++) {
		/* The sequence number may be anything small; the rest of the first header may not.
		 */
		bool free_byte = i == 5;

		m[i] ^= 0x40;
		assert_int_equal(test_client(m, n), free_byte ? KW_ERR_OK : KW_ERR_TLS_MESSAGE);
		m[i] ^= 0x40;
	}
	m[0] = 1;
	memcpy(m, "\x01\x03\x03\0\x09\0\0\0\x20", 9);
	assert_int_equal(test_client(m, n), KW_ERR_TLS_MESSAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_alternatives),
		cmocka_unit_test(test_foreign_end),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_other_framings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

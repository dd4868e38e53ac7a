/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages that have the form of a ServerKeyExchange's input and are something else as well. Each
 * one is refused, and passes once what makes it foreign is gone: so that is what it was refused
 * for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/x509.h>

#include "foreign_message.h"
#include "test_messages.h"
#include "wire/der.h"

#define P521 (&test_groups[2])
#define P521_SIZE 201 /* 64 + 4 + 133 */

static const uint8_t p521_params[] = {3, 0, 25, 133, 4};

static const struct head {
	uint8_t bytes[8];
	uint8_t len;
	uint8_t trailer; /* end-of-contents octets */
} heads[] = {
	{{0x30, 0x81, 198}, 3, 0},    /* DER */
	{{0x30, 0x82, 0, 197}, 4, 0}, /* a length longer than need be */
	{{0x30, 0x84, 0, 0, 0, 195}, 6, 0},
	{{0x30, 0x80}, 2, 2},            /* indefinite */
	{{0x3f, 0x10, 0x81, 197}, 4, 0}, /* a tag longer than need be */
	{{0x3f, 0x80, 0x10, 0x82, 0, 195}, 6, 0},
};

/* A TBSCertificate of 201 bytes, in whose issuer the bytes of ServerECDHParams stand where they
 * should. */
static void make_certificate(uint8_t m[P521_SIZE], const struct head *h)
{
	static const uint8_t serial_and_algorithm[] = {0x02, 0x01, 0x01, 0x30, 0x0a, 0x06, 0x08,
		0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
	static const uint8_t common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};
	static const uint8_t ed25519[] = {
		0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
	uint8_t text[P521_SIZE];
	struct writer w = writer_over(m, P521_SIZE);
	size_t n = P521_SIZE - 106 - ((size_t)h->len + h->trailer);
	size_t issuer, set, pair;

	memset(text, 'x', sizeof(text));
	put_bytes(&w, h->bytes, h->len);
	put_bytes(&w, serial_and_algorithm, sizeof(serial_and_algorithm));
	issuer = der_begin(&w, DER_SEQUENCE);
	set = der_begin(&w, DER_SET);
	pair = der_begin(&w, DER_SEQUENCE);
	put_bytes(&w, common_name, sizeof(common_name));
	memcpy(text + 64 - ((size_t)h->len + 28), p521_params, sizeof(p521_params));
	der_put(&w, 0x14, text, n); /* T61String */
	der_end(&w, pair);
	der_end(&w, set);
	der_end(&w, issuer);
	put_bytes(&w,
		"\x30\x1e\x17\x0d"
		"250101000000Z"
		"\x17\x0d"
		"350101000000Z",
		32);
	put_bytes(&w, "\x30\x00", 2);
	put_bytes(&w, ed25519, sizeof(ed25519));
	put_bytes(&w, text, 32);
	put_bytes(&w, "\0", h->trailer);
	if (h->trailer)
		m[P521_SIZE - 1] = 0;
	assert_false(w.failed);
	assert_int_equal(w.len, P521_SIZE);
	assert_memory_equal(m + 64, p521_params, sizeof(p521_params));
}

/* The control: libcrypto reads a certificate around these very bytes. */
static void assert_is_certificate(const uint8_t tbs[P521_SIZE])
{
	static const uint8_t algorithm[] = {
		0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
	uint8_t der[512];
	struct writer w = writer_over(der, sizeof(der));
	size_t mark = der_begin(&w, DER_SEQUENCE);
	const uint8_t *p = der;
	X509 *x;

	put_bytes(&w, tbs, P521_SIZE);
	put_bytes(&w, algorithm, sizeof(algorithm));
	der_put(&w, DER_BIT_STRING, "\0\0", 2);
	der_end(&w, mark);
	x = d2i_X509(NULL, &p, (long)w.len);
	assert_non_null(x);
	X509_free(x);
}

static void test_certificates(void **state)
{
	uint8_t m[P521_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		make_certificate(m, &heads[i]);
		assert_is_certificate(m);
		assert_int_equal(test_server(m, sizeof(m)), KW_ERR_TLS_MESSAGE);
		/* As a SET, of CMS attributes for example. */
		m[heads[i].bytes[0] == 0x3f ? heads[i].len - 2 - (heads[i].bytes[3] == 0x82) : 0] ^=
			1;
		if (heads[i].bytes[0] == 0x30)
			assert_int_equal(test_server(m, sizeof(m)), KW_ERR_TLS_MESSAGE);
		m[0] = 0x02;
		assert_int_equal(test_server(m, sizeof(m)), KW_ERR_OK);
	}
}

/* libcrypto does not look into an element of a type that it does not expect; nor may the check. */
static void test_opaque_parts(void **state)
{
	uint8_t m[P521_SIZE];

	(void)state;
	make_certificate(m, &heads[0]);
	m[29] = 0x30; /* the T61String becomes a SEQUENCE with "xxx…" in it */
	assert_is_certificate(m);
	assert_false(der_is_well_formed(m, sizeof(m)));
	assert_int_equal(test_server(m, sizeof(m)), KW_ERR_TLS_MESSAGE);
}

/* With a length of one byte the outer form alone is too common: the elements count as well. */
static void test_short_structures(void **state)
{
	uint8_t m[256];
	size_t n = test_ecdhe(m, &test_groups[6], 'y');

	(void)state;
	assert_int_equal(n, 100);
	m[0] = DER_SEQUENCE;
	m[1] = 98;
	m[2] = DER_OCTET_STRING;
	m[3] = 96;
	assert_int_equal(test_server(m, n), KW_ERR_TLS_MESSAGE);
	m[3] = 95; /* one byte left over */
	assert_int_equal(test_server(m, n), KW_ERR_OK);
	m[3] = 97; /* one too many */
	assert_int_equal(test_server(m, n), KW_ERR_OK);
	/* Two elements, the second of a type that is signed nowhere, and then of one that is. */
	m[3] = 10;
	m[14] = 0x42;
	m[15] = 84;
	assert_int_equal(test_server(m, n), KW_ERR_OK);
	m[14] = DER_CONTEXT(2);
	assert_int_equal(test_server(m, n), KW_ERR_TLS_MESSAGE);
	m[1] = 97;
	assert_int_equal(test_server(m, n), KW_ERR_OK);
}

static void test_client_hellos(void **state)
{
	static const struct {
		uint8_t bytes[14];
		uint8_t spoiler; /* without this byte it is nothing */
	} hellos[] = {
		{{1, 0, 7, 200, 3, 3}, 0},
		{{1, 0, 7, 200, 3, 1}, 1},
		{{1, 0, 0, 100, 3, 4}, 4},
		{{1, 0, 1, 2, 0, 1, 0, 0, 0, 0, 1, 2, 0xfe, 0xfd}, 12},
		{{1, 0, 1, 2, 0, 0, 0, 0, 0, 0, 1, 2, 0xfe, 0xff}, 8},
		{{1, 3, 3, 0, 9, 0, 0, 0, 32}, 8},
		{{1, 3, 1, 0, 9, 0, 32, 0, 16}, 7},
	};
	uint8_t m[256];

	(void)state;
	for (size_t i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++) {
		size_t n = test_ecdhe(m, P521, 'z');

		memcpy(m, hellos[i].bytes, sizeof(hellos[i].bytes));
		assert_int_equal(test_server(m, n), KW_ERR_TLS_MESSAGE);
		m[hellos[i].spoiler] = 0xee;
		assert_int_equal(test_server(m, n), KW_ERR_OK);
	}
}

/* RFC 4252 7 with a user name that covers the parameters. */
static size_t make_login(uint8_t *m)
{
	size_t n = test_ecdhe(m, P521, 'u');
	struct writer w = writer_over(m, n);

	put_u32(&w, 32);
	w.len += 32;
	put_u8(&w, 50);
	put_u32(&w, 40);
	w.len += 40;
	put_field32(&w, "ssh-connection", 14);
	put_field32(&w, "publickey", 9);
	assert_false(w.failed);
	return n;
}

static void test_ssh_login(void **state)
{
	uint8_t m[256];
	size_t n = make_login(m);

	(void)state;
	assert_memory_equal(m + 64, p521_params, sizeof(p521_params));
	assert_int_equal(test_server(m, n), KW_ERR_TLS_MESSAGE);
	m[36] = 51;
	assert_int_equal(test_server(m, n), KW_ERR_OK);
	n = make_login(m);
	n = make_login(m);
	m[3] = 15; /* a session identifier that is shorter than any, and a longer name */
	memcpy(m + 19, "\x32\0\0\0\x39", 5);
	assert_int_equal(test_server(m, n), KW_ERR_OK);
	m[3] = 16;
	memcpy(m + 20, "\x32\0\0\0\x38", 5);
	assert_int_equal(test_server(m, n), KW_ERR_TLS_MESSAGE);
	n = make_login(m);
	m[40] = 255; /* a name that is longer than the message */
	assert_int_equal(test_server(m, n), KW_ERR_OK);
}

static void test_prefixes(void **state)
{
	static const char *const prefixes[] = {
		"SSHSIG", "DSSEv1 28 ", "\x84\x6aSignature1", "\x85\x69Signature"};
	static const char *const certificates[] = {"ssh-ed25519-cert-v01@openssh.com",
		"ecdsa-sha2-nistp256-cert-v01@openssh.com", "rsa-sha2-256-cert-v01@openssh.com",
		"sk-ssh-ed25519-cert-v01@openssh.com"};
	uint8_t m[256];
	size_t n;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		n = test_ecdhe(m, P521, 'p');
		memcpy(m, prefixes[i], strlen(prefixes[i]));
		assert_int_equal(test_server(m, n), KW_ERR_TLS_MESSAGE);
		m[5]++;
		assert_int_equal(test_server(m, n), KW_ERR_OK);
		n = test_ecdhe(m, P521, 'p');
		memcpy(m, "\0\0\0", 3);
		m[3] = (uint8_t)strlen(certificates[i]);
		memcpy(m + 4, certificates[i], strlen(certificates[i]));
		assert_int_equal(test_server(m, n), KW_ERR_TLS_MESSAGE);
		m[0] = 1; /* no length of a name */
		assert_int_equal(test_server(m, n), KW_ERR_OK);
		m[0] = 0;
		m[5]++;
		assert_int_equal(test_server(m, n), KW_ERR_OK);
	}
}

static void test_openpgp(void **state)
{
	static const struct {
		uint8_t tail[10];
		uint8_t len;
		uint8_t version;
	} tails[] = {
		{{4, 0xff, 0, 0, 0, 20}, 6, 4},
		{{6, 0xff, 0, 0, 0, 20}, 6, 6},
		{{5, 0xff, 0, 0, 0, 0, 0, 0, 0, 20}, 10, 5},
	};
	uint8_t m[256];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		size_t n = test_ecdhe(m, P521, 'g');

		memcpy(m + n - tails[i].len, tails[i].tail, tails[i].len);
		assert_int_equal(test_server(m, n), KW_ERR_OK);
		m[n - tails[i].len - 20] = tails[i].version;
		assert_int_equal(test_server(m, n), KW_ERR_TLS_MESSAGE);
		m[n - 1] = 250; /* longer than the message */
		assert_int_equal(test_server(m, n), KW_ERR_OK);
	}
}

/* The same numbers at every run (splitmix64): an assertion that does not depend on luck. */
static uint64_t next_random(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static size_t random_message(uint8_t *m, const struct test_group *g, uint64_t *seed)
{
	size_t n = 68u + g->point;

	for (size_t i = 0; i < n; i += 8) {
		uint64_t v = next_random(seed);

		memcpy(m + i, &v, 8);
	}
	m[64] = 3;
	m[65] = 0;
	m[66] = (uint8_t)g->number;
	m[67] = g->point;
	if (g->first)
		m[68] = g->first;
	return n;
}

static void test_honest_messages_pass(void **state)
{
	uint8_t m[256];
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < TEST_GROUPS; i++) {
		for (unsigned j = 0; j < 1u << 16; j++) {
			size_t n = random_message(m, &test_groups[i], &seed);

			assert_int_equal(test_server(m, n), KW_ERR_OK);
		}
	}
}

/*
 * docs/PURPOSES.md: an honest message is refused less than once in 2^20. For the two groups whose
 * messages have a length of one byte the first two bytes look like SEQUENCE or SET with the right
 * length once in 2^15, so what follows may fit once in 32 at most.
 */
static void test_honest_refusals_are_rare(void **state)
{
	uint8_t m[256];
	uint64_t seed = 2;

	(void)state;
	for (size_t i = 6; i < 8; i++) {
		unsigned refused = 0;

		for (unsigned j = 0; j < 1u << 18; j++) {
			size_t n = random_message(m, &test_groups[i], &seed);

			m[0] = DER_SEQUENCE;
			m[1] = (uint8_t)(n - 2);
			refused += test_server(m, n) != KW_ERR_OK;
		}
		print_message("group %u: %u of 2^18 refused\n", test_groups[i].number, refused);
		assert_in_range(refused, 1, (1u << 18) / 32);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_opaque_parts),
		cmocka_unit_test(test_short_structures),
		cmocka_unit_test(test_client_hellos),
		cmocka_unit_test(test_ssh_login),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_openpgp),
		cmocka_unit_test(test_honest_messages_pass),
		cmocka_unit_test(test_honest_refusals_are_rare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

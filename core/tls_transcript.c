/* SPDX-License-Identifier: BSD-2-Clause */
#include "tls_transcript.h"

#include "foreign_message.h"
#include "wire/codec.h"

#define VERSION_TLS12 0x0303
#define VERSION_DTLS12 0xfefd

/* RFC 5246 7.4, RFC 6066 8. */
enum handshake_type {
	CLIENT_HELLO = 1,
	SERVER_HELLO = 2,
	CERTIFICATE = 11,
	SERVER_KEY_EXCHANGE = 12,
	CERTIFICATE_REQUEST = 13,
	SERVER_HELLO_DONE = 14,
	CLIENT_KEY_EXCHANGE = 16,
	CERTIFICATE_STATUS = 22,
};

static uint32_t get_u24(struct reader *r)
{
	uint32_t high = get_u8(r);

	return high << 16 | get_u16(r);
}

static struct reader get_vector24(struct reader *r)
{
	size_t n = get_u24(r);
	const uint8_t *p = get_bytes(r, n);

	return reader_over(p, p ? n : 0);
}

/* RFC 5246 7.4.1.4: none at all, or a list that ends with the message. */
static bool extensions_fit(struct reader *r)
{
	struct reader list;
	const uint8_t *p;
	size_t n;

	if (reader_done(r))
		return true;
	p = get_field16(r, UINT16_MAX, &n);
	list = reader_over(p, n);
	while (reader_left(&list)) {
		get_u16(&list);
		get_field16(&list, UINT16_MAX, &n);
	}
	return reader_done(r) && reader_done(&list);
}

static bool client_hello(struct reader *r, uint16_t version)
{
	size_t ciphers, methods, n;

	if (get_u16(r) != version)
		return false;
	get_bytes(r, 32);
	get_field8(r, 32, &n);
	if (version == VERSION_DTLS12)
		get_field8(r, UINT8_MAX, &n); /* the cookie, RFC 6347 4.2.1 */
	get_field16(r, UINT16_MAX - 1, &ciphers);
	get_field8(r, UINT8_MAX, &methods);
	return !r->failed && ciphers >= 2 && ciphers % 2 == 0 && methods >= 1 && extensions_fit(r);
}

static bool server_hello(struct reader *r, uint16_t version)
{
	size_t n;

	if (get_u16(r) != version)
		return false;
	get_bytes(r, 32);
	get_field8(r, 32, &n);
	get_u16(r); /* cipher suite */
	get_u8(r);  /* compression method */
	return !r->failed && extensions_fit(r);
}

static bool certificate(struct reader *r, uint16_t version)
{
	struct reader list = get_vector24(r);

	(void)version;
	if (!reader_done(r) || !reader_left(&list))
		return false;
	while (reader_left(&list)) {
		struct reader one = get_vector24(&list);

		if (!reader_left(&one))
			return false;
	}
	return reader_done(&list);
}

static bool certificate_status(struct reader *r, uint16_t version)
{
	uint8_t type = get_u8(r); /* 1 ocsp, 2 ocsp_multi (RFC 6961) */
	struct reader response = get_vector24(r);

	(void)version;
	return (type == 1 || type == 2) && reader_left(&response) && reader_done(r);
}

static bool server_key_exchange(struct reader *r, uint16_t version)
{
	struct reader ecdhe = *r;
	size_t n, sig;

	(void)version;
	/* RFC 8422 5.4: named_curve, curve, point. Else RFC 5246 7.4.3: p, g, Ys, whose first byte
	 * is a length's high one; p of 768 bytes begins as a named_curve does, but then not with a
	 * curve. */
	if (get_u8(&ecdhe) == 3 && get_u8(&ecdhe) == 0 && get_u8(&ecdhe) != 0 &&
		get_field8(&ecdhe, UINT8_MAX, &n)) {
		get_u16(&ecdhe); /* algorithm */
		get_field16(&ecdhe, UINT16_MAX, &sig);
		if (reader_done(&ecdhe) && sig)
			return true;
	}
	for (int i = 0; i < 3; i++) {
		get_field16(r, UINT16_MAX, &n);
		if (!n)
			return false;
	}
	get_u16(r);
	get_field16(r, UINT16_MAX, &sig);
	return reader_done(r) && sig;
}

static bool certificate_request(struct reader *r, uint16_t version)
{
	struct reader names;
	const uint8_t *p;
	size_t types, algorithms, n;

	(void)version;
	get_field8(r, UINT8_MAX, &types);
	get_field16(r, UINT16_MAX - 1, &algorithms);
	p = get_field16(r, UINT16_MAX, &n);
	names = reader_over(p, n);
	while (reader_left(&names))
		get_field16(&names, UINT16_MAX, &n);
	return reader_done(r) && reader_done(&names) && types >= 1 && algorithms >= 2 &&
	       algorithms % 2 == 0;
}

static bool server_hello_done(struct reader *r, uint16_t version)
{
	(void)version;
	return reader_done(r);
}

/* A point with one byte of length (RFC 8422 5.7), or DHE value or encrypted secret with two. */
static bool client_key_exchange(struct reader *r, uint16_t version)
{
	struct reader point = *r;
	size_t n;

	(void)version;
	get_field8(&point, UINT8_MAX, &n);
	if (reader_done(&point) && n)
		return true;
	get_field16(r, UINT16_MAX, &n);
	return reader_done(r) && n;
}

/* RFC 5246 7.3, figure 1: the messages in their one order. */
static const struct {
	bool (*fits)(struct reader *body, uint16_t version);
	uint8_t type;
	bool optional;
} order[] = {
	{client_hello, CLIENT_HELLO, false},
	{server_hello, SERVER_HELLO, false},
	{certificate, CERTIFICATE, false},
	{certificate_status, CERTIFICATE_STATUS, true},
	{server_key_exchange, SERVER_KEY_EXCHANGE, true},
	{certificate_request, CERTIFICATE_REQUEST, false},
	{server_hello_done, SERVER_HELLO_DONE, false},
	{certificate, CERTIFICATE, false},
	{client_key_exchange, CLIENT_KEY_EXCHANGE, false},
};

static bool get_message(struct reader *r, uint16_t version, uint8_t *type, struct reader *body)
{
	size_t n;
	const uint8_t *p;

	*type = get_u8(r);
	n = get_u24(r);
	if (version == VERSION_DTLS12) {
		/* Hashed as if each message had come in one fragment. */
		get_u16(r);
		if (get_u24(r) != 0 || get_u24(r) != n)
			return false;
	}
	p = get_bytes(r, n);
	*body = reader_over(p, p ? n : 0);
	return p;
}

bool tls_transcript_is_client(const uint8_t *m, size_t n)
{
	struct reader r = reader_over(m, n);
	uint16_t version;
	uint8_t type;
	size_t i = 0;

	switch (foreign_hello_form(m, n)) {
	case HELLO_TLS:
		version = VERSION_TLS12;
		break;
	case HELLO_DTLS:
		version = VERSION_DTLS12;
		break;
	default:
		return false;
	}
	while (reader_left(&r)) {
		struct reader body;

		if (!get_message(&r, version, &type, &body))
			return false;
		while (i < sizeof(order) / sizeof(order[0]) && order[i].optional &&
			order[i].type != type)
			i++;
		if (i == sizeof(order) / sizeof(order[0]) || order[i].type != type ||
			!order[i].fits(&body, version))
			return false;
		i++;
	}
	return reader_done(&r) && i == sizeof(order) / sizeof(order[0]);
}

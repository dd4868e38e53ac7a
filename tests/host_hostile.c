/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests and connections that no client of ours makes. host_hostile SOCKET PART [ID]: the part to
 * run, and the id of a key in hex.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host_raw.h"
#include "wire/algorithms.h"
#include "wire/codec.h"
#include "wire/errors.h"
#include "wire/wire.h"

static uint8_t key_id[WIRE_ID_SIZE];

/* --- Frames --- */

static int after(const void *message, size_t n, bool hello, bool *closed)
{
	int fd = hello ? raw_open(0) : raw_connect();
	int err;

	*closed = false;
	if (fd < 0 || !raw_send(fd, message, n))
		return RAW_CLOSED;
	err = raw_reply(fd, NULL, NULL);
	*closed = err == RAW_CLOSED || raw_reply(fd, NULL, NULL) == RAW_CLOSED;
	close(fd);
	return err;
}

static void bad_frames(void)
{
	static uint8_t big[200000];
	static const size_t sizes[] = {
		WIRE_MAX_FRAME + 1, WIRE_MAX_FRAME + 2, 65536, 100000, 200000};
	static const uint8_t versions[] = {0, CMD_HELLO, 0, 0, 0, 2, 0, 3, 0, 0};
	bool closed;
	int fd;

	for (int hello = 0; hello < 2; hello++) {
		const char *when = hello ? "after" : "before";

		for (size_t n = 1; n < WIRE_HEADER; n++)
			raw_check(after(big, n, hello, &closed) == KW_ERR_BAD_REQUEST && closed,
				"%zu bytes %s HELLO: an error, and the end", n, when);
		raw_check(after(big, 0, hello, &closed) == RAW_CLOSED,
			"an empty message %s HELLO: the end", when);
		raw_check(after("\0\2\0\1", 4, hello, &closed) == KW_ERR_BAD_REQUEST && closed,
			"a reserved field that is not zero %s HELLO: an error, and the end", when);
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			raw_check(
				after(big, sizes[i], hello, &closed) == KW_ERR_TOO_LARGE && closed,
				"%zu bytes %s HELLO: an error, and the end", sizes[i], when);
	}
	raw_check(after("\0\2\0\0", 4, false, &closed) == KW_ERR_BAD_REQUEST && closed,
		"STATUS before HELLO: an error, and the end");
	raw_check(after(versions, sizeof(versions), false, &closed) == KW_ERR_BAD_VERSION && closed,
		"a HELLO of another version: an error, and the end");
	fd = raw_open(0);
	raw_check(!raw_call(fd, CMD_STATUS, NULL, 0) && !raw_call(fd, CMD_STATUS, NULL, 0),
		"STATUS after HELLO, twice");
	close(fd);
}

/* --- Commands --- */

static void put_new_key(struct writer *w)
{
	put_u8(w, KEY_TYPE_AES_128);
	put_u8(w, PLACE_SEALED);
	put_u32(w, PURPOSE_ENCRYPT);
	put_field8(w, "x", 1);
	put_u8(w, 0);
	put_field16(w, "attributes", 10);
}

static void put_secret_command(struct writer *w, uint16_t command)
{
	put_bytes(w, key_id, sizeof(key_id));
	switch (command) {
	case CMD_CIPHER:
		put_u8(w, CIPHER_AES_GCM);
		put_u8(w, DIRECTION_DECRYPT);
		put_field8(w, "twelve bytes", 12);
		put_u8(w, 16);
		put_field16(w, "associated", 10);
		put_field32(w, key_id, 32);
		break;
	case CMD_MAC:
		put_u8(w, MAC_HMAC);
		put_u8(w, HASH_SHA256);
		put_u8(w, MAC_VERIFY);
		put_field8(w, key_id, 32);
		put_field32(w, "message", 7);
		break;
	case CMD_DERIVE:
		put_u8(w, DERIVATION_AGREEMENT);
		put_u8(w, HASH_SHA256);
		put_u8(w, KDF_X963);
		put_field16(w, key_id, 32);
		put_field16(w, "info", 4);
		put_u8(w, DERIVED_KEY);
		put_u16(w, 16);
		put_new_key(w);
		break;
	default: /* WRAP and UNWRAP */
		put_u8(w, WRAPPING_RSA_OAEP);
		put_u8(w, HASH_SHA256);
		put_u8(w, HASH_SHA256);
		put_field16(w, "label", 5);
		if (command == CMD_WRAP)
			put_bytes(w, "another key, which is not there.", 32);
		else
			put_field16(w, key_id, 32);
		if (command == CMD_UNWRAP)
			put_new_key(w);
	}
}

static size_t template_of(uint16_t command, uint8_t *buf, size_t cap)
{
	struct writer w = writer_over(buf, cap);

	switch (command) {
	case CMD_HELLO:
		put_u16(&w, 1);
		put_u16(&w, 1);
		put_u16(&w, 0);
		break;
	case CMD_KEY_GENERATE:
	case CMD_KEY_IMPORT:
		put_u8(&w, KEY_TYPE_EC_P256);
		put_u8(&w, PLACE_SEALED);
		put_u32(&w, PURPOSE_SIGN);
		put_field8(&w, "x", 1);
		put_u8(&w, 1);
		put_u8(&w, IDENTITY_USER);
		put_u32(&w, 12345);
		put_field16(&w, "attributes", 10);
		if (command == CMD_KEY_IMPORT)
			put_field16(&w, key_id, 32);
		break;
	case CMD_KEY_LIST:
	case CMD_OBJECT_LIST:
		put_u32(&w, 0);
		break;
	case CMD_KEY_INFO:
	case CMD_KEY_CSR:
		put_u8(&w, TARGET_ID);
		put_bytes(&w, key_id, sizeof(key_id));
		if (command == CMD_KEY_INFO)
			break;
		put_u8(&w, 1);
		put_field8(&w, "CN", 2);
		put_field8(&w, "a", 1);
		put_u8(&w, 1);
		put_u8(&w, SAN_DNS);
		put_field8(&w, "a.example", 9);
		break;
	/* Of a key that is not there, so that the sweep cannot succeed in deleting the one that is.
	 */
	case CMD_KEY_RENAME:
	case CMD_KEY_DELETE:
	case CMD_KEY_ACCESS:
	case CMD_KEY_ATTRIBUTES:
		put_u8(&w, TARGET_NAME);
		put_field8(&w, "nobody", 6);
		if (command == CMD_KEY_RENAME) {
			put_field8(&w, "other", 5);
			put_u8(&w, 0);
		} else if (command == CMD_KEY_ACCESS) {
			put_u8(&w, ACCESS_ALLOW);
			put_u8(&w, IDENTITY_USER);
			put_u32(&w, 1);
		} else if (command == CMD_KEY_ATTRIBUTES) {
			put_field16(&w, "attributes", 10);
		}
		break;
	/* Of an object that is not there, as a new one would stay. */
	case CMD_OBJECT_PUT:
	case CMD_OBJECT_GET:
	case CMD_OBJECT_DELETE:
		if (command == CMD_OBJECT_PUT)
			put_u8(&w, OBJECT_REPLACE);
		put_bytes(&w, key_id, sizeof(key_id));
		if (command != CMD_OBJECT_PUT)
			break;
		put_u8(&w, OBJECT_DATA);
		put_u8(&w, 1);
		put_u8(&w, 0);
		put_field16(&w, "attributes", 10);
		put_field16(&w, "value", 5);
		break;
	case CMD_KEY_ATTEST:
		put_u8(&w, TARGET_ID);
		put_bytes(&w, key_id, sizeof(key_id));
		put_field8(&w, "challenge", 9);
		break;
	case CMD_KEY_LOAD:
		put_field16(&w, key_id, 32);
		break;
	case CMD_SIGN:
		put_bytes(&w, key_id, sizeof(key_id));
		put_u8(&w, SCHEME_ECDSA);
		put_u8(&w, HASH_SHA256);
		put_u8(&w, INPUT_MESSAGE);
		put_u16(&w, 0);
		put_field32(&w, "message", 7);
		break;
	case CMD_RSA_DECRYPT:
		put_bytes(&w, key_id, sizeof(key_id));
		put_u8(&w, PADDING_OAEP);
		put_u8(&w, HASH_SHA256);
		put_u8(&w, HASH_SHA256);
		put_field16(&w, "", 0);
		put_field16(&w, key_id, 32);
		break;
	case CMD_RANDOM:
		put_u16(&w, 32);
		break;
	case CMD_CIPHER:
	case CMD_MAC:
	case CMD_DERIVE:
	case CMD_WRAP:
	case CMD_UNWRAP:
		put_secret_command(&w, command);
		break;
	default:
		break;
	}
	return w.len;
}

/* Each well-formed frame gets an answer that travels, whatever is in it. */
static bool answered(int fd, uint16_t command, const uint8_t *p, size_t n)
{
	int err = raw_call(fd, command, p, n);

	if (err >= 0 && err < 64)
		return true;
	printf("# command %u with %zu bytes: %s\n", command, n,
		err == RAW_CLOSED ? "closed" : "no answer");
	return false;
}

static bool sweep_templates(int fd, uint16_t command)
{
	uint8_t buf[512], changed[512];
	size_t n = template_of(command, buf, sizeof(buf));
	bool good = true;

	for (size_t len = 0; len <= n; len++)
		good = answered(fd, command, buf, len) && good;
	for (size_t at = 0; at < n; at++) {
		static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

		for (size_t v = 0; v < sizeof(values); v++) {
			memcpy(changed, buf, n);
			/* Not the type: RSA-4096 takes seconds, and this is about what is read. */
			changed[at] = command == CMD_KEY_GENERATE && !at ? 0xee : values[v];
			good = answered(fd, command, changed, n) && good;
		}
	}
	memcpy(changed, buf, n);
	memset(changed + n, 0, 8);
	for (size_t more = 1; more <= 8; more++)
		good = answered(fd, command, changed, n + more) && good;
	return good;
}

static bool sweep_lengths(int fd, uint16_t command)
{
	static uint8_t big[WIRE_MAX_PAYLOAD];
	static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 33, 64, 100, 255, 256,
		257, 511, 512, 513, 2048, 2049, 4096, 4097, 8192, 8193, 16384, 16385, 32768, 64999,
		65000};
	static const uint8_t fill[] = {0x00, 0xff, 0x01};
	bool good = true;

	for (size_t f = 0; f < sizeof(fill); f++) {
		memset(big, fill[f], sizeof(big));
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			good = answered(fd, command, big, sizes[i]) && good;
	}
	return good;
}

static bool sweep_random(int fd, uint16_t command, unsigned rounds)
{
	uint8_t buf[600];
	bool good = true;

	for (unsigned i = 0; i < rounds; i++) {
		size_t n = raw_random() % sizeof(buf);

		for (size_t k = 0; k < n; k++)
			buf[k] = (uint8_t)(raw_random() >> 8);
		/* Often a plausible beginning: a known way to name a key. */
		if (n && i % 2)
			buf[0] &= 3;
		if (command == CMD_KEY_GENERATE && n)
			buf[0] |= 0x80;
		good = answered(fd, command, buf, n) && good;
	}
	return good;
}

static void commands(unsigned rounds)
{
	int fd = raw_open(WIRE_CPU_ANY);
	bool good;

	for (uint16_t command = 0; command <= 64; command++) {
		good = sweep_templates(fd, command);
		good = sweep_lengths(fd, command) && good;
		good = sweep_random(fd, command, rounds) && good;
		raw_check(good,
			"command %u: every truncation, changed and random bytes, all lengths are "
			"answered",
			command);
	}
	raw_check(!raw_call(fd, CMD_STATUS, NULL, 0), "the connection still works");
	close(fd);
}

/* --- Connections --- */

static void pipelining(void)
{
	static const uint8_t status[] = {0, CMD_STATUS, 0, 0};
	int fd = raw_open(0), other;
	unsigned sent = 0;

	for (unsigned i = 0; i < 5; i++)
		raw_send(fd, status, sizeof(status));
	raw_check(raw_reply(fd, NULL, NULL) == KW_ERR_OK,
		"five requests at once: the first is answered");
	close(fd);
	/* Never reads: the replies fill the socket, and then it ends. */
	fd = raw_open(0);
	while (sent < 100000 && raw_send(fd, status, sizeof(status)))
		sent++;
	raw_check(sent < 100000,
		"a client that never reads loses its connection, after %u requests", sent);
	close(fd);
	other = raw_open(0);
	raw_check(!raw_call(other, CMD_STATUS, NULL, 0), "another client is served");
	close(other);
}

static void descriptors(void)
{
	char control[CMSG_SPACE(4 * sizeof(int))] = {0};
	uint8_t hello[] = {0, CMD_HELLO, 0, 0, 0, 1, 0, 1, 0, 0};
	struct iovec io = {hello, sizeof(hello)};
	struct msghdr m = {.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int passed[4] = {0, 1, 2, 0};
	unsigned refused = 0;
	int fd;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(passed));
	memcpy(CMSG_DATA(c), passed, sizeof(passed));
	/* The kernel refuses them, or the TEE does: nobody is to wait for their closing. */
	for (unsigned i = 0; i < 50; i++) {
		fd = raw_connect();
		if (fd < 0)
			break;
		if (sendmsg(fd, &m, MSG_NOSIGNAL) < 0 ? errno == EPERM
						      : raw_reply(fd, NULL, NULL) == RAW_CLOSED)
			refused++;
		close(fd);
	}
	raw_check(refused == 50, "%u of 50 clients that pass descriptors are refused", refused);
}

/* Connections that end at each stage. The caller looks whether anything is left of them. */
static void churn(unsigned rounds)
{
	static const uint8_t status[] = {0, CMD_STATUS, 0, 0};
	unsigned done = 0;

	for (unsigned i = 0; i < rounds; i++) {
		int fd = raw_connect();

		if (fd < 0)
			break;
		if (i % 4 && raw_hello(fd, (uint16_t)(i % 3)))
			break;
		if (i % 4 > 1)
			raw_send(fd, status, sizeof(status));
		if (i % 4 > 2 && raw_reply(fd, NULL, NULL))
			break;
		close(fd);
		done++;
	}
	raw_check(done == rounds, "%u of %u connections that come and go", done, rounds);
}

static void silence(void)
{
	int fd = raw_connect();

	/* The first is the answer that it took too long. */
	raw_check(fd >= 0 && raw_reply(fd, NULL, NULL) == KW_ERR_BAD_REQUEST &&
			  raw_reply(fd, NULL, NULL) == RAW_CLOSED,
		"who says no HELLO loses its connection");
	close(fd);
}

static void refused(unsigned rounds)
{
	uint8_t buf[512];
	size_t n = template_of(CMD_SIGN, buf, sizeof(buf));
	int fd = raw_open(WIRE_CPU_ANY);
	unsigned denied = 0;

	for (unsigned i = 0; i < rounds; i++)
		denied += raw_call(fd, CMD_SIGN, buf, n) == KW_ERR_ACCESS;
	raw_check(denied == rounds, "%u of %u uses of somebody else's key are refused", denied,
		rounds);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *part = argc > 2 ? argv[2] : "";
	unsigned number = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;

	raw_path = argc > 1 ? argv[1] : "";
	for (size_t i = 0;
		argc > 4 && i < WIRE_ID_SIZE && sscanf(argv[4] + 2 * i, "%2hhx", &key_id[i]) == 1;
		i++)
		;
	if (!strcmp(part, "frames"))
		bad_frames();
	else if (!strcmp(part, "commands"))
		commands(number);
	else if (!strcmp(part, "pipelining"))
		pipelining();
	else if (!strcmp(part, "descriptors"))
		descriptors();
	else if (!strcmp(part, "churn"))
		churn(number);
	else if (!strcmp(part, "silence"))
		silence();
	else if (!strcmp(part, "refused"))
		refused(number);
	else
		raw_check(false, "there is no part '%s'", part);
	return raw_finish();
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_fake_tee.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "wire/cose.h"
#include "wire/der.h"

const uint8_t fake_id[KW_ID_SIZE] = {0xab, 0xcd, 0xef, 1, 2, 3, 4, 5, [31] = 0x99};

static void fatal(const char *what)
{
	perror(what);
	abort();
}

void fake_hello(struct fake_request *rq)
{
	put_u16(&rq->reply, WIRE_VERSION);
	put_u8(&rq->reply, TEE_KIND_HOST);
	put_u32(&rq->reply, CAPABILITY_SEALED);
	put_u16(&rq->reply, 0);
	put_field8(&rq->reply, "0.1", 3);
}

/* DER that is well-formed: an OCTET STRING of the length. */
static void put_spki(struct writer *w, size_t len)
{
	uint8_t der[WIRE_SPKI_MAX] = {0x04, 0x82};

	if (len == 0) {
		put_u16(w, 0);
		return;
	}
	assert(len >= 200 && len <= sizeof(der));
	if (len - 3 < 256) {
		der[1] = 0x81;
		der[2] = (uint8_t)(len - 3);
	} else {
		der[2] = (uint8_t)((len - 4) >> 8);
		der[3] = (uint8_t)(len - 4);
	}
	put_field16(w, der, len);
}

void fake_description(struct writer *w, const char *name, uint8_t place, size_t spki_len)
{
	put_bytes(w, fake_id, sizeof(fake_id));
	put_u8(w, KW_KEY_TYPE_EC_P256);
	put_u8(w, ORIGIN_IMPORTED);
	put_u8(w, place);
	put_u32(w, KW_PURPOSE_TLS_SERVER | KW_PURPOSE_CSR);
	put_u64(w, 1700000000);
	put_u8(w, IDENTITY_USER);
	put_u32(w, 1000);
	put_field8(w, name, strlen(name));
	put_u8(w, 2);
	put_u8(w, IDENTITY_USER);
	put_u32(w, 33);
	put_u8(w, IDENTITY_GROUP);
	put_u32(w, 115);
	put_u8(w, RIGHT_USE);
	put_u64(w, 7);
	put_u64(w, 1700000001);
	put_u64(w, UINT64_MAX);
	put_spki(w, spki_len);
	put_field16(w, "attributes", 10);
}

void fake_object(struct writer *w)
{
	put_bytes(w, fake_id, sizeof(fake_id));
	put_u8(w, OBJECT_DATA);
	put_u8(w, 1);
	put_u64(w, 1700000000);
	put_u8(w, IDENTITY_USER);
	put_u32(w, 1000);
	put_u8(w, 1);
	put_u8(w, IDENTITY_GROUP);
	put_u32(w, 115);
	put_u8(w, RIGHT_USE);
	put_field16(w, "attributes", 10);
	put_u16(w, 5);
}

struct connection {
	struct fake_tee *f;
	int fd;
	unsigned number;
	unsigned place; /* in f->fds */
};

/* Answers one request. False: the connection ends. */
static bool serve_one(struct connection *c, uint8_t *in, uint8_t *out)
{
	ssize_t n = recv(c->fd, in, WIRE_MAX_FRAME + 1, 0);
	struct fake_request rq = {.connection = c->number};
	struct writer head = writer_over(out, WIRE_HEADER);

	if (n <= 0)
		return false;
	rq.payload = reader_over(in, (size_t)n);
	rq.command = get_u16(&rq.payload);
	if (get_u16(&rq.payload) != 0 || rq.payload.failed || rq.command >= FAKE_COMMANDS)
		abort();
	rq.count = atomic_fetch_add(&c->f->counts[rq.command], 1) + 1;
	rq.reply = writer_over(out + WIRE_HEADER, WIRE_MAX_PAYLOAD + 100);
	if (rq.command == CMD_HELLO) {
		const uint8_t *p = rq.payload.at;

		atomic_store(&c->f->hello_cpu, (unsigned)(p[4] << 8 | p[5]));
	}
	if (rq.command == CMD_HELLO && !c->f->own_hello)
		fake_hello(&rq);
	else
		c->f->handler(c->f, &rq);
	assert(!rq.reply.failed);
	if (rq.action == FAKE_SILENT)
		return true;
	if (rq.action == FAKE_CLOSE)
		return false;
	if (rq.action == FAKE_RAW)
		return send(c->fd, rq.reply.buf, rq.reply.len, MSG_NOSIGNAL) >= 0;
	put_u16(&head, rq.err);
	put_u16(&head, 0);
	return send(c->fd, out, WIRE_HEADER + rq.reply.len, MSG_NOSIGNAL) >= 0;
}

static void *serve(void *arg)
{
	struct connection *c = arg;
	struct fake_tee *f = c->f;
	uint8_t *in = malloc(WIRE_MAX_FRAME + 1);
	uint8_t *out = malloc(WIRE_MAX_FRAME + 200);

	assert(in && out);
	while (serve_one(c, in, out))
		;
	free(in);
	free(out);
	pthread_mutex_lock(&f->mutex);
	close(c->fd);
	f->fds[c->place] = -1;
	free(c);
	pthread_mutex_unlock(&f->mutex);
	/* The last touch: fake_stop waits for it. */
	atomic_fetch_sub(&f->open, 1);
	return NULL;
}

static void serve_connection(struct fake_tee *f, int fd)
{
	struct connection *c = calloc(1, sizeof(*c));
	pthread_t thread;
	unsigned place = 0;

	assert(c);
	pthread_mutex_lock(&f->mutex);
	while (place < FAKE_CONNECTIONS && f->fds[place] >= 0)
		place++;
	assert(place < FAKE_CONNECTIONS);
	f->fds[place] = fd;
	pthread_mutex_unlock(&f->mutex);
	*c = (struct connection){
		.f = f, .fd = fd, .place = place, .number = atomic_load(&f->connections)};
	atomic_fetch_add(&f->open, 1);
	if (pthread_create(&thread, NULL, serve, c) || pthread_detach(thread))
		fatal("pthread_create");
}

/* Accepts until the listener is shut down; then ends the connections. */
static void *accept_all(void *arg)
{
	struct fake_tee *f = arg;
	const uint8_t refusal[] = {0, f->refusal, 0, 0};
	int fd;

	/* A test may take all descriptors away for a moment. */
	while ((fd = accept(f->listener, NULL, NULL)) >= 0 || errno == EMFILE) {
		if (fd < 0)
			continue;
		atomic_fetch_add(&f->connections, 1);
		if (f->refuse) {
			/* Without reading the greeting. */
			if (f->refusal && send(fd, refusal, sizeof(refusal), MSG_NOSIGNAL) < 0)
				fatal("send");
			close(fd);
		} else {
			serve_connection(f, fd);
		}
	}
	pthread_mutex_lock(&f->mutex);
	for (unsigned i = 0; i < FAKE_CONNECTIONS; i++)
		if (f->fds[i] >= 0)
			shutdown(f->fds[i], SHUT_RDWR);
	pthread_mutex_unlock(&f->mutex);
	return NULL;
}

void fake_init(struct fake_tee *f)
{
	memset(f, 0, sizeof(*f));
	f->listener = -1;
	pthread_mutex_init(&f->mutex, NULL);
	for (unsigned i = 0; i < FAKE_CONNECTIONS; i++)
		f->fds[i] = -1;
	strcpy(f->folder, "/tmp/keyward-test-XXXXXX");
	if (!mkdtemp(f->folder))
		fatal("mkdtemp");
	snprintf(f->path, sizeof(f->path), "%s/tee.sock", f->folder);
}

void fake_listen(struct fake_tee *f)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", f->path);
	unlink(f->path);
	f->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (f->listener < 0 || bind(f->listener, (struct sockaddr *)&addr, sizeof(addr)) ||
		listen(f->listener, 64))
		fatal("listen");
	if (pthread_create(&f->thread, NULL, accept_all, f))
		fatal("pthread_create");
}

void fake_start(struct fake_tee *f, void (*handler)(struct fake_tee *, struct fake_request *))
{
	fake_init(f);
	f->handler = handler;
	fake_listen(f);
}

void fake_stop(struct fake_tee *f)
{
	if (f->listener < 0)
		return;
	shutdown(f->listener, SHUT_RDWR);
	pthread_join(f->thread, NULL);
	if (fake_wait_for_open(f, 0) != 0)
		abort();
	close(f->listener);
	f->listener = -1;
}

void fake_end(struct fake_tee *f)
{
	fake_stop(f);
	unlink(f->path);
	rmdir(f->folder);
	pthread_mutex_destroy(&f->mutex);
}

struct kw *fake_kw(const struct fake_tee *f, unsigned timeout_ms)
{
	struct kw_options options = {.tee = "host", .socket = f->path, .timeout_ms = timeout_ms};
	struct kw *kw = NULL;

	if (kw_new(&options, &kw))
		abort();
	return kw;
}

static void put_claims(struct writer *w)
{
	static const uint8_t spki[] = {DER_SEQUENCE, 2, DER_NULL, 0};

	cbor_put_map(w, 7);
	cbor_put_int(w, CLAIM_TIME);
	cbor_put_uint(w, 1700000009);
	cbor_put_int(w, CLAIM_NONCE);
	cbor_put_bytes(w, "challenge", 9);
	cbor_put_int(w, CLAIM_PROFILE);
	cbor_put_text(w, ATTESTATION_PROFILE);
	cbor_put_int(w, CLAIM_SOFTWARE_NAME);
	cbor_put_text(w, "keyward");
	cbor_put_int(w, CLAIM_SOFTWARE_VERSION);
	cbor_put_array(w, 1);
	cbor_put_text(w, "9.9");
	cbor_put_int(w, CLAIM_KEY);
	cbor_put_map(w, 8);
	cbor_put_text(w, "id");
	cbor_put_bytes(w, fake_id, KW_ID_SIZE);
	cbor_put_text(w, "spki");
	cbor_put_bytes(w, spki, sizeof(spki));
	cbor_put_text(w, "type");
	cbor_put_text(w, "ec-p256");
	cbor_put_text(w, "place");
	cbor_put_text(w, "sealed");
	cbor_put_text(w, "origin");
	cbor_put_text(w, "imported");
	cbor_put_text(w, "created");
	cbor_put_uint(w, 1700000000);
	cbor_put_text(w, "purposes");
	cbor_put_array(w, 2);
	cbor_put_text(w, "csr");
	cbor_put_text(w, "sign");
	cbor_put_text(w, "extractable");
	cbor_put_bool(w, true);
	cbor_put_int(w, CLAIM_TEE);
	cbor_put_map(w, 4);
	cbor_put_text(w, "kind");
	cbor_put_text(w, "optee");
	cbor_put_text(w, "absent");
	cbor_put_array(w, 1);
	cbor_put_text(w, "rollback");
	cbor_put_text(w, "partial");
	cbor_put_array(w, 0);
	cbor_put_text(w, "present");
	cbor_put_array(w, 1);
	cbor_put_text(w, "device-secret");
}

void fake_statement(struct writer *w)
{
	static const uint8_t signature[COSE_SIGNATURE_SIZE] = {0x5a};
	uint8_t claims[512];
	struct writer c = writer_over(claims, sizeof(claims));
	struct cose_sign1 s = {.key_id = fake_id, .payload = claims, .signature = signature};

	put_claims(&c);
	if (c.failed)
		abort();
	s.payload_len = c.len;
	cose_put_sign1(w, &s);
}

unsigned fake_wait_for_open(struct fake_tee *f, unsigned wanted)
{
	struct timespec t = {.tv_nsec = 1000000};

	for (int i = 0; i < 10000 && atomic_load(&f->open) != wanted; i++)
		nanosleep(&t, NULL);
	return atomic_load(&f->open);
}

void fake_signer(struct fake_tee *f, struct fake_request *rq)
{
	const uint8_t *data;
	size_t len;

	(void)f;
	get_bytes(&rq->payload, KW_ID_SIZE + 5);
	data = get_field32(&rq->payload, KW_MESSAGE_MAX, &len);
	assert(data && reader_done(&rq->payload));
	put_field16(&rq->reply, data, len < 64 ? len : 64);
}

enum kw_err fake_sign(struct kw *kw, const char *text)
{
	struct kw_use use = {.id = fake_id, .label = "www.test.com"};
	struct kw_sign what = {.scheme = KW_SCHEME_ECDSA,
		.hash = KW_HASH_SHA256,
		.data = (const uint8_t *)text,
		.len = strlen(text)};
	uint8_t sig[KW_SIGNATURE_MAX];
	size_t len = 99;
	enum kw_err err = kw_sign(kw, &use, &what, sig, &len);
	size_t wanted = err ? 0 : strlen(text);

	/* The answer to another request would be the worst of all. */
	if (len != wanted || memcmp(sig, text, len) != 0)
		abort();
	return err;
}

void fake_stay_on_cpu(unsigned cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		abort();
}

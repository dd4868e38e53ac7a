/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replies as lines that are the same in every TEE. Left out, or replaced by a word once they are checked, are:
 *   what comes of fresh randomness: ids and public keys of generated keys, ECDSA and PSS signatures, records
 *   times: creation and last use, because the two machines' clocks are not one
 *   of HELLO and STATUS: kind, CPU, version, protections, memory, bytes of storage, its changes, how many keys are open: they
 *   describe the TEE
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "same.h"

#define LINE_SIZE 2600
#define LIST_MAX 200

unsigned wrong;
uint8_t last_ticket[WIRE_TICKET_SIZE];
struct known_object objects[OBJECTS];

const char *judge(bool good)
{
	wrong += !good;
	return good ? "valid" : "INVALID";
}

static void print_start(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n && i < 8; i++)
		printf("%02x", p[i]);
}

struct text {
	char line[LINE_SIZE];
	size_t len;
};

static void __attribute__((format(printf, 2, 3))) add(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->line + t->len, sizeof(t->line) - t->len, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(t->line) - t->len)
		abort();
	t->len += (size_t)n;
}

/* Bytes that a user gave, shown so that two that differ look different. */
static void add_bytes(struct text *t, const char *what, const uint8_t *p, size_t n)
{
	uint32_t sum = 2166136261u; /* FNV-1a */

	for (size_t i = 0; p && i < n; i++)
		sum = (sum ^ p[i]) * 16777619u;
	add(t, " %s %zu:%08" PRIx32, what, n, sum);
}

static void add_acl(struct text *t, struct reader *r)
{
	for (unsigned n = get_u8(r); n && !r->failed; n--) {
		unsigned kind = get_u8(r);

		add(t, " %u:%" PRIu32, kind, get_u32(r));
	}
}

/* A description; *id and *spki are in the reply. */
struct seen {
	const uint8_t *id;
	uint8_t type;
	uint8_t place;
	const uint8_t *spki;
	size_t spki_len;
};

static void add_description(struct text *t, struct reader *r, struct seen *s)
{
	const uint8_t *name;
	unsigned origin;
	size_t n;

	s->id = get_bytes(r, WIRE_ID_SIZE);
	s->type = get_u8(r);
	origin = get_u8(r);
	s->place = get_u8(r);
	if (s->place == PLACE_TOKEN) {
		s->place = PLACE_STORED;
		add(t, "slot %u ", get_u8(r));
	}
	add(t, "type %u origin %u place %u purposes %" PRIx32, s->type, origin, s->place,
		get_u32(r));
	get_u64(r); /* created */
	n = get_u8(r);
	add(t, " owner %zu:%" PRIu32, n, get_u32(r));
	name = get_field8(r, WIRE_NAME_MAX, &n);
	add(t, " name '%.*s' acl", name ? (int)n : 0, name ? (const char *)name : "");
	add_acl(t, r);
	add(t, " rights %u", get_u8(r));
	add(t, " signatures %" PRIu64, get_u64(r));
	get_u64(r); /* last use */
	add(t, " refusals %" PRIu64, get_u64(r));
	s->spki = get_field16(r, WIRE_SPKI_MAX, &s->spki_len);
	name = get_field16(r, WIRE_ATTRIBUTES_MAX, &n);
	add_bytes(t, "attributes", name, n);
}

/* The place of an object, OBJECTS for another one. */
static unsigned object_at(const uint8_t *id)
{
	unsigned i = 0;

	while (i < OBJECTS && (!id || memcmp(objects[i].id, id, WIRE_ID_SIZE)))
		i++;
	return i;
}

static const uint8_t *add_object(struct text *t, struct reader *r)
{
	const uint8_t *id = get_bytes(r, WIRE_ID_SIZE), *p;
	unsigned kind = get_u8(r), is_public = get_u8(r);
	size_t n;

	add(t, "kind %u public %u", kind, is_public);
	if (is_public & OBJECT_ON_TOKEN)
		add(t, " slot %u", get_u8(r));
	get_u64(r); /* created */
	n = get_u8(r);
	add(t, " owner %zu:%" PRIu32 " acl", n, get_u32(r));
	add_acl(t, r);
	add(t, " rights %u", get_u8(r));
	p = get_field16(r, WIRE_ATTRIBUTES_MAX, &n);
	add_bytes(t, "attributes", p, n);
	add(t, " size %u", get_u16(r));
	return id;
}

static void show_object(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	struct text t = {.len = 0};
	const uint8_t *id = add_object(&t, &r), *p;
	size_t n;

	if (a->command == CMD_OBJECT_GET) {
		p = get_field16(&r, WIRE_OBJECT_MAX, &n);
		add_bytes(&t, "value", p, n);
	}
	if (id && a->command == CMD_OBJECT_PUT &&
		(a->request[0] == OBJECT_NEW || a->request[0] == OBJECT_NEW_ON_TOKEN)) {
		memcpy(objects[a->aim].id, id, WIRE_ID_SIZE);
		objects[a->aim].is_stored = true;
	}
	printf("object %u %s, %s", object_at(id), judge(reader_done(&r)), t.line);
}

void show_key(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	bool has_record = a->command != CMD_KEY_INFO && a->command != CMD_KEY_RENAME;
	const uint8_t *record = NULL;
	struct text t = {.len = 0};
	struct known *k;
	struct seen s;
	size_t n = 0;
	bool good;

	add_description(&t, &r, &s);
	if (has_record)
		record = get_field16(&r, WIRE_RECORD_MAX, &n);
	good = reader_done(&r);
	if (good && a->aim < KEYS && a->command != CMD_KEY_RENAME &&
		(is_secret(s.type) || a->command == CMD_KEY_GENERATE)) {
		k = &known[a->aim];
		good = learn(k, s.type, s.id, s.spki, s.spki_len);
		k->is_same = makes_the_same(a);
	} else {
		k = good ? known_by_id(s.id) : NULL;
	}
	good = good && (!k || (k->spki_len == s.spki_len && k->type == s.type &&
				      !memcmp(k->spki, s.spki, s.spki_len)));
	if (good && k && n) {
		memcpy(k->record, record, n);
		k->record_len = n;
	}
	if (good && k && has_record)
		k->is_stored = s.place == PLACE_STORED;
	printf("%s %s %s, record of %zu", known_label(k), judge(good), t.line, n);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(((const struct text *)a)->line, ((const struct text *)b)->line);
}

static void show_list(const struct answer *a)
{
	static struct text lines[LIST_MAX];
	struct reader r = reader_over(a->reply, a->reply_len);
	uint32_t next = get_u32(&r);
	unsigned n = get_u16(&r);
	struct seen s = {0};

	for (unsigned i = 0; i < n && n <= LIST_MAX && !r.failed; i++) {
		lines[i].len = 0;
		add_description(&lines[i], &r, &s);
		add(&lines[i], " %s", r.failed ? "" : known_label(known_by_id(s.id)));
	}
	printf("%s, %u keys, %s", next ? "more" : "end", n,
		judge(reader_done(&r) && n <= LIST_MAX && !s.spki_len));
	if (n > LIST_MAX)
		return;
	qsort(lines, n, sizeof(lines[0]), compare_texts);
	for (unsigned i = 0; i < n; i++)
		printf("; %s", lines[i].line);
}

static void show_objects(const struct answer *a)
{
	static struct text lines[OBJECTS];
	struct reader r = reader_over(a->reply, a->reply_len);
	uint32_t next = get_u32(&r);
	unsigned n = get_u16(&r);

	for (unsigned i = 0; i < n && n <= OBJECTS && !r.failed; i++) {
		const uint8_t *id;

		lines[i].len = 0;
		id = add_object(&lines[i], &r);
		add(&lines[i], " is %u", object_at(id));
	}
	printf("%s, %u objects, %s", next ? "more" : "end", n,
		judge(reader_done(&r) && n <= OBJECTS));
	if (n > OBJECTS)
		return;
	qsort(lines, n, sizeof(lines[0]), compare_texts);
	for (unsigned i = 0; i < n; i++)
		printf("; %s", lines[i].line);
}

static void show_status(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	uint64_t signatures, refusals;
	uint32_t stored, stored_objects;
	unsigned flags;
	size_t n;

	get_u8(&r);
	get_field8(&r, 255, &n);
	get_field8(&r, 255, &n);
	get_bytes(&r, 16);
	stored = get_u32(&r);
	get_bytes(&r, 4);
	stored_objects = get_u32(&r);
	get_bytes(&r, 16);
	signatures = get_u64(&r);
	refusals = get_u64(&r);
	get_bytes(&r, 16);
	get_field16(&r, 4096, &n);
	flags = get_u8(&r);
	for (unsigned i = get_u8(&r); i && !r.failed; i--) {
		get_field8(&r, 255, &n);
		get_u8(&r);
		get_field16(&r, 4096, &n);
	}
	printf("%" PRIu32 " keys, %" PRIu32 " objects, %" PRIu64 " signatures, %" PRIu64
	       " refusals, flags %u, %s",
		stored, stored_objects, signatures, refusals, flags, judge(reader_done(&r)));
}

static void show_hello(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	unsigned version = get_u16(&r);
	size_t n;

	get_u8(&r);
	printf("version %u, capabilities %" PRIx32, version, get_u32(&r));
	get_u16(&r);
	get_field8(&r, 255, &n);
	printf(", %s", judge(reader_done(&r)));
}

/* Ed25519 (RFC 8032) and PKCS #1 v1.5 (RFC 8017) leave nothing to chance. */
static bool is_the_same_always(const struct known *k, const struct answer *a)
{
	uint8_t scheme = a->request[WIRE_ID_SIZE];

	return k->is_same &&
	       (scheme == SCHEME_EDDSA || scheme == SCHEME_RSA_PKCS1 || scheme == SCHEME_RSA_RAW);
}

static void show_signature(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	const struct known *k = known_by_id(a->request);
	const uint8_t *sig;
	size_t n;

	sig = get_field16(&r, 1024, &n);
	printf("%s %zu bytes %s ", known_label(k), n,
		judge(reader_done(&r) && signature_is_good(k, a, sig, n)));
	if (k && sig && is_the_same_always(k, a))
		print_start(sig, n);
}

/* What a broken PKCS #1 padding gives is made of key and ciphertext: the same for a key that is the same. */
static void show_plaintext(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	const struct known *k = known_by_id(a->request);
	const uint8_t *plain;
	size_t n;

	plain = get_field16(&r, 1024, &n);
	printf("%s %s ", known_label(k), judge(reader_done(&r) && k));
	if (!k || !k->is_same || !plain)
		return;
	printf("%zu bytes ", n);
	print_start(plain, n);
}

static void show_csr(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	const struct known *k = NULL;
	const uint8_t *der;
	uint8_t digest[32] = {0};
	bool good;
	size_t n;

	der = get_field16(&r, WIRE_CSR_MAX, &n);
	good = reader_done(&r) && csr_is_good(der, n, &k, digest);
	printf("%s %s ", known_label(k), judge(good));
	print_start(digest, sizeof(digest));
}

static void show_load(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	const uint8_t *id = get_bytes(&r, WIRE_ID_SIZE);

	printf("%s, %s", id ? known_label(known_by_id(id)) : "-", judge(reader_done(&r)));
}

/* Serials and tickets are random. */
static void show_tokens(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	const uint8_t *label;
	unsigned count = get_u8(&r);
	struct text t;
	size_t n;

	for (unsigned i = 0; i < count && !r.failed; i++) {
		t.len = 0;
		add(&t, "slot %u", get_u8(&r));
		label = get_field8(&r, WIRE_LABEL_MAX, &n);
		add_bytes(&t, "label", label, n);
		get_bytes(&r, WIRE_SERIAL_SIZE + 8); /* and created */
		n = get_u8(&r);
		add(&t, " owner %zu:%" PRIu32 " acl", n, get_u32(&r));
		add_acl(&t, &r);
		add(&t, " rights %u", get_u8(&r));
		add(&t, " state %u", get_u8(&r));
		add(&t, " tries %u", get_u8(&r));
		add(&t, " and %u", get_u8(&r));
		printf("%s; ", t.line);
	}
	printf("%u tokens, %s", count, judge(reader_done(&r)));
}

/* Who signs is another in each TEE, and the same for ever in one. */
static void show_attestation_key(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	size_t n;
	const uint8_t *spki = get_field16(&r, WIRE_SPKI_MAX, &n);

	printf("%s", judge(reader_done(&r) && attestation_key_is(spki, n)));
}

static void show_statement(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	struct kw_attestation *s = NULL;
	const struct known *k = NULL;
	const uint8_t *p, *challenge;
	struct text t = {.len = 0};
	const char *purpose;
	bool good;
	size_t n;

	p = get_field16(&r, WIRE_ATTESTATION_MAX, &n);
	good = reader_done(&r) && !kw_attestation_parse(p, n, &s) && statement_is_good(s);
	if (s) {
		k = known_by_id(kw_attestation_id(s));
		p = kw_attestation_spki(s, &n);
		if (k && is_secret(k->type))
			good = good && n == 0;
		else if (k)
			good = good && k->spki_len == n && !memcmp(k->spki, p, n);
		challenge = kw_attestation_challenge(s, &n);
		add(&t, "%s %s %s %s", kw_attestation_type(s),
			kw_attestation_is_imported(s) ? "imported" : "generated",
			kw_attestation_is_sealed(s) ? "sealed" : "stored",
			kw_attestation_is_extractable(s) ? "extractable" : "stays");
		for (unsigned i = 0; (purpose = kw_attestation_purpose(s, i)); i++)
			add(&t, " %s", purpose);
		add_bytes(&t, "challenge", challenge, n);
	}
	printf("%s %s %s", known_label(k), judge(good), t.line);
	kw_attestation_free(&s);
}

void show_reply(const struct answer *a)
{
	switch (a->command) {
	case CMD_TOKEN_LIST:
		return show_tokens(a);
	case CMD_TOKEN_LOGIN:
		if (a->reply_len == sizeof(last_ticket))
			memcpy(last_ticket, a->reply, sizeof(last_ticket));
		printf("%s", judge(a->reply_len == sizeof(last_ticket)));
		return;
	case CMD_HELLO:
		return show_hello(a);
	case CMD_STATUS:
		return show_status(a);
	case CMD_KEY_LIST:
		return show_list(a);
	case CMD_OBJECT_PUT:
	case CMD_OBJECT_GET:
		return show_object(a);
	case CMD_OBJECT_LIST:
		return show_objects(a);
	case CMD_OBJECT_DELETE:
		if (object_at(a->request) < OBJECTS)
			objects[object_at(a->request)].is_stored = false;
		printf("object %u %s", object_at(a->request), judge(a->reply_len == 0));
		return;
	case CMD_TOKEN_INIT:
	case CMD_TOKEN_LOGOUT:
	case CMD_TOKEN_SET_PIN:
	case CMD_TOKEN_INIT_PIN:
	case CMD_TOKEN_DELETE:
	case CMD_AUTHORIZE:
	case CMD_TOKEN_ACCESS:
	case CMD_KEY_DELETE:
		printf("%s", judge(a->reply_len == 0));
		return;
	case CMD_KEY_CSR:
		return show_csr(a);
	case CMD_KEY_LOAD:
		return show_load(a);
	case CMD_KEY_ATTEST:
		return show_statement(a);
	case CMD_ATTEST_KEY:
		return show_attestation_key(a);
	case CMD_SIGN:
		return show_signature(a);
	case CMD_RSA_DECRYPT:
		return show_plaintext(a);
	default:
		if (is_secret_command(a->command))
			return show_secret_command(a);
		return show_key(a);
	}
}

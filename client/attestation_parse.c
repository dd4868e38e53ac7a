/* SPDX-License-Identifier: BSD-2-Clause */
/* Attestation statements (docs/ATTESTATION.md), taken apart without a TEE. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "wire/cose.h"
#include "wire/der.h"

#define TEXT_MAX 128
#define CLAIMS_MAX 32
#define PURPOSES_MAX 32
#define PROTECTIONS_MAX 32

struct protection {
	const char *id;
	enum kw_protection_state state;
};

struct kw_attestation {
	struct cose_sign1 cose; /* points into `statement` */
	uint8_t to_be_signed[KW_ATTESTATION_MAX];
	size_t to_be_signed_len;
	const uint8_t *challenge;
	size_t challenge_len;
	uint64_t time;
	const char *version;
	bool has_profile;
	/* The key. */
	const uint8_t *id;
	const uint8_t *spki;
	size_t spki_len;
	const char *type;
	const char *origin;
	const char *place;
	uint64_t created;
	bool has_created;
	bool extractable;
	bool has_extractable;
	const char *purposes[PURPOSES_MAX];
	unsigned purpose_count;
	bool has_purposes;
	/* The TEE. */
	const char *tee;
	struct protection protections[PROTECTIONS_MAX];
	unsigned protection_count;
	unsigned has_states; /* a bit for each list of protections */
	/* Copies: of the whole, and of its texts with a NUL after each, which have a byte in front there. */
	uint8_t statement[KW_ATTESTATION_MAX];
	char text[KW_ATTESTATION_MAX];
	size_t text_used;
};

static bool is(const uint8_t *text, size_t len, const char *wanted)
{
	return len == strlen(wanted) && memcmp(text, wanted, len) == 0;
}

/* A text for people: no control characters. "" on failure. */
static const char *keep_text(struct kw_attestation *a, struct reader *r)
{
	size_t n;
	const uint8_t *p = cbor_get_text(r, TEXT_MAX, &n);
	char *copy = a->text + a->text_used;

	if (!p || !n || !text_is_clean(p, n) || n + 1 > sizeof(a->text) - a->text_used) {
		r->failed = true;
		return "";
	}
	memcpy(copy, p, n);
	copy[n] = '\0';
	a->text_used += n + 1;
	return copy;
}

static const char *keep_one_of(
	struct kw_attestation *a, struct reader *r, const char *this, const char *that)
{
	const char *text = keep_text(a, r);

	if (strcmp(text, this) != 0 && strcmp(text, that) != 0)
		r->failed = true;
	return text;
}

static const uint8_t *get_id(struct reader *r)
{
	size_t n;
	const uint8_t *p = cbor_get_bytes(r, KW_ID_SIZE, &n);

	if (n != KW_ID_SIZE)
		r->failed = true;
	return p;
}

static void get_purposes(struct kw_attestation *a, struct reader *r)
{
	for (size_t n = cbor_get_array(r, PURPOSES_MAX); n && !r->failed; n--)
		a->purposes[a->purpose_count++] = keep_text(a, r);
	a->has_purposes = true;
}

/* What a map says under a name that is not known is left alone: a newer TEE may say more. */
static void get_key_item(struct kw_attestation *a, struct reader *r, const uint8_t *name, size_t n)
{
	if (is(name, n, "id")) {
		a->id = get_id(r);
	} else if (is(name, n, "spki")) {
		a->spki = cbor_get_bytes(r, WIRE_SPKI_MAX, &a->spki_len);
		if (!a->spki || !der_is_well_formed(a->spki, a->spki_len))
			r->failed = true;
	} else if (is(name, n, "type")) {
		a->type = keep_text(a, r);
	} else if (is(name, n, "place")) {
		a->place = keep_one_of(a, r, "stored", "sealed");
	} else if (is(name, n, "origin")) {
		a->origin = keep_one_of(a, r, "generated", "imported");
	} else if (is(name, n, "created")) {
		a->created = cbor_get_uint(r);
		a->has_created = true;
	} else if (is(name, n, "purposes")) {
		get_purposes(a, r);
	} else if (is(name, n, "extractable")) {
		a->extractable = cbor_get_bool(r);
		a->has_extractable = true;
	} else {
		cbor_skip(r);
	}
}

static void get_protections(
	struct kw_attestation *a, struct reader *r, enum kw_protection_state state)
{
	struct protection *p;

	for (size_t n = cbor_get_array(r, PROTECTIONS_MAX - a->protection_count); n && !r->failed;
		n--) {
		p = &a->protections[a->protection_count++];
		p->id = keep_text(a, r);
		p->state = state;
	}
	a->has_states |= 1u << state;
}

static void get_tee_item(struct kw_attestation *a, struct reader *r, const uint8_t *name, size_t n)
{
	if (is(name, n, "kind"))
		a->tee = keep_one_of(a, r, "host", "optee");
	else if (is(name, n, "absent"))
		get_protections(a, r, KW_PROTECTION_ABSENT);
	else if (is(name, n, "partial"))
		get_protections(a, r, KW_PROTECTION_PARTIAL);
	else if (is(name, n, "present"))
		get_protections(a, r, KW_PROTECTION_PRESENT);
	else
		cbor_skip(r);
}

static void get_map(struct kw_attestation *a, struct reader *r,
	void (*get_item)(struct kw_attestation *a, struct reader *r, const uint8_t *name, size_t n))
{
	const uint8_t *name;
	size_t n;

	for (size_t items = cbor_get_map(r, CLAIMS_MAX); items && !r->failed; items--) {
		name = cbor_get_text(r, TEXT_MAX, &n);
		if (name)
			get_item(a, r, name, n);
	}
}

static void get_claim(struct kw_attestation *a, struct reader *r)
{
	const uint8_t *p;
	size_t n;

	switch (cbor_get_int(r)) {
	case CLAIM_TIME:
		a->time = cbor_get_uint(r);
		return;
	case CLAIM_NONCE:
		a->challenge = cbor_get_bytes(r, KW_CHALLENGE_MAX, &a->challenge_len);
		if (a->challenge_len < KW_CHALLENGE_MIN)
			r->failed = true;
		return;
	case CLAIM_PROFILE:
		p = cbor_get_text(r, TEXT_MAX, &n);
		a->has_profile = p && is(p, n, ATTESTATION_PROFILE);
		return;
	case CLAIM_SOFTWARE_VERSION:
		if (cbor_get_array(r, 1) != 1)
			r->failed = true;
		a->version = keep_text(a, r);
		return;
	case CLAIM_KEY:
		get_map(a, r, get_key_item);
		return;
	case CLAIM_TEE:
		get_map(a, r, get_tee_item);
		return;
	default:
		cbor_skip(r);
	}
}

static enum kw_err bad(const char *why)
{
	return explain(KW_ERR_BAD_STATEMENT,
		"this is not a good attestation statement of Keyward: %s", why);
}

static enum kw_err read_statement(struct kw_attestation *a, size_t len)
{
	struct reader r = reader_over(a->statement, len);
	struct writer w = writer_over(a->to_be_signed, sizeof(a->to_be_signed));

	cose_get_sign1(&r, &a->cose);
	if (!reader_done(&r))
		return bad("it is something else, damaged or cut off");
	/* So that no key is there twice, of which readers could take one or the other. */
	if (!cbor_is_deterministic(a->cose.payload, a->cose.payload_len))
		return bad("what it says is not well-formed");
	r = reader_over(a->cose.payload, a->cose.payload_len);
	for (size_t n = cbor_get_map(&r, CLAIMS_MAX); n && !r.failed; n--)
		get_claim(a, &r);
	if (reader_done(&r) && !a->has_profile)
		return bad("it is of a kind or version that this program does not know");
	if (!reader_done(&r) || !a->id || !a->type || !a->origin || !a->place || !a->has_created ||
		!a->has_purposes || !a->has_extractable || !a->tee || !a->version ||
		a->has_states != 7)
		return bad("something is missing in what it says, or makes no sense");
	cose_put_signed(&w, &a->cose);
	a->to_be_signed_len = w.len;
	return w.failed ? bad("it is too long") : KW_ERR_OK;
}

enum kw_err kw_attestation_parse(
	const uint8_t *statement, size_t len, struct kw_attestation **attestation)
{
	struct kw_attestation *a = NULL;
	enum kw_err err;

	if (!attestation)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	*attestation = NULL;
	if (!statement || len > KW_ATTESTATION_MAX)
		return bad("it is empty, or too long to be one");
	a = calloc(1, sizeof(*a));
	if (!a)
		return explain(KW_ERR_NO_MEMORY, "there is no memory for a statement");
	memcpy(a->statement, statement, len);
	err = read_statement(a, len);
	if (err) {
		kw_attestation_free(&a);
		return err;
	}
	*attestation = a;
	return KW_ERR_OK;
}

void kw_attestation_free(struct kw_attestation **attestation)
{
	if (!attestation)
		return;
	free(*attestation);
	*attestation = NULL;
}

const uint8_t *kw_attestation_signer(const struct kw_attestation *a)
{
	return a->cose.key_id;
}

const uint8_t *kw_attestation_signed(const struct kw_attestation *a, size_t *len)
{
	*len = a->to_be_signed_len;
	return a->to_be_signed;
}

const uint8_t *kw_attestation_signature(const struct kw_attestation *a, size_t *len)
{
	*len = COSE_SIGNATURE_SIZE;
	return a->cose.signature;
}

const uint8_t *kw_attestation_challenge(const struct kw_attestation *a, size_t *len)
{
	*len = a->challenge_len;
	return a->challenge;
}

uint64_t kw_attestation_time(const struct kw_attestation *a)
{
	return a->time;
}

const char *kw_attestation_tee(const struct kw_attestation *a)
{
	return a->tee;
}

const char *kw_attestation_version(const struct kw_attestation *a)
{
	return a->version;
}

const char *kw_attestation_protection(
	const struct kw_attestation *a, unsigned i, enum kw_protection_state *state)
{
	if (i >= a->protection_count)
		return NULL;
	*state = a->protections[i].state;
	return a->protections[i].id;
}

const uint8_t *kw_attestation_id(const struct kw_attestation *a)
{
	return a->id;
}

const uint8_t *kw_attestation_spki(const struct kw_attestation *a, size_t *len)
{
	*len = a->spki_len;
	return a->spki;
}

const char *kw_attestation_type(const struct kw_attestation *a)
{
	return a->type;
}

bool kw_attestation_is_imported(const struct kw_attestation *a)
{
	return strcmp(a->origin, "generated") != 0;
}

bool kw_attestation_is_sealed(const struct kw_attestation *a)
{
	return strcmp(a->place, "sealed") == 0;
}

bool kw_attestation_is_extractable(const struct kw_attestation *a)
{
	return a->extractable;
}

uint64_t kw_attestation_created(const struct kw_attestation *a)
{
	return a->created;
}

const char *kw_attestation_purpose(const struct kw_attestation *a, unsigned i)
{
	return i < a->purpose_count ? a->purposes[i] : NULL;
}

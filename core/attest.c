/* SPDX-License-Identifier: BSD-2-Clause */
/* KEY_ATTEST and ATTEST_KEY: statements about keys, signed with a key of the TEE itself. */
#include "attest_claims.h"
#include "spki.h"
#include "subject.h"
#include "wire/cose.h"

/*
 * The seed of the Ed25519 key that signs (RFC 8032 5.1.5) comes from the device secret, so the key is the same
 * for the life of the device and nothing has to be stored. It signs nothing but what this file builds.
 */
#define ATTESTATION_LABEL "keyward attestation key v1"
#define CLAIMS_MAX (WIRE_ATTESTATION_MAX - 128)

struct attester {
	struct crypto_key *key;
	uint8_t id[WIRE_ID_SIZE];
	uint8_t spki[WIRE_SPKI_MAX];
	size_t spki_len;
};

static enum kw_err attester_open(struct attester *a)
{
	uint8_t seed[DEVICE_KEY_SIZE], public_part[CRYPTO_PUBLIC_MAX];
	struct writer w = writer_over(a->spki, sizeof(a->spki));
	size_t n = 0;
	enum kw_err err;

	err = platform_device_key(ATTESTATION_LABEL, seed);
	if (err)
		goto out;
	err = crypto_key_load(KEY_TYPE_ED25519, seed, sizeof(seed), &a->key);
	if (err)
		goto out;
	err = crypto_key_public(a->key, public_part, &n);
	if (err)
		goto out;
	err = spki_encode(KEY_TYPE_ED25519, public_part, n, &w);
	if (err)
		goto out;
	a->spki_len = w.len;
	err = crypto_hash(HASH_SHA256, a->spki, a->spki_len, a->id);
out:
	platform_wipe(seed, sizeof(seed));
	return err;
}

struct statement {
	struct attester attester;
	struct key_meta meta; /* of the record, once it was authenticated */
	uint8_t claims[CLAIMS_MAX];
	uint8_t text[WIRE_ATTESTATION_MAX]; /* first what is signed, then the whole */
	uint8_t signature[CRYPTO_SIGNATURE_MAX];
};

static enum kw_err sign(struct statement *s, struct cose_sign1 *cose)
{
	struct writer w = writer_over(s->text, sizeof(s->text));
	struct crypto_sign what = {.scheme = SCHEME_EDDSA, .hash = HASH_NONE, .data = s->text};
	size_t n = 0;
	enum kw_err err;

	cose_put_signed(&w, cose);
	if (w.failed)
		return KW_ERR_TOO_LARGE;
	what.n = w.len;
	err = crypto_sign(s->attester.key, &what, s->signature, &n);
	if (!err && n != COSE_SIGNATURE_SIZE)
		err = KW_ERR_CRYPTO;
	cose->signature = s->signature;
	return err;
}

static enum kw_err put_statement(
	struct statement *s, const uint8_t *challenge, size_t challenge_len, struct writer *rsp)
{
	struct writer w = writer_over(s->claims, sizeof(s->claims));
	struct cose_sign1 cose = {.key_id = s->attester.id, .payload = s->claims};
	enum kw_err err;

	attest_put_claims(&w, &s->meta, challenge, challenge_len);
	if (w.failed)
		return KW_ERR_TOO_LARGE;
	cose.payload_len = w.len;
	err = sign(s, &cose);
	if (err)
		return err;
	w = writer_over(s->text, sizeof(s->text));
	cose_put_sign1(&w, &cose);
	if (w.failed)
		return KW_ERR_TOO_LARGE;
	put_field16(rsp, s->text, w.len);
	return KW_ERR_OK;
}

enum kw_err cmd_key_attest(struct call *c, struct reader *req, struct writer *rsp)
{
	struct subject *s = subject_new();
	struct statement *statement = platform_alloc(sizeof(*statement));
	const uint8_t *challenge;
	size_t n;
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!s || !statement)
		goto out;
	err = subject_get(c, req, RIGHT_USE | RIGHT_MANAGE, true, s);
	if (err)
		goto out;
	challenge = get_field8(req, WIRE_CHALLENGE_MAX, &n);
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req) || (n && n < WIRE_CHALLENGE_MIN))
		goto out;
	/* Also opens the private part: the statement is about a key that this TEE has and could use. */
	err = record_open(
		&c->core->record_key, s->record, s->record_len, &statement->meta, &s->crypto);
	if (err)
		goto out;
	err = attester_open(&statement->attester);
	if (!err)
		err = put_statement(statement, challenge, n, rsp);
out:
	if (statement)
		crypto_key_free(&statement->attester.key);
	platform_free(statement, sizeof(*statement));
	subject_free(s);
	return err;
}

enum kw_err cmd_attest_key(struct call *c, struct reader *req, struct writer *rsp)
{
	struct attester a = {.key = NULL};
	enum kw_err err;

	(void)c;
	if (!reader_done(req))
		return KW_ERR_BAD_REQUEST;
	err = attester_open(&a);
	if (!err)
		put_field16(rsp, a.spki, a.spki_len);
	crypto_key_free(&a.key);
	return err;
}

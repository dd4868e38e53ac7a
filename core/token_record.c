/* SPDX-License-Identifier: BSD-2-Clause */
/* How the store keeps a token. docs/KEYS.md has the format. */
#include <string.h>

#include "token.h"

#define TOKEN_MAGIC 0x4b54 /* "KT" */
#define TOKEN_VERSION 1
#define LABEL "token record"

#define PIN_SIZE (1 + 1 + PIN_SALT_SIZE + PIN_VERIFIER_SIZE)
#define IDENTITY_SIZE (1 + 4 + WIRE_UUID_SIZE)

_Static_assert(SEALING_HEAD_SIZE + 2 + WIRE_ID_SIZE + 8 + IDENTITY_SIZE + 1 +
			       WIRE_ACL_MAX * IDENTITY_SIZE + 1 + WIRE_LABEL_MAX +
			       SEALING_SIZE(2 * PIN_SIZE) <=
		       STORE_TOKEN_MAX,
	"every token fits into a record");

enum kw_err token_store_id(uint8_t slot, uint8_t id[WIRE_ID_SIZE])
{
	uint8_t name[] = "keyward token  ";

	/* No key or object has such an id: theirs are hashes of public keys, or random. */
	name[sizeof(name) - 2] = slot;
	return crypto_hash(HASH_SHA256, name, sizeof(name) - 1, id);
}

static void put_pins(struct writer *w, const struct token *t)
{
	for (unsigned i = 0; i < 2; i++) {
		put_u8(w, t->pins[i].is_set);
		put_u8(w, t->pins[i].tries);
		put_bytes(w, t->pins[i].salt, PIN_SALT_SIZE);
		put_bytes(w, t->pins[i].verifier, PIN_VERIFIER_SIZE);
	}
}

static bool get_pins(struct reader *r, struct token *t)
{
	for (unsigned i = 0; i < 2; i++) {
		uint8_t is_set = get_u8(r);

		t->pins[i].is_set = is_set == 1;
		t->pins[i].tries = get_u8(r);
		get_copy(r, t->pins[i].salt, PIN_SALT_SIZE);
		get_copy(r, t->pins[i].verifier, PIN_VERIFIER_SIZE);
		if (is_set > 1 || t->pins[i].tries > WIRE_PIN_TRIES)
			return false;
	}
	return reader_done(r);
}

enum kw_err token_record_seal(
	const struct record_key *rk, const struct token *t, uint8_t *out, size_t *len)
{
	struct writer w = writer_over(out, STORE_TOKEN_MAX);
	uint8_t secret[2 * PIN_SIZE];
	struct writer pins = writer_over(secret, sizeof(secret));
	enum kw_err err;

	*len = 0;
	sealing_put_head(&w, rk, TOKEN_MAGIC, TOKEN_VERSION);
	put_u8(&w, t->slot);
	put_u8(&w, t->state);
	put_bytes(&w, t->id, sizeof(t->id));
	put_u64(&w, t->created);
	record_put_identity(&w, &t->owner);
	record_put_acl(&w, t->acl, t->acl_count);
	put_field8(&w, t->label, t->label_len);
	put_pins(&pins, t);
	err = sealing_put(&w, rk, LABEL, secret, pins.len);
	if (!err)
		*len = w.len;
	platform_wipe(secret, sizeof(secret));
	return err;
}

enum kw_err token_record_open(
	const struct record_key *rk, uint8_t *record, size_t len, struct token *t)
{
	struct reader r = reader_over(record, len), pins;
	uint8_t secret[2 * PIN_SIZE];
	struct sealed sealed;
	const uint8_t *p;
	uint8_t version;
	enum kw_err err;

	memset(t, 0, sizeof(*t));
	err = sealing_get_head(&r, rk, TOKEN_MAGIC, TOKEN_VERSION, &version);
	if (err)
		return err;
	t->slot = get_u8(&r);
	t->state = get_u8(&r);
	get_copy(&r, t->id, sizeof(t->id));
	t->created = get_u64(&r);
	record_get_identity(&r, &t->owner);
	record_get_acl(&r, t->acl, &t->acl_count);
	p = get_field8(&r, WIRE_LABEL_MAX, &t->label_len);
	if (p)
		memcpy(t->label, p, t->label_len);
	sealing_get(&r, record, sizeof(secret), &sealed);
	if (!reader_done(&r) || !t->slot || t->slot > WIRE_SLOT_MAX || t->state > TOKEN_IS_GONE)
		return KW_ERR_CORRUPT;
	err = sealing_open(rk, LABEL, record, &sealed, secret);
	if (err)
		goto out;
	pins = reader_over(secret, sealed.len);
	if (!get_pins(&pins, t))
		err = KW_ERR_CORRUPT;
out:
	platform_wipe(secret, sizeof(secret));
	return err;
}

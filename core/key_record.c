/* SPDX-License-Identifier: BSD-2-Clause */
#include "key_record.h"

#include <string.h>

#include "key_type.h"
#include "spki.h"
#include "wire/codec.h"

#define RECORD_MAGIC 0x4b57 /* "KW" */
#define RECORD_VERSION 3
#define RECORD_WITH_ATTRIBUTES 2 /* the first version that has them */
#define RECORD_WITH_TOKEN 3
#define LABEL "key record"

#define IDENTITY_SIZE (1 + 4 + WIRE_UUID_SIZE)

/* The largest there is, which is RSA-4096 with everything: 3,794 bytes. */
_Static_assert(SEALING_HEAD_SIZE + 3 + 4 + 8 + IDENTITY_SIZE + 1 + WIRE_NAME_MAX + 1 +
			       WIRE_ACL_MAX * IDENTITY_SIZE + 2 + WIRE_SPKI_MAX + 2 +
			       WIRE_ATTRIBUTES_MAX + RECORD_TOKEN_SIZE +
			       SEALING_SIZE(CRYPTO_PRIVATE_MAX) <=
		       WIRE_RECORD_MAX,
	"every key fits into a record");

/* A secret key has no public part to hash: its id is chosen once, and is in the record in that place, followed
 * by the key's length. */
static enum kw_err describe_secret(struct key_meta *meta, const struct crypto_key *key)
{
	uint8_t value[CRYPTO_PRIVATE_MAX];
	struct writer w = writer_over(meta->spki, sizeof(meta->spki));
	size_t n = 0;
	enum kw_err err = crypto_key_private(key, value, &n);

	platform_wipe(value, sizeof(value));
	if (!err)
		err = platform_random(meta->id, sizeof(meta->id));
	if (err)
		return err;
	put_bytes(&w, meta->id, sizeof(meta->id));
	put_u16(&w, (uint16_t)n);
	meta->spki_len = w.len;
	return KW_ERR_OK;
}

static enum kw_err identify(struct key_meta *meta)
{
	if (!key_type_is_secret((enum key_type)meta->type))
		return crypto_hash(HASH_SHA256, meta->spki, meta->spki_len, meta->id);
	if (meta->spki_len != RECORD_SECRET_SIZE)
		return KW_ERR_CORRUPT;
	memcpy(meta->id, meta->spki, sizeof(meta->id));
	return KW_ERR_OK;
}

enum kw_err record_describe(struct key_meta *meta, const struct crypto_key *key)
{
	uint8_t public_part[CRYPTO_PUBLIC_MAX];
	struct writer w = writer_over(meta->spki, sizeof(meta->spki));
	size_t n = 0;
	enum kw_err err;

	if (key_type_is_secret((enum key_type)meta->type))
		return describe_secret(meta, key);
	err = crypto_key_public(key, public_part, &n);
	if (err)
		return err;
	err = spki_encode((enum key_type)meta->type, public_part, n, &w);
	if (err)
		return err;
	if (w.failed)
		return KW_ERR_CRYPTO;
	meta->spki_len = w.len;
	return crypto_hash(HASH_SHA256, meta->spki, meta->spki_len, meta->id);
}

void record_put_identity(struct writer *w, const struct identity *who)
{
	put_u8(w, who->kind);
	put_u32(w, who->id);
	put_bytes(w, who->uuid, WIRE_UUID_SIZE);
}

void record_get_identity(struct reader *r, struct identity *who)
{
	who->kind = get_u8(r);
	who->id = get_u32(r);
	get_copy(r, who->uuid, WIRE_UUID_SIZE);
	if (who->kind != IDENTITY_USER && who->kind != IDENTITY_GROUP)
		r->failed = true;
}

void record_put_acl(struct writer *w, const struct identity *acl, unsigned count)
{
	put_u8(w, (uint8_t)count);
	for (unsigned i = 0; i < count; i++)
		record_put_identity(w, &acl[i]);
}

void record_get_acl(struct reader *r, struct identity acl[WIRE_ACL_MAX], unsigned *count)
{
	*count = get_u8(r);
	if (*count > WIRE_ACL_MAX) {
		*count = 0;
		r->failed = true;
	}
	for (unsigned i = 0; i < *count; i++)
		record_get_identity(r, &acl[i]);
}

void record_put_token(struct writer *w, const struct token_ref *token)
{
	put_u8(w, token->slot);
	if (token->slot)
		put_bytes(w, token->id, sizeof(token->id));
}

void record_get_token(struct reader *r, struct token_ref *token)
{
	token->slot = get_u8(r);
	if (token->slot)
		get_copy(r, token->id, sizeof(token->id));
	if (token->slot > WIRE_SLOT_MAX)
		r->failed = true;
}

static void put_meta(struct writer *w, const struct record_key *rk, const struct key_meta *meta)
{
	sealing_put_head(w, rk, RECORD_MAGIC, RECORD_VERSION);
	put_u8(w, meta->type);
	put_u8(w, meta->origin);
	put_u8(w, meta->place);
	put_u32(w, meta->purposes);
	put_u64(w, meta->created);
	record_put_identity(w, &meta->owner);
	put_field8(w, meta->name, strlen(meta->name));
	record_put_acl(w, meta->acl, meta->acl_count);
	put_field16(w, meta->spki, meta->spki_len);
	put_field16(w, meta->attributes, meta->attributes_len);
	record_put_token(w, &meta->token);
}

enum kw_err record_seal(const struct record_key *rk, const struct key_meta *meta,
	const struct crypto_key *key, uint8_t *out, size_t *len)
{
	uint8_t private_part[CRYPTO_PRIVATE_MAX];
	struct writer w = writer_over(out, WIRE_RECORD_MAX);
	size_t n = 0;
	enum kw_err err;

	*len = 0;
	err = crypto_key_private(key, private_part, &n);
	if (err)
		goto out;
	put_meta(&w, rk, meta);
	err = sealing_put(&w, rk, LABEL, private_part, n);
	if (!err)
		*len = w.len;
out:
	platform_wipe(private_part, sizeof(private_part));
	return err;
}

static enum kw_err read_record(const struct record_key *rk, const uint8_t *record, size_t len,
	struct key_meta *meta, struct sealed *sealed)
{
	struct reader r = reader_over(record, len);
	const uint8_t *p;
	size_t n;
	uint8_t version;
	enum kw_err err;

	memset(meta, 0, sizeof(*meta));
	err = sealing_get_head(&r, rk, RECORD_MAGIC, RECORD_VERSION, &version);
	if (err)
		return err;
	meta->type = get_u8(&r);
	meta->origin = get_u8(&r);
	meta->place = get_u8(&r);
	meta->purposes = get_u32(&r);
	meta->created = get_u64(&r);
	record_get_identity(&r, &meta->owner);
	p = get_field8(&r, WIRE_NAME_MAX, &n);
	if (p)
		memcpy(meta->name, p, n);
	record_get_acl(&r, meta->acl, &meta->acl_count);
	p = get_field16(&r, WIRE_SPKI_MAX, &n);
	if (p)
		memcpy(meta->spki, p, n);
	meta->spki_len = n;
	if (version >= RECORD_WITH_ATTRIBUTES) {
		p = get_field16(&r, WIRE_ATTRIBUTES_MAX, &n);
		if (p)
			memcpy(meta->attributes, p, n);
		meta->attributes_len = n;
	}
	if (version >= RECORD_WITH_TOKEN)
		record_get_token(&r, &meta->token);
	sealing_get(&r, record, CRYPTO_PRIVATE_MAX, sealed);
	if (!reader_done(&r) || !key_type_find(meta->type))
		return KW_ERR_CORRUPT;
	return identify(meta);
}

enum kw_err record_parse(
	const struct record_key *rk, const uint8_t *record, size_t len, struct key_meta *meta)
{
	struct sealed sealed;

	return read_record(rk, record, len, meta, &sealed);
}

/*
 * A prime that a fault damaged between decryption and here would give away the other one with the first
 * signature: the library checks its result against the modulus of the damaged primes. The public key in the
 * record is the witness. (An EC or Ed25519 key gives nothing away so, and checking it costs as much as a
 * signature.)
 */
static enum kw_err check_rsa(const struct key_meta *meta, const struct crypto_key *key)
{
	struct key_meta *again;
	enum kw_err err;

	if (key_type_find(meta->type)->family != FAMILY_RSA)
		return KW_ERR_OK;
	again = platform_alloc(sizeof(*again));
	if (!again)
		return KW_ERR_NO_MEMORY;
	again->type = meta->type;
	err = record_describe(again, key);
	if (!err && memcmp(again->id, meta->id, sizeof(meta->id)))
		err = KW_ERR_CORRUPT;
	platform_free(again, sizeof(*again));
	return err;
}

enum kw_err record_open(const struct record_key *rk, const uint8_t *record, size_t len,
	struct key_meta *meta, struct crypto_key **key)
{
	uint8_t private_part[CRYPTO_PRIVATE_MAX];
	struct sealed sealed;
	enum kw_err err;

	*key = NULL;
	err = read_record(rk, record, len, meta, &sealed);
	if (err)
		return err;
	err = sealing_open(rk, LABEL, record, &sealed, private_part);
	if (err)
		goto out;
	err = crypto_key_load((enum key_type)meta->type, private_part, sealed.len, key);
	if (!err)
		err = check_rsa(meta, *key);
	if (err)
		crypto_key_free(key);
out:
	platform_wipe(private_part, sizeof(private_part));
	return err;
}

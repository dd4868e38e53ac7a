/* SPDX-License-Identifier: BSD-2-Clause */
#include "key_record.h"

#include <string.h>

#include "key_type.h"
#include "spki.h"
#include "wire/codec.h"

#define RECORD_MAGIC 0x4b57 /* "KW" */
#define RECORD_VERSION 1
#define SALT_SIZE 32

/*
 * Each record is encrypted under a key of its own, derived from the device's key and 32 random bytes. So
 * the nonce can be constant, and no number of records brings AES-GCM near its limits.
 */
static const uint8_t nonce[12];

/* Where the parts of a record lie. */
struct layout {
	const uint8_t *salt;
	const uint8_t *sealed;
	size_t sealed_len;
	const uint8_t *tag;
	size_t aad_len; /* everything before the ciphertext */
};

enum kw_err record_key_derive(struct record_key *rk)
{
	static const char label[] = "device check";
	struct crypto_bytes part = {label, sizeof(label) - 1};
	uint8_t tag[32];
	enum kw_err err;

	err = platform_device_key("keyward record v1", rk->key);
	if (err)
		return err;
	err = crypto_hmac(rk->key, &part, 1, tag);
	if (!err)
		memcpy(rk->check, tag, sizeof(rk->check));
	return err;
}

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

static enum kw_err derive(
	const struct record_key *rk, const uint8_t *salt, uint8_t key[CRYPTO_KEY_SIZE])
{
	static const char label[] = "key record";
	struct crypto_bytes parts[] = {{label, sizeof(label) - 1}, {salt, SALT_SIZE}};

	return crypto_hmac(rk->key, parts, 2, key);
}

static void put_identity_full(struct writer *w, const struct identity *who)
{
	put_u8(w, who->kind);
	put_u32(w, who->id);
	put_bytes(w, who->uuid, WIRE_UUID_SIZE);
}

static void get_identity_full(struct reader *r, struct identity *who)
{
	who->kind = get_u8(r);
	who->id = get_u32(r);
	get_copy(r, who->uuid, WIRE_UUID_SIZE);
	if (who->kind != IDENTITY_USER && who->kind != IDENTITY_GROUP)
		r->failed = true;
}

static void put_meta(struct writer *w, const struct record_key *rk, const struct key_meta *meta)
{
	put_u16(w, RECORD_MAGIC);
	put_u8(w, RECORD_VERSION);
	put_bytes(w, rk->check, sizeof(rk->check));
	put_u8(w, meta->type);
	put_u8(w, meta->origin);
	put_u8(w, meta->place);
	put_u32(w, meta->purposes);
	put_u64(w, meta->created);
	put_identity_full(w, &meta->owner);
	put_field8(w, meta->name, strlen(meta->name));
	put_u8(w, (uint8_t)meta->acl_count);
	for (unsigned i = 0; i < meta->acl_count; i++)
		put_identity_full(w, &meta->acl[i]);
	put_field16(w, meta->spki, meta->spki_len);
}

enum kw_err record_seal(const struct record_key *rk, const struct key_meta *meta,
	const struct crypto_key *key, uint8_t *out, size_t *len)
{
	uint8_t private_part[CRYPTO_PRIVATE_MAX];
	uint8_t one_time[CRYPTO_KEY_SIZE];
	uint8_t salt[SALT_SIZE];
	uint8_t tag[CRYPTO_TAG_SIZE];
	struct writer w = writer_over(out, WIRE_RECORD_MAX);
	size_t n = 0;
	size_t aad_len;
	enum kw_err err;

	*len = 0;
	err = crypto_key_private(key, private_part, &n);
	if (err)
		goto out;
	err = platform_random(salt, sizeof(salt));
	if (err)
		goto out;
	err = derive(rk, salt, one_time);
	if (err)
		goto out;
	put_meta(&w, rk, meta);
	put_bytes(&w, salt, sizeof(salt));
	put_u16(&w, (uint16_t)n);
	aad_len = w.len;
	err = KW_ERR_TOO_LARGE;
	if (w.failed || n + sizeof(tag) > w.cap - w.len)
		goto out;
	err = crypto_seal(one_time, nonce, (struct crypto_bytes){out, aad_len}, private_part, n,
		out + aad_len, tag);
	if (err)
		goto out;
	w.len += n;
	put_bytes(&w, tag, sizeof(tag));
	*len = w.len;
out:
	platform_wipe(private_part, sizeof(private_part));
	platform_wipe(one_time, sizeof(one_time));
	return err;
}

static void get_acl(struct reader *r, struct key_meta *meta)
{
	meta->acl_count = get_u8(r);
	if (meta->acl_count > WIRE_ACL_MAX) {
		meta->acl_count = 0;
		r->failed = true;
	}
	for (unsigned i = 0; i < meta->acl_count; i++)
		get_identity_full(r, &meta->acl[i]);
}

static enum kw_err read_record(const struct record_key *rk, const uint8_t *record, size_t len,
	struct key_meta *meta, struct layout *at)
{
	struct reader r = reader_over(record, len);
	const uint8_t *p;
	size_t n;
	uint8_t version;

	memset(meta, 0, sizeof(*meta));
	if (get_u16(&r) != RECORD_MAGIC)
		return KW_ERR_CORRUPT;
	version = get_u8(&r);
	if (r.failed || version == 0)
		return KW_ERR_CORRUPT;
	if (version > RECORD_VERSION)
		return KW_ERR_STORE_VERSION;
	p = get_bytes(&r, sizeof(rk->check));
	if (!p)
		return KW_ERR_CORRUPT;
	if (!crypto_equal(p, rk->check, sizeof(rk->check)))
		return KW_ERR_OTHER_DEVICE;
	meta->type = get_u8(&r);
	meta->origin = get_u8(&r);
	meta->place = get_u8(&r);
	meta->purposes = get_u32(&r);
	meta->created = get_u64(&r);
	get_identity_full(&r, &meta->owner);
	p = get_field8(&r, WIRE_NAME_MAX, &n);
	if (p)
		memcpy(meta->name, p, n);
	get_acl(&r, meta);
	p = get_field16(&r, WIRE_SPKI_MAX, &n);
	if (p)
		memcpy(meta->spki, p, n);
	meta->spki_len = n;
	at->salt = get_bytes(&r, SALT_SIZE);
	at->sealed_len = get_u16(&r);
	at->aad_len = r.failed ? 0 : (size_t)(r.at - record);
	at->sealed = get_bytes(&r, at->sealed_len);
	at->tag = get_bytes(&r, CRYPTO_TAG_SIZE);
	if (!reader_done(&r) || at->sealed_len > CRYPTO_PRIVATE_MAX || !key_type_find(meta->type))
		return KW_ERR_CORRUPT;
	return identify(meta);
}

enum kw_err record_parse(
	const struct record_key *rk, const uint8_t *record, size_t len, struct key_meta *meta)
{
	struct layout at;

	return read_record(rk, record, len, meta, &at);
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
	uint8_t one_time[CRYPTO_KEY_SIZE];
	struct layout at;
	enum kw_err err;

	*key = NULL;
	err = read_record(rk, record, len, meta, &at);
	if (err)
		return err;
	err = derive(rk, at.salt, one_time);
	if (err)
		goto out;
	err = crypto_open(one_time, nonce, (struct crypto_bytes){record, at.aad_len}, at.sealed,
		at.sealed_len, private_part, at.tag);
	if (err)
		goto out;
	err = crypto_key_load((enum key_type)meta->type, private_part, at.sealed_len, key);
	if (!err)
		err = check_rsa(meta, *key);
	if (err)
		crypto_key_free(key);
out:
	platform_wipe(private_part, sizeof(private_part));
	platform_wipe(one_time, sizeof(one_time));
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "sealing.h"

#include <string.h>

/*
 * Each record is encrypted under a key of its own, derived from the device's key and 32 random bytes. So
 * the nonce can be constant, and no number of records brings AES-GCM near its limits.
 */
static const uint8_t nonce[12];

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

static enum kw_err derive(const struct record_key *rk, const char *label, const uint8_t *salt,
	uint8_t key[CRYPTO_KEY_SIZE])
{
	struct crypto_bytes parts[] = {{label, strlen(label)}, {salt, SEALING_SALT_SIZE}};

	return crypto_hmac(rk->key, parts, 2, key);
}

void sealing_put_head(
	struct writer *w, const struct record_key *rk, uint16_t magic, uint8_t version)
{
	put_u16(w, magic);
	put_u8(w, version);
	put_bytes(w, rk->check, sizeof(rk->check));
}

enum kw_err sealing_get_head(struct reader *r, const struct record_key *rk, uint16_t magic,
	uint8_t newest, uint8_t *version)
{
	const uint8_t *check;

	if (get_u16(r) != magic)
		return KW_ERR_CORRUPT;
	*version = get_u8(r);
	if (r->failed || *version == 0)
		return KW_ERR_CORRUPT;
	if (*version > newest)
		return KW_ERR_STORE_VERSION;
	check = get_bytes(r, sizeof(rk->check));
	if (!check)
		return KW_ERR_CORRUPT;
	return crypto_equal(check, rk->check, sizeof(rk->check)) ? KW_ERR_OK : KW_ERR_OTHER_DEVICE;
}

enum kw_err sealing_put(struct writer *w, const struct record_key *rk, const char *label,
	const uint8_t *secret, size_t n)
{
	uint8_t one_time[CRYPTO_KEY_SIZE];
	uint8_t salt[SEALING_SALT_SIZE];
	uint8_t tag[CRYPTO_TAG_SIZE];
	enum kw_err err = KW_ERR_TOO_LARGE;

	if (n > UINT16_MAX)
		goto out;
	err = platform_random(salt, sizeof(salt));
	if (err)
		goto out;
	err = derive(rk, label, salt, one_time);
	if (err)
		goto out;
	put_bytes(w, salt, sizeof(salt));
	put_u16(w, (uint16_t)n);
	err = KW_ERR_TOO_LARGE;
	if (w->failed || n + sizeof(tag) > w->cap - w->len)
		goto out;
	err = crypto_seal(one_time, nonce, (struct crypto_bytes){w->buf, w->len}, secret, n,
		w->buf + w->len, tag);
	if (err)
		goto out;
	w->len += n;
	put_bytes(w, tag, sizeof(tag));
out:
	platform_wipe(one_time, sizeof(one_time));
	return err;
}

void sealing_get(struct reader *r, const uint8_t *record, size_t max, struct sealed *s)
{
	s->salt = get_bytes(r, SEALING_SALT_SIZE);
	s->len = get_u16(r);
	s->aad_len = r->failed ? 0 : (size_t)(r->at - record);
	s->bytes = get_bytes(r, s->len);
	s->tag = get_bytes(r, CRYPTO_TAG_SIZE);
	if (s->len > max)
		r->failed = true;
}

enum kw_err sealing_open(const struct record_key *rk, const char *label, const uint8_t *record,
	const struct sealed *s, uint8_t *out)
{
	uint8_t one_time[CRYPTO_KEY_SIZE];
	enum kw_err err = derive(rk, label, s->salt, one_time);

	if (!err)
		err = crypto_open(one_time, nonce, (struct crypto_bytes){record, s->aad_len},
			s->bytes, s->len, out, s->tag);
	platform_wipe(one_time, sizeof(one_time));
	return err;
}

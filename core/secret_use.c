/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands with secret keys: CIPHER and MAC; and RANDOM. */
#include <string.h>

#include "key_wrap.h"
#include "use.h"

#define NONCE_SIZE 12 /* of a nonce that is made here: NIST SP 800-38D, 8.2.2 */
#define GCM_TAG_MIN \
	12 /* NIST SP 800-38D, 5.2.1.2: shorter ones need more care than we can ask for */
#define MAC_TAG_MIN 4 /* NIST SP 800-107, 5.3.3 */

enum kw_err cmd_random(struct call *c, struct reader *req, struct writer *rsp)
{
	size_t n = get_u16(req);
	uint8_t *out;

	(void)c;
	if (!reader_done(req) || n == 0 || n > WIRE_RANDOM_MAX)
		return KW_ERR_BAD_REQUEST;
	put_u16(rsp, (uint16_t)n);
	out = put_room(rsp, n);
	return out ? platform_random(out, n) : KW_ERR_TOO_LARGE;
}

struct cipher_request {
	const uint8_t *id;
	struct crypto_cipher what; /* without the tag of a GCM message that is decrypted */
	uint8_t nonce[NONCE_SIZE];
	bool made_nonce;
};

static bool takes_iv(enum cipher mode)
{
	return mode == CIPHER_AES_CBC || mode == CIPHER_AES_CTR;
}

static bool is_wrap(enum cipher mode)
{
	return mode == CIPHER_AES_KW || mode == CIPHER_AES_KWP;
}

static enum kw_err check_gcm(struct cipher_request *r)
{
	struct crypto_cipher *w = &r->what;

	if (w->tag_len < GCM_TAG_MIN || w->tag_len > CRYPTO_TAG_SIZE)
		return KW_ERR_BAD_REQUEST;
	if (!w->encrypt) {
		if (!w->iv.n)
			return KW_ERR_BAD_REQUEST;
		if (w->n < w->tag_len)
			return KW_ERR_DECRYPT;
		w->n -= w->tag_len;
		return KW_ERR_OK;
	}
	if (w->iv.n)
		return KW_ERR_OK;
	r->made_nonce = true;
	w->iv = (struct crypto_bytes){r->nonce, sizeof(r->nonce)};
	return platform_random(r->nonce, sizeof(r->nonce));
}

static enum kw_err get_cipher(struct reader *req, struct cipher_request *r)
{
	struct crypto_cipher *w = &r->what;
	uint8_t direction;

	r->id = get_bytes(req, WIRE_ID_SIZE);
	w->mode = (enum cipher)get_u8(req);
	direction = get_u8(req);
	w->iv.p = get_field8(req, WIRE_NONCE_MAX, &w->iv.n);
	w->tag_len = get_u8(req);
	w->aad.p = get_field16(req, WIRE_AAD_MAX, &w->aad.n);
	w->in = get_field32(req, WIRE_DATA_MAX + CRYPTO_TAG_SIZE, &w->n);
	if (!reader_done(req) || w->mode < CIPHER_AES_ECB || w->mode > CIPHER_AES_KWP ||
		(direction != DIRECTION_ENCRYPT && direction != DIRECTION_DECRYPT))
		return KW_ERR_BAD_REQUEST;
	w->encrypt = direction == DIRECTION_ENCRYPT;
	if (w->mode == CIPHER_AES_GCM)
		return check_gcm(r);
	if (w->tag_len || w->aad.n || w->iv.n != (takes_iv(w->mode) ? CRYPTO_BLOCK : 0))
		return KW_ERR_BAD_REQUEST;
	if ((w->mode == CIPHER_AES_ECB || w->mode == CIPHER_AES_CBC) && w->n % CRYPTO_BLOCK)
		return KW_ERR_BAD_REQUEST;
	return is_wrap(w->mode) && w->n > KEY_WRAP_MAX + KEY_WRAP_MORE ? KW_ERR_TOO_LARGE
								       : KW_ERR_OK;
}

/*
 * Whoever has blocks of his choice encrypted has the key stream of every CTR and GCM message, and so decrypts: by their
 * counter, by ECB, by CBC's first block. Alone, encrypt is good for GCM with a nonce of the TEE, and for wrapping.
 */
static bool chooses_blocks(const struct cipher_request *r)
{
	return r->what.encrypt && !r->made_nonce && !is_wrap(r->what.mode);
}

static enum kw_err run_wrap(
	const struct key *key, const struct crypto_cipher *what, struct writer *rsp)
{
	uint8_t out[KEY_WRAP_MAX + 2 * KEY_WRAP_MORE];
	bool padded = what->mode == CIPHER_AES_KWP;
	enum kw_err err;
	size_t n = 0;

	if (what->encrypt)
		err = key_wrap(key->crypto, padded, what->in, what->n, out, &n);
	else
		err = key_unwrap(key->crypto, padded, what->in, what->n, out, &n);
	if (!err)
		put_field32(rsp, out, n);
	platform_wipe(out, sizeof(out));
	return err;
}

static enum kw_err run_cipher(
	const struct key *key, const struct cipher_request *r, struct writer *rsp)
{
	struct crypto_cipher what = r->what;
	size_t more = what.encrypt ? what.tag_len : 0;
	uint8_t tag[CRYPTO_TAG_SIZE];
	uint8_t *out;

	put_u32(rsp, (uint32_t)(what.n + more));
	out = put_room(rsp, what.n + more);
	if (!out)
		return KW_ERR_TOO_LARGE;
	what.tag = more ? out + what.n : tag;
	if (what.tag_len && !what.encrypt)
		memcpy(tag, what.in + what.n, what.tag_len);
	return crypto_cipher(key->crypto, &what, out);
}

enum kw_err cmd_cipher(struct call *c, struct reader *req, struct writer *rsp)
{
	struct cipher_request r = {0};
	struct key *key = NULL;
	enum kw_err err;

	err = get_cipher(req, &r);
	if (err)
		goto out;
	err = use_key(c, r.id, FAMILY_BIT(FAMILY_AES),
		r.what.encrypt ? PURPOSE_ENCRYPT : PURPOSE_DECRYPT, &key);
	if (!err && chooses_blocks(&r) && !(key->purposes & (PURPOSE_DECRYPT | PURPOSE_MIXED)))
		err = use_refused(c, key);
	if (err)
		goto out;
	put_field8(rsp, r.nonce, r.made_nonce ? sizeof(r.nonce) : 0);
	if (is_wrap(r.what.mode))
		err = run_wrap(key, &r.what, rsp);
	else
		err = run_cipher(key, &r, rsp);
	if (!err)
		key_count_signature(c->core, key);
out:
	key_release(&key);
	return err;
}

static enum kw_err compute_hmac(
	const struct key *key, enum hash_id hash, struct crypto_bytes data, uint8_t *tag)
{
	uint8_t value[CRYPTO_PRIVATE_MAX];
	struct crypto_bytes secret = {value, 0};
	enum kw_err err = crypto_key_private(key->crypto, value, &secret.n);

	if (!err)
		err = crypto_hmac_with(hash, secret, &data, 1, tag);
	platform_wipe(value, sizeof(value));
	return err;
}

enum kw_err cmd_mac(struct call *c, struct reader *req, struct writer *rsp)
{
	const uint8_t *id = get_bytes(req, WIRE_ID_SIZE);
	enum mac mac = (enum mac)get_u8(req);
	enum hash_id hash = (enum hash_id)get_u8(req);
	uint8_t work = get_u8(req);
	struct crypto_bytes given, data;
	uint8_t tag[HASH_MAX_SIZE];
	struct key *key = NULL;
	enum kw_err err;
	size_t n;

	given.p = get_field8(req, HASH_MAX_SIZE, &given.n);
	data.p = get_field32(req, WIRE_DATA_MAX, &data.n);
	n = mac == MAC_HMAC ? hash_size(hash) : CRYPTO_BLOCK;
	if (!reader_done(req) || (mac != MAC_HMAC && (mac != MAC_CMAC || hash)) || n == 0)
		return KW_ERR_BAD_REQUEST;
	if (work == MAC_VERIFY ? given.n < MAC_TAG_MIN || given.n > n : work != MAC_MAKE || given.n)
		return KW_ERR_BAD_REQUEST;
	err = use_key(
		c, id, FAMILY_BIT(mac == MAC_HMAC ? FAMILY_HMAC : FAMILY_AES), PURPOSE_MAC, &key);
	if (err)
		goto out;
	if (mac == MAC_HMAC)
		err = compute_hmac(key, hash, data, tag);
	else
		err = crypto_cmac(key->crypto, data.p, data.n, tag);
	if (err)
		goto out;
	err = KW_ERR_BAD_MAC;
	if (work == MAC_VERIFY && !crypto_equal(tag, given.p, given.n))
		goto out;
	put_field8(rsp, tag, work == MAC_MAKE ? n : 0);
	key_count_signature(c->core, key);
	err = KW_ERR_OK;
out:
	platform_wipe(tag, sizeof(tag));
	key_release(&key);
	return err;
}

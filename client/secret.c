/* SPDX-License-Identifier: BSD-2-Clause */
/* Using secret keys: encryption, MACs; and random bytes. */
#include "operation.h"

#include <string.h>

enum kw_err kw_random(struct kw *kw, uint8_t *buf, size_t len)
{
	const uint8_t *p;
	struct reader rsp;
	struct call c;
	enum kw_err err;
	size_t n;

	if (!buf && len)
		return explain(KW_ERR_ARGUMENT, "there is no place for the random bytes");
	err = call_begin(&c, kw, CMD_RANDOM);
	c.secret = true;
	for (size_t at = 0; !err && at < len; at += n) {
		n = len - at < KW_RANDOM_MAX ? len - at : KW_RANDOM_MAX;
		if (at)
			call_next(&c, CMD_RANDOM);
		put_u16(&c.req, (uint16_t)n);
		err = call_run(&c, &rsp);
		if (err) {
			err = call_refused(&c, err, NULL);
			break;
		}
		p = get_field16(&rsp, n, &n);
		if (!reader_done(&rsp) || n == 0 || (n < KW_RANDOM_MAX && n < len - at)) {
			err = call_nonsense(&c);
			break;
		}
		memcpy(buf + at, p, n);
	}
	call_end(&c);
	if (err && buf)
		explicit_bzero(buf, len);
	return err;
}

static enum kw_err put_cipher(struct writer *w, const struct operation *op)
{
	const struct kw_cipher *c = op->what;

	put_bytes(w, op->use->id, KW_ID_SIZE);
	put_u8(w, enum_byte(c->mode));
	put_u8(w, c->decrypt ? DIRECTION_DECRYPT : DIRECTION_ENCRYPT);
	put_field8(w, c->iv, c->iv_len);
	put_u8(w, (uint8_t)c->tag_len);
	put_field16(w, c->aad, c->aad_len);
	put_field32(w, c->data, c->len);
	return KW_ERR_OK;
}

struct cipher_result {
	const struct kw_cipher *what;
	uint8_t *nonce;
	struct operation_bytes bytes;
};

static enum kw_err take_cipher(struct reader *rsp, void *result)
{
	struct cipher_result *to = result;
	const uint8_t *nonce, *p;
	size_t nonce_len, len;

	nonce = get_field8(rsp, KW_NEW_NONCE_SIZE, &nonce_len);
	p = get_field32(rsp, WIRE_MAX_PAYLOAD, &len);
	if (!reader_done(rsp) || nonce_len != (to->nonce ? KW_NEW_NONCE_SIZE : 0) ||
		len > to->what->len + KW_CIPHER_MORE)
		return KW_ERR_PROTOCOL;
	if (len > to->bytes.len)
		return explain(KW_ERR_TOO_LARGE,
			"the result has %zu bytes, and there is room for %zu", len, to->bytes.len);
	if (to->nonce)
		memcpy(to->nonce, nonce, nonce_len);
	memcpy(to->bytes.buf, p, len);
	to->bytes.len = len;
	return KW_ERR_OK;
}

static enum kw_err check_cipher(const struct kw_cipher *what, const uint8_t *nonce)
{
	bool makes_nonce = what->mode == KW_CIPHER_AES_GCM && !what->decrypt && !what->iv_len;
	size_t tag = what->mode == KW_CIPHER_AES_GCM && what->decrypt ? what->tag_len : 0;

	if ((!what->data && what->len) || (!what->iv && what->iv_len) ||
		(!what->aad && what->aad_len))
		return explain(KW_ERR_ARGUMENT, "data, nonce or associated data are missing");
	if (makes_nonce != (nonce != NULL))
		return explain(KW_ERR_ARGUMENT,
			"there is a place for a new nonce exactly when AES-GCM encrypts "
			"and none is given");
	if (what->iv_len > KW_NONCE_MAX || what->tag_len > UINT8_MAX)
		return explain(
			KW_ERR_ARGUMENT, "a nonce has at most %d bytes, a tag 16", KW_NONCE_MAX);
	if (what->aad_len > KW_AAD_MAX)
		return explain(KW_ERR_TOO_LARGE,
			"associated data has at most %d bytes, and this %zu", KW_AAD_MAX,
			what->aad_len);
	if (what->len > KW_DATA_MAX + tag)
		return explain(KW_ERR_TOO_LARGE,
			"the data has %zu bytes; the TEE takes %d at a time", what->len,
			KW_DATA_MAX);
	return KW_ERR_OK;
}

enum kw_err kw_cipher(struct kw *kw, const struct kw_use *use, const struct kw_cipher *what,
	uint8_t *nonce, uint8_t *out, size_t *out_len)
{
	struct cipher_result result = {.what = what, .nonce = nonce};
	struct operation op = {.use = use,
		.what = what,
		.command = CMD_CIPHER,
		.secret = true,
		.put = put_cipher,
		.take = take_cipher,
		.result = &result};
	enum kw_err err;

	if (!out_len)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	result.bytes = (struct operation_bytes){.buf = out, .len = *out_len};
	*out_len = 0;
	if (!out || !use || !use->id || !what)
		return explain(KW_ERR_ARGUMENT, "encryption needs a key's id, data and a place");
	err = check_cipher(what, nonce);
	if (!err)
		err = operation_run(kw, &op);
	if (!err)
		*out_len = result.bytes.len;
	return err;
}

struct mac_request {
	const struct kw_mac *what;
	const uint8_t *tag; /* to verify; NULL: to make one */
	size_t tag_len;
};

static enum kw_err put_mac(struct writer *w, const struct operation *op)
{
	const struct mac_request *m = op->what;

	put_bytes(w, op->use->id, KW_ID_SIZE);
	put_u8(w, enum_byte(m->what->kind));
	put_u8(w, enum_byte(m->what->hash));
	put_u8(w, m->tag ? MAC_VERIFY : MAC_MAKE);
	put_field8(w, m->tag, m->tag ? m->tag_len : 0);
	put_field32(w, m->what->data, m->what->len);
	return KW_ERR_OK;
}

static enum kw_err take_mac(struct reader *rsp, void *result)
{
	struct operation_bytes *to = result;
	size_t len;
	const uint8_t *tag = get_field8(rsp, KW_MAC_MAX, &len);

	if (!reader_done(rsp) || (len == 0) != (to->buf == NULL))
		return KW_ERR_PROTOCOL;
	if (to->buf)
		memcpy(to->buf, tag, len);
	to->len = len;
	return KW_ERR_OK;
}

static enum kw_err run_mac(struct kw *kw, const struct kw_use *use, const struct mac_request *m,
	struct operation_bytes *result)
{
	struct operation op = {.use = use,
		.what = m,
		.command = CMD_MAC,
		.secret = true,
		.put = put_mac,
		.take = take_mac,
		.result = result};

	if (!use || !use->id || !m->what || (!m->what->data && m->what->len))
		return explain(KW_ERR_ARGUMENT, "a MAC needs a key's id and data");
	if (m->what->len > KW_DATA_MAX)
		return explain(KW_ERR_TOO_LARGE,
			"the data has %zu bytes; the TEE takes %d at a time", m->what->len,
			KW_DATA_MAX);
	return operation_run(kw, &op);
}

enum kw_err kw_mac(struct kw *kw, const struct kw_use *use, const struct kw_mac *what, uint8_t *tag,
	size_t *tag_len)
{
	struct operation_bytes result = {.buf = tag};
	struct mac_request m = {.what = what};
	enum kw_err err;

	if (!tag || !tag_len)
		return explain(KW_ERR_ARGUMENT, "there is no place for the MAC");
	*tag_len = 0;
	err = run_mac(kw, use, &m, &result);
	if (!err)
		*tag_len = result.len;
	return err;
}

enum kw_err kw_mac_verify(struct kw *kw, const struct kw_use *use, const struct kw_mac *what,
	const uint8_t *tag, size_t tag_len)
{
	struct mac_request m = {.what = what, .tag = tag, .tag_len = tag_len};
	struct operation_bytes result = {0};

	if (!tag || tag_len > KW_MAC_MAX)
		return explain(KW_ERR_ARGUMENT, "a MAC has at most %d bytes", KW_MAC_MAX);
	return run_mac(kw, use, &m, &result);
}

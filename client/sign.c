/* SPDX-License-Identifier: BSD-2-Clause */
/* Using keys: signatures and RSA decryption. */
#include "operation.h"

#include <string.h>

#include "wire/der.h"

/* r and s of P-521. */
#define ECDSA_MAX 132

static enum kw_err put_sign(struct writer *w, const struct operation *op)
{
	const struct kw_sign *s = op->what;

	put_bytes(w, op->use->id, KW_ID_SIZE);
	put_u8(w, enum_byte(s->scheme));
	put_u8(w, enum_byte(s->hash));
	put_u8(w, s->is_digest ? INPUT_DIGEST : INPUT_MESSAGE);
	put_u16(w, s->salt_len);
	put_field32(w, s->data, s->len);
	return KW_ERR_OK;
}

static enum kw_err put_decrypt(struct writer *w, const struct operation *op)
{
	const struct kw_decrypt *d = op->what;

	put_bytes(w, op->use->id, KW_ID_SIZE);
	put_u8(w, d->oaep ? PADDING_OAEP : d->raw ? PADDING_NONE : PADDING_PKCS1);
	put_u8(w, d->oaep ? enum_byte(d->hash) : 0);
	put_u8(w, d->oaep ? enum_byte(d->mgf_hash) : 0);
	put_field16(w, d->label, d->oaep ? d->label_len : 0);
	put_field16(w, d->data, d->len);
	return KW_ERR_OK;
}

/* The field has a bound of its own: more is nonsense, not want of room. */
static enum kw_err take_signature(struct reader *rsp, void *result)
{
	struct operation_bytes *to = result;
	size_t len;
	const uint8_t *p = get_field16(rsp, KW_SIGNATURE_MAX, &len);

	if (!reader_done(rsp) || len < to->min)
		return KW_ERR_PROTOCOL;
	memcpy(to->buf, p, len);
	to->len = len;
	return KW_ERR_OK;
}

static enum kw_err run_operation(
	struct kw *kw, struct operation *op, uint8_t *out, size_t *out_len, bool may_be_empty)
{
	struct operation_bytes bytes = {out, KW_SIGNATURE_MAX, may_be_empty ? 0 : 1};
	enum kw_err err;

	op->take = take_signature;
	op->result = &bytes;
	err = operation_run(kw, op);
	if (!err)
		*out_len = bytes.len;
	return err;
}

enum kw_err kw_sign(struct kw *kw, const struct kw_use *use, const struct kw_sign *what,
	uint8_t *sig, size_t *sig_len)
{
	struct operation op = {.use = use, .what = what, .command = CMD_SIGN, .put = put_sign};

	if (!sig || !sig_len)
		return explain(KW_ERR_ARGUMENT, "there is no place for the signature");
	*sig_len = 0;
	if (!use || !use->id || !what || (!what->data && what->len))
		return explain(KW_ERR_ARGUMENT, "a signature needs a key's id and data");
	if (what->len > KW_MESSAGE_MAX)
		return explain(KW_ERR_TOO_LARGE,
			"the data to sign has %zu bytes; the TEE takes %d at a time: "
			"sign a digest of it",
			what->len, KW_MESSAGE_MAX);
	return run_operation(kw, &op, sig, sig_len, false);
}

enum kw_err kw_rsa_decrypt(struct kw *kw, const struct kw_use *use, const struct kw_decrypt *what,
	uint8_t *out, size_t *out_len)
{
	struct operation op = {.use = use,
		.what = what,
		.command = CMD_RSA_DECRYPT,
		.put = put_decrypt,
		.secret = true};

	if (!out || !out_len)
		return explain(KW_ERR_ARGUMENT, "there is no place for the plaintext");
	*out_len = 0;
	if (!use || !use->id || !what || !what->data || (!what->label && what->label_len))
		return explain(KW_ERR_ARGUMENT, "decryption needs a key's id and data");
	if (what->len > KW_SIGNATURE_MAX)
		return explain(KW_ERR_TOO_LARGE,
			"RSA ciphertexts have at most %d bytes, and this one %zu", KW_SIGNATURE_MAX,
			what->len);
	if (what->label_len > 256)
		return explain(KW_ERR_TOO_LARGE,
			"an OAEP label has at most 256 bytes, and this one %zu", what->label_len);
	return run_operation(kw, &op, out, out_len, true);
}

enum kw_err kw_ecdsa_to_der(const uint8_t *rs, size_t rs_len, uint8_t *der, size_t *der_len)
{
	struct writer w = writer_over(der, KW_SIGNATURE_MAX);

	if (!der || !der_len)
		return explain(KW_ERR_ARGUMENT, "there is no place for the signature");
	*der_len = 0;
	if (!rs || rs_len == 0 || rs_len % 2 || rs_len > ECDSA_MAX)
		return explain(KW_ERR_ARGUMENT,
			"an ECDSA signature is r and s, each as long as the scalar of its curve");
	der_put_ecdsa(&w, rs, rs_len / 2);
	if (w.failed)
		return explain(
			KW_ERR_ARGUMENT, "an ECDSA signature of %zu bytes is too long", rs_len);
	*der_len = w.len;
	return KW_ERR_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Using keys: signatures and RSA decryption. */
#include "call.h"
#include "key.h"

#include <string.h>

#include "wire/der.h"

/* A sealed key can be let go between loading and use when many are in use: but not for ever. */
#define LOADS_MAX 2
/* r and s of P-521. */
#define ECDSA_MAX 132

/* What a call with a key asks for; one of the two is set. */
struct operation {
	const struct kw_use *use;
	const struct kw_sign *sign;
	const struct kw_decrypt *decrypt;
	uint16_t command;
};

static void put_operation(struct writer *w, const struct operation *op)
{
	const struct kw_sign *s = op->sign;
	const struct kw_decrypt *d = op->decrypt;

	put_bytes(w, op->use->id, KW_ID_SIZE);
	if (s) {
		put_u8(w, enum_byte(s->scheme));
		put_u8(w, enum_byte(s->hash));
		put_u8(w, s->is_digest ? INPUT_DIGEST : INPUT_MESSAGE);
		put_u16(w, s->salt_len);
		put_field32(w, s->data, s->len);
		return;
	}
	put_u8(w, d->oaep ? PADDING_OAEP : PADDING_PKCS1);
	put_u8(w, d->oaep ? enum_byte(d->hash) : 0);
	put_u8(w, d->oaep ? enum_byte(d->mgf_hash) : 0);
	put_field16(w, d->label, d->oaep ? d->label_len : 0);
	put_field16(w, d->data, d->len);
}

static struct subject subject_of_use(const struct kw_use *use)
{
	return (struct subject){.name = use->label, .id = use->id, .sealed = use->record != NULL};
}

static enum kw_err load(struct call *c, const struct kw_use *use)
{
	struct subject subject = subject_of_use(use);
	const uint8_t *id;
	struct reader rsp;
	enum kw_err err;

	if (use->record_len == 0 || use->record_len > KW_RECORD_MAX)
		return explain(KW_ERR_ARGUMENT,
			"a sealed key's record has 1 to %d bytes, and this one %zu", KW_RECORD_MAX,
			use->record_len);
	call_next(c, CMD_KEY_LOAD);
	put_field16(&c->req, use->record, use->record_len);
	err = call_run(c, &rsp);
	if (err)
		return call_refused(c, err, &subject);
	id = get_bytes(&rsp, KW_ID_SIZE);
	if (!reader_done(&rsp))
		return call_nonsense(c);
	if (memcmp(id, use->id, KW_ID_SIZE) != 0)
		return explain(KW_ERR_BAD_REFERENCE,
			"the key file is inconsistent: it names one key and "
			"holds another; make it again");
	return KW_ERR_OK;
}

/* A refusal for its purpose is explained with the purposes: asks for them. */
static enum kw_err refused(struct call *c, enum kw_err err, const struct kw_use *use)
{
	struct subject subject = subject_of_use(use);
	struct kw_target target = {.id = use->id};
	uint16_t command = c->command;
	struct kw_key *key = NULL;
	struct reader rsp;

	if (err == KW_ERR_NOT_LOADED && !use->record)
		err = KW_ERR_NO_KEY;
	if (err == KW_ERR_PURPOSE || err == KW_ERR_TLS_MESSAGE) {
		call_next(c, CMD_KEY_INFO);
		if (!put_target(&c->req, &target) && !call_run(c, &rsp) &&
			!get_key(&rsp, false, &key))
			subject.purposes = key->purposes;
		kw_key_free(&key);
		c->command = command;
	}
	return call_refused(c, err, &subject);
}

static enum kw_err run_operation(
	struct kw *kw, const struct operation *op, uint8_t *out, size_t *out_len, bool may_be_empty)
{
	enum kw_err err = KW_ERR_OK;
	const uint8_t *result;
	struct reader rsp;
	struct call c;
	size_t len;

	err = call_begin(&c, kw, op->command);
	if (err)
		goto out;
	c.secret = op->decrypt != NULL;
	for (unsigned loads = 0;; loads++) {
		put_operation(&c.req, op);
		err = call_run(&c, &rsp);
		if (err != KW_ERR_NOT_LOADED || !op->use->record || loads == LOADS_MAX)
			break;
		err = load(&c, op->use);
		if (err)
			goto out;
		call_next(&c, op->command);
	}
	if (err) {
		err = refused(&c, err, op->use);
		goto out;
	}
	result = get_field16(&rsp, KW_SIGNATURE_MAX, &len);
	if (!reader_done(&rsp) || (len == 0 && !may_be_empty)) {
		err = call_nonsense(&c);
		goto out;
	}
	memcpy(out, result, len);
	*out_len = len;
out:
	call_end(&c);
	return err;
}

enum kw_err kw_sign(struct kw *kw, const struct kw_use *use, const struct kw_sign *what,
	uint8_t *sig, size_t *sig_len)
{
	struct operation op = {.use = use, .sign = what, .command = CMD_SIGN};

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
	struct operation op = {.use = use, .decrypt = what, .command = CMD_RSA_DECRYPT};

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

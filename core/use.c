/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that use a key: SIGN, RSA_DECRYPT, and KEY_LOAD, which makes a sealed one ready for them. */
#include <string.h>

#include "core_state.h"
#include "key_type.h"
#include "policy.h"
#include "use.h"

#define LABEL_MAX 256

enum kw_err use_refused(struct call *c, struct key *key)
{
	key_count_refusal(c->core, key);
	return KW_ERR_PURPOSE;
}

enum kw_err use_key(struct call *c, const uint8_t id[WIRE_ID_SIZE], unsigned families,
	uint32_t purposes, struct key **key)
{
	enum kw_err err = key_use(c->core, c->session, id, key);

	if (err)
		return err;
	if (!(FAMILY_BIT(key_type_find((uint8_t)(*key)->type)->family) & families))
		err = KW_ERR_BAD_ALGORITHM;
	else if (((*key)->purposes & purposes) != purposes)
		err = use_refused(c, *key);
	if (err)
		key_release(key);
	return err;
}

enum kw_err cmd_sign(struct call *c, struct reader *req, struct writer *rsp)
{
	struct crypto_sign what = {0};
	uint8_t sig[CRYPTO_SIGNATURE_MAX];
	struct key *key = NULL;
	const uint8_t *id = get_bytes(req, WIRE_ID_SIZE);
	uint8_t input;
	size_t n = 0;
	enum kw_err err;

	what.scheme = (enum scheme)get_u8(req);
	what.hash = (enum hash_id)get_u8(req);
	input = get_u8(req);
	what.salt_len = get_u16(req);
	what.data = get_field32(req, WIRE_MAX_PAYLOAD, &what.n);
	if (!reader_done(req) || input > INPUT_DIGEST)
		return KW_ERR_BAD_REQUEST;
	what.is_digest = input == INPUT_DIGEST;
	err = key_use(c->core, c->session, id, &key);
	if (err)
		goto out;
	err = policy_check_sign(key->type, key->purposes, &what);
	if (err == KW_ERR_PURPOSE || err == KW_ERR_TLS_MESSAGE)
		key_count_refusal(c->core, key);
	if (err)
		goto out;
	err = crypto_sign(key->crypto, &what, sig, &n);
	if (err)
		goto out;
	put_field16(rsp, sig, n);
	key_count_signature(c->core, key);
out:
	key_release(&key);
	return err;
}

static uint32_t decrypt_purpose(uint8_t padding)
{
	return padding == PADDING_OAEP    ? PURPOSE_DECRYPT
	       : padding == PADDING_PKCS1 ? PURPOSE_DECRYPT_PKCS1
					  : PURPOSE_RAW;
}

/* The whole block, whatever is in it. */
static enum kw_err decrypt_raw(
	const struct key *key, const struct crypto_decrypt *what, uint8_t *out, size_t *n)
{
	const struct crypto_sign raw = {.scheme = SCHEME_RSA_RAW, .data = what->in, .n = what->n};
	enum kw_err err = crypto_sign(key->crypto, &raw, out, n);

	return err == KW_ERR_BAD_REQUEST || err == KW_ERR_BAD_ALGORITHM ? KW_ERR_DECRYPT : err;
}

enum kw_err cmd_rsa_decrypt(struct call *c, struct reader *req, struct writer *rsp)
{
	struct crypto_decrypt what = {0};
	uint8_t out[CRYPTO_SIGNATURE_MAX];
	struct key *key = NULL;
	const uint8_t *id = get_bytes(req, WIRE_ID_SIZE);
	uint8_t padding = get_u8(req);
	size_t n = 0;
	enum kw_err err;

	what.hash = (enum hash_id)get_u8(req);
	what.mgf = (enum hash_id)get_u8(req);
	what.label.p = get_field16(req, LABEL_MAX, &what.label.n);
	what.in = get_field16(req, CRYPTO_SIGNATURE_MAX, &what.n);
	if (!reader_done(req))
		return KW_ERR_BAD_REQUEST;
	what.oaep = padding == PADDING_OAEP;
	if (what.oaep ? !hash_size(what.hash) || !hash_size(what.mgf)
		      : padding < PADDING_PKCS1 || padding > PADDING_NONE || what.hash ||
				what.mgf || what.label.n)
		return KW_ERR_BAD_REQUEST;
	err = use_key(c, id, FAMILY_BIT(FAMILY_RSA), decrypt_purpose(padding), &key);
	if (err)
		goto out;
	if (padding == PADDING_NONE)
		err = decrypt_raw(key, &what, out, &n);
	else
		err = crypto_rsa_decrypt(key->crypto, &what, out, &n);
	if (err)
		goto out;
	put_field16(rsp, out, n);
	key_count_signature(c->core, key);
out:
	platform_wipe(out, sizeof(out));
	key_release(&key);
	return err;
}

enum kw_err cmd_key_load(struct call *c, struct reader *req, struct writer *rsp)
{
	struct key_meta *meta = NULL;
	struct key *key = NULL;
	const uint8_t *record;
	size_t len;
	enum kw_err err;

	record = get_field16(req, WIRE_RECORD_MAX, &len);
	if (!reader_done(req))
		return KW_ERR_BAD_REQUEST;
	meta = platform_alloc(sizeof(*meta));
	if (!meta)
		return KW_ERR_NO_MEMORY;
	err = key_load_sealed(c->core, c->session, record, len, meta, &key);
	if (err)
		goto out;
	/* Who may only manage the key learns here, and not at SIGN, that he may not use it. */
	err = KW_ERR_ACCESS;
	if (!policy_may_use(c->session, &meta->owner, meta->acl, meta->acl_count)) {
		key_count_refusal(c->core, key);
		goto out;
	}
	put_bytes(rsp, key->id, WIRE_ID_SIZE);
	err = KW_ERR_OK;
out:
	key_release(&key);
	platform_free(meta, sizeof(*meta));
	return err;
}

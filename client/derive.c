/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys out of keys: agreement, derivation, wrapping and unwrapping. */
#include "operation.h"

#include <string.h>

#include "key.h"

#define LABEL_MAX 256

struct derive_request {
	const struct kw_derive *what;
	const struct kw_key_template *t; /* NULL: the value */
};

static enum kw_err put_derive(struct writer *w, const struct operation *op)
{
	const struct derive_request *r = op->what;
	const struct kw_derive *d = r->what;
	bool agree = d->derivation == KW_DERIVATION_AGREEMENT;

	put_bytes(w, op->use->id, KW_ID_SIZE);
	put_u8(w, enum_byte(d->derivation));
	put_u8(w, enum_byte(d->hash));
	if (agree) {
		put_u8(w, d->x963 ? KDF_X963 : KDF_NONE);
		put_field16(w, d->peer, d->peer_len);
	} else {
		put_u8(w,
			(uint8_t)((d->extract ? HKDF_EXTRACT : 0) | (d->expand ? HKDF_EXPAND : 0)));
		put_field16(w, d->salt, d->salt_len);
	}
	put_field16(w, d->info, d->info_len);
	put_u8(w, r->t ? DERIVED_KEY : DERIVED_VALUE);
	put_u16(w, (uint16_t)d->len);
	return r->t ? put_template(w, r->t) : KW_ERR_OK;
}

static enum kw_err check_derive(const struct kw_use *use, const struct kw_derive *d)
{
	if (!use || !use->id || !d || (!d->peer && d->peer_len) || (!d->salt && d->salt_len) ||
		(!d->info && d->info_len))
		return explain(KW_ERR_ARGUMENT, "a derivation needs a key's id and parameters");
	if (d->peer_len > KW_INFO_MAX || d->salt_len > KW_INFO_MAX || d->info_len > KW_INFO_MAX ||
		d->len > KW_DERIVED_MAX)
		return explain(KW_ERR_TOO_LARGE,
			"parameters and the result of a derivation have at most %d bytes each",
			KW_INFO_MAX);
	return KW_ERR_OK;
}

enum kw_err kw_derive(struct kw *kw, const struct kw_use *use, const struct kw_derive *what,
	uint8_t *out, size_t *out_len)
{
	struct derive_request r = {.what = what};
	struct operation_bytes result = {.buf = out, .len = KW_DERIVED_MAX, .min = 1};
	struct operation op = {.use = use,
		.what = &r,
		.command = CMD_DERIVE,
		.secret = true,
		.put = put_derive,
		.take = operation_take_bytes,
		.result = &result};
	enum kw_err err;

	if (!out || !out_len)
		return explain(KW_ERR_ARGUMENT, "there is no place for the secret");
	*out_len = 0;
	err = check_derive(use, what);
	if (!err)
		err = operation_run(kw, &op);
	if (!err)
		*out_len = result.len;
	return err;
}

static enum kw_err take_key(struct reader *rsp, void *result)
{
	return get_key(rsp, true, result);
}

enum kw_err kw_derive_key(struct kw *kw, const struct kw_use *use, const struct kw_derive *what,
	const struct kw_key_template *t, struct kw_key **key)
{
	struct derive_request r = {.what = what, .t = t};
	struct operation op = {.use = use,
		.what = &r,
		.command = CMD_DERIVE,
		.put = put_derive,
		.take = take_key,
		.result = key};
	enum kw_err err;

	if (!key)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	*key = NULL;
	if (!t)
		return explain(KW_ERR_ARGUMENT, "there is no description of the key to make");
	err = check_derive(use, what);
	return err ? err : operation_run(kw, &op);
}

struct wrap_request {
	const struct kw_wrap *what;
	const uint8_t *wrapped; /* to unwrap */
	size_t wrapped_len;
	const struct kw_key_template *t;
};

static enum kw_err put_wrap(struct writer *w, const struct operation *op)
{
	const struct wrap_request *r = op->what;
	const struct kw_wrap *d = r->what;
	bool oaep = d->wrapping == KW_WRAPPING_RSA_OAEP;

	put_bytes(w, op->use->id, KW_ID_SIZE);
	put_u8(w, enum_byte(d->wrapping));
	put_u8(w, oaep ? enum_byte(d->hash) : 0);
	put_u8(w, oaep ? enum_byte(d->mgf_hash) : 0);
	put_field16(w, d->label, oaep ? d->label_len : 0);
	if (!r->t) {
		put_bytes(w, op->other->id, KW_ID_SIZE);
		return KW_ERR_OK;
	}
	put_field16(w, r->wrapped, r->wrapped_len);
	return put_template(w, r->t);
}

static enum kw_err check_wrap(const struct kw_use *by, const struct kw_wrap *what)
{
	if (!by || !by->id || !what || (!what->label && what->label_len))
		return explain(KW_ERR_ARGUMENT, "wrapping needs the id of the key that wraps");
	if (what->label_len > LABEL_MAX)
		return explain(KW_ERR_TOO_LARGE,
			"an OAEP label has at most %d bytes, and this one %zu", LABEL_MAX,
			what->label_len);
	return KW_ERR_OK;
}

enum kw_err kw_wrap(struct kw *kw, const struct kw_use *by, const struct kw_use *key,
	const struct kw_wrap *what, uint8_t *out, size_t *out_len)
{
	struct operation_bytes result = {.buf = out, .len = KW_WRAPPED_MAX, .min = 1};
	struct wrap_request r = {.what = what};
	struct operation op = {.use = by,
		.other = key,
		.what = &r,
		.command = CMD_WRAP,
		.put = put_wrap,
		.take = operation_take_bytes,
		.result = &result};
	enum kw_err err;

	if (!out || !out_len)
		return explain(KW_ERR_ARGUMENT, "there is no place for the wrapped key");
	*out_len = 0;
	if (!key || !key->id)
		return explain(KW_ERR_ARGUMENT, "there is no key to wrap");
	err = check_wrap(by, what);
	if (!err)
		err = operation_run(kw, &op);
	if (!err)
		*out_len = result.len;
	return err;
}

enum kw_err kw_unwrap(struct kw *kw, const struct kw_use *by, const struct kw_wrap *what,
	const uint8_t *wrapped, size_t len, const struct kw_key_template *t, struct kw_key **key)
{
	struct wrap_request r = {.what = what, .wrapped = wrapped, .wrapped_len = len, .t = t};
	struct operation op = {.use = by,
		.what = &r,
		.command = CMD_UNWRAP,
		.put = put_wrap,
		.take = take_key,
		.result = key};
	enum kw_err err;

	if (!key)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	*key = NULL;
	if (!t || !wrapped || len == 0 || len > KW_WRAPPED_MAX)
		return explain(KW_ERR_ARGUMENT,
			"there is no description of the key to make, or no wrapped key");
	err = check_wrap(by, what);
	return err ? err : operation_run(kw, &op);
}

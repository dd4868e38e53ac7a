/* SPDX-License-Identifier: BSD-2-Clause */
#include "call.h"
#include "key.h"

#include <string.h>

#include "wire/der.h"

#define SUBJECT_MAX 16
#define SANS_MAX 100

static enum kw_err put_subject(struct writer *w, const struct kw_csr *csr)
{
	size_t type_len;
	size_t value_len;

	if (csr->subject_count > SUBJECT_MAX)
		return explain(KW_ERR_TOO_LARGE, "a subject has at most %d parts, and this one %u",
			SUBJECT_MAX, csr->subject_count);
	put_u8(w, (uint8_t)csr->subject_count);
	for (unsigned i = 0; i < csr->subject_count; i++) {
		const char *type = csr->subject[i][0];
		const char *value = csr->subject[i][1];

		if (!type || !value)
			return explain(KW_ERR_ARGUMENT, "a part of the subject is missing");
		type_len = strnlen(type, UINT8_MAX + 1);
		value_len = strnlen(value, UINT8_MAX + 1);
		if (type_len > UINT8_MAX || value_len > UINT8_MAX)
			return explain(
				KW_ERR_TOO_LARGE, "a part of the subject is longer than 255 bytes");
		put_field8(w, type, type_len);
		put_field8(w, value, value_len);
	}
	return KW_ERR_OK;
}

static enum kw_err put_sans(struct writer *w, const struct kw_csr *csr)
{
	if (csr->san_count > SANS_MAX)
		return explain(KW_ERR_TOO_LARGE,
			"a request has at most %d alternative names, and this one %u", SANS_MAX,
			csr->san_count);
	put_u8(w, (uint8_t)csr->san_count);
	for (unsigned i = 0; i < csr->san_count; i++) {
		const struct kw_san *san = &csr->sans[i];

		if (!san->value || san->len == 0)
			return explain(KW_ERR_ARGUMENT, "an alternative name is empty");
		if (san->len > UINT8_MAX)
			return explain(
				KW_ERR_TOO_LARGE, "an alternative name is longer than 255 bytes");
		if (san->kind == KW_SAN_IP && san->len != 4 && san->len != 16)
			return explain(KW_ERR_ARGUMENT,
				"an IP address has 4 or 16 bytes, and this one %zu", san->len);
		put_u8(w, enum_byte(san->kind));
		put_field8(w, san->value, san->len);
	}
	return KW_ERR_OK;
}

static enum kw_err put_csr(struct writer *w, const struct kw_target *t, const struct kw_csr *csr)
{
	enum kw_err err = put_target(w, t);

	if (!err)
		err = put_subject(w, csr);
	if (!err)
		err = put_sans(w, csr);
	return err;
}

static enum kw_err take_der(
	struct call *c, struct reader *rsp, uint8_t *buf, size_t size, size_t *len)
{
	size_t n;
	const uint8_t *der = get_field16(rsp, WIRE_MAX_PAYLOAD, &n);

	if (!reader_done(rsp) || !der_is_well_formed(der, n))
		return call_nonsense(c);
	if (n > size)
		return explain(KW_ERR_TOO_LARGE,
			"the request takes %zu bytes, and there is room for %zu", n, size);
	memcpy(buf, der, n);
	*len = n;
	return KW_ERR_OK;
}

enum kw_err kw_key_csr(struct kw *kw, const struct kw_target *t, const struct kw_csr *csr,
	uint8_t *buf, size_t *len)
{
	struct subject subject;
	struct reader rsp;
	struct call c;
	enum kw_err err;
	size_t size;

	if (!len || !buf)
		return explain(KW_ERR_ARGUMENT, "there is no place for the request");
	size = *len;
	*len = 0;
	if (!csr || (!csr->subject && csr->subject_count) || (!csr->sans && csr->san_count))
		return explain(KW_ERR_ARGUMENT, "there is nothing to put into the request");
	err = call_begin(&c, kw, CMD_KEY_CSR);
	if (!err)
		err = put_csr(&c.req, t, csr);
	if (err)
		goto out;
	subject = subject_of_target(t);
	err = call_run(&c, &rsp);
	if (err)
		err = call_refused(&c, err, &subject);
	else
		err = take_der(&c, &rsp, buf, size, len);
out:
	call_end(&c);
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking a TEE for attestation statements and for the key that signs them. */
#include "call.h"
#include "key.h"

#include <string.h>

#include "wire/der.h"

/* Copies the reply's one field, which `is_good` has approved, to the caller. */
static enum kw_err take_field(struct call *c, struct reader *rsp,
	bool (*is_good)(const uint8_t *p, size_t n), uint8_t *buf, size_t size, size_t *len)
{
	size_t n;
	const uint8_t *p = get_field16(rsp, WIRE_ATTESTATION_MAX, &n);

	if (!reader_done(rsp) || !is_good(p, n))
		return call_nonsense(c);
	if (n > size)
		return explain(KW_ERR_TOO_LARGE,
			"the answer takes %zu bytes, and there is room for %zu", n, size);
	memcpy(buf, p, n);
	*len = n;
	return KW_ERR_OK;
}

static bool is_statement(const uint8_t *p, size_t n)
{
	struct kw_attestation *a = NULL;
	enum kw_err err = kw_attestation_parse(p, n, &a);

	kw_attestation_free(&a);
	return err != KW_ERR_BAD_STATEMENT;
}

enum kw_err kw_key_attest(struct kw *kw, const struct kw_target *t, const uint8_t *challenge,
	size_t challenge_len, uint8_t *buf, size_t *len)
{
	struct subject subject;
	struct reader rsp;
	struct call c;
	enum kw_err err;
	size_t size;

	if (!len || !buf)
		return explain(KW_ERR_ARGUMENT, "there is no place for the statement");
	size = *len;
	*len = 0;
	if (challenge_len && (!challenge || challenge_len < KW_CHALLENGE_MIN ||
				     challenge_len > KW_CHALLENGE_MAX))
		return explain(KW_ERR_ARGUMENT, "a challenge has %d to %d bytes", KW_CHALLENGE_MIN,
			KW_CHALLENGE_MAX);
	err = call_begin(&c, kw, CMD_KEY_ATTEST);
	if (!err)
		err = put_target(&c.req, t);
	if (err)
		goto out;
	put_field8(&c.req, challenge, challenge_len);
	subject = subject_of_target(t);
	err = call_run(&c, &rsp);
	if (err)
		err = call_refused(&c, err, &subject);
	else
		err = take_field(&c, &rsp, is_statement, buf, size, len);
out:
	call_end(&c);
	return err;
}

enum kw_err kw_attestation_key(struct kw *kw, uint8_t *buf, size_t *len)
{
	struct reader rsp;
	struct call c;
	enum kw_err err;
	size_t size;

	if (!len || !buf)
		return explain(KW_ERR_ARGUMENT, "there is no place for the public key");
	size = *len;
	*len = 0;
	err = call_begin(&c, kw, CMD_ATTEST_KEY);
	if (err)
		goto out;
	err = call_run(&c, &rsp);
	if (err)
		err = call_refused(&c, err, NULL);
	else
		err = take_field(&c, &rsp, der_is_well_formed, buf, size, len);
out:
	call_end(&c);
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* KEY_CSR: a certificate request, signed only as what this TEE itself has built. */
#include "csr.h"
#include "subject.h"
#include "token.h"

static enum kw_err sign_csr(void *ctx, const uint8_t *tbs, size_t n, uint8_t *sig, size_t *sig_len)
{
	struct subject *s = ctx;
	struct crypto_sign what;
	enum kw_err err = csr_algorithm((enum key_type)s->meta.type, &what);

	if (err)
		return err;
	what.data = tbs;
	what.n = n;
	return crypto_sign(s->crypto, &what, sig, sig_len);
}

enum kw_err cmd_key_csr(struct call *c, struct reader *req, struct writer *rsp)
{
	struct subject *s = subject_new();
	struct key_meta *meta = platform_alloc(sizeof(*meta));
	uint8_t *der = platform_alloc(WIRE_CSR_MAX);
	struct writer w = writer_over(der, WIRE_CSR_MAX);
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!s || !meta || !der)
		goto out;
	err = subject_get(c, req, RIGHT_USE | RIGHT_MANAGE, true, s);
	if (err)
		goto out;
	err = KW_ERR_PURPOSE;
	if (!(s->meta.purposes & (PURPOSE_CSR | PURPOSE_SIGN))) {
		subject_refuse(c, s);
		goto out;
	}
	err = token_check(c->core, c->session, &s->meta.token);
	if (err)
		goto out;
	err = record_open(&c->core->record_key, s->record, s->record_len, meta, &s->crypto);
	if (err)
		goto out;
	err = csr_build(
		req, (enum key_type)s->meta.type, s->meta.spki, s->meta.spki_len, sign_csr, s, &w);
	if (err)
		goto out;
	put_field16(rsp, der, w.len);
	if (s->open) {
		key_count_signature(c->core, s->open);
		goto out;
	}
	store_count_signature(c->core->store, s->meta.id, platform_time());
	atomic_fetch_add(&c->core->signatures, 1);
out:
	platform_free(der, WIRE_CSR_MAX);
	platform_free(meta, sizeof(*meta));
	subject_free(s);
	return err;
}

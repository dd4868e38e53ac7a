/* SPDX-License-Identifier: BSD-2-Clause */
/* Verifying needs the public key only: another provider of the application does it. */
#include "signature.h"

int sig_digest_verify_init(void *ctx, const char *name, void *keydata, const OSSL_PARAM params[])
{
	struct sig_ctx *s = ctx;

	if (!sig_start(s, keydata, MODE_DIGEST_VERIFY))
		return 0;
	s->md = EVP_MD_CTX_new();
	if (!s->md)
		return 0;
	return EVP_DigestVerifyInit_ex(s->md, &s->verify, name && name[0] ? name : NULL,
		       s->prov->libctx, PROV_OTHERS, s->key->public, params) == 1;
}

int sig_digest_verify_update(void *ctx, const unsigned char *data, size_t n)
{
	struct sig_ctx *s = ctx;

	return s->mode == MODE_DIGEST_VERIFY && EVP_DigestVerifyUpdate(s->md, data, n) == 1;
}

int sig_digest_verify_final(void *ctx, const unsigned char *sig, size_t siglen)
{
	struct sig_ctx *s = ctx;

	return s->mode == MODE_DIGEST_VERIFY && EVP_DigestVerifyFinal(s->md, sig, siglen) == 1;
}

int sig_digest_verify(
	void *ctx, const unsigned char *sig, size_t siglen, const unsigned char *data, size_t n)
{
	struct sig_ctx *s = ctx;

	return s->mode == MODE_DIGEST_VERIFY && EVP_DigestVerify(s->md, sig, siglen, data, n) == 1;
}

static bool verify_start(struct sig_ctx *s, void *keydata)
{
	if (!sig_start(s, keydata, MODE_VERIFY))
		return false;
	s->verify = EVP_PKEY_CTX_new_from_pkey(s->prov->libctx, s->key->public, PROV_OTHERS);
	return s->verify != NULL;
}

int sig_verify_init(void *ctx, void *keydata, const OSSL_PARAM params[])
{
	struct sig_ctx *s = ctx;

	return verify_start(s, keydata) && EVP_PKEY_verify_init_ex(s->verify, params) == 1;
}

int sig_verify(
	void *ctx, const unsigned char *sig, size_t siglen, const unsigned char *data, size_t n)
{
	struct sig_ctx *s = ctx;

	return s->mode == MODE_VERIFY && EVP_PKEY_verify(s->verify, sig, siglen, data, n) == 1;
}

int sig_verify_recover_init(void *ctx, void *keydata, const OSSL_PARAM params[])
{
	struct sig_ctx *s = ctx;

	return verify_start(s, keydata) && EVP_PKEY_verify_recover_init_ex(s->verify, params) == 1;
}

int sig_verify_recover(void *ctx, unsigned char *out, size_t *outlen, size_t outsize,
	const unsigned char *sig, size_t siglen)
{
	struct sig_ctx *s = ctx;
	size_t n = outsize;

	if (s->mode != MODE_VERIFY || EVP_PKEY_verify_recover(s->verify, out, &n, sig, siglen) != 1)
		return 0;
	*outlen = n;
	return 1;
}

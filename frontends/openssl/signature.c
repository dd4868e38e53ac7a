/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures. A message goes to the TEE whole, in one call: only so can the TEE see what it signs,
 * and keys for TLS sign nothing else. What comes in pieces is collected; what is longer than the
 * TEE takes is hashed here, which only keys with the purpose "sign" allow. Verifying is for another
 * provider, with the public key.
 */
#include "signature.h"

#include <openssl/crypto.h>
#include <openssl/rsa.h>

#include <stdlib.h>
#include <string.h>

static void *newctx(void *provctx, const char *propq)
{
	struct sig_ctx *s = calloc(1, sizeof(*s));

	(void)propq;
	if (s)
		s->prov = provctx;
	return s;
}

static void forget_verification(struct sig_ctx *s)
{
	if (s->mode != MODE_DIGEST_VERIFY)
		EVP_PKEY_CTX_free(s->verify);
	s->verify = NULL;
	EVP_MD_CTX_free(s->md);
	s->md = NULL;
}

static void freectx(void *ctx)
{
	struct sig_ctx *s = ctx;

	if (!s)
		return;
	forget_verification(s);
	OPENSSL_clear_free(s->message, s->cap);
	prov_key_free(s->key);
	free(s);
}

static bool copy_parts(struct sig_ctx *to, const struct sig_ctx *from)
{
	if (from->key)
		to->key = prov_key_ref(from->key);
	if (from->len) {
		to->message = OPENSSL_memdup(from->message, from->len);
		if (!to->message)
			return false;
		to->cap = from->len;
		to->len = from->len;
	}
	if (from->md) {
		to->md = EVP_MD_CTX_new();
		if (!to->md || EVP_MD_CTX_copy_ex(to->md, from->md) != 1)
			return false;
	}
	if (from->mode == MODE_DIGEST_VERIFY) {
		to->verify = EVP_MD_CTX_get_pkey_ctx(to->md);
	} else if (from->verify) {
		to->verify = EVP_PKEY_CTX_dup(from->verify);
		if (!to->verify)
			return false;
	}
	return true;
}

static void *dupctx(void *ctx)
{
	const struct sig_ctx *from = ctx;
	struct sig_ctx *to = calloc(1, sizeof(*to));

	if (!to)
		return NULL;
	*to = *from;
	to->key = NULL;
	to->message = NULL;
	to->len = 0;
	to->cap = 0;
	to->md = NULL;
	to->verify = NULL;
	if (copy_parts(to, from))
		return to;
	freectx(to);
	return NULL;
}

/* A new operation. The context keeps its buffer: servers use one again and again. */
bool sig_start(struct sig_ctx *s, void *keydata, enum sig_mode mode)
{
	forget_verification(s);
	s->mode = MODE_NONE;
	s->len = 0;
	if (keydata && keydata != s->key) {
		prov_key_free(s->key);
		s->key = prov_key_ref(keydata);
	}
	if (!s->key || !s->key->public)
		return false;
	if ((mode == MODE_MESSAGE || mode == MODE_DIGEST) && !s->key->front)
		return false;
	if (keydata) {
		s->hash = NULL;
		s->padding = RSA_PKCS1_PADDING;
		s->salt = RSA_PSS_SALTLEN_AUTO;
	}
	s->mode = mode;
	return true;
}

static int sign_with_tee(struct sig_ctx *s, const uint8_t *data, size_t n, bool is_digest,
	unsigned char *sig, size_t *siglen, size_t sigsize)
{
	struct kw_sign what = {.is_digest = is_digest, .data = data, .len = n};
	uint8_t out[KW_SIGNATURE_MAX];
	size_t out_len = 0;
	enum kw_err err;

	if (sigsize < s->key->max_size) {
		prov_raise(s->prov, KW_ERR_TOO_LARGE, "the buffer is too small for a signature");
		return 0;
	}
	what.hash = s->hash ? s->hash->hash : KW_HASH_NONE;
	switch (s->key->kind) {
	case PROV_RSA:
		what.scheme = KW_SCHEME_RSA_PKCS1;
		if (s->padding != RSA_PKCS1_PSS_PADDING)
			break;
		what.scheme = KW_SCHEME_RSA_PSS;
		if (!front_pss_salt(s->key->front, s->hash, s->salt, &what.salt_len))
			return sig_refuse(s, "this length of PSS salt");
		break;
	case PROV_EC:
		what.scheme = KW_SCHEME_ECDSA;
		break;
	case PROV_ED25519:
		what.scheme = KW_SCHEME_EDDSA;
		break;
	}
	err = front_key_sign(s->key->front, &what, out, &out_len);
	if (err) {
		prov_raise(s->prov, err, "%s", front_explain(err));
		return 0;
	}
	if (out_len > sigsize)
		return 0;
	memcpy(sig, out, out_len);
	*siglen = out_len;
	return 1;
}

static int digest_sign_init(void *ctx, const char *name, void *keydata, const OSSL_PARAM params[])
{
	struct sig_ctx *s = ctx;

	if (!sig_start(s, keydata, MODE_MESSAGE))
		return 0;
	if ((!name || !name[0]) && s->key->kind != PROV_ED25519)
		name = s->hash ? s->hash->name : "SHA2-256";
	/* libssl asks so which hashes a key signs with, and takes the error for a no back. */
	if (!sig_set_hash(s, name))
		return sig_refuse(s, SIG_NO_HASH);
	return sig_set_ctx_params(s, params);
}

static int digest_sign(void *ctx, unsigned char *sig, size_t *siglen, size_t sigsize,
	const unsigned char *data, size_t n)
{
	struct sig_ctx *s = ctx;
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t digest_len = 0;

	if (s->mode != MODE_MESSAGE)
		return 0;
	if (!sig) {
		*siglen = s->key->max_size;
		return 1;
	}
	if (n <= KW_MESSAGE_MAX)
		return sign_with_tee(s, data, n, false, sig, siglen, sigsize);
	if (!s->hash) {
		prov_raise(s->prov, KW_ERR_TOO_LARGE,
			"Ed25519 signs a message as a whole: at most %d bytes", KW_MESSAGE_MAX);
		return 0;
	}
	if (EVP_Q_digest(
		    s->prov->libctx, s->hash->name, PROV_OTHERS, data, n, digest, &digest_len) != 1)
		return 0;
	return sign_with_tee(s, digest, digest_len, true, sig, siglen, sigsize);
}

static bool collect(struct sig_ctx *s, const unsigned char *data, size_t n)
{
	uint8_t *grown;
	size_t cap = s->cap;

	if (n > cap - s->len) {
		while (n > cap - s->len)
			cap = cap ? 2 * cap : 1024;
		if (cap > KW_MESSAGE_MAX)
			cap = KW_MESSAGE_MAX;
		grown = OPENSSL_clear_realloc(s->message, s->cap, cap);
		if (!grown)
			return false;
		s->message = grown;
		s->cap = cap;
	}
	if (n)
		memcpy(s->message + s->len, data, n);
	s->len += n;
	return true;
}

/* The message is too long to go whole: hash what there is, and the rest as it comes. */
static bool start_hashing(struct sig_ctx *s)
{
	EVP_MD *md = EVP_MD_fetch(s->prov->libctx, s->hash->name, PROV_OTHERS);
	bool ok = false;

	s->md = EVP_MD_CTX_new();
	if (md && s->md && EVP_DigestInit_ex2(s->md, md, NULL) == 1)
		ok = EVP_DigestUpdate(s->md, s->message, s->len) == 1;
	EVP_MD_free(md);
	s->len = 0;
	if (!ok)
		s->mode = MODE_NONE;
	return ok;
}

static int digest_sign_update(void *ctx, const unsigned char *data, size_t n)
{
	struct sig_ctx *s = ctx;

	if (s->mode != MODE_MESSAGE)
		return 0;
	if (!s->md && n <= KW_MESSAGE_MAX - s->len)
		return collect(s, data, n);
	if (!s->md && !start_hashing(s))
		return 0;
	return EVP_DigestUpdate(s->md, data, n);
}

static int digest_sign_final(void *ctx, unsigned char *sig, size_t *siglen, size_t sigsize)
{
	struct sig_ctx *s = ctx;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	int ok;

	if (s->mode != MODE_MESSAGE)
		return 0;
	if (!sig) {
		*siglen = s->key->max_size;
		return 1;
	}
	if (!s->md)
		ok = sign_with_tee(s, s->message, s->len, false, sig, siglen, sigsize);
	else
		ok = EVP_DigestFinal_ex(s->md, digest, &digest_len) == 1 &&
		     sign_with_tee(s, digest, digest_len, true, sig, siglen, sigsize);
	s->mode = MODE_NONE;
	return ok;
}

static int sign_init(void *ctx, void *keydata, const OSSL_PARAM params[])
{
	struct sig_ctx *s = ctx;

	return sig_start(s, keydata, MODE_DIGEST) && sig_set_ctx_params(s, params);
}

static int sign(void *ctx, unsigned char *sig, size_t *siglen, size_t sigsize,
	const unsigned char *data, size_t n)
{
	struct sig_ctx *s = ctx;
	const struct front_hash *given = s->hash;
	const uint8_t *digest = data;
	int ok = 0;

	if (s->mode != MODE_DIGEST)
		return 0;
	if (!sig) {
		*siglen = s->key->max_size;
		return 1;
	}
	/* Old callers name no hash: ECDSA callers bring a digest, RSA callers a DigestInfo. */
	if (!given && s->key->kind == PROV_EC)
		s->hash = front_hash_by_size(n);
	else if (!given && s->padding == RSA_PKCS1_PADDING)
		s->hash = front_digest_info(data, n, &digest);
	if (!s->hash)
		return sig_refuse(s, "a value that is no SHA-2 digest");
	n -= (size_t)(digest - data);
	if (n != s->hash->size)
		sig_refuse(s, "a digest of another length than its hash has");
	else
		ok = sign_with_tee(s, digest, n, true, sig, siglen, sigsize);
	s->hash = given;
	return ok;
}

#define COMMON                                                                           \
	PROV_FN(OSSL_FUNC_SIGNATURE_NEWCTX, newctx),                                     \
		PROV_FN(OSSL_FUNC_SIGNATURE_FREECTX, freectx),                           \
		PROV_FN(OSSL_FUNC_SIGNATURE_DUPCTX, dupctx),                             \
		PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, digest_sign_init),         \
		PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, digest_sign),                   \
		PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, sig_digest_verify_init), \
		PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, sig_digest_verify),           \
		PROV_FN(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, sig_get_ctx_params)

#define HASHED                                                                               \
	PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, digest_sign_update),                 \
		PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, digest_sign_final),           \
		PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, sig_digest_verify_update), \
		PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, sig_digest_verify_final),   \
		PROV_FN(OSSL_FUNC_SIGNATURE_SIGN_INIT, sign_init),                           \
		PROV_FN(OSSL_FUNC_SIGNATURE_SIGN, sign),                                     \
		PROV_FN(OSSL_FUNC_SIGNATURE_VERIFY_INIT, sig_verify_init),                   \
		PROV_FN(OSSL_FUNC_SIGNATURE_VERIFY, sig_verify),                             \
		PROV_FN(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, sig_set_ctx_params)

const OSSL_DISPATCH prov_rsa_signature[] = {
	COMMON,
	HASHED,
	PROV_FN(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER_INIT, sig_verify_recover_init),
	PROV_FN(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER, sig_verify_recover),
	PROV_FN(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, sig_rsa_settable),
	PROV_FN(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, sig_rsa_gettable),
	PROV_END,
};

const OSSL_DISPATCH prov_ecdsa_signature[] = {
	COMMON,
	HASHED,
	PROV_FN(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, sig_ecdsa_settable),
	PROV_FN(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, sig_ecdsa_gettable),
	PROV_END,
};

/* Ed25519 reads a message twice, so OpenSSL does not take it in pieces. */
const OSSL_DISPATCH prov_ed25519_signature[] = {
	COMMON,
	PROV_FN(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, sig_ed25519_gettable),
	PROV_END,
};

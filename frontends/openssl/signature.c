/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures. A message goes to the TEE whole, in one call: only so can the TEE see what it signs, and keys
 * for TLS sign nothing else. What comes in pieces is collected; what is longer than the TEE takes is hashed
 * here, which only keys with the purpose "sign" allow. Verifying is for another provider, with the public key.
 */
#include "algorithm_id.h"
#include "provider.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <stdlib.h>
#include <string.h>

enum mode {
	MODE_NONE,
	MODE_MESSAGE, /* digest_sign */
	MODE_DIGEST,  /* sign: the caller hashed */
	MODE_VERIFY,
	MODE_DIGEST_VERIFY,
};

struct sig_ctx {
	struct prov *prov;
	struct prov_key *key;
	enum mode mode;
	const struct front_hash *hash; /* NULL: Ed25519, or not known yet */
	int padding;                   /* RSA */
	int salt;                      /* bytes, or one of RSA_PSS_SALTLEN_ */
	uint8_t *message;              /* collected by updates */
	size_t len, cap;
	EVP_MD_CTX *md;        /* once the message is too long to collect; or verifying */
	EVP_PKEY_CTX *verify;  /* belongs to md when MODE_DIGEST_VERIFY */
};

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
static bool start(struct sig_ctx *s, void *keydata, enum mode mode)
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

static bool set_hash(struct sig_ctx *s, const char *name)
{
	const struct front_hash *hash = front_hash_by_name(name);

	if (s->key->kind == PROV_ED25519) {
		/* Ed25519 hashes by itself (RFC 8032 5.1): no name may be given. */
		s->hash = NULL;
		return !name || !name[0];
	}
	if (!hash)
		return false;
	/* A hash that was given at the start stays: the message may be half hashed. */
	if (s->mode == MODE_MESSAGE && s->hash && s->hash != hash && (s->len || s->md))
		return false;
	s->hash = hash;
	return true;
}

static bool set_salt(struct sig_ctx *s, const OSSL_PARAM *p)
{
	static const struct {
		const char *name;
		int salt;
	} names[] = {
		{ OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST, RSA_PSS_SALTLEN_DIGEST },
		{ OSSL_PKEY_RSA_PSS_SALT_LEN_MAX, RSA_PSS_SALTLEN_MAX },
		{ OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO, RSA_PSS_SALTLEN_AUTO },
	};
	char *end = NULL;
	long n;

	if (p->data_type != OSSL_PARAM_UTF8_STRING)
		return OSSL_PARAM_get_int(p, &s->salt) == 1 && s->salt >= -4;
	if (!p->data)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(p->data, names[i].name) == 0) {
			s->salt = names[i].salt;
			return true;
		}
	if (strcmp(p->data, "auto-digestmax") == 0) {
		s->salt = -4;
		return true;
	}
	n = strtol(p->data, &end, 10);
	if (end == p->data || *end || n < 0 || n > KW_SIGNATURE_MAX)
		return false;
	s->salt = (int)n;
	return true;
}

static bool refuse(const struct sig_ctx *s, const char *what)
{
	prov_raise(s->prov, KW_ERR_BAD_ALGORITHM, "Keyward does not sign with %s", what);
	return false;
}

static bool set_rsa_params(struct sig_ctx *s, const OSSL_PARAM params[])
{
	const OSSL_PARAM *p;

	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	if (p && (!prov_get_padding(p, &s->padding) ||
	          (s->padding != RSA_PKCS1_PADDING && s->padding != RSA_PKCS1_PSS_PADDING)))
		return refuse(s, "this padding; PKCS #1 v1.5 and PSS are there");
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
	if (p && !set_salt(s, p))
		return refuse(s, "this length of PSS salt");
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST);
	if (p && p->data_type == OSSL_PARAM_UTF8_STRING && s->hash &&
	    front_hash_by_name(p->data) != s->hash)
		return refuse(s, "a mask function whose hash is not the message's");
	return true;
}

static int set_ctx_params(void *ctx, const OSSL_PARAM params[])
{
	struct sig_ctx *s = ctx;
	const OSSL_PARAM *p;

	if (!params)
		return 1;
	if (s->verify)
		return EVP_PKEY_CTX_set_params(s->verify, params);
	if (!s->key)
		return 0;
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_DIGEST);
	if (p && (p->data_type != OSSL_PARAM_UTF8_STRING || !set_hash(s, p->data)))
		return refuse(s, "this hash; SHA-224, SHA-256, SHA-384 and SHA-512 are there");
	return s->key->kind != PROV_RSA || set_rsa_params(s, params);
}

static const OSSL_PARAM *rsa_settable(void *ctx, void *provctx)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PROPERTIES, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_PROPERTIES, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)ctx;
	(void)provctx;
	return list;
}

static const OSSL_PARAM *ecdsa_settable(void *ctx, void *provctx)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PROPERTIES, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)ctx;
	(void)provctx;
	return list;
}

static bool get_algorithm_id(const struct sig_ctx *s, OSSL_PARAM *p)
{
	static const int nids[] = {
		[PROV_RSA] = NID_rsaEncryption,
		[PROV_EC] = NID_X9_62_id_ecPublicKey,
		[PROV_ED25519] = NID_ED25519,
	};
	bool pss = s->key->kind == PROV_RSA && s->padding == RSA_PKCS1_PSS_PADDING;
	unsigned char *der = NULL;
	uint16_t salt = 0;
	size_t len;
	bool ok;

	if (!s->key->front || (!s->hash && s->key->kind != PROV_ED25519))
		return false;
	if (pss && !front_pss_salt(s->key->front, s->hash, s->salt, &salt))
		return false;
	len = front_algorithm_id(nids[s->key->kind], s->hash, pss, salt, &der);
	ok = len && OSSL_PARAM_set_octet_string(p, der, len) == 1;
	OPENSSL_free(der);
	return ok;
}

static bool get_text_or_int(OSSL_PARAM *p, const char *text, int number)
{
	if (p->data_type == OSSL_PARAM_UTF8_STRING)
		return text && OSSL_PARAM_set_utf8_string(p, text) == 1;
	return OSSL_PARAM_set_int(p, number) == 1;
}

static bool get_rsa_params(const struct sig_ctx *s, OSSL_PARAM params[])
{
	const char *padding = OSSL_PKEY_RSA_PAD_MODE_PKCSV15;
	const char *salt = NULL;
	char number[12];
	OSSL_PARAM *p;

	if (s->padding == RSA_PKCS1_PSS_PADDING)
		padding = OSSL_PKEY_RSA_PAD_MODE_PSS;
	p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	if (p && !get_text_or_int(p, padding, s->padding))
		return false;
	switch (s->salt) {
	case RSA_PSS_SALTLEN_DIGEST:
		salt = OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST;
		break;
	case RSA_PSS_SALTLEN_MAX:
		salt = OSSL_PKEY_RSA_PSS_SALT_LEN_MAX;
		break;
	case RSA_PSS_SALTLEN_AUTO:
		salt = OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO;
		break;
	case -4:
		salt = "auto-digestmax";
		break;
	default:
		BIO_snprintf(number, sizeof(number), "%d", s->salt);
		salt = number;
	}
	p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
	if (p && !get_text_or_int(p, salt, s->salt))
		return false;
	p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST);
	return !p || OSSL_PARAM_set_utf8_string(p, s->hash ? s->hash->name : "") == 1;
}

static int get_ctx_params(void *ctx, OSSL_PARAM params[])
{
	struct sig_ctx *s = ctx;
	OSSL_PARAM *p;

	if (s->verify)
		return EVP_PKEY_CTX_get_params(s->verify, params);
	if (!s->key)
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
	if (p && !get_algorithm_id(s, p))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_DIGEST);
	if (p && !OSSL_PARAM_set_utf8_string(p, s->hash ? s->hash->name : ""))
		return 0;
	return s->key->kind != PROV_RSA || get_rsa_params(s, params);
}

static const OSSL_PARAM *rsa_gettable(void *ctx, void *provctx)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)ctx;
	(void)provctx;
	return list;
}

static const OSSL_PARAM *ecdsa_gettable(void *ctx, void *provctx)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)ctx;
	(void)provctx;
	return list;
}

static const OSSL_PARAM *ed25519_gettable(void *ctx, void *provctx)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)ctx;
	(void)provctx;
	return list;
}

/* --- Signing --- */

static int sign_with_tee(struct sig_ctx *s, const uint8_t *data, size_t n, bool is_digest,
                         unsigned char *sig, size_t *siglen, size_t sigsize)
{
	struct kw_sign what = { .is_digest = is_digest, .data = data, .len = n };
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
			return refuse(s, "this length of PSS salt");
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

	if (!start(s, keydata, MODE_MESSAGE))
		return 0;
	if ((!name || !name[0]) && s->key->kind != PROV_ED25519)
		name = s->hash ? s->hash->name : "SHA2-256";
	/* libssl asks so, many times, which hashes a key signs with: no error for a no. */
	if (!set_hash(s, name))
		return 0;
	return set_ctx_params(s, params);
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
	if (EVP_Q_digest(s->prov->libctx, s->hash->name, PROV_OTHERS, data, n, digest, &digest_len) != 1)
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

	return start(s, keydata, MODE_DIGEST) && set_ctx_params(s, params);
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
		return refuse(s, "a value that is no SHA-2 digest");
	n -= (size_t)(digest - data);
	if (n != s->hash->size)
		refuse(s, "a digest of another length than its hash has");
	else
		ok = sign_with_tee(s, digest, n, true, sig, siglen, sigsize);
	s->hash = given;
	return ok;
}

/* --- Verifying, by another provider --- */

static int digest_verify_init(void *ctx, const char *name, void *keydata, const OSSL_PARAM params[])
{
	struct sig_ctx *s = ctx;

	if (!start(s, keydata, MODE_DIGEST_VERIFY))
		return 0;
	s->md = EVP_MD_CTX_new();
	if (!s->md)
		return 0;
	return EVP_DigestVerifyInit_ex(s->md, &s->verify, name && name[0] ? name : NULL,
	                               s->prov->libctx, PROV_OTHERS, s->key->public, params) == 1;
}

static int digest_verify_update(void *ctx, const unsigned char *data, size_t n)
{
	struct sig_ctx *s = ctx;

	return s->mode == MODE_DIGEST_VERIFY && EVP_DigestVerifyUpdate(s->md, data, n) == 1;
}

static int digest_verify_final(void *ctx, const unsigned char *sig, size_t siglen)
{
	struct sig_ctx *s = ctx;

	return s->mode == MODE_DIGEST_VERIFY && EVP_DigestVerifyFinal(s->md, sig, siglen) == 1;
}

static int digest_verify(void *ctx, const unsigned char *sig, size_t siglen,
                         const unsigned char *data, size_t n)
{
	struct sig_ctx *s = ctx;

	return s->mode == MODE_DIGEST_VERIFY && EVP_DigestVerify(s->md, sig, siglen, data, n) == 1;
}

static bool verify_start(struct sig_ctx *s, void *keydata)
{
	if (!start(s, keydata, MODE_VERIFY))
		return false;
	s->verify = EVP_PKEY_CTX_new_from_pkey(s->prov->libctx, s->key->public, PROV_OTHERS);
	return s->verify != NULL;
}

static int verify_init(void *ctx, void *keydata, const OSSL_PARAM params[])
{
	struct sig_ctx *s = ctx;

	return verify_start(s, keydata) && EVP_PKEY_verify_init_ex(s->verify, params) == 1;
}

static int verify(void *ctx, const unsigned char *sig, size_t siglen, const unsigned char *data,
                  size_t n)
{
	struct sig_ctx *s = ctx;

	return s->mode == MODE_VERIFY && EVP_PKEY_verify(s->verify, sig, siglen, data, n) == 1;
}

static int verify_recover_init(void *ctx, void *keydata, const OSSL_PARAM params[])
{
	struct sig_ctx *s = ctx;

	return verify_start(s, keydata) && EVP_PKEY_verify_recover_init_ex(s->verify, params) == 1;
}

static int verify_recover(void *ctx, unsigned char *out, size_t *outlen, size_t outsize,
                          const unsigned char *sig, size_t siglen)
{
	struct sig_ctx *s = ctx;
	size_t n = outsize;

	if (s->mode != MODE_VERIFY || EVP_PKEY_verify_recover(s->verify, out, &n, sig, siglen) != 1)
		return 0;
	*outlen = n;
	return 1;
}

#define COMMON                                                                                      \
	PROV_FN(OSSL_FUNC_SIGNATURE_NEWCTX, newctx), PROV_FN(OSSL_FUNC_SIGNATURE_FREECTX, freectx), \
		PROV_FN(OSSL_FUNC_SIGNATURE_DUPCTX, dupctx),                                        \
		PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, digest_sign_init),                    \
		PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, digest_sign),                              \
		PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, digest_verify_init),                \
		PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, digest_verify),                          \
		PROV_FN(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, get_ctx_params)

#define HASHED                                                                                      \
	PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, digest_sign_update),                        \
		PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, digest_sign_final),                  \
		PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, digest_verify_update),            \
		PROV_FN(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, digest_verify_final),              \
		PROV_FN(OSSL_FUNC_SIGNATURE_SIGN_INIT, sign_init),                                  \
		PROV_FN(OSSL_FUNC_SIGNATURE_SIGN, sign),                                            \
		PROV_FN(OSSL_FUNC_SIGNATURE_VERIFY_INIT, verify_init),                              \
		PROV_FN(OSSL_FUNC_SIGNATURE_VERIFY, verify),                                        \
		PROV_FN(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_ctx_params)

const OSSL_DISPATCH prov_rsa_signature[] = {
	COMMON,
	HASHED,
	PROV_FN(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER_INIT, verify_recover_init),
	PROV_FN(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER, verify_recover),
	PROV_FN(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, rsa_settable),
	PROV_FN(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, rsa_gettable),
	PROV_END,
};

const OSSL_DISPATCH prov_ecdsa_signature[] = {
	COMMON,
	HASHED,
	PROV_FN(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, ecdsa_settable),
	PROV_FN(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, ecdsa_gettable),
	PROV_END,
};

/* Ed25519 reads a message twice, so OpenSSL does not take it in pieces. */
const OSSL_DISPATCH prov_ed25519_signature[] = {
	COMMON,
	PROV_FN(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, ed25519_gettable),
	PROV_END,
};

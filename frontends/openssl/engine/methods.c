/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EVP_PKEY_METHODs: OpenSSL's own with signing and decryption replaced. `digestsign` gets a message
 * whole, and libssl signs so: therefore keys for TLS work in an ENGINE too. What an application
 * brings in pieces is hashed here, which only keys with the purpose "sign" allow. Keys that are not
 * ours go the usual way, for somebody who makes this ENGINE the default for all.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "engine.h"

#include <openssl/rsa.h>

#include <string.h>

static const int nids[] = {EVP_PKEY_RSA, EVP_PKEY_EC, EVP_PKEY_ED25519};

#define METHODS (sizeof(nids) / sizeof(*nids))

static EVP_PKEY_METHOD *methods[METHODS];

static const EVP_PKEY_METHOD *base_of(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_meth_find(EVP_PKEY_get_base_id(EVP_PKEY_CTX_get0_pkey(ctx)));
}

static struct front_key *key_of(EVP_PKEY_CTX *ctx)
{
	EVP_PKEY *pkey = EVP_PKEY_CTX_get0_pkey(ctx);

	return pkey ? engine_key_of_pkey(pkey) : NULL;
}

/* What the context says about how to sign. `hash` stays NULL when the caller named none. */
static bool get_scheme(EVP_PKEY_CTX *ctx, struct front_key *key, struct kw_sign *what,
	const struct front_hash **hash)
{
	int padding = RSA_PKCS1_PADDING, salt = RSA_PSS_SALTLEN_AUTO;
	const EVP_MD *md = NULL, *mgf = NULL;

	*hash = NULL;
	if (front_key_type(key) == KW_KEY_TYPE_ED25519) {
		what->scheme = KW_SCHEME_EDDSA;
		return true;
	}
	if (EVP_PKEY_CTX_get_signature_md(ctx, &md) <= 0)
		return false;
	if (md) {
		*hash = front_hash_by_nid(EVP_MD_get_type(md));
		if (!*hash)
			return false;
		what->hash = (*hash)->hash;
	}
	what->scheme = KW_SCHEME_ECDSA;
	if (kw_key_type_is_ec(front_key_type(key)))
		return true;
	what->scheme = KW_SCHEME_RSA_PKCS1;
	if (EVP_PKEY_CTX_get_rsa_padding(ctx, &padding) <= 0)
		return false;
	if (padding != RSA_PKCS1_PSS_PADDING)
		return padding == RSA_PKCS1_PADDING;
	what->scheme = KW_SCHEME_RSA_PSS;
	if (EVP_PKEY_CTX_get_rsa_pss_saltlen(ctx, &salt) <= 0 ||
		EVP_PKEY_CTX_get_rsa_mgf1_md(ctx, &mgf) <= 0)
		return false;
	if (!*hash || (mgf && EVP_MD_get_type(mgf) != (*hash)->nid))
		return false;
	return front_pss_salt(key, *hash, salt, &what->salt_len);
}

static int refuse(void)
{
	engine_raise(KW_ERR_BAD_ALGORITHM, "Keyward signs with SHA-2, and RSA with the padding of "
					   "PKCS #1 v1.5 or PSS whose mask "
					   "function has the same hash");
	return 0;
}

static size_t signature_size(EVP_PKEY_CTX *ctx)
{
	return (size_t)EVP_PKEY_get_size(EVP_PKEY_CTX_get0_pkey(ctx));
}

static int sign_digest(EVP_PKEY_CTX *ctx, struct front_key *key, unsigned char *sig, size_t *siglen,
	const unsigned char *data, size_t n)
{
	struct kw_sign what = {.is_digest = true, .data = data, .len = n};
	const struct front_hash *hash;

	if (!get_scheme(ctx, key, &what, &hash))
		return refuse();
	/* Old callers name no hash: ECDSA callers bring a digest, RSA callers a DigestInfo. */
	if (!hash && what.scheme == KW_SCHEME_ECDSA) {
		hash = front_hash_by_size(n);
	} else if (!hash && what.scheme == KW_SCHEME_RSA_PKCS1) {
		hash = front_digest_info(data, n, &what.data);
		what.len = hash ? hash->size : 0;
	}
	if (!hash || what.len != hash->size)
		return refuse();
	what.hash = hash->hash;
	return engine_sign(key, &what, sig, siglen);
}

static int method_sign(
	EVP_PKEY_CTX *ctx, unsigned char *sig, size_t *siglen, const unsigned char *data, size_t n)
{
	struct front_key *key = key_of(ctx);
	int (*init)(EVP_PKEY_CTX *) = NULL;
	int (*base)(EVP_PKEY_CTX *, unsigned char *, size_t *, const unsigned char *, size_t) =
		NULL;

	if (!key) {
		EVP_PKEY_meth_get_sign(base_of(ctx), &init, &base);
		return base ? base(ctx, sig, siglen, data, n) : -2;
	}
	if (!sig) {
		*siglen = signature_size(ctx);
		return 1;
	}
	return sign_digest(ctx, key, sig, siglen, data, n);
}

/* Needed so that messages in pieces are hashed by OpenSSL beside `digestsign`. */
static int method_sign_context_init(EVP_PKEY_CTX *ctx, EVP_MD_CTX *md)
{
	(void)ctx;
	(void)md;
	return 1;
}

static int method_sign_context(
	EVP_PKEY_CTX *ctx, unsigned char *sig, size_t *siglen, EVP_MD_CTX *md)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!sig) {
		*siglen = signature_size(ctx);
		return 1;
	}
	if (EVP_DigestFinal_ex(md, digest, &n) != 1)
		return 0;
	return method_sign(ctx, sig, siglen, digest, n);
}

static int method_digest_sign(
	EVP_MD_CTX *md, unsigned char *sig, size_t *siglen, const unsigned char *data, size_t n)
{
	EVP_PKEY_CTX *ctx = EVP_MD_CTX_get_pkey_ctx(md);
	struct kw_sign what = {.data = data, .len = n};
	struct front_key *key = key_of(ctx);
	const struct front_hash *hash;

	if (!sig) {
		*siglen = signature_size(ctx);
		return 1;
	}
	if (key && n <= KW_MESSAGE_MAX) {
		if (!get_scheme(ctx, key, &what, &hash))
			return refuse();
		if (!hash && what.scheme != KW_SCHEME_EDDSA)
			return refuse();
		return engine_sign(key, &what, sig, siglen);
	}
	/* Too long for one call, or somebody else's key. */
	if (EVP_DigestSignUpdate(md, data, n) != 1)
		return 0;
	return EVP_DigestSignFinal(md, sig, siglen);
}

/* Ed25519 signs a message as a whole; OpenSSL calls this and nothing else. */
static int method_digest_sign_ed25519(
	EVP_MD_CTX *md, unsigned char *sig, size_t *siglen, const unsigned char *data, size_t n)
{
	EVP_PKEY_CTX *ctx = EVP_MD_CTX_get_pkey_ctx(md);
	struct kw_sign what = {.scheme = KW_SCHEME_EDDSA, .data = data, .len = n};
	struct front_key *key = key_of(ctx);
	int (*base)(EVP_MD_CTX *, unsigned char *, size_t *, const unsigned char *, size_t) = NULL;

	if (!key) {
		EVP_PKEY_meth_get_digestsign(base_of(ctx), &base);
		return base ? base(md, sig, siglen, data, n) : -2;
	}
	if (!sig) {
		*siglen = signature_size(ctx);
		return 1;
	}
	if (n > KW_MESSAGE_MAX) {
		engine_raise(KW_ERR_TOO_LARGE,
			"Ed25519 signs a message as a whole: at most %d bytes", KW_MESSAGE_MAX);
		return 0;
	}
	return engine_sign(key, &what, sig, siglen);
}

static int (*base_control(int nid))(EVP_PKEY_CTX *, int, int, void *)
{
	int (*text)(EVP_PKEY_CTX *, const char *, const char *) = NULL;
	int (*control)(EVP_PKEY_CTX *, int, int, void *) = NULL;

	EVP_PKEY_meth_get_ctrl(EVP_PKEY_meth_find(nid), &control, &text);
	return control;
}

static int method_control(EVP_PKEY_CTX *ctx, int nid, int type, int n, void *p)
{
	/* libssl asks so which hashes a key signs with: only those that the TEE takes. */
	if (type == EVP_PKEY_CTRL_MD && key_of(ctx) && p && !front_hash_by_nid(EVP_MD_get_type(p)))
		return 0;
	/* OpenSSL's own method takes PSS for EVP_PKEY_OP_SIGN only, and having `signctx` made
	 * this context one of EVP_PKEY_OP_SIGNCTX. */
	if (type == EVP_PKEY_CTRL_RSA_PADDING && n == RSA_PKCS1_PSS_PADDING &&
		EVP_PKEY_CTX_get_operation(ctx) == EVP_PKEY_OP_SIGNCTX &&
		EVP_PKEY_sign_init(ctx) != 1)
		return 0;
	return base_control(nid)(ctx, type, n, p);
}

/* A context for making a key has none yet: so the method itself says of which type it is. */
static int method_control_rsa(EVP_PKEY_CTX *ctx, int type, int n, void *p)
{
	return method_control(ctx, EVP_PKEY_RSA, type, n, p);
}

static int method_control_ec(EVP_PKEY_CTX *ctx, int type, int n, void *p)
{
	return method_control(ctx, EVP_PKEY_EC, type, n, p);
}

static bool get_decryption(EVP_PKEY_CTX *ctx, struct kw_decrypt *what)
{
	const struct front_hash *hash, *mgf_hash;
	const EVP_MD *md = NULL, *mgf = NULL;
	unsigned char *label = NULL;
	int padding = 0, label_len;

	if (EVP_PKEY_CTX_get_rsa_padding(ctx, &padding) <= 0)
		return false;
	if (padding == RSA_PKCS1_PADDING)
		return true;
	if (padding != RSA_PKCS1_OAEP_PADDING || EVP_PKEY_CTX_get_rsa_oaep_md(ctx, &md) <= 0 ||
		EVP_PKEY_CTX_get_rsa_mgf1_md(ctx, &mgf) <= 0)
		return false;
	/* EVP_PKEY_CTX_get0_rsa_oaep_label fails in ENGINEs when there is no label. */
	label_len = base_control(EVP_PKEY_RSA)(ctx, EVP_PKEY_CTRL_GET_RSA_OAEP_LABEL, 0, &label);
	hash = md ? front_hash_by_nid(EVP_MD_get_type(md)) : NULL;
	mgf_hash = mgf ? front_hash_by_nid(EVP_MD_get_type(mgf)) : hash;
	if (!hash || !mgf_hash || label_len < 0)
		return false;
	what->oaep = true;
	what->hash = hash->hash;
	what->mgf_hash = mgf_hash->hash;
	what->label = label;
	what->label_len = (size_t)label_len;
	return true;
}

static int method_decrypt(
	EVP_PKEY_CTX *ctx, unsigned char *out, size_t *outlen, const unsigned char *in, size_t n)
{
	struct kw_decrypt what = {.data = in, .len = n};
	struct front_key *key = key_of(ctx);
	int (*init)(EVP_PKEY_CTX *) = NULL;
	int (*base)(EVP_PKEY_CTX *, unsigned char *, size_t *, const unsigned char *, size_t) =
		NULL;
	uint8_t plain[KW_SIGNATURE_MAX];
	size_t len = 0;
	enum kw_err err;
	int ok = 0;

	if (!key) {
		EVP_PKEY_meth_get_decrypt(base_of(ctx), &init, &base);
		return base ? base(ctx, out, outlen, in, n) : -2;
	}
	if (!out) {
		*outlen = signature_size(ctx);
		return 1;
	}
	if (!get_decryption(ctx, &what)) {
		engine_raise(KW_ERR_BAD_ALGORITHM, "Keyward decrypts PKCS #1 v1.5, and OAEP with "
						   "SHA-2 (OpenSSL's default is SHA-1: "
						   "set rsa_oaep_md:sha256)");
		return 0;
	}
	err = front_key_decrypt(key, &what, plain, &len);
	if (err)
		engine_raise(err, "%s", front_explain(err));
	else if (len > *outlen)
		engine_raise(KW_ERR_TOO_LARGE, "the buffer is too small for the plaintext");
	else
		ok = 1;
	if (ok) {
		memcpy(out, plain, len);
		*outlen = len;
	}
	OPENSSL_cleanse(plain, sizeof(plain));
	return ok;
}

static EVP_PKEY_METHOD *copy_method(int nid)
{
	const EVP_PKEY_METHOD *base = EVP_PKEY_meth_find(nid);
	int (*text)(EVP_PKEY_CTX *, const char *, const char *) = NULL;
	int (*control)(EVP_PKEY_CTX *, int, int, void *) = NULL;
	int (*init)(EVP_PKEY_CTX *) = NULL;
	EVP_PKEY_METHOD *m;
	int id = 0, flags = 0;

	if (!base)
		return NULL;
	EVP_PKEY_meth_get0_info(&id, &flags, base);
	m = EVP_PKEY_meth_new(nid, flags);
	if (!m)
		return NULL;
	EVP_PKEY_meth_copy(m, base);
	if (nid == EVP_PKEY_ED25519) {
		EVP_PKEY_meth_set_digestsign(m, method_digest_sign_ed25519);
		return m;
	}
	EVP_PKEY_meth_get_sign(base, &init, NULL);
	EVP_PKEY_meth_set_sign(m, init, method_sign);
	EVP_PKEY_meth_set_signctx(m, method_sign_context_init, method_sign_context);
	EVP_PKEY_meth_set_digestsign(m, method_digest_sign);
	EVP_PKEY_meth_get_ctrl(base, &control, &text);
	EVP_PKEY_meth_set_ctrl(
		m, nid == EVP_PKEY_RSA ? method_control_rsa : method_control_ec, text);
	if (nid == EVP_PKEY_RSA) {
		EVP_PKEY_meth_get_decrypt(base, &init, NULL);
		EVP_PKEY_meth_set_decrypt(m, init, method_decrypt);
	}
	return m;
}

bool engine_methods_new(void)
{
	for (size_t i = 0; i < METHODS; i++) {
		if (!methods[i])
			methods[i] = copy_method(nids[i]);
		if (!methods[i])
			return false;
	}
	return engine_object_methods_new();
}

int engine_pkey_methods(ENGINE *e, EVP_PKEY_METHOD **method, const int **list, int nid)
{
	(void)e;
	if (!method) {
		*list = nids;
		return METHODS;
	}
	*method = NULL;
	for (size_t i = 0; i < METHODS; i++)
		if (nids[i] == nid)
			*method = methods[i];
	return *method != NULL;
}

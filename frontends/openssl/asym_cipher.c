/* SPDX-License-Identifier: BSD-2-Clause */
/* RSA decryption in the TEE; encryption with the public key is for another provider. */
#include "provider.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <stdlib.h>
#include <string.h>

#define LABEL_MAX 256

struct cipher_ctx {
	struct prov *prov;
	struct prov_key *key;
	bool decrypts;
	int padding;
	const struct front_hash *hash; /* OAEP; NULL is SHA-1, OpenSSL's default */
	const struct front_hash *mgf;
	bool mgf_given;
	uint8_t label[LABEL_MAX];
	size_t label_len;
	EVP_PKEY_CTX *encrypt;
};

static void *newctx(void *provctx)
{
	struct cipher_ctx *c = calloc(1, sizeof(*c));

	if (c)
		c->prov = provctx;
	return c;
}

static void freectx(void *ctx)
{
	struct cipher_ctx *c = ctx;

	if (!c)
		return;
	EVP_PKEY_CTX_free(c->encrypt);
	prov_key_free(c->key);
	free(c);
}

static void *dupctx(void *ctx)
{
	const struct cipher_ctx *from = ctx;
	struct cipher_ctx *to = calloc(1, sizeof(*to));

	if (!to)
		return NULL;
	*to = *from;
	to->key = from->key ? prov_key_ref(from->key) : NULL;
	to->encrypt = from->encrypt ? EVP_PKEY_CTX_dup(from->encrypt) : NULL;
	if (from->encrypt && !to->encrypt) {
		freectx(to);
		return NULL;
	}
	return to;
}

static bool start(struct cipher_ctx *c, void *keydata)
{
	struct prov_key *key = keydata ? keydata : c->key;

	EVP_PKEY_CTX_free(c->encrypt);
	c->encrypt = NULL;
	c->decrypts = false;
	if (!key || !key->public)
		return false;
	if (key != c->key) {
		prov_key_free(c->key);
		c->key = prov_key_ref(key);
	}
	c->padding = RSA_PKCS1_PADDING;
	c->hash = NULL;
	c->mgf = NULL;
	c->mgf_given = false;
	c->label_len = 0;
	return true;
}

static bool set_hash(const OSSL_PARAM *p, const struct front_hash **hash)
{
	const char *name = p->data_type == OSSL_PARAM_UTF8_STRING ? p->data : NULL;

	*hash = front_hash_by_name(name);
	return *hash || (name && (OPENSSL_strcasecmp(name, "SHA1") == 0 ||
					 OPENSSL_strcasecmp(name, "SHA-1") == 0));
}

static bool refuse(const struct cipher_ctx *c, const char *what)
{
	prov_raise(c->prov, KW_ERR_BAD_ALGORITHM, "Keyward does not decrypt with %s", what);
	return false;
}

static int set_ctx_params(void *ctx, const OSSL_PARAM params[])
{
	struct cipher_ctx *c = ctx;
	const OSSL_PARAM *p;
	void *label = c->label;

	if (!params)
		return 1;
	if (c->encrypt)
		return EVP_PKEY_CTX_set_params(c->encrypt, params);
	p = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_PAD_MODE);
	if (p && (!prov_get_padding(p, &c->padding) ||
			 (c->padding != RSA_PKCS1_PADDING && c->padding != RSA_PKCS1_OAEP_PADDING)))
		return refuse(c, "this padding; OAEP and PKCS #1 v1.5 are there");
	p = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST);
	if (p && !set_hash(p, &c->hash))
		return refuse(c, "this hash; SHA-224, SHA-256, SHA-384 and SHA-512 are there");
	p = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST);
	if (p && !set_hash(p, &c->mgf))
		return refuse(c, "this hash; SHA-224, SHA-256, SHA-384 and SHA-512 are there");
	if (p)
		c->mgf_given = true;
	p = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL);
	if (p && !OSSL_PARAM_get_octet_string(p, &label, sizeof(c->label), &c->label_len))
		return refuse(c, "a label of more than 256 bytes");
	/* A TLS server asks so for the RSA key exchange of TLS 1.2 and before, which has no
	 * forward secrecy. */
	if (OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION))
		return refuse(c, "the padding of TLS's RSA key exchange");
	return 1;
}

static const OSSL_PARAM *settable(void *ctx, void *provctx)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST_PROPS, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST_PROPS, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, NULL, 0),
		OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, NULL),
		OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, NULL),
		OSSL_PARAM_END,
	};

	(void)ctx;
	(void)provctx;
	return list;
}

static int get_ctx_params(void *ctx, OSSL_PARAM params[])
{
	struct cipher_ctx *c = ctx;
	const char *name = OSSL_PKEY_RSA_PAD_MODE_PKCSV15;
	OSSL_PARAM *p;

	if (c->encrypt)
		return EVP_PKEY_CTX_get_params(c->encrypt, params);
	if (c->padding == RSA_PKCS1_OAEP_PADDING)
		name = OSSL_PKEY_RSA_PAD_MODE_OAEP;
	p = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_PAD_MODE);
	if (p && p->data_type == OSSL_PARAM_UTF8_STRING && !OSSL_PARAM_set_utf8_string(p, name))
		return 0;
	if (p && p->data_type != OSSL_PARAM_UTF8_STRING && !OSSL_PARAM_set_int(p, c->padding))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST);
	return !p || OSSL_PARAM_set_utf8_string(p, c->hash ? c->hash->name : "SHA1");
}

static const OSSL_PARAM *gettable(void *ctx, void *provctx)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)ctx;
	(void)provctx;
	return list;
}

static int decrypt_init(void *ctx, void *keydata, const OSSL_PARAM params[])
{
	struct cipher_ctx *c = ctx;

	if (!start(c, keydata) || !c->key->front)
		return 0;
	c->decrypts = true;
	return set_ctx_params(c, params);
}

static int decrypt(void *ctx, unsigned char *out, size_t *outlen, size_t outsize,
	const unsigned char *in, size_t inlen)
{
	struct cipher_ctx *c = ctx;
	struct kw_decrypt what = {.data = in, .len = inlen};
	uint8_t plain[KW_SIGNATURE_MAX];
	size_t len = 0;
	enum kw_err err;
	int ok = 0;

	if (!c->decrypts)
		return 0;
	if (!out) {
		*outlen = c->key->max_size;
		return 1;
	}
	what.oaep = c->padding == RSA_PKCS1_OAEP_PADDING;
	if (what.oaep) {
		if (!c->hash || (c->mgf_given && !c->mgf))
			return refuse(
				c, "OAEP and SHA-1, OpenSSL's default; set rsa_oaep_md:sha256");
		what.hash = c->hash->hash;
		what.mgf_hash = c->mgf ? c->mgf->hash : c->hash->hash;
		what.label = c->label;
		what.label_len = c->label_len;
	}
	err = front_key_decrypt(c->key->front, &what, plain, &len);
	if (err) {
		prov_raise(c->prov, err, "%s", front_explain(err));
		goto out;
	}
	if (len > outsize) {
		prov_raise(c->prov, KW_ERR_TOO_LARGE, "the buffer is too small for the plaintext");
		goto out;
	}
	memcpy(out, plain, len);
	*outlen = len;
	ok = 1;
out:
	OPENSSL_cleanse(plain, sizeof(plain));
	return ok;
}

static int encrypt_init(void *ctx, void *keydata, const OSSL_PARAM params[])
{
	struct cipher_ctx *c = ctx;

	if (!start(c, keydata))
		return 0;
	c->encrypt = EVP_PKEY_CTX_new_from_pkey(c->prov->libctx, c->key->public, PROV_OTHERS);
	return c->encrypt && EVP_PKEY_encrypt_init_ex(c->encrypt, params) == 1;
}

static int encrypt(void *ctx, unsigned char *out, size_t *outlen, size_t outsize,
	const unsigned char *in, size_t inlen)
{
	struct cipher_ctx *c = ctx;
	size_t len = outsize;

	if (!c->encrypt || EVP_PKEY_encrypt(c->encrypt, out, &len, in, inlen) != 1)
		return 0;
	*outlen = len;
	return 1;
}

const OSSL_DISPATCH prov_rsa_cipher[] = {
	PROV_FN(OSSL_FUNC_ASYM_CIPHER_NEWCTX, newctx),
	PROV_FN(OSSL_FUNC_ASYM_CIPHER_FREECTX, freectx),
	PROV_FN(OSSL_FUNC_ASYM_CIPHER_DUPCTX, dupctx),
	PROV_FN(OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT, decrypt_init),
	PROV_FN(OSSL_FUNC_ASYM_CIPHER_DECRYPT, decrypt),
	PROV_FN(OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT, encrypt_init),
	PROV_FN(OSSL_FUNC_ASYM_CIPHER_ENCRYPT, encrypt),
	PROV_FN(OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, set_ctx_params),
	PROV_FN(OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS, settable),
	PROV_FN(OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS, get_ctx_params),
	PROV_FN(OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS, gettable),
	PROV_END,
};

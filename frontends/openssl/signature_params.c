/* SPDX-License-Identifier: BSD-2-Clause */
/* How to sign, as OpenSSL says it in parameters, and what it asks back. */
#include "algorithm_id.h"
#include "signature.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <stdlib.h>
#include <string.h>

/* The smallest of the RSA_PSS_SALTLEN_ values, which may also come as numbers in text. */
#define SALTLEN_MIN RSA_PSS_SALTLEN_AUTO_DIGEST_MAX

bool sig_set_hash(struct sig_ctx *s, const char *name)
{
	const struct front_hash *hash = front_hash_by_name(name);

	if (s->key->kind == PROV_ED25519) {
		/* Ed25519 hashes by itself (RFC 8032 5.1): no name may be given. */
		s->hash = NULL;
		return !name || !name[0];
	}
	if (!hash)
		return false;
	/* A hash that was given at the sig_start stays: the message may be half hashed. */
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
		{OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST, RSA_PSS_SALTLEN_DIGEST},
		{OSSL_PKEY_RSA_PSS_SALT_LEN_MAX, RSA_PSS_SALTLEN_MAX},
		{OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO, RSA_PSS_SALTLEN_AUTO},
		{"auto-digestmax", RSA_PSS_SALTLEN_AUTO_DIGEST_MAX},
	};
	char *end = NULL;
	long n;

	if (p->data_type != OSSL_PARAM_UTF8_STRING)
		return OSSL_PARAM_get_int(p, &s->salt) == 1 && s->salt >= SALTLEN_MIN;
	if (!p->data)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(p->data, names[i].name) == 0) {
			s->salt = names[i].salt;
			return true;
		}
	n = strtol(p->data, &end, 10);
	if (end == p->data || *end || n < SALTLEN_MIN || n > KW_SIGNATURE_MAX)
		return false;
	s->salt = (int)n;
	return true;
}

bool sig_refuse(const struct sig_ctx *s, const char *what)
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
		return sig_refuse(s, "this padding; PKCS #1 v1.5 and PSS are there");
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
	if (p && !set_salt(s, p))
		return sig_refuse(s, "this length of PSS salt");
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST);
	if (p && p->data_type == OSSL_PARAM_UTF8_STRING && s->hash &&
		front_hash_by_name(p->data) != s->hash)
		return sig_refuse(s, "a mask function whose hash is not the message's");
	return true;
}

int sig_set_ctx_params(void *ctx, const OSSL_PARAM params[])
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
	if (p && (p->data_type != OSSL_PARAM_UTF8_STRING || !sig_set_hash(s, p->data)))
		return sig_refuse(s, SIG_NO_HASH);
	return s->key->kind != PROV_RSA || set_rsa_params(s, params);
}

const OSSL_PARAM *sig_rsa_settable(void *ctx, void *provctx)
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

const OSSL_PARAM *sig_ecdsa_settable(void *ctx, void *provctx)
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
	case RSA_PSS_SALTLEN_AUTO_DIGEST_MAX:
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

int sig_get_ctx_params(void *ctx, OSSL_PARAM params[])
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

const OSSL_PARAM *sig_rsa_gettable(void *ctx, void *provctx)
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

const OSSL_PARAM *sig_ecdsa_gettable(void *ctx, void *provctx)
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

const OSSL_PARAM *sig_ed25519_gettable(void *ctx, void *provctx)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)ctx;
	(void)provctx;
	return list;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Key files. The first decoder turns PEM with our label into DER, the others turn that DER into a
 * key. OpenSSL calls them for every key file that it reads, with whatever is in it: what is not
 * ours gets "1" and no error, which means that the next decoder may try.
 */
#include "provider.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include <string.h>

static void *newctx(void *provctx)
{
	return provctx;
}

static void freectx(void *ctx)
{
	(void)ctx;
}

/* Parts of a key are not for somebody who looks for a public key. */
static int does_selection(void *provctx, int selection)
{
	(void)provctx;
	return selection == 0 || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
}

static int hand_on(
	const uint8_t *der, size_t len, enum prov_kind kind, OSSL_CALLBACK *cb, void *arg)
{
	int type = OSSL_OBJECT_PKEY;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
		OSSL_PARAM_construct_utf8_string(
			OSSL_OBJECT_PARAM_DATA_TYPE, (char *)(uintptr_t)prov_kind_name(kind), 0),
		OSSL_PARAM_construct_utf8_string(
			OSSL_OBJECT_PARAM_DATA_STRUCTURE, (char *)(uintptr_t)PROV_STRUCTURE, 0),
		OSSL_PARAM_construct_octet_string(
			OSSL_OBJECT_PARAM_DATA, (void *)(uintptr_t)der, len),
		OSSL_PARAM_construct_end(),
	};

	return cb(params, arg);
}

/* The next PEM block, as OpenSSL's own decoder sees it. */
static bool read_pem(const struct prov *prov, OSSL_CORE_BIO *in, char **name, char **header,
	unsigned char **data, long *len)
{
	BIO *bio = BIO_new_from_core_bio(prov->libctx, in);
	bool found = false;

	ERR_set_mark();
	if (bio)
		found = PEM_read_bio(bio, name, header, data, len) == 1;
	ERR_pop_to_mark();
	BIO_free(bio);
	return found;
}

static int pem_decode(void *ctx, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *cb, void *arg,
	OSSL_PASSPHRASE_CALLBACK *passphrase, void *passphrase_arg)
{
	struct prov *prov = ctx;
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	enum kw_key_type type;
	enum prov_kind kind;
	enum kw_err err;
	long len = 0;
	int ok = 1;

	(void)selection;
	(void)passphrase;
	(void)passphrase_arg;
	if (!read_pem(prov, in, &name, &header, &data, &len) || strcmp(name, KW_PEM_LABEL) != 0)
		goto out;
	ok = 0;
	if (len <= 0 || len > KW_REFERENCE_MAX || (header && header[0])) {
		prov_raise(prov, KW_ERR_BAD_REFERENCE, "%s", kw_strerror(KW_ERR_BAD_REFERENCE));
		goto out;
	}
	err = front_type_of_file(data, (size_t)len, &type);
	if (err || !prov_kind_of_type(type, &kind)) {
		prov_raise(prov, err, "%s",
			err == KW_ERR_BAD_REFERENCE ? kw_explain() : kw_strerror(err));
		goto out;
	}
	ok = hand_on(data, (size_t)len, kind, cb, arg);
out:
	/* It may have been somebody's ordinary private key. */
	OPENSSL_clear_free(data, len > 0 ? (size_t)len : 0);
	OPENSSL_free(name);
	OPENSSL_free(header);
	return ok;
}

static size_t read_der(const struct prov *prov, OSSL_CORE_BIO *in, uint8_t *buf, size_t size)
{
	BIO *bio = BIO_new_from_core_bio(prov->libctx, in);
	size_t len = 0;
	int n;

	ERR_set_mark();
	while (bio && len < size) {
		n = BIO_read(bio, buf + len, (int)(size - len));
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	ERR_pop_to_mark();
	BIO_free(bio);
	return len;
}

static int der_decode(
	struct prov *prov, enum prov_kind wanted, OSSL_CORE_BIO *in, OSSL_CALLBACK *cb, void *arg)
{
	uint8_t der[KW_REFERENCE_MAX + 1];
	struct front_tee *tee;
	struct front_key *front = NULL;
	enum kw_key_type type;
	struct prov_key *key;
	enum prov_kind kind;
	enum kw_err err;
	size_t len;
	int ok = 1;

	len = read_der(prov, in, der, sizeof(der));
	if (len == 0 || len > KW_REFERENCE_MAX)
		goto out;
	if (front_type_of_file(der, len, &type) || !prov_kind_of_type(type, &kind) ||
		kind != wanted)
		goto out;
	ok = 0;
	tee = prov_tee(prov);
	if (!tee)
		goto out;
	err = front_key_from_file(tee, der, len, &front);
	if (err) {
		prov_raise(prov, err, "%s", front_explain(err));
		goto out;
	}
	/* A name may have moved to a key of another kind: OpenSSL goes by what we hand over. */
	key = prov_key_from_front(prov, &front);
	if (key)
		ok = prov_key_give(key, cb, arg);
out:
	OPENSSL_cleanse(der, sizeof(der));
	return ok;
}

#define DER_DECODER(name, kind)                                                                  \
	static int name##_decode(void *ctx, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *cb, \
		void *arg, OSSL_PASSPHRASE_CALLBACK *passphrase, void *passphrase_arg)           \
	{                                                                                        \
		(void)selection;                                                                 \
		(void)passphrase;                                                                \
		(void)passphrase_arg;                                                            \
		return der_decode(ctx, kind, in, cb, arg);                                       \
	}                                                                                        \
	const OSSL_DISPATCH prov_##name##_decoder[] = {                                          \
		PROV_FN(OSSL_FUNC_DECODER_NEWCTX, newctx),                                       \
		PROV_FN(OSSL_FUNC_DECODER_FREECTX, freectx),                                     \
		PROV_FN(OSSL_FUNC_DECODER_DOES_SELECTION, does_selection),                       \
		PROV_FN(OSSL_FUNC_DECODER_DECODE, name##_decode),                                \
		PROV_END,                                                                        \
	}

DER_DECODER(rsa, PROV_RSA);
DER_DECODER(ec, PROV_EC);
DER_DECODER(ed25519, PROV_ED25519);

const OSSL_DISPATCH prov_pem_decoder[] = {
	PROV_FN(OSSL_FUNC_DECODER_NEWCTX, newctx),
	PROV_FN(OSSL_FUNC_DECODER_FREECTX, freectx),
	PROV_FN(OSSL_FUNC_DECODER_DECODE, pem_decode),
	PROV_END,
};

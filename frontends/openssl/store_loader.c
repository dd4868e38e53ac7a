/* SPDX-License-Identifier: BSD-2-Clause */
/* keyward:NAME and keyward:ID, for programs that take a URI for a key. */
#include "provider.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/store.h>

#include <stdlib.h>
#include <string.h>

#define SCHEME "keyward:"

struct store_ctx {
	struct prov *prov;
	char *name;
	bool done;
};

static void *store_open(void *provctx, const char *uri)
{
	struct store_ctx *s = NULL;

	if (OPENSSL_strncasecmp(uri, SCHEME, sizeof(SCHEME) - 1) != 0)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->prov = provctx;
	s->name = strdup(uri + sizeof(SCHEME) - 1);
	if (s->name)
		return s;
	free(s);
	return NULL;
}

static int store_close(void *ctx)
{
	struct store_ctx *s = ctx;

	free(s->name);
	free(s);
	return 1;
}

static const OSSL_PARAM *store_settable_params(void *provctx)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_int(OSSL_STORE_PARAM_EXPECT, NULL),
		OSSL_PARAM_END,
	};

	(void)provctx;
	return list;
}

static int store_set_params(void *ctx, const OSSL_PARAM params[])
{
	struct store_ctx *s = ctx;
	const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_EXPECT);
	int expect = 0;

	if (!p)
		return 1;
	if (!OSSL_PARAM_get_int(p, &expect))
		return 0;
	/* There are only keys here: who looks for a certificate finds an empty store. */
	if (expect != 0 && expect != OSSL_STORE_INFO_PKEY && expect != OSSL_STORE_INFO_PUBKEY)
		s->done = true;
	return 1;
}

static int store_eof(void *ctx)
{
	struct store_ctx *s = ctx;

	return s->done;
}

static int store_load(void *ctx, OSSL_CALLBACK *cb, void *arg, OSSL_PASSPHRASE_CALLBACK *passphrase,
	void *passphrase_arg)
{
	struct store_ctx *s = ctx;
	struct front_key *front = NULL;
	struct front_tee *tee;
	struct prov_key *key;
	enum kw_err err;

	(void)passphrase;
	(void)passphrase_arg;
	if (s->done)
		return 0;
	s->done = true;
	tee = prov_tee(s->prov);
	if (!tee)
		return 0;
	err = front_key_from_text(tee, s->name, &front);
	if (err) {
		prov_raise(s->prov, err, "%s", front_explain(err));
		return 0;
	}
	key = prov_key_from_front(s->prov, &front);
	return key ? prov_key_give(key, cb, arg) : 0;
}

const OSSL_DISPATCH prov_store[] = {
	PROV_FN(OSSL_FUNC_STORE_OPEN, store_open),
	PROV_FN(OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS, store_settable_params),
	PROV_FN(OSSL_FUNC_STORE_SET_CTX_PARAMS, store_set_params),
	PROV_FN(OSSL_FUNC_STORE_LOAD, store_load),
	PROV_FN(OSSL_FUNC_STORE_EOF, store_eof),
	PROV_FN(OSSL_FUNC_STORE_CLOSE, store_close),
	PROV_END,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* The OpenSSL provider "keyward": keys in a TEE and their operations, nothing else. */
#include "provider.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The names are the default provider's, so that applications recognise the keys. When they ask for
 * one of these algorithms without saying whose, OpenSSL takes the first provider that has it; when
 * that is another one it tries to export the key there, our key management refuses, and OpenSSL
 * comes back to us. Signatures under a name of our own would spare that (2 % with P-256), but then
 * OpenSSL 3.0 keeps our key management as the one for "EC", and the server can make no key for its
 * key exchange.
 */
static const OSSL_ALGORITHM keymgmts[] = {
	{"RSA:rsaEncryption:1.2.840.113549.1.1.1", PROV_PROPERTIES, prov_rsa_keymgmt,
		"RSA keys in a TEE"},
	{"EC:id-ecPublicKey:1.2.840.10045.2.1", PROV_PROPERTIES, prov_ec_keymgmt,
		"EC keys in a TEE"},
	{"ED25519:1.3.101.112", PROV_PROPERTIES, prov_ed25519_keymgmt, "Ed25519 keys in a TEE"},
	{NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM signatures[] = {
	{"RSA:rsaEncryption:1.2.840.113549.1.1.1", PROV_PROPERTIES, prov_rsa_signature,
		"RSA signatures from a TEE"},
	{"ECDSA", PROV_PROPERTIES, prov_ecdsa_signature, "ECDSA signatures from a TEE"},
	{"ED25519:1.3.101.112", PROV_PROPERTIES, prov_ed25519_signature,
		"Ed25519 signatures from a TEE"},
	{NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM ciphers[] = {
	{"RSA:rsaEncryption:1.2.840.113549.1.1.1", PROV_PROPERTIES, prov_rsa_cipher,
		"RSA decryption in a TEE"},
	{NULL, NULL, NULL, NULL},
};

#define DER_INPUT PROV_PROPERTIES ",input=der,structure=" PROV_STRUCTURE

static const OSSL_ALGORITHM decoders[] = {
	{"DER", PROV_PROPERTIES ",input=pem", prov_pem_decoder, "Keyward key files"},
	{"RSA:rsaEncryption:1.2.840.113549.1.1.1", DER_INPUT, prov_rsa_decoder,
		"Keyward key files"},
	{"EC:id-ecPublicKey:1.2.840.10045.2.1", DER_INPUT, prov_ec_decoder, "Keyward key files"},
	{"ED25519:1.3.101.112", DER_INPUT, prov_ed25519_decoder, "Keyward key files"},
	{NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM stores[] = {
	{"keyward", PROV_PROPERTIES, prov_store, "keyward:NAME"},
	{NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM *query(void *ctx, int operation, int *no_cache)
{
	(void)ctx;
	*no_cache = 0;
	switch (operation) {
	case OSSL_OP_KEYMGMT:
		return keymgmts;
	case OSSL_OP_SIGNATURE:
		return signatures;
	case OSSL_OP_ASYM_CIPHER:
		return ciphers;
	case OSSL_OP_DECODER:
		return decoders;
	case OSSL_OP_STORE:
		return stores;
	default:
		return NULL;
	}
}

static const OSSL_PARAM *gettable_params(void *ctx)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_DEFN(OSSL_PROV_PARAM_NAME, OSSL_PARAM_UTF8_PTR, NULL, 0),
		OSSL_PARAM_DEFN(OSSL_PROV_PARAM_VERSION, OSSL_PARAM_UTF8_PTR, NULL, 0),
		OSSL_PARAM_DEFN(OSSL_PROV_PARAM_BUILDINFO, OSSL_PARAM_UTF8_PTR, NULL, 0),
		OSSL_PARAM_DEFN(OSSL_PROV_PARAM_STATUS, OSSL_PARAM_INTEGER, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)ctx;
	return list;
}

static int get_params(void *ctx, OSSL_PARAM params[])
{
	OSSL_PARAM *p;

	(void)ctx;
	p = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_NAME);
	if (p && !OSSL_PARAM_set_utf8_ptr(p, "Keyward: private keys in a TEE"))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_VERSION);
	if (p && !OSSL_PARAM_set_utf8_ptr(p, KW_VERSION))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_BUILDINFO);
	if (p && !OSSL_PARAM_set_utf8_ptr(p, KW_VERSION))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
	return !p || OSSL_PARAM_set_int(p, 1);
}

static const OSSL_ITEM *reason_strings(void *ctx)
{
	static const OSSL_ITEM list[] = {
#define KW_ERROR(number, NAME, sentence) {FRONT_REASON(number), (void *)(uintptr_t)(sentence)},
#include <keyward/errors.def>
		{0, NULL},
	};

	(void)ctx;
	return list;
}

void prov_raise_at(const struct prov *prov, const char *file, int line, const char *func,
	enum kw_err err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	prov->new_error(prov->handle);
	prov->set_error_debug(prov->handle, file, line, func);
	prov->vset_error(prov->handle, (uint32_t)FRONT_REASON(err), format, args);
	va_end(args);
}

struct front_tee *prov_tee(const struct prov *prov)
{
	if (!prov->tee)
		prov_raise(prov, prov->tee_err, "%s", prov->tee_text);
	return prov->tee;
}

bool prov_get_padding(const OSSL_PARAM *p, int *padding)
{
	static const struct {
		const char *name;
		int padding;
	} names[] = {
		{OSSL_PKEY_RSA_PAD_MODE_PKCSV15, RSA_PKCS1_PADDING},
		{OSSL_PKEY_RSA_PAD_MODE_PSS, RSA_PKCS1_PSS_PADDING},
		{OSSL_PKEY_RSA_PAD_MODE_OAEP, RSA_PKCS1_OAEP_PADDING},
	};

	if (p->data_type != OSSL_PARAM_UTF8_STRING)
		return OSSL_PARAM_get_int(p, padding) == 1;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (p->data && strcmp(p->data, names[i].name) == 0) {
			*padding = names[i].padding;
			return true;
		}
	return false;
}

/*
 * Only freed memory and closed descriptors: this may run in a worker's exit, after a fork, with
 * other libraries gone already. Keys that outlive it keep their way to the TEE.
 */
static void teardown(void *ctx)
{
	struct prov *prov = ctx;

	front_tee_free(&prov->tee);
	OSSL_LIB_CTX_free(prov->libctx);
	free(prov);
}

static const OSSL_DISPATCH provider_functions[] = {
	PROV_FN(OSSL_FUNC_PROVIDER_TEARDOWN, teardown),
	PROV_FN(OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, gettable_params),
	PROV_FN(OSSL_FUNC_PROVIDER_GET_PARAMS, get_params),
	PROV_FN(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
	PROV_FN(OSSL_FUNC_PROVIDER_GET_REASON_STRINGS, reason_strings),
	PROV_END,
};

/* A missing or wrong setting does not stop the provider from loading: that would stop every
 * program which reads the same openssl.cnf. Loading a key reports it. */
static void open_tee(struct prov *prov, OSSL_FUNC_core_get_params_fn *core_get_params)
{
	char *tee = NULL, *path = NULL;
	struct kw_options options = {0};
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_ptr("tee", &tee, 0),
		OSSL_PARAM_construct_utf8_ptr("socket", &path, 0),
		OSSL_PARAM_construct_end(),
	};

	if (core_get_params && core_get_params(prov->handle, params)) {
		options.tee = tee;
		options.socket = path;
	}
	prov->tee_err = front_tee_new(&options, &prov->tee);
	if (prov->tee_err)
		snprintf(
			prov->tee_text, sizeof(prov->tee_text), "%s", front_explain(prov->tee_err));
}

/*
 * OpenSSL has no way to say that a provider knows RSA but is not to be asked for new keys or TLS
 * groups: the one that was activated first is. If nobody is there yet, because a configuration or
 * HAProxy's ssl-provider names us first or alone, see to it that the default provider goes before
 * us; without it no key exchange works. The context of the application may be used only if its
 * libcrypto is the one that we are linked to.
 */
static void let_others_go_first(const struct prov *prov, OSSL_FUNC_core_get_libctx_fn *get_libctx)
{
	OSSL_LIB_CTX *(*linked)(void) = OSSL_LIB_CTX_new;
	Dl_info ours, theirs;
	OSSL_LIB_CTX *app;
	EVP_KEYMGMT *known;

	if (!get_libctx || !dladdr((void *)(uintptr_t)linked, &ours) ||
		!dladdr((void *)(uintptr_t)get_libctx, &theirs) ||
		ours.dli_fbase != theirs.dli_fbase)
		return;
	app = (OSSL_LIB_CTX *)get_libctx(prov->handle);
	ERR_set_mark();
	/* This also activates the default provider where OpenSSL does so by itself. */
	known = EVP_KEYMGMT_fetch(app, "RSA", PROV_OTHERS);
	if (!known)
		OSSL_PROVIDER_try_load(app, "default", 1);
	EVP_KEYMGMT_free(known);
	ERR_pop_to_mark();
}

__attribute__((visibility("default"))) OSSL_provider_init_fn OSSL_provider_init;

int OSSL_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
	const OSSL_DISPATCH **out, void **ctx)
{
	OSSL_FUNC_core_get_params_fn *core_get_params = NULL;
	OSSL_FUNC_core_get_libctx_fn *core_get_libctx = NULL;
	struct prov *prov = calloc(1, sizeof(*prov));
	int ok = 0;

	if (!prov)
		goto out;
	prov->handle = handle;
	for (const OSSL_DISPATCH *fn = in; fn->function_id; fn++) {
		switch (fn->function_id) {
		case OSSL_FUNC_CORE_NEW_ERROR:
			prov->new_error = OSSL_FUNC_core_new_error(fn);
			break;
		case OSSL_FUNC_CORE_SET_ERROR_DEBUG:
			prov->set_error_debug = OSSL_FUNC_core_set_error_debug(fn);
			break;
		case OSSL_FUNC_CORE_VSET_ERROR:
			prov->vset_error = OSSL_FUNC_core_vset_error(fn);
			break;
		case OSSL_FUNC_CORE_GET_PARAMS:
			core_get_params = OSSL_FUNC_core_get_params(fn);
			break;
		case OSSL_FUNC_CORE_GET_LIBCTX:
			core_get_libctx = OSSL_FUNC_core_get_libctx(fn);
			break;
		}
	}
	if (!prov->new_error || !prov->set_error_debug || !prov->vset_error)
		goto out;
	let_others_go_first(prov, core_get_libctx);
	prov->libctx = OSSL_LIB_CTX_new_child(handle, in);
	if (!prov->libctx)
		goto out;
	open_tee(prov, core_get_params);
	*out = provider_functions;
	*ctx = prov;
	prov = NULL;
	ok = 1;
out:
	free(prov);
	return ok;
}

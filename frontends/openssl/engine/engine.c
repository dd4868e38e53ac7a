/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The OpenSSL ENGINE "keyward", for programs that know ENGINEs and not providers:
 * engine:keyward:NAME in nginx. The key may also be an id in hexadecimal, or the path of a key
 * file, which has a slash.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "engine.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	CMD_SOCKET = ENGINE_CMD_BASE,
	CMD_TEE,
};

static const ENGINE_CMD_DEFN commands[] = {
	{CMD_SOCKET, "SOCKET", "path of the host TEE's socket", ENGINE_CMD_FLAG_STRING},
	{CMD_TEE, "TEE", "which TEE: host or optee", ENGINE_CMD_FLAG_STRING},
	{0, NULL, NULL, 0},
};

static ERR_STRING_DATA reasons[] = {
#define KW_ERROR(number, NAME, sentence) {ERR_PACK(0, 0, FRONT_REASON(number)), sentence},
#include <keyward/errors.def>
	{0, NULL},
};

static ERR_STRING_DATA library_name[] = {
	{0, ENGINE_ID},
	{0, NULL},
};

/* Held only for looking at and changing what is below, never during a call into the TEE. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct front_tee *tee;
static char *option_socket;
static char *option_tee;
static int error_library;

void engine_raise_at(
	const char *file, int line, const char *func, enum kw_err err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	ERR_new();
	ERR_set_debug(file, line, func);
	ERR_vset_error(error_library, FRONT_REASON(err), format, args);
	va_end(args);
}

static int set_option(char **option, const char *value)
{
	char *copy = value ? strdup(value) : NULL;

	if (!copy)
		return 0;
	pthread_mutex_lock(&lock);
	free(*option);
	*option = copy;
	/* Keys that were loaded keep the TEE that they came from. */
	front_tee_free(&tee);
	pthread_mutex_unlock(&lock);
	return 1;
}

static int control(ENGINE *e, int command, long i, void *p, void (*f)(void))
{
	(void)e;
	(void)i;
	(void)f;
	switch (command) {
	case CMD_SOCKET:
		return set_option(&option_socket, p);
	case CMD_TEE:
		return set_option(&option_tee, p);
	default:
		return 0;
	}
}

static struct front_tee *open_tee(void)
{
	struct kw_options options = {0};
	struct front_tee *found = NULL;
	enum kw_err err = KW_ERR_OK;

	pthread_mutex_lock(&lock);
	if (!tee) {
		options.socket = option_socket;
		options.tee = option_tee;
		err = front_tee_new(&options, &tee);
	}
	if (tee)
		found = front_tee_ref(tee);
	pthread_mutex_unlock(&lock);
	if (!found)
		engine_raise(err, "%s", front_explain(err));
	return found;
}

static enum kw_err load_file(struct front_tee *from, const char *path, struct front_key **key)
{
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	enum kw_err err = KW_ERR_BAD_REFERENCE;
	BIO *bio = BIO_new_file(path, "r");
	bool ours = false;
	long len = 0;

	*key = NULL;
	ERR_set_mark();
	while (bio && !ours && PEM_read_bio(bio, &name, &header, &data, &len)) {
		ours = strcmp(name, KW_PEM_LABEL) == 0;
		if (ours && len > 0)
			err = front_key_from_file(from, data, (size_t)len, key);
		/* It may have been somebody's ordinary private key. */
		OPENSSL_clear_free(data, len > 0 ? (size_t)len : 0);
		OPENSSL_free(name);
		OPENSSL_free(header);
		data = NULL;
		name = NULL;
		header = NULL;
	}
	ERR_pop_to_mark();
	BIO_free(bio);
	if (!bio)
		engine_raise(KW_ERR_SYSTEM, "the key file %s cannot be read", path);
	else if (!ours)
		engine_raise(err, "there is no " KW_PEM_LABEL " in the file %s", path);
	else if (err)
		engine_raise(err, "%s", front_explain(err));
	return err;
}

static EVP_PKEY *load_key(ENGINE *e, const char *id, UI_METHOD *ui, void *data)
{
	struct front_tee *from = open_tee();
	struct front_key *front = NULL;
	EVP_PKEY *pkey = NULL;
	enum kw_err err;

	(void)ui;
	(void)data;
	if (!from)
		return NULL;
	if (!id || !id[0]) {
		engine_raise(KW_ERR_BAD_NAME, "give the key's name, as in engine:keyward:NAME");
	} else if (strchr(id, '/')) {
		if (!load_file(from, id, &front))
			pkey = engine_pkey_new(e, &front);
	} else {
		err = front_key_from_text(from, id, &front);
		if (err)
			engine_raise(err, "%s", front_explain(err));
		else
			pkey = engine_pkey_new(e, &front);
	}
	front_tee_free(&from);
	return pkey;
}

static int engine_init(ENGINE *e)
{
	(void)e;
	return 1;
}

static int bind(ENGINE *e, const char *id)
{
	if (id && strcmp(id, ENGINE_ID) != 0)
		return 0;
	if (!error_library) {
		error_library = ERR_get_next_error_library();
		ERR_load_strings(error_library, reasons);
		library_name[0].error = ERR_PACK(error_library, 0, 0);
		ERR_load_strings(error_library, library_name);
	}
	if (!engine_methods_new())
		return 0;
	if (!ENGINE_set_id(e, ENGINE_ID) || !ENGINE_set_name(e, "Keyward: private keys in a TEE") ||
		!ENGINE_set_init_function(e, engine_init) ||
		!ENGINE_set_ctrl_function(e, control) || !ENGINE_set_cmd_defns(e, commands) ||
		!ENGINE_set_load_privkey_function(e, load_key) ||
		!ENGINE_set_load_pubkey_function(e, load_key) ||
		!ENGINE_set_pkey_meths(e, engine_pkey_methods))
		return 0;
	/* nginx 1.22 loads keys from an ENGINE that it never initialises, which OpenSSL refuses.
	 * The reference that this takes also keeps the ENGINE, and this code, until the process
	 * ends. */
	return ENGINE_init(e);
}

#define EXPORTED __attribute__((visibility("default")))
EXPORTED int bind_engine(ENGINE *e, const char *id, const dynamic_fns *fns);
EXPORTED unsigned long v_check(unsigned long v);

IMPLEMENT_DYNAMIC_BIND_FN(bind)
IMPLEMENT_DYNAMIC_CHECK_FN()

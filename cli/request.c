/* SPDX-License-Identifier: BSD-2-Clause */
#include "request.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "file_io.h"
#include "passphrase.h"
#include "text.h"

void key_request_init(struct key_request *r)
{
	memset(r, 0, sizeof(*r));
	r->t.type = KW_KEY_TYPE_EC_P256;
	r->t.purposes = KW_PURPOSE_TLS_SERVER | KW_PURPOSE_CSR;
}

/* "a, b or c" out of a table, cut to size. */
static const char *join_rows(const char *(*row)(unsigned i), char *buf, size_t size)
{
	size_t used = 0;
	unsigned i;

	buf[0] = '\0';
	for (i = 0; row(i) && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s",
			!i           ? ""
			: row(i + 1) ? ", "
				     : " or ",
			row(i));
	return buf;
}

static const char *purpose_name(unsigned i)
{
	const char *sentence;

	return kw_purpose_row(i, &sentence);
}

static void set_type(struct cli *cli, struct key_request *r, const char *value)
{
	char names[256];

	r->t.type = kw_key_type_from_name(value);
	if (!r->t.type)
		exit((int)usage_error(cli, "there is no type '%s': use %s", value,
			join_rows(kw_key_type_row, names, sizeof(names))));
	r->has_type = true;
}

static void set_purposes(struct cli *cli, struct key_request *r, const char *value)
{
	char names[256];
	uint32_t purposes = 0;

	if (kw_purposes_from_names(value, &purposes))
		exit((int)usage_error(cli,
			"'%s' is not a list of purposes: use %s, several with commas", value,
			join_rows(purpose_name, names, sizeof(names))));
	r->t.purposes = purposes | (r->has_purposes ? r->t.purposes : 0);
	r->has_purposes = true;
}

static void add_allowed(struct cli *cli, struct key_request *r, const char *value)
{
	enum kw_err err;

	if (r->t.allow_count == ALLOW_MAX)
		exit((int)usage_error(cli,
			"a key has at most %d entries in its access list: allow a group",
			ALLOW_MAX));
	err = kw_identity_from_name(value, &r->allow[r->t.allow_count]);
	if (err)
		exit((int)fail_kw(err, "cannot allow '%s'", value));
	r->t.allow = r->allow;
	r->t.allow_count++;
}

bool key_request_option(struct cli *cli, struct key_request *r, int letter, const char *value)
{
	switch (letter) {
	case OPTION_TYPE:
		set_type(cli, r, value);
		return true;
	case OPTION_PURPOSE:
		set_purposes(cli, r, value);
		return true;
	case OPTION_ALLOW:
		add_allowed(cli, r, value);
		return true;
	case OPTION_PASSPHRASE_FILE:
		r->passphrase_file = value;
		return true;
	case OPTION_PASSPHRASE_FD:
		if (!parse_number(value, 0, 1 << 20, &r->passphrase_fd))
			exit((int)usage_error(cli, "'%s' is not a file descriptor", value));
		r->has_passphrase_fd = true;
		return true;
	default:
		return false;
	}
}

/* What somebody may have meant who did not say. */
static const char *usual_purposes(enum kw_key_type type)
{
	if (type == KW_KEY_TYPE_HMAC)
		return "mac";
	return kw_key_type_is_secret(type) ? "encrypt,decrypt" : "derive";
}

enum exit_code key_request_check(struct cli *cli, const struct key_request *r)
{
	if (r->t.purposes & (KW_PURPOSE_TLS_SERVER | KW_PURPOSE_TLS_CLIENT | KW_PURPOSE_CSR |
				    KW_PURPOSE_SIGN) &&
		!kw_key_type_signs(r->t.type))
		return usage_error(cli,
			"a key of type %s cannot sign: say what it is for, as with --purpose %s",
			kw_key_type_name(r->t.type), usual_purposes(r->t.type));
	if (r->t.purposes & (KW_PURPOSE_DECRYPT | KW_PURPOSE_DECRYPT_PKCS1) &&
		!kw_key_type_is_rsa(r->t.type) && !kw_key_type_is_secret(r->t.type))
		return usage_error(cli,
			"a key of type %s cannot decrypt: use an RSA key or other purposes",
			kw_key_type_name(r->t.type));
	return EXIT_OK;
}

/* All else that is in a request of ours is good: it is the purposes that do not fit the type. */
static enum exit_code fail_make(
	enum kw_err err, const struct key_request *r, const char *what, const char *of)
{
	char names[256];

	if (err != KW_ERR_BAD_REQUEST)
		return fail_kw(err, "cannot %s '%s'", what, of);
	kw_purposes_names(r->t.purposes, names, sizeof(names));
	return fail(EXIT_USAGE, "cannot %s '%s': a key of type %s cannot have the purposes %s",
		what, of, kw_key_type_name(r->t.type), names);
}

/* A secret key's file is the key: nothing says what it is but its length. */
static bool take_bytes(
	const struct key_request *r, const uint8_t *data, size_t len, struct key_material *m)
{
	size_t size = kw_key_type_bits(r->t.type) / 8;
	bool fits = r->t.type == KW_KEY_TYPE_HMAC ? len > 0 && len <= KW_SECRET_MAX : len == size;

	m->type = r->t.type;
	if (r->t.type == KW_KEY_TYPE_HMAC)
		snprintf(m->problem, sizeof(m->problem),
			"it has %zu bytes, and a key of type hmac has 1 to %d", len, KW_SECRET_MAX);
	else
		snprintf(m->problem, sizeof(m->problem),
			"it has %zu bytes, and a key of type %s has %zu: the file is to have the "
			"bytes of the key, not in hex or in PEM, and no line end",
			len, kw_key_type_name(r->t.type), size);
	if (!fits)
		return false;
	memcpy(m->bytes, data, len);
	m->len = len;
	return true;
}

static bool take_file(struct key_request *r, const uint8_t *data, size_t len,
	struct passphrase_source *source, struct key_material *m)
{
	const char *is, *said = kw_key_type_name(r->t.type);

	if (r->has_type && kw_key_type_is_secret(r->t.type))
		return take_bytes(r, data, len, m);
	if (!key_file_read(data, len, passphrase_ask, source, m))
		return false;
	is = kw_key_type_name(m->type);
	if (r->has_type && m->type != r->t.type) {
		snprintf(
			m->problem, sizeof(m->problem), "it is a key of type %s, not %s", is, said);
		return false;
	}
	r->t.type = m->type;
	return true;
}

enum exit_code key_request_read(struct key_request *r, const char *path, struct key_material *m)
{
	struct passphrase_source source = {
		.key_path = path,
		.file = r->passphrase_file,
		.fd = r->has_passphrase_fd ? (int)r->passphrase_fd : -1,
	};
	enum exit_code code;
	uint8_t *data = NULL;
	size_t len = 0;

	memset(m, 0, sizeof(*m));
	code = file_read(path, KEY_FILE_MAX, &data, &len);
	if (code != EXIT_OK)
		return code;
	if (!take_file(r, data, len, &source, m)) {
		code = EXIT_BAD_INPUT;
		if (!source.failed) /* which said so already */
			fail(code, "cannot use '%s': %s", path, m->problem);
	}
	file_free(&data, len);
	return code;
}

enum exit_code key_request_generate(
	struct cli *cli, const struct key_request *r, struct kw_key **key)
{
	enum kw_err err = kw_key_generate(cli->kw, &r->t, key);

	return err ? fail_make(err, r, r->t.sealed ? "make the sealed key" : "make the key",
			     r->t.name ? r->t.name : "")
		   : EXIT_OK;
}

enum exit_code key_request_import(struct cli *cli, struct key_request *r, const char *path,
	const struct key_material *m, struct kw_key **key)
{
	const uint8_t *spki;
	enum kw_err err;
	size_t len = 0;

	err = kw_key_import(cli->kw, &r->t, m->bytes, m->len, key);
	if (err)
		return fail_make(err, r, "import the key in", path);
	spki = kw_key_spki(*key, &len);
	if (kw_key_type_is_secret(m->type) ? kw_key_secret_size(*key) == m->len
					   : key_material_is(m, spki, len))
		return EXIT_OK;
	/* It must not stay under this name: a server would present a certificate that it cannot prove. */
	if (!r->t.sealed) {
		struct kw_target target = {.id = kw_key_id(*key)};

		if (kw_key_delete(cli->kw, &target))
			fail(EXIT_FAILED,
				"the key that the TEE made of '%s' could not be deleted again",
				path);
	}
	kw_key_free(key);
	return fail(EXIT_FAILED,
		"the TEE made another public key of '%s' than the file has; nothing was kept",
		path);
}

void print_delete_advice(const char *path)
{
	if (strcmp(path, "-") == 0)
		return;
	fputs("The file ", stdout);
	text_print(stdout, path);
	fputs(" still holds the key, and so may backups. When everything uses the TEE's key,\n"
	      "delete it: shred -u ",
		stdout);
	text_print_word(stdout, path);
	fputs("\nOn flash and on copy-on-write file systems a copy can survive that; a new key is "
	      "then the sure way.\n",
		stdout);
}

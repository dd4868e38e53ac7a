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
}

static void set_purposes(struct cli *cli, struct key_request *r, const char *value)
{
	char names[256];

	if (kw_purposes_from_names(value, &r->t.purposes))
		exit((int)usage_error(cli,
			"'%s' is not a list of purposes: use %s, several with commas", value,
			join_rows(purpose_name, names, sizeof(names))));
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

enum exit_code key_request_check(struct cli *cli, const struct key_request *r)
{
	if (r->t.purposes & (KW_PURPOSE_TLS_SERVER | KW_PURPOSE_TLS_CLIENT | KW_PURPOSE_CSR |
				    KW_PURPOSE_SIGN) &&
		!kw_key_type_signs(r->t.type))
		return usage_error(cli,
			"a key of type %s cannot sign: say what it is for with --purpose",
			kw_key_type_name(r->t.type));
	if (r->t.purposes & (KW_PURPOSE_DECRYPT | KW_PURPOSE_DECRYPT_PKCS1) &&
		!kw_key_type_is_rsa(r->t.type) && !kw_key_type_is_secret(r->t.type))
		return usage_error(cli,
			"a key of type %s cannot decrypt: use an RSA key or other purposes",
			kw_key_type_name(r->t.type));
	return EXIT_OK;
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
	if (key_file_read(data, len, passphrase_ask, &source, m)) {
		r->t.type = m->type;
	} else if (source.failed) {
		code = EXIT_BAD_INPUT; /* said already */
	} else {
		code = fail(EXIT_BAD_INPUT, "cannot use '%s': %s", path, m->problem);
	}
	file_free(&data, len);
	return code;
}

enum exit_code key_request_import(struct cli *cli, struct key_request *r, const char *path,
	const struct key_material *m, struct kw_key **key)
{
	const uint8_t *spki;
	enum kw_err err;
	size_t len = 0;

	err = kw_key_import(cli->kw, &r->t, m->bytes, m->len, key);
	if (err)
		return fail_kw(err, "cannot import the key in '%s'", path);
	spki = kw_key_spki(*key, &len);
	if (key_material_is(m, spki, len))
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

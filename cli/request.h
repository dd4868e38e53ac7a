/* SPDX-License-Identifier: BSD-2-Clause */
/* The options that make a key: --type, --purpose, --allow, and for imports the file and passphrase. */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include "cli.h"
#include "key_file.h"

#define ALLOW_MAX 32 /* of kw_key_template */

#define ROW_TYPE                                                                     \
	{                                                                            \
		"type", OPTION_TYPE, "TYPE", "the type of the key (default ec-p256)" \
	}
#define ROW_PURPOSE                                                               \
	{                                                                         \
		"purpose", OPTION_PURPOSE, "LIST",                                \
			"what the key may be used for (default tls-server,csr); " \
			"may be repeated"                                         \
	}
#define ROW_ALLOW                                                                                \
	{                                                                                        \
		"allow", OPTION_ALLOW, "WHO",                                                    \
			"let user:NAME or group:NAME (or a number) use the key as well as you; " \
			"may be repeated"                                                        \
	}
#define ROW_PASSPHRASE_FILE                                                                  \
	{                                                                                    \
		"passphrase-file", OPTION_PASSPHRASE_FILE, "FILE",                           \
			"read the passphrase of FILE's key from the first line of this file" \
	}
#define ROW_PASSPHRASE_FD                                               \
	{                                                               \
		"passphrase-fd", OPTION_PASSPHRASE_FD, "N",             \
			"read the passphrase from this file descriptor" \
	}

struct key_request {
	struct kw_key_template t;
	struct kw_identity allow[ALLOW_MAX];
	const char *passphrase_file;
	unsigned passphrase_fd;
	bool has_passphrase_fd;
	bool has_type;     /* --type was given */
	bool has_purposes; /* so was --purpose: the default is gone */
};

/* The defaults. */
void key_request_init(struct key_request *r);
/* True when the option was one of these; ends the process when its value is wrong. */
bool key_request_option(struct cli *cli, struct key_request *r, int letter, const char *value);
/* Once the type is known: whether the purposes fit it. */
enum exit_code key_request_check(struct cli *cli, const struct key_request *r) KW_MUST_USE;
/* Reads the key file, asking for its passphrase where needed; of a secret key, whose type was given, its bytes. Wipe m
 * in any case. */
enum exit_code key_request_read(
	struct key_request *r, const char *path, struct key_material *m) KW_MUST_USE;
/* Asks the TEE for a new key. */
enum exit_code key_request_generate(
	struct cli *cli, const struct key_request *r, struct kw_key **key) KW_MUST_USE;
/* Gives the material to the TEE and checks that the TEE's public key is the file's. `path`: for messages. */
enum exit_code key_request_import(struct cli *cli, struct key_request *r, const char *path,
	const struct key_material *m, struct kw_key **key) KW_MUST_USE;
/* Says how to get rid of a file whose key the TEE has now. */
void print_delete_advice(const char *path);

#endif

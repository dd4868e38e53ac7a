/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli.h"
#include "describe.h"
#include "hints.h"
#include "request.h"

static const struct option_row options[] = {
	{"type", OPTION_TYPE, "TYPE",
		"of a secret key, whose file has its bytes and nothing else; a private key's file "
		"says its type"},
	ROW_PURPOSE,
	ROW_ALLOW,
	ROW_PASSPHRASE_FILE,
	ROW_PASSPHRASE_FD,
	ROW_JSON,
	ROW_END,
};

static enum exit_code run(struct cli *cli)
{
	struct json j = {.f = stdout};
	enum exit_code code = EXIT_FAILED;
	struct key_request request;
	struct key_material m;
	struct kw_key *key = NULL;
	const char *value, *path;
	bool json = false;
	int letter;

	key_request_init(&request);
	while ((letter = option_next(cli, &value)) != -1) {
		if (letter == OPTION_JSON)
			json = true;
		else
			key_request_option(cli, &request, letter, value);
	}
	operands_check(cli, 2, 2);
	request.t.name = operand(cli, 0);
	path = operand(cli, 1);
	code = key_request_read(&request, path, &m);
	if (code != EXIT_OK)
		goto out;
	code = key_request_check(cli, &request);
	if (code != EXIT_OK)
		goto out;
	code = cli_connect(cli);
	if (code != EXIT_OK)
		goto out;
	code = key_request_import(cli, &request, path, &m, &key);
	if (code != EXIT_OK)
		goto out;
	if (json) {
		key_json(&j, NULL, key);
	} else {
		hint_done("Imported the key", key);
		if (!kw_key_type_is_secret(m.type))
			puts("The TEE's public key is the same as the file's.");
		hint_server_file(cli, key);
		print_delete_advice(path);
	}
	hint_groups(cli, key);
out:
	key_material_wipe(&m);
	kw_key_free(&key);
	return code;
}

const struct command command_key_import = {
	.name = "key import",
	.arguments = "NAME FILE [OPTION]...",
	.summary = "put the key of a file into the TEE",
	.details =
		"FILE is PKCS #8 (also encrypted), SEC 1 or PKCS #1, in PEM or DER; - reads "
		"standard input.\n"
		"It is left as it is. An encrypted key's passphrase is asked for at the terminal. "
		"With --type\n"
		"aes-256 and the like, or hmac, FILE has the bytes of the secret key.",
	.options = options,
	.holds_secrets = true,
	.run = run,
};

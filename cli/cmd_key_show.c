/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>

#include "cli.h"
#include "describe.h"
#include "target.h"

static const struct option_row options[] = {
	ROW_FILE,
	{"pubkey", OPTION_PUBKEY, NULL, "print only the public key, as PEM"},
	ROW_JSON,
	ROW_END,
};

static enum exit_code print_public(const struct kw_key *key)
{
	char *pem = key_public_pem(key);

	if (kw_key_type_is_secret(kw_key_type(key)))
		return fail(EXIT_USAGE, "this is a secret key (%s): it has no public key",
			kw_key_type_name(kw_key_type(key)));
	if (!pem)
		return fail(EXIT_FAILED, "the TEE did not give the public key");
	fputs(pem, stdout);
	OPENSSL_free(pem);
	return EXIT_OK;
}

static enum exit_code run(struct cli *cli)
{
	struct json j = {.f = stdout};
	const char *value, *file = NULL;
	bool json = false, public = false;
	struct kw_key *key = NULL;
	struct key_target target;
	enum exit_code code;
	enum kw_err err;
	int letter;

	while ((letter = option_next(cli, &value)) != -1) {
		if (letter == OPTION_JSON)
			json = true;
		else if (letter == OPTION_PUBKEY)
		public = true;
		else if (letter == OPTION_FILE) file = value;
	}
	operands_check(cli, !file, !file);
	code = cli_connect(cli);
	if (code != EXIT_OK)
		return code;
	code = key_target_find(cli, operand(cli, 0), file, NULL, &target);
	if (code != EXIT_OK)
		goto out;
	err = kw_key_find(cli->kw, &target.target, &key);
	if (err)
		code = fail_kw(err, "cannot show the key '%s'", target.text);
	else if (public)
		code = print_public(key);
	else if (json)
		key_json(&j, NULL, key);
	else
		key_print(key);
out:
	kw_key_free(&key);
	key_target_clear(&target);
	return code;
}

const struct command command_key_show = {
	.name = "key show",
	.arguments = "NAME [OPTION]...",
	.summary = "show everything about one key",
	.details = "NAME may also be a Keyward file (with a / or ending in .pem), or id: and the "
		   "first digits of an id.",
	.options = options,
	.run = run,
};

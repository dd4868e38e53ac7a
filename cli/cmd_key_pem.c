/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "cli.h"
#include "file_io.h"
#include "target.h"
#include "text.h"

static const struct option_row options[] = {
	{"output", 'o', "FILE", "write to FILE (mode 0644) instead of standard output"},
	{"force", OPTION_FORCE, NULL, "replace FILE when it exists, keeping its owner and mode"},
	ROW_FILE,
	ROW_END,
};

static enum exit_code run(struct cli *cli)
{
	const char *value, *output = NULL, *file = NULL;
	struct kw_key *key = NULL;
	struct key_target target;
	enum exit_code code;
	bool force = false;
	char *text = NULL;
	enum kw_err err;
	size_t len = 0;
	int letter;

	while ((letter = option_next(cli, &value)) != -1) {
		if (letter == 'o')
			output = value;
		else if (letter == OPTION_FORCE)
			force = true;
		else if (letter == OPTION_FILE)
			file = value;
	}
	operands_check(cli, !file, !file);
	code = file_check_output(output, force);
	if (code != EXIT_OK)
		return code;
	code = cli_connect(cli);
	if (code != EXIT_OK)
		return code;
	code = key_target_find(cli, operand(cli, 0), file, NULL, &target);
	if (code != EXIT_OK)
		goto out;
	if (target.target.record) {
		code = fail(EXIT_USAGE,
			"'%s' is a sealed key's file already: give it to the server as it is",
			target.text);
		goto out;
	}
	err = kw_key_find(cli->kw, &target.target, &key);
	if (err) {
		code = fail_kw(err, "cannot write the file of the key '%s'", target.text);
		goto out;
	}
	if (kw_key_type_is_secret(kw_key_type(key))) {
		code = fail(EXIT_USAGE,
			"'%s' is a secret key (%s), and no private key that a server could have",
			target.text, kw_key_type_name(kw_key_type(key)));
		goto out;
	}
	code = pem_text(key, &text, &len);
	if (code == EXIT_OK)
		code = file_write(output, text, len, force);
out:
	free(text);
	kw_key_free(&key);
	key_target_clear(&target);
	return code;
}

const struct command command_key_pem = {
	.name = "key pem",
	.arguments = "NAME [OPTION]...",
	.summary = "write the file to give to a server as its private key",
	.details = "The file says which key to use, and where the provider is set up, nginx, "
		   "HAProxy, Apache and\n"
		   "others take it as ssl_certificate_key and the like. Nothing in it is secret. "
		   "An existing file is\n"
		   "not replaced without --force: it could be the only copy of a key.",
	.options = options,
	.run = run,
};

/* SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include "cli.h"
#include "file_io.h"
#include "statement.h"
#include "target.h"

static const struct option_row options[] = {
	ROW_CHALLENGE(
		"put these bytes of whoever is to be convinced into the statement, so that it "
		"cannot be an old one"),
	{"output", 'o', "FILE", "write to FILE instead of standard output"},
	{"force", OPTION_FORCE, NULL, "replace FILE when it exists, keeping its owner and mode"},
	ROW_FILE,
	ROW_END,
};

static enum exit_code write_statement(struct cli *cli, const char *file,
	const struct challenge *challenge, const char *output, bool force)
{
	uint8_t statement[KW_ATTESTATION_MAX];
	size_t len = sizeof(statement);
	struct key_target target;
	enum exit_code code;
	enum kw_err err;

	code = key_target_find(cli, operand(cli, 0), file, NULL, &target);
	if (code != EXIT_OK)
		goto out;
	err = kw_key_attest(
		cli->kw, &target.target, challenge->bytes, challenge->n, statement, &len);
	if (err)
		code = fail_kw(err, "cannot attest the key '%s'", target.text);
	else
		code = file_write(output, statement, len, force);
out:
	key_target_clear(&target);
	return code;
}

static enum exit_code run(struct cli *cli)
{
	const char *value, *output = NULL, *file = NULL;
	struct challenge challenge = {.n = 0};
	enum exit_code code;
	bool force = false;
	int letter;

	while ((letter = option_next(cli, &value)) != -1) {
		if (letter == OPTION_CHALLENGE)
			challenge_parse(cli, value, &challenge);
		else if (letter == 'o')
			output = value;
		else if (letter == OPTION_FORCE)
			force = true;
		else if (letter == OPTION_FILE)
			file = value;
	}
	operands_check(cli, !file, !file);
	if (!output && isatty(STDOUT_FILENO))
		return usage_error(cli, "a statement is not text: give -o FILE");
	code = file_check_output(output, force);
	if (code == EXIT_OK)
		code = cli_connect(cli);
	if (code == EXIT_OK)
		code = write_statement(cli, file, &challenge, output, force);
	return code;
}

const struct command command_key_attest = {
	.name = "key attest",
	.arguments = "NAME [--challenge HEX] -o FILE",
	.summary = "write a statement, signed by the TEE's device, of what it knows about a key",
	.details = "It says of which type and origin the key is, whether it can leave the TEE, and "
		   "what it "
		   "may be used\n"
		   "for. 'keyward attest verify' checks it, on another machine and without a TEE.",
	.options = options,
	.run = run,
};

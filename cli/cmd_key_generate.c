/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli.h"
#include "describe.h"
#include "hints.h"
#include "request.h"

static const struct option_row options[] = {
	ROW_TYPE,
	ROW_PURPOSE,
	ROW_ALLOW,
	ROW_JSON,
	ROW_END,
};

static enum exit_code run(struct cli *cli)
{
	struct json j = {.f = stdout};
	enum exit_code code = EXIT_FAILED;
	struct key_request request;
	struct kw_key *key = NULL;
	const char *value;
	bool json = false;
	int letter;

	key_request_init(&request);
	while ((letter = option_next(cli, &value)) != -1) {
		if (letter == OPTION_JSON)
			json = true;
		else
			key_request_option(cli, &request, letter, value);
	}
	operands_check(cli, 1, 1);
	code = key_request_check(cli, &request);
	if (code != EXIT_OK)
		return code;
	request.t.name = operand(cli, 0);
	code = cli_connect(cli);
	if (code != EXIT_OK)
		return code;
	code = key_request_generate(cli, &request, &key);
	if (code != EXIT_OK)
		return code;
	if (json) {
		key_json(&j, NULL, key);
	} else {
		hint_done("Made the key", key);
		hint_certificate(cli, key);
		hint_server_file(cli, key);
	}
	hint_groups(cli, key);
	kw_key_free(&key);
	return EXIT_OK;
}

const struct command command_key_generate = {
	.name = "key generate",
	.arguments = "NAME [OPTION]...",
	.summary = "make a new key inside the TEE",
	.details = "The private part never leaves the TEE. NAME is what people call the key; it "
		   "can be\n"
		   "moved to another key later (keyward key rename --take).",
	.options = options,
	.run = run,
};

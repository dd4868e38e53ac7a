/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "pin.h"

static const struct option_row options[] = {
	ROW_PIN_FILE("the security officer's PIN"),
	{"yes", OPTION_YES, NULL,
		"do not ask; needed when there is neither a PIN nor a terminal to ask at"},
	ROW_END,
};

static bool ask(unsigned slot)
{
	char answer[16] = "";

	fprintf(stderr, "Delete the token in slot %u with all its keys for ever? [y/N] ", slot);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	answer[strcspn(answer, "\r\n")] = '\0';
	return strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0;
}

static enum exit_code run(struct cli *cli)
{
	const char *value, *file = NULL;
	struct pin pin = {.len = 0};
	enum exit_code code;
	bool yes = false;
	unsigned slot;
	enum kw_err err;
	int letter;

	while ((letter = option_next(cli, &value)) != -1) {
		if (letter == OPTION_PIN_FILE)
			file = value;
		else if (letter == OPTION_YES)
			yes = true;
	}
	operands_check(cli, 1, 1);
	slot = slot_operand(cli, 0);
	if (!yes && !file && !(isatty(STDIN_FILENO) && isatty(STDERR_FILENO)))
		return usage_error(
			cli, "there is no terminal to ask at: give --yes to delete the token");
	code = cli_connect(cli);
	if (code != EXIT_OK)
		return code;
	if (file)
		code = pin_read(file, PIN_FILE, "the security officer's PIN", false, &pin);
	if (code != EXIT_OK)
		goto out;
	if (!yes && !file && !ask(slot)) {
		code = fail(EXIT_FAILED, "the token in slot %u was not deleted", slot);
		goto out;
	}
	err = kw_token_delete(cli->kw, slot, file ? pin.text : NULL, pin.len);
	if (err)
		code = fail_kw(err, "cannot delete the token in slot %u", slot);
	else
		printf("Deleted the token in slot %u.\n", slot);
out:
	pin_wipe(&pin);
	return code;
}

const struct command command_token_delete = {
	.name = "token delete",
	.arguments = "SLOT [OPTION]...",
	.summary = "delete a token with all its keys",
	.details = "An administrator of the TEE needs no PIN for this; others give the security "
		   "officer's.\nIt is the only way out when that one is locked.",
	.options = options,
	.holds_secrets = true,
	.run = run,
};

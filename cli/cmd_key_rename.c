/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli.h"
#include "target.h"
#include "text.h"

static const struct option_row options[] = {
	{"take", OPTION_TAKE, NULL,
		"take the name from the key that has it, which goes on without one"},
	ROW_END,
};

static enum exit_code run(struct cli *cli)
{
	struct key_target target;
	enum exit_code code;
	const char *value, *name;
	bool take = false;
	enum kw_err err;
	int letter;

	while ((letter = option_next(cli, &value)) != -1)
		take |= letter == OPTION_TAKE;
	operands_check(cli, 2, 2);
	name = operand(cli, 1);
	code = cli_connect(cli);
	if (code != EXIT_OK)
		return code;
	code = key_target_find(cli, operand(cli, 0), NULL,
		"only a stored key has a name that can be changed", &target);
	if (code != EXIT_OK)
		goto out;
	err = kw_key_rename(cli->kw, &target.target, name, take);
	if (err) {
		code = fail_kw(err, "cannot rename '%s' to '%s'", target.text, name);
		goto out;
	}
	fputs("Renamed '", stdout);
	text_print(stdout, target.text);
	fputs("' to '", stdout);
	text_print(stdout, name);
	fputs("'.\n", stdout);
out:
	key_target_clear(&target);
	return code;
}

const struct command command_key_rename = {
	.name = "key rename",
	.arguments = "NAME NEW-NAME [--take]",
	.summary = "give a key another name, or move a name to another key",
	.details = "With --take a name moves from an old key to a new one at once, so that servers "
		   "which ask\n"
		   "for the key by its name use the new one. NAME may be id: and the first digits "
		   "of an id.",
	.options = options,
	.run = run,
};

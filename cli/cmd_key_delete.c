/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "target.h"
#include "text.h"

static const struct option_row options[] = {
	{"yes", OPTION_YES, NULL, "do not ask; needed when there is no terminal to ask at"},
	ROW_END,
};

/* The question goes to stderr: stdout may be a file. */
static bool ask(const char *text, const struct kw_key *key)
{
	char answer[16] = "", used[TEXT_TIME_SIZE];
	const char *type = kw_key_type_name(kw_key_type(key));

	text_time(kw_key_last_use(key), used);
	fputs("Delete the key '", stderr);
	text_print(stderr, text);
	fprintf(stderr, "' (%s, last used: %s) for ever? [y/N] ", type ? type : "unknown", used);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	answer[strcspn(answer, "\r\n")] = '\0';
	return strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0;
}

static enum exit_code run(struct cli *cli)
{
	struct kw_key *key = NULL;
	struct key_target target;
	enum exit_code code;
	const char *value;
	bool yes = false;
	enum kw_err err;
	int letter;

	while ((letter = option_next(cli, &value)) != -1)
		yes |= letter == OPTION_YES;
	operands_check(cli, 1, 1);
	if (!yes && !(isatty(STDIN_FILENO) && isatty(STDERR_FILENO)))
		return usage_error(
			cli, "there is no terminal to ask at: give --yes to delete the key");
	code = cli_connect(cli);
	if (code != EXIT_OK)
		return code;
	code = key_target_find(cli, operand(cli, 0), NULL,
		"a sealed key is only in its file, so deleting that file deletes the key", &target);
	if (code != EXIT_OK)
		goto out;
	err = kw_key_find(cli->kw, &target.target, &key);
	if (!err && !yes && !ask(target.text, key)) {
		code = fail(EXIT_FAILED, "the key '%s' was not deleted", target.text);
		goto out;
	}
	/* What was shown is what is deleted, even if the name moves to another key meanwhile. */
	if (!err) {
		struct kw_target by_id = {.id = kw_key_id(key)};

		err = kw_key_delete(cli->kw, &by_id);
	}
	if (err) {
		code = fail_kw(err, "cannot delete the key '%s'", target.text);
		goto out;
	}
	fputs("Deleted the key '", stdout);
	text_print(stdout, target.text);
	fputs("'.\n", stdout);
out:
	kw_key_free(&key);
	key_target_clear(&target);
	return code;
}

const struct command command_key_delete = {
	.name = "key delete",
	.arguments = "NAME [--yes]",
	.summary = "delete a key for ever",
	.details = "Nobody can bring a deleted key back. Servers that use it fail from then on.\n"
		   "NAME may also be id: and the first digits of an id. A sealed key is only a "
		   "file: delete that.",
	.options = options,
	.run = run,
};

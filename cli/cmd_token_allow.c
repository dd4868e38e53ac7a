/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may log in to a token, given the PIN. */
#include "cli.h"
#include "pin.h"
#include "request.h"

static const struct option_row options[] = {
	ROW_END,
};

typedef enum kw_err change_access(struct kw *kw, unsigned slot, struct kw_identity who);

/* One after the other: when one cannot be, those before stay changed. */
static enum exit_code change_all(
	struct cli *cli, change_access *how, unsigned slot, const struct kw_identity *who, int n)
{
	char name[300];

	for (int i = 0; i < n; i++) {
		enum kw_err err = how(cli->kw, slot, who[i]);
		enum exit_code code;

		if (!err)
			continue;
		code = fail_kw(err, "cannot change who may log in to slot %u", slot);
		kw_identity_name(&who[i], name, sizeof(name));
		return i ? fail(code, "those before %s were changed", name) : code;
	}
	return EXIT_OK;
}

static enum exit_code change(struct cli *cli, change_access *how, const char *word)
{
	struct kw_identity who[ALLOW_MAX];
	enum exit_code code;
	const char *value;
	unsigned slot;
	int n;

	while (option_next(cli, &value) != -1)
		;
	operands_check(cli, 2, 1 + ALLOW_MAX);
	slot = slot_operand(cli, 0);
	for (n = 0; operand(cli, 1 + n); n++) {
		enum kw_err err = kw_identity_from_name(operand(cli, 1 + n), &who[n]);

		if (err)
			return fail_kw(err, "cannot %s '%s'", word, operand(cli, 1 + n));
	}
	code = cli_connect(cli);
	if (code == EXIT_OK)
		code = change_all(cli, how, slot, who, n);
	if (code == EXIT_OK)
		printf("Changed who may log in to the token in slot %u.\n", slot);
	return code;
}

static enum exit_code run_allow(struct cli *cli)
{
	return change(cli, kw_token_allow, "allow");
}

static enum exit_code run_deny(struct cli *cli)
{
	return change(cli, kw_token_deny, "deny");
}

const struct command command_token_allow = {
	.name = "token allow",
	.arguments = "SLOT WHO...",
	.summary = "let users or groups log in",
	.details =
		"WHO is user:NAME or group:NAME. They need the PIN as well, and a right on the key "
		"that they use.",
	.options = options,
	.run = run_allow,
};

const struct command command_token_deny = {
	.name = "token deny",
	.arguments = "SLOT WHO...",
	.summary = "do not let users or groups log in any more",
	.details = "All logins end, also those of others: they log in again.",
	.options = options,
	.run = run_deny,
};

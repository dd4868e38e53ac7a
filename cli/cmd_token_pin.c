/* SPDX-License-Identifier: BSD-2-Clause */
/* PINs of tokens: set-pin changes one, unlock sets the user's by the security officer's. */
#include "cli.h"
#include "pin.h"

static const struct option_row set_options[] = {
	{"so", OPTION_SO, NULL, "change the security officer's PIN, not the user's"},
	ROW_PIN_FILE("the present PIN"),
	ROW_NEW_PIN_FILE,
	ROW_END,
};

static const struct option_row unlock_options[] = {
	ROW_PIN_FILE("the security officer's PIN"),
	ROW_NEW_PIN_FILE,
	ROW_END,
};

typedef enum kw_err change_pin(
	struct cli *cli, unsigned slot, bool so, const struct pin *old, const struct pin *new);

static enum kw_err set_pin(
	struct cli *cli, unsigned slot, bool so, const struct pin *old, const struct pin *new)
{
	return kw_token_set_pin(cli->kw, slot, so ? KW_TOKEN_SO : KW_TOKEN_USER, old->text,
		old->len, new->text, new->len);
}

static enum kw_err unlock(
	struct cli *cli, unsigned slot, bool so, const struct pin *old, const struct pin *new)
{
	enum kw_err err = kw_token_login(cli->kw, slot, KW_TOKEN_SO, old->text, old->len);

	(void)so;
	if (err)
		return err;
	err = kw_token_init_pin(cli->kw, slot, new->text, new->len);
	/* The first failure is the one to tell of; its text lives until the next call. */
	return err ? err : kw_token_logout(cli->kw, slot);
}

static enum exit_code change(struct cli *cli, change_pin *how, const char *whose, const char *done)
{
	const char *value, *file = NULL, *new_file = NULL;
	struct pin old = {.len = 0}, new = {.len = 0};
	enum exit_code code;
	bool so = false;
	unsigned slot;
	enum kw_err err;
	int letter;

	while ((letter = option_next(cli, &value)) != -1) {
		if (letter == OPTION_PIN_FILE)
			file = value;
		else if (letter == OPTION_NEW_PIN_FILE)
			new_file = value;
		else if (letter == OPTION_SO)
			so = true;
	}
	operands_check(cli, 1, 1);
	slot = slot_operand(cli, 0);
	code = cli_connect(cli);
	if (code != EXIT_OK)
		return code;
	code = pin_read(file, PIN_FILE, whose, false, &old);
	if (code == EXIT_OK)
		code = pin_read(new_file, NEW_PIN_FILE, "the new PIN", !new_file, &new);
	if (code != EXIT_OK)
		goto out;
	err = how(cli, slot, so, &old, &new);
	if (err)
		code = fail_kw(err, "the PIN of the token in slot %u was not changed", slot);
	else
		printf("%s of the token in slot %u is the new one.\n",
			so ? "The security officer's PIN" : done, slot);
out:
	pin_wipe(&old);
	pin_wipe(&new);
	return code;
}

static enum exit_code run_set_pin(struct cli *cli)
{
	return change(cli, set_pin, "the present PIN", "The user's PIN");
}

static enum exit_code run_unlock(struct cli *cli)
{
	return change(cli, unlock, "the security officer's PIN", "The user's PIN");
}

const struct command command_token_set_pin = {
	.name = "token set-pin",
	.arguments = "SLOT [OPTION]...",
	.summary = "change a PIN",
	.details = "Whoever is logged in with the old one is logged out.",
	.options = set_options,
	.holds_secrets = true,
	.run = run_set_pin,
};

const struct command command_token_unlock = {
	.name = "token unlock",
	.arguments = "SLOT [OPTION]...",
	.summary = "set the user's PIN, also a locked one",
	.details = "Needs the PIN of the security officer.",
	.options = unlock_options,
	.holds_secrets = true,
	.run = run_unlock,
};

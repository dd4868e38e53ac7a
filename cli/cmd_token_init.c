/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli.h"
#include "hints.h"
#include "pin.h"
#include "request.h"
#include "text.h"

static const struct option_row options[] = {
	{"label", OPTION_LABEL, "LABEL", "what to call the token, up to 32 bytes"},
	{"allow", OPTION_ALLOW, "WHO",
		"who may log in beside owner and administrators: user:NAME or group:NAME; may be "
		"given several times"},
	ROW_PIN_FILE("the security officer's PIN"),
	ROW_END,
};

/* Says what would be lost before the PIN is given, which is what confirms it. */
static bool warn_if_taken(struct cli *cli, unsigned slot)
{
	struct kw_tokens *tokens = NULL;
	const struct kw_token *t = NULL;

	if (!kw_tokens_new(cli->kw, &tokens))
		t = kw_tokens_find(tokens, slot);
	if (t)
		fail(EXIT_OK,
			"the token '%s' in slot %u is there already: its security officer's PIN "
			"erases all keys and objects on it",
			kw_token_label(t), slot);
	kw_tokens_free(&tokens);
	return t;
}

static enum exit_code run(struct cli *cli)
{
	struct kw_identity allow[ALLOW_MAX];
	struct kw_token_template t = {.label = "", .allow = allow};
	const char *value, *file = NULL;
	struct pin pin;
	enum exit_code code;
	enum kw_err err;
	int letter;

	while ((letter = option_next(cli, &value)) != -1) {
		if (letter == OPTION_LABEL)
			t.label = value;
		else if (letter == OPTION_PIN_FILE)
			file = value;
		else if (letter == OPTION_ALLOW && t.allow_count == ALLOW_MAX)
			return usage_error(cli, "at most %d may be allowed", ALLOW_MAX);
		else if (letter == OPTION_ALLOW &&
			 kw_identity_from_name(value, &allow[t.allow_count++]))
			return fail_kw(KW_ERR_ARGUMENT, "cannot allow '%s'", value);
	}
	operands_check(cli, 1, 1);
	t.slot = slot_operand(cli, 0);
	if (!text_is_utf8(t.label))
		return usage_error(cli, "the label is not UTF-8");
	code = cli_connect(cli);
	if (code != EXIT_OK)
		return code;
	code = pin_read(file, PIN_FILE, "the security officer's PIN",
		!file && !warn_if_taken(cli, t.slot), &pin);
	if (code != EXIT_OK)
		goto out;
	t.so_pin = pin.text;
	t.so_pin_len = pin.len;
	err = kw_token_init(cli->kw, &t);
	if (err) {
		code = fail_kw(err, "cannot initialise the token in slot %u", t.slot);
		goto out;
	}
	printf("Initialised the token in slot %u. It has no user's PIN yet: %s token unlock %u\n",
		t.slot, hint_program(cli), t.slot);
out:
	pin_wipe(&pin);
	return code;
}

const struct command command_token_init = {
	.name = "token init",
	.arguments = "SLOT [OPTION]...",
	.summary = "make a token with PINs, or erase one",
	.details =
		"SLOT is 1 to 63. A token that is there is initialised again if the PIN is the one "
		"of its\nsecurity officer: all keys and objects on it are gone then. Its owner "
		"stays, and so "
		"do those who\nmay log in, unless --allow names others.",
	.options = options,
	.holds_secrets = true,
	.run = run,
};

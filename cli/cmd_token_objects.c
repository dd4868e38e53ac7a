/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli.h"
#include "describe.h"
#include "pin.h"
#include "text.h"

static const struct option_row options[] = {
	ROW_PIN_FILE("the user's PIN"),
	{"login", OPTION_LOGIN, NULL, "ask for the user's PIN"},
	ROW_END,
};

static enum exit_code print_keys(struct cli *cli, unsigned slot)
{
	struct kw_page *page = NULL;
	struct kw_key *key = NULL;
	char label[KEY_LABEL_SIZE];
	enum kw_err err;

	while (!(err = kw_key_next(cli->kw, &page, &key))) {
		const char *type = kw_key_type_name(kw_key_type(key));

		if (kw_key_token(key) == slot) {
			key_label(key, label);
			printf("%-11s  %-10s  ", "key", type ? type : "unknown");
			text_print(stdout, label);
			putchar('\n');
		}
		kw_key_free(&key);
	}
	kw_page_free(&page);
	return err == KW_ERR_NO_KEY ? EXIT_OK : fail_kw(err, "cannot list the keys");
}

static enum exit_code print_objects(struct cli *cli, unsigned slot)
{
	struct kw_object_page *page = NULL;
	struct kw_object *o = NULL;
	char hex[17];
	enum kw_err err;

	while (!(err = kw_object_next(cli->kw, &page, &o))) {
		bool is_data = kw_object_kind(o) == KW_OBJECT_DATA;

		if (kw_object_token(o) == slot) {
			text_hex(kw_object_id(o), 8, hex);
			printf("%-11s  %-10s  id:%s  %zu bytes\n", is_data ? "data" : "certificate",
				kw_object_is_public(o) ? "public" : "private", hex,
				kw_object_size(o));
		}
		kw_object_free(&o);
	}
	kw_object_page_free(&page);
	return err == KW_ERR_NO_OBJECT ? EXIT_OK : fail_kw(err, "cannot list the objects");
}

static enum exit_code log_in(struct cli *cli, unsigned slot, const char *file)
{
	struct pin pin;
	enum exit_code code = pin_read(file, PIN_FILE, "the user's PIN", false, &pin);
	enum kw_err err;

	if (code == EXIT_OK) {
		err = kw_token_login(cli->kw, slot, KW_TOKEN_USER, pin.text, pin.len);
		if (err)
			code = fail_kw(err, "cannot log in to the token in slot %u", slot);
	}
	pin_wipe(&pin);
	return code;
}

static enum exit_code check_slot(struct cli *cli, unsigned slot)
{
	struct kw_tokens *tokens = NULL;
	enum exit_code code = EXIT_OK;
	enum kw_err err = kw_tokens_new(cli->kw, &tokens);

	if (err)
		return fail_kw(err, "cannot list the tokens");
	if (!kw_tokens_find(tokens, slot))
		code = fail(EXIT_NO_KEY, "there is no token in slot %u", slot);
	kw_tokens_free(&tokens);
	return code;
}

static enum exit_code run(struct cli *cli)
{
	const char *value, *file = NULL;
	bool with_login = false;
	enum exit_code code;
	unsigned slot;
	int letter;

	while ((letter = option_next(cli, &value)) != -1) {
		if (letter == OPTION_PIN_FILE)
			file = value;
		else if (letter == OPTION_LOGIN)
			with_login = true;
	}
	operands_check(cli, 1, 1);
	slot = slot_operand(cli, 0);
	code = cli_connect(cli);
	if (code == EXIT_OK)
		code = check_slot(cli, slot);
	if (code != EXIT_OK)
		return code;
	if (file || with_login)
		code = log_in(cli, slot, file);
	if (code == EXIT_OK)
		code = print_keys(cli, slot);
	if (code == EXIT_OK)
		code = print_objects(cli, slot);
	/* The login is this program's alone: it ends with it. */
	if (file || with_login)
		(void)!kw_token_logout(cli->kw, slot);
	return code;
}

const struct command command_token_objects = {
	.name = "token objects",
	.arguments = "SLOT [OPTION]...",
	.summary = "list what is on a token",
	.details = "Keys and what is public are shown without a PIN; private objects with it.",
	.options = options,
	.holds_secrets = true,
	.run = run,
};

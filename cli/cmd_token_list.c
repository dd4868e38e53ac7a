/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli.h"
#include "hints.h"
#include "json.h"
#include "text.h"

static const struct option_row options[] = {
	ROW_JSON,
	ROW_END,
};

/* How many wrong PINs are left, and what else is to be known of one. */
static void pin_text(unsigned tries, bool is_set, char *buf, size_t size)
{
	if (!is_set)
		snprintf(buf, size, "not set");
	else if (!tries)
		snprintf(buf, size, "locked");
	else if (tries < KW_PIN_TRIES)
		snprintf(buf, size, "%u %s left", tries, tries == 1 ? "try" : "tries");
	else
		snprintf(buf, size, "set");
}

static void print_table(const struct kw_tokens *tokens)
{
	unsigned width = 5;

	for (unsigned i = 0; i < kw_tokens_count(tokens); i++) {
		unsigned n = text_width(kw_token_label(kw_tokens_at(tokens, i)));

		width = n > width ? n : width;
	}
	fputs("SLOT  ", stdout);
	text_print_padded(stdout, "LABEL", width);
	puts("  SERIAL            USER PIN       SO PIN         OWNER");
	for (unsigned i = 0; i < kw_tokens_count(tokens); i++) {
		const struct kw_token *t = kw_tokens_at(tokens, i);
		struct kw_identity who = kw_token_owner(t);
		char user[32], so[32], owner[128];

		pin_text(kw_token_tries(t, KW_TOKEN_USER), kw_token_has_user_pin(t), user,
			sizeof(user));
		pin_text(kw_token_tries(t, KW_TOKEN_SO), true, so, sizeof(so));
		kw_identity_name(&who, owner, sizeof(owner));
		printf("%-4u  ", kw_token_slot(t));
		text_print_padded(stdout, kw_token_label(t), width);
		printf("  %s  %-13s  %-13s  ", kw_token_serial(t), user, so);
		text_print(stdout, owner);
		putchar('\n');
	}
}

static void print_json(const struct kw_tokens *tokens)
{
	struct json j = {.f = stdout};
	char name[128];

	json_open(&j, NULL, '[');
	for (unsigned i = 0; i < kw_tokens_count(tokens); i++) {
		const struct kw_token *t = kw_tokens_at(tokens, i);
		struct kw_identity who = kw_token_owner(t);

		json_open(&j, NULL, '{');
		json_number(&j, "slot", kw_token_slot(t));
		json_string(&j, "label", kw_token_label(t));
		json_string(&j, "serial", kw_token_serial(t));
		json_number(&j, "created", kw_token_created(t));
		kw_identity_name(&who, name, sizeof(name));
		json_string(&j, "owner", name);
		json_open(&j, "allowed", '[');
		for (unsigned k = 0; k < kw_token_allowed(t); k++) {
			who = kw_token_allowed_at(t, k);
			kw_identity_name(&who, name, sizeof(name));
			json_string(&j, NULL, name);
		}
		json_close(&j, ']');
		json_bool(&j, "may_log_in", kw_token_may_log_in(t));
		json_bool(&j, "user_pin_set", kw_token_has_user_pin(t));
		json_number(&j, "user_tries", kw_token_tries(t, KW_TOKEN_USER));
		json_number(&j, "so_tries", kw_token_tries(t, KW_TOKEN_SO));
		json_close(&j, '}');
	}
	json_close(&j, ']');
}

static enum exit_code run(struct cli *cli)
{
	struct kw_tokens *tokens = NULL;
	enum exit_code code;
	const char *value;
	bool json = false;
	enum kw_err err;
	int letter;

	while ((letter = option_next(cli, &value)) != -1)
		json |= letter == OPTION_JSON;
	operands_check(cli, 0, 0);
	code = cli_connect(cli);
	if (code != EXIT_OK)
		return code;
	err = kw_tokens_new(cli->kw, &tokens);
	if (err)
		return fail_kw(err, "cannot list the tokens");
	if (json)
		print_json(tokens);
	else if (kw_tokens_count(tokens))
		print_table(tokens);
	else
		fprintf(stderr,
			"There are no tokens with PINs. '%s token init SLOT --label LABEL' makes "
			"one.\n",
			hint_program(cli));
	kw_tokens_free(&tokens);
	return EXIT_OK;
}

const struct command command_token_list = {
	.name = "token list",
	.arguments = "[--json]",
	.summary = "list the tokens that have PINs",
	.details = "The default token, slot 0, has none and is not in the list.",
	.options = options,
	.run = run,
};

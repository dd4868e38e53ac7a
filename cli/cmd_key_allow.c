/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli.h"
#include "describe.h"
#include "hints.h"
#include "request.h"
#include "target.h"
#include "text.h"

static const struct option_row options[] = {
	ROW_FILE,
	ROW_JSON,
	ROW_END,
};

typedef enum kw_err change_access(
	struct kw *kw, const struct kw_target *t, struct kw_identity who, struct kw_key **key);

static void report(const struct kw_key *key, const char *text, bool allow, bool file_changed)
{
	unsigned i;

	fputs("The key '", stdout);
	text_print(stdout, text);
	fputs(allow ? "' may be used by: " : "' may now be used only by: ", stdout);
	for (i = 0; i < kw_key_allowed(key) + 1; i++) {
		struct kw_identity who = i ? kw_key_allowed_at(key, i - 1) : kw_key_owner(key);
		char name[300];

		kw_identity_name(&who, name, sizeof(name));
		fputs(i ? ", " : "", stdout);
		text_print(stdout, name);
		fputs(i ? "" : " (owner)", stdout);
	}
	fputs(".\n", stdout);
	if (file_changed)
		puts("The list is in the file, which was rewritten: replace copies of it, and "
		     "reload the servers.");
}

/* One after the other; a sealed key's file is written once, at the end, when all have succeeded. */
static enum exit_code change_all(struct cli *cli, struct key_target *target,
	const struct kw_identity *who, int n, bool allow, struct kw_key **key)
{
	change_access *change = allow ? kw_key_allow : kw_key_deny;
	struct kw_target t = target->target;
	struct kw_key *next = NULL;
	enum kw_err err;
	char name[300];
	int i;

	for (i = 0; i < n; i++) {
		err = change(cli->kw, &t, who[i], &next);
		if (err) {
			/* The text of the failure lives only until the next call. */
			enum exit_code code =
				fail_kw(err, "cannot change the access list of '%s'", target->text);

			kw_identity_name(&who[i], name, sizeof(name));
			return i ? fail(code, "those before %s were changed", name) : code;
		}
		kw_key_free(key);
		*key = next;
		next = NULL;
		if (kw_key_record(*key, &t.record_len))
			t.record = kw_key_record(*key, &t.record_len);
	}
	return EXIT_OK;
}

static enum exit_code run_change(struct cli *cli, bool allow)
{
	struct kw_identity who[ALLOW_MAX];
	struct json j = {.f = stdout};
	struct kw_key *key = NULL;
	struct key_target target;
	const char *value, *file = NULL;
	enum exit_code code;
	bool json = false, is_sealed;
	size_t record_len = 0;
	int letter, first, n = 0;
	enum kw_err err;

	while ((letter = option_next(cli, &value)) != -1) {
		if (letter == OPTION_JSON)
			json = true;
		else if (letter == OPTION_FILE)
			file = value;
	}
	first = file ? 0 : 1;
	operands_check(cli, first + 1, first + ALLOW_MAX);
	for (n = 0; operand(cli, first + n); n++) {
		err = kw_identity_from_name(operand(cli, first + n), &who[n]);
		if (err)
			return fail_kw(err, "cannot %s '%s'", allow ? "allow" : "deny",
				operand(cli, first + n));
	}
	code = cli_connect(cli);
	if (code != EXIT_OK)
		return code;
	code = key_target_find(cli, operand(cli, 0), file, NULL, &target);
	if (code != EXIT_OK)
		goto out;
	code = change_all(cli, &target, who, n, allow, &key);
	is_sealed = target.target.record && key && kw_key_record(key, &record_len);
	if (code == EXIT_OK && is_sealed)
		code = pem_file_update(target.file, key);
	if (code != EXIT_OK)
		goto out;
	if (json)
		key_json(&j, NULL, key);
	else
		report(key, target.text, allow, is_sealed);
	if (allow)
		hint_groups(cli, key);
out:
	kw_key_free(&key);
	key_target_clear(&target);
	return code;
}

static enum exit_code run_allow(struct cli *cli)
{
	return run_change(cli, true);
}

static enum exit_code run_deny(struct cli *cli)
{
	return run_change(cli, false);
}

const struct command command_key_allow = {
	.name = "key allow",
	.arguments = "NAME WHO... [OPTION]...",
	.summary = "let users or groups use a key",
	.details = "WHO is user:NAME or group:NAME, or with a number. They may use the key for its "
		   "purposes; only\n"
		   "its owner and administrators manage it. NAME may also be a Keyward file (with "
		   "a / or ending in\n"
		   ".pem); the list of a sealed key is in its file, which is rewritten, keeping "
		   "owner and mode.",
	.options = options,
	.run = run_allow,
};

const struct command command_key_deny = {
	.name = "key deny",
	.arguments = "NAME WHO... [OPTION]...",
	.summary = "take users or groups off a key's access list",
	.details = "WHO is user:NAME or group:NAME, or with a number. NAME may also be a Keyward "
		   "file (with a / or\n"
		   "ending in .pem). The list of a sealed key is in its file, which is rewritten; "
		   "a copy of the old\n"
		   "file still allows whom it allowed.",
	.options = options,
	.run = run_deny,
};

/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "json.h"
#include "text.h"

#define LABEL_COLUMN 14

/* Without this one nothing else that the page says is worth anything. */
#define VITAL "device-secret"

static const struct option_row options[] = {
	ROW_JSON,
	ROW_END,
};

static const char *state_name(enum kw_protection_state state)
{
	switch (state) {
	case KW_PROTECTION_PRESENT:
		return "present";
	case KW_PROTECTION_PARTIAL:
		return "partial";
	default:
		return "absent";
	}
}

static void item(const char *label, const char *value)
{
	printf("%-*s", LABEL_COLUMN, label);
	text_print(stdout, value);
	putchar('\n');
}

/* "3 days", "5 hours", "20 minutes", "7 seconds" */
static void duration(uint64_t seconds, char *buf, size_t size)
{
	static const struct {
		uint64_t seconds;
		const char *unit;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
	unsigned i = 0;
	uint64_t n;

	while (i < 3 && seconds < units[i].seconds)
		i++;
	n = seconds / units[i].seconds;
	snprintf(buf, size, "%" PRIu64 " %s%s", n, units[i].unit, n == 1 ? "" : "s");
}

static void bytes(uint64_t n, char *buf, size_t size)
{
	if (n < 10240)
		snprintf(buf, size, "%" PRIu64 " bytes", n);
	else if (n < 10240ull * 1024)
		snprintf(buf, size, "%" PRIu64 " KiB", n / 1024);
	else
		snprintf(buf, size, "%" PRIu64 " MiB", n / 1024 / 1024);
}

/* NULL when all is well. */
static const char *warning(const struct kw_status *s)
{
	enum kw_protection_state state;
	const char *id, *sentence;
	unsigned i;

	for (i = 0; (id = kw_status_protection(s, i, &state, &sentence)); i++)
		if (strcmp(id, VITAL) == 0 && state == KW_PROTECTION_ABSENT)
			return sentence;
	return NULL;
}

static void print_warning(const struct kw_status *s)
{
	static const char bar[] = "*** WARNING: THESE KEYS ARE NOT SECRET ***";

	if (!warning(s))
		return;
	printf("%s\n", bar);
	text_print_wrapped(stdout, warning(s), 0, text_columns(stdout));
	printf("%s\n\n", bar);
}

static void print_protections(const struct kw_status *s, const char *title, bool present)
{
	unsigned i, n = kw_status_protections(s), shown = 0, columns = text_columns(stdout);
	enum kw_protection_state state;
	const char *id, *sentence;

	for (i = 0; i < n; i++) {
		id = kw_status_protection(s, i, &state, &sentence);
		if ((state == KW_PROTECTION_PRESENT) != present)
			continue;
		if (state == KW_PROTECTION_ABSENT && strcmp(id, VITAL) == 0)
			sentence = "see the warning above";
		if (!shown++)
			printf("\n%s\n", title);
		fputs("  ", stdout);
		text_print_padded(stdout, id, 16);
		if (!present)
			printf("%-9s", state == KW_PROTECTION_PARTIAL ? "partly" : "missing");
		text_print_wrapped(stdout, sentence, present ? 18 : 27, columns);
	}
}

static void print_page(const struct cli *cli, const struct kw_status *s)
{
	bool is_host = strcmp(kw_status_tee(s), "host") == 0;
	char buf[256], time_text[TEXT_TIME_SIZE], age[64];
	struct kw_identity me = {.kind = KW_IDENTITY_USER, .id = (uint32_t)geteuid()};
	uint64_t started = kw_status_started(s), now = (uint64_t)time(NULL);

	print_warning(s);
	item("TEE", is_host ? "host: an isolated process on this machine"
			    : "optee: a Trusted Application in ARM TrustZone");
	snprintf(buf, sizeof(buf), "%s (this command: %s)", kw_status_version(s), KW_VERSION);
	item("Version", buf);
	if (is_host)
		item("Socket", kw_socket(cli->kw));
	item("Cryptography", kw_status_crypto(s));
	text_time(started, time_text);
	duration(now > started ? now - started : 0, age, sizeof(age));
	snprintf(buf, sizeof(buf), "%s, %s ago", time_text, age);
	item("Started", buf);
	bytes(kw_status_store_bytes(s), age, sizeof(age));
	snprintf(buf, sizeof(buf), "%" PRIu32 " stored in %s, %" PRIu32 " open in memory",
		kw_status_keys(s), age, kw_status_open_keys(s));
	item("Keys", buf);
	if (kw_status_objects(s)) {
		snprintf(buf, sizeof(buf), "%" PRIu32 " stored: certificates and data",
			kw_status_objects(s));
		item("Objects", buf);
	}
	printf("%-*s", LABEL_COLUMN, "Storage");
	text_print_wrapped(stdout, kw_status_storage(s), LABEL_COLUMN, text_columns(stdout));
	bytes(kw_status_memory(s), time_text, sizeof(time_text));
	bytes(kw_status_memory_max(s), age, sizeof(age));
	if (kw_status_memory_max(s))
		snprintf(buf, sizeof(buf), "%s in use, of %s", time_text, age);
	else
		snprintf(buf, sizeof(buf), "%s in use", time_text);
	item("Memory", buf);
	snprintf(buf, sizeof(buf), "%" PRIu64 " signatures, %" PRIu64 " refusals",
		kw_status_signatures(s), kw_status_refusals(s));
	item("Since start", buf);
	kw_identity_name(&me, age, sizeof(age));
	snprintf(buf, sizeof(buf), "%s, %s%s", age,
		kw_status_is_admin(s) ? "an administrator, " : "",
		kw_status_may_create(s) ? "may make keys" : "may not make keys");
	item("You are", buf);
	print_protections(s, "What protects the keys", true);
	print_protections(s, "What is missing", false);
}

static void print_json(const struct cli *cli, const struct kw_status *s)
{
	enum kw_protection_state state;
	struct json j = {.f = stdout};
	const char *id, *sentence;
	unsigned i;

	json_open(&j, NULL, '{');
	json_string(&j, "tee", kw_status_tee(s));
	json_string(&j, "version", kw_status_version(s));
	if (strcmp(kw_status_tee(s), "host") == 0)
		json_string(&j, "socket", kw_socket(cli->kw));
	if (warning(s))
		json_string(&j, "warning", warning(s));
	else
		json_null(&j, "warning");
	json_string(&j, "crypto", kw_status_crypto(s));
	json_number(&j, "started", kw_status_started(s));
	json_number(&j, "keys", kw_status_keys(s));
	json_number(&j, "open_keys", kw_status_open_keys(s));
	json_number(&j, "objects", kw_status_objects(s));
	json_number(&j, "store_bytes", kw_status_store_bytes(s));
	json_string(&j, "storage", kw_status_storage(s));
	json_number(&j, "memory", kw_status_memory(s));
	if (kw_status_memory_max(s))
		json_number(&j, "memory_max", kw_status_memory_max(s));
	else
		json_null(&j, "memory_max");
	json_number(&j, "signatures", kw_status_signatures(s));
	json_number(&j, "refusals", kw_status_refusals(s));
	json_bool(&j, "is_admin", kw_status_is_admin(s));
	json_bool(&j, "may_create", kw_status_may_create(s));
	json_open(&j, "protections", '[');
	for (i = 0; i < kw_status_protections(s); i++) {
		id = kw_status_protection(s, i, &state, &sentence);
		json_open(&j, NULL, '{');
		json_string(&j, "id", id);
		json_string(&j, "state", state_name(state));
		json_string(&j, "sentence", sentence);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
}

static enum exit_code run(struct cli *cli)
{
	struct kw_status *status = NULL;
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
	err = kw_status_new(cli->kw, &status);
	if (err)
		return fail_kw(err, "cannot ask the TEE for its status");
	if (json)
		print_json(cli, status);
	else
		print_page(cli, status);
	kw_status_free(&status);
	return EXIT_OK;
}

const struct command command_status = {
	.name = "status",
	.arguments = "[--json]",
	.summary = "say which TEE this is, what protects it, and what is missing",
	.options = options,
	.run = run,
};

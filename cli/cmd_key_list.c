/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "describe.h"
#include "hints.h"
#include "text.h"

static const struct option_row options[] = {
	{"names", OPTION_NAMES, NULL, "print only the names, one a line"},
	ROW_JSON,
	ROW_END,
};

enum column { NAME, TYPE, TOKEN, PURPOSES, ALLOWED, SIGNATURES, LAST_USE, REFUSALS, COLUMNS };

static const char *const headings[COLUMNS] = {
	"NAME",
	"TYPE",
	"TOKEN",
	"PURPOSES",
	"ALLOWED",
	"SIGNATURES",
	"LAST USE",
	"REFUSALS",
};

struct keys {
	struct kw_key **at;
	size_t n, room;
};

static bool keys_add(struct keys *keys, struct kw_key *key)
{
	if (keys->n == keys->room) {
		size_t room = keys->room ? 2 * keys->room : 64;
		struct kw_key **at = realloc(keys->at, room * sizeof(struct kw_key *));

		if (!at)
			return false;
		keys->at = at;
		keys->room = room;
	}
	keys->at[keys->n++] = key;
	return true;
}

static void keys_free(struct keys *keys)
{
	size_t i;

	for (i = 0; i < keys->n; i++)
		kw_key_free(&keys->at[i]);
	free(keys->at);
}

static enum exit_code keys_fetch(struct cli *cli, struct keys *keys)
{
	enum exit_code code = EXIT_OK;
	struct kw_page *page = NULL;
	struct kw_key *key = NULL;
	enum kw_err err;

	while (!(err = kw_key_next(cli->kw, &page, &key))) {
		if (!keys_add(keys, key)) {
			kw_key_free(&key);
			code = fail(EXIT_FAILED, "there is not enough memory for the list");
			break;
		}
		key = NULL;
	}
	if (err && err != KW_ERR_NO_KEY)
		code = fail_kw(err, "cannot list the keys");
	kw_page_free(&page);
	return code;
}

static int by_name(const void *a, const void *b)
{
	const struct kw_key *const *x = a, *const *y = b;
	int order = strcmp(kw_key_name(*x), kw_key_name(*y));

	return order ? order : memcmp(kw_key_id(*x), kw_key_id(*y), KW_ID_SIZE);
}

/* The first two of the list in words: a table is for an overview. */
static void allowed_text(const struct kw_key *key, char *buf, size_t size)
{
	unsigned n = kw_key_allowed(key), i;
	size_t used = 0;
	char who[128];

	snprintf(buf, size, "%s", n ? "" : "-");
	for (i = 0; i < n && i < 2 && used < size; i++) {
		struct kw_identity identity = kw_key_allowed_at(key, i);

		kw_identity_name(&identity, who, sizeof(who));
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? "," : "", who);
	}
	if (n > 2 && used < size)
		snprintf(buf + used, size - used, ",+%u", n - 2);
}

#define CELL_SIZE 300

static void cell(const struct kw_key *key, enum column column, char buf[CELL_SIZE])
{
	const char *type = kw_key_type_name(kw_key_type(key));
	char time[TEXT_TIME_SIZE];

	switch (column) {
	case NAME:
		key_label(key, buf);
		break;
	case TYPE:
		snprintf(buf, CELL_SIZE, "%s", type ? type : "unknown");
		break;
	case TOKEN:
		snprintf(buf, CELL_SIZE, "%u", kw_key_token(key));
		break;
	case PURPOSES:
		kw_purposes_names(kw_key_purposes(key), buf, CELL_SIZE);
		break;
	case ALLOWED:
		allowed_text(key, buf, CELL_SIZE);
		break;
	case SIGNATURES:
		snprintf(buf, CELL_SIZE, "%" PRIu64, kw_key_signatures(key));
		break;
	case LAST_USE:
		text_time(kw_key_last_use(key), time);
		snprintf(buf, CELL_SIZE, "%.16s", time);
		break;
	default:
		snprintf(buf, CELL_SIZE, "%" PRIu64, kw_key_refusals(key));
		break;
	}
}

static void print_cell(const char *text, enum column column, unsigned width)
{
	if (!width)
		return;
	if (column == SIGNATURES || column == REFUSALS)
		printf("%*s", (int)width, text);
	else
		text_print_padded(stdout, text, width);
	fputs(column + 1 == COLUMNS ? "\n" : "  ", stdout);
}

static bool any_has_pin(const struct keys *keys)
{
	size_t i;

	for (i = 0; i < keys->n; i++) {
		if (kw_key_token(keys->at[i]))
			return true;
	}
	return false;
}

/* A column that would say nothing has no width. */
static void print_table(const struct keys *keys)
{
	unsigned width[COLUMNS];
	char buf[CELL_SIZE];
	enum column c;
	size_t i;

	for (c = 0; c < COLUMNS; c++) {
		width[c] = (unsigned)strlen(headings[c]);
		for (i = 0; i < keys->n; i++) {
			cell(keys->at[i], c, buf);
			if (text_width(buf) > width[c])
				width[c] = text_width(buf);
		}
	}
	if (!any_has_pin(keys))
		width[TOKEN] = 0;
	for (c = 0; c < COLUMNS; c++)
		print_cell(headings[c], c, width[c]);
	for (i = 0; i < keys->n; i++) {
		for (c = 0; c < COLUMNS; c++) {
			cell(keys->at[i], c, buf);
			print_cell(buf, c, width[c]);
		}
	}
}

static void print_names(const struct keys *keys)
{
	size_t i;

	for (i = 0; i < keys->n; i++) {
		if (!*kw_key_name(keys->at[i]))
			continue;
		text_print(stdout, kw_key_name(keys->at[i]));
		putchar('\n');
	}
}

static void print_json(const struct keys *keys)
{
	struct json j = {.f = stdout};
	size_t i;

	json_open(&j, NULL, '[');
	for (i = 0; i < keys->n; i++)
		key_json(&j, NULL, keys->at[i]);
	json_close(&j, ']');
}

static enum exit_code run(struct cli *cli)
{
	bool json = false, names = false;
	struct keys keys = {.n = 0};
	enum exit_code code;
	const char *value;
	int letter;

	while ((letter = option_next(cli, &value)) != -1) {
		if (letter == OPTION_JSON)
			json = true;
		else if (letter == OPTION_NAMES)
			names = true;
	}
	operands_check(cli, 0, 0);
	code = cli_connect(cli);
	if (code != EXIT_OK)
		return code;
	code = keys_fetch(cli, &keys);
	if (code == EXIT_OK) {
		if (keys.n)
			qsort(keys.at, keys.n, sizeof(keys.at[0]), by_name);
		if (json)
			print_json(&keys);
		else if (names)
			print_names(&keys);
		else if (keys.n)
			print_table(&keys);
		else
			fprintf(stderr,
				"There are no keys that you may use or manage. '%s key generate "
				"NAME' makes one.\n",
				hint_program(cli));
	}
	keys_free(&keys);
	return code;
}

const struct command command_key_list = {
	.name = "key list",
	.arguments = "[OPTION]...",
	.summary = "list the keys that you may use or manage",
	.details = "Signatures and refusals count since the key was made.",
	.options = options,
	.run = run,
};

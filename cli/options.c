/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli.h"

#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define ROWS_MAX 24

/* Every command has these. */
static const struct option_row common[] = {
	{"tee", OPTION_TEE, "TEE",
		"which kind of TEE: host or optee (default host with --socket, else $KEYWARD_TEE, "
		"else host)"},
	{"socket", OPTION_SOCKET, "PATH",
		"where the host TEE listens (default $KEYWARD_SOCKET, else the system's, else the "
		"user's)"},
	{"help", 'h', NULL, "print this help"},
	ROW_END,
};

struct tables {
	struct option longs[ROWS_MAX + 1];
	char shorts[2 * ROWS_MAX + 2];
	unsigned n;
};

static void tables_add(struct tables *t, const struct option_row *row)
{
	size_t used = strlen(t->shorts);

	for (; row && row->name && t->n < ROWS_MAX; row++, t->n++) {
		t->longs[t->n] = (struct option){
			.name = row->name,
			.has_arg = row->argument ? required_argument : no_argument,
			.val = row->letter,
		};
		if (row->letter >= 256)
			continue;
		t->shorts[used++] = (char)row->letter;
		if (row->argument)
			t->shorts[used++] = ':';
	}
	memset(&t->longs[t->n], 0, sizeof(t->longs[0]));
}

enum exit_code usage_error(const struct cli *cli, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (cli->command)
		return fail(EXIT_USAGE, "%s (see 'keyward %s --help')", text, cli->command->name);
	return fail(EXIT_USAGE, "%s (see 'keyward help')", text);
}

/* getopt_long's own messages would print what was typed as it is. */
static _Noreturn void wrong_option(const struct cli *cli, int letter)
{
	const char *text = optind > 0 && optind <= cli->argc ? cli->argv[optind - 1] : "";
	bool is_long = text[0] == '-' && text[1] == '-';
	char name[3] = {'-', (char)optopt, '\0'};

	if (!is_long && optopt > 0 && optopt < 256)
		text = name;
	if (letter == ':')
		exit((int)usage_error(cli, "the option '%s' needs an argument", text));
	if (is_long && optopt > 0)
		exit((int)usage_error(cli, "the option '%s' takes no argument", text));
	exit((int)usage_error(cli, "there is no option '%s'", text));
}

int option_next(struct cli *cli, const char **value)
{
	struct tables t = {.n = 0};
	int letter;

	tables_add(&t, common);
	tables_add(&t, cli->command->options);
	/* A colon first: a missing argument is told from an unknown option. */
	memmove(t.shorts + 1, t.shorts, strlen(t.shorts) + 1);
	t.shorts[0] = ':';
	opterr = 0;
	for (;;) {
		letter = getopt_long(cli->argc, cli->argv, t.shorts, t.longs, NULL);
		*value = optarg;
		switch (letter) {
		case OPTION_TEE:
			cli->options.tee = optarg;
			break;
		case OPTION_SOCKET:
			cli->options.socket = optarg;
			break;
		case 'h':
			command_help_print(cli->command, stdout);
			exit(fflush(stdout) ? (int)EXIT_FAILED : (int)EXIT_OK);
		case '?':
		case ':':
			wrong_option(cli, letter);
		case -1:
			cli->operand = optind;
			return -1;
		default:
			return letter;
		}
	}
}

const char *operand(const struct cli *cli, int i)
{
	return i < cli->argc - cli->operand ? cli->argv[cli->operand + i] : NULL;
}

void operands_check(const struct cli *cli, int min, int max)
{
	int n = cli->argc - cli->operand;

	if (n > max)
		exit((int)usage_error(cli, "'%s' is one argument too many", operand(cli, max)));
	if (n < min)
		exit((int)usage_error(cli, "an argument is missing: keyward %s %s",
			cli->command->name, cli->command->arguments));
}

bool parse_number(const char *text, unsigned min, unsigned max, unsigned *number)
{
	unsigned long v;
	char *end = NULL;

	if (!isdigit((unsigned char)text[0]) || strlen(text) > 9)
		return false;
	v = strtoul(text, &end, 10);
	if (*end || v < min || v > max)
		return false;
	*number = (unsigned)v;
	return true;
}

static void print_rows(FILE *f, const struct option_row *row, unsigned columns)
{
	const unsigned indent = 26;
	char left[64];

	for (; row && row->name; row++) {
		int n = 0;

		if (row->letter < 256)
			n = snprintf(left, sizeof(left), "  -%c, --%s", row->letter, row->name);
		else
			n = snprintf(left, sizeof(left), "      --%s", row->name);
		if (row->argument && n > 0 && (size_t)n < sizeof(left))
			snprintf(left + n, sizeof(left) - (size_t)n, " %s", row->argument);
		if (strlen(left) + 2 > indent)
			fprintf(f, "%s\n%*s", left, (int)indent, "");
		else
			fprintf(f, "%-*s", (int)indent, left);
		text_print_wrapped(f, row->help, indent, columns);
	}
}

/* What --type and --purpose take comes from the table of algorithms. */
static void print_choices(FILE *f, const struct command *command, unsigned columns)
{
	const struct option_row *row;
	const char *name, *sentence;
	unsigned i;

	for (row = command->options; row && row->name; row++) {
		if (row->letter == OPTION_TYPE) {
			fputs("\nTypes:\n ", f);
			for (i = 0; (name = kw_key_type_row(i)); i++)
				fprintf(f, " %s", name);
			fputc('\n', f);
		} else if (row->letter == OPTION_PURPOSE) {
			fputs("\nPurposes, one or several with commas:\n", f);
			for (i = 0; (name = kw_purpose_row(i, &sentence)); i++) {
				fprintf(f, "  %-19s", name);
				text_print_wrapped(f, sentence, 21, columns);
			}
		}
	}
}

void command_help_print(const struct command *command, FILE *f)
{
	unsigned columns = text_columns(f);

	fprintf(f, "keyward %s: %s\n\nUsage: keyward %s%s%s\n", command->name, command->summary,
		command->name, command->arguments[0] ? " " : "", command->arguments);
	if (command->details)
		fprintf(f, "\n%s\n", command->details);
	fputs("\nOptions:\n", f);
	print_rows(f, command->options, columns);
	print_rows(f, common, columns);
	print_choices(f, command, columns);
}

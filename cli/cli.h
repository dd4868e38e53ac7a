/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the subcommands share: the table row that describes one, its options, its failures. Texts that
 * come from outside (names, paths, answers of the TEE) reach a terminal only through text_print, which
 * makes control characters visible.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>
#include <keyward/keyward.h>

/* What a script can rely on; keyward(1) describes them. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_TEE = 3,
	EXIT_REFUSED = 4,
	EXIT_NO_KEY = 5,
	EXIT_EXISTS = 6,
	EXIT_BAD_INPUT = 7,
};

/* The help text and getopt_long's tables are both built from these rows. */
struct option_row {
	const char *name;
	int letter; /* the short option when it is printable, else any number from 256 on */
	const char *argument; /* what the help calls its argument, NULL for none */
	const char *help;
};

/* Options without a short form; those of 'o' and the like are their own letter. */
enum option_letter {
	OPTION_TEE = 256,
	OPTION_SOCKET,
	OPTION_JSON,
	OPTION_TYPE,
	OPTION_PURPOSE,
	OPTION_ALLOW,
	OPTION_PASSPHRASE_FILE,
	OPTION_PASSPHRASE_FD,
	OPTION_FILE,
	OPTION_FORCE,
	OPTION_NAME,
	OPTION_NAMES,
	OPTION_PUBKEY,
	OPTION_SUBJECT,
	OPTION_SAN,
	OPTION_DER,
	OPTION_TAKE,
	OPTION_YES,
	OPTION_THREADS,
	OPTION_SECONDS,
	OPTION_VERSION,
	OPTION_CHALLENGE,
	OPTION_DEVICE_KEY,
	OPTION_KEY,
	OPTION_REQUIRE,
	OPTION_TRIAL,
	OPTION_LABEL,
	OPTION_PIN_FILE,
	OPTION_NEW_PIN_FILE,
	OPTION_SO,
	OPTION_LOGIN,
};

#define ROW_JSON                                                     \
	{                                                            \
		"json", OPTION_JSON, NULL, "print JSON, for scripts" \
	}
#define ROW_END                     \
	{                           \
		NULL, 0, NULL, NULL \
	}

struct cli;

struct command {
	const char *name; /* "key generate" */
	const char *arguments;
	const char *summary;
	const char *details; /* paragraphs for the help */
	const struct option_row *options;
	bool holds_secrets; /* a private key passes through the process: no core dump, memory is wiped */
	enum exit_code (*run)(struct cli *cli);
};

struct cli {
	const struct command *command;
	int argc;
	char **argv; /* argv[0] is the command's name; after options_end the operands follow argv[operand] */
	int operand;
	struct kw_options options;
	struct kw *kw;
};

extern const struct command command_status, command_bench, command_help;
extern const struct command command_key_generate, command_key_import, command_key_list;
extern const struct command command_key_show, command_key_rename, command_key_delete;
extern const struct command command_key_allow, command_key_deny, command_key_csr;
extern const struct command command_key_pem, command_key_seal;
extern const struct command command_key_attest, command_attest_key, command_attest_verify;

extern const struct command command_token_list, command_token_init, command_token_set_pin;
extern const struct command command_token_unlock, command_token_delete, command_token_objects;
extern const struct command command_token_allow, command_token_deny;

/* The i-th command, NULL past the end. */
const struct command *command_row(unsigned i);

/* --- options.c --- */

/* The next option's letter with *value its argument; -1 after the last, when cli->operand is set. Ends
 * the process for --help (0) and for a wrong option (2): nothing has been acquired yet. */
int option_next(struct cli *cli, const char **value);
/* The operands that the command takes; ends the process with a usage error when there are not between
 * min and max of them. */
void operands_check(const struct cli *cli, int min, int max);
/* The i-th operand, NULL when there are fewer. */
const char *operand(const struct cli *cli, int i);
void command_help_print(const struct command *command, FILE *f);
/* "keyward: …" and where to read on, on stderr. Returns EXIT_USAGE. */
enum exit_code usage_error(const struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A decimal number within bounds. */
bool parse_number(const char *text, unsigned min, unsigned max, unsigned *number);

/* --- fail.c --- */

/* One sentence on stderr, prefixed with the program's name. Returns its first argument. */
enum exit_code fail(enum exit_code code, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* What failed, and what libkeyward says about the last call: why, and what to do. */
enum exit_code fail_kw(enum kw_err err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
enum exit_code exit_code_of(enum kw_err err);

/* --- connect.c --- */

/* Opens cli->kw. As an ordinary user without a TEE it starts one first. */
enum exit_code cli_connect(struct cli *cli);

#endif

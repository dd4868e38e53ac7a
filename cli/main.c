/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli.h"

#include <fcntl.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harden.h"

static const struct command *const commands[] = {
	&command_status,
	&command_key_generate,
	&command_key_import,
	&command_key_list,
	&command_key_show,
	&command_key_rename,
	&command_key_delete,
	&command_key_allow,
	&command_key_deny,
	&command_key_csr,
	&command_key_pem,
	&command_key_seal,
	&command_key_attest,
	&command_attest_key,
	&command_attest_verify,
	&command_token_list,
	&command_token_init,
	&command_token_set_pin,
	&command_token_unlock,
	&command_token_delete,
	&command_token_objects,
	&command_token_allow,
	&command_token_deny,
	&command_bench,
	&command_help,
};

const struct command *command_row(unsigned i)
{
	return i < sizeof(commands) / sizeof(commands[0]) ? commands[i] : NULL;
}

/* How many words of argv name this command, 0 when they do not. */
static int words_matching(const struct command *command, int argc, char **argv)
{
	const char *name = command->name;
	int i;

	for (i = 0; i < argc; i++) {
		size_t n = strcspn(name, " ");

		if (strlen(argv[i]) != n || strncmp(argv[i], name, n) != 0)
			return 0;
		if (!name[n])
			return i + 1;
		name += n + 1;
	}
	return 0;
}

static const struct command *find_command(int argc, char **argv, int *words)
{
	unsigned i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		*words = words_matching(commands[i], argc, argv);
		if (*words)
			return commands[i];
	}
	return NULL;
}

/* group: NULL for all, "key" for those that begin with this word. */
static void print_overview(FILE *f, const char *group)
{
	size_t n = group ? strlen(group) : 0;
	unsigned i;

	fputs("keyward keeps private keys inside a Trusted Execution Environment.\n\n"
	      "Usage: keyward [--tee TEE] [--socket PATH] COMMAND [ARGUMENT]...\n\nCommands:\n",
		f);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const char *name = commands[i]->name;

		if (!group || (strncmp(name, group, n) == 0 && name[n] == ' '))
			fprintf(f, "  %-14s %s\n", name, commands[i]->summary);
	}
	fputs("\n'keyward help COMMAND' or 'keyward COMMAND --help' says more about one; "
	      "keyward(1) about all.\n"
	      "Exit status: 0 done, 1 failed, 2 wrong usage, 3 no TEE, 4 refused, 5 no such key,\n"
	      "6 exists already, 7 a file that cannot be used.\n",
		f);
}

static bool is_group(const char *word)
{
	return strcmp(word, "key") == 0 || strcmp(word, "attest") == 0 ||
	       strcmp(word, "token") == 0;
}

static enum exit_code help_run(struct cli *cli)
{
	const struct command *command;
	const char *value;
	int words, n;

	while (option_next(cli, &value) != -1)
		;
	n = cli->argc - cli->operand;
	if (n == 0) {
		print_overview(stdout, NULL);
		return EXIT_OK;
	}
	if (n == 1 && is_group(operand(cli, 0))) {
		print_overview(stdout, operand(cli, 0));
		return EXIT_OK;
	}
	command = find_command(n, cli->argv + cli->operand, &words);
	if (!command || words != n) {
		cli->command = NULL;
		return usage_error(cli, "there is no command '%s%s%s'", operand(cli, 0),
			n > 1 ? " " : "", n > 1 ? operand(cli, 1) : "");
	}
	command_help_print(command, stdout);
	return EXIT_OK;
}

const struct command command_help = {
	.name = "help",
	.arguments = "[COMMAND]",
	.summary = "say what the commands do",
	.run = help_run,
};

/* Options before the command; leaves optind at it. Returns false when there is nothing more to do. */
static bool global_options(struct cli *cli, enum exit_code *code)
{
	static const struct option longs[] = {
		{"tee", required_argument, NULL, OPTION_TEE},
		{"socket", required_argument, NULL, OPTION_SOCKET},
		{"version", no_argument, NULL, OPTION_VERSION},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int letter;

	opterr = 0;
	while ((letter = getopt_long(cli->argc, cli->argv, "+:h", longs, NULL)) != -1) {
		switch (letter) {
		case OPTION_TEE:
			cli->options.tee = optarg;
			break;
		case OPTION_SOCKET:
			cli->options.socket = optarg;
			break;
		case OPTION_VERSION:
			printf("keyward %s\n", KW_VERSION);
			*code = EXIT_OK;
			return false;
		case 'h':
			print_overview(stdout, NULL);
			*code = EXIT_OK;
			return false;
		case ':':
			*code = usage_error(
				cli, "the option '%s' needs an argument", cli->argv[optind - 1]);
			return false;
		default:
			*code = usage_error(cli, "there is no option '%s' before a command",
				cli->argv[optind - 1]);
			return false;
		}
	}
	return true;
}

static enum exit_code run(struct cli *cli)
{
	enum exit_code code = EXIT_USAGE;
	int words = 0, n;

	if (!global_options(cli, &code))
		return code;
	cli->argc -= optind;
	cli->argv += optind;
	n = cli->argc;
	if (n == 0) {
		print_overview(stderr, NULL);
		return EXIT_USAGE;
	}
	cli->command = find_command(n, cli->argv, &words);
	if (!cli->command && is_group(cli->argv[0]) &&
		(n == 1 || strcmp(cli->argv[1], "--help") == 0 ||
			strcmp(cli->argv[1], "-h") == 0)) {
		print_overview(n == 1 ? stderr : stdout, cli->argv[0]);
		return n == 1 ? EXIT_USAGE : EXIT_OK;
	}
	if (!cli->command && is_group(cli->argv[0]))
		return usage_error(cli, "there is no command '%s %s'", cli->argv[0], cli->argv[1]);
	if (!cli->command)
		return usage_error(cli, "there is no command '%s'", cli->argv[0]);
	/* getopt_long starts after argv[0], which is the last word of the command's name. */
	cli->argc -= words - 1;
	cli->argv += words - 1;
	optind = 0;
	if (cli->command->holds_secrets && !harden())
		return fail(
			EXIT_FAILED, "cannot protect this process from core dumps and debuggers");
	/* No configuration file of OpenSSL: it could load modules into a process that holds a key. */
	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return fail(EXIT_FAILED, "cannot start libcrypto");
	return cli->command->run(cli);
}

/* A standard descriptor that is closed would be given to the next file, and messages written into it.
 * Opened for reading, so that writing fails as if it were closed. */
static bool fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd >= 0 && !close(fd);
}

int main(int argc, char **argv)
{
	struct cli cli = {.argc = argc, .argv = argv};
	enum exit_code code;

	if (!fill_standard_descriptors())
		return EXIT_FAILED;
	code = run(&cli);

	kw_free(&cli.kw);
	/* A full disk or a closed pipe behind stdout is a failure too. */
	if ((fflush(stdout) || ferror(stdout)) && code == EXIT_OK)
		code = fail(EXIT_FAILED, "cannot write the output");
	return (int)code;
}

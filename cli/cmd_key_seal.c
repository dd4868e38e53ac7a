/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "describe.h"
#include "file_io.h"
#include "hints.h"
#include "pem_file.h"
#include "request.h"

static const struct option_row options[] = {
	{"type", OPTION_TYPE, "TYPE",
		"make a new key of this type instead of sealing the one in FILE"},
	{"output", 'o', "FILE", "where to write the sealed key (mode 0644), - for standard output"},
	{"force", OPTION_FORCE, NULL,
		"replace the output file when it exists, keeping its owner and mode"},
	{"name", OPTION_NAME, "NAME", "a name for messages (default: that of the output file)"},
	ROW_PURPOSE,
	ROW_ALLOW,
	ROW_PASSPHRASE_FILE,
	ROW_PASSPHRASE_FD,
	ROW_JSON,
	ROW_END,
};

/* The output's file name without its ending, when every character may be in a name. */
static void default_name(const char *output, char buf[KW_NAME_MAX + 1])
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@+*";
	const char *slash = strrchr(output, '/'), *base = slash ? slash + 1 : output;
	size_t n = strlen(base);

	if (n > 4 && strcmp(base + n - 4, ".pem") == 0)
		n -= 4;
	if (!n || n > KW_NAME_MAX || strspn(base, allowed) < n || strchr(".-@+", base[0]))
		n = 0;
	memcpy(buf, base, n);
	buf[n] = '\0';
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Makes the key, or takes it from the file. */
static enum exit_code make(
	struct cli *cli, struct key_request *request, const char *input, struct kw_key **key)
{
	enum exit_code code = EXIT_OK;
	struct key_material m;

	memset(&m, 0, sizeof(m));
	if (input)
		code = key_request_read(request, input, &m);
	if (code == EXIT_OK)
		code = key_request_check(cli, request);
	if (code == EXIT_OK)
		code = cli_connect(cli);
	if (code != EXIT_OK)
		goto out;
	if (input) {
		code = key_request_import(cli, request, input, &m, key);
		goto out;
	}
	code = key_request_generate(cli, request, key);
out:
	key_material_wipe(&m);
	return code;
}

static void report(const struct kw_key *key, const char *input, const char *output, bool json)
{
	struct json j = {.f = stdout};

	if (strcmp(output, "-") == 0)
		return;
	if (json) {
		key_json(&j, NULL, key);
		return;
	}
	hint_done("Sealed the key", key);
	puts("Its file works with this device's TEE only, and there is no other copy of it: back "
	     "it up as you would\n"
	     "any configuration, and keep a way to replace the key when the device is lost.");
	if (input)
		print_delete_advice(input);
}

static enum exit_code run(struct cli *cli)
{
	const char *value, *input, *output = NULL;
	bool force = false, json = false, has_type = false;
	char name[KW_NAME_MAX + 1], *text = NULL;
	struct key_request request;
	struct kw_key *key = NULL;
	enum exit_code code;
	size_t len = 0;
	int letter;

	key_request_init(&request);
	while ((letter = option_next(cli, &value)) != -1) {
		has_type |= letter == OPTION_TYPE;
		if (letter == 'o')
			output = value;
		else if (letter == OPTION_FORCE)
			force = true;
		else if (letter == OPTION_NAME)
			request.t.name = value;
		else if (letter == OPTION_JSON)
			json = true;
		else
			key_request_option(cli, &request, letter, value);
	}
	operands_check(cli, 0, 1);
	input = operand(cli, 0);
	if (!output)
		return usage_error(cli, "the output file is missing: give -o FILE");
	if (!input == !has_type)
		return usage_error(
			cli, "give either a key file to seal or --type TYPE for a new key");
	if (has_type && kw_key_type_is_secret(request.t.type))
		return usage_error(cli,
			"a sealed key's file is a server's private key file, and a key of type %s "
			"is "
			"none: keep it in the TEE, with 'keyward key generate'",
			kw_key_type_name(request.t.type));
	if (input && is_same_file(input, output))
		return usage_error(cli,
			"the key file itself cannot be the output: a sealed key is lost "
			"with its device, so that file has to go by itself");
	code = file_check_output(output, force);
	if (code != EXIT_OK)
		return code;
	default_name(output, name);
	if (!request.t.name)
		request.t.name = name;
	request.t.sealed = true;
	code = make(cli, &request, input, &key);
	if (code == EXIT_OK)
		code = pem_text(key, &text, &len);
	if (code == EXIT_OK)
		code = file_write(output, text, len, force);
	if (code == EXIT_OK)
		report(key, input, output, json);
	if (code == EXIT_OK)
		hint_groups(cli, key);
	free(text);
	kw_key_free(&key);
	return code;
}

const struct command command_key_seal = {
	.name = "key seal",
	.arguments = "FILE|--type TYPE -o FILE [OPTION]...",
	.summary = "make a sealed key: a file that only this device can use",
	.details = "Nothing is stored in the TEE: the key is in the file, encrypted so that only "
		   "this device's TEE\n"
		   "can open it. Give the file to a server as its private key. FILE is what "
		   "'keyward key import' takes.",
	.options = options,
	.holds_secrets = true,
	.run = run,
};

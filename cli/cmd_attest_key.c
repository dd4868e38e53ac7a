/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <string.h>

#include "cli.h"
#include "file_io.h"
#include "public_file.h"

#define SPKI_SIZE 256

static const struct option_row options[] = {
	{"output", 'o', "FILE", "write to FILE instead of standard output"},
	{"force", OPTION_FORCE, NULL, "replace FILE when it exists, keeping its owner and mode"},
	ROW_END,
};

/* Here somebody is about to trust this key. */
static void warn(struct cli *cli)
{
	struct kw_status *status = NULL;
	enum kw_protection_state state;
	const char *id, *sentence;

	if (kw_status_new(cli->kw, &status))
		return;
	for (unsigned i = 0; (id = kw_status_protection(status, i, &state, &sentence)); i++) {
		if (strcmp(id, "device-secret") == 0 && state == KW_PROTECTION_ABSENT)
			fail(EXIT_OK,
				"do not trust this key: everybody can compute its private part, "
				"because this device has no secret of its own (see 'keyward "
				"status')");
	}
	kw_status_free(&status);
}

static enum exit_code write_key(struct cli *cli, const char *output, bool force)
{
	uint8_t spki[SPKI_SIZE];
	size_t len = sizeof(spki);
	enum exit_code code;
	enum kw_err err = kw_attestation_key(cli->kw, spki, &len);
	char *pem;

	if (err)
		return fail_kw(err, "cannot get the attestation key");
	pem = public_pem(spki, len);
	if (!pem)
		return fail(EXIT_FAILED, "there is not enough memory");
	code = file_write(output, pem, strlen(pem), force);
	OPENSSL_free(pem);
	if (code == EXIT_OK)
		warn(cli);
	return code;
}

static enum exit_code run(struct cli *cli)
{
	const char *value, *output = NULL;
	enum exit_code code;
	bool force = false;
	int letter;

	while ((letter = option_next(cli, &value)) != -1) {
		if (letter == 'o')
			output = value;
		else if (letter == OPTION_FORCE)
			force = true;
	}
	operands_check(cli, 0, 0);
	code = file_check_output(output, force);
	if (code == EXIT_OK)
		code = cli_connect(cli);
	if (code == EXIT_OK)
		code = write_key(cli, output, force);
	return code;
}

const struct command command_attest_key = {
	.name = "attest key",
	.arguments = "[-o FILE]",
	.summary = "write the public key that this device's statements are verified with",
	.details = "PEM. It is the same for the life of the device. Collect it where the device is "
		   "known to "
		   "be yours,\n"
		   "as when it is made, and not together with a statement that is to be verified.",
	.options = options,
	.run = run,
};

/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "file_io.h"
#include "subject.h"
#include "target.h"

/* Larger than any reply of the TEE. */
#define CSR_SIZE 32768

static const struct option_row options[] = {
	{"subject", OPTION_SUBJECT, "/CN=...",
		"who the certificate is for, as openssl req -subj takes it"},
	{"san", OPTION_SAN, "KIND:VALUE",
		"an alternative name: DNS:HOST, IP:ADDRESS, email:ADDRESS or URI:URI; may be "
		"repeated"},
	{"output", 'o', "FILE", "write to FILE instead of standard output"},
	{"force", OPTION_FORCE, NULL, "replace FILE when it exists, keeping its owner and mode"},
	{"der", OPTION_DER, NULL, "write DER instead of PEM"},
	ROW_FILE,
	ROW_END,
};

struct csr_options {
	struct subject subject;
	struct san_list sans;
	const char *output, *file;
	bool force, der;
};

static enum exit_code read_options(struct cli *cli, struct csr_options *o)
{
	char problem[PROBLEM_SIZE] = "";
	const char *value;
	bool ok = true;
	int letter;

	while (ok && (letter = option_next(cli, &value)) != -1) {
		switch (letter) {
		case OPTION_SUBJECT:
			subject_free(&o->subject);
			ok = subject_parse(value, &o->subject, problem);
			break;
		case OPTION_SAN:
			ok = san_add(&o->sans, value, problem);
			break;
		case 'o':
			o->output = value;
			break;
		case OPTION_FORCE:
			o->force = true;
			break;
		case OPTION_DER:
			o->der = true;
			break;
		default:
			o->file = value;
			break;
		}
	}
	if (!ok)
		return usage_error(cli, "%s", problem);
	operands_check(cli, !o->file, !o->file);
	if (!o->subject.n && !o->sans.n)
		return usage_error(cli, "a request needs a subject or an alternative name: give "
					"--subject or --san");
	return EXIT_OK;
}

static enum exit_code write_request(const struct csr_options *o, const uint8_t *der, size_t len)
{
	enum exit_code code = EXIT_FAILED;
	BIO *bio = NULL;
	char *pem = NULL;
	long n;

	if (o->der)
		return file_write(o->output, der, len, o->force);
	bio = BIO_new(BIO_s_mem());
	if (bio && PEM_write_bio(bio, PEM_STRING_X509_REQ, "", der, (long)len)) {
		n = BIO_get_mem_data(bio, &pem);
		code = file_write(o->output, pem, (size_t)n, o->force);
	} else {
		fail(code, "there is not enough memory for the request");
	}
	BIO_free(bio);
	return code;
}

static enum exit_code make_request(struct cli *cli, const struct csr_options *o)
{
	struct kw_csr csr = {
		.subject = o->subject.names,
		.subject_count = o->subject.n,
		.sans = o->sans.at,
		.san_count = o->sans.n,
	};
	struct key_target target;
	uint8_t *der = malloc(CSR_SIZE);
	size_t len = CSR_SIZE;
	enum exit_code code;
	enum kw_err err;

	code = key_target_find(cli, operand(cli, 0), o->file, NULL, &target);
	if (code != EXIT_OK)
		goto out;
	if (!der) {
		code = fail(EXIT_FAILED, "there is not enough memory for the request");
		goto out;
	}
	err = kw_key_csr(cli->kw, &target.target, &csr, der, &len);
	if (err == KW_ERR_BAD_REQUEST)
		code = fail(EXIT_USAGE,
			"cannot make a request with the key '%s': the TEE does not take a part of "
			"the "
			"subject or an alternative name",
			target.text);
	else if (err)
		code = fail_kw(err, "cannot make a request with the key '%s'", target.text);
	else
		code = write_request(o, der, len);
out:
	key_target_clear(&target);
	free(der);
	return code;
}

static enum exit_code run(struct cli *cli)
{
	struct csr_options o;
	enum exit_code code;

	memset(&o, 0, sizeof(o));
	code = read_options(cli, &o);
	if (code == EXIT_OK)
		code = file_check_output(o.output, o.force);
	if (code == EXIT_OK)
		code = cli_connect(cli);
	if (code == EXIT_OK)
		code = make_request(cli, &o);
	subject_free(&o.subject);
	san_free(&o.sans);
	return code;
}

const struct command command_key_csr = {
	.name = "key csr",
	.arguments = "NAME --subject /CN=... --san DNS:... [OPTION]...",
	.summary = "write a certificate request, built and signed inside the TEE",
	.details = "The key needs the purpose csr or sign. NAME may also be a Keyward file (with a "
		   "/ or ending in\n"
		   ".pem). In a subject a backslash takes the next character as it is. Parts: CN, "
		   "O, OU, C, ST, L,\n"
		   "serialNumber, emailAddress.",
	.options = options,
	.run = run,
};

/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "cli.h"
#include "file_io.h"
#include "public_file.h"
#include "statement.h"
#include "text.h"

/* A file that is much longer is read far enough to say so. */
#define STATEMENT_FILE_MAX (64 * 1024)

enum requirement {
	REQUIRE_GENERATED = 1,
	REQUIRE_KEPT = 2,
	REQUIRE_OPTEE = 4,
};

static const struct option_row options[] = {
	{"device-key", OPTION_DEVICE_KEY, "PEM",
		"the public key of the device, from 'keyward attest key'"},
	ROW_CHALLENGE("the statement must have been made for this challenge"),
	{"key", OPTION_KEY, "PEM",
		"the statement must be about the key of this certificate or public key"},
	{"require", OPTION_REQUIRE, "LIST",
		"fail unless the key was generated, cannot be extracted, or is in OP-TEE: a list "
		"of "
		"generated, kept, optee"},
	{"trial", OPTION_TRIAL, NULL,
		"take statements of devices whose secret everybody knows, which prove nothing"},
	ROW_JSON,
	ROW_END,
};

struct verification {
	const char *path, *device_path, *key_path;
	struct challenge challenge;
	unsigned required;
	bool json, trial;
	struct kw_attestation *statement;
	struct statement_checks checks;
};

static bool parse_requirements(const char *list, unsigned *required)
{
	static const struct {
		const char *name;
		unsigned bit;
	} words[] = {
		{"generated", REQUIRE_GENERATED}, {"kept", REQUIRE_KEPT}, {"optee", REQUIRE_OPTEE}};
	size_t n, i;

	for (;; list += n + 1) {
		n = strcspn(list, ",");
		for (i = 0; i < 3; i++) {
			if (strlen(words[i].name) == n && strncmp(words[i].name, list, n) == 0)
				break;
		}
		if (i == 3)
			return false;
		*required |= words[i].bit;
		if (!list[n])
			return true;
	}
}

static enum exit_code read_options(struct cli *cli, struct verification *v)
{
	const char *value;
	int letter;

	while ((letter = option_next(cli, &value)) != -1) {
		switch (letter) {
		case OPTION_DEVICE_KEY:
			v->device_path = value;
			break;
		case OPTION_CHALLENGE:
			challenge_parse(cli, value, &v->challenge);
			break;
		case OPTION_KEY:
			v->key_path = value;
			break;
		case OPTION_REQUIRE:
			if (!parse_requirements(value, &v->required))
				return usage_error(
					cli, "'%s' is not a list of generated, kept, optee", value);
			break;
		case OPTION_TRIAL:
			v->trial = true;
			break;
		default:
			v->json = true;
			break;
		}
	}
	operands_check(cli, 1, 1);
	v->path = operand(cli, 0);
	if (!v->device_path)
		return usage_error(cli,
			"without the public key of the device nothing can be verified: give "
			"--device-key");
	return EXIT_OK;
}

static enum exit_code read_statement(struct verification *v)
{
	uint8_t *data = NULL;
	size_t len = 0;
	enum exit_code code = file_read(v->path, STATEMENT_FILE_MAX, &data, &len);
	enum kw_err err;

	if (code != EXIT_OK)
		return code;
	err = kw_attestation_parse(data, len, &v->statement);
	if (err)
		code = err == KW_ERR_BAD_STATEMENT ? fail(EXIT_BAD_INPUT, "cannot verify '%s': %s",
							     v->path, kw_explain())
						   : fail_kw(err, "cannot verify '%s'", v->path);
	file_free(&data, len);
	return code;
}

/* RFC 8032, by libcrypto, over the Sig_structure of RFC 9052. */
static bool is_signed_by(const struct kw_attestation *a, EVP_PKEY *device)
{
	size_t n, sig_len;
	const uint8_t *data = kw_attestation_signed(a, &n);
	const uint8_t *sig = kw_attestation_signature(a, &sig_len);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok = md && EVP_DigestVerifyInit(md, NULL, NULL, NULL, device) == 1 &&
		  EVP_DigestVerify(md, sig, sig_len, data, n) == 1;

	EVP_MD_CTX_free(md);
	return ok;
}

static enum exit_code check_signature(struct verification *v)
{
	uint8_t id[KW_ID_SIZE];
	EVP_PKEY *device = NULL;
	enum exit_code code = public_file_read(v->device_path, &device);

	if (code != EXIT_OK)
		return code;
	if (EVP_PKEY_get_id(device) != EVP_PKEY_ED25519)
		code = fail(EXIT_BAD_INPUT,
			"'%s' is not the key of a device, which is an Ed25519 key: 'keyward attest "
			"key' "
			"writes it",
			v->device_path);
	else if (!public_id(device, id))
		code = fail(EXIT_FAILED, "libcrypto failed");
	else if (memcmp(id, kw_attestation_signer(v->statement), sizeof(id)) != 0)
		code = fail(EXIT_FAILED,
			"NOT PROVEN: '%s' is the statement of another device than the one whose "
			"key "
			"is in '%s'",
			v->path, v->device_path);
	else if (!is_signed_by(v->statement, device))
		code = fail(EXIT_FAILED,
			"NOT PROVEN: the signature of '%s' is wrong: it was changed, or somebody "
			"else made it",
			v->path);
	EVP_PKEY_free(device);
	return code;
}

/* The statement's id has to be that of the public key which it shows beside it. */
static enum exit_code check_key(struct verification *v)
{
	EVP_PKEY *wanted = NULL, *found = NULL;
	uint8_t id[KW_ID_SIZE];
	enum exit_code code = EXIT_OK;
	size_t n;
	const uint8_t *spki = kw_attestation_spki(v->statement, &n), *at = spki;

	if (spki && (!public_id_of_spki(spki, n, id) ||
			    memcmp(id, kw_attestation_id(v->statement), sizeof(id)) != 0))
		return fail(EXIT_FAILED,
			"NOT PROVEN: '%s' has an id and a public key that do not fit each other",
			v->path);
	if (!v->key_path)
		return EXIT_OK;
	code = public_file_read(v->key_path, &wanted);
	if (code != EXIT_OK)
		return code;
	found = spki ? d2i_PUBKEY(NULL, &at, (long)n) : NULL;
	if (found && EVP_PKEY_eq(found, wanted) == 1)
		v->checks.key = true;
	else
		code = fail(EXIT_FAILED,
			"NOT PROVEN: '%s' is about another key than the one in '%s'", v->path,
			v->key_path);
	EVP_PKEY_free(found);
	EVP_PKEY_free(wanted);
	return code;
}

static enum exit_code check_challenge(struct verification *v)
{
	size_t n;
	const uint8_t *bytes = kw_attestation_challenge(v->statement, &n);

	if (!v->challenge.n)
		return EXIT_OK;
	if (!bytes)
		return fail(EXIT_FAILED,
			"NOT PROVEN: '%s' was made without a challenge, so it may be old", v->path);
	if (n != v->challenge.n || memcmp(bytes, v->challenge.bytes, n) != 0)
		return fail(EXIT_FAILED,
			"NOT PROVEN: '%s' was made for another challenge, so it may be old",
			v->path);
	v->checks.challenge = true;
	return EXIT_OK;
}

static enum exit_code check_requirements(const struct verification *v)
{
	const struct kw_attestation *a = v->statement;

	if (!v->trial && statement_protection(a, PROTECTION_SECRET) == KW_PROTECTION_ABSENT)
		return fail(EXIT_FAILED,
			"NOT PROVEN: the secret of this device is known to everybody (its hardware "
			"unique key is zero), so everybody can sign such a statement; --trial "
			"takes it "
			"all the same");
	if (v->required & REQUIRE_GENERATED && kw_attestation_is_imported(a))
		return fail(EXIT_FAILED, "NOT SO: the key was imported, so it was outside before");
	if (v->required & REQUIRE_KEPT && kw_attestation_is_extractable(a))
		return fail(
			EXIT_FAILED, "NOT SO: the key may leave the TEE, encrypted by another one");
	if (v->required & REQUIRE_OPTEE && strcmp(kw_attestation_tee(a), "optee") != 0)
		return fail(EXIT_FAILED,
			"NOT SO: the key is in an isolated process of its machine, not in OP-TEE");
	if (v->required & REQUIRE_OPTEE && !v->trial &&
		statement_protection(a, PROTECTION_SIGNING_KEY) == KW_PROTECTION_ABSENT)
		return fail(EXIT_FAILED,
			"NOT SO: the Trusted Application is signed with the key of OP-TEE's "
			"development kit, so root of that machine can replace it; --trial takes it "
			"all the same");
	return EXIT_OK;
}

static enum exit_code run(struct cli *cli)
{
	struct verification v = {.path = NULL};
	struct json j = {.f = stdout};
	enum exit_code code = read_options(cli, &v);

	if (code == EXIT_OK)
		code = read_statement(&v);
	if (code == EXIT_OK)
		code = check_signature(&v);
	if (code == EXIT_OK)
		code = check_key(&v);
	if (code == EXIT_OK)
		code = check_challenge(&v);
	if (code == EXIT_OK)
		code = check_requirements(&v);
	if (code == EXIT_OK && v.json)
		statement_json(&j, v.statement, &v.checks);
	else if (code == EXIT_OK)
		statement_print(v.statement, &v.checks);
	kw_attestation_free(&v.statement);
	return code;
}

const struct command command_attest_verify = {
	.name = "attest verify",
	.arguments = "FILE --device-key PEM [OPTION]...",
	.summary = "verify a statement of 'keyward key attest', without a TEE",
	.details = "Says what is proven, and by whose word. The exit status is 0 when the "
		   "statement is genuine "
		   "and all that\n"
		   "was asked for holds, 1 when not, 7 when a file is no statement or key. Of a "
		   "certificate "
		   "only its key is\n"
		   "looked at.",
	.options = options,
	.run = run,
};

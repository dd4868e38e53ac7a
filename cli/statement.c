/* SPDX-License-Identifier: BSD-2-Clause */
#include "statement.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "public_file.h"
#include "text.h"

#define LABEL_COLUMN 14

void challenge_parse(struct cli *cli, const char *text, struct challenge *c)
{
	if (!text_unhex(text, c->bytes, sizeof(c->bytes), &c->n) || c->n < KW_CHALLENGE_MIN)
		exit((int)usage_error(cli,
			"a challenge has %d to %d bytes, each of two hexadecimal "
			"digits: openssl rand -hex 32 makes a good one",
			KW_CHALLENGE_MIN, KW_CHALLENGE_MAX));
}

enum kw_protection_state statement_protection(const struct kw_attestation *a, const char *wanted)
{
	enum kw_protection_state worst = KW_PROTECTION_PRESENT, state;
	bool found = false;
	const char *id;

	for (unsigned i = 0; (id = kw_attestation_protection(a, i, &state)); i++) {
		if (strcmp(id, wanted) != 0)
			continue;
		found = true;
		if (state == KW_PROTECTION_ABSENT ||
			(state == KW_PROTECTION_PARTIAL && worst == KW_PROTECTION_PRESENT))
			worst = state;
	}
	return found ? worst : KW_PROTECTION_ABSENT;
}

static void item(const char *label, const char *value)
{
	printf("%-*s", LABEL_COLUMN, label);
	text_print_wrapped(stdout, value, LABEL_COLUMN, text_columns(stdout));
}

static bool is_optee(const struct kw_attestation *a)
{
	return strcmp(kw_attestation_tee(a), "optee") == 0;
}

static void print_time(const char *label, const char *before, uint64_t seconds, const char *after)
{
	char time[TEXT_TIME_SIZE], line[256];

	if (seconds)
		text_time(seconds, time);
	else
		snprintf(time, sizeof(time), "at an unknown time");
	snprintf(line, sizeof(line), "%s%s%s", before, time, after);
	item(label, line);
}

static void print_purposes(const struct kw_attestation *a)
{
	const char *name;
	char line[1024] = "";

	for (unsigned i = 0; (name = kw_attestation_purpose(a, i)); i++) {
		size_t used = strlen(line);

		snprintf(line + used, sizeof(line) - used, "%s%s", i ? ", " : "", name);
	}
	item("Purposes", line[0] ? line : "none");
}

static void print_challenge(const struct kw_attestation *a, bool was_checked)
{
	char hex[2 * KW_CHALLENGE_MAX + 1], line[sizeof(hex) + 64];
	size_t n;
	const uint8_t *bytes = kw_attestation_challenge(a, &n);

	if (was_checked) {
		item("Challenge", "the one that was given: the statement was made after it");
		return;
	}
	if (!bytes) {
		item("Challenge", "none: the statement may be old");
		return;
	}
	text_hex(bytes, n, hex);
	snprintf(line, sizeof(line),
		"not compared (give --challenge), so the statement may be old: %s", hex);
	item("Challenge", line);
}

static void print_limits(const struct kw_attestation *a)
{
	if (statement_protection(a, PROTECTION_SECRET) == KW_PROTECTION_ABSENT)
		item("WORTH NOTHING", "the secret of this device is known to everybody (its "
				      "hardware unique key is "
				      "zero), and so everybody can sign such a statement");
	else if (is_optee(a) &&
		 statement_protection(a, PROTECTION_SIGNING_KEY) == KW_PROTECTION_ABSENT)
		item("It rests on",
			"the administrators of that machine: its Trusted Application is signed "
			"with "
			"the key of OP-TEE's development kit, which is usually public, and whoever "
			"has it can put one there that signs anything");
	else if (is_optee(a))
		item("It rests on", "OP-TEE, whoever signs its Trusted Applications, and how the "
				    "device key came "
				    "here");
	else
		item("It rests on",
			"the administrators of that machine, because root there can read the "
			"device "
			"secret and sign anything, and on how the device key came here");
}

void statement_print(const struct kw_attestation *a, const struct statement_checks *checks)
{
	char hex[2 * KW_ID_SIZE + 1], line[512];

	puts("The statement is genuine: the given device key signed it, and nothing was "
	     "changed.\n");
	item("Key",
		checks->key ? "the one that was given" : "not compared with a file (give --key)");
	text_hex(kw_attestation_id(a), KW_ID_SIZE, hex);
	item("Id", hex);
	item("Type", kw_attestation_type(a));
	print_time("Origin",
		kw_attestation_is_imported(a) ? "imported, so it was outside before; "
					      : "generated inside the TEE ",
		kw_attestation_created(a), "");
	item("Kept", kw_attestation_is_sealed(a)
			     ? "sealed, in a file that only this device's TEE can use"
			     : "stored in the TEE");
	item("Extractable", kw_attestation_is_extractable(a)
				    ? "yes: it may leave the TEE, encrypted by another key"
				    : "no: its private part does not leave the TEE");
	print_purposes(a);
	snprintf(line, sizeof(line), "%s, version %s",
		is_optee(a) ? "OP-TEE" : "an isolated process of its machine",
		kw_attestation_version(a));
	item("TEE", line);
	print_challenge(a, checks->challenge);
	print_time("Made", "", kw_attestation_time(a), ", by the TEE's clock");
	print_limits(a);
}

static void key_members(struct json *j, const struct kw_attestation *a)
{
	char hex[2 * KW_ID_SIZE + 1], *pem = NULL;
	const uint8_t *spki;
	const char *name;
	size_t n;

	json_open(j, "key", '{');
	text_hex(kw_attestation_id(a), KW_ID_SIZE, hex);
	json_string(j, "id", hex);
	json_string(j, "type", kw_attestation_type(a));
	json_string(j, "origin", kw_attestation_is_imported(a) ? "imported" : "generated");
	json_bool(j, "sealed", kw_attestation_is_sealed(a));
	json_bool(j, "extractable", kw_attestation_is_extractable(a));
	json_open(j, "purposes", '[');
	for (unsigned i = 0; (name = kw_attestation_purpose(a, i)); i++)
		json_string(j, NULL, name);
	json_close(j, ']');
	json_number(j, "created", kw_attestation_created(a));
	spki = kw_attestation_spki(a, &n);
	if (spki)
		pem = public_pem(spki, n);
	if (pem)
		json_string(j, "public_key", pem);
	OPENSSL_free(pem);
	json_close(j, '}');
}

static void tee_members(struct json *j, const struct kw_attestation *a)
{
	static const char *const states[] = {
		[KW_PROTECTION_ABSENT] = "absent",
		[KW_PROTECTION_PRESENT] = "present",
		[KW_PROTECTION_PARTIAL] = "partial",
	};
	enum kw_protection_state state;
	const char *id;

	json_open(j, "tee", '{');
	json_string(j, "kind", kw_attestation_tee(a));
	json_string(j, "version", kw_attestation_version(a));
	json_open(j, "protections", '{');
	for (unsigned i = 0; (id = kw_attestation_protection(a, i, &state)); i++)
		json_string(j, id, states[state]);
	json_close(j, '}');
	json_close(j, '}');
}

void statement_json(
	struct json *j, const struct kw_attestation *a, const struct statement_checks *checks)
{
	char signer[2 * KW_ID_SIZE + 1], hex[2 * KW_CHALLENGE_MAX + 1];
	size_t n;
	const uint8_t *challenge = kw_attestation_challenge(a, &n);

	json_open(j, NULL, '{');
	json_bool(j, "genuine", true);
	text_hex(kw_attestation_signer(a), KW_ID_SIZE, signer);
	json_string(j, "device", signer);
	key_members(j, a);
	tee_members(j, a);
	if (challenge) {
		text_hex(challenge, n, hex);
		json_string(j, "challenge", hex);
	} else {
		json_null(j, "challenge");
	}
	json_bool(j, "challenge_compared", checks->challenge);
	json_bool(j, "key_compared", checks->key);
	json_number(j, "time", kw_attestation_time(a));
	json_close(j, '}');
}

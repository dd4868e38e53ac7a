/* SPDX-License-Identifier: BSD-2-Clause */
/* Attestation statements (docs/ATTESTATION.md) for people: their challenges, and what they say. */
#ifndef CLI_STATEMENT_H
#define CLI_STATEMENT_H

#include "cli.h"
#include "json.h"

struct challenge {
	uint8_t bytes[KW_CHALLENGE_MAX];
	size_t n; /* 0: none */
};

#define ROW_CHALLENGE(help)                                \
	{                                                  \
		"challenge", OPTION_CHALLENGE, "HEX", help \
	}

/* Ends the process when it is not one. */
void challenge_parse(struct cli *cli, const char *text, struct challenge *c);

/* What was compared with what the verifier has. */
struct statement_checks {
	bool challenge;
	bool key;
};

/* The secret that the signing key is made from; the key that whoever replaces a Trusted Application needs. */
#define PROTECTION_SECRET "device-secret"
#define PROTECTION_SIGNING_KEY "signing-key"
/* The worst that is said about one; what is not mentioned is absent. */
enum kw_protection_state statement_protection(const struct kw_attestation *a, const char *id);
void statement_print(const struct kw_attestation *a, const struct statement_checks *checks);
void statement_json(
	struct json *j, const struct kw_attestation *a, const struct statement_checks *checks);

#endif

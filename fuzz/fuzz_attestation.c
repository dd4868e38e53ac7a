/* SPDX-License-Identifier: BSD-2-Clause */
/* Statements from anywhere: what is taken is whole, and everything that it says can be read. */
#include <stdlib.h>
#include <string.h>

#include "keyward/keyward.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static size_t sum(const uint8_t *p, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += p[i];
	return total;
}

/* Texts are for terminals. */
static void check_text(const char *text)
{
	check(text && *text && strlen(text) <= 128);
	for (; *text; text++)
		check((unsigned char)*text >= 0x20 && *text != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum kw_protection_state state;
	struct kw_attestation *a;
	const uint8_t *p;
	size_t n, total;
	unsigned i;

	if (kw_attestation_parse(data, size, &a)) {
		check(!a && kw_explain()[0]);
		return 0;
	}
	p = kw_attestation_signed(a, &n);
	check(n > 64 && n <= KW_ATTESTATION_MAX && !memcmp(p, "\x84\x6aSignature1", 12));
	total = sum(p, n);
	p = kw_attestation_signature(a, &n);
	check(n == 64);
	total += sum(p, n) + sum(kw_attestation_signer(a), KW_ID_SIZE) +
		 sum(kw_attestation_id(a), KW_ID_SIZE);
	p = kw_attestation_challenge(a, &n);
	check(p ? n >= KW_CHALLENGE_MIN && n <= KW_CHALLENGE_MAX : n == 0);
	total += sum(p, n);
	p = kw_attestation_spki(a, &n);
	check(p || n == 0);
	total += sum(p, n);
	check(total < (size_t)255 * 4 * KW_ATTESTATION_MAX);
	check_text(kw_attestation_tee(a));
	check_text(kw_attestation_version(a));
	check_text(kw_attestation_type(a));
	for (i = 0; kw_attestation_purpose(a, i); i++)
		check_text(kw_attestation_purpose(a, i));
	check(i <= 32);
	for (i = 0; kw_attestation_protection(a, i, &state); i++)
		check_text(kw_attestation_protection(a, i, &state));
	check(i <= 32);
	kw_attestation_free(&a);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What an attestation statement says (docs/ATTESTATION.md), as the claims that are signed. */
#ifndef CORE_ATTEST_CLAIMS_H
#define CORE_ATTEST_CLAIMS_H

#include "key_record.h"

/* Appends the map of claims about a key whose record was authenticated, and about this TEE. An empty
 * challenge is left out. Check w->failed. */
void attest_put_claims(
	struct writer *w, const struct key_meta *m, const uint8_t *challenge, size_t challenge_len);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* COSE_Sign1 (RFC 9052, 4.2) around attestation statements, for the TEE that makes them and whoever
 * verifies. docs/ATTESTATION.md has their contents. */
#ifndef WIRE_COSE_H
#define WIRE_COSE_H

#include "cbor.h"
#include "wire.h"

#define COSE_SIGN1_TAG 18
#define COSE_HEADER_ALGORITHM 1
#define COSE_HEADER_KEY_ID 4
#define COSE_ALGORITHM_EDDSA (-8) /* RFC 9053, 2.2 */
#define COSE_SIGNATURE_SIZE 64
/* Map, algorithm, and a key id. */
#define COSE_PROTECTED_SIZE (1 + 2 + 1 + 2 + WIRE_ID_SIZE)

/* Claims of CWT (RFC 8392, 3.1.6) and EAT (RFC 9711, 4.1, 4.2.5, 4.2.6, 4.3.2), and our own in the range
 * for private use (RFC 8392, 9.1). */
#define CLAIM_TIME 6
#define CLAIM_NONCE 10
#define CLAIM_PROFILE 265
#define CLAIM_SOFTWARE_NAME 270
#define CLAIM_SOFTWARE_VERSION 271
#define CLAIM_KEY (-70001)
#define CLAIM_TEE (-70002)

/* Of this version of the statement. One that older verifiers would misread gets another. */
#define ATTESTATION_PROFILE "urn:uuid:55d1e67b-ad6e-4aae-a41f-ffb2b2f46aa0"

struct cose_sign1 {
	const uint8_t
		*key_id; /* WIRE_ID_SIZE bytes: SHA-256 of the signer's SubjectPublicKeyInfo */
	const uint8_t *payload;
	size_t payload_len;
	const uint8_t *signature; /* COSE_SIGNATURE_SIZE bytes */
};

void cose_put_sign1(struct writer *w, const struct cose_sign1 *s);
/* The Sig_structure (RFC 9052, 4.4): what is signed. It has no need of the signature. */
void cose_put_signed(struct writer *w, const struct cose_sign1 *s);
/* Reads what cose_put_sign1 writes, and nothing else. The pointers are into the buffer. */
void cose_get_sign1(struct reader *r, struct cose_sign1 *s);

#endif

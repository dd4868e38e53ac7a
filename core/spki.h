/* SPDX-License-Identifier: BSD-2-Clause */
/* SubjectPublicKeyInfo, the public form of a key that its id is a hash of. */
#ifndef CORE_SPKI_H
#define CORE_SPKI_H

#include "wire/algorithms.h"
#include "wire/codec.h"
#include "wire/errors.h"

/*
 * Appends the DER SubjectPublicKeyInfo (RFC 3279, 5480, 8410) of a public key in the encoding of
 * crypto.h, byte for byte as libcrypto's i2d_PUBKEY writes it, so that everybody finds the same id.
 * WIRE_SPKI_MAX bytes are always enough. KW_ERR_BAD_KEY: not a public key of this type;
 * KW_ERR_UNSUPPORTED_TYPE; KW_ERR_TOO_LARGE: no room in w.
 */
enum kw_err spki_encode(
	enum key_type type, const uint8_t *public_part, size_t n, struct writer *w) KW_MUST_USE;

/* Its parts, which private keys have as well: the AlgorithmIdentifier, and the contents of the BIT STRING. w
 * fails for what is not a public key of this type. */
void spki_put_algorithm(enum key_type type, struct writer *w);
void spki_put_bits(enum key_type type, const uint8_t *public_part, size_t n, struct writer *w);

#endif

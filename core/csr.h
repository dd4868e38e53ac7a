/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificate requests that the TEE builds itself, from fields, and never from a caller's DER. */
#ifndef CORE_CSR_H
#define CORE_CSR_H

#include "crypto.h"
#include "wire/codec.h"

/*
 * Signs the CertificationRequestInfo with the algorithm that csr_algorithm names. sig has
 * CRYPTO_SIGNATURE_MAX bytes and gets the form of crypto.h: r and s of fixed width for EC.
 */
typedef enum kw_err (*csr_sign_fn)(
	void *ctx, const uint8_t *tbs, size_t n, uint8_t *sig, size_t *sig_len);

/* Sets scheme and hash (the rest to zero) of the one algorithm that requests of this type of key
 * are signed with. KW_ERR_UNSUPPORTED_TYPE. */
enum kw_err csr_algorithm(enum key_type type, struct crypto_sign *what) KW_MUST_USE;

/*
 * Reads the rest of a KEY_CSR request after its target (docs/PROTOCOL.md), to its end, and appends
 * a PKCS #10 CertificationRequest (RFC 2986) in DER to `out`. `request` is a private copy and apart
 * from `out`. On failure what was appended to `out` is to be thrown away. KW_ERR_BAD_REQUEST: a
 * name, a value or an alternative name that RFC 5280 does not allow, or neither a subject nor an
 * alternative name; KW_ERR_TOO_LARGE: no room in `out`; or what `sign` returned.
 */
enum kw_err csr_build(struct reader *request, enum key_type type, const uint8_t *spki,
	size_t spki_len, csr_sign_fn sign, void *ctx, struct writer *out) KW_MUST_USE;

#endif

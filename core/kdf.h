/* SPDX-License-Identifier: BSD-2-Clause */
/* Key derivation on the library's hashes: HKDF (RFC 5869) and the KDF of ANSI X9.63 (SEC 1, 3.6.1). */
#ifndef CORE_KDF_H
#define CORE_KDF_H

#include "crypto.h"

/* steps: HKDF_EXTRACT, HKDF_EXPAND or both, of wire.h. An empty salt is as many zeros as the hash has bytes.
 * Extraction alone gives hash_size bytes; expansion at most 255 times as many: else KW_ERR_BAD_ALGORITHM. */
enum kw_err kdf_hkdf(enum hash_id hash, uint8_t steps, struct crypto_bytes secret,
	struct crypto_bytes salt, struct crypto_bytes info, uint8_t *out, size_t n) KW_MUST_USE;
/* The secret has at most CRYPTO_AGREED_MAX bytes, the shared info WIRE_INFO_MAX. */
enum kw_err kdf_x963(enum hash_id hash, struct crypto_bytes secret, struct crypto_bytes info,
	uint8_t *out, size_t n) KW_MUST_USE;

#endif

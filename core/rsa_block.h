/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole RSA blocks: whether one has the padding of a signature, and the padding of OAEP. */
#ifndef CORE_RSA_BLOCK_H
#define CORE_RSA_BLOCK_H

#include "core/crypto.h"

/*
 * True for a block of k bytes that a signature could be made of: EMSA-PKCS1-v1_5 (RFC 8017, 9.2) with
 * anything short as its contents, or EMSA-PSS (9.1) with one of our hashes, also in its mask, and a salt of at most
 * its length. With longer salts next to every block would be one. The block is no secret.
 */
bool rsa_block_is_signature(const uint8_t *em, size_t k) KW_MUST_USE;

/* Whether a caller may have this in EMSA-PKCS1-v1_5's padding, in a block of k bytes: with more, signatures would be
 * decryptions. */
bool rsa_block_may_contain(const uint8_t *contents, size_t n, size_t k) KW_MUST_USE;

/* EME-OAEP (RFC 8017, 7.1.1, step 2). em has k bytes, at most RSA_UNPAD_MAX. KW_ERR_BAD_ALGORITHM: unknown
 * hashes, or too much for this modulus. */
enum kw_err rsa_block_oaep(enum hash_id hash, enum hash_id mgf, struct crypto_bytes label,
	struct crypto_bytes message, uint8_t *em, size_t k) KW_MUST_USE;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Removes RSA encryption padding in constant time. Both cryptographic libraries do the private
 * operation and this does the rest, so that neither's padding code can be an oracle: libcrypto 3.0
 * has no implicit rejection, nettle 3.8 no OAEP.
 */
#ifndef CORE_RSA_UNPAD_H
#define CORE_RSA_UNPAD_H

#include "core/crypto.h"

#define RSA_UNPAD_MAX 512 /* bytes of the longest modulus */

/*
 * RSAES-OAEP (RFC 8017, 7.1.2, step 3). em is the result of the private operation, k bytes, and is
 * wiped. out has k bytes. KW_ERR_DECRYPT for bad padding, in the same time whatever is bad;
 * KW_ERR_BAD_ALGORITHM for hashes that are unknown or too long for the modulus.
 */
enum kw_err rsa_unpad_oaep(const struct crypto_decrypt *what, uint8_t *em, size_t k, uint8_t *out,
	size_t *n) KW_MUST_USE;

/*
 * RSAES-PKCS1-v1_5 (RFC 8017, 7.2.2, step 3) with implicit rejection
 * (draft-irtf-cfrg-rsa-guidance, section 7): bad padding gives a message made up from `secret` and
 * the ciphertext, and success. secret is SHA-256 of the private exponent in k bytes. em as above.
 */
enum kw_err rsa_unpad_pkcs1(const uint8_t secret[CRYPTO_KEY_SIZE], const uint8_t *ciphertext,
	uint8_t *em, size_t k, uint8_t *out, size_t *n) KW_MUST_USE;

/* buf ^= MGF1(seed, n) (RFC 8017, B.2.1). seed_len <= RSA_UNPAD_MAX. */
enum kw_err rsa_mgf1_xor(enum hash_id hash, const uint8_t *seed, size_t seed_len, uint8_t *buf,
	size_t n) KW_MUST_USE;

#endif

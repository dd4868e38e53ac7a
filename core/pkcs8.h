/* SPDX-License-Identifier: BSD-2-Clause */
/* PKCS #8 PrivateKeyInfo (RFC 5208, RFC 5958): the form in which a private key leaves and comes, wrapped. */
#ifndef CORE_PKCS8_H
#define CORE_PKCS8_H

#include "crypto.h"
#include "wire/wire.h"

#define PKCS8_MAX 2400 /* RSA-4096 takes 2,379 bytes */

/*
 * RSA as RFC 8017 A.1.2 has it, EC as RFC 5915 with the public key and the curve outside, Ed25519 and X25519 as
 * RFC 8410: byte for byte as libcrypto writes them. out has PKCS8_MAX bytes; the caller wipes it.
 * KW_ERR_BAD_ALGORITHM for a secret key.
 */
enum kw_err pkcs8_encode(
	enum key_type type, const struct crypto_key *key, uint8_t *out, size_t *n) KW_MUST_USE;

/*
 * Makes a key of it, as crypto_key_import does, and only of DER of this very type and size. Whatever it says
 * twice has to agree: RSA's modulus, exponents and coefficient, a public key. Attributes are passed over.
 * KW_ERR_BAD_KEY.
 */
enum kw_err pkcs8_decode(
	enum key_type type, const uint8_t *der, size_t n, struct crypto_key **key) KW_MUST_USE;

#endif

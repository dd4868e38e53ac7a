/* SPDX-License-Identifier: BSD-2-Clause */
/* libcrypto as an independent party that knows public keys only, in core/crypto.h's encoding. */
#ifndef TESTS_VERIFY_H
#define TESTS_VERIFY_H

#include "core/crypto.h"

/* True for a good signature, in the form that crypto_sign gives, over what->data. */
bool verify_signature(enum key_type type, const uint8_t *public_part, size_t n,
	const struct crypto_sign *what, const uint8_t *sig, size_t sig_len);

/* Encrypts to an RSA key, padded as `what` says. out has CRYPTO_SIGNATURE_MAX bytes. */
bool encrypt_to(enum key_type type, const uint8_t *public_part, size_t n,
	const struct crypto_decrypt *what, const uint8_t *message, size_t len, uint8_t *out);
/* The bare public operation on a block of `len` bytes, for bad padding. */
bool encrypt_raw(enum key_type type, const uint8_t *public_part, size_t n, const uint8_t *block,
	size_t len, uint8_t *out);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* AES key wrap (RFC 3394) and with padding (RFC 5649), on any library's AES. */
#ifndef CORE_KEY_WRAP_H
#define CORE_KEY_WRAP_H

#include "crypto.h"

#define KEY_WRAP_MAX 4096 /* bytes that are wrapped */
#define KEY_WRAP_MORE 15  /* a wrapped key is at most that much longer */

/* in: with padding 1 to KEY_WRAP_MAX bytes, else a multiple of 8 from 16 on. out has n + KEY_WRAP_MORE bytes.
 * KW_ERR_BAD_ALGORITHM: another length. */
enum kw_err key_wrap(const struct crypto_key *key, bool padded, const uint8_t *in, size_t n,
	uint8_t *out, size_t *out_n) KW_MUST_USE;
/* out has n bytes, also while *out_n is less. KW_ERR_DECRYPT: not what this key wrapped; then out is wiped. */
enum kw_err key_unwrap(const struct crypto_key *key, bool padded, const uint8_t *in, size_t n,
	uint8_t *out, size_t *out_n) KW_MUST_USE;

#endif

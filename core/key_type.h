/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of keyward/algorithms.def that describe keys, for lookup by their number on the wire. */
#ifndef CORE_KEY_TYPE_H
#define CORE_KEY_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/algorithms.h"

struct key_type_info {
	const char *name; /* as people write it: "ec-p256" */
	enum key_type type;
	enum key_family family;
	unsigned bits;
};

/* The row with this number, or NULL. The row lives for ever. */
const struct key_type_info *key_type_find(uint8_t number);

/* Bytes of the RSA modulus, the EC coordinate and scalar, the public key of the rest; of a
 * secret key, itself: of HMAC by default. */
size_t key_type_bytes(const struct key_type_info *info);

/* True for AES and HMAC keys, which have no public part. */
bool key_type_is_secret(enum key_type type);
/* Whether a secret key of this type can have this many bytes. */
bool key_type_takes(const struct key_type_info *info, size_t bytes);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of keyward/algorithms.def that describe keys, for lookup by their number on the wire. */
#ifndef CORE_KEY_TYPE_H
#define CORE_KEY_TYPE_H

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

/* Bytes of the RSA modulus, the EC coordinate and scalar, or the Ed25519 public key. */
size_t key_type_bytes(const struct key_type_info *info);

#endif

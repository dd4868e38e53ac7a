/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of keyward/algorithms.def as constants for the TEE's side. */
#ifndef WIRE_ALGORITHMS_H
#define WIRE_ALGORITHMS_H

enum key_type {
#define KW_KEY_TYPE(number, NAME, name, FAMILY, bits) KEY_TYPE_##NAME = number,
#include "keyward/algorithms.def"
};

enum key_family {
	FAMILY_RSA = 1,
	FAMILY_EC,
	FAMILY_ED,
	FAMILY_X,   /* Montgomery curves: agreement only */
	FAMILY_AES, /* from here on secret keys, which have no public part */
	FAMILY_HMAC,
};

enum hash_id {
	HASH_NONE = 0,
#define KW_HASH(number, NAME, name, bytes) HASH_##NAME = number,
#include "keyward/algorithms.def"
};

enum scheme {
#define KW_SCHEME(number, NAME, name) SCHEME_##NAME = number,
#include "keyward/algorithms.def"
};

enum cipher {
#define KW_CIPHER(number, NAME, name) CIPHER_##NAME = number,
#include "keyward/algorithms.def"
};

enum mac {
#define KW_MAC(number, NAME, name) MAC_##NAME = number,
#include "keyward/algorithms.def"
};

enum derivation {
#define KW_DERIVATION(number, NAME, name) DERIVATION_##NAME = number,
#include "keyward/algorithms.def"
};

enum wrapping {
#define KW_WRAPPING(number, NAME, name) WRAPPING_##NAME = number,
#include "keyward/algorithms.def"
};

#define KW_PURPOSE(bit, NAME, name, sentence) PURPOSE_##NAME = 1u << bit,
enum purpose {
#include "keyward/algorithms.def"
};

#define KW_PURPOSE(bit, NAME, name, sentence) | 1u << bit
enum {
	PURPOSES_KNOWN = 0
#include "keyward/algorithms.def"
};

/* Not what a key does, but what may be done with it: such bits alone make no key. */
#define PURPOSES_FLAGS \
	(PURPOSE_EXTRACTABLE | PURPOSE_WITH_TRUSTED | PURPOSE_TRUSTED | PURPOSE_MIXED)

#define HASH_MAX_SIZE 64

#endif

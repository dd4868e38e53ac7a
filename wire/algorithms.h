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

#define KW_PURPOSE(bit, NAME, name, sentence) PURPOSE_##NAME = 1u << bit,
enum purpose {
#include "keyward/algorithms.def"
};

#define KW_PURPOSE(bit, NAME, name, sentence) | 1u << bit
enum {
	PURPOSES_KNOWN = 0
#include "keyward/algorithms.def"
};

#define HASH_MAX_SIZE 64

#endif

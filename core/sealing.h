/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The envelope that records share: a head that names format and device, and at the end a secret that is
 * encrypted under a key of its own, which authenticates everything before it.
 */
#ifndef CORE_SEALING_H
#define CORE_SEALING_H

#include "crypto.h"
#include "platform.h"
#include "wire/codec.h"

struct record_key {
	uint8_t key[DEVICE_KEY_SIZE];
	uint8_t check[8]; /* tells another device's record from a damaged one */
};

enum kw_err record_key_derive(struct record_key *rk) KW_MUST_USE;

#define SEALING_HEAD_SIZE (2 + 1 + 8)
#define SEALING_SALT_SIZE 32
#define SEALING_SIZE(n) (SEALING_SALT_SIZE + 2 + (n) + CRYPTO_TAG_SIZE)

void sealing_put_head(
	struct writer *w, const struct record_key *rk, uint16_t magic, uint8_t version);
/* *version is 1 to `newest`. KW_ERR_CORRUPT, _STORE_VERSION for a newer one, _OTHER_DEVICE. */
enum kw_err sealing_get_head(struct reader *r, const struct record_key *rk, uint16_t magic,
	uint8_t newest, uint8_t *version) KW_MUST_USE;

/* Adds the encrypted part behind all that the writer has, which starts at its buffer's start. `label`
 * keeps kinds of records apart: one's key never opens another's. KW_ERR_TOO_LARGE. */
enum kw_err sealing_put(struct writer *w, const struct record_key *rk, const char *label,
	const uint8_t *secret, size_t n) KW_MUST_USE;

/* Where the encrypted part of a record lies. */
struct sealed {
	const uint8_t *salt;
	const uint8_t *bytes;
	size_t len;
	const uint8_t *tag;
	size_t aad_len; /* everything before the ciphertext */
};

/* The reader is over `record` and fails when there is no such part at its place, or more than `max`. */
void sealing_get(struct reader *r, const uint8_t *record, size_t max, struct sealed *s);
/* out has s->len bytes and may be s->bytes. KW_ERR_CORRUPT, and then out is wiped. */
enum kw_err sealing_open(const struct record_key *rk, const char *label, const uint8_t *record,
	const struct sealed *s, uint8_t *out) KW_MUST_USE;

#endif

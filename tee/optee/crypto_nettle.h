/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of the nettle backend. They need nettle, hogweed, GMP and a freestanding C
 * library with memory, so that they are the same in a Trusted Application and on this machine.
 */
#ifndef TEE_OPTEE_CRYPTO_NETTLE_H
#define TEE_OPTEE_CRYPTO_NETTLE_H

#include <nettle/ecc.h>
#include <nettle/nettle-meta.h>
#include <nettle/rsa.h>

#include "core/crypto.h"
#include "core/key_type.h"

struct crypto_key {
	const struct key_type_info *info;
	struct rsa_public_key rsa_public;
	struct rsa_private_key rsa;
	struct ecc_scalar ec;
	union {
		struct { /* Ed25519, and X25519's scalar and public key */
			uint8_t ed_seed[32];
			uint8_t ed_public[32];
		};
		struct {
			uint8_t value[CRYPTO_SECRET_MAX]; /* a secret key */
			size_t value_len;
		};
	};
	bool has_numbers; /* what belongs to the family was initialised */
};

/* NULL: unknown. */
const struct nettle_hash *hash_table(enum hash_id hash);

/* The digest that is to be signed: hashed now or given. *n is its length; KW_ERR_BAD_ALGORITHM. */
enum kw_err sign_digest(
	const struct crypto_sign *what, uint8_t digest[HASH_MAX_SIZE], size_t *n) KW_MUST_USE;

/*
 * A stream of random bytes for nettle's callbacks, which cannot report a failure: seeded from
 * platform_random, whose failure is seen before anything secret is touched, and from the parts that
 * are given along, so that it does not repeat for other parts when the random source is stuck.
 */
struct stream {
	uint8_t key[CRYPTO_KEY_SIZE];
	uint64_t counter;
};
enum kw_err stream_seed(
	struct stream *s, const struct crypto_bytes *parts, size_t count) KW_MUST_USE;
void stream_read(void *stream, size_t n, uint8_t *out); /* a nettle_random_func */
void stream_wipe(struct stream *s);

enum kw_err rsa_key_generate(struct crypto_key *key) KW_MUST_USE;
enum kw_err rsa_key_import(struct crypto_key *key, const uint8_t *in, size_t n) KW_MUST_USE;
enum kw_err rsa_key_load(struct crypto_key *key, const uint8_t *in, size_t n) KW_MUST_USE;
enum kw_err rsa_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
enum kw_err rsa_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
enum kw_err rsa_key_sign(const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig,
	size_t *n) KW_MUST_USE;
enum kw_err rsa_key_decrypt(const struct crypto_key *key, const struct crypto_decrypt *what,
	uint8_t *out, size_t *n) KW_MUST_USE;
enum kw_err rsa_key_public_use(
	const struct crypto_key *key, const uint8_t *block, size_t n, uint8_t *out) KW_MUST_USE;
enum kw_err rsa_key_exponent(const struct crypto_key *key, uint8_t *out, size_t n) KW_MUST_USE;
/* Big-endian in exactly n bytes, without a branch on any byte; false when it is longer. */
bool number_to_bytes(const mpz_t from, uint8_t *to, size_t n) KW_MUST_USE;

const struct ecc_curve *ec_curve_of(enum key_type type);
enum kw_err ec_key_generate(struct crypto_key *key) KW_MUST_USE;
enum kw_err ec_key_import(struct crypto_key *key, const uint8_t *in, size_t n) KW_MUST_USE;
enum kw_err ec_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
enum kw_err ec_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
enum kw_err ec_key_sign(const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig,
	size_t *n) KW_MUST_USE;

enum kw_err ed_key_generate(struct crypto_key *key) KW_MUST_USE;
enum kw_err ed_key_import(struct crypto_key *key, const uint8_t *in, size_t n) KW_MUST_USE;
enum kw_err ed_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
enum kw_err ed_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
enum kw_err ed_key_sign(const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig,
	size_t *n) KW_MUST_USE;

/* The rest of an X25519 key is as with Ed25519, but it does not sign. */
enum kw_err x_key_generate(struct crypto_key *key) KW_MUST_USE;
enum kw_err x_key_import(struct crypto_key *key, const uint8_t *in, size_t n) KW_MUST_USE;
enum kw_err agree_run(const struct crypto_key *key, const uint8_t *peer, size_t n, uint8_t *out,
	size_t *out_len) KW_MUST_USE;

enum kw_err secret_key_generate(struct crypto_key *key) KW_MUST_USE;
enum kw_err secret_key_import(struct crypto_key *key, const uint8_t *in, size_t n) KW_MUST_USE;
enum kw_err secret_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
/* KW_ERR_BAD_ALGORITHM, both. */
enum kw_err secret_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
enum kw_err secret_key_sign(const struct crypto_key *key, const struct crypto_sign *what,
	uint8_t *sig, size_t *n) KW_MUST_USE;

#endif

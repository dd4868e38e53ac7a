/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cryptography that the core needs, from a library: libcrypto in the host TEE, nettle and GMP in
 * the Trusted Application. A backend holds no policy: callers have checked sizes and purposes.
 * All functions may be called from several threads, also with the same key.
 */
#ifndef CORE_CRYPTO_H
#define CORE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/algorithms.h"
#include "wire/errors.h"

#define CRYPTO_TAG_SIZE 16
#define CRYPTO_KEY_SIZE 32
#define CRYPTO_PRIVATE_MAX 1288 /* RSA-4096: u32 e, then p, q, dp, dq, qinv of 256 bytes */
#define CRYPTO_PUBLIC_MAX 520   /* RSA-4096: u32 e, then n of 512 bytes, and room */
#define CRYPTO_SIGNATURE_MAX 512
#define CRYPTO_SECRET_MAX 128 /* bytes of a secret key */
#define CRYPTO_AGREED_MAX 66  /* of an agreed secret: P-521 */
#define CRYPTO_BLOCK 16       /* of AES */

/* The library's name and version, for status. */
const char *crypto_version(void);
/* Before anything else, by one thread. Called again it does nothing. */
enum kw_err crypto_init(void) KW_MUST_USE;

struct crypto_bytes {
	const void *p;
	size_t n;
};

/* --- Hashes and symmetric keys --- */
size_t hash_size(enum hash_id hash); /* bytes; 0 for an unknown one */
enum kw_err crypto_hash(enum hash_id hash, const void *in, size_t n, uint8_t *out) KW_MUST_USE;
/* HMAC-SHA-256 over the parts in order. */
enum kw_err crypto_hmac(const uint8_t key[CRYPTO_KEY_SIZE], const struct crypto_bytes *parts,
	size_t count, uint8_t tag[32]) KW_MUST_USE;
/* HMAC with any hash; the key has 0 to CRYPTO_SECRET_MAX bytes. tag has hash_size(hash) bytes. */
enum kw_err crypto_hmac_with(enum hash_id hash, struct crypto_bytes key,
	const struct crypto_bytes *parts, size_t count, uint8_t *tag) KW_MUST_USE;
/* AES-256-GCM with a 96-bit nonce. out has n bytes and may be in. open: KW_ERR_CORRUPT when the tag is
 * wrong, and then out is wiped. */
enum kw_err crypto_seal(const uint8_t key[CRYPTO_KEY_SIZE], const uint8_t nonce[12],
	struct crypto_bytes aad, const uint8_t *in, size_t n, uint8_t *out,
	uint8_t tag[CRYPTO_TAG_SIZE]) KW_MUST_USE;
enum kw_err crypto_open(const uint8_t key[CRYPTO_KEY_SIZE], const uint8_t nonce[12],
	struct crypto_bytes aad, const uint8_t *in, size_t n, uint8_t *out,
	const uint8_t tag[CRYPTO_TAG_SIZE]) KW_MUST_USE;
/* Constant in time for the same n. */
bool crypto_equal(const void *a, const void *b, size_t n);

/* --- Private keys ---
 * Private encoding, the same in every backend, big-endian and of fixed width:
 *   RSA      u32 e, p, q, dp, dq, qinv, each bits/16 bytes   (import: u32 e, p, q; the rest is computed)
 *   EC       the scalar, 32, 48 or 66 bytes
 *   Ed25519  the seed, 32 bytes (RFC 8032)
 *   X25519   the scalar as RFC 7748 decodes it, 32 bytes
 *   AES, HMAC  the key itself
 * Public encoding:
 *   RSA      u32 e, n of bits/8 bytes
 *   EC       uncompressed point (SEC 1, 2.3.3)
 *   Ed25519, X25519  32 bytes
 *   AES, HMAC  none
 */
struct crypto_key;

/* KW_ERR_UNSUPPORTED_TYPE for secret keys: random bytes that the core makes and loads. */
enum kw_err crypto_key_generate(enum key_type type, struct crypto_key **key) KW_MUST_USE;
/* From outside: everything is checked (sizes, range, primes, p != q, e odd and 65537 or more).
 * KW_ERR_BAD_KEY when it is not a good key of the type. */
enum kw_err crypto_key_import(
	enum key_type type, const uint8_t *material, size_t n, struct crypto_key **key) KW_MUST_USE;
/* From our own encoding, which was authenticated: only what memory safety needs is checked. */
enum kw_err crypto_key_load(enum key_type type, const uint8_t *private_part, size_t n,
	struct crypto_key **key) KW_MUST_USE;
void crypto_key_free(struct crypto_key **key);
/* buf has CRYPTO_PRIVATE_MAX bytes; the caller wipes it. */
enum kw_err crypto_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
/* buf has CRYPTO_PUBLIC_MAX bytes. KW_ERR_BAD_ALGORITHM for a secret key. */
enum kw_err crypto_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
/* Roughly what an open key costs in bytes, for the cache's bound. */
size_t crypto_key_memory(enum key_type type);

struct crypto_sign {
	enum scheme scheme;
	enum hash_id
		hash; /* HASH_NONE with EdDSA, RSA_RAW, and RSA PKCS #1 of bytes that are padded as they are */
	bool is_digest;    /* data is already hashed; its length was checked. Never with EdDSA */
	uint16_t salt_len; /* RSA-PSS, bytes; MGF1 uses the same hash */
	const uint8_t *data;
	size_t n;
};
/* sig has CRYPTO_SIGNATURE_MAX bytes. ECDSA: r and s, fixed width (IEEE P1363). RSA signatures were
 * verified before this returns; ECDSA nonces are hedged. RSA_RAW takes a block as long as the modulus;
 * KW_ERR_BAD_REQUEST when it is not below it. KW_ERR_BAD_ALGORITHM: does not fit the key. */
enum kw_err crypto_sign(const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig,
	size_t *n) KW_MUST_USE;

struct crypto_decrypt {
	bool oaep;         /* otherwise PKCS #1 v1.5 with implicit rejection */
	enum hash_id hash; /* OAEP label hash */
	enum hash_id mgf;  /* OAEP MGF1 hash */
	struct crypto_bytes label;
	const uint8_t *in;
	size_t n; /* as long as the modulus, checked here */
};
/* out has the modulus' length. KW_ERR_DECRYPT for any failure of OAEP, in the same time for each; PKCS
 * #1 v1.5 gives made-up bytes instead, which depend on key and ciphertext only. */
enum kw_err crypto_rsa_decrypt(const struct crypto_key *key, const struct crypto_decrypt *what,
	uint8_t *out, size_t *n) KW_MUST_USE;
/* The public operation on a block as long as the modulus and below it. out has that length. */
enum kw_err crypto_rsa_public(
	const struct crypto_key *key, const uint8_t *block, size_t n, uint8_t *out) KW_MUST_USE;

/* d of an RSA key, as long as the modulus: the one below phi. The caller wipes it. */
enum kw_err crypto_rsa_exponent(const struct crypto_key *key, uint8_t *out, size_t n) KW_MUST_USE;

/* The secret that two keys agree on: the x coordinate (SEC 1, 3.3.1) or RFC 7748's result. peer: a public
 * key in the encoding above. out has CRYPTO_AGREED_MAX bytes; the caller wipes it. KW_ERR_BAD_KEY: not a
 * point of the curve, the point at infinity, or a result of zero. */
enum kw_err crypto_agree(const struct crypto_key *key, const uint8_t *peer, size_t n, uint8_t *out,
	size_t *out_len) KW_MUST_USE;

/* --- Secret keys --- */
struct crypto_cipher {
	enum cipher mode; /* AES_ECB, _CBC, _CTR, _GCM: the rest is core/key_wrap.c's */
	bool encrypt;
	struct crypto_bytes iv;  /* CBC, CTR: CRYPTO_BLOCK bytes; GCM: 1 or more; ECB: none */
	struct crypto_bytes aad; /* GCM */
	const uint8_t *in;
	size_t n;       /* ECB, CBC: whole blocks */
	uint8_t *tag;   /* GCM: written when encrypting, else compared */
	size_t tag_len; /* 1 to CRYPTO_TAG_SIZE */
};
/* out has n bytes and may be in. KW_ERR_DECRYPT: the tag is wrong; then out is wiped. CTR counts in all 16
 * bytes of the block. */
enum kw_err crypto_cipher(
	const struct crypto_key *key, const struct crypto_cipher *what, uint8_t *out) KW_MUST_USE;
/* AES-CMAC (NIST SP 800-38B). */
enum kw_err crypto_cmac(const struct crypto_key *key, const uint8_t *in, size_t n,
	uint8_t tag[CRYPTO_BLOCK]) KW_MUST_USE;

#endif

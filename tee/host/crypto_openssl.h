/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of the libcrypto backend. They use the old RSA_ and EC_KEY functions: measured
 * with OpenSSL 3.0, ECDSA_do_sign with P-256 takes 17.4 us, a prepared EVP_PKEY_sign 18.2, a fresh
 * EVP_DigestSign 23.0; and an EC_KEY on a shared group is loaded in under a microsecond.
 */
#ifndef TEE_HOST_CRYPTO_OPENSSL_H
#define TEE_HOST_CRYPTO_OPENSSL_H

#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdatomic.h>

#include "core/crypto.h"
#include "core/key_type.h"

/*
 * One library context would have the threads wait for each other: each ECDSA signature takes locks of
 * its context, to fetch SHA-512 and to ask the primary random generator whether it was seeded anew.
 * So the first threads that sign have one each, and further ones share them.
 */
#define OPENSSL_CONTEXTS_MAX 8u

struct crypto_key {
	const struct key_type_info *info;
	RSA *rsa;
	EC_KEY *ec;
	/* Copies of ec in the other contexts, made for a key that is used often there. */
	_Atomic(EC_KEY *) ec_in[OPENSSL_CONTEXTS_MAX];
	atomic_uint uses;     /* without a copy */
	EVP_PKEY *ed;         /* also X25519 */
	EVP_MD_CTX *ed_ready; /* to sign with ed; copied for each signature */
	uint8_t *value;       /* of a secret key */
	size_t value_len;
};

/* Fetched once: a fetch for each call costs more than SHA-256 of a TLS message. NULL: unknown. */
const EVP_MD *openssl_md(enum hash_id hash);

/* A library failure: empties the thread's queue of errors. Gives err, or KW_ERR_NO_MEMORY when the queue
 * says that this was the reason. */
enum kw_err openssl_failure(enum kw_err err);

/* The digest that is to be signed: hashed now or given. *n is its length; KW_ERR_BAD_ALGORITHM. */
enum kw_err openssl_digest(
	const struct crypto_sign *what, uint8_t digest[HASH_MAX_SIZE], size_t *n) KW_MUST_USE;

/* Each sets the part of *key that belongs to its family; info is set already. On failure what was
 * set is freed with the key. */
enum kw_err rsa_key_generate(struct crypto_key *key) KW_MUST_USE;
enum kw_err rsa_key_import(struct crypto_key *key, const uint8_t *in, size_t n) KW_MUST_USE;
enum kw_err rsa_key_load(struct crypto_key *key, const uint8_t *in, size_t n) KW_MUST_USE;
enum kw_err rsa_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
enum kw_err rsa_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
enum kw_err rsa_key_sign(const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig,
	size_t *n) KW_MUST_USE;

/* One for each CPU, within the bound and what was said before by context_limit. */
enum kw_err context_init(void) KW_MUST_USE;
void context_limit(size_t most);
/* The number of the calling thread's context; *context is NULL for number 0, the default one. */
unsigned context_of_thread(OSSL_LIB_CTX **context);

enum kw_err ec_init(void) KW_MUST_USE;
void ec_key_free(struct crypto_key *key);
enum kw_err ec_key_generate(struct crypto_key *key) KW_MUST_USE;
enum kw_err ec_key_import(struct crypto_key *key, const uint8_t *in, size_t n) KW_MUST_USE;
enum kw_err ec_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
enum kw_err ec_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
enum kw_err ec_key_sign(const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig,
	size_t *n) KW_MUST_USE;

enum kw_err secret_init(void) KW_MUST_USE;
enum kw_err secret_key_generate(struct crypto_key *key) KW_MUST_USE;
enum kw_err secret_key_import(struct crypto_key *key, const uint8_t *in, size_t n) KW_MUST_USE;
enum kw_err secret_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
/* KW_ERR_BAD_ALGORITHM, both. */
enum kw_err secret_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
enum kw_err secret_key_sign(const struct crypto_key *key, const struct crypto_sign *what,
	uint8_t *sig, size_t *n) KW_MUST_USE;

/* The rest of an X25519 key is as with Ed25519, but it does not sign. */
enum kw_err x_key_generate(struct crypto_key *key) KW_MUST_USE;
enum kw_err x_key_import(struct crypto_key *key, const uint8_t *in, size_t n) KW_MUST_USE;

enum kw_err ed_key_generate(struct crypto_key *key) KW_MUST_USE;
enum kw_err ed_key_import(struct crypto_key *key, const uint8_t *in, size_t n) KW_MUST_USE;
enum kw_err ed_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
enum kw_err ed_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n) KW_MUST_USE;
enum kw_err ed_key_sign(const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig,
	size_t *n) KW_MUST_USE;

#endif

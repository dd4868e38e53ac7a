/* SPDX-License-Identifier: BSD-2-Clause */
/* The ENGINE's own parts among each other. */
#ifndef FRONTENDS_OPENSSL_ENGINE_H
#define FRONTENDS_OPENSSL_ENGINE_H

#include "../common.h"

#include <openssl/engine.h>
#include <openssl/evp.h>

#define ENGINE_ID "keyward"

/* Puts an error with a sentence into OpenSSL's queue, which servers log. */
void engine_raise_at(const char *file, int line, const char *func, enum kw_err err,
	const char *format, ...) __attribute__((format(printf, 5, 6)));
#define engine_raise(err, ...) engine_raise_at(__FILE_NAME__, __LINE__, __func__, err, __VA_ARGS__)

/* Once, when the ENGINE is bound. */
bool engine_methods_new(void);
/* ENGINE_set_pkey_meths' callback. */
int engine_pkey_methods(ENGINE *e, EVP_PKEY_METHOD **method, const int **nids, int nid);
/* An EVP_PKEY with the public part of the key and methods that ask the TEE. Takes over *front in
 * every case. NULL with an error raised. */
EVP_PKEY *engine_pkey_new(ENGINE *e, struct front_key **front);

/* The key behind an object of ours, NULL when it is an ordinary one. */
struct front_key *engine_key_of_rsa(const RSA *rsa);
struct front_key *engine_key_of_ec(const EC_KEY *ec);
struct front_key *engine_key_of_pkey(EVP_PKEY *pkey);

bool engine_object_methods_new(void);

/* Signs and puts what went wrong into the error queue. sig has room for *siglen bytes. */
int engine_sign(
	struct front_key *key, const struct kw_sign *what, unsigned char *sig, size_t *siglen);

#endif

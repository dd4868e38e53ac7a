/* SPDX-License-Identifier: BSD-2-Clause */
/* For the tests of the provider and the ENGINE: a real TEE, keys in it, certificates and
 * handshakes. */
#ifndef FRONTENDS_OPENSSL_TEST_SUPPORT_H
#define FRONTENDS_OPENSSL_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <keyward/keyward.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#define TEST_PATH 256

/* Starts $KEYWARD_TEED in a scratch folder and sets $KEYWARD_SOCKET. */
void test_tee_start(void);
/* The same store and socket again after test_tee_stop. */
void test_tee_again(void);
void test_tee_stop(void);
/* Stops it and removes the folder. */
void test_tee_end(void);
struct kw *test_kw(void);
/* A path in the scratch folder, one of a few static buffers. */
const char *test_path(const char *name);

/* The default provider and ours, in this order; with $KEYWARD_FIRST in the other. */
void test_providers_load(void);
void test_providers_unload(void);

/* Makes a key; a sealed one has no entry in the TEE. Its key file is then test_path(name). */
void test_key(const char *name, enum kw_key_type type, uint32_t purposes, bool sealed);
/* The key file again: for a key whose name moved. */
void test_key_file(const char *name);
void test_write(const char *path, const void *data, size_t len);
size_t test_read(const char *path, void *buf, size_t size);

/* Loads as servers do; fails the test when a passphrase is asked for. NULL when it does not
 * load. */
EVP_PKEY *test_load(const char *path);
/* The same public key in OpenSSL's default provider. */
EVP_PKEY *test_public(EVP_PKEY *key);
/* A self-signed certificate for the public key of `key`, signed by `signer`. NULL when refused. */
X509 *test_certificate(EVP_PKEY *key, EVP_PKEY *signer, const char *digest);

/* Fails the test when OpenSSL's error queue is not empty. */
void test_no_errors(void);
/* The queue must have this error of Keyward with this text in its data; empties it. */
void test_error(enum kw_err err, const char *text);

/* One handshake in memory. With `client_key` the server asks for a certificate. True when both
 * sides are done, and then *peer (may be NULL) has the server's signature's NID. */
bool test_handshake(EVP_PKEY *server_key, EVP_PKEY *client_key, int version, int *signature);

extern const enum kw_key_type test_types[7];
extern const char *const test_digests[4];

#endif

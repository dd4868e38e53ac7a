/* SPDX-License-Identifier: BSD-2-Clause */
/* Public keys that people have in files: a PEM public key or certificate. */
#ifndef CLI_PUBLIC_FILE_H
#define CLI_PUBLIC_FILE_H

#include <openssl/evp.h>

#include "cli.h"

/* The first public key or certificate in the file, of which nothing but its key is looked at. Says on stderr
 * what is wrong. Free it with EVP_PKEY_free. */
enum exit_code public_file_read(const char *path, EVP_PKEY **key) KW_MUST_USE;
/* SHA-256 of a DER SubjectPublicKeyInfo, and of the key's. False when libcrypto fails. */
bool public_id_of_spki(const uint8_t *spki, size_t len, uint8_t id[KW_ID_SIZE]) KW_MUST_USE;
bool public_id(EVP_PKEY *key, uint8_t id[KW_ID_SIZE]) KW_MUST_USE;
/* PEM text of a DER SubjectPublicKeyInfo, NULL when there is no memory. OPENSSL_free it. */
char *public_pem(const uint8_t *spki, size_t len);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads what people have as private key files: PKCS #8 (RFC 5958, also encrypted), SEC 1 (RFC 5915),
 * PKCS #1 (RFC 8017), in PEM or DER. Everything else is refused with a sentence that says what it is.
 */
#ifndef CLI_KEY_FILE_H
#define CLI_KEY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <keyward/keyward.h>

/* A key with a long certificate chain fits. */
#define KEY_FILE_MAX (128 * 1024)
#define KEY_PASSPHRASE_MAX 1024

struct key_material {
	enum kw_key_type type;
	/* As kw_key_import takes it; at most the exponent and two primes of RSA-4096. */
	uint8_t bytes[4 + 2 * 256];
	size_t len;
	uint8_t *spki; /* the file's own public key */
	size_t spki_len;
	char problem[320];  /* when it cannot be read: what it is, and what to do */
	bool no_passphrase; /* it is encrypted, and `ask` had nothing */
};

/* Writes the passphrase (bytes, not a string) to buf and returns its length, or -1 when there is none. */
typedef int key_passphrase_ask(void *context, char *buf, int size);

/* Fills m; false with m->problem otherwise. key_material_wipe in both cases. */
bool key_file_read(const uint8_t *data, size_t len, key_passphrase_ask *ask, void *context,
	struct key_material *m) KW_MUST_USE;
void key_material_wipe(struct key_material *m);
/* Whether a SubjectPublicKeyInfo of the TEE is this key's. */
bool key_material_is(const struct key_material *m, const uint8_t *spki, size_t len);

#endif

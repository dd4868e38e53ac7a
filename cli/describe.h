/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLI_DESCRIBE_H
#define CLI_DESCRIBE_H

#include <openssl/evp.h>

#include "cli.h"
#include "json.h"

#define PURPOSES_SIZE 128

/* An open '{' is filled with what is known of the key. */
void key_json(struct json *j, const char *member, const struct kw_key *key);
/* For people: one item a line. */
void key_print(const struct kw_key *key);
/* The name, or "id:" and the first digits when it has none. */
#define KEY_LABEL_SIZE (KW_NAME_MAX + 1)
void key_label(const struct kw_key *key, char buf[KEY_LABEL_SIZE]);
/* The public key as PEM, NULL when the key has none in its description. OPENSSL_free() it. */
char *key_public_pem(const struct kw_key *key);

#endif

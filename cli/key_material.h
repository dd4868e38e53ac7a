/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLI_KEY_MATERIAL_H
#define CLI_KEY_MATERIAL_H

#include <openssl/evp.h>

#include "key_file.h"

/* Checks that the key is one that Keyward keeps, and takes out of it what kw_key_import wants. */
bool key_material_take(struct key_material *m, EVP_PKEY *pkey, OSSL_LIB_CTX *lib) KW_MUST_USE;
/* Sets m->problem. Always false. */
bool key_problem(struct key_material *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif

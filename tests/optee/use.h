/* SPDX-License-Identifier: BSD-2-Clause */
/* A key in OP-TEE, used and checked: what the programs here share. */
#ifndef TESTS_OPTEE_USE_H
#define TESTS_OPTEE_USE_H

#include <openssl/evp.h>
#include <stdbool.h>

#include "keyward/keyward.h"

struct signer {
	struct kw *kw;
	struct kw_key *key;
	struct kw_use use;
	EVP_PKEY *public_key;
};

/* One line of the result, "ok - …" or "not ok - …". False when it failed. */
bool report(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* How many failed; prints the sums. */
int report_sums(void);

/* Ends the process when there is no context. timeout_ms 0: the default. */
struct kw *optee_kw(unsigned timeout_ms);
/* An ec-p256 key for any signature, made now, stored under the name or sealed (NULL). Ends the process
 * when that fails. */
void signer_make(struct signer *s, struct kw *kw, const char *name);
/* Deletes a stored key. */
void signer_end(struct signer *s);
/* Signs a message of its own and checks the signature with libcrypto. KW_ERR_PROTOCOL: it is not this
 * message's. */
enum kw_err signer_use(struct signer *s, struct kw *kw, const char *message) KW_MUST_USE;

#endif

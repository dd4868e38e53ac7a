/* SPDX-License-Identifier: BSD-2-Clause */
/* Library contexts of their own for the threads that sign with EC keys. */
#include "crypto_openssl.h"

#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <unistd.h>

/* contexts[0] is the default one, NULL. */
static OSSL_LIB_CTX *contexts[OPENSSL_CONTEXTS_MAX];
static unsigned count = 1;
static unsigned most = OPENSSL_CONTEXTS_MAX;
static atomic_uint threads;

/* What a signature needs is built now: while memory is short libcrypto would give it up for good. */
static enum kw_err context_new(OSSL_LIB_CTX **context)
{
	OSSL_LIB_CTX *c = OSSL_LIB_CTX_new();
	enum kw_err err = KW_ERR_NO_MEMORY;
	EVP_MD *md = NULL;
	uint8_t byte;

	if (!c)
		goto out;
	err = KW_ERR_CRYPTO;
	if (!OSSL_PROVIDER_load(c, "default"))
		goto out;
	md = EVP_MD_fetch(c, "SHA512", NULL);
	if (!md || RAND_priv_bytes_ex(c, &byte, 1, 0) != 1)
		goto out;
	*context = c;
	c = NULL;
	err = KW_ERR_OK;
out:
	EVP_MD_free(md);
	OSSL_LIB_CTX_free(c);
	return err;
}

void context_limit(size_t n)
{
	most = n < OPENSSL_CONTEXTS_MAX ? (unsigned)n : OPENSSL_CONTEXTS_MAX;
}

enum kw_err context_init(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	enum kw_err err = KW_ERR_OK;

	while (!err && count < most && count < cpus) {
		err = context_new(&contexts[count]);
		if (!err)
			count++;
	}
	return err;
}

unsigned context_of_thread(OSSL_LIB_CTX **context)
{
	static __thread unsigned mine; /* 0: none yet, else its number and one */

	if (!mine)
		mine = atomic_fetch_add(&threads, 1) % count + 1;
	*context = contexts[mine - 1];
	return mine - 1;
}

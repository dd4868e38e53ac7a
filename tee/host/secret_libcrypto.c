/* SPDX-License-Identifier: BSD-2-Clause */
/* libcrypto on secret memory. */
#include <stdbool.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "secret_memory.h"

static void *libcrypto_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return secret_alloc(n);
}

static void *libcrypto_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return secret_realloc(p, n);
}

static void libcrypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	secret_free(p);
}

enum kw_err secret_memory_take_libcrypto(void)
{
	return CRYPTO_set_mem_functions(libcrypto_malloc, libcrypto_realloc, libcrypto_free) == 1
		       ? KW_ERR_OK
		       : KW_ERR_CRYPTO;
}

/* One of each kind of operation that crypto_openssl.c uses builds all of that kind. */
enum kw_err libcrypto_warm_up(void)
{
	EVP_SIGNATURE *signature = EVP_SIGNATURE_fetch(NULL, "ECDSA", NULL);
	EVP_ASYM_CIPHER *asym = EVP_ASYM_CIPHER_fetch(NULL, "RSA", NULL);
	EVP_KEYMGMT *keymgmt = EVP_KEYMGMT_fetch(NULL, "EC", NULL);
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
	unsigned char byte;
	/* Both random generators of this thread; each other thread makes its own. */
	bool ok = signature && asym && keymgmt && cipher && mac && md &&
		  RAND_bytes(&byte, 1) == 1 && RAND_priv_bytes(&byte, 1) == 1;

	EVP_SIGNATURE_free(signature);
	EVP_ASYM_CIPHER_free(asym);
	EVP_KEYMGMT_free(keymgmt);
	EVP_CIPHER_free(cipher);
	EVP_MAC_free(mac);
	EVP_MD_free(md);
	return ok ? KW_ERR_OK : KW_ERR_CRYPTO;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that somebody gives to a server as its private key, read as libssl reads them and as the
 * openssl command does, with the provider active. No TEE answers. Whatever is in the file: no
 * crash, no private key out of ours, no signature.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern OSSL_provider_init_fn OSSL_provider_init;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void start(void)
{
	static int started;

	if (started)
		return;
	started = 1;
	setenv("KEYWARD_SOCKET", "/nonexistent/tee.sock", 1);
	unsetenv("KEYWARD_TEE");
	if (!OSSL_PROVIDER_add_builtin(NULL, "keyward", OSSL_provider_init) ||
		!OSSL_PROVIDER_load(NULL, "default") || !OSSL_PROVIDER_load(NULL, "keyward"))
		abort();
}

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static void use(EVP_PKEY *key)
{
	const OSSL_PROVIDER *provider = EVP_PKEY_get0_provider(key);
	unsigned char sig[1024], *der = NULL;
	size_t len = sizeof(sig);
	EVP_MD_CTX *ctx;

	if (!provider || strcmp(OSSL_PROVIDER_get0_name(provider), "keyward") != 0)
		return;
	if (i2d_PUBKEY(key, &der) <= 0 || EVP_PKEY_get_bits(key) <= 0 || EVP_PKEY_eq(key, key) != 1)
		abort();
	OPENSSL_free(der);
	der = NULL;
	if (i2d_PrivateKey(key, &der) > 0)
		abort();
	ctx = EVP_MD_CTX_new();
	if (EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, key, NULL) != 1 ||
		EVP_DigestSign(ctx, sig, &len, (const unsigned char *)"x", 1) == 1)
		abort();
	EVP_MD_CTX_free(ctx);
}

static void read_all(const uint8_t *data, size_t size)
{
	BIO *bio = BIO_new_mem_buf(data, (int)size);
	EVP_PKEY *key;

	for (int i = 0; i < 4; i++) {
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
		if (!key)
			break;
		use(key);
		EVP_PKEY_free(key);
	}
	BIO_free(bio);
}

static void read_as_store(const uint8_t *data, size_t size)
{
	BIO *bio = BIO_new_mem_buf(data, (int)size);
	OSSL_STORE_CTX *store =
		OSSL_STORE_attach(bio, "file", NULL, NULL, NULL, NULL, NULL, NULL, NULL);

	for (int i = 0; store && i < 8 && !OSSL_STORE_eof(store); i++) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			use(OSSL_STORE_INFO_get0_PKEY(info));
		OSSL_STORE_INFO_free(info);
	}
	OSSL_STORE_close(store);
	BIO_free(bio);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	start();
	if (size > 65536)
		return 0;
	read_all(data, size);
	read_as_store(data, size);
	ERR_clear_error();
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures a second through EVP_DigestSign, as libssl calls it: a fresh context for each.
 *
 *	bench_sign PROCESSES SECONDS KEY.pem
 *
 * The key is an ordinary file, or a Keyward PEM with a configuration that loads the provider.
 */
#include "rounds.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

struct signer {
	const char *path;
	EVP_PKEY *key;
	uint64_t n;
};

static int open_key(void *ctx)
{
	struct signer *s = ctx;
	BIO *file = BIO_new_file(s->path, "r");

	s->key = file ? PEM_read_bio_PrivateKey(file, NULL, NULL, NULL) : NULL;
	BIO_free(file);
	if (!s->key)
		ERR_print_errors_fp(stderr);
	return s->key ? 0 : -1;
}

static int sign_once(void *ctx)
{
	struct signer *s = ctx;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *params = NULL;
	const char *digest = EVP_PKEY_is_a(s->key, "ED25519") ? NULL : "SHA256";
	uint8_t message[BENCH_MESSAGE_SIZE];
	uint8_t signature[512];
	size_t len = sizeof(signature);
	int result = -1;

	bench_message(message, s->n++);
	if (!md || EVP_DigestSignInit_ex(md, &params, digest, NULL, NULL, s->key, NULL) <= 0)
		goto out;
	if (EVP_PKEY_is_a(s->key, "RSA") &&
		(EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING) <= 0 ||
			EVP_PKEY_CTX_set_rsa_pss_saltlen(params, RSA_PSS_SALTLEN_DIGEST) <= 0))
		goto out;
	if (EVP_DigestSign(md, signature, &len, message, sizeof(message)) <= 0)
		goto out;
	result = 0;
out:
	if (result)
		ERR_print_errors_fp(stderr);
	EVP_MD_CTX_free(md);
	return result;
}

int main(int argc, char **argv)
{
	struct signer signer = {0};
	struct bench bench = {.open = open_key, .once = sign_once, .ctx = &signer};
	double rate;

	if (argc != 4 || atoi(argv[1]) <= 0 || atof(argv[2]) <= 0) {
		fprintf(stderr, "usage: bench_sign PROCESSES SECONDS KEY.pem\n");
		return 2;
	}
	signer.path = argv[3];
	rate = bench_rate(&bench, (unsigned)atoi(argv[1]), atof(argv[2]));
	if (rate < 0)
		return 1;
	printf("%.1f\n", rate);
	return 0;
}

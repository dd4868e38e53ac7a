/* SPDX-License-Identifier: BSD-2-Clause */
#include "public_file.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "file_io.h"

/* A certificate with a long chain behind it. */
#define PUBLIC_FILE_MAX (256 * 1024)

static EVP_PKEY *key_of_block(const char *label, const uint8_t *der, long len)
{
	const uint8_t *at = der;
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;

	if (strcmp(label, PEM_STRING_PUBLIC) == 0) {
		key = d2i_PUBKEY(NULL, &at, len);
	} else if (strcmp(label, PEM_STRING_X509) == 0) {
		cert = d2i_X509(NULL, &at, len);
		key = cert ? X509_get_pubkey(cert) : NULL;
		X509_free(cert);
	}
	if (at == der + len)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

static bool is_public(const char *label)
{
	return strcmp(label, PEM_STRING_PUBLIC) == 0 || strcmp(label, PEM_STRING_X509) == 0;
}

enum exit_code public_file_read(const char *path, EVP_PKEY **key)
{
	char *label = NULL, *header = NULL;
	uint8_t *data = NULL, *der = NULL;
	size_t len = 0;
	BIO *bio = NULL;
	bool found = false;
	long n;
	enum exit_code code = file_read(path, PUBLIC_FILE_MAX, &data, &len);

	*key = NULL;
	if (code != EXIT_OK)
		return code;
	bio = BIO_new_mem_buf(data, (int)len);
	while (bio && !found && PEM_read_bio(bio, &label, &header, &der, &n)) {
		found = is_public(label);
		if (found)
			*key = key_of_block(label, der, n);
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)n);
	}
	if (!found)
		code = fail(EXIT_BAD_INPUT,
			"'%s' has neither a public key nor a certificate in PEM", path);
	else if (!*key)
		code = fail(EXIT_BAD_INPUT,
			"the public key in '%s' is damaged, or of a kind that libcrypto does not "
			"know",
			path);
	BIO_free(bio);
	file_free(&data, len);
	ERR_clear_error();
	return code;
}

bool public_id_of_spki(const uint8_t *spki, size_t len, uint8_t id[KW_ID_SIZE])
{
	return EVP_Digest(spki, len, id, NULL, EVP_sha256(), NULL) == 1;
}

bool public_id(EVP_PKEY *key, uint8_t id[KW_ID_SIZE])
{
	uint8_t *spki = NULL;
	int n = i2d_PUBKEY(key, &spki);
	bool ok = n > 0 && public_id_of_spki(spki, (size_t)n, id);

	OPENSSL_free(spki);
	return ok;
}

char *public_pem(const uint8_t *spki, size_t len)
{
	char *text = NULL, *copy = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	long n;

	if (bio && PEM_write_bio(bio, PEM_STRING_PUBLIC, "", spki, (long)len)) {
		n = BIO_get_mem_data(bio, &text);
		copy = OPENSSL_strndup(text, (size_t)n);
	}
	BIO_free(bio);
	return copy;
}

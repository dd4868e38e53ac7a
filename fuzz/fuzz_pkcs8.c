/* SPDX-License-Identifier: BSD-2-Clause */
/* Of whatever is taken for a private key libcrypto makes the same key, and what it is written as is taken again. */
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "core/pkcs8.h"
#include "core/spki.h"
#include "wire/der.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum key_type types[] = {
#define KW_KEY_TYPE(number, NAME, name, FAMILY, bits) KEY_TYPE_##NAME,
#include "keyward/algorithms.def"
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static size_t public_of(enum key_type type, const struct crypto_key *key, uint8_t *spki)
{
	uint8_t public_part[CRYPTO_PUBLIC_MAX];
	struct writer w = writer_over(spki, WIRE_SPKI_MAX);
	size_t n;

	check(!crypto_key_public(key, public_part, &n));
	check(!spki_encode(type, public_part, n, &w));
	return w.len;
}

/* libcrypto 3.0 does not know the form with a public key (RFC 5958). */
static bool is_version_2(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size), in;
	const uint8_t *version;
	size_t n;

	der_get(&r, DER_SEQUENCE, &in);
	version = der_get_unsigned(&in, 1, &n);
	return version && n == 1 && version[0] == 1;
}

static void check_with_libcrypto(const uint8_t *spki, size_t n, const uint8_t *data, size_t size)
{
	const uint8_t *at = data;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)size);
	EVP_PKEY *key = info ? EVP_PKCS82PKEY(info) : NULL;
	uint8_t *theirs = NULL;

	if (!info && is_version_2(data, size))
		return;
	check(key && at == data + size);
	check(i2d_PUBKEY(key, &theirs) == (int)n && !memcmp(theirs, spki, n));
	OPENSSL_free(theirs);
	EVP_PKEY_free(key);
	PKCS8_PRIV_KEY_INFO_free(info);
}

static void check_written(enum key_type type, const struct crypto_key *key)
{
	uint8_t der[PKCS8_MAX], again[PKCS8_MAX];
	struct crypto_key *copy = NULL;
	size_t n, m;

	check(!pkcs8_encode(type, key, der, &n));
	check(!pkcs8_decode(type, der, n, &copy));
	check(!pkcs8_encode(type, copy, again, &m));
	check(n == m && !memcmp(der, again, n));
	crypto_key_free(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crypto_key *key = NULL;
	uint8_t spki[WIRE_SPKI_MAX];
	unsigned taken = 0;

	if (crypto_init())
		abort();
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (pkcs8_decode(types[i], data, size, &key))
			continue;
		taken++;
		check_with_libcrypto(spki, public_of(types[i], key, spki), data, size);
		check_written(types[i], key);
		crypto_key_free(&key);
	}
	/* It is a key of one type. */
	check(taken <= 1);
	return 0;
}

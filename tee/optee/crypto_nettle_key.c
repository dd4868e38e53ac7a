/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of any family on nettle: creation, encodings, and which family's code runs. */
#include "crypto_nettle.h"

#include "core/platform.h"

struct family {
	enum kw_err (*generate)(struct crypto_key *key);
	enum kw_err (*import)(struct crypto_key *key, const uint8_t *in, size_t n);
	enum kw_err (*load)(struct crypto_key *key, const uint8_t *in, size_t n);
	enum kw_err (*private_part)(const struct crypto_key *key, uint8_t *buf, size_t *n);
	enum kw_err (*public_part)(const struct crypto_key *key, uint8_t *buf, size_t *n);
	enum kw_err (*sign)(const struct crypto_key *key, const struct crypto_sign *what,
		uint8_t *sig, size_t *n);
};

static const struct family families[] = {
	[FAMILY_RSA] = {rsa_key_generate, rsa_key_import, rsa_key_load, rsa_key_private,
		rsa_key_public, rsa_key_sign},
	[FAMILY_EC] = {ec_key_generate, ec_key_import, ec_key_import, ec_key_private, ec_key_public,
		ec_key_sign},
	[FAMILY_ED] = {ed_key_generate, ed_key_import, ed_key_import, ed_key_private, ed_key_public,
		ed_key_sign},
};

static const struct family *family_of(const struct crypto_key *key)
{
	return &families[key->info->family];
}

static enum kw_err key_new(enum key_type type, struct crypto_key **key)
{
	const struct key_type_info *info = key_type_find((uint8_t)type);

	*key = NULL;
	if (!info)
		return KW_ERR_UNSUPPORTED_TYPE;
	*key = platform_alloc(sizeof(**key));
	if (!*key)
		return KW_ERR_NO_MEMORY;
	(*key)->info = info;
	return KW_ERR_OK;
}

enum kw_err crypto_key_generate(enum key_type type, struct crypto_key **key)
{
	enum kw_err err = key_new(type, key);

	if (!err)
		err = family_of(*key)->generate(*key);
	if (err)
		crypto_key_free(key);
	return err;
}

enum kw_err crypto_key_import(
	enum key_type type, const uint8_t *material, size_t n, struct crypto_key **key)
{
	enum kw_err err = key_new(type, key);

	if (!err)
		err = family_of(*key)->import(*key, material, n);
	if (err)
		crypto_key_free(key);
	return err;
}

enum kw_err crypto_key_load(
	enum key_type type, const uint8_t *private_part, size_t n, struct crypto_key **key)
{
	enum kw_err err = key_new(type, key);

	if (!err)
		err = family_of(*key)->load(*key, private_part, n);
	if (err)
		crypto_key_free(key);
	return err;
}

void crypto_key_free(struct crypto_key **key)
{
	struct crypto_key *k = *key;

	if (!k)
		return;
	/* GMP's memory is wiped as it is freed, see crypto_init. */
	if (k->has_numbers && k->info->family == FAMILY_RSA) {
		rsa_public_key_clear(&k->rsa_public);
		rsa_private_key_clear(&k->rsa);
	}
	if (k->has_numbers && k->info->family == FAMILY_EC)
		ecc_scalar_clear(&k->ec);
	platform_free(k, sizeof(*k));
	*key = NULL;
}

enum kw_err crypto_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	enum kw_err err = family_of(key)->private_part(key, buf, n);

	if (err) {
		platform_wipe(buf, CRYPTO_PRIVATE_MAX);
		*n = 0;
	}
	return err;
}

enum kw_err crypto_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	enum kw_err err = family_of(key)->public_part(key, buf, n);

	if (err)
		*n = 0;
	return err;
}

enum kw_err crypto_sign(
	const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig, size_t *n)
{
	enum kw_err err = family_of(key)->sign(key, what, sig, n);

	if (err) {
		/* Half a signature is no one's business. */
		platform_wipe(sig, CRYPTO_SIGNATURE_MAX);
		*n = 0;
	}
	return err;
}

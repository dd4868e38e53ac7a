/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of any family on nettle: creation, encodings, and which family's code runs. */
#include "crypto_nettle.h"

#include "core/platform.h"
#include "crypto_nettle_memory.h"

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
	[FAMILY_X] = {x_key_generate, x_key_import, x_key_import, ed_key_private, ed_key_public,
		secret_key_sign},
	[FAMILY_AES] = {secret_key_generate, secret_key_import, secret_key_import,
		secret_key_private, secret_key_public, secret_key_sign},
	[FAMILY_HMAC] = {secret_key_generate, secret_key_import, secret_key_import,
		secret_key_private, secret_key_public, secret_key_sign},
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

struct making {
	struct crypto_key *key;
	enum kw_err (*import)(struct crypto_key *key, const uint8_t *in, size_t n);
	const uint8_t *in;
	size_t n;
};

static enum kw_err run_generate(void *context)
{
	struct making *m = context;

	return family_of(m->key)->generate(m->key);
}

static enum kw_err run_import(void *context)
{
	struct making *m = context;

	return m->import(m->key, m->in, m->n);
}

static enum kw_err make(
	enum kw_err (*run)(void *context), struct making *m, struct crypto_key **key)
{
	enum kw_err err;

	/* Broken off, its numbers are gone already. */
	if (!operation_run(run, m, &err))
		m->key->has_numbers = false;
	if (err)
		crypto_key_free(key);
	return err;
}

enum kw_err crypto_key_generate(enum key_type type, struct crypto_key **key)
{
	enum kw_err err = key_new(type, key);
	struct making m = {.key = *key};

	return err ? err : make(run_generate, &m, key);
}

enum kw_err crypto_key_import(
	enum key_type type, const uint8_t *material, size_t n, struct crypto_key **key)
{
	enum kw_err err = key_new(type, key);
	struct making m = {.key = *key, .in = material, .n = n};

	if (err)
		return err;
	m.import = family_of(*key)->import;
	return make(run_import, &m, key);
}

enum kw_err crypto_key_load(
	enum key_type type, const uint8_t *private_part, size_t n, struct crypto_key **key)
{
	enum kw_err err = key_new(type, key);
	struct making m = {.key = *key, .in = private_part, .n = n};

	if (err)
		return err;
	m.import = family_of(*key)->load;
	return make(run_import, &m, key);
}

void crypto_key_free(struct crypto_key **key)
{
	struct crypto_key *k = *key;

	if (!k)
		return;
	/* GMP's memory is wiped as it is freed. */
	if (k->has_numbers && k->info->family == FAMILY_RSA) {
		rsa_public_key_clear(&k->rsa_public);
		rsa_private_key_clear(&k->rsa);
	}
	if (k->has_numbers && k->info->family == FAMILY_EC)
		ecc_scalar_clear(&k->ec);
	platform_free(k, sizeof(*k));
	*key = NULL;
}

/* A use of a key: what to do, and where the result goes. */
struct use {
	const struct crypto_key *key;
	const struct crypto_sign *sign;
	const struct crypto_decrypt *decrypt;
	struct crypto_bytes in; /* of the rest */
	uint8_t *out;
	size_t *n;
};

static enum kw_err run_private(void *context)
{
	struct use *u = context;

	return family_of(u->key)->private_part(u->key, u->out, u->n);
}

static enum kw_err run_public(void *context)
{
	struct use *u = context;

	return family_of(u->key)->public_part(u->key, u->out, u->n);
}

static enum kw_err run_sign(void *context)
{
	struct use *u = context;

	return family_of(u->key)->sign(u->key, u->sign, u->out, u->n);
}

static enum kw_err run_decrypt(void *context)
{
	struct use *u = context;

	return rsa_key_decrypt(u->key, u->decrypt, u->out, u->n);
}

/* Half a result is no one's business. */
static enum kw_err use(enum kw_err (*run)(void *context), struct use *u, size_t room)
{
	enum kw_err err;

	(void)operation_run(run, u, &err);
	if (err) {
		platform_wipe(u->out, room);
		*u->n = 0;
	}
	return err;
}

enum kw_err crypto_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	struct use u = {.key = key, .out = buf, .n = n};

	return use(run_private, &u, CRYPTO_PRIVATE_MAX);
}

enum kw_err crypto_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	struct use u = {.key = key, .out = buf, .n = n};

	return use(run_public, &u, CRYPTO_PUBLIC_MAX);
}

enum kw_err crypto_sign(
	const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig, size_t *n)
{
	struct use u = {.key = key, .sign = what, .out = sig, .n = n};

	return use(run_sign, &u, CRYPTO_SIGNATURE_MAX);
}

enum kw_err crypto_rsa_decrypt(
	const struct crypto_key *key, const struct crypto_decrypt *what, uint8_t *out, size_t *n)
{
	struct use u = {.key = key, .decrypt = what, .out = out, .n = n};

	*n = 0;
	if (key->info->family != FAMILY_RSA)
		return KW_ERR_BAD_ALGORITHM;
	return use(run_decrypt, &u, key->info->bits / 8);
}

static enum kw_err run_agree(void *context)
{
	struct use *u = context;

	return agree_run(u->key, u->in.p, u->in.n, u->out, u->n);
}

enum kw_err crypto_agree(
	const struct crypto_key *key, const uint8_t *peer, size_t n, uint8_t *out, size_t *out_len)
{
	struct use u = {.key = key, .in = {peer, n}, .out = out, .n = out_len};

	*out_len = 0;
	return use(run_agree, &u, CRYPTO_AGREED_MAX);
}

static enum kw_err run_rsa_public(void *context)
{
	struct use *u = context;

	return rsa_key_public_use(u->key, u->in.p, u->in.n, u->out);
}

enum kw_err crypto_rsa_public(
	const struct crypto_key *key, const uint8_t *block, size_t n, uint8_t *out)
{
	size_t out_len = n;
	struct use u = {.key = key, .in = {block, n}, .out = out, .n = &out_len};

	if (key->info->family != FAMILY_RSA || n != key->info->bits / 8)
		return KW_ERR_BAD_ALGORITHM;
	return use(run_rsa_public, &u, n);
}

static enum kw_err run_exponent(void *context)
{
	struct use *u = context;

	return rsa_key_exponent(u->key, u->out, *u->n);
}

enum kw_err crypto_rsa_exponent(const struct crypto_key *key, uint8_t *out, size_t n)
{
	size_t out_len = n;
	struct use u = {.key = key, .out = out, .n = &out_len};

	if (key->info->family != FAMILY_RSA || n != key->info->bits / 8)
		return KW_ERR_BAD_ALGORITHM;
	return use(run_exponent, &u, n);
}

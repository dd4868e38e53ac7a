/* SPDX-License-Identifier: BSD-2-Clause */
/* EC and Ed25519 keys on libcrypto. */
#include "crypto_openssl.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>

/* Each key's group is a copy of one of these: making it from the curve's name takes ten times as
 * long as the rest of loading a key. */
static EC_GROUP *groups[3];

static const EC_GROUP *group_of(enum key_type type)
{
	switch (type) {
	case KEY_TYPE_EC_P256:
		return groups[0];
	case KEY_TYPE_EC_P384:
		return groups[1];
	case KEY_TYPE_EC_P521:
		return groups[2];
	default:
		return NULL;
	}
}

enum kw_err ec_init(void)
{
	groups[0] = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	groups[1] = EC_GROUP_new_by_curve_name(NID_secp384r1);
	groups[2] = EC_GROUP_new_by_curve_name(NID_secp521r1);
	return groups[0] && groups[1] && groups[2] ? KW_ERR_OK : KW_ERR_CRYPTO;
}

enum kw_err ec_key_generate(struct crypto_key *key)
{
	key->ec = EC_KEY_new();
	if (!key->ec)
		return KW_ERR_NO_MEMORY;
	if (!EC_KEY_set_group(key->ec, group_of(key->info->type)) || !EC_KEY_generate_key(key->ec))
		return KW_ERR_CRYPTO;
	return KW_ERR_OK;
}

/* The public key is not needed to sign: it is computed when somebody asks for it. */
enum kw_err ec_key_import(struct crypto_key *key, const uint8_t *in, size_t n)
{
	const EC_GROUP *group = group_of(key->info->type);
	enum kw_err err = KW_ERR_NO_MEMORY;
	BIGNUM *scalar = NULL;

	if (n != key_type_bytes(key->info))
		return KW_ERR_BAD_KEY;
	scalar = BN_secure_new();
	key->ec = EC_KEY_new();
	if (!scalar || !key->ec || !BN_bin2bn(in, (int)n, scalar))
		goto out;
	BN_set_flags(scalar, BN_FLG_CONSTTIME);
	err = KW_ERR_BAD_KEY;
	if (BN_is_zero(scalar) || BN_ucmp(scalar, EC_GROUP_get0_order(group)) >= 0)
		goto out;
	err = KW_ERR_CRYPTO;
	if (EC_KEY_set_group(key->ec, group) && EC_KEY_set_private_key(key->ec, scalar))
		err = KW_ERR_OK;
out:
	BN_clear_free(scalar);
	return err;
}

enum kw_err ec_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	size_t size = key_type_bytes(key->info);

	if (BN_bn2binpad(EC_KEY_get0_private_key(key->ec), buf, (int)size) != (int)size)
		return KW_ERR_CRYPTO;
	*n = size;
	return KW_ERR_OK;
}

enum kw_err ec_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	const EC_GROUP *group = EC_KEY_get0_group(key->ec);
	EC_POINT *point = EC_POINT_new(group);
	enum kw_err err = KW_ERR_CRYPTO;

	if (!point)
		return KW_ERR_NO_MEMORY;
	if (!EC_POINT_mul(group, point, EC_KEY_get0_private_key(key->ec), NULL, NULL, NULL))
		goto out;
	*n = EC_POINT_point2oct(
		group, point, POINT_CONVERSION_UNCOMPRESSED, buf, CRYPTO_PUBLIC_MAX, NULL);
	if (*n)
		err = KW_ERR_OK;
out:
	EC_POINT_free(point);
	return err;
}

/* A copy takes 2 KiB. Whoever uses ten thousand keys in turn is not to have copies of them, since the
 * bound on open keys does not count these. */
#define COPIES_MAX 256
#define USES_BEFORE_COPY 16
static atomic_uint copies;

static EC_KEY *copy_to(OSSL_LIB_CTX *context, const EC_KEY *key)
{
	EC_KEY *copy = EC_KEY_new_ex(context, NULL);

	if (copy && EC_KEY_set_group(copy, EC_KEY_get0_group(key)) &&
		EC_KEY_set_private_key(copy, EC_KEY_get0_private_key(key)))
		return copy;
	EC_KEY_free(copy);
	(void)openssl_failure(KW_ERR_NO_MEMORY);
	return NULL;
}

/* The key in the context of the calling thread. Where there is no copy the common one will do. */
static EC_KEY *key_here(struct crypto_key *key)
{
	OSSL_LIB_CTX *context;
	unsigned i = context_of_thread(&context);
	EC_KEY *copy = i ? atomic_load_explicit(&key->ec_in[i], memory_order_acquire) : key->ec;
	EC_KEY *other = NULL;

	if (copy)
		return copy;
	if (atomic_load_explicit(&copies, memory_order_relaxed) >= COPIES_MAX ||
		atomic_fetch_add(&key->uses, 1) < USES_BEFORE_COPY)
		return key->ec;
	copy = copy_to(context, key->ec);
	if (!copy)
		return key->ec;
	if (atomic_compare_exchange_strong(&key->ec_in[i], &other, copy)) {
		atomic_fetch_add(&copies, 1);
		return copy;
	}
	/* A thread that shares this context was faster. */
	EC_KEY_free(copy);
	return other;
}

void ec_key_free(struct crypto_key *key)
{
	EC_KEY *copy;

	EC_KEY_free(key->ec);
	for (size_t i = 0; i < OPENSSL_CONTEXTS_MAX; i++) {
		copy = atomic_load(&key->ec_in[i]);
		if (copy)
			atomic_fetch_sub(&copies, 1);
		EC_KEY_free(copy);
	}
}

/*
 * libcrypto hedges the nonce (ecdsa_sign_setup with BN_generate_dsa_nonce): SHA-512 of private key,
 * digest and fresh random bytes, so a stuck random source does not repeat it for another message.
 * test_crypto.c checks that. It also truncates the digest (FIPS 186-5, 6.4.1).
 */
enum kw_err ec_key_sign(
	const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig, size_t *n)
{
	size_t size = key_type_bytes(key->info);
	uint8_t digest[HASH_MAX_SIZE];
	ECDSA_SIG *rs = NULL;
	enum kw_err err;
	size_t len;

	if (what->scheme != SCHEME_ECDSA)
		return KW_ERR_BAD_ALGORITHM;
	err = openssl_digest(what, digest, &len);
	if (err)
		return err;
	rs = ECDSA_do_sign(digest, (int)len, key_here((struct crypto_key *)(uintptr_t)key));
	err = KW_ERR_CRYPTO;
	if (rs && BN_bn2binpad(ECDSA_SIG_get0_r(rs), sig, (int)size) == (int)size &&
		BN_bn2binpad(ECDSA_SIG_get0_s(rs), sig + size, (int)size) == (int)size) {
		*n = 2 * size;
		err = KW_ERR_OK;
	}
	ECDSA_SIG_free(rs);
	return err;
}

/* Copying a context that is ready spares each signature the look-up of its algorithm: 1.5 of 33 us. */
static enum kw_err ed_prepare(struct crypto_key *key)
{
	if (!key->ed)
		return KW_ERR_CRYPTO;
	key->ed_ready = EVP_MD_CTX_new();
	if (!key->ed_ready)
		return KW_ERR_NO_MEMORY;
	return EVP_DigestSignInit(key->ed_ready, NULL, NULL, NULL, key->ed) > 0 ? KW_ERR_OK
										: KW_ERR_CRYPTO;
}

enum kw_err ed_key_generate(struct crypto_key *key)
{
	key->ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return ed_prepare(key);
}

enum kw_err ed_key_import(struct crypto_key *key, const uint8_t *in, size_t n)
{
	if (n != 32)
		return KW_ERR_BAD_KEY;
	key->ed = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, in, n);
	return ed_prepare(key);
}

enum kw_err ed_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	*n = 32;
	return EVP_PKEY_get_raw_private_key(key->ed, buf, n) ? KW_ERR_OK : KW_ERR_CRYPTO;
}

enum kw_err ed_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	*n = 32;
	return EVP_PKEY_get_raw_public_key(key->ed, buf, n) ? KW_ERR_OK : KW_ERR_CRYPTO;
}

enum kw_err ed_key_sign(
	const struct crypto_key *key, const struct crypto_sign *what, uint8_t *sig, size_t *n)
{
	enum kw_err err = KW_ERR_NO_MEMORY;
	EVP_MD_CTX *ctx;
	size_t len = CRYPTO_SIGNATURE_MAX;

	if (what->scheme != SCHEME_EDDSA || what->hash != HASH_NONE || what->is_digest)
		return KW_ERR_BAD_ALGORITHM;
	ctx = EVP_MD_CTX_new();
	if (!ctx)
		goto out;
	err = KW_ERR_CRYPTO;
	if (EVP_MD_CTX_copy_ex(ctx, key->ed_ready) > 0 &&
		EVP_DigestSign(ctx, sig, &len, what->data, what->n) > 0) {
		*n = len;
		err = KW_ERR_OK;
	}
out:
	EVP_MD_CTX_free(ctx);
	return err;
}

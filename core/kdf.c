/* SPDX-License-Identifier: BSD-2-Clause */
#include "kdf.h"

#include <string.h>

#include "platform.h"

static enum kw_err extract(enum hash_id hash, struct crypto_bytes secret, struct crypto_bytes salt,
	uint8_t prk[HASH_MAX_SIZE])
{
	static const uint8_t zeros[HASH_MAX_SIZE];

	if (!salt.n)
		salt = (struct crypto_bytes){zeros, hash_size(hash)};
	return crypto_hmac_with(hash, salt, &secret, 1, prk);
}

/* RFC 5869, 2.3: T(i) = HMAC(PRK, T(i-1) | info | i). */
static enum kw_err expand(enum hash_id hash, struct crypto_bytes prk, struct crypto_bytes info,
	uint8_t *out, size_t n)
{
	size_t size = hash_size(hash);
	uint8_t t[HASH_MAX_SIZE];
	uint8_t counter = 0;
	struct crypto_bytes parts[] = {{t, 0}, info, {&counter, 1}};
	enum kw_err err = KW_ERR_OK;

	for (size_t at = 0; !err && at < n; at += size) {
		size_t take = n - at < size ? n - at : size;

		counter++;
		err = crypto_hmac_with(hash, prk, parts, 3, t);
		parts[0].n = size;
		memcpy(out + at, t, err ? 0 : take);
	}
	platform_wipe(t, sizeof(t));
	return err;
}

enum kw_err kdf_hkdf(enum hash_id hash, uint8_t steps, struct crypto_bytes secret,
	struct crypto_bytes salt, struct crypto_bytes info, uint8_t *out, size_t n)
{
	uint8_t prk[HASH_MAX_SIZE];
	size_t size = hash_size(hash);
	enum kw_err err = KW_ERR_BAD_ALGORITHM;

	if (!size || !n || !(steps & (HKDF_EXTRACT | HKDF_EXPAND)))
		goto out;
	if (steps & HKDF_EXPAND ? n > 255 * size : n != size)
		goto out;
	err = KW_ERR_OK;
	if (steps & HKDF_EXTRACT) {
		err = extract(hash, secret, salt, prk);
		secret = (struct crypto_bytes){prk, size};
	}
	if (err)
		goto out;
	if (steps & HKDF_EXPAND)
		err = expand(hash, secret, info, out, n);
	else
		memcpy(out, prk, n);
out:
	platform_wipe(prk, sizeof(prk));
	return err;
}

enum kw_err kdf_x963(enum hash_id hash, struct crypto_bytes secret, struct crypto_bytes info,
	uint8_t *out, size_t n)
{
	uint8_t in[CRYPTO_AGREED_MAX + 4 + WIRE_INFO_MAX];
	uint8_t block[HASH_MAX_SIZE];
	size_t size = hash_size(hash);
	enum kw_err err = KW_ERR_BAD_ALGORITHM;
	uint32_t counter = 1;

	if (!size || !n || secret.n > CRYPTO_AGREED_MAX || info.n > WIRE_INFO_MAX)
		goto out;
	memcpy(in, secret.p, secret.n);
	memcpy(in + secret.n + 4, info.p, info.n);
	err = KW_ERR_OK;
	for (size_t at = 0; !err && at < n; at += size, counter++) {
		size_t take = n - at < size ? n - at : size;

		for (unsigned i = 0; i < 4; i++)
			in[secret.n + i] = (uint8_t)(counter >> 8 * (3 - i));
		err = crypto_hash(hash, in, secret.n + 4 + info.n, block);
		memcpy(out + at, block, err ? 0 : take);
	}
out:
	platform_wipe(in, sizeof(in));
	platform_wipe(block, sizeof(block));
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nettle 3.8 has RFC 3394 only, libcrypto has both: one implementation on single blocks makes both TEEs
 * answer the same. A is the first half of the block that goes round, R the rest of the data.
 */
#include "key_wrap.h"

#include <string.h>

#include "platform.h"

#define HALF 8
#define ROUNDS 6

static const uint8_t iv_plain[HALF] = {0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6};
static const uint8_t iv_padded[4] = {0xa6, 0x59, 0x59, 0xa6};

static enum kw_err one_block(
	const struct crypto_key *key, bool encrypt, uint8_t block[CRYPTO_BLOCK])
{
	const struct crypto_cipher what = {
		.mode = CIPHER_AES_ECB, .encrypt = encrypt, .in = block, .n = CRYPTO_BLOCK};

	return crypto_cipher(key, &what, block);
}

static void xor_step(uint8_t a[HALF], uint32_t t)
{
	for (unsigned i = 0; i < 4; i++)
		a[HALF - 1 - i] ^= (uint8_t)(t >> 8 * i);
}

/* RFC 3394, 2.2.1: a is the initial value and becomes C[0]; r is P[1…] and becomes C[1…]. */
static enum kw_err wrap_rounds(const struct crypto_key *key, uint8_t a[HALF], uint8_t *r, size_t n)
{
	uint32_t halves = (uint32_t)(n / HALF);
	uint8_t block[CRYPTO_BLOCK];
	enum kw_err err = KW_ERR_OK;

	memcpy(block, a, HALF);
	for (uint32_t step = 0; !err && step < ROUNDS * halves; step++) {
		uint8_t *at = r + (size_t)(step % halves) * HALF;

		memcpy(block + HALF, at, HALF);
		err = one_block(key, true, block);
		xor_step(block, step + 1);
		memcpy(at, block + HALF, HALF);
	}
	memcpy(a, block, HALF);
	platform_wipe(block, sizeof(block));
	return err;
}

/* RFC 3394, 2.2.2. */
static enum kw_err unwrap_rounds(
	const struct crypto_key *key, uint8_t a[HALF], uint8_t *r, size_t n)
{
	uint32_t halves = (uint32_t)(n / HALF);
	uint8_t block[CRYPTO_BLOCK];
	enum kw_err err = KW_ERR_OK;

	memcpy(block, a, HALF);
	for (uint32_t step = ROUNDS * halves; !err && step > 0; step--) {
		uint8_t *at = r + (size_t)((step - 1) % halves) * HALF;

		xor_step(block, step);
		memcpy(block + HALF, at, HALF);
		err = one_block(key, false, block);
		memcpy(at, block + HALF, HALF);
	}
	memcpy(a, block, HALF);
	platform_wipe(block, sizeof(block));
	return err;
}

static void put_length(uint8_t out[4], size_t n)
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(n >> 8 * (3 - i));
}

enum kw_err key_wrap(const struct crypto_key *key, bool padded, const uint8_t *in, size_t n,
	uint8_t *out, size_t *out_n)
{
	size_t whole = (n + HALF - 1) / HALF * HALF;
	enum kw_err err;

	*out_n = 0;
	if (n == 0 || n > KEY_WRAP_MAX || (!padded && (n % HALF || n < CRYPTO_BLOCK)))
		return KW_ERR_BAD_ALGORITHM;
	memset(out + HALF, 0, whole);
	memcpy(out + HALF, in, n);
	if (padded) {
		memcpy(out, iv_padded, sizeof(iv_padded));
		put_length(out + sizeof(iv_padded), n);
	} else {
		memcpy(out, iv_plain, HALF);
	}
	/* RFC 5649, 4.1: what is one block with its initial value is encrypted as that. */
	if (whole == HALF)
		err = one_block(key, true, out);
	else
		err = wrap_rounds(key, out, out + HALF, whole);
	if (err)
		platform_wipe(out, HALF + whole);
	else
		*out_n = HALF + whole;
	return err;
}

/* RFC 5649, 3: the length is in the last block, and what follows it is zero. All is looked at, then there is
 * one answer. */
static bool padding_is_good(const uint8_t a[HALF], const uint8_t *r, size_t n, size_t *len)
{
	uint32_t claimed = (uint32_t)a[4] << 24 | (uint32_t)a[5] << 16 | (uint32_t)a[6] << 8 | a[7];
	bool good = crypto_equal(a, iv_padded, sizeof(iv_padded));
	uint8_t rest = 0;

	good &= claimed > n - HALF;
	good &= claimed <= n;
	for (size_t i = n - HALF; i < n; i++)
		rest |= r[i] & (uint8_t)((((uint64_t)i - claimed) >> 63) - 1); /* from claimed on */
	*len = claimed;
	return good & (rest == 0);
}

enum kw_err key_unwrap(const struct crypto_key *key, bool padded, const uint8_t *in, size_t n,
	uint8_t *out, size_t *out_n)
{
	uint8_t a[CRYPTO_BLOCK];
	size_t rest, len;
	enum kw_err err;
	bool good;

	*out_n = 0;
	if (n % HALF || n > KEY_WRAP_MAX + KEY_WRAP_MORE ||
		n < (padded ? CRYPTO_BLOCK : CRYPTO_BLOCK + HALF))
		return KW_ERR_DECRYPT;
	rest = len = n - HALF;
	if (n == CRYPTO_BLOCK) {
		memcpy(a, in, sizeof(a));
		err = one_block(key, false, a);
		memcpy(out, a + HALF, HALF);
	} else {
		memcpy(a, in, HALF);
		memcpy(out, in + HALF, rest);
		err = unwrap_rounds(key, a, out, rest);
	}
	if (err)
		goto out;
	good = padded ? padding_is_good(a, out, rest, &len) : crypto_equal(a, iv_plain, HALF);
	err = good ? KW_ERR_OK : KW_ERR_DECRYPT;
out:
	if (err)
		platform_wipe(out, rest);
	else
		*out_n = len;
	platform_wipe(a, sizeof(a));
	return err;
}

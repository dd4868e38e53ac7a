/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing here branches on or indexes with a byte of the padded block. Masks are all ones for true
 * and zero for false; `hide` keeps the compiler from turning them back into branches.
 */
#include "core/rsa_unpad.h"

#include <string.h>

#include "core/platform.h"

#define PKCS1_OVERHEAD 11 /* 0x00 0x02, at least eight bytes of padding, 0x00 */
#define LENGTH_TRIES 128  /* candidates for the length of a made-up message */

static uint32_t hide(uint32_t v)
{
	__asm__("" : "+r"(v));
	return v;
}

/* The top bit to a mask. */
static uint32_t mask_top(uint32_t v)
{
	return 0u - (hide(v) >> 31);
}

static uint32_t mask_zero(uint32_t v)
{
	return mask_top(~v & (v - 1));
}

static uint32_t mask_equal(uint32_t a, uint32_t b)
{
	return mask_zero(a ^ b);
}

/* a < b, for values below 2^31. */
static uint32_t mask_less(uint32_t a, uint32_t b)
{
	return mask_top(a - b);
}

static uint32_t choose(uint32_t mask, uint32_t yes, uint32_t no)
{
	mask = hide(mask);
	return (yes & mask) | (no & ~mask);
}

/*
 * Moves the last `len` of n bytes to the front and zeroes the rest, without telling len: shifts by
 * each power of two, taken or not.
 */
static void move_to_front(uint8_t *buf, size_t n, uint32_t len)
{
	uint32_t shift = (uint32_t)n - len;

	for (uint32_t step = 1; step <= n; step <<= 1) {
		uint32_t take = ~mask_zero(shift & step);

		for (size_t i = 0; i < n; i++) {
			uint32_t from = i + step < n ? buf[i + step] : 0;

			buf[i] = (uint8_t)choose(take, from, buf[i]);
		}
	}
}

enum kw_err rsa_mgf1_xor(
	enum hash_id hash, const uint8_t *seed, size_t seed_len, uint8_t *buf, size_t n)
{
	uint8_t in[RSA_UNPAD_MAX + 4];
	uint8_t block[HASH_MAX_SIZE];
	size_t size = hash_size(hash);
	enum kw_err err = KW_ERR_OK;

	memcpy(in, seed, seed_len);
	for (uint32_t counter = 0; !err && counter * size < n; counter++) {
		size_t at = counter * size;

		in[seed_len] = 0;
		in[seed_len + 1] = 0;
		in[seed_len + 2] = (uint8_t)(counter >> 8);
		in[seed_len + 3] = (uint8_t)counter;
		err = crypto_hash(hash, in, seed_len + 4, block);
		for (size_t i = 0; !err && i < size && at + i < n; i++)
			buf[at + i] ^= block[i];
	}
	platform_wipe(in, sizeof(in));
	platform_wipe(block, sizeof(block));
	return err;
}

/* Looks through db = lHash || 00… || 01 || message. The mask says whether it is well-formed. */
static uint32_t oaep_check(const uint8_t *db, size_t db_len, const uint8_t *label_hash, size_t h,
	uint32_t *message_len)
{
	uint32_t differ = 0;
	uint32_t bad = 0;
	uint32_t found = 0;
	uint32_t index = 0;

	for (size_t i = 0; i < h; i++)
		differ |= (uint32_t)(db[i] ^ label_hash[i]);
	for (size_t i = h; i < db_len; i++) {
		uint32_t one = mask_equal(db[i], 1);

		index = choose(one & ~found, (uint32_t)i, index);
		found |= one;
		bad |= ~found & ~mask_zero(db[i]);
	}
	*message_len = (uint32_t)db_len - 1 - index;
	return mask_zero(differ) & found & ~bad;
}

enum kw_err rsa_unpad_oaep(
	const struct crypto_decrypt *what, uint8_t *em, size_t k, uint8_t *out, size_t *n)
{
	uint8_t label_hash[HASH_MAX_SIZE];
	size_t h = hash_size(what->hash);
	enum kw_err err = KW_ERR_BAD_ALGORITHM;
	uint8_t *seed = em + 1;
	uint8_t *db;
	size_t db_len;
	uint32_t good;
	uint32_t len;

	if (!h || !hash_size(what->mgf) || k > RSA_UNPAD_MAX || k < 2 * h + 2)
		goto out;
	db = seed + h;
	db_len = k - h - 1;
	err = crypto_hash(what->hash, what->label.p, what->label.n, label_hash);
	if (err)
		goto out;
	err = rsa_mgf1_xor(what->mgf, db, db_len, seed, h);
	if (err)
		goto out;
	err = rsa_mgf1_xor(what->mgf, seed, h, db, db_len);
	if (err)
		goto out;
	/* Manger's attack needs to tell the first byte from the rest: all checks are made, then one
	 * decision, which the caller learns anyway. */
	good = oaep_check(db, db_len, label_hash, h, &len) & mask_zero(em[0]);
	if (!hide(good)) {
		err = KW_ERR_DECRYPT;
		goto out;
	}
	move_to_front(db, db_len, len);
	memcpy(out, db, len);
	*n = len;
out:
	platform_wipe(em, k);
	return err;
}

/* The PRF of the draft: HMAC-SHA-256 of counter, label and length in bits, for n bytes, which are a
 * multiple of 32. */
static enum kw_err prf(
	const uint8_t key[CRYPTO_KEY_SIZE], const char *label, uint8_t *out, size_t n)
{
	uint8_t bits[2] = {(uint8_t)(n * 8 >> 8), (uint8_t)(n * 8)};
	enum kw_err err = KW_ERR_OK;

	for (size_t at = 0; !err && at < n; at += 32) {
		uint8_t counter[2] = {(uint8_t)(at / 32 >> 8), (uint8_t)(at / 32)};
		struct crypto_bytes parts[] = {
			{counter, sizeof(counter)}, {label, strlen(label)}, {bits, sizeof(bits)}};

		err = crypto_hmac(key, parts, 3, out + at);
	}
	return err;
}

/* The message that stands in for one with bad padding: as long as the block, of which the last *len
 * bytes count. */
static enum kw_err make_up(const uint8_t secret[CRYPTO_KEY_SIZE], const uint8_t *ciphertext,
	size_t k, uint8_t *message, uint32_t *len)
{
	struct crypto_bytes all = {ciphertext, k};
	uint8_t key[CRYPTO_KEY_SIZE];
	uint8_t lengths[LENGTH_TRIES * 2];
	uint32_t limit = (uint32_t)k - PKCS1_OVERHEAD + 1;
	uint32_t mask = limit;
	enum kw_err err;

	err = crypto_hmac(secret, &all, 1, key);
	if (err)
		goto out;
	err = prf(key, "message", message, k);
	if (err)
		goto out;
	err = prf(key, "length", lengths, sizeof(lengths));
	if (err)
		goto out;
	for (unsigned i = 1; i < 16; i <<= 1)
		mask |= mask >> i;
	*len = 0;
	for (size_t i = 0; i < sizeof(lengths); i += 2) {
		uint32_t candidate = ((uint32_t)lengths[i] << 8 | lengths[i + 1]) & mask;

		*len = choose(mask_less(candidate, limit), candidate, *len);
	}
out:
	platform_wipe(key, sizeof(key));
	platform_wipe(lengths, sizeof(lengths));
	return err;
}

enum kw_err rsa_unpad_pkcs1(const uint8_t secret[CRYPTO_KEY_SIZE], const uint8_t *ciphertext,
	uint8_t *em, size_t k, uint8_t *out, size_t *n)
{
	uint8_t made_up[RSA_UNPAD_MAX];
	enum kw_err err = KW_ERR_BAD_ALGORITHM;
	uint32_t found = 0;
	uint32_t zero_at = 0;
	uint32_t good;
	uint32_t len;

	if (k > RSA_UNPAD_MAX || k % 32 || k < 64)
		goto out;
	err = make_up(secret, ciphertext, k, made_up, &len);
	if (err)
		goto out;
	good = mask_zero(em[0]) & mask_equal(em[1], 2);
	for (size_t i = 2; i < k; i++) {
		uint32_t zero = mask_zero(em[i]);

		zero_at = choose(zero & ~found, (uint32_t)i, zero_at);
		found |= zero;
	}
	/* Also false when no zero was found: zero_at is 0 then. */
	good &= ~mask_less(zero_at, PKCS1_OVERHEAD - 1);
	len = choose(good, (uint32_t)k - 1 - zero_at, len);
	for (size_t i = 0; i < k; i++)
		out[i] = (uint8_t)choose(good, em[i], made_up[i]);
	move_to_front(out, k, len);
	*n = len;
out:
	platform_wipe(made_up, sizeof(made_up));
	platform_wipe(em, k);
	return err;
}

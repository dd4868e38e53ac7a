/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/rsa_block.h"

#include <string.h>

#include "core/platform.h"
#include "core/rsa_unpad.h"

#define PKCS1_PADDING_MIN 8
#define PSS_TRAILER 0xbc

/*
 * Whoever may choose half of a block decrypts with two signatures (M. Girault and J.-F. Misarsky,
 * EUROCRYPT 1997; test_rsa_sign.c); below a third no such way is known (A. Lenstra and I. Shparlinski, PKC 2002).
 * SHA-512's DigestInfo, of 83 bytes, is below a third of the smallest modulus. Zeros in front are no choice.
 */
bool rsa_block_may_contain(const uint8_t *contents, size_t n, size_t k)
{
	while (n && contents[0] == 0) {
		contents++;
		n--;
	}
	return n <= k / 3;
}

static bool is_pkcs1(const uint8_t *em, size_t k)
{
	size_t i = 2;

	if (k < 3 || em[0] != 0 || em[1] != 1)
		return false;
	while (i < k && em[i] == 0xff)
		i++;
	/* A byte of contents at least. */
	return i >= 2 + PKCS1_PADDING_MIN && i + 1 < k && em[i] == 0 &&
	       rsa_block_may_contain(em + i + 1, k - i - 1, k);
}

/* RFC 8017, 9.1.2, steps 4 to 11; the hash of the message itself is not known. */
static bool is_pss(enum hash_id hash, const uint8_t *em, size_t k)
{
	uint8_t db[RSA_UNPAD_MAX];
	size_t h = hash_size(hash);
	size_t len = k - h - 1;
	size_t i = 0;

	if (k < 2 * h + 2 || em[k - 1] != PSS_TRAILER || em[0] & 0x80)
		return false;
	memcpy(db, em, len);
	if (rsa_mgf1_xor(hash, em + len, h, db, len))
		return false;
	db[0] &= 0x7f;
	while (i < len && db[i] == 0)
		i++;
	return i < len && db[i] == 1 && len - i - 1 <= h;
}

bool rsa_block_is_signature(const uint8_t *em, size_t k)
{
	static const enum hash_id hashes[] = {
#define KW_HASH(number, NAME, name, bytes) HASH_##NAME,
#include "keyward/algorithms.def"
	};
	bool good = false;

	if (k > RSA_UNPAD_MAX)
		return false;
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		good = good || is_pss(hashes[i], em, k);
	return good || is_pkcs1(em, k);
}

enum kw_err rsa_block_oaep(enum hash_id hash, enum hash_id mgf, struct crypto_bytes label,
	struct crypto_bytes message, uint8_t *em, size_t k)
{
	size_t h = hash_size(hash);
	uint8_t *seed = em + 1;
	enum kw_err err;
	size_t db_len;
	uint8_t *db;

	if (!h || !hash_size(mgf) || k > RSA_UNPAD_MAX || k < 2 * h + 2 ||
		message.n > k - 2 * h - 2)
		return KW_ERR_BAD_ALGORITHM;
	db = seed + h;
	db_len = k - h - 1;
	memset(em, 0, k);
	memcpy(em + k - message.n, message.p, message.n);
	em[k - message.n - 1] = 1;
	err = crypto_hash(hash, label.p, label.n, db);
	if (!err)
		err = platform_random(seed, h);
	if (!err)
		err = rsa_mgf1_xor(mgf, seed, h, db, db_len);
	if (!err)
		err = rsa_mgf1_xor(mgf, db, db_len, seed, h);
	if (err)
		platform_wipe(em, k);
	return err;
}

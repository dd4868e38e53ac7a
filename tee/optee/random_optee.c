/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers. OP-TEE without a driver for a hardware source seeds its generator with the time since
 * power-on alone (plat_rng_init): on an emulated board 3 of 1,000 keys, made in a dozen boots, were the same.
 * So ours are made from OP-TEE's and from a pool, and are as good as the better of the two. The pool begins
 * with a seed in our storage, which is replaced, durably, before anything is made from it; so no two starts
 * are alike. It is also fed with the device's key, the normal world's time, and what clients send.
 *
 * Only the hash of the pool is ever kept or given out, so neither shows what was made before or will be made
 * after other input (NIST SP 800-90A, 8.8).
 */
#include <string.h>
#include <tee_internal_api.h>
#include <utee_syscalls.h>

#include "core/crypto.h"
#include "object.h"
#include "platform_optee.h"

#define NAME_SEED "keyward seed"
#define POOL_SIZE CRYPTO_KEY_SIZE
#define MARK_SIZE 8 /* of the hash of what OP-TEE's generator gave first */
#define MARKS 64    /* starts that are remembered */
#define FIRST_SIZE 32

/* The object: a seed, then marks of the last starts, the latest first. */
struct seed {
	uint8_t pool[POOL_SIZE];
	uint8_t marks[MARKS][MARK_SIZE];
};

static uint8_t pool[POOL_SIZE];
static uint8_t mark[MARK_SIZE]; /* of this start */
static bool is_open, is_saved, has_repeated;

bool random_has_repeated(void)
{
	return has_repeated;
}

/* What the pool is for one purpose; a label ends with its NUL, so none begins with another. */
static enum kw_err derive(const char *label, const void *p, size_t n, uint8_t out[POOL_SIZE])
{
	const struct crypto_bytes parts[] = {{label, strlen(label) + 1}, {p, n}};

	return crypto_hmac(pool, parts, 2, out);
}

void random_add(const void *p, size_t n)
{
	uint8_t next[POOL_SIZE];

	if (!derive("add", p, n, next))
		memcpy(pool, next, sizeof(pool));
	platform_wipe(next, sizeof(next));
}

enum kw_err platform_random(void *buf, size_t n)
{
	static uint64_t counter;
	uint8_t block[POOL_SIZE];
	uint8_t *to = buf;
	enum kw_err err = KW_ERR_CRYPTO;

	if (!is_open || (n && _utee_cryp_random_number_generate(buf, n)))
		return KW_ERR_CRYPTO;
	for (size_t done = 0; done < n; done++) {
		if (done % sizeof(block) == 0) {
			counter++;
			err = derive("give", &counter, sizeof(counter), block);
			if (err)
				goto out;
		}
		to[done] ^= block[done % sizeof(block)];
	}
	random_add(&counter, sizeof(counter));
	err = KW_ERR_OK;
out:
	if (err)
		platform_wipe(buf, n);
	platform_wipe(block, sizeof(block));
	return err;
}

/* OP-TEE's generator, the device's key, and both clocks. */
static enum kw_err add_own(void)
{
	uint8_t first[FIRST_SIZE], hash[32];
	TEE_Time times[2];
	enum kw_err err = KW_ERR_CRYPTO;

	memset(times, 0, sizeof(times));
	if (_utee_cryp_random_number_generate(first, sizeof(first)))
		goto out;
	err = crypto_hash(HASH_SHA256, first, sizeof(first), hash);
	if (err)
		goto out;
	memcpy(mark, hash, MARK_SIZE);
	random_add(first, sizeof(first));
	(void)_utee_get_time(UTEE_TIME_CAT_SYSTEM, &times[0]);
	(void)_utee_get_time(UTEE_TIME_CAT_REE, &times[1]);
	random_add(times, sizeof(times));
	err = platform_device_key("keyward random v1", hash);
	if (!err)
		random_add(hash, sizeof(hash));
out:
	platform_wipe(first, sizeof(first));
	platform_wipe(hash, sizeof(hash));
	return err;
}

/* The latest start's mark, or any other, twice. */
static bool has_twice(const struct seed *seed)
{
	static const uint8_t none[MARK_SIZE];

	for (unsigned i = 0; i < MARKS; i++) {
		for (unsigned j = i + 1; j < MARKS; j++) {
			if (memcmp(seed->marks[i], none, MARK_SIZE) &&
				!memcmp(seed->marks[i], seed->marks[j], MARK_SIZE))
				return true;
		}
	}
	return false;
}

/* The seed in the storage, zeros when there is none or another's: then this start is the first. */
static enum kw_err read_seed(object_handle *object, struct seed *seed)
{
	uint64_t got = 0;
	TEE_Result result;

	memset(seed, 0, sizeof(*seed));
	result = object_open(TEE_STORAGE_PRIVATE, NAME_SEED, object);
	if (result == TEE_ERROR_ITEM_NOT_FOUND || result == TEE_ERROR_CORRUPT_OBJECT)
		result = object_create(NAME_SEED, object);
	else if (!result)
		result = _utee_storage_obj_read(*object, seed, sizeof(*seed), &got);
	if (result)
		return object_failure("read", NAME_SEED, result);
	return KW_ERR_OK;
}

static enum kw_err write_seed(object_handle object, const struct seed *seed)
{
	TEE_Result result = object_seek(object, 0);

	if (!result)
		result = _utee_storage_obj_write(object, seed, sizeof(*seed));
	return result ? object_failure("write", NAME_SEED, result) : KW_ERR_OK;
}

enum kw_err random_save(void)
{
	object_handle object = 0;
	struct seed seed;
	enum kw_err err;

	if (is_saved)
		return KW_ERR_OK;
	err = read_seed(&object, &seed);
	if (err)
		goto out;
	random_add(seed.pool, sizeof(seed.pool));
	memmove(seed.marks[1], seed.marks[0], sizeof(seed.marks) - MARK_SIZE);
	memcpy(seed.marks[0], mark, MARK_SIZE);
	has_repeated = has_twice(&seed);
	if (has_repeated)
		platform_log("OP-TEE'S RANDOM NUMBERS REPEAT: it has no source of randomness");
	err = derive("seed", NULL, 0, seed.pool);
	if (!err)
		err = write_seed(object, &seed);
	/* What comes cannot be told from the seed that was written. */
	random_add("saved", 5);
	is_saved = !err;
out:
	object_close(&object);
	platform_wipe(&seed, sizeof(seed));
	return err;
}

enum kw_err random_open(void)
{
	enum kw_err err;

	if (is_open)
		return KW_ERR_OK;
	err = add_own();
	if (err)
		return err;
	is_open = true;
	/* Signatures do without: see random_save. */
	if (random_save())
		platform_log(
			"the seed for random numbers was not saved; no key is made before it is");
	return KW_ERR_OK;
}

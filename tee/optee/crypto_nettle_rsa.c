/* SPDX-License-Identifier: BSD-2-Clause */
/* RSA keys on nettle: making, checking and encoding them. What they do is in the next file. */
#include "crypto_nettle.h"

#include <gmp.h>
#include <nettle/bignum.h>

#include "core/platform.h"
#include "core/rsa_unpad.h"
#include "wire/codec.h"

#define DEFAULT_EXPONENT 65537
/* FIPS 186-5, A.1.3: primes that are closer than 2^(bits/2 - 100) are found by Fermat's method. */
#define CLOSE_BITS 100
/* GMP runs the Baillie-PSW test, which no known composite passes, then rounds of Miller-Rabin. */
#define PRIME_ROUNDS 64

bool number_to_bytes(const mpz_t from, uint8_t *to, size_t n)
{
	const size_t limb = sizeof(mp_limb_t);
	size_t size = mpz_size(from);
	const mp_limb_t *limbs = mpz_limbs_read(from);
	mp_limb_t rest = 0;

	if (size > (n + limb - 1) / limb)
		return false;
	for (size_t i = 0; i < n; i++) {
		mp_limb_t v = i / limb < size ? limbs[i / limb] : 0;

		to[n - 1 - i] = (uint8_t)(v >> 8 * (i % limb));
	}
	if (n % limb && size == n / limb + 1)
		rest = limbs[size - 1] >> 8 * (n % limb);
	return !rest;
}

static void rsa_prepare(struct crypto_key *key)
{
	rsa_public_key_init(&key->rsa_public);
	rsa_private_key_init(&key->rsa);
	key->has_numbers = true;
}

static void read_number(struct reader *r, size_t n, mpz_t to)
{
	const uint8_t *p = get_bytes(r, n);

	if (p)
		nettle_mpz_set_str_256_u(to, n, p);
}

/* nettle asserts, and would take the whole TEE down, if a number is even or has another size. */
static bool sizes_fit(struct crypto_key *key)
{
	struct rsa_private_key *rsa = &key->rsa;
	size_t bits = key->info->bits;

	if (mpz_sizeinbase(rsa->p, 2) != bits / 2 || mpz_sizeinbase(rsa->q, 2) != bits / 2 ||
		mpz_even_p(rsa->p) || mpz_even_p(rsa->q) || mpz_even_p(key->rsa_public.e) ||
		!mpz_cmp(rsa->p, rsa->q))
		return false;
	mpz_mul(key->rsa_public.n, rsa->p, rsa->q);
	key->rsa_public.size = bits / 8;
	rsa->size = bits / 8;
	return mpz_sizeinbase(key->rsa_public.n, 2) == bits;
}

/* FIPS 186-5, A.1.1. False when e has no inverse. */
static bool compute_crt(struct crypto_key *key)
{
	struct rsa_private_key *rsa = &key->rsa;
	bool good;
	mpz_t less_one;

	mpz_init(less_one);
	mpz_sub_ui(less_one, rsa->p, 1);
	good = mpz_invert(rsa->a, key->rsa_public.e, less_one);
	mpz_sub_ui(less_one, rsa->q, 1);
	good = good && mpz_invert(rsa->b, key->rsa_public.e, less_one) &&
	       mpz_invert(rsa->c, rsa->q, rsa->p);
	mpz_clear(less_one);
	return good;
}

static bool are_good_primes(const struct crypto_key *key)
{
	bool good;
	mpz_t distance;

	mpz_init(distance);
	mpz_sub(distance, key->rsa.p, key->rsa.q);
	good = mpz_sizeinbase(distance, 2) > key->info->bits / 2 - CLOSE_BITS &&
	       mpz_probab_prime_p(key->rsa.p, PRIME_ROUNDS) &&
	       mpz_probab_prime_p(key->rsa.q, PRIME_ROUNDS);
	mpz_clear(distance);
	return good;
}

enum kw_err rsa_key_generate(struct crypto_key *key)
{
	struct stream stream;
	enum kw_err err = stream_seed(&stream, NULL, 0);

	if (err)
		goto out;
	rsa_prepare(key);
	mpz_set_ui(key->rsa_public.e, DEFAULT_EXPONENT);
	err = KW_ERR_CRYPTO;
	if (rsa_generate_keypair(&key->rsa_public, &key->rsa, &stream, stream_read, NULL, NULL,
		    key->info->bits, 0) &&
		sizes_fit(key) && compute_crt(key))
		err = KW_ERR_OK;
out:
	stream_wipe(&stream);
	return err;
}

enum kw_err rsa_key_import(struct crypto_key *key, const uint8_t *in, size_t n)
{
	struct reader r = reader_over(in, n);
	size_t half = key->info->bits / 16;

	rsa_prepare(key);
	read_number(&r, 4, key->rsa_public.e);
	read_number(&r, half, key->rsa.p);
	read_number(&r, half, key->rsa.q);
	if (!reader_done(&r) || mpz_cmp_ui(key->rsa_public.e, DEFAULT_EXPONENT) < 0 ||
		!sizes_fit(key) || !are_good_primes(key) || !compute_crt(key))
		return KW_ERR_BAD_KEY;
	return KW_ERR_OK;
}

/* For an exponent or coefficient: mpn_sec_powm wants at least one bit. */
static bool is_below(const mpz_t v, const mpz_t limit)
{
	return mpz_sgn(v) > 0 && mpz_cmp(v, limit) < 0;
}

enum kw_err rsa_key_load(struct crypto_key *key, const uint8_t *in, size_t n)
{
	struct reader r = reader_over(in, n);
	size_t half = key->info->bits / 16;

	rsa_prepare(key);
	read_number(&r, 4, key->rsa_public.e);
	read_number(&r, half, key->rsa.p);
	read_number(&r, half, key->rsa.q);
	read_number(&r, half, key->rsa.a);
	read_number(&r, half, key->rsa.b);
	read_number(&r, half, key->rsa.c);
	if (!reader_done(&r) || !sizes_fit(key) || !is_below(key->rsa.a, key->rsa.p) ||
		!is_below(key->rsa.b, key->rsa.q) || !is_below(key->rsa.c, key->rsa.p))
		return KW_ERR_BAD_KEY;
	return KW_ERR_OK;
}

static void write_number(struct writer *w, const mpz_t from, size_t n)
{
	uint8_t buf[RSA_UNPAD_MAX];

	if (!number_to_bytes(from, buf, n))
		w->failed = true;
	else
		put_bytes(w, buf, n);
	platform_wipe(buf, sizeof(buf));
}

enum kw_err rsa_key_private(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	struct writer w = writer_over(buf, CRYPTO_PRIVATE_MAX);
	size_t half = key->info->bits / 16;

	write_number(&w, key->rsa_public.e, 4);
	write_number(&w, key->rsa.p, half);
	write_number(&w, key->rsa.q, half);
	write_number(&w, key->rsa.a, half);
	write_number(&w, key->rsa.b, half);
	write_number(&w, key->rsa.c, half);
	*n = w.len;
	return w.failed ? KW_ERR_CRYPTO : KW_ERR_OK;
}

enum kw_err rsa_key_public(const struct crypto_key *key, uint8_t *buf, size_t *n)
{
	struct writer w = writer_over(buf, CRYPTO_PUBLIC_MAX);

	write_number(&w, key->rsa_public.e, 4);
	write_number(&w, key->rsa_public.n, key->info->bits / 8);
	*n = w.len;
	return w.failed ? KW_ERR_CRYPTO : KW_ERR_OK;
}

/* The numbers, and for each block what crypto_nettle_memory.c and an allocator put in front. */
size_t crypto_key_memory(enum key_type type)
{
	const struct key_type_info *info = key_type_find((uint8_t)type);
	const size_t head = 64;
	size_t size = sizeof(struct crypto_key) + head / 2;

	if (info && info->family == FAMILY_RSA) /* n; p, q, a, b, c; e and d, of a limb */
		size += info->bits / 8 + 5 * (info->bits / 16) + 8 * (head + 2 * sizeof(mp_limb_t));
	if (info && info->family == FAMILY_EC)
		size += head + info->bits / 8 + 2 * sizeof(mp_limb_t);
	return size;
}

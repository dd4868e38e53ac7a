/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What core/crypto.h costs with the library that this is linked to, for each type of key:
 * signatures a second beside libcrypto's own EVP_DigestSign with a fresh context (medians of
 * interleaved rounds, one thread), microseconds to load a key from its private encoding, and bytes
 * of heap that a used key holds.
 *
 *	bench_crypto_openssl [SECONDS]
 */
#include "rounds.h"

#include <malloc.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/crypto.h"
#include "core/key_type.h"

#define ROUNDS 5
#define MANY 64

static double round_seconds = 0.3;

struct subject {
	const struct key_type_info *info;
	struct crypto_key *key;
	EVP_PKEY *pkey;
	uint8_t private_part[CRYPTO_PRIVATE_MAX];
	size_t private_len;
	uint64_t n;
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_crypto: %s failed\n", what);
	exit(1);
}

static void sign_ours(struct subject *s)
{
	static const enum scheme schemes[] = {[FAMILY_RSA] = SCHEME_RSA_PSS,
		[FAMILY_EC] = SCHEME_ECDSA,
		[FAMILY_ED] = SCHEME_EDDSA};
	uint8_t message[BENCH_MESSAGE_SIZE], sig[CRYPTO_SIGNATURE_MAX];
	struct crypto_sign what = {.scheme = schemes[s->info->family],
		.hash = HASH_SHA256,
		.data = message,
		.n = sizeof(message)};
	size_t n;

	if (s->info->family == FAMILY_RSA)
		what.salt_len = 32;
	if (s->info->family == FAMILY_ED)
		what.hash = HASH_NONE;
	bench_message(message, s->n++);
	must(crypto_sign(s->key, &what, sig, &n) == KW_ERR_OK, "crypto_sign");
}

static void sign_theirs(struct subject *s)
{
	uint8_t message[BENCH_MESSAGE_SIZE], sig[CRYPTO_SIGNATURE_MAX];
	const EVP_MD *md = s->info->family == FAMILY_ED ? NULL : EVP_sha256();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *params = NULL;
	size_t n = sizeof(sig);

	bench_message(message, s->n++);
	must(ctx && EVP_DigestSignInit(ctx, &params, md, NULL, s->pkey) > 0, "EVP_DigestSignInit");
	if (s->info->family == FAMILY_RSA)
		must(EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING) > 0 &&
				EVP_PKEY_CTX_set_rsa_pss_saltlen(params, 32) > 0,
			"padding");
	must(EVP_DigestSign(ctx, sig, &n, message, sizeof(message)) > 0, "EVP_DigestSign");
	EVP_MD_CTX_free(ctx);
}

static void load_and_free(struct subject *s)
{
	struct crypto_key *key = NULL;

	must(crypto_key_load(s->info->type, s->private_part, s->private_len, &key) == KW_ERR_OK,
		"load");
	crypto_key_free(&key);
}

static double rate(void (*run)(struct subject *), struct subject *s)
{
	double begin = bench_now();
	double now;
	unsigned n = 0;

	do {
		run(s);
		n++;
		now = bench_now();
	} while (now - begin < round_seconds);
	return n / (now - begin);
}

static EVP_PKEY *their_key(const struct key_type_info *info)
{
	if (info->family == FAMILY_RSA)
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)info->bits);
	if (info->family == FAMILY_EC)
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC",
			info->bits == 256   ? "P-256"
			: info->bits == 384 ? "P-384"
					    : "P-521");
	return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

/* Of keys that have signed, when the library has made what it caches. */
static size_t heap_of_a_key(struct subject *s)
{
	struct crypto_key *keys[MANY] = {0};
	struct crypto_key *mine = s->key;
	struct mallinfo2 before = mallinfo2();
	struct mallinfo2 after;

	for (size_t i = 0; i < MANY; i++) {
		must(crypto_key_load(s->info->type, s->private_part, s->private_len, &keys[i]) ==
				KW_ERR_OK,
			"load");
		s->key = keys[i];
		sign_ours(s);
	}
	after = mallinfo2();
	s->key = mine;
	for (size_t i = 0; i < MANY; i++)
		crypto_key_free(&keys[i]);
	return (after.uordblks - before.uordblks) / MANY;
}

static void measure(enum key_type type)
{
	struct subject s = {.info = key_type_find((uint8_t)type)};
	double ours[ROUNDS], theirs[ROUNDS], loads[ROUNDS];
	double x, y;

	must(crypto_key_generate(type, &s.key) == KW_ERR_OK, "generate");
	must(crypto_key_private(s.key, s.private_part, &s.private_len) == KW_ERR_OK, "private");
	s.pkey = their_key(s.info);
	must(s.pkey, "EVP_PKEY_Q_keygen");
	for (unsigned i = 0; i < ROUNDS; i++) {
		ours[i] = rate(sign_ours, &s);
		theirs[i] = rate(sign_theirs, &s);
		loads[i] = rate(load_and_free, &s);
	}
	x = bench_percentile(ours, ROUNDS, 0.5);
	y = bench_percentile(theirs, ROUNDS, 0.5);
	printf("%-10s %9.0f %9.0f %6.2f %9.1f %7zu %7zu\n", s.info->name, x, y, x / y,
		1e6 / bench_percentile(loads, ROUNDS, 0.5), heap_of_a_key(&s),
		crypto_key_memory(type));
	crypto_key_free(&s.key);
	EVP_PKEY_free(s.pkey);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		round_seconds = strtod(argv[1], NULL);
	must(crypto_init() == KW_ERR_OK, "crypto_init");
	printf("%s, beside %s\n", crypto_version(), OpenSSL_version(OPENSSL_VERSION));
	printf("%-10s %9s %9s %6s %9s %7s %7s\n", "key", "sign/s", "EVP/s", "ratio", "load us",
		"heap", "told");
#define KW_KEY_TYPE(number, NAME, name, FAMILY, bits) \
	if (FAMILY_##FAMILY <= FAMILY_ED)             \
		measure(KEY_TYPE_##NAME);
#include "keyward/algorithms.def"
	return 0;
}

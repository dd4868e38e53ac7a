/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures of an RSA key that only signs, and what an attacker would make of them. Whoever has blocks signed of
 * which he chooses more than half has everything decrypted: for a ciphertext c he finds two such blocks u and v with
 * c * u = v mod n, and c^d = v^d / u^d (M. Girault and J.-F. Misarsky, "Selective
 * Forgery of RSA Signatures Using Redundancy", EUROCRYPT 1997).
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "test_calls.h"

#include <openssl/bn.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define RSA_BYTES 256
#define HEAD 11 /* of a block with the shortest padding */
#define CONTENTS (RSA_BYTES - HEAD)

static enum kw_err sign(
	struct id id, uint8_t scheme, uint8_t hash, uint8_t input, const uint8_t *data, size_t n)
{
	struct writer w = fresh();

	put_bytes(&w, id.b, sizeof(id.b));
	put_u8(&w, scheme);
	put_u8(&w, hash);
	put_u8(&w, input);
	put_u16(&w, 0);
	put_field32(&w, data, n);
	return call(OWNER, CMD_SIGN, &w);
}

static enum kw_err sign_block(struct id id, const uint8_t block[RSA_BYTES])
{
	return sign(id, SCHEME_RSA_RAW, HASH_NONE, INPUT_MESSAGE, block, RSA_BYTES);
}

static enum kw_err sign_bytes(struct id id, const uint8_t *data, size_t n)
{
	return sign(id, SCHEME_RSA_PKCS1, HASH_NONE, INPUT_DIGEST, data, n);
}

static RSA *last_public(void)
{
	const uint8_t *p;
	size_t n = public_part(&p);

	return d2i_RSA_PUBKEY(NULL, &p, (long)n);
}

/* The numbers of an attack. n is the modulus, c the ciphertext. */
struct attack {
	BN_CTX *ctx;
	BIGNUM *n, *c, *t, *middle, *s[2], *r[2], *u, *v;
};

/* Two short vectors (s, r) with r = c * s mod n: Euclid's algorithm, stopped half way. */
static void find_short(struct attack *a)
{
	BIGNUM *q = BN_new(), *rest = BN_new(), *p = BN_new();

	assert_non_null(BN_copy(a->r[0], a->n));
	assert_non_null(BN_copy(a->r[1], a->c));
	BN_zero(a->s[0]);
	assert_true(BN_one(a->s[1]));
	while (BN_num_bits(a->r[0]) > 4 * RSA_BYTES) {
		assert_true(BN_div(q, rest, a->r[0], a->r[1], a->ctx));
		BN_swap(a->r[0], a->r[1]);
		BN_swap(a->r[1], rest);
		assert_true(BN_mul(p, q, a->s[1], a->ctx) && BN_sub(p, a->s[0], p));
		BN_swap(a->s[0], a->s[1]);
		BN_swap(a->s[1], p);
	}
	BN_free(q);
	BN_free(rest);
	BN_free(p);
}

/* to = (x * d - y * b) / det, without its fraction. */
static void share(struct attack *a, BIGNUM *to, const BIGNUM *x, const BIGNUM *d, const BIGNUM *y,
	const BIGNUM *b, const BIGNUM *det)
{
	BIGNUM *p = BN_new();

	assert_true(BN_mul(to, x, d, a->ctx) && BN_mul(p, y, b, a->ctx) && BN_sub(to, to, p) &&
		    BN_div(to, NULL, to, det, a->ctx));
	BN_free(p);
}

/* x = k0 * s0 + k1 * s1 near the middle, such that y = c * x + t mod n is near it as well. Then u = head + x,
 * v = head + y. */
static void find_blocks(struct attack *a, const BIGNUM *head)
{
	BIGNUM *y = BN_new(), *det = BN_new(), *p = BN_new(), *k[2] = {BN_new(), BN_new()};

	assert_true(BN_mod_mul(a->t, a->c, head, a->n, a->ctx) &&
		    BN_mod_sub(a->t, a->t, head, a->n, a->ctx));
	find_short(a);
	assert_true(BN_sub(y, a->middle, a->t));
	share(a, det, a->s[0], a->r[1], a->s[1], a->r[0], BN_value_one());
	share(a, k[0], a->middle, a->r[1], y, a->s[1], det);
	share(a, k[1], y, a->s[0], a->middle, a->r[0], det);
	assert_true(BN_mul(a->u, k[0], a->s[0], a->ctx) && BN_mul(p, k[1], a->s[1], a->ctx) &&
		    BN_add(a->u, a->u, p) && BN_add(a->u, a->u, head));
	assert_true(BN_mod_mul(a->v, a->c, a->u, a->n, a->ctx));
	BN_free(y);
	BN_free(det);
	BN_free(p);
	BN_free(k[0]);
	BN_free(k[1]);
}

static void attack_begin(struct attack *a, const RSA *rsa, const uint8_t *ciphertext)
{
	static const uint8_t start[HEAD] = {
		0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
	uint8_t block[RSA_BYTES] = {0};
	BIGNUM *head;

	a->ctx = BN_CTX_new();
	for (unsigned i = 0; i < 2; i++) {
		a->s[i] = BN_new();
		a->r[i] = BN_new();
	}
	a->n = BN_dup(RSA_get0_n(rsa));
	a->c = BN_bin2bn(ciphertext, RSA_BYTES, NULL);
	a->t = BN_new();
	a->u = BN_new();
	a->v = BN_new();
	block[HEAD] = 0x80;
	a->middle = BN_bin2bn(block, RSA_BYTES, NULL);
	memcpy(block, start, HEAD);
	block[HEAD] = 0;
	head = BN_bin2bn(block, RSA_BYTES, NULL);
	find_blocks(a, head);
	BN_free(head);
}

static void attack_end(struct attack *a)
{
	BIGNUM *all[] = {
		a->n, a->c, a->t, a->middle, a->s[0], a->s[1], a->r[0], a->r[1], a->u, a->v};

	for (size_t i = 0; i < COUNT(all); i++)
		BN_free(all[i]);
	BN_CTX_free(a->ctx);
}

/* What the two signatures give: c^d = v^d / u^d. */
static void divide(struct attack *a, const uint8_t *of_u, const uint8_t *of_v, uint8_t *out)
{
	BIGNUM *u = BN_bin2bn(of_u, RSA_BYTES, NULL), *v = BN_bin2bn(of_v, RSA_BYTES, NULL);

	assert_non_null(BN_mod_inverse(u, u, a->n, a->ctx));
	assert_true(BN_mod_mul(v, v, u, a->n, a->ctx));
	assert_int_equal(BN_bn2binpad(v, out, RSA_BYTES), RSA_BYTES);
	BN_free(u);
	BN_free(v);
}

static void get_block(const BIGNUM *from, uint8_t block[RSA_BYTES])
{
	static const uint8_t start[] = {0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};

	assert_int_equal(BN_bn2binpad(from, block, RSA_BYTES), RSA_BYTES);
	/* It is padded as a signature has to be. */
	assert_memory_equal(block, start, sizeof(start));
}

static void test_signatures_do_not_decrypt(void **state)
{
	static const uint8_t secret[32] = "a key that was wrapped with it";
	uint8_t em[RSA_BYTES], sealed[RSA_BYTES], u[RSA_BYTES], v[RSA_BYTES];
	uint8_t of_u[RSA_BYTES], of_v[RSA_BYTES];
	struct attack a;
	struct id id, raw;
	RSA *rsa;

	(void)state;
	id = generate(KEY_TYPE_RSA_2048, PURPOSE_SIGN | PURPOSE_UNWRAP);
	rsa = last_public();
	assert_int_equal(RSA_padding_add_PKCS1_OAEP(em, RSA_BYTES, secret, 32, NULL, 0), 1);
	assert_int_equal(RSA_public_encrypt(RSA_BYTES, em, sealed, rsa, RSA_NO_PADDING), RSA_BYTES);
	attack_begin(&a, rsa, sealed);
	get_block(a.u, u);
	get_block(a.v, v);
	assert_int_equal(sign_block(id, u), KW_ERR_PURPOSE);
	assert_int_equal(sign_block(id, v), KW_ERR_PURPOSE);
	assert_int_equal(sign_bytes(id, u + HEAD, CONTENTS), KW_ERR_PURPOSE);
	assert_int_equal(sign_bytes(id, v + HEAD, CONTENTS), KW_ERR_PURPOSE);
	attack_end(&a);
	RSA_free(rsa);

	/* The attack is one: a key for any block signs both, and what comes of them is the block that was sealed. */
	raw = generate(KEY_TYPE_RSA_2048, PURPOSE_RAW | PURPOSE_SIGN);
	rsa = last_public();
	assert_int_equal(RSA_public_encrypt(RSA_BYTES, em, sealed, rsa, RSA_NO_PADDING), RSA_BYTES);
	attack_begin(&a, rsa, sealed);
	get_block(a.u, u);
	get_block(a.v, v);
	assert_int_equal(sign_block(raw, u), KW_ERR_OK);
	memcpy(of_u, reply + 2, RSA_BYTES);
	assert_int_equal(sign_bytes(raw, v + HEAD, CONTENTS), KW_ERR_OK);
	memcpy(of_v, reply + 2, RSA_BYTES);
	divide(&a, of_u, of_v, u);
	assert_memory_equal(u, em, RSA_BYTES);
	attack_end(&a);
	RSA_free(rsa);
}

static void test_how_much_the_caller_may_say(void **state)
{
	static const unsigned bits[] = {2048, 3072, 4096};
	static const uint8_t types[] = {KEY_TYPE_RSA_2048, KEY_TYPE_RSA_3072, KEY_TYPE_RSA_4096};
	uint8_t block[512], contents[512];

	(void)state;
	memset(contents, 0x5a, sizeof(contents));
	for (size_t i = 0; i < COUNT(types); i++) {
		struct id id = generate(types[i], PURPOSE_SIGN);
		int k = (int)bits[i] / 8;

		/* A third of the modulus has room for every DigestInfo. */
		for (int n = k / 3; n <= k / 3 + 1; n++) {
			enum kw_err expected = n > k / 3 ? KW_ERR_PURPOSE : KW_ERR_OK;

			assert_int_equal(sign_bytes(id, contents, (size_t)n), expected);
			assert_int_equal(RSA_padding_add_PKCS1_type_1(block, k, contents, n), 1);
			assert_int_equal(sign(id, SCHEME_RSA_RAW, HASH_NONE, INPUT_MESSAGE, block,
						 (size_t)k),
				expected);
		}
		assert_int_equal(sign_bytes(id, contents, (size_t)k - 10), KW_ERR_BAD_ALGORITHM);
		/* Zeros in front are not chosen: pkcs11-tool tests with nothing else. */
		memset(contents, 0, (size_t)(k - HEAD - k / 3));
		assert_int_equal(sign_bytes(id, contents, (size_t)(k - HEAD)), KW_ERR_OK);
		contents[k - HEAD - k / 3 - 1] = 1;
		assert_int_equal(sign_bytes(id, contents, (size_t)(k - HEAD)), KW_ERR_PURPOSE);
		memset(contents, 0x5a, sizeof(contents));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_signatures_do_not_decrypt),
		TEST(test_how_much_the_caller_may_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

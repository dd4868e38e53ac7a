/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One backend of core/crypto.h behind a line protocol for test programs: each line of stdin is a
 * command with arguments in hexadecimal ("-" for none) or decimal; each gets one line, "ok HEX" or
 * "error NAME". See the table at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/kdf.h"
#include "core/key_type.h"
#include "core/key_wrap.h"
#include "core/rsa_block.h"
#include "tests/support/verify.h"

#define LINE_MAX_BYTES (1 << 20)
#define ARGS_MAX 10

struct arg {
	uint8_t *p;
	size_t n;
	unsigned long number;
};

static const char *error_name(enum kw_err err)
{
	switch (err) {
#define KW_ERROR(number, NAME, sentence) \
	case KW_ERR_##NAME:              \
		return #NAME;
#include "wire/errors.def"
	}
	return "?";
}

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place: the bytes overwrite the digits. What is not hexadecimal is taken as a number only. */
static void parse_arg(char *text, struct arg *arg)
{
	size_t digits = strcmp(text, "-") ? strlen(text) : 0;

	arg->p = (uint8_t *)text;
	arg->n = digits / 2;
	arg->number = strtoul(text, NULL, 10);
	for (size_t i = 0; i < arg->n; i++) {
		int high = nibble(text[2 * i]);
		int low = nibble(text[2 * i + 1]);

		arg->p[i] = (uint8_t)(high < 0 || low < 0 ? 0 : high << 4 | low);
	}
}

struct answer {
	uint8_t buf[LINE_MAX_BYTES / 2];
	size_t n;
};

static enum kw_err load(
	const struct arg *type, const struct arg *private_part, struct crypto_key **key)
{
	return crypto_key_load((enum key_type)type->number, private_part->p, private_part->n, key);
}

static struct crypto_sign signing(const struct arg *a)
{
	return (struct crypto_sign){
		.scheme = (enum scheme)a[0].number,
		.hash = (enum hash_id)a[1].number,
		.salt_len = (uint16_t)a[2].number,
		.data = a[3].p,
		.n = a[3].n,
	};
}

/* type */
static enum kw_err do_generate(const struct arg *a, struct answer *out)
{
	struct crypto_key *key = NULL;
	enum kw_err err = crypto_key_generate((enum key_type)a[0].number, &key);

	if (!err)
		err = crypto_key_private(key, out->buf, &out->n);
	crypto_key_free(&key);
	return err;
}

/* type material */
static enum kw_err do_import(const struct arg *a, struct answer *out)
{
	struct crypto_key *key = NULL;
	enum kw_err err = crypto_key_import((enum key_type)a[0].number, a[1].p, a[1].n, &key);

	if (!err)
		err = crypto_key_private(key, out->buf, &out->n);
	crypto_key_free(&key);
	return err;
}

/* type private */
static enum kw_err do_public(const struct arg *a, struct answer *out)
{
	struct crypto_key *key = NULL;
	enum kw_err err = load(&a[0], &a[1], &key);

	if (!err)
		err = crypto_key_public(key, out->buf, &out->n);
	crypto_key_free(&key);
	return err;
}

/* type private scheme hash salt message */
static enum kw_err do_sign(const struct arg *a, struct answer *out)
{
	struct crypto_sign what = signing(a + 2);
	struct crypto_key *key = NULL;
	enum kw_err err = load(&a[0], &a[1], &key);

	if (!err)
		err = crypto_sign(key, &what, out->buf, &out->n);
	crypto_key_free(&key);
	return err;
}

/* type public scheme hash salt message signature; by libcrypto, whatever the backend */
static enum kw_err do_verify(const struct arg *a, struct answer *out)
{
	struct crypto_sign what = signing(a + 2);

	(void)out;
	return verify_signature((enum key_type)a[0].number, a[1].p, a[1].n, &what, a[6].p, a[6].n)
		       ? KW_ERR_OK
		       : KW_ERR_CORRUPT;
}

/* type private oaep hash mgf label ciphertext */
static enum kw_err do_decrypt(const struct arg *a, struct answer *out)
{
	struct crypto_decrypt what = {
		.oaep = a[2].number != 0,
		.hash = (enum hash_id)a[3].number,
		.mgf = (enum hash_id)a[4].number,
		.label = {a[5].p, a[5].n},
		.in = a[6].p,
		.n = a[6].n,
	};
	struct crypto_key *key = NULL;
	enum kw_err err = load(&a[0], &a[1], &key);

	if (!err)
		err = crypto_rsa_decrypt(key, &what, out->buf, &out->n);
	crypto_key_free(&key);
	return err;
}

/* key message */
static enum kw_err do_hmac(const struct arg *a, struct answer *out)
{
	struct crypto_bytes message = {a[1].p, a[1].n};

	out->n = 32;
	return a[0].n == CRYPTO_KEY_SIZE ? crypto_hmac(a[0].p, &message, 1, out->buf)
					 : KW_ERR_ARGUMENT;
}

/* key nonce aad plaintext; gives ciphertext and tag */
static enum kw_err do_seal(const struct arg *a, struct answer *out)
{
	out->n = a[3].n + CRYPTO_TAG_SIZE;
	if (a[0].n != CRYPTO_KEY_SIZE || a[1].n != 12)
		return KW_ERR_ARGUMENT;
	return crypto_seal(a[0].p, a[1].p, (struct crypto_bytes){a[2].p, a[2].n}, a[3].p, a[3].n,
		out->buf, out->buf + a[3].n);
}

/* key nonce aad ciphertext tag */
static enum kw_err do_open(const struct arg *a, struct answer *out)
{
	out->n = a[3].n;
	if (a[0].n != CRYPTO_KEY_SIZE || a[1].n != 12 || a[4].n != CRYPTO_TAG_SIZE)
		return KW_ERR_ARGUMENT;
	return crypto_open(a[0].p, a[1].p, (struct crypto_bytes){a[2].p, a[2].n}, a[3].p, a[3].n,
		out->buf, a[4].p);
}

/* hash key message */
static enum kw_err do_hmac_with(const struct arg *a, struct answer *out)
{
	struct crypto_bytes message = {a[2].p, a[2].n};
	enum hash_id hash = (enum hash_id)a[0].number;

	out->n = hash_size(hash);
	return crypto_hmac_with(hash, (struct crypto_bytes){a[1].p, a[1].n}, &message, 1, out->buf);
}

/* type key message */
static enum kw_err do_cmac(const struct arg *a, struct answer *out)
{
	struct crypto_key *key = NULL;
	enum kw_err err = load(&a[0], &a[1], &key);

	out->n = CRYPTO_BLOCK;
	if (!err)
		err = crypto_cmac(key, a[2].p, a[2].n, out->buf);
	crypto_key_free(&key);
	return err;
}

/* type key mode encrypt iv aad data tag; encryption gives the tag as well, as long as the one given */
static enum kw_err do_cipher(const struct arg *a, struct answer *out)
{
	struct crypto_cipher what = {
		.mode = (enum cipher)a[2].number,
		.encrypt = a[3].number != 0,
		.iv = {a[4].p, a[4].n},
		.aad = {a[5].p, a[5].n},
		.in = a[6].p,
		.n = a[6].n,
		.tag = a[3].number ? out->buf + a[6].n : a[7].p,
		.tag_len = a[7].n,
	};
	struct crypto_key *key = NULL;
	enum kw_err err = load(&a[0], &a[1], &key);

	out->n = what.n + (what.encrypt ? what.tag_len : 0);
	if (!err)
		err = crypto_cipher(key, &what, out->buf);
	crypto_key_free(&key);
	return err;
}

/* type key padded data */
static enum kw_err do_wrap(const struct arg *a, struct answer *out)
{
	struct crypto_key *key = NULL;
	enum kw_err err = load(&a[0], &a[1], &key);

	if (!err)
		err = key_wrap(key, a[2].number != 0, a[3].p, a[3].n, out->buf, &out->n);
	crypto_key_free(&key);
	return err;
}

static enum kw_err do_unwrap(const struct arg *a, struct answer *out)
{
	struct crypto_key *key = NULL;
	enum kw_err err = load(&a[0], &a[1], &key);

	if (!err)
		err = key_unwrap(key, a[2].number != 0, a[3].p, a[3].n, out->buf, &out->n);
	crypto_key_free(&key);
	return err;
}

/* type private peer */
static enum kw_err do_agree(const struct arg *a, struct answer *out)
{
	struct crypto_key *key = NULL;
	enum kw_err err = load(&a[0], &a[1], &key);

	if (!err)
		err = crypto_agree(key, a[2].p, a[2].n, out->buf, &out->n);
	crypto_key_free(&key);
	return err;
}

/* hash steps secret salt info length */
static enum kw_err do_hkdf(const struct arg *a, struct answer *out)
{
	out->n = a[5].number;
	return out->n > sizeof(out->buf)
		       ? KW_ERR_TOO_LARGE
		       : kdf_hkdf((enum hash_id)a[0].number, (uint8_t)a[1].number,
				 (struct crypto_bytes){a[2].p, a[2].n},
				 (struct crypto_bytes){a[3].p, a[3].n},
				 (struct crypto_bytes){a[4].p, a[4].n}, out->buf, out->n);
}

/* type private hash mgf label message: RSAES-OAEP */
static enum kw_err do_encrypt(const struct arg *a, struct answer *out)
{
	size_t k = key_type_bytes(key_type_find((uint8_t)a[0].number));
	struct crypto_key *key = NULL;
	uint8_t em[CRYPTO_SIGNATURE_MAX];
	enum kw_err err = load(&a[0], &a[1], &key);

	out->n = k;
	if (!err)
		err = rsa_block_oaep((enum hash_id)a[2].number, (enum hash_id)a[3].number,
			(struct crypto_bytes){a[4].p, a[4].n},
			(struct crypto_bytes){a[5].p, a[5].n}, em, k);
	if (!err)
		err = crypto_rsa_public(key, em, k, out->buf);
	crypto_key_free(&key);
	return err;
}

static const struct {
	const char *name;
	size_t args;
	enum kw_err (*run)(const struct arg *a, struct answer *out);
} commands[] = {
	{"generate", 1, do_generate},
	{"import", 2, do_import},
	{"public", 2, do_public},
	{"sign", 6, do_sign},
	{"verify", 7, do_verify},
	{"decrypt", 7, do_decrypt},
	{"hmac", 2, do_hmac},
	{"seal", 4, do_seal},
	{"open", 5, do_open},
	{"hmac_with", 3, do_hmac_with},
	{"cmac", 3, do_cmac},
	{"cipher", 8, do_cipher},
	{"wrap", 4, do_wrap},
	{"unwrap", 4, do_unwrap},
	{"agree", 3, do_agree},
	{"hkdf", 6, do_hkdf},
	{"encrypt", 6, do_encrypt},
};

static enum kw_err run_line(char *line, struct answer *out)
{
	struct arg args[ARGS_MAX];
	char *rest = NULL;
	const char *name = strtok_r(line, " \n", &rest);
	size_t n = 0;

	for (char *text; n < ARGS_MAX && (text = strtok_r(NULL, " \n", &rest)); n++)
		parse_arg(text, &args[n]);
	for (size_t i = 0; name && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(name, commands[i].name) && n == commands[i].args)
			return commands[i].run(args, out);
	}
	return KW_ERR_UNKNOWN_COMMAND;
}

int main(void)
{
	static struct answer out;
	static char line[LINE_MAX_BYTES];

	if (crypto_init())
		return 1;
	puts(crypto_version());
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		enum kw_err err;

		out.n = 0;
		err = run_line(line, &out);
		if (err) {
			printf("error %s\n", error_name(err));
		} else {
			fputs("ok ", stdout);
			for (size_t i = 0; i < out.n; i++)
				printf("%02x", out.buf[i]);
			putchar('\n');
		}
		fflush(stdout);
	}
	return 0;
}

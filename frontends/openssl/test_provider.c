/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys and signatures through the provider, against a real TEE and checked by OpenSSL's own
 * provider. */
#include "test_support.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/store.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t message[KW_MESSAGE_MAX + 5000];

static const char *name_of(enum kw_key_type type)
{
	static char name[32];

	snprintf(name, sizeof(name), "sign-%s", kw_key_type_name(type));
	return name;
}

static EVP_PKEY *key_of(enum kw_key_type type)
{
	EVP_PKEY *key = test_load(test_path(name_of(type)));

	assert_non_null(key);
	test_no_errors();
	return key;
}

static void set_pss(EVP_PKEY_CTX *ctx, int salt)
{
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt), 1);
}

#define PKCS1 1000 /* instead of a salt length */

static size_t sign_message(
	EVP_PKEY *key, const char *digest, int salt, size_t n, size_t piece, unsigned char *sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	size_t len = 0, size;
	int ok;

	assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, digest, NULL, NULL, key, NULL), 1);
	if (salt != PKCS1)
		set_pss(pctx, salt);
	if (piece == 0) {
		assert_int_equal(EVP_DigestSign(ctx, NULL, &len, message, n), 1);
		size = len;
		ok = EVP_DigestSign(ctx, sig, &len, message, n);
	} else {
		for (size_t at = 0; at < n; at += piece)
			assert_int_equal(EVP_DigestSignUpdate(ctx, message + at,
						 n - at < piece ? n - at : piece),
				1);
		assert_int_equal(EVP_DigestSignFinal(ctx, NULL, &len), 1);
		size = len;
		ok = EVP_DigestSignFinal(ctx, sig, &len);
	}
	assert_int_equal(size, EVP_PKEY_get_size(key));
	EVP_MD_CTX_free(ctx);
	return ok == 1 ? len : 0;
}

static int verify_message(
	EVP_PKEY *key, const char *digest, int salt, size_t n, const unsigned char *sig, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	int ok;

	assert_int_equal(EVP_DigestVerifyInit_ex(ctx, &pctx, digest, NULL, NULL, key, NULL), 1);
	if (salt != PKCS1)
		set_pss(pctx, salt);
	ok = EVP_DigestVerify(ctx, sig, len, message, n);
	EVP_MD_CTX_free(ctx);
	return ok;
}

static void check_signature(
	EVP_PKEY *key, EVP_PKEY *public, const char *digest, int salt, size_t n, size_t piece)
{
	unsigned char sig[KW_SIGNATURE_MAX];
	size_t len = sign_message(key, digest, salt, n, piece, sig);

	assert_int_not_equal(len, 0);
	assert_int_equal(verify_message(public, digest, salt, n, sig, len), 1);
	assert_int_equal(verify_message(key, digest, salt, n, sig, len), 1);
	test_no_errors();
	message[n / 2] ^= 1;
	assert_int_not_equal(verify_message(public, digest, salt, n, sig, len), 1);
	assert_int_not_equal(verify_message(key, digest, salt, n, sig, len), 1);
	message[n / 2] ^= 1;
	ERR_clear_error();
}

static void signatures_verify(void **state)
{
	static const int salts[] = {
		PKCS1, RSA_PSS_SALTLEN_DIGEST, RSA_PSS_SALTLEN_MAX, RSA_PSS_SALTLEN_AUTO, 20};

	(void)state;
	for (size_t t = 0; t < 7; t++) {
		EVP_PKEY *key = key_of(test_types[t]);
		EVP_PKEY *public = test_public(key);
		bool ed = test_types[t] == KW_KEY_TYPE_ED25519;

		for (size_t d = 0; d < (ed ? 1 : 4); d++) {
			const char *digest = ed ? NULL : test_digests[d];

			for (size_t s = 0; s < (kw_key_type_is_rsa(test_types[t]) ? 5 : 1); s++) {
				check_signature(key, public, digest, salts[s], 1000, 0);
				if (!ed)
					check_signature(key, public, digest, salts[s], 1000, 77);
			}
		}
		check_signature(key, public, ed ? NULL : "SHA256", PKCS1, 1, 0);
		check_signature(key, public, NULL, PKCS1, 100, 0);
		EVP_PKEY_free(public);
		EVP_PKEY_free(key);
	}
}

static void long_messages_are_hashed_here(void **state)
{
	static const size_t sizes[] = {
		KW_MESSAGE_MAX - 1, KW_MESSAGE_MAX, KW_MESSAGE_MAX + 1, sizeof(message)};
	unsigned char sig[KW_SIGNATURE_MAX];
	EVP_PKEY *key, *public;

	(void)state;
	for (size_t t = 0; t < 7; t += 3) {
		key = key_of(test_types[t]);
		public = test_public(key);
		for (size_t i = 0; i < 4; i++) {
			if (test_types[t] != KW_KEY_TYPE_ED25519) {
				check_signature(key, public, "SHA384", PKCS1, sizes[i], 0);
				check_signature(key, public, "SHA384", PKCS1, sizes[i], 999);
				check_signature(key, public, "SHA384", PKCS1, sizes[i], 64000);
			} else if (sizes[i] <= KW_MESSAGE_MAX) {
				check_signature(key, public, NULL, PKCS1, sizes[i], 0);
			} else {
				assert_int_equal(
					sign_message(key, NULL, PKCS1, sizes[i], 0, sig), 0);
				test_error(KW_ERR_TOO_LARGE, "at most 64000 bytes");
			}
		}
		EVP_PKEY_free(public);
		EVP_PKEY_free(key);
	}
}

static int sign_digest(EVP_PKEY *key, const char *md, int salt, const uint8_t *digest, size_t n,
	unsigned char *sig, size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	int ok;

	*len = KW_SIGNATURE_MAX;
	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	if (md)
		assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, EVP_get_digestbyname(md)), 1);
	if (salt != PKCS1)
		set_pss(ctx, salt);
	ok = EVP_PKEY_sign(ctx, sig, len, digest, n);
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static void digests_are_signed(void **state)
{
	static const uint8_t info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
	unsigned char sig[KW_SIGNATURE_MAX], digest[64], with_info[sizeof(info) + 32];
	EVP_PKEY *rsa = key_of(KW_KEY_TYPE_RSA_2048), *ec = key_of(KW_KEY_TYPE_EC_P256);
	unsigned n;
	size_t len;

	(void)state;
	assert_int_equal(EVP_Digest(message, 500, digest, &n, EVP_sha256(), NULL), 1);
	memcpy(with_info, info, sizeof(info));
	memcpy(with_info + sizeof(info), digest, 32);
	assert_int_equal(sign_digest(rsa, "SHA256", PKCS1, digest, 32, sig, &len), 1);
	assert_int_equal(verify_message(rsa, "SHA256", PKCS1, 500, sig, len), 1);
	assert_int_equal(sign_digest(rsa, "SHA256", 32, digest, 32, sig, &len), 1);
	assert_int_equal(verify_message(rsa, "SHA256", 32, 500, sig, len), 1);
	assert_int_equal(sign_digest(rsa, NULL, PKCS1, with_info, sizeof(with_info), sig, &len), 1);
	assert_int_equal(verify_message(rsa, "SHA256", PKCS1, 500, sig, len), 1);
	assert_int_equal(sign_digest(ec, NULL, PKCS1, digest, 32, sig, &len), 1);
	assert_int_equal(verify_message(ec, "SHA256", PKCS1, 500, sig, len), 1);
	assert_int_equal(sign_digest(ec, "SHA256", PKCS1, digest, 32, sig, &len), 1);
	assert_int_equal(verify_message(ec, "SHA256", PKCS1, 500, sig, len), 1);
	test_no_errors();
	/* What is no digest is not signed: not by length, not as raw RSA, not with another hash. */
	assert_int_not_equal(sign_digest(rsa, "SHA256", PKCS1, digest, 31, sig, &len), 1);
	test_error(KW_ERR_BAD_ALGORITHM, "another length");
	assert_int_not_equal(sign_digest(rsa, NULL, PKCS1, digest, 32, sig, &len), 1);
	test_error(KW_ERR_BAD_ALGORITHM, "no SHA-2 digest");
	assert_int_not_equal(sign_digest(ec, NULL, PKCS1, digest, 20, sig, &len), 1);
	test_error(KW_ERR_BAD_ALGORITHM, "no SHA-2 digest");
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
}

static void other_algorithms_are_refused(void **state)
{
	static const char *const names[] = {"SHA1", "MD5", "SHA3-256", "SHA512-256"};
	EVP_PKEY *key = key_of(KW_KEY_TYPE_RSA_2048);
	EVP_MD_CTX *ctx;
	EVP_PKEY_CTX *pctx;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		ctx = EVP_MD_CTX_new();
		assert_int_not_equal(
			EVP_DigestSignInit_ex(ctx, NULL, names[i], NULL, NULL, key, NULL), 1);
		EVP_MD_CTX_free(ctx);
	}
	ERR_clear_error();
	ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, "SHA256", NULL, NULL, key, NULL), 1);
	assert_true(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_NO_PADDING) <= 0);
	test_error(KW_ERR_BAD_ALGORITHM, "padding");
	set_pss(pctx, RSA_PSS_SALTLEN_DIGEST);
	assert_true(EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, EVP_sha512()) <= 0);
	test_error(KW_ERR_BAD_ALGORITHM, "mask function");
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
}

static void contexts_are_used_again_and_copied(void **state)
{
	EVP_PKEY *key = key_of(KW_KEY_TYPE_EC_P256);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new(), *copy = EVP_MD_CTX_new();
	unsigned char sig[KW_SIGNATURE_MAX];
	size_t len;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
			EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL), 1);
		len = sizeof(sig);
		assert_int_equal(EVP_DigestSign(ctx, sig, &len, message, 300), 1);
		assert_int_equal(verify_message(key, "SHA256", PKCS1, 300, sig, len), 1);
	}
	/* A copy in the middle goes its own way, collected or already hashed. */
	for (size_t half = 150; half <= 65000; half += 64850) {
		assert_int_equal(
			EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL), 1);
		assert_int_equal(EVP_DigestSignUpdate(ctx, message, half), 1);
		/* OpenSSL 3.5, with any provider, crashes when a context for signing is copied over
		 * another with the same hash (its issue 31831). */
		assert_int_equal(EVP_MD_CTX_reset(copy), 1);
		assert_int_equal(EVP_MD_CTX_copy_ex(copy, ctx), 1);
		assert_int_equal(EVP_DigestSignUpdate(copy, message + half, 50), 1);
		len = sizeof(sig);
		assert_int_equal(EVP_DigestSignFinal(copy, sig, &len), 1);
		assert_int_equal(verify_message(key, "SHA256", PKCS1, half + 50, sig, len), 1);
		len = sizeof(sig);
		assert_int_equal(EVP_DigestSignFinal(ctx, sig, &len), 1);
		assert_int_equal(verify_message(key, "SHA256", PKCS1, half, sig, len), 1);
	}
	/* A buffer that is too small gets nothing. */
	assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL), 1);
	len = 10;
	assert_int_not_equal(EVP_DigestSign(ctx, sig, &len, message, 300), 1);
	test_error(KW_ERR_TOO_LARGE, "too small");
	EVP_MD_CTX_free(ctx);
	EVP_MD_CTX_free(copy);
	EVP_PKEY_free(key);
}

static void decryption(void **state)
{
	static const uint8_t secret[] = "the session key";
	unsigned char box[KW_SIGNATURE_MAX], out[KW_SIGNATURE_MAX];
	size_t box_len, out_len;
	EVP_PKEY *key, *public, *other;
	EVP_PKEY_CTX *ctx;

	(void)state;
	test_key("decrypt", KW_KEY_TYPE_RSA_2048, KW_PURPOSE_DECRYPT | KW_PURPOSE_DECRYPT_PKCS1,
		false);
	key = test_load(test_path("decrypt"));
	assert_non_null(key);
	public = test_public(key);
	other = key_of(KW_KEY_TYPE_RSA_2048);
	for (int oaep = 0; oaep < 2; oaep++) {
		/* Encrypted by the default provider and by way of our own key object. */
		for (int own = 0; own < 2; own++) {
			ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own ? key : public, NULL);
			assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
			if (oaep) {
				assert_int_equal(
					EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING),
					1);
				assert_int_equal(
					EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()), 1);
			}
			box_len = sizeof(box);
			assert_int_equal(
				EVP_PKEY_encrypt(ctx, box, &box_len, secret, sizeof(secret)), 1);
			EVP_PKEY_CTX_free(ctx);
			ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
			assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
			if (oaep) {
				assert_int_equal(
					EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING),
					1);
				assert_int_equal(
					EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()), 1);
			}
			out_len = sizeof(out);
			assert_int_equal(EVP_PKEY_decrypt(ctx, out, &out_len, box, box_len), 1);
			assert_int_equal(out_len, sizeof(secret));
			assert_memory_equal(out, secret, sizeof(secret));
			test_no_errors();
			box[20] ^= 1;
			out_len = sizeof(out);
			if (EVP_PKEY_decrypt(ctx, out, &out_len, box, box_len) == 1)
				assert_false(out_len == sizeof(secret) &&
					     memcmp(out, secret, sizeof(secret)) == 0);
			ERR_clear_error();
			EVP_PKEY_CTX_free(ctx);
		}
	}
	/* OpenSSL's default for OAEP is SHA-1. */
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING), 1);
	out_len = sizeof(out);
	assert_int_not_equal(EVP_PKEY_decrypt(ctx, out, &out_len, box, box_len), 1);
	test_error(KW_ERR_BAD_ALGORITHM, "rsa_oaep_md:sha256");
	EVP_PKEY_CTX_free(ctx);
	/* A key that is for signing. */
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, other, NULL);
	assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
	out_len = sizeof(out);
	assert_int_not_equal(EVP_PKEY_decrypt(ctx, out, &out_len, box, box_len), 1);
	test_error(KW_ERR_PURPOSE, "sign-rsa-2048");
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(other);
	EVP_PKEY_free(public);
	EVP_PKEY_free(key);
}

static void the_private_key_is_not_to_be_had(void **state)
{
	(void)state;
	for (size_t t = 0; t < 7; t += 3) {
		EVP_PKEY *key = key_of(test_types[t]);
		BIO *bio = BIO_new(BIO_s_mem());
		unsigned char *der = NULL, raw[64];
		OSSL_PARAM *params = NULL;
		size_t len = sizeof(raw);
		BIGNUM *bn = NULL;

		assert_true(i2d_PrivateKey(key, &der) <= 0);
		assert_int_not_equal(
			PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
		assert_int_equal(BIO_ctrl_pending(bio), 0);
		assert_int_not_equal(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params), 1);
		assert_int_not_equal(EVP_PKEY_get_raw_private_key(key, raw, &len), 1);
		assert_int_not_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &bn), 1);
		assert_int_not_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_D, &bn), 1);
		ERR_clear_error();
		/* The public one is. */
		assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_PUBLIC_KEY, &params), 1);
		assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
		assert_int_equal(EVP_PKEY_print_public(bio, key, 0, NULL), 1);
		test_no_errors();
		OSSL_PARAM_free(params);
		BIO_free(bio);
		EVP_PKEY_free(key);
	}
}

static void keys_say_what_they_are(void **state)
{
	(void)state;
	for (size_t t = 0; t < 7; t++) {
		EVP_PKEY *key = key_of(test_types[t]), *other = NULL, *copy;
		EVP_PKEY *public = test_public(key);
		char group[32], expected[32];
		EVP_PKEY_CTX *ctx;

		assert_int_equal(EVP_PKEY_get_bits(key), EVP_PKEY_get_bits(public));
		assert_int_equal(
			EVP_PKEY_get_security_bits(key), EVP_PKEY_get_security_bits(public));
		assert_int_equal(EVP_PKEY_get_size(key), EVP_PKEY_get_size(public));
		assert_int_equal(EVP_PKEY_get_base_id(key), EVP_PKEY_get_base_id(public));
		assert_int_equal(EVP_PKEY_get_group_name(key, group, sizeof(group), NULL),
			EVP_PKEY_get_group_name(public, expected, sizeof(expected), NULL));
		if (kw_key_type_is_ec(test_types[t]))
			assert_string_equal(group, expected);
		/* The same key in either order, and not another of its type. */
		assert_int_equal(EVP_PKEY_eq(key, public), 1);
		assert_int_equal(EVP_PKEY_eq(public, key), 1);
		assert_int_equal(EVP_PKEY_eq(key, key), 1);
		copy = EVP_PKEY_dup(key);
		assert_non_null(copy);
		assert_int_equal(EVP_PKEY_eq(copy, key), 1);
		EVP_PKEY_free(copy);
		test_no_errors();
		if (EVP_PKEY_is_a(key, "EC"))
			other = EVP_EC_gen(group);
		else if (EVP_PKEY_is_a(key, "ED25519"))
			other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		else
			other = EVP_RSA_gen(2048);
		copy = test_public(other);
		assert_int_equal(EVP_PKEY_eq(copy, key), 0);
		assert_int_equal(EVP_PKEY_eq(key, copy), 0);
		ERR_clear_error();
		ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
		assert_int_equal(EVP_PKEY_check(ctx), 1);
		assert_int_equal(EVP_PKEY_public_check(ctx), 1);
		EVP_PKEY_CTX_free(ctx);
		EVP_PKEY_free(copy);
		EVP_PKEY_free(other);
		EVP_PKEY_free(public);
		EVP_PKEY_free(key);
	}
}

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 7 + i / 251);
	test_tee_start();
	test_providers_load();
	for (size_t t = 0; t < 7; t++)
		test_key(name_of(test_types[t]), test_types[t], KW_PURPOSE_SIGN, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_providers_unload();
	test_tee_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_verify),
		cmocka_unit_test(long_messages_are_hashed_here),
		cmocka_unit_test(digests_are_signed),
		cmocka_unit_test(other_algorithms_are_refused),
		cmocka_unit_test(contexts_are_used_again_and_copied),
		cmocka_unit_test(decryption),
		cmocka_unit_test(the_private_key_is_not_to_be_had),
		cmocka_unit_test(keys_say_what_they_are),
	};

	return cmocka_run_group_tests_name("provider", tests, setup, teardown);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The ENGINE as nginx uses it: found by its id in the ENGINEs' folder, never initialised by the
 * program. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "test_support.h"

#include <openssl/cms.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static uint8_t message[KW_MESSAGE_MAX + 5000];

/* What nginx 1.22 does for engine:keyward:NAME. */
static EVP_PKEY *load(const char *id)
{
	ENGINE *e = ENGINE_by_id("keyward");
	EVP_PKEY *key;

	if (!e) {
		ERR_print_errors_fp(stderr);
		fail();
	}
	key = ENGINE_load_private_key(e, id, NULL, NULL);
	ENGINE_free(e);
	return key;
}

static const char *name_of(const char *purpose, enum kw_key_type type)
{
	static char names[4][64];
	static unsigned next;
	char *name = names[next++ % 4];

	snprintf(name, sizeof(names[0]), "%s-%s", purpose, kw_key_type_name(type));
	return name;
}

static EVP_PKEY *key_of(const char *purpose, enum kw_key_type type)
{
	EVP_PKEY *key = load(name_of(purpose, type));

	if (!key)
		ERR_print_errors_fp(stderr);
	assert_non_null(key);
	test_no_errors();
	return key;
}

static void names_ids_and_paths(void **state)
{
	struct kw_target target = {.name = "sign-ec-p256"};
	struct kw_key *found = NULL;
	char id[80] = "";
	EVP_PKEY *key = load("sign-ec-p256"), *same;

	(void)state;
	assert_non_null(key);
	assert_int_equal(kw_key_find(test_kw(), &target, &found), KW_ERR_OK);
	for (size_t i = 0; i < KW_ID_SIZE; i++)
		sprintf(id + 2 * i, "%02x", kw_key_id(found)[i]);
	kw_key_free(&found);
	same = load(id);
	assert_non_null(same);
	assert_int_equal(EVP_PKEY_eq(key, same), 1);
	EVP_PKEY_free(same);
	same = load(test_path("sign-ec-p256"));
	assert_non_null(same);
	assert_int_equal(EVP_PKEY_eq(key, same), 1);
	EVP_PKEY_free(same);
	EVP_PKEY_free(key);
	test_no_errors();
	assert_null(load("nobody"));
	test_error(KW_ERR_NO_KEY, "nobody");
	assert_null(load("/nowhere/at/all"));
	test_error(KW_ERR_SYSTEM, "/nowhere/at/all");
	test_write(test_path("empty"), "", 0);
	assert_null(load(test_path("empty")));
	test_error(KW_ERR_BAD_REFERENCE, "there is no KEYWARD PRIVATE KEY");
	assert_null(load(""));
	test_error(KW_ERR_BAD_NAME, "engine:keyward:NAME");
}

#define PKCS1 1000 /* instead of a salt length */

static void set_pss(EVP_PKEY_CTX *ctx, int salt)
{
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt), 1);
}

static size_t sign_message(
	EVP_PKEY *key, const EVP_MD *md, int salt, size_t n, size_t piece, unsigned char *sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	size_t len = 0;
	int ok;

	assert_int_equal(EVP_DigestSignInit(ctx, &pctx, md, NULL, key), 1);
	if (salt != PKCS1)
		set_pss(pctx, salt);
	for (size_t at = 0; piece && at < n; at += piece)
		assert_int_equal(
			EVP_DigestSignUpdate(ctx, message + at, n - at < piece ? n - at : piece),
			1);
	if (piece) {
		assert_int_equal(EVP_DigestSignFinal(ctx, NULL, &len), 1);
		ok = EVP_DigestSignFinal(ctx, sig, &len);
	} else {
		assert_int_equal(EVP_DigestSign(ctx, NULL, &len, message, n), 1);
		ok = EVP_DigestSign(ctx, sig, &len, message, n);
	}
	EVP_MD_CTX_free(ctx);
	return ok == 1 ? len : 0;
}

static int verify_message(
	EVP_PKEY *key, const EVP_MD *md, int salt, size_t n, const unsigned char *sig, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	int ok;

	assert_int_equal(EVP_DigestVerifyInit(ctx, &pctx, md, NULL, key), 1);
	if (salt != PKCS1)
		set_pss(pctx, salt);
	ok = EVP_DigestVerify(ctx, sig, len, message, n);
	EVP_MD_CTX_free(ctx);
	return ok;
}

static void check_signature(
	EVP_PKEY *key, EVP_PKEY *public, const EVP_MD *md, int salt, size_t n, size_t piece)
{
	unsigned char sig[KW_SIGNATURE_MAX];
	size_t len = sign_message(key, md, salt, n, piece, sig);

	if (!len)
		ERR_print_errors_fp(stderr);
	assert_int_not_equal(len, 0);
	assert_int_equal(verify_message(public, md, salt, n, sig, len), 1);
	assert_int_equal(verify_message(key, md, salt, n, sig, len), 1);
	test_no_errors();
	message[n / 2] ^= 1;
	assert_int_not_equal(verify_message(public, md, salt, n, sig, len), 1);
	message[n / 2] ^= 1;
	ERR_clear_error();
}

static void signatures_verify(void **state)
{
	static const int salts[] = {PKCS1, RSA_PSS_SALTLEN_DIGEST, RSA_PSS_SALTLEN_MAX, 20};
	static const size_t sizes[] = {1, 1000, KW_MESSAGE_MAX, KW_MESSAGE_MAX + 1};
	unsigned char sig[KW_SIGNATURE_MAX];

	(void)state;
	for (size_t t = 0; t < 7; t++) {
		EVP_PKEY *key = key_of("sign", test_types[t]), *public = test_public(key);
		bool rsa = kw_key_type_is_rsa(test_types[t]),
		     ed = test_types[t] == KW_KEY_TYPE_ED25519;

		for (size_t d = 0; d < (ed ? 1 : 4); d++) {
			const EVP_MD *md = ed ? NULL : EVP_get_digestbyname(test_digests[d]);

			for (size_t s = 0; s < (rsa ? 4 : 1); s++) {
				check_signature(key, public, md, salts[s], 1000, 0);
				if (!ed)
					check_signature(key, public, md, salts[s], 1000, 77);
			}
		}
		for (size_t i = 0; i < (ed ? 3 : 4); i++)
			check_signature(key, public, ed ? NULL : EVP_sha256(), PKCS1, sizes[i], 0);
		if (ed) {
			assert_int_equal(
				sign_message(key, NULL, PKCS1, KW_MESSAGE_MAX + 1, 0, sig), 0);
			test_error(KW_ERR_TOO_LARGE, "at most 64000 bytes");
		}
		EVP_PKEY_free(public);
		EVP_PKEY_free(key);
	}
}

/* Interfaces below EVP, which bring digests. */
static void old_interfaces(void **state)
{
	EVP_PKEY *rsa_key = key_of("sign", KW_KEY_TYPE_RSA_2048);
	EVP_PKEY *ec_key = key_of("sign", KW_KEY_TYPE_EC_P256);
	RSA *rsa = EVP_PKEY_get1_RSA(rsa_key);
	EC_KEY *ec = EVP_PKEY_get1_EC_KEY(ec_key), *copy;
	unsigned char sig[KW_SIGNATURE_MAX], digest[32];
	ECDSA_SIG *parts;
	unsigned len = 0;
	int n;

	(void)state;
	assert_int_equal(EVP_Digest(message, 100, digest, NULL, EVP_sha256(), NULL), 1);
	assert_int_equal(RSA_sign(NID_sha256, digest, 32, sig, &len, rsa), 1);
	assert_int_equal(RSA_verify(NID_sha256, digest, 32, sig, len, rsa), 1);
	assert_int_equal(ECDSA_sign(0, digest, 32, sig, &len, ec), 1);
	assert_int_equal(ECDSA_verify(0, digest, 32, sig, (int)len, ec), 1);
	parts = ECDSA_do_sign(digest, 32, ec);
	assert_non_null(parts);
	assert_int_equal(ECDSA_do_verify(digest, 32, parts, ec), 1);
	ECDSA_SIG_free(parts);
	copy = EC_KEY_dup(ec);
	assert_int_equal(ECDSA_sign(0, digest, 32, sig, &len, copy), 1);
	EC_KEY_free(copy);
	test_no_errors();
	/* Raw RSA, and what is no SHA-2 digest. */
	n = RSA_private_encrypt(256, message, sig, rsa, RSA_NO_PADDING);
	assert_int_equal(n, -1);
	test_error(KW_ERR_BAD_ALGORITHM, "SHA-2 digests only");
	assert_int_equal(RSA_private_encrypt(32, digest, sig, rsa, RSA_PKCS1_PADDING), -1);
	test_error(KW_ERR_BAD_ALGORITHM, "SHA-2 digests only");
	assert_int_not_equal(RSA_sign(NID_sha1, digest, 20, sig, &len, rsa), 1);
	test_error(KW_ERR_BAD_ALGORITHM, "SHA-2 digests only");
	assert_int_not_equal(ECDSA_sign(0, digest, 20, sig, &len, ec), 1);
	test_error(KW_ERR_BAD_ALGORITHM, "SHA-2 digests only");
	RSA_free(rsa);
	EC_KEY_free(ec);
	EVP_PKEY_free(rsa_key);
	EVP_PKEY_free(ec_key);
}

static void certificates(void **state)
{
	(void)state;
	for (size_t t = 0; t < 7; t++) {
		EVP_PKEY *key = key_of("sign", test_types[t]), *public = test_public(key);
		X509 *cert = test_certificate(
			key, key, test_types[t] == KW_KEY_TYPE_ED25519 ? NULL : "SHA256");

		if (!cert)
			ERR_print_errors_fp(stderr);
		assert_non_null(cert);
		assert_int_equal(X509_verify(cert, public), 1);
		assert_int_equal(X509_check_private_key(cert, key), 1);
		test_no_errors();
		X509_free(cert);
		EVP_PKEY_free(public);
		EVP_PKEY_free(key);
	}
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void handshakes(void **state)
{
	int signature = 0;

	(void)state;
	for (size_t t = 0; t < 7; t++) {
		EVP_PKEY *server = key_of("server", test_types[t]);

		for (size_t v = 0; v < 2; v++) {
			assert_true(test_handshake(server, NULL, versions[v], &signature));
			if (kw_key_type_is_rsa(test_types[t]))
				assert_int_equal(signature, EVP_PKEY_RSA_PSS);
			else
				assert_int_equal(signature, EVP_PKEY_get_base_id(server));
			test_no_errors();
			assert_false(test_handshake(server, server, versions[v], NULL));
			test_error(KW_ERR_TLS_MESSAGE, name_of("server", test_types[t]));
		}
		assert_null(test_certificate(
			server, server, test_types[t] == KW_KEY_TYPE_ED25519 ? NULL : "SHA256"));
		test_error(KW_ERR_TLS_MESSAGE, name_of("server", test_types[t]));
		EVP_PKEY_free(server);
	}
}

static void decryption(void **state)
{
	static const uint8_t secret[] = "the session key";
	unsigned char box[KW_SIGNATURE_MAX], out[KW_SIGNATURE_MAX];
	EVP_PKEY *key, *public;
	size_t box_len, out_len;

	(void)state;
	test_key("decrypt", KW_KEY_TYPE_RSA_2048, KW_PURPOSE_DECRYPT | KW_PURPOSE_DECRYPT_PKCS1,
		false);
	key = load("decrypt");
	assert_non_null(key);
	public = test_public(key);
	for (int oaep = 0; oaep < 2; oaep++) {
		EVP_PKEY_CTX *to = EVP_PKEY_CTX_new(public, NULL),
			     *from = EVP_PKEY_CTX_new(key, NULL);

		assert_int_equal(EVP_PKEY_encrypt_init(to), 1);
		assert_int_equal(EVP_PKEY_decrypt_init(from), 1);
		if (oaep) {
			assert_int_equal(
				EVP_PKEY_CTX_set_rsa_padding(to, RSA_PKCS1_OAEP_PADDING), 1);
			assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(to, EVP_sha256()), 1);
			assert_int_equal(
				EVP_PKEY_CTX_set_rsa_padding(from, RSA_PKCS1_OAEP_PADDING), 1);
			assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(from, EVP_sha256()), 1);
		}
		box_len = sizeof(box);
		assert_int_equal(EVP_PKEY_encrypt(to, box, &box_len, secret, sizeof(secret)), 1);
		out_len = sizeof(out);
		assert_int_equal(EVP_PKEY_decrypt(from, out, &out_len, box, box_len), 1);
		assert_int_equal(out_len, sizeof(secret));
		assert_memory_equal(out, secret, sizeof(secret));
		EVP_PKEY_CTX_free(to);
		EVP_PKEY_CTX_free(from);
	}
	test_no_errors();
	EVP_PKEY_free(public);
	EVP_PKEY_free(key);
}

static bool sign_many(EVP_PKEY *key, int count)
{
	unsigned char sig[KW_SIGNATURE_MAX];
	bool ok = true;

	for (int i = 0; i < count && ok; i++) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		size_t len = sizeof(sig);

		ok = EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		     EVP_DigestSign(ctx, sig, &len, message, (size_t)i) == 1;
		EVP_MD_CTX_free(ctx);
	}
	return ok;
}

static void *sign_in_thread(void *arg)
{
	return sign_many(arg, 100) ? arg : NULL;
}

static void processes_and_threads(void **state)
{
	EVP_PKEY *key = key_of("sign", KW_KEY_TYPE_EC_P256);
	pthread_t threads[4];
	pid_t pids[4];
	void *result;
	int status;

	(void)state;
	assert_true(sign_many(key, 3));
	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			exit(sign_many(key, 50) ? 0 : 1);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_in_thread, key), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ptr_equal(result, key);
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	EVP_PKEY_free(key);
}

static void the_tee_restarts(void **state)
{
	EVP_PKEY *key = key_of("sign", KW_KEY_TYPE_EC_P256);

	(void)state;
	assert_true(sign_many(key, 1));
	test_tee_stop();
	assert_null(load("sign-ec-p256"));
	test_error(KW_ERR_NO_TEE, "tee.sock");
	test_tee_again();
	assert_true(sign_many(key, 1));
	EVP_PKEY_free(key);
}

static void settings(void **state)
{
	ENGINE *e = ENGINE_by_id("keyward");
	EVP_PKEY *key;

	(void)state;
	assert_non_null(e);
	assert_int_equal(ENGINE_ctrl_cmd_string(e, "SOCKET", "/nowhere/tee.sock", 0), 1);
	assert_null(ENGINE_load_private_key(e, "sign-ec-p256", NULL, NULL));
	test_error(KW_ERR_NO_TEE, "/nowhere/tee.sock");
	assert_int_equal(ENGINE_ctrl_cmd_string(e, "TEE", "nonsense", 0), 1);
	assert_null(ENGINE_load_private_key(e, "sign-ec-p256", NULL, NULL));
	test_error(KW_ERR_ARGUMENT, "nonsense");
	assert_int_equal(ENGINE_ctrl_cmd_string(e, "TEE", "host", 0), 1);
	assert_int_equal(ENGINE_ctrl_cmd_string(e, "SOCKET", getenv("KEYWARD_SOCKET"), 0), 1);
	key = ENGINE_load_private_key(e, "sign-ec-p256", NULL, NULL);
	assert_non_null(key);
	assert_true(sign_many(key, 1));
	EVP_PKEY_free(key);
	ENGINE_free(e);
}

/* Somebody makes it the default for everything: ordinary keys still work. */
static void ordinary_keys(void **state)
{
	ENGINE *e = ENGINE_by_id("keyward");
	EVP_PKEY *made = EVP_EC_gen("P-256"), *rsa = EVP_RSA_gen(2048);

	(void)state;
	assert_int_equal(ENGINE_set_default(e, ENGINE_METHOD_ALL), 1);
	assert_true(sign_many(made, 2));
	assert_true(sign_many(rsa, 2));
	assert_true(test_handshake(made, NULL, TLS1_3_VERSION, NULL));
	assert_true(test_handshake(rsa, NULL, TLS1_3_VERSION, NULL));
	test_no_errors();
	EVP_PKEY_free(made);
	EVP_PKEY_free(rsa);
	ENGINE_unregister_pkey_meths(e);
	ENGINE_free(e);
}

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 7 + i / 251);
	test_tee_start();
	for (size_t t = 0; t < 7; t++) {
		test_key(name_of("sign", test_types[t]), test_types[t], KW_PURPOSE_SIGN, false);
		test_key(name_of("server", test_types[t]), test_types[t], KW_PURPOSE_TLS_SERVER,
			false);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_tee_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_ids_and_paths),
		cmocka_unit_test(signatures_verify),
		cmocka_unit_test(old_interfaces),
		cmocka_unit_test(certificates),
		cmocka_unit_test(handshakes),
		cmocka_unit_test(decryption),
		cmocka_unit_test(processes_and_threads),
		cmocka_unit_test(the_tee_restarts),
		cmocka_unit_test(settings),
		cmocka_unit_test(ordinary_keys),
	};

	return cmocka_run_group_tests_name("engine", tests, setup, teardown);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Key files and URIs through the provider: what loads, what does not, and what nothing must
 * happen to. */
#include "test_support.h"

#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/store.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL (KW_PURPOSE_SIGN)

static bool signs(EVP_PKEY *key)
{
	const char *digest = EVP_PKEY_is_a(key, "ED25519") ? NULL : "SHA256";
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char sig[KW_SIGNATURE_MAX];
	size_t len = sizeof(sig);
	EVP_PKEY *public;
	bool ok = false;

	if (EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, key, NULL) == 1)
		ok = EVP_DigestSign(ctx, sig, &len, (const unsigned char *)"hello", 5) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return false;
	public = test_public(key);
	ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL, public, NULL), 1);
	assert_int_equal(EVP_DigestVerify(ctx, sig, len, (const unsigned char *)"hello", 5), 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(public);
	return true;
}

static const char *provider_of(EVP_PKEY *key)
{
	return OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key));
}

static void loads(const char *path)
{
	EVP_PKEY *key = test_load(path);

	assert_non_null(key);
	test_no_errors();
	assert_string_equal(provider_of(key), "keyward");
	assert_true(signs(key));
	EVP_PKEY_free(key);
}

static char pem[16384];
static size_t pem_len;

static void read_pem(const char *name)
{
	pem_len = test_read(test_path(name), pem, sizeof(pem) - 1);
	pem[pem_len] = '\0';
}

static void write_parts(const char *name, const char *before, const char *middle, const char *after)
{
	static char all[65536];
	int n = snprintf(all, sizeof(all), "%s%s%s", before, middle, after);

	assert_in_range(n, 1, sizeof(all) - 1);
	test_write(test_path(name), all, (size_t)n);
}

static void files_of_every_form(void **state)
{
	static char crlf[32768];
	char cert_pem[4096];
	EVP_PKEY *key;
	size_t n = 0;
	X509 *cert;
	BIO *bio;
	int len;

	(void)state;
	read_pem("ec");
	loads(test_path("ec"));
	loads(test_path("rsa"));
	loads(test_path("ed"));
	loads(test_path("sealed"));
	write_parts(
		"text", "Some words about the key,\nin lines -----\n\n", pem, "and some more\n");
	loads(test_path("text"));
	/* HAProxy's one file: certificate, chain, key, in both orders. */
	key = test_load(test_path("ec"));
	cert = test_certificate(key, key, "SHA256");
	assert_non_null(cert);
	bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
	assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
	len = BIO_read(bio, cert_pem, sizeof(cert_pem) - 1);
	assert_true(len > 0);
	cert_pem[len] = '\0';
	BIO_free(bio);
	write_parts("both", cert_pem, pem, "");
	loads(test_path("both"));
	write_parts("both", pem, cert_pem, "");
	loads(test_path("both"));
	bio = BIO_new_file(test_path("both"), "r");
	X509_free(cert);
	cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert_non_null(cert);
	assert_int_equal(X509_check_private_key(cert, key), 1);
	test_no_errors();
	BIO_free(bio);
	X509_free(cert);
	EVP_PKEY_free(key);
	for (size_t i = 0; i < pem_len; i++) {
		if (pem[i] == '\n')
			crlf[n++] = '\r';
		crlf[n++] = pem[i];
	}
	test_write(test_path("crlf"), crlf, n);
	loads(test_path("crlf"));
}

static EVP_PKEY *decode(const unsigned char *der, size_t len, const char *form)
{
	OSSL_DECODER_CTX *ctx;
	EVP_PKEY *key = NULL;

	ctx = OSSL_DECODER_CTX_new_for_pkey(&key, form, NULL, NULL, EVP_PKEY_KEYPAIR, NULL, NULL);
	assert_non_null(ctx);
	OSSL_DECODER_from_data(ctx, &der, &len);
	OSSL_DECODER_CTX_free(ctx);
	return key;
}

static void der_loads_too(void **state)
{
	static const char *const names[] = {"ec", "rsa", "ed", "sealed"};
	unsigned char *der = NULL;
	char *name, *header;
	EVP_PKEY *key;
	long len = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		BIO *bio = BIO_new_file(test_path(names[i]), "r");

		assert_int_equal(PEM_read_bio(bio, &name, &header, &der, &len), 1);
		key = decode(der, (size_t)len, "DER");
		assert_non_null(key);
		assert_true(signs(key));
		EVP_PKEY_free(key);
		key = decode(der, (size_t)len, NULL);
		assert_non_null(key);
		EVP_PKEY_free(key);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
		BIO_free(bio);
	}
	ERR_clear_error();
}

static EVP_PKEY *open_uri(const char *uri)
{
	OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
	OSSL_STORE_INFO *info;
	EVP_PKEY *key = NULL;

	while (store && !OSSL_STORE_eof(store)) {
		info = OSSL_STORE_load(store);
		if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY) {
			assert_null(key);
			key = OSSL_STORE_INFO_get1_PKEY(info);
		}
		OSSL_STORE_INFO_free(info);
	}
	OSSL_STORE_close(store);
	return key;
}

static void uris(void **state)
{
	struct kw_target target = {.name = "ec"};
	struct kw_key *found = NULL;
	char uri[128] = "keyward:";
	OSSL_STORE_CTX *store;
	EVP_PKEY *key, *same;
	size_t n = strlen(uri);

	(void)state;
	key = open_uri("keyward:ec");
	assert_non_null(key);
	test_no_errors();
	assert_true(signs(key));
	assert_int_equal(kw_key_find(test_kw(), &target, &found), KW_ERR_OK);
	for (size_t i = 0; i < KW_ID_SIZE; i++)
		n += (size_t)snprintf(uri + n, sizeof(uri) - n, "%02x", kw_key_id(found)[i]);
	same = open_uri(uri);
	assert_non_null(same);
	assert_int_equal(EVP_PKEY_eq(key, same), 1);
	EVP_PKEY_free(same);
	EVP_PKEY_free(key);
	kw_key_free(&found);
	/* A key file by way of the store, as the openssl command reads it. */
	key = open_uri(test_path("ec"));
	assert_non_null(key);
	assert_string_equal(provider_of(key), "keyward");
	EVP_PKEY_free(key);
	test_no_errors();
	assert_null(open_uri("keyward:nobody"));
	test_error(KW_ERR_NO_KEY, "nobody");
	assert_null(open_uri("keyward:"));
	ERR_clear_error();
	/* Who looks for certificates finds none, and no error. */
	store = OSSL_STORE_open("keyward:ec", NULL, NULL, NULL, NULL);
	assert_non_null(store);
	assert_int_equal(OSSL_STORE_expect(store, OSSL_STORE_INFO_CERT), 1);
	assert_null(OSSL_STORE_load(store));
	assert_int_equal(OSSL_STORE_error(store), 0);
	assert_int_equal(OSSL_STORE_close(store), 1);
	ERR_clear_error();
}

static void damaged_files_say_so(void **state)
{
	char *body;

	(void)state;
	read_pem("ec");
	body = strstr(pem, "-----\n") + 6;
	body[0] ^= 1;
	write_parts("bad", pem, "", "");
	assert_null(test_load(test_path("bad")));
	test_error(KW_ERR_BAD_REFERENCE, "key pem");
	/* Every byte changed: the key loads as some other or not at all, and nothing breaks. */
	read_pem("rsa");
	for (size_t i = 0; i < pem_len; i += 3) {
		EVP_PKEY *key;

		pem[i] ^= 2;
		test_write(test_path("bad"), pem, pem_len);
		pem[i] ^= 2;
		key = test_load(test_path("bad"));
		EVP_PKEY_free(key);
	}
	/* Cut anywhere: never a key. */
	for (size_t i = 0; i < pem_len - 10; i += 7) {
		test_write(test_path("bad"), pem, i);
		assert_null(test_load(test_path("bad")));
	}
	ERR_clear_error();
	/* Headers of encrypted PEM have no place here, and ask for no passphrase. */
	read_pem("ec");
	body = strstr(pem, "-----\n") + 6;
	body[-1] = '\0';
	write_parts("bad", pem, "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0011\n\n", body);
	assert_null(test_load(test_path("bad")));
	test_error(KW_ERR_BAD_REFERENCE, "not a Keyward key file");
}

static int passphrase(char *buf, int size, int writing, void *arg)
{
	(void)writing;
	(void)arg;
	return snprintf(buf, (size_t)size, "secret");
}

/* Other keys go on as if Keyward were not there. */
static void ordinary_keys(void **state)
{
	static const char *const types[] = {
		"RSA", "P-256", "P-384", "secp256k1", "ED25519", "X25519"};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		EVP_PKEY *made, *key;

		if (i == 0)
			made = EVP_RSA_gen(1024);
		else if (i < 4)
			made = EVP_EC_gen(types[i]);
		else
			made = EVP_PKEY_Q_keygen(NULL, NULL, types[i]);
		assert_non_null(made);
		assert_string_equal(provider_of(made), "default");
		for (int form = 0; form < 3; form++) {
			BIO *bio = BIO_new(BIO_s_mem());
			int ok;

			if (form == 0)
				ok = PEM_write_bio_PrivateKey(bio, made, NULL, NULL, 0, NULL, NULL);
			else if (form == 1)
				ok = PEM_write_bio_PKCS8PrivateKey(
					bio, made, EVP_aes_256_cbc(), NULL, 0, passphrase, NULL);
			else
				ok = i >= 4 ||
				     PEM_write_bio_PrivateKey_traditional(bio, made,
					     EVP_aes_128_cbc(), NULL, 0, passphrase, NULL);
			assert_int_equal(ok, 1);
			if (BIO_ctrl_pending(bio)) {
				key = PEM_read_bio_PrivateKey(bio, NULL, passphrase, NULL);
				assert_non_null(key);
				test_no_errors();
				assert_string_equal(provider_of(key), "default");
				assert_int_equal(EVP_PKEY_eq(key, made), 1);
				if (i != 5)
					assert_true(signs(key));
				test_no_errors();
				EVP_PKEY_free(key);
			}
			BIO_free(bio);
		}
		EVP_PKEY_free(made);
	}
}

/* The first private key of a file counts, whoever's it is. */
static void the_first_key_of_a_file(void **state)
{
	EVP_PKEY *made = EVP_EC_gen("P-256"), *key;
	BIO *bio = BIO_new(BIO_s_mem());
	char ordinary[2048];
	int n;

	(void)state;
	read_pem("ec");
	assert_int_equal(PEM_write_bio_PrivateKey(bio, made, NULL, NULL, 0, NULL, NULL), 1);
	n = BIO_read(bio, ordinary, sizeof(ordinary) - 1);
	ordinary[n] = '\0';
	BIO_free(bio);
	write_parts("two", ordinary, pem, "");
	key = test_load(test_path("two"));
	assert_non_null(key);
	assert_int_equal(EVP_PKEY_eq(key, made), 1);
	EVP_PKEY_free(key);
	write_parts("two", pem, ordinary, "");
	loads(test_path("two"));
	EVP_PKEY_free(made);
}

/* A name that moved to a new key, without a new file. */
static void names_move(void **state)
{
	struct kw_target target = {.name = "next"};
	EVP_PKEY *before, *after, *next;

	(void)state;
	test_key("moving", KW_KEY_TYPE_EC_P256, ALL, false);
	test_key("next", KW_KEY_TYPE_RSA_2048, ALL, false);
	before = test_load(test_path("moving"));
	next = test_load(test_path("next"));
	assert_int_equal(kw_key_rename(test_kw(), &target, "moving", true), KW_ERR_OK);
	after = test_load(test_path("moving"));
	assert_non_null(after);
	assert_true(EVP_PKEY_is_a(after, "RSA"));
	assert_int_equal(EVP_PKEY_eq(after, next), 1);
	/* What was loaded before stays what it was. */
	assert_true(signs(before));
	assert_true(signs(after));
	test_no_errors();
	EVP_PKEY_free(before);
	EVP_PKEY_free(after);
	EVP_PKEY_free(next);
}

static void no_tee_is_needed_to_load(void **state)
{
	static const char *const names[] = {"ec", "rsa", "ed", "sealed"};
	EVP_PKEY *keys[4];

	(void)state;
	test_tee_stop();
	for (size_t i = 0; i < 4; i++) {
		keys[i] = test_load(test_path(names[i]));
		assert_non_null(keys[i]);
		test_no_errors();
	}
	assert_false(signs(keys[0]));
	test_error(KW_ERR_NO_TEE, "tee.sock");
	assert_null(open_uri("keyward:ec"));
	test_error(KW_ERR_NO_TEE, "tee.sock");
	test_tee_again();
	/* Without loading again. */
	for (size_t i = 0; i < 4; i++) {
		assert_true(signs(keys[i]));
		EVP_PKEY_free(keys[i]);
	}
	test_no_errors();
}

/* In a context of its own, loaded and unloaded again and again, with keys that are still there. */
static void providers_come_and_go(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
		OSSL_PROVIDER *base = OSSL_PROVIDER_load(libctx, "default");
		OSSL_PROVIDER *own = OSSL_PROVIDER_load(libctx, "keyward");
		BIO *bio = BIO_new_file(test_path("ec"), "r");
		EVP_PKEY *key;

		assert_non_null(base);
		assert_non_null(own);
		key = PEM_read_bio_PrivateKey_ex(bio, NULL, NULL, NULL, libctx, NULL);
		assert_non_null(key);
		BIO_free(bio);
		OSSL_PROVIDER_unload(own);
		if (i % 2)
			assert_int_equal(EVP_PKEY_get_bits(key), 256);
		EVP_PKEY_free(key);
		OSSL_PROVIDER_unload(base);
		OSSL_LIB_CTX_free(libctx);
	}
	test_no_errors();
}

static int setup(void **state)
{
	(void)state;
	test_tee_start();
	test_providers_load();
	test_key("ec", KW_KEY_TYPE_EC_P256, ALL, false);
	test_key("rsa", KW_KEY_TYPE_RSA_2048, ALL, false);
	test_key("ed", KW_KEY_TYPE_ED25519, ALL, false);
	test_key("sealed", KW_KEY_TYPE_EC_P384, ALL, true);
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
		cmocka_unit_test(files_of_every_form),
		cmocka_unit_test(der_loads_too),
		cmocka_unit_test(uris),
		cmocka_unit_test(damaged_files_say_so),
		cmocka_unit_test(ordinary_keys),
		cmocka_unit_test(the_first_key_of_a_file),
		cmocka_unit_test(names_move),
		cmocka_unit_test(no_tee_is_needed_to_load),
		cmocka_unit_test(providers_come_and_go),
	};

	return cmocka_run_group_tests_name("key files", tests, setup, teardown);
}

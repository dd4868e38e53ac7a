/* SPDX-License-Identifier: BSD-2-Clause */
/* The provider as programs use it: certificates, requests, CMS, TLS, processes and threads,
 * refusals. */
#include "test_support.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
	EVP_PKEY *key = test_load(test_path(name_of(purpose, type)));

	assert_non_null(key);
	test_no_errors();
	return key;
}

static void certificates_and_requests(void **state)
{
	(void)state;
	for (size_t t = 0; t < 7; t++) {
		EVP_PKEY *key = key_of("sign", test_types[t]), *public = test_public(key);
		bool ed = test_types[t] == KW_KEY_TYPE_ED25519;
		X509_REQ *req;
		X509 *cert;

		for (size_t d = 0; d < (ed ? 1 : 4); d++) {
			cert = test_certificate(key, key, ed ? NULL : test_digests[d]);
			assert_non_null(cert);
			assert_int_equal(X509_verify(cert, public), 1);
			assert_int_equal(X509_verify(cert, key), 1);
			assert_int_equal(X509_check_private_key(cert, key), 1);
			test_no_errors();
			X509_free(cert);
		}
		req = X509_REQ_new();
		assert_int_equal(X509_REQ_set_version(req, X509_REQ_VERSION_1), 1);
		assert_int_equal(X509_REQ_set_pubkey(req, key), 1);
		assert_true(X509_REQ_sign(req, key, ed ? NULL : EVP_sha256()) > 0);
		assert_int_equal(X509_REQ_verify(req, public), 1);
		test_no_errors();
		X509_REQ_free(req);
		EVP_PKEY_free(public);
		EVP_PKEY_free(key);
	}
}

/* The AlgorithmIdentifier of PSS has parameters: whoever verifies goes by them. */
static void certificates_with_pss(void **state)
{
	static const int salts[] = {RSA_PSS_SALTLEN_DIGEST, RSA_PSS_SALTLEN_MAX, 20};
	EVP_PKEY *key = key_of("sign", KW_KEY_TYPE_RSA_2048), *public = test_public(key);

	(void)state;
	for (size_t d = 0; d < 4; d++)
		for (size_t s = 0; s < 3; s++) {
			X509 *cert = test_certificate(key, key, "SHA256");
			EVP_MD_CTX *ctx = EVP_MD_CTX_new();
			EVP_PKEY_CTX *pctx = NULL;

			assert_non_null(cert);
			assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, test_digests[d], NULL,
						 NULL, key, NULL),
				1);
			assert_int_equal(
				EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
			assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salts[s]), 1);
			assert_true(X509_sign_ctx(cert, ctx) > 0);
			assert_int_equal(X509_get_signature_nid(cert), NID_rsassaPss);
			assert_int_equal(X509_verify(cert, public), 1);
			test_no_errors();
			EVP_MD_CTX_free(ctx);
			X509_free(cert);
		}
	EVP_PKEY_free(public);
	EVP_PKEY_free(key);
}

static void cms(void **state)
{
	(void)state;
	for (size_t t = 0; t < 7; t += 3) {
		EVP_PKEY *key = key_of("sign", test_types[t]);
		bool ed = test_types[t] == KW_KEY_TYPE_ED25519;
		BIO *in = BIO_new_mem_buf("an update", 9), *out = BIO_new(BIO_s_mem());
		CMS_ContentInfo *signed_data;
		X509 *cert;

		/* OpenSSL 3.0 signs CMS attributes in pieces, and Ed25519 cannot. */
		if (ed) {
			BIO_free(in);
			BIO_free(out);
			EVP_PKEY_free(key);
			continue;
		}
		cert = test_certificate(key, key, "SHA256");
		signed_data = CMS_sign(cert, key, NULL, in, CMS_BINARY);
		assert_non_null(signed_data);
		assert_int_equal(CMS_verify(signed_data, NULL, NULL, NULL, out,
					 CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
			1);
		assert_int_equal(BIO_ctrl_pending(out), 9);
		CMS_ContentInfo_free(signed_data);
		X509_free(cert);
		BIO_free(in);
		BIO_free(out);
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
		EVP_PKEY *client = key_of("client", test_types[t]);

		for (size_t v = 0; v < 2; v++) {
			assert_true(test_handshake(server, NULL, versions[v], &signature));
			if (kw_key_type_is_rsa(test_types[t]))
				assert_int_equal(signature, EVP_PKEY_RSA_PSS);
			else
				assert_int_equal(signature, EVP_PKEY_get_base_id(server));
			assert_true(test_handshake(server, client, versions[v], NULL));
			test_no_errors();
		}
		EVP_PKEY_free(server);
		EVP_PKEY_free(client);
	}
}

/* A key is for what it is for, and the error queue, which servers log, says who was refused and
 * why. */
static void refusals(void **state)
{
	(void)state;
	for (size_t t = 0; t < 7; t += 3) {
		EVP_PKEY *server = key_of("server", test_types[t]);
		EVP_PKEY *client = key_of("client", test_types[t]);
		EVP_PKEY *public = test_public(server);
		const char *digest = EVP_PKEY_is_a(server, "ED25519") ? NULL : "SHA256";
		unsigned char sig[KW_SIGNATURE_MAX], hash[32] = {1};
		size_t len = sizeof(sig);
		EVP_PKEY_CTX *ctx;

		assert_null(test_certificate(server, server, digest));
		test_error(KW_ERR_TLS_MESSAGE, name_of("server", test_types[t]));
		for (size_t v = 0; v < 2; v++) {
			assert_false(test_handshake(client, NULL, versions[v], NULL));
			test_error(KW_ERR_TLS_MESSAGE, name_of("client", test_types[t]));
			assert_false(test_handshake(server, server, versions[v], NULL));
			test_error(KW_ERR_TLS_MESSAGE, name_of("server", test_types[t]));
		}
		if (digest) {
			ctx = EVP_PKEY_CTX_new_from_pkey(NULL, server, NULL);
			assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
			assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 1);
			assert_int_not_equal(EVP_PKEY_sign(ctx, sig, &len, hash, 32), 1);
			test_error(KW_ERR_TLS_MESSAGE, name_of("server", test_types[t]));
			EVP_PKEY_CTX_free(ctx);
		}
		EVP_PKEY_free(public);
		EVP_PKEY_free(server);
		EVP_PKEY_free(client);
	}
}

/* Another user: keys load as root, and are used by somebody who is not on the list, and then is. */
static void other_users(void **state)
{
	const uint32_t nobody = 65534;
	struct kw_identity who = {KW_IDENTITY_USER, nobody};
	struct kw_target target = {.name = name_of("server", KW_KEY_TYPE_EC_P256)};
	EVP_PKEY *key;
	int status;

	(void)state;
	if (geteuid() != 0)
		skip();
	key = key_of("server", KW_KEY_TYPE_EC_P256);
	/* Between mkdtemp and the daemon's own bits the socket is root's: open the way to it. */
	assert_int_equal(
		system("chmod 755 $(dirname $KEYWARD_SOCKET) && chmod 666 $KEYWARD_SOCKET"), 0);
	for (int allowed = 0; allowed < 2; allowed++) {
		pid_t pid;

		if (allowed) {
			struct kw_key *changed = NULL;

			assert_int_equal(
				kw_key_allow(test_kw(), &target, who, &changed), KW_ERR_OK);
			kw_key_free(&changed);
		}
		pid = fork();
		if (pid == 0) {
			if (setgid(nobody) || setuid(nobody))
				_exit(2);
			if (test_handshake(key, NULL, TLS1_3_VERSION, NULL) != (allowed == 1))
				_exit(3);
			if (!allowed)
				test_error(KW_ERR_ACCESS, "keyward key allow server-ec-p256");
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	EVP_PKEY_free(key);
}

static bool sign_many(EVP_PKEY *key, int count)
{
	unsigned char sig[KW_SIGNATURE_MAX];
	bool ok = true;

	for (int i = 0; i < count && ok; i++) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		size_t len = sizeof(sig);

		ok = EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
		     EVP_DigestSign(ctx, sig, &len, (const unsigned char *)&i, sizeof(i)) == 1 &&
		     EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
		     EVP_DigestVerify(ctx, sig, len, (const unsigned char *)&i, sizeof(i)) == 1;
		EVP_MD_CTX_free(ctx);
	}
	return ok;
}

static void processes(void **state)
{
	EVP_PKEY *key = key_of("sign", KW_KEY_TYPE_EC_P256);
	pid_t pids[8];
	int status;

	(void)state;
	assert_true(sign_many(key, 3));
	for (int i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			bool ok = sign_many(key, 50);

			/* Workers leave by exit, which runs OpenSSL's clean-up with the key
			 * still there. */
			exit(ok ? 0 : 1);
		}
	}
	assert_true(sign_many(key, 50));
	for (int i = 0; i < 8; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	EVP_PKEY_free(key);
}

static void *sign_in_thread(void *arg)
{
	return sign_many(arg, 100) ? arg : NULL;
}

static void threads(void **state)
{
	EVP_PKEY *key = key_of("sign", KW_KEY_TYPE_EC_P256);
	pthread_t ids[8];
	void *result;

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, sign_in_thread, key), 0);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(ids[i], &result), 0);
		assert_ptr_equal(result, key);
	}
	EVP_PKEY_free(key);
}

/* Sealed keys: more of them than anybody keeps open, by turns. */
static void sealed_keys(void **state)
{
	EVP_PKEY *keys[20];
	char name[32];

	(void)state;
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "sealed-%d", i);
		test_key(name, KW_KEY_TYPE_EC_P256, KW_PURPOSE_SIGN, true);
		keys[i] = test_load(test_path(name));
		assert_non_null(keys[i]);
	}
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 20; i++)
			assert_true(sign_many(keys[i], 2));
		/* A TEE that restarts has let go of all of them. */
		test_tee_stop();
		test_tee_again();
	}
	test_no_errors();
	for (int i = 0; i < 20; i++)
		EVP_PKEY_free(keys[i]);
}

static int setup(void **state)
{
	(void)state;
	test_tee_start();
	test_providers_load();
	for (size_t t = 0; t < 7; t++) {
		test_key(name_of("sign", test_types[t]), test_types[t], KW_PURPOSE_SIGN, false);
		test_key(name_of("server", test_types[t]), test_types[t], KW_PURPOSE_TLS_SERVER,
			false);
		test_key(name_of("client", test_types[t]), test_types[t], KW_PURPOSE_TLS_CLIENT,
			false);
	}
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
		cmocka_unit_test(certificates_and_requests),
		cmocka_unit_test(certificates_with_pss),
		cmocka_unit_test(cms),
		cmocka_unit_test(handshakes),
		cmocka_unit_test(refusals),
		cmocka_unit_test(processes),
		cmocka_unit_test(threads),
		cmocka_unit_test(sealed_keys),
		cmocka_unit_test(other_users),
	};

	return cmocka_run_group_tests_name("provider in use", tests, setup, teardown);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_support.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const enum kw_key_type test_types[7] = {KW_KEY_TYPE_RSA_2048, KW_KEY_TYPE_RSA_3072,
	KW_KEY_TYPE_RSA_4096, KW_KEY_TYPE_EC_P256, KW_KEY_TYPE_EC_P384, KW_KEY_TYPE_EC_P521,
	KW_KEY_TYPE_ED25519};
const char *const test_digests[4] = {"SHA224", "SHA256", "SHA384", "SHA512"};

static char folder[64];
static pid_t tee_pid = -1;
static struct kw *kw;

const char *test_path(const char *name)
{
	static char paths[8][TEST_PATH];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, TEST_PATH, "%s/%s", folder, name);
	return path;
}

struct kw *test_kw(void)
{
	return kw;
}

static bool tee_answers(void)
{
	struct kw_status *status = NULL;
	enum kw_err err = kw_status_new(kw, &status);

	kw_status_free(&status);
	return !err;
}

void test_tee_again(void)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	const char *teed = getenv("KEYWARD_TEED");

	assert_non_null(teed);
	tee_pid = fork();
	assert_int_not_equal(tee_pid, -1);
	if (tee_pid == 0) {
		execl(teed, teed, "--store", test_path("store"), "--socket", test_path("tee.sock"),
			(char *)NULL);
		_exit(127);
	}
	/* Bounds a hang; nothing is measured by it. */
	for (int i = 0; i < 1000 && !tee_answers(); i++)
		nanosleep(&pause, NULL);
	assert_true(tee_answers());
}

void test_tee_start(void)
{
	strcpy(folder, "/tmp/keyward-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("KEYWARD_SOCKET", test_path("tee.sock"), 1);
	unsetenv("KEYWARD_TEE");
	assert_int_equal(kw_new(NULL, &kw), KW_ERR_OK);
	test_tee_again();
}

void test_tee_stop(void)
{
	int status = 0;

	kill(tee_pid, SIGTERM);
	assert_int_equal(waitpid(tee_pid, &status, 0), tee_pid);
	assert_int_equal(status, 0);
	tee_pid = -1;
}

void test_tee_end(void)
{
	char command[128];

	if (tee_pid > 0)
		test_tee_stop();
	kw_free(&kw);
	snprintf(command, sizeof(command), "rm -rf -- '%s'", folder);
	assert_int_equal(system(command), 0);
}

static OSSL_PROVIDER *providers[2];

void test_providers_load(void)
{
	const bool keyward_first = getenv("KEYWARD_FIRST");

	providers[0] = OSSL_PROVIDER_load(NULL, keyward_first ? "keyward" : "default");
	assert_non_null(providers[0]);
	providers[1] = OSSL_PROVIDER_load(NULL, keyward_first ? "default" : "keyward");
	assert_non_null(providers[1]);
}

void test_providers_unload(void)
{
	assert_int_equal(OSSL_PROVIDER_unload(providers[1]), 1);
	assert_int_equal(OSSL_PROVIDER_unload(providers[0]), 1);
}

void test_write(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

size_t test_read(const char *path, void *buf, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(buf, 1, size, f);
	assert_int_equal(fclose(f), 0);
	return n;
}

static void write_reference(const char *name, const struct kw_key *key)
{
	struct kw_reference *ref = NULL;
	uint8_t der[KW_REFERENCE_MAX];
	size_t len = 0;
	BIO *bio;

	assert_int_equal(kw_reference_new(key, &ref), KW_ERR_OK);
	assert_int_equal(kw_reference_encode(ref, der, &len), KW_ERR_OK);
	kw_reference_free(&ref);
	bio = BIO_new_file(test_path(name), "w");
	assert_non_null(bio);
	assert_true(PEM_write_bio(bio, KW_PEM_LABEL, "", der, (long)len) > 0);
	BIO_free(bio);
}

void test_key_file(const char *name)
{
	struct kw_target target = {.name = name};
	struct kw_key *key = NULL;

	assert_int_equal(kw_key_find(kw, &target, &key), KW_ERR_OK);
	write_reference(name, key);
	kw_key_free(&key);
}

void test_key(const char *name, enum kw_key_type type, uint32_t purposes, bool sealed)
{
	struct kw_key_template template = {
		.name = name, .type = type, .purposes = purposes, .sealed = sealed};
	struct kw_key *key = NULL;

	assert_int_equal(kw_key_generate(kw, &template, &key), KW_ERR_OK);
	write_reference(name, key);
	kw_key_free(&key);
}

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	fail_msg("a passphrase was asked for");
	return -1;
}

EVP_PKEY *test_load(const char *path)
{
	BIO *bio = BIO_new_file(path, "r");
	EVP_PKEY *key;

	assert_non_null(bio);
	key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	return key;
}

EVP_PKEY *test_public(EVP_PKEY *key)
{
	unsigned char *der = NULL;
	const unsigned char *p;
	EVP_PKEY *public;
	int len = i2d_PUBKEY(key, &der);

	assert_true(len > 0);
	p = der;
	public = d2i_PUBKEY_ex(NULL, &p, len, NULL, "provider=default");
	assert_non_null(public);
	OPENSSL_free(der);
	return public;
}

X509 *test_certificate(EVP_PKEY *key, EVP_PKEY *signer, const char *digest)
{
	X509 *cert = X509_new();
	X509_NAME *name;

	assert_non_null(cert);
	assert_true(X509_set_version(cert, X509_VERSION_3));
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	name = X509_get_subject_name(cert);
	assert_true(X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)"www.test.com", -1, -1, 0));
	assert_true(X509_set_issuer_name(cert, name));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), -3600));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	assert_true(X509_set_pubkey(cert, key));
	if (X509_sign(cert, signer, digest ? EVP_get_digestbyname(digest) : NULL) > 0)
		return cert;
	X509_free(cert);
	return NULL;
}

void test_no_errors(void)
{
	unsigned long e = ERR_peek_error();

	if (e)
		ERR_print_errors_fp(stderr);
	assert_int_equal(e, 0);
}

void test_error(enum kw_err err, const char *text)
{
	const char *data;
	bool found = false;
	unsigned long e;
	int flags;

	while ((e = ERR_get_error_all(NULL, NULL, NULL, &data, &flags))) {
		const char *reason = ERR_reason_error_string(e);

		if (reason && strcmp(reason, kw_strerror(err)) == 0 && flags & ERR_TXT_STRING &&
			strstr(data, text) && strcmp(ERR_lib_error_string(e), "keyward") == 0)
			found = true;
		else if (!found)
			print_message("    in the queue: %s: %s\n", reason ? reason : "?", data);
	}
	assert_true(found);
}

static bool step(SSL *ssl)
{
	int r = SSL_do_handshake(ssl);
	int e = SSL_get_error(ssl, r);

	return r == 1 || e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
}

static void use_key(SSL_CTX *ctx, EVP_PKEY *key, EVP_PKEY *ca)
{
	X509 *cert = test_certificate(key, ca, "SHA256");

	assert_non_null(cert);
	assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	assert_int_equal(SSL_CTX_check_private_key(ctx), 1);
	X509_free(cert);
}

static int any_certificate(int ok, X509_STORE_CTX *ctx)
{
	(void)ok;
	(void)ctx;
	return 1;
}

#define SIGALGS                                                               \
	"RSA+SHA1:ECDSA+SHA1:ed25519:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:" \
	"RSA-PSS+SHA256:RSA-PSS+SHA384:RSA+SHA256"

bool test_handshake(EVP_PKEY *server_key, EVP_PKEY *client_key, int version, int *signature)
{
	SSL_CTX *server_ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX *client_ctx = SSL_CTX_new(TLS_client_method());
	EVP_PKEY *ca = EVP_EC_gen("prime256v1");
	BIO *one = NULL, *two = NULL;
	SSL *server, *client;
	bool done = false;

	assert_non_null(ca);
	use_key(server_ctx, server_key, ca);
	if (client_key) {
		use_key(client_ctx, client_key, ca);
		SSL_CTX_set_verify(server_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			any_certificate);
	}
	server = SSL_new(server_ctx);
	client = SSL_new(client_ctx);
	assert_int_equal(BIO_new_bio_pair(&one, 65536, &two, 65536), 1);
	SSL_set_bio(server, one, one);
	SSL_set_bio(client, two, two);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	assert_int_equal(SSL_set_min_proto_version(client, version), 1);
	assert_int_equal(SSL_set_max_proto_version(client, version), 1);
	/* Hashes that Keyward does not sign with come first: the server goes on to the next. */
	SSL_set_security_level(server, 0);
	SSL_set_security_level(client, 0);
	assert_int_equal(SSL_set1_sigalgs_list(client, SIGALGS), 1);
	for (int i = 0; i < 20 && !done; i++) {
		if (!step(client) || !step(server))
			break;
		done = SSL_is_init_finished(client) && SSL_is_init_finished(server);
	}
	if (done && signature)
		assert_int_equal(SSL_get_peer_signature_type_nid(client, signature), 1);
	SSL_free(server);
	SSL_free(client);
	SSL_CTX_free(server_ctx);
	SSL_CTX_free(client_ctx);
	EVP_PKEY_free(ca);
	return done;
}

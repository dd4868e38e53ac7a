/* SPDX-License-Identifier: BSD-2-Clause */
/* What libssl really signs: handshakes in memory, their signed messages rebuilt from the wire and
 * verified with the certificate's key, then put before the checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tls_message.h"

struct key {
	enum key_type type;
	EVP_PKEY *pkey;
	X509 *cert;
};

static struct key keys[] = {
	{.type = KEY_TYPE_RSA_2048},
	{.type = KEY_TYPE_RSA_3072},
	{.type = KEY_TYPE_EC_P256},
	{.type = KEY_TYPE_EC_P384},
	{.type = KEY_TYPE_EC_P521},
	{.type = KEY_TYPE_ED25519},
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static EVP_PKEY *generate(enum key_type type)
{
	switch (type) {
	case KEY_TYPE_RSA_2048:
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	case KEY_TYPE_RSA_3072:
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)3072);
	case KEY_TYPE_EC_P256:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	case KEY_TYPE_EC_P384:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	case KEY_TYPE_EC_P521:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	default:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	}
}

static int make_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS; i++) {
		X509_NAME *name;
		X509 *x = X509_new();
		const EVP_MD *md = keys[i].type == KEY_TYPE_ED25519 ? NULL : EVP_sha256();

		keys[i].pkey = generate(keys[i].type);
		name = X509_get_subject_name(x);
		X509_NAME_add_entry_by_txt(
			name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
		X509_set_issuer_name(x, name);
		X509_gmtime_adj(X509_getm_notBefore(x), -60);
		X509_gmtime_adj(X509_getm_notAfter(x), 3600);
		X509_set_pubkey(x, keys[i].pkey);
		if (!X509_sign(x, keys[i].pkey, md))
			return -1;
		keys[i].cert = x;
	}
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS; i++) {
		X509_free(keys[i].cert);
		EVP_PKEY_free(keys[i].pkey);
	}
	return 0;
}

/* All handshake messages in the order in which the client saw them. */
struct recording {
	uint8_t bytes[65536];
	size_t len;
	size_t at[32]; /* where each message starts, and the last one ends */
	unsigned count;
	size_t header;
};

static void record(
	int write, int version, int content, const void *buf, size_t len, SSL *ssl, void *arg)
{
	struct recording *r = arg;

	(void)write;
	(void)version;
	(void)ssl;
	if (content != SSL3_RT_HANDSHAKE || r->count + 2 > 32 || len > sizeof(r->bytes) - r->len)
		return;
	memcpy(r->bytes + r->len, buf, len);
	r->at[r->count++] = r->len;
	r->len += len;
	r->at[r->count] = r->len;
}

struct setting {
	int version;
	const char *ciphers;
	const char *groups;
	const char *sigalgs;
};

static int accept_any(int ok, X509_STORE_CTX *ctx)
{
	(void)ok;
	(void)ctx;
	return 1;
}

static SSL *endpoint(const struct setting *s, const struct key *key, int fd, bool server)
{
	bool dtls = s->version == DTLS1_2_VERSION;
	SSL_CTX *ctx = SSL_CTX_new(dtls ? DTLS_method() : TLS_method());
	BIO *bio = BIO_new_socket(fd, BIO_CLOSE);
	SSL *ssl;

	SSL_CTX_set_min_proto_version(ctx, s->version);
	SSL_CTX_set_max_proto_version(ctx, s->version);
	SSL_CTX_set_security_level(ctx, 1);
	assert_int_equal(SSL_CTX_use_certificate(ctx, key->cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key->pkey), 1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
	SSL_CTX_set_dh_auto(ctx, 1);
	if (s->ciphers)
		assert_int_equal(SSL_CTX_set_cipher_list(ctx, s->ciphers), 1);
	if (s->groups)
		assert_int_equal(SSL_CTX_set1_groups_list(ctx, s->groups), 1);
	if (s->sigalgs)
		assert_int_equal(SSL_CTX_set1_sigalgs_list(ctx, s->sigalgs), 1);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	if (dtls) {
		SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
		SSL_set_mtu(ssl, 16000);
	}
	SSL_set_bio(ssl, bio, bio);
	if (server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

static void handshake(const struct setting *s, const struct key *key, struct recording *r)
{
	int fd[2];
	int type = s->version == DTLS1_2_VERSION ? SOCK_DGRAM : SOCK_STREAM;
	SSL *client, *server;
	int a = 0, b = 0;

	memset(r, 0, sizeof(*r));
	r->header = s->version == DTLS1_2_VERSION ? 12 : 4;
	assert_int_equal(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, fd), 0);
	client = endpoint(s, key, fd[0], false);
	server = endpoint(s, key, fd[1], true);
	SSL_set_msg_callback(client, record);
	SSL_set_msg_callback_arg(client, r);
	for (int i = 0; i < 20 && (a != 1 || b != 1); i++) {
		a = SSL_do_handshake(client);
		b = SSL_do_handshake(server);
	}
	if (a != 1 || b != 1)
		fail_msg("no handshake: %s %s", s->ciphers ? s->ciphers : "-",
			s->groups ? s->groups : "-");
	SSL_free(client);
	SSL_free(server);
}

/* The n-th message (from 0) of a type; its body. */
static const uint8_t *find(const struct recording *r, uint8_t type, unsigned n, size_t *len)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (r->bytes[r->at[i]] != type || n-- != 0)
			continue;
		*len = r->at[i + 1] - r->at[i] - r->header;
		return r->bytes + r->at[i] + r->header;
	}
	fail_msg("no message of type %u", type);
	return NULL;
}

/* RFC 8446 4.2.3 and RFC 5246 7.4.1.4.1: what the number on the wire means. */
static struct crypto_sign algorithm_of(unsigned number)
{
	struct crypto_sign what = {0};

	if (number == 0x0807) {
		what.scheme = SCHEME_EDDSA;
	} else if (number >> 8 == 8) {
		what.scheme = SCHEME_RSA_PSS;
		what.hash = number == 0x0804   ? HASH_SHA256
			    : number == 0x0805 ? HASH_SHA384
					       : HASH_SHA512;
		what.salt_len = number == 0x0804 ? 32 : number == 0x0805 ? 48 : 64;
	} else {
		what.scheme = (number & 0xff) == 3 ? SCHEME_ECDSA : SCHEME_RSA_PKCS1;
		what.hash = (enum hash_id)((number >> 8) - 2); /* 3 is SHA-224 in TLS, 1 in ours */
	}
	return what;
}

static bool verifies(
	const struct key *key, const struct crypto_sign *what, const uint8_t *sig, size_t n)
{
	static const char *const hashes[] = {NULL, "SHA224", "SHA256", "SHA384", "SHA512"};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	bool ok = EVP_DigestVerifyInit_ex(
			  ctx, &pctx, hashes[what->hash], NULL, NULL, key->pkey, NULL) == 1;

	if (ok && what->scheme == SCHEME_RSA_PSS)
		ok = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, what->salt_len) == 1;
	ok = ok && EVP_DigestVerify(ctx, sig, n, what->data, what->n) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* `what` is a real signed message: its own role takes it, and only whole. */
static void check_real(const struct key *key, struct crypto_sign what, bool server,
	const uint8_t *tail, size_t tail_len)
{
	enum kw_err (*own)(enum key_type, const struct crypto_sign *) =
		server ? tls_message_check_server : tls_message_check_client;
	enum kw_err (*other)(enum key_type, const struct crypto_sign *) =
		server ? tls_message_check_client : tls_message_check_server;
	size_t n = what.n;
	uint8_t *longer;

	/* The tail is algorithm, length, signature: the rebuilt message is right when it verifies.
	 */
	assert_true(tail_len > 4);
	assert_true(verifies(key, &what, tail + 4, tail_len - 4));
	assert_int_equal(own(key->type, &what), KW_ERR_OK);
	assert_int_equal(other(key->type, &what), KW_ERR_TLS_MESSAGE);
	what.is_digest = true;
	assert_int_equal(own(key->type, &what), KW_ERR_TLS_MESSAGE);
	what.is_digest = false;
	for (what.n = 0; what.n < n; what.n++) {
		/* A CertificateVerify with a longer hash is one with a shorter hash in front. */
		if (n == 98 + 48 && what.n == 98 + 32)
			continue;
		assert_int_equal(own(key->type, &what), KW_ERR_TLS_MESSAGE);
	}
	longer = calloc(1, n + 1);
	memcpy(longer, what.data, n);
	what.data = longer;
	what.n = n + 1;
	assert_int_equal(own(key->type, &what), KW_ERR_TLS_MESSAGE);
	free(longer);
}

static void check_server_key_exchange(const struct key *key, const struct recording *r)
{
	uint8_t m[8192];
	size_t n, len, params;
	const uint8_t *p = find(r, SSL3_MT_CLIENT_HELLO, 0, &len);
	struct crypto_sign what;

	memcpy(m, p + 2, 32);
	p = find(r, SSL3_MT_SERVER_HELLO, 0, &len);
	memcpy(m + 32, p + 2, 32);
	p = find(r, SSL3_MT_SERVER_KEY_EXCHANGE, 0, &len);
	/* ServerECDHParams begin with named_curve; no p of 768 bytes is used here. */
	params = p[0] == 3 ? 4 + (size_t)p[3] : 0;
	for (int i = 0; p[0] != 3 && i < 3; i++)
		params += 2 + ((size_t)p[params] << 8 | p[params + 1]);
	memcpy(m + 64, p, params);
	n = 64 + params;
	what = algorithm_of((unsigned)(p[params] << 8 | p[params + 1]));
	what.data = m;
	what.n = n;
	check_real(key, what, true, p + params, len - params);
}

static void check_client_transcript(const struct key *key, const struct recording *r)
{
	size_t len;
	const uint8_t *p = find(r, SSL3_MT_CERTIFICATE_VERIFY, 0, &len);
	struct crypto_sign what = algorithm_of((unsigned)(p[0] << 8 | p[1]));

	what.data = r->bytes;
	what.n = (size_t)(p - r->bytes) - r->header;
	check_real(key, what, false, p, len);
}

/* RFC 8446 4.4.3, for suites with SHA-256 (0x1301, 0x1303) and SHA-384 (0x1302). */
static void check_certificate_verify(const struct key *key, const struct recording *r, bool server)
{
	uint8_t m[64 + 34 + 48];
	size_t len, hash;
	const uint8_t *hello = find(r, SSL3_MT_SERVER_HELLO, 0, &len);
	const uint8_t *p = find(r, SSL3_MT_CERTIFICATE_VERIFY, server ? 0 : 1, &len);
	bool sha384 = hello[35 + hello[34] + 1] == 2;
	struct crypto_sign what = algorithm_of((unsigned)(p[0] << 8 | p[1]));

	memset(m, ' ', 64);
	memcpy(m + 64,
		server ? "TLS 1.3, server CertificateVerify" : "TLS 1.3, client CertificateVerify",
		34);
	hash = sha384 ? 48 : 32;
	EVP_Q_digest(NULL, sha384 ? "SHA384" : "SHA256", NULL, r->bytes, (size_t)(p - r->bytes) - 4,
		m + 98, NULL);
	what.data = m;
	what.n = 98 + hash;
	check_real(key, what, server, p, len);
}

static struct recording recording;

static void test_tls13(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS; i++) {
		struct setting s = {.version = TLS1_3_VERSION};

		handshake(&s, &keys[i], &recording);
		check_certificate_verify(&keys[i], &recording, true);
		check_certificate_verify(&keys[i], &recording, false);
	}
}

static void test_tls12_groups(void **state)
{
	static const char *const groups[] = {"P-256", "P-384", "P-521", "X25519", "X448",
		"brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"};

	(void)state;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		struct setting s = {.version = TLS1_2_VERSION, .groups = groups[i]};

		handshake(&s, &keys[0], &recording);
		check_server_key_exchange(&keys[0], &recording);
		check_client_transcript(&keys[0], &recording);
	}
}

static void test_tls12_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS; i++) {
		struct setting s = {.version = TLS1_2_VERSION};

		handshake(&s, &keys[i], &recording);
		check_server_key_exchange(&keys[i], &recording);
		check_client_transcript(&keys[i], &recording);
	}
}

static void test_tls12_algorithms(void **state)
{
	static const struct {
		unsigned key;
		const char *sigalgs;
	} tries[] = {
		{0, "RSA+SHA224"},
		{0, "RSA+SHA256"},
		{0, "RSA+SHA384"},
		{0, "RSA+SHA512"},
		{0, "rsa_pss_rsae_sha256"},
		{0, "rsa_pss_rsae_sha384"},
		{0, "rsa_pss_rsae_sha512"},
		{2, "ECDSA+SHA224"},
		{2, "ECDSA+SHA256"},
		{2, "ECDSA+SHA384"},
		{2, "ECDSA+SHA512"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		const struct key *key = &keys[tries[i].key];
		struct setting s = {.version = TLS1_2_VERSION, .sigalgs = tries[i].sigalgs};

		handshake(&s, key, &recording);
		check_server_key_exchange(key, &recording);
		check_client_transcript(key, &recording);
	}
}

static void test_tls12_dhe(void **state)
{
	struct setting s = {.version = TLS1_2_VERSION, .ciphers = "DHE-RSA-AES128-GCM-SHA256"};

	(void)state;
	/* Two sizes: libssl takes 2048 bits for a key of 2048 and 3072 for one of 3072. */
	for (unsigned i = 0; i < 2; i++) {
		handshake(&s, &keys[i], &recording);
		check_server_key_exchange(&keys[i], &recording);
		check_client_transcript(&keys[i], &recording);
	}
}

static void test_tls12_rsa_exchange(void **state)
{
	struct setting s = {.version = TLS1_2_VERSION, .ciphers = "AES128-GCM-SHA256"};

	(void)state;
	handshake(&s, &keys[0], &recording);
	check_client_transcript(&keys[0], &recording);
}

static void test_dtls12(void **state)
{
	struct setting s = {.version = DTLS1_2_VERSION};

	(void)state;
	for (size_t i = 0; i < KEYS; i++) {
		/* libssl 3.0 has no EdDSA in DTLS. */
		if (keys[i].type == KEY_TYPE_ED25519)
			continue;
		handshake(&s, &keys[i], &recording);
		check_server_key_exchange(&keys[i], &recording);
		check_client_transcript(&keys[i], &recording);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls13),
		cmocka_unit_test(test_tls12_groups),
		cmocka_unit_test(test_tls12_keys),
		cmocka_unit_test(test_tls12_algorithms),
		cmocka_unit_test(test_tls12_dhe),
		cmocka_unit_test(test_tls12_rsa_exchange),
		cmocka_unit_test(test_dtls12),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}

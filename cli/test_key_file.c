/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "key_file.h"

struct bytes {
	unsigned char *at;
	size_t len;
};

static int right_passphrase(void *context, char *buf, int size)
{
	int n = (int)strlen(context);

	assert_true(n <= size);
	memcpy(buf, context, (size_t)n);
	return n;
}

static EVP_PKEY *make(const char *name)
{
	if (strncmp(name, "rsa-", 4) == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)atoi(name + 4));
	if (strncmp(name, "ec-", 3) == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", name + 3);
	return EVP_PKEY_Q_keygen(NULL, NULL, name);
}

/* As openssl(1) would write it; cipher NULL for no encryption. */
static struct bytes encode(
	EVP_PKEY *key, int selection, const char *format, const char *structure, const char *cipher)
{
	OSSL_ENCODER_CTX *ctx =
		OSSL_ENCODER_CTX_new_for_pkey(key, selection, format, structure, NULL);
	struct bytes out = {NULL, 0};

	assert_non_null(ctx);
	if (cipher) {
		assert_true(OSSL_ENCODER_CTX_set_cipher(ctx, cipher, NULL));
		assert_true(
			OSSL_ENCODER_CTX_set_passphrase(ctx, (const unsigned char *)"secret", 6));
	}
	assert_true(OSSL_ENCODER_to_data(ctx, &out.at, &out.len));
	OSSL_ENCODER_CTX_free(ctx);
	return out;
}

static struct bytes bio_bytes(BIO *bio)
{
	struct bytes out;
	char *at;
	long n = BIO_get_mem_data(bio, &at);

	out.at = OPENSSL_memdup(at, (size_t)n);
	out.len = (size_t)n;
	assert_non_null(out.at);
	BIO_free(bio);
	return out;
}

/* The material must be the key's own numbers: not only accepted, but the same key. */
static void assert_material(EVP_PKEY *key, const struct key_material *m)
{
	BIGNUM *e = NULL, *p = NULL, *q = NULL, *d = NULL, *found;
	uint8_t seed[32];
	size_t n = sizeof(seed);

	if (EVP_PKEY_is_a(key, "RSA")) {
		size_t half = (size_t)EVP_PKEY_get_bits(key) / 16;

		assert_true(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e));
		assert_true(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_FACTOR1, &p));
		assert_true(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_FACTOR2, &q));
		assert_int_equal(m->len, 4 + 2 * half);
		found = BN_bin2bn(m->bytes, 4, NULL);
		assert_int_equal(BN_cmp(found, e), 0);
		BN_bin2bn(m->bytes + 4, (int)half, found);
		assert_int_equal(BN_cmp(found, p), 0);
		BN_bin2bn(m->bytes + 4 + half, (int)half, found);
		assert_int_equal(BN_cmp(found, q), 0);
		BN_free(found);
	} else if (EVP_PKEY_is_a(key, "EC")) {
		assert_int_equal(m->len, (EVP_PKEY_get_bits(key) + 7) / 8);
		assert_true(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &d));
		found = BN_bin2bn(m->bytes, (int)m->len, NULL);
		assert_int_equal(BN_cmp(found, d), 0);
		BN_free(found);
	} else {
		assert_true(EVP_PKEY_get_raw_private_key(key, seed, &n));
		assert_int_equal(m->len, n);
		assert_memory_equal(m->bytes, seed, n);
	}
	BN_free(e);
	BN_free(p);
	BN_free(q);
	BN_free(d);
}

static void assert_reads(
	EVP_PKEY *key, struct bytes file, const char *passphrase, enum kw_key_type type)
{
	struct bytes spki = encode(key, EVP_PKEY_PUBLIC_KEY, "DER", "SubjectPublicKeyInfo", NULL);
	struct key_material m;

	if (!key_file_read(file.at, file.len, passphrase ? right_passphrase : NULL,
		    (void *)(uintptr_t)passphrase, &m))
		fail_msg("refused: %s", m.problem);
	assert_int_equal(m.type, type);
	assert_material(key, &m);
	assert_true(key_material_is(&m, spki.at, spki.len));
	spki.at[spki.len - 1] ^= 1;
	assert_false(key_material_is(&m, spki.at, spki.len));
	key_material_wipe(&m);
	OPENSSL_free(spki.at);
}

/* Refused, with a sentence that has this in it, and without a byte of the key left behind. */
static void assert_refused(
	const void *file, size_t len, const char *passphrase, const char *sentence)
{
	static const uint8_t nothing[sizeof(((struct key_material *)0)->bytes)];
	struct key_material m;

	assert_false(key_file_read(file, len, passphrase ? right_passphrase : NULL,
		(void *)(uintptr_t)passphrase, &m));
	if (!strstr(m.problem, sentence))
		fail_msg("said '%s', which does not say '%s'", m.problem, sentence);
	assert_memory_equal(m.bytes, nothing, sizeof(nothing));
	assert_null(m.spki);
	key_material_wipe(&m);
}

static const struct {
	const char *name;
	enum kw_key_type type;
} kept[] = {
	{"rsa-2048", KW_KEY_TYPE_RSA_2048},
	{"rsa-3072", KW_KEY_TYPE_RSA_3072},
	{"ec-P-256", KW_KEY_TYPE_EC_P256},
	{"ec-P-384", KW_KEY_TYPE_EC_P384},
	{"ec-P-521", KW_KEY_TYPE_EC_P521},
	{"ED25519", KW_KEY_TYPE_ED25519},
	{"X25519", KW_KEY_TYPE_X25519},
};

static void test_every_form(void **state)
{
	static const char *const formats[] = {"PEM", "DER"};
	size_t i, f;

	(void)state;
	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		EVP_PKEY *key = make(kept[i].name);

		assert_non_null(key);
		for (f = 0; f < 2; f++) {
			struct bytes file =
				encode(key, EVP_PKEY_KEYPAIR, formats[f], "PrivateKeyInfo", NULL);

			assert_reads(key, file, NULL, kept[i].type);
			/* A passphrase that is not needed does no harm. */
			assert_reads(key, file, "secret", kept[i].type);
			OPENSSL_free(file.at);
			file = encode(key, EVP_PKEY_KEYPAIR, formats[f], "EncryptedPrivateKeyInfo",
				"AES-256-CBC");
			assert_reads(key, file, "secret", kept[i].type);
			assert_refused(file.at, file.len, "Secret", "the passphrase is wrong");
			assert_refused(file.at, file.len, "", "the passphrase is wrong");
			assert_refused(file.at, file.len, NULL, "no passphrase");
			OPENSSL_free(file.at);
			if (strstr(kept[i].name, "25519"))
				continue;
			file = encode(key, EVP_PKEY_KEYPAIR, formats[f], "type-specific", NULL);
			assert_reads(key, file, NULL, kept[i].type);
			OPENSSL_free(file.at);
		}
		EVP_PKEY_free(key);
	}
}

static void test_old_encrypted_pem(void **state)
{
	EVP_PKEY *key = make("ec-P-256");
	BIO *bio = BIO_new(BIO_s_mem());
	struct bytes file;

	(void)state;
	assert_true(PEM_write_bio_PrivateKey_traditional(
		bio, key, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL, NULL));
	file = bio_bytes(bio);
	assert_non_null(memmem(file.at, file.len, "Proc-Type: 4,ENCRYPTED", 22));
	assert_reads(key, file, "secret", KW_KEY_TYPE_EC_P256);
	assert_refused(file.at, file.len, "Secret", "the passphrase is wrong");
	assert_refused(file.at, file.len, NULL, "no passphrase");
	OPENSSL_free(file.at);
	EVP_PKEY_free(key);
}

/* The curve written out as parameters is still that curve. */
static void test_explicit_curve(void **state)
{
	EVP_PKEY *key = make("ec-P-384");
	struct bytes file;

	(void)state;
	assert_true(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"));
	file = encode(key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", NULL);
	assert_true(
		EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "named_curve"));
	assert_reads(key, file, NULL, KW_KEY_TYPE_EC_P384);
	OPENSSL_free(file.at);
	EVP_PKEY_free(key);
}

static struct bytes make_certificate(EVP_PKEY *key, const char *format)
{
	X509 *certificate = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());

	assert_true(X509_set_version(certificate, 2) &&
		    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 1000));
	assert_true(X509_set_pubkey(certificate, key) && X509_sign(certificate, key, EVP_sha256()));
	if (strcmp(format, "PEM") == 0)
		assert_true(PEM_write_bio_X509(bio, certificate));
	else
		assert_true(i2d_X509_bio(bio, certificate));
	X509_free(certificate);
	return bio_bytes(bio);
}

static struct bytes join(struct bytes a, struct bytes b)
{
	struct bytes out = {OPENSSL_malloc(a.len + b.len), a.len + b.len};

	memcpy(out.at, a.at, a.len);
	memcpy(out.at + a.len, b.at, b.len);
	return out;
}

static void test_certificates_beside_the_key(void **state)
{
	EVP_PKEY *key = make("ec-P-256"), *other = make("ec-P-256");
	struct bytes certificate = make_certificate(key, "PEM");
	struct bytes pem = encode(key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", NULL);
	struct bytes second = encode(other, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", NULL);
	struct bytes before = join(certificate, pem), after = join(pem, certificate),
		     two = join(pem, second);

	(void)state;
	assert_reads(key, before, NULL, KW_KEY_TYPE_EC_P256);
	assert_reads(key, after, NULL, KW_KEY_TYPE_EC_P256);
	assert_refused(two.at, two.len, NULL, "2 private keys");
	OPENSSL_free(certificate.at);
	OPENSSL_free(pem.at);
	OPENSSL_free(second.at);
	OPENSSL_free(before.at);
	OPENSSL_free(after.at);
	OPENSSL_free(two.at);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static void test_what_is_no_private_key(void **state)
{
	static const char keyward[] =
		"-----BEGIN KEYWARD PRIVATE KEY-----\nAAAA\n-----END KEYWARD PRIVATE KEY-----\n";
	static const char openssh[] =
		"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
	static const char *const formats[] = {"PEM", "DER"};
	EVP_PKEY *key = make("rsa-2048");
	X509_REQ *request = X509_REQ_new();
	struct bytes file;
	BIO *bio;
	int f;

	(void)state;
	for (f = 0; f < 2; f++) {
		file = make_certificate(key, formats[f]);
		assert_refused(file.at, file.len, NULL, "certificate, which is public");
		OPENSSL_free(file.at);
		file = encode(key, EVP_PKEY_PUBLIC_KEY, formats[f], "SubjectPublicKeyInfo", NULL);
		assert_refused(file.at, file.len, NULL, "public key");
		OPENSSL_free(file.at);
		bio = BIO_new(BIO_s_mem());
		assert_true(X509_REQ_set_pubkey(request, key) &&
			    X509_REQ_sign(request, key, EVP_sha256()));
		assert_true(
			f ? i2d_X509_REQ_bio(bio, request) : PEM_write_bio_X509_REQ(bio, request));
		file = bio_bytes(bio);
		assert_refused(file.at, file.len, NULL, "certificate request");
		OPENSSL_free(file.at);
	}
	assert_refused(keyward, strlen(keyward), NULL, "Keyward key file already");
	assert_refused(openssh, strlen(openssh), NULL, "ssh-keygen");
	assert_refused("hello\n", 6, NULL, "not a private key that can be read");
	assert_refused("", 0, NULL, "empty");
	X509_REQ_free(request);
	EVP_PKEY_free(key);
}

static void test_pkcs12(void **state)
{
	EVP_PKEY *key = make("ec-P-256");
	PKCS12 *p12 = PKCS12_create("secret", "x", key, NULL, NULL, 0, 0, 0, 0, 0);
	BIO *bio = BIO_new(BIO_s_mem());
	struct bytes file;

	(void)state;
	assert_true(p12 && i2d_PKCS12_bio(bio, p12));
	file = bio_bytes(bio);
	assert_refused(file.at, file.len, "secret", "openssl pkcs12");
	OPENSSL_free(file.at);
	PKCS12_free(p12);
	EVP_PKEY_free(key);
}

static void test_keys_that_are_not_kept(void **state)
{
	static const struct {
		const char *name, *sentence;
	} others[] = {
		{"rsa-1024", "1024 bits"},
		{"rsa-2056", "2056 bits"},
		{"ec-secp256k1", "secp256k1"},
		{"ec-P-224", "secp224r1"},
		{"X448", "X448"},
		{"ED448", "ED448"},
		{"SM2", "SM2"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		EVP_PKEY *key = make(others[i].name);
		struct bytes file;

		assert_non_null(key);
		file = encode(key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", NULL);
		assert_refused(file.at, file.len, NULL, others[i].sentence);
		OPENSSL_free(file.at);
		EVP_PKEY_free(key);
	}
}

static EVP_PKEY *make_special(const char *type, int (*set)(EVP_PKEY_CTX *ctx, int value), int value)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	assert_true(
		EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) == 1);
	assert_true(!set || set(ctx, value) == 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static void test_special_rsa(void **state)
{
	EVP_PKEY *three = make_special("RSA", EVP_PKEY_CTX_set_rsa_keygen_primes, 3);
	EVP_PKEY *pss = make_special("RSA-PSS", NULL, 0);
	struct bytes file;

	(void)state;
	file = encode(three, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", NULL);
	assert_refused(file.at, file.len, NULL, "more than two primes");
	OPENSSL_free(file.at);
	file = encode(pss, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", NULL);
	assert_refused(file.at, file.len, NULL, "PSS only");
	OPENSSL_free(file.at);
	EVP_PKEY_free(three);
	EVP_PKEY_free(pss);
}

/* Valid parts of different keys. */
static void test_parts_that_do_not_belong_together(void **state)
{
	EVP_PKEY *key = make("ec-P-256"), *other = make("ec-P-256");
	unsigned char *point = NULL, *theirs = NULL;
	struct bytes file;
	size_t n = EVP_PKEY_get1_encoded_public_key(key, &point), i;

	(void)state;
	assert_int_equal(EVP_PKEY_get1_encoded_public_key(other, &theirs), n);
	file = encode(key, EVP_PKEY_KEYPAIR, "DER", "PrivateKeyInfo", NULL);
	for (i = 0; i + n <= file.len && memcmp(file.at + i, point, n) != 0; i++)
		;
	assert_true(i + n <= file.len);
	memcpy(file.at + i, theirs, n);
	assert_refused(file.at, file.len, NULL, "do not belong together");
	OPENSSL_free(file.at);
	OPENSSL_free(point);
	OPENSSL_free(theirs);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static void test_damage(void **state)
{
	EVP_PKEY *key = make("ec-P-256");
	struct bytes der = encode(key, EVP_PKEY_KEYPAIR, "DER", "PrivateKeyInfo", NULL);
	struct bytes pem = encode(key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", NULL);
	struct key_material m;
	unsigned char *longer;
	size_t n;

	(void)state;
	/* Every shortened file, in a block of exactly its size so that a sanitizer sees reads beyond it. */
	for (n = 0; n < der.len; n++) {
		unsigned char *copy = malloc(n ? n : 1);

		memcpy(copy, der.at, n);
		assert_false(key_file_read(copy, n, NULL, NULL, &m));
		assert_true(m.problem[0]);
		key_material_wipe(&m);
		free(copy);
	}
	longer = malloc(der.len + 1);
	memcpy(longer, der.at, der.len);
	longer[der.len] = 0;
	assert_refused(longer, der.len + 1, NULL, "not a private key");
	free(longer);
	assert_refused(pem.at, pem.len / 2, NULL, "PEM text is damaged");
	pem.at[pem.len / 2] = '!';
	assert_refused(pem.at, pem.len, NULL, "PEM text is damaged");
	OPENSSL_free(der.at);
	OPENSSL_free(pem.at);
	EVP_PKEY_free(key);
}

/* A small file must not keep a core busy for an hour: the number of rounds stands in it (RFC 8018 A.2). */
static void test_too_many_rounds(void **state)
{
	static const uint8_t few[] = {0x02, 0x04, 0x01, 0x00, 0x00, 0x01},
			     many[] = {0x02, 0x04, 0x7f, 0xff, 0xff, 0xff};
	EVP_PKEY *key = make("ec-P-256");
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	X509_ALGOR *algorithm =
		PKCS5_pbe2_set_iv(EVP_aes_128_cbc(), 0x1000001, NULL, 0, NULL, NID_hmacWithSHA256);
	X509_SIG *sig = NULL;
	unsigned char *der = NULL;
	size_t n, i;

	(void)state;
	assert_true(info && algorithm);
	sig = PKCS8_set0_pbe("secret", 6, info, algorithm);
	assert_non_null(sig);
	n = (size_t)i2d_X509_SIG(sig, &der);
	for (i = 0; i + sizeof(few) <= n && memcmp(der + i, few, sizeof(few)) != 0; i++)
		;
	assert_true(i + sizeof(few) <= n);
	memcpy(der + i, many, sizeof(many));
	assert_refused(der, n, "secret", "too many rounds");
	OPENSSL_free(der);
	X509_SIG_free(sig);
	PKCS8_PRIV_KEY_INFO_free(info);
	EVP_PKEY_free(key);
}

static void test_too_large(void **state)
{
	char *big = calloc(1, KEY_FILE_MAX + 1);

	(void)state;
	assert_refused(big, KEY_FILE_MAX + 1, NULL, "too large");
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_form),
		cmocka_unit_test(test_old_encrypted_pem),
		cmocka_unit_test(test_explicit_curve),
		cmocka_unit_test(test_certificates_beside_the_key),
		cmocka_unit_test(test_what_is_no_private_key),
		cmocka_unit_test(test_pkcs12),
		cmocka_unit_test(test_keys_that_are_not_kept),
		cmocka_unit_test(test_special_rsa),
		cmocka_unit_test(test_parts_that_do_not_belong_together),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_too_many_rounds),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

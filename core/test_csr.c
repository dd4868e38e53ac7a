/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests as libcrypto reads and verifies them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "csr.h"
#include "key_type.h"

/* A key of libcrypto that signs as the TEE does: its signature is in the form of crypto.h. */
struct signer {
	const struct key_type_info *info;
	EVP_PKEY *key;
	uint8_t spki[640];
	size_t spki_len;
	unsigned calls;
	enum kw_err result;
	int wrong_len;
};

static void make_signer(struct signer *s, enum key_type type)
{
	uint8_t *p = s->spki;

	*s = (struct signer){.info = key_type_find((uint8_t)type)};
	if (s->info->family == FAMILY_RSA)
		s->key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)s->info->bits);
	else if (s->info->family == FAMILY_ED)
		s->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		s->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC",
			s->info->bits == 256   ? "P-256"
			: s->info->bits == 384 ? "P-384"
					       : "P-521");
	s->spki_len = (size_t)i2d_PUBKEY(s->key, &p);
}

static enum kw_err sign(void *ctx, const uint8_t *tbs, size_t n, uint8_t *sig, size_t *sig_len)
{
	static const char *const hashes[] = {NULL, "SHA224", "SHA256", "SHA384", "SHA512"};
	struct signer *s = ctx;
	struct crypto_sign what;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t bytes = key_type_bytes(s->info);

	s->calls++;
	if (s->result) {
		EVP_MD_CTX_free(md);
		return s->result;
	}
	assert_int_equal(csr_algorithm(s->info->type, &what), KW_ERR_OK);
	*sig_len = CRYPTO_SIGNATURE_MAX;
	assert_int_equal(
		EVP_DigestSignInit_ex(md, NULL, hashes[what.hash], NULL, NULL, s->key, NULL), 1);
	assert_int_equal(EVP_DigestSign(md, sig, sig_len, tbs, n), 1);
	EVP_MD_CTX_free(md);
	if (s->info->family == FAMILY_EC) {
		const uint8_t *p = sig;
		ECDSA_SIG *rs = d2i_ECDSA_SIG(NULL, &p, (long)*sig_len);

		BN_bn2binpad(ECDSA_SIG_get0_r(rs), sig, (int)bytes);
		BN_bn2binpad(ECDSA_SIG_get0_s(rs), sig + bytes, (int)bytes);
		ECDSA_SIG_free(rs);
		*sig_len = 2 * bytes;
	}
	*sig_len += (size_t)s->wrong_len;
	return KW_ERR_OK;
}

static struct signer p256;

struct fields {
	uint8_t bytes[30000];
	struct writer w;
};

static void put_text(struct writer *w, const char *s)
{
	put_field8(w, s, strlen(s));
}

/* NULL-terminated: type, value, …; then kind as "1", value, … of text. */
static void fill(struct fields *f, const char *const *subject, const char *const *alt)
{
	unsigned n = 0, m = 0;

	f->w = writer_over(f->bytes, sizeof(f->bytes));
	while (subject[2 * n])
		n++;
	while (alt[2 * m])
		m++;
	put_u8(&f->w, (uint8_t)n);
	for (unsigned i = 0; i < n; i++) {
		put_text(&f->w, subject[2 * i]);
		put_text(&f->w, subject[2 * i + 1]);
	}
	put_u8(&f->w, (uint8_t)m);
	for (unsigned i = 0; i < m; i++) {
		put_u8(&f->w, (uint8_t)(alt[2 * i][0] - '0'));
		put_text(&f->w, alt[2 * i + 1]);
	}
	assert_false(f->w.failed);
}

static enum kw_err build(struct signer *s, const uint8_t *fields, size_t n, struct writer *out)
{
	struct reader r = reader_over(fields, n);

	return csr_build(&r, s->info->type, s->spki, s->spki_len, sign, s, out);
}

/* The request as libcrypto reads it: all of the bytes, and a signature that fits its key. */
static X509_REQ *parse(const struct signer *s, const struct writer *out)
{
	const uint8_t *p = out->buf;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)out->len);

	assert_non_null(req);
	assert_ptr_equal(p, out->buf + out->len);
	assert_int_equal(X509_REQ_get_version(req), X509_REQ_VERSION_1);
	assert_int_equal(EVP_PKEY_eq(X509_REQ_get0_pubkey(req), s->key), 1);
	assert_int_equal(X509_REQ_verify(req, s->key), 1);
	return req;
}

/* A name as `openssl req -text` shows it. The caller frees it. */
static void assert_subject(X509_REQ *req, const char *expected)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	X509_NAME_print_ex(bio, X509_REQ_get_subject_name(req), 0,
		XN_FLAG_ONELINE & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	n = BIO_get_mem_data(bio, &text);
	assert_int_equal(n, strlen(expected));
	assert_memory_equal(text, expected, strlen(expected));
	BIO_free(bio);
}

static void assert_alt_names(X509_REQ *req, const char *expected, bool critical)
{
	STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(req);
	X509_EXTENSION *e;
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	assert_int_equal(sk_X509_EXTENSION_num(list), 1);
	e = sk_X509_EXTENSION_value(list, 0);
	assert_int_equal(OBJ_obj2nid(X509_EXTENSION_get_object(e)), NID_subject_alt_name);
	assert_int_equal(X509_EXTENSION_get_critical(e) != 0, critical);
	assert_int_equal(X509V3_EXT_print(bio, e, 0, 0), 1);
	n = BIO_get_mem_data(bio, &text);
	assert_int_equal(n, strlen(expected));
	assert_memory_equal(text, expected, strlen(expected));
	BIO_free(bio);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}

static const char *const none[] = {NULL, NULL};

static void test_every_type(void **state)
{
	static const uint8_t types[] = {
#define KW_KEY_TYPE(number, NAME, name, FAMILY, bits) number,
#include "keyward/algorithms.def"
	};
	static const char *const subject[] = {"CN", "www.test.com", "O", "Müller & Söhne", NULL};
	static const int nids[] = {NID_sha256WithRSAEncryption, NID_sha256WithRSAEncryption,
		NID_sha256WithRSAEncryption, NID_ecdsa_with_SHA256, NID_ecdsa_with_SHA384,
		NID_ecdsa_with_SHA512, NID_ED25519};
	static struct fields f;

	(void)state;
	for (size_t i = 0; i < sizeof(nids) / sizeof(nids[0]); i++) {
		struct signer s;
		uint8_t der[2048];
		struct writer out = writer_over(der, sizeof(der));
		X509_REQ *req;

		make_signer(&s, (enum key_type)types[i]);
		fill(&f, subject, none);
		assert_int_equal(build(&s, f.bytes, f.w.len, &out), KW_ERR_OK);
		req = parse(&s, &out);
		assert_int_equal(X509_REQ_get_signature_nid(req), nids[i]);
		assert_subject(req, "CN = www.test.com, O = Müller & Söhne");
		assert_int_equal(X509_REQ_get_attr_count(req), 0);
		X509_REQ_free(req);
		EVP_PKEY_free(s.key);
	}
}

static void test_all_fields(void **state)
{
	static const char *const subject[] = {"C", "AT", "ST", "Wien", "L", "Wien", "O",
		"Test, Inc.", "OU", "a", "OU", "b", "CN", "*.test.com", "serialNumber", "FN 1234/a",
		"emailAddress", "a@test.com", NULL};
	static const char *const alt[] = {"1", "test.com", "1", "*.test.com", "3", "a.b+c@test.com",
		"4", "https://test.com/a?b=%20#c", "2", "\x7f\x01\x01\x01", "2",
		" \x01\x0d\xb8"
		"abcdefghijkl",
		NULL};
	static struct fields f;
	uint8_t der[2048];
	struct writer out = writer_over(der, sizeof(der));
	X509_REQ *req;

	(void)state;
	fill(&f, subject, alt);
	assert_int_equal(build(&p256, f.bytes, f.w.len, &out), KW_ERR_OK);
	req = parse(&p256, &out);
	assert_subject(req,
		"C = AT, ST = Wien, L = Wien, O = \"Test, Inc.\", OU = a, OU = b, CN = *.test.com, "
		"serialNumber = FN 1234/a, emailAddress = a@test.com");
	assert_alt_names(req,
		"DNS:test.com, DNS:*.test.com, email:a.b+c@test.com, "
		"URI:https://test.com/a?b=%20#c, "
		"IP Address:127.1.1.1, IP Address:2001:DB8:6162:6364:6566:6768:696A:6B6C",
		false);
	X509_REQ_free(req);
	/* Every shorter request fails, and so does a longer one; none of them is signed. */
	p256.calls = 0;
	for (size_t n = 0; n < f.w.len; n++) {
		out = writer_over(der, sizeof(der));
		assert_int_equal(build(&p256, f.bytes, n, &out), KW_ERR_BAD_REQUEST);
	}
	put_u8(&f.w, 0);
	out = writer_over(der, sizeof(der));
	assert_int_equal(build(&p256, f.bytes, f.w.len, &out), KW_ERR_BAD_REQUEST);
	assert_int_equal(p256.calls, 0);
}

static void test_empty_subject(void **state)
{
	static const char *const alt[] = {"1", "test.com", NULL};
	static struct fields f;
	uint8_t der[2048];
	struct writer out = writer_over(der, sizeof(der));
	X509_REQ *req;

	(void)state;
	fill(&f, none, alt);
	assert_int_equal(build(&p256, f.bytes, f.w.len, &out), KW_ERR_OK);
	req = parse(&p256, &out);
	assert_subject(req, "");
	assert_alt_names(req, "DNS:test.com", true);
	X509_REQ_free(req);
	fill(&f, none, none);
	out = writer_over(der, sizeof(der));
	assert_int_equal(build(&p256, f.bytes, f.w.len, &out), KW_ERR_BAD_REQUEST);
}

static enum kw_err try_one(const char *type, const char *value, const char *kind, const char *alt)
{
	const char *const subject[] = {type, value, NULL};
	const char *const names[] = {kind, alt, NULL};
	static struct fields f;
	uint8_t der[2048];
	struct writer out = writer_over(der, sizeof(der));
	enum kw_err err;

	fill(&f, subject, names);
	err = build(&p256, f.bytes, f.w.len, &out);
	if (!err)
		X509_REQ_free(parse(&p256, &out));
	return err;
}

#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16
#define U16 "üüüüüüüüüüüüüüüü"

static void test_subject_values(void **state)
{
	static const char *const good[][2] = {{"CN", A64}, {"CN", U16 U16 U16 U16}, {"ST", A64 A64},
		{"L", A64 A64}, {"O", A64}, {"OU", "x"}, {"CN", "\xf0\x9f\x94\x91"},
		{"CN", "\xed\x9f\xbf"}, {"CN", "\xf4\x8f\xbf\xbf"}, {"C", "at"},
		{"serialNumber", A64}, {"emailAddress", "a@b"}};
	static const char *const bad[][2] = {{"CN", A64 "a"}, {"CN", U16 U16 U16 U16 "a"},
		{"ST", A64 A64 "a"}, {"L", A64 A64 "a"}, {"O", A64 "a"}, {"OU", A64 "a"},
		{"CN", ""}, {"serialNumber", ""}, {"C", ""}, {"C", "A"}, {"C", "AUT"}, {"C", "A1"},
		{"C", "Ü"}, {"serialNumber", "a*b"}, {"serialNumber", "ü"},
		{"serialNumber", A64 "a"}, {"emailAddress", "a"}, {"emailAddress", "ü@b"},
		{"emailAddress", ""}, {"cn", "x"}, {"DC", "x"}, {"", "x"}, {"CNx", "x"},
		{"CN", "a\nb"}, {"CN", "\x7f"}, {"CN", "\xc2\x85"},
		{"CN", "\x1b[2J"}, /* controls */
		{"CN", "\xff"}, {"CN", "\x80"}, {"CN", "\xc3"}, {"CN", "\xc3\x28"},
		{"CN", "\xc0\xaf"}, {"CN", "\xc1\xbf"}, {"CN", "\xe0\x9f\xbf"}, /* overlong */
		{"CN", "\xf0\x8f\xbf\xbf"}, {"CN", "\xed\xa0\x80"},
		{"CN", "\xed\xbf\xbf"}, /* surrogates */
		{"CN", "\xf4\x90\x80\x80"}, {"CN", "\xf5\x80\x80\x80"}, {"CN", "a\xe2\x82"}};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (try_one(good[i][0], good[i][1], NULL, NULL))
			fail_msg("%s=%s is refused", good[i][0], good[i][1]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(try_one(bad[i][0], bad[i][1], NULL, NULL), KW_ERR_BAD_REQUEST);
}

#define L63 A16 A16 A16 "aaaaaaaaaaaaaaa"

static void test_alt_name_values(void **state)
{
	static const char *const good[][2] = {{"1", "localhost"}, {"1", "a-b.c"}, {"1", "*.a"},
		{"1", "1.2.3.com"}, {"1", "xn--bcher-kva.example"}, {"1", L63 ".a"},
		{"1", "3com.a1"}, {"1", L63 "." L63 "." L63 "." A16 A16 A16 "aaaaaaaaaaaaa"},
		{"2", "1234"}, {"2", A16}, {"3", "!#$%&'*+-/=?^_`{|}~.x@test.com"}, {"4", "urn:x"},
		{"4", "spiffe://a/b"}, {"4", "ldap://[::1]/c=DE?x"}};
	static const char *const bad[][2] = {{"1", ""}, {"1", "."}, {"1", ".a"}, {"1", "a."},
		{"1", "a..b"}, {"1", "-a"}, {"1", "a-"}, {"1", "a.-b"}, {"1", "a-.b"}, {"1", "a b"},
		{"1", "ü"}, {"1", "a_b"}, {"1", "*"}, {"1", "*."}, {"1", "*a.b"}, {"1", "a.*"},
		{"1", "*.*.a"}, {"1", "a.*.b"}, {"1", L63 "a"}, {"1", "1.2.3.4"}, {"1", "12"},
		{"1", L63 "." L63 "." L63 "." A16 A16 A16 "aaaaaaaaaaaaaa"}, {"1", "a/b"},
		{"2", ""}, {"2", "123"}, {"2", "12345"}, {"2", A16 "a"}, {"2", "::1"}, {"3", ""},
		{"3", "@"}, {"3", "a@"}, {"3", "@a"}, {"3", "a@b@c"}, {"3", "a b@c"}, {"3", ".a@b"},
		{"3", "a.@b"}, {"3", "a..b@c"}, {"3", "a@*.b"}, {"3", "a@b_"}, {"3", A64 "a@b"},
		{"3", "<a@b>"}, {"4", ""}, {"4", "a"}, {"4", ":"}, {"4", "a:"}, {"4", "/a"},
		{"4", "1a:b"}, {"4", "a:b c"}, {"4", "a:<b>"}, {"4", "a:ü"}, {"4", "a_:b"},
		{"0", "a"}, {"5", "a"}, {"9", "a"}};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (try_one("CN", "x", good[i][0], good[i][1]))
			fail_msg("%s:%s is refused", good[i][0], good[i][1]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (try_one("CN", "x", bad[i][0], bad[i][1]) != KW_ERR_BAD_REQUEST)
			fail_msg("%s:%s passes", bad[i][0], bad[i][1]);
	}
}

/* A name that ends early for software in C: the rest would be invisible. */
static void test_nul_bytes(void **state)
{
	static const char subject[] = "\x01\x02"
				      "CN"
				      "\x05"
				      "a\0b.c"
				      "\0";
	static const char alt[] = "\0\x01\x01\x05"
				  "a\0b.c";
	uint8_t der[2048];
	struct writer out = writer_over(der, sizeof(der));

	(void)state;
	assert_int_equal(build(&p256, (const uint8_t *)subject, sizeof(subject) - 1, &out),
		KW_ERR_BAD_REQUEST);
	out = writer_over(der, sizeof(der));
	assert_int_equal(
		build(&p256, (const uint8_t *)alt, sizeof(alt) - 1, &out), KW_ERR_BAD_REQUEST);
}

static void test_limits(void **state)
{
	static const char *subject[2 * 17 + 2], *alt[2 * 101 + 2];
	static struct fields f;
	static uint8_t der[65536];
	struct writer out = writer_over(der, sizeof(der));
	size_t full;

	(void)state;
	for (size_t i = 0; i < 17; i++) {
		subject[2 * i] = "OU";
		subject[2 * i + 1] = U16 U16 U16 U16;
	}
	for (size_t i = 0; i < 101; i++) {
		alt[2 * i] = "1";
		alt[2 * i + 1] = L63 "." L63 ".test.com";
	}
	fill(&f, subject, none);
	assert_int_equal(build(&p256, f.bytes, f.w.len, &out), KW_ERR_BAD_REQUEST);
	subject[2 * 16] = NULL;
	fill(&f, subject, alt);
	out = writer_over(der, sizeof(der));
	assert_int_equal(build(&p256, f.bytes, f.w.len, &out), KW_ERR_BAD_REQUEST);
	alt[2 * 100] = NULL;
	fill(&f, subject, alt);
	out = writer_over(der, sizeof(der));
	assert_int_equal(build(&p256, f.bytes, f.w.len, &out), KW_ERR_OK);
	X509_REQ_free(parse(&p256, &out));
	/* No room for the whole of it, by any number of bytes; P-256 signatures differ by a few. */
	full = out.len;
	for (size_t cap = 0; cap + 8 < full; cap += cap < full - 400 ? 101 : 1) {
		out = writer_over(der, cap);
		assert_int_equal(build(&p256, f.bytes, f.w.len, &out), KW_ERR_TOO_LARGE);
	}
}

static void test_signer_failures(void **state)
{
	static const char *const subject[] = {"CN", "a", NULL};
	static struct fields f;
	uint8_t der[2048];
	struct writer out = writer_over(der, sizeof(der));
	struct crypto_sign what;
	struct signer s = p256;

	(void)state;
	fill(&f, subject, none);
	s.result = KW_ERR_NO_MEMORY;
	assert_int_equal(build(&s, f.bytes, f.w.len, &out), KW_ERR_NO_MEMORY);
	s.result = KW_ERR_OK;
	s.wrong_len = -1;
	out = writer_over(der, sizeof(der));
	assert_int_equal(build(&s, f.bytes, f.w.len, &out), KW_ERR_CRYPTO);
	assert_int_equal(csr_algorithm((enum key_type)99, &what), KW_ERR_UNSUPPORTED_TYPE);
}

static int make_p256(void **state)
{
	(void)state;
	make_signer(&p256, KEY_TYPE_EC_P256);
	return p256.key ? 0 : -1;
}

static int free_p256(void **state)
{
	(void)state;
	EVP_PKEY_free(p256.key);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_all_fields),
		cmocka_unit_test(test_empty_subject),
		cmocka_unit_test(test_subject_values),
		cmocka_unit_test(test_alt_name_values),
		cmocka_unit_test(test_nul_bytes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_signer_failures),
	};

	return cmocka_run_group_tests(tests, make_p256, free_p256);
}

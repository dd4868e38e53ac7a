/* SPDX-License-Identifier: BSD-2-Clause */
#include "tls_message.h"

#include <string.h>

#include "foreign_message.h"
#include "key_type.h"
#include "tls_transcript.h"
#include "wire/codec.h"

enum version {
	VERSION_NONE, /* not a message of TLS */
	VERSION_TLS12,
	VERSION_TLS13,
};

/* RFC 8446 4.4.3: 64 spaces, the context and its NUL, and a transcript hash of SHA-256 or SHA-384:
 * the two that the cipher suites of TLS 1.3 have. */
static const char server_context[] = "TLS 1.3, server CertificateVerify";
static const char client_context[] = "TLS 1.3, client CertificateVerify";

static bool is_certificate_verify(const struct crypto_sign *what, const char context[static 34])
{
	struct reader r = reader_over(what->data, what->n);
	const uint8_t *spaces = get_bytes(&r, 64);
	const uint8_t *text = get_bytes(&r, sizeof(server_context));
	size_t hash = reader_left(&r);

	if (!text || (hash != 32 && hash != 48))
		return false;
	for (size_t i = 0; i < 64; i++) {
		if (spaces[i] != ' ')
			return false;
	}
	return memcmp(text, context, sizeof(server_context)) == 0;
}

/* RFC 8422 5.4: ServerECDHParams. */
static bool is_ecdhe(const struct crypto_sign *what, size_t at)
{
	static const struct {
		uint16_t group; /* IANA's "TLS Supported Groups" */
		uint8_t point;  /* bytes */
		bool is_sec1;   /* uncompressed, starts with 04 */
	} groups[] = {
		{23, 65, true},  /* secp256r1 */
		{24, 97, true},  /* secp384r1 */
		{25, 133, true}, /* secp521r1 */
		{26, 65, true},  /* brainpoolP256r1, RFC 7027 */
		{27, 97, true},  /* brainpoolP384r1 */
		{28, 129, true}, /* brainpoolP512r1 */
		{29, 32, false}, /* x25519 */
		{30, 56, false}, /* x448 */
	};
	struct reader r = reader_over(what->data + at, what->n - at);
	uint8_t type = get_u8(&r);
	uint16_t group = get_u16(&r);
	size_t n;
	const uint8_t *point = get_field8(&r, UINT8_MAX, &n);

	if (type != 3 || !reader_done(&r) || !n)
		return false;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (groups[i].group == group)
			return n == groups[i].point && (!groups[i].is_sec1 || point[0] == 0x04);
	}
	return false;
}

/*
 * SHA-256 of the primes of the well-known groups, all with generator 2. Any other prime is refused:
 * a caller that may choose p, g and Ys and both randoms would choose all of the message, and could
 * have anything signed that is long enough.
 */
static const struct {
	uint16_t size; /* bytes of p */
	uint8_t digest[32];
} primes[] = {
	{256, /* RFC 3526 MODP, 2048 bits */
		{0xd6, 0x64, 0x36, 0xf7, 0x9b, 0xbd, 0x6b, 0x2e, 0x38, 0xc0, 0xff, 0xbd, 0x07, 0x9b,
			0xe9, 0x04, 0xd2, 0x64, 0x14, 0x15, 0xe2, 0xe6, 0x71, 0x40, 0xe0, 0x94,
			0x48, 0xbe, 0x9a, 0x60, 0x89, 0x0e}},
	{384, /* RFC 3526 MODP, 3072 bits */
		{0x48, 0xcf, 0x8b, 0x09, 0x2f, 0xbc, 0xe4, 0x35, 0x9d, 0x98, 0x71, 0xab, 0xf7, 0x4f,
			0x98, 0xe2, 0x5b, 0x61, 0x63, 0x37, 0x9e, 0xaa, 0x15, 0xcd, 0x90, 0x87,
			0xe8, 0x00, 0xc6, 0xd1, 0xc5, 0x5c}},
	{512, /* RFC 3526 MODP, 4096 bits */
		{0x4e, 0xe9, 0x51, 0x87, 0x68, 0x2b, 0xcb, 0x23, 0x0a, 0xd2, 0x6a, 0x95, 0x20, 0x5f,
			0x69, 0x20, 0xe8, 0x47, 0x08, 0xf6, 0x25, 0x1b, 0x38, 0x94, 0x32, 0x9b,
			0x09, 0xec, 0x23, 0x91, 0x9e, 0x33}},
	{768, /* RFC 3526 MODP, 6144 bits */
		{0xd1, 0xbf, 0xe6, 0xd0, 0x92, 0x5c, 0xe7, 0xe4, 0xda, 0x26, 0x2b, 0x62, 0x86, 0x15,
			0x14, 0xa7, 0x75, 0x5e, 0x35, 0x83, 0x1e, 0x42, 0x9f, 0x34, 0x3e, 0x7b,
			0x86, 0x48, 0x48, 0x65, 0x7e, 0xfd}},
	{1024, /* RFC 3526 MODP, 8192 bits */
		{0x39, 0xab, 0x4f, 0xea, 0xb9, 0x50, 0xa3, 0x12, 0x8f, 0xb7, 0x1a, 0xcc, 0xb9, 0xfc,
			0x39, 0x65, 0xd8, 0x57, 0x01, 0x2e, 0x08, 0x19, 0x98, 0xa8, 0x59, 0x96,
			0xe3, 0xea, 0x8b, 0x3c, 0x3b, 0xcf}},
	{256, /* RFC 7919 ffdhe2048 */
		{0x9c, 0xd3, 0xb7, 0xf3, 0x36, 0x87, 0x2f, 0x46, 0xc0, 0x94, 0x28, 0xd1, 0xbb, 0xc1,
			0x98, 0x77, 0xa4, 0xd4, 0x40, 0x51, 0x2c, 0xda, 0x8d, 0x1c, 0x1c, 0xf0,
			0xcd, 0x6e, 0x33, 0x69, 0x89, 0x66}},
	{384, /* RFC 7919 ffdhe3072 */
		{0x0e, 0xaf, 0x67, 0xdb, 0x3a, 0x83, 0x91, 0x56, 0xd5, 0x01, 0x34, 0x94, 0xa5, 0x31,
			0x8a, 0x77, 0x2b, 0x56, 0x97, 0xd2, 0x70, 0xd7, 0x21, 0xf3, 0x7f, 0x09,
			0x2e, 0xfc, 0x69, 0xea, 0x5a, 0x17}},
	{512, /* RFC 7919 ffdhe4096 */
		{0x46, 0x48, 0x41, 0x42, 0x24, 0xac, 0x88, 0x1b, 0x3d, 0x0d, 0xc5, 0x9b, 0x46, 0x6f,
			0x96, 0xd0, 0x6a, 0x55, 0x82, 0x78, 0x77, 0x68, 0x07, 0x79, 0x7e, 0xcf,
			0x1f, 0x66, 0xff, 0x39, 0x7b, 0x3e}},
	{768, /* RFC 7919 ffdhe6144 */
		{0x22, 0x7a, 0xc9, 0x06, 0x6b, 0x3d, 0xdd, 0x9e, 0x19, 0x36, 0x70, 0xcd, 0xa2, 0x38,
			0x8f, 0xa8, 0x84, 0xf6, 0x5b, 0xa0, 0xcf, 0x98, 0xb7, 0x42, 0xd1, 0xfe,
			0x77, 0xa6, 0x68, 0x7c, 0x79, 0xc7}},
	{1024, /* RFC 7919 ffdhe8192 */
		{0x77, 0x0b, 0x14, 0xef, 0xaf, 0x6f, 0x04, 0x99, 0x29, 0xc5, 0x23, 0x11, 0x3b, 0x3f,
			0xa9, 0x9a, 0x8d, 0x11, 0xda, 0xb1, 0xb1, 0x8a, 0xf3, 0x60, 0x95, 0x90,
			0x12, 0x20, 0x75, 0xd1, 0x98, 0x33}},
};

static enum kw_err find_prime(const uint8_t *p, size_t n, bool *known)
{
	uint8_t digest[32];
	enum kw_err err = crypto_hash(HASH_SHA256, p, n, digest);

	*known = false;
	if (err)
		return err;
	for (size_t i = 0; i < sizeof(primes) / sizeof(primes[0]); i++) {
		if (primes[i].size == n && memcmp(primes[i].digest, digest, sizeof(digest)) == 0)
			*known = true;
	}
	return KW_ERR_OK;
}

/* 1 < y < p - 1 (RFC 7919 5.1), for an odd p of n bytes. */
static bool is_public_value(const uint8_t *y, size_t y_len, const uint8_t *p, size_t n)
{
	int order;

	while (y_len && *y == 0) {
		y++;
		y_len--;
	}
	if (y_len == 0 || (y_len == 1 && *y == 1) || y_len > n)
		return false;
	if (y_len < n)
		return true;
	order = memcmp(y, p, n - 1);
	return order < 0 || (order == 0 && y[n - 1] < p[n - 1] - 1);
}

/* Some implementations pad Ys to the size of p, some do not. A value more than 8 bytes shorter is
 * as rare as 2^-72. */
#define DHE_SHORTER_MAX 8

/* RFC 5246 7.4.3: ServerDHParams. */
static enum kw_err check_dhe(const struct crypto_sign *what, size_t at, bool *is_dhe)
{
	struct reader r = reader_over(what->data + at, what->n - at);
	size_t p_len, g_len, y_len;
	const uint8_t *p = get_field16(&r, 1024, &p_len);
	const uint8_t *g = get_field16(&r, 1, &g_len);
	const uint8_t *y = get_field16(&r, 1024, &y_len);

	*is_dhe = false;
	if (!reader_done(&r) || p_len < 256 || g_len != 1 || g[0] != 2 || y_len > p_len ||
		y_len + DHE_SHORTER_MAX < p_len || !is_public_value(y, y_len, p, p_len))
		return KW_ERR_OK;
	return find_prime(p, p_len, is_dhe);
}

/* RFC 5246 7.4.3, RFC 8422 5.4: client_random, server_random, params. */
static enum kw_err check_key_exchange(const struct crypto_sign *what, bool *is_one)
{
	const size_t randoms = 64;

	*is_one = false;
	if (what->n <= randoms || foreign_hello_form(what->data, what->n) != HELLO_NONE ||
		foreign_message(what->data, what->n))
		return KW_ERR_OK;
	if (!is_ecdhe(what, randoms))
		return check_dhe(what, randoms, is_one);
	*is_one = true;
	return KW_ERR_OK;
}

/* RFC 8446 4.2.3: the hash goes with the curve, RSA is PSS only. */
static bool allowed_tls13(const struct key_type_info *key, const struct crypto_sign *what)
{
	switch (key->type) {
	case KEY_TYPE_EC_P256:
		return what->hash == HASH_SHA256;
	case KEY_TYPE_EC_P384:
		return what->hash == HASH_SHA384;
	case KEY_TYPE_EC_P521:
		return what->hash == HASH_SHA512;
	default:
		return key->family != FAMILY_RSA || what->scheme == SCHEME_RSA_PSS;
	}
}

static bool is_allowed(
	const struct key_type_info *key, const struct crypto_sign *what, enum version version)
{
	size_t size = hash_size(what->hash);
	size_t salt = 0;

	switch (key->family) {
	case FAMILY_EC:
		if (what->scheme != SCHEME_ECDSA || !size)
			return false;
		break;
	case FAMILY_RSA:
		if ((what->scheme != SCHEME_RSA_PSS && what->scheme != SCHEME_RSA_PKCS1) || !size)
			return false;
		/* RFC 8446 4.2.3: there is no rsa_pss_rsae_sha224. */
		if (what->scheme == SCHEME_RSA_PSS && what->hash == HASH_SHA224)
			return false;
		if (what->scheme == SCHEME_RSA_PSS)
			salt = size;
		break;
	case FAMILY_ED:
		if (what->scheme != SCHEME_EDDSA || what->hash != HASH_NONE)
			return false;
		break;
	default:
		return false;
	}
	return what->salt_len == salt && (version == VERSION_TLS12 || allowed_tls13(key, what));
}

static enum kw_err verdict(enum key_type type, const struct crypto_sign *what, enum version version)
{
	const struct key_type_info *key = key_type_find((uint8_t)type);

	if (!key)
		return KW_ERR_UNSUPPORTED_TYPE;
	if (version == VERSION_NONE)
		return KW_ERR_TLS_MESSAGE;
	return is_allowed(key, what, version) ? KW_ERR_OK : KW_ERR_BAD_ALGORITHM;
}

enum kw_err tls_message_check_server(enum key_type type, const struct crypto_sign *what)
{
	enum version version = VERSION_NONE;
	bool is_key_exchange = false;
	enum kw_err err;

	if (what->is_digest)
		return KW_ERR_TLS_MESSAGE;
	if (is_certificate_verify(what, server_context)) {
		version = VERSION_TLS13;
	} else {
		err = check_key_exchange(what, &is_key_exchange);
		if (err)
			return err;
		if (is_key_exchange)
			version = VERSION_TLS12;
	}
	return verdict(type, what, version);
}

enum kw_err tls_message_check_client(enum key_type type, const struct crypto_sign *what)
{
	enum version version = VERSION_NONE;

	if (what->is_digest)
		return KW_ERR_TLS_MESSAGE;
	if (is_certificate_verify(what, client_context))
		version = VERSION_TLS13;
	else if (tls_transcript_is_client(what->data, what->n) &&
		 !foreign_message(what->data, what->n))
		version = VERSION_TLS12;
	return verdict(type, what, version);
}

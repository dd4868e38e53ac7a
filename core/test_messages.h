/* SPDX-License-Identifier: BSD-2-Clause */
/* Signed TLS messages for tests, built from their parts. */
#ifndef CORE_TEST_MESSAGES_H
#define CORE_TEST_MESSAGES_H

#include <string.h>

#include "tls_message.h"
#include "wire/codec.h"

static const struct test_group {
	uint16_t number;
	uint8_t point;
	uint8_t first; /* of the point, 0 for any */
} test_groups[] = {
	{23, 65, 4},
	{24, 97, 4},
	{25, 133, 4},
	{26, 65, 4},
	{27, 97, 4},
	{28, 129, 4},
	{29, 32, 0},
	{30, 56, 0},
};

#define TEST_GROUPS (sizeof(test_groups) / sizeof(test_groups[0]))

/* Randoms and point of one repeated byte. Returns the length. */
static inline size_t test_ecdhe(uint8_t *m, const struct test_group *g, uint8_t fill)
{
	struct writer w = writer_over(m, 256);

	memset(m, fill, 256);
	w.len = 64;
	put_u8(&w, 3);
	put_u16(&w, g->number);
	put_u8(&w, g->point);
	if (g->first)
		m[w.len] = g->first;
	return w.len + g->point;
}

static inline size_t test_certificate_verify(uint8_t *m, const char *who, size_t hash)
{
	memset(m, ' ', 64);
	memcpy(m + 64, "TLS 1.3, ", 9);
	memcpy(m + 73, who, 6);
	memcpy(m + 79, " CertificateVerify", 19);
	memset(m + 98, 0xa5, hash);
	return 98 + hash;
}

/* With the algorithm that both versions of TLS allow for P-256. */
static inline struct crypto_sign test_p256(const uint8_t *m, size_t n)
{
	return (struct crypto_sign){.scheme = SCHEME_ECDSA, .hash = HASH_SHA256, .data = m, .n = n};
}

static inline enum kw_err test_server(const uint8_t *m, size_t n)
{
	struct crypto_sign what = test_p256(m, n);

	return tls_message_check_server(KEY_TYPE_EC_P256, &what);
}

static inline enum kw_err test_client(const uint8_t *m, size_t n)
{
	struct crypto_sign what = test_p256(m, n);

	return tls_message_check_client(KEY_TYPE_EC_P256, &what);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* No message passes for both roles, or as a digest, or as what another protocol signs; and none
 * passes that does not begin as the messages of its role do. */
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "core/foreign_message.h"
#include "core/tls_message.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	check(crypto_init() == KW_ERR_OK);
	return 0;
}

/* libcrypto, which is lenient, takes none of it for what a certificate's signature covers. */
static void check_not_a_certificate(const uint8_t *data, size_t size)
{
	static const uint8_t rest[] = {
		0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x02, 0x00, 0x00};
	size_t n = size + sizeof(rest);
	uint8_t *der;
	const uint8_t *p;
	X509 *x;

	if (size > 4096)
		return;
	der = malloc(4 + n);
	if (!der)
		return;
	der[0] = 0x30;
	der[1] = 0x82;
	der[2] = (uint8_t)(n >> 8);
	der[3] = (uint8_t)n;
	memcpy(der + 4, data, size);
	memcpy(der + 4 + size, rest, sizeof(rest));
	p = der;
	x = d2i_X509(NULL, &p, (long)(4 + n));
	check(!x);
	free(der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crypto_sign what = {
		.scheme = SCHEME_ECDSA, .hash = HASH_SHA256, .data = data, .n = size};
	enum kw_err server = tls_message_check_server(KEY_TYPE_EC_P256, &what);
	enum kw_err client = tls_message_check_client(KEY_TYPE_EC_P256, &what);

	check(server == KW_ERR_OK || server == KW_ERR_TLS_MESSAGE);
	check(client == KW_ERR_OK || client == KW_ERR_TLS_MESSAGE);
	check(server || client);
	if (!server) {
		bool tls13 = size >= 100 && memcmp(data + 64, "TLS 1.3, server", 15) == 0;

		check(size >= 100 && size <= 64 + 2 * 1026 + 3);
		check(tls13 || data[64] <= 4);
		check(tls13 || !foreign_message(data, size));
		check(foreign_hello_form(data, size) == HELLO_NONE);
	}
	if (!client)
		check(memcmp(data, "\x01\0", 2) == 0 ||
			memcmp(data + 64, "TLS 1.3, client", 15) == 0);
	if (!server || !client)
		check_not_a_certificate(data, size);
	what.is_digest = true;
	check(tls_message_check_server(KEY_TYPE_EC_P256, &what) == KW_ERR_TLS_MESSAGE);
	check(tls_message_check_client(KEY_TYPE_EC_P256, &what) == KW_ERR_TLS_MESSAGE);
	return 0;
}

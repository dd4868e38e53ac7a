/* SPDX-License-Identifier: BSD-2-Clause */
/* Whatever fields are taken, libcrypto reads the request whole, writes it the same, and finds the
 * key in it; and what is refused was never signed. */
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "core/csr.h"
#include "wire/der.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t spki[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21,
	0x00, 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64,
	0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7,
	0x07, 0x51, 0x1a};

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* Not a signature, but as long as one: the form is what is tested. */
static enum kw_err sign(void *ctx, const uint8_t *tbs, size_t n, uint8_t *sig, size_t *sig_len)
{
	unsigned *calls = ctx;

	check(der_is_well_formed(tbs, n));
	++*calls;
	memset(sig, 0x55, 64);
	*sig_len = 64;
	return KW_ERR_OK;
}

static void check_alt_names(X509_REQ *req)
{
	STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(req);
	GENERAL_NAMES *names;
	int critical;

	check(sk_X509_EXTENSION_num(list) == 1);
	names = X509V3_get_d2i(list, NID_subject_alt_name, &critical, NULL);
	check(names && sk_GENERAL_NAME_num(names) > 0);
	check(critical == (X509_NAME_entry_count(X509_REQ_get_subject_name(req)) == 0));
	GENERAL_NAMES_free(names);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}

static void check_request(const uint8_t *der, size_t n)
{
	const uint8_t *p = der;
	uint8_t *again = NULL;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)n);
	int len;

	check(req && p == der + n && der_is_well_formed(der, n));
	check(X509_REQ_get0_pubkey(req) != NULL);
	if (X509_REQ_get_attr_count(req))
		check_alt_names(req);
	else
		check(X509_NAME_entry_count(X509_REQ_get_subject_name(req)) > 0);
	len = i2d_X509_REQ(req, &again);
	check(len > 0 && (size_t)len == n && memcmp(again, der, n) == 0);
	OPENSSL_free(again);
	X509_REQ_free(req);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	uint8_t *der = malloc(16384);
	struct writer w = writer_over(der, der ? 16384 : 0);
	unsigned calls = 0;
	enum kw_err err;

	if (!der)
		return 0;
	err = csr_build(&r, KEY_TYPE_ED25519, spki, sizeof(spki), sign, &calls, &w);
	check(err == KW_ERR_OK || err == KW_ERR_BAD_REQUEST || err == KW_ERR_TOO_LARGE);
	check(err == KW_ERR_BAD_REQUEST ? calls == 0 : calls <= 1);
	if (!err) {
		check(calls == 1 && reader_done(&r));
		check_request(der, w.len);
	}
	free(der);
	return 0;
}

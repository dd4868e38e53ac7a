/* SPDX-License-Identifier: BSD-2-Clause */
#include "csr.h"

#include "csr_names.h"
#include "key_type.h"
#include "wire/der.h"

#define ALT_NAMES_MAX 100

/* RFC 8017 A.2.4, RFC 5758 3.2, RFC 8410 3. */
static const uint8_t oid_rsa_sha256[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b};
static const uint8_t oid_ecdsa_sha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t oid_ecdsa_sha384[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
static const uint8_t oid_ecdsa_sha512[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04};
static const uint8_t oid_ed25519[] = {0x2b, 0x65, 0x70};
/* RFC 2985 5.4.2, RFC 5280 4.2.1.6. */
static const uint8_t oid_extensions[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
static const uint8_t oid_alt_names[] = {0x55, 0x1d, 0x11};

static const struct algorithm {
	enum key_type type;
	enum scheme scheme;
	enum hash_id hash;
	const uint8_t *oid;
	size_t oid_len;
} algorithms[] = {
	{KEY_TYPE_RSA_2048, SCHEME_RSA_PKCS1, HASH_SHA256, oid_rsa_sha256, sizeof(oid_rsa_sha256)},
	{KEY_TYPE_RSA_3072, SCHEME_RSA_PKCS1, HASH_SHA256, oid_rsa_sha256, sizeof(oid_rsa_sha256)},
	{KEY_TYPE_RSA_4096, SCHEME_RSA_PKCS1, HASH_SHA256, oid_rsa_sha256, sizeof(oid_rsa_sha256)},
	{KEY_TYPE_EC_P256, SCHEME_ECDSA, HASH_SHA256, oid_ecdsa_sha256, sizeof(oid_ecdsa_sha256)},
	{KEY_TYPE_EC_P384, SCHEME_ECDSA, HASH_SHA384, oid_ecdsa_sha384, sizeof(oid_ecdsa_sha384)},
	{KEY_TYPE_EC_P521, SCHEME_ECDSA, HASH_SHA512, oid_ecdsa_sha512, sizeof(oid_ecdsa_sha512)},
	{KEY_TYPE_ED25519, SCHEME_EDDSA, HASH_NONE, oid_ed25519, sizeof(oid_ed25519)},
};

static const struct algorithm *find_algorithm(enum key_type type)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		if (algorithms[i].type == type)
			return &algorithms[i];
	}
	return NULL;
}

enum kw_err csr_algorithm(enum key_type type, struct crypto_sign *what)
{
	const struct algorithm *a = find_algorithm(type);

	*what = (struct crypto_sign){0};
	if (!a)
		return KW_ERR_UNSUPPORTED_TYPE;
	what->scheme = a->scheme;
	what->hash = a->hash;
	return KW_ERR_OK;
}

/* [0] Attributes, with an extensionRequest when there are alternative names. RFC 5280 4.2.1.6: they
 * are critical when the subject is empty. */
static enum kw_err put_attributes(struct reader *request, bool has_subject, struct writer *w)
{
	size_t attributes = der_begin(w, DER_CONTEXT_CONSTRUCTED(0));
	unsigned m = get_u8(request);
	size_t attribute, values, extensions, extension, octets;
	enum kw_err err;

	if (request->failed || m > ALT_NAMES_MAX || (m == 0 && !has_subject))
		return KW_ERR_BAD_REQUEST;
	if (m == 0) {
		der_end(w, attributes);
		return KW_ERR_OK;
	}
	attribute = der_begin(w, DER_SEQUENCE);
	der_put(w, DER_OID, oid_extensions, sizeof(oid_extensions));
	values = der_begin(w, DER_SET);
	extensions = der_begin(w, DER_SEQUENCE);
	extension = der_begin(w, DER_SEQUENCE);
	der_put(w, DER_OID, oid_alt_names, sizeof(oid_alt_names));
	if (!has_subject)
		der_put(w, DER_BOOLEAN, "\xff", 1);
	octets = der_begin(w, DER_OCTET_STRING);
	err = csr_put_alt_names(request, m, w);
	der_end(w, octets);
	der_end(w, extension);
	der_end(w, extensions);
	der_end(w, values);
	der_end(w, attribute);
	der_end(w, attributes);
	return err;
}

static enum kw_err put_info(
	struct reader *request, const uint8_t *spki, size_t spki_len, struct writer *w)
{
	size_t info = der_begin(w, DER_SEQUENCE);
	unsigned count;
	enum kw_err err;

	der_put_unsigned(w, NULL, 0); /* version v1 */
	err = csr_put_subject(request, w, &count);
	if (err)
		return err;
	put_bytes(w, spki, spki_len);
	err = put_attributes(request, count != 0, w);
	if (err)
		return err;
	if (!reader_done(request))
		return KW_ERR_BAD_REQUEST;
	der_end(w, info);
	return w->failed ? KW_ERR_TOO_LARGE : KW_ERR_OK;
}

static void put_algorithm(const struct algorithm *a, struct writer *w)
{
	size_t mark = der_begin(w, DER_SEQUENCE);

	der_put(w, DER_OID, a->oid, a->oid_len);
	/* Only RSA has parameters, NULL (RFC 4055 5). */
	if (a->scheme == SCHEME_RSA_PKCS1)
		der_put(w, DER_NULL, NULL, 0);
	der_end(w, mark);
}

static enum kw_err put_signature(
	const struct key_type_info *key, const uint8_t *sig, size_t n, struct writer *w)
{
	size_t bytes = key_type_bytes(key);
	size_t mark = der_begin(w, DER_BIT_STRING);

	if (n != (key->family == FAMILY_RSA ? bytes : 2 * bytes))
		return KW_ERR_CRYPTO;
	put_u8(w, 0);
	if (key->family == FAMILY_EC)
		der_put_ecdsa(w, sig, bytes);
	else
		put_bytes(w, sig, n);
	der_end(w, mark);
	return KW_ERR_OK;
}

enum kw_err csr_build(struct reader *request, enum key_type type, const uint8_t *spki,
	size_t spki_len, csr_sign_fn sign, void *ctx, struct writer *out)
{
	const struct key_type_info *key = key_type_find((uint8_t)type);
	const struct algorithm *a = find_algorithm(type);
	uint8_t sig[CRYPTO_SIGNATURE_MAX];
	size_t sig_len = 0;
	size_t mark, start;
	enum kw_err err;

	if (!key || !a)
		return KW_ERR_UNSUPPORTED_TYPE;
	mark = der_begin(out, DER_SEQUENCE);
	start = out->len;
	err = put_info(request, spki, spki_len, out);
	if (err)
		return err;
	err = sign(ctx, out->buf + start, out->len - start, sig, &sig_len);
	if (err)
		return err;
	put_algorithm(a, out);
	err = put_signature(key, sig, sig_len, out);
	if (err)
		return err;
	der_end(out, mark);
	return out->failed ? KW_ERR_TOO_LARGE : KW_ERR_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "live.h"
#include "same.h"

static const EVP_MD *digest_of(uint8_t hash)
{
	switch (hash) {
	case HASH_SHA224:
		return EVP_sha224();
	case HASH_SHA256:
		return EVP_sha256();
	case HASH_SHA384:
		return EVP_sha384();
	default:
		return hash == HASH_SHA512 ? EVP_sha512() : NULL;
	}
}

static bool ed25519_is_good(
	EVP_PKEY *key, const uint8_t *data, size_t n, const uint8_t *sig, size_t sig_len)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good = md && EVP_DigestVerifyInit(md, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestVerify(md, sig, sig_len, data, n) == 1;

	EVP_MD_CTX_free(md);
	return good;
}

/* r and s of equal length (IEEE P1363) as libcrypto wants them. */
static int ecdsa_to_der(const uint8_t *sig, size_t n, uint8_t *der)
{
	ECDSA_SIG *rs = ECDSA_SIG_new();
	int len = -1;

	if (rs && ECDSA_SIG_set0(rs, BN_bin2bn(sig, (int)n / 2, NULL),
			  BN_bin2bn(sig + n / 2, (int)n / 2, NULL)))
		len = i2d_ECDSA_SIG(rs, &der);
	ECDSA_SIG_free(rs);
	return len;
}

static bool digest_is_signed(EVP_PKEY *key, uint8_t scheme, const EVP_MD *md, unsigned salt,
	const uint8_t digest[64], const uint8_t *sig, size_t n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	uint8_t der[200];
	int len, size = (EVP_PKEY_get_bits(key) + 7) / 8;
	bool good = false;

	if (!ctx || EVP_PKEY_verify_init(ctx) != 1 || EVP_PKEY_CTX_set_signature_md(ctx, md) != 1)
		goto out;
	if (scheme == SCHEME_ECDSA) {
		len = n == 2 * (size_t)size ? ecdsa_to_der(sig, n, der) : -1;
		good = len > 0 && EVP_PKEY_verify(ctx, der, (size_t)len, digest,
					  (size_t)EVP_MD_get_size(md)) == 1;
		goto out;
	}
	if (scheme == SCHEME_RSA_PSS &&
		(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
			EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)salt) != 1))
		goto out;
	good = n == (size_t)size &&
	       EVP_PKEY_verify(ctx, sig, n, digest, (size_t)EVP_MD_get_size(md)) == 1;
out:
	EVP_PKEY_CTX_free(ctx);
	return good;
}

/* EMSA-PKCS1-v1_5 (RFC 8017, 9.2) around bytes that are no digest. */
static bool bytes_are_signed(
	EVP_PKEY *key, const uint8_t *data, size_t len, const uint8_t *sig, size_t n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	bool good = ctx && EVP_PKEY_verify_init(ctx) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
		    EVP_PKEY_verify(ctx, sig, n, data, len) == 1;

	EVP_PKEY_CTX_free(ctx);
	return good;
}

/* The block itself, without padding. */
static bool block_is_signed(
	EVP_PKEY *key, const uint8_t *block, size_t len, const uint8_t *sig, size_t n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	uint8_t out[512];
	size_t out_len = sizeof(out);
	bool good = ctx && n <= sizeof(out) && EVP_PKEY_encrypt_init(ctx) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
		    EVP_PKEY_encrypt(ctx, out, &out_len, sig, n) == 1 && out_len == len &&
		    !memcmp(out, block, len);

	EVP_PKEY_CTX_free(ctx);
	return good;
}

bool signature_is_good(const struct known *k, const struct answer *a, const uint8_t *sig, size_t n)
{
	struct reader r = reader_over(a->request, a->request_len);
	const uint8_t *data;
	uint8_t scheme, input, digest[64];
	const EVP_MD *md;
	unsigned salt;
	size_t len;

	get_bytes(&r, WIRE_ID_SIZE);
	scheme = get_u8(&r);
	md = digest_of(get_u8(&r));
	input = get_u8(&r);
	salt = get_u16(&r);
	data = get_field32(&r, WIRE_MAX_PAYLOAD, &len);
	if (!reader_done(&r) || !k)
		return false;
	if (scheme == SCHEME_EDDSA)
		return !md && input == INPUT_MESSAGE &&
		       ed25519_is_good(k->public_key, data, len, sig, n);
	if (!md && scheme == SCHEME_RSA_RAW && input == INPUT_MESSAGE)
		return block_is_signed(k->public_key, data, len, sig, n);
	if (!md && scheme == SCHEME_RSA_PKCS1 && input == INPUT_DIGEST)
		return bytes_are_signed(k->public_key, data, len, sig, n);
	if (!md || input > INPUT_DIGEST)
		return false;
	if (input == INPUT_MESSAGE && EVP_Digest(data, len, digest, NULL, md, NULL) != 1)
		return false;
	if (input == INPUT_DIGEST) {
		if (len != (size_t)EVP_MD_get_size(md))
			return false;
		memcpy(digest, data, len);
	}
	return digest_is_signed(k->public_key, scheme, md, salt, digest, sig, n);
}

bool csr_is_good(const uint8_t *der, size_t n, const struct known **of, uint8_t digest[32])
{
	const uint8_t *at = der;
	X509_REQ *req = d2i_X509_REQ(NULL, &at, (long)n);
	EVP_PKEY *key = req && at == der + n ? X509_REQ_get0_pubkey(req) : NULL;
	unsigned char *out = NULL;
	bool good = false;
	int len;

	*of = NULL;
	if (!key || X509_REQ_verify(req, key) != 1)
		goto out;
	for (unsigned i = 0; i < KEYS && !*of; i++)
		if (known[i].public_key && EVP_PKEY_eq(key, known[i].public_key) == 1)
			*of = &known[i];
	len = *of >= known + FIXED ? i2d_X509_NAME(X509_REQ_get_subject_name(req), &out)
				   : i2d_re_X509_REQ_tbs(req, &out);
	good = len > 0 && EVP_Digest(out, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1;
out:
	OPENSSL_free(out);
	X509_REQ_free(req);
	return good;
}

static EVP_PKEY *attestation_key;
static uint8_t attestation_key_id[WIRE_ID_SIZE];

bool attestation_key_is(const uint8_t *spki, size_t n)
{
	const uint8_t *at = spki;
	EVP_PKEY *key = spki ? d2i_PUBKEY(NULL, &at, (long)n) : NULL;
	bool is = key && at == spki + n && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519;

	if (is && attestation_key) {
		is = EVP_PKEY_eq(key, attestation_key) == 1;
	} else if (is) {
		is = EVP_Digest(spki, n, attestation_key_id, NULL, EVP_sha256(), NULL) == 1;
		EVP_PKEY_up_ref(key);
		attestation_key = key;
	}
	EVP_PKEY_free(key);
	return is;
}

static bool ask_for_attestation_key(void)
{
	struct live_reply reply;
	struct reader r;
	const uint8_t *spki;
	size_t n;

	if (live_call(0, CMD_ATTEST_KEY, NULL, 0, &reply) || reply.answer)
		return false;
	r = reader_over(reply.payload, reply.len);
	spki = get_field16(&r, WIRE_SPKI_MAX, &n);
	return reader_done(&r) && attestation_key_is(spki, n);
}

bool statement_is_good(const struct kw_attestation *s)
{
	size_t n, sig_len;
	const uint8_t *data = kw_attestation_signed(s, &n);
	const uint8_t *sig = kw_attestation_signature(s, &sig_len);

	if (!attestation_key && !ask_for_attestation_key())
		return false;
	return !memcmp(kw_attestation_signer(s), attestation_key_id, WIRE_ID_SIZE) &&
	       ed25519_is_good(attestation_key, data, n, sig, sig_len);
}

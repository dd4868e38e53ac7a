/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secret keys, agreement, wrapping and messages through the module, each against OpenSSL's answer.
 * tests/pkcs11_secret.sh starts a TEE for it.
 *
 * usage: pkcs11_secret MODULE
 */
#include <dlfcn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontends/pkcs11/cryptoki.h"

static CK_FUNCTION_LIST *p11;
static CK_FUNCTION_LIST_3_0 *p30;
static CK_SESSION_HANDLE s;
static unsigned passed, failed;

static void expect(const char *what, CK_RV expected, CK_RV found)
{
	if (expected == found) {
		passed++;
		return;
	}
	failed++;
	printf("not ok - %s: expected 0x%lx, found 0x%lx\n", what, expected, found);
}

static void check(const char *what, int good)
{
	expect(what, 1, good != 0);
}

#define EXPECT(rv, call) expect(#call, rv, p11->call)
#define EXPECT3(rv, call) expect(#call, rv, p30->call)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY;
static CK_KEY_TYPE aes_type = CKK_AES, generic_type = CKK_GENERIC_SECRET;
static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static CK_BYTE x25519[] = {0x06, 0x03, 0x2b, 0x65, 0x6e};

/* A key whose value is known here: in the TEE (sensitive), or of the session. */
static CK_OBJECT_HANDLE give(
	CK_KEY_TYPE *type, CK_BYTE *value, CK_ULONG n, const CK_ATTRIBUTE_TYPE *uses, size_t count)
{
	CK_ATTRIBUTE t[16] = {{CKA_CLASS, &secret_class, sizeof(secret_class)},
		{CKA_KEY_TYPE, type, sizeof(*type)}, {CKA_VALUE, value, n}};
	CK_OBJECT_HANDLE key = 0;

	for (size_t i = 0; i < count; i++)
		t[3 + i] = (CK_ATTRIBUTE){uses[i], &yes, 1};
	EXPECT(CKR_OK, C_CreateObject(s, t, 3 + count, &key));
	return key;
}

#define GIVE(type, value, n, ...)                                      \
	give(type, value, n, (const CK_ATTRIBUTE_TYPE[]){__VA_ARGS__}, \
		sizeof((const CK_ATTRIBUTE_TYPE[]){__VA_ARGS__}) / sizeof(CK_ATTRIBUTE_TYPE))

static CK_ULONG number(CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type)
{
	CK_ULONG v = 0;
	CK_ATTRIBUTE a = {type, &v, sizeof(v)};

	EXPECT(CKR_OK, C_GetAttributeValue(s, o, &a, 1));
	return v;
}

static int flag(CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL v = 2;
	CK_ATTRIBUTE a = {type, &v, sizeof(v)};

	EXPECT(CKR_OK, C_GetAttributeValue(s, o, &a, 1));
	return v;
}

/* --- Ciphers --- */

static size_t by_openssl(const char *cipher, const CK_BYTE *key, const CK_BYTE *iv, int pad,
	const CK_BYTE *in, size_t n, CK_BYTE *out)
{
	EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, cipher, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int a = 0, b = 0;

	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	check("OpenSSL encrypts", EVP_EncryptInit_ex2(ctx, c, key, iv, NULL) &&
					  EVP_CIPHER_CTX_set_padding(ctx, pad) &&
					  EVP_EncryptUpdate(ctx, out, &a, in, (int)n) &&
					  EVP_EncryptFinal_ex(ctx, out + a, &b));
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(c);
	return (size_t)(a + b);
}

/* In one call, and in parts of every size. */
static void cipher(CK_MECHANISM *m, CK_OBJECT_HANDLE key, const char *name, const CK_BYTE *raw,
	const CK_BYTE *iv, int pad, size_t n)
{
	CK_BYTE *in = malloc(n + 64), *expected = malloc(n + 64), *out = malloc(n + 64);
	size_t expected_len, step = n > 1000 ? 777 : 7;
	CK_ULONG len = 0, at = 0, last;

	RAND_bytes(in, (int)n);
	expected_len = by_openssl(name, raw, iv, pad, in, n, expected);
	EXPECT(CKR_OK, C_EncryptInit(s, m, key));
	EXPECT(CKR_OK, C_Encrypt(s, in, n, NULL, &len));
	check("the length is enough", len >= expected_len);
	len = 0;
	EXPECT(CKR_BUFFER_TOO_SMALL, C_Encrypt(s, in, n, out, &len));
	len = n + 64;
	EXPECT(CKR_OK, C_Encrypt(s, in, n, out, &len));
	check("OpenSSL's result", len == expected_len && !memcmp(out, expected, len));
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_Encrypt(s, in, n, out, &len));

	EXPECT(CKR_OK, C_EncryptInit(s, m, key));
	for (size_t i = 0; i < n; i += step) {
		len = n + 64 - at;
		if (p11->C_EncryptUpdate(s, in + i, n - i < step ? n - i : step, out + at, &len))
			failed++;
		at += len;
	}
	len = n + 64 - at;
	EXPECT(CKR_OK, C_EncryptFinal(s, out + at, &len));
	check("the same in parts",
		at + len == expected_len && !memcmp(out, expected, expected_len));

	memset(out, 0, n + 64);
	EXPECT(CKR_OK, C_DecryptInit(s, m, key));
	len = n + 64;
	EXPECT(CKR_OK, C_Decrypt(s, expected, expected_len, out, &len));
	check("and back", len == n && !memcmp(out, in, n));

	EXPECT(CKR_OK, C_DecryptInit(s, m, key));
	for (size_t i = at = 0; i < expected_len; i += step) {
		len = n + 64 - at;
		if (p11->C_DecryptUpdate(s, expected + i,
			    expected_len - i < step ? expected_len - i : step, out + at, &len))
			failed++;
		at += len;
	}
	last = 0;
	EXPECT(CKR_OK, C_DecryptFinal(s, NULL, &last));
	EXPECT(CKR_OK, C_DecryptFinal(s, out + at, (last = n + 64 - at, &last)));
	check("and back in parts", at + last == n && !memcmp(out, in, n));
	free(in);
	free(expected);
	free(out);
}

static void ciphers(void)
{
	static CK_BYTE raw[32], iv[16];
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0}, cbc = {CKM_AES_CBC, iv, 16},
		     pad = {CKM_AES_CBC_PAD, iv, 16}, kw = {CKM_AES_KEY_WRAP, NULL, 0},
		     kwp = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
	CK_AES_CTR_PARAMS counter = {.ulCounterBits = 128};
	CK_MECHANISM ctr = {CKM_AES_CTR, &counter, sizeof(counter)};
	CK_BYTE block[64] = {0}, out[128];
	CK_OBJECT_HANDLE key;
	CK_ULONG n;

	RAND_bytes(raw, sizeof(raw));
	RAND_bytes(iv, sizeof(iv));
	memset(iv + 8, 0xff, 8); /* CTR carries */
	memcpy(counter.cb, iv, 16);
	key = GIVE(&aes_type, raw, 32, CKA_ENCRYPT, CKA_DECRYPT);
	cipher(&ecb, key, "AES-256-ECB", raw, NULL, 0, 48);
	cipher(&cbc, key, "AES-256-CBC", raw, iv, 0, 160);
	cipher(&pad, key, "AES-256-CBC", raw, iv, 1, 48);
	cipher(&pad, key, "AES-256-CBC", raw, iv, 1, 47);
	cipher(&pad, key, "AES-256-CBC", raw, iv, 1, 1);
	cipher(&cbc, key, "AES-256-CBC", raw, iv, 0, 200000 / 16 * 16);
	cipher(&ctr, key, "AES-256-CTR", raw, iv, 0, 100);
	cipher(&ctr, key, "AES-256-CTR", raw, iv, 0, 150001);
	n = sizeof(out);
	EXPECT(CKR_OK, C_EncryptInit(s, &cbc, key));
	EXPECT(CKR_DATA_LEN_RANGE, C_Encrypt(s, block, 17, out, &n));
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_EncryptFinal(s, out, &n));
	/* Padding is never zero. */
	EXPECT(CKR_OK, C_EncryptInit(s, &cbc, key));
	n = sizeof(out);
	EXPECT(CKR_OK, C_Encrypt(s, block, 32, out, &n));
	EXPECT(CKR_OK, C_DecryptInit(s, &pad, key));
	EXPECT(CKR_ENCRYPTED_DATA_INVALID, C_Decrypt(s, out, 32, out, &n));
	/* A counter of 8 bits that has two blocks left */
	counter.ulCounterBits = 8;
	counter.cb[15] = 0xfe;
	n = sizeof(out);
	EXPECT(CKR_OK, C_EncryptInit(s, &ctr, key));
	EXPECT(CKR_OK, C_Encrypt(s, block, 32, out, &n));
	EXPECT(CKR_OK, C_EncryptInit(s, &ctr, key));
	n = sizeof(out);
	EXPECT(CKR_DATA_LEN_RANGE, C_Encrypt(s, block, 33, out, &n));
	EXPECT(CKR_OK, C_EncryptInit(s, &kw, key));
	n = sizeof(out);
	EXPECT(CKR_OK, C_Encrypt(s, block, 32, out, &n));
	check("KW", n == 40 &&
			    by_openssl("AES-256-WRAP", raw, NULL, 0, block, 32, out + 64) == 40 &&
			    !memcmp(out, out + 64, 40));
	EXPECT(CKR_OK, C_DecryptInit(s, &kw, key));
	n = sizeof(out);
	EXPECT(CKR_OK, C_Decrypt(s, out, 40, out, &n));
	check("and back", n == 32 && !memcmp(out, block, 32));
	EXPECT(CKR_OK, C_EncryptInit(s, &kwp, key));
	n = sizeof(out);
	EXPECT(CKR_OK, C_Encrypt(s, block, 33, out, &n));
	check("KWP", n == 48);
	out[5] ^= 1;
	EXPECT(CKR_OK, C_DecryptInit(s, &kwp, key));
	n = sizeof(out);
	EXPECT(CKR_ENCRYPTED_DATA_INVALID, C_Decrypt(s, out, 48, out, &n));
	ecb.pParameter = iv;
	ecb.ulParameterLen = 16;
	EXPECT(CKR_MECHANISM_PARAM_INVALID, C_EncryptInit(s, &ecb, key));
	cbc.ulParameterLen = 15;
	EXPECT(CKR_MECHANISM_PARAM_INVALID, C_EncryptInit(s, &cbc, key));
}

/* --- GCM --- */

static void gcm(void)
{
	static CK_BYTE raw[16], iv[12], aad[20], in[3000];
	CK_GCM_PARAMS p = {iv, 12, 96, aad, 20, 128};
	CK_MECHANISM m = {CKM_AES_GCM, &p, sizeof(p)}, message = {CKM_AES_GCM, NULL, 0};
	CK_BYTE out[3100], back[3100], tag[16], nonce[12] = {0}, used[12];
	struct gcm_message g = {nonce, 12, 0, CKG_GENERATE, tag, 128};
	CK_OBJECT_HANDLE key, encrypts;
	CK_ULONG n = sizeof(out), k;

	RAND_bytes(raw, sizeof(raw));
	RAND_bytes(iv, sizeof(iv));
	RAND_bytes(in, sizeof(in));
	key = GIVE(&aes_type, raw, 16, CKA_ENCRYPT, CKA_DECRYPT);
	encrypts = GIVE(&aes_type, raw, 16, CKA_ENCRYPT);
	EXPECT(CKR_OK, C_EncryptInit(s, &m, key));
	EXPECT(CKR_OK, C_Encrypt(s, in, sizeof(in), out, &n));
	check("ciphertext and tag", n == sizeof(in) + 16);
	EXPECT(CKR_OK, C_DecryptInit(s, &m, key));
	k = sizeof(back);
	EXPECT(CKR_OK, C_DecryptUpdate(s, out, 1000, back, &k));
	check("nothing before it is authentic", k == 0);
	k = sizeof(back);
	EXPECT(CKR_OK, C_DecryptUpdate(s, out + 1000, n - 1000, back, &k));
	k = sizeof(back);
	EXPECT(CKR_OK, C_DecryptFinal(s, back, &k));
	check("GCM back in parts", k == sizeof(in) && !memcmp(back, in, k));
	out[7] ^= 1;
	EXPECT(CKR_OK, C_DecryptInit(s, &m, key));
	k = sizeof(back);
	EXPECT(CKR_ENCRYPTED_DATA_INVALID, C_Decrypt(s, out, n, back, &k));
	out[7] ^= 1;
	/* Whoever chooses the nonce of a key that only encrypts could decrypt. */
	EXPECT(CKR_OK, C_EncryptInit(s, &m, encrypts));
	k = sizeof(back);
	EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED, C_Encrypt(s, in, 10, back, &k));
	p.ulTagBits = 32;
	EXPECT(CKR_MECHANISM_PARAM_INVALID, C_EncryptInit(s, &m, key));
	p.ulTagBits = 128;
	p.ulAADLen = 100000;
	EXPECT(CKR_MECHANISM_PARAM_INVALID, C_EncryptInit(s, &m, key));

	EXPECT3(CKR_OK, C_MessageEncryptInit(s, &message, encrypts));
	n = sizeof(out);
	EXPECT3(CKR_OK, C_EncryptMessage(s, &g, sizeof(g), aad, 20, in, 100, out, &n));
	memcpy(used, nonce, 12);
	check("the TEE made a nonce", n == 100 && memcmp(used, "\0\0\0\0\0\0\0\0\0\0\0", 12));
	n = sizeof(out);
	EXPECT3(CKR_OK, C_EncryptMessageBegin(s, &g, sizeof(g), aad, 20));
	EXPECT3(CKR_OPERATION_ACTIVE, C_EncryptMessage(s, &g, sizeof(g), aad, 20, in, 1, out, &n));
	EXPECT3(CKR_OK, C_EncryptMessageNext(s, &g, sizeof(g), in, 60, out, &n, 0));
	n = sizeof(out);
	EXPECT3(CKR_OK,
		C_EncryptMessageNext(s, &g, sizeof(g), in + 60, 40, out, &n, CKF_END_OF_MESSAGE));
	check("another message, another nonce", n == 100 && memcmp(used, nonce, 12));
	EXPECT3(CKR_OK, C_MessageEncryptFinal(s));
	EXPECT3(CKR_OPERATION_NOT_INITIALIZED, C_MessageEncryptFinal(s));
	g.generator = CKG_NO_GENERATE;
	EXPECT3(CKR_OK, C_MessageDecryptInit(s, &message, key));
	k = sizeof(back);
	EXPECT3(CKR_OK, C_DecryptMessage(s, &g, sizeof(g), aad, 20, out, 100, back, &k));
	check("the message", k == 100 && !memcmp(back, in, 100));
	tag[3] ^= 1;
	EXPECT3(CKR_AEAD_DECRYPT_FAILED,
		C_DecryptMessage(s, &g, sizeof(g), aad, 20, out, 100, back, &k));
	EXPECT3(CKR_OK, C_MessageDecryptFinal(s));
	EXPECT3(CKR_KEY_FUNCTION_NOT_PERMITTED, C_MessageDecryptInit(s, &message, encrypts));
}

/* Two operations in one call */
static void dual(void)
{
	static CK_BYTE raw[32], iv[16], in[320];
	CK_MECHANISM cbc = {CKM_AES_CBC, iv, 16}, sha = {CKM_SHA256, NULL, 0};
	CK_BYTE out[320], back[320], expected[320], digest[2][32];
	CK_OBJECT_HANDLE key;
	CK_ULONG n, k = 32, at = 0;

	RAND_bytes(raw, sizeof(raw));
	RAND_bytes(in, sizeof(in));
	key = GIVE(&aes_type, raw, 32, CKA_ENCRYPT, CKA_DECRYPT);
	by_openssl("AES-256-CBC", raw, iv, 0, in, sizeof(in), expected);
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_DigestEncryptUpdate(s, in, 16, out, &k));
	EXPECT(CKR_OK, C_EncryptInit(s, &cbc, key));
	k = 32;
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_DigestEncryptUpdate(s, in, 16, out, &k));
	EXPECT(CKR_OK, C_DigestInit(s, &sha));
	EXPECT(CKR_OK, C_DigestEncryptUpdate(s, in, sizeof(in), NULL, &k));
	check("as long as the data", k == sizeof(in));
	k = sizeof(in) - 1;
	EXPECT(CKR_BUFFER_TOO_SMALL, C_DigestEncryptUpdate(s, in, sizeof(in), out, &k));
	/* In the place of the plaintext */
	memcpy(out, in, sizeof(in));
	for (size_t i = 0; i < sizeof(in); i += n) {
		n = k = 32;
		EXPECT(CKR_OK, C_DigestEncryptUpdate(s, out + i, n, out + at, &k));
		at += k;
	}
	k = 0;
	EXPECT(CKR_OK, C_EncryptFinal(s, back, &k));
	k = 32;
	EXPECT(CKR_OK, C_DigestFinal(s, digest[0], &k));
	check("OpenSSL's ciphertext", !memcmp(out, expected, sizeof(out)));
	check("and its digest",
		EVP_Q_digest(NULL, "SHA256", NULL, in, sizeof(in), digest[1], NULL) &&
			!memcmp(digest[0], digest[1], 32));
	EXPECT(CKR_OK, C_DecryptInit(s, &cbc, key));
	EXPECT(CKR_OK, C_DigestInit(s, &sha));
	k = sizeof(back);
	EXPECT(CKR_OK, C_DecryptDigestUpdate(s, out, sizeof(out), back, &k));
	check("the plaintext", k == sizeof(in) && !memcmp(back, in, k));
	k = 0;
	EXPECT(CKR_OK, C_DecryptFinal(s, out, &k));
	k = 32;
	EXPECT(CKR_OK, C_DigestFinal(s, digest[0], &k));
	check("and its digest again", !memcmp(digest[0], digest[1], 32));
}

/* --- MACs --- */

static void macs(void)
{
	static const struct {
		CK_MECHANISM_TYPE type, general;
		const char *hash;
	} hmacs[] = {{CKM_SHA224_HMAC, CKM_SHA224_HMAC_GENERAL, "SHA224"},
		{CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL, "SHA256"},
		{CKM_SHA384_HMAC, CKM_SHA384_HMAC_GENERAL, "SHA384"},
		{CKM_SHA512_HMAC, CKM_SHA512_HMAC_GENERAL, "SHA512"}};
	static CK_BYTE raw[32], in[500];
	CK_MECHANISM cmac = {CKM_AES_CMAC, NULL, 0};
	CK_BYTE out[64], expected[64];
	CK_OBJECT_HANDLE key;
	size_t expected_len;
	CK_ULONG n, ten = 10;

	RAND_bytes(raw, sizeof(raw));
	key = GIVE(&generic_type, raw, 32, CKA_SIGN, CKA_VERIFY);
	for (size_t i = 0; i < COUNT(hmacs); i++) {
		CK_MECHANISM m = {hmacs[i].type, NULL, 0},
			     general = {hmacs[i].general, &ten, sizeof(ten)};

		check("OpenSSL's HMAC",
			EVP_Q_mac(NULL, "HMAC", NULL, hmacs[i].hash, NULL, raw, 32, in, sizeof(in),
				expected, sizeof(expected), &expected_len) != NULL);
		EXPECT(CKR_OK, C_SignInit(s, &m, key));
		EXPECT(CKR_OK, C_SignUpdate(s, in, 100));
		EXPECT(CKR_OK, C_SignUpdate(s, in + 100, 400));
		n = sizeof(out);
		EXPECT(CKR_OK, C_SignFinal(s, out, &n));
		check("is the same", n == expected_len && !memcmp(out, expected, n));
		EXPECT(CKR_OK, C_VerifyInit(s, &m, key));
		EXPECT(CKR_OK, C_Verify(s, in, sizeof(in), out, n));
		EXPECT(CKR_OK, C_VerifyInit(s, &general, key));
		EXPECT(CKR_OK, C_Verify(s, in, sizeof(in), out, 10));
		EXPECT(CKR_OK, C_VerifyInit(s, &m, key));
		EXPECT(CKR_SIGNATURE_LEN_RANGE, C_Verify(s, in, sizeof(in), out, 10));
		out[0] ^= 1;
		EXPECT(CKR_OK, C_VerifyInit(s, &m, key));
		EXPECT(CKR_SIGNATURE_INVALID, C_Verify(s, in, sizeof(in), out, n));
	}
	EXPECT(CKR_KEY_TYPE_INCONSISTENT, C_SignInit(s, &cmac, key));
	key = GIVE(&aes_type, raw, 32, CKA_SIGN);
	check("OpenSSL's CMAC",
		EVP_Q_mac(NULL, "CMAC", NULL, "AES-256-CBC", NULL, raw, 32, in, sizeof(in),
			expected, sizeof(expected), &expected_len) != NULL);
	EXPECT(CKR_OK, C_SignInit(s, &cmac, key));
	n = sizeof(out);
	EXPECT(CKR_OK, C_Sign(s, in, sizeof(in), out, &n));
	check("is the same", n == 16 && !memcmp(out, expected, 16));
}

/* --- Agreement and derivation --- */

/* A shown key of the session with what both agree on; 0 when it is refused. */
static CK_OBJECT_HANDLE agree(CK_OBJECT_HANDLE base, CK_BYTE *point, CK_ULONG n, CK_RV expected)
{
	CK_ECDH1_DERIVE_PARAMS p = {CKD_NULL, 0, NULL, n, point};
	CK_MECHANISM m = {CKM_ECDH1_DERIVE, &p, sizeof(p)};
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &secret_class, sizeof(secret_class)},
		{CKA_KEY_TYPE, &generic_type, sizeof(generic_type)}, {CKA_SENSITIVE, &no, 1},
		{CKA_EXTRACTABLE, &yes, 1}};
	CK_OBJECT_HANDLE key = 0;

	EXPECT(expected, C_DeriveKey(s, &m, base, t, COUNT(t), &key));
	return key;
}

static void ecdh(CK_BYTE *params, CK_ULONG params_len, CK_MECHANISM_TYPE generation,
	const char *type, const char *group)
{
	CK_MECHANISM make = {generation, NULL, 0};
	CK_ATTRIBUTE of_public[] = {{CKA_EC_PARAMS, params, params_len}};
	CK_ATTRIBUTE of_private[] = {{CKA_DERIVE, &yes, 1}};
	CK_OBJECT_HANDLE public = 0, private = 0, key;
	CK_BYTE point[200], own[200], value[80], expected[80];
	CK_ATTRIBUTE ask = {CKA_EC_POINT, own, sizeof(own)},
		     got = {CKA_VALUE, value, sizeof(value)};
	EVP_PKEY *peer = group ? EVP_EC_gen(group) : EVP_PKEY_Q_keygen(NULL, NULL, type);
	EVP_PKEY *ours = EVP_PKEY_new();
	EVP_PKEY_CTX *ctx;
	size_t n = 0, len = sizeof(expected), skip = 2;

	EXPECT(CKR_OK, C_GenerateKeyPair(s, &make, of_public, 1, of_private, 1, &public, &private));
	EXPECT(CKR_OK, C_GetAttributeValue(s, public, &ask, 1));
	check("an agreement key derives and signs nothing",
		flag(private, CKA_DERIVE) && !flag(private, CKA_SIGN));
	EVP_PKEY_get_octet_string_param(
		peer, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point), &n);
	key = agree(private, point, n, CKR_OK);
	EXPECT(CKR_OK, C_GetAttributeValue(s, key, &got, 1));
	/* The other side of it */
	EVP_PKEY_copy_parameters(ours, peer);
	if (group)
		check("our point", EVP_PKEY_set1_encoded_public_key(
					   ours, own + skip, ask.ulValueLen - skip) > 0);
	else {
		EVP_PKEY_free(ours);
		ours = EVP_PKEY_new_raw_public_key(
			EVP_PKEY_X25519, NULL, own + skip, ask.ulValueLen - skip);
	}
	ctx = EVP_PKEY_CTX_new(peer, NULL);
	check("OpenSSL agrees", EVP_PKEY_derive_init(ctx) > 0 &&
					EVP_PKEY_derive_set_peer(ctx, ours) > 0 &&
					EVP_PKEY_derive(ctx, expected, &len) > 0);
	check("on the same", got.ulValueLen == len && !memcmp(value, expected, len));
	point[n - 1] ^= 1;
	if (group)
		agree(private, point, n, CKR_MECHANISM_PARAM_INVALID);
	memset(point, 0, n);
	agree(private, point, n, CKR_MECHANISM_PARAM_INVALID);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(ours);
}

static void hkdf(void)
{
	static CK_BYTE raw[32], salt[9], info[11];
	struct hkdf_parameters p = {1, 1, CKM_SHA256, CKF_HKDF_SALT_DATA, salt, 9, 0, info, 11};
	CK_MECHANISM m = {CKM_HKDF_DERIVE, &p, sizeof(p)};
	CK_ULONG size = 32;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &secret_class, sizeof(secret_class)},
		{CKA_KEY_TYPE, &generic_type, sizeof(generic_type)},
		{CKA_VALUE_LEN, &size, sizeof(size)}, {CKA_SENSITIVE, &no, 1},
		{CKA_EXTRACTABLE, &yes, 1}};
	CK_ATTRIBUTE aes[] = {{CKA_KEY_TYPE, &aes_type, sizeof(aes_type)},
		{CKA_VALUE_LEN, &size, sizeof(size)}, {CKA_ENCRYPT, &yes, 1},
		{CKA_DECRYPT, &yes, 1}};
	CK_BYTE value[32], expected[32], block[16] = {0}, out[16], wanted[32];
	CK_ATTRIBUTE got = {CKA_VALUE, value, sizeof(value)};
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	CK_OBJECT_HANDLE base, secret_base, key = 0;
	CK_ULONG n = sizeof(out);
	char sha256[] = "SHA256";
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", sha256, 0),
		OSSL_PARAM_construct_octet_string("key", raw, 32),
		OSSL_PARAM_construct_octet_string("salt", salt, 9),
		OSSL_PARAM_construct_octet_string("info", info, 11), OSSL_PARAM_construct_end()};

	RAND_bytes(raw, sizeof(raw));
	RAND_bytes(salt, sizeof(salt));
	check("OpenSSL's HKDF", EVP_KDF_derive(ctx, expected, 32, params) > 0);
	/* One whose derived values may be seen, since it is not sensitive itself. */
	{
		CK_ATTRIBUTE of_base[] = {{CKA_CLASS, &secret_class, sizeof(secret_class)},
			{CKA_KEY_TYPE, &generic_type, sizeof(generic_type)}, {CKA_VALUE, raw, 32},
			{CKA_SENSITIVE, &no, 1}, {CKA_DERIVE, &yes, 1}};

		EXPECT(CKR_OK, C_CreateObject(s, of_base, COUNT(of_base), &base));
	}
	secret_base = GIVE(&generic_type, raw, 32, CKA_DERIVE);
	EXPECT(CKR_OK, C_DeriveKey(s, &m, base, t, COUNT(t), &key));
	EXPECT(CKR_OK, C_GetAttributeValue(s, key, &got, 1));
	check("is the same", got.ulValueLen == 32 && !memcmp(value, expected, 32));
	EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED, C_DeriveKey(s, &m, secret_base, t, COUNT(t), &key));
	/* A key that stays in the TEE */
	EXPECT(CKR_OK, C_DeriveKey(s, &m, secret_base, aes, COUNT(aes), &key));
	EXPECT(CKR_ATTRIBUTE_SENSITIVE, C_GetAttributeValue(s, key, &got, 1));
	EXPECT(CKR_OK, C_EncryptInit(s, &ecb, key));
	EXPECT(CKR_OK, C_Encrypt(s, block, 16, out, &n));
	by_openssl("AES-256-ECB", expected, NULL, 0, block, 16, wanted);
	check("is the key that OpenSSL derives", !memcmp(out, wanted, 16));
	p.extract = p.expand = 0;
	EXPECT(CKR_MECHANISM_PARAM_INVALID, C_DeriveKey(s, &m, base, t, COUNT(t), &key));
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

/* --- Wrapping --- */

static void wrapping(void)
{
	static CK_BYTE raw[32], inner[16];
	CK_MECHANISM kwp = {CKM_AES_KEY_WRAP_PAD, NULL, 0}, kw = {CKM_AES_KEY_WRAP, NULL, 0},
		     make = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ULONG n, size = 32;
	CK_BYTE out[128], expected[64], value[64];
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &secret_class, sizeof(secret_class)},
		{CKA_KEY_TYPE, &aes_type, sizeof(aes_type)}, {CKA_ENCRYPT, &yes, 1},
		{CKA_DECRYPT, &yes, 1}, {CKA_EXTRACTABLE, &yes, 1}};
	CK_ATTRIBUTE both[] = {{CKA_VALUE_LEN, &size, sizeof(size)}, {CKA_WRAP, &yes, 1},
		{CKA_DECRYPT, &yes, 1}, {CKA_KEYWARD_MIXED, &no, 1}};
	CK_ATTRIBUTE trusting[] = {{CKA_VALUE_LEN, &size, sizeof(size)}, {CKA_ENCRYPT, &yes, 1},
		{CKA_EXTRACTABLE, &yes, 1}, {CKA_WRAP_WITH_TRUSTED, &yes, 1}};
	CK_ATTRIBUTE trusted[] = {
		{CKA_VALUE_LEN, &size, sizeof(size)}, {CKA_WRAP, &yes, 1}, {CKA_TRUSTED, &yes, 1}};
	CK_ATTRIBUTE open[] = {{CKA_TOKEN, &yes, 1}, {CKA_VALUE_LEN, &size, sizeof(size)},
		{CKA_ENCRYPT, &yes, 1}, {CKA_DECRYPT, &yes, 1}, {CKA_SENSITIVE, &no, 1},
		{CKA_EXTRACTABLE, &yes, 1}, {CKA_LABEL, (void *)(size_t) "open", 4}};
	CK_ATTRIBUTE got = {CKA_VALUE, value, sizeof(value)};
	CK_OBJECT_HANDLE by, plain, leaves, key = 0;

	RAND_bytes(raw, sizeof(raw));
	RAND_bytes(inner, sizeof(inner));
	by = GIVE(&aes_type, raw, 32, CKA_WRAP, CKA_UNWRAP);
	plain = GIVE(&aes_type, inner, 16, CKA_ENCRYPT);
	leaves = GIVE(&aes_type, inner, 16, CKA_ENCRYPT, CKA_EXTRACTABLE);
	n = sizeof(out);
	EXPECT(CKR_KEY_UNEXTRACTABLE, C_WrapKey(s, &kwp, by, plain, out, &n));
	EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED, C_WrapKey(s, &kwp, plain, leaves, out, &n));
	EXPECT(CKR_WRAPPING_KEY_HANDLE_INVALID, C_WrapKey(s, &kwp, 9999999, leaves, out, &n));
	EXPECT(CKR_KEY_HANDLE_INVALID, C_WrapKey(s, &kwp, by, 9999999, out, &n));
	EXPECT(CKR_OK, C_WrapKey(s, &kw, by, leaves, NULL, &n));
	check("24 bytes", n == 24);
	n = 23;
	EXPECT(CKR_BUFFER_TOO_SMALL, C_WrapKey(s, &kw, by, leaves, out, &n));
	EXPECT(CKR_OK, C_WrapKey(s, &kw, by, leaves, out, &n));
	check("as OpenSSL wraps",
		by_openssl("AES-256-WRAP", raw, NULL, 0, inner, 16, expected) == 24 &&
			!memcmp(out, expected, 24));
	EXPECT(CKR_OK, C_UnwrapKey(s, &kw, by, out, n, t, COUNT(t), &key));
	check("an AES-128 key", number(key, CKA_VALUE_LEN) == 16);
	EXPECT(CKR_OK, C_GetAttributeValue(s, key, (CK_ATTRIBUTE[]){{CKA_CLASS, NULL, 0}}, 1));
	out[3] ^= 1;
	EXPECT(CKR_WRAPPED_KEY_INVALID, C_UnwrapKey(s, &kw, by, out, n, t, COUNT(t), &key));
	EXPECT(CKR_WRAPPED_KEY_LEN_RANGE, C_UnwrapKey(s, &kw, by, out, 5000, t, COUNT(t), &key));

	EXPECT(CKR_TEMPLATE_INCONSISTENT, C_GenerateKey(s, &make, both, COUNT(both), &key));
	both[3].pValue = &yes;
	EXPECT(CKR_OK, C_GenerateKey(s, &make, both, COUNT(both), &key));
	check("mixed on purpose", flag(key, CKA_WRAP) && flag(key, CKA_DECRYPT));

	EXPECT(CKR_OK, C_GenerateKey(s, &make, trusting, COUNT(trusting), &leaves));
	n = sizeof(out);
	EXPECT(CKR_KEY_NOT_WRAPPABLE, C_WrapKey(s, &kwp, by, leaves, out, &n));
	EXPECT(CKR_OK, C_GenerateKey(s, &make, trusted, COUNT(trusted), &by));
	check("an administrator's key is trusted", flag(by, CKA_TRUSTED));
	n = sizeof(out);
	EXPECT(CKR_OK, C_WrapKey(s, &kwp, by, leaves, out, &n));

	/* On the token, and no secret */
	EXPECT(CKR_OK, C_GenerateKey(s, &make, open, COUNT(open), &key));
	EXPECT(CKR_OK, C_GetAttributeValue(s, key, &got, 1));
	check("32 bytes", got.ulValueLen == 32);
	{
		CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
		CK_BYTE block[16] = {0}, theirs[32];

		n = sizeof(out);
		EXPECT(CKR_OK, C_EncryptInit(s, &ecb, key));
		EXPECT(CKR_OK, C_Encrypt(s, block, 16, out, &n));
		by_openssl("AES-256-ECB", value, NULL, 0, block, 16, theirs);
		check("which are the key", !memcmp(out, theirs, 16));
	}
	EXPECT(CKR_OK, C_DestroyObject(s, key));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(s, key));
}

/* The RSA operation without padding, for a key of which that was asked. */
static void raw_rsa(void)
{
	CK_MECHANISM make = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0}, raw = {CKM_RSA_X_509, NULL, 0};
	CK_ULONG bits = 2048, n = 256, k = 256;
	CK_ATTRIBUTE of_public[] = {{CKA_MODULUS_BITS, &bits, sizeof(bits)}};
	CK_ATTRIBUTE of_private[] = {
		{CKA_SIGN, &yes, 1}, {CKA_DECRYPT, &yes, 1}, {CKA_KEYWARD_RAW, &yes, 1}};
	CK_OBJECT_HANDLE public = 0, private = 0;
	CK_BYTE block[256] = {0}, out[256], back[256], high[256];

	memset(high, 0xff, sizeof(high));
	RAND_bytes(block + 2, sizeof(block) - 2);
	for (int with = 1; with >= 0; with--) {
		EXPECT(CKR_OK, C_GenerateKeyPair(s, &make, of_public, 1, of_private,
				       2 + (CK_ULONG)with, &public, &private));
		EXPECT(CKR_OK, C_EncryptInit(s, &raw, public));
		n = sizeof(out);
		EXPECT(CKR_OK, C_Encrypt(s, block, sizeof(block), out, &n));
		EXPECT(CKR_OK, C_DecryptInit(s, &raw, private));
		k = sizeof(back);
		EXPECT(with ? CKR_OK : CKR_KEY_FUNCTION_NOT_PERMITTED,
			C_Decrypt(s, out, n, back, &k));
		check("the block", !with || (k == 256 && !memcmp(back, block, 256)));
		EXPECT(CKR_OK, C_SignInit(s, &raw, private));
		k = sizeof(back);
		EXPECT(with ? CKR_OK : CKR_DATA_INVALID, C_Sign(s, block, 256, back, &k));
	}
	EXPECT(CKR_OK, C_EncryptInit(s, &raw, public));
	n = sizeof(out);
	EXPECT(CKR_DATA_INVALID, C_Encrypt(s, high, sizeof(high), out, &n));
}

/* A private key leaves as PKCS #8, which OpenSSL reads, and comes back. */
static void private_key(CK_MECHANISM_TYPE generation, CK_ATTRIBUTE *of_public, CK_ULONG n_public,
	CK_KEY_TYPE type, CK_MECHANISM_TYPE signing)
{
	static CK_BYTE raw[32];
	CK_MECHANISM make = {generation, NULL, 0}, kwp = {CKM_AES_KEY_WRAP_PAD, NULL, 0},
		     m = {signing, NULL, 0};
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE of_private[] = {{CKA_SIGN, &yes, 1}, {CKA_EXTRACTABLE, &yes, 1}};
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_KEY_TYPE, &type, sizeof(type)},
		{CKA_SIGN, &yes, 1}};
	CK_OBJECT_HANDLE by, public = 0, private = 0, other = 0;
	CK_BYTE wrapped[3000], plain[3000], sig[512];
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-WRAP-PAD", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const unsigned char *at = plain;
	CK_ULONG n = sizeof(wrapped), sig_len = sizeof(sig);
	EVP_PKEY *read;
	int len = 0;

	RAND_bytes(raw, sizeof(raw));
	by = GIVE(&aes_type, raw, 32, CKA_WRAP, CKA_UNWRAP);
	EXPECT(CKR_OK, C_GenerateKeyPair(s, &make, of_public, n_public, of_private,
			       COUNT(of_private), &public, &private));
	check("it may leave",
		flag(private, CKA_EXTRACTABLE) && !flag(private, CKA_NEVER_EXTRACTABLE));
	EXPECT(CKR_KEY_NOT_WRAPPABLE, C_WrapKey(s, &kwp, by, public, wrapped, &n));
	EXPECT(CKR_OK, C_WrapKey(s, &kwp, by, private, wrapped, &n));
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	check("OpenSSL unwraps", EVP_DecryptInit_ex2(ctx, cipher, raw, NULL, NULL) &&
					 EVP_DecryptUpdate(ctx, plain, &len, wrapped, (int)n));
	read = d2i_AutoPrivateKey(NULL, &at, len);
	check("PKCS #8", read && at == plain + len);
	EXPECT(CKR_OK, C_UnwrapKey(s, &kwp, by, wrapped, n, t, COUNT(t), &other));
	check("what came back stays", !flag(other, CKA_EXTRACTABLE) && !flag(other, CKA_LOCAL));
	EXPECT(CKR_OK, C_SignInit(s, &m, other));
	EXPECT(CKR_OK, C_Sign(s, raw, 32, sig, &sig_len));
	EXPECT(CKR_OK, C_VerifyInit(s, &m, public));
	EXPECT(CKR_OK, C_Verify(s, raw, 32, sig, sig_len));
	n = sizeof(wrapped);
	EXPECT(CKR_KEY_UNEXTRACTABLE, C_WrapKey(s, &kwp, by, other, wrapped, &n));
	EVP_PKEY_free(read);
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
}

static void private_keys(void)
{
	CK_BYTE ed[] = {0x06, 0x03, 0x2b, 0x65, 0x70},
		p521[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};
	CK_ULONG bits = 3072;
	CK_ATTRIBUTE rsa = {CKA_MODULUS_BITS, &bits, sizeof(bits)},
		     ec = {CKA_EC_PARAMS, p521, sizeof(p521)},
		     edwards = {CKA_EC_PARAMS, ed, sizeof(ed)};

	private_key(CKM_RSA_PKCS_KEY_PAIR_GEN, &rsa, 1, CKK_RSA, CKM_SHA256_RSA_PKCS);
	private_key(CKM_EC_KEY_PAIR_GEN, &ec, 1, CKK_EC, CKM_ECDSA_SHA512);
	private_key(CKM_EC_EDWARDS_KEY_PAIR_GEN, &edwards, 1, CKK_EC_EDWARDS, CKM_EDDSA);
}

/* --- Keys on the token, templates --- */

static CK_ULONG count(CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *o)
{
	CK_ULONG found = 0;

	EXPECT(CKR_OK, C_FindObjectsInit(s, t, n));
	EXPECT(CKR_OK, C_FindObjects(s, o, 1, &found));
	EXPECT(CKR_OK, C_FindObjectsFinal(s));
	return found;
}

static void objects(void)
{
	CK_MECHANISM make = {CKM_AES_KEY_GEN, NULL, 0},
		     generic = {CKM_GENERIC_SECRET_KEY_GEN, NULL, 0},
		     gcm_only = {CKM_AES_GCM, NULL, 0}, ecb = {CKM_AES_ECB, NULL, 0};
	CK_MECHANISM_TYPE allowed[] = {CKM_AES_GCM};
	CK_KEY_TYPE sha256 = CKK_SHA256_HMAC;
	CK_ULONG size = 24, odd = 23, huge = 1 << 20;
	CK_BYTE iv[12] = {1}, id[] = {0x5a};
	CK_GCM_PARAMS p = {iv, 12, 96, NULL, 0, 128};
	CK_ATTRIBUTE t[] = {{CKA_TOKEN, &yes, 1}, {CKA_VALUE_LEN, &size, sizeof(size)},
		{CKA_LABEL, (void *)(size_t) "disk", 4}, {CKA_ID, id, 1}, {CKA_ENCRYPT, &yes, 1},
		{CKA_DECRYPT, &yes, 1}, {CKA_ALLOWED_MECHANISMS, allowed, sizeof(allowed)}};
	CK_ATTRIBUTE hmac[] = {{CKA_VALUE_LEN, &size, sizeof(size)},
		{CKA_KEY_TYPE, &sha256, sizeof(sha256)}, {CKA_SIGN, &yes, 1}};
	CK_ATTRIBUTE find[] = {{CKA_CLASS, &secret_class, sizeof(secret_class)},
		{CKA_KEY_TYPE, &aes_type, sizeof(aes_type)},
		{CKA_LABEL, (void *)(size_t) "disk", 4}};
	CK_OBJECT_HANDLE key = 0, found = 0;

	EXPECT(CKR_OK, C_GenerateKey(s, &make, t, COUNT(t), &key));
	check("a search finds it", count(find, COUNT(find), &found) == 1 && found == key);
	check("made here, and stays", flag(key, CKA_LOCAL) && flag(key, CKA_SENSITIVE) &&
					      flag(key, CKA_ALWAYS_SENSITIVE) &&
					      flag(key, CKA_NEVER_EXTRACTABLE) &&
					      !flag(key, CKA_EXTRACTABLE) && !flag(key, CKA_WRAP));
	check("its size", number(key, CKA_VALUE_LEN) == 24);
	check("its origin", number(key, CKA_KEY_GEN_MECHANISM) == CKM_AES_KEY_GEN);
	EXPECT(CKR_MECHANISM_INVALID, C_EncryptInit(s, &ecb, key));
	gcm_only.pParameter = &p;
	gcm_only.ulParameterLen = sizeof(p);
	EXPECT(CKR_OK, C_EncryptInit(s, &gcm_only, key));
	EXPECT(CKR_OK, C_EncryptInit(s, NULL, key));
	EXPECT(CKR_OK, C_DestroyObject(s, key));
	check("it is gone", count(find, COUNT(find), &found) == 0);

	t[1].pValue = &odd;
	EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, C_GenerateKey(s, &make, t, COUNT(t), &key));
	t[1].pValue = &huge;
	EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, C_GenerateKey(s, &make, t, COUNT(t), &key));
	t[1].ulValueLen = 1;
	EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, C_GenerateKey(s, &make, t, COUNT(t), &key));
	EXPECT(CKR_TEMPLATE_INCOMPLETE, C_GenerateKey(s, &make, t, 1, &key));
	EXPECT(CKR_MECHANISM_INVALID, C_GenerateKey(s, &ecb, t, COUNT(t), &key));
	EXPECT(CKR_TEMPLATE_INCONSISTENT, C_GenerateKey(s, &make, hmac, COUNT(hmac), &key));
	EXPECT(CKR_OK, C_GenerateKey(s, &generic, hmac, COUNT(hmac), &key));
	check("its kind of HMAC is kept", number(key, CKA_KEY_TYPE) == CKK_SHA256_HMAC);
	hmac[0].pValue = &(CK_ULONG){3};
	EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, C_GenerateKey(s, &generic, hmac, COUNT(hmac), &key));
}

int main(int argc, char **argv)
{
	void *module = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
	CK_RV (*get)(unsigned char *, CK_VERSION *, CK_INTERFACE **, CK_FLAGS);
	CK_VERSION three = {3, 0};
	CK_INTERFACE *interface = NULL;
	CK_BYTE random[3000] = {0};

	if (!module) {
		fprintf(stderr, "usage: pkcs11_secret MODULE: %s\n", dlerror());
		return 2;
	}
	*(void **)&get = dlsym(module, "C_GetInterface");
	if (!get || get(NULL, &three, &interface, 0))
		return 2;
	p30 = interface->pFunctionList;
	p30->C_GetFunctionList(&p11);
	EXPECT(CKR_OK, C_Initialize(NULL));
	EXPECT(CKR_OK, C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s));
	ciphers();
	gcm();
	dual();
	macs();
	ecdh(p256, sizeof(p256), CKM_EC_KEY_PAIR_GEN, "EC", "P-256");
	ecdh(x25519, sizeof(x25519), CKM_EC_MONTGOMERY_KEY_PAIR_GEN, "X25519", NULL);
	hkdf();
	wrapping();
	private_keys();
	raw_rsa();
	objects();
	EXPECT(CKR_OK, C_GenerateRandom(s, random, sizeof(random)));
	check("3,000 random bytes", random[2998] || random[2997] || random[2996] || random[2995]);
	EXPECT(CKR_OK, C_Finalize(NULL));
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}

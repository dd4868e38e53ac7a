/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where one call of the module becomes many, and what is rare: messages as long as may be, points that look like something
 * else. Each against OpenSSL's answer. tests/pkcs11_secret.sh starts a TEE for it.
 *
 * usage: pkcs11_edges MODULE
 */
#include <dlfcn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontends/pkcs11/cryptoki.h"

#define LONGEST 64000 /* KW_DATA_MAX */

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
static CK_KEY_TYPE aes_type = CKK_AES, generic_type = CKK_GENERIC_SECRET, ec_type = CKK_EC;
static CK_BYTE data[LONGEST + 100], out[LONGEST + 100], back[LONGEST + 100], raw[32];

static CK_OBJECT_HANDLE give(CK_KEY_TYPE *type, CK_ATTRIBUTE_TYPE use, CK_ATTRIBUTE_TYPE other)
{
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &secret_class, sizeof(secret_class)},
		{CKA_KEY_TYPE, type, sizeof(*type)}, {CKA_VALUE, raw, sizeof(raw)}, {use, &yes, 1},
		{other, &yes, 1}};
	CK_OBJECT_HANDLE key = 0;

	EXPECT(CKR_OK, C_CreateObject(s, t, COUNT(t), &key));
	return key;
}

/* No MAC but that of the whole message. */
static void long_macs(void)
{
	CK_MECHANISM hmac = {CKM_SHA256_HMAC, NULL, 0}, cmac = {CKM_AES_CMAC, NULL, 0};
	const struct {
		CK_MECHANISM *mechanism;
		CK_OBJECT_HANDLE key;
		const char *name, *option;
	} macs[] = {{&hmac, give(&generic_type, CKA_SIGN, CKA_VERIFY), "HMAC", "SHA256"},
		{&cmac, give(&aes_type, CKA_SIGN, CKA_VERIFY), "CMAC", "AES-256-CBC"}};
	CK_BYTE tag[64], expected[64];

	for (size_t i = 0; i < COUNT(macs); i++) {
		CK_ULONG n = sizeof(tag);
		size_t len = 0;

		check("OpenSSL's MAC",
			EVP_Q_mac(NULL, macs[i].name, NULL, macs[i].option, NULL, raw, sizeof(raw),
				data, LONGEST, expected, sizeof(expected), &len) != NULL);
		EXPECT(CKR_OK, C_SignInit(s, macs[i].mechanism, macs[i].key));
		EXPECT(CKR_OK, C_SignUpdate(s, data, 1));
		EXPECT(CKR_OK, C_SignUpdate(s, data + 1, LONGEST - 1));
		EXPECT(CKR_OK, C_SignFinal(s, tag, &n));
		check("of the longest message", n == len && !memcmp(tag, expected, n));
		EXPECT(CKR_OK, C_SignInit(s, macs[i].mechanism, macs[i].key));
		EXPECT(CKR_OK, C_SignUpdate(s, data, LONGEST));
		EXPECT(CKR_DATA_LEN_RANGE, C_SignUpdate(s, data, 1));
		EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_SignFinal(s, tag, &n));
		EXPECT(CKR_OK, C_VerifyInit(s, macs[i].mechanism, macs[i].key));
		EXPECT(CKR_OK, C_VerifyUpdate(s, data, LONGEST));
		EXPECT(CKR_DATA_LEN_RANGE, C_VerifyUpdate(s, data, 1));
		EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_VerifyFinal(s, expected, len));
	}
}

static void long_gcm(void)
{
	CK_BYTE iv[12] = {1};
	CK_GCM_PARAMS p = {.pIv = iv, .ulIvLen = 12, .ulIvBits = 96, .ulTagBits = 128};
	CK_MECHANISM m = {CKM_AES_GCM, &p, sizeof(p)};
	CK_OBJECT_HANDLE key = give(&aes_type, CKA_ENCRYPT, CKA_DECRYPT);
	CK_ULONG n = sizeof(out), k;

	EXPECT(CKR_OK, C_EncryptInit(s, &m, key));
	EXPECT(CKR_OK, C_Encrypt(s, data, LONGEST, out, &n));
	expect("the tag is behind it", LONGEST + 16, n);
	EXPECT(CKR_OK, C_DecryptInit(s, &m, key));
	for (CK_ULONG at = 0; at < n; at += 8002) {
		k = sizeof(back);
		EXPECT(CKR_OK, C_DecryptUpdate(s, out + at, 8002, back, &k));
	}
	k = sizeof(back);
	EXPECT(CKR_OK, C_DecryptFinal(s, back, &k));
	check("the longest message in parts", k == LONGEST && !memcmp(back, data, k));
	EXPECT(CKR_OK, C_DecryptInit(s, &m, key));
	k = sizeof(back);
	EXPECT(CKR_OK, C_DecryptUpdate(s, out, n, back, &k));
	k = sizeof(back);
	EXPECT(CKR_ENCRYPTED_DATA_LEN_RANGE, C_DecryptUpdate(s, out, 1, back, &k));
	EXPECT(CKR_OK, C_EncryptInit(s, &m, key));
	k = sizeof(back);
	EXPECT(CKR_OK, C_EncryptUpdate(s, data, LONGEST, back, &k));
	k = sizeof(back);
	EXPECT(CKR_DATA_LEN_RANGE, C_EncryptUpdate(s, data, 1, back, &k));
}

/* A counter that has two blocks left, of any width: none goes over into what is not its own. */
static void counters(void)
{
	static const unsigned widths[] = {1, 2, 8, 32, 63, 64, 65, 96, 127, 128};
	CK_AES_CTR_PARAMS p;
	CK_MECHANISM m = {CKM_AES_CTR, &p, sizeof(p)};
	CK_OBJECT_HANDLE key = give(&aes_type, CKA_ENCRYPT, CKA_DECRYPT);
	EVP_CIPHER *ctr = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);

	for (size_t i = 0; i < COUNT(widths); i++) {
		EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
		CK_ULONG n = sizeof(out);
		int len = 0;

		p.ulCounterBits = widths[i];
		memset(p.cb, 0, sizeof(p.cb));
		for (unsigned bit = 1; bit < widths[i]; bit++)
			p.cb[15 - bit / 8] |= (CK_BYTE)(1u << bit % 8);
		check("OpenSSL's stream", EVP_EncryptInit_ex2(ctx, ctr, raw, p.cb, NULL) &&
						  EVP_EncryptUpdate(ctx, back, &len, data, 32) &&
						  len == 32);
		EVP_CIPHER_CTX_free(ctx);
		EXPECT(CKR_OK, C_EncryptInit(s, &m, key));
		EXPECT(CKR_OK, C_Encrypt(s, data, 32, out, &n));
		check("two blocks", n == 32 && !memcmp(out, back, n));
		EXPECT(CKR_OK, C_EncryptInit(s, &m, key));
		n = sizeof(out);
		EXPECT(CKR_DATA_LEN_RANGE, C_Encrypt(s, data, 33, out, &n));
		EXPECT(CKR_OK, C_EncryptInit(s, &m, key));
		n = sizeof(out);
		EXPECT(CKR_OK, C_EncryptUpdate(s, data, 30, out, &n));
		n = sizeof(out);
		EXPECT(CKR_DATA_LEN_RANGE, C_EncryptUpdate(s, data, 20, out, &n));
	}
	memset(p.cb, 0, sizeof(p.cb));
	for (p.ulCounterBits = 64; p.ulCounterBits <= 128; p.ulCounterBits += 64) {
		CK_ULONG n = sizeof(out);

		EXPECT(CKR_OK, C_EncryptInit(s, &m, key));
		EXPECT(CKR_OK, C_Encrypt(s, data, LONGEST, out, &n));
	}
	EVP_CIPHER_free(ctr);
}

/* 5.9.3: a program may write the nonce down before the first part. */
static void nonces(void)
{
	CK_BYTE nonce[12] = {0}, first[12], tag[16];
	struct gcm_message g = {nonce, 12, 0, CKG_GENERATE, tag, 128};
	CK_MECHANISM m = {CKM_AES_GCM, NULL, 0};
	CK_OBJECT_HANDLE key = give(&aes_type, CKA_ENCRYPT, CKA_DECRYPT);
	CK_ULONG n = sizeof(out);

	EXPECT3(CKR_OK, C_MessageEncryptInit(s, &m, key));
	EXPECT3(CKR_OK, C_EncryptMessageBegin(s, &g, sizeof(g), NULL, 0));
	memcpy(first, nonce, 12);
	check("the nonce is there at the beginning", memcmp(first, "\0\0\0\0\0\0\0\0\0\0\0", 12));
	EXPECT3(CKR_OK, C_EncryptMessageNext(s, &g, sizeof(g), data, 50, out, &n, 0));
	n = sizeof(out);
	EXPECT3(CKR_OK,
		C_EncryptMessageNext(s, &g, sizeof(g), data + 50, 50, out, &n, CKF_END_OF_MESSAGE));
	check("it is the message's", n == 100 && !memcmp(first, nonce, 12));
	EXPECT3(CKR_OK, C_MessageDecryptInit(s, &m, key));
	g.generator = CKG_NO_GENERATE;
	g.iv = first;
	EXPECT3(CKR_OK, C_DecryptMessage(s, &g, sizeof(g), NULL, 0, out, 100, back, &n));
	check("which it decrypts with", n == 100 && !memcmp(back, data, n));
	g.generator = CKG_GENERATE;
	g.iv = nonce;
	EXPECT3(CKR_OK, C_EncryptMessageBegin(s, &g, sizeof(g), NULL, 0));
	check("another message, another nonce", memcmp(first, nonce, 12));
	memcpy(first, nonce, 12);
	n = sizeof(out);
	EXPECT3(CKR_OK,
		C_EncryptMessageNext(s, &g, sizeof(g), data, 50, out, &n, CKF_END_OF_MESSAGE));
	EXPECT3(CKR_OK, C_EncryptMessage(s, &g, sizeof(g), NULL, 0, data, 50, out, &n));
	check("and one that is whole", memcmp(first, nonce, 12));
	/* What was too long is not a message of the parts before. */
	n = sizeof(out);
	EXPECT3(CKR_OK, C_EncryptMessageBegin(s, &g, sizeof(g), NULL, 0));
	EXPECT3(CKR_OK, C_EncryptMessageNext(s, &g, sizeof(g), data, LONGEST, out, &n, 0));
	n = sizeof(out);
	EXPECT3(CKR_DATA_LEN_RANGE, C_EncryptMessageNext(s, &g, sizeof(g), data, 1, out, &n, 0));
	EXPECT3(CKR_OPERATION_NOT_INITIALIZED,
		C_EncryptMessageNext(s, &g, sizeof(g), data, 0, out, &n, CKF_END_OF_MESSAGE));
	g.generator = CKG_NO_GENERATE;
	n = sizeof(out);
	EXPECT3(CKR_OK, C_DecryptMessageBegin(s, &g, sizeof(g), NULL, 0));
	EXPECT3(CKR_OK, C_DecryptMessageNext(s, &g, sizeof(g), data, LONGEST, out, &n, 0));
	n = sizeof(out);
	EXPECT3(CKR_ENCRYPTED_DATA_LEN_RANGE,
		C_DecryptMessageNext(s, &g, sizeof(g), data, 1, out, &n, CKF_END_OF_MESSAGE));
	EXPECT3(CKR_OPERATION_NOT_INITIALIZED,
		C_DecryptMessageNext(s, &g, sizeof(g), data, 0, out, &n, 0));
	EXPECT3(CKR_OK, C_MessageEncryptFinal(s));
	EXPECT3(CKR_OK, C_MessageDecryptFinal(s));
}

static CK_BBOOL is_local(CK_OBJECT_HANDLE key)
{
	CK_BBOOL v = 2;
	CK_ATTRIBUTE a = {CKA_LOCAL, &v, 1};

	EXPECT(CKR_OK, C_GetAttributeValue(s, key, &a, 1));
	return v;
}

/* The standard's codes for what the TEE refuses as nonsense, and not an error of the device */
static void codes(void)
{
	CK_ULONG bits = 2048, size = 16, n = sizeof(out);
	CK_MECHANISM make_rsa = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0},
		     block = {CKM_RSA_X_509, NULL, 0}, kw = {CKM_AES_KEY_WRAP, NULL, 0},
		     make_aes = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE of_public = {CKA_MODULUS_BITS, &bits, sizeof(bits)};
	CK_ATTRIBUTE of_lasting[] = {of_public, {CKA_TOKEN, &yes, 1}};
	CK_ATTRIBUTE of_private[] = {{CKA_SIGN, &yes, 1}, {CKA_KEYWARD_RAW, &yes, 1}};
	CK_ATTRIBUTE of_wrapping[] = {{CKA_VALUE_LEN, &size, sizeof(size)}, {CKA_WRAP, &yes, 1},
		{CKA_UNWRAP, &yes, 1}, {CKA_EXTRACTABLE, &yes, 1}};
	CK_ATTRIBUTE of_unwrapped[] = {{CKA_CLASS, &secret_class, sizeof(secret_class)},
		{CKA_KEY_TYPE, &aes_type, sizeof(aes_type)}};
	CK_ATTRIBUTE of_shown[] = {{CKA_VALUE_LEN, &size, sizeof(size)}, {CKA_SENSITIVE, &no, 1},
		{CKA_EXTRACTABLE, &yes, 1}};
	CK_ATTRIBUTE of_given[] = {{CKA_CLASS, &secret_class, sizeof(secret_class)},
		{CKA_KEY_TYPE, &aes_type, sizeof(aes_type)}, {CKA_VALUE, raw, 16},
		{CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1}};
	CK_OBJECT_HANDLE public = 0, private = 0, wrapping = 0, key = 0;

	EXPECT(CKR_OK,
		C_GenerateKeyPair(s, &make_rsa, &of_public, 1, of_private, 2, &public, &private));
	/* There is no public key on the token without its private key. */
	EXPECT(CKR_TEMPLATE_INCONSISTENT,
		C_GenerateKeyPair(s, &make_rsa, of_lasting, 2, of_private, 2, &public, &key));
	memset(out, 0xff, 256);
	EXPECT(CKR_OK, C_SignInit(s, &block, private));
	EXPECT(CKR_DATA_INVALID, C_Sign(s, out, 256, back, &n));
	EXPECT(CKR_OK, C_GenerateKey(s, &make_aes, of_wrapping, 4, &wrapping));
	n = sizeof(out);
	EXPECT(CKR_KEY_NOT_WRAPPABLE, C_WrapKey(s, &kw, wrapping, wrapping, out, &n));
	EXPECT(CKR_WRAPPED_KEY_LEN_RANGE,
		C_UnwrapKey(s, &kw, wrapping, out, 0, of_unwrapped, 2, &key));
	EXPECT(CKR_OK, C_GenerateKey(s, &make_aes, of_shown, 3, &key));
	expect("a key that was made here", CK_TRUE, is_local(key));
	EXPECT(CKR_OK, C_CreateObject(s, of_given, 5, &key));
	expect("and one that was not", CK_FALSE, is_local(key));
}

/* A key whose point's first coordinate begins with this byte */
static EVP_PKEY *peer_with(const char *curve, CK_BYTE first, CK_BYTE *point, size_t *n)
{
	for (;;) {
		EVP_PKEY *peer = EVP_EC_gen(curve);

		if (!peer || !EVP_PKEY_get_octet_string_param(
				     peer, OSSL_PKEY_PARAM_PUB_KEY, point, 133, n))
			abort();
		if (point[1] == first)
			return peer;
		EVP_PKEY_free(peer);
	}
}

/* 04 3f is the head of an OCTET STRING of 63 bytes as well as of one in 256 of P-256's points. */
static void points(void)
{
	static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	static CK_BYTE p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
	const struct {
		const char *name;
		CK_BYTE *params, first;
		CK_ULONG params_len, len;
	} curves[] = {
		{"P-256", p256, 0x3f, sizeof(p256), 65}, {"P-384", p384, 0x5f, sizeof(p384), 97}};
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_MECHANISM make = {CKM_EC_KEY_PAIR_GEN, NULL, 0};

	for (size_t i = 0; i < COUNT(curves); i++) {
		CK_BYTE point[133], own[140], ours[66], theirs[66];
		CK_ATTRIBUTE of_public = {CKA_EC_PARAMS, curves[i].params, curves[i].params_len};
		CK_ATTRIBUTE of_private = {CKA_DERIVE, &yes, 1};
		CK_ATTRIBUTE of_secret[] = {{CKA_CLASS, &secret_class, sizeof(secret_class)},
			{CKA_KEY_TYPE, &generic_type, sizeof(generic_type)},
			{CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1}};
		CK_ATTRIBUTE ask = {CKA_EC_POINT, own, sizeof(own)};
		CK_ATTRIBUTE value = {CKA_VALUE, ours, sizeof(ours)};
		CK_OBJECT_HANDLE public = 0, private = 0, secret = 0;
		size_t n = 0, len = sizeof(theirs);
		EVP_PKEY *peer = peer_with(curves[i].name, curves[i].first, point, &n);
		EVP_PKEY *key = EVP_PKEY_new();
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(peer, NULL);
		CK_ECDH1_DERIVE_PARAMS p = {CKD_NULL, 0, NULL, n, point};
		CK_MECHANISM agree = {CKM_ECDH1_DERIVE, &p, sizeof(p)};
		CK_ATTRIBUTE of_peer[] = {{CKA_CLASS, &class, sizeof(class)},
			{CKA_KEY_TYPE, &ec_type, sizeof(ec_type)}, of_public,
			{CKA_EC_POINT, point, n}};

		expect("a point", curves[i].len, n);
		EXPECT(CKR_OK, C_GenerateKeyPair(
				       s, &make, &of_public, 1, &of_private, 1, &public, &private));
		EXPECT(CKR_OK, C_GetAttributeValue(s, public, &ask, 1));
		EXPECT(CKR_OK, C_DeriveKey(s, &agree, private, of_secret, 4, &secret));
		EXPECT(CKR_OK, C_GetAttributeValue(s, secret, &value, 1));
		check("OpenSSL agrees", EVP_PKEY_copy_parameters(key, peer) > 0 &&
						EVP_PKEY_set1_encoded_public_key(
							key, own + ask.ulValueLen - n, n) > 0 &&
						EVP_PKEY_derive_init(ctx) > 0 &&
						EVP_PKEY_derive_set_peer(ctx, key) > 0 &&
						EVP_PKEY_derive(ctx, theirs, &len) > 0);
		check("on the same", value.ulValueLen == len && !memcmp(ours, theirs, len));
		EXPECT(CKR_OK, C_CreateObject(s, of_peer, 4, &public));
		EVP_PKEY_CTX_free(ctx);
		EVP_PKEY_free(key);
		EVP_PKEY_free(peer);
	}
}

/* 04 1e is the head of an OCTET STRING of 30 bytes; X25519 takes any 32 bytes as a point (RFC 7748, 5). */
static void montgomery_point(void)
{
	static CK_BYTE x25519[] = {0x06, 0x03, 0x2b, 0x65, 0x6e};
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = CKK_EC_MONTGOMERY;
	CK_BYTE point[32] = {0x04, 0x1e, 0x09}, ours[32], theirs[32];
	CK_ATTRIBUTE of_private[] = {{CKA_CLASS, &class, sizeof(class)},
		{CKA_KEY_TYPE, &type, sizeof(type)}, {CKA_EC_PARAMS, x25519, sizeof(x25519)},
		{CKA_VALUE, raw, sizeof(raw)}, {CKA_DERIVE, &yes, 1}};
	CK_ATTRIBUTE of_secret[] = {{CKA_CLASS, &secret_class, sizeof(secret_class)},
		{CKA_KEY_TYPE, &generic_type, sizeof(generic_type)}, {CKA_SENSITIVE, &no, 1},
		{CKA_EXTRACTABLE, &yes, 1}};
	CK_ATTRIBUTE value = {CKA_VALUE, ours, sizeof(ours)};
	CK_ECDH1_DERIVE_PARAMS p = {CKD_NULL, 0, NULL, sizeof(point), point};
	CK_MECHANISM agree = {CKM_ECDH1_DERIVE, &p, sizeof(p)};
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, raw, sizeof(raw));
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, point, sizeof(point));
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	CK_OBJECT_HANDLE private = 0, secret = 0;
	size_t len = sizeof(theirs);

	EXPECT(CKR_OK, C_CreateObject(s, of_private, COUNT(of_private), &private));
	EXPECT(CKR_OK, C_DeriveKey(s, &agree, private, of_secret, COUNT(of_secret), &secret));
	EXPECT(CKR_OK, C_GetAttributeValue(s, secret, &value, 1));
	check("OpenSSL takes the point", EVP_PKEY_derive_init(ctx) > 0 &&
						 EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
						 EVP_PKEY_derive(ctx, theirs, &len) > 0);
	check("and finds the same",
		value.ulValueLen == len && !memcmp(ours, theirs, sizeof(theirs)));
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(key);
}

int main(int argc, char **argv)
{
	void *module = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	CK_RV (*get_interface)(unsigned char *, CK_VERSION *, CK_INTERFACE **, CK_FLAGS) = NULL;
	CK_C_GetFunctionList get = NULL;
	CK_INTERFACE *interface = NULL;

	if (module) {
		get = (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList");
		*(void **)&get_interface = dlsym(module, "C_GetInterface");
	}
	if (!get || !get_interface || get(&p11) || get_interface(NULL, NULL, &interface, 0)) {
		printf("not ok - no PKCS #11 module\n");
		return 2;
	}
	p30 = interface->pFunctionList;
	RAND_bytes(data, sizeof(data));
	RAND_bytes(raw, sizeof(raw));
	EXPECT(CKR_OK, C_Initialize(NULL));
	EXPECT(CKR_OK, C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s));
	long_macs();
	long_gcm();
	counters();
	nonces();
	points();
	montgomery_point();
	codes();
	EXPECT(CKR_OK, C_Finalize(NULL));
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}

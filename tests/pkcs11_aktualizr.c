/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls that an update client of cars (aktualizr, with libp11 under it) makes, in its order: a certificate 01, the
 * key 02 of TLS, and the key 03 of Uptane's metadata with its public key. tests/pkcs11_aktualizr.sh puts these on the token.
 *
 * usage: pkcs11_aktualizr MODULE CERTIFICATE.der TLS.pub.der UPTANE.pub.der
 */
#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static CK_FUNCTION_LIST *p11;
static unsigned passed, failed;

static void check(const char *what, int good)
{
	if (good) {
		passed++;
		return;
	}
	failed++;
	printf("not ok - %s\n", what);
}

static void expect(const char *what, CK_RV expected, CK_RV found)
{
	if (expected != found)
		printf("# expected 0x%lx, found 0x%lx\n", expected, found);
	check(what, expected == found);
}

#define EXPECT(rv, call) expect(#call, rv, p11->call)

static unsigned char read_buffer[8192];

static size_t read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(read_buffer, 1, sizeof(read_buffer), f) : 0;

	if (f)
		fclose(f);
	return n;
}

static EVP_PKEY *read_public(const char *path)
{
	const unsigned char *p = read_buffer;
	size_t n = read_file(path);

	return d2i_PUBKEY(NULL, &p, (long)n);
}

/* --- The token --- */

/* RFC 7512: a serial number that needs no quoting in a URI */
static int is_plain(const unsigned char *text, size_t n)
{
	size_t len = n;

	while (len && text[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < len; i++) {
		if (!strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~",
			    text[i]))
			return 0;
	}
	return len > 0;
}

static void start(void)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	CK_ULONG n = 0;
	CK_SLOT_ID slots[4];
	CK_SLOT_INFO slot;
	CK_TOKEN_INFO token;
	CK_INFO info;

	EXPECT(CKR_OK, C_Initialize(&args));
	EXPECT(CKR_CRYPTOKI_ALREADY_INITIALIZED, C_Initialize(&args));
	EXPECT(CKR_OK, C_GetInfo(&info));
	EXPECT(CKR_OK, C_GetSlotList(CK_FALSE, NULL, &n));
	check("there is a slot", n >= 1 && n <= 4);
	EXPECT(CKR_OK, C_GetSlotList(CK_FALSE, slots, &n));
	EXPECT(CKR_OK, C_GetSlotInfo(slots[0], &slot));
	check("with a token", slot.flags & CKF_TOKEN_PRESENT);
	EXPECT(CKR_OK, C_GetTokenInfo(slots[0], &token));
	check("that is ready", token.flags & CKF_TOKEN_INITIALIZED);
	check("and has a serial number for addresses",
		is_plain(token.serialNumber, sizeof(token.serialNumber)));
}

/* --- Objects: length first, then the value, as libp11 does --- */

static CK_ULONG get(
	CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type, void *out, CK_ULONG room)
{
	CK_ATTRIBUTE a = {type, NULL, 0};

	if (p11->C_GetAttributeValue(s, o, &a, 1) || a.ulValueLen > room)
		return CK_UNAVAILABLE_INFORMATION;
	a.pValue = out;
	return p11->C_GetAttributeValue(s, o, &a, 1) ? CK_UNAVAILABLE_INFORMATION : a.ulValueLen;
}

static CK_OBJECT_HANDLE find(CK_SESSION_HANDLE s, CK_OBJECT_CLASS class, CK_BYTE id, CK_ULONG *all)
{
	CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_ID, &id, 1}};
	CK_OBJECT_HANDLE o = 0, found;
	CK_ULONG n = 0;

	*all = 0;
	EXPECT(CKR_OK, C_FindObjectsInit(s, wanted, id ? 2 : 1));
	/* One by one, as libp11 asks */
	while (!p11->C_FindObjects(s, &found, 1, &n) && n) {
		++*all;
		o = found;
	}
	EXPECT(CKR_OK, C_FindObjectsFinal(s));
	return o;
}

static CK_OBJECT_HANDLE find_one(
	const char *what, CK_SESSION_HANDLE s, CK_OBJECT_CLASS class, CK_BYTE id)
{
	CK_BYTE found_id[8], label[64];
	CK_OBJECT_CLASS found_class = 0;
	CK_ULONG all;
	CK_OBJECT_HANDLE o = find(s, class, id, &all);

	expect(what, 1, all);
	expect("its class", sizeof(class), get(s, o, CKA_CLASS, &found_class, sizeof(found_class)));
	check("is right", found_class == class);
	check("its id is one byte",
		get(s, o, CKA_ID, found_id, sizeof(found_id)) == 1 && found_id[0] == id);
	check("it has a label", get(s, o, CKA_LABEL, label, sizeof(label)) <= sizeof(label));
	return o;
}

static void certificate(CK_SESSION_HANDLE s, const char *path)
{
	CK_CERTIFICATE_TYPE type = 99;
	CK_BYTE value[8192];
	CK_OBJECT_HANDLE o = find_one("the certificate is found", s, CKO_CERTIFICATE, 1);
	size_t n = read_file(path);

	expect("its type", sizeof(type), get(s, o, CKA_CERTIFICATE_TYPE, &type, sizeof(type)));
	check("is X.509", type == CKC_X_509);
	expect("its length", n, get(s, o, CKA_VALUE, value, sizeof(value)));
	check("its bytes", !memcmp(value, read_buffer, n));
}

static void key_type(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_KEY_TYPE expected)
{
	CK_KEY_TYPE type = 99;
	CK_BBOOL always = 9;

	(void)get(s, o, CKA_KEY_TYPE, &type, sizeof(type));
	expect("the type of the key", expected, type);
	check("it asks for no PIN each time",
		get(s, o, CKA_ALWAYS_AUTHENTICATE, &always, sizeof(always)) == 1 && !always);
}

/* --- The key of TLS: the digest of a handshake, signed by CKM_ECDSA --- */

static void tls(CK_SESSION_HANDLE s, const char *path)
{
	static const CK_BYTE p256[] = {0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
	CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
	CK_OBJECT_HANDLE o = find_one("the TLS key is found", s, CKO_PRIVATE_KEY, 2);
	CK_BYTE params[32], point[80], digest[32], sig[64];
	CK_ULONG n = sizeof(sig), len;
	EVP_PKEY *pkey = read_public(path);
	unsigned char *encoded = NULL, *der = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	ECDSA_SIG *rs = ECDSA_SIG_new();
	int der_len;

	key_type(s, o, CKK_EC);
	expect("the curve", sizeof(p256), get(s, o, CKA_EC_PARAMS, params, sizeof(params)));
	check("is P-256", !memcmp(params, p256, sizeof(p256)));
	len = get(s, o, CKA_EC_POINT, point, sizeof(point));
	expect("the point is an OCTET STRING", 67, len);
	check("of the key", EVP_PKEY_get1_encoded_public_key(pkey, &encoded) == 65 &&
				    point[0] == 4 && point[1] == 65 &&
				    !memcmp(point + 2, encoded, 65));
	memset(digest, 0x5a, sizeof(digest));
	EXPECT(CKR_OK, C_SignInit(s, &ecdsa, o));
	EXPECT(CKR_OK, C_Sign(s, digest, sizeof(digest), sig, &n));
	expect("a signature of r and s", 64, n);
	ECDSA_SIG_set0(rs, BN_bin2bn(sig, 32, NULL), BN_bin2bn(sig + 32, 32, NULL));
	der_len = i2d_ECDSA_SIG(rs, &der);
	check("is right",
		EVP_PKEY_verify_init(ctx) == 1 &&
			EVP_PKEY_verify(ctx, der, (size_t)der_len, digest, sizeof(digest)) == 1);
	ECDSA_SIG_free(rs);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	OPENSSL_free(encoded);
	OPENSSL_free(der);
}

/* --- The key of Uptane: the client pads (RSASSA-PSS, SHA-256, a salt of 32 bytes) and has the block signed --- */

static void pad(const EVP_PKEY *pkey, const CK_BYTE digest[32], CK_BYTE block[256])
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	RSA *rsa = EVP_PKEY_get1_RSA((EVP_PKEY *)(size_t)pkey);

	check("the client pads",
		rsa && RSA_padding_add_PKCS1_PSS(rsa, block, digest, EVP_sha256(), -1) == 1);
	RSA_free(rsa);
#pragma GCC diagnostic pop
}

static int verify_pss(EVP_PKEY *pkey, const CK_BYTE digest[32], const CK_BYTE sig[256])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	int good = EVP_PKEY_verify_init(ctx) == 1 &&
		   EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		   EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
		   EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 32) == 1 &&
		   EVP_PKEY_verify(ctx, sig, 256, digest, 32) == 1;

	EVP_PKEY_CTX_free(ctx);
	return good;
}

static void check_modulus(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, const EVP_PKEY *pkey)
{
	CK_BYTE modulus[256], expected[256], exponent[8];
	BIGNUM *n = NULL;

	expect("the modulus", 256, get(s, o, CKA_MODULUS, modulus, sizeof(modulus)));
	check("is the key's", EVP_PKEY_get_bn_param(pkey, "n", &n) == 1 &&
				      BN_bn2binpad(n, expected, 256) == 256 &&
				      !memcmp(modulus, expected, 256));
	expect("the exponent", 3, get(s, o, CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)));
	check("is 65537", exponent[0] == 1 && !exponent[1] && exponent[2] == 1);
	BN_free(n);
}

static void uptane(CK_SESSION_HANDLE s, const char *path)
{
	CK_MECHANISM raw = {CKM_RSA_X_509, NULL, 0};
	CK_OBJECT_HANDLE private = find_one("the Uptane key is found", s, CKO_PRIVATE_KEY, 3);
	CK_OBJECT_HANDLE public = find_one("its public key is found", s, CKO_PUBLIC_KEY, 3);
	CK_BYTE digest[32], block[256], sig[256];
	CK_ULONG n = sizeof(sig);
	EVP_PKEY *pkey = read_public(path);

	key_type(s, private, CKK_RSA);
	check_modulus(s, private, pkey);
	check_modulus(s, public, pkey);
	SHA256((const unsigned char *)"{\"signed\":{}}", 13, digest);
	pad(pkey, digest, block);
	EXPECT(CKR_OK, C_SignInit(s, &raw, private));
	EXPECT(CKR_OK, C_Sign(s, block, sizeof(block), sig, &n));
	expect("a signature", 256, n);
	check("is right", verify_pss(pkey, digest, sig));
	EXPECT(CKR_OK, C_VerifyInit(s, &raw, public));
	EXPECT(CKR_OK, C_Verify(s, block, sizeof(block), sig, n));
	sig[5] ^= 1;
	EXPECT(CKR_OK, C_VerifyInit(s, &raw, public));
	EXPECT(CKR_SIGNATURE_INVALID, C_Verify(s, block, sizeof(block), sig, n));
	/* What is not padded could be a ciphertext: the token does not sign it. */
	block[100] ^= 1;
	EXPECT(CKR_OK, C_SignInit(s, &raw, private));
	EXPECT(CKR_DATA_INVALID, C_Sign(s, block, sizeof(block), sig, &n));
	EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_Sign(s, block, sizeof(block), sig, &n));
	EXPECT(CKR_OK, C_SignInit(s, &raw, private));
	EXPECT(CKR_DATA_INVALID, C_Sign(s, digest, sizeof(digest), sig, &n));
	EVP_PKEY_free(pkey);
}

int main(int argc, char **argv)
{
	void *module = argc == 5 ? dlopen(argv[1], RTLD_NOW) : NULL;
	CK_SESSION_HANDLE first = 0, second = 0;
	CK_C_GetFunctionList get_list;
	CK_SESSION_INFO info;
	CK_ULONG n;

	get_list = module ? (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList") : NULL;
	if (!get_list || get_list(&p11))
		return 2;
	start();
	/* Flags 6, then 4: the second session is read-only, and nobody logs in to it. */
	EXPECT(CKR_OK, C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &first));
	EXPECT(CKR_OK, C_Login(first, CKU_USER, (unsigned char *)"1234", 4));
	EXPECT(CKR_OK, C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &second));
	EXPECT(CKR_OK, C_GetSessionInfo(second, &info));
	expect("the login is the application's", CKS_RO_USER_FUNCTIONS, info.state);
	(void)find(second, CKO_CERTIFICATE, 0, &n);
	expect("certificates", 1, n);
	(void)find(second, CKO_PRIVATE_KEY, 0, &n);
	expect("private keys", 2, n);
	certificate(second, argv[2]);
	tls(second, argv[3]);
	uptane(second, argv[4]);
	EXPECT(CKR_OK, C_CloseAllSessions(0));
	EXPECT(CKR_SESSION_HANDLE_INVALID, C_GetSessionInfo(first, &info));
	EXPECT(CKR_OK, C_Finalize(NULL));
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}

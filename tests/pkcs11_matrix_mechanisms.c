/* SPDX-License-Identifier: BSD-2-Clause */
/* Each mechanism of the list: with parameters that are none, and where it does not belong. */
#include <stdlib.h>
#include <string.h>

#include "pkcs11_matrix.h"

#define MOST 128

static CK_SESSION_HANDLE s;

struct user {
	const char *name;
	CK_FLAGS flag; /* that a mechanism has for it; 0: none has */
	CK_RV (*call)(CK_MECHANISM *m, CK_OBJECT_HANDLE private, CK_OBJECT_HANDLE public);
	int starts; /* an operation, which has to be ended */
};

#define USER(function, arguments)                                                                  \
	static CK_RV use_##function(                                                               \
		CK_MECHANISM *m, CK_OBJECT_HANDLE private, CK_OBJECT_HANDLE public)                \
	{                                                                                          \
		CK_ULONG size = 32, n = 600;                                                       \
		CK_ATTRIBUTE t[] = {{CKA_VALUE_LEN, &size, sizeof(size)}};                         \
		CK_ATTRIBUTE curve[] = {{CKA_EC_PARAMS, p256, sizeof(p256)}};                      \
		CK_OBJECT_HANDLE made[2];                                                          \
		CK_BYTE out[600] = {0};                                                            \
                                                                                                   \
		(void)private, (void)public, (void)t, (void)curve, (void)made, (void)out, (void)n; \
		return p11->function arguments;                                                    \
	}

USER(C_SignInit, (s, m, private))
USER(C_VerifyInit, (s, m, public))
USER(C_EncryptInit, (s, m, public))
USER(C_DecryptInit, (s, m, private))
USER(C_DigestInit, (s, m))
USER(C_MessageEncryptInit, (s, m, public))
USER(C_MessageDecryptInit, (s, m, private))
USER(C_SignRecoverInit, (s, m, private))
USER(C_VerifyRecoverInit, (s, m, public))
USER(C_GenerateKey, (s, m, t, 1, made))
USER(C_GenerateKeyPair, (s, m, curve, 1, NULL, 0, made, made + 1))
USER(C_WrapKey, (s, m, public, public, out, &n))
USER(C_UnwrapKey, (s, m, private, out, 24, t, 1, made))
USER(C_DeriveKey, (s, m, private, t, 1, made))

static const struct user users[] = {
	{"C_SignInit", CKF_SIGN, use_C_SignInit, 1},
	{"C_VerifyInit", CKF_VERIFY, use_C_VerifyInit, 1},
	{"C_EncryptInit", CKF_ENCRYPT, use_C_EncryptInit, 1},
	{"C_DecryptInit", CKF_DECRYPT, use_C_DecryptInit, 1},
	{"C_DigestInit", CKF_DIGEST, use_C_DigestInit, 1},
	{"C_MessageEncryptInit", CKF_MESSAGE_ENCRYPT, use_C_MessageEncryptInit, 1},
	{"C_MessageDecryptInit", CKF_MESSAGE_DECRYPT, use_C_MessageDecryptInit, 1},
	{"C_SignRecoverInit", 0, use_C_SignRecoverInit, 0},
	{"C_VerifyRecoverInit", 0, use_C_VerifyRecoverInit, 0},
	{"C_GenerateKey", CKF_GENERATE, use_C_GenerateKey, 0},
	{"C_GenerateKeyPair", CKF_GENERATE_KEY_PAIR, use_C_GenerateKeyPair, 0},
	{"C_WrapKey", CKF_WRAP, use_C_WrapKey, 0},
	{"C_UnwrapKey", CKF_UNWRAP, use_C_UnwrapKey, 0},
	{"C_DeriveKey", CKF_DERIVE, use_C_DeriveKey, 0},
};

static int takes(CK_MECHANISM_TYPE type, CK_FLAGS flag)
{
	CK_MECHANISM_INFO info;

	/* Not offered for encryption, and taken all the same: docs/PKCS11.md */
	if (type == CKM_RSA_X_509 && flag & (CKF_ENCRYPT | CKF_DECRYPT))
		return 1;
	return !p11->C_GetMechanismInfo(0, type, &info) && info.flags & flag;
}

/* A key pair of each type, until one is the mechanism's. */
static void keys_for(const struct keys *k, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE *private,
	CK_OBJECT_HANDLE *public)
{
	static const CK_MECHANISM_TYPE of_ec[] = {CKM_ECDSA, CKM_ECDSA_SHA1, CKM_ECDSA_SHA224,
		CKM_ECDSA_SHA256, CKM_ECDSA_SHA384, CKM_ECDSA_SHA512, CKM_ECDH1_DERIVE,
		CKM_ECDH1_COFACTOR_DERIVE};

	*private = *public = k->rsa;
	*public = k->rsa_public;
	for (size_t i = 0; i < COUNT(of_ec); i++) {
		if (type == of_ec[i]) {
			*private = k->ec;
			*public = k->ec_public;
		}
	}
	if (type == CKM_EDDSA) {
		*private = k->ed;
		*public = k->ed_public;
	}
	if ((type >= CKM_AES_ECB && type <= CKM_AES_CMAC_GENERAL) ||
		(type >= CKM_AES_KEY_WRAP && type <= CKM_AES_KEY_WRAP_KWP))
		*private = *public = k->aes;
	if (takes(type, CKF_SIGN) && type >= CKM_SHA256_HMAC && type <= CKM_SHA512_HMAC_GENERAL)
		*private = *public = k->generic;
	if (type == CKM_SHA224_HMAC || type == CKM_SHA224_HMAC_GENERAL || type == CKM_HKDF_DERIVE)
		*private = *public = k->generic;
}

/* Nothing is under way: a NULL mechanism has nothing to end. */
static void is_idle(const struct user *u)
{
	if (u->starts)
		expect("nothing was begun", CKR_OPERATION_NOT_INITIALIZED, u->call(NULL, 0, 0));
}

static void end(const struct user *u)
{
	if (u->starts)
		expect("it is ended", CKR_OK, u->call(NULL, 0, 0));
}

/* Which need a parameter is theirs to say; but none takes one that is not there, nor any of these lengths. */
static void parameters(const struct user *u, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE private,
	CK_OBJECT_HANDLE public)
{
	static CK_BYTE zeros[4096];
	static const CK_ULONG lengths[] = {1, 3, 7, 9, 15, 17, 47, 63, 200, sizeof(zeros), ~0UL};
	CK_MECHANISM m = {type, NULL, 8};
	CK_RV rv;

	/* A message brings its own. */
	if (u->flag & (CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT))
		return;
	expect("NULL of 8 bytes", CKR_MECHANISM_PARAM_INVALID, u->call(&m, private, public));
	is_idle(u);
	m.ulParameterLen = ~0UL;
	expect("NULL without end", CKR_MECHANISM_PARAM_INVALID, u->call(&m, private, public));
	is_idle(u);
	m.pParameter = zeros;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		m.ulParameterLen = lengths[i];
		expect("a length that is wrong", CKR_MECHANISM_PARAM_INVALID,
			u->call(&m, private, public));
		is_idle(u);
	}
	/* None at all: for those that have none. Making RSA keys, which takes longest, wants a template. */
	m.pParameter = NULL;
	m.ulParameterLen = 0;
	rv = u->call(&m, private, public);
	if (rv == CKR_MECHANISM_PARAM_INVALID)
		is_idle(u);
	else if (!rv)
		end(u);
	else
		check("the parameter was not the reason", !u->starts);
}

/* RSA has no parts: the operation is over. */
static void no_parts(const struct keys *keys)
{
	CK_MECHANISM m = {CKM_RSA_PKCS, NULL, 0};
	CK_BYTE part[16] = {0}, out[256];
	CK_ULONG n = sizeof(out);

	about("parts, with RSA");
	for (int is_final = 0; is_final < 2; is_final++) {
		EXPECT(CKR_OK, C_EncryptInit(s, &m, keys->rsa_public));
		expect("encryption", CKR_FUNCTION_NOT_SUPPORTED,
			is_final ? p11->C_EncryptFinal(s, out, &n)
				 : p11->C_EncryptUpdate(s, part, 16, out, &n));
		EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_Encrypt(s, part, 16, out, &n));
		EXPECT(CKR_OK, C_DecryptInit(s, &m, keys->rsa));
		expect("decryption", CKR_FUNCTION_NOT_SUPPORTED,
			is_final ? p11->C_DecryptFinal(s, out, &n)
				 : p11->C_DecryptUpdate(s, part, 16, out, &n));
		EXPECT(CKR_OPERATION_NOT_INITIALIZED, C_Decrypt(s, part, 16, out, &n));
	}
}

void check_mechanisms(const struct keys *keys)
{
	CK_MECHANISM_TYPE list[MOST];
	CK_OBJECT_HANDLE private, public;
	CK_ULONG n = MOST;
	struct witness *w;

	about("mechanisms");
	EXPECT(CKR_OK, C_GetMechanismList(0, list, &n));
	s = session_open(CKF_RW_SESSION);
	for (CK_ULONG i = 0; i < n; i++) {
		keys_for(keys, list[i], &private, &public);
		for (size_t k = 0; k < COUNT(users); k++) {
			CK_MECHANISM m = {list[i], NULL, 0};

			about("%s with mechanism 0x%lx", users[k].name, list[i]);
			if (takes(list[i], users[k].flag)) {
				parameters(&users[k], list[i], private, public);
				continue;
			}
			expect("is not for it", CKR_MECHANISM_INVALID,
				users[k].call(&m, private, public));
			is_idle(&users[k]);
		}
	}
	/* What parameters() made */
	EXPECT(CKR_OK, C_CloseSession(s));
	s = session_open(CKF_RW_SESSION);
	no_parts(keys);
	w = witness_new(keys);
	for (size_t k = 0; k < COUNT(users); k++) {
		static const CK_MECHANISM_TYPE unknown[] = {
			CKM_DES3_CBC, CKM_MD5_RSA_PKCS, CKM_VENDOR_DEFINED, ~0UL};

		for (size_t i = 0; i < COUNT(unknown); i++) {
			CK_MECHANISM m = {unknown[i], NULL, 0};

			about("%s with mechanism 0x%lx", users[k].name, unknown[i]);
			expect("nobody knows it", CKR_MECHANISM_INVALID,
				users[k].call(&m, keys->aes, keys->aes));
			is_idle(&users[k]);
		}
	}
	witness_check(w);
	witness_end(&w);
	EXPECT(CKR_OK, C_CloseSession(s));
}

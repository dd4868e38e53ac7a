/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes of what a call gives, and templates: of every length, nested, and such as are none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkcs11_matrix.h"

#define FILL 0xa5

static CK_SESSION_HANDLE s;
static const struct keys *with;
static CK_BYTE in[256] = "what is signed";
static CK_BYTE cipher[256], wrapped[40];
static CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0}, ecdsa_sha256 = {CKM_ECDSA_SHA256, NULL, 0},
		    hmac = {CKM_SHA256_HMAC, NULL, 0}, sha512 = {CKM_SHA512, NULL, 0},
		    cbc = {CKM_AES_CBC, iv, 16}, gcm = {CKM_AES_GCM, &gcm_whole, sizeof(gcm_whole)},
		    gcm_messages = {CKM_AES_GCM, NULL, 0}, rsa = {CKM_RSA_PKCS, NULL, 0},
		    kw = {CKM_AES_KEY_WRAP, NULL, 0},
		    by_hkdf = {CKM_HKDF_DERIVE, &hkdf, sizeof(hkdf)},
		    make_aes = {CKM_AES_KEY_GEN, NULL, 0}, make_ec = {CKM_EC_KEY_PAIR_GEN, NULL, 0};

/* --- Sizes --- */

#define GIVES(name, init, call, unit)                       \
	static CK_RV begin_##name(void)                     \
	{                                                   \
		return init;                                \
	}                                                   \
	static CK_RV call_##name(CK_BYTE *out, CK_ULONG *n) \
	{                                                   \
		CK_ULONG *many = (CK_ULONG *)(void *)out;   \
                                                            \
		(void)many;                                 \
		return call;                                \
	}                                                   \
	enum { unit_##name = unit };

GIVES(sign, p11->C_SignInit(s, &ecdsa, with->ec), p11->C_Sign(s, in, 32, out, n), 1)
GIVES(sign_final, p11->C_SignInit(s, &ecdsa_sha256, with->ec), p11->C_SignFinal(s, out, n), 1)
GIVES(sign_rsa, p11->C_SignInit(s, &rsa, with->rsa), p11->C_Sign(s, in, 20, out, n), 1)
GIVES(mac, p11->C_SignInit(s, &hmac, with->generic), p11->C_Sign(s, in, 20, out, n), 1)
GIVES(mac_final, p11->C_SignInit(s, &hmac, with->generic), p11->C_SignFinal(s, out, n), 1)
GIVES(digest, p11->C_DigestInit(s, &sha512), p11->C_Digest(s, in, 20, out, n), 1)
GIVES(digest_final, p11->C_DigestInit(s, &sha512), p11->C_DigestFinal(s, out, n), 1)
GIVES(encrypt, p11->C_EncryptInit(s, &cbc, with->aes), p11->C_Encrypt(s, in, 48, out, n), 1)
GIVES(encrypt_part, p11->C_EncryptInit(s, &cbc, with->aes), p11->C_EncryptUpdate(s, in, 32, out, n),
	1)
GIVES(decrypt, p11->C_DecryptInit(s, &cbc, with->aes), p11->C_Decrypt(s, in, 48, out, n), 1)
GIVES(decrypt_part, p11->C_DecryptInit(s, &cbc, with->aes), p11->C_DecryptUpdate(s, in, 32, out, n),
	1)
GIVES(encrypt_gcm, p11->C_EncryptInit(s, &gcm, with->aes), p11->C_Encrypt(s, in, 5, out, n), 1)
GIVES(encrypt_rsa, p11->C_EncryptInit(s, &rsa, with->rsa_public), p11->C_Encrypt(s, in, 20, out, n),
	1)
GIVES(decrypt_rsa, p11->C_DecryptInit(s, &rsa, with->rsa), p11->C_Decrypt(s, cipher, 256, out, n),
	1)
GIVES(encrypt_message, p11->C_MessageEncryptInit(s, &gcm_messages, with->aes),
	p11->C_EncryptMessage(s, &gcm_message, sizeof(gcm_message), NULL, 0, in, 20, out, n), 1)
GIVES(wrap, CKR_OK, p11->C_WrapKey(s, &kw, with->aes, with->generic, out, n), 1)
GIVES(slots, CKR_OK, p11->C_GetSlotList(CK_TRUE, many, n), sizeof(CK_ULONG))
GIVES(mechanisms, CKR_OK, p11->C_GetMechanismList(0, many, n), sizeof(CK_ULONG))
GIVES(interfaces, CKR_OK, p11->C_GetInterfaceList((CK_INTERFACE *)(void *)out, n),
	sizeof(CK_INTERFACE))

static const struct {
	const char *name;
	CK_RV (*begin)(void);
	CK_RV (*call)(CK_BYTE *out, CK_ULONG *n);
	size_t unit;
	CK_ULONG size; /* 0: whatever it says */
	int is_exact;  /* else what it says is the most that it may be */
} outputs[] = {
#define OUTPUT(name, size, is_exact)                                          \
	{                                                                     \
#name, begin_##name, call_##name, unit_##name, size, is_exact \
	}
	OUTPUT(sign, 64, 1),
	OUTPUT(sign_final, 64, 1),
	OUTPUT(sign_rsa, 256, 1),
	OUTPUT(mac, 32, 1),
	OUTPUT(mac_final, 32, 1),
	OUTPUT(digest, 64, 1),
	OUTPUT(digest_final, 64, 1),
	OUTPUT(encrypt, 48, 1),
	OUTPUT(encrypt_part, 32, 1),
	OUTPUT(decrypt, 48, 1),
	OUTPUT(decrypt_part, 32, 1),
	OUTPUT(encrypt_gcm, 21, 1),
	OUTPUT(encrypt_rsa, 256, 1),
	OUTPUT(decrypt_rsa, 256, 0),
	OUTPUT(encrypt_message, 20, 1),
	OUTPUT(wrap, 40, 1),
	OUTPUT(slots, 0, 1),
	OUTPUT(mechanisms, 0, 1),
	OUTPUT(interfaces, 2, 1),
};

static int is_filled(const CK_BYTE *p, size_t from, size_t to)
{
	while (from < to) {
		if (p[from++] != FILL)
			return 0;
	}
	return 1;
}

/* One operation: the length, too little room for it, and in the end enough. */
static void output(size_t i, CK_ULONG more)
{
	CK_ULONG unit = outputs[i].unit, size = outputs[i].size, n = ~0UL, least;
	CK_ULONG small[] = {0, 1, 0};
	static CK_BYTE out[8192];

	about("size of %s", outputs[i].name);
	memset(out, FILL, sizeof(out));
	expect("the operation begins", CKR_OK, outputs[i].begin());
	expect("NULL, and room without end", CKR_OK, outputs[i].call(NULL, &n));
	if (size)
		expect("the length", size, n);
	size = n;
	n = 0;
	expect("NULL, and no room", CKR_OK, outputs[i].call(NULL, &n));
	expect("the length again", size, n);
	least = outputs[i].is_exact ? size : 20;
	small[2] = least - 1;
	for (size_t k = 0; k < COUNT(small); k++) {
		n = small[k];
		if (n >= least)
			continue;
		expect("too small", CKR_BUFFER_TOO_SMALL, outputs[i].call(out, &n));
		expect("and how much it takes", least, n);
		check("and nothing is written", is_filled(out, 0, sizeof(out)));
	}
	n = least + more;
	expect("enough", CKR_OK, outputs[i].call(out, &n));
	expect("as long as it said", least, n);
	check("and nothing behind it", is_filled(out, n * unit, sizeof(out)));
	check("but something before", !is_filled(out, 0, n * unit));
}

void check_limits(const struct keys *keys)
{
	CK_ULONG n = sizeof(cipher);

	about("limits");
	with = keys;
	for (size_t i = 0; i < COUNT(outputs); i++) {
		for (CK_ULONG more = 0; more < 2; more++) {
			s = session_open(CKF_RW_SESSION);
			n = sizeof(cipher);
			EXPECT(CKR_OK, C_EncryptInit(s, &rsa, keys->rsa_public));
			EXPECT(CKR_OK, C_Encrypt(s, in, 20, cipher, &n));
			output(i, more);
			EXPECT(CKR_OK, C_CloseSession(s));
		}
	}
}

/* --- Templates --- */

enum taker { CREATE, COPY, SET, FIND, GENERATE, PAIR_PUBLIC, PAIR_PRIVATE, UNWRAP, DERIVE, TAKERS };

static const char *const takers[] = {"C_CreateObject", "C_CopyObject", "C_SetAttributeValue",
	"C_FindObjectsInit", "C_GenerateKey", "C_GenerateKeyPair (public)",
	"C_GenerateKeyPair (private)", "C_UnwrapKey", "C_DeriveKey"};

static CK_RV give(enum taker taker, CK_ATTRIBUTE *t, CK_ULONG n)
{
	CK_OBJECT_HANDLE made[2] = {0};
	CK_ATTRIBUTE curve = {CKA_EC_PARAMS, p256, sizeof(p256)}, sign = {CKA_SIGN, &yes, 1};
	CK_RV rv;

	switch (taker) {
	case CREATE:
		rv = p11->C_CreateObject(s, t, n, made);
		break;
	case COPY:
		rv = p11->C_CopyObject(s, with->data, t, n, made);
		break;
	case SET:
		return p11->C_SetAttributeValue(s, with->data, t, n);
	case FIND:
		rv = p11->C_FindObjectsInit(s, t, n);
		if (!rv)
			EXPECT(CKR_OK, C_FindObjectsFinal(s));
		return rv;
	case GENERATE:
		rv = p11->C_GenerateKey(s, &make_aes, t, n, made);
		break;
	case PAIR_PUBLIC:
		rv = p11->C_GenerateKeyPair(s, &make_ec, t, n, &sign, 1, made, made + 1);
		break;
	case PAIR_PRIVATE:
		rv = p11->C_GenerateKeyPair(s, &make_ec, &curve, 1, t, n, made, made + 1);
		break;
	case UNWRAP:
		rv = p11->C_UnwrapKey(s, &kw, with->aes, wrapped, sizeof(wrapped), t, n, made);
		break;
	default:
		rv = p11->C_DeriveKey(s, &by_hkdf, with->generic, t, n, made);
	}
	if (rv)
		check("no handle is given", !made[0] && !made[1]);
	for (int i = 0; i < 2; i++) {
		if (made[i])
			EXPECT(CKR_OK, C_DestroyObject(s, made[i]));
	}
	return rv;
}

/* Refused by whoever takes a template */
static void refused(const char *what, CK_ATTRIBUTE *t, CK_ULONG n, CK_RV rv, struct witness *w)
{
	for (enum taker i = 0; i < TAKERS; i++) {
		about("%s", takers[i]);
		expect(what, rv, give(i, t, n));
	}
	witness_check(w);
}

/* Templates in templates (CKF_ARRAY_ATTRIBUTE), which no object here has; the innermost names the outermost. */
static void nested(struct witness *w)
{
	static const CK_ATTRIBUTE_TYPE types[] = {
		CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE};
	CK_BYTE label[8] = "\xa5\xa5\xa5\xa5\xa5\xa5\xa5";
	CK_ATTRIBUTE deep[2], inner[2], before[2];

	for (size_t i = 0; i < COUNT(types); i++) {
		deep[0] = (CK_ATTRIBUTE){types[i], inner, sizeof(inner)};
		deep[1] = (CK_ATTRIBUTE){CKA_LABEL, NULL, ~0UL};
		inner[0] = (CK_ATTRIBUTE){types[i], deep, sizeof(deep)};
		inner[1] = (CK_ATTRIBUTE){CKA_LABEL, label, sizeof(label)};
		memcpy(before, inner, sizeof(before));
		for (enum taker k = 0; k < TAKERS; k++) {
			CK_RV rv = give(k, deep, 1);

			about("%s, nested 0x%lx", takers[k], types[i]);
			if (k == FIND)
				expect("finds nothing by it", CKR_OK, rv);
			else if (k == SET || k == COPY)
				check("is refused", rv == CKR_ATTRIBUTE_READ_ONLY ||
							    rv == CKR_ATTRIBUTE_TYPE_INVALID);
			else if (k == CREATE || k == PAIR_PUBLIC)
				expect("what is needed is not there", CKR_TEMPLATE_INCOMPLETE, rv);
			else
				expect("is refused", CKR_ATTRIBUTE_TYPE_INVALID, rv);
		}
		about("C_GetAttributeValue, nested 0x%lx", types[i]);
		EXPECT(CKR_ATTRIBUTE_TYPE_INVALID, C_GetAttributeValue(s, with->aes, deep, 1));
		expect("there is none", CK_UNAVAILABLE_INFORMATION, deep[0].ulValueLen);
		check("what is in it is as it was", !memcmp(before, inner, sizeof(before)));
		check("and in that", is_filled(label, 0, 7));
	}
	witness_check(w);
}

static void questions(void)
{
	CK_ATTRIBUTE *many = calloc(100000, sizeof(*many));
	CK_BYTE label[16];
	CK_ATTRIBUTE a = {CKA_LABEL, NULL, ~0UL}, twice[2];
	CK_ULONG good = 0;

	about("C_GetAttributeValue");
	EXPECT(CKR_OK, C_GetAttributeValue(s, with->data, &a, 1));
	expect("NULL, and any length: the length", 4, a.ulValueLen);
	for (CK_ULONG n = 0; n < 6; n++) {
		memset(label, FILL, sizeof(label));
		a = (CK_ATTRIBUTE){CKA_LABEL, label, n};
		expect("room of n bytes", n < 4 ? CKR_BUFFER_TOO_SMALL : CKR_OK,
			p11->C_GetAttributeValue(s, with->data, &a, 1));
		expect("n", n < 4 ? CK_UNAVAILABLE_INFORMATION : 4, a.ulValueLen);
		check("nothing behind", is_filled(label, n < 4 ? 0 : 4, sizeof(label)));
	}
	twice[0] = twice[1] = (CK_ATTRIBUTE){CKA_LABEL, NULL, 0};
	EXPECT(CKR_OK, C_GetAttributeValue(s, with->data, twice, 2));
	check("each gets its answer", twice[0].ulValueLen == 4 && twice[1].ulValueLen == 4);
	for (CK_ULONG i = 0; many && i < 100000; i++)
		many[i].type = CKA_LABEL;
	EXPECT(CKR_OK, C_GetAttributeValue(s, with->data, many, 100000));
	for (CK_ULONG i = 0; many && i < 100000; i++)
		good += many[i].ulValueLen == 4;
	expect("all of 100,000 get their answer", 100000, good);
	free(many);
}

void check_templates(const struct keys *keys)
{
	CK_ATTRIBUTE *many = calloc(100000, sizeof(*many));
	CK_ATTRIBUTE odd[] = {{CKA_LABEL, NULL, 5}, {CKA_LABEL, in, ~0UL}, {CKA_LABEL, NULL, ~0UL}};
	CK_ATTRIBUTE twice[] = {{CKA_LABEL, in, 1}, {CKA_LABEL, in, 1}};
	CK_ATTRIBUTE unknown = {0x12345, in, 1};
	CK_ULONG n = sizeof(wrapped);
	struct witness *w;

	with = keys;
	s = session_open(CKF_RW_SESSION);
	about("templates");
	EXPECT(CKR_OK, C_WrapKey(s, &kw, keys->aes, keys->generic, wrapped, &n));
	w = witness_new(keys);
	for (CK_ULONG i = 0; many && i < 100000; i++)
		many[i].type = i;
	refused("257 attributes", many, 257, CKR_TEMPLATE_INCONSISTENT, w);
	refused("100,000 attributes", many, 100000, CKR_TEMPLATE_INCONSISTENT, w);
	refused("attributes without end", many, ~0UL, CKR_TEMPLATE_INCONSISTENT, w);
	refused("no attributes, but a number", NULL, 1, CKR_ARGUMENTS_BAD, w);
	for (size_t i = 0; i < COUNT(odd); i++)
		refused("a length without a value", &odd[i], 1, CKR_ATTRIBUTE_VALUE_INVALID, w);
	refused("the same twice", twice, 2, CKR_TEMPLATE_INCONSISTENT, w);
	for (enum taker i = 0; i < TAKERS; i++) {
		CK_RV rv = give(i, &unknown, 1);

		about("%s, an attribute that nobody knows", takers[i]);
		if (i == FIND)
			expect("finds nothing", CKR_OK, rv);
		else
			check("is refused", rv == CKR_ATTRIBUTE_TYPE_INVALID ||
						    rv == CKR_ATTRIBUTE_READ_ONLY ||
						    rv == CKR_TEMPLATE_INCOMPLETE);
	}
	nested(w);
	about("templates");
	EXPECT(CKR_TEMPLATE_INCOMPLETE, C_CreateObject(s, NULL, 0, &n));
	EXPECT(CKR_TEMPLATE_INCOMPLETE, C_GenerateKey(s, &make_aes, NULL, 0, &n));
	questions();
	witness_check(w);
	witness_end(&w);
	free(many);
	EXPECT(CKR_OK, C_CloseSession(s));
}

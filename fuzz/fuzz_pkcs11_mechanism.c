/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mechanisms with parameters of every kind, and what may follow them: the input is a run of
 *
 *     u8 function, u8 key, mechanism, parameter, data, u16 room for the output, steps
 *
 * with one key of each kind on a TEE that all runs share. Keys that a run makes are its session's and end with it.
 */
#include <string.h>

#include "frontends/pkcs11/message.h"
#include "pkcs11_rsa.h"
#include "pkcs11_tee.h"

#define KEYS_MAX 24
#define CALLS_MAX 32
#define ROOM_MAX 9000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static CK_SESSION_HANDLE session;
static CK_OBJECT_HANDLE keys[KEYS_MAX];
static unsigned key_count, made_at;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

/* --- The keys --- */

static void generate_pair(CK_MECHANISM_TYPE type, const void *curve, size_t n, CK_ULONG use)
{
	CK_MECHANISM mechanism = {type, NULL, 0};
	CK_ATTRIBUTE public[] = {{CKA_EC_PARAMS, (void *)(uintptr_t)curve, n}};
	CK_ATTRIBUTE private[] = {{CKA_TOKEN, &no, 1}, {use, &yes, 1}};

	REQUIRE(!C_GenerateKeyPair(session, &mechanism, public, 1, private, 2, &keys[key_count],
		&keys[key_count + 1]));
	key_count += 2;
}

static void generate(CK_MECHANISM_TYPE type, CK_ULONG len, CK_ULONG use, CK_ULONG other_use)
{
	CK_MECHANISM mechanism = {type, NULL, 0};
	CK_ATTRIBUTE template[] = {{CKA_TOKEN, &no, 1}, {CKA_VALUE_LEN, &len, sizeof(len)},
		{use, &yes, 1}, {other_use, &yes, 1}};

	REQUIRE(!C_GenerateKey(session, &mechanism, template, 4, &keys[key_count++]));
}

static void import_rsa(CK_ULONG use)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY, public_class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = CKK_RSA;
	CK_ATTRIBUTE private[] = {{CKA_CLASS, &class, sizeof(class)},
		{CKA_KEY_TYPE, &type, sizeof(type)}, {CKA_TOKEN, &no, 1}, {use, &yes, 1},
		{CKA_MODULUS, rsa_modulus, sizeof(rsa_modulus)},
		{CKA_PUBLIC_EXPONENT, rsa_public_exponent, sizeof(rsa_public_exponent)},
		{CKA_PRIVATE_EXPONENT, rsa_private_exponent, sizeof(rsa_private_exponent)},
		{CKA_PRIME_1, rsa_prime_1, sizeof(rsa_prime_1)},
		{CKA_PRIME_2, rsa_prime_2, sizeof(rsa_prime_2)},
		{CKA_EXPONENT_1, rsa_exponent_1, sizeof(rsa_exponent_1)},
		{CKA_EXPONENT_2, rsa_exponent_2, sizeof(rsa_exponent_2)},
		{CKA_COEFFICIENT, rsa_coefficient, sizeof(rsa_coefficient)}};
	CK_ATTRIBUTE public[] = {{CKA_CLASS, &public_class, sizeof(public_class)},
		{CKA_KEY_TYPE, &type, sizeof(type)}, {CKA_TOKEN, &no, 1},
		{CKA_MODULUS, rsa_modulus, sizeof(rsa_modulus)},
		{CKA_PUBLIC_EXPONENT, rsa_public_exponent, sizeof(rsa_public_exponent)}};

	REQUIRE(!C_CreateObject(session, private, 12, &keys[key_count++]));
	if (use == CKA_SIGN)
		REQUIRE(!C_CreateObject(session, public, 5, &keys[key_count++]));
}

static void make_keys(void)
{
	static const uint8_t p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
	static const uint8_t p521[] = {6, 5, 0x2b, 0x81, 4, 0, 0x23};
	static const uint8_t ed25519[] = {6, 3, 0x2b, 0x65, 0x70};
	static const uint8_t x25519[] = {6, 3, 0x2b, 0x65, 0x6e};

	pkcs11_start();
	REQUIRE(!C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
	generate_pair(CKM_EC_KEY_PAIR_GEN, p256, sizeof(p256), CKA_SIGN);
	generate_pair(CKM_EC_KEY_PAIR_GEN, p521, sizeof(p521), CKA_SIGN);
	generate_pair(CKM_EC_KEY_PAIR_GEN, p256, sizeof(p256), CKA_DERIVE);
	generate_pair(CKM_EC_EDWARDS_KEY_PAIR_GEN, ed25519, sizeof(ed25519), CKA_SIGN);
	generate_pair(CKM_EC_MONTGOMERY_KEY_PAIR_GEN, x25519, sizeof(x25519), CKA_DERIVE);
	generate(CKM_AES_KEY_GEN, 32, CKA_ENCRYPT, CKA_DECRYPT);
	generate(CKM_AES_KEY_GEN, 16, CKA_WRAP, CKA_UNWRAP);
	generate(CKM_AES_KEY_GEN, 16, CKA_SIGN, CKA_VERIFY);
	generate(CKM_GENERIC_SECRET_KEY_GEN, 32, CKA_SIGN, CKA_VERIFY);
	generate(CKM_GENERIC_SECRET_KEY_GEN, 32, CKA_DERIVE, CKA_EXTRACTABLE);
	import_rsa(CKA_SIGN);
	import_rsa(CKA_DECRYPT);
	import_rsa(CKA_UNWRAP);
	made_at = key_count;
	REQUIRE(key_count < KEYS_MAX);
}

/* --- Parameters --- */

static void get_oaep(struct reader *r, CK_RSA_PKCS_OAEP_PARAMS *p)
{
	p->hashAlg = pkcs11_number(r);
	p->mgf = pkcs11_number(r);
	p->source = pkcs11_number(r);
	p->pSourceData = pkcs11_bytes(r, &p->ulSourceDataLen);
}

static void get_gcm(struct reader *r, CK_GCM_PARAMS *p)
{
	p->pIv = pkcs11_bytes(r, &p->ulIvLen);
	p->ulIvBits = p->ulIvLen * 8;
	p->pAAD = pkcs11_bytes(r, &p->ulAADLen);
	p->ulTagBits = pkcs11_number(r);
}

static void get_ecdh(struct reader *r, CK_ECDH1_DERIVE_PARAMS *p)
{
	p->kdf = pkcs11_number(r);
	p->pSharedData = pkcs11_bytes(r, &p->ulSharedDataLen);
	p->pPublicData = pkcs11_bytes(r, &p->ulPublicDataLen);
}

static void get_hkdf(struct reader *r, struct hkdf_parameters *p)
{
	uint8_t flags = get_u8(r);

	p->extract = flags & 3;
	p->expand = flags >> 2 & 3;
	p->hash = pkcs11_number(r);
	p->salt_type = pkcs11_number(r);
	p->salt = pkcs11_bytes(r, &p->salt_len);
	p->salt_key = keys[get_u8(r) % KEYS_MAX];
	p->info = pkcs11_bytes(r, &p->info_len);
}

static void get_pss(struct reader *r, CK_RSA_PKCS_PSS_PARAMS *p)
{
	p->hashAlg = pkcs11_number(r);
	p->mgf = pkcs11_number(r);
	p->sLen = pkcs11_number(r);
}

static void get_ctr(struct reader *r, CK_AES_CTR_PARAMS *p)
{
	size_t n = reader_left(r) < sizeof(p->cb) ? reader_left(r) : sizeof(p->cb);

	p->ulCounterBits = pkcs11_number(r);
	if (reader_left(r) >= n && n)
		memcpy(p->cb, get_bytes(r, n), n);
}

/* In memory that is exactly as long, so that a structure taken for a longer one is seen. */
#define STRUCTURE(get, type)                                \
	do {                                                \
		m->pParameter = pkcs11_alloc(sizeof(type)); \
		m->ulParameterLen = sizeof(type);           \
		get(r, m->pParameter);                      \
	} while (0)

static void get_mechanism(struct reader *r, CK_MECHANISM *m)
{
	m->mechanism = pkcs11_number(r);
	m->pParameter = NULL;
	m->ulParameterLen = 0;
	switch (get_u8(r) % 9) {
	case 0:
		break;
	case 1:
		STRUCTURE(get_pss, CK_RSA_PKCS_PSS_PARAMS);
		break;
	case 2:
		STRUCTURE(get_oaep, CK_RSA_PKCS_OAEP_PARAMS);
		break;
	case 3:
		STRUCTURE(get_gcm, CK_GCM_PARAMS);
		break;
	case 4:
		STRUCTURE(get_ecdh, CK_ECDH1_DERIVE_PARAMS);
		break;
	case 5:
		STRUCTURE(get_hkdf, struct hkdf_parameters);
		break;
	case 6:
		STRUCTURE(get_ctr, CK_AES_CTR_PARAMS);
		break;
	case 7:
		/* The length of a MAC */
		m->pParameter = pkcs11_alloc(sizeof(CK_ULONG));
		m->ulParameterLen = sizeof(CK_ULONG);
		*(CK_ULONG *)m->pParameter = pkcs11_number(r);
		break;
	default:
		m->pParameter = pkcs11_bytes(r, &m->ulParameterLen);
	}
}

/* --- Functions --- */

typedef CK_RV (*start_function)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);
typedef CK_RV (*whole_function)(
	CK_SESSION_HANDLE, unsigned char *, CK_ULONG, unsigned char *, CK_ULONG *);
typedef CK_RV (*part_function)(CK_SESSION_HANDLE, unsigned char *, CK_ULONG);
typedef CK_RV (*end_function)(CK_SESSION_HANDLE, unsigned char *, CK_ULONG *);

static const struct {
	start_function start;
	whole_function whole, update;
	part_function absorb;
	end_function end;
} operations[] = {
	{C_SignInit, C_Sign, NULL, C_SignUpdate, C_SignFinal},
	{C_EncryptInit, C_Encrypt, C_EncryptUpdate, NULL, C_EncryptFinal},
	{C_DecryptInit, C_Decrypt, C_DecryptUpdate, NULL, C_DecryptFinal},
};

struct arguments {
	CK_MECHANISM mechanism;
	CK_OBJECT_HANDLE key;
	unsigned char *data, *out; /* out: NULL for no room at all */
	CK_ULONG len, room;
};

static CK_RV run_end(const struct arguments *a, end_function end)
{
	CK_ULONG n = a->room;
	CK_RV rv = end(session, a->out, &n);

	pkcs11_check_output(rv, a->out, a->room, n);
	return rv;
}

static CK_RV run_whole(const struct arguments *a, whole_function whole)
{
	CK_ULONG n = a->room;
	CK_RV rv = whole(session, a->data, a->len, a->out, &n);

	pkcs11_check_output(rv, a->out, a->room, n);
	return rv;
}

/* Steps in any order: the standard has an answer to each. */
static void operate(struct reader *r, unsigned which, const struct arguments *a)
{
	CK_MECHANISM mechanism = a->mechanism;
	CK_RV rv = operations[which].start(session, &mechanism, a->key);

	pkcs11_check(rv);
	for (uint8_t step = get_u8(r); step & 0x80; step = get_u8(r)) {
		if ((step & 3) == 0)
			(void)run_whole(a, operations[which].whole);
		else if ((step & 3) == 1 && operations[which].update)
			(void)run_whole(a, operations[which].update);
		else if ((step & 3) == 1)
			pkcs11_check(operations[which].absorb(session, a->data, a->len));
		else if ((step & 3) == 2)
			(void)run_end(a, operations[which].end);
		else
			pkcs11_check(operations[which].start(session, &mechanism, a->key));
	}
	(void)operations[which].start(session, NULL, 0);
}

static void verify(struct reader *r, const struct arguments *a)
{
	CK_MECHANISM mechanism = a->mechanism;
	CK_ULONG n;
	unsigned char *signature = pkcs11_bytes(r, &n);

	pkcs11_check(C_VerifyInit(session, &mechanism, a->key));
	if (get_u8(r) & 1)
		pkcs11_check(C_VerifyUpdate(session, a->data, a->len));
	if (get_u8(r) & 1)
		pkcs11_check(C_VerifyFinal(session, signature, n));
	else
		pkcs11_check(C_Verify(session, a->data, a->len, signature, n));
	(void)C_VerifyInit(session, NULL, 0);
}

static void digest(struct reader *r, const struct arguments *a)
{
	CK_MECHANISM mechanism = a->mechanism;

	pkcs11_check(C_DigestInit(session, &mechanism));
	if (get_u8(r) & 1)
		pkcs11_check(C_DigestUpdate(session, a->data, a->len));
	if (get_u8(r) & 1)
		pkcs11_check(C_DigestKey(session, a->key));
	if (get_u8(r) & 1)
		(void)run_end(a, C_DigestFinal);
	else
		(void)run_whole(a, C_Digest);
	(void)C_DigestInit(session, NULL);
}

static void remember(CK_RV rv, CK_OBJECT_HANDLE made)
{
	pkcs11_check(rv);
	if (!rv && key_count < KEYS_MAX)
		keys[key_count++] = made;
}

/* What is made is always the session's. */
static void make(struct reader *r, unsigned how, const struct arguments *a)
{
	CK_MECHANISM mechanism = a->mechanism;
	CK_ULONG class = pkcs11_number(r), type = pkcs11_number(r), len = pkcs11_number(r);
	CK_ATTRIBUTE template[] = {{CKA_TOKEN, &no, 1}, {CKA_CLASS, &class, sizeof(class)},
		{CKA_KEY_TYPE, &type, sizeof(type)}, {CKA_VALUE_LEN, &len, sizeof(len)},
		{pkcs11_number(r), &yes, 1}};
	CK_ULONG count = get_u8(r) % 6;
	CK_OBJECT_HANDLE made = 0;

	if (how == 0)
		remember(C_UnwrapKey(session, &mechanism, a->key, a->data, a->len, template, count,
				 &made),
			made);
	else
		remember(C_DeriveKey(session, &mechanism, a->key, template, count, &made), made);
}

static void wrap(struct reader *r, const struct arguments *a)
{
	CK_MECHANISM mechanism = a->mechanism;
	CK_ULONG n = a->room;
	CK_RV rv = C_WrapKey(session, &mechanism, a->key, keys[get_u8(r) % KEYS_MAX], a->out, &n);

	pkcs11_check_output(rv, a->out, a->room, n);
}

/* A message's parameter is written to: the vector and the tag are the module's to make. */
static void messages(struct reader *r, bool decrypt, const struct arguments *a)
{
	CK_MECHANISM mechanism = a->mechanism;
	struct gcm_message *p = pkcs11_alloc(sizeof(*p));
	CK_ULONG n = a->room, aad_len;
	unsigned char *aad = pkcs11_bytes(r, &aad_len);
	CK_RV rv;

	p->iv = pkcs11_bytes(r, &p->iv_len);
	p->iv_fixed_bits = pkcs11_number(r);
	p->generator = pkcs11_number(r);
	p->tag_bits = pkcs11_number(r);
	p->tag = get_u8(r) & 1 ? NULL : pkcs11_alloc((p->tag_bits % 256 + 7) / 8);
	if (p->tag && p->tag_bits > 255)
		p->tag_bits = p->tag_bits % 256;
	rv = (decrypt ? message_decrypt_init : message_encrypt_init)(session, &mechanism, a->key);
	pkcs11_check(rv);
	if (get_u8(r) & 1) {
		rv = (decrypt ? message_decrypt : message_encrypt)(
			session, p, sizeof(*p), aad, aad_len, a->data, a->len, a->out, &n);
		pkcs11_check_output(rv, a->out, a->room, n);
	} else {
		pkcs11_check((decrypt ? message_decrypt_begin : message_encrypt_begin)(
			session, p, sizeof(*p), aad, aad_len));
		rv = (decrypt ? message_decrypt_next : message_encrypt_next)(
			session, p, sizeof(*p), a->data, a->len, a->out, &n, get_u8(r) & 1);
		pkcs11_check_output(rv, a->out, a->room, n);
	}
	pkcs11_check((decrypt ? message_decrypt_final : message_encrypt_final)(session));
}

static void one_call(struct reader *r)
{
	uint8_t function = get_u8(r);
	struct arguments a = {.key = keys[get_u8(r) % KEYS_MAX]};

	get_mechanism(r, &a.mechanism);
	a.data = pkcs11_bytes(r, &a.len);
	a.room = get_u16(r) % ROOM_MAX;
	a.out = get_u8(r) & 1 ? NULL : pkcs11_alloc(a.room);
	switch (function % 10) {
	case 0:
	case 1:
	case 2:
		operate(r, function % 10, &a);
		break;
	case 3:
		verify(r, &a);
		break;
	case 4:
		digest(r, &a);
		break;
	case 5:
	case 6:
		make(r, function % 10 - 5, &a);
		break;
	case 7:
		wrap(r, &a);
		break;
	default:
		messages(r, function % 10 == 9, &a);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);

	if (!made_at)
		make_keys();
	for (unsigned i = 0; i < CALLS_MAX && reader_left(&r); i++)
		one_call(&r);
	while (key_count > made_at)
		(void)C_DestroyObject(session, keys[--key_count]);
	pkcs11_free();
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests at random: mostly whole, about few names and keys so that they meet, and some that are broken. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <string.h>

#include "same.h"

#define HEX32 "0123456789abcdef0123456789abcdef"

static const char *const names[] = {
	"www.test.com", "*.test.com", "a", "mail", "_x", "Key+1@b", "other.test", "Z9-8"};
static const char *const bad_names[] = {
	"", "-a", "a b", ".x", HEX32 HEX32, "caf\xc3\xa9", HEX32 HEX32 HEX32 HEX32 "0", "a/b"};

static void put_name(struct writer *w)
{
	const char *name = names[below(8)];

	if (one_in(20))
		name = bad_names[below(8)];
	if (one_in(40))
		put_field8(w, "a\0b", 3);
	else if (one_in(60))
		put_field8(w, HEX32 HEX32 HEX32 HEX32, 128);
	else
		put_field8(w, name, strlen(name));
}

static const struct known *some_key(void)
{
	return &known[one_in(3) ? FIXED + below(KEYS - FIXED) : below(FIXED)];
}

/* One that exists for sure, of RSA for decryption. */
static const struct known *some_rsa(void)
{
	return &known[FIXED - 1 - below(3)];
}

static void put_target(struct writer *w)
{
	const struct known *k = some_key();
	unsigned how = below(20);

	if (how < 8) {
		put_u8(w, TARGET_NAME);
		put_name(w);
	} else if (how < 12 && k->record_len) {
		put_u8(w, TARGET_RECORD);
		put_field16(w, k->record, k->record_len);
	} else {
		put_u8(w, one_in(100) ? 3 : TARGET_ID);
		put_bytes(w, k->id, WIRE_ID_SIZE);
	}
}

/* Users that exist or not; groups that nobody is in, because only the host is told of groups. */
static void put_identity(struct writer *w)
{
	bool is_group = one_in(5);

	put_u8(w, (uint8_t)(one_in(40) ? below(4) : is_group ? IDENTITY_GROUP : IDENTITY_USER));
	put_u32(w, is_group ? 40000 + below(3) : one_in(4) ? 50000 + below(50) : 1001 + below(2));
}

static uint32_t some_purposes(uint8_t type)
{
	static const uint32_t usual[] = {PURPOSE_SIGN, PURPOSE_SIGN | PURPOSE_CSR,
		PURPOSE_TLS_SERVER | PURPOSE_CSR, PURPOSE_TLS_SERVER, PURPOSE_TLS_CLIENT,
		PURPOSE_TLS_SERVER | PURPOSE_TLS_CLIENT, PURPOSE_CSR, PURPOSES_KNOWN};

	if (one_in(30))
		return (uint32_t)chance() & PURPOSES_KNOWN;
	if (one_in(3) || type >= KEY_TYPE_X25519)
		return secret_purposes(type);
	if (type <= KEY_TYPE_RSA_4096 && !one_in(4))
		return usual[below(8)] | PURPOSE_DECRYPT | (one_in(2) ? PURPOSE_DECRYPT_PKCS1 : 0);
	return usual[below(one_in(10) ? 8 : 7)];
}

static void put_some_attributes(struct writer *w, size_t n)
{
	uint8_t bytes[WIRE_ATTRIBUTES_MAX + 2];

	chance_bytes(bytes, n);
	put_field16(w, bytes, n);
}

static void put_attributes(struct writer *w)
{
	put_some_attributes(w, one_in(2)    ? 0
			       : one_in(20) ? WIRE_ATTRIBUTES_MAX - 1 + below(3)
					    : below(60));
}

static void put_attest(struct writer *w)
{
	uint8_t challenge[WIRE_CHALLENGE_MAX + 2];
	size_t n = one_in(3) ? 0 : one_in(10) ? below(sizeof(challenge) + 1) : 8 + below(57);

	put_target(w);
	chance_bytes(challenge, n);
	put_field8(w, challenge, n);
}

static void put_object_id(struct writer *w)
{
	put_bytes(w, one_in(20) ? some_key()->id : objects[below(OBJECTS)].id, WIRE_ID_SIZE);
}

/* Few slots, and few PINs below, so that some are right and some are locked. */
static void put_slot(struct writer *w)
{
	put_u8(w, (uint8_t)(one_in(40) ? chance() : 1 + below(2)));
}

static void put_object(struct writer *w, unsigned *aim)
{
	static uint8_t value[WIRE_OBJECT_MAX + 2];
	uint8_t how = (uint8_t)(one_in(40)  ? below(5)
				: one_in(6) ? OBJECT_NEW_ON_TOKEN
				: one_in(2) ? OBJECT_NEW
					    : 1 + below(2));
	size_t n = one_in(20) ? WIRE_OBJECT_MAX - 1 + below(3) : one_in(5) ? 0 : below(2000);
	unsigned acl = one_in(50) ? WIRE_ACL_MAX - 1 + below(3) : below(3);

	*aim = below(OBJECTS);
	put_u8(w, how);
	if (how == OBJECT_NEW_ON_TOKEN)
		put_slot(w);
	else if (how != OBJECT_NEW)
		put_object_id(w);
	put_u8(w, (uint8_t)(one_in(40) ? below(4) : one_in(4) ? OBJECT_DATA : OBJECT_CERTIFICATE));
	put_u8(w, (uint8_t)(one_in(40) ? below(4) : below(2)));
	put_u8(w, (uint8_t)acl);
	while (acl--)
		put_identity(w);
	put_attributes(w);
	if (how == OBJECT_CHANGE && !one_in(20))
		n = 0;
	chance_bytes(value, n);
	put_field16(w, value, n);
}

static void put_pin(struct writer *w)
{
	static const char *const pins[] = {"1234", "1234", "1234", "123456", "99999999"};
	const char *pin = one_in(40) ? "12" : pins[below(5)];

	put_field8(w, pin, strlen(pin));
}

static void put_token(struct writer *w, uint16_t command)
{
	static const char *const labels[] = {"one", "two", "", "caf\xc3\xa9"};
	const char *label = labels[below(4)];

	if (command == CMD_TOKEN_LOGOUT || command == CMD_AUTHORIZE) {
		put_bytes(w, last_ticket, sizeof(last_ticket));
		return;
	}
	put_slot(w);
	if (command == CMD_TOKEN_LOGIN || command == CMD_TOKEN_SET_PIN)
		put_u8(w, (uint8_t)(one_in(40) ? chance() : TOKEN_SO + below(2)));
	if (command == CMD_TOKEN_ACCESS) {
		put_u8(w, (uint8_t)(one_in(3) ? ACCESS_DENY : ACCESS_ALLOW));
		put_identity(w);
		return;
	}
	if (command == CMD_TOKEN_INIT)
		put_field8(w, label, strlen(label));
	if (command == CMD_TOKEN_DELETE && one_in(2))
		put_u8(w, 0);
	else
		put_pin(w);
	if (command == CMD_TOKEN_SET_PIN)
		put_pin(w);
	if (command == CMD_TOKEN_INIT) {
		put_u8(w, 1);
		put_identity(w);
	}
}

void put_template(struct writer *w, uint8_t type)
{
	unsigned acl = one_in(3) ? below(4) : one_in(50) ? WIRE_ACL_MAX - 1 + below(3) : 1;
	/* There are few names: most secret keys do without. */
	bool nameless = is_secret(type) && !one_in(5);
	bool sealed = one_in(nameless ? 6 : 3);

	put_u8(w, type);
	if (!sealed && one_in(5)) {
		put_u8(w, PLACE_TOKEN);
		put_slot(w);
	} else {
		put_u8(w, (uint8_t)(one_in(40) ? below(5) : sealed ? PLACE_SEALED : PLACE_STORED));
	}
	put_u32(w, some_purposes(type));
	if (nameless || (sealed && one_in(2)))
		put_u8(w, 0);
	else
		put_name(w);
	put_u8(w, (uint8_t)acl);
	while (acl--)
		put_identity(w);
	if (nameless)
		put_some_attributes(w, 1 + below(20));
	else
		put_attributes(w);
}

static uint8_t type_to_generate(void)
{
	static const uint8_t types[] = {KEY_TYPE_EC_P256, KEY_TYPE_EC_P256, KEY_TYPE_EC_P256,
		KEY_TYPE_EC_P384, KEY_TYPE_EC_P521, KEY_TYPE_ED25519, KEY_TYPE_ED25519,
		KEY_TYPE_X25519, KEY_TYPE_AES_128, KEY_TYPE_AES_192, KEY_TYPE_AES_256,
		KEY_TYPE_HMAC};

	if (one_in(200))
		return KEY_TYPE_RSA_2048; /* takes seconds in an emulated board */
	return one_in(30) ? (uint8_t)(4 + below(64)) : types[below(12)];
}

/* Material that is not a good key, in ways that bytes changed at random would not find. */
static void spoil(uint8_t *m, size_t *n, uint8_t type)
{
	static const uint8_t exponents[] = {0, 1, 2, 3, 4, 17};
	size_t half = (*n - 4) / 2;

	if (type > KEY_TYPE_RSA_4096) {
		unsigned how = below(5);

		if (how < 2)
			memset(m, how ? 0xff : 0, *n);
		else if (how == 2)
			memset(m, 0, *n - 1); /* a small scalar, which is a good one */
		else
			*n = how == 3 ? *n - 1 : *n + 1;
		return;
	}
	switch (below(4)) {
	case 0:
		memset(m, 0, 4);
		m[3] = exponents[below(6)];
		break;
	case 1:
		memcpy(m + 4, m + 4 + half, half);
		break;
	case 2:
		m[4 + half - 1] ^= 1;
		break;
	default:
		m[4 + below((unsigned)half * 2)] ^= 4;
	}
}

static void put_generate(struct writer *w, unsigned *aim)
{
	uint8_t type = type_to_generate();

	*aim = is_secret(type) ? MADE_FIRST + below(MADE) : FIXED + below(GENERATED);
	put_template(w, type);
	if (type == KEY_TYPE_HMAC)
		put_u16(w, (uint16_t)(one_in(2) ? 0 : one_in(10) ? below(140) : 14 + below(115)));
}

static void put_import(struct writer *w, unsigned *aim)
{
	unsigned at = one_in(2) ? below(FIXED) : SECRET_FIRST + below(SECRETS);
	const struct known *k = &known[at];
	uint8_t material[MATERIAL_MAX + 1] = {0};
	size_t n = k->material_len;

	if (at >= FIXED)
		*aim = at;
	memcpy(material, k->material, n);
	put_template(w, one_in(40) ? known[below(FIXED)].type : k->type);
	if (one_in(12))
		spoil(material, &n, k->type);
	put_field16(w, material, n);
}

static size_t tls_message(uint8_t *m, uint8_t type)
{
	static const char *const who[] = {"server", "client"};
	struct writer w = writer_over(m, 300);
	size_t hash = type == KEY_TYPE_EC_P384 ? 48 : type == KEY_TYPE_EC_P521 ? 64 : 32;

	chance_bytes(m, 300);
	if (one_in(4)) { /* RFC 8422 5.4, ServerKeyExchange with X25519 or P-256 */
		bool x = one_in(2);

		w.len = 64;
		put_u8(&w, 3);
		put_u16(&w, x ? 29 : 23);
		put_u8(&w, x ? 32 : 65);
		if (!x)
			m[w.len] = 4;
		return w.len + (x ? 32 : 65);
	}
	memset(m, ' ', 64);
	w.len = 64;
	put_bytes(&w, "TLS 1.3, ", 9);
	put_bytes(&w, who[below(2)], 6);
	put_bytes(&w, " CertificateVerify", 19);
	return w.len + hash;
}

static uint8_t usual_hash(uint8_t type)
{
	if (one_in(4))
		return (uint8_t)below(6);
	return type == KEY_TYPE_EC_P384   ? HASH_SHA384
	       : type == KEY_TYPE_EC_P521 ? HASH_SHA512
	       : type == KEY_TYPE_ED25519 ? HASH_NONE
					  : HASH_SHA256;
}

/* As long as the modulus: padded for a signature, with bytes changed in it or not, or anything; some are not below
 * it. */
static size_t some_block(const struct known *k, uint8_t *data)
{
	size_t n = (size_t)EVP_PKEY_get_size(k->public_key);
	size_t contents = below(100);

	chance_bytes(data, n);
	data[0] = one_in(4) ? data[0] : 0;
	if (one_in(3))
		return n;
	memset(data, 0xff, n);
	data[0] = 0;
	data[1] = 1;
	data[n - contents - 1] = 0;
	chance_bytes(data + n - contents, contents);
	if (one_in(5))
		data[below((unsigned)n)] ^= 1;
	return n;
}

static void put_sign(struct writer *w)
{
	static const uint8_t sizes[] = {0, 28, 32, 48, 64, 20};
	static const uint16_t salts[] = {0, 20, 32, 32, 48, 64, 190, 222, 223, 65535};
	static uint8_t data[64000];
	const struct known *k = some_key();
	uint8_t hash = usual_hash(k->type), scheme;
	bool is_raw = k->public_key && k->type <= KEY_TYPE_RSA_4096 && one_in(4);
	bool is_digest = k->type != KEY_TYPE_ED25519 && one_in(3);
	size_t n = one_in(40) ? below(sizeof(data)) : below(200);

	scheme = k->type == KEY_TYPE_ED25519   ? SCHEME_EDDSA
		 : k->type >= KEY_TYPE_EC_P256 ? SCHEME_ECDSA
		 : one_in(2)                   ? SCHEME_RSA_PKCS1
					       : SCHEME_RSA_PSS;
	if (one_in(20))
		scheme = (uint8_t)below(7);
	if (is_raw) {
		scheme = SCHEME_RSA_RAW;
		hash = HASH_NONE;
		is_digest = false;
		n = some_block(k, data);
	} else if (one_in(2) && !is_digest)
		n = tls_message(data, k->type);
	else
		chance_bytes(data, n);
	if (is_digest && !one_in(20))
		n = sizes[hash];
	put_bytes(w, k->id, WIRE_ID_SIZE);
	put_u8(w, scheme);
	put_u8(w, hash);
	put_u8(w, (uint8_t)(one_in(60) ? below(4) : is_digest ? INPUT_DIGEST : INPUT_MESSAGE));
	put_u16(w, scheme == SCHEME_RSA_PSS || one_in(50) ? salts[below(10)] : 0);
	put_field32(w, data, n);
}

/* RFC 8017 7.2.1 with padding of our own chance, so that the ciphertext is the same for every TEE: what comes of a
 * broken one depends on it. */
static size_t encrypt_pkcs1(const struct known *k, uint8_t *out)
{
	int size = EVP_PKEY_get_size(k->public_key);
	uint8_t em[512];
	BIGNUM *n = NULL, *e = NULL, *m, *c = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	unsigned at = (unsigned)size - 1 - (one_in(4) ? 0 : below(64));

	for (int i = 0; i < size; i++)
		em[i] = (uint8_t)(1 + below(255));
	em[0] = 0;
	em[1] = one_in(8) ? (uint8_t)chance() : 2;
	em[one_in(8) ? 2 + below(10) : at] = 0;
	if (one_in(10))
		em[at] = 1;
	m = BN_bin2bn(em, size, NULL);
	EVP_PKEY_get_bn_param(k->public_key, OSSL_PKEY_PARAM_RSA_N, &n);
	EVP_PKEY_get_bn_param(k->public_key, OSSL_PKEY_PARAM_RSA_E, &e);
	BN_mod_exp(c, m, e, n, ctx);
	BN_bn2binpad(c, out, size);
	BN_free(n);
	BN_free(e);
	BN_free(m);
	BN_free(c);
	BN_CTX_free(ctx);
	return (size_t)size;
}

static const EVP_MD *digest_of(uint8_t hash)
{
	const EVP_MD *const all[] = {
		NULL, EVP_sha224(), EVP_sha256(), EVP_sha384(), EVP_sha512(), NULL};

	return all[hash];
}

static size_t encrypt_oaep(const struct known *k, const uint8_t hashes[2], const uint8_t *label,
	size_t label_len, uint8_t *out)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->public_key, NULL);
	uint8_t plain[64], *copy = OPENSSL_memdup(label_len ? label : plain, label_len + 1);
	size_t n = 512, len = below(64);

	chance_bytes(plain, sizeof(plain));
	if (!ctx || !copy || EVP_PKEY_encrypt_init(ctx) != 1 ||
		EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
		EVP_PKEY_CTX_set_rsa_oaep_md(ctx, digest_of(hashes[0])) != 1 ||
		EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, digest_of(hashes[1])) != 1 ||
		EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, copy, (int)label_len) != 1 ||
		EVP_PKEY_encrypt(ctx, out, &n, plain, len) != 1)
		n = 0;
	EVP_PKEY_CTX_free(ctx); /* and with it the label */
	return n;
}

static void put_decrypt(struct writer *w)
{
	const struct known *k = one_in(10) ? some_key() : some_rsa();
	uint8_t hashes[2] = {(uint8_t)(1 + below(4)), (uint8_t)(1 + below(4))};
	uint8_t label[300], data[513];
	size_t label_len = one_in(3) ? below(40) : one_in(60) ? 250 + below(20) : 0;
	size_t n = one_in(2) ? 256 : below(513);
	bool oaep = one_in(2), raw = !oaep && one_in(3);

	chance_bytes(label, sizeof(label));
	chance_bytes(data, sizeof(data));
	if (one_in(20))
		memset(data, one_in(2) ? 0xff : 0, sizeof(data)); /* above n, or zero */
	else if (k->type <= KEY_TYPE_RSA_4096 && k->public_key && !one_in(8))
		n = oaep ? encrypt_oaep(k, hashes, label, label_len, data) : encrypt_pkcs1(k, data);
	put_bytes(w, k->id, WIRE_ID_SIZE);
	put_u8(w, (uint8_t)(one_in(60) ? below(5)
			    : oaep     ? PADDING_OAEP
			    : raw      ? PADDING_NONE
				       : PADDING_PKCS1));
	put_u8(w, oaep || one_in(60) ? hashes[0] : 0);
	put_u8(w, oaep || one_in(60) ? hashes[1] : 0);
	put_field16(w, label, oaep || one_in(60) ? label_len : 0);
	put_field16(w, data, n);
}

static void put_csr(struct writer *w)
{
	static const char *const attributes[] = {
		"CN", "O", "OU", "C", "ST", "L", "serialNumber", "emailAddress", "DC", "cn"};
	static const char *const values[] = {"www.test.com", "Test, Inc.", "DE", "M\xc3\xbcnchen",
		"a@test.com", "", "\xff\xfe", "12345", "x*y", HEX32 HEX32 HEX32};
	static const char *const alternatives[] = {"www.test.com", "\x7f\0\0\1", "a@test.com",
		"https://test.com/a", "*.test.com", "-bad-", HEX32, "", "b\xc3\xa9"};
	unsigned n = one_in(30) ? below(20) : below(4), m = one_in(30) ? below(110) : below(4);

	put_target(w);
	put_u8(w, (uint8_t)n);
	while (n--) {
		unsigned which = below(one_in(20) ? 10 : 8);
		const char *value = one_in(3) ? values[below(10)] : values[which % 5];

		put_field8(w, attributes[which], strlen(attributes[which]));
		if (which == 3 && !one_in(5))
			value = "DE";
		put_field8(w, value, strlen(value));
	}
	put_u8(w, (uint8_t)m);
	while (m--) {
		unsigned kind = one_in(30) ? below(6) : 1 + below(4);
		unsigned which = kind && kind < 5 && !one_in(8) ? kind - 1 : below(9);

		put_u8(w, (uint8_t)kind);
		put_field8(w, alternatives[which], which == 1 ? 4 : strlen(alternatives[which]));
	}
}

static void put_whole(struct writer *w, uint16_t command, unsigned *aim)
{
	uint8_t junk[100];

	switch (command) {
	case CMD_HELLO:
		put_u16(w, (uint16_t)(one_in(4) ? below(4) : 1));
		put_u16(w, (uint16_t)(one_in(4) ? below(4) : 1));
		return put_u16(w, WIRE_CPU_ANY);
	case CMD_STATUS:
		return;
	case CMD_KEY_GENERATE:
		return put_generate(w, aim);
	case CMD_KEY_IMPORT:
		return put_import(w, aim);
	case CMD_KEY_INFO:
	case CMD_KEY_DELETE:
		return put_target(w);
	case CMD_KEY_ATTRIBUTES:
		put_target(w);
		return put_attributes(w);
	case CMD_KEY_ATTEST:
		return put_attest(w);
	case CMD_ATTEST_KEY:
		return;
	case CMD_OBJECT_PUT:
		return put_object(w, aim);
	case CMD_OBJECT_GET:
	case CMD_OBJECT_DELETE:
		return put_object_id(w);
	case CMD_OBJECT_LIST:
	case CMD_KEY_LIST:
		return put_u32(w, one_in(8) ? (uint32_t)chance() : 0);
	case CMD_KEY_RENAME:
		put_target(w);
		put_name(w);
		return put_u8(w, (uint8_t)(one_in(30) ? below(4) : below(2)));
	case CMD_KEY_ACCESS:
		put_target(w);
		put_u8(w, (uint8_t)(one_in(40) ? below(4) : 1 + below(2)));
		return put_identity(w);
	case CMD_TOKEN_LIST:
		return;
	case CMD_TOKEN_INIT:
	case CMD_TOKEN_LOGIN:
	case CMD_TOKEN_LOGOUT:
	case CMD_TOKEN_SET_PIN:
	case CMD_TOKEN_INIT_PIN:
	case CMD_TOKEN_DELETE:
	case CMD_AUTHORIZE:
	case CMD_TOKEN_ACCESS:
		return put_token(w, command);
	case CMD_KEY_CSR:
		return put_csr(w);
	case CMD_KEY_LOAD: {
		const struct known *k = some_key();

		return put_field16(w, k->record, k->record_len);
	}
	case CMD_SIGN:
		return put_sign(w);
	case CMD_RSA_DECRYPT:
		return put_decrypt(w);
	default:
		if (is_secret_command(command))
			return put_secret_command(w, command, aim);
		chance_bytes(junk, sizeof(junk));
		return put_bytes(w, junk, below(100));
	}
}

/* Differences, never values: what a TEE made of its own randomness is another in each, and stays another. */
static size_t change(uint8_t *p, size_t n)
{
	switch (below(4)) {
	case 0:
		return below((unsigned)n + 1);
	case 1: {
		size_t more = 1 + below(one_in(10) ? 9000 : 20);

		more = more < WIRE_MAX_PAYLOAD - n ? more : WIRE_MAX_PAYLOAD - n;
		chance_bytes(p + n, more);
		return n + more;
	}
	default:
		for (unsigned i = 1 + below(3); n && i; i--)
			p[below((unsigned)n)] ^= (uint8_t)(1 + below(255));
		return n;
	}
}

size_t compose(uint16_t command, uint8_t *payload, unsigned *aim)
{
	struct writer w = writer_over(payload, WIRE_MAX_PAYLOAD);
	size_t n;
	uint8_t type;

	*aim = KEYS;
	put_whole(&w, command, aim);
	type = payload[0];
	n = one_in(5) ? change(payload, w.len) : w.len;
	/* Nor is a change to make it an RSA key, whose primes take a minute to find. */
	if (command == CMD_KEY_GENERATE && payload[0] != type)
		payload[0] |= 0x40;
	return n;
}

size_t compose_delete(uint8_t *payload, const uint8_t *id)
{
	struct writer w = writer_over(payload, WIRE_MAX_PAYLOAD);

	put_u8(&w, TARGET_ID);
	put_bytes(&w, id, WIRE_ID_SIZE);
	return w.len;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Secret keys, agreement and wrapping as a caller meets them: what each purpose allows and what it does not. */
#include "test_calls.h"

#define BOTH (PURPOSE_ENCRYPT | PURPOSE_DECRYPT)

struct cipher_call {
	uint8_t mode;
	bool decrypt;
	const void *iv;
	size_t iv_len;
	uint8_t tag_len;
	const void *aad;
	size_t aad_len;
	const void *data;
	size_t n;
};

static enum kw_err cipher_as(uint32_t uid, struct id id, const struct cipher_call *c)
{
	struct writer w = fresh();

	put_bytes(&w, id.b, sizeof(id.b));
	put_u8(&w, c->mode);
	put_u8(&w, c->decrypt ? DIRECTION_DECRYPT : DIRECTION_ENCRYPT);
	put_field8(&w, c->iv, c->iv_len);
	put_u8(&w, c->tag_len);
	put_field16(&w, c->aad, c->aad_len);
	put_field32(&w, c->data, c->n);
	return call(uid, CMD_CIPHER, &w);
}

static enum kw_err cipher(struct id id, const struct cipher_call *c)
{
	return cipher_as(OWNER, id, c);
}

/* The result out of the last reply, copied. */
static size_t cipher_result(uint8_t *out, uint8_t nonce[12])
{
	struct reader r = reader_over(reply, reply_len);
	size_t n, iv_len;
	const uint8_t *iv = get_field8(&r, 12, &iv_len);
	const uint8_t *p = get_field32(&r, WIRE_MAX_PAYLOAD, &n);

	assert_true(reader_done(&r));
	assert_int_equal(iv_len, nonce ? 12 : 0);
	if (nonce)
		memcpy(nonce, iv, 12);
	memcpy(out, p, n);
	return n;
}

static enum kw_err mac_as(uint32_t uid, struct id id, uint8_t kind, uint8_t hash, uint8_t work,
	const void *tag, size_t tag_len, const char *data)
{
	struct writer w = fresh();

	put_bytes(&w, id.b, sizeof(id.b));
	put_u8(&w, kind);
	put_u8(&w, hash);
	put_u8(&w, work);
	put_field8(&w, tag, tag_len);
	put_field32(&w, data, strlen(data));
	return call(uid, CMD_MAC, &w);
}

static void test_random(void **state)
{
	static const uint16_t sizes[] = {1, 32, WIRE_RANDOM_MAX};
	static const uint16_t bad[] = {0, WIRE_RANDOM_MAX + 1, UINT16_MAX};
	uint8_t before[WIRE_RANDOM_MAX];
	struct writer w;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		w = fresh();
		put_u16(&w, sizes[i]);
		assert_int_equal(call(STRANGER, CMD_RANDOM, &w), KW_ERR_OK);
		assert_int_equal(reply_len, 2 + sizes[i]);
	}
	memcpy(before, reply + 2, sizeof(before));
	assert_int_equal(call(STRANGER, CMD_RANDOM, &w), KW_ERR_OK);
	assert_memory_not_equal(before, reply + 2, sizeof(before));
	for (size_t i = 0; i < COUNT(bad); i++) {
		w = fresh();
		put_u16(&w, bad[i]);
		assert_int_equal(call(STRANGER, CMD_RANDOM, &w), KW_ERR_BAD_REQUEST);
	}
}

static void test_secret_keys_are_described(void **state)
{
	static const struct {
		uint8_t type, bytes;
	} all[] = {{KEY_TYPE_AES_128, 16}, {KEY_TYPE_AES_192, 24}, {KEY_TYPE_AES_256, 32},
		{KEY_TYPE_HMAC, 32}};
	static const uint16_t lengths[] = {1, WIRE_SECRET_MIN - 1, WIRE_SECRET_MIN, 64,
		WIRE_SECRET_MAX, WIRE_SECRET_MAX + 1, UINT16_MAX};
	const uint8_t *p;
	struct id first;

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		first = generate(all[i].type, PURPOSE_MAC);
		assert_int_equal(public_part(&p), 2);
		assert_int_equal(p[0] << 8 | p[1], all[i].bytes);
		/* Its id says nothing about it, and so another one has another. */
		generate(all[i].type, PURPOSE_MAC);
		assert_memory_not_equal(first.b, reply, sizeof(first.b));
	}
	for (size_t i = 0; i < COUNT(lengths); i++) {
		bool good = lengths[i] >= WIRE_SECRET_MIN && lengths[i] <= WIRE_SECRET_MAX;

		assert_int_equal(generate_as(OWNER, KEY_TYPE_HMAC, PURPOSE_MAC, lengths[i]),
			good ? KW_ERR_OK : KW_ERR_BAD_KEY);
		if (!good)
			continue;
		assert_int_equal(public_part(&p), 2);
		assert_int_equal(p[0] << 8 | p[1], lengths[i]);
	}
}

static void test_import_takes_keys_of_their_length(void **state)
{
	static const uint8_t bytes[WIRE_SECRET_MAX + 1] = {1, 2, 3};
	static const uint8_t types[] = {KEY_TYPE_AES_128, KEY_TYPE_AES_192, KEY_TYPE_AES_256};

	(void)state;
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		for (size_t i = 0; i < COUNT(types); i++) {
			size_t size = key_type_bytes(key_type_find(types[i]));

			assert_int_equal(import_as(OWNER, types[i], PURPOSE_ENCRYPT, bytes, n),
				n == size ? KW_ERR_OK : KW_ERR_BAD_KEY);
		}
		assert_int_equal(import_as(OWNER, KEY_TYPE_HMAC, PURPOSE_MAC, bytes, n),
			n > 0 && n <= WIRE_SECRET_MAX ? KW_ERR_OK : KW_ERR_BAD_KEY);
		assert_int_equal(import_as(OWNER, KEY_TYPE_X25519, PURPOSE_DERIVE, bytes, n),
			n == 32 && n ? KW_ERR_OK : KW_ERR_BAD_KEY);
		/* It is the same public key: stored once. */
		if (n == 32) {
			assert_int_equal(
				import_as(OWNER, KEY_TYPE_X25519, PURPOSE_DERIVE, bytes, n),
				KW_ERR_KEY_EXISTS);
		}
	}
}

static void test_purposes_that_fit_and_those_that_mix(void **state)
{
	static const struct {
		uint8_t type;
		uint32_t purposes;
		enum kw_err expected;
	} all[] = {
		{KEY_TYPE_AES_256, PURPOSE_SIGN, KW_ERR_BAD_REQUEST},
		{KEY_TYPE_AES_256, PURPOSE_DERIVE, KW_ERR_BAD_REQUEST},
		{KEY_TYPE_AES_256, PURPOSE_DECRYPT_PKCS1, KW_ERR_BAD_REQUEST},
		{KEY_TYPE_AES_256, PURPOSE_RAW, KW_ERR_BAD_REQUEST},
		{KEY_TYPE_AES_256, PURPOSE_MIXED, KW_ERR_BAD_REQUEST},
		{KEY_TYPE_AES_256, PURPOSE_WITH_TRUSTED, KW_ERR_BAD_REQUEST},
		{KEY_TYPE_AES_256, PURPOSE_ENCRYPT | PURPOSE_TRUSTED, KW_ERR_BAD_REQUEST},
		{KEY_TYPE_AES_256, PURPOSE_EXTRACTABLE, KW_ERR_OK},
		{KEY_TYPE_AES_256, BOTH | PURPOSE_MAC, KW_ERR_OK},
		{KEY_TYPE_AES_256, PURPOSE_WRAP | PURPOSE_UNWRAP, KW_ERR_OK},
		{KEY_TYPE_AES_256, PURPOSE_WRAP | PURPOSE_DECRYPT, KW_ERR_MIXED},
		{KEY_TYPE_AES_256, PURPOSE_WRAP | PURPOSE_ENCRYPT, KW_ERR_MIXED},
		{KEY_TYPE_AES_256, PURPOSE_UNWRAP | PURPOSE_ENCRYPT, KW_ERR_MIXED},
		{KEY_TYPE_AES_256, PURPOSE_UNWRAP | PURPOSE_DECRYPT, KW_ERR_MIXED},
		{KEY_TYPE_AES_256, PURPOSE_UNWRAP | PURPOSE_MAC, KW_ERR_MIXED},
		{KEY_TYPE_AES_256, PURPOSE_WRAP | PURPOSE_DECRYPT | PURPOSE_MIXED, KW_ERR_OK},
		{KEY_TYPE_AES_256, PURPOSE_WRAP | PURPOSE_TRUSTED, KW_ERR_NOT_OWNER},
		{KEY_TYPE_HMAC, PURPOSE_ENCRYPT, KW_ERR_BAD_REQUEST},
		{KEY_TYPE_HMAC, PURPOSE_WRAP, KW_ERR_BAD_REQUEST},
		{KEY_TYPE_HMAC, PURPOSE_MAC | PURPOSE_DERIVE, KW_ERR_MIXED},
		{KEY_TYPE_HMAC, PURPOSE_MAC | PURPOSE_DERIVE | PURPOSE_MIXED, KW_ERR_OK},
		{KEY_TYPE_HMAC, PURPOSE_MAC | PURPOSE_DERIVE | PURPOSE_DERIVE_VALUE, KW_ERR_OK},
		{KEY_TYPE_X25519, PURPOSE_SIGN, KW_ERR_BAD_REQUEST},
		{KEY_TYPE_X25519, PURPOSE_CSR, KW_ERR_BAD_REQUEST},
		{KEY_TYPE_X25519, PURPOSE_DERIVE | PURPOSE_EXTRACTABLE, KW_ERR_OK},
		{KEY_TYPE_X25519, PURPOSE_DERIVE | PURPOSE_MIXED, KW_ERR_BAD_REQUEST},
		{KEY_TYPE_X25519, PURPOSE_DERIVE_VALUE, KW_ERR_OK},
		{KEY_TYPE_ED25519, PURPOSE_DERIVE, KW_ERR_BAD_REQUEST},
		{KEY_TYPE_EC_P256, PURPOSE_SIGN | PURPOSE_DERIVE, KW_ERR_OK},
		{KEY_TYPE_EC_P256, PURPOSE_SIGN | PURPOSE_EXTRACTABLE, KW_ERR_OK},
		{KEY_TYPE_EC_P256, PURPOSE_SIGN | PURPOSE_WITH_TRUSTED, KW_ERR_OK},
		{KEY_TYPE_EC_P256, PURPOSE_WITH_TRUSTED, KW_ERR_BAD_REQUEST},
		{KEY_TYPE_EC_P256, PURPOSE_SIGN | PURPOSE_TRUSTED, KW_ERR_BAD_REQUEST},
		{KEY_TYPE_EC_P256, PURPOSE_RAW, KW_ERR_BAD_REQUEST},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		assert_int_equal(
			generate_as(OWNER, all[i].type, all[i].purposes, 0), all[i].expected);
	assert_int_equal(
		generate_as(ADMIN, KEY_TYPE_AES_256, PURPOSE_WRAP | PURPOSE_TRUSTED, 0), KW_ERR_OK);
	/* Anybody who makes a key that wraps would know it. */
	assert_int_equal(generate_as(ADMIN, KEY_TYPE_AES_256,
				 PURPOSE_WRAP | PURPOSE_TRUSTED | PURPOSE_EXTRACTABLE, 0),
		KW_ERR_MIXED);
	assert_int_equal(
		generate_as(ADMIN, KEY_TYPE_AES_256,
			PURPOSE_WRAP | PURPOSE_TRUSTED | PURPOSE_EXTRACTABLE | PURPOSE_WITH_TRUSTED,
			0),
		KW_ERR_OK);
}

static void test_ciphers_go_there_and_back(void **state)
{
	static const uint8_t iv[16] = {0xff, 0xff, 0xff};
	static uint8_t data[WIRE_DATA_MAX], sealed[WIRE_DATA_MAX + 16], back[WIRE_DATA_MAX + 16];
	static const struct cipher_call all[] = {
		{.mode = CIPHER_AES_ECB, .n = WIRE_DATA_MAX},
		{.mode = CIPHER_AES_CBC, .iv = iv, .iv_len = 16, .n = WIRE_DATA_MAX},
		{.mode = CIPHER_AES_CTR, .iv = iv, .iv_len = 16, .n = 1001},
		{.mode = CIPHER_AES_CTR, .iv = iv, .iv_len = 16, .n = 0},
		{.mode = CIPHER_AES_GCM, .iv = iv, .iv_len = 12, .tag_len = 12, .n = 1001},
		{.mode = CIPHER_AES_GCM,
			.iv = iv,
			.iv_len = 1,
			.tag_len = 16,
			.n = WIRE_DATA_MAX,
			.aad = data,
			.aad_len = WIRE_AAD_MAX},
		{.mode = CIPHER_AES_GCM, .iv = iv, .iv_len = 12, .tag_len = 16, .n = 0},
		{.mode = CIPHER_AES_KW, .n = 16},
		{.mode = CIPHER_AES_KW, .n = 4096},
		{.mode = CIPHER_AES_KWP, .n = 1},
		{.mode = CIPHER_AES_KWP, .n = 9},
		{.mode = CIPHER_AES_KWP, .n = 4096},
	};
	static const uint8_t types[] = {KEY_TYPE_AES_128, KEY_TYPE_AES_192, KEY_TYPE_AES_256};

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t t = 0; t < COUNT(types); t++) {
		struct id id = generate(types[t], BOTH);

		for (size_t i = 0; i < COUNT(all); i++) {
			struct cipher_call c = all[i];
			size_t n;

			c.data = data;
			assert_int_equal(cipher(id, &c), KW_ERR_OK);
			n = cipher_result(sealed, NULL);
			assert_true(c.n < 8 || memcmp(sealed, data, c.n) != 0);
			c.data = sealed;
			c.n = n;
			c.decrypt = true;
			assert_int_equal(cipher(id, &c), KW_ERR_OK);
			assert_int_equal(cipher_result(back, NULL), all[i].n);
			assert_memory_equal(back, data, all[i].n);
		}
	}
}

static void test_what_is_not_authentic_is_refused(void **state)
{
	static const uint8_t iv[12] = {1};
	static const struct cipher_call all[] = {
		{.mode = CIPHER_AES_GCM, .iv = iv, .iv_len = 12, .tag_len = 16, .n = 20},
		{.mode = CIPHER_AES_KW, .n = 24},
		{.mode = CIPHER_AES_KWP, .n = 20},
		{.mode = CIPHER_AES_KWP, .n = 3},
	};
	uint8_t data[32] = {1, 2, 3}, sealed[64];
	struct id id, other;

	(void)state;
	id = generate(KEY_TYPE_AES_128, BOTH);
	other = generate(KEY_TYPE_AES_128, BOTH);
	for (size_t i = 0; i < COUNT(all); i++) {
		struct cipher_call c = all[i];

		c.data = data;
		assert_int_equal(cipher(id, &c), KW_ERR_OK);
		c.n = cipher_result(sealed, NULL);
		c.data = sealed;
		c.decrypt = true;
		for (size_t at = 0; at < c.n; at++) {
			sealed[at] ^= 0x10;
			assert_int_equal(cipher(id, &c), KW_ERR_DECRYPT);
			sealed[at] ^= 0x10;
		}
		assert_int_equal(cipher(other, &c), KW_ERR_DECRYPT);
		assert_int_equal(cipher(id, &c), KW_ERR_OK);
		while (c.n-- > 0)
			assert_int_equal(cipher(id, &c), KW_ERR_DECRYPT);
	}
}

static void test_malformed_cipher_requests(void **state)
{
	static const uint8_t data[WIRE_AAD_MAX + 1] = {0};
	static const struct {
		struct cipher_call c;
		enum kw_err expected;
	} all[] = {
		{{.mode = 0, .n = 16}, KW_ERR_BAD_REQUEST},
		{{.mode = 7, .n = 16}, KW_ERR_BAD_REQUEST},
		{{.mode = CIPHER_AES_ECB, .n = 15}, KW_ERR_BAD_REQUEST},
		{{.mode = CIPHER_AES_ECB, .iv_len = 16, .n = 16}, KW_ERR_BAD_REQUEST},
		{{.mode = CIPHER_AES_ECB, .tag_len = 16, .n = 16}, KW_ERR_BAD_REQUEST},
		{{.mode = CIPHER_AES_ECB, .aad_len = 1, .n = 16}, KW_ERR_BAD_REQUEST},
		{{.mode = CIPHER_AES_CBC, .iv_len = 16, .n = 17}, KW_ERR_BAD_REQUEST},
		{{.mode = CIPHER_AES_CBC, .iv_len = 12, .n = 16}, KW_ERR_BAD_REQUEST},
		{{.mode = CIPHER_AES_CBC, .n = 16}, KW_ERR_BAD_REQUEST},
		{{.mode = CIPHER_AES_CTR, .iv_len = 15, .n = 16}, KW_ERR_BAD_REQUEST},
		{{.mode = CIPHER_AES_GCM, .iv_len = 12, .tag_len = 11}, KW_ERR_BAD_REQUEST},
		{{.mode = CIPHER_AES_GCM, .iv_len = 12, .tag_len = 17}, KW_ERR_BAD_REQUEST},
		{{.mode = CIPHER_AES_GCM, .iv_len = 12}, KW_ERR_BAD_REQUEST},
		{{.mode = CIPHER_AES_GCM, .iv_len = 65, .tag_len = 16}, KW_ERR_BAD_REQUEST},
		{{.mode = CIPHER_AES_GCM, .iv_len = 12, .tag_len = 16, .aad_len = WIRE_AAD_MAX + 1},
			KW_ERR_BAD_REQUEST},
		{{.mode = CIPHER_AES_GCM, .decrypt = true, .tag_len = 16, .n = 32},
			KW_ERR_BAD_REQUEST},
		{{.mode = CIPHER_AES_KW, .n = 8}, KW_ERR_BAD_ALGORITHM},
		{{.mode = CIPHER_AES_KW, .n = 17}, KW_ERR_BAD_ALGORITHM},
		{{.mode = CIPHER_AES_KWP, .n = 0}, KW_ERR_BAD_ALGORITHM},
	};
	struct id id;

	(void)state;
	id = generate(KEY_TYPE_AES_256, BOTH);
	for (size_t i = 0; i < COUNT(all); i++) {
		struct cipher_call c = all[i].c;

		c.iv = c.aad = c.data = data;
		assert_int_equal(cipher(id, &c), all[i].expected);
	}
}

static void test_encrypt_alone_does_not_choose_the_key_stream(void **state)
{
	static const uint8_t iv[16] = {1}, data[16] = {2};
	struct cipher_call c = {.data = data, .n = 16};
	struct id both, encrypt, decrypt, mac, mixed;
	uint8_t sealed[64], nonce[12], again[12];

	(void)state;
	encrypt = generate(KEY_TYPE_AES_256, PURPOSE_ENCRYPT);
	decrypt = generate(KEY_TYPE_AES_256, PURPOSE_DECRYPT);
	both = generate(KEY_TYPE_AES_256, BOTH);
	mac = generate(KEY_TYPE_AES_256, PURPOSE_MAC);
	mixed = generate(KEY_TYPE_AES_256, PURPOSE_ENCRYPT | PURPOSE_MIXED);
	/* A block of one's choice is the key stream of a message that was encrypted with that nonce. */
	c.mode = CIPHER_AES_ECB;
	assert_int_equal(cipher(encrypt, &c), KW_ERR_PURPOSE);
	assert_int_equal(cipher(both, &c), KW_ERR_OK);
	assert_int_equal(cipher(mixed, &c), KW_ERR_OK);
	assert_int_equal(cipher(decrypt, &c), KW_ERR_PURPOSE);
	assert_int_equal(cipher(mac, &c), KW_ERR_PURPOSE);
	c.decrypt = true;
	assert_int_equal(cipher(encrypt, &c), KW_ERR_PURPOSE);
	assert_int_equal(cipher(decrypt, &c), KW_ERR_OK);
	c = (struct cipher_call){
		.mode = CIPHER_AES_CTR, .iv = iv, .iv_len = 16, .data = data, .n = 16};
	assert_int_equal(cipher(encrypt, &c), KW_ERR_PURPOSE);
	assert_int_equal(cipher(both, &c), KW_ERR_OK);
	c.mode = CIPHER_AES_CBC;
	assert_int_equal(cipher(encrypt, &c), KW_ERR_PURPOSE);
	assert_int_equal(cipher(both, &c), KW_ERR_OK);
	assert_int_equal(cipher(mixed, &c), KW_ERR_OK);
	c.mode = CIPHER_AES_GCM;
	c.tag_len = 16;
	assert_int_equal(cipher(encrypt, &c), KW_ERR_PURPOSE);
	assert_int_equal(cipher(both, &c), KW_ERR_OK);
	assert_int_equal(cipher(mixed, &c), KW_ERR_OK);
	/* With a nonce of the TEE's making it may, and gets it. */
	c.iv_len = 0;
	assert_int_equal(cipher(encrypt, &c), KW_ERR_OK);
	cipher_result(sealed, nonce);
	assert_int_equal(cipher(both, &c), KW_ERR_OK);
	assert_int_equal(cipher_result(sealed, again), 32);
	assert_memory_not_equal(nonce, again, sizeof(nonce));
	c = (struct cipher_call){.mode = CIPHER_AES_GCM,
		.iv = again,
		.iv_len = 12,
		.tag_len = 16,
		.decrypt = true,
		.data = sealed,
		.n = 32};
	assert_int_equal(cipher(both, &c), KW_ERR_OK);
	assert_int_equal(cipher_result(sealed, NULL), 16);
	assert_memory_equal(sealed, data, 16);
}

static void test_keys_of_other_types(void **state)
{
	static const uint8_t types[] = {KEY_TYPE_EC_P256, KEY_TYPE_ED25519};
	struct cipher_call c = {.mode = CIPHER_AES_ECB};
	struct id hmac, aes;
	struct writer w;

	(void)state;
	hmac = generate(KEY_TYPE_HMAC, PURPOSE_MAC);
	aes = generate(KEY_TYPE_AES_128, BOTH | PURPOSE_MAC);
	assert_int_equal(cipher(hmac, &c), KW_ERR_BAD_ALGORITHM);
	for (size_t i = 0; i < COUNT(types); i++)
		assert_int_equal(
			cipher(generate(types[i], PURPOSE_SIGN), &c), KW_ERR_BAD_ALGORITHM);
	assert_int_equal(mac_as(OWNER, aes, MAC_HMAC, HASH_SHA256, MAC_MAKE, NULL, 0, "a"),
		KW_ERR_BAD_ALGORITHM);
	assert_int_equal(mac_as(OWNER, hmac, MAC_CMAC, HASH_NONE, MAC_MAKE, NULL, 0, "a"),
		KW_ERR_BAD_ALGORITHM);
	/* Nor do secret keys sign or have requests made. */
	w = fresh();
	put_bytes(&w, aes.b, sizeof(aes.b));
	put_u8(&w, SCHEME_ECDSA);
	put_u8(&w, HASH_SHA256);
	put_u8(&w, INPUT_MESSAGE);
	put_u16(&w, 0);
	put_field32(&w, "a", 1);
	assert_int_equal(call(OWNER, CMD_SIGN, &w), KW_ERR_BAD_ALGORITHM);
	w = fresh();
	put_u8(&w, TARGET_ID);
	put_bytes(&w, aes.b, sizeof(aes.b));
	put_u16(&w, 0);
	put_u8(&w, 0);
	assert_int_equal(call(OWNER, CMD_KEY_CSR, &w), KW_ERR_PURPOSE);
}

static void test_strangers_are_refused(void **state)
{
	struct cipher_call c = {.mode = CIPHER_AES_ECB};
	struct id aes, hmac;

	(void)state;
	aes = generate(KEY_TYPE_AES_128, BOTH);
	hmac = generate(KEY_TYPE_HMAC, PURPOSE_MAC);
	assert_int_equal(cipher_as(SERVER, aes, &c), KW_ERR_OK);
	assert_int_equal(cipher_as(STRANGER, aes, &c), KW_ERR_ACCESS);
	assert_int_equal(cipher_as(ADMIN, aes, &c), KW_ERR_ACCESS);
	assert_int_equal(mac_as(STRANGER, hmac, MAC_HMAC, HASH_SHA256, MAC_MAKE, NULL, 0, "a"),
		KW_ERR_ACCESS);
	aes.b[0] ^= 1;
	assert_int_equal(cipher_as(SERVER, aes, &c), KW_ERR_NOT_LOADED);
}

/* RFC 4231, test case 2, and RFC 4493, example 2. */
static void test_macs(void **state)
{
	static const uint8_t aes[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7,
		0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
	static const char cmac_empty[] =
		"\xbb\x1d\x69\x29\xe9\x59\x37\x28\x7f\xa3\x7d\x12\x9b\x75\x67\x46";
	static const char hmac_256[] =
		"\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7"
		"\x5a\x00\x3f\x08\x9d\x27\x39\x83\x9d\xec\x58\xb9\x64\xec\x38\x43";
	static const char text[] = "what do ya want for nothing?";
	struct id hmac, cmac, none;
	uint8_t tag[33];

	(void)state;
	hmac = import(KEY_TYPE_HMAC, PURPOSE_MAC, "Jefe", 4);
	cmac = import(KEY_TYPE_AES_128, PURPOSE_MAC, aes, sizeof(aes));
	none = import(KEY_TYPE_AES_128, BOTH, aes, sizeof(aes));
	assert_int_equal(mac_as(OWNER, hmac, MAC_HMAC, HASH_SHA256, MAC_MAKE, NULL, 0, text), 0);
	assert_int_equal(reply_len, 33);
	assert_memory_equal(reply + 1, hmac_256, 32);
	memcpy(tag, hmac_256, 32);
	for (size_t n = 0; n <= 33; n++) {
		assert_int_equal(
			mac_as(OWNER, hmac, MAC_HMAC, HASH_SHA256, MAC_VERIFY, tag, n, text),
			n < 4 || n > 32 ? KW_ERR_BAD_REQUEST : KW_ERR_OK);
		if (n < 4 || n > 32)
			continue;
		assert_int_equal(reply_len, 1);
		tag[n - 1] ^= 1;
		assert_int_equal(
			mac_as(OWNER, hmac, MAC_HMAC, HASH_SHA256, MAC_VERIFY, tag, n, text),
			KW_ERR_BAD_MAC);
		tag[n - 1] ^= 1;
	}
	assert_int_equal(mac_as(OWNER, cmac, MAC_CMAC, HASH_NONE, MAC_MAKE, NULL, 0, ""), 0);
	assert_memory_equal(reply + 1, cmac_empty, 16);
	assert_int_equal(mac_as(OWNER, cmac, MAC_CMAC, HASH_NONE, MAC_VERIFY, cmac_empty, 16, ""),
		KW_ERR_OK);
	assert_int_equal(
		mac_as(OWNER, none, MAC_CMAC, HASH_NONE, MAC_MAKE, NULL, 0, ""), KW_ERR_PURPOSE);
	/* No hash, one too many, no such work, a tag that is not asked for. */
	assert_int_equal(mac_as(OWNER, hmac, MAC_HMAC, HASH_NONE, MAC_MAKE, NULL, 0, ""),
		KW_ERR_BAD_REQUEST);
	assert_int_equal(mac_as(OWNER, cmac, MAC_CMAC, HASH_SHA256, MAC_MAKE, NULL, 0, ""),
		KW_ERR_BAD_REQUEST);
	assert_int_equal(
		mac_as(OWNER, hmac, MAC_HMAC, HASH_SHA256, 3, NULL, 0, ""), KW_ERR_BAD_REQUEST);
	assert_int_equal(mac_as(OWNER, hmac, MAC_HMAC, HASH_SHA256, MAC_MAKE, tag, 4, ""),
		KW_ERR_BAD_REQUEST);
}

static void test_secret_keys_survive_a_restart(void **state)
{
	struct id id = generate(KEY_TYPE_HMAC, PURPOSE_MAC);
	uint8_t before[33];
	struct writer w;

	(void)state;
	assert_int_equal(mac_as(OWNER, id, MAC_HMAC, HASH_SHA256, MAC_MAKE, NULL, 0, "a"), 0);
	memcpy(before, reply, sizeof(before));
	core_close(&core);
	assert_int_equal(core_open(NULL, &core), 0);
	assert_int_equal(mac_as(OWNER, id, MAC_HMAC, HASH_SHA256, MAC_MAKE, NULL, 0, "a"), 0);
	assert_memory_equal(reply, before, sizeof(before));
	/* A changed access list changes the record, and not the id. */
	w = fresh();
	put_u8(&w, TARGET_ID);
	put_bytes(&w, id.b, sizeof(id.b));
	put_u8(&w, ACCESS_ALLOW);
	put_u8(&w, IDENTITY_USER);
	put_u32(&w, STRANGER);
	assert_int_equal(call(OWNER, CMD_KEY_ACCESS, &w), KW_ERR_OK);
	assert_memory_equal(reply, id.b, sizeof(id.b));
	assert_int_equal(mac_as(STRANGER, id, MAC_HMAC, HASH_SHA256, MAC_MAKE, NULL, 0, "a"), 0);
	assert_memory_equal(reply, before, sizeof(before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
		cmocka_unit_test_setup_teardown(test_secret_keys_are_described, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_import_takes_keys_of_their_length, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_purposes_that_fit_and_those_that_mix, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ciphers_go_there_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_what_is_not_authentic_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed_cipher_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_encrypt_alone_does_not_choose_the_key_stream, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys_of_other_types, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strangers_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_macs, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_secret_keys_survive_a_restart, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests about secret keys that are cut off, too long, changed, or come when memory is short. */
#include "test_calls.h"

static const uint8_t kek[32] = "this key is known to both sides";
static struct id aes, hmac_key, x, by, leaves, pair;
static struct {
	uint8_t data[200];
	size_t len;
} wrapped, wrapped_pair;

/* The second kind of a command: HKDF, and a pair of keys that goes out and in. */
#define SECOND 1000

static const uint16_t commands[] = {CMD_RANDOM, CMD_CIPHER, CMD_MAC, CMD_DERIVE,
	CMD_DERIVE + SECOND, CMD_WRAP, CMD_WRAP + SECOND, CMD_UNWRAP, CMD_UNWRAP + SECOND};

/* A stored one of a fixed name: a second one is refused. */
static void put_new(struct writer *w, uint8_t type)
{
	put_u8(w, type);
	put_u8(w, PLACE_STORED);
	put_u32(w, type == KEY_TYPE_HMAC      ? PURPOSE_MAC
		   : type == KEY_TYPE_EC_P256 ? PURPOSE_SIGN
					      : PURPOSE_ENCRYPT);
	put_field8(w, "new", 3);
	put_u8(w, 1);
	put_u8(w, IDENTITY_USER);
	put_u32(w, SERVER);
	put_field16(w, "attributes", 10);
}

/* One that succeeds. */
static struct writer sample(uint16_t command)
{
	struct writer w = fresh();

	switch (command) {
	case CMD_RANDOM:
		put_u16(&w, 16);
		break;
	case CMD_CIPHER:
		put_bytes(&w, aes.b, sizeof(aes.b));
		put_u8(&w, CIPHER_AES_GCM);
		put_u8(&w, DIRECTION_ENCRYPT);
		put_field8(&w, "twelve bytes", 12);
		put_u8(&w, 16);
		put_field16(&w, "associated", 10);
		put_field32(&w, "message", 7);
		break;
	case CMD_MAC:
		put_bytes(&w, hmac_key.b, sizeof(hmac_key.b));
		put_u8(&w, MAC_HMAC);
		put_u8(&w, HASH_SHA256);
		put_u8(&w, MAC_MAKE);
		put_field8(&w, NULL, 0);
		put_field32(&w, "message", 7);
		break;
	case CMD_DERIVE:
		put_bytes(&w, x.b, sizeof(x.b));
		put_u8(&w, DERIVATION_AGREEMENT);
		put_u8(&w, HASH_SHA256);
		put_u8(&w, KDF_X963);
		put_field16(&w, "\x09 is the base point of the curve", 32);
		put_field16(&w, "info", 4);
		put_u8(&w, DERIVED_KEY);
		put_u16(&w, 0);
		put_new(&w, KEY_TYPE_AES_256);
		break;
	case CMD_DERIVE + SECOND:
		put_bytes(&w, hmac_key.b, sizeof(hmac_key.b));
		put_u8(&w, DERIVATION_HKDF);
		put_u8(&w, HASH_SHA256);
		put_u8(&w, HKDF_EXTRACT | HKDF_EXPAND);
		put_field16(&w, "salt", 4);
		put_field16(&w, "info", 4);
		put_u8(&w, DERIVED_KEY);
		put_u16(&w, 40);
		put_new(&w, KEY_TYPE_HMAC);
		break;
	default:
		put_bytes(&w, by.b, sizeof(by.b));
		put_u8(&w, WRAPPING_AES_KWP);
		put_u16(&w, 0);
		put_field16(&w, NULL, 0);
		if (command == CMD_WRAP) {
			put_bytes(&w, leaves.b, sizeof(leaves.b));
		} else if (command == CMD_WRAP + SECOND) {
			put_bytes(&w, pair.b, sizeof(pair.b));
		} else if (command == CMD_UNWRAP) {
			put_field16(&w, wrapped.data, wrapped.len);
			put_new(&w, KEY_TYPE_HMAC);
		} else {
			put_field16(&w, wrapped_pair.data, wrapped_pair.len);
			put_new(&w, KEY_TYPE_EC_P256);
		}
	}
	return w;
}

static enum kw_err send(uint16_t command, const struct writer *w)
{
	return call(OWNER, command % SECOND, w);
}

static enum kw_err forget_new(void)
{
	struct writer w = fresh();

	put_u8(&w, TARGET_NAME);
	put_field8(&w, "new", 3);
	return call(OWNER, CMD_KEY_DELETE, &w);
}

static void make_keys(void)
{
	struct writer w;

	aes = generate(KEY_TYPE_AES_128, PURPOSE_ENCRYPT | PURPOSE_DECRYPT);
	hmac_key = generate(KEY_TYPE_HMAC, PURPOSE_MAC | PURPOSE_DERIVE | PURPOSE_MIXED);
	x = generate(KEY_TYPE_X25519, PURPOSE_DERIVE);
	by = import(KEY_TYPE_AES_256, PURPOSE_WRAP | PURPOSE_UNWRAP, kek, sizeof(kek));
	leaves = generate(KEY_TYPE_HMAC, PURPOSE_MAC | PURPOSE_EXTRACTABLE);
	w = sample(CMD_WRAP);
	assert_int_equal(send(CMD_WRAP, &w), KW_ERR_OK);
	wrapped.len = reply_len - 2;
	memcpy(wrapped.data, reply + 2, wrapped.len);
	pair = generate(KEY_TYPE_EC_P256, PURPOSE_SIGN | PURPOSE_EXTRACTABLE);
	w = sample(CMD_WRAP + SECOND);
	assert_int_equal(send(CMD_WRAP, &w), KW_ERR_OK);
	wrapped_pair.len = reply_len - 2;
	memcpy(wrapped_pair.data, reply + 2, wrapped_pair.len);
	/* So that it can come in again. */
	w = fresh();
	put_u8(&w, TARGET_ID);
	put_bytes(&w, pair.b, sizeof(pair.b));
	assert_int_equal(call(OWNER, CMD_KEY_DELETE, &w), KW_ERR_OK);
	pair = generate(KEY_TYPE_EC_P256, PURPOSE_SIGN | PURPOSE_EXTRACTABLE);
}

static void test_whole_requests_only(void **state)
{
	struct writer w, part;

	(void)state;
	make_keys();
	for (size_t c = 0; c < COUNT(commands); c++) {
		w = sample(commands[c]);
		for (size_t n = 0; n < w.len; n++) {
			part = writer_over(request, n);
			part.len = n;
			assert_int_not_equal(send(commands[c], &part), KW_ERR_OK);
		}
		request[w.len] = 0;
		part.len = w.len + 1;
		assert_int_not_equal(send(commands[c], &part), KW_ERR_OK);
		assert_int_equal(forget_new(), KW_ERR_NO_KEY);
		w = sample(commands[c]);
		assert_int_equal(send(commands[c], &w), KW_ERR_OK);
		(void)forget_new();
	}
}

/* Whatever a byte is changed to: an answer, and the keys are what they were. */
static void test_changed_requests(void **state)
{
	static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	uint8_t before[32], after[32];
	struct writer w;

	(void)state;
	make_keys();
	assert_int_equal(hmac(leaves, before), KW_ERR_OK);
	for (size_t c = 0; c < COUNT(commands); c++) {
		size_t n = sample(commands[c]).len;

		for (size_t at = 0; at < n; at++) {
			for (size_t v = 0; v < COUNT(values); v++) {
				w = sample(commands[c]);
				request[at] = values[v];
				if (!send(commands[c], &w) && commands[c] % SECOND != CMD_WRAP)
					(void)forget_new();
				assert_int_not_equal(reply_len, sizeof(reply));
			}
		}
	}
	assert_int_equal(hmac(leaves, after), KW_ERR_OK);
	assert_memory_equal(before, after, sizeof(before));
}

#ifndef KW_LIVE_TEE
static void test_out_of_memory(void **state)
{
	enum kw_err err;
	struct writer w;
	bool is_reached;

	(void)state;
	make_keys();
	for (size_t c = 0; c < COUNT(commands); c++) {
		unsigned n = 0, refused = 0;

		do {
			core_close(&core);
			assert_int_equal(core_open(NULL, &core), 0);
			w = sample(commands[c]);
			platform_memory_fail_alloc(++n);
			err = send(commands[c], &w);
			is_reached = platform_memory_fail_alloc_left() == 0;
			platform_memory_fail_alloc(0);
			/* What the request has opened makes room, where that is enough. */
			if (err) {
				assert_int_equal(err, KW_ERR_NO_MEMORY);
				assert_true(is_reached);
			}
			/* All or nothing. */
			if (err)
				assert_int_equal(forget_new(), KW_ERR_NO_KEY);
			else
				(void)forget_new();
			refused += err != KW_ERR_OK;
		} while (is_reached);
		assert_true(refused > 0 || commands[c] == CMD_RANDOM);
	}
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole_requests_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_requests, setup, teardown),
#ifndef KW_LIVE_TEE
		cmocka_unit_test_setup_teardown(test_out_of_memory, setup, teardown),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

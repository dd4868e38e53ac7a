/* SPDX-License-Identifier: BSD-2-Clause */
/* Attestation statements as whoever verifies them meets them: what they say, who signed, and who may ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "core/core.h"
#include "core/crypto.h"
#include "keyward/keyward.h"
#include "tests/support/platform_memory.h"
#include "tests/support/storage_memory.h"
#include "wire/codec.h"

#define ADMIN 0
#define OWNER 1000
#define FRIEND 33
#define STRANGER 4711
#define NOW 1790000000u

static struct core *core;
static uint8_t reply[8192];
static size_t reply_len;

static enum kw_err call(uint32_t uid, uint16_t command, const struct writer *w)
{
	struct session s = {.user = {.id = uid, .kind = IDENTITY_USER}};
	uint8_t *exact = malloc(w->len ? w->len : 1);
	enum kw_err err;

	assert_false(w->failed);
	assert_non_null(exact);
	if (w->len)
		memcpy(exact, w->buf, w->len);
	assert_int_equal(platform_identity(IDENTITY_USER, uid, s.user.uuid), 0);
	s.is_admin = uid == ADMIN;
	s.may_create = uid == OWNER;
	err = kw_dispatch(core, &s, command, exact, w->len, reply, sizeof(reply), &reply_len);
	free(exact);
	return err;
}

static int setup(void **state)
{
	(void)state;
	platform_memory_set_device(1);
	platform_memory_set_time(NOW);
	storage_memory_reset();
	return core_open(NULL, &core) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	core_close(&core);
	platform_memory_set_time(0);
	storage_memory_reset();
	return 0;
}

/* Gives the id, and for a sealed key its record. */
static void make(uint16_t command, uint8_t type, uint8_t place, uint32_t purposes,
	uint8_t id[WIRE_ID_SIZE], uint8_t *record, size_t *record_len)
{
	static const uint8_t scalar[32] = {1, 2, 3, 4};
	uint8_t buf[256];
	struct writer w = writer_over(buf, sizeof(buf));
	struct reader r;
	const uint8_t *p = NULL;
	size_t n;

	put_u8(&w, type);
	put_u8(&w, place);
	put_u32(&w, purposes);
	put_field8(&w, "key", 3);
	put_u8(&w, 1);
	put_u8(&w, IDENTITY_USER);
	put_u32(&w, FRIEND);
	put_field16(&w, "", 0);
	if (command == CMD_KEY_IMPORT)
		put_field16(&w, scalar, sizeof(scalar));
	assert_int_equal(call(OWNER, command, &w), 0);
	memcpy(id, reply, WIRE_ID_SIZE);
	if (!record)
		return;
	/* The record is the last field: descriptions of keys of one type and name are equally long. */
	for (n = 0; n + 2 < reply_len; n++) {
		r = reader_over(reply + n, reply_len - n);
		p = get_field16(&r, WIRE_RECORD_MAX, record_len);
		if (p && reader_done(&r) && *record_len > 150)
			break;
	}
	assert_true(n + 2 < reply_len);
	memcpy(record, p, *record_len);
}

static enum kw_err attest(uint32_t uid, const uint8_t *id, const char *challenge)
{
	uint8_t buf[256];
	struct writer w = writer_over(buf, sizeof(buf));

	put_u8(&w, TARGET_ID);
	put_bytes(&w, id, WIRE_ID_SIZE);
	put_field8(&w, challenge, strlen(challenge));
	return call(uid, CMD_KEY_ATTEST, &w);
}

/* The statement of the last reply; with `flip` below its length this byte is another. */
static struct kw_attestation *parsed(size_t flip)
{
	struct reader r = reader_over(reply, reply_len);
	struct kw_attestation *a = NULL;
	uint8_t copy[WIRE_ATTESTATION_MAX];
	size_t n;
	const uint8_t *p = get_field16(&r, sizeof(copy), &n);

	assert_true(reader_done(&r));
	memcpy(copy, p, n);
	if (flip < n)
		copy[flip] ^= 1;
	if (kw_attestation_parse(copy, n, &a))
		assert_true(flip < n && !a);
	return a;
}

static size_t statement_size(void)
{
	return reply_len - 2;
}

static EVP_PKEY *attestation_key(uint8_t id[WIRE_ID_SIZE])
{
	struct writer nothing = writer_over(NULL, 0);
	struct reader r;
	const uint8_t *spki;
	EVP_PKEY *key;
	size_t n;

	assert_int_equal(call(STRANGER, CMD_ATTEST_KEY, &nothing), 0);
	r = reader_over(reply, reply_len);
	spki = get_field16(&r, WIRE_SPKI_MAX, &n);
	assert_true(reader_done(&r));
	assert_int_equal(EVP_Digest(spki, n, id, NULL, EVP_sha256(), NULL), 1);
	key = d2i_PUBKEY(NULL, &spki, (long)n);
	assert_non_null(key);
	assert_int_equal(EVP_PKEY_get_id(key), EVP_PKEY_ED25519);
	return key;
}

static bool is_signed_by(const struct kw_attestation *a, EVP_PKEY *key)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t n, sig_len;
	const uint8_t *sig = kw_attestation_signature(a, &sig_len);
	const uint8_t *data = kw_attestation_signed(a, &n);
	bool ok;

	assert_non_null(md);
	assert_int_equal(EVP_DigestVerifyInit(md, NULL, NULL, NULL, key), 1);
	ok = EVP_DigestVerify(md, sig, sig_len, data, n) == 1;
	EVP_MD_CTX_free(md);
	return ok;
}

static void test_statement(void **state)
{
	uint8_t id[WIRE_ID_SIZE], signer[WIRE_ID_SIZE], digest[32];
	enum kw_protection_state protection;
	EVP_PKEY *key = attestation_key(signer);
	struct kw_attestation *a;
	const uint8_t *p;
	size_t n;

	(void)state;
	make(CMD_KEY_GENERATE, KEY_TYPE_EC_P256, PLACE_STORED, PURPOSE_SIGN | PURPOSE_CSR, id, NULL,
		NULL);
	assert_int_equal(attest(OWNER, id, "0123456789abcdef"), 0);
	a = parsed(SIZE_MAX);
	assert_true(is_signed_by(a, key));
	assert_memory_equal(kw_attestation_signer(a), signer, sizeof(signer));
	assert_memory_equal(kw_attestation_id(a), id, sizeof(id));
	p = kw_attestation_spki(a, &n);
	assert_int_equal(EVP_Digest(p, n, digest, NULL, EVP_sha256(), NULL), 1);
	assert_memory_equal(digest, id, sizeof(id));
	p = kw_attestation_challenge(a, &n);
	assert_int_equal(n, 16);
	assert_memory_equal(p, "0123456789abcdef", 16);
	assert_int_equal(kw_attestation_time(a), NOW);
	assert_int_equal(kw_attestation_created(a), NOW);
	assert_string_equal(kw_attestation_type(a), "ec-p256");
	assert_false(kw_attestation_is_imported(a));
	assert_false(kw_attestation_is_sealed(a));
	assert_false(kw_attestation_is_extractable(a));
	assert_string_equal(kw_attestation_purpose(a, 0), "csr");
	assert_string_equal(kw_attestation_purpose(a, 1), "sign");
	assert_null(kw_attestation_purpose(a, 2));
	assert_string_equal(kw_attestation_tee(a), "host");
	assert_string_equal(kw_attestation_version(a), "test");
	assert_string_equal(kw_attestation_protection(a, 0, &protection), "test");
	assert_int_equal(protection, KW_PROTECTION_ABSENT);
	assert_null(kw_attestation_protection(a, 1, &protection));
	kw_attestation_free(&a);
	EVP_PKEY_free(key);
}

/* Each byte of it: either it is no statement any more, or the signature does not fit. */
static void test_changed_byte(void **state)
{
	uint8_t id[WIRE_ID_SIZE], signer[WIRE_ID_SIZE];
	EVP_PKEY *key = attestation_key(signer);
	struct kw_attestation *a;
	unsigned parses = 0;

	(void)state;
	make(CMD_KEY_GENERATE, KEY_TYPE_ED25519, PLACE_STORED, PURPOSE_SIGN, id, NULL, NULL);
	assert_int_equal(attest(OWNER, id, "challenge"), 0);
	for (size_t i = 0; i < statement_size(); i++) {
		a = parsed(i);
		parses += a != NULL;
		if (a && is_signed_by(a, key))
			fail_msg("byte %zu may be changed", i);
		kw_attestation_free(&a);
	}
	/* Signature, ids and challenge alone are more. */
	assert_true(parses > 64 + 32 + 32 + 9);
	EVP_PKEY_free(key);
}

static void test_imported(void **state)
{
	uint8_t id[WIRE_ID_SIZE];
	struct kw_attestation *a;
	size_t n;

	(void)state;
	make(CMD_KEY_IMPORT, KEY_TYPE_EC_P256, PLACE_STORED, PURPOSE_SIGN, id, NULL, NULL);
	assert_int_equal(attest(OWNER, id, ""), 0);
	a = parsed(SIZE_MAX);
	assert_true(kw_attestation_is_imported(a));
	assert_null(kw_attestation_challenge(a, &n));
	assert_int_equal(n, 0);
	kw_attestation_free(&a);
}

static enum kw_err attest_record(uint32_t uid, const uint8_t *record, size_t len)
{
	uint8_t buf[WIRE_RECORD_MAX + 8];
	struct writer w = writer_over(buf, sizeof(buf));

	put_u8(&w, TARGET_RECORD);
	put_field16(&w, record, len);
	put_field8(&w, "", 0);
	return call(uid, CMD_KEY_ATTEST, &w);
}

static void test_sealed(void **state)
{
	uint8_t id[WIRE_ID_SIZE], record[WIRE_RECORD_MAX];
	struct kw_attestation *a;
	size_t len;

	(void)state;
	make(CMD_KEY_GENERATE, KEY_TYPE_EC_P384, PLACE_SEALED, PURPOSE_SIGN, id, record, &len);
	assert_int_equal(attest_record(FRIEND, record, len), 0);
	a = parsed(SIZE_MAX);
	assert_true(kw_attestation_is_sealed(a));
	assert_memory_equal(kw_attestation_id(a), id, sizeof(id));
	kw_attestation_free(&a);
	assert_int_equal(attest_record(STRANGER, record, len), KW_ERR_ACCESS);
	for (size_t i = 0; i < len; i++) {
		record[i] ^= 1;
		assert_int_not_equal(attest_record(OWNER, record, len), 0);
		record[i] ^= 1;
	}
}

/* It has an id and no public key; and what may leave is said to. */
static void test_secret_key(void **state)
{
	uint8_t id[WIRE_ID_SIZE], signer[WIRE_ID_SIZE], record[WIRE_RECORD_MAX];
	EVP_PKEY *key = attestation_key(signer);
	struct kw_attestation *a;
	size_t n, len;

	(void)state;
	make(CMD_KEY_GENERATE, KEY_TYPE_AES_256, PLACE_STORED, PURPOSE_ENCRYPT, id, NULL, NULL);
	assert_int_equal(attest(OWNER, id, ""), 0);
	a = parsed(SIZE_MAX);
	assert_true(is_signed_by(a, key));
	assert_memory_equal(kw_attestation_id(a), id, sizeof(id));
	assert_null(kw_attestation_spki(a, &n));
	assert_string_equal(kw_attestation_type(a), "aes-256");
	assert_false(kw_attestation_is_extractable(a));
	kw_attestation_free(&a);
	make(CMD_KEY_GENERATE, KEY_TYPE_AES_256, PLACE_SEALED,
		PURPOSE_ENCRYPT | PURPOSE_EXTRACTABLE, id, record, &len);
	assert_int_equal(attest_record(OWNER, record, len), 0);
	a = parsed(SIZE_MAX);
	assert_true(kw_attestation_is_extractable(a));
	assert_string_equal(kw_attestation_purpose(a, 1), "extractable");
	kw_attestation_free(&a);
	EVP_PKEY_free(key);
}

static void test_who_may_ask(void **state)
{
	uint8_t id[WIRE_ID_SIZE], other[WIRE_ID_SIZE] = {0};

	(void)state;
	make(CMD_KEY_GENERATE, KEY_TYPE_EC_P256, PLACE_STORED, PURPOSE_TLS_SERVER, id, NULL, NULL);
	assert_int_equal(attest(OWNER, id, ""), 0);
	assert_int_equal(attest(FRIEND, id, ""), 0);
	assert_int_equal(attest(ADMIN, id, ""), 0);
	assert_int_equal(attest(STRANGER, id, ""), KW_ERR_ACCESS);
	assert_int_equal(attest(OWNER, other, ""), KW_ERR_NO_KEY);
}

static void test_requests(void **state)
{
	static const size_t sizes[] = {0, 1, 7, 8, 64, 65, 255};
	uint8_t id[WIRE_ID_SIZE], buf[512], challenge[255] = {0};
	struct writer w;

	(void)state;
	make(CMD_KEY_GENERATE, KEY_TYPE_EC_P256, PLACE_STORED, PURPOSE_SIGN, id, NULL, NULL);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bool good = !sizes[i] || (sizes[i] >= 8 && sizes[i] <= 64);

		w = writer_over(buf, sizeof(buf));
		put_u8(&w, TARGET_NAME);
		put_field8(&w, "key", 3);
		put_field8(&w, challenge, sizes[i]);
		assert_int_equal(
			call(OWNER, CMD_KEY_ATTEST, &w), good ? KW_ERR_OK : KW_ERR_BAD_REQUEST);
		w.len--;
		assert_int_equal(call(OWNER, CMD_KEY_ATTEST, &w), KW_ERR_BAD_REQUEST);
		put_u16(&w, 0);
		assert_int_equal(call(OWNER, CMD_KEY_ATTEST, &w), KW_ERR_BAD_REQUEST);
	}
	w = writer_over(buf, sizeof(buf));
	put_u8(&w, 0);
	assert_int_equal(call(OWNER, CMD_ATTEST_KEY, &w), KW_ERR_TOO_LARGE);
}

static void test_one_key_for_life(void **state)
{
	uint8_t before[WIRE_ID_SIZE], after[WIRE_ID_SIZE];
	EVP_PKEY *key = attestation_key(before), *again, *other;

	(void)state;
	core_close(&core);
	assert_int_equal(core_open(NULL, &core), 0);
	again = attestation_key(after);
	assert_int_equal(EVP_PKEY_eq(key, again), 1);
	assert_memory_equal(before, after, sizeof(before));
	/* Without its store a device is the same device; another one has another key. */
	core_close(&core);
	storage_memory_reset();
	platform_memory_set_device(2);
	assert_int_equal(core_open(NULL, &core), 0);
	other = attestation_key(after);
	assert_int_not_equal(EVP_PKEY_eq(key, other), 1);
	EVP_PKEY_free(other);
	EVP_PKEY_free(again);
	EVP_PKEY_free(key);
}

/* The longest statement there can be fits, and the time may be unknown. */
static void test_longest(void **state)
{
	uint8_t id[WIRE_ID_SIZE];
	struct kw_attestation *a;
	char challenge[65];

	(void)state;
	memset(challenge, 'c', 64);
	challenge[64] = '\0';
	make(CMD_KEY_GENERATE, KEY_TYPE_RSA_4096, PLACE_STORED,
		PURPOSE_TLS_SERVER | PURPOSE_TLS_CLIENT | PURPOSE_CSR | PURPOSE_SIGN |
			PURPOSE_DECRYPT | PURPOSE_DECRYPT_PKCS1 | PURPOSE_RAW | PURPOSE_WRAP |
			PURPOSE_UNWRAP | PURPOSE_MIXED,
		id, NULL, NULL);
	assert_int_equal(attest(OWNER, id, challenge), 0);
	a = parsed(SIZE_MAX);
	assert_string_equal(kw_attestation_type(a), "rsa-4096");
	kw_attestation_free(&a);
	/* What a TEE with all protections and the longest version text adds. */
	assert_true(statement_size() + 400 < WIRE_ATTESTATION_MAX);
}

static void test_out_of_memory(void **state)
{
	uint8_t id[WIRE_ID_SIZE];
	unsigned blocks, n = 0;
	enum kw_err err;

	(void)state;
	make(CMD_KEY_GENERATE, KEY_TYPE_ED25519, PLACE_STORED, PURPOSE_SIGN, id, NULL, NULL);
	blocks = platform_memory_blocks();
	do {
		platform_memory_fail_alloc(++n);
		err = attest(OWNER, id, "");
		assert_int_equal(platform_memory_blocks(), blocks);
		assert_true(!err || err == KW_ERR_NO_MEMORY);
	} while (err || !platform_memory_fail_alloc_left());
	platform_memory_fail_alloc(0);
	assert_true(n > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_statement, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(test_imported, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sealed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_secret_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_may_ask, setup, teardown),
		cmocka_unit_test_setup_teardown(test_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_key_for_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_longest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

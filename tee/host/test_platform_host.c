/* SPDX-License-Identifier: BSD-2-Clause */
/* Identity, device key and device secret. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crypto.h"
#include "core/platform.h"
#include "device_secret.h"
#include "peer.h"
#include "platform_host.h"
#include "secret_memory.h"

static char dir[] = "/tmp/keyward-test.XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/keyward-test.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/secret", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	/* Fails when something was left in it, such as a temporary file. */
	return rmdir(dir);
}

static void identities_are_uuid5(void **state)
{
	/* From Python's uuid.uuid5(UUID('58ac9ca0-2086-4683-a1b8-ec4bc08e01b6'), name). */
	static const struct {
		enum wire_identity_kind kind;
		uint32_t id;
		const char *hex;
	} known[] = {
		{IDENTITY_USER, 0, "ef0180a313f35d1cb7f5888c0e21059a"},
		{IDENTITY_USER, 1000, "fc34275cd8dd5ba7968b504718363b87"},
		{IDENTITY_USER, 33, "338c769e304d56e9a9fb1b2649eaf13c"},
		{IDENTITY_GROUP, 33, "9cf34264dc785dd28a20f148b757986d"},
		{IDENTITY_GROUP, 0xfffffffe, "8375c01c968e5872b871171afa317cee"},
	};
	uint8_t uuid[WIRE_UUID_SIZE];
	char hex[33];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_int_equal(platform_identity(known[i].kind, known[i].id, uuid), 0);
		for (size_t k = 0; k < sizeof(uuid); k++)
			(void)snprintf(hex + 2 * k, 3, "%02x", uuid[k]);
		assert_string_equal(hex, known[i].hex);
	}
}

static void device_keys_differ_by_label_and_secret(void **state)
{
	uint8_t secret[DEVICE_SECRET_SIZE] = {1}, a[32], b[32], again[32];

	(void)state;
	assert_int_equal(platform_set_secret(secret), 0);
	assert_int_equal(secret[0], 0); /* wiped */
	assert_int_equal(platform_device_key("records", a), 0);
	assert_int_equal(platform_device_key("log", b), 0);
	assert_int_equal(platform_device_key("records", again), 0);
	assert_memory_equal(a, again, 32);
	assert_memory_not_equal(a, b, 32);
	secret[0] = 2;
	assert_int_equal(platform_set_secret(secret), 0);
	assert_int_equal(platform_device_key("records", again), 0);
	assert_memory_not_equal(a, again, 32);
	platform_forget_secret();
	assert_int_not_equal(platform_device_key("records", again), 0);
}

static void a_secret_is_made_once(void **state)
{
	uint8_t first[DEVICE_SECRET_SIZE] = {0}, second[DEVICE_SECRET_SIZE] = {0};
	const uint8_t zero[DEVICE_SECRET_SIZE] = {0};
	struct stat st;

	(void)state;
	umask(0);
	assert_int_equal(device_secret_open(path, true, first), 0);
	assert_memory_not_equal(first, zero, sizeof(zero));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(device_secret_open(path, true, second), 0);
	assert_memory_equal(first, second, sizeof(first));
	assert_int_equal(device_secret_open(path, false, second), 0);
}

static void a_missing_secret_of_a_store_is_not_replaced(void **state)
{
	uint8_t secret[DEVICE_SECRET_SIZE];

	(void)state;
	assert_int_equal(device_secret_open(path, false, secret), KW_ERR_OTHER_DEVICE);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_bad_secret_is_refused(void **state)
{
	uint8_t secret[DEVICE_SECRET_SIZE];

	(void)state;
	assert_int_equal(device_secret_open(path, true, secret), 0);
	for (mode_t bit = 1; bit < 0100; bit <<= 1) {
		assert_int_equal(chmod(path, 0600 | bit), 0);
		assert_int_equal(device_secret_open(path, true, secret), KW_ERR_ACCESS);
	}
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, DEVICE_SECRET_SIZE - 1), 0);
	assert_int_equal(device_secret_open(path, true, secret), KW_ERR_CORRUPT);
	assert_int_equal(truncate(path, DEVICE_SECRET_SIZE + 1), 0);
	assert_int_equal(device_secret_open(path, true, secret), KW_ERR_CORRUPT);
	assert_int_equal(unlink(path), 0);
	/* A link to a file of somebody else's choice, and a pipe that would make the TEE wait. */
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_int_not_equal(device_secret_open(path, true, secret), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(device_secret_open(path, true, secret), KW_ERR_CORRUPT);
}

static void rules_are_read_strictly(void **state)
{
	static const char *const bad[] = {"root", "user:", "user:no such user", "group:", "user:-1",
		"user:4294967295", "user:12x", "USER:root", ""};
	struct peer_rules rules = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(peer_rule_add(&rules, bad[i], true), KW_ERR_BAD_NAME);
	assert_int_equal(rules.count, 0);
	assert_int_equal(peer_rule_add(&rules, "user:root", true), 0);
	assert_int_equal(peer_rule_add(&rules, "group:12345", false), 0);
	assert_int_equal(rules.rule[0].id, 0);
	assert_int_equal(rules.rule[1].kind, IDENTITY_GROUP);
	assert_int_equal(rules.rule[1].id, 12345);
	for (unsigned i = 2; i < PEER_RULES_MAX; i++)
		assert_int_equal(peer_rule_add(&rules, "user:1", false), 0);
	assert_int_equal(peer_rule_add(&rules, "user:1", false), KW_ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identities_are_uuid5),
		cmocka_unit_test(device_keys_differ_by_label_and_secret),
		cmocka_unit_test_setup_teardown(a_secret_is_made_once, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
			a_missing_secret_of_a_store_is_not_replaced, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_bad_secret_is_refused, make_dir, remove_dir),
		cmocka_unit_test(rules_are_read_strictly),
	};

	if (secret_memory_init(0) || secret_memory_take_libcrypto() || crypto_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

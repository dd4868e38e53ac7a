/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of algorithms, purposes, errors, identities and keys, and which TEE a context means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keyward/keyward.h"

static void key_types(void **state)
{
	const char *name;
	unsigned n = 0;

	(void)state;
	for (; (name = kw_key_type_row(n)); n++)
		assert_string_equal(kw_key_type_name(kw_key_type_from_name(name)), name);
	assert_int_equal(n, 12);
	assert_int_equal(kw_key_type_from_name("rsa-1024"), 0);
	assert_int_equal(kw_key_type_from_name(NULL), 0);
	assert_int_equal(kw_key_type_from_name(""), 0);
	assert_null(kw_key_type_name((enum kw_key_type)77));
	assert_true(kw_key_type_is_rsa(KW_KEY_TYPE_RSA_3072));
	assert_false(kw_key_type_is_rsa(KW_KEY_TYPE_EC_P256));
	assert_true(kw_key_type_is_ec(KW_KEY_TYPE_EC_P521));
	assert_false(kw_key_type_is_ec(KW_KEY_TYPE_ED25519));
	assert_int_equal(kw_key_type_bits(KW_KEY_TYPE_EC_P384), 384);
	assert_int_equal(kw_key_type_signature_size(KW_KEY_TYPE_RSA_4096), 512);
	assert_int_equal(kw_key_type_signature_size(KW_KEY_TYPE_EC_P256), 64);
	assert_int_equal(kw_key_type_signature_size(KW_KEY_TYPE_EC_P521), 132);
	assert_int_equal(kw_key_type_signature_size(KW_KEY_TYPE_ED25519), 64);
	assert_int_equal(kw_key_type_signature_size((enum kw_key_type)0), 0);
	assert_int_equal(kw_key_type_signature_size(KW_KEY_TYPE_X25519), 0);
	assert_true(kw_key_type_signs(KW_KEY_TYPE_ED25519));
	assert_false(kw_key_type_signs(KW_KEY_TYPE_AES_256));
	assert_true(kw_key_type_is_secret(KW_KEY_TYPE_AES_256));
	assert_true(kw_key_type_is_secret(KW_KEY_TYPE_HMAC));
	assert_false(kw_key_type_is_secret(KW_KEY_TYPE_X25519));
	assert_false(kw_key_type_is_secret((enum kw_key_type)0));
}

static void purposes(void **state)
{
	const char *sentence;
	uint32_t p = 99;
	char buf[64];

	(void)state;
	assert_int_equal(kw_purposes_from_names("csr,tls-server", &p), KW_ERR_OK);
	assert_int_equal(p, KW_PURPOSE_TLS_SERVER | KW_PURPOSE_CSR);
	kw_purposes_names(p, buf, sizeof(buf));
	assert_string_equal(buf, "tls-server,csr");
	/* decrypt is the beginning of decrypt-pkcs1 */
	assert_int_equal(kw_purposes_from_names("decrypt", &p), KW_ERR_OK);
	assert_int_equal(p, KW_PURPOSE_DECRYPT);
	assert_int_equal(kw_purposes_from_names("", &p), KW_ERR_ARGUMENT);
	assert_int_equal(p, 0);
	assert_int_equal(kw_purposes_from_names(NULL, &p), KW_ERR_ARGUMENT);
	assert_int_equal(kw_purposes_from_names("sign,", &p), KW_ERR_ARGUMENT);
	assert_int_equal(kw_purposes_from_names(",sign", &p), KW_ERR_ARGUMENT);
	assert_int_equal(kw_purposes_from_names("sign,fly", &p), KW_ERR_ARGUMENT);
	assert_non_null(strstr(kw_explain(), "'fly' is not a purpose"));
	for (unsigned i = 0; kw_purpose_row(i, NULL); i++)
		assert_non_null(strstr(kw_explain(), kw_purpose_row(i, NULL)));
	/* Cut to every size, always with an end. */
	for (size_t size = 1; size <= 15; size++) {
		memset(buf, '#', sizeof(buf));
		kw_purposes_names(KW_PURPOSE_TLS_SERVER | KW_PURPOSE_CSR, buf, size);
		assert_int_equal(strlen(buf), size - 1);
		assert_int_equal(strncmp(buf, "tls-server,csr", size - 1), 0);
		assert_int_equal(buf[size], '#');
	}
	kw_purposes_names(0, buf, sizeof(buf));
	assert_string_equal(buf, "");
	assert_string_equal(kw_purpose_row(0, &sentence), "tls-server");
	assert_non_null(strstr(sentence, "TLS server"));
	assert_null(kw_purpose_row(17, &sentence));
	assert_null(sentence);
}

static void errors(void **state)
{
	(void)state;
	assert_string_equal(kw_error_name(KW_ERR_OK), "ok");
	assert_string_equal(kw_error_name(KW_ERR_NO_KEY), "no-key");
	assert_string_equal(kw_error_name(KW_ERR_BAD_REFERENCE), "bad-reference");
	assert_string_equal(kw_error_name((enum kw_err)1000), "unknown");
	assert_string_equal(kw_strerror(KW_ERR_TIMEOUT), "the TEE did not answer in time");
	assert_non_null(kw_strerror((enum kw_err)1000));
}

static void identities(void **state)
{
	struct kw_identity who;
	char buf[32];

	(void)state;
	assert_int_equal(kw_identity_from_name("user:root", &who), KW_ERR_OK);
	assert_int_equal(who.kind, KW_IDENTITY_USER);
	assert_int_equal(who.id, 0);
	kw_identity_name(&who, buf, sizeof(buf));
	assert_string_equal(buf, "user:root");
	kw_identity_name(&who, buf, 6);
	assert_string_equal(buf, "user:");
	assert_int_equal(kw_identity_from_name("group:4294967294", &who), KW_ERR_OK);
	assert_int_equal(who.kind, KW_IDENTITY_GROUP);
	assert_true(who.id == 4294967294u);
	kw_identity_name(&who, buf, sizeof(buf));
	assert_string_equal(buf, "group:4294967294");
	/* The highest number means nobody at all to the system. */
	assert_int_equal(kw_identity_from_name("user:4294967295", &who), KW_ERR_ARGUMENT);
	assert_int_equal(who.kind, 0);
	assert_int_equal(kw_identity_from_name("user:18446744073709551616", &who), KW_ERR_ARGUMENT);
	assert_int_equal(kw_identity_from_name("user:-1", &who), KW_ERR_ARGUMENT);
	assert_int_equal(kw_identity_from_name("user:", &who), KW_ERR_ARGUMENT);
	assert_int_equal(kw_identity_from_name("root", &who), KW_ERR_ARGUMENT);
	assert_int_equal(kw_identity_from_name(NULL, &who), KW_ERR_ARGUMENT);
	assert_int_equal(kw_identity_from_name("user:no-such-user-here", &who), KW_ERR_ARGUMENT);
	assert_non_null(strstr(kw_explain(), "no user 'no-such-user-here'"));
}

static void targets(void **state)
{
	char hex[65] = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
	uint8_t id[KW_ID_SIZE] = {0};
	struct kw_target t = kw_target_from_text(hex, id);

	(void)state;
	assert_ptr_equal(t.id, id);
	assert_null(t.name);
	assert_null(t.record);
	assert_int_equal(id[1], 0x11);
	assert_int_equal(id[31], 0xff);
	hex[63] = 'g';
	t = kw_target_from_text(hex, id);
	assert_null(t.id);
	assert_string_equal(t.name, hex);
	hex[63] = '\0';
	assert_null(kw_target_from_text(hex, id).id);
	assert_string_equal(kw_target_from_text("www.test.com", id).name, "www.test.com");
}

static void explicit_choices_win(void **state)
{
	struct kw_options options = {.tee = "host", .socket = "/tmp/some.sock"};
	char long_path[200];
	struct kw *kw;

	(void)state;
	setenv("KEYWARD_SOCKET", "/tmp/environment.sock", 1);
	setenv("KEYWARD_TEE", "no-such-tee", 1);
	assert_int_equal(kw_new(&options, &kw), KW_ERR_OK);
	assert_string_equal(kw_socket(kw), "/tmp/some.sock");
	assert_string_equal(kw_tee(kw), "host");
	kw_free(&kw);
	assert_int_equal(kw_new(NULL, &kw), KW_ERR_ARGUMENT);
	assert_null(kw);
	assert_non_null(strstr(kw_explain(), "no-such-tee"));
	unsetenv("KEYWARD_TEE");
	assert_int_equal(kw_new(NULL, &kw), KW_ERR_OK);
	assert_string_equal(kw_socket(kw), "/tmp/environment.sock");
	kw_free(&kw);
	memset(long_path, 'x', sizeof(long_path));
	long_path[0] = '/';
	/* sun_path has 108 bytes with its NUL. */
	long_path[108] = '\0';
	options.socket = long_path;
	assert_int_equal(kw_new(&options, &kw), KW_ERR_ARGUMENT);
	assert_non_null(strstr(kw_explain(), "107 bytes"));
	long_path[107] = '\0';
	assert_int_equal(kw_new(&options, &kw), KW_ERR_OK);
	assert_string_equal(kw_socket(kw), long_path);
	kw_free(&kw);
	options.socket = "";
	assert_int_equal(kw_new(&options, &kw), KW_ERR_ARGUMENT);
	options.socket = "/tmp/s";
	/* Empty is as good as unset. */
	setenv("KEYWARD_TEE", "", 1);
	setenv("KEYWARD_SOCKET", "", 1);
	assert_int_equal(kw_new(NULL, &kw), KW_ERR_OK);
	assert_true(kw_socket(kw)[0] == '/');
	kw_free(&kw);
	unsetenv("KEYWARD_TEE");
	unsetenv("KEYWARD_SOCKET");
}

static void socket_means_the_host_tee(void **state)
{
	struct kw_options options = {.tee = "optee"};
	struct kw *kw;

	(void)state;
	assert_int_equal(kw_new(&options, &kw), KW_ERR_OK);
	assert_string_equal(kw_tee(kw), "optee");
	assert_string_equal(kw_socket(kw), "");
	kw_free(&kw);
	options.socket = "/tmp/s";
	assert_int_equal(kw_new(&options, &kw), KW_ERR_ARGUMENT);
	assert_non_null(strstr(kw_explain(), "OP-TEE has no socket"));
	setenv("KEYWARD_TEE", "optee", 1);
	assert_int_equal(kw_new(NULL, &kw), KW_ERR_OK);
	assert_string_equal(kw_tee(kw), "optee");
	kw_free(&kw);
	/* In the environment the two are settings of their own, and may come from different files. */
	setenv("KEYWARD_SOCKET", "/tmp/s", 1);
	assert_int_equal(kw_new(NULL, &kw), KW_ERR_OK);
	assert_string_equal(kw_tee(kw), "optee");
	kw_free(&kw);
	options.tee = NULL;
	assert_int_equal(kw_new(&options, &kw), KW_ERR_OK);
	assert_string_equal(kw_tee(kw), "host");
	assert_string_equal(kw_socket(kw), "/tmp/s");
	kw_free(&kw);
	unsetenv("KEYWARD_TEE");
	unsetenv("KEYWARD_SOCKET");
}

static void relative_path_stays_where_it_was(void **state)
{
	struct kw_options options = {.socket = "tee.sock"};
	struct kw *kw;

	(void)state;
	assert_int_equal(chdir("/usr"), 0);
	assert_int_equal(kw_new(&options, &kw), KW_ERR_OK);
	assert_int_equal(chdir("/"), 0);
	assert_string_equal(kw_socket(kw), "/usr/tee.sock");
	kw_free(&kw);
}

static void the_users_socket(void **state)
{
	char expected[64];
	char buf[108];

	(void)state;
	setenv("XDG_RUNTIME_DIR", "/some/dir", 1);
	setenv("HOME", "/home/me", 1);
	assert_int_equal(kw_user_socket(buf, sizeof(buf)), KW_ERR_OK);
	assert_string_equal(buf, "/some/dir/keyward/tee.sock");
	assert_int_equal(kw_user_socket(buf, 10), KW_ERR_ARGUMENT);
	assert_string_equal(buf, "");
	/* Relative ones are to be ignored. */
	setenv("XDG_RUNTIME_DIR", "dir", 1);
	assert_int_equal(kw_user_socket(buf, sizeof(buf)), KW_ERR_OK);
	snprintf(expected, sizeof(expected), "/run/user/%u/keyward/tee.sock", (unsigned)geteuid());
	if (strncmp(buf, "/run/user/", 10) == 0) {
		assert_string_equal(buf, expected);
		return;
	}
	assert_string_equal(buf, "/home/me/.local/share/keyward/tee.sock");
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("HOME");
	assert_int_equal(kw_user_socket(buf, sizeof(buf)), KW_ERR_SYSTEM);
	assert_non_null(strstr(kw_explain(), "KEYWARD_SOCKET"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_types),
		cmocka_unit_test(purposes),
		cmocka_unit_test(errors),
		cmocka_unit_test(identities),
		cmocka_unit_test(targets),
		cmocka_unit_test(explicit_choices_win),
		cmocka_unit_test(socket_means_the_host_tee),
		cmocka_unit_test(relative_path_stays_where_it_was),
		cmocka_unit_test(the_users_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

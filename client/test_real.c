/* SPDX-License-Identifier: BSD-2-Clause */
/* The library and a real keyward-teed (its path is the argument): a key's life, and kills
 * under load. Without an argument: the TEE that $KEYWARD_TEE names, which is not killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "keyward/keyward.h"

static const char *teed_path; /* NULL: not ours */
static char folder[] = "/tmp/keyward-real-XXXXXX";
static char socket_path[64];
static char store_path[64];
static pid_t teed;

static void start_teed(void)
{
	teed = fork();
	if (teed == 0) {
		execl(teed_path, "keyward-teed", "--store", store_path, "--socket", socket_path,
			NULL);
		_exit(127);
	}
}

static void kill_teed(int sig)
{
	int status;

	kill(teed, sig);
	waitpid(teed, &status, 0);
}

static struct kw *new_kw(void)
{
	struct kw_options options = {.tee = "host", .socket = socket_path};
	struct kw *kw = NULL;

	assert_int_equal(kw_new(teed_path ? &options : NULL, &kw), KW_ERR_OK);
	return kw;
}

static void must(enum kw_err err)
{
	if (err)
		fail_msg("%s: %s", kw_error_name(err), kw_explain());
}

static int set_up(void **state)
{
	struct timespec t = {.tv_nsec = 20000000};
	struct kw_status *status = NULL;
	struct kw *kw;

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s/tee.sock", folder);
	snprintf(store_path, sizeof(store_path), "%s/store", folder);
	start_teed();
	kw = new_kw();
	for (int i = 0; i < 1000 && kw_status_new(kw, &status) == KW_ERR_NO_TEE; i++)
		nanosleep(&t, NULL);
	must(status ? KW_ERR_OK : KW_ERR_NO_TEE);
	kw_status_free(&status);
	kw_free(&kw);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	kill_teed(SIGTERM);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static struct kw_key *make_key(struct kw *kw, const char *name, bool sealed)
{
	struct kw_key_template t = {.name = name,
		.type = KW_KEY_TYPE_EC_P256,
		.purposes = KW_PURPOSE_SIGN,
		.sealed = sealed};
	struct kw_key *key = NULL;

	must(kw_key_generate(kw, &t, &key));
	return key;
}

static enum kw_err sign(struct kw *kw, const struct kw_use *use)
{
	static const uint8_t message[] = "a message";
	struct kw_sign what = {.scheme = KW_SCHEME_ECDSA,
		.hash = KW_HASH_SHA256,
		.data = message,
		.len = sizeof(message)};
	uint8_t sig[KW_SIGNATURE_MAX];
	uint8_t der[KW_SIGNATURE_MAX];
	size_t len;
	enum kw_err err = kw_sign(kw, use, &what, sig, &len);

	if (!err && (len != 64 || kw_ecdsa_to_der(sig, len, der, &len) || len < 8))
		return KW_ERR_PROTOCOL;
	return err;
}

static void a_keys_life(void **state)
{
	struct kw_identity nobody = {.kind = KW_IDENTITY_USER, .id = 65534};
	static const char *const subject[][2] = {{"CN", "www.test.com"}};
	struct kw_csr csr = {.subject = subject, .subject_count = 1};
	struct kw_target by_name = {.name = "www.test.com"};
	struct kw_target by_id = {0};
	struct kw_key *changed = NULL;
	struct kw_use use = {0};
	uint8_t der[4096];
	struct kw_key *key;
	struct kw *kw;
	size_t len;

	(void)state;
	kw = new_kw();
	key = make_key(kw, "www.test.com", false);
	assert_null(kw_key_record(key, &len));
	use.id = by_id.id = kw_key_id(key);
	must(sign(kw, &use));
	must(kw_key_allow(kw, &by_name, nobody, &changed));
	assert_int_equal(kw_key_allowed(changed), 1);
	kw_key_free(&changed);
	must(kw_key_deny(kw, &by_id, nobody, &changed));
	assert_int_equal(kw_key_allowed(changed), 0);
	assert_int_equal(kw_key_signatures(changed), 1);
	kw_key_free(&changed);
	len = sizeof(der);
	must(kw_key_csr(kw, &by_name, &csr, der, &len));
	assert_int_equal(der[0], 0x30);
	len = 20;
	assert_int_equal(kw_key_csr(kw, &by_name, &csr, der, &len), KW_ERR_TOO_LARGE);
	must(kw_key_rename(kw, &by_name, "other", false));
	assert_int_equal(kw_key_find(kw, &by_name, &changed), KW_ERR_NO_KEY);
	must(kw_key_find(kw, &by_id, &changed));
	assert_string_equal(kw_key_name(changed), "other");
	kw_key_free(&changed);
	must(kw_key_delete(kw, &by_id));
	assert_int_equal(sign(kw, &use), KW_ERR_NO_KEY);
	kw_key_free(&key);
	kw_free(&kw);
}

static void an_objects_life(void **state)
{
	static uint8_t value[KW_OBJECT_MAX];
	struct kw_identity nobody = {.kind = KW_IDENTITY_USER, .id = 65534};
	struct kw_object_template t = {.kind = KW_OBJECT_CERTIFICATE,
		.attributes = (const uint8_t *)"label",
		.attributes_len = 5,
		.value = value,
		.value_len = sizeof(value)};
	struct kw_object *o, *again;
	struct kw_object_page *page = NULL;
	struct kw_target by_name = {.name = "labelled"};
	struct kw_key *key, *changed;
	struct kw_status *before, *after;
	enum kw_err err;
	struct kw *kw;
	unsigned n = 0;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = (uint8_t)(i * 3 + i / 256);
	kw = new_kw();
	must(kw_status_new(kw, &before));
	must(kw_object_put(kw, &t, &o));
	assert_null(kw_object_value(o, &len));
	must(kw_object_get(kw, kw_object_id(o), &again));
	assert_memory_equal(kw_object_value(again, &len), value, sizeof(value));
	assert_int_equal(len, sizeof(value));
	assert_memory_equal(kw_object_attributes(again, &len), "label", 5);
	kw_object_free(&again);
	/* The list and the label, but not the value. */
	t.id = kw_object_id(o);
	t.value = NULL;
	t.value_len = 0;
	t.attributes = (const uint8_t *)"another";
	t.attributes_len = 7;
	t.allow = &nobody;
	t.allow_count = 1;
	must(kw_object_put(kw, &t, &again));
	assert_int_equal(kw_object_allowed(again), 1);
	assert_int_equal(kw_object_size(again), sizeof(value));
	kw_object_free(&again);
	must(kw_object_get(kw, t.id, &again));
	assert_memory_equal(kw_object_value(again, &len), value, sizeof(value));
	assert_memory_equal(kw_object_attributes(again, &len), "another", 7);
	kw_object_free(&again);
	while ((err = kw_object_next(kw, &page, &again)) == KW_ERR_OK) {
		n += memcmp(kw_object_id(again), t.id, KW_ID_SIZE) == 0;
		kw_object_free(&again);
	}
	assert_int_equal(err, KW_ERR_NO_OBJECT);
	assert_int_equal(n, 1);
	kw_object_page_free(&page);
	must(kw_status_new(kw, &after));
	assert_int_equal(kw_status_objects(after), kw_status_objects(before) + 1);
	assert_int_equal(kw_status_keys(after), kw_status_keys(before));
	must(kw_object_delete(kw, t.id));
	assert_int_equal(kw_object_get(kw, t.id, &again), KW_ERR_NO_OBJECT);
	kw_object_free(&o);
	kw_status_free(&before);
	kw_status_free(&after);
	key = make_key(kw, "labelled", false);
	assert_null(kw_key_attributes(key, &len));
	kw_key_free(&key);
	must(kw_key_set_attributes(kw, &by_name, (const uint8_t *)"label", 5, &changed));
	kw_key_free(&changed);
	must(kw_key_find(kw, &by_name, &key));
	assert_memory_equal(kw_key_attributes(key, &len), "label", 5);
	assert_int_equal(len, 5);
	kw_key_free(&key);
	must(kw_key_delete(kw, &by_name));
	kw_free(&kw);
}

#define MANY 500

static void every_key_is_listed_once(void **state)
{
	static bool seen[MANY];
	struct kw_page *page = NULL;
	struct kw_key *key;
	char name[32];
	enum kw_err err;
	struct kw *kw;
	unsigned n = 0;
	unsigned i;

	(void)state;
	kw = new_kw();
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "many-%u", i);
		key = make_key(kw, name, false);
		kw_key_free(&key);
	}
	while ((err = kw_key_next(kw, &page, &key)) == KW_ERR_OK) {
		if (sscanf(kw_key_name(key), "many-%u", &i) == 1) {
			assert_true(i < MANY && !seen[i]);
			seen[i] = true;
			n++;
		}
		kw_key_free(&key);
	}
	assert_int_equal(err, KW_ERR_NO_KEY);
	assert_int_equal(n, MANY);
	/* The end stays the end. */
	assert_int_equal(kw_key_next(kw, &page, &key), KW_ERR_NO_KEY);
	kw_page_free(&page);
	for (i = 0; i < MANY; i++) {
		struct kw_target t = {.name = name};

		snprintf(name, sizeof(name), "many-%u", i);
		must(kw_key_delete(kw, &t));
	}
	kw_free(&kw);
}

struct work {
	struct kw *kw;
	struct kw_use use;
	atomic_bool *stop;
	unsigned done;
	enum kw_err err;
	char why[300];
};

static void *sign_all_the_time(void *arg)
{
	struct work *w = arg;

	while (!atomic_load(w->stop) && !w->err) {
		w->err = sign(w->kw, &w->use);
		w->done++;
	}
	if (w->err)
		snprintf(w->why, sizeof(w->why), "%s", kw_explain());
	return NULL;
}

static struct kw_use use_of(const struct kw_key *key)
{
	struct kw_use use = {.id = kw_key_id(key)};

	use.record = kw_key_record(key, &use.record_len);
	return use;
}

static struct kw_key *make_of(
	struct kw *kw, const char *name, enum kw_key_type type, uint32_t purposes, bool sealed)
{
	struct kw_key_template t = {
		.name = name, .type = type, .purposes = purposes, .sealed = sealed};
	struct kw_key *key = NULL;

	must(kw_key_generate(kw, &t, &key));
	return key;
}

/* A key of each kind goes out by another one and comes in again. Stored and sealed ones: a TEE that was started anew
 * knows neither of the two sealed ones, and says so only once. */
static void keys_leave_and_come_back(void **state)
{
	static const struct {
		enum kw_key_type type;
		uint32_t purposes;
	} all[] = {{KW_KEY_TYPE_AES_256, KW_PURPOSE_ENCRYPT}, {KW_KEY_TYPE_HMAC, KW_PURPOSE_MAC},
		{KW_KEY_TYPE_X25519, KW_PURPOSE_DERIVE}, {KW_KEY_TYPE_EC_P521, KW_PURPOSE_SIGN},
		{KW_KEY_TYPE_RSA_2048, KW_PURPOSE_SIGN}};
	const struct kw_wrap how = {.wrapping = KW_WRAPPING_AES_KWP};
	uint8_t wrapped[KW_WRAPPED_MAX], again[KW_WRAPPED_MAX];
	size_t len, again_len;
	struct kw *kw;

	(void)state;
	kw = new_kw();
	for (unsigned i = 0; i < 2 * sizeof(all) / sizeof(all[0]); i++) {
		enum kw_key_type type = all[i / 2].type;
		uint32_t purposes = all[i / 2].purposes | KW_PURPOSE_EXTRACTABLE;
		struct kw_key *by = make_of(
			kw, "by", KW_KEY_TYPE_AES_192, KW_PURPOSE_WRAP | KW_PURPOSE_UNWRAP, i % 2);
		struct kw_key *key = make_of(kw, "key", type, purposes, i % 2);
		struct kw_key_template t = {
			.name = "back", .type = type, .purposes = purposes, .sealed = true};
		struct kw_use by_use = use_of(by), key_use = use_of(key), back_use;
		struct kw_key *back = NULL;

		if (teed_path && i % 2) {
			kill_teed(SIGTERM);
			start_teed();
		}
		must(kw_wrap(kw, &by_use, &key_use, &how, wrapped, &len));
		must(kw_unwrap(kw, &by_use, &how, wrapped, len, &t, &back));
		assert_true(kw_key_is_imported(back));
		assert_int_equal(kw_key_purposes(back), purposes);
		back_use = use_of(back);
		must(kw_wrap(kw, &by_use, &back_use, &how, again, &again_len));
		assert_int_equal(again_len, len);
		assert_memory_equal(again, wrapped, len);
		wrapped[len / 2] ^= 1;
		kw_key_free(&back);
		assert_int_equal(
			kw_unwrap(kw, &by_use, &how, wrapped, len, &t, &back), KW_ERR_DECRYPT);
		assert_null(back);
		assert_int_equal(
			kw_unwrap(kw, &by_use, &how, wrapped, KW_WRAPPED_MAX + 1, &t, &back),
			KW_ERR_ARGUMENT);
		if (i % 2 == 0) {
			must(kw_key_delete(kw, &(struct kw_target){.id = kw_key_id(by)}));
			must(kw_key_delete(kw, &(struct kw_target){.id = kw_key_id(key)}));
		}
		kw_key_free(&by);
		kw_key_free(&key);
	}
	kw_free(&kw);
}

#define THREADS 4
#define KILLS 8

/* What a server sees while its TEE is killed and started again: no failure at all. Half of the
 * threads use a sealed key, which a new TEE does not know until it is given; a child forked
 * before the first kill does as its parent. */
static void kills_under_load_are_not_noticed(void **state)
{
	struct timespec between = {.tv_nsec = 150000000};
	struct work work[THREADS] = {0};
	pthread_t threads[THREADS];
	atomic_bool stop = false;
	struct kw_use sealed_use;
	struct kw_key *stored;
	struct kw_key *sealed;
	struct kw_use use;
	struct kw *kw;
	int status;
	pid_t child;

	(void)state;
	kw = new_kw();
	stored = make_key(kw, "stored", false);
	sealed = make_key(kw, "", true);
	use = (struct kw_use){.id = kw_key_id(stored)};
	sealed_use.id = kw_key_id(sealed);
	sealed_use.record = kw_key_record(sealed, &sealed_use.record_len);
	sealed_use.label = NULL;
	child = fork();
	if (child == 0) {
		time_t end = time(NULL) + 2;

		while (time(NULL) < end)
			if (sign(kw, &use) || sign(kw, &sealed_use))
				_exit(1);
		_exit(0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		work[i] = (struct work){.kw = kw, .use = i % 2 ? sealed_use : use, .stop = &stop};
		assert_int_equal(pthread_create(&threads[i], NULL, sign_all_the_time, &work[i]), 0);
	}
	for (unsigned i = 0; i < KILLS; i++) {
		nanosleep(&between, NULL);
		kill_teed(i % 2 ? SIGKILL : SIGTERM);
		start_teed();
	}
	nanosleep(&between, NULL);
	atomic_store(&stop, true);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		if (work[i].err)
			fail_msg("after %u signatures: %s", work[i].done, work[i].why);
		assert_true(work[i].done > 0);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	kw_key_free(&stored);
	kw_key_free(&sealed);
	kw_free(&kw);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest live[] = {
		cmocka_unit_test(a_keys_life),
		cmocka_unit_test(an_objects_life),
		cmocka_unit_test(every_key_is_listed_once),
		cmocka_unit_test(keys_leave_and_come_back),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_keys_life),
		cmocka_unit_test(an_objects_life),
		cmocka_unit_test(every_key_is_listed_once),
		cmocka_unit_test(keys_leave_and_come_back),
		cmocka_unit_test(kills_under_load_are_not_noticed),
	};

	if (argc == 1)
		return cmocka_run_group_tests(live, NULL, NULL);
	if (argc != 2) {
		fprintf(stderr, "usage: %s [KEYWARD-TEED]\n", argv[0]);
		return 2;
	}
	teed_path = argv[1];
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

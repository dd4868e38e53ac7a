/* SPDX-License-Identifier: BSD-2-Clause */
/* What the store promises while nothing fails. */
#include "core/store.h"
#include "core/crypto.h"
#include "wire/codec.h"
#include "tests/support/platform_memory.h"
#include "tests/support/storage_memory.h"
#include "tests/support/store_checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_keeps_what_was_put(void **state)
{
	struct store_entry entry;

	(void)state;
	assert_int_equal(put_key(1, "www.test.com", "first"), KW_ERR_OK);
	assert_int_equal(put_key(2, "", "second"), KW_ERR_OK);
	assert_int_equal(put_key(3, "mail", "third"), KW_ERR_OK);
	assert_int_equal(put_key(3, "mail", "third, longer"), KW_ERR_OK);
	assert_int_equal(store_delete(store, id_of(2)), KW_ERR_OK);
	for (int i = 0; i < 2; i++) {
		assert_key(1, "www.test.com", "first");
		assert_key(3, "mail", "third, longer");
		assert_no_key(2);
		assert_int_equal(store_delete(store, id_of(2)), KW_ERR_NO_KEY);
		assert_int_equal(store_find_name(store, "mail", 4, &entry), KW_ERR_OK);
		assert_memory_equal(entry.id, id_of(3), WIRE_ID_SIZE);
		assert_int_equal(store_find_name(store, "mai", 3, NULL), KW_ERR_NO_KEY);
		assert_int_equal(store_find_name(store, "mail\0", 5, NULL), KW_ERR_NO_KEY);
		assert_int_equal(store_find_name(store, "", 0, NULL), KW_ERR_NO_KEY);
		reopen();
	}
}

static void test_moves_a_name_in_one_change(void **state)
{
	struct store_entry before, after;

	(void)state;
	assert_int_equal(put_key(1, "www", "old"), KW_ERR_OK);
	assert_int_equal(put_key(2, "next", "new"), KW_ERR_OK);
	assert_int_equal(put_key(2, "www", "new"), KW_ERR_NAME_TAKEN);
	assert_key(2, "next", "new");
	assert_int_equal(store_find_id(store, id_of(1), &before), KW_ERR_OK);
	assert_int_equal(store_put(store, id_of(2), "www", (const uint8_t *)"new", 3, true, false),
		KW_ERR_OK);
	assert_int_equal(store_find_id(store, id_of(1), &after), KW_ERR_OK);
	assert_int_not_equal(before.version, after.version);
	for (int i = 0; i < 2; i++) {
		assert_key(1, "", "old");
		assert_key(2, "www", "new");
		assert_int_equal(store_find_name(store, "www", 3, &after), KW_ERR_OK);
		assert_memory_equal(after.id, id_of(2), WIRE_ID_SIZE);
		assert_int_equal(store_find_name(store, "next", 4, NULL), KW_ERR_NO_KEY);
		reopen();
	}
}

static void test_refuses_what_does_not_fit(void **state)
{
	static const uint8_t large[WIRE_RECORD_MAX + 1] = {1};
	char name[WIRE_NAME_MAX + 2];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[WIRE_NAME_MAX + 1] = 0;
	assert_int_equal(put_key(1, name, "x"), KW_ERR_BAD_NAME);
	assert_int_equal(put_key(1, "n", ""), KW_ERR_TOO_LARGE);
	assert_int_equal(store_put(store, id_of(1), "n", large, sizeof(large), false, false),
		KW_ERR_TOO_LARGE);
	assert_no_key(1);
	name[WIRE_NAME_MAX] = 0;
	assert_int_equal(
		store_put(store, id_of(1), name, large, WIRE_RECORD_MAX, false, true), KW_ERR_OK);
	assert_int_equal(store_put(store, id_of(1), "n", large, 1, false, true), KW_ERR_KEY_EXISTS);
	reopen();
	assert_int_equal(store_find_name(store, name, WIRE_NAME_MAX, NULL), KW_ERR_OK);
}

static void test_versions_tell_changes_apart(void **state)
{
	struct store_entry e[3];

	(void)state;
	assert_int_equal(put_key(1, "a", "x"), KW_ERR_OK);
	assert_int_equal(store_find_id(store, id_of(1), &e[0]), KW_ERR_OK);
	assert_int_equal(put_key(1, "a", "x"), KW_ERR_OK);
	assert_int_equal(store_find_id(store, id_of(1), &e[1]), KW_ERR_OK);
	assert_int_equal(store_delete(store, id_of(1)), KW_ERR_OK);
	assert_int_equal(put_key(1, "a", "x"), KW_ERR_OK);
	assert_int_equal(store_find_id(store, id_of(1), &e[2]), KW_ERR_OK);
	assert_true(e[0].version != e[1].version && e[1].version != e[2].version &&
		    e[0].version != e[2].version);
}

static void test_counters_come_with_the_next_change_or_the_close(void **state)
{
	struct store_entry e;
	unsigned operations;

	(void)state;
	assert_int_equal(put_key(1, "a", "x"), KW_ERR_OK);
	storage_memory_fault(FAULT_NONE, 0, 1);
	for (unsigned i = 0; i < 5; i++)
		store_count_signature(store, id_of(1), 1000 - i);
	store_count_refusal(store, id_of(1));
	store_count_signature(store, id_of(9), 1);
	operations = storage_memory_operations();
	assert_int_equal(operations, 0);
	assert_int_equal(put_key(2, "b", "y"), KW_ERR_OK);
	/* Killed without a close. */
	storage_memory_stop();
	store_close(&store);
	storage_memory_restart(true);
	assert_int_equal(store_open(&store), KW_ERR_OK);
	assert_int_equal(store_find_id(store, id_of(1), &e), KW_ERR_OK);
	assert_int_equal(e.counters.signatures, 5);
	assert_int_equal(e.counters.last_use, 1000);
	assert_int_equal(e.counters.refusals, 1);
	store_count_refusal(store, id_of(1));
	store_count_refusal(store, id_of(2));
	reopen();
	assert_int_equal(store_find_id(store, id_of(1), &e), KW_ERR_OK);
	assert_int_equal(e.counters.refusals, 2);
	/* A new record does not forget them; a new key with the same id does. */
	assert_int_equal(put_key(1, "a", "z"), KW_ERR_OK);
	reopen();
	assert_int_equal(store_find_id(store, id_of(1), &e), KW_ERR_OK);
	assert_int_equal(e.counters.signatures, 5);
	assert_int_equal(store_delete(store, id_of(1)), KW_ERR_OK);
	assert_int_equal(put_key(1, "a", "z"), KW_ERR_OK);
	reopen();
	assert_int_equal(store_find_id(store, id_of(1), &e), KW_ERR_OK);
	assert_int_equal(e.counters.signatures, 0);
}

static unsigned uses;

static void use_meanwhile(void)
{
	store_count_signature(store, id_of(1), 1);
	uses++;
}

static void test_uses_during_a_change_are_counted(void **state)
{
	struct store_entry e;

	(void)state;
	uses = 0;
	assert_int_equal(put_key(1, "a", "x"), KW_ERR_OK);
	store_count_signature(store, id_of(1), 1);
	storage_memory_set_hook(use_meanwhile);
	assert_int_equal(put_key(2, "b", "y"), KW_ERR_OK);
	storage_memory_set_hook(NULL);
	assert_int_equal(uses, 1);
	reopen();
	assert_int_equal(store_find_id(store, id_of(1), &e), KW_ERR_OK);
	assert_int_equal(e.counters.signatures, 2);
}

static void test_more_counters_than_one_record_holds(void **state)
{
	struct store_entry e;

	(void)state;
	for (unsigned i = 0; i < 2000; i++)
		assert_int_equal(put_key(i, "", "record"), KW_ERR_OK);
	for (unsigned i = 0; i < 2000; i++)
		store_count_signature(store, id_of(i), i + 1);
	/* The change takes what fits; a use after that is not lost either; deleted keys leave no trace. */
	assert_int_equal(put_key(0, "", "record"), KW_ERR_OK);
	for (unsigned i = 0; i < 2000; i++)
		store_count_signature(store, id_of(i), i + 1);
	assert_int_equal(store_delete(store, id_of(1999)), KW_ERR_OK);
	assert_int_equal(store_delete(store, id_of(5)), KW_ERR_OK);
	assert_int_equal(put_key(7000, "", "record"), KW_ERR_OK);
	reopen();
	for (unsigned i = 0; i < 1999; i++) {
		if (i == 5)
			continue;
		assert_int_equal(store_find_id(store, id_of(i), &e), KW_ERR_OK);
		assert_int_equal(e.counters.signatures, 2);
		assert_int_equal(e.counters.last_use, i + 1);
	}
	assert_int_equal(store_find_id(store, id_of(7000), &e), KW_ERR_OK);
	assert_int_equal(e.counters.signatures, 0);
}

static void test_lists_each_key_that_stays_once(void **state)
{
	unsigned seen[300] = {0};
	struct store_entry e;
	uint32_t cursor = 0;
	unsigned round = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(put_key(i, "", "x"), KW_ERR_OK);
	while (!store_next(store, &cursor, &e)) {
		unsigned n;

		memcpy(&n, e.id, sizeof(n));
		seen[n]++;
		/* Keys 0 to 99 stay, also changed; the others come and go. */
		if (round < 100) {
			assert_int_equal(store_delete(store, id_of(100 + round)), KW_ERR_OK);
			assert_int_equal(put_key(200 + round, "", "y"), KW_ERR_OK);
			assert_int_equal(put_key(round, "", "changed"), KW_ERR_OK);
		}
		round++;
	}
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(seen[i], 1);
	assert_int_equal(store_next(store, &cursor, &e), KW_ERR_NO_KEY);
}

/* What a fresh log's header says it goes on from. */
static uint64_t first_sequence(void)
{
	size_t len;
	const uint8_t *bytes = storage_memory_bytes(&len);
	struct reader r = reader_over(bytes + 48, 8);

	return get_u64(&r);
}

static void test_log_stays_small(void **state)
{
	char record[1001];
	struct store_stats stats;
	uint64_t most = 0;

	(void)state;
	memset(record, 'r', 1000);
	record[1000] = 0;
	for (unsigned i = 0; i < 3000; i++) {
		record[0] = (char)('a' + i % 26);
		assert_int_equal(put_key(i % 10, "", record), KW_ERR_OK);
		store_stats(store, &stats);
		most = stats.bytes > most ? stats.bytes : most;
		if (i == 1500)
			reopen();
	}
	assert_true(most > 60000 && most < 70000);
	/* Numbers that were used before the last compaction are not used again. */
	assert_true(first_sequence() > 2250);
	assert_int_equal(stats.keys, 10);
	assert_true(stats.live_bytes > 10000 && stats.live_bytes < 12000);
	record[0] = (char)('a' + 2999 % 26);
	assert_key(2999 % 10, "", record);
}

static uint64_t sequence(void)
{
	struct store_stats stats;

	store_stats(store, &stats);
	return stats.sequence;
}

/* Clients keep their lists as long as it stays. */
static void test_sequence(void **state)
{
	uint64_t before = sequence(), now;
	struct store_entry entry;

	(void)state;
	assert_int_equal(put_key(1, "a", "one"), KW_ERR_OK);
	now = sequence();
	assert_true(now > before);
	before = now;
	assert_int_equal(store_find_id(store, id_of(1), &entry), KW_ERR_OK);
	assert_int_equal(put_key(2, "a", "no"), KW_ERR_NAME_TAKEN);
	assert_true(sequence() == before);
	assert_int_equal(put_key(1, "b", "one"), KW_ERR_OK);
	now = sequence();
	assert_true(now > before);
	before = now;
	assert_int_equal(store_delete(store, id_of(1)), KW_ERR_OK);
	now = sequence();
	assert_true(now > before);
	reopen();
	assert_true(sequence() >= now);
}

/* Of a key that is never changed again, so only the compaction carries them on. */
static void test_compaction_keeps_counters(void **state)
{
	static uint8_t record[4000];
	struct store_entry e;

	(void)state;
	assert_int_equal(put_key(1, "a", "x"), KW_ERR_OK);
	store_count_signature(store, id_of(1), 77);
	reopen();
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(
			store_put(store, id_of(2), "b", record, sizeof(record), false, false),
			KW_ERR_OK);
	assert_true(first_sequence() > 0);
	reopen();
	assert_int_equal(store_find_id(store, id_of(1), &e), KW_ERR_OK);
	assert_int_equal(e.counters.signatures, 1);
	assert_int_equal(e.counters.last_use, 77);
	assert_key(1, "a", "x");
}

static void test_second_store_is_refused(void **state)
{
	struct store *other = NULL;

	(void)state;
	assert_int_equal(store_open(&other), KW_ERR_STORE_BUSY);
	assert_null(other);
}

static void test_ten_thousand_keys(void **state)
{
	static uint8_t record[400];
	struct store_entry e;
	char name[32];
	size_t before, used;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "host-%u.test.com", i);
		memset(record, (int)i, sizeof(record));
		assert_int_equal(
			store_put(store, id_of(i), name, record, sizeof(record), false, true),
			KW_ERR_OK);
	}
	store_close(&store);
	before = platform_memory_bytes();
	assert_int_equal(store_open(&store), KW_ERR_OK);
	used = platform_memory_bytes() - before;
	print_message("10,000 keys: %zu bytes of memory for each\n", used / 10000);
	assert_true(used < 10000 * 300);
	for (unsigned i = 0; i < 10000; i += 7) {
		snprintf(name, sizeof(name), "host-%u.test.com", i);
		assert_int_equal(store_find_name(store, name, strlen(name), &e), KW_ERR_OK);
		assert_memory_equal(e.id, id_of(i), WIRE_ID_SIZE);
	}
	for (unsigned i = 0; i < 10000; i += 2)
		assert_int_equal(store_delete(store, id_of(i)), KW_ERR_OK);
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(
			store_find_id(store, id_of(i), NULL), i % 2 ? KW_ERR_OK : KW_ERR_NO_KEY);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, store_set_up, store_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_keeps_what_was_put),
		TEST(test_moves_a_name_in_one_change),
		TEST(test_refuses_what_does_not_fit),
		TEST(test_versions_tell_changes_apart),
		TEST(test_counters_come_with_the_next_change_or_the_close),
		TEST(test_uses_during_a_change_are_counted),
		TEST(test_more_counters_than_one_record_holds),
		TEST(test_lists_each_key_that_stays_once),
		TEST(test_sequence),
		TEST(test_log_stays_small),
		TEST(test_compaction_keeps_counters),
		TEST(test_second_store_is_refused),
		TEST(test_ten_thousand_keys),
	};

	if (crypto_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

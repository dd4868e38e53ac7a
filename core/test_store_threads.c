/* SPDX-License-Identifier: BSD-2-Clause */
/* Several threads on one store. Built with -Db_sanitize=thread this also looks for data races. */
#include "core/store.h"
#include "core/crypto.h"
#include "tests/support/platform_memory.h"
#include "tests/support/storage_memory.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define WRITERS 3
#define READERS 3
#define KEYS 8 /* of each writer */
#define ROUNDS 4000
#define RECORD 700

static struct store *store;
static atomic_bool is_done;
static atomic_uint problems;
/* The newest content of each key that was acknowledged, and the newest that was begun. */
static atomic_uint acknowledged[WRITERS][KEYS], begun[WRITERS][KEYS];

static void make_id(unsigned writer, unsigned key, uint8_t id[WIRE_ID_SIZE])
{
	memset(id, (int)(1 + writer * 32 + key), WIRE_ID_SIZE);
}

static void *write_keys(void *arg)
{
	unsigned me = *(unsigned *)arg;
	uint8_t id[WIRE_ID_SIZE], record[RECORD];

	for (unsigned i = 1; i <= ROUNDS; i++) {
		unsigned key = i % KEYS;
		char name[] = "w0k0";

		name[1] = (char)('0' + me);
		name[3] = (char)('0' + key);
		make_id(me, key, id);
		begun[me][key] = i;
		memset(record, (int)(i & 0xff), sizeof(record));
		memcpy(record, &i, sizeof(i));
		if (store_put(store, id, name, record, sizeof(record), false, false))
			problems++;
		acknowledged[me][key] = i;
		if (i % 50 == 0) {
			acknowledged[me][key] = 0;
			if (store_delete(store, id))
				problems++;
		}
	}
	return NULL;
}

/* A record is whole, and neither older than what was acknowledged before the call nor from the future. */
static void look(unsigned writer, unsigned key)
{
	unsigned low = acknowledged[writer][key], content = 0;
	uint8_t id[WIRE_ID_SIZE], record[WIRE_RECORD_MAX];
	struct store_entry entry;
	size_t len;
	enum kw_err err;

	make_id(writer, key, id);
	store_count_signature(store, id, 1);
	err = store_read(store, id, record, &len, &entry);
	if (err == KW_ERR_NO_KEY) {
		/* It may have been deleted since `low` was looked up. */
		problems += low && acknowledged[writer][key] == low && low % 50;
		return;
	}
	memcpy(&content, record, sizeof(content));
	if (err || len != RECORD || content < low || content > begun[writer][key] ||
		record[RECORD - 1] != (content & 0xff) || memcmp(entry.id, id, sizeof(id)) ||
		strncmp(entry.name, "w", 1))
		problems++;
}

static void *read_keys(void *arg)
{
	unsigned i = *(unsigned *)arg;

	while (!is_done) {
		struct store_entry entry;
		struct store_stats stats;
		uint32_t cursor = 0;

		look(i % WRITERS, i / WRITERS % KEYS);
		if (i++ % 64)
			continue;
		while (!store_next(store, &cursor, &entry))
			;
		store_stats(store, &stats);
		if (stats.keys > WRITERS * KEYS)
			problems++;
	}
	return NULL;
}

static void test_readers_and_writers(void **state)
{
	pthread_t writers[WRITERS], readers[READERS];
	unsigned numbers[] = {0, 1, 2};

	(void)state;
	storage_memory_reset();
	assert_int_equal(store_open(&store), KW_ERR_OK);
	for (unsigned i = 0; i < WRITERS; i++) {
		assert_int_equal(pthread_create(&writers[i], NULL, write_keys, &numbers[i]), 0);
	}
	for (unsigned i = 0; i < READERS; i++) {
		assert_int_equal(pthread_create(&readers[i], NULL, read_keys, &numbers[i]), 0);
	}
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	is_done = true;
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	store_close(&store);
	storage_memory_restart(false);
	assert_int_equal(store_open(&store), KW_ERR_OK);
	for (unsigned i = 0; i < WRITERS * KEYS; i++)
		look(i % WRITERS, i / WRITERS);
	assert_int_equal(problems, 0);
	store_close(&store);
	assert_int_equal(platform_memory_blocks(), 0);
}

static unsigned looks;

static void *look_and_list(void *arg)
{
	struct store_entry entry;
	uint32_t cursor = 0;

	(void)arg;
	acknowledged[0][1] = 0;
	look(0, 1);
	if (store_next(store, &cursor, &entry) || store_find_name(store, "w0k1", 4, &entry))
		problems++;
	looks++;
	return NULL;
}

/* Runs while a change waits for the disk: waits for a reader. If readers waited for the disk as well
 * nobody would go on, and the alarm would end the test. */
static void read_meanwhile(void)
{
	pthread_t reader;

	if (pthread_create(&reader, NULL, look_and_list, NULL))
		problems++;
	else
		pthread_join(reader, NULL);
}

static void test_readers_do_not_wait_for_the_disk(void **state)
{
	uint8_t id[WIRE_ID_SIZE], record[RECORD] = {0};
	struct store_stats stats;
	bool has_compacted = false;
	uint64_t before = 0;

	(void)state;
	problems = 0;
	storage_memory_reset();
	assert_int_equal(store_open(&store), KW_ERR_OK);
	make_id(0, 1, id);
	assert_int_equal(
		store_put(store, id, "w0k1", record, sizeof(record), false, false), KW_ERR_OK);
	storage_memory_set_hook(read_meanwhile);
	alarm(120);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(store_put(store, id, "w0k1", record, sizeof(record), false, false),
			KW_ERR_OK);
		store_stats(store, &stats);
		has_compacted |= stats.bytes < before;
		before = stats.bytes;
	}
	alarm(0);
	storage_memory_set_hook(NULL);
	assert_true(has_compacted);
	/* One for the sync of each change, and two for the sync and the swap of the compaction. */
	assert_true(looks >= 102);
	assert_int_equal(problems, 0);
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readers_and_writers),
		cmocka_unit_test(test_readers_do_not_wait_for_the_disk),
	};

	if (crypto_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

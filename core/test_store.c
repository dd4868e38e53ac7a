/* SPDX-License-Identifier: BSD-2-Clause */
/* What the store promises while nothing fails, and what it says about damage. */
#include "core/store.h"
#include "core/crypto.h"
#include "core/store_log.h"
#include "tests/support/platform_memory.h"
#include "tests/support/storage_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct store *store;

static const uint8_t *id_of(unsigned n)
{
	static uint8_t id[WIRE_ID_SIZE];

	memset(id, 0, sizeof(id));
	memcpy(id, &n, sizeof(n));
	return id;
}

static void reopen(void)
{
	store_close(&store);
	storage_memory_restart(false);
	assert_int_equal(store_open(&store), KW_ERR_OK);
}

static enum kw_err put(unsigned n, const char *name, const char *record)
{
	return store_put(
		store, id_of(n), name, (const uint8_t *)record, strlen(record), false, false);
}

static void assert_key(unsigned n, const char *name, const char *record)
{
	uint8_t buf[WIRE_RECORD_MAX];
	struct store_entry entry;
	size_t len;

	assert_int_equal(store_read(store, id_of(n), buf, &len, &entry), KW_ERR_OK);
	assert_string_equal(entry.name, name);
	assert_memory_equal(entry.id, id_of(n), WIRE_ID_SIZE);
	assert_int_equal(len, strlen(record));
	assert_memory_equal(buf, record, len);
}

static void assert_no_key(unsigned n)
{
	uint8_t buf[WIRE_RECORD_MAX];
	size_t len;

	assert_int_equal(store_find_id(store, id_of(n), NULL), KW_ERR_NO_KEY);
	assert_int_equal(store_read(store, id_of(n), buf, &len, NULL), KW_ERR_NO_KEY);
}

static int set_up(void **state)
{
	(void)state;
	storage_memory_reset();
	platform_memory_set_device(0);
	platform_memory_set_time(0);
	return store_open(&store) ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_close(&store);
	return platform_memory_blocks() || platform_memory_bytes() ? -1 : 0;
}

static void test_keeps_what_was_put(void **state)
{
	struct store_entry entry;

	(void)state;
	assert_int_equal(put(1, "www.test.com", "first"), KW_ERR_OK);
	assert_int_equal(put(2, "", "second"), KW_ERR_OK);
	assert_int_equal(put(3, "mail", "third"), KW_ERR_OK);
	assert_int_equal(put(3, "mail", "third, longer"), KW_ERR_OK);
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
	assert_int_equal(put(1, "www", "old"), KW_ERR_OK);
	assert_int_equal(put(2, "next", "new"), KW_ERR_OK);
	assert_int_equal(put(2, "www", "new"), KW_ERR_NAME_TAKEN);
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
	assert_int_equal(put(1, name, "x"), KW_ERR_BAD_NAME);
	assert_int_equal(put(1, "n", ""), KW_ERR_TOO_LARGE);
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
	assert_int_equal(put(1, "a", "x"), KW_ERR_OK);
	assert_int_equal(store_find_id(store, id_of(1), &e[0]), KW_ERR_OK);
	assert_int_equal(put(1, "a", "x"), KW_ERR_OK);
	assert_int_equal(store_find_id(store, id_of(1), &e[1]), KW_ERR_OK);
	assert_int_equal(store_delete(store, id_of(1)), KW_ERR_OK);
	assert_int_equal(put(1, "a", "x"), KW_ERR_OK);
	assert_int_equal(store_find_id(store, id_of(1), &e[2]), KW_ERR_OK);
	assert_true(e[0].version != e[1].version && e[1].version != e[2].version &&
		    e[0].version != e[2].version);
}

static void test_counters_come_with_the_next_change_or_the_close(void **state)
{
	struct store_entry e;
	unsigned operations;

	(void)state;
	assert_int_equal(put(1, "a", "x"), KW_ERR_OK);
	storage_memory_fault(FAULT_NONE, 0, 1);
	for (unsigned i = 0; i < 5; i++)
		store_count_signature(store, id_of(1), 1000 - i);
	store_count_refusal(store, id_of(1));
	store_count_signature(store, id_of(9), 1);
	operations = storage_memory_operations();
	assert_int_equal(operations, 0);
	assert_int_equal(put(2, "b", "y"), KW_ERR_OK);
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
	assert_int_equal(put(1, "a", "z"), KW_ERR_OK);
	reopen();
	assert_int_equal(store_find_id(store, id_of(1), &e), KW_ERR_OK);
	assert_int_equal(e.counters.signatures, 5);
	assert_int_equal(store_delete(store, id_of(1)), KW_ERR_OK);
	assert_int_equal(put(1, "a", "z"), KW_ERR_OK);
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
	assert_int_equal(put(1, "a", "x"), KW_ERR_OK);
	store_count_signature(store, id_of(1), 1);
	storage_memory_set_hook(use_meanwhile);
	assert_int_equal(put(2, "b", "y"), KW_ERR_OK);
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
		assert_int_equal(put(i, "", "record"), KW_ERR_OK);
	for (unsigned i = 0; i < 2000; i++)
		store_count_signature(store, id_of(i), i + 1);
	/* The change takes what fits; a use after that is not lost either; deleted keys leave no trace. */
	assert_int_equal(put(0, "", "record"), KW_ERR_OK);
	for (unsigned i = 0; i < 2000; i++)
		store_count_signature(store, id_of(i), i + 1);
	assert_int_equal(store_delete(store, id_of(1999)), KW_ERR_OK);
	assert_int_equal(store_delete(store, id_of(5)), KW_ERR_OK);
	assert_int_equal(put(7000, "", "record"), KW_ERR_OK);
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
		assert_int_equal(put(i, "", "x"), KW_ERR_OK);
	while (!store_next(store, &cursor, &e)) {
		unsigned n;

		memcpy(&n, e.id, sizeof(n));
		seen[n]++;
		/* Keys 0 to 99 stay, also changed; the others come and go. */
		if (round < 100) {
			assert_int_equal(store_delete(store, id_of(100 + round)), KW_ERR_OK);
			assert_int_equal(put(200 + round, "", "y"), KW_ERR_OK);
			assert_int_equal(put(round, "", "changed"), KW_ERR_OK);
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
		assert_int_equal(put(i % 10, "", record), KW_ERR_OK);
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

/* Of a key that is never changed again, so only the compaction carries them on. */
static void test_compaction_keeps_counters(void **state)
{
	static uint8_t record[4000];
	struct store_entry e;

	(void)state;
	assert_int_equal(put(1, "a", "x"), KW_ERR_OK);
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

/* --- Damage --- */

struct image {
	uint8_t bytes[65536];
	size_t len;
};

static void save(struct image *image)
{
	const uint8_t *bytes;

	store_close(&store);
	bytes = storage_memory_bytes(&image->len);
	assert_true(image->len <= sizeof(image->bytes));
	memcpy(image->bytes, bytes, image->len);
}

static enum kw_err open_image(const struct image *image)
{
	store_close(&store);
	storage_memory_restart(false);
	storage_memory_set_bytes(image->bytes, image->len);
	return store_open(&store);
}

static void assert_untouched(const struct image *image)
{
	size_t len;
	const uint8_t *bytes = storage_memory_bytes(&len);

	assert_int_equal(len, image->len);
	assert_memory_equal(bytes, image->bytes, len);
}

/* Offsets of the records and of the end. Returns how many records there are. */
static unsigned find_records(const struct image *image, size_t *at, unsigned most)
{
	unsigned n = 0;

	for (size_t i = LOG_HEADER_SIZE; i < image->len; n++) {
		struct reader r = reader_over(image->bytes + i, 4);

		assert_true(n < most);
		at[n] = i;
		i += get_u32(&r);
		at[n + 1] = i;
	}
	return n;
}

static void make_three(struct image *image)
{
	assert_int_equal(put(1, "a", "first"), KW_ERR_OK);
	assert_int_equal(put(2, "b", "second"), KW_ERR_OK);
	assert_int_equal(put(3, "c", "third"), KW_ERR_OK);
	save(image);
}

static void test_every_flipped_byte_is_noticed(void **state)
{
	struct image good, bad;
	size_t at[8];
	unsigned n;

	(void)state;
	make_three(&good);
	n = find_records(&good, at, 7);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < good.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			bad = good;
			bad.bytes[i] ^= (uint8_t)(1u << bit);
			if (i < at[2]) {
				assert_int_equal(open_image(&bad), KW_ERR_CORRUPT);
				assert_non_null(strstr(platform_memory_log(), "store"));
				assert_untouched(&bad);
				continue;
			}
			assert_int_equal(open_image(&bad), KW_ERR_OK);
			assert_non_null(strstr(platform_memory_log(), "never finished"));
			assert_key(1, "a", "first");
			assert_key(2, "b", "second");
			assert_no_key(3);
		}
	}
}

static void test_every_torn_end_opens(void **state)
{
	struct image good, torn;
	size_t at[8];

	(void)state;
	make_three(&good);
	find_records(&good, at, 7);
	for (size_t len = 1; len < good.len; len++) {
		torn = good;
		torn.len = len;
		if (len < LOG_HEADER_SIZE) {
			assert_int_equal(open_image(&torn), KW_ERR_CORRUPT);
			assert_untouched(&torn);
			continue;
		}
		assert_int_equal(open_image(&torn), KW_ERR_OK);
		for (unsigned k = 0; k < 3; k++) {
			static const char *const records[] = {"first", "second", "third"};
			static const char *const names[] = {"a", "b", "c"};

			if (len >= at[k + 1])
				assert_key(k + 1, names[k], records[k]);
			else
				assert_no_key(k + 1);
		}
		/* And it goes on from there. */
		assert_int_equal(put(9, "z", "more"), KW_ERR_OK);
		reopen();
		assert_key(9, "z", "more");
	}
}

/* Extents that a crash left longer than what was written, of zeros or of old data. */
static void test_torn_end_of_other_bytes_opens(void **state)
{
	struct image good, torn;

	(void)state;
	make_three(&good);
	for (unsigned fill = 0; fill < 256; fill += 51) {
		for (size_t extra = 1; extra < 9000; extra = extra * 3 + 1) {
			torn = good;
			memset(torn.bytes + torn.len, (int)fill, extra);
			torn.len += extra;
			assert_int_equal(open_image(&torn), KW_ERR_OK);
			assert_key(3, "c", "third");
		}
		/* More than one unfinished change is no crash's work. */
		torn = good;
		memset(torn.bytes + torn.len, (int)fill, LOG_RECORD_MAX + 1);
		torn.len += LOG_RECORD_MAX + 1;
		assert_int_equal(open_image(&torn), KW_ERR_CORRUPT);
		assert_untouched(&torn);
	}
}

static void test_moved_records_are_noticed(void **state)
{
	struct image good, bad, other;
	size_t at[8], other_at[8];
	size_t second;

	(void)state;
	make_three(&good);
	find_records(&good, at, 7);
	second = at[2] - at[1];
	/* The second record is missing. */
	bad = good;
	memmove(bad.bytes + at[1], bad.bytes + at[2], bad.len - at[2]);
	bad.len -= second;
	assert_int_equal(open_image(&bad), KW_ERR_CORRUPT);
	/* The last two records in the other order. */
	bad = good;
	memcpy(bad.bytes + at[1], good.bytes + at[2], at[3] - at[2]);
	memcpy(bad.bytes + at[1] + (at[3] - at[2]), good.bytes + at[1], second);
	assert_int_equal(open_image(&bad), KW_ERR_CORRUPT);
	/* A record of another log of this device, with the right number, does not get in. */
	storage_memory_reset();
	assert_int_equal(store_open(&store), KW_ERR_OK);
	make_three(&other);
	find_records(&other, other_at, 7);
	assert_int_equal(other_at[2], at[2]);
	bad = good;
	memcpy(bad.bytes + at[1], other.bytes + at[1], second);
	assert_int_equal(open_image(&bad), KW_ERR_CORRUPT);
	assert_int_equal(open_image(&good), KW_ERR_OK);
	assert_key(2, "b", "second");
	/* One at the end, with a number that is still to come, is bytes that a crash brought back. */
	bad = good;
	bad.len = at[1];
	memcpy(bad.bytes + bad.len, other.bytes + at[2], at[3] - at[2]);
	bad.len += at[3] - at[2];
	assert_int_equal(open_image(&bad), KW_ERR_OK);
	assert_key(1, "a", "first");
	assert_no_key(3);
}

/* Two histories of one log: a record of the one does not fit between those of the other. */
static void test_record_of_another_history_is_noticed(void **state)
{
	struct image start, one, two;
	size_t at[8];

	(void)state;
	assert_int_equal(put(1, "a", "first"), KW_ERR_OK);
	save(&start);
	assert_int_equal(open_image(&start), KW_ERR_OK);
	assert_int_equal(put(2, "b", "all"), KW_ERR_OK);
	save(&one);
	assert_int_equal(open_image(&start), KW_ERR_OK);
	assert_int_equal(put(2, "b", "few"), KW_ERR_OK);
	assert_int_equal(put(3, "c", "third"), KW_ERR_OK);
	save(&two);
	find_records(&two, at, 7);
	assert_int_equal(at[2], one.len);
	assert_int_equal(open_image(&two), KW_ERR_OK);
	memcpy(two.bytes + at[1], one.bytes + at[1], at[2] - at[1]);
	assert_int_equal(open_image(&two), KW_ERR_CORRUPT);
}

static void test_other_device_is_told_from_damage(void **state)
{
	struct image good;

	(void)state;
	make_three(&good);
	platform_memory_set_device(1);
	assert_int_equal(open_image(&good), KW_ERR_OTHER_DEVICE);
	assert_untouched(&good);
	platform_memory_set_device(0);
	assert_int_equal(open_image(&good), KW_ERR_OK);
	assert_key(1, "a", "first");
}

static void test_newer_format_is_told_from_damage(void **state)
{
	struct image good;

	(void)state;
	make_three(&good);
	good.bytes[11]++;
	assert_int_equal(crypto_hash(HASH_SHA256, good.bytes, 88, good.bytes + 88), KW_ERR_OK);
	assert_int_equal(open_image(&good), KW_ERR_STORE_VERSION);
	assert_untouched(&good);
}

static void test_foreign_file_is_left_alone(void **state)
{
	struct image image = {.bytes = "just a text that somebody keeps here", .len = 36};

	(void)state;
	assert_int_equal(open_image(&image), KW_ERR_CORRUPT);
	assert_untouched(&image);
	memset(image.bytes, 'x', 5000);
	image.len = 5000;
	assert_int_equal(open_image(&image), KW_ERR_CORRUPT);
	assert_untouched(&image);
}

static void test_record_damaged_while_running_is_not_given_out(void **state)
{
	static const uint8_t zeros[WIRE_RECORD_MAX];
	uint8_t buf[WIRE_RECORD_MAX];
	struct image image;
	const uint8_t *bytes;
	size_t len;

	(void)state;
	assert_int_equal(put(1, "a", "first"), KW_ERR_OK);
	assert_int_equal(put(2, "b", "second"), KW_ERR_OK);
	bytes = storage_memory_bytes(&image.len);
	memcpy(image.bytes, bytes, image.len);
	for (size_t i = 0; i + 5 < image.len; i++) {
		if (!memcmp(image.bytes + i, "first", 5))
			image.bytes[i] = 'F';
	}
	storage_memory_set_bytes(image.bytes, image.len);
	assert_int_equal(store_read(store, id_of(1), buf, &len, NULL), KW_ERR_CORRUPT);
	assert_int_equal(len, 0);
	assert_memory_equal(buf, zeros, sizeof(buf));
	assert_key(2, "b", "second");
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
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_keeps_what_was_put),
		TEST(test_moves_a_name_in_one_change),
		TEST(test_refuses_what_does_not_fit),
		TEST(test_versions_tell_changes_apart),
		TEST(test_counters_come_with_the_next_change_or_the_close),
		TEST(test_uses_during_a_change_are_counted),
		TEST(test_more_counters_than_one_record_holds),
		TEST(test_lists_each_key_that_stays_once),
		TEST(test_log_stays_small),
		TEST(test_compaction_keeps_counters),
		TEST(test_second_store_is_refused),
		TEST(test_every_flipped_byte_is_noticed),
		TEST(test_every_torn_end_opens),
		TEST(test_torn_end_of_other_bytes_opens),
		TEST(test_moved_records_are_noticed),
		TEST(test_record_of_another_history_is_noticed),
		TEST(test_other_device_is_told_from_damage),
		TEST(test_newer_format_is_told_from_damage),
		TEST(test_foreign_file_is_left_alone),
		TEST(test_record_damaged_while_running_is_not_given_out),
		TEST(test_ten_thousand_keys),
	};

	if (crypto_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

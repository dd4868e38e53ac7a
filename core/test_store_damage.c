/* SPDX-License-Identifier: BSD-2-Clause */
/* What the store says about damage, and that it changes nothing then. */
#include "core/store.h"
#include "core/crypto.h"
#include "core/store_log.h"
#include "tests/support/platform_memory.h"
#include "tests/support/storage_memory.h"
#include "tests/support/store_checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

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
	assert_int_equal(put_key(1, "a", "first"), KW_ERR_OK);
	assert_int_equal(put_key(2, "b", "second"), KW_ERR_OK);
	assert_int_equal(put_key(3, "c", "third"), KW_ERR_OK);
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
		assert_int_equal(put_key(9, "z", "more"), KW_ERR_OK);
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

static void test_torn_end_that_cannot_be_cut(void **state)
{
	struct image torn;

	(void)state;
	make_three(&torn);
	torn.len -= 10;
	storage_memory_restart(false);
	storage_memory_set_bytes(torn.bytes, torn.len);
	/* Open, size, one read of it all, truncate. */
	storage_memory_fault(FAULT_CLEAN, 4, 1);
	assert_int_equal(store_open(&store), KW_ERR_OK);
	assert_untouched(&torn);
	assert_key(2, "b", "second");
	assert_no_key(3);
	assert_int_equal(put_key(4, "d", "fourth"), KW_ERR_OK);
	reopen();
	assert_key(1, "a", "first");
	assert_key(2, "b", "second");
	assert_no_key(3);
	assert_key(4, "d", "fourth");
}

/* Neither the sync nor the cut works, so the whole change may be on the disk. */
static void test_failed_change_does_not_return(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 32; seed++) {
		assert_int_equal(put_key(1, "a", "kept"), KW_ERR_OK);
		storage_memory_fault(FAULT_PAIR, 2, seed);
		assert_int_equal(put_key(2, "b", "failed"), KW_ERR_STORE_IO);
		assert_no_key(2);
		if (seed % 2) {
			reopen();
			assert_no_key(2);
			continue;
		}
		assert_int_equal(put_key(3, "c", "next"), KW_ERR_OK);
		/* Once, not with every change from then on. */
		storage_memory_fault(FAULT_NONE, 0, seed);
		assert_int_equal(put_key(1, "a", "again"), KW_ERR_OK);
		assert_int_equal(storage_memory_operations(), 2);
		reopen();
		assert_no_key(2);
		assert_key(1, "a", "again");
		assert_key(3, "c", "next");
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
	assert_int_equal(put_key(1, "a", "first"), KW_ERR_OK);
	save(&start);
	assert_int_equal(open_image(&start), KW_ERR_OK);
	assert_int_equal(put_key(2, "b", "all"), KW_ERR_OK);
	save(&one);
	assert_int_equal(open_image(&start), KW_ERR_OK);
	assert_int_equal(put_key(2, "b", "few"), KW_ERR_OK);
	assert_int_equal(put_key(3, "c", "third"), KW_ERR_OK);
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
	uint8_t buf[WIRE_RECORD_MAX] = {0};
	struct image image;
	const uint8_t *bytes;
	size_t len;

	(void)state;
	assert_int_equal(put_key(1, "a", "first"), KW_ERR_OK);
	assert_int_equal(put_key(2, "b", "second"), KW_ERR_OK);
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

static const uint8_t *text(const char *s)
{
	return (const uint8_t *)s;
}

static void test_damage_of_objects_is_noticed(void **state)
{
	uint8_t buf[STORE_OBJECT_MAX];
	struct image good, bad;
	size_t at[8], len;

	(void)state;
	assert_int_equal(put_key(1, "a", "first"), KW_ERR_OK);
	assert_int_equal(store_object_put(store, id_of(2), text("second"), 6, true), KW_ERR_OK);
	assert_int_equal(store_object_put(store, id_of(3), text("third"), 5, true), KW_ERR_OK);
	save(&good);
	assert_int_equal(find_records(&good, at, 7), 3);
	for (size_t i = LOG_HEADER_SIZE; i < good.len; i++) {
		bad = good;
		bad.bytes[i] ^= 0x10;
		if (i < at[2]) {
			assert_int_equal(open_image(&bad), KW_ERR_CORRUPT);
			assert_untouched(&bad);
			continue;
		}
		assert_int_equal(open_image(&bad), KW_ERR_OK);
		assert_int_equal(store_object_read(store, id_of(2), buf, &len), KW_ERR_OK);
		assert_int_equal(len, 6);
		assert_memory_equal(buf, "second", 6);
		assert_int_equal(store_object_read(store, id_of(3), buf, &len), KW_ERR_NO_OBJECT);
		assert_key(1, "a", "first");
	}
}

/* One change of every kind, all about the same id. */
static void put_change(struct writer *w, uint8_t change)
{
	put_u8(w, change);
	put_bytes(w, id_of(1), WIRE_ID_SIZE);
	if (change == 1 || change == 3) {
		put_u64(w, 0);
		put_u64(w, 0);
		put_u64(w, 0);
	}
	if (change == 3)
		put_field8(w, "name", 4);
	if (change == 3 || change == 5)
		put_field16(w, "record", 6);
}

/* A genuine log whose records are these changes. */
static enum kw_err open_changes(const uint8_t *changes, size_t n)
{
	uint8_t device_key[DEVICE_KEY_SIZE], buf[LOG_RECORD_MAX];
	struct log log = {0};
	struct storage *empty = NULL;

	store_close(&store);
	storage_memory_reset();
	assert_int_equal(platform_device_key("keyward store v1", device_key), KW_ERR_OK);
	assert_int_equal(storage_open(&empty), KW_ERR_OK);
	assert_int_equal(storage_begin(empty, &log.storage), KW_ERR_OK);
	assert_int_equal(log_create(&log, device_key), KW_ERR_OK);
	for (size_t i = 0; i < n; i++) {
		struct writer w = log_begin(buf);

		put_change(&w, changes[i]);
		assert_int_equal(log_append(&log, &w), KW_ERR_OK);
	}
	assert_int_equal(storage_sync(log.storage), KW_ERR_OK);
	assert_int_equal(storage_swap(empty, log.storage), KW_ERR_OK);
	storage_close(&empty);
	storage_close(&log.storage);
	return store_open(&store);
}

static void test_a_key_is_never_an_object(void **state)
{
	static const struct {
		uint8_t changes[3];
		size_t n;
		enum kw_err err;
	} logs[] = {
		{{3, 1, 2}, 3, KW_ERR_OK},
		{{5, 5}, 2, KW_ERR_OK},
		{{5, 4, 3}, 3, KW_ERR_OK},
		{{3, 4, 5}, 3, KW_ERR_OK},
		{{3, 5}, 2, KW_ERR_CORRUPT},
		{{5, 3}, 2, KW_ERR_CORRUPT},
		{{5, 1}, 2, KW_ERR_CORRUPT},
		{{5, 2}, 2, KW_ERR_CORRUPT},
		{{5, 4, 4}, 3, KW_ERR_CORRUPT},
		{{5, 6}, 2, KW_ERR_CORRUPT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
		assert_int_equal(open_changes(logs[i].changes, logs[i].n), logs[i].err);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, store_set_up, store_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_every_flipped_byte_is_noticed),
		TEST(test_every_torn_end_opens),
		TEST(test_torn_end_of_other_bytes_opens),
		TEST(test_torn_end_that_cannot_be_cut),
		TEST(test_failed_change_does_not_return),
		TEST(test_moved_records_are_noticed),
		TEST(test_record_of_another_history_is_noticed),
		TEST(test_other_device_is_told_from_damage),
		TEST(test_newer_format_is_told_from_damage),
		TEST(test_foreign_file_is_left_alone),
		TEST(test_record_damaged_while_running_is_not_given_out),
		TEST(test_damage_of_objects_is_noticed),
		TEST(test_a_key_is_never_an_object),
	};

	if (crypto_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

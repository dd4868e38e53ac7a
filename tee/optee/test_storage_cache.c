/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of a log in memory: whatever was appended or claimed in whatever order, they say what is in the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "storage_cache.h"
#include "tests/support/platform_memory.h"

/* More than the pages hold, so that some take others' places. */
#define LOG_MAX (3 * CACHE_PAGES * CACHE_PAGE)

static uint8_t *bytes;
static uint64_t end;
static struct storage_cache cache;
static unsigned reads;

static void append(size_t n)
{
	cache_append(&cache, end, bytes + end, n);
	end += n;
}

/* As storage_optee.c does it. */
static void read_at(uint64_t offset)
{
	const struct cache_page *p;
	struct cache_page *room;
	uint64_t start;
	size_t size;

	cache_place(offset, &start, &size);
	assert_in_range(offset, start, start + size - 1);
	if (size > end - start)
		size = (size_t)(end - start);
	p = cache_find(&cache, start, size);
	if (!p) {
		reads++;
		room = cache_claim(&cache, start);
		assert_non_null(room);
		assert_null(cache_find(&cache, start, 1));
		memcpy(room->bytes, bytes + start, size);
		room->len = size;
		p = room;
	}
	assert_memory_equal(p->bytes, bytes + start, size);
}

static void test_what_is_found_is_what_is_in_the_log(void **state)
{
	(void)state;
	srandom(7);
	while (end < LOG_MAX - 70000) {
		append((size_t)random() % (random() % 8 ? 900 : 33000) + 1);
		for (int i = 0; i < 20; i++)
			read_at((uint64_t)random() % end);
		/* The end is where appended bytes meet pages. */
		read_at(end - 1);
	}
	cache_clear(&cache);
	assert_int_equal(platform_memory_blocks(), 0);
}

static void test_a_log_that_fits_is_not_read(void **state)
{
	(void)state;
	end = 0;
	reads = 0;
	while (end < (CACHE_PAGES - 1) * CACHE_PAGE)
		append((size_t)random() % 900 + 1);
	for (uint64_t at = 0; at < end; at += 100)
		read_at(at);
	assert_int_equal(reads, 0);
	cache_clear(&cache);
}

static void test_without_memory_nothing_is_found(void **state)
{
	(void)state;
	end = 0;
	platform_memory_fail_alloc(1);
	append(100);
	assert_null(cache_find(&cache, 0, 1));
	/* What follows is not taken for the page's beginning. */
	append(100);
	assert_null(cache_find(&cache, 0, 1));
	cache_clear(&cache);
}

static int setup(void **state)
{
	(void)state;
	bytes = malloc(LOG_MAX);
	for (size_t i = 0; bytes && i < LOG_MAX; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251 + i / 65521);
	return !bytes;
}

static int teardown(void **state)
{
	(void)state;
	free(bytes);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_found_is_what_is_in_the_log),
		cmocka_unit_test(test_a_log_that_fits_is_not_read),
		cmocka_unit_test(test_without_memory_nothing_is_found),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

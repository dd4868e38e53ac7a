/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Storage that fails, shortens, tears, fills up or stops at the n-th operation, for every n: what was
 * acknowledged is there, what was deleted does not return, and the store always opens. KW_LONG=1 does it
 * with many more histories.
 */
#include "core/crypto.h"
#include "tests/support/platform_memory.h"
#include "tests/support/storage_memory.h"
#include "tests/support/store_workload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define STEPS 150 /* enough for a compaction */

static struct workload w;
static const char *const fault_names[] = {
	"none", "clean", "partial", "pair", "full", "dead", "crash"};

struct run {
	enum storage_fault fault;
	unsigned n;
	uint32_t seed;
	unsigned step;
	struct store *store;
};

#define assert_run(r, condition)                                                                   \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("%s fault at operation %u, seed %u, step %u: %s (%s)",            \
				fault_names[(r)->fault], (r)->n, (r)->seed, (r)->step, #condition, \
				w.why);                                                            \
	} while (0)

static unsigned seeds(unsigned usual, unsigned in_long)
{
	return getenv("KW_LONG") ? in_long : usual;
}

static bool is_over(const struct run *r)
{
	return storage_memory_operations() < r->n;
}

/* Who runs on after its faults has everything straight again at an orderly end. */
static bool is_passing(const struct run *r)
{
	return r->fault != FAULT_DEAD && r->fault != FAULT_CRASH;
}

/* A single fault fails at most one change; a full disk all until there is room, with that error. */
static void run_changes(struct run *r)
{
	unsigned failures = 0, room_at = STEPS + 1;

	for (r->step = 1; r->step <= STEPS; r->step++) {
		bool is_wrong = false;
		unsigned before = w.failed_count;
		enum kw_err err;

		if (r->step == room_at)
			storage_memory_make_room();
		err = workload_step(&w, r->store, &is_wrong);
		assert_run(r, !is_wrong);
		if (w.failed_count <= before)
			continue;
		failures++;
		if (r->fault == FAULT_CLEAN || r->fault == FAULT_PARTIAL)
			assert_run(r, failures == 1 && err == KW_ERR_STORE_IO);
		if (r->fault == FAULT_PAIR)
			assert_run(r, failures <= 2 && err == KW_ERR_STORE_IO);
		if (r->fault == FAULT_FULL) {
			assert_run(r, err == KW_ERR_STORE_FULL && r->step < room_at);
			room_at = room_at > STEPS ? r->step + 5 : room_at;
		}
		if (is_passing(r))
			assert_run(r, workload_holds(&w, r->store));
	}
}

/* Ends the TEE in an orderly way, by a kill, or with the power, and starts it again, sometimes with
 * another fault on the way. */
static void restart(struct run *r)
{
	unsigned how = r->fault == FAULT_CRASH ? 2 : r->n % 3;

	if (how)
		storage_memory_stop();
	store_close(&r->store);
	storage_memory_restart(how == 2);
	if (r->n % 4 == 1) {
		enum storage_fault again = r->n % 8 == 1 ? FAULT_CRASH : FAULT_PARTIAL;

		storage_memory_fault(again, 1 + r->n / 8 % 6, r->seed + r->n);
		if (store_open(&r->store))
			r->store = NULL;
		storage_memory_stop();
		store_close(&r->store);
		storage_memory_restart(again == FAULT_CRASH);
	}
	storage_memory_fault(FAULT_NONE, 0, r->seed + r->n);
	assert_run(r, store_open(&r->store) == KW_ERR_OK);
	if (!how && is_passing(r) && r->step)
		assert_run(r, workload_holds(&w, r->store));
	assert_run(r, workload_recovers(&w, r->store));
	/* What was shown after a kill stays, also when the power goes next, with or without more changes. */
	for (unsigned i = 0; i < r->n % 3; i++) {
		bool is_wrong = false;
		unsigned before = w.failed_count;

		workload_step(&w, r->store, &is_wrong);
		assert_run(r, !is_wrong && w.failed_count <= before);
	}
	storage_memory_stop();
	store_close(&r->store);
	storage_memory_restart(true);
	assert_run(r, store_open(&r->store) == KW_ERR_OK);
	assert_run(r, workload_holds(&w, r->store));
}

static bool run_once(struct run *r)
{
	bool over;

	storage_memory_reset();
	workload_start(&w, r->seed);
	storage_memory_fault(r->fault, r->n, r->seed * 7919 + r->n);
	r->step = 0;
	if (store_open(&r->store))
		assert_run(r, r->n < 10);
	else
		run_changes(r);
	over = is_over(r);
	restart(r);
	for (unsigned i = 0; i < 5; i++) {
		bool is_wrong = false;
		unsigned before = w.failed_count;

		workload_step(&w, r->store, &is_wrong);
		assert_run(r, !is_wrong && w.failed_count <= before);
	}
	assert_run(r, workload_holds(&w, r->store));
	store_close(&r->store);
	assert_run(r, store_open(&r->store) == KW_ERR_OK);
	assert_run(r, workload_holds(&w, r->store));
	store_close(&r->store);
	return over;
}

static void sweep(enum storage_fault fault, unsigned usual)
{
	unsigned runs = 0;

	for (uint32_t seed = 1; seed <= seeds(usual, 300); seed++) {
		struct run r = {.fault = fault, .seed = seed};

		do {
			r.n++;
			runs++;
		} while (!run_once(&r));
		/* The history must have been long enough to have a compaction in it. */
		assert_true(r.n > 200);
	}
	print_message("%s: %u runs\n", fault_names[fault], runs);
	assert_int_equal(platform_memory_blocks(), 0);
}

static void test_operation_that_fails(void **state)
{
	(void)state;
	sweep(FAULT_CLEAN, 2);
}

static void test_operation_that_fails_half_way(void **state)
{
	(void)state;
	sweep(FAULT_PARTIAL, 4);
}

static void test_two_operations_that_fail(void **state)
{
	(void)state;
	sweep(FAULT_PAIR, 4);
}

static void test_disk_full(void **state)
{
	(void)state;
	sweep(FAULT_FULL, 2);
}

static void test_disk_that_dies(void **state)
{
	(void)state;
	sweep(FAULT_DEAD, 2);
}

static void test_power_that_fails(void **state)
{
	(void)state;
	sweep(FAULT_CRASH, 6);
}

static void test_memory_that_runs_out(void **state)
{
	unsigned n = 0, reached;

	(void)state;
	do {
		struct run r = {.fault = FAULT_NONE, .n = ++n, .seed = 5};
		unsigned failures = 0;

		storage_memory_reset();
		workload_start(&w, r.seed);
		platform_memory_fail_alloc(n);
		reached = 0;
		if (store_open(&r.store)) {
			assert_int_equal(store_open(&r.store), KW_ERR_OK);
			reached = 1;
		}
		for (r.step = 1; r.step <= STEPS; r.step++) {
			bool is_wrong = false;
			unsigned before = w.failed_count;
			enum kw_err err = workload_step(&w, r.store, &is_wrong);

			assert_run(&r, !is_wrong);
			if (w.failed_count <= before)
				continue;
			failures++;
			assert_run(&r, failures == 1 && !reached && err == KW_ERR_NO_MEMORY);
			assert_run(&r, workload_holds(&w, r.store));
		}
		assert_run(&r, workload_holds(&w, r.store));
		store_close(&r.store);
		/* Whether it was met at all: compactions take memory too, and do without. */
		reached = platform_memory_fail_alloc_left() == 0;
		platform_memory_fail_alloc(0);
		assert_int_equal(store_open(&r.store), KW_ERR_OK);
		assert_run(&r, workload_recovers(&w, r.store));
		store_close(&r.store);
		assert_int_equal(platform_memory_blocks(), 0);
	} while (reached);
	assert_true(n > 8);
}

/* The index grows, or the one change that needed it fails. */
static void test_memory_that_runs_out_while_growing(void **state)
{
	uint8_t id[WIRE_ID_SIZE] = {0};
	struct store *store = NULL;
	unsigned n = 0, m = 0;
	enum kw_err err;
	char name[16];

	(void)state;
	do {
		unsigned failures = 0;

		storage_memory_reset();
		assert_int_equal(store_open(&store), KW_ERR_OK);
		platform_memory_fail_alloc(++n);
		for (unsigned i = 0; i < 500; i++) {
			id[0] = (uint8_t)i;
			id[31] = (uint8_t)(i >> 8);
			snprintf(name, sizeof(name), "n%u", i);
			err = store_put(store, id, name, id, sizeof(id), false, true);
			if (!err)
				continue;
			assert_int_equal(err, KW_ERR_NO_MEMORY);
			assert_int_equal(
				store_find_name(store, name, strlen(name), NULL), KW_ERR_NO_KEY);
			failures++;
			i--;
		}
		assert_int_equal(failures, platform_memory_fail_alloc_left() ? 0 : 1);
		for (unsigned i = 0; i < 500; i++) {
			snprintf(name, sizeof(name), "n%u", i);
			assert_int_equal(
				store_find_name(store, name, strlen(name), NULL), KW_ERR_OK);
		}
		store_close(&store);
	} while (!platform_memory_fail_alloc_left());
	do {
		platform_memory_fail_alloc(++m);
		err = store_open(&store);
		assert_int_equal(
			err, platform_memory_fail_alloc_left() ? KW_ERR_OK : KW_ERR_NO_MEMORY);
		store_close(&store);
	} while (err);
	platform_memory_fail_alloc(0);
	assert_true(n > 8 && m > 12);
	assert_int_equal(platform_memory_blocks(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operation_that_fails),
		cmocka_unit_test(test_operation_that_fails_half_way),
		cmocka_unit_test(test_two_operations_that_fail),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_disk_that_dies),
		cmocka_unit_test(test_power_that_fails),
		cmocka_unit_test(test_memory_that_runs_out),
		cmocka_unit_test(test_memory_that_runs_out_while_growing),
	};

	if (crypto_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

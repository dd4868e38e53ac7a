/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fair.h"

static void add_many(struct fair *f, struct fair_caller *c, struct fair_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fair_add(f, c, &items[i]);
}

static void one_waits_for_one_not_for_a_thousand(void **state)
{
	static struct fair_item flood[1000], one;
	struct fair f = {0};
	struct fair_caller *a = fair_caller_get(&f, 1), *b = fair_caller_get(&f, 2), *whose;

	(void)state;
	add_many(&f, a, flood, 1000);
	assert_ptr_equal(fair_take(&f, &whose), &flood[0]);
	fair_charge(&f, whose, 100);
	fair_add(&f, b, &one);
	/* Who came late has used nothing that the other has not, and goes first. */
	assert_ptr_equal(fair_take(&f, &whose), &one);
	assert_ptr_equal(whose, b);
	fair_done(&f);
}

static void time_is_shared_not_requests(void **state)
{
	struct fair_item slow[64] = {0}, quick[64] = {0};
	struct fair f = {0};
	struct fair_caller *a = fair_caller_get(&f, 1), *b = fair_caller_get(&f, 2), *whose;
	uint64_t used_a = 0, used_b = 0;

	(void)state;
	add_many(&f, a, slow, 64);
	add_many(&f, b, quick, 64);
	for (unsigned i = 0; i < 60; i++) {
		assert_non_null(fair_take(&f, &whose));
		fair_charge(&f, whose, whose == a ? 1000 : 50);
		*(whose == a ? &used_a : &used_b) += whose == a ? 1000 : 50;
	}
	/* 20 quick ones for a slow one, give or take one. */
	assert_true(used_a <= used_b + 1000);
	assert_true(used_b <= used_a + 1000);
	fair_done(&f);
}

static void idling_earns_nothing(void **state)
{
	struct fair_item first[8] = {0}, second[8] = {0};
	struct fair f = {0};
	struct fair_caller *a = fair_caller_get(&f, 1), *b = fair_caller_get(&f, 2), *whose;
	unsigned of_b = 0;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		fair_add(&f, a, &first[i]);
		assert_ptr_equal(fair_take(&f, &whose), &first[i]);
		fair_charge(&f, whose, 1000);
	}
	/* b, idle until now, may not have all of the next 8000 for itself. */
	add_many(&f, a, first, 8);
	add_many(&f, b, second, 8);
	for (unsigned i = 0; i < 8; i++) {
		fair_take(&f, &whose);
		of_b += whose == b;
		fair_charge(&f, whose, 1000);
	}
	assert_in_range(of_b, 4, 5);
	fair_done(&f);
}

/* Being served again at once ends where another caller has used less. */
static void a_streak_ends_when_another_is_due(void **state)
{
	struct fair_item first[2] = {0}, second[1] = {0};
	struct fair f = {0};
	struct fair_caller *a = fair_caller_get(&f, 1), *b = fair_caller_get(&f, 2), *whose;

	(void)state;
	add_many(&f, a, first, 2);
	assert_ptr_equal(fair_take(&f, &whose), &first[0]);
	fair_charge(&f, a, 1000);
	assert_true(fair_is_next(&f, a));
	add_many(&f, b, second, 1);
	assert_false(fair_is_next(&f, a));
	assert_ptr_equal(fair_take(&f, &whose), &second[0]);
	assert_true(fair_is_next(&f, b));
	fair_charge(&f, b, 5000);
	assert_false(fair_is_next(&f, b));
	assert_ptr_equal(fair_take(&f, &whose), &first[1]);
	assert_true(fair_is_next(&f, a));
	assert_true(fair_is_next(&f, b));
	fair_done(&f);
}

static void leaving_pays_no_debt(void **state)
{
	struct fair_item items[4] = {0};
	struct fair f = {0};
	struct fair_caller *a = fair_caller_get(&f, 1), *b = fair_caller_get(&f, 2), *whose;

	(void)state;
	fair_add(&f, a, &items[0]);
	fair_add(&f, b, &items[1]);
	fair_take(&f, &whose);
	fair_charge(&f, whose, 5000);
	assert_ptr_equal(whose, a);
	fair_caller_put(&f, a);
	a = fair_caller_get(&f, 1);
	fair_add(&f, a, &items[2]);
	fair_add(&f, b, &items[3]);
	fair_take(&f, &whose);
	fair_charge(&f, whose, 10);
	assert_ptr_equal(whose, b);
	fair_take(&f, &whose);
	assert_ptr_equal(whose, b);
	fair_done(&f);
}

static void those_who_left_are_forgotten(void **state)
{
	struct fair f = {0};
	struct fair_caller *c;

	(void)state;
	for (uint32_t uid = 0; uid < 100000; uid++) {
		c = fair_caller_get(&f, uid);
		assert_non_null(c);
		fair_caller_put(&f, c);
	}
	assert_true(f.callers <= FAIR_BUCKETS);
	fair_done(&f);
}

/* Against a simple model: the least used of those who wait, and each one's items in order. */
static void many_callers_in_order(void **state)
{
	enum { USERS = 200, ROUNDS = 20000 };
	static struct fair_item items[ROUNDS];
	struct fair f = {0};
	struct fair_caller *c[USERS], *whose;
	unsigned taken = 0, added = 0;
	uint32_t seed = 1;

	(void)state;
	for (uint32_t i = 0; i < USERS; i++)
		c[i] = fair_caller_get(&f, i * 64);
	while (taken < ROUNDS) {
		seed = seed * 1664525 + 1013904223;
		if (added < ROUNDS && (seed >> 30 || fair_empty(&f))) {
			fair_add(&f, c[(seed >> 8) % USERS], &items[added++]);
			continue;
		}
		assert_non_null(fair_take(&f, &whose));
		taken++;
		for (uint32_t i = 0; i < USERS; i++)
			assert_true(!c[i]->waiting || c[i] == whose || c[i]->used >= whose->used);
		fair_charge(&f, whose, seed % 1000);
	}
	assert_true(fair_empty(&f));
	fair_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_waits_for_one_not_for_a_thousand),
		cmocka_unit_test(time_is_shared_not_requests),
		cmocka_unit_test(idling_earns_nothing),
		cmocka_unit_test(a_streak_ends_when_another_is_due),
		cmocka_unit_test(leaving_pays_no_debt),
		cmocka_unit_test(those_who_left_are_forgotten),
		cmocka_unit_test(many_callers_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

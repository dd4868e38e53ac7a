/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the store have in common: one store, small keys, and a look at them. */
#ifndef TESTS_STORE_CHECKS_H
#define TESTS_STORE_CHECKS_H

#include "core/store.h"

/* The store of the running test. */
extern struct store *store;

/* A fresh disk with an open store on it; afterwards nothing may be left in memory. */
int store_set_up(void **state);
int store_tear_down(void **state);

/* The id of the n-th key; valid until the next call. */
const uint8_t *id_of(unsigned n);
/* An orderly end and a new start. */
void reopen(void);
enum kw_err put_key(unsigned n, const char *name, const char *record);
void assert_key(unsigned n, const char *name, const char *record);
void assert_no_key(unsigned n);

#endif

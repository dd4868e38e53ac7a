/* SPDX-License-Identifier: BSD-2-Clause */
#include "store_checks.h"
#include "platform_memory.h"
#include "storage_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

struct store *store;

const uint8_t *id_of(unsigned n)
{
	static uint8_t id[WIRE_ID_SIZE];

	memset(id, 0, sizeof(id));
	memcpy(id, &n, sizeof(n));
	return id;
}

void reopen(void)
{
	store_close(&store);
	storage_memory_restart(false);
	assert_int_equal(store_open(&store), KW_ERR_OK);
}

enum kw_err put_key(unsigned n, const char *name, const char *record)
{
	return store_put(
		store, id_of(n), name, (const uint8_t *)record, strlen(record), false, false);
}

void assert_key(unsigned n, const char *name, const char *record)
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

void assert_no_key(unsigned n)
{
	uint8_t buf[WIRE_RECORD_MAX];
	size_t len;

	assert_int_equal(store_find_id(store, id_of(n), NULL), KW_ERR_NO_KEY);
	assert_int_equal(store_read(store, id_of(n), buf, &len, NULL), KW_ERR_NO_KEY);
}

int store_set_up(void **state)
{
	(void)state;
	storage_memory_reset();
	platform_memory_set_device(0);
	platform_memory_set_time(0);
	return store_open(&store) ? -1 : 0;
}

int store_tear_down(void **state)
{
	(void)state;
	store_close(&store);
	return platform_memory_blocks() || platform_memory_bytes() ? -1 : 0;
}

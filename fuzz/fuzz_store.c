/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens a store from bytes. The first byte says how: raw, or as a description of a log of which sums,
 * tags and the chain are made right, so that what lies behind them is reached as well. Whatever opens
 * must take a change, keep it, and hold what it lists.
 */
#include "core/crypto.h"
#include "core/store.h"
#include "core/store_log.h"
#include "tests/support/platform_memory.h"
#include "tests/support/storage_memory.h"

#include <stdlib.h>
#include <string.h>

#define LOG_MAX 200000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t image[LOG_MAX];

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* The log that a device with this key would have written: a list of u16 length and payload. A top bit
 * set in the length leaves the tag wrong. Returns its size. */
static size_t make_log(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	uint8_t device_key[DEVICE_KEY_SIZE], buf[LOG_RECORD_MAX];
	struct log log = {0};
	struct storage *empty;
	const uint8_t *bytes;
	size_t len;

	storage_memory_reset();
	must(!platform_device_key("keyward store v1", device_key));
	must(!storage_open(&empty) && !storage_begin(empty, &log.storage));
	must(!log_create(&log, device_key));
	while (reader_left(&r) && log.end.size < LOG_MAX - 2 * LOG_RECORD_MAX) {
		uint16_t head = get_u16(&r);
		size_t n = head & 0x7fff;
		struct writer w = log_begin(buf);

		if (n > reader_left(&r))
			n = reader_left(&r);
		put_bytes(&w, get_bytes(&r, n), n);
		if (head & 0x8000)
			log.key[0] ^= 1;
		if (log_append(&log, &w))
			break;
		if (head & 0x8000)
			log.key[0] ^= 1;
	}
	must(!storage_sync(log.storage) && !storage_swap(empty, log.storage));
	storage_close(&empty);
	storage_close(&log.storage);
	bytes = storage_memory_bytes(&len);
	must(len <= LOG_MAX);
	memcpy(image, bytes, len);
	return len;
}

/* Each key that is listed can be found; one that has a record gives it. */
static unsigned walk(struct store *store)
{
	static uint8_t object[STORE_OBJECT_MAX];
	uint8_t record[WIRE_RECORD_MAX];
	struct store_entry e, found;
	uint32_t cursor = 0;
	unsigned n = 0;
	size_t len;

	for (; !store_next(store, &cursor, &e); n++) {
		must(!store_read(store, e.id, record, &len, &found) && len &&
			len <= sizeof(record));
		must(e.version == found.version && !strcmp(e.name, found.name));
		must(!e.name[0] || !store_find_name(store, e.name, strlen(e.name), &found));
		must(!memcmp(e.id, found.id, sizeof(e.id)));
	}
	for (cursor = 0; !store_object_next(store, &cursor, e.id);) {
		must(!store_object_read(store, e.id, object, &len) && len && len <= sizeof(object));
		must(store_find_id(store, e.id, NULL) == KW_ERR_NO_KEY);
		must(store_object_put(store, e.id, object, len, true) == KW_ERR_LIMIT);
	}
	return n;
}

static void use(struct store *store)
{
	static const uint8_t record[] = "a record of the fuzz target";
	uint8_t id[WIRE_ID_SIZE], buf[STORE_OBJECT_MAX];
	struct store_entry e;
	uint32_t cursor = 0;
	unsigned keys = walk(store), after;
	bool is_new;
	size_t len;

	memset(id, 0xa5, sizeof(id));
	is_new = store_find_id(store, id, NULL) == KW_ERR_NO_KEY;
	if (!store_object_delete(store, id))
		must(is_new);
	if (!store_next(store, &cursor, &e))
		store_count_signature(store, e.id, 1);
	must(!store_put(store, id, "fuzz", record, sizeof(record), true, false));
	must(walk(store) == keys + is_new);
	store_close(&store);
	must(!store_open(&store));
	after = walk(store);
	must(after == keys + is_new);
	must(!store_read(store, id, buf, &len, &e) && len == sizeof(record));
	must(!memcmp(buf, record, len) && !strcmp(e.name, "fuzz"));
	must(!store_delete(store, id));
	must(walk(store) == after - 1);
	must(!store_object_put(store, id, record, sizeof(record), true));
	store_close(&store);
	must(!store_open(&store));
	must(walk(store) == after - 1);
	must(!store_object_read(store, id, buf, &len) && len == sizeof(record));
	must(!store_object_delete(store, id));
	store_close(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	struct store *store;
	size_t len;

	if (!is_ready)
		must(!crypto_init());
	is_ready = true;
	if (!size || size > LOG_MAX / 2)
		return 0;
	/* The same input always gives the same log. */
	platform_memory_stuck_random(7);
	if (data[0] & 1) {
		len = make_log(data + 1, size - 1);
	} else {
		len = size - 1;
		memcpy(image, data + 1, len);
	}
	storage_memory_reset();
	storage_memory_set_bytes(image, len);
	if (!store_open(&store))
		use(store);
	must(!platform_memory_blocks());
	return 0;
}

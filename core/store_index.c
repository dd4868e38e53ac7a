/* SPDX-License-Identifier: BSD-2-Clause */
#include "store_index.h"

#include <string.h>

#define CHUNK_ENTRIES 128u
#define TABLE_SMALLEST 64u

enum kw_err index_init(struct index *ix)
{
	memset(ix, 0, sizeof(*ix));
	ix->free_head = INDEX_NONE;
	ix->queue_head = INDEX_NONE;
	ix->queue_tail = INDEX_NONE;
	return platform_random(ix->hash_key, sizeof(ix->hash_key));
}

void index_clear(struct index *ix)
{
	for (uint32_t i = 0; i < ix->chunk_count; i++)
		platform_free(ix->chunks[i], CHUNK_ENTRIES * sizeof(**ix->chunks));
	platform_free(ix->chunks, ix->chunk_room * sizeof(*ix->chunks));
	platform_free(ix->by_id, ix->table_size * sizeof(*ix->by_id));
	platform_free(ix->by_name, ix->table_size * sizeof(*ix->by_name));
	memset(ix, 0, sizeof(*ix));
}

/*
 * Multilinear hashing with random keys is strongly universal (Lemire and Kaser, "Strongly universal
 * string hashing is fast", 2014): who chooses names or makes keys cannot make them collide.
 */
static uint32_t hash_bytes(const struct index *ix, const void *p, size_t len)
{
	uint64_t sum = ix->hash_key[0] + ix->hash_key[1] * len;

	for (size_t at = 0; at < len; at += 4) {
		uint32_t word = 0;

		memcpy(&word, (const uint8_t *)p + at, len - at < 4 ? len - at : 4);
		sum += ix->hash_key[2 + at / 4] * word;
	}
	return (uint32_t)(sum >> 32);
}

/* Of an id the first half will do: ids are hashes, and nobody makes many that share 16 bytes. */
static uint32_t hash_of_id(const struct index *ix, const uint8_t id[WIRE_ID_SIZE])
{
	uint64_t sum = ix->hash_key[0];
	uint32_t words[4];

	memcpy(words, id, sizeof(words));
	for (size_t i = 0; i < 4; i++)
		sum += ix->hash_key[2 + i] * words[i];
	return (uint32_t)(sum >> 32);
}

static struct index_entry *entry_at(const struct index *ix, uint32_t number)
{
	return &ix->chunks[number / CHUNK_ENTRIES][number % CHUNK_ENTRIES];
}

static uint32_t hash_id(const struct index *ix, const struct index_entry *e)
{
	return hash_of_id(ix, e->shown.id);
}

static uint32_t hash_name(const struct index *ix, const struct index_entry *e)
{
	return hash_bytes(ix, e->shown.name, strlen(e->shown.name));
}

struct index_entry *index_find_id(const struct index *ix, const uint8_t id[WIRE_ID_SIZE])
{
	uint32_t mask = ix->table_size - 1;

	if (!ix->table_size)
		return NULL;
	for (uint32_t i = hash_of_id(ix, id) & mask; ix->by_id[i]; i = (i + 1) & mask) {
		struct index_entry *e = entry_at(ix, ix->by_id[i] - 1);

		if (!memcmp(e->shown.id, id, WIRE_ID_SIZE))
			return e;
	}
	return NULL;
}

struct index_entry *index_find_name(const struct index *ix, const char *name, size_t len)
{
	uint32_t mask = ix->table_size - 1;

	if (!ix->table_size || !len || len > WIRE_NAME_MAX)
		return NULL;
	for (uint32_t i = hash_bytes(ix, name, len) & mask; ix->by_name[i]; i = (i + 1) & mask) {
		struct index_entry *e = entry_at(ix, ix->by_name[i] - 1);

		if (strlen(e->shown.name) == len && !memcmp(e->shown.name, name, len))
			return e;
	}
	return NULL;
}

struct index_entry *index_at(const struct index *ix, uint32_t number)
{
	struct index_entry *e;

	if (number >= ix->used)
		return NULL;
	e = entry_at(ix, number);
	return e->is_live ? e : NULL;
}

struct index_entry *index_queued(const struct index *ix, uint32_t number)
{
	return number < ix->used ? entry_at(ix, number) : NULL;
}

static void table_insert(uint32_t *table, uint32_t mask, uint32_t hash, uint32_t number)
{
	uint32_t i = hash & mask;

	while (table[i])
		i = (i + 1) & mask;
	table[i] = number + 1;
}

/* Takes a number out and moves those behind it up, so that probing never meets a gap it must
 * ignore. */
static void table_remove(const struct index *ix, uint32_t *table,
	uint32_t (*hash)(const struct index *, const struct index_entry *), uint32_t number)
{
	uint32_t mask = ix->table_size - 1;
	uint32_t gap = hash(ix, entry_at(ix, number)) & mask;

	while (table[gap] != number + 1)
		gap = (gap + 1) & mask;
	table[gap] = 0;
	for (uint32_t i = (gap + 1) & mask; table[i]; i = (i + 1) & mask) {
		uint32_t home = hash(ix, entry_at(ix, table[i] - 1)) & mask;

		/* It may move into the gap unless its home lies behind the gap. */
		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		table[gap] = table[i];
		table[i] = 0;
		gap = i;
	}
}

static enum kw_err grow_tables(struct index *ix)
{
	uint32_t size = ix->table_size ? ix->table_size * 2 : TABLE_SMALLEST;
	uint32_t *by_id = platform_alloc(size * sizeof(*by_id));
	uint32_t *by_name = platform_alloc(size * sizeof(*by_name));

	if (!by_id || !by_name) {
		platform_free(by_id, size * sizeof(*by_id));
		platform_free(by_name, size * sizeof(*by_name));
		return KW_ERR_NO_MEMORY;
	}
	for (uint32_t n = 0; n < ix->used; n++) {
		const struct index_entry *e = entry_at(ix, n);

		if (!e->is_live)
			continue;
		table_insert(by_id, size - 1, hash_id(ix, e), n);
		if (e->shown.name[0])
			table_insert(by_name, size - 1, hash_name(ix, e), n);
	}
	platform_free(ix->by_id, ix->table_size * sizeof(*ix->by_id));
	platform_free(ix->by_name, ix->table_size * sizeof(*ix->by_name));
	ix->by_id = by_id;
	ix->by_name = by_name;
	ix->table_size = size;
	return KW_ERR_OK;
}

static enum kw_err add_chunk(struct index *ix)
{
	uint32_t room = ix->chunk_room ? ix->chunk_room * 2 : 8;
	struct index_entry **chunks;

	if (ix->chunk_count == ix->chunk_room) {
		chunks = platform_alloc(room * sizeof(*chunks));
		if (!chunks)
			return KW_ERR_NO_MEMORY;
		if (ix->chunk_count)
			memcpy(chunks, ix->chunks, ix->chunk_count * sizeof(*chunks));
		platform_free(ix->chunks, ix->chunk_room * sizeof(*chunks));
		ix->chunks = chunks;
		ix->chunk_room = room;
	}
	ix->chunks[ix->chunk_count] = platform_alloc(CHUNK_ENTRIES * sizeof(**ix->chunks));
	if (!ix->chunks[ix->chunk_count])
		return KW_ERR_NO_MEMORY;
	ix->chunk_count++;
	return KW_ERR_OK;
}

enum kw_err index_reserve(struct index *ix)
{
	enum kw_err err = KW_ERR_OK;

	if (ix->count >= INDEX_KEYS_MAX)
		return KW_ERR_LIMIT;
	/* Three quarters full at most, so that a probe ends soon. */
	if (ix->count + 1 > ix->table_size / 4 * 3)
		err = grow_tables(ix);
	if (!err && ix->free_head == INDEX_NONE && ix->used == ix->chunk_count * CHUNK_ENTRIES)
		err = add_chunk(ix);
	return err;
}

struct index_entry *index_add(
	struct index *ix, const uint8_t id[WIRE_ID_SIZE], enum entry_kind kind)
{
	uint32_t number = ix->free_head;
	struct index_entry *e;

	if (number != INDEX_NONE) {
		e = entry_at(ix, number);
		ix->free_head = e->free_next;
	} else {
		number = ix->used++;
		e = entry_at(ix, number);
	}
	/* An entry that is still in the queue stays there: its links belong to the queue. */
	memset(&e->shown, 0, sizeof(e->shown));
	memcpy(e->shown.id, id, WIRE_ID_SIZE);
	e->kind = (uint8_t)kind;
	e->is_live = true;
	table_insert(ix->by_id, ix->table_size - 1, hash_id(ix, e), number);
	ix->count++;
	ix->objects += kind == ENTRY_OBJECT;
	ix->tokens += kind == ENTRY_TOKEN;
	return e;
}

/* The id is there, and with it the number: one probe instead of a field in every entry. */
static uint32_t number_of(const struct index *ix, const struct index_entry *e)
{
	uint32_t mask = ix->table_size - 1;
	uint32_t i = hash_id(ix, e) & mask;

	while (entry_at(ix, ix->by_id[i] - 1) != e)
		i = (i + 1) & mask;
	return ix->by_id[i] - 1;
}

void index_set_name(struct index *ix, struct index_entry *e, const char *name, size_t len)
{
	uint32_t number = number_of(ix, e);

	if (e->shown.name[0])
		table_remove(ix, ix->by_name, hash_name, number);
	memset(e->shown.name, 0, sizeof(e->shown.name));
	if (!len)
		return;
	memcpy(e->shown.name, name, len);
	table_insert(ix->by_name, ix->table_size - 1, hash_name(ix, e), number);
}

void index_remove(struct index *ix, struct index_entry *e)
{
	uint32_t number = number_of(ix, e);

	index_set_name(ix, e, "", 0);
	table_remove(ix, ix->by_id, hash_id, number);
	memset(&e->shown, 0, sizeof(e->shown));
	e->is_live = false;
	e->free_next = ix->free_head;
	ix->free_head = number;
	ix->count--;
	ix->objects -= e->kind == ENTRY_OBJECT;
	ix->tokens -= e->kind == ENTRY_TOKEN;
}

static void enqueue(struct index *ix, struct index_entry *e, uint32_t number)
{
	e->is_queued = true;
	e->queue_next = INDEX_NONE;
	if (ix->queue_tail == INDEX_NONE)
		ix->queue_head = number;
	else
		entry_at(ix, ix->queue_tail)->queue_next = number;
	ix->queue_tail = number;
}

void index_touch(struct index *ix, struct index_entry *e)
{
	e->is_touched = true;
	if (!e->is_queued)
		enqueue(ix, e, number_of(ix, e));
}

void index_queue_drop(struct index *ix, uint32_t n)
{
	while (n-- && ix->queue_head != INDEX_NONE) {
		uint32_t number = ix->queue_head;
		struct index_entry *e = entry_at(ix, number);

		ix->queue_head = e->queue_next;
		if (ix->queue_head == INDEX_NONE)
			ix->queue_tail = INDEX_NONE;
		e->is_queued = false;
		if (e->is_touched && e->is_live)
			enqueue(ix, e, number);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "store_workload.h"

#include <stdio.h>
#include <string.h>

static uint32_t draw(struct workload *w, uint32_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 17;
	w->random ^= w->random << 5;
	return w->random % below;
}

void workload_start(struct workload *w, uint32_t seed)
{
	memset(w, 0, sizeof(*w));
	w->random = seed * 2654435761u | 1;
}

static void make_id(unsigned key, uint8_t id[WIRE_ID_SIZE])
{
	memset(id, (int)(key + 1), WIRE_ID_SIZE);
}

static void make_name(uint8_t name, char *text, size_t size)
{
	if (name)
		snprintf(text, size, "name-%u.test.com", name);
	else
		text[0] = 0;
}

static void make_record(uint32_t content, uint8_t *record, size_t len)
{
	uint32_t x = content | 1;

	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		record[i] = (uint8_t)(x >> 24);
	}
}

/* The key of the model that has the name, or -1. */
static int named(const struct model *m, uint8_t name)
{
	for (int i = 0; name && i < WORKLOAD_KEYS; i++) {
		if (m->keys[i].content && m->keys[i].name == name)
			return i;
	}
	return -1;
}

static bool is_object(unsigned key)
{
	return key >= WORKLOAD_KEYS - WORKLOAD_OBJECTS;
}

static enum kw_err expect(
	const struct model *m, unsigned key, uint8_t name, bool take, bool only_new)
{
	int other = named(m, name);

	if (is_object(key)) {
		if (m->keys[key].content)
			return only_new ? KW_ERR_LIMIT : KW_ERR_OK;
		return only_new ? KW_ERR_OK : KW_ERR_NO_OBJECT;
	}
	if (m->keys[key].content && only_new)
		return KW_ERR_KEY_EXISTS;
	if (other >= 0 && (unsigned)other != key && !take)
		return KW_ERR_NAME_TAKEN;
	return KW_ERR_OK;
}

static void note_failure(struct workload *w, const struct model *next)
{
	if (w->failed_count < WORKLOAD_FAILED_MAX)
		w->failed[w->failed_count++] = *next;
}

static void note_success(struct workload *w, const struct model *next)
{
	w->acknowledged = *next;
	w->failed_count = 0;
}

/* The failed state is noted before the call: a killed process cannot do it afterwards. */
static enum kw_err finish(struct workload *w, const struct model *next, enum kw_err err,
	enum kw_err expected, bool *is_wrong)
{
	if (!err && !expected)
		note_success(w, next);
	else if (err == expected)
		w->failed_count--;
	if (expected && err != expected) {
		snprintf(w->why, sizeof(w->why), "a change gave error %d where %d was due", err,
			expected);
		*is_wrong = true;
	}
	return err;
}

static enum kw_err step_put(struct workload *w, struct store *store, bool *is_wrong)
{
	bool take = draw(w, 2), only_new = draw(w, 4) == 0;
	unsigned key = draw(w, WORKLOAD_KEYS);
	uint8_t record[STORE_OBJECT_MAX], id[WIRE_ID_SIZE];
	struct model next = w->acknowledged;
	struct model_key *k = &next.keys[key];
	enum kw_err expected;
	char name[32];
	int loser;

	if (is_object(key))
		only_new = draw(w, 4) ? !k->content : k->content != 0;
	else if (!k->content || draw(w, 3) == 0)
		k->name = (uint8_t)draw(w, WORKLOAD_KEYS);
	loser = named(&w->acknowledged, k->name);
	if (loser >= 0 && (unsigned)loser != key)
		next.keys[loser].name = 0;
	expected = expect(&w->acknowledged, key, k->name, take, only_new);
	k->content = ++w->contents;
	k->len = (uint16_t)(1 + draw(w, draw(w, 4)       ? 600
					: is_object(key) ? STORE_OBJECT_MAX
							 : WIRE_RECORD_MAX));
	make_id(key, id);
	make_name(k->name, name, sizeof(name));
	make_record(k->content, record, k->len);
	note_failure(w, &next);
	return finish(w, &next,
		is_object(key) ? store_object_put(store, id, record, k->len, only_new)
			       : store_put(store, id, name, record, k->len, take, only_new),
		expected, is_wrong);
}

static enum kw_err step_delete(struct workload *w, struct store *store, bool *is_wrong)
{
	unsigned key = draw(w, WORKLOAD_KEYS);
	struct model next = w->acknowledged;
	uint8_t id[WIRE_ID_SIZE];
	enum kw_err none = is_object(key) ? KW_ERR_NO_OBJECT : KW_ERR_NO_KEY;
	enum kw_err expected = next.keys[key].content ? KW_ERR_OK : none;

	memset(&next.keys[key], 0, sizeof(next.keys[key]));
	make_id(key, id);
	note_failure(w, &next);
	return finish(w, &next,
		is_object(key) ? store_object_delete(store, id) : store_delete(store, id), expected,
		is_wrong);
}

enum kw_err workload_step(struct workload *w, struct store *store, bool *is_wrong)
{
	for (uint32_t i = draw(w, 6); i; i--) {
		uint8_t id[WIRE_ID_SIZE];

		make_id(draw(w, WORKLOAD_KEYS), id);
		store_count_signature(store, id, 1000 + w->signatures++);
	}
	return draw(w, 6) ? step_put(w, store, is_wrong) : step_delete(w, store, is_wrong);
}

static bool object_matches(
	struct workload *w, struct store *store, const struct model *m, unsigned key)
{
	const struct model_key *k = &m->keys[key];
	uint8_t id[WIRE_ID_SIZE], record[STORE_OBJECT_MAX], due[STORE_OBJECT_MAX];
	size_t len = 0;
	enum kw_err err;

	make_id(key, id);
	make_record(k->content, due, k->len);
	err = store_object_read(store, id, record, &len);
	snprintf(w->why, sizeof(w->why), "object %u: error %d, %zu bytes; due %u bytes", key, err,
		len, k->len);
	if (store_find_id(store, id, NULL) != KW_ERR_NO_KEY)
		return false;
	if (!k->content)
		return err == KW_ERR_NO_OBJECT;
	return !err && len == k->len && !memcmp(record, due, len);
}

static bool key_matches(
	struct workload *w, struct store *store, const struct model *m, unsigned key)
{
	const struct model_key *k = &m->keys[key];
	uint8_t id[WIRE_ID_SIZE], record[WIRE_RECORD_MAX], due[WIRE_RECORD_MAX];
	struct store_entry entry, by_name;
	char name[32];
	size_t len = 0;
	enum kw_err err;

	make_id(key, id);
	make_name(k->name, name, sizeof(name));
	make_record(k->content, due, k->len);
	err = store_read(store, id, record, &len, &entry);
	if (!k->content) {
		snprintf(w->why, sizeof(w->why), "key %u is there (error %d) and should not be",
			key, err);
		return err == KW_ERR_NO_KEY;
	}
	snprintf(w->why, sizeof(w->why),
		"key %u: error %d, %zu bytes, name '%s'; due %u bytes, '%s'", key, err, len,
		err ? "" : entry.name, k->len, name);
	if (err || len != k->len || memcmp(record, due, len) || strcmp(entry.name, name))
		return false;
	if (entry.counters.signatures > w->signatures)
		return false;
	return !name[0] || (!store_find_name(store, name, strlen(name), &by_name) &&
				   !memcmp(by_name.id, id, sizeof(id)));
}

static bool matches(struct workload *w, struct store *store, const struct model *m)
{
	unsigned listed = 0, due = 0, objects = 0;
	uint8_t id[WIRE_ID_SIZE];
	struct store_entry entry;
	struct store_stats stats;
	uint32_t cursor = 0;

	for (unsigned i = 0; i < WORKLOAD_KEYS; i++) {
		if (!(is_object(i) ? object_matches : key_matches)(w, store, m, i))
			return false;
		objects += is_object(i) && m->keys[i].content;
		due += m->keys[i].content != 0;
	}
	for (unsigned name = 1; name < WORKLOAD_KEYS; name++) {
		char text[32];

		make_name((uint8_t)name, text, sizeof(text));
		snprintf(w->why, sizeof(w->why), "%s leads to a key and should not", text);
		if (named(m, (uint8_t)name) < 0 &&
			!store_find_name(store, text, strlen(text), NULL))
			return false;
	}
	while (!store_next(store, &cursor, &entry))
		listed++;
	for (cursor = 0; !store_object_next(store, &cursor, id);)
		listed++;
	store_stats(store, &stats);
	snprintf(w->why, sizeof(w->why), "%u keys listed, %u counted, %u due", listed,
		stats.keys + stats.objects, due);
	if (listed != due || stats.keys != due - objects || stats.objects != objects ||
		stats.live_bytes > stats.bytes)
		return false;
	w->why[0] = 0;
	return true;
}

bool workload_holds(struct workload *w, struct store *store)
{
	return matches(w, store, &w->acknowledged);
}

bool workload_recovers(struct workload *w, struct store *store)
{
	bool ok = matches(w, store, &w->acknowledged);
	char first[sizeof(w->why)];

	memcpy(first, w->why, sizeof(first));
	for (unsigned i = 0; !ok && i < w->failed_count; i++) {
		ok = matches(w, store, &w->failed[i]);
		if (ok)
			w->acknowledged = w->failed[i];
	}
	w->failed_count = 0;
	memcpy(w->why, first, sizeof(first));
	return ok;
}

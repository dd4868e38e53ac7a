/* SPDX-License-Identifier: BSD-2-Clause */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "attribute.h"

/* A handle is a place plus 1, and above it how many handles the place had before, so that an old one is not taken for what has
 * its place now. CK_ULONG has 32 bits on some machines. */
#define HANDLE_BITS (8 * sizeof(CK_OBJECT_HANDLE) - 1)
#define PLACE_BITS (HANDLE_BITS > 32 ? 32 : 22)
#define PLACES_MAX ((size_t)1 << (PLACE_BITS - 1))
#define PLACE_MASK (((CK_OBJECT_HANDLE)1 << PLACE_BITS) - 1)
#define TIMES_MASK (((CK_OBJECT_HANDLE)1 << (HANDLE_BITS - PLACE_BITS)) - 1)

/* Chains go by place plus 1; 0 is the end. */
struct place {
	struct object *object;
	uint32_t next[TABLE_INDEXES]; /* the first is that of free places too */
	uint32_t times;
};

static struct place *places;
static size_t used, room; /* room is a power of two: as many chains has each index */
static uint32_t *heads[TABLE_INDEXES];
static size_t session_objects;
static uint32_t free_first,
	free_last; /* places of sessions' objects: the one that is free longest comes first */

size_t table_size(void)
{
	return used;
}

struct object *table_at(size_t place)
{
	return place < used ? places[place].object : NULL;
}

size_t table_session_objects(void)
{
	return session_objects;
}

/* FNV-1a: a chain that somebody made long slows down his own searches, and nothing else. */
static size_t chain_of(const void *p, size_t n)
{
	const uint8_t *at = p;
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ at[i]) * 0x100000001b3u;
	return (size_t)(h ^ h >> 32) & (room - 1);
}

/* False: the object is not in this index, where it would be one of many with nothing. */
static bool chain_of_object(enum table_index index, struct object *o, size_t *chain)
{
	struct value v = {0};
	const uint8_t *id;

	if (index == TABLE_KEY || index == TABLE_ITEM) {
		if (index == TABLE_KEY)
			id = o->data ? o->data->id : item_key_id(o->item);
		else
			id = o->item ? o->item->id : NULL;
		if (id)
			*chain = chain_of(id, KW_ID_SIZE);
		return id != NULL;
	}
	/* Both are known without a question to the TEE. */
	if (attribute_get(o, index == TABLE_LABEL ? CKA_LABEL : CKA_ID, &v))
		return false;
	*chain = chain_of(v.p, v.n);
	return true;
}

static void link_place(size_t place)
{
	size_t chain;

	for (unsigned i = 0; i < TABLE_INDEXES; i++) {
		if (!chain_of_object(i, places[place].object, &chain))
			continue;
		places[place].next[i] = heads[i][chain];
		heads[i][chain] = (uint32_t)place + 1;
	}
}

static void unlink_place(size_t place)
{
	size_t chain;

	for (unsigned i = 0; i < TABLE_INDEXES; i++) {
		uint32_t *at;

		if (!chain_of_object(i, places[place].object, &chain))
			continue;
		at = &heads[i][chain];
		while (*at && *at != place + 1)
			at = &places[*at - 1].next[i];
		if (*at)
			*at = places[place].next[i];
	}
}

static bool grow(size_t wanted)
{
	uint32_t *more_heads[TABLE_INDEXES] = {NULL};
	struct place *more;
	bool ok = true;

	for (unsigned i = 0; i < TABLE_INDEXES; i++) {
		more_heads[i] = calloc(wanted, sizeof(uint32_t));
		ok = ok && more_heads[i];
	}
	more = ok ? realloc(places, wanted * sizeof(*places)) : NULL;
	if (!more) {
		for (unsigned i = 0; i < TABLE_INDEXES; i++)
			free(more_heads[i]);
		return false;
	}
	places = more;
	room = wanted;
	for (unsigned i = 0; i < TABLE_INDEXES; i++) {
		free(heads[i]);
		heads[i] = more_heads[i];
	}
	for (size_t i = 0; i < used; i++) {
		if (places[i].object)
			link_place(i);
	}
	return true;
}

bool table_reserve(size_t n)
{
	size_t wanted = room ? room : 64;

	while (wanted < used + n)
		wanted *= 2;
	if (wanted > PLACES_MAX)
		return false;
	return wanted == room || grow(wanted);
}

CK_OBJECT_HANDLE table_handle(size_t place)
{
	return ((places[place].times & TIMES_MASK) << PLACE_BITS | place) + 1;
}

CK_OBJECT_HANDLE table_renew(size_t place)
{
	places[place].times++;
	return table_handle(place);
}

size_t table_place(CK_OBJECT_HANDLE handle)
{
	size_t place = (size_t)((handle - 1) & PLACE_MASK);

	if (!handle || place >= used || !places[place].object || table_handle(place) != handle)
		return TABLE_NONE;
	return place;
}

CK_OBJECT_HANDLE table_append(struct object *o)
{
	places[used].object = NULL;
	places[used].times = 0;
	o->handle = table_handle(used++);
	table_set(used - 1, o);
	return o->handle;
}

CK_OBJECT_HANDLE table_add_to_session(struct object *o)
{
	size_t place = free_first - 1;

	if (!free_first)
		return table_append(o);
	free_first = places[place].next[0];
	if (!free_first)
		free_last = 0;
	o->handle = table_handle(place);
	table_set(place, o);
	return o->handle;
}

static void free_place(size_t place)
{
	uint32_t *end = free_last ? &places[free_last - 1].next[0] : &free_first;

	places[place].times++;
	places[place].next[0] = 0;
	*end = free_last = (uint32_t)place + 1;
}

void table_set(size_t place, struct object *o)
{
	struct object **at = &places[place].object;
	bool was_of_session = *at && (*at)->session;

	if (*at) {
		session_objects -= was_of_session;
		unlink_place(place);
		object_put(at);
	}
	*at = o;
	if (o) {
		session_objects += o->session != 0;
		link_place(place);
	} else if (was_of_session) {
		free_place(place);
	}
}

void table_clear(void)
{
	for (size_t i = 0; i < used; i++)
		object_put(&places[i].object);
	for (unsigned i = 0; i < TABLE_INDEXES; i++) {
		free(heads[i]);
		heads[i] = NULL;
	}
	free(places);
	places = NULL;
	used = room = session_objects = 0;
	free_first = free_last = 0;
}

size_t table_first(enum table_index index, const void *p, size_t n)
{
	uint32_t first = room ? heads[index][chain_of(p, n)] : 0;

	return first ? first - 1 : TABLE_NONE;
}

size_t table_next(enum table_index index, size_t place)
{
	uint32_t next = places[place].next[index];

	return next ? next - 1 : TABLE_NONE;
}

size_t table_find_key(const uint8_t id[KW_ID_SIZE])
{
	size_t i = table_first(TABLE_KEY, id, KW_ID_SIZE);

	for (; i != TABLE_NONE; i = table_next(TABLE_KEY, i)) {
		const struct object *o = places[i].object;

		if ((o->class == CKO_PRIVATE_KEY || o->class == CKO_SECRET_KEY) && !o->session &&
			!memcmp(o->data->id, id, KW_ID_SIZE))
			break;
	}
	return i;
}

size_t table_find_item(const uint8_t id[KW_ID_SIZE])
{
	size_t i = table_first(TABLE_ITEM, id, KW_ID_SIZE);

	for (; i != TABLE_NONE; i = table_next(TABLE_ITEM, i)) {
		const struct object *o = places[i].object;

		if (o->item && !o->session && !memcmp(o->item->id, id, KW_ID_SIZE))
			break;
	}
	return i;
}

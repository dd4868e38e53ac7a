/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of objects: handles, and which keys they are of. */
#include "object.h"

#include <stdlib.h>
#include <string.h>

/* A handle is a place in the table, plus 1, and is never used again. */
static struct object **table;
static size_t table_len, table_room;
/* Places of the private keys on the token, by id; 0 is free, else the place plus 1. */
static uint32_t *index_places;
static size_t index_size, index_used;
static unsigned long additions; /* by this process */

static void object_free(struct object *o)
{
	key_data_put(&o->data);
	free(o->attributes);
	free(o);
}

void object_put(struct object **object)
{
	struct object *o = *object;

	*object = NULL;
	if (o && atomic_fetch_sub(&o->refs, 1) == 1)
		object_free(o);
}

struct object *object_new(CK_OBJECT_CLASS class, struct key_data *data)
{
	struct object *o = calloc(1, sizeof(*o));

	if (o) {
		atomic_init(&o->refs, 1);
		atomic_fetch_add(&data->refs, 1);
		o->class = class;
		o->data = data;
	}
	return o;
}

CK_RV object_get(CK_OBJECT_HANDLE handle, struct object **object)
{
	struct object *o = NULL;

	module_lock();
	if (handle && handle <= table_len)
		o = table[handle - 1];
	if (o)
		atomic_fetch_add(&o->refs, 1);
	module_unlock();
	*object = o;
	return o ? CKR_OK : CKR_OBJECT_HANDLE_INVALID;
}

/* --- Under the module's lock --- */

static size_t start_of(const uint8_t id[KW_ID_SIZE])
{
	uint64_t h;

	memcpy(&h, id, sizeof(h));
	return (size_t)h & (index_size - 1);
}

/* The place of the private key with this id, or table_len. */
static size_t find_id(const uint8_t id[KW_ID_SIZE])
{
	for (size_t i = index_size ? start_of(id) : 0; index_size && index_places[i];
		i = (i + 1) & (index_size - 1)) {
		const struct object *o = table[index_places[i] - 1];

		if (o && !memcmp(o->data->id, id, KW_ID_SIZE))
			return index_places[i] - 1;
	}
	return table_len;
}

static void index_put(size_t place)
{
	size_t i = start_of(table[place]->data->id);

	while (index_places[i])
		i = (i + 1) & (index_size - 1);
	index_places[i] = (uint32_t)place + 1;
	index_used++;
}

/* At most half full. Places of keys that are gone are left out of the new one. */
static bool index_has_room(void)
{
	size_t size = index_size ? index_size : 64;
	size_t live = 0;
	uint32_t *places;

	if (2 * (index_used + 1) <= index_size)
		return true;
	for (size_t i = 0; i < table_len; i++)
		live += table[i] && !table[i]->session && table[i]->class == CKO_PRIVATE_KEY;
	while (size < 4 * (live + 1))
		size *= 2;
	places = calloc(size, sizeof(*places));
	if (!places)
		return false;
	free(index_places);
	index_places = places;
	index_size = size;
	index_used = 0;
	for (size_t i = 0; i < table_len; i++) {
		if (table[i] && !table[i]->session && table[i]->class == CKO_PRIVATE_KEY)
			index_put(i);
	}
	return true;
}

static bool table_has_room(size_t n)
{
	size_t room = table_room ? 2 * table_room : 64;
	struct object **more;

	if (table_len + n <= table_room)
		return true;
	if (room > UINT32_MAX / 2)
		return false;
	more = realloc(table, room * sizeof(struct object *));
	if (!more)
		return false;
	table = more;
	table_room = room;
	return true;
}

/* Takes the reference over. There is room. */
static CK_OBJECT_HANDLE append(struct object *o)
{
	table[table_len++] = o;
	o->handle = table_len;
	return o->handle;
}

static void drop(size_t place)
{
	object_put(&table[place]);
}

void object_forget_session(CK_SESSION_HANDLE session)
{
	for (size_t i = 0; i < table_len; i++) {
		if (table[i] && table[i]->session == session)
			drop(i);
	}
}

void object_forget_all(void)
{
	for (size_t i = 0; i < table_len; i++)
		drop(i);
	free(table);
	free(index_places);
	table = NULL;
	index_places = NULL;
	table_len = table_room = index_size = index_used = 0;
}

/* --- */

CK_RV object_add(struct object **object, CK_OBJECT_HANDLE *handle)
{
	CK_RV rv = CKR_HOST_MEMORY;

	module_lock();
	if (table_has_room(1)) {
		*handle = append(*object);
		*object = NULL;
		rv = CKR_OK;
	}
	module_unlock();
	object_put(object);
	return rv;
}

/* Under the lock: both objects of a key on the token, new or in place of what they were. */
static CK_RV put_key(struct key_data *data, bool *seen, size_t seen_len)
{
	size_t place = find_id(data->id);
	struct object *private = object_new(CKO_PRIVATE_KEY, data);
	struct object *public = object_new(CKO_PUBLIC_KEY, data);
	CK_RV rv = CKR_HOST_MEMORY;

	if (!private || !public)
		goto out;
	if (place == table_len) {
		if (!table_has_room(2) || !index_has_room())
			goto out;
		append(private);
		append(public);
		index_put(place);
	} else {
		private->handle = place + 1;
		public->handle = place + 2;
		drop(place);
		drop(place + 1);
		table[place] = private;
		table[place + 1] = public;
	}
	if (place < seen_len)
		seen[place] = true;
	private = public = NULL;
	rv = CKR_OK;
out:
	object_put(&private);
	object_put(&public);
	return rv;
}

/* A description that says the same is not worth another object: it would lose its public part. */
static bool is_known(const struct kw_key *key, bool *seen, size_t seen_len)
{
	size_t place = find_id(kw_key_id(key));
	const struct kw_key *old;
	const uint8_t *a, *b;
	size_t a_len, b_len;

	if (place == table_len)
		return false;
	old = table[place]->data->key;
	a = kw_key_attributes(old, &a_len);
	b = kw_key_attributes(key, &b_len);
	if (a_len != b_len || memcmp(a, b, a_len))
		return false;
	if (strcmp(kw_key_name(old), kw_key_name(key)) ||
		kw_key_purposes(old) != kw_key_purposes(key) ||
		kw_key_may_use(old) != kw_key_may_use(key) ||
		kw_key_may_manage(old) != kw_key_may_manage(key))
		return false;
	if (place < seen_len)
		seen[place] = true;
	return true;
}

static bool is_on_token(size_t place)
{
	return table[place] && !table[place]->session;
}

/* Takes the descriptions over. What is not in the list is gone, unless this process just made it. */
static CK_RV merge(struct kw_key **keys, size_t count, unsigned long additions_before)
{
	size_t seen_len = table_len;
	bool *seen = calloc(seen_len + 1, sizeof(*seen));
	CK_RV rv = seen ? CKR_OK : CKR_HOST_MEMORY;

	for (size_t i = 0; !rv && i < count; i++) {
		struct key_data *data;

		if (is_known(keys[i], seen, seen_len))
			continue;
		data = key_data_new(&keys[i]);
		rv = data ? put_key(data, seen, seen_len) : CKR_HOST_MEMORY;
		key_data_put(&data);
	}
	for (size_t i = 0; !rv && additions == additions_before && i < seen_len; i++) {
		if (is_on_token(i) && table[i]->class == CKO_PRIVATE_KEY && !seen[i]) {
			drop(i);
			drop(i + 1);
		}
	}
	free(seen);
	return rv;
}

CK_RV object_refresh(void)
{
	struct kw_page *page = NULL;
	struct kw_key **keys = NULL;
	size_t count = 0, room = 0;
	unsigned long before;
	enum kw_err err;
	CK_RV rv = CKR_HOST_MEMORY;

	module_lock();
	before = additions;
	module_unlock();
	for (;;) {
		if (count == room) {
			size_t wanted = room ? 2 * room : 64;
			struct kw_key **more = realloc(keys, wanted * sizeof(struct kw_key *));

			if (!more)
				goto out;
			keys = more;
			room = wanted;
		}
		err = kw_key_next(module_kw(), &page, &keys[count]);
		if (err)
			break;
		count++;
	}
	rv = err == KW_ERR_NO_KEY ? CKR_OK : module_error(err);
	if (!rv) {
		module_lock();
		rv = merge(keys, count, before);
		module_unlock();
	}
out:
	kw_page_free(&page);
	for (size_t i = 0; i < count; i++)
		kw_key_free(&keys[i]);
	free(keys);
	return rv;
}

CK_RV object_list(struct object ***list, size_t *count)
{
	CK_RV rv = CKR_HOST_MEMORY;

	*count = 0;
	module_lock();
	*list = malloc((table_len + 1) * sizeof(struct object *));
	if (*list) {
		for (size_t i = 0; i < table_len; i++) {
			if (table[i] && !table[i]->is_orphan) {
				atomic_fetch_add(&table[i]->refs, 1);
				(*list)[(*count)++] = table[i];
			}
		}
		rv = CKR_OK;
	}
	module_unlock();
	return rv;
}

void object_put_all(struct object ***list, size_t count)
{
	for (size_t i = 0; *list && i < count; i++)
		object_put(&(*list)[i]);
	free(*list);
	*list = NULL;
}

CK_RV object_add_key(
	struct kw_key **key, CK_OBJECT_HANDLE *private_handle, CK_OBJECT_HANDLE *public_handle)
{
	struct key_data *data = key_data_new(key);
	CK_RV rv = CKR_HOST_MEMORY;

	if (!data)
		return rv;
	module_lock();
	rv = put_key(data, NULL, 0);
	if (!rv) {
		size_t place = find_id(data->id);

		additions++;
		if (private_handle)
			*private_handle = place + 1;
		if (public_handle)
			*public_handle = place + 2;
	}
	module_unlock();
	key_data_put(&data);
	return rv;
}

void object_forget(CK_OBJECT_HANDLE handle)
{
	module_lock();
	if (handle && handle <= table_len && table[handle - 1]) {
		size_t place = handle - 1;
		bool is_pair = is_on_token(place);

		if (is_pair && table[place]->class == CKO_PUBLIC_KEY)
			place--;
		drop(place);
		if (is_pair)
			drop(place + 1);
	}
	module_unlock();
}

void object_find_id(const uint8_t id[KW_ID_SIZE], CK_OBJECT_HANDLE *private_handle,
	CK_OBJECT_HANDLE *public_handle)
{
	size_t place;

	*private_handle = *public_handle = CK_INVALID_HANDLE;
	module_lock();
	place = find_id(id);
	if (place < table_len) {
		*private_handle = place + 1;
		*public_handle = place + 2;
	}
	module_unlock();
}

void object_orphan(CK_OBJECT_HANDLE private_handle, CK_SESSION_HANDLE session)
{
	struct object *o;
	size_t place = private_handle - 1;

	module_lock();
	if (place < table_len && table[place] && is_on_token(place) &&
		table[place]->class == CKO_PRIVATE_KEY) {
		o = object_new(CKO_PUBLIC_KEY, table[place]->data);
		drop(place);
		drop(place + 1);
		if (o) {
			o->session = session;
			o->is_orphan = true;
			o->handle = place + 2;
			table[place + 1] = o;
		}
	}
	module_unlock();
}

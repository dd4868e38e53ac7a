/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects by their handles, and which keys they are of. */
#include "object.h"

#include <stdlib.h>
#include <string.h>

#include "table.h"

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
	struct object *o;

	module_lock();
	o = handle ? table_at(handle - 1) : NULL;
	if (o)
		atomic_fetch_add(&o->refs, 1);
	module_unlock();
	*object = o;
	return o ? CKR_OK : CKR_OBJECT_HANDLE_INVALID;
}

/* --- Under the module's lock --- */

void object_forget_session(CK_SESSION_HANDLE session)
{
	for (size_t i = 0; table_session_objects() && i < table_size(); i++) {
		if (table_at(i) && table_at(i)->session == session)
			table_set(i, NULL);
	}
}

void object_forget_all(void)
{
	table_clear();
	refresh_forget();
}

unsigned long object_additions(void)
{
	return additions;
}

/* --- */

CK_RV object_add(struct object **object, CK_OBJECT_HANDLE *handle)
{
	CK_RV rv = CKR_HOST_MEMORY;

	module_lock();
	if (table_reserve(1)) {
		*handle = table_append(*object);
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
	size_t place = table_find_key(data->id);
	struct object *private = object_new(CKO_PRIVATE_KEY, data);
	struct object *public = object_new(CKO_PUBLIC_KEY, data);
	CK_RV rv = CKR_HOST_MEMORY;

	if (!private || !public)
		goto out;
	if (place == TABLE_NONE) {
		if (!table_reserve(2))
			goto out;
		place = table_append(private) - 1;
		table_append(public);
	} else {
		private->handle = place + 1;
		public->handle = place + 2;
		table_set(place, private);
		table_set(place + 1, public);
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
	size_t place = table_find_key(kw_key_id(key));
	const struct kw_key *old;
	const uint8_t *a, *b;
	size_t a_len, b_len;

	if (place == TABLE_NONE)
		return false;
	old = table_at(place)->data->key;
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
	return table_at(place) && !table_at(place)->session;
}

CK_RV object_merge(struct kw_key **keys, size_t count, unsigned long additions_before)
{
	size_t seen_len = table_size();
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
		if (is_on_token(i) && table_at(i)->class == CKO_PRIVATE_KEY && !seen[i]) {
			table_set(i, NULL);
			table_set(i + 1, NULL);
		}
	}
	free(seen);
	return rv;
}

/* The next object of a list: all of them, or those of one chain. */
static size_t next_place(const struct object_filter *filter, size_t place)
{
	if (filter && place == TABLE_NONE)
		return table_first(filter->index, filter->p, filter->n);
	if (filter)
		return table_next(filter->index, place);
	place = place == TABLE_NONE ? 0 : place + 1;
	return place < table_size() ? place : TABLE_NONE;
}

CK_RV object_list(const struct object_filter *filter, struct object ***list, size_t *count)
{
	size_t room = 0, place = TABLE_NONE;
	CK_RV rv = CKR_HOST_MEMORY;

	*count = 0;
	module_lock();
	while ((place = next_place(filter, place)) != TABLE_NONE)
		room++;
	*list = malloc((room + 1) * sizeof(struct object *));
	while (*list && (place = next_place(filter, place)) != TABLE_NONE) {
		struct object *o = table_at(place);

		if (o && !o->is_orphan) {
			atomic_fetch_add(&o->refs, 1);
			(*list)[(*count)++] = o;
		}
	}
	if (*list)
		rv = CKR_OK;
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
		size_t place = table_find_key(data->id);

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
	if (handle && table_at(handle - 1)) {
		size_t place = handle - 1;
		bool is_pair = is_on_token(place);

		if (is_pair && table_at(place)->class == CKO_PUBLIC_KEY)
			place--;
		table_set(place, NULL);
		if (is_pair)
			table_set(place + 1, NULL);
	}
	module_unlock();
}

void object_find_id(const uint8_t id[KW_ID_SIZE], CK_OBJECT_HANDLE *private_handle,
	CK_OBJECT_HANDLE *public_handle)
{
	size_t place;

	*private_handle = *public_handle = CK_INVALID_HANDLE;
	module_lock();
	place = table_find_key(id);
	if (place != TABLE_NONE) {
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
	if (is_on_token(place) && table_at(place)->class == CKO_PRIVATE_KEY) {
		o = object_new(CKO_PUBLIC_KEY, table_at(place)->data);
		if (o) {
			o->session = session;
			o->is_orphan = true;
			o->handle = place + 2;
		}
		table_set(place, NULL);
		table_set(place + 1, o);
	}
	module_unlock();
}

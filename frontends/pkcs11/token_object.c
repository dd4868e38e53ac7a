/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The objects on the token as the table has them: what this process makes, changes and destroys, and what the TEE's lists say.
 * A list can be older than what this process did since it was asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "object.h"
#include "session.h"
#include "table.h"

static unsigned long changes; /* of objects on the token, by this process */

unsigned long object_changes(void)
{
	return changes;
}

/* Under the lock: the objects of a key on the token, new or in place of what they were. */
static CK_RV put_key(struct key_data *data, bool *seen, size_t seen_len)
{
	bool is_secret = kw_key_type_is_secret(data->type);
	size_t place = table_find_key(data->id);
	struct object *private = object_new(is_secret ? CKO_SECRET_KEY : CKO_PRIVATE_KEY, data);
	struct object *public = is_secret ? NULL : object_new(CKO_PUBLIC_KEY, data);
	CK_RV rv = CKR_HOST_MEMORY;

	if (!private || (!public && !is_secret))
		goto out;
	if (place == TABLE_NONE) {
		if (!table_reserve(2))
			goto out;
		place = table_place(table_append(private));
		if (public)
			table_append(public);
	} else {
		private->handle = table_handle(place);
		table_set(place, private);
		if (public) {
			public->handle = table_handle(place + 1);
			table_set(place + 1, public);
		}
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
	if (a_len != b_len || (a_len && memcmp(a, b, a_len)))
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

/* A private key's public key is in the place after it. */
static bool is_pair(size_t place)
{
	return is_on_token(place) && table_at(place)->class == CKO_PRIVATE_KEY;
}

static void forget_key(size_t place)
{
	bool with_public = is_pair(place);

	table_set(place, NULL);
	if (with_public)
		table_set(place + 1, NULL);
}

/* This process made or changed it since the list was asked for, which may tell of a time before that. */
static bool is_newer(size_t place, unsigned long changes_before)
{
	return table_at(place)->changed > changes_before;
}

CK_RV object_merge(struct kw_key **keys, size_t count, unsigned long changes_before)
{
	size_t seen_len = table_size();
	bool *seen = calloc(seen_len + 1, sizeof(*seen));
	CK_RV rv = seen ? CKR_OK : CKR_HOST_MEMORY;

	for (size_t i = 0; !rv && i < count; i++) {
		size_t place = table_find_key(kw_key_id(keys[i]));
		struct key_data *data;

		if (is_known(keys[i], seen, seen_len) ||
			(place != TABLE_NONE && is_newer(place, changes_before)))
			continue;
		data = key_data_new(&keys[i]);
		rv = data ? put_key(data, seen, seen_len) : CKR_HOST_MEMORY;
		key_data_put(&data);
	}
	for (size_t i = 0; !rv && i < seen_len; i++) {
		if (!seen[i] && (is_pair(i) || (is_on_token(i) && object_is_secret(table_at(i)))) &&
			!is_newer(i, changes_before))
			forget_key(i);
	}
	free(seen);
	return rv;
}

/* Under the lock. A value that was fetched is not kept when something changed: it may be another one. A public key's is
 * what the object is made of. */
static bool is_known_item(const struct item *item, size_t *place)
{
	const struct item *old;

	*place = table_find_item(item->id);
	if (*place == TABLE_NONE)
		return false;
	old = table_at(*place)->item;
	return old->class == item->class && old->may_manage == item->may_manage &&
	       old->size == item->size && old->attributes_len == item->attributes_len &&
	       !memcmp(old->attributes, item->attributes, item->attributes_len) &&
	       (item->class == CKO_PUBLIC_KEY || !atomic_load(&old->value));
}

struct object *object_known_item(const struct item *item)
{
	struct object *o = NULL;
	size_t place;

	module_lock();
	if (is_known_item(item, &place)) {
		o = table_at(place);
		atomic_fetch_add(&o->refs, 1);
	}
	module_unlock();
	return o;
}

/* Under the lock */
static CK_RV put_item(struct object **o)
{
	size_t place = table_find_item((*o)->item->id);
	CK_RV rv = CKR_HOST_MEMORY;

	if (place != TABLE_NONE) {
		(*o)->handle = table_handle(place);
		table_set(place, *o);
	} else if (table_reserve(1)) {
		table_append(*o);
	} else {
		goto out;
	}
	*o = NULL;
	rv = CKR_OK;
out:
	object_put(o);
	return rv;
}

CK_RV object_merge_items(struct object **items, size_t count, unsigned long changes_before)
{
	size_t seen_len = table_size(), place;
	bool *seen = calloc(seen_len + 1, sizeof(*seen));
	CK_RV rv = seen ? CKR_OK : CKR_HOST_MEMORY;

	for (size_t i = 0; !rv && i < count; i++) {
		bool is_known = is_known_item(items[i]->item, &place);

		if (place < seen_len)
			seen[place] = true;
		if (is_known || (place != TABLE_NONE && is_newer(place, changes_before)))
			continue;
		/* It was known when the list came, and is in use: only a new list can tell what became of it. */
		if (items[i]->handle)
			changes++;
		else
			rv = put_item(&items[i]);
	}
	for (size_t i = 0; !rv && i < seen_len; i++) {
		if (is_on_token(i) && table_at(i)->item && !seen[i] && !is_newer(i, changes_before))
			table_set(i, NULL);
	}
	free(seen);
	return rv;
}

CK_RV object_add_item(struct object **object, CK_OBJECT_HANDLE *handle)
{
	uint8_t id[KW_ID_SIZE];
	CK_RV rv;

	memcpy(id, (*object)->item->id, sizeof(id));
	module_lock();
	rv = put_item(object);
	if (!rv) {
		size_t place = table_find_item(id);

		table_at(place)->changed = ++changes;
		if (handle)
			*handle = table_handle(place);
	}
	module_unlock();
	return rv;
}

void object_replace(CK_OBJECT_HANDLE handle, struct object **object)
{
	size_t place;

	module_lock();
	place = table_place(handle);
	/* Gone meanwhile: it stays so. */
	if (place != TABLE_NONE) {
		(*object)->handle = handle;
		if (!(*object)->session)
			(*object)->changed = ++changes;
		table_set(place, *object);
		*object = NULL;
	}
	module_unlock();
	object_put(object);
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

		table_at(place)->changed = ++changes;
		if (private_handle)
			*private_handle = table_handle(place);
		if (public_handle && is_pair(place))
			*public_handle = table_handle(place + 1);
	}
	module_unlock();
	key_data_put(&data);
	return rv;
}

void object_forget(CK_OBJECT_HANDLE handle)
{
	size_t place;

	module_lock();
	place = table_place(handle);
	if (place != TABLE_NONE) {
		if (is_on_token(place) && table_at(place)->class == CKO_PUBLIC_KEY &&
			!table_at(place)->item)
			place--;
		changes += is_on_token(place);
		forget_key(place);
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
	if (place != TABLE_NONE && is_pair(place) && table_at(place)->slot == session_slot_now()) {
		*private_handle = table_handle(place);
		*public_handle = table_handle(place + 1);
	}
	module_unlock();
}

void object_orphan(CK_OBJECT_HANDLE private_handle, CK_SESSION_HANDLE session)
{
	struct object *o;
	size_t place;

	module_lock();
	place = table_place(private_handle);
	changes += is_on_token(place);
	if (is_pair(place)) {
		o = object_new(CKO_PUBLIC_KEY, table_at(place)->data);
		if (o) {
			o->session = session;
			o->is_orphan = true;
			o->handle = table_handle(place + 1);
		}
		table_set(place, NULL);
		table_set(place + 1, o);
	} else if (is_on_token(place) && object_is_secret(table_at(place))) {
		table_set(place, NULL);
	}
	module_unlock();
}

/* Another object: the one that was there may be in use, by its old handle. */
static struct object *copy_of(const struct object *o)
{
	struct object *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *o;
	atomic_init(&copy->refs, 1);
	if (copy->data)
		atomic_fetch_add(&copy->data->refs, 1);
	if (copy->item)
		atomic_fetch_add(&copy->item->refs, 1);
	return copy;
}

void object_renew_private(CK_SLOT_ID slot)
{
	for (size_t i = 0; i < table_size(); i++) {
		const struct object *o = table_at(i);
		struct object *copy;

		if (!is_on_token(i) || o->slot != slot || !object_is_private(o))
			continue;
		copy = copy_of(o);
		if (!copy) {
			/* The next list brings it back, under other handles. */
			forget_key(i);
			continue;
		}
		copy->handle = table_renew(i);
		table_set(i, copy);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects by their handles, and which keys they are of. */
#include "object.h"

#include <stdlib.h>
#include <string.h>

#include "login.h"
#include "session.h"
#include "table.h"

static void object_free(struct object *o)
{
	key_data_put(&o->data);
	item_put(&o->item);
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
		o->slot = data->key && !kw_key_is_sealed(data->key) ? kw_key_token(data->key)
								    : session_slot_now();
	}
	return o;
}

bool object_is_private(const struct object *o)
{
	if (o->slot == SLOT_DEFAULT)
		return false;
	return o->item ? o->item->is_private : o->class != CKO_PUBLIC_KEY;
}

bool object_is_visible(const struct object *o)
{
	return o->slot == session_slot_now() &&
	       (!object_is_private(o) || login_shows_private(o->slot));
}

CK_RV object_get(CK_OBJECT_HANDLE handle, struct object **object)
{
	struct object *o;

	module_lock();
	o = table_at(table_place(handle));
	if (o && !object_is_visible(o))
		o = NULL;
	if (o)
		atomic_fetch_add(&o->refs, 1);
	module_unlock();
	*object = o;
	return o ? CKR_OK : CKR_OBJECT_HANDLE_INVALID;
}

bool object_is_there(const struct object *o)
{
	bool is_there;

	module_lock();
	is_there = table_place(o->handle) != TABLE_NONE;
	module_unlock();
	return is_there;
}

/* --- Under the module's lock --- */

void object_forget_session(CK_SESSION_HANDLE session)
{
	for (size_t i = 0; table_session_objects() && i < table_size(); i++) {
		if (table_at(i) && table_at(i)->session == session)
			table_set(i, NULL);
	}
}

void object_forget_private(CK_SLOT_ID slot)
{
	for (size_t i = 0; table_session_objects() && i < table_size(); i++) {
		struct object *o = table_at(i);

		if (o && o->session && o->slot == slot && object_is_private(o))
			table_set(i, NULL);
	}
}

void object_forget_all(void)
{
	table_clear();
	refresh_forget();
}

/* --- */

CK_RV object_add(struct object **object, CK_OBJECT_HANDLE *handle)
{
	CK_RV rv = CKR_HOST_MEMORY;

	module_lock();
	/* Nobody would end what belongs to a session that is gone. */
	if ((*object)->session && !session_is_open((*object)->session)) {
		rv = CKR_SESSION_CLOSED;
	} else if (!object_is_visible(*object)) {
		rv = CKR_USER_NOT_LOGGED_IN;
	} else if (table_reserve(1)) {
		*handle = table_add_to_session(*object);
		*object = NULL;
		rv = CKR_OK;
	}
	module_unlock();
	object_put(object);
	return rv;
}

/* --- Items --- */

CK_RV object_of_item(struct item **item, struct object **object)
{
	struct object *o = calloc(1, sizeof(*o));
	struct public_part *part = NULL;
	const struct item_value *value;
	CK_RV rv = CKR_HOST_MEMORY;

	*object = NULL;
	if (!o)
		goto out;
	atomic_init(&o->refs, 1);
	o->class = (*item)->class;
	o->slot = (*item)->slot;
	/* Where the certificate's key is not said beside it, it is found in the certificate, now and not in the table. */
	if (o->class == CKO_PUBLIC_KEY || (o->class == CKO_CERTIFICATE && !item_key_id(*item))) {
		rv = item_get_value(*item, &value);
		if (rv)
			goto out;
	}
	if (o->class == CKO_PUBLIC_KEY) {
		rv = public_part_new(value->p, value->n, &part);
		if (rv)
			goto out;
		o->data = key_data_of_public(&part);
		rv = CKR_HOST_MEMORY;
		if (!o->data)
			goto out;
	}
	o->item = *item;
	*item = NULL;
	*object = o;
	o = NULL;
	rv = CKR_OK;
out:
	object_put(&o);
	item_put(item);
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

		if (o && !o->is_orphan && object_is_visible(o)) {
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

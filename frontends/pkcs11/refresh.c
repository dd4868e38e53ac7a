/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeping up with the TEE, whose keys and objects other processes make and delete too. What the TEE says of its last change tells whether the
 * list that the module has is still the list.
 */
#include <stdlib.h>
#include <unistd.h>

#include "object.h"

struct stamp {
	bool is_valid;
	uint32_t items; /* how many objects it has that are no keys, anybody's */
	uint64_t started, changes;
	uid_t user; /* another one sees other keys */
};

/* What the table is the list of. Under the module's lock. */
static struct stamp known;
/* How many refreshes were begun, and which of them brought its lists. */
static unsigned long begun, brought;

void refresh_forget(void)
{
	known.is_valid = false;
}

static CK_RV stamp_now(struct stamp *now)
{
	struct kw_status *status = NULL;
	CK_RV rv = module_error(kw_status_new(module_kw(), &status));

	now->is_valid = !rv;
	if (rv)
		return rv;
	now->started = kw_status_started(status);
	now->changes = kw_status_changes(status);
	now->items = kw_status_objects(status);
	now->user = geteuid();
	kw_status_free(&status);
	return CKR_OK;
}

static bool is_comparable(const struct stamp *now)
{
	return known.is_valid && known.started == now->started && known.user == now->user;
}

void refresh_after_own_change(void)
{
	struct stamp now;

	if (stamp_now(&now))
		return;
	module_lock();
	/* One more than before was this one. With others among them the next search asks for the list, even if another thread
	 * has it already: what this one knew of its own change may have come over what was newer. */
	if (is_comparable(&now) && now.changes == known.changes + 1)
		known.changes = now.changes;
	else
		known.is_valid = false;
	module_unlock();
}

/* What the walks have found so far. */
struct lists {
	struct kw_key **keys;
	size_t key_count, key_room;
	struct object **items;
	size_t item_count, item_room;
};

static size_t more_room(size_t room)
{
	return room ? 2 * room : 64;
}

static bool add_key(struct lists *l, struct kw_key *key)
{
	if (l->key_count == l->key_room) {
		size_t room = more_room(l->key_room);
		struct kw_key **more = realloc(l->keys, room * sizeof(struct kw_key *));

		if (!more)
			return false;
		l->keys = more;
		l->key_room = room;
	}
	l->keys[l->key_count++] = key;
	return true;
}

static bool add_item(struct lists *l, struct object *o)
{
	if (l->item_count == l->item_room) {
		size_t room = more_room(l->item_room);
		struct object **more = realloc(l->items, room * sizeof(struct object *));

		if (!more)
			return false;
		l->items = more;
		l->item_room = room;
	}
	l->items[l->item_count++] = o;
	return true;
}

static void lists_free(struct lists *l)
{
	for (size_t i = 0; i < l->key_count; i++)
		kw_key_free(&l->keys[i]);
	free(l->keys);
	object_put_all(&l->items, l->item_count);
}

static CK_RV fetch_keys(struct lists *lists)
{
	struct kw_page *page = NULL;
	struct kw_key *key;
	enum kw_err err;
	CK_RV rv = CKR_HOST_MEMORY;

	while (!(err = kw_key_next(module_kw(), &page, &key))) {
		if (!add_key(lists, key)) {
			kw_key_free(&key);
			goto out;
		}
	}
	rv = err == KW_ERR_NO_KEY ? CKR_OK : module_error(err);
out:
	kw_page_free(&page);
	return rv;
}

/* *object is NULL for one that is not shown, was deleted since the list was asked for, or is broken: the others are there
 * all the same. */
static CK_RV describe(const struct kw_object *described, struct object **object)
{
	struct item *item;
	CK_RV rv = item_of_object(described, &item);

	*object = NULL;
	if (rv || !item)
		return rv;
	*object = object_known_item(item);
	if (*object)
		item_put(&item);
	else
		rv = object_of_item(&item, object);
	if (rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_OBJECT_HANDLE_INVALID ||
		rv == CKR_DATA_INVALID)
		rv = CKR_OK;
	return rv;
}

static CK_RV fetch_items(struct lists *lists)
{
	struct kw_object_page *page = NULL;
	struct kw_object *described;
	struct object *o;
	enum kw_err err;
	CK_RV rv = CKR_OK;

	while (!(err = kw_object_next(module_kw(), &page, &described))) {
		rv = describe(described, &o);
		kw_object_free(&described);
		if (!rv && o && !add_item(lists, o)) {
			object_put(&o);
			rv = CKR_HOST_MEMORY;
		}
		if (rv)
			goto out;
	}
	rv = err == KW_ERR_NO_OBJECT ? CKR_OK : module_error(err);
out:
	kw_object_page_free(&page);
	return rv;
}

/* Under the module's lock. The lists are those of the stamp, or newer. */
static CK_RV merge(
	const struct stamp *now, unsigned long mine, unsigned long before, struct lists *lists)
{
	CK_RV rv = CKR_OK;

	/* Another thread, which began later, has brought newer lists already. */
	if (brought > mine || (is_comparable(now) && known.changes >= now->changes))
		return rv;
	rv = object_merge(lists->keys, lists->key_count, before);
	if (!rv)
		rv = object_merge_items(lists->items, lists->item_count, before);
	if (!rv)
		brought = mine;
	/* What this process destroyed since then may be back. */
	if (!rv && object_changes() == before)
		known = *now;
	else
		known.is_valid = false;
	return rv;
}

CK_RV object_refresh(void)
{
	struct lists lists = {0};
	unsigned long before, mine;
	struct stamp now;
	bool is_fresh;
	CK_RV rv;

	module_lock();
	mine = ++begun;
	before = object_changes();
	module_unlock();
	rv = stamp_now(&now); /* before the lists, which may then be newer than it says */
	if (rv)
		return rv;
	module_lock();
	is_fresh = is_comparable(&now) && known.changes == now.changes;
	module_unlock();
	if (is_fresh)
		return CKR_OK;
	rv = fetch_keys(&lists);
	if (!rv && now.items)
		rv = fetch_items(&lists);
	if (!rv) {
		module_lock();
		rv = merge(&now, mine, before, &lists);
		module_unlock();
	}
	lists_free(&lists);
	return rv;
}

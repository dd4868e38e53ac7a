/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeping up with the TEE, whose keys other processes make and delete too. What the TEE says of its last change tells whether the
 * list that the module has is still the list.
 */
#include <stdlib.h>
#include <unistd.h>

#include "object.h"

struct stamp {
	bool is_valid;
	uint64_t started, changes;
	uid_t user; /* another one sees other keys */
};

/* What the table is the list of. Under the module's lock. */
static struct stamp known;

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
	/* One more than before was this one. With others among them the next search asks for the list. */
	if (is_comparable(&now) && now.changes == known.changes + 1)
		known.changes = now.changes;
	module_unlock();
}

static CK_RV fetch(struct kw_key ***keys, size_t *count)
{
	struct kw_page *page = NULL;
	size_t room = 0;
	enum kw_err err = KW_ERR_OK;
	CK_RV rv = CKR_HOST_MEMORY;

	while (!err) {
		if (*count == room) {
			size_t wanted = room ? 2 * room : 64;
			struct kw_key **more = realloc(*keys, wanted * sizeof(struct kw_key *));

			if (!more)
				goto out;
			*keys = more;
			room = wanted;
		}
		err = kw_key_next(module_kw(), &page, &(*keys)[*count]);
		if (!err)
			++*count;
	}
	rv = err == KW_ERR_NO_KEY ? CKR_OK : module_error(err);
out:
	kw_page_free(&page);
	return rv;
}

CK_RV object_refresh(void)
{
	struct kw_key **keys = NULL;
	unsigned long before;
	struct stamp now;
	size_t count = 0;
	bool is_fresh;
	CK_RV rv = stamp_now(&now); /* before the list, which may then be newer than it says */

	if (rv)
		return rv;
	module_lock();
	is_fresh = is_comparable(&now) && known.changes == now.changes;
	before = object_additions();
	module_unlock();
	if (is_fresh)
		return CKR_OK;
	rv = fetch(&keys, &count);
	if (rv)
		goto out;
	module_lock();
	/* Another thread may have a newer list already. */
	if (!is_comparable(&now) || known.changes < now.changes) {
		rv = object_merge(keys, count, before);
		if (!rv && object_additions() == before)
			known = now;
	}
	module_unlock();
out:
	for (size_t i = 0; i < count; i++)
		kw_key_free(&keys[i]);
	free(keys);
	return rv;
}

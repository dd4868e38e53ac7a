/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store's log as one persistent object. OP-TEE makes each call on an object atomic and durable before
 * it returns: it writes new blocks beside the old ones and then commits the directory, and
 * tee-supplicant writes synchronously. So a record is in the log whole or not at all.
 *
 * An object cannot be renamed over another one, so a log has one of three names in turn, and the one
 * that follows the other counts: a crash leaves one of them, or two neighbours, or an unfinished fresh
 * log, which is nobody's. Whatever is not the log is removed before another log is begun.
 *
 * An object that failed is not touched again but to close it. OP-TEE has given up what it knew of the
 * object by then: it would take the next call for damage, and OP-TEE removes what is damaged. Opening it
 * again finds what was committed last. When tee-supplicant was started again every object fails once,
 * because the files that it had open are not: then a second try is all it takes.
 */
#include <string.h>
#include <tee_api_defines_extensions.h>
#include <tee_internal_api.h>
#include <utee_syscalls.h>

#include "object.h"
#include "platform_optee.h"
#include "storage_cache.h"

#define LOGS 3
#define ROOM_STEP 32768
#define BEGIN_TIDY 262144 /* bytes of a log; a smaller one takes little of OP-TEE's heap */
#define NAME_FRESH "keyward log new"
/* There once was a log: if there is none now, OP-TEE removed it, and a new store would hide that. */
#define NAME_MARK "keyward store"

static const char *const names[LOGS] = {"keyward log 0", "keyward log 1", "keyward log 2"};

struct storage {
	object_handle object; /* 0: closed after an error */
	unsigned number;      /* of its name; LOGS for the fresh one */
	uint64_t end;
	bool is_replaced;
	bool must_clear; /* a log that would count instead of this one may be there */
	bool is_gone;
	struct storage_cache cache;
};

static enum storage_kind kind;
static bool is_open, is_marked;

enum storage_kind storage_optee_kind(void)
{
	return kind;
}

static const char *name_of(const struct storage *s)
{
	return s->number < LOGS ? names[s->number] : NAME_FRESH;
}

static enum kw_err remove_all_but(const struct storage *s)
{
	enum kw_err err = object_remove(NAME_FRESH);

	for (unsigned i = 0; !err && i < LOGS; i++) {
		if (i != s->number)
			err = object_remove(names[i]);
	}
	return err;
}

static enum kw_err learn_size(struct storage *s)
{
	struct utee_object_info info;
	TEE_Result result;

	memset(&info, 0, sizeof(info));
	result = _utee_cryp_obj_get_info(s->object, &info);
	if (result)
		return object_failure("look at", name_of(s), result);
	s->end = info.data_size;
	return KW_ERR_OK;
}

/* After an error: see above. */
static enum kw_err open_again(struct storage *s)
{
	TEE_Result result;
	enum kw_err err;

	if (s->object)
		return KW_ERR_OK;
	if (s->is_gone)
		return KW_ERR_CORRUPT;
	result = object_open(TEE_STORAGE_PRIVATE, name_of(s), &s->object);
	if (result == TEE_ERROR_ITEM_NOT_FOUND || result == TEE_ERROR_CORRUPT_OBJECT) {
		s->is_gone = true;
		result = TEE_ERROR_CORRUPT_OBJECT;
	}
	if (result)
		return object_failure("open", name_of(s), result);
	err = learn_size(s);
	if (err)
		object_close(&s->object);
	return err;
}

static enum kw_err give_up(struct storage *s, const char *what, TEE_Result result)
{
	enum kw_err err = object_failure(what, name_of(s), result);

	/* OP-TEE has closed what it found damaged. */
	if (result == TEE_ERROR_CORRUPT_OBJECT)
		s->object = 0;
	object_close(&s->object);
	(void)open_again(s);
	return err;
}

static void set_mark(void)
{
	object_handle object;
	TEE_Result result;

	if (is_marked)
		return;
	result = object_create(NAME_MARK, &object);
	object_close(&object);
	is_marked = !result || result == TEE_ERROR_ACCESS_CONFLICT;
	if (!is_marked)
		(void)object_failure("make", NAME_MARK, result);
}

static enum kw_err look_for_mark(void)
{
	object_handle object;
	TEE_Result result = object_open(TEE_STORAGE_PRIVATE, NAME_MARK, &object);

	object_close(&object);
	is_marked = !result || result == TEE_ERROR_ACCESS_CONFLICT;
	if (result == TEE_ERROR_CORRUPT_OBJECT)
		set_mark();
	else if (result && !is_marked && result != TEE_ERROR_ITEM_NOT_FOUND)
		return object_failure("look for", NAME_MARK, result);
	return KW_ERR_OK;
}

/* The log that counts is opened, *found tells whether there is one. */
static enum kw_err find_log(struct storage *s, bool *found)
{
	object_handle objects[LOGS] = {0};
	enum kw_err err = KW_ERR_OK;
	unsigned count = 0;

	for (unsigned i = 0; !err && i < LOGS; i++) {
		TEE_Result result = object_open(TEE_STORAGE_PRIVATE, names[i], &objects[i]);

		if (result && result != TEE_ERROR_ITEM_NOT_FOUND)
			err = object_failure("open", names[i], result);
		count += !result;
	}
	*found = count > 0;
	/* Three of them have no last one; nothing of ours leaves that. */
	if (!err && count == LOGS)
		err = KW_ERR_CORRUPT;
	for (unsigned i = 0; i < LOGS; i++) {
		unsigned next = (i + 1) % LOGS;

		if (!err && objects[i] && !objects[next]) {
			s->number = i;
			s->object = objects[i];
		}
	}
	for (unsigned i = 0; i < LOGS; i++) {
		if (objects[i] != s->object)
			object_close(&objects[i]);
	}
	return err;
}

static enum kw_err make_log(struct storage *s)
{
	TEE_Result result;

	if (is_marked) {
		platform_log("store: the log is gone. OP-TEE removes an object whose files are "
			     "damaged or missing: put its files back, or, to begin anew without "
			     "any key, remove all of them");
		return KW_ERR_CORRUPT;
	}
	s->number = 0;
	result = object_create(names[0], &s->object);
	return result ? object_failure("make", names[0], result) : KW_ERR_OK;
}

/* TEE_STORAGE_PRIVATE is one of them: there the log's name is taken. */
static void learn_kind(const struct storage *s)
{
	object_handle object;

	kind = STORAGE_RPMB;
	if (object_open(TEE_STORAGE_PRIVATE_REE, name_of(s), &object) == TEE_ERROR_ACCESS_CONFLICT)
		kind = STORAGE_REE;
	object_close(&object);
}

enum kw_err storage_open(struct storage **storage)
{
	struct storage *s = NULL;
	enum kw_err err = KW_ERR_STORE_BUSY;
	bool found = false;

	*storage = NULL;
	if (is_open)
		goto out;
	err = KW_ERR_NO_MEMORY;
	s = platform_alloc(sizeof(*s));
	if (!s)
		goto out;
	s->number = LOGS;
	err = look_for_mark();
	if (!err)
		err = find_log(s, &found);
	if (!err && !found)
		err = make_log(s);
	if (!err)
		err = remove_all_but(s);
	if (!err)
		err = learn_size(s);
	if (err)
		goto out;
	if (s->end)
		set_mark();
	learn_kind(s);
	is_open = true;
	*storage = s;
	s = NULL;
out:
	if (s)
		object_close(&s->object);
	platform_free(s, sizeof(*s));
	return err;
}

void storage_close(struct storage **storage)
{
	struct storage *s = *storage;
	bool is_log;

	*storage = NULL;
	if (!s)
		return;
	is_log = s->number < LOGS && !s->is_replaced;
	if (is_log)
		is_open = false;
	else if (s->object && !_utee_storage_obj_del(s->object))
		s->object = 0;
	else if (!s->object && object_remove(name_of(s)))
		platform_log("store: \"%s\" is left over for now", name_of(s));
	if (is_log)
		object_close(&s->object);
	cache_clear(&s->cache);
	platform_free(s, sizeof(*s));
}

enum kw_err storage_size(struct storage *s, uint64_t *size)
{
	enum kw_err err = open_again(s);

	*size = s->end;
	return err;
}

static enum kw_err seek(struct storage *s, uint64_t offset)
{
	TEE_Result result = object_seek(s->object, offset);

	return result ? give_up(s, "seek in", result) : KW_ERR_OK;
}

/* The object was lost, is open again, and is as it was. */
static bool may_try_again(const struct storage *s, enum kw_err err, uint64_t end)
{
	return err == KW_ERR_STORE_IO && s->object && s->end == end;
}

static enum kw_err read_once(struct storage *s, uint64_t offset, void *buf, size_t n)
{
	uint64_t got = 0;
	TEE_Result result;
	enum kw_err err = open_again(s);

	if (!err && (offset > s->end || n > s->end - offset))
		err = KW_ERR_CORRUPT;
	if (!err)
		err = seek(s, offset);
	if (err)
		return err;
	result = _utee_storage_obj_read(s->object, buf, n, &got);
	if (result)
		return give_up(s, "read", result);
	return got == n ? KW_ERR_OK : KW_ERR_CORRUPT;
}

static enum kw_err read_object(struct storage *s, uint64_t offset, void *buf, size_t n)
{
	uint64_t end = s->end;
	enum kw_err err = read_once(s, offset, buf, n);

	return may_try_again(s, err, end) ? read_once(s, offset, buf, n) : err;
}

/* At most what one page has: *n says how much that was. */
static enum kw_err read_page(struct storage *s, uint64_t offset, uint8_t *buf, size_t *n)
{
	const struct cache_page *p;
	struct cache_page *room;
	uint64_t start;
	size_t size, at;
	enum kw_err err;

	cache_place(offset, &start, &size);
	if (size > s->end - start)
		size = (size_t)(s->end - start);
	at = (size_t)(offset - start);
	if (*n > size - at)
		*n = size - at;
	p = cache_find(&s->cache, start, at + *n);
	if (!p) {
		room = cache_claim(&s->cache, start);
		if (!room)
			return read_object(s, offset, buf, *n);
		err = read_object(s, start, room->bytes, size);
		if (err)
			return err;
		room->len = size;
		p = room;
	}
	memcpy(buf, p->bytes + at, *n);
	return KW_ERR_OK;
}

enum kw_err storage_read(struct storage *s, uint64_t offset, void *buf, size_t n)
{
	enum kw_err err = KW_ERR_OK;
	uint8_t *to = buf;

	if (offset > s->end || n > s->end - offset)
		return KW_ERR_CORRUPT;
	while (!err && n) {
		size_t done = n;

		err = read_page(s, offset, to, &done);
		offset += done;
		to += done;
		n -= done;
	}
	return err;
}

static enum kw_err write_once(struct storage *s, uint64_t offset, const void *buf, size_t n)
{
	enum kw_err err = open_again(s);
	TEE_Result result;

	if (!err && s->must_clear)
		err = remove_all_but(s);
	if (err)
		return err;
	s->must_clear = false;
	if (n > INT32_MAX - s->end)
		return KW_ERR_STORE_FULL;
	err = seek(s, offset);
	if (err)
		return err;
	result = _utee_storage_obj_write(s->object, buf, n);
	return result ? give_up(s, "write", result) : KW_ERR_OK;
}

static enum kw_err write_at(struct storage *s, uint64_t offset, const void *buf, size_t n)
{
	uint64_t end = s->end;
	enum kw_err err = write_once(s, offset, buf, n);

	return may_try_again(s, err, end) ? write_once(s, offset, buf, n) : err;
}

/* Asked before keys are added, now and then as the log gets larger. */
static enum kw_err check_room(const struct storage *s, size_t n)
{
	if (!platform_optee_is_growing() || s->number == LOGS ||
		s->end / ROOM_STEP == (s->end + n) / ROOM_STEP || storage_room_for_more(s->end + n))
		return KW_ERR_OK;
	platform_log("store: OP-TEE's heap (CFG_CORE_HEAP_SIZE) is too small for more keys");
	return KW_ERR_STORE_FULL;
}

enum kw_err storage_append(struct storage *s, const void *buf, size_t n)
{
	enum kw_err err = open_again(s);
	uint64_t at = s->end;

	if (!err)
		err = check_room(s, n);
	if (err)
		return err;
	err = write_at(s, at, buf, n);
	/* OP-TEE's heap may just have been in pieces; opening the object again has joined them. */
	if (err == KW_ERR_STORE_FULL && s->object && s->end == at)
		err = write_at(s, at, buf, n);
	if (err)
		return err;
	cache_append(&s->cache, at, buf, n);
	s->end = at + n;
	return KW_ERR_OK;
}

enum kw_err storage_sync(struct storage *s)
{
	return s->must_clear ? KW_ERR_STORE_IO : KW_ERR_OK;
}

/*
 * tee-supplicant may have been killed in a write of the last record, which then can be read but is on no
 * disk. Written again, every block of it is in another place, written synchronously by the present one.
 */
enum kw_err storage_resync(struct storage *s, uint64_t from)
{
	size_t n = from < s->end ? (size_t)(s->end - from) : 0;
	uint8_t *buf = platform_alloc(n);
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!buf)
		goto out;
	err = read_object(s, from, buf, n);
	if (!err && n)
		err = write_at(s, from, buf, n);
out:
	platform_free(buf, n);
	return err;
}

/*
 * Only to where the log ends anyway, so that the core writes a fresh one where another would be cut.
 * OP-TEE's REE file system cuts the file before it commits that it is shorter: after a crash in between
 * it finds blocks missing, and removes the object with every key in it.
 */
enum kw_err storage_truncate(struct storage *s, uint64_t size)
{
	enum kw_err err = open_again(s);

	if (!err && size != s->end)
		err = KW_ERR_STORE_IO;
	return err;
}

enum kw_err storage_begin(struct storage *s, struct storage **fresh)
{
	struct storage *f = NULL;
	TEE_Result result;
	enum kw_err err;

	*fresh = NULL;
	err = remove_all_but(s);
	if (err)
		goto out;
	s->must_clear = false;
	/* What OP-TEE keeps of this log is all over its heap; opened again it lies together, and the fresh one
	 * has room. */
	if (s->end > BEGIN_TIDY)
		object_close(&s->object);
	err = open_again(s);
	if (err)
		goto out;
	err = KW_ERR_NO_MEMORY;
	f = platform_alloc(sizeof(*f));
	if (!f)
		goto out;
	f->number = LOGS;
	result = object_create(NAME_FRESH, &f->object);
	err = result ? object_failure("make", NAME_FRESH, result) : KW_ERR_OK;
	if (err)
		goto out;
	*fresh = f;
	f = NULL;
out:
	platform_free(f, sizeof(*f));
	return err;
}

enum kw_err storage_swap(struct storage *s, struct storage *fresh)
{
	unsigned next = (s->number + 1) % LOGS;
	TEE_Result result;
	enum kw_err err = open_again(fresh);

	if (err)
		return err;
	result = _utee_storage_obj_rename(fresh->object, names[next], strlen(names[next]));
	if (result) {
		/* It may have been done all the same, and would count after a crash. */
		err = object_failure("put in place", NAME_FRESH, result);
		object_close(&fresh->object);
		s->must_clear = remove_all_but(s) != KW_ERR_OK;
		return err;
	}
	fresh->number = next;
	s->is_replaced = true;
	set_mark();
	return KW_ERR_OK;
}

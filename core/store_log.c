/* SPDX-License-Identifier: BSD-2-Clause */
#include "store_log.h"

#include <string.h>

#define HEADER_TAG_AT 56
#define HEADER_SUM_AT (HEADER_TAG_AT + LOG_TAG_SIZE)
#define WINDOW_SIZE 65536

static const uint8_t magic[8] = {'K', 'W', 'S', 'T', 'O', 'R', 'E', '\n'};

_Static_assert(HEADER_SUM_AT + LOG_HASH_SIZE == LOG_HEADER_SIZE, "the header's layout");
_Static_assert(WINDOW_SIZE >= 2 * LOG_RECORD_MAX, "a window holds a whole record");

/* A key for one log only: no record of another one, not even of one given up half-written, fits
 * in. */
static enum kw_err derive_key(struct log *log, const uint8_t device_key[DEVICE_KEY_SIZE])
{
	const struct crypto_bytes parts[] = {
		{"keyward log v1", 14},
		{log->end.hash, LOG_HASH_SIZE},
	};

	return crypto_hmac(device_key, parts, 2, log->key);
}

enum kw_err log_create(struct log *log, const uint8_t device_key[DEVICE_KEY_SIZE])
{
	uint8_t header[LOG_HEADER_SIZE], sum[LOG_HASH_SIZE], tag[LOG_TAG_SIZE], log_id[LOG_ID_SIZE];
	struct writer w = writer_over(header, sizeof(header));
	enum kw_err err;

	err = platform_random(log_id, sizeof(log_id));
	if (err)
		goto out;
	put_bytes(&w, magic, sizeof(magic));
	put_u32(&w, LOG_FORMAT);
	put_u32(&w, 0);
	put_bytes(&w, log->store_id, LOG_ID_SIZE);
	put_bytes(&w, log_id, LOG_ID_SIZE);
	put_u64(&w, log->end.sequence);
	err = crypto_hmac(device_key, &(struct crypto_bytes){header, w.len}, 1, tag);
	if (err)
		goto out;
	put_bytes(&w, tag, sizeof(tag));
	err = crypto_hash(HASH_SHA256, header, w.len, sum);
	if (err)
		goto out;
	put_bytes(&w, sum, sizeof(sum));
	err = crypto_hash(HASH_SHA256, header, sizeof(header), log->end.hash);
	if (err)
		goto out;
	err = derive_key(log, device_key);
	if (err)
		goto out;
	err = storage_append(log->storage, header, sizeof(header));
	if (err)
		goto out;
	log->format = LOG_FORMAT;
	log->end.size = sizeof(header);
out:
	return err;
}

/* The checksum has no key: it tells damage from a store that another device wrote. */
static enum kw_err header_read(struct log *log, const uint8_t device_key[DEVICE_KEY_SIZE],
	const uint8_t header[LOG_HEADER_SIZE])
{
	struct reader r = reader_over(header, LOG_HEADER_SIZE);
	const uint8_t *found_magic = get_bytes(&r, sizeof(magic));
	uint8_t sum[LOG_HASH_SIZE], tag[LOG_TAG_SIZE];
	uint32_t version;
	enum kw_err err;

	version = get_u32(&r);
	get_u32(&r);
	get_copy(&r, log->store_id, LOG_ID_SIZE);
	get_bytes(&r, LOG_ID_SIZE);
	log->end.sequence = get_u64(&r);
	if (memcmp(found_magic, magic, sizeof(magic))) {
		platform_log("store: this is not a store of keys; nothing was changed");
		return KW_ERR_CORRUPT;
	}
	err = crypto_hash(HASH_SHA256, header, HEADER_SUM_AT, sum);
	if (err)
		return err;
	if (memcmp(sum, header + HEADER_SUM_AT, sizeof(sum)) || !version) {
		platform_log("store: damaged in its first %d bytes", LOG_HEADER_SIZE);
		return KW_ERR_CORRUPT;
	}
	if (version > LOG_FORMAT) {
		platform_log("store: written in format %u, this version reads up to %d", version,
			LOG_FORMAT);
		return KW_ERR_STORE_VERSION;
	}
	err = crypto_hmac(device_key, &(struct crypto_bytes){header, HEADER_TAG_AT}, 1, tag);
	if (err)
		return err;
	if (!crypto_equal(tag, header + HEADER_TAG_AT, sizeof(tag))) {
		platform_log("store: written by another device, or with another device secret");
		return KW_ERR_OTHER_DEVICE;
	}
	log->format = version;
	log->end.size = LOG_HEADER_SIZE;
	log->last_at = LOG_HEADER_SIZE;
	err = crypto_hash(HASH_SHA256, header, LOG_HEADER_SIZE, log->end.hash);
	return err ? err : derive_key(log, device_key);
}

/* A part of the log in memory: `len` bytes from offset `at`. */
struct window {
	struct storage *storage;
	uint8_t *buf;
	uint64_t at;
	size_t len;
};

/* Points *p to the n bytes at `offset`, which never goes back. n <= LOG_RECORD_MAX; the log, of
 * `size` bytes, has them. */
static enum kw_err window_show(
	struct window *win, uint64_t offset, size_t n, uint64_t size, const uint8_t **p)
{
	size_t kept = 0, more;
	enum kw_err err;

	if (offset - win->at + n > win->len) {
		if (offset - win->at < win->len)
			kept = (size_t)(win->at + win->len - offset);
		if (kept)
			memmove(win->buf, win->buf + (offset - win->at), kept);
		win->at = offset;
		win->len = kept;
		more = WINDOW_SIZE - kept;
		if (more > size - offset - kept)
			more = (size_t)(size - offset - kept);
		err = storage_read(win->storage, offset + kept, win->buf + kept, more);
		if (err)
			return err;
		win->len += more;
	}
	*p = win->buf + (offset - win->at);
	return KW_ERR_OK;
}

struct record {
	size_t len;
	uint64_t sequence;
	const uint8_t *before;
};

/* Is there a whole record at p, made with this log's key? */
static enum kw_err record_read(const struct log *log, const uint8_t *p, size_t n, uint64_t highest,
	struct record *rec, bool *is_genuine)
{
	struct reader r = reader_over(p, n);
	uint8_t tag[LOG_TAG_SIZE];
	enum kw_err err;

	*is_genuine = false;
	rec->len = get_u32(&r);
	rec->sequence = get_u64(&r);
	rec->before = get_bytes(&r, LOG_HASH_SIZE);
	if (r.failed || rec->len < LOG_RECORD_MIN || rec->len > LOG_RECORD_MAX || rec->len > n)
		return KW_ERR_OK;
	if (rec->sequence <= log->end.sequence || rec->sequence > highest)
		return KW_ERR_OK;
	err = crypto_hmac(log->key, &(struct crypto_bytes){p, rec->len - LOG_TAG_SIZE}, 1, tag);
	if (!err)
		*is_genuine = crypto_equal(tag, p + rec->len - LOG_TAG_SIZE, LOG_TAG_SIZE);
	return err;
}

/*
 * The n bytes at p do not start with a genuine record and end the log. A crash can leave at most
 * one unfinished record, since every one is synced before the next is written. So it was torn
 * unless there is more than fits one, or a later genuine record in what is left.
 */
static enum kw_err tail_check(const struct log *log, const uint8_t *p, size_t n, bool *is_torn)
{
	struct record rec;
	bool is_genuine;
	enum kw_err err;

	for (size_t i = 1; i + LOG_RECORD_MIN <= n; i++) {
		err = record_read(log, p + i, n - i, log->end.sequence + n / LOG_RECORD_MIN + 1,
			&rec, &is_genuine);
		if (err)
			return err;
		if (is_genuine)
			return KW_ERR_OK;
	}
	*is_torn = true;
	return KW_ERR_OK;
}

static enum kw_err replay_records(
	struct log *log, struct window *win, uint64_t size, log_apply *apply, void *context)
{
	while (log->end.size < size) {
		uint64_t left = size - log->end.size;
		size_t n = left < LOG_RECORD_MAX ? (size_t)left : LOG_RECORD_MAX;
		bool is_genuine, is_torn = false;
		const uint8_t *p = NULL;
		struct record rec;
		enum kw_err err;

		err = window_show(win, log->end.size, n, size, &p);
		if (!err)
			err = record_read(log, p, n, UINT64_MAX, &rec, &is_genuine);
		if (err)
			return err;
		if (!is_genuine) {
			if (n == left)
				err = tail_check(log, p, n, &is_torn);
			return err || is_torn ? err : KW_ERR_CORRUPT;
		}
		if (rec.sequence != log->end.sequence + 1 ||
			memcmp(rec.before, log->end.hash, LOG_HASH_SIZE))
			return KW_ERR_CORRUPT;
		err = apply(context, p + LOG_RECORD_HEAD, rec.len - LOG_RECORD_HEAD - LOG_TAG_SIZE,
			log->end.size + LOG_RECORD_HEAD);
		if (!err)
			err = crypto_hash(HASH_SHA256, p, rec.len, log->end.hash);
		if (err)
			return err;
		log->end.sequence = rec.sequence;
		log->last_at = log->end.size;
		log->end.size += rec.len;
	}
	return KW_ERR_OK;
}

enum kw_err log_replay(struct log *log, const uint8_t device_key[DEVICE_KEY_SIZE], uint64_t size,
	log_apply *apply, void *context)
{
	struct window win = {.storage = log->storage};
	const uint8_t *header = NULL;
	enum kw_err err = KW_ERR_NO_MEMORY;

	win.buf = platform_alloc(WINDOW_SIZE);
	if (!win.buf)
		goto out;
	if (size < LOG_HEADER_SIZE) {
		platform_log("store: damaged: %u bytes are too few", (unsigned)size);
		err = KW_ERR_CORRUPT;
		goto out;
	}
	err = window_show(&win, 0, LOG_HEADER_SIZE, size, &header);
	if (!err)
		err = header_read(log, device_key, header);
	if (err)
		goto out;
	err = replay_records(log, &win, size, apply, context);
	if (err == KW_ERR_CORRUPT)
		platform_log(
			"store: damaged at byte %llu of %llu, in record %llu; nothing was changed",
			(unsigned long long)log->end.size, (unsigned long long)size,
			(unsigned long long)log->end.sequence + 1);
out:
	platform_free(win.buf, WINDOW_SIZE);
	return err;
}

struct writer log_begin(uint8_t *buf)
{
	struct writer w = writer_over(buf, LOG_RECORD_MAX - LOG_TAG_SIZE);

	w.len = LOG_RECORD_HEAD;
	return w;
}

size_t log_room(const struct writer *w)
{
	return w->failed ? 0 : w->cap - w->len;
}

uint64_t log_offset(const struct log *log, const struct writer *w)
{
	return log->end.size + w->len;
}

enum kw_err log_append(struct log *log, struct writer *w)
{
	size_t len = w->len + LOG_TAG_SIZE;
	struct writer head = writer_over(w->buf, LOG_RECORD_HEAD);
	uint8_t hash[LOG_HASH_SIZE];
	enum kw_err err = KW_ERR_TOO_LARGE;

	if (w->failed || len < LOG_RECORD_MIN)
		goto out;
	put_u32(&head, (uint32_t)len);
	put_u64(&head, log->end.sequence + 1);
	put_bytes(&head, log->end.hash, LOG_HASH_SIZE);
	err = crypto_hmac(log->key, &(struct crypto_bytes){w->buf, w->len}, 1, w->buf + w->len);
	if (err)
		goto out;
	err = crypto_hash(HASH_SHA256, w->buf, len, hash);
	if (err)
		goto out;
	err = storage_append(log->storage, w->buf, len);
	if (err)
		goto out;
	memcpy(log->end.hash, hash, sizeof(hash));
	log->end.sequence++;
	log->end.size += len;
out:
	return err;
}

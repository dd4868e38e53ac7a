/* SPDX-License-Identifier: BSD-2-Clause */
#include "storage_memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 512u

struct file {
	struct file *next;
	uint8_t *data; /* what the page cache has */
	size_t len;
	size_t room;
	uint8_t *durable; /* what the medium has */
	size_t durable_len;
	size_t durable_room;
	size_t same; /* bytes from the start that cache and medium have in common */
	/* Pages that a failed sync dropped: later syncs succeed without writing them. */
	size_t lost_from;
	size_t lost_to;
};

struct storage {
	struct file *file;
	bool is_fresh;
	bool is_unsure;
	bool holds_lock;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;
static struct file *log_file;  /* by its name, as the running system sees it */
static struct file *other_log; /* what the name may mean after a crash, or NULL */
static bool is_locked;
static bool is_off;
static bool is_full;
static enum storage_fault fault;
static unsigned fault_at;
static unsigned operations;
static uint32_t random_state = 1;
static void (*sync_hook)(void);

static uint32_t draw(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % below;
}

/* Makes room for n bytes at least. */
static void grow(uint8_t **p, size_t *room, size_t n)
{
	if (n < *room)
		return;
	*room = n * 2 + 64;
	*p = realloc(*p, *room);
	if (!*p)
		abort();
}

static struct file *new_file(void)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	grow(&f->data, &f->room, 0);
	grow(&f->durable, &f->durable_room, 0);
	f->next = files;
	files = f;
	return f;
}

static void forget_files(void)
{
	while (files) {
		struct file *f = files;

		files = f->next;
		free(f->data);
		free(f->durable);
		free(f);
	}
	log_file = NULL;
	other_log = NULL;
}

static void make_durable(struct file *f)
{
	grow(&f->durable, &f->durable_room, f->len);
	memcpy(f->durable + f->same, f->data + f->same, f->len - f->same);
	f->durable_len = f->len;
	f->same = f->len;
	for (size_t i = f->lost_from; i < f->lost_to && i < f->len; i++)
		f->durable[i] = 0;
}

/* What is on the medium when power fails now: any part of what was not synced. */
static void lose_power(struct file *f)
{
	size_t low = f->len < f->durable_len ? f->len : f->durable_len;
	size_t high = f->len < f->durable_len ? f->durable_len : f->len;
	size_t len = low + (high > low ? draw((uint32_t)(high - low + 1)) : 0);
	uint8_t *image;

	if (draw(3) == 0)
		len = high;
	if (f->len < f->durable_len)
		len = draw(2) ? low : high; /* a cut was done or not */
	grow(&f->durable, &f->durable_room, len);
	image = f->durable;
	if (len > f->durable_len)
		memset(image + f->durable_len, 0, len - f->durable_len);
	for (size_t at = f->durable_len; at < len;) {
		size_t end = (at / BLOCK + 1) * BLOCK < len ? (at / BLOCK + 1) * BLOCK : len;
		uint32_t fate = draw(4);

		for (; at < end; at++) {
			bool lost = at >= f->lost_from && at < f->lost_to;

			if (fate == 0)
				image[at] = (uint8_t)draw(256);
			else if (fate > 1 && !lost)
				image[at] = f->data[at];
		}
	}
	f->durable_len = len;
	grow(&f->data, &f->room, len);
	memcpy(f->data, f->durable, len);
	f->len = len;
	f->same = len;
	f->lost_from = 0;
	f->lost_to = 0;
}

void storage_memory_reset(void)
{
	pthread_mutex_lock(&lock);
	forget_files();
	is_locked = false;
	is_off = false;
	is_full = false;
	fault = FAULT_NONE;
	fault_at = 0;
	operations = 0;
	sync_hook = NULL;
	pthread_mutex_unlock(&lock);
}

void storage_memory_fault(enum storage_fault kind, unsigned n, uint32_t seed)
{
	pthread_mutex_lock(&lock);
	fault = kind;
	fault_at = n;
	operations = 0;
	random_state = seed * 2654435761u | 1;
	pthread_mutex_unlock(&lock);
}

unsigned storage_memory_operations(void)
{
	return operations;
}

void storage_memory_make_room(void)
{
	is_full = false;
}

void storage_memory_stop(void)
{
	is_off = true;
}

void storage_memory_restart(bool power_lost)
{
	pthread_mutex_lock(&lock);
	if (power_lost && other_log && draw(2))
		log_file = other_log;
	if (power_lost)
		other_log = NULL;
	if (power_lost && log_file)
		lose_power(log_file);
	is_locked = false;
	is_off = false;
	is_full = false;
	fault = FAULT_NONE;
	pthread_mutex_unlock(&lock);
}

const uint8_t *storage_memory_bytes(size_t *len)
{
	*len = log_file ? log_file->len : 0;
	return log_file ? log_file->data : NULL;
}

void storage_memory_set_bytes(const void *bytes, size_t len)
{
	pthread_mutex_lock(&lock);
	if (!log_file)
		log_file = new_file();
	grow(&log_file->data, &log_file->room, len);
	memmove(log_file->data, bytes, len);
	log_file->len = len;
	log_file->same = 0;
	log_file->lost_from = 0;
	log_file->lost_to = 0;
	make_durable(log_file);
	pthread_mutex_unlock(&lock);
}

void storage_memory_set_hook(void (*hook)(void))
{
	sync_hook = hook;
}

/* Counts an operation and says what happens to it. FAULT_DEAD: it fails and has done nothing. */
static enum storage_fault meet_fault(void)
{
	enum storage_fault met;

	operations++;
	if (is_off)
		return FAULT_DEAD;
	if (fault == FAULT_PAIR && fault_at && operations == fault_at + 1)
		return FAULT_PARTIAL;
	if (!fault_at || operations != fault_at)
		return FAULT_NONE;
	met = fault == FAULT_PAIR ? FAULT_PARTIAL : fault;
	if (met == FAULT_DEAD || met == FAULT_CRASH)
		is_off = true;
	if (met == FAULT_FULL)
		is_full = true;
	if (met == FAULT_CRASH)
		return draw(2) ? FAULT_PARTIAL : FAULT_CLEAN;
	return met == FAULT_FULL ? FAULT_NONE : met;
}

/* For operations that have no parts. */
static enum kw_err meet_any_fault(void)
{
	enum storage_fault met;

	pthread_mutex_lock(&lock);
	met = meet_fault();
	pthread_mutex_unlock(&lock);
	return met == FAULT_NONE ? KW_ERR_OK : KW_ERR_STORE_IO;
}

static struct storage *new_storage(struct file *f)
{
	struct storage *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->file = f;
	return s;
}

enum kw_err storage_open(struct storage **s)
{
	enum kw_err err = meet_any_fault();

	*s = NULL;
	if (err)
		return err;
	pthread_mutex_lock(&lock);
	if (is_locked) {
		err = KW_ERR_STORE_BUSY;
	} else {
		if (!log_file)
			log_file = new_file();
		/* As storage_file.c syncs the directory here. */
		other_log = NULL;
		*s = new_storage(log_file);
		(*s)->holds_lock = true;
		is_locked = true;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

void storage_close(struct storage **s)
{
	if (!*s)
		return;
	pthread_mutex_lock(&lock);
	if ((*s)->holds_lock)
		is_locked = false;
	pthread_mutex_unlock(&lock);
	free(*s);
	*s = NULL;
}

enum kw_err storage_size(struct storage *s, uint64_t *size)
{
	enum kw_err err = meet_any_fault();

	pthread_mutex_lock(&lock);
	*size = s->file->len;
	pthread_mutex_unlock(&lock);
	return err;
}

enum kw_err storage_read(struct storage *s, uint64_t offset, void *buf, size_t n)
{
	enum kw_err err = meet_any_fault();
	const struct file *f = s->file;

	if (err)
		return err;
	pthread_mutex_lock(&lock);
	if (offset > f->len || n > f->len - offset)
		err = KW_ERR_CORRUPT;
	else
		memcpy(buf, f->data + offset, n);
	pthread_mutex_unlock(&lock);
	return err;
}

enum kw_err storage_append(struct storage *s, const void *buf, size_t n)
{
	enum kw_err err = KW_ERR_OK;
	struct file *f = s->file;
	enum storage_fault met;
	size_t done = n;

	pthread_mutex_lock(&lock);
	met = meet_fault();
	if (met == FAULT_CLEAN || met == FAULT_DEAD)
		done = 0;
	else if (met == FAULT_PARTIAL || is_full)
		done = draw((uint32_t)n + 1);
	if (met != FAULT_NONE)
		err = KW_ERR_STORE_IO;
	else if (is_full)
		err = KW_ERR_STORE_FULL;
	grow(&f->data, &f->room, f->len + done);
	memcpy(f->data + f->len, buf, done);
	f->len += done;
	pthread_mutex_unlock(&lock);
	return err;
}

enum kw_err storage_sync(struct storage *s)
{
	enum kw_err err = KW_ERR_STORE_IO;
	struct file *f = s->file;
	enum storage_fault met;

	if (sync_hook)
		sync_hook();
	pthread_mutex_lock(&lock);
	met = meet_fault();
	if (met == FAULT_PARTIAL && f->len > f->durable_len) {
		if (draw(3)) {
			f->lost_from = f->durable_len + draw((uint32_t)(f->len - f->durable_len));
			f->lost_to = f->len;
		}
		if (draw(2))
			make_durable(f);
	} else if (met == FAULT_NONE && !s->is_unsure) {
		make_durable(f);
		err = KW_ERR_OK;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

enum kw_err storage_resync(struct storage *s, uint64_t from)
{
	enum kw_err err = KW_ERR_STORE_IO;
	struct file *f = s->file;

	pthread_mutex_lock(&lock);
	if (meet_fault() == FAULT_NONE && !s->is_unsure) {
		if (f->same > from)
			f->same = from;
		if (f->lost_to > from)
			f->lost_to = from;
		make_durable(f);
		err = KW_ERR_OK;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

enum kw_err storage_truncate(struct storage *s, uint64_t size)
{
	enum kw_err err = KW_ERR_STORE_IO;
	struct file *f = s->file;
	enum storage_fault met;

	pthread_mutex_lock(&lock);
	met = meet_fault();
	if (met == FAULT_CLEAN || met == FAULT_DEAD || size > f->len)
		goto out;
	if (met == FAULT_PARTIAL && draw(2))
		goto out;
	f->len = size;
	if (f->same > size)
		f->same = size;
	if (f->lost_to > size)
		f->lost_to = size;
	if (met != FAULT_NONE)
		goto out;
	make_durable(f);
	err = KW_ERR_OK;
out:
	pthread_mutex_unlock(&lock);
	return err;
}

enum kw_err storage_begin(struct storage *s, struct storage **fresh)
{
	enum kw_err err = meet_any_fault();

	(void)s;
	*fresh = NULL;
	if (err)
		return err;
	pthread_mutex_lock(&lock);
	*fresh = new_storage(new_file());
	(*fresh)->is_fresh = true;
	pthread_mutex_unlock(&lock);
	return KW_ERR_OK;
}

enum kw_err storage_swap(struct storage *s, struct storage *fresh)
{
	enum kw_err err = KW_ERR_STORE_IO;
	enum storage_fault met;

	if (sync_hook)
		sync_hook();
	pthread_mutex_lock(&lock);
	met = meet_fault();
	if (met == FAULT_CLEAN || met == FAULT_DEAD)
		goto out;
	/* Not synced directory: after a crash the name means the one or the other. What it meant before
	 * an earlier such swap is as possible, but is as old as what it means now. */
	if (met != FAULT_NONE && !other_log)
		other_log = log_file;
	if (met == FAULT_NONE)
		other_log = NULL;
	log_file = fresh->file;
	fresh->is_fresh = false;
	fresh->is_unsure = met != FAULT_NONE;
	fresh->holds_lock = s->holds_lock;
	s->holds_lock = false;
	err = KW_ERR_OK;
out:
	pthread_mutex_unlock(&lock);
	return err;
}

const char *platform_storage(void)
{
	return "an array";
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An allocator in three steps: chunks of 1 MiB from secret_map.c, spans of 16 KiB in them, and
 * slots of one size in a span. Sizes above a slot take a run of spans; sizes above half a chunk
 * have their own mapping. What is free is zero, but for the link of a free slot. Each thread keeps
 * a few free slots of each size, since libcrypto allocates several times for one signature. The
 * threads that sign take new ones from spans of their own: two CPUs that write to one cache line in
 * turn wait for each other.
 */
#include "secret_memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "sanitizer.h"
#include "secret_map.h"

#if SANITIZED
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define CHUNK_SIZE ((size_t)1 << 20)
#define SPAN_SIZE ((size_t)16 << 10)
#define SPANS (CHUNK_SIZE / SPAN_SIZE)
#define SLOT_MIN 32
#define LARGE (CHUNK_SIZE / 2)
#define CACHE_BYTES 1024u /* of each size and thread */
#define CHUNK_MAGIC UINT64_C(0x6b77636875e16b31)

static const uint16_t slot_sizes[] = {32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
	448, 512, 640, 768, 896, 1024, 1280, 1536, 1792, 2048, 2720, 3264, 4096, 5456, 8192};
#define BINS (sizeof(slot_sizes) / sizeof(slot_sizes[0]))
#define POOLS 8u
#define SLOT_MAX 8192

enum span_use {
	SPAN_FREE,
	SPAN_SLOTS,
	SPAN_RUN,  /* first of a run */
	SPAN_REST, /* in a run */
	SPAN_HEADER,
};

struct slot {
	struct slot *next;
};

struct span {
	struct span *next; /* of its bin, while it has free slots */
	struct span *prev;
	struct slot *free;
	uint16_t used;  /* slots that are handed out or in a thread's cache */
	uint16_t fresh; /* slots from here on were never handed out */
	uint16_t slots;
	uint16_t run; /* spans in the run */
	uint8_t use;
	uint8_t bin;
	uint8_t pool;
};

/* At the start of each chunk and of each large mapping. */
struct chunk {
	uint64_t magic;
	size_t large; /* bytes of a large mapping, else 0 */
	struct chunk *next;
	unsigned free_spans;
	struct span span[SPANS];
	/* Whether a slot is allocated: finds double and wild frees. Written without the lock by
	 * whoever owns the slot. */
	uint8_t live[SPANS][SPAN_SIZE / SLOT_MIN];
};

#define HEADER_SPANS ((sizeof(struct chunk) + SPAN_SIZE - 1) / SPAN_SIZE)
#define LARGE_HEADER 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct chunk *chunks;
static struct span *partial[POOLS][BINS]; /* spans with free slots */
static atomic_uint busy_threads;
static uint8_t bin_of[1024 / 16 + 1];
static uint32_t inverse[BINS]; /* 2^24 by the size, rounded up */

struct cache {
	struct slot *head[BINS];
	uint8_t count[BINS];
	uint8_t pool;
};
static __thread struct cache cache;

static struct chunk *chunk_of(const void *p)
{
	return (struct chunk *)((uintptr_t)p & ~(uintptr_t)(CHUNK_SIZE - 1));
}

static uint8_t *span_base(struct span *s)
{
	struct chunk *c = chunk_of(s);

	return (uint8_t *)c + (size_t)(s - c->span) * SPAN_SIZE;
}

static size_t bin_for(size_t n)
{
	size_t i;

	if (n <= 1024)
		return bin_of[(n + 15) / 16];
	for (i = bin_of[1024 / 16] + 1u; slot_sizes[i] < n; i++)
		;
	return i;
}

/* Which slot of its span starts at this offset: a division in the time of a multiplication. Exact for
 * offsets where a slot starts. */
static uint32_t slot_number(size_t bin, uint32_t at)
{
	return (uint32_t)((uint64_t)at * inverse[bin] >> 24);
}

static unsigned cache_max(size_t bin)
{
	unsigned n = CACHE_BYTES / slot_sizes[bin];

	return n > 16 ? 16 : n;
}

static struct chunk *chunk_new(void)
{
	struct chunk *c = secret_map(CHUNK_SIZE, CHUNK_SIZE);

	if (!c)
		return NULL;
	c->magic = CHUNK_MAGIC;
	c->free_spans = SPANS - (unsigned)HEADER_SPANS;
	for (size_t i = 0; i < HEADER_SPANS; i++)
		c->span[i].use = SPAN_HEADER;
	c->next = chunks;
	chunks = c;
	return c;
}

/* A chunk that is wholly free goes back when it is not the only one: mapping and unmapping secret
 * memory is dear. */
static void chunk_trim(struct chunk *c)
{
	struct chunk **at = &chunks;
	bool other = false;

	if (c->free_spans < SPANS - HEADER_SPANS)
		return;
	for (struct chunk *i = chunks; i; i = i->next)
		other = other || (i != c && i->free_spans == SPANS - HEADER_SPANS);
	if (!other)
		return;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	ASAN_UNPOISON_MEMORY_REGION(c, CHUNK_SIZE);
	secret_unmap(c, CHUNK_SIZE);
}

static struct span *run_in(struct chunk *c, size_t n)
{
	size_t have = 0;

	if (c->free_spans < n)
		return NULL;
	for (size_t i = HEADER_SPANS; i < SPANS; i++) {
		have = c->span[i].use == SPAN_FREE ? have + 1 : 0;
		if (have < n)
			continue;
		i -= n - 1;
		for (size_t k = i + 1; k < i + n; k++)
			c->span[k].use = SPAN_REST;
		c->free_spans -= (unsigned)n;
		c->span[i].run = (uint16_t)n;
		return &c->span[i];
	}
	return NULL;
}

/* n spans in a row of what is mapped. */
static struct span *run_find(size_t n)
{
	struct span *s = NULL;

	for (struct chunk *c = chunks; c && !s; c = c->next)
		s = run_in(c, n);
	return s;
}

/* n spans in a row; the caller sets what the first one is. */
static struct span *run_take(size_t n)
{
	struct span *s = run_find(n);
	struct chunk *c;

	if (s)
		return s;
	c = chunk_new();
	return c ? run_in(c, n) : NULL;
}

static void run_give(struct span *s)
{
	struct chunk *c = chunk_of(s);
	size_t n = s->run;

	for (size_t i = 0; i < n; i++)
		memset(&s[i], 0, sizeof(s[i]));
	c->free_spans += (unsigned)n;
	chunk_trim(c);
}

static void partial_add(struct span *s)
{
	struct span **head = &partial[s->pool][s->bin];

	s->prev = NULL;
	s->next = *head;
	if (s->next)
		s->next->prev = s;
	*head = s;
}

static void partial_remove(struct span *s)
{
	if (s->next)
		s->next->prev = s->prev;
	if (s->prev)
		s->prev->next = s->next;
	else
		partial[s->pool][s->bin] = s->next;
}

static struct slot *span_take(size_t bin)
{
	struct span *s, *fresh;
	struct slot *slot;

	s = partial[cache.pool][bin];
	fresh = s ? NULL : run_find(1);
	/* Before more is mapped, what other threads have left. */
	for (unsigned i = 0; !s && !fresh && i < POOLS; i++)
		s = partial[i][bin];
	if (!s) {
		s = fresh ? fresh : run_take(1);
		if (!s)
			return NULL;
		s->use = SPAN_SLOTS;
		s->bin = (uint8_t)bin;
		s->pool = cache.pool;
		s->slots = (uint16_t)(SPAN_SIZE / slot_sizes[bin]);
		partial_add(s);
	}
	slot = s->free;
	if (slot) {
		s->free = slot->next;
		slot->next = NULL;
	} else {
		slot = (struct slot *)(void *)(span_base(s) + (size_t)s->fresh++ * slot_sizes[bin]);
	}
	if (++s->used == s->slots)
		partial_remove(s);
	return slot;
}

static void span_give(struct slot *slot)
{
	struct chunk *c = chunk_of(slot);
	struct span *s = &c->span[((uintptr_t)slot & (CHUNK_SIZE - 1)) / SPAN_SIZE];
	size_t size = slot_sizes[s->bin];

	if (s->used-- == s->slots)
		partial_add(s);
	slot->next = s->free;
	s->free = slot;
	if (s->used)
		return;
	partial_remove(s);
	ASAN_UNPOISON_MEMORY_REGION(span_base(s), SPAN_SIZE);
	/* The links go, so that a free span is zero throughout. */
	for (size_t i = 0; i < s->fresh; i++)
		memset(span_base(s) + i * size, 0, sizeof(struct slot));
	run_give(s);
}

static void *slot_alloc(size_t n)
{
	size_t bin = bin_for(n);
	struct slot *slot = cache.head[bin];
	struct chunk *c;
	size_t at;

	if (slot) {
		cache.head[bin] = slot->next;
		cache.count[bin]--;
		slot->next = NULL;
	} else {
		pthread_mutex_lock(&lock);
		slot = span_take(bin);
		pthread_mutex_unlock(&lock);
		if (!slot)
			return NULL;
	}
	c = chunk_of(slot);
	at = (uintptr_t)slot & (CHUNK_SIZE - 1);
	c->live[at / SPAN_SIZE][slot_number(bin, (uint32_t)(at % SPAN_SIZE))] = 1;
	ASAN_UNPOISON_MEMORY_REGION(slot, n);
	ASAN_POISON_MEMORY_REGION((uint8_t *)slot + n, slot_sizes[bin] - n);
	return slot;
}

static void slot_free(struct chunk *c, struct span *s, void *p)
{
	size_t bin = s->bin;
	uint32_t size = slot_sizes[bin];
	uint32_t at = (uint32_t)((uintptr_t)p & (SPAN_SIZE - 1));
	uint32_t number = slot_number(bin, at);
	uint8_t *live = &c->live[s - c->span][number];
	struct slot *slot = p;

	if (number * size != at || *live != 1)
		abort();
	*live = 0;
	ASAN_UNPOISON_MEMORY_REGION(p, size);
	OPENSSL_cleanse(p, size);
	ASAN_POISON_MEMORY_REGION((uint8_t *)p + sizeof(*slot), size - sizeof(*slot));
	if (cache.count[bin] < cache_max(bin)) {
		slot->next = cache.head[bin];
		cache.head[bin] = slot;
		cache.count[bin]++;
		return;
	}
	pthread_mutex_lock(&lock);
	span_give(slot);
	pthread_mutex_unlock(&lock);
}

static void *run_alloc(size_t n)
{
	struct span *s;

	pthread_mutex_lock(&lock);
	s = run_take((n + SPAN_SIZE - 1) / SPAN_SIZE);
	if (s)
		s->use = SPAN_RUN;
	pthread_mutex_unlock(&lock);
	if (!s)
		return NULL;
	ASAN_POISON_MEMORY_REGION(span_base(s) + n, s->run * SPAN_SIZE - n);
	return span_base(s);
}

static void run_free(struct span *s, void *p)
{
	if (p != span_base(s))
		abort();
	ASAN_UNPOISON_MEMORY_REGION(p, s->run * SPAN_SIZE);
	OPENSSL_cleanse(p, s->run * SPAN_SIZE);
	pthread_mutex_lock(&lock);
	run_give(s);
	pthread_mutex_unlock(&lock);
}

static void *large_alloc(size_t n)
{
	size_t size = (n + LARGE_HEADER + 4095) & ~(size_t)4095;
	struct chunk *c;

	if (n > SIZE_MAX / 4)
		return NULL;
	c = secret_map(size, CHUNK_SIZE);
	if (!c)
		return NULL;
	c->magic = CHUNK_MAGIC;
	c->large = size;
	return (uint8_t *)c + LARGE_HEADER;
}

void *secret_alloc(size_t n)
{
	if (!n)
		return NULL;
	if (n <= SLOT_MAX)
		return slot_alloc(n);
	return n <= LARGE ? run_alloc(n) : large_alloc(n);
}

/* Finds what p is, and how many bytes it has. */
static struct span *look_up(void *p, struct chunk **c, size_t *size)
{
	struct span *s;

	*c = chunk_of(p);
	if ((*c)->magic != CHUNK_MAGIC)
		abort();
	if ((*c)->large) {
		*size = (*c)->large - LARGE_HEADER;
		return NULL;
	}
	s = &(*c)->span[((uintptr_t)p & (CHUNK_SIZE - 1)) / SPAN_SIZE];
	if (s->use != SPAN_SLOTS && s->use != SPAN_RUN)
		abort();
	*size = s->use == SPAN_SLOTS ? slot_sizes[s->bin] : s->run * SPAN_SIZE;
	return s;
}

void secret_free(void *p)
{
	struct chunk *c;
	struct span *s;
	size_t size;

	if (!p)
		return;
	s = look_up(p, &c, &size);
	if (s && s->use == SPAN_SLOTS) {
		slot_free(c, s, p);
	} else if (s) {
		run_free(s, p);
	} else {
		if (p != (uint8_t *)c + LARGE_HEADER)
			abort();
		/* The kernel zeroes pages before another mapping gets them; this wipes them now. */
		OPENSSL_cleanse(p, size);
		secret_unmap(c, c->large);
	}
}

void *secret_realloc(void *p, size_t n)
{
	struct chunk *c;
	size_t size;
	void *fresh;

	if (!p)
		return secret_alloc(n);
	look_up(p, &c, &size);
	fresh = secret_alloc(n);
	if (!fresh)
		return NULL;
	ASAN_UNPOISON_MEMORY_REGION(p, size);
	memcpy(fresh, p, size < n ? size : n);
	secret_free(p);
	return fresh;
}

void secret_memory_keep_apart(void)
{
	unsigned n = atomic_fetch_add(&busy_threads, 1);

	if (n < secret_memory_limit() / SECRET_PER_THREAD)
		cache.pool = (uint8_t)(1 + n % (POOLS - 1));
}

enum kw_err secret_memory_init(size_t limit)
{
	enum kw_err err = secret_map_init(limit);

	if (err)
		return err;
	for (size_t i = 0, bin = 0; i <= 1024 / 16; i++) {
		if (slot_sizes[bin] < i * 16)
			bin++;
		bin_of[i] = (uint8_t)bin;
	}
	for (size_t i = 0; i < BINS; i++)
		inverse[i] = ((1u << 24) + slot_sizes[i] - 1) / slot_sizes[i];
	if (!chunk_new())
		return KW_ERR_NO_MEMORY;
	return KW_ERR_OK;
}

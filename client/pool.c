/* SPDX-License-Identifier: BSD-2-Clause */
#include "pool.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* CPUs beyond this many share. */
#define BUCKETS 256u
/* Connections that stay open in each bucket while nobody uses them. */
#define IDLE_MAX 8u

enum slot_state {
	SLOT_BUSY = 0, /* one thread has it */
	SLOT_IDLE,     /* free, with a connection */
	SLOT_EMPTY,    /* free, without */
};

/* Slots are only ever added to a bucket, at its head, until the pool is freed: so threads walk the
 * lists without locks, and a child forked in between finds them whole. */
struct pool {
	pid_t pid;
	/* A page that the kernel clears in forked children. Asking for the pid costs a system
	 * call, and it does not tell a child apart that is number 1 of a PID namespace below
	 * its parent's. NULL where the kernel has no such: then the pid has to do. */
	const volatile unsigned char *alive;
	struct pool *inherited; /* of the process that forked this one: may be looked at, so kept */
	_Atomic uint32_t euid;  /* as whom the last connection was taken */
	_Atomic(struct slot *) buckets[BUCKETS];
};

static unsigned char *new_fork_guard(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *page =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return NULL;
	if (madvise(page, size, MADV_WIPEONFORK) != 0) {
		munmap(page, size);
		return NULL;
	}
	page[0] = 1;
	return page;
}

struct pool *pool_new(void)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->pid = getpid();
	atomic_init(&p->euid, geteuid());
	p->alive = new_fork_guard();
	return p;
}

static bool is_ours(const struct pool *p)
{
	return p->alive ? p->alive[0] : p->pid == getpid();
}

/* Lets go of every connection of a pool that no other thread uses. */
static void drop_links(struct kw *kw, struct pool *p, bool ours)
{
	struct link *link;

	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct slot *s = atomic_load(&p->buckets[i]); s; s = s->next) {
			link = atomic_exchange(&s->link, NULL);
			if (link && ours)
				kw->transport->close(link);
			else if (link)
				kw->transport->abandon(link);
		}
	}
}

static void free_pool(struct pool *p)
{
	struct slot *next;

	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct slot *s = atomic_load(&p->buckets[i]); s; s = next) {
			next = s->next;
			free(s);
		}
	}
	if (p->alive)
		munmap((void *)(uintptr_t)p->alive, (size_t)sysconf(_SC_PAGESIZE));
	free(p);
}

void pool_free(struct kw *kw)
{
	struct pool *p = atomic_load(&kw->pool);
	struct pool *inherited;

	drop_links(kw, p, is_ours(p));
	for (; p; p = inherited) {
		inherited = p->inherited;
		free_pool(p);
	}
}

struct pool *pool_current(struct kw *kw)
{
	struct pool *old = atomic_load_explicit(&kw->pool, memory_order_acquire);
	struct pool *fresh;

	if (is_ours(old))
		return old;
	fresh = pool_new();
	if (!fresh)
		return NULL;
	fresh->inherited = old;
	if (!atomic_compare_exchange_strong(&kw->pool, &old, fresh)) {
		/* Another thread of this child was faster; `old` is its pool now. */
		free_pool(fresh);
		return old;
	}
	drop_links(kw, fresh->inherited, false);
	return fresh;
}

static bool claim(struct slot *s, int from)
{
	/* Reading first spares the other threads a cache line that a failed exchange would
	 * take away. */
	return atomic_load_explicit(&s->state, memory_order_relaxed) == from &&
	       atomic_compare_exchange_strong(&s->state, &from, SLOT_BUSY);
}

/* The process has changed its user: connections made before speak for the old one and must
 * neither be used nor left lying about. */
static void drop_strangers(struct kw *kw, struct pool *pool, uint32_t euid)
{
	struct link *link;

	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct slot *s = atomic_load(&pool->buckets[i]); s; s = s->next) {
			if (!claim(s, SLOT_IDLE))
				continue;
			link = atomic_load(&s->link);
			if (link && link->euid != euid)
				slot_close(kw, s);
			pool_put(kw, s);
		}
	}
}

static struct slot *take_from(struct kw *kw, struct pool *pool, size_t bucket, uint32_t euid)
{
	for (struct slot *s = atomic_load(&pool->buckets[bucket]); s; s = s->next) {
		if (!claim(s, SLOT_IDLE))
			continue;
		if (atomic_load(&s->link)->euid == euid)
			return s;
		slot_close(kw, s);
		return s;
	}
	return NULL;
}

struct slot *pool_take(struct kw *kw, struct pool *pool, unsigned cpu, uint32_t euid)
{
	_Atomic(struct slot *) *head = &pool->buckets[cpu % BUCKETS];
	struct slot *first;
	struct slot *s;

	if (atomic_load_explicit(&pool->euid, memory_order_relaxed) != euid) {
		atomic_store(&pool->euid, euid);
		drop_strangers(kw, pool, euid);
	}
	s = take_from(kw, pool, cpu % BUCKETS, euid);
	if (s)
		return s;
	for (s = atomic_load(head); s; s = s->next)
		if (claim(s, SLOT_EMPTY))
			return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	first = atomic_load(head);
	do {
		s->next = first;
		s->ordinal = first ? first->ordinal + 1 : 0;
	} while (!atomic_compare_exchange_weak(head, &first, s));
	return s;
}

struct slot *pool_steal(struct kw *kw, struct pool *pool, uint32_t euid)
{
	struct slot *s;

	for (size_t i = 0; i < BUCKETS; i++) {
		s = take_from(kw, pool, i, euid);
		if (s && atomic_load(&s->link))
			return s;
		if (s)
			pool_put(kw, s);
	}
	return NULL;
}

void slot_close(struct kw *kw, struct slot *slot)
{
	struct link *link = atomic_exchange(&slot->link, NULL);

	if (link)
		kw->transport->close(link);
}

void pool_put(struct kw *kw, struct slot *slot)
{
	if (slot->ordinal >= IDLE_MAX)
		slot_close(kw, slot);
	atomic_store(&slot->state, atomic_load(&slot->link) ? SLOT_IDLE : SLOT_EMPTY);
}

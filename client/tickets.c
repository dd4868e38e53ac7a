/* SPDX-License-Identifier: BSD-2-Clause */
#include "tickets.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

/* The low bits of a place's state; the others count its changes, so that a reader sees a torn ticket. */
#define STATE_MASK 3u
#define STATE_EMPTY 0u
#define STATE_CHANGING 1u
#define STATE_FULL 2u
#define CHANGED 4u

bool ticket_get(struct kw *kw, unsigned slot, struct ticket *t)
{
	struct ticket_place *p = &kw->tickets[slot];
	unsigned before = atomic_load(&p->state);
	uint64_t words[TICKET_WORDS];
	bool ok;

	if ((before & STATE_MASK) != STATE_FULL)
		return false;
	for (unsigned i = 0; i < TICKET_WORDS; i++)
		words[i] = atomic_load(&p->words[i]);
	t->user = (uint8_t)atomic_load(&p->user);
	t->is_ours = atomic_load(&p->pid) == getpid();
	memcpy(t->bytes, words, sizeof(t->bytes));
	ok = atomic_load(&p->state) == before;
	explicit_bzero(words, sizeof(words));
	if (!ok)
		explicit_bzero(t, sizeof(*t));
	return ok;
}

/* Another thread's change takes no time, unless the process was forked in the middle of it: then the child
 * does not wait for ever. */
static unsigned begin_change(struct ticket_place *p)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	unsigned state = atomic_load(&p->state);

	for (unsigned i = 0; i < 100; i++) {
		if ((state & STATE_MASK) == STATE_CHANGING) {
			nanosleep(&moment, NULL);
			state = atomic_load(&p->state);
			continue;
		}
		if (atomic_compare_exchange_strong(
			    &p->state, &state, ((state & ~STATE_MASK) + CHANGED) | STATE_CHANGING))
			break;
	}
	return (state & ~STATE_MASK) + 2 * CHANGED;
}

static void change(struct kw *kw, unsigned slot, const struct ticket *t)
{
	struct ticket_place *p = &kw->tickets[slot];
	unsigned after = begin_change(p);
	uint64_t words[TICKET_WORDS] = {0};

	if (t)
		memcpy(words, t->bytes, sizeof(t->bytes));
	for (unsigned i = 0; i < TICKET_WORDS; i++)
		atomic_store(&p->words[i], words[i]);
	atomic_store(&p->user, t ? t->user : 0);
	atomic_store(&p->pid, t ? getpid() : 0);
	atomic_store(&p->state, after | (t ? STATE_FULL : STATE_EMPTY));
	explicit_bzero(words, sizeof(words));
	/* From now on each connection has to be told before it is used. */
	atomic_fetch_add(&kw->logins, 1);
}

void ticket_set(struct kw *kw, unsigned slot, const struct ticket *t)
{
	change(kw, slot, t);
}

void ticket_forget(struct kw *kw, unsigned slot)
{
	atomic_store(&kw->has_forgotten, true);
	change(kw, slot, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "admission.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "server_state.h"

#define BUCKETS 256

struct user {
	struct user *next;
	uint32_t uid;
	unsigned count;
};

struct admission {
	pthread_mutex_t lock;
	pthread_cond_t died;
	struct connection *all;
	struct connection *dead; /* to be closed by the undertaker, linked by `next` */
	bool has_undertaker;
	struct user *bucket[BUCKETS];
	unsigned total;
	unsigned per_uid;
	unsigned count;
	uint64_t empty_since;
};

struct admission *admission_new(unsigned total, uint64_t now)
{
	struct admission *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->died, NULL);
	l->total = total;
	l->empty_since = now;
	l->per_uid = total / 2 < LIMIT_PER_UID ? total / 2 : LIMIT_PER_UID;
	return l;
}

static struct user **find(struct admission *l, uint32_t uid)
{
	struct user **at = &l->bucket[uid % BUCKETS];

	while (*at && (*at)->uid != uid)
		at = &(*at)->next;
	return at;
}

/* Under the lock. */
static enum kw_err count_in(struct admission *l, uint32_t uid)
{
	struct user **at = find(l, uid);

	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at)
			return KW_ERR_NO_MEMORY;
		(*at)->uid = uid;
	}
	(*at)->count++;
	l->count++;
	return KW_ERR_OK;
}

enum kw_err admission_enter(struct admission *l, struct connection *c)
{
	enum kw_err err = KW_ERR_BUSY;
	const struct user *u;

	pthread_mutex_lock(&l->lock);
	u = *find(l, c->session.user.id);
	if (l->count >= l->total || (u && u->count >= l->per_uid))
		goto out;
	err = count_in(l, c->session.user.id);
	if (err)
		goto out;
	c->prev = NULL;
	c->next = l->all;
	if (c->next)
		c->next->prev = c;
	l->all = c;
out:
	pthread_mutex_unlock(&l->lock);
	return err;
}

/* Under the lock. */
static void bury(struct admission *l, struct connection *c)
{
	c->next = l->dead;
	l->dead = c;
	pthread_cond_signal(&l->died);
}

void admission_bury(struct admission *l, struct connection *c)
{
	pthread_mutex_lock(&l->lock);
	/* Without memory to count it, it stays open. */
	if (count_in(l, c->session.user.id))
		free(c);
	else
		bury(l, c);
	pthread_mutex_unlock(&l->lock);
}

/* Under the lock. */
static void count_out(struct admission *l, const struct connection *c, uint64_t now)
{
	struct user **at = find(l, c->session.user.id);
	struct user *u = *at;

	if (!--u->count) {
		*at = u->next;
		free(u);
	}
	if (!--l->count)
		l->empty_since = now;
}

void admission_leave(struct admission *l, struct connection *c, uint64_t now)
{
	bool closed = connection_close(c->fd);

	pthread_mutex_lock(&l->lock);
	if (c->next)
		c->next->prev = c->prev;
	if (c->prev)
		c->prev->next = c->next;
	else
		l->all = c->next;
	if (closed)
		count_out(l, c, now);
	else
		bury(l, c);
	pthread_mutex_unlock(&l->lock);
	if (closed)
		free(c);
}

void admission_undertaker(void *admission)
{
	struct admission *l = admission;
	struct connection *c;

	pthread_mutex_lock(&l->lock);
	l->has_undertaker = true;
	for (;;) {
		while (!(c = l->dead))
			pthread_cond_wait(&l->died, &l->lock);
		l->dead = c->next;
		pthread_mutex_unlock(&l->lock);
		close(c->fd);
		pthread_mutex_lock(&l->lock);
		count_out(l, c, now_ns());
		free(c);
	}
}

unsigned admission_count(struct admission *l, uint64_t *since)
{
	unsigned n;

	pthread_mutex_lock(&l->lock);
	n = l->count;
	*since = l->empty_since;
	pthread_mutex_unlock(&l->lock);
	return n;
}

void admission_free(struct admission **l)
{
	bool keep;

	if (!*l)
		return;
	while ((*l)->all)
		admission_leave(*l, (*l)->all, 0);
	pthread_mutex_lock(&(*l)->lock);
	keep = (*l)->has_undertaker || (*l)->dead;
	pthread_mutex_unlock(&(*l)->lock);
	/* The process ends soon; the kernel does not wait for what it closes then. */
	if (!keep) {
		pthread_cond_destroy(&(*l)->died);
		pthread_mutex_destroy(&(*l)->lock);
		free(*l);
	}
	*l = NULL;
}

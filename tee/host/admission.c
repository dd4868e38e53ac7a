/* SPDX-License-Identifier: BSD-2-Clause */
#include "admission.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define BUCKETS 256

struct user {
	struct user *next;
	uint32_t uid;
	unsigned count;
};

struct admission {
	pthread_mutex_t lock;
	struct connection *all;
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

enum kw_err admission_enter(struct admission *l, struct connection *c)
{
	enum kw_err err = KW_ERR_BUSY;
	struct user **at;
	struct user *u;

	pthread_mutex_lock(&l->lock);
	at = find(l, c->session.user.id);
	u = *at;
	if (l->count >= l->total || (u && u->count >= l->per_uid))
		goto out;
	if (!u) {
		err = KW_ERR_NO_MEMORY;
		u = calloc(1, sizeof(*u));
		if (!u)
			goto out;
		u->uid = c->session.user.id;
		*at = u;
	}
	u->count++;
	l->count++;
	c->prev = NULL;
	c->next = l->all;
	if (c->next)
		c->next->prev = c;
	l->all = c;
	err = KW_ERR_OK;
out:
	pthread_mutex_unlock(&l->lock);
	return err;
}

void admission_leave(struct admission *l, struct connection *c, uint64_t now)
{
	struct user **at;
	struct user *u;

	pthread_mutex_lock(&l->lock);
	at = find(l, c->session.user.id);
	u = *at;
	if (!--u->count) {
		*at = u->next;
		free(u);
	}
	if (!--l->count)
		l->empty_since = now;
	if (c->next)
		c->next->prev = c->prev;
	if (c->prev)
		c->prev->next = c->next;
	else
		l->all = c->next;
	pthread_mutex_unlock(&l->lock);
	close(c->fd);
	free(c);
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
	if (!*l)
		return;
	while ((*l)->all)
		admission_leave(*l, (*l)->all, 0);
	pthread_mutex_destroy(&(*l)->lock);
	free(*l);
	*l = NULL;
}

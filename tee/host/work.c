/* SPDX-License-Identifier: BSD-2-Clause */
#include "work.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "secret_memory.h"
#include "server_state.h"

struct job {
	struct fair_item item;
	struct connection *connection;
	size_t n;
	uint16_t command;
	uint8_t request[];
};

struct worker {
	struct work *work;
	struct buffers buffers;
};

struct work {
	struct server *server;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct fair fair;
	unsigned waiting;
	bool stopping;
	unsigned count;
	struct worker workers[];
};

static struct job *next_job(struct work *w, struct fair_caller **caller)
{
	struct job *job = NULL;

	pthread_mutex_lock(&w->lock);
	while (!w->stopping && fair_empty(&w->fair))
		pthread_cond_wait(&w->changed, &w->lock);
	if (!w->stopping) {
		job = (struct job *)(void *)fair_take(&w->fair, caller);
		w->waiting--;
	}
	pthread_mutex_unlock(&w->lock);
	return job;
}

static void charge(struct work *w, struct fair_caller *caller, uint64_t ns)
{
	pthread_mutex_lock(&w->lock);
	fair_charge(&w->fair, caller, ns);
	fair_caller_put(&w->fair, caller);
	pthread_mutex_unlock(&w->lock);
}

static void run_job(struct work *w, struct job *job, uint8_t *reply)
{
	struct connection *c = job->connection;
	size_t n = 0;
	enum kw_err err;

	err = kw_dispatch(w->server->options.core, &c->session, job->command, job->request, job->n,
		reply + WIRE_HEADER, WIRE_MAX_PAYLOAD, &n);
	if (err)
		serve_report(c, job->command, err);
	if (!connection_reply(c, reply, err, n))
		(void)shutdown(c->fd, SHUT_RDWR);
	explicit_bzero(reply, WIRE_HEADER + n);
	/* Its thread reads the end of the connection if it was shut down, and frees it. */
	serve_return(c);
	secret_free(job);
}

static void run(void *arg)
{
	struct worker *worker = arg;
	struct work *w = worker->work;
	struct fair_caller *caller;
	struct job *job;
	uint64_t start;

	while ((job = next_job(w, &caller))) {
		start = now_ns();
		run_job(w, job, worker->buffers.reply);
		charge(w, caller, now_ns() - start);
	}
}

enum kw_err work_submit(
	struct work *w, struct connection *c, uint16_t command, const uint8_t *request, size_t n)
{
	struct fair_caller *caller = NULL;
	struct job *job = secret_alloc(sizeof(*job) + n);
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!job)
		return err;
	job->connection = c;
	job->command = command;
	job->n = n;
	memcpy(job->request, request, n);
	pthread_mutex_lock(&w->lock);
	caller = fair_caller_get(&w->fair, c->session.user.id);
	if (!caller)
		goto out;
	err = KW_ERR_BUSY;
	if (w->stopping || caller->waiting >= WORK_PER_UID || w->waiting >= WORK_TOTAL)
		goto out;
	fair_add(&w->fair, caller, &job->item);
	w->waiting++;
	pthread_cond_signal(&w->changed);
	caller = NULL; /* charge() lets it go */
	job = NULL;
	err = KW_ERR_OK;
out:
	if (caller)
		fair_caller_put(&w->fair, caller);
	pthread_mutex_unlock(&w->lock);
	secret_free(job);
	return err;
}

enum kw_err work_new(struct server *s, unsigned threads, int nice, struct work **work)
{
	struct work *w = calloc(1, sizeof(*w) + threads * sizeof(w->workers[0]));
	struct thread_plan plan = {run, NULL, -1, nice};
	enum kw_err err = KW_ERR_OK;

	*work = w;
	if (!w)
		return KW_ERR_NO_MEMORY;
	w->server = s;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	for (unsigned i = 0; !err && i < threads; i++) {
		w->workers[i].work = w;
		plan.arg = &w->workers[i];
		err = buffers_new(&w->workers[w->count++].buffers);
		if (!err)
			err = server_spawn(s, &plan);
	}
	return err;
}

void work_stop(struct work *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

void work_free(struct work **work)
{
	struct work *w = *work;
	struct fair_caller *caller;
	struct fair_item *item;

	if (!w)
		return;
	while ((item = fair_take(&w->fair, &caller)))
		secret_free(item);
	fair_done(&w->fair);
	for (unsigned i = 0; i < w->count; i++)
		buffers_free(&w->workers[i].buffers);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
	*work = NULL;
}

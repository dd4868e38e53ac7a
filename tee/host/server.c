/* SPDX-License-Identifier: BSD-2-Clause */
#include "server.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "protection.h"
#include "sanitizer.h"
#include "secret_memory.h"
#include "server_state.h"

/* libcrypto keeps its large numbers on the heap: RSA-4096 and P-521 stay below a quarter of this.
 */
#define STACK_SIZE ((size_t)(SANITIZED ? 1024 : 128) << 10)
#define GUARD ((size_t)64 << 10)

/* A tenth of the weight of others. With less, a key of RSA-4096 takes minutes on a machine whose
 * processors are busy. */
#define SLOW_NICE 10

struct start {
	struct server *server;
	struct thread_plan plan;
};

static void *thread_main(void *arg)
{
	struct start start = *(struct start *)arg;
	struct server *s = start.server;

	free(arg);
	/* Of this thread alone: in Linux a nice value is a thread's (setpriority(2)). */
	if (start.plan.nice && setpriority(PRIO_PROCESS, 0, start.plan.nice))
		platform_log("long requests cannot be given less weight and may delay signatures");
	pthread_mutex_lock(&s->lock);
	s->settled++;
	pthread_cond_broadcast(&s->changed);
	while (!s->released)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
	if (!atomic_load(&s->stopping))
		start.plan.run(start.plan.arg);
	pthread_mutex_lock(&s->lock);
	s->running--;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Intermediate results of cryptography are on the stack, so it is secret memory: unless that would
 * take the room of the keys themselves, on a machine with many CPUs and a low limit. */
static void *stack_new(void)
{
	size_t room = secret_memory_limit();
	uint8_t *p = NULL;

	if (secret_memory_mapped() + STACK_SIZE <= room / 2)
		p = secret_stack(STACK_SIZE);
	if (p)
		return p;
	protection_set(PROTECT_SECRET_MEMORY, PROTECTION_PARTIAL,
		"keys are in secret memory, but for want of locked memory the stacks of some "
		"threads are not: "
		"raise the limit on it (ulimit -l, LimitMEMLOCK=)");
	p = mmap(NULL, STACK_SIZE + 2 * GUARD, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (mprotect(p + GUARD, STACK_SIZE, PROT_READ | PROT_WRITE)) {
		munmap(p, STACK_SIZE + 2 * GUARD);
		return NULL;
	}
	(void)madvise(p + GUARD, STACK_SIZE, MADV_DONTDUMP);
	return p + GUARD;
}

static int pin(pthread_attr_t *attr, int cpu)
{
	cpu_set_t *set = CPU_ALLOC((size_t)cpu + 1);
	size_t size = CPU_ALLOC_SIZE((size_t)cpu + 1);
	int result;

	if (!set)
		return ENOMEM;
	CPU_ZERO_S(size, set);
	CPU_SET_S((size_t)cpu, size, set);
	result = pthread_attr_setaffinity_np(attr, size, set);
	CPU_FREE(set);
	return result;
}

enum kw_err server_spawn(struct server *s, const struct thread_plan *plan)
{
	struct start *start = malloc(sizeof(*start));
	void *stack = stack_new();
	pthread_attr_t attr;
	pthread_t thread;
	int result;

	if (!start || !stack || pthread_attr_init(&attr)) {
		free(start);
		return KW_ERR_NO_MEMORY;
	}
	*start = (struct start){s, *plan};
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	result = pthread_attr_setstack(&attr, stack, STACK_SIZE);
	if (!result && plan->cpu >= 0)
		result = pin(&attr, plan->cpu);
	if (!result) {
		pthread_mutex_lock(&s->lock);
		result = pthread_create(&thread, &attr, thread_main, start);
		s->running += result ? 0 : 1;
		pthread_mutex_unlock(&s->lock);
	}
	pthread_attr_destroy(&attr);
	if (!result)
		return KW_ERR_OK;
	free(start);
	return KW_ERR_LIMIT;
}

static enum kw_err pinned_threads(struct server *s)
{
	size_t cpus = 1024;
	cpu_set_t *set;
	enum kw_err err = KW_ERR_OK;
	size_t size;

	/* The kernel says EINVAL to a set that is smaller than its own. */
	for (;;) {
		set = CPU_ALLOC(cpus);
		size = CPU_ALLOC_SIZE(cpus);
		if (!set)
			return KW_ERR_NO_MEMORY;
		if (!sched_getaffinity(0, size, set))
			break;
		CPU_FREE(set);
		cpus *= 2;
		if (cpus > WIRE_CPU_ANY)
			return KW_ERR_LIMIT;
	}
	s->threads = apart_alloc((size_t)CPU_COUNT_S(size, set) * sizeof(*s->threads));
	if (!s->threads)
		err = KW_ERR_NO_MEMORY;
	for (size_t i = 0; !err && i < cpus; i++) {
		if (!CPU_ISSET_S(i, size, set))
			continue;
		s->threads[s->thread_count].epoll = -1;
		s->threads[s->thread_count].wake = -1;
		err = serve_new(s, &s->threads[s->thread_count++], (uint16_t)i);
	}
	CPU_FREE(set);
	return err;
}

static void settle(struct server *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->settled < s->running)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

enum kw_err server_new(const struct server_options *options, struct server **server)
{
	struct server *s = calloc(1, sizeof(*s));
	enum kw_err err = KW_ERR_NO_MEMORY;

	*server = s;
	if (!s)
		return err;
	s->options = *options;
	s->epoll = -1;
	s->signals = -1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	s->admission = admission_new(options->connections, now_ns());
	if (!s->admission)
		goto out;
	err = lobby_open(s);
	if (!err)
		err = pinned_threads(s);
	if (!err)
		err = work_new(s, 1, 0, &s->writer);
	if (!err)
		err = work_new(s, s->thread_count, SLOW_NICE, &s->slow);
	settle(s);
out:
	if (err)
		platform_log("the server's threads cannot be made: %s",
			err == KW_ERR_LIMIT ? strerror(errno) : "out of memory");
	return err;
}

static void release(struct server *s)
{
	pthread_mutex_lock(&s->lock);
	s->released = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void stop(struct server *s)
{
	atomic_store(&s->stopping, true);
	for (unsigned i = 0; i < s->thread_count; i++)
		serve_stop(&s->threads[i]);
	work_stop(s->writer);
	work_stop(s->slow);
	pthread_mutex_lock(&s->lock);
	while (s->running)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

void server_run(struct server *s)
{
	release(s);
	lobby_run(s);
	stop(s);
}

void server_free(struct server **server)
{
	struct server *s = *server;

	if (!s)
		return;
	/* Also threads that never served: they wait for their release. */
	atomic_store(&s->stopping, true);
	release(s);
	stop(s);
	admission_free(&s->admission);
	for (unsigned i = 0; i < s->thread_count; i++)
		serve_free(&s->threads[i]);
	free(s->threads);
	work_free(&s->writer);
	work_free(&s->slow);
	lobby_close(s);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
	*server = NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections with many threads, forks among them, and changes of user. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test_fake_tee.h"

struct work {
	struct kw *kw;
	atomic_bool *stop;
	unsigned number;
	unsigned done;
	int errors;
};

static void *sign_all_the_time(void *arg)
{
	struct work *w = arg;
	char text[32];

	for (unsigned i = 0; !atomic_load(w->stop); i++) {
		snprintf(text, sizeof(text), "thread %u message %u", w->number, i);
		if (fake_sign(w->kw, text))
			w->errors++;
		w->done++;
	}
	return NULL;
}

#define THREADS 12

/* The address sanitizer's allocator, unlike libc's, may be locked for ever in a child that was forked
 * while another thread was in it. */
#ifdef __has_feature
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif
#ifdef __SANITIZE_ADDRESS__
#define ALLOCATOR_HATES_FORK true
#else
#define ALLOCATOR_HATES_FORK HAS_FEATURE(address_sanitizer)
#endif

static void start_threads(struct work *works, pthread_t *threads, struct kw *kw, atomic_bool *stop)
{
	pthread_attr_t attr;

	/* Servers give threads as little as this. */
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 * 1024);
	for (unsigned i = 0; i < THREADS; i++) {
		works[i] = (struct work){.kw = kw, .stop = stop, .number = i};
		assert_int_equal(
			pthread_create(&threads[i], &attr, sign_all_the_time, &works[i]), 0);
	}
	pthread_attr_destroy(&attr);
}

static void child_signs(struct kw *kw)
{
	alarm(20);
	for (int i = 0; i < 20; i++)
		if (fake_sign(kw, "child"))
			_exit(1);
	kw_free(&kw);
	_exit(kw ? 3 : 0);
}

static void forks_with_threads(void **state)
{
	pthread_t threads[THREADS];
	struct work works[THREADS];
	atomic_bool stop = false;
	struct fake_tee f;
	struct kw *kw;
	int status;
	pid_t pid;

	(void)state;
	if (ALLOCATOR_HATES_FORK)
		skip();
	fake_start(&f, fake_signer);
	kw = fake_kw(&f, 0);
	start_threads(works, threads, kw, &stop);
	for (int i = 0; i < 200; i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			child_signs(kw);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(works[i].errors, 0);
		assert_true(works[i].done > 0);
	}
	kw_free(&kw);
	fake_end(&f);
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			n++;
	return n;
}

/* A child closes what it inherited and has its own: the same number of descriptors. What it does is
 * no concern of the parent's connection. */
static void fork_gives_a_fresh_pool(void **state)
{
	struct fake_tee f;
	struct kw *kw;
	cpu_set_t cpus;
	int status;
	pid_t pid;

	(void)state;
	sched_getaffinity(0, sizeof(cpus), &cpus);
	fake_stay_on_cpu((unsigned)sched_getcpu());
	fake_start(&f, fake_signer);
	kw = fake_kw(&f, 0);
	assert_int_equal(fake_sign(kw, "parent"), KW_ERR_OK);
	pid = fork();
	if (pid == 0) {
		unsigned before = open_descriptors();

		if (fake_sign(kw, "child"))
			_exit(1);
		_exit(open_descriptors() == before ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(atomic_load(&f.connections), 2);
	assert_int_equal(fake_sign(kw, "parent"), KW_ERR_OK);
	assert_int_equal(atomic_load(&f.connections), 2);
	/* A child that only frees. */
	pid = fork();
	if (pid == 0) {
		kw_free(&kw);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(fake_sign(kw, "parent"), KW_ERR_OK);
	assert_int_equal(atomic_load(&f.connections), 2);
	assert_int_equal(fake_wait_for_open(&f, 1), 1);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	kw_free(&kw);
	fake_end(&f);
}

/* A daemon that closes every descriptor and opens its own: ours are not closed by number. */
static void reused_descriptor_is_left_alone(void **state)
{
	struct fake_tee f;
	struct kw *kw;
	int status;
	pid_t pid;

	(void)state;
	fake_start(&f, fake_signer);
	kw = fake_kw(&f, 0);
	assert_int_equal(fake_sign(kw, "parent"), KW_ERR_OK);
	pid = fork();
	if (pid == 0) {
		struct stat st;

		for (int fd = 3; fd < 256; fd++)
			close(fd);
		for (int i = 0; i < 64; i++)
			if (open("/dev/null", O_RDONLY) < 0)
				_exit(1);
		if (fake_sign(kw, "child"))
			_exit(2);
		for (int fd = 3; fd < 67; fd++)
			if (fstat(fd, &st) || !S_ISCHR(st.st_mode))
				_exit(3);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	kw_free(&kw);
	fake_end(&f);
}

/* Connections made before a process gave up its rights speak for its old user: none is kept, not
 * even one of a CPU that is not used any more. */
static void change_of_user_reconnects(void **state)
{
	struct fake_tee f;
	struct kw *kw;
	cpu_set_t cpus;
	unsigned n = 0;

	(void)state;
	if (geteuid() != 0)
		skip();
	sched_getaffinity(0, sizeof(cpus), &cpus);
	fake_start(&f, fake_signer);
	kw = fake_kw(&f, 0);
	for (unsigned i = 0; i < 32; i++) {
		if (!CPU_ISSET(i, &cpus))
			continue;
		fake_stay_on_cpu(i);
		assert_int_equal(fake_sign(kw, "root"), KW_ERR_OK);
		n++;
	}
	assert_int_equal(atomic_load(&f.connections), n);
	assert_int_equal(chmod(f.folder, 0755), 0);
	assert_int_equal(chmod(f.path, 0666), 0);
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(fake_sign(kw, "nobody"), KW_ERR_OK);
	assert_int_equal(atomic_load(&f.connections), n + 1);
	assert_int_equal(fake_wait_for_open(&f, 1), 1);
	assert_int_equal(fake_sign(kw, "nobody"), KW_ERR_OK);
	assert_int_equal(atomic_load(&f.connections), n + 1);
	assert_int_equal(seteuid(0), 0);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	kw_free(&kw);
	fake_end(&f);
}

static void slow(struct fake_tee *f, struct fake_request *rq)
{
	struct timespec t = {.tv_nsec = 100000000};

	while (nanosleep(&t, &t) != 0)
		;
	fake_signer(f, rq);
}

/* However many threads there were, few connections stay open. */
static void idle_connections_are_bounded(void **state)
{
	pthread_t threads[THREADS];
	struct work works[THREADS];
	atomic_bool stop = false;
	struct fake_tee f;
	cpu_set_t cpus;
	struct kw *kw;
	struct timespec t = {.tv_nsec = 300000000};

	(void)state;
	sched_getaffinity(0, sizeof(cpus), &cpus);
	fake_stay_on_cpu((unsigned)sched_getcpu());
	fake_start(&f, slow);
	kw = fake_kw(&f, 0);
	start_threads(works, threads, kw, &stop);
	nanosleep(&t, NULL);
	atomic_store(&stop, true);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(works[i].errors, 0);
	}
	assert_int_equal(fake_wait_for_open(&f, 8), 8);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	kw_free(&kw);
	assert_int_equal(fake_wait_for_open(&f, 0), 0);
	fake_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forks_with_threads),
		cmocka_unit_test(fork_gives_a_fresh_pool),
		cmocka_unit_test(reused_descriptor_is_left_alone),
		cmocka_unit_test(change_of_user_reconnects),
		cmocka_unit_test(idle_connections_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

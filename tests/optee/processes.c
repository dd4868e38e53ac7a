/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process that uses OP-TEE may do: threads, forks, execs, other users, closed descriptors. */
#include "use.h"

#include <fcntl.h>
#include <grp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 8
#define EACH 50
#define CHILDREN 4

static struct signer signer;

static bool sign_many(struct kw *kw, const char *who, unsigned n)
{
	char message[64];

	for (unsigned i = 0; i < n; i++) {
		snprintf(message, sizeof(message), "%s %u", who, i);
		if (signer_use(&signer, kw, message))
			return false;
	}
	return true;
}

static void *thread(void *arg)
{
	char who[32];

	snprintf(who, sizeof(who), "thread %p", arg);
	return sign_many(signer.kw, who, EACH) ? NULL : arg;
}

static bool run_threads(void)
{
	static char numbers[THREADS];
	pthread_t threads[THREADS];
	bool good = true;
	void *result;

	for (unsigned i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, thread, &numbers[i]))
			abort();
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		good = good && !result;
	}
	return good;
}

/* The status of a child that ran f. */
static bool in_child(bool (*f)(void))
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(f() ? 0 : 1);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static bool does_nothing(void)
{
	return true;
}

static bool signs(void)
{
	return sign_many(signer.kw, "a child", EACH);
}

static bool frees_the_context(void)
{
	kw_free(&signer.kw);
	return true;
}

static bool signs_and_forks(void)
{
	return signs() && in_child(signs) && signs();
}

static bool runs_threads(void)
{
	return run_threads();
}

/* Like daemon programs. What is opened then has the numbers that the library knows. */
static bool closes_all(void)
{
	int fds[16];
	struct stat st;
	bool good;

	if (close_range(3, ~0u, 0))
		return false;
	for (unsigned i = 0; i < 16; i++)
		fds[i] = open("/dev/null", O_RDWR);
	good = signs();
	for (unsigned i = 0; i < 16; i++)
		good = good && fstat(fds[i], &st) == 0 && S_ISCHR(st.st_mode);
	return good;
}

static bool closes_all_then_frees(void)
{
	int fds[16];
	struct stat st;
	bool good = true;

	if (close_range(3, ~0u, 0))
		return false;
	for (unsigned i = 0; i < 16; i++)
		fds[i] = open("/dev/null", O_RDWR);
	kw_free(&signer.kw);
	/* The connection is taken down by its thread. */
	usleep(300000);
	for (unsigned i = 0; i < 16; i++)
		good = good && fstat(fds[i], &st) == 0;
	return good;
}

static bool makes_a_connection_and_closes_all(void)
{
	return signs() && closes_all() && signs() && closes_all_then_frees();
}

static void children_at_once(void)
{
	pid_t children[CHILDREN];
	bool good = true;
	int status;

	for (unsigned i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(signs() ? 0 : 1);
	}
	good = signs();
	for (unsigned i = 0; i < CHILDREN; i++)
		good = waitpid(children[i], &status, 0) == children[i] && status == 0 && good;
	report(good, "%d children and their parent sign at the same time", CHILDREN);
}

/* Forks while other threads are in OP-TEE. */
static void forks_under_load(void)
{
	static char numbers[THREADS / 2];
	pthread_t threads[THREADS / 2];
	bool good = true;
	void *result;

	for (unsigned i = 0; i < THREADS / 2; i++)
		if (pthread_create(&threads[i], NULL, thread, &numbers[i]))
			abort();
	for (unsigned i = 0; i < 20; i++)
		good = in_child(does_nothing) && good;
	for (unsigned i = 0; i < 5; i++)
		good = in_child(signs) && good;
	for (unsigned i = 0; i < THREADS / 2; i++) {
		pthread_join(threads[i], &result);
		good = good && !result;
	}
	report(good, "forks while other threads sign");
}

static void executed_program(void)
{
	char line[256];
	unsigned n = 0;
	bool has_device = false;
	FILE *list = popen("exec ls -l /proc/self/fd 2>&1", "r");

	while (list && fgets(line, sizeof(line), list)) {
		n++;
		has_device = has_device || strstr(line, "/dev/tee");
	}
	report(list && pclose(list) == 0 && n > 2 && !has_device,
		"a program that is executed does not inherit the device");
}

static void other_users(void)
{
	const gid_t clients = 997; /* teeclnt on the board */
	enum kw_err refused;
	bool good;

	if (setgroups(1, &clients) || seteuid(1002))
		abort();
	refused = signer_use(&signer, signer.kw, "as another user");
	report(refused == KW_ERR_ACCESS && strstr(kw_explain(), "1002"),
		"after a change of the user id the key is refused");
	if (seteuid(0))
		abort();
	good = signs();
	report(good, "and works again after the change back");
}

/* How often the bytes, each inverted, are in what this process can write to. */
static unsigned traces(const uint8_t *inverted, size_t n)
{
	uint8_t wanted[32], *copy;
	unsigned long from, to;
	unsigned found = 0;
	char line[512], rights[8];
	FILE *maps = fopen("/proc/self/maps", "r");
	int mem = open("/proc/self/mem", O_RDONLY);

	if (!maps || mem < 0 || n > sizeof(wanted))
		abort();
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) != 3 || rights[1] != 'w')
			continue;
		/* Not from malloc: the copies would be found. */
		copy = mmap(NULL, to - from, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
		if (copy == MAP_FAILED)
			abort();
		if (pread(mem, copy, to - from, (off_t)from) == (ssize_t)(to - from)) {
			for (size_t i = 0; i < to - from; i++)
				copy[i] = (uint8_t)~copy[i];
			for (uint8_t *p = copy;
				(p = memmem(p, to - from - (size_t)(p - copy), inverted, n)); p++)
				found++;
		}
		munmap(copy, to - from);
	}
	fclose(maps);
	close(mem);
	return found;
}

static void import_leaves_nothing(void)
{
	struct kw_key_template t = {
		.name = "board-import", .type = KW_KEY_TYPE_ED25519, .purposes = KW_PURPOSE_SIGN};
	struct kw_target target = {.name = t.name};
	struct kw_key *key = NULL;
	uint8_t *seed = malloc(32), inverted[32];
	enum kw_err err;

	if (!seed || RAND_bytes(seed, 32) != 1)
		abort();
	for (size_t i = 0; i < 32; i++)
		inverted[i] = (uint8_t)~seed[i];
	report(traces(inverted, 32) == 1, "a seed is found where it is");
	err = kw_key_import(signer.kw, &t, seed, 32, &key);
	explicit_bzero(seed, 32);
	report(!err && traces(inverted, 32) == 0, "once it is imported nothing of it is left");
	kw_key_free(&key);
	free(seed);
	if (!err && kw_key_delete(signer.kw, &target))
		abort();
}

int main(void)
{
	signer_make(&signer, optee_kw(0), "board-processes");
	report(signs(), "a process signs");
	report(run_threads(), "%d threads sign at the same time", THREADS);
	report(in_child(does_nothing) && signs(),
		"a child that does nothing leaves the parent alone");
	report(in_child(frees_the_context) && signs(), "so does one that frees the context");
	report(in_child(signs) && signs(), "a child signs, and then its parent");
	report(in_child(signs_and_forks) && signs(), "so do a child's child and they");
	report(in_child(runs_threads) && signs(), "a child runs threads");
	report(in_child(closes_all) && signs(), "a child that has closed its descriptors signs");
	report(in_child(makes_a_connection_and_closes_all) && signs(),
		"closing descriptors of the library's harms no others");
	children_at_once();
	forks_under_load();
	executed_program();
	import_leaves_nothing();
	other_users();
	signer_end(&signer);
	kw_free(&signer.kw);
	return report_sums();
}

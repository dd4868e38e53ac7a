/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store on real files. System calls of storage_file.c go through the linker's --wrap, so that the
 * n-th one fails, is short, or is where the process is killed, for every n. KW_LONG=1 does more. The
 * names are those that 64-bit file offsets give, which Meson asks for.
 */
#include "core/crypto.h"
#include "tee/host/storage_file.h"
#include "tests/support/platform_memory.h"
#include "tests/support/store_workload.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define STEPS 150

enum mode {
	MODE_COUNT,
	MODE_FAIL,  /* the n-th call fails, a write after its first half */
	MODE_SHORT, /* every read and write is short, every third is interrupted */
	MODE_KILL,  /* the process dies in the n-th call, half-way in a write */
};

static struct {
	enum mode mode;
	unsigned n;
	unsigned calls;
	unsigned writes;
	bool sync_for_real;
	/* What a power cut would lose: checked whenever the store has acknowledged something. */
	int unsynced_fd; /* -1: none */
	int fresh_fd;
	bool unsynced_name;
	/* The name may mean the old log or the new one. What is in both is safe, more is not. */
	bool unsure_name;
} hook = {.unsynced_fd = -1};

static struct workload *w; /* in memory shared with the children */
static char dir[64];

#define wrapped(type, name, ...)         \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

/* True when this call is to fail. */
static bool meet(void)
{
	hook.calls++;
	if (hook.calls != hook.n || (hook.mode != MODE_FAIL && hook.mode != MODE_KILL))
		return false;
	if (hook.mode == MODE_KILL)
		kill(getpid(), SIGKILL);
	errno = EIO;
	return true;
}

wrapped(int, openat64, int at, const char *name, int flags, mode_t mode)
{
	int fd;

	if (meet())
		return -1;
	fd = __real_openat64(at, name, flags, mode);
	if (!strcmp(name, "log.new"))
		hook.fresh_fd = fd;
	else if (!strcmp(name, "log")) /* new, or put in place by who knows whom */
		hook.unsynced_name = true;
	return fd;
}

wrapped(ssize_t, pread64, int fd, void *buf, size_t n, off_t at)
{
	if (meet())
		return -1;
	if (hook.mode == MODE_SHORT && hook.calls % 3 == 0) {
		errno = EINTR;
		return -1;
	}
	return __real_pread64(fd, buf, hook.mode == MODE_SHORT ? (n + 2) / 3 : n, at);
}

wrapped(ssize_t, pwrite64, int fd, const void *buf, size_t n, off_t at)
{
	hook.writes++;
	hook.unsynced_fd = fd;
	hook.unsynced_name |= hook.unsure_name;
	if (hook.calls + 1 == hook.n && hook.mode >= MODE_FAIL && hook.mode != MODE_SHORT &&
		__real_pwrite64(fd, buf, n / 2, at) < 0)
		return -1;
	if (meet())
		return -1;
	if (hook.mode == MODE_SHORT && hook.calls % 3 == 0) {
		errno = EINTR;
		return -1;
	}
	return __real_pwrite64(fd, buf, hook.mode == MODE_SHORT ? (n + 2) / 3 : n, at);
}

static int synced(int fd, int (*real)(int))
{
	if (meet()) {
		if (fd == storage_file_directory()) {
			hook.unsynced_name = false;
			hook.unsure_name = true;
		}
		return -1;
	}
	if (hook.mode == MODE_SHORT && hook.calls % 3 == 0) {
		errno = EINTR;
		return -1;
	}
	if (fd == hook.unsynced_fd)
		hook.unsynced_fd = -1;
	if (fd == storage_file_directory()) {
		hook.unsynced_name = false;
		hook.unsure_name = false;
	}
	return hook.sync_for_real ? real(fd) : 0;
}

wrapped(int, fdatasync, int fd)
{
	return synced(fd, __real_fdatasync);
}

wrapped(int, fsync, int fd)
{
	return synced(fd, __real_fsync);
}

wrapped(int, ftruncate64, int fd, off_t len)
{
	hook.unsynced_fd = fd;
	return meet() ? -1 : __real_ftruncate64(fd, len);
}

wrapped(int, renameat, int from_dir, const char *from, int to_dir, const char *to)
{
	/* Renaming what is not on the disk yet can leave an empty file under the new name. */
	if (hook.unsynced_fd >= 0)
		abort();
	if (meet())
		return -1;
	hook.unsynced_name = true;
	hook.fresh_fd = -1;
	return __real_renameat(from_dir, from, to_dir, to);
}

wrapped(int, unlinkat, int at, const char *name, int flags)
{
	/* Given up. */
	if (hook.unsynced_fd == hook.fresh_fd && !strcmp(name, "log.new"))
		hook.unsynced_fd = -1;
	return meet() ? -1 : __real_unlinkat(at, name, flags);
}

static void set_hook(enum mode mode, unsigned n)
{
	hook.mode = mode;
	hook.n = n;
	hook.calls = 0;
	hook.writes = 0;
	hook.unsynced_fd = -1;
	hook.unsynced_name = false;
	hook.unsure_name = false;
}

static bool is_durable(void)
{
	return hook.unsynced_fd < 0 && !hook.unsynced_name;
}

static void in_dir(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", dir, name);
}

static void remove_files(void)
{
	static const char *const names[] = {"log", "log.new", "lock"};
	char path[128];

	for (unsigned i = 0; i < 3; i++) {
		in_dir(names[i], path);
		remove(path);
	}
}

static int set_up(void **state)
{
	(void)state;
	set_hook(MODE_COUNT, 0);
	hook.sync_for_real = false;
	strcpy(dir, "/tmp/keyward-store-XXXXXX");
	return !mkdtemp(dir) || storage_file_setup(dir) ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	storage_file_teardown();
	remove_files();
	return rmdir(dir) || platform_memory_blocks() ? -1 : 0;
}

static void assert_reopens(unsigned n)
{
	struct store *store;

	set_hook(MODE_COUNT, 0);
	if (store_open(&store))
		fail_msg("call %u: the store does not open: %s", n, platform_memory_log());
	if (!workload_recovers(w, store))
		fail_msg("call %u: %s", n, w->why);
	store_close(&store);
}

/* Changes until the end. Returns how many failed. */
static unsigned run_changes(struct store *store, unsigned steps)
{
	unsigned failures = 0;

	for (unsigned i = 0; i < steps; i++) {
		unsigned before = w->failed_count;
		bool is_wrong = false;
		enum kw_err err = workload_step(w, store, &is_wrong);

		if (is_wrong)
			fail_msg("%s", w->why);
		if (!err && !is_durable())
			fail_msg("step %u was acknowledged before it was durable", i);
		if (w->failed_count > before) {
			failures++;
			assert_int_equal(err, KW_ERR_STORE_IO);
			assert_true(workload_holds(w, store));
		}
	}
	return failures;
}

static void test_each_call_fails(void **state)
{
	unsigned n = 0;
	bool over;

	(void)state;
	do {
		struct store *store;
		unsigned failures = 0;

		remove_files();
		workload_start(w, 3);
		set_hook(MODE_FAIL, ++n);
		if (store_open(&store) == KW_ERR_OK) {
			failures = run_changes(store, STEPS);
			over = hook.calls < n;
			store_close(&store);
		} else {
			over = false;
			assert_true(n < 20);
		}
		assert_true(failures <= 1);
		assert_reopens(n);
	} while (!over);
	print_message("%u system calls, each failed once\n", n - 1);
	assert_true(n > 200);
}

static void test_short_and_interrupted_calls_change_nothing(void **state)
{
	struct store *store;

	(void)state;
	workload_start(w, 4);
	set_hook(MODE_SHORT, 0);
	assert_int_equal(store_open(&store), KW_ERR_OK);
	assert_int_equal(run_changes(store, STEPS), 0);
	assert_true(workload_holds(w, store));
	store_close(&store);
	assert_int_equal(store_open(&store), KW_ERR_OK);
	assert_true(workload_holds(w, store));
	store_close(&store);
}

/* Runs changes in a child that dies in its n-th call. Returns false when it came to its end. */
static bool run_killed(unsigned n, unsigned steps)
{
	pid_t child = fork();
	struct store *store;
	int status;

	assert_true(child >= 0);
	if (!child) {
		set_hook(MODE_KILL, n);
		if (store_open(&store))
			_exit(1);
		for (unsigned i = 0; i < steps; i++) {
			bool is_wrong = false;

			if (workload_step(w, store, &is_wrong) && w->failed_count)
				is_wrong = true;
			if (is_wrong || !is_durable())
				_exit(2);
		}
		store_close(&store);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

static void test_killed_in_each_call(void **state)
{
	unsigned n = 0;
	bool was_killed;

	(void)state;
	do {
		remove_files();
		workload_start(w, 5);
		was_killed = run_killed(++n, STEPS);
		assert_reopens(n);
	} while (was_killed);
	print_message("killed in each of %u system calls\n", n - 1);
	assert_true(n > 200);
}

static void test_killed_over_and_over(void **state)
{
	unsigned rounds = getenv("KW_LONG") ? 20000 : 500;

	(void)state;
	workload_start(w, 6);
	for (unsigned i = 0; i < rounds; i++) {
		run_killed(1 + i * 7919 % 97, STEPS);
		assert_reopens(i);
	}
}

/* A process before may have failed to sync it; then a sync without a write would succeed for nothing. */
static void test_last_record_is_written_again_at_the_start(void **state)
{
	uint8_t id[WIRE_ID_SIZE] = {1};
	struct store *store;

	(void)state;
	assert_int_equal(store_open(&store), KW_ERR_OK);
	assert_int_equal(store_put(store, id, "n", id, sizeof(id), false, false), KW_ERR_OK);
	store_close(&store);
	set_hook(MODE_COUNT, 0);
	assert_int_equal(store_open(&store), KW_ERR_OK);
	assert_int_equal(hook.writes, 1);
	assert_true(is_durable());
	store_close(&store);
}

static void test_second_opener_is_refused_until_the_first_is_gone(void **state)
{
	struct store *store, *second = NULL;
	int status, ready[2];
	char byte;
	pid_t child;

	(void)state;
	assert_int_equal(store_open(&store), KW_ERR_OK);
	assert_int_equal(store_open(&second), KW_ERR_STORE_BUSY);
	store_close(&store);
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		uint8_t id[WIRE_ID_SIZE] = {1};

		if (store_open(&store) || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;) /* also while it compacts, which moves the log */
			(void)!store_put(store, id, "n", id, sizeof(id), false, false);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(store_open(&second), KW_ERR_STORE_BUSY);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	assert_int_equal(store_open(&second), KW_ERR_OK);
	store_close(&second);
	close(ready[0]);
	close(ready[1]);
}

static void assert_refused(const char *why)
{
	struct store *store;

	assert_int_equal(store_open(&store), KW_ERR_STORE_IO);
	if (!strstr(platform_memory_log(), why))
		fail_msg("'%s' does not say '%s'", platform_memory_log(), why);
}

static void test_files_of_others_are_refused(void **state)
{
	char log[128], elsewhere[128], link[80];
	struct store *store;
	struct stat st;

	(void)state;
	umask(0);
	in_dir("log", log);
	in_dir("log.new", elsewhere);
	assert_int_equal(store_open(&store), KW_ERR_OK);
	store_close(&store);
	assert_int_equal(stat(log, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	chmod(log, 0640);
	assert_refused("other users");
	chmod(log, 0600);
	if (!geteuid()) {
		assert_int_equal(chown(log, 12345, 0), 0);
		assert_refused("12345");
		assert_int_equal(chown(log, 0, 0), 0);
	}
	chmod(dir, 0755);
	assert_int_equal(storage_file_setup(dir), KW_ERR_STORE_IO);
	chmod(dir, 0700);
	snprintf(link, sizeof(link), "%s.link", dir);
	assert_int_equal(symlink(dir, link), 0);
	assert_int_equal(storage_file_setup(link), KW_ERR_STORE_IO);
	unlink(link);
	assert_int_equal(storage_file_setup(dir), KW_ERR_OK);
	/* What a crash left behind is removed, a link or a pipe in the log's place is not followed. */
	assert_int_equal(close(open(elsewhere, O_CREAT | O_WRONLY, 0644)), 0);
	assert_int_equal(store_open(&store), KW_ERR_OK);
	store_close(&store);
	assert_int_equal(stat(elsewhere, &st), -1);
	unlink(log);
	assert_int_equal(symlink("/etc/passwd", log), 0);
	assert_refused("log");
	unlink(log);
	assert_int_equal(mkfifo(log, 0600), 0);
	assert_refused("not a file");
	unlink(log);
}

static void test_directory_is_made_for_nobody_else(void **state)
{
	char path[128];
	struct stat st;

	(void)state;
	umask(0);
	in_dir("store", path);
	assert_int_equal(storage_file_setup(path), KW_ERR_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(rmdir(path), 0);
	in_dir("missing/store", path);
	assert_int_equal(storage_file_setup(path), KW_ERR_STORE_IO);
}

/* In a child with its own view of the file systems. Returns what is wrong, NULL when nothing. */
static const char *fill_small_disk(void)
{
	uint8_t id[WIRE_ID_SIZE] = {0}, record[3000], buf[WIRE_RECORD_MAX];
	static const uint8_t ballast[65536];
	enum kw_err err = KW_ERR_OK;
	struct store *store;
	char path[128];
	unsigned n = 0;
	size_t len;
	int fd;

	in_dir("ballast", path);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	if (fd < 0 || write(fd, ballast, sizeof(ballast)) != sizeof(ballast) || close(fd))
		return "no ballast";
	if (storage_file_setup(dir) || store_open(&store))
		return "it does not open";
	memset(record, 7, sizeof(record));
	for (; !err && n < 1000; n++) {
		memcpy(id, &n, sizeof(n));
		err = store_put(store, id, "", record, sizeof(record), false, true);
	}
	if (err != KW_ERR_STORE_FULL)
		return "a full disk gives another error";
	for (unsigned i = 0; i + 1 < n; i++) {
		memcpy(id, &i, sizeof(i));
		if (store_read(store, id, buf, &len, NULL))
			return "a key cannot be read on a full disk";
	}
	memcpy(id, &(unsigned){n - 1}, sizeof(n));
	if (store_find_id(store, id, NULL) != KW_ERR_NO_KEY)
		return "a key that did not fit is there";
	if (store_put(store, id, "", record, sizeof(record), false, true) != KW_ERR_STORE_FULL)
		return "the second try gives another error";
	if (unlink(path))
		return "the ballast stays";
	if (store_put(store, id, "", record, sizeof(record), false, true))
		return "it does not work again when there is room";
	store_close(&store);
	if (store_open(&store))
		return "it does not open again";
	for (unsigned i = 0; i < n; i++) {
		memcpy(id, &i, sizeof(i));
		if (store_read(store, id, buf, &len, NULL) || len != sizeof(record))
			return "a key is lost";
	}
	store_close(&store);
	return NULL;
}

static void test_full_disk(void **state)
{
	int status, result[2];
	char why[128] = "";
	pid_t child;

	(void)state;
	assert_int_equal(pipe(result), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		const char *wrong;

		if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
			mount("none", dir, "tmpfs", 0, "size=256k,mode=0700"))
			_exit(77);
		hook.sync_for_real = true;
		wrong = fill_small_disk();
		if (wrong && write(result[1], wrong, strlen(wrong)) < 0)
			_exit(2);
		_exit(wrong ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	close(result[1]);
	(void)!read(result[0], why, sizeof(why) - 1);
	close(result[0]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("skipped: a small file system cannot be mounted here (not root?)\n");
		skip();
	}
	if (status)
		fail_msg("status %d: %s", status, why);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_ten_thousand_keys_on_disk(void **state)
{
	uint8_t id[WIRE_ID_SIZE] = {0}, record[800];
	struct store_stats stats;
	struct store *store;
	char name[32];
	double start = 0;

	(void)state;
	memset(record, 5, sizeof(record));
	assert_int_equal(store_open(&store), KW_ERR_OK);
	for (unsigned i = 0; i < 10000; i++) {
		hook.sync_for_real = i >= 9800;
		if (i == 9800)
			start = seconds();
		memcpy(id, &i, sizeof(i));
		snprintf(name, sizeof(name), "host-%u.test.com", i);
		assert_int_equal(
			store_put(store, id, name, record, sizeof(record), false, true), KW_ERR_OK);
	}
	print_message("%.0f durable puts a second\n", 200 / (seconds() - start));
	hook.sync_for_real = false;
	store_close(&store);
	start = seconds();
	assert_int_equal(store_open(&store), KW_ERR_OK);
	print_message("10,000 keys open in %.0f ms", (seconds() - start) * 1000);
	store_stats(store, &stats);
	print_message(" from a log of %llu bytes, with %zu bytes of memory for each\n",
		(unsigned long long)stats.bytes, platform_memory_bytes() / 10000);
	assert_int_equal(stats.keys, 10000);
	start = seconds();
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "host-%u.test.com", i);
		assert_int_equal(store_find_name(store, name, strlen(name), NULL), KW_ERR_OK);
	}
	print_message("%.2f us to find one by name\n", (seconds() - start) * 100);
	for (unsigned i = 0; i < 6000; i++) {
		memcpy(id, &i, sizeof(i));
		assert_int_equal(store_delete(store, id), KW_ERR_OK);
	}
	store_close(&store);
	start = seconds();
	assert_int_equal(store_open(&store), KW_ERR_OK);
	store_stats(store, &stats);
	print_message("4,000 after a compaction in %.0f ms from %llu bytes\n",
		(seconds() - start) * 1000, (unsigned long long)stats.bytes);
	assert_int_equal(stats.keys, 4000);
	store_close(&store);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_each_call_fails),
		TEST(test_short_and_interrupted_calls_change_nothing),
		TEST(test_killed_in_each_call),
		TEST(test_killed_over_and_over),
		TEST(test_last_record_is_written_again_at_the_start),
		TEST(test_second_opener_is_refused_until_the_first_is_gone),
		TEST(test_files_of_others_are_refused),
		TEST(test_directory_is_made_for_nobody_else),
		TEST(test_full_disk),
		TEST(test_ten_thousand_keys_on_disk),
	};

	w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w == MAP_FAILED || crypto_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "sanitizer.h"
#include "secret_memory.h"

#define LIMIT ((size_t)6 << 20)

static bool all(const uint8_t *p, size_t n, uint8_t v)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != v)
			return false;
	}
	return true;
}

static void memory_is_zero_and_aligned(void **state)
{
	static const size_t sizes[] = {1, 16, 31, 32, 33, 100, 1000, 1024, 1025, 2000, 5456, 8192,
		8193, 65005, 400000, 600000};
	uint8_t *p[16];

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < 16; i++) {
			p[i] = secret_alloc(sizes[i]);
			assert_non_null(p[i]);
			assert_int_equal((uintptr_t)p[i] % 16, 0);
			assert_true(all(p[i], sizes[i], 0));
			memset(p[i], 0xa5, sizes[i]);
		}
		/* Nobody has written into another's. */
		for (size_t i = 0; i < 16; i++) {
			assert_true(all(p[i], sizes[i], 0xa5));
			secret_free(p[i]);
		}
	}
	assert_null(secret_alloc(0));
	secret_free(NULL);
}

static void nothing_is_left_of_freed_memory(void **state)
{
#if SANITIZED
	(void)state;
	skip(); /* reading freed memory is what this build forbids */
#else
	uint8_t *p = secret_alloc(200), *run = secret_alloc(50000);
	uint8_t seen[200];

	(void)state;
	memset(p, 0x5a, 200);
	memset(run, 0x5a, 50000);
	secret_free(p);
	secret_free(run);
	memcpy(seen, p, sizeof(seen));
	assert_true(all(seen + sizeof(void *), sizeof(seen) - sizeof(void *), 0));
	assert_true(all(run, 50000, 0));
#endif
}

static void realloc_keeps_and_fails_softly(void **state)
{
	uint8_t *p = secret_alloc(10), *q;

	(void)state;
	memset(p, 7, 10);
	for (size_t n = 20; n < 700000; n *= 3) {
		q = secret_realloc(p, n);
		assert_non_null(q);
		p = q;
		assert_true(all(p, 10, 7));
	}
	assert_null(secret_realloc(p, (size_t)1 << 40));
	assert_true(all(p, 10, 7));
	p = secret_realloc(p, 10);
	assert_true(all(p, 10, 7));
	secret_free(p);
}

static void the_limit_is_an_error_and_not_the_end(void **state)
{
	static void *p[4096];
	size_t before = secret_memory_mapped();
	size_t n;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		for (n = 0; n < 4096 && (p[n] = secret_alloc(4000)); n++)
			memset(p[n], 1, 4000);
		assert_in_range(n, 1000, 4095);
		assert_true(secret_memory_mapped() <= LIMIT);
		while (n--)
			secret_free(p[n]);
		/* One chunk of 1 MiB may stay as a reserve. */
		assert_true(secret_memory_mapped() <= before + ((size_t)2 << 20));
	}
}

/* A thread that keeps apart uses all that others have left before there is none. */
static void *fill_apart(void *arg)
{
	static void *p[8192];
	size_t n = 0;

	secret_memory_keep_apart();
	while (n < 8192 && (p[n] = secret_alloc(4000)))
		n++;
	*(size_t *)arg = n;
	while (n--)
		secret_free(p[n]);
	return NULL;
}

static void what_others_left_is_used(void **state)
{
	static void *p[8192];
	size_t had = 0, found = 0, n;
	pthread_t t;

	(void)state;
	for (n = 0; n < 8192 && (p[n] = secret_alloc(4000)); n++)
		;
	assert_true(n < 8192);
	/* One of the four of each span of 16 KiB stays. */
	for (size_t i = 0; i < n; i++) {
		if (i % 4 == 0)
			continue;
		secret_free(p[i]);
		p[i] = NULL;
		had++;
	}
	assert_int_equal(pthread_create(&t, NULL, fill_apart, &found), 0);
	assert_int_equal(pthread_join(t, NULL), 0);
	/* The cache of this thread has a few. */
	assert_true(found + 8 >= had);
	while (n--)
		secret_free(p[n]);
}

static void libcrypto_lives_without_memory(void **state)
{
	static void *hog[200000];
	EVP_PKEY *key = EVP_RSA_gen(2048), *none;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[256];
	size_t n = 0, len, kept;

	(void)state;
	assert_non_null(key);
	/* What libcrypto cannot build at its first attempt it never tries again, so the TEE does
	 * that at its start. */
	assert_int_equal(libcrypto_warm_up(), 0);
	while (n < 200000 && (hog[n] = secret_alloc(n % 2 ? 48 : 600)))
		n++;
	while (n < 200000 && (hog[n] = secret_alloc(32)))
		n++;
	assert_true(n < 200000);
	kept = n;
	/* Give back a little at a time: at each step it fails or works, and does not crash. */
	for (unsigned step = 0; step < 200; step++) {
		none = EVP_RSA_gen(1024);
		len = sizeof(sig);
		if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
			EVP_DigestSign(ctx, sig, &len, (const uint8_t *)"x", 1) == 1)
			assert_int_equal(len, 256);
		EVP_MD_CTX_reset(ctx);
		EVP_PKEY_free(none);
		for (unsigned i = 0; i < 20 && n; i++)
			secret_free(hog[--n]);
	}
	while (n)
		secret_free(hog[--n]);
	assert_true(kept > 1000);
	len = sizeof(sig);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &len, (const uint8_t *)"x", 1), 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
}

static bool dies(void (*what)(void))
{
	int status = 0;
	pid_t child = fork();

	if (!child) {
		(void)close(STDERR_FILENO);
		(void)signal(SIGABRT, SIG_DFL);
		(void)signal(SIGSEGV, SIG_DFL);
		what();
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	/* A sanitizer exits with a code of its own where the kernel would send a signal. */
	return WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
}

static void free_twice(void)
{
	void *p = secret_alloc(64);

	secret_free(p);
	secret_free(p);
}

static void free_in_the_middle(void)
{
	secret_free((uint8_t *)secret_alloc(256) + 16);
}

static void free_a_run_in_the_middle(void)
{
	secret_free((uint8_t *)secret_alloc(100000) + (32 << 10));
}

static void write_below_a_stack(void)
{
	volatile uint8_t *stack = secret_stack(64 << 10);

	stack[-1] = 1;
}

static void write_above_a_stack(void)
{
	volatile uint8_t *stack = secret_stack(64 << 10);

	stack[64 << 10] = 1;
}

static void nothing(void)
{
	secret_free(secret_alloc(64));
}

static void misuse_ends_the_process(void **state)
{
	(void)state;
	/* The child shares secret memory with its parent, so each of these uses an allocation that
	 * stays. */
	assert_false(dies(nothing));
	assert_true(dies(free_twice));
	assert_true(dies(free_in_the_middle));
	assert_true(dies(free_a_run_in_the_middle));
	assert_true(dies(write_below_a_stack));
	assert_true(dies(write_above_a_stack));
}

/* As root too: process_vm_readv and /proc/self/mem go by way of the kernel. */
static void the_kernel_cannot_read_it(void **state)
{
	uint8_t *p = secret_alloc(64);
	uint8_t got[64];
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	(void)state;
	memset(p, 0x77, 64);
	assert_true(fd >= 0);
	/* The positive control: ordinary memory can be read so. */
	memset(got, 0, sizeof(got));
	assert_int_equal(pread(fd, got, 4, (off_t)(uintptr_t) "key"), 4);
	assert_memory_equal(got, "key", 4);
	memset(got, 0, sizeof(got));
	n = pread(fd, got, 64, (off_t)(uintptr_t)p);
	if (secret_memory_kind() == SECRET_MEMFD) {
		assert_int_equal(n, -1);
		assert_int_equal(errno, EIO);
	}
	close(fd);
	secret_free(p);
	if (secret_memory_kind() != SECRET_MEMFD)
		skip();
}

#define THREADS 4
static void *pound(void *arg)
{
	uint32_t seed = *(uint32_t *)arg;
	struct {
		uint8_t *p;
		size_t n;
		uint8_t v;
	} held[64] = {0};

	for (unsigned i = 0; i < 50000; i++) {
		size_t k;

		seed = seed * 1664525 + 1013904223;
		k = (seed >> 20) % 64;
		if (held[k].p && !all(held[k].p, held[k].n, held[k].v))
			return (void *)1;
		secret_free(held[k].p);
		held[k].n = (seed >> 8) % 100 ? (seed >> 9) % 700 + 1 : 20000;
		held[k].v = (uint8_t)(seed >> 3);
		held[k].p = secret_alloc(held[k].n);
		if (held[k].p && !all(held[k].p, held[k].n, 0))
			return (void *)2;
		if (held[k].p)
			memset(held[k].p, held[k].v, held[k].n);
	}
	for (unsigned k = 0; k < 64; k++)
		secret_free(held[k].p);
	return NULL;
}

static void threads_do_not_meet(void **state)
{
	pthread_t t[THREADS];
	uint32_t seeds[THREADS];
	void *result;

	(void)state;
	for (uint32_t i = 0; i < THREADS; i++) {
		seeds[i] = i + 1;
		assert_int_equal(pthread_create(&t[i], NULL, pound, &seeds[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(t[i], &result), 0);
		assert_null(result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zero_and_aligned),
		cmocka_unit_test(nothing_is_left_of_freed_memory),
		cmocka_unit_test(realloc_keeps_and_fails_softly),
		cmocka_unit_test(the_kernel_cannot_read_it),
		cmocka_unit_test(threads_do_not_meet),
		cmocka_unit_test(the_limit_is_an_error_and_not_the_end),
		cmocka_unit_test(what_others_left_is_used),
		cmocka_unit_test(libcrypto_lives_without_memory),
		cmocka_unit_test(misuse_ends_the_process),
	};

	if (secret_memory_init(LIMIT) || secret_memory_take_libcrypto())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "platform_memory.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

struct platform_mutex {
	pthread_mutex_t lock;
};

static atomic_uint fail_alloc;
static atomic_uint blocks;
static atomic_size_t bytes;
static atomic_int stuck_random = -1;
static atomic_bool fail_random;
static atomic_ullong fixed_time;
static atomic_uchar device;
static char last_log[512];

void platform_memory_fail_alloc(unsigned n)
{
	fail_alloc = n;
}

unsigned platform_memory_fail_alloc_left(void)
{
	return fail_alloc;
}

unsigned platform_memory_blocks(void)
{
	return blocks;
}

size_t platform_memory_bytes(void)
{
	return bytes;
}

void platform_memory_stuck_random(int byte)
{
	stuck_random = byte;
}

void platform_memory_fail_random(bool fail)
{
	fail_random = fail;
}

void platform_memory_set_time(uint64_t now)
{
	fixed_time = now;
}

void platform_memory_set_device(uint8_t number)
{
	device = number;
}

const char *platform_memory_log(void)
{
	return last_log;
}

/* True when this is the call that a test wants to fail. */
static bool is_unlucky(atomic_uint *left)
{
	unsigned n = *left;

	while (n && !atomic_compare_exchange_weak(left, &n, n - 1))
		;
	return n == 1;
}

void *platform_alloc(size_t size)
{
	void *p = is_unlucky(&fail_alloc) ? NULL : calloc(1, size ? size : 1);

	if (p) {
		blocks++;
		bytes += size;
	}
	return p;
}

void platform_free(void *p, size_t size)
{
	if (!p)
		return;
	platform_wipe(p, size);
	blocks--;
	bytes -= size;
	free(p);
}

void platform_wipe(void *p, size_t size)
{
	explicit_bzero(p, size);
}

uint64_t platform_time(void)
{
	return fixed_time ? fixed_time : (uint64_t)time(NULL);
}

enum kw_err platform_random(void *buf, size_t n)
{
	uint8_t *at = buf;

	if (fail_random)
		return KW_ERR_CRYPTO;
	if (stuck_random >= 0) {
		memset(buf, stuck_random, n);
		return KW_ERR_OK;
	}
	while (n) {
		ssize_t got = getrandom(at, n, 0);

		if (got <= 0)
			return KW_ERR_CRYPTO;
		at += got;
		n -= (size_t)got;
	}
	return KW_ERR_OK;
}

struct platform_mutex *platform_mutex_new(void)
{
	struct platform_mutex *m = platform_alloc(sizeof(*m));

	if (m)
		pthread_mutex_init(&m->lock, NULL);
	return m;
}

void platform_mutex_free(struct platform_mutex **m)
{
	if (!*m)
		return;
	pthread_mutex_destroy(&(*m)->lock);
	platform_free(*m, sizeof(**m));
	*m = NULL;
}

void platform_mutex_lock(struct platform_mutex *m)
{
	if (pthread_mutex_lock(&m->lock))
		abort();
}

void platform_mutex_unlock(struct platform_mutex *m)
{
	if (pthread_mutex_unlock(&m->lock))
		abort();
}

/* Different for each device and label, which is all that a unit test needs. */
enum kw_err platform_device_key(const char *label, uint8_t key[DEVICE_KEY_SIZE])
{
	for (size_t i = 0; i < DEVICE_KEY_SIZE; i++)
		key[i] = (uint8_t)(device + i);
	for (size_t i = 0; label[i]; i++)
		key[i % DEVICE_KEY_SIZE] = (uint8_t)(key[i % DEVICE_KEY_SIZE] * 31 + label[i]);
	return KW_ERR_OK;
}

enum kw_err platform_identity(
	enum wire_identity_kind kind, uint32_t id, uint8_t uuid[WIRE_UUID_SIZE])
{
	memset(uuid, 0, WIRE_UUID_SIZE);
	uuid[0] = (uint8_t)kind;
	for (unsigned i = 0; i < 4; i++)
		uuid[15 - i] = (uint8_t)(id >> 8 * i);
	return KW_ERR_OK;
}

void platform_log(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last_log, sizeof(last_log), format, args);
	va_end(args);
}

enum wire_tee_kind platform_kind(void)
{
	return TEE_KIND_HOST;
}

const char *platform_version(void)
{
	return "test";
}

void platform_memory(uint64_t *used, uint64_t *most)
{
	*used = bytes;
	*most = 0;
}

const struct platform_protection *platform_protection(unsigned i)
{
	static const struct platform_protection none = {
		"test", "this is a test and protects nothing", PROTECTION_ABSENT};

	return i == 0 ? &none : NULL;
}

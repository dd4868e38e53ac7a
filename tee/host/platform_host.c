/* SPDX-License-Identifier: BSD-2-Clause */
/* core/platform.h for a Linux process, storage (storage_file.c), protections and the log aside. */
#include "platform_host.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <openssl/evp.h>

#include "core/crypto.h"
#include "core/platform.h"
#include "cache_lines.h"
#include "secret_memory.h"

static uint8_t *master;

void *platform_alloc(size_t size)
{
	return secret_alloc(size ? size : 1);
}

void platform_free(void *p, size_t size)
{
	(void)size; /* the allocator wipes all of it */
	secret_free(p);
}

void platform_wipe(void *p, size_t size)
{
	if (size)
		explicit_bzero(p, size);
}

uint64_t platform_time(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) || now.tv_sec < 0)
		return 0;
	return (uint64_t)now.tv_sec;
}

enum kw_err platform_random(void *buf, size_t n)
{
	uint8_t *at = buf;
	ssize_t got;

	while (n) {
		got = getrandom(at, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return KW_ERR_CRYPTO;
		at += got;
		n -= (size_t)got;
	}
	return KW_ERR_OK;
}

/* Alone in its cache lines: the allocator aligns what is this large to its size. */
struct platform_mutex {
	pthread_mutex_t mutex;
	uint8_t apart[CACHE_LINES - sizeof(pthread_mutex_t)];
};

struct platform_mutex *platform_mutex_new(void)
{
	struct platform_mutex *m = secret_alloc(sizeof(*m));

	if (m && pthread_mutex_init(&m->mutex, NULL)) {
		secret_free(m);
		m = NULL;
	}
	return m;
}

void platform_mutex_free(struct platform_mutex **m)
{
	if (!*m)
		return;
	pthread_mutex_destroy(&(*m)->mutex);
	secret_free(*m);
	*m = NULL;
}

void platform_mutex_lock(struct platform_mutex *m)
{
	pthread_mutex_lock(&m->mutex);
}

void platform_mutex_unlock(struct platform_mutex *m)
{
	pthread_mutex_unlock(&m->mutex);
}

enum kw_err platform_set_secret(uint8_t secret[DEVICE_SECRET_SIZE])
{
	static const char label[] = "keyward host TEE: master key 1";
	const struct crypto_bytes part = {label, sizeof(label) - 1};
	enum kw_err err = KW_ERR_NO_MEMORY;

	_Static_assert(DEVICE_SECRET_SIZE == CRYPTO_KEY_SIZE, "the secret is a key of HMAC");
	if (!master)
		master = secret_alloc(DEVICE_KEY_SIZE);
	if (master)
		err = crypto_hmac(secret, &part, 1, master);
	explicit_bzero(secret, DEVICE_SECRET_SIZE);
	return err;
}

void platform_forget_secret(void)
{
	secret_free(master);
	master = NULL;
}

enum kw_err platform_device_key(const char *label, uint8_t key[DEVICE_KEY_SIZE])
{
	const struct crypto_bytes part = {label, strlen(label)};

	if (!master)
		return KW_ERR_CRYPTO;
	return crypto_hmac(master, &part, 1, key);
}

/* RFC 4122, 4.3: SHA-1 over the namespace and the name, with version and variant put in. */
enum kw_err platform_identity(
	enum wire_identity_kind kind, uint32_t id, uint8_t uuid[WIRE_UUID_SIZE])
{
	static const uint8_t scope[WIRE_UUID_SIZE] = {0x58, 0xac, 0x9c, 0xa0, 0x20, 0x86, 0x46,
		0x83, 0xa1, 0xb8, 0xec, 0x4b, 0xc0, 0x8e, 0x01, 0xb6};
	uint8_t input[WIRE_UUID_SIZE + 16];
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	int n;

	memcpy(input, scope, WIRE_UUID_SIZE);
	n = snprintf((char *)input + WIRE_UUID_SIZE, sizeof(input) - WIRE_UUID_SIZE,
		kind == IDENTITY_USER ? "uid=%x" : "gid=%x", id);
	if (n < 0 || (size_t)n >= sizeof(input) - WIRE_UUID_SIZE)
		return KW_ERR_BAD_REQUEST;
	if (!EVP_Digest(input, WIRE_UUID_SIZE + (size_t)n, digest, &digest_len, EVP_sha1(), NULL))
		return KW_ERR_CRYPTO;
	memcpy(uuid, digest, WIRE_UUID_SIZE);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x50);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	return KW_ERR_OK;
}

enum wire_tee_kind platform_kind(void)
{
	return TEE_KIND_HOST;
}

const char *platform_version(void)
{
	return KW_VERSION;
}

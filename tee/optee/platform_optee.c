/* SPDX-License-Identifier: BSD-2-Clause */
/* core/platform.h for a Trusted Application; the device key, storage and protections aside. */
#include "platform_optee.h"

#include <nettle/sha1.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <string_ext.h>
#include <tee_internal_api.h>
#include <trace.h>
#include <user_ta_header_defines.h>
#include <utee_syscalls.h>

#include "core/crypto.h"
#include "crypto_nettle_memory.h"

/* What malloc adds to a block. */
#define BLOCK_HEAD 32
/* Of the heap: for operations of GMP and nettle and for libutee only; and besides for commands that do
 * not make keys. So keys can be used, listed and deleted however many were made. */
#define HEAP_FOR_OPERATIONS (128u * 1024)
#define HEAP_FOR_COMMANDS (256u * 1024)
/*
 * Large blocks last as long as a command, most small ones as long as a key is open. From one heap in turn, small
 * blocks settle in the gaps that large ones leave, until no gap holds a large one: 1,000 open keys left no 6 KiB of
 * 6 MiB. So a large block that is freed is kept for the next one of its size.
 */
#define KEPT_LEAST 2048
#define KEPT_MOST 16384
#define KEPT 8
/* Seconds for which the distance between the TEE's clock and the normal world's is believed. */
#define TIME_TRUSTED 30

static size_t heap_used;
static bool is_growing;

void platform_optee_grows(bool grows)
{
	is_growing = grows;
}

bool platform_optee_is_growing(void)
{
	return is_growing;
}

static struct {
	void *block; /* wiped */
	size_t size;
} kept[KEPT];

static void *take_kept(size_t size)
{
	for (unsigned i = 0; i < KEPT; i++) {
		void *p = kept[i].block;

		if (p && kept[i].size == size) {
			kept[i].block = NULL;
			return p;
		}
	}
	return NULL;
}

/* In place of the one that was kept longest ago, when there is no free place. */
static void keep(void *p, size_t size)
{
	static unsigned next;
	unsigned place = next;

	for (unsigned i = 0; i < KEPT && kept[place].block; i++)
		place = (place + 1) % KEPT;
	if (kept[place].block)
		TEE_Free(kept[place].block);
	kept[place].block = p;
	kept[place].size = size;
	next = (place + 1) % KEPT;
}

static void *get_block(size_t size)
{
	void *p = take_kept(size);

	if (!p)
		p = TEE_Malloc(size ? size : 1, TEE_MALLOC_FILL_ZERO);
	if (p)
		return p;
	for (unsigned i = 0; i < KEPT; i++) {
		if (kept[i].block)
			TEE_Free(kept[i].block);
		kept[i].block = NULL;
	}
	return TEE_Malloc(size ? size : 1, TEE_MALLOC_FILL_ZERO);
}

void *platform_alloc(size_t size)
{
	size_t most = TA_DATA_SIZE;
	void *p = NULL;

	if (!operation_is_running())
		most -= HEAP_FOR_OPERATIONS + (is_growing ? HEAP_FOR_COMMANDS : 0);
	if (size < most && heap_used + size + BLOCK_HEAD <= most)
		p = get_block(size);
	if (p)
		heap_used += size + BLOCK_HEAD;
	return p;
}

void platform_free(void *p, size_t size)
{
	if (!p)
		return;
	platform_wipe(p, size);
	heap_used -= size + BLOCK_HEAD;
	if (size >= KEPT_LEAST && size <= KEPT_MOST)
		keep(p, size);
	else
		TEE_Free(p);
}

void platform_wipe(void *p, size_t size)
{
	memzero_explicit(p, size);
}

void platform_memory(uint64_t *used, uint64_t *most)
{
	*used = heap_used;
	*most = TA_DATA_SIZE;
}

/* libutee's TEE_GetREETime panics on failure, so the call beneath is used. */
static bool get_time(enum utee_time_category which, uint64_t *seconds)
{
	TEE_Time now;

	if (_utee_get_time(which, &now))
		return false;
	*seconds = now.seconds;
	return true;
}

/*
 * The normal world's clock: the TEE has no other that knows the date. Asking for it leaves the secure
 * world, so it is asked twice a minute, and the TEE's own clock tells what has passed since.
 */
uint64_t platform_time(void)
{
	static uint64_t learned, date;
	uint64_t now;

	if (!get_time(UTEE_TIME_CAT_SYSTEM, &now))
		return 0;
	if (!date || now - learned > TIME_TRUSTED) {
		if (!get_time(UTEE_TIME_CAT_REE, &date))
			date = 0;
		learned = now;
	}
	return date ? date + (now - learned) : 0;
}

/* One instance serves one call at a time, so there is nothing to lock. */
struct platform_mutex {
	char unused;
};

struct platform_mutex *platform_mutex_new(void)
{
	static struct platform_mutex only;

	return &only;
}

void platform_mutex_free(struct platform_mutex **m)
{
	*m = NULL;
}

void platform_mutex_lock(struct platform_mutex *m)
{
	(void)m;
}

void platform_mutex_unlock(struct platform_mutex *m)
{
	(void)m;
}

/* RFC 4122, 4.3: SHA-1 over the namespace and the name, with version and variant put in. */
enum kw_err platform_identity(
	enum wire_identity_kind kind, uint32_t id, uint8_t uuid[WIRE_UUID_SIZE])
{
	static const uint8_t scope[WIRE_UUID_SIZE] = {0x58, 0xac, 0x9c, 0xa0, 0x20, 0x86, 0x46,
		0x83, 0xa1, 0xb8, 0xec, 0x4b, 0xc0, 0x8e, 0x01, 0xb6};
	struct sha1_ctx ctx;
	char name[16];
	int n;

	n = snprintf(name, sizeof(name), kind == IDENTITY_USER ? "uid=%x" : "gid=%x", id);
	if (n < 0 || (size_t)n >= sizeof(name))
		return KW_ERR_BAD_REQUEST;
	sha1_init(&ctx);
	sha1_update(&ctx, sizeof(scope), scope);
	sha1_update(&ctx, (size_t)n, (const uint8_t *)name);
	sha1_digest(&ctx, WIRE_UUID_SIZE, uuid);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x50);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	return KW_ERR_OK;
}

void platform_log(const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	EMSG_RAW("keyward: %s", line);
}

enum wire_tee_kind platform_kind(void)
{
	return TEE_KIND_OPTEE;
}

const char *platform_tee_property(const char *name, char *buf, size_t size)
{
	size_t len = size;

	if (TEE_GetPropertyAsString(TEE_PROPSET_TEE_IMPLEMENTATION, name, buf, &len))
		buf[0] = 0;
	return buf;
}

const char *platform_version(void)
{
	static char text[96];
	char tee[48];

	if (!text[0])
		(void)snprintf(text, sizeof(text), "%s in OP-TEE %s", KW_VERSION,
			platform_tee_property(
				"gpd.tee.trustedos.implementation.version", tee, sizeof(tee)));
	return text;
}

enum kw_err platform_optee_init(void)
{
	enum kw_err err = crypto_init();

	if (!err)
		err = device_key_load();
	return err ? err : random_open();
}

void platform_optee_done(void)
{
	device_key_forget();
}

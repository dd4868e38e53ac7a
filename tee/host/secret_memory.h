/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for secrets: memfd_secret(2) where the kernel has it, so that not even root reads it
 * through /proc or a core dump; else locked memory that core dumps leave out; else at least that.
 * It grows in steps up to what the limit on locked memory allows, and then allocation fails.
 */
#ifndef TEE_HOST_SECRET_MEMORY_H
#define TEE_HOST_SECRET_MEMORY_H

#include <stddef.h>

#include "wire/errors.h"

enum secret_kind {
	SECRET_PLAIN,  /* left out of core dumps, may be swapped */
	SECRET_LOCKED, /* mlock(2): never swapped */
	SECRET_MEMFD,  /* and out of the kernel's own reach */
};

/* Once, while there is one thread. `limit`: bytes that are mapped at most, 0 for what the system
 * allows. */
enum kw_err secret_memory_init(size_t limit) KW_MUST_USE;
enum secret_kind secret_memory_kind(void);
/* Bytes mapped now, and the most that may be (SIZE_MAX: no limit). */
size_t secret_memory_mapped(void);
size_t secret_memory_limit(void);
/* Makes all of libcrypto's heap secret memory. KW_ERR_CRYPTO: libcrypto has allocated already. */
enum kw_err secret_memory_take_libcrypto(void) KW_MUST_USE;

/* Has libcrypto build its tables of methods now: it tries once in its life, and if memory is short
 * at that moment the methods are missing for ever. */
enum kw_err libcrypto_warm_up(void) KW_MUST_USE;

/* Zeroed and aligned to 16 bytes; NULL when n is 0 or there is no memory. Safe from all threads. */
void *secret_alloc(size_t n) KW_MUST_USE;
/* Wipes. p may be NULL. A pointer that is not an allocation ends the process. */
void secret_free(void *p);
/* Keeps the contents; on failure p stays as it was. */
void *secret_realloc(void *p, size_t n) KW_MUST_USE;

/* Called by a thread that allocates all the time: what it gets lies apart from what others get. Costs
 * 16 KiB for each size that it uses; so where there is little, further threads share. */
void secret_memory_keep_apart(void);
/* Bytes of the limit for each thread that has something of its own: a tenth of that is what it has. */
#define SECRET_PER_THREAD ((size_t)4 << 20)

/* A thread's stack of `size` bytes between guard pages, never given back. NULL when there is no
 * memory. */
void *secret_stack(size_t size) KW_MUST_USE;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Where secret_memory.c gets its pages from. */
#ifndef TEE_HOST_SECRET_MAP_H
#define TEE_HOST_SECRET_MAP_H

#include "secret_memory.h"

/* Finds out which kind of memory this system gives. */
enum kw_err secret_map_init(size_t limit) KW_MUST_USE;
/* Zeroed pages at a multiple of `align`, which is a power of two; size is whole pages. */
void *secret_map(size_t size, size_t align) KW_MUST_USE;
void secret_unmap(void *p, size_t size);

#endif

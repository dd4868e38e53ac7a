/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one thread writes with each request lies apart from what other threads touch: processors that
 * write to one cache line in turn wait for each other.
 */
#ifndef TEE_HOST_CACHE_LINES_H
#define TEE_HOST_CACHE_LINES_H

#include <stdlib.h>
#include <string.h>

#define CACHE_LINES 128 /* bytes: two lines, since processors fetch them in pairs */

/* Zeroed, for free(). n: a multiple of CACHE_LINES, as is the size of a struct with a member so aligned.
 * NULL when there is no memory. */
static inline void *apart_alloc(size_t n)
{
	void *p = aligned_alloc(CACHE_LINES, n);

	if (p)
		memset(p, 0, n);
	return p;
}

#endif

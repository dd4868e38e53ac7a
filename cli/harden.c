/* SPDX-License-Identifier: BSD-2-Clause */
#include "harden.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* libcrypto clears what it knows to be secret, but not each intermediate copy of a decoder. */
static void wiping_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *plain_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return n ? malloc(n) : NULL;
}

static void *wiping_realloc(void *p, size_t n, const char *file, int line)
{
	void *q = NULL;

	if (n) {
		size_t old = p ? malloc_usable_size(p) : 0;

		q = malloc(n);
		if (!q)
			return NULL;
		if (p)
			memcpy(q, p, old < n ? old : n);
	}
	wiping_free(p, file, line);
	return q;
}

bool harden(void)
{
	const struct rlimit none = {0, 0};

	return !prctl(PR_SET_DUMPABLE, 0) && !setrlimit(RLIMIT_CORE, &none) &&
	       CRYPTO_set_mem_functions(plain_malloc, wiping_realloc, wiping_free);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was read of a log or appended to it, in memory: a storage read is two milliseconds of calls to the
 * normal world, and naming a key by its name takes one. It holds what the normal world keeps anyway;
 * the store checks each record that it reads against the hash in its index.
 */
#ifndef TEE_OPTEE_STORAGE_CACHE_H
#define TEE_OPTEE_STORAGE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_PAGE 8192
/* 512 KiB: the log of 1,300 EC keys, or of 400 RSA-2048 keys, is in it as a whole. */
#define CACHE_PAGES 64

struct cache_page {
	uint8_t *bytes;
	uint64_t number;
	size_t len; /* that are valid, from the page's start */
};

/* All zeros is empty. */
struct storage_cache {
	struct cache_page pages[CACHE_PAGES];
};

/* The page that has this offset: its first byte and how many bytes it has at most. */
void cache_place(uint64_t offset, uint64_t *start, size_t *size);
/* Room for the page that starts there, in place of another one. NULL: no memory. It is empty until
 * `len` is set. */
struct cache_page *cache_claim(struct storage_cache *c, uint64_t start);
/* The page, when it has at least len bytes; else NULL. */
const struct cache_page *cache_find(const struct storage_cache *c, uint64_t start, size_t len);
/* What was appended at the offset. */
void cache_append(struct storage_cache *c, uint64_t offset, const uint8_t *buf, size_t n);
void cache_clear(struct storage_cache *c);

#endif

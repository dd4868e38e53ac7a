/* SPDX-License-Identifier: BSD-2-Clause */
#include "storage_cache.h"

#include <string.h>

#include "core/platform.h"

/* Bytes of OP-TEE's own in front of an object's data. Pages that end where its blocks of 4 KiB do are
 * read with fewer calls. */
#define OBJECT_HEAD 24

void cache_place(uint64_t offset, uint64_t *start, size_t *size)
{
	uint64_t number = (offset + OBJECT_HEAD) / CACHE_PAGE;

	*start = number ? number * CACHE_PAGE - OBJECT_HEAD : 0;
	*size = number ? CACHE_PAGE : CACHE_PAGE - OBJECT_HEAD;
}

static uint64_t number_of(uint64_t start)
{
	return (start + OBJECT_HEAD) / CACHE_PAGE;
}

const struct cache_page *cache_find(const struct storage_cache *c, uint64_t start, size_t len)
{
	const struct cache_page *p = &c->pages[number_of(start) % CACHE_PAGES];

	return p->bytes && p->number == number_of(start) && p->len >= len ? p : NULL;
}

struct cache_page *cache_claim(struct storage_cache *c, uint64_t start)
{
	struct cache_page *p = &c->pages[number_of(start) % CACHE_PAGES];

	if (!p->bytes)
		p->bytes = platform_alloc(CACHE_PAGE);
	if (!p->bytes)
		return NULL;
	p->number = number_of(start);
	p->len = 0;
	return p;
}

void cache_append(struct storage_cache *c, uint64_t offset, const uint8_t *buf, size_t n)
{
	while (n) {
		struct cache_page *p;
		uint64_t start;
		size_t size, at, take;

		cache_place(offset, &start, &size);
		at = (size_t)(offset - start);
		take = n < size - at ? n : size - at;
		p = &c->pages[number_of(start) % CACHE_PAGES];
		if (!at)
			p = cache_claim(c, start);
		else if (!p->bytes || p->number != number_of(start) || p->len != at)
			p = NULL;
		if (p) {
			memcpy(p->bytes + at, buf, take);
			p->len = at + take;
		}
		offset += take;
		buf += take;
		n -= take;
	}
}

void cache_clear(struct storage_cache *c)
{
	for (unsigned i = 0; i < CACHE_PAGES; i++)
		platform_free(c->pages[i].bytes, CACHE_PAGE);
	memset(c, 0, sizeof(*c));
}

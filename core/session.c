/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about the connection and the TEE: HELLO and STATUS. */
#include <string.h>

#include "core_state.h"

enum kw_err cmd_hello(struct call *c, struct reader *req, struct writer *rsp)
{
	uint16_t lowest = get_u16(req);
	uint16_t highest = get_u16(req);
	const char *version = platform_version();
	uint32_t capabilities = CAPABILITY_SEALED;

	get_u16(req); /* the CPU: the platform has looked at it already */
	if (!reader_done(req) || lowest > highest)
		return KW_ERR_BAD_REQUEST;
	if (lowest > WIRE_VERSION || highest < WIRE_VERSION)
		return KW_ERR_BAD_VERSION;
	put_u16(rsp, WIRE_VERSION);
	put_u8(rsp, (uint8_t)platform_kind());
	put_u32(rsp, capabilities);
	put_u16(rsp, c->session->cpu);
	put_field8(rsp, version, strlen(version));
	return KW_ERR_OK;
}

static void put_protections(struct writer *rsp)
{
	const struct platform_protection *p;
	unsigned n = 0;

	while (n < 255 && platform_protection(n))
		n++;
	put_u8(rsp, (uint8_t)n);
	for (unsigned i = 0; i < n; i++) {
		p = platform_protection(i);
		put_field8(rsp, p->id, strlen(p->id));
		put_u8(rsp, (uint8_t)p->state);
		put_field16(rsp, p->sentence, strlen(p->sentence));
	}
}

enum kw_err cmd_status(struct call *c, struct reader *req, struct writer *rsp)
{
	const char *version = platform_version();
	const char *crypto = crypto_version();
	const char *storage = platform_storage();
	uint64_t memory_used, memory_most;
	struct store_stats stats;

	if (!reader_done(req))
		return KW_ERR_BAD_REQUEST;
	platform_memory(&memory_used, &memory_most);
	store_stats(c->core->store, &stats);
	put_u8(rsp, (uint8_t)platform_kind());
	put_field8(rsp, version, strlen(version));
	put_field8(rsp, crypto, strlen(crypto));
	put_u64(rsp, platform_time());
	put_u64(rsp, c->core->started);
	put_u32(rsp, stats.keys);
	put_u32(rsp, key_cache_count(c->core->cache));
	put_u32(rsp, stats.objects);
	put_u64(rsp, stats.bytes);
	put_u64(rsp, stats.sequence);
	put_u64(rsp, atomic_load(&c->core->signatures));
	put_u64(rsp, atomic_load(&c->core->refusals));
	put_u64(rsp, memory_used);
	put_u64(rsp, memory_most);
	put_field16(rsp, storage, strlen(storage));
	put_u8(rsp, (uint8_t)((c->session->is_admin ? 1 : 0) | (c->session->may_create ? 2 : 0)));
	put_protections(rsp);
	return KW_ERR_OK;
}

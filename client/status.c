/* SPDX-License-Identifier: BSD-2-Clause */
#include "call.h"

#include <stdlib.h>
#include <string.h>

#define FLAG_ADMIN 0x01
#define FLAG_MAY_CREATE 0x02

struct protection {
	enum kw_protection_state state;
	const char *id;
	const char *sentence;
};

struct kw_status {
	uint8_t tee_kind;
	uint8_t flags;
	const char *version;
	const char *crypto;
	uint64_t started;
	uint32_t keys;
	uint32_t open_keys;
	uint32_t objects;
	uint64_t store_bytes;
	uint64_t changes;
	uint64_t signatures;
	uint64_t refusals;
	uint64_t memory;
	uint64_t memory_max;
	const char *storage;
	unsigned protection_count;
	struct protection protections[UINT8_MAX];
	size_t text_used;
	char text[]; /* all strings: a reply's worth of them always fits */
};

/* Keeps a copy of a field as a string. "" on failure. */
static const char *keep_text(
	struct kw_status *s, struct reader *r, const uint8_t *field, size_t len)
{
	char *copy = s->text + s->text_used;

	if (!field || !text_is_clean(field, len)) {
		r->failed = true;
		return "";
	}
	memcpy(copy, field, len);
	copy[len] = '\0';
	s->text_used += len + 1;
	return copy;
}

static const char *get_text8(struct kw_status *s, struct reader *r)
{
	size_t len;
	const uint8_t *field = get_field8(r, UINT8_MAX, &len);

	return keep_text(s, r, field, len);
}

static const char *get_text16(struct kw_status *s, struct reader *r)
{
	size_t len;
	const uint8_t *field = get_field16(r, UINT16_MAX, &len);

	return keep_text(s, r, field, len);
}

static void get_protection(struct kw_status *s, struct reader *r, struct protection *p)
{
	uint8_t state;

	p->id = get_text8(s, r);
	state = get_u8(r);
	p->sentence = get_text16(s, r);
	if (state > KW_PROTECTION_PARTIAL)
		r->failed = true;
	p->state = (enum kw_protection_state)state;
}

/* False: the reply makes no sense. */
static bool read_status(struct kw_status *s, struct reader *r)
{
	s->tee_kind = get_u8(r);
	s->version = get_text8(s, r);
	s->crypto = get_text8(s, r);
	get_u64(r); /* the TEE's clock */
	s->started = get_u64(r);
	s->keys = get_u32(r);
	s->open_keys = get_u32(r);
	s->objects = get_u32(r);
	s->store_bytes = get_u64(r);
	s->changes = get_u64(r);
	s->signatures = get_u64(r);
	s->refusals = get_u64(r);
	s->memory = get_u64(r);
	s->memory_max = get_u64(r);
	s->storage = get_text16(s, r);
	s->flags = get_u8(r);
	s->protection_count = get_u8(r);
	for (unsigned i = 0; i < s->protection_count && !r->failed; i++)
		get_protection(s, r, &s->protections[i]);
	return reader_done(r) && (s->tee_kind == TEE_KIND_HOST || s->tee_kind == TEE_KIND_OPTEE) &&
	       !(s->flags & ~(FLAG_ADMIN | FLAG_MAY_CREATE));
}

enum kw_err kw_status_new(struct kw *kw, struct kw_status **status)
{
	struct kw_status *s = NULL;
	struct reader rsp;
	struct call c;
	enum kw_err err;

	if (!status)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	*status = NULL;
	err = call_begin(&c, kw, CMD_STATUS);
	if (!err)
		err = call_run(&c, &rsp);
	if (err) {
		err = call_refused(&c, err, NULL);
		goto out;
	}
	/* Each field's length bytes make room for the NUL of its string. */
	s = calloc(1, sizeof(*s) + reader_left(&rsp));
	if (!s) {
		err = explain(KW_ERR_NO_MEMORY, "there is no memory for the status of the TEE");
		goto out;
	}
	if (!read_status(s, &rsp)) {
		err = call_nonsense(&c);
		goto out;
	}
	*status = s;
	s = NULL;
out:
	free(s);
	call_end(&c);
	return err;
}

void kw_status_free(struct kw_status **status)
{
	if (!status)
		return;
	free(*status);
	*status = NULL;
}

const char *kw_status_tee(const struct kw_status *s)
{
	return s->tee_kind == TEE_KIND_OPTEE ? "optee" : "host";
}

const char *kw_status_version(const struct kw_status *s)
{
	return s->version;
}

const char *kw_status_crypto(const struct kw_status *s)
{
	return s->crypto;
}

uint64_t kw_status_started(const struct kw_status *s)
{
	return s->started;
}

uint32_t kw_status_keys(const struct kw_status *s)
{
	return s->keys;
}

uint32_t kw_status_open_keys(const struct kw_status *s)
{
	return s->open_keys;
}

uint32_t kw_status_objects(const struct kw_status *s)
{
	return s->objects;
}

uint64_t kw_status_store_bytes(const struct kw_status *s)
{
	return s->store_bytes;
}

uint64_t kw_status_changes(const struct kw_status *s)
{
	return s->changes;
}

uint64_t kw_status_signatures(const struct kw_status *s)
{
	return s->signatures;
}

uint64_t kw_status_refusals(const struct kw_status *s)
{
	return s->refusals;
}

uint64_t kw_status_memory(const struct kw_status *s)
{
	return s->memory;
}

uint64_t kw_status_memory_max(const struct kw_status *s)
{
	return s->memory_max;
}

const char *kw_status_storage(const struct kw_status *s)
{
	return s->storage;
}

bool kw_status_is_admin(const struct kw_status *s)
{
	return s->flags & FLAG_ADMIN;
}

bool kw_status_may_create(const struct kw_status *s)
{
	return s->flags & FLAG_MAY_CREATE;
}

unsigned kw_status_protections(const struct kw_status *s)
{
	return s->protection_count;
}

const char *kw_status_protection(const struct kw_status *s, unsigned i,
	enum kw_protection_state *state, const char **sentence)
{
	const struct protection *p = i < s->protection_count ? &s->protections[i] : NULL;

	if (state)
		*state = p ? p->state : KW_PROTECTION_ABSENT;
	if (sentence)
		*sentence = p ? p->sentence : NULL;
	return p ? p->id : NULL;
}

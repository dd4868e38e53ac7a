/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that make, describe and change keys. */
#include <string.h>

#include "core_state.h"
#include "csr.h"
#include "key_type.h"
#include "policy.h"

/* Records that KEY_LIST looks at before it gives other callers of its thread a turn. */
#define LIST_STEP 64

/* A key that a request names, with its record and what the store knows. Large: on the heap. */
struct subject {
	struct key_meta meta;
	uint8_t record[WIRE_RECORD_MAX];
	size_t record_len;
	struct store_counters counters;
	struct crypto_key *crypto; /* where a command needs it */
};

static struct subject *subject_new(void)
{
	return platform_alloc(sizeof(struct subject));
}

static void subject_free(struct subject *s)
{
	if (s)
		crypto_key_free(&s->crypto);
	platform_free(s, sizeof(*s));
}

static uint8_t rights_of(const struct session *session, const struct key_meta *m)
{
	uint8_t rights = 0;

	if (policy_may_use(session, &m->owner, m->acl, m->acl_count))
		rights |= RIGHT_USE;
	if (policy_may_manage(session, &m->owner))
		rights |= RIGHT_MANAGE;
	return rights;
}

static void put_identity(struct writer *w, const struct identity *who)
{
	put_u8(w, who->kind);
	put_u32(w, who->id);
}

static void put_description(struct writer *w, const struct key_meta *m, const struct store_counters *n,
	uint8_t rights, bool with_spki)
{
	put_bytes(w, m->id, WIRE_ID_SIZE);
	put_u8(w, m->type);
	put_u8(w, m->origin);
	put_u8(w, m->place);
	put_u32(w, m->purposes);
	put_u64(w, m->created);
	put_identity(w, &m->owner);
	put_field8(w, m->name, strlen(m->name));
	put_u8(w, (uint8_t)m->acl_count);
	for (unsigned i = 0; i < m->acl_count; i++)
		put_identity(w, &m->acl[i]);
	put_u8(w, rights);
	put_u64(w, n->signatures);
	put_u64(w, n->last_use);
	put_u64(w, n->refusals);
	put_field16(w, m->spki, with_spki ? m->spki_len : 0);
}

/* A description and, for a sealed key, its record. */
static void put_result(struct call *c, struct writer *w, const struct subject *s)
{
	put_description(w, &s->meta, &s->counters, rights_of(c->session, &s->meta), true);
	put_field16(w, s->record, s->meta.place == PLACE_SEALED ? s->record_len : 0);
}

static bool get_identity(struct reader *r, struct identity *who)
{
	who->kind = get_u8(r);
	who->id = get_u32(r);
	if (r->failed || (who->kind != IDENTITY_USER && who->kind != IDENTITY_GROUP))
		return false;
	return !platform_identity((enum wire_identity_kind)who->kind, who->id, who->uuid);
}

static bool same_identity(const struct identity *a, const struct identity *b)
{
	return a->kind == b->kind && !memcmp(a->uuid, b->uuid, WIRE_UUID_SIZE);
}

static void refuse(struct call *c, const uint8_t *id)
{
	atomic_fetch_add(&c->core->refusals, 1);
	store_count_refusal(c->core->store, id);
}

static enum kw_err read_stored(struct call *c, const uint8_t *id, struct subject *s)
{
	struct store_entry entry;
	enum kw_err err;

	err = store_read(c->core->store, id, s->record, &s->record_len, &entry);
	if (err)
		return err;
	err = record_parse(&c->core->record_key, s->record, s->record_len, &s->meta);
	if (err)
		return err;
	if (memcmp(s->meta.id, id, WIRE_ID_SIZE))
		return KW_ERR_CORRUPT;
	/* Names move without a new record: the store has the one that counts. */
	memcpy(s->meta.name, entry.name, sizeof(s->meta.name));
	s->counters = entry.counters;
	return KW_ERR_OK;
}

static enum kw_err read_sealed(struct call *c, const uint8_t *record, size_t len, struct subject *s)
{
	struct key *key = NULL;
	enum kw_err err;

	err = key_load_sealed(c->core, c->session, record, len, &s->meta, &key);
	if (err)
		return err;
	memcpy(s->record, record, len);
	s->record_len = len;
	s->counters.signatures = key->signatures;
	s->counters.last_use = key->last_use;
	s->counters.refusals = key->refusals;
	key_release(&key);
	return KW_ERR_OK;
}

/* Reads a target and finds its key; the caller must have one of the rights. */
static enum kw_err get_target(struct call *c, struct reader *req, uint8_t rights, bool sealed_too,
	struct subject *s)
{
	struct store_entry entry;
	uint8_t how = get_u8(req);
	const uint8_t *p;
	size_t n;
	enum kw_err err = KW_ERR_BAD_REQUEST;

	if (how == TARGET_ID) {
		p = get_bytes(req, WIRE_ID_SIZE);
		if (p)
			err = read_stored(c, p, s);
	} else if (how == TARGET_NAME) {
		p = get_field8(req, WIRE_NAME_MAX, &n);
		if (p)
			err = store_find_name(c->core->store, (const char *)p, n, &entry);
		if (!err)
			err = read_stored(c, entry.id, s);
	} else if (how == TARGET_RECORD && sealed_too) {
		p = get_field16(req, WIRE_RECORD_MAX, &n);
		if (p)
			err = read_sealed(c, p, n, s);
	}
	if (err)
		return err;
	if (rights_of(c->session, &s->meta) & rights)
		return KW_ERR_OK;
	refuse(c, s->meta.id);
	return rights & RIGHT_USE ? KW_ERR_ACCESS : KW_ERR_NOT_OWNER;
}

static bool get_acl(struct reader *req, struct key_meta *m)
{
	unsigned n = get_u8(req);
	struct identity who;
	unsigned i;

	if (n > WIRE_ACL_MAX)
		return false;
	while (n--) {
		if (!get_identity(req, &who))
			return false;
		for (i = 0; i < m->acl_count; i++) {
			if (same_identity(&m->acl[i], &who))
				break;
		}
		if (i == m->acl_count)
			m->acl[m->acl_count++] = who;
	}
	return true;
}

/* What KEY_GENERATE and KEY_IMPORT have in common. */
static enum kw_err get_template(struct call *c, struct reader *req, struct key_meta *m)
{
	const uint8_t *name;
	size_t n;

	m->type = get_u8(req);
	m->place = get_u8(req);
	m->purposes = get_u32(req);
	name = get_field8(req, WIRE_NAME_MAX, &n);
	if (!name)
		return KW_ERR_BAD_REQUEST;
	if (!key_type_find(m->type))
		return KW_ERR_UNSUPPORTED_TYPE;
	if (!(m->place == PLACE_SEALED && n == 0) && !policy_name_is_good((const char *)name, n))
		return KW_ERR_BAD_NAME;
	if ((m->place != PLACE_STORED && m->place != PLACE_SEALED) ||
		!policy_purposes_fit(m->purposes, (enum key_type)m->type) || !get_acl(req, m))
		return KW_ERR_BAD_REQUEST;
	memcpy(m->name, name, n);
	m->owner = c->session->user;
	m->created = platform_time();
	return KW_ERR_OK;
}

/* Before work that takes long; the commit checks again. */
static enum kw_err check_name_free(struct call *c, const struct key_meta *m)
{
	enum kw_err err;

	if (m->place != PLACE_STORED)
		return KW_ERR_OK;
	err = store_find_name(c->core->store, m->name, strlen(m->name), NULL);
	if (!err)
		return KW_ERR_NAME_TAKEN;
	return err == KW_ERR_NO_KEY ? KW_ERR_OK : err;
}

static enum kw_err keep_new(struct call *c, struct subject *s, struct writer *rsp)
{
	struct core *core = c->core;
	enum kw_err err;

	err = record_describe(&s->meta, s->crypto);
	if (err)
		return err;
	err = record_seal(&core->record_key, &s->meta, s->crypto, s->record, &s->record_len);
	if (err)
		return err;
	if (s->meta.place == PLACE_STORED) {
		platform_mutex_lock(core->change);
		err = store_put(core->store, s->meta.id, s->meta.name, s->record, s->record_len, false, true);
		platform_mutex_unlock(core->change);
	}
	if (!err)
		put_result(c, rsp, s);
	return err;
}

enum kw_err cmd_key_generate(struct call *c, struct reader *req, struct writer *rsp)
{
	struct subject *s = subject_new();
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!s)
		goto out;
	err = get_template(c, req, &s->meta);
	if (err)
		goto out;
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req))
		goto out;
	s->meta.origin = ORIGIN_GENERATED;
	err = check_name_free(c, &s->meta);
	if (err)
		goto out;
	err = crypto_key_generate((enum key_type)s->meta.type, &s->crypto);
	if (err)
		goto out;
	err = keep_new(c, s, rsp);
out:
	subject_free(s);
	return err;
}

enum kw_err cmd_key_import(struct call *c, struct reader *req, struct writer *rsp)
{
	struct subject *s = subject_new();
	const uint8_t *material;
	size_t n;
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!s)
		goto out;
	err = get_template(c, req, &s->meta);
	if (err)
		goto out;
	material = get_field16(req, CRYPTO_PRIVATE_MAX, &n);
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req))
		goto out;
	s->meta.origin = ORIGIN_IMPORTED;
	err = check_name_free(c, &s->meta);
	if (err)
		goto out;
	err = crypto_key_import((enum key_type)s->meta.type, material, n, &s->crypto);
	if (err)
		goto out;
	err = keep_new(c, s, rsp);
out:
	subject_free(s);
	return err;
}

enum kw_err cmd_key_info(struct call *c, struct reader *req, struct writer *rsp)
{
	struct subject *s = subject_new();
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!s)
		goto out;
	err = get_target(c, req, RIGHT_USE | RIGHT_MANAGE, true, s);
	if (err)
		goto out;
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req))
		goto out;
	put_description(rsp, &s->meta, &s->counters, rights_of(c->session, &s->meta), true);
	err = KW_ERR_OK;
out:
	subject_free(s);
	return err;
}

/* One step of a listing: KW_ERR_NO_KEY at the end. A key that is deleted meanwhile is passed over. */
static enum kw_err list_one(struct call *c, uint32_t *cursor, struct subject *s, struct writer *w,
	uint16_t *count)
{
	struct store_entry entry;
	enum kw_err err;
	uint8_t rights;

	err = store_next(c->core->store, cursor, &entry);
	if (err)
		return err;
	err = read_stored(c, entry.id, s);
	if (err == KW_ERR_NO_KEY)
		return KW_ERR_OK;
	if (err)
		return err;
	rights = rights_of(c->session, &s->meta);
	if (!rights)
		return KW_ERR_OK;
	put_description(w, &s->meta, &s->counters, rights, false);
	++*count;
	return KW_ERR_OK;
}

enum kw_err cmd_key_list(struct call *c, struct reader *req, struct writer *rsp)
{
	uint32_t cursor = get_u32(req);
	uint8_t head[6];
	struct writer front = writer_over(head, sizeof(head));
	struct subject *s = subject_new();
	uint16_t count = 0;
	size_t start = rsp->len;
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!s)
		goto out;
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req))
		goto out;
	/* Room for the head, which is known last. LIST_STEP descriptions always fit. */
	memset(head, 0, sizeof(head));
	put_bytes(rsp, head, sizeof(head));
	err = KW_ERR_OK;
	for (unsigned i = 0; !err && i < LIST_STEP; i++)
		err = list_one(c, &cursor, s, rsp, &count);
	if (err == KW_ERR_NO_KEY) {
		cursor = 0;
		err = KW_ERR_OK;
	}
	put_u32(&front, cursor);
	put_u16(&front, count);
	if (!err && !rsp->failed)
		memcpy(rsp->buf + start, head, sizeof(head));
out:
	subject_free(s);
	return err;
}

/* May the caller take this name from whoever has it? */
static enum kw_err check_take(struct call *c, const char *name, size_t n)
{
	struct store_entry entry;
	struct subject *other = NULL;
	enum kw_err err;

	err = store_find_name(c->core->store, name, n, &entry);
	if (err == KW_ERR_NO_KEY)
		return KW_ERR_OK;
	if (err)
		return err;
	other = subject_new();
	if (!other)
		return KW_ERR_NO_MEMORY;
	err = read_stored(c, entry.id, other);
	if (!err && !policy_may_manage(c->session, &other->meta.owner)) {
		refuse(c, entry.id);
		err = KW_ERR_NOT_OWNER;
	}
	subject_free(other);
	return err;
}

enum kw_err cmd_key_rename(struct call *c, struct reader *req, struct writer *rsp)
{
	struct core *core = c->core;
	struct subject *s = subject_new();
	char name[WIRE_NAME_MAX + 1] = "";
	const uint8_t *p;
	size_t n;
	uint8_t take;
	enum kw_err err = KW_ERR_NO_MEMORY;

	platform_mutex_lock(core->change);
	if (!s)
		goto out;
	err = get_target(c, req, RIGHT_MANAGE, false, s);
	if (err)
		goto out;
	p = get_field8(req, WIRE_NAME_MAX, &n);
	take = get_u8(req);
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req) || take > 1)
		goto out;
	err = KW_ERR_BAD_NAME;
	if (!policy_name_is_good((const char *)p, n))
		goto out;
	memcpy(name, p, n);
	if (take)
		err = check_take(c, name, n);
	else
		err = KW_ERR_OK;
	if (err)
		goto out;
	if (strcmp(name, s->meta.name))
		err = store_put(core->store, s->meta.id, name, s->record, s->record_len, take, false);
	if (err)
		goto out;
	memcpy(s->meta.name, name, sizeof(name));
	put_description(rsp, &s->meta, &s->counters, rights_of(c->session, &s->meta), true);
out:
	platform_mutex_unlock(core->change);
	subject_free(s);
	return err;
}

enum kw_err cmd_key_delete(struct call *c, struct reader *req, struct writer *rsp)
{
	struct core *core = c->core;
	struct subject *s = subject_new();
	enum kw_err err = KW_ERR_NO_MEMORY;

	(void)rsp;
	platform_mutex_lock(core->change);
	if (!s)
		goto out;
	err = get_target(c, req, RIGHT_MANAGE, false, s);
	if (err)
		goto out;
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req))
		goto out;
	err = store_delete(core->store, s->meta.id);
	if (!err)
		key_cache_drop(core->cache, s->meta.id);
out:
	platform_mutex_unlock(core->change);
	subject_free(s);
	return err;
}

/* Whether the list changed. */
static enum kw_err change_acl(struct key_meta *m, uint8_t change, const struct identity *who, bool *changed)
{
	unsigned i;

	*changed = false;
	for (i = 0; i < m->acl_count; i++) {
		if (same_identity(&m->acl[i], who))
			break;
	}
	if ((i < m->acl_count) == (change == ACCESS_ALLOW))
		return KW_ERR_OK;
	if (change == ACCESS_ALLOW && m->acl_count == WIRE_ACL_MAX)
		return KW_ERR_LIMIT;
	if (change == ACCESS_ALLOW)
		m->acl[m->acl_count++] = *who;
	else
		m->acl[i] = m->acl[--m->acl_count];
	*changed = true;
	return KW_ERR_OK;
}

/* Seals the subject anew after its description changed, and stores it where it is a stored one. */
static enum kw_err keep_changed(struct call *c, struct subject *s)
{
	struct core *core = c->core;
	struct key_meta *before = platform_alloc(sizeof(*before));
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!before)
		return err;
	err = record_open(&core->record_key, s->record, s->record_len, before, &s->crypto);
	if (err)
		goto out;
	err = record_seal(&core->record_key, &s->meta, s->crypto, s->record, &s->record_len);
	if (err || s->meta.place != PLACE_STORED)
		goto out;
	err = store_put(core->store, s->meta.id, s->meta.name, s->record, s->record_len, false, false);
out:
	platform_free(before, sizeof(*before));
	return err;
}

enum kw_err cmd_key_access(struct call *c, struct reader *req, struct writer *rsp)
{
	struct core *core = c->core;
	struct subject *s = subject_new();
	struct identity who;
	bool changed;
	uint8_t change;
	enum kw_err err = KW_ERR_NO_MEMORY;

	platform_mutex_lock(core->change);
	if (!s)
		goto out;
	err = get_target(c, req, RIGHT_MANAGE, true, s);
	if (err)
		goto out;
	change = get_u8(req);
	err = KW_ERR_BAD_REQUEST;
	if (!get_identity(req, &who) || !reader_done(req) ||
		(change != ACCESS_ALLOW && change != ACCESS_DENY))
		goto out;
	err = change_acl(&s->meta, change, &who, &changed);
	if (err)
		goto out;
	if (changed)
		err = keep_changed(c, s);
	if (!err)
		put_result(c, rsp, s);
out:
	platform_mutex_unlock(core->change);
	subject_free(s);
	return err;
}

static enum kw_err sign_csr(void *ctx, const uint8_t *tbs, size_t n, uint8_t *sig, size_t *sig_len)
{
	struct subject *s = ctx;
	struct crypto_sign what;
	enum kw_err err = csr_algorithm((enum key_type)s->meta.type, &what);

	if (err)
		return err;
	what.data = tbs;
	what.n = n;
	return crypto_sign(s->crypto, &what, sig, sig_len);
}

enum kw_err cmd_key_csr(struct call *c, struct reader *req, struct writer *rsp)
{
	struct subject *s = subject_new();
	struct key_meta *meta = platform_alloc(sizeof(*meta));
	uint8_t *der = platform_alloc(WIRE_CSR_MAX);
	struct writer w = writer_over(der, WIRE_CSR_MAX);
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!s || !meta || !der)
		goto out;
	err = get_target(c, req, RIGHT_USE | RIGHT_MANAGE, true, s);
	if (err)
		goto out;
	err = KW_ERR_PURPOSE;
	if (!(s->meta.purposes & (PURPOSE_CSR | PURPOSE_SIGN))) {
		refuse(c, s->meta.id);
		goto out;
	}
	err = record_open(&c->core->record_key, s->record, s->record_len, meta, &s->crypto);
	if (err)
		goto out;
	err = csr_build(req, (enum key_type)s->meta.type, s->meta.spki, s->meta.spki_len, sign_csr, s, &w);
	if (err)
		goto out;
	put_field16(rsp, der, w.len);
	if (s->meta.place == PLACE_STORED)
		store_count_signature(c->core->store, s->meta.id, platform_time());
	atomic_fetch_add(&c->core->signatures, 1);
out:
	platform_free(der, WIRE_CSR_MAX);
	platform_free(meta, sizeof(*meta));
	subject_free(s);
	return err;
}

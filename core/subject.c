/* SPDX-License-Identifier: BSD-2-Clause */
#include "subject.h"

#include <string.h>

#include "key_type.h"
#include "policy.h"
#include "token.h"

struct subject *subject_new(void)
{
	return platform_alloc(sizeof(struct subject));
}

void subject_free(struct subject *s)
{
	if (s) {
		crypto_key_free(&s->crypto);
		key_release(&s->open);
	}
	platform_free(s, sizeof(*s));
}

uint8_t subject_rights(const struct session *session, const struct key_meta *m)
{
	uint8_t rights = 0;

	if (policy_may_use(session, &m->owner, m->acl, m->acl_count))
		rights |= RIGHT_USE;
	if (policy_may_manage(session, &m->owner))
		rights |= RIGHT_MANAGE;
	return rights;
}

void subject_put_identity(struct writer *w, const struct identity *who)
{
	put_u8(w, who->kind);
	put_u32(w, who->id);
}

void subject_put_acl(struct writer *w, const struct identity *acl, unsigned count)
{
	put_u8(w, (uint8_t)count);
	for (unsigned i = 0; i < count; i++)
		subject_put_identity(w, &acl[i]);
}

void subject_put(struct writer *w, const struct key_meta *m, const struct store_counters *n,
	uint8_t rights, bool with_spki)
{
	put_bytes(w, m->id, WIRE_ID_SIZE);
	put_u8(w, m->type);
	put_u8(w, m->origin);
	put_u8(w, m->token.slot ? PLACE_TOKEN : m->place);
	if (m->token.slot)
		put_u8(w, m->token.slot);
	put_u32(w, m->purposes);
	put_u64(w, m->created);
	subject_put_identity(w, &m->owner);
	put_field8(w, m->name, strlen(m->name));
	subject_put_acl(w, m->acl, m->acl_count);
	put_u8(w, rights);
	put_u64(w, n->signatures);
	put_u64(w, n->last_use);
	put_u64(w, n->refusals);
	if (with_spki && key_type_is_secret((enum key_type)m->type))
		put_field16(w, m->spki + WIRE_ID_SIZE, sizeof(uint16_t));
	else
		put_field16(w, m->spki, with_spki ? m->spki_len : 0);
	put_field16(w, m->attributes, m->attributes_len);
}

void subject_put_result(struct call *c, struct writer *w, const struct subject *s)
{
	subject_put(w, &s->meta, &s->counters, subject_rights(c->session, &s->meta), true);
	put_field16(w, s->record, s->meta.place == PLACE_SEALED ? s->record_len : 0);
}

bool subject_get_identity(struct reader *r, struct identity *who)
{
	who->kind = get_u8(r);
	who->id = get_u32(r);
	if (r->failed || (who->kind != IDENTITY_USER && who->kind != IDENTITY_GROUP))
		return false;
	return !platform_identity((enum wire_identity_kind)who->kind, who->id, who->uuid);
}

bool subject_same_identity(const struct identity *a, const struct identity *b)
{
	return a->kind == b->kind && !memcmp(a->uuid, b->uuid, WIRE_UUID_SIZE);
}

bool subject_get_acl(struct reader *r, struct identity acl[WIRE_ACL_MAX], unsigned *count)
{
	unsigned n = get_u8(r);
	struct identity who;
	unsigned i;

	*count = 0;
	if (n > WIRE_ACL_MAX)
		return false;
	while (n--) {
		if (!subject_get_identity(r, &who))
			return false;
		for (i = 0; i < *count; i++) {
			if (subject_same_identity(&acl[i], &who))
				break;
		}
		if (i == *count)
			acl[(*count)++] = who;
	}
	return true;
}

enum kw_err subject_change_acl(struct identity acl[WIRE_ACL_MAX], unsigned *count, uint8_t change,
	const struct identity *who, bool *changed)
{
	unsigned i;

	*changed = false;
	for (i = 0; i < *count; i++) {
		if (subject_same_identity(&acl[i], who))
			break;
	}
	if ((i < *count) == (change == ACCESS_ALLOW))
		return KW_ERR_OK;
	if (change == ACCESS_ALLOW && *count == WIRE_ACL_MAX)
		return KW_ERR_LIMIT;
	if (change == ACCESS_ALLOW)
		acl[(*count)++] = *who;
	else
		acl[i] = acl[--*count];
	*changed = true;
	return KW_ERR_OK;
}

void subject_refuse(struct call *c, const struct subject *s)
{
	if (s->open) {
		key_count_refusal(c->core, s->open);
		return;
	}
	atomic_fetch_add(&c->core->refusals, 1);
	store_count_refusal(c->core->store, s->meta.id);
}

enum kw_err subject_read(struct call *c, const uint8_t *id, struct subject *s)
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
	if (!token_is_there(c->core, &s->meta.token))
		return KW_ERR_NO_KEY;
	/* Names move without a new record: the store has the one that counts. */
	memcpy(s->meta.name, entry.name, sizeof(s->meta.name));
	s->counters = entry.counters;
	return KW_ERR_OK;
}

static enum kw_err read_sealed(struct call *c, const uint8_t *record, size_t len, struct subject *s)
{
	const struct key *key;
	enum kw_err err;

	err = key_load_sealed(c->core, c->session, record, len, &s->meta, &s->open);
	if (err)
		return err;
	memcpy(s->record, record, len);
	s->record_len = len;
	key = s->open;
	s->counters.signatures = key->signatures;
	s->counters.last_use = key->last_use;
	s->counters.refusals = key->refusals;
	return KW_ERR_OK;
}

enum kw_err subject_get(
	struct call *c, struct reader *req, uint8_t rights, bool sealed_too, struct subject *s)
{
	struct store_entry entry;
	uint8_t how = get_u8(req);
	const uint8_t *p;
	size_t n;
	enum kw_err err = KW_ERR_BAD_REQUEST;

	if (how == TARGET_ID) {
		p = get_bytes(req, WIRE_ID_SIZE);
		if (p)
			err = subject_read(c, p, s);
	} else if (how == TARGET_NAME) {
		p = get_field8(req, WIRE_NAME_MAX, &n);
		if (p)
			err = store_find_name(c->core->store, (const char *)p, n, &entry);
		if (!err)
			err = subject_read(c, entry.id, s);
	} else if (how == TARGET_RECORD && sealed_too) {
		p = get_field16(req, WIRE_RECORD_MAX, &n);
		if (p)
			err = read_sealed(c, p, n, s);
	}
	if (err)
		return err;
	if (subject_rights(c->session, &s->meta) & rights)
		return rights == RIGHT_MANAGE ? token_check(c->core, c->session, &s->meta.token)
					      : KW_ERR_OK;
	subject_refuse(c, s);
	return rights & RIGHT_USE ? KW_ERR_ACCESS : KW_ERR_NOT_OWNER;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptions of keys: how they are decoded and what they tell. */
#include "key.h"

#include <stdlib.h>
#include <string.h>

#include "wire/der.h"

static const uint32_t purposes_known = 0
#define KW_PURPOSE(bit, NAME, name, sentence) | UINT32_C(1) << bit
#include "keyward/algorithms.def"
	;

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

struct kw_target kw_target_from_text(const char *text, uint8_t id[KW_ID_SIZE])
{
	struct kw_target by_name = {.name = text};

	if (!text || strlen(text) != (size_t)2 * KW_ID_SIZE)
		return by_name;
	for (size_t i = 0; i < KW_ID_SIZE; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return by_name;
		id[i] = (uint8_t)(high << 4 | low);
	}
	return (struct kw_target){.id = id};
}

enum kw_err check_stored(const struct kw_target *t)
{
	if (t && t->record)
		return explain(KW_ERR_ARGUMENT,
			"this is for keys that are stored in the TEE; a sealed key is its file");
	return KW_ERR_OK;
}

enum kw_err put_target(struct writer *w, const struct kw_target *t)
{
	size_t len;

	if (!t || (t->name != NULL) + (t->id != NULL) + (t->record != NULL) != 1)
		return explain(
			KW_ERR_ARGUMENT, "a key is named by exactly one of name, id and record");
	if (t->id) {
		put_u8(w, TARGET_ID);
		put_bytes(w, t->id, KW_ID_SIZE);
	} else if (t->name) {
		len = strnlen(t->name, KW_NAME_MAX + 1);
		if (len == 0 || len > KW_NAME_MAX)
			return explain(KW_ERR_BAD_NAME, "%s", kw_strerror(KW_ERR_BAD_NAME));
		put_u8(w, TARGET_NAME);
		put_field8(w, t->name, len);
	} else {
		if (t->record_len == 0 || t->record_len > KW_RECORD_MAX)
			return explain(KW_ERR_ARGUMENT,
				"a sealed key's record has 1 to %d bytes, and this one %zu",
				KW_RECORD_MAX, t->record_len);
		put_u8(w, TARGET_RECORD);
		put_field16(w, t->record, t->record_len);
	}
	return KW_ERR_OK;
}

void put_identity(struct writer *w, const struct kw_identity *who)
{
	put_u8(w, enum_byte(who->kind));
	put_u32(w, who->id);
}

void get_identity(struct reader *r, struct kw_identity *who)
{
	uint8_t kind = get_u8(r);

	if (kind != IDENTITY_USER && kind != IDENTITY_GROUP)
		r->failed = true;
	who->kind = kind == IDENTITY_GROUP ? KW_IDENTITY_GROUP : KW_IDENTITY_USER;
	who->id = get_u32(r);
}

enum kw_err put_acl(struct writer *w, const struct kw_identity *allow, unsigned count)
{
	if (count > WIRE_ACL_MAX)
		return explain(KW_ERR_LIMIT,
			"an access list has at most %d entries, and this one %u; use a "
			"group",
			WIRE_ACL_MAX, count);
	put_u8(w, (uint8_t)count);
	for (unsigned i = 0; i < count; i++)
		put_identity(w, &allow[i]);
	return KW_ERR_OK;
}

enum kw_err put_attributes(struct writer *w, const uint8_t *attributes, size_t len)
{
	if (len > KW_ATTRIBUTES_MAX)
		return explain(KW_ERR_TOO_LARGE, "attributes have at most %d bytes, and these %zu",
			KW_ATTRIBUTES_MAX, len);
	put_field16(w, attributes, len);
	return KW_ERR_OK;
}

unsigned get_acl(struct reader *r, struct kw_identity *allowed)
{
	unsigned count = get_u8(r);

	if (count > WIRE_ACL_MAX) {
		r->failed = true;
		count = 0;
	}
	for (unsigned i = 0; i < count; i++)
		get_identity(r, &allowed[i]);
	return count;
}

bool get_copied(struct reader *r, size_t max, uint8_t **p, size_t *len)
{
	const uint8_t *field = get_field16(r, max, len);

	*p = NULL;
	if (!field || !*len)
		return true;
	*p = copy_bytes(field, *len);
	return *p != NULL;
}

bool name_is_good(const uint8_t *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t c = name[i];
		bool starts = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			      (c >= 'a' && c <= 'z') || c == '*' || c == '_';

		if (!starts && (i == 0 || !c || !strchr(".-@+", c)))
			return false;
	}
	return true;
}

static void get_name(struct reader *r, char name[KW_NAME_MAX + 1])
{
	size_t len;
	const uint8_t *p = get_field8(r, KW_NAME_MAX, &len);

	if (!p)
		return;
	if (!name_is_good(p, len))
		r->failed = true;
	memcpy(name, p, len);
	name[len] = '\0';
}

uint8_t *copy_bytes(const uint8_t *src, size_t len)
{
	uint8_t *p = malloc(len ? len : 1);

	if (p && len)
		memcpy(p, src, len);
	return p;
}

uint8_t get_slot(struct reader *r)
{
	uint8_t slot = get_u8(r);

	if (!slot || slot > WIRE_SLOT_MAX)
		r->failed = true;
	return slot;
}

static void get_body(struct reader *r, struct kw_key *k)
{
	uint8_t type;

	get_copy(r, k->id, KW_ID_SIZE);
	type = get_u8(r);
	k->type = (enum kw_key_type)type;
	k->origin = get_u8(r);
	k->place = get_u8(r);
	if (k->place == PLACE_TOKEN) {
		k->place = PLACE_STORED;
		k->slot = get_slot(r);
	}
	k->purposes = get_u32(r);
	k->created = get_u64(r);
	get_identity(r, &k->owner);
	get_name(r, k->name);
	k->allowed_count = get_acl(r, k->allowed);
	k->rights = get_u8(r);
	k->signatures = get_u64(r);
	k->last_use = get_u64(r);
	k->refusals = get_u64(r);
	if (!kw_key_type_name(k->type) ||
		(k->origin != ORIGIN_GENERATED && k->origin != ORIGIN_IMPORTED) ||
		(k->place != PLACE_STORED && k->place != PLACE_SEALED) || k->purposes == 0 ||
		k->purposes & ~purposes_known || k->rights & ~(RIGHT_USE | RIGHT_MANAGE))
		r->failed = true;
}

static bool public_part_is_good(const struct kw_key *k, const uint8_t *p)
{
	if (!kw_key_type_is_secret(k->type))
		return der_is_well_formed(p, k->spki_len);
	return k->spki_len == 2 && p[0] == 0 && p[1] > 0 && p[1] <= KW_SECRET_MAX;
}

enum kw_err get_description(struct reader *r, bool with_spki, struct kw_key **key)
{
	struct kw_key *k = calloc(1, sizeof(*k));
	enum kw_err err = KW_ERR_PROTOCOL;

	*key = NULL;
	if (!k)
		goto out;
	get_body(r, k);
	if (!get_copied(r, WIRE_SPKI_MAX, &k->spki, &k->spki_len) ||
		!get_copied(r, WIRE_ATTRIBUTES_MAX, &k->attributes, &k->attributes_len)) {
		kw_key_free(&k);
		goto out;
	}
	if (r->failed || with_spki != (k->spki_len > 0))
		goto out;
	if (with_spki && !public_part_is_good(k, k->spki))
		goto out;
	*key = k;
	k = NULL;
	return KW_ERR_OK;
out:
	if (!k)
		err = explain(KW_ERR_NO_MEMORY, "there is no memory for a key's description");
	kw_key_free(&k);
	return err;
}

enum kw_err get_key(struct reader *r, bool with_record, struct kw_key **key)
{
	struct kw_key *k = NULL;
	enum kw_err err = get_description(r, true, &k);
	const uint8_t *record = NULL;

	*key = NULL;
	if (err)
		goto out;
	err = KW_ERR_PROTOCOL;
	if (with_record) {
		record = get_field16(r, KW_RECORD_MAX, &k->record_len);
		if ((k->place == PLACE_SEALED) != (k->record_len > 0))
			goto out;
	}
	if (!reader_done(r))
		goto out;
	if (k->record_len) {
		k->record = copy_bytes(record, k->record_len);
		if (!k->record) {
			err = explain(KW_ERR_NO_MEMORY, "there is no memory for a sealed key");
			goto out;
		}
	}
	*key = k;
	k = NULL;
	err = KW_ERR_OK;
out:
	kw_key_free(&k);
	return err;
}

void kw_key_free(struct kw_key **key)
{
	if (!key || !*key)
		return;
	free((*key)->spki);
	free((*key)->attributes);
	free((*key)->record);
	free(*key);
	*key = NULL;
}

const uint8_t *kw_key_id(const struct kw_key *k)
{
	return k->id;
}

const char *kw_key_name(const struct kw_key *k)
{
	return k->name;
}

enum kw_key_type kw_key_type(const struct kw_key *k)
{
	return k->type;
}

uint32_t kw_key_purposes(const struct kw_key *k)
{
	return k->purposes;
}

unsigned kw_key_token(const struct kw_key *k)
{
	return k->slot;
}

bool kw_key_is_sealed(const struct kw_key *k)
{
	return k->place == PLACE_SEALED;
}

bool kw_key_is_imported(const struct kw_key *k)
{
	return k->origin == ORIGIN_IMPORTED;
}

uint64_t kw_key_created(const struct kw_key *k)
{
	return k->created;
}

struct kw_identity kw_key_owner(const struct kw_key *k)
{
	return k->owner;
}

unsigned kw_key_allowed(const struct kw_key *k)
{
	return k->allowed_count;
}

struct kw_identity kw_key_allowed_at(const struct kw_key *k, unsigned i)
{
	return i < k->allowed_count ? k->allowed[i] : (struct kw_identity){0};
}

bool kw_key_may_use(const struct kw_key *k)
{
	return k->rights & RIGHT_USE;
}

bool kw_key_may_manage(const struct kw_key *k)
{
	return k->rights & RIGHT_MANAGE;
}

uint64_t kw_key_signatures(const struct kw_key *k)
{
	return k->signatures;
}

uint64_t kw_key_last_use(const struct kw_key *k)
{
	return k->last_use;
}

uint64_t kw_key_refusals(const struct kw_key *k)
{
	return k->refusals;
}

const uint8_t *kw_key_spki(const struct kw_key *k, size_t *len)
{
	bool has = k->spki && !kw_key_type_is_secret(k->type);

	*len = has ? k->spki_len : 0;
	return has ? k->spki : NULL;
}

size_t kw_key_secret_size(const struct kw_key *k)
{
	return k->spki && kw_key_type_is_secret(k->type) ? k->spki[1] : 0;
}

const uint8_t *kw_key_record(const struct kw_key *k, size_t *len)
{
	*len = k->record_len;
	return k->record;
}

const uint8_t *kw_key_attributes(const struct kw_key *k, size_t *len)
{
	*len = k->attributes_len;
	return k->attributes;
}

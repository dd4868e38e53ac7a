/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLIENT_KEY_H
#define CLIENT_KEY_H

#include "internal.h"

/* A description. Everything in it is public. */
struct kw_key {
	uint8_t id[KW_ID_SIZE];
	char name[KW_NAME_MAX + 1];
	enum kw_key_type type;
	uint32_t purposes;
	uint8_t origin; /* enum wire_origin */
	uint8_t place;  /* PLACE_STORED or PLACE_SEALED */
	uint8_t slot;   /* of the token that it is on */
	uint8_t rights; /* of this caller: RIGHT_USE, RIGHT_MANAGE */
	uint64_t created;
	uint64_t signatures;
	uint64_t last_use;
	uint64_t refusals;
	struct kw_identity owner;
	struct kw_identity allowed[WIRE_ACL_MAX];
	unsigned allowed_count;
	uint8_t *spki; /* NULL out of a listing; of a secret key u16 its length */
	size_t spki_len;
	uint8_t *attributes; /* NULL when there are none */
	size_t attributes_len;
	uint8_t *record; /* NULL unless the reply had one */
	size_t record_len;
};

/* The characters of BAD_NAME in errors.def: what is safe on a terminal and in a command. Empty
 * is good. */
bool name_is_good(const uint8_t *name, size_t len);

/* How calls name a key, as it goes into a request. */
enum kw_err put_target(struct writer *w, const struct kw_target *t) KW_MUST_USE;
void put_identity(struct writer *w, const struct kw_identity *who);
/* An access list. KW_ERR_LIMIT. */
enum kw_err put_acl(struct writer *w, const struct kw_identity *allow, unsigned count) KW_MUST_USE;
/* What a key or object carries for its users. KW_ERR_TOO_LARGE. */
enum kw_err put_attributes(struct writer *w, const uint8_t *attributes, size_t len) KW_MUST_USE;
void get_identity(struct reader *r, struct kw_identity *who);
/* Of a token, 1 to WIRE_SLOT_MAX. */
uint8_t get_slot(struct reader *r);
/* Returns how many; allowed has WIRE_ACL_MAX entries. */
unsigned get_acl(struct reader *r, struct kw_identity *allowed);
/* A field as a copy in *p, NULL when it is empty. False: there is no memory. */
bool get_copied(struct reader *r, size_t max, uint8_t **p, size_t *len) KW_MUST_USE;
/* The description of a new key. */
enum kw_err put_template(struct writer *w, const struct kw_key_template *t) KW_MUST_USE;
/* The same for calls that only stored keys can be given to. */
enum kw_err check_stored(const struct kw_target *t) KW_MUST_USE;

/* Reads one description. KW_ERR_PROTOCOL (not explained: see call_nonsense) or KW_ERR_NO_MEMORY. */
enum kw_err get_description(struct reader *r, bool with_spki, struct kw_key **key) KW_MUST_USE;
/* Reads a reply that is one description and, if `with_record`, a field with a record, which a
 * sealed key must and a stored one must not have. */
enum kw_err get_key(struct reader *r, bool with_record, struct kw_key **key) KW_MUST_USE;

#endif

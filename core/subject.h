/* SPDX-License-Identifier: BSD-2-Clause */
/* The key that a request is about, and how requests and replies speak of it. */
#ifndef CORE_SUBJECT_H
#define CORE_SUBJECT_H

#include "core_state.h"

/* Large: on the heap. */
struct subject {
	struct key_meta meta;
	uint8_t record[WIRE_RECORD_MAX];
	size_t record_len;
	struct store_counters counters;
	struct crypto_key *crypto; /* where a command needs it */
	struct key *open;          /* of a sealed key: it has the counters */
};

struct subject *subject_new(void) KW_MUST_USE;
/* NULL is fine. */
void subject_free(struct subject *s);

/* Reads a target (docs/PROTOCOL.md) and finds its key; the caller must have one of the rights: else
 * KW_ERR_ACCESS, or KW_ERR_NOT_OWNER when managing is the only one asked for, and it is counted. Then what
 * is on a token needs a login as well: KW_ERR_NOT_LOGGED_IN. Descriptions do not. */
enum kw_err subject_get(struct call *c, struct reader *req, uint8_t rights, bool sealed_too,
	struct subject *s) KW_MUST_USE;
/* The same for a stored key by its id, with no look at rights. */
enum kw_err subject_read(struct call *c, const uint8_t *id, struct subject *s) KW_MUST_USE;
void subject_refuse(struct call *c, const struct subject *s);

/* RIGHT_ bits of the caller. */
uint8_t subject_rights(const struct session *session, const struct key_meta *m) KW_MUST_USE;

bool subject_get_identity(struct reader *r, struct identity *who) KW_MUST_USE;
/* Those that are there twice are taken once. */
bool subject_get_acl(struct reader *r, struct identity acl[WIRE_ACL_MAX], unsigned *count);
/* Whether the list changed. KW_ERR_LIMIT: it is full. */
enum kw_err subject_change_acl(struct identity acl[WIRE_ACL_MAX], unsigned *count, uint8_t change,
	const struct identity *who, bool *changed) KW_MUST_USE;
void subject_put_identity(struct writer *w, const struct identity *who);
void subject_put_acl(struct writer *w, const struct identity *acl, unsigned count);
bool subject_same_identity(const struct identity *a, const struct identity *b) KW_MUST_USE;

/* A key's description. */
void subject_put(struct writer *w, const struct key_meta *m, const struct store_counters *n,
	uint8_t rights, bool with_spki);
/* The same and, for a sealed key, its record. */
void subject_put_result(struct call *c, struct writer *w, const struct subject *s);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record of a key: what is public about it, authenticated, and its private part, encrypted. The same
 * bytes are a value in the store and the contents of a sealed key's file. docs/KEYS.md has the format.
 */
#ifndef CORE_KEY_RECORD_H
#define CORE_KEY_RECORD_H

#include "core.h"
#include "crypto.h"
#include "sealing.h"

/* The token that a key or object is on. Slot 0: the default one, which has no id. */
struct token_ref {
	uint8_t slot;
	uint8_t id
		[WIRE_ID_SIZE]; /* of the token there: one that was initialised again has another */
};

struct key_meta {
	uint8_t id[WIRE_ID_SIZE];
	uint8_t type;   /* enum key_type */
	uint8_t origin; /* enum wire_origin */
	uint8_t place;  /* enum wire_key_place */
	uint32_t purposes;
	uint64_t created; /* seconds since 1970 */
	struct identity owner;
	char name[WIRE_NAME_MAX + 1];
	struct identity acl[WIRE_ACL_MAX];
	unsigned acl_count;
	uint8_t spki[WIRE_SPKI_MAX]; /* of a secret key its id, then u16 its length in bytes */
	size_t spki_len;
	uint8_t attributes
		[WIRE_ATTRIBUTES_MAX]; /* the users' own: kept and shown, never looked into */
	size_t attributes_len;
	struct token_ref token;
};

/* Identities as records have them: with the client UUID, which is what counts. */
void record_put_identity(struct writer *w, const struct identity *who);
void record_get_identity(struct reader *r, struct identity *who);
void record_put_acl(struct writer *w, const struct identity *acl, unsigned count);
void record_get_acl(struct reader *r, struct identity acl[WIRE_ACL_MAX], unsigned *count);
void record_put_token(struct writer *w, const struct token_ref *token);
void record_get_token(struct reader *r, struct token_ref *token);
#define RECORD_TOKEN_SIZE (1 + WIRE_ID_SIZE) /* at most */
#define RECORD_SECRET_SIZE (WIRE_ID_SIZE + 2)

/* Sets meta->spki, spki_len and id from the key. A secret key gets another id each time. */
enum kw_err record_describe(struct key_meta *meta, const struct crypto_key *key) KW_MUST_USE;
/* out has WIRE_RECORD_MAX bytes. Each call uses a fresh key for the encryption. */
enum kw_err record_seal(const struct record_key *rk, const struct key_meta *meta,
	const struct crypto_key *key, uint8_t *out, size_t *len) KW_MUST_USE;
/* Only reads the public part. For records that the store has authenticated: nothing else does here. */
enum kw_err record_parse(const struct record_key *rk, const uint8_t *record, size_t len,
	struct key_meta *meta) KW_MUST_USE;
/* Authenticates and opens. *key is the caller's. KW_ERR_OTHER_DEVICE, KW_ERR_CORRUPT. */
enum kw_err record_open(const struct record_key *rk, const uint8_t *record, size_t len,
	struct key_meta *meta, struct crypto_key **key) KW_MUST_USE;

#endif

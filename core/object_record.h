/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record of an object that is not a key: a certificate, or data. What describes it is authenticated,
 * its value is encrypted. docs/KEYS.md has the format.
 */
#ifndef CORE_OBJECT_RECORD_H
#define CORE_OBJECT_RECORD_H

#include "key_record.h"
#include "store.h"

/* Large: on the heap. */
struct object {
	uint8_t id[WIRE_ID_SIZE]; /* random: the same certificate may be there twice */
	uint8_t kind;             /* enum wire_object_kind */
	bool is_public;           /* everybody may read it */
	uint64_t created;         /* seconds since 1970 */
	struct identity owner;
	struct identity acl[WIRE_ACL_MAX];
	unsigned acl_count;
	uint8_t attributes[WIRE_ATTRIBUTES_MAX];
	size_t attributes_len;
	struct token_ref token;
	size_t value_len;
	uint8_t record[STORE_OBJECT_MAX];
	size_t record_len;
};

/* Makes o->record of the rest of *o and the value, n <= WIRE_OBJECT_MAX bytes. */
enum kw_err object_record_seal(
	const struct record_key *rk, struct object *o, const uint8_t *value, size_t n) KW_MUST_USE;
/* Reads what o->record says but for the value; o->id is set and must be the record's. For records that
 * the store has authenticated. KW_ERR_CORRUPT, _OTHER_DEVICE, _STORE_VERSION. */
enum kw_err object_record_parse(const struct record_key *rk, struct object *o) KW_MUST_USE;
/* The same, and authenticates and decrypts. *value lies in o->record, which is no record then. */
enum kw_err object_record_open(
	const struct record_key *rk, struct object *o, const uint8_t **value) KW_MUST_USE;

#endif

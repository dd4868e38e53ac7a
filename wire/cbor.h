/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small strict CBOR codec (RFC 8949): integers, strings, arrays, maps, tags, booleans and null, in
 * the one form of the core deterministic encoding (4.2.1). The only code that reads or writes CBOR in
 * the TEE and in the client library.
 */
#ifndef WIRE_CBOR_H
#define WIRE_CBOR_H

#include "codec.h"

/* Arrays, maps and tags within each other that a reader follows. */
#define CBOR_DEPTH_MAX 8

enum cbor_type {
	CBOR_UNSIGNED = 0,
	CBOR_NEGATIVE = 1,
	CBOR_BYTES = 2,
	CBOR_TEXT = 3,
	CBOR_ARRAY = 4,
	CBOR_MAP = 5,
	CBOR_TAG = 6,
	CBOR_SIMPLE = 7, /* false, true and null */
};

/* Writing. Whoever writes a map writes its keys in the order of their encodings, each once. */
void cbor_put_uint(struct writer *w, uint64_t v);
void cbor_put_int(struct writer *w, int64_t v);
void cbor_put_bytes(struct writer *w, const void *p, size_t n);
/* UTF-8 up to the NUL. */
void cbor_put_text(struct writer *w, const char *text);
/* The next n items, or pairs of items, are its contents. */
void cbor_put_array(struct writer *w, size_t n);
void cbor_put_map(struct writer *w, size_t n);
/* Of the next item. */
void cbor_put_tag(struct writer *w, uint64_t tag);
void cbor_put_bool(struct writer *w, bool v);
void cbor_put_null(struct writer *w);

/*
 * Reading, item by item. An item of another type, one that is not in its shortest form, an indefinite
 * length, and a text that is not UTF-8 are failures; so are strings of more than `max` bytes and arrays and
 * maps of more than `max` items or pairs. On failure r->failed, and zero or NULL.
 */
uint64_t cbor_get_uint(struct reader *r);
int64_t cbor_get_int(struct reader *r);
/* In place; the pointer lives as long as the buffer, and is not NULL for an empty string. */
const uint8_t *cbor_get_bytes(struct reader *r, size_t max, size_t *n);
/* No NUL at the end, but there may be one inside. */
const uint8_t *cbor_get_text(struct reader *r, size_t max, size_t *n);
size_t cbor_get_array(struct reader *r, size_t max);
size_t cbor_get_map(struct reader *r, size_t max);
uint64_t cbor_get_tag(struct reader *r);
bool cbor_get_bool(struct reader *r);
/* The type of the next item, which is not read. False at the end. */
bool cbor_peek(const struct reader *r, enum cbor_type *type);
/* Reads one item of any type, with all that is in it. */
void cbor_skip(struct reader *r);
/* True when buf is exactly one item, and this in deterministic encoding all the way down: also the
 * order of keys, of which none is there twice. */
bool cbor_is_deterministic(const uint8_t *buf, size_t len);

#endif

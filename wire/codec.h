/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bounded codec: the only code that encodes or decodes wire bytes. Integers are fixed-width and
 * big-endian. Both sides have a sticky failure flag: use freely, check once at the end.
 */
#ifndef WIRE_CODEC_H
#define WIRE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Invariant: at <= end - buf. Once failed is set every read gives zero or NULL. */
struct reader {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

/* Invariant: len <= cap. Once failed is set nothing more is written. */
struct writer {
	uint8_t *buf;
	size_t len;
	size_t cap;
	bool failed;
};

struct reader reader_over(const void *buf, size_t len);
uint8_t get_u8(struct reader *r);
uint16_t get_u16(struct reader *r);
uint32_t get_u32(struct reader *r);
uint64_t get_u64(struct reader *r);
/* The next n bytes in place, or NULL and failed. The pointer lives as long as the buffer. */
const uint8_t *get_bytes(struct reader *r, size_t n);
void get_copy(struct reader *r, void *dst, size_t n);
/* A field with its length in front (1, 2 or 4 bytes); longer than max is a failure. A field of no
 * bytes gives a pointer that is not NULL. */
const uint8_t *get_field8(struct reader *r, size_t max, size_t *len);
const uint8_t *get_field16(struct reader *r, size_t max, size_t *len);
const uint8_t *get_field32(struct reader *r, size_t max, size_t *len);
size_t reader_left(const struct reader *r);
/* True when everything was read, exactly: trailing bytes are an error. */
bool reader_done(const struct reader *r);

struct writer writer_over(void *buf, size_t cap);
void put_u8(struct writer *w, uint8_t v);
void put_u16(struct writer *w, uint16_t v);
void put_u32(struct writer *w, uint32_t v);
void put_u64(struct writer *w, uint64_t v);
void put_bytes(struct writer *w, const void *src, size_t n);
/* The place of the next n bytes, for the caller to fill, or NULL and failed. */
uint8_t *put_room(struct writer *w, size_t n);
void put_field8(struct writer *w, const void *src, size_t n);
void put_field16(struct writer *w, const void *src, size_t n);
void put_field32(struct writer *w, const void *src, size_t n);

#endif

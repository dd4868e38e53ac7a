/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of the store's log: header, records, tags, and what to do about a bad tail. What a
 * record says is the store's business. docs/STORE.md describes the format.
 */
#ifndef CORE_STORE_LOG_H
#define CORE_STORE_LOG_H

#include "platform.h"
#include "crypto.h"
#include "wire/codec.h"

#define LOG_ID_SIZE 16
#define LOG_HASH_SIZE 32
#define LOG_TAG_SIZE 32
#define LOG_HEADER_SIZE 120
#define LOG_RECORD_HEAD (4 + 8 + LOG_HASH_SIZE)
#define LOG_RECORD_MIN (LOG_RECORD_HEAD + 1 + LOG_TAG_SIZE)
/* Bounds what a crash can tear, what a bad tail's search costs, and the buffer that builds
 * records. */
#define LOG_RECORD_MAX 32768

/* The format that logs are written in. Older ones are read: 1 has no objects, 2 no tokens. */
#define LOG_FORMAT 3

/* How far a log goes. */
struct log_end {
	uint64_t size;               /* bytes that are good */
	uint64_t sequence;           /* of the last record, or what the header starts from */
	uint8_t hash[LOG_HASH_SIZE]; /* SHA-256 of the last record, or of the header */
};

struct log {
	struct storage *storage;
	uint8_t store_id[LOG_ID_SIZE];
	uint8_t key[CRYPTO_KEY_SIZE]; /* of this log's record tags */
	struct log_end end;
	uint32_t format; /* that the header says */
	/* Where the last record starts that log_replay found; the end when there is none. */
	uint64_t last_at;
};

/* Writes the header of an empty log: log->storage, ->store_id and ->end.sequence are set. Not
 * synced. */
enum kw_err log_create(struct log *log, const uint8_t device_key[DEVICE_KEY_SIZE]) KW_MUST_USE;

/* What a record says, `at` being the offset of the payload in the log. */
typedef enum kw_err log_apply(void *context, const uint8_t *payload, size_t len, uint64_t at);

/*
 * Reads a log of `size` bytes from its start; log->storage is set. A tail that a crash tore is left
 * out of log->end. KW_ERR_CORRUPT, _OTHER_DEVICE, _STORE_VERSION, each logged, or what storage or
 * `apply` gave.
 */
enum kw_err log_replay(struct log *log, const uint8_t device_key[DEVICE_KEY_SIZE], uint64_t size,
	log_apply *apply, void *context) KW_MUST_USE;

/* A record is built in a buffer of LOG_RECORD_MAX bytes: log_begin, payload, log_append. */
struct writer log_begin(uint8_t *buf);
/* Bytes that still fit. */
size_t log_room(const struct writer *w);
/* The offset in the log that the next byte of the payload will have. */
uint64_t log_offset(const struct log *log, const struct writer *w);
/* Completes the record and appends it; log->end moves past it. Not synced. */
enum kw_err log_append(struct log *log, struct writer *w) KW_MUST_USE;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a TEE must offer to the core, crypto.h aside. Everything here is called with private memory
 * only. All functions may be called from several threads unless they say otherwise.
 */
#ifndef CORE_PLATFORM_H
#define CORE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/errors.h"
#include "wire/wire.h"

/* --- Memory. Zeroed; freed memory is wiped first. NULL when there is none. p may be NULL. --- */
void *platform_alloc(size_t size) KW_MUST_USE;
void platform_free(void *p, size_t size);
/* A wipe that the compiler keeps. */
void platform_wipe(void *p, size_t size);

/* --- Time and randomness --- */
/* Seconds since 1970-01-01, as good as the TEE's clock. */
uint64_t platform_time(void);
enum kw_err platform_random(void *buf, size_t n) KW_MUST_USE;

/* --- Locks. A TEE with one thread gives empty ones. They do not nest with themselves. --- */
struct platform_mutex;
struct platform_mutex *platform_mutex_new(void) KW_MUST_USE;
void platform_mutex_free(struct platform_mutex **m);
void platform_mutex_lock(struct platform_mutex *m);
void platform_mutex_unlock(struct platform_mutex *m);

/* --- The device --- */
#define DEVICE_KEY_SIZE 32
/* A key that only this device and this TEE can derive, for the purpose that `label` names. */
enum kw_err platform_device_key(const char *label, uint8_t key[DEVICE_KEY_SIZE]) KW_MUST_USE;
/* The client UUID of a user or group (version 5, namespace 58ac9ca0-2086-4683-a1b8-ec4bc08e01b6, of
 * the name "uid=%x" or "gid=%x"), as OP-TEE's Linux driver makes it. */
enum kw_err platform_identity(
	enum wire_identity_kind kind, uint32_t id, uint8_t uuid[WIRE_UUID_SIZE]) KW_MUST_USE;

/* --- Storage: one append-only log that is swapped as a whole. Called by one thread at a time, except
 * storage_read, which may run beside everything but storage_close of the same log. An error leaves
 * what was synced before as it was. KW_ERR_STORE_FULL: no room; all else that fails: _STORE_IO. --- */
struct storage;

/* Opens the log, creating an empty one when there is none. From then on a crash finds the same one, but
 * not all bytes that were not synced. KW_ERR_STORE_BUSY: somebody has it open. */
enum kw_err storage_open(struct storage **s) KW_MUST_USE;
/* A log from storage_begin that was not swapped in is discarded. NULL-safe. */
void storage_close(struct storage **s);
enum kw_err storage_size(struct storage *s, uint64_t *size) KW_MUST_USE;
/* Reads exactly n bytes at the offset; fewer left is KW_ERR_CORRUPT. */
enum kw_err storage_read(struct storage *s, uint64_t offset, void *buf, size_t n) KW_MUST_USE;
/* Adds n bytes at the end. After an error the end is unknown: see storage_truncate. */
enum kw_err storage_append(struct storage *s, const void *buf, size_t n) KW_MUST_USE;
/* What was appended is durable when this returns 0. */
enum kw_err storage_sync(struct storage *s) KW_MUST_USE;
/* Writes the bytes from `from` on once more, and syncs. Another process may have failed to sync them: then
 * they can be seen, are on no disk, and a mere sync says that all is well. On failure they stay as they
 * were. */
enum kw_err storage_resync(struct storage *s, uint64_t from) KW_MUST_USE;
/* Cuts the log to size bytes, durably. */
enum kw_err storage_truncate(struct storage *s, uint64_t size) KW_MUST_USE;
/* A new empty log beside the current one. One that a crash left behind is discarded. */
enum kw_err storage_begin(struct storage *s, struct storage **fresh) KW_MUST_USE;
/* Puts `fresh`, which is synced, in the place of `s`, as a whole: after a crash one or the other is the
 * log. On success `fresh` is the log, `s` can only be read and closed, and the swap is durable at the
 * latest when the next storage_sync(fresh) returns 0. On failure `s` still is the log. */
enum kw_err storage_swap(struct storage *s, struct storage *fresh) KW_MUST_USE;

/* --- Reporting --- */
/* One line for the administrator. Never a secret, never raw bytes from a caller. */
void platform_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct platform_protection {
	const char *id;       /* short, stable, for scripts */
	const char *sentence; /* for a person: what it does, or what is missing and what to do */
	enum wire_protection_state state;
};
/* Static facts for STATUS. */
enum wire_tee_kind platform_kind(void);
const char *platform_version(void);
/* Where the log is kept, for a person: "a file in /var/lib/keyward". */
const char *platform_storage(void);
/* Bytes of the TEE's own memory in use, and the most there may be: 0 when nothing bounds it. */
void platform_memory(uint64_t *used, uint64_t *most);
/* i-th protection, or NULL past the last. */
const struct platform_protection *platform_protection(unsigned i);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the Trusted Application. */
#ifndef TEE_OPTEE_PLATFORM_OPTEE_H
#define TEE_OPTEE_PLATFORM_OPTEE_H

#include "core/platform.h"

/* Bound on open keys: see user_ta_header_defines.h. */
#define PLATFORM_CACHE_BYTES (3u << 20)

/* Before core_open. May be called again when it failed. */
enum kw_err platform_optee_init(void) KW_MUST_USE;
void platform_optee_done(void);
/* From here on what is allocated may stay for good, so it leaves room for what does not. */
void platform_optee_grows(bool grows);
bool platform_optee_is_growing(void);
/* A text of OP-TEE's own properties, "" when there is none: valid for ever, but one per call. */
const char *platform_tee_property(const char *name, char *buf, size_t size);

/* --- device_key.c --- */
enum kw_err device_key_load(void) KW_MUST_USE;
void device_key_forget(void);
/* The hardware unique key that it comes from is all zeros: no secret at all. */
bool device_key_is_zero(void);

/* --- random_optee.c --- */
enum kw_err random_open(void) KW_MUST_USE;
/* Before anything that must never come twice is made: keys, and what records are encrypted under. A signature
 * needs no such thing, since it is made from the key and the message as well. */
enum kw_err random_save(void) KW_MUST_USE;
/* Anything, from anybody: it can make what comes better, not worse. */
void random_add(const void *p, size_t n);
/* OP-TEE's generator has started with the same numbers as at an earlier start. */
bool random_has_repeated(void);

/* --- storage_optee.c --- */
enum storage_kind {
	STORAGE_UNKNOWN, /* not opened yet */
	STORAGE_REE,     /* files of the normal world, encrypted and authenticated */
	STORAGE_RPMB,    /* the replay-protected part of an eMMC */
};
enum storage_kind storage_optee_kind(void);

/* --- storage_room.c --- */
/* May the log, of this size, be made larger by another key? False when OP-TEE's heap is too small. */
bool storage_room_for_more(uint64_t size);

#endif

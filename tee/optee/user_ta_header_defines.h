/* SPDX-License-Identifier: BSD-2-Clause */
/* What OP-TEE has to know about the Trusted Application; the kit's user_ta_header.c reads it. */
#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#include "wire/optee.h"

#define TA_UUID OPTEE_TA_UUID

/*
 * One instance serves every session and stays when the last one is closed: it has the store's index and
 * the open keys. Without INSTANCE_KEEP_CRASHED, so that after a panic the next session gets a new one.
 */
#define TA_FLAGS (TA_FLAG_SINGLE_INSTANCE | TA_FLAG_MULTI_SESSION | TA_FLAG_INSTANCE_KEEP_ALIVE)

/*
 * The most that was found used is 23 KiB, by the generation of an RSA-4096 key; signatures take 10, all
 * other commands less than 8. GMP takes its scratch space from the stack, up to 64 KiB at a time, but
 * for numbers of this size it needs a few only, and a caller cannot make numbers larger than a key's.
 * After an operation that was broken off 32 KiB are wiped.
 */
#define TA_STACK_SIZE (80 * 1024)

/*
 * Secure memory is scarce: Debian's OP-TEE for QEMU has 15 MiB for all. This is taken when the
 * application is loaded, for
 *   3 MiB      open keys, which is PLATFORM_CACHE_BYTES: 1,500 RSA-2048 keys, 1,000 RSA-4096 keys, or 5,000
 *              of the other types
 *   1 MiB      pages of the log, twice while it is compacted
 *   0.4 MiB    the rooms that platform_optee.c keeps free
 *   0.2 MiB    buffers of the store, and sessions
 *   the rest   the store's index: 310 bytes a key or object, so there is room for 4,500 stored keys; storage_room.c
 *              has the bound of OP-TEE's own heap
 * The 130 KiB of request and reply are static, besides.
 */
#define TA_DATA_SIZE (6 << 20)

#define TA_VERSION KW_VERSION
#define TA_DESCRIPTION "Keyward: private keys that never leave the TEE"

#endif

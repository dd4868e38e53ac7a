/* SPDX-License-Identifier: BSD-2-Clause */
/* What OP-TEE has to know about the Trusted Application; the kit's user_ta_header.c reads it. */
#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#include "wire/optee.h"

#define TA_UUID OPTEE_TA_UUID

/*
 * One instance serves every session and stays when the last one is closed: it has the store's index and
 * the open keys. Without INSTANCE_KEEP_CRASHED, so that after a panic the next session gets a new one.
 * A handle on an object that OP-TEE found corrupt stays ours to close.
 */
#define TA_FLAGS                                                                         \
	(TA_FLAG_SINGLE_INSTANCE | TA_FLAG_MULTI_SESSION | TA_FLAG_INSTANCE_KEEP_ALIVE | \
		TA_FLAG_DONT_CLOSE_HANDLE_ON_CORRUPT_OBJECT)

#define TA_STACK_SIZE (128 * 1024)
#define TA_DATA_SIZE (6 * 1024 * 1024)

#define TA_VERSION KW_VERSION
#define TA_DESCRIPTION "Keyward: private keys that never leave the TEE"

#endif

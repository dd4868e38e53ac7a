/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#include "baseline.h"

#define TA_UUID BASELINE_UUID
#define TA_FLAGS (TA_FLAG_SINGLE_INSTANCE | TA_FLAG_MULTI_SESSION | TA_FLAG_INSTANCE_KEEP_ALIVE)
#define TA_STACK_SIZE (16 * 1024)
#define TA_DATA_SIZE (32 * 1024)
#define TA_DESCRIPTION "Signs with TEE_AsymmetricSignDigest, for comparison"

#endif

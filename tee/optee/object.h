/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Persistent objects of this Trusted Application, exclusively opened for reading, writing and renaming. The
 * system calls are used, since libutee's functions panic on all results that GlobalPlatform does not name,
 * such as the one for a full disk.
 */
#ifndef TEE_OPTEE_OBJECT_H
#define TEE_OPTEE_OBJECT_H

#include <tee_internal_api.h>

#include "core/platform.h"

/* A handle; 0 is none. */
typedef uint32_t object_handle;

TEE_Result object_open(uint32_t storage, const char *name, object_handle *object);
/* Empty. TEE_ERROR_ACCESS_CONFLICT: there is one. */
TEE_Result object_create(const char *name, object_handle *object);
void object_close(object_handle *object);
/* KW_ERR_OK also when there is none. */
enum kw_err object_remove(const char *name) KW_MUST_USE;
TEE_Result object_seek(object_handle object, uint64_t offset);
/* Logs what failed, and gives the core's error for it. */
enum kw_err object_failure(const char *what, const char *name, TEE_Result result);

#endif

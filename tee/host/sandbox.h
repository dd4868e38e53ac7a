/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What keeps others out of this process, and this process in. Each step records what it reached;
 * what a machine does not have is reported by STATUS and never stops the TEE.
 */
#ifndef TEE_HOST_SANDBOX_H
#define TEE_HOST_SANDBOX_H

#include <sys/types.h>

#include "wire/errors.h"

/* First thing: no core dumps, no debugger of the same user, no inherited descriptors but the `keep`
 * ones from 3 on, limits raised as far as they go. */
void sandbox_begin(unsigned keep);

/* Gives up the rights of root for good. uid 0 stays root, and is reported. */
enum kw_err sandbox_become(uid_t uid, gid_t gid, const char *name) KW_MUST_USE;

/* While there is one thread, which all others are made by: no new privileges, no capabilities,
 * locked memory, and of the file system only the store's directory. socket_dir: where the TEE may
 * remove its socket at the end, -1 for nowhere. */
void sandbox_enter(int store_dir, int socket_dir);

/* When all threads exist: only the system calls that serving needs, in all threads. */
void sandbox_seal(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What protects this TEE: collected while it starts, and reported by STATUS. */
#ifndef TEE_HOST_PROTECTION_H
#define TEE_HOST_PROTECTION_H

#include "wire/wire.h"

enum protection {
	PROTECT_DUMPABLE,
	PROTECT_SECCOMP,
	PROTECT_LANDLOCK,
	PROTECT_SECRET_MEMORY,
	PROTECT_MEMORY_LOCK,
	PROTECT_NO_NEW_PRIVS,
	PROTECT_CAPABILITIES,
	PROTECT_OWN_USER,
	PROTECT_DEVICE_SECRET,
	PROTECT_ROOT,
	PROTECT_ROLLBACK,
	PROTECT_COUNT,
};

/* Only before other threads run. The sentence says what it does, or what is missing and what to do.
 */
void protection_set(enum protection which, enum wire_protection_state state, const char *format,
	...) __attribute__((format(printf, 3, 4)));

#endif

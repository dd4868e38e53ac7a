/* SPDX-License-Identifier: BSD-2-Clause */
#include "protection.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/platform.h"
#include "secret_memory.h"

/* All of them have to fit the reply of STATUS, beside the rest. */
#define SENTENCE_MAX 512

static char sentences[PROTECT_COUNT][SENTENCE_MAX];

/* What was not set up is reported as missing, so that a forgotten step cannot look like protection.
 */
#define UNSET(name)                                            \
	{                                                      \
		name, "this was not set up", PROTECTION_ABSENT \
	}

static struct platform_protection protections[PROTECT_COUNT] = {
	[PROTECT_DUMPABLE] = UNSET("dumpable"),
	[PROTECT_SECCOMP] = UNSET("seccomp"),
	[PROTECT_LANDLOCK] = UNSET("landlock"),
	[PROTECT_SECRET_MEMORY] = UNSET("secret-memory"),
	[PROTECT_MEMORY_LOCK] = UNSET("memory-lock"),
	[PROTECT_NO_NEW_PRIVS] = UNSET("no-new-privs"),
	[PROTECT_CAPABILITIES] = UNSET("capabilities"),
	[PROTECT_OWN_USER] = UNSET("own-user"),
	[PROTECT_DEVICE_SECRET] = UNSET("device-secret"),
	[PROTECT_ROOT] = UNSET("root"),
	[PROTECT_ROLLBACK] = UNSET("rollback"),
};

void protection_set(
	enum protection which, enum wire_protection_state state, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(sentences[which], SENTENCE_MAX, format, args);
	va_end(args);
	protections[which].sentence = sentences[which];
	protections[which].state = state;
}

const struct platform_protection *platform_protection(unsigned i)
{
	return i < PROTECT_COUNT ? &protections[i] : NULL;
}

void platform_memory(uint64_t *used, uint64_t *most)
{
	size_t limit = secret_memory_limit();

	*used = secret_memory_mapped();
	*most = limit == SIZE_MAX ? 0 : limit;
}

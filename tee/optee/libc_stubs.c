/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What nettle and GMP, built for Linux, want of a C library and OP-TEE's does not have, or has as a panic.
 * They call these where they give up, which ends the operation, not the Trusted Application: see
 * crypto_nettle_memory.c.
 */
#include <stddef.h>
#include <stdint.h>
#include <tee_internal_api.h>

#include "crypto_nettle_memory.h"

__attribute__((noreturn)) void abort(void);
__attribute__((noreturn)) void __assert_fail(
	const char *what, const char *file, unsigned line, const char *function);
int raise(int signal);
int __fprintf_chk(void *stream, int flag, const char *format, ...);
const uint16_t **__ctype_b_loc(void);
char *getenv(const char *name);
char *secure_getenv(const char *name);
unsigned long getauxval(unsigned long type);

void abort(void)
{
	operation_break(KW_ERR_CRYPTO);
	/* Outside an operation this would be our own mistake. */
	TEE_Panic(TEE_ERROR_BAD_STATE);
	for (;;)
		;
}

void __assert_fail(const char *what, const char *file, unsigned line, const char *function)
{
	(void)what;
	(void)file;
	(void)line;
	(void)function;
	abort();
}

/* GMP: division by zero, a number that is too large. */
int raise(int signal)
{
	(void)signal;
	abort();
}

/* The last words before an abort(). */
int __fprintf_chk(void *stream, int flag, const char *format, ...)
{
	(void)stream;
	(void)flag;
	(void)format;
	return 0;
}

/* isspace() in GMP's reading of numbers as text, which nothing here does. */
const uint16_t **__ctype_b_loc(void)
{
	abort();
}

/* nettle's choice of instructions at run time. A Trusted Application is not told what the CPU has, so
 * those that every ARMv8-A has it is. */
char *getenv(const char *name)
{
	(void)name;
	return NULL;
}

char *secure_getenv(const char *name)
{
	return getenv(name);
}

/*
 * nettle asks which instructions the processor has. Nothing tells a Trusted Application: whoever builds it does. With
 * them AES looks up no tables, whose timing would depend on the key.
 */
unsigned long getauxval(unsigned long type)
{
#ifdef KW_CRYPTO_INSTRUCTIONS
	/* Linux, arch/arm64: AT_HWCAP; AES, PMULL, SHA1 and SHA2. */
	if (type == 16)
		return 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6;
#endif
	(void)type;
	return 0;
}

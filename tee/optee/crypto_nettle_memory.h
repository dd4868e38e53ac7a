/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations of GMP and nettle, which end with an error where the libraries would abort. */
#ifndef TEE_OPTEE_CRYPTO_NETTLE_MEMORY_H
#define TEE_OPTEE_CRYPTO_NETTLE_MEMORY_H

#include <stdbool.h>

#include "wire/errors.h"

/* Before anything else: GMP's memory is platform_alloc's from here on. */
void operation_setup(void);

/*
 * Runs run(context) and gives its result in *err. True when it came back. False when it was broken
 * off: then all that it allocated through GMP is freed, and *err says why. What it allocated otherwise
 * is still there, so an operation allocates nothing otherwise. They do not nest.
 */
bool operation_run(enum kw_err (*run)(void *context), void *context, enum kw_err *err);

/* Ends this thread's operation. Returns only when there is none. */
void operation_break(enum kw_err err);
bool operation_is_running(void);

#endif

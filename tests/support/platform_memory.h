/* SPDX-License-Identifier: BSD-2-Clause */
/* A platform for unit tests, without storage, that fails where a test wants it to. */
#ifndef TESTS_PLATFORM_MEMORY_H
#define TESTS_PLATFORM_MEMORY_H

#include "core/platform.h"

/* The n-th platform_alloc from now (1: the next one) returns NULL, once. 0: none does. */
void platform_memory_fail_alloc(unsigned n);
/* How many calls that still is away; 0 when it was met. */
unsigned platform_memory_fail_alloc_left(void);
/* Blocks that platform_alloc gave and platform_free did not get back. */
unsigned platform_memory_blocks(void);
/* The sizes of these in all: not 0 in the end when one was freed with another size. */
size_t platform_memory_bytes(void);
/* From now on platform_random gives this byte only; -1: random bytes again. */
void platform_memory_stuck_random(int byte);
/* platform_random fails from now on. */
void platform_memory_fail_random(bool fail);
/* Fixes the clock; 0: the real one. */
void platform_memory_set_time(uint64_t now);
/* Another device: device keys are derived from this number. */
void platform_memory_set_device(uint8_t device);
/* The last line that was logged, "" after none. */
const char *platform_memory_log(void);

#endif

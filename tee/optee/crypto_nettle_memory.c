/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GMP and nettle cannot report that memory is short: they take a NULL for granted or abort, and in a
 * Trusted Application an abort is a panic, which a caller must not be able to cause. So whatever uses
 * them runs as an operation, and an allocation that fails ends the operation by longjmp.
 *
 * Why that is sound: an operation either makes a key, whose numbers it allocates itself, or uses one
 * through a const pointer. So every block that it frees, resizes or leaves half-changed is its own; each
 * block is in the operation's list until it is freed, and breaking off frees the list. Nothing else is
 * left behind: neither library keeps state between calls, and C frames have nothing to unwind.
 */
#include "crypto_nettle_memory.h"

#include <gmp.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "core/platform.h"

/* What an operation may leave on the stack when it is broken off. They use less: see
 * user_ta_header_defines.h. */
#define STACK_WIPED 32768

/* In front of what GMP asks for. Not in a list once its operation has ended. */
struct block {
	alignas(max_align_t) struct block *next;
	struct block *prev;
	size_t size; /* with this header */
};

/* A Trusted Application has one thread, and no thread-local storage to rely on: OP-TEE 4.5 at times enters
 * it with another value in TPIDR_EL0. Its makefile defines this as nothing. */
#ifndef KW_PER_THREAD
#define KW_PER_THREAD _Thread_local
#endif

static KW_PER_THREAD struct {
	jmp_buf start;
	struct block blocks; /* circular */
	enum kw_err broken_by;
	bool is_running;
} now;

static void unlink_block(struct block *b)
{
	if (!b->next)
		return;
	b->next->prev = b->prev;
	b->prev->next = b->next;
	b->next = b->prev = NULL;
}

static void *get(size_t n)
{
	struct block *b = NULL;

	if (n <= SIZE_MAX - sizeof(*b))
		b = platform_alloc(sizeof(*b) + n);
	if (!b) {
		operation_break(KW_ERR_NO_MEMORY);
		abort(); /* not reached: everything that allocates is an operation */
	}
	b->size = sizeof(*b) + n;
	if (now.is_running) {
		b->next = now.blocks.next;
		b->prev = &now.blocks;
		b->next->prev = b;
		now.blocks.next = b;
	}
	return b + 1;
}

/* Limbs hold keys and nonces: platform_free wipes. */
static void put(void *p, size_t n)
{
	struct block *b = (struct block *)p - 1;

	(void)n;
	if (!p)
		return;
	unlink_block(b);
	platform_free(b, b->size);
}

static void *resize(void *p, size_t old, size_t n)
{
	void *other = get(n);

	memcpy(other, p, old < n ? old : n);
	put(p, old);
	return other;
}

void operation_setup(void)
{
	mp_set_memory_functions(get, resize, put);
}

bool operation_is_running(void)
{
	return now.is_running;
}

void operation_break(enum kw_err err)
{
	if (!now.is_running)
		return;
	now.broken_by = err;
	longjmp(now.start, 1);
}

/* Nonces and limbs in the frames that longjmp left. */
static void __attribute__((noinline)) wipe_stack(void)
{
	uint8_t below[STACK_WIPED];

	platform_wipe(below, sizeof(below));
}

/* Blocks that are left belong to a key now. */
static void keep_blocks(void)
{
	while (now.blocks.next != &now.blocks)
		unlink_block(now.blocks.next);
}

static void free_blocks(void)
{
	struct block *b;

	while ((b = now.blocks.next) != &now.blocks) {
		unlink_block(b);
		platform_free(b, b->size);
	}
}

bool operation_run(enum kw_err (*run)(void *context), void *context, enum kw_err *err)
{
	now.blocks.next = now.blocks.prev = &now.blocks;
	now.is_running = true;
	if (!setjmp(now.start)) {
		*err = run(context);
		now.is_running = false;
		keep_blocks();
		return true;
	}
	now.is_running = false;
	free_blocks();
	wipe_stack();
	*err = now.broken_by;
	return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How large the log may become. OP-TEE keeps something in its own heap for each block of an open object. When
 * that heap is full a large object cannot even be opened any more, and every key in it would be out of reach.
 *
 * A log is compacted when more than half of it is no longer needed. So one that keys were added to up to the
 * size S grows to 2 S at most by changes of these keys, and then has a fresh one of S beside it: 3 S in all.
 * Keys are added only as long as there is room for that, and for half of S, as the heap may be in pieces. With
 * Debian's OP-TEE for QEMU, which has a heap of 195 KiB, that is a log of 1.4 MiB: 4,000 EC keys, 1,200
 * RSA-2048 keys or 680 RSA-4096 keys.
 */
#include <tee_internal_api.h>
#include <utee_syscalls.h>

#include "platform_optee.h"

#define BLOCK_SIZE 4096
#define HEAP_FOR_BLOCK 128 /* measured with OP-TEE 4.5 on ARMv8: 127 bytes */
#define HEAP_FOR_OTHERS 8192

/* What an empty object takes of the heap. Small ones, as what is kept of a block is small too: the heap may
 * be in pieces. */
#define OBJECT_BITS 128
#define OBJECT_HEAP 176
#define OBJECTS_MAX 2048

/* OP-TEE does not say how much of its heap is free, so as much as is needed is taken, and given back. */
static bool heap_has(size_t bytes)
{
	static uint32_t objects[OBJECTS_MAX];
	size_t wanted = bytes / OBJECT_HEAP + 1;
	size_t got = 0;

	if (wanted > OBJECTS_MAX)
		return false;
	while (got < wanted && !_utee_cryp_obj_alloc(TEE_TYPE_AES, OBJECT_BITS, &objects[got]))
		got++;
	for (size_t i = 0; i < got; i++)
		(void)_utee_cryp_obj_close(objects[i]);
	return got == wanted;
}

bool storage_room_for_more(uint64_t size)
{
	uint64_t blocks = size / BLOCK_SIZE + 1;

	if (blocks > (uint64_t)OBJECTS_MAX * OBJECT_HEAP / HEAP_FOR_BLOCK / 3)
		return false;
	return heap_has((size_t)blocks * HEAP_FOR_BLOCK * 5 / 2 + HEAP_FOR_OTHERS);
}

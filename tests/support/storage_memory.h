/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The storage_* functions of core/platform.h on a disk in memory that fails where a test wants it to,
 * and that can lose power: then of what was not synced any part is there, as zeros, as garbage, or not.
 */
#ifndef TESTS_STORAGE_MEMORY_H
#define TESTS_STORAGE_MEMORY_H

#include "core/platform.h"

enum storage_fault {
	FAULT_NONE,
	FAULT_CLEAN, /* the operation fails and has done nothing */
	FAULT_PARTIAL, /* the operation fails and has done a part: a short write, a sync that lost pages,
			* a swap that nobody knows the durability of */
	FAULT_PAIR,  /* as FAULT_PARTIAL, and so does the operation after it */
	FAULT_FULL,  /* from here on there is no room, until storage_memory_make_room */
	FAULT_DEAD,  /* this and all later ones fail, until the restart */
	FAULT_CRASH, /* the machine stops in this operation */
	FAULT_KINDS,
};

/* An empty disk without faults. */
void storage_memory_reset(void);
/* The n-th operation from now (1: the next one) has the fault. The seed settles all that is random. */
void storage_memory_fault(enum storage_fault fault, unsigned n, uint32_t seed);
/* Operations since the last storage_memory_fault or _reset. */
unsigned storage_memory_operations(void);
void storage_memory_make_room(void);

/* Everything fails from now on, so that a store can be closed without writing. */
void storage_memory_stop(void);
/* The machine runs again. With power_lost what was not synced is damaged. Faults are gone. */
void storage_memory_restart(bool power_lost);

/* The log's present bytes; valid until the next call of anything here. */
const uint8_t *storage_memory_bytes(size_t *len);
/* Puts other bytes in their place, synced. */
void storage_memory_set_bytes(const void *bytes, size_t len);

/* Called inside each storage_sync and storage_swap; NULL for none. */
void storage_memory_set_hook(void (*hook)(void));

#endif

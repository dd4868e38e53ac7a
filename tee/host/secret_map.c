/* SPDX-License-Identifier: BSD-2-Clause */
#include "secret_map.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GUARD ((size_t)64 << 10)

static enum secret_kind kind = SECRET_PLAIN;
static size_t limit_bytes = SIZE_MAX;
static atomic_size_t mapped_bytes;

/* memfd_secret(2) gives pages back when their last mapping goes, so each mapping has its own file.
 */
static void *map_memfd(void *at, size_t size)
{
	void *p = MAP_FAILED;
	int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);

	if (fd < 0)
		return MAP_FAILED;
	if (!ftruncate(fd, (off_t)size))
		p = mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	close(fd);
	return p;
}

static void *map_locked(void *at, size_t size, bool lock)
{
	void *p = mmap(
		at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (p == MAP_FAILED)
		return p;
	/* Failures of these two weaken nothing that was promised: the kernel is just older
	 * than 4.14. */
	(void)madvise(p, size, MADV_DONTDUMP);
	(void)madvise(p, size, MADV_WIPEONFORK);
	if (!lock || !mlock(p, size))
		return p;
	/* Back to a reservation, so that the caller has one thing to undo. */
	return MAP_FAILED;
}

static void *map_kind(enum secret_kind k, void *at, size_t size)
{
	if (k == SECRET_MEMFD)
		return map_memfd(at, size);
	return map_locked(at, size, k == SECRET_LOCKED);
}

/* Address space of size + align, cut to an aligned piece of size. */
static void *reserve(size_t size, size_t align)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = size + align - page;
	uint8_t *p =
		mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *at;

	if (p == MAP_FAILED)
		return NULL;
	at = (uint8_t *)(((uintptr_t)p + align - 1) & ~(uintptr_t)(align - 1));
	if (at > p)
		munmap(p, (size_t)(at - p));
	if (at + size < p + room)
		munmap(at + size, (size_t)(p + room - at) - size);
	return at;
}

static bool charge(size_t size)
{
	if (atomic_fetch_add(&mapped_bytes, size) <= limit_bytes - size)
		return true;
	atomic_fetch_sub(&mapped_bytes, size);
	return false;
}

void *secret_map(size_t size, size_t align)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *at;

	if (align < page)
		align = page;
	if (!size || size > limit_bytes || size > SIZE_MAX / 4 || !charge(size))
		return NULL;
	at = reserve(size, align);
	if (at && map_kind(kind, at, size) != MAP_FAILED)
		return at;
	if (at)
		munmap(at, size);
	atomic_fetch_sub(&mapped_bytes, size);
	return NULL;
}

void secret_unmap(void *p, size_t size)
{
	munmap(p, size);
	atomic_fetch_sub(&mapped_bytes, size);
}

enum kw_err secret_map_init(size_t limit)
{
	static const enum secret_kind best_first[] = {SECRET_MEMFD, SECRET_LOCKED, SECRET_PLAIN};
	struct rlimit rl;
	void *p;

	/* Both kinds count against this limit, unless one has CAP_IPC_LOCK: then the kernel does
	 * not hold us to it now, but will once the capability is dropped. */
	if (getrlimit(RLIMIT_MEMLOCK, &rl))
		return KW_ERR_NO_MEMORY;
	limit_bytes = rl.rlim_cur == RLIM_INFINITY ? SIZE_MAX : (size_t)rl.rlim_cur;
	for (size_t i = 0; i < sizeof(best_first) / sizeof(best_first[0]); i++) {
		kind = best_first[i];
		if (kind == SECRET_PLAIN)
			limit_bytes = SIZE_MAX;
		p = secret_map((size_t)1 << 20, 0);
		if (p) {
			secret_unmap(p, (size_t)1 << 20);
			if (limit)
				limit_bytes = limit;
			return KW_ERR_OK;
		}
	}
	return KW_ERR_NO_MEMORY;
}

enum secret_kind secret_memory_kind(void)
{
	return kind;
}

size_t secret_memory_mapped(void)
{
	return atomic_load(&mapped_bytes);
}

size_t secret_memory_limit(void)
{
	return limit_bytes;
}

void *secret_stack(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *at;

	size = (size + page - 1) & ~(page - 1);
	if (!charge(size))
		return NULL;
	/* What lies outside the stack on both sides stays without access. */
	at = reserve(size + 2 * GUARD, page);
	if (at && map_kind(kind, at + GUARD, size) != MAP_FAILED)
		return at + GUARD;
	if (at)
		munmap(at, size + 2 * GUARD);
	atomic_fetch_sub(&mapped_bytes, size);
	return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Landlock (landlock(7)): of all files only the store's, and no network. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "protection.h"
#include "sandbox_files.h"
#include "sanitizer.h"

/* What came after the oldest headers that we build with; numbers of the kernel's interface. */
#define FS_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define NET_ALL UINT64_C(3)              /* ABI 4: bind and connect TCP */
#define SCOPE_ALL UINT64_C(3)            /* ABI 6: abstract sockets and signals */

struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

/* All rights of ABI 1: execute to make_sym. */
#define FS_ABI1 ((UINT64_C(1) << 13) - 1)
#define FS_REFER (UINT64_C(1) << 13) /* ABI 2 */

static bool allow_below(int ruleset, int dir, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = dir};

	return !syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static bool restrict_to(long abi, int store_dir, int socket_dir)
{
	uint64_t store = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
			 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE;
	struct ruleset r = {.handled_access_fs = FS_ABI1};
	/* Older kernels know a shorter struct and refuse a longer one that is not zero; sizes by
	 * ABI. */
	size_t size = abi >= 6 ? sizeof(r) : abi >= 4 ? 16 : 8;
	bool ok = false;
	int fd;

	r.handled_access_fs |= abi >= 2 ? FS_REFER : 0;
	r.handled_access_fs |= abi >= 3 ? FS_TRUNCATE : 0;
	r.handled_access_fs |= abi >= 5 ? FS_IOCTL_DEV : 0;
	r.handled_access_net = abi >= 4 ? NET_ALL : 0;
	r.scoped = abi >= 6 ? SCOPE_ALL : 0;
	store |= abi >= 3 ? FS_TRUNCATE : 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
	if (fd < 0)
		return false;
	if (!allow_below(fd, store_dir, store))
		goto out;
	if (socket_dir >= 0 && !allow_below(fd, socket_dir, LANDLOCK_ACCESS_FS_REMOVE_FILE))
		goto out;
	ok = !syscall(SYS_landlock_restrict_self, fd, 0);
out:
	close(fd);
	return ok;
}

void sandbox_files(int store_dir, int socket_dir)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (SANITIZED)
		protection_set(PROTECT_LANDLOCK, PROTECTION_ABSENT,
			"this is a build with sanitizers, which read /proc");
	else if (abi < 1 || !restrict_to(abi, store_dir, socket_dir))
		protection_set(PROTECT_LANDLOCK, PROTECTION_ABSENT,
			"the kernel does not confine the TEE to its own files: a flaw in it could "
			"reach all files of its user; "
			"use Linux 5.13 or later with Landlock on (lsm=landlock,...)");
	else if (abi < 4)
		protection_set(PROTECT_LANDLOCK, PROTECTION_PARTIAL,
			"of all files the TEE reaches only its store; that it makes no network "
			"connections either is left "
			"to the list of system calls (Linux 6.7 confines both)");
	else
		protection_set(PROTECT_LANDLOCK, PROTECTION_PRESENT,
			"of all files the TEE reaches only its store, and no network");
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "core/platform.h"
#include "protection.h"
#include "sandbox_files.h"
#include "sanitizer.h"
#include "secret_memory.h"

/* Locked memory that root asks for: room for some 100,000 open and stored keys. */
#define MEMLOCK_WANTED ((rlim_t)256 << 20)
/* What is left of it for keys when all other memory is locked as well. */
#define LOCK_ROOM ((size_t)16 << 20)

static bool undumpable(void)
{
	/* The leak check of a sanitizer reads its own process as a debugger does. */
	return !SANITIZED && !prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static void raise_limit(__rlimit_resource_t what, rlim_t wanted)
{
	struct rlimit rl;

	if (getrlimit(what, &rl))
		return;
	/* Beyond the hard limit only root comes; everybody else takes what there is. */
	if (rl.rlim_max != RLIM_INFINITY && rl.rlim_max < wanted) {
		struct rlimit more = {wanted, wanted};

		if (!setrlimit(what, &more))
			return;
	}
	rl.rlim_cur = rl.rlim_max;
	(void)setrlimit(what, &rl);
}

void sandbox_begin(unsigned keep)
{
	const struct rlimit none = {0, 0};
	int fd;

	(void)undumpable();
	(void)setrlimit(RLIMIT_CORE, &none);
	umask(077);
	/* 0 to 2 must be something, or the next open would be taken for them. */
	do {
		fd = open("/dev/null", O_RDWR | O_NOCTTY);
	} while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
	(void)close_range(3 + keep, ~0u, 0);
	raise_limit(RLIMIT_NOFILE, 0);
	raise_limit(RLIMIT_MEMLOCK, MEMLOCK_WANTED);
}

/* Up to 999 are users of services in Debian and most others, and systemd's dynamic ones are above
 * 61183. */
static bool is_service(uid_t uid)
{
	return uid < 1000 || (uid >= 61184 && uid <= 65519);
}

static void own_user(uid_t uid)
{
	if (uid == 0)
		protection_set(PROTECT_OWN_USER, PROTECTION_ABSENT,
			"the TEE runs as root: give it a user of its own with --user, or use the "
			"systemd unit");
	else if (is_service(uid))
		protection_set(PROTECT_OWN_USER, PROTECTION_PRESENT,
			"the TEE runs as the user of a service, uid %u: make sure that nothing "
			"else does",
			(unsigned)uid);
	else
		protection_set(PROTECT_OWN_USER, PROTECTION_PARTIAL,
			"the TEE runs as a person's user, uid %u: what this person runs may use "
			"the keys, administer them, and "
			"read the files that open them; the systemd unit gives the TEE a user of "
			"its own",
			(unsigned)uid);
}

enum kw_err sandbox_become(uid_t uid, gid_t gid, const char *name)
{
	if (geteuid() == 0 && uid != 0) {
		if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)) {
			platform_log("cannot become user %s: %s", name, strerror(errno));
			return KW_ERR_STORE_IO;
		}
		/* Back to root must be impossible. */
		if (!setresuid((uid_t)-1, 0, (uid_t)-1) || !seteuid(0)) {
			platform_log("the rights of root could be taken back");
			return KW_ERR_STORE_IO;
		}
	}
	own_user(geteuid());
	return KW_ERR_OK;
}

static void dumps(void)
{
	struct rlimit rl;

	/* Changing the user made it dumpable again. */
	if (undumpable() && !getrlimit(RLIMIT_CORE, &rl) && rl.rlim_max == 0)
		protection_set(PROTECT_DUMPABLE, PROTECTION_PRESENT,
			"no core dumps, and no debugger of the TEE's own user");
	else
		protection_set(PROTECT_DUMPABLE, PROTECTION_ABSENT,
			"a debugger or a core dump of the TEE's own user can read keys");
}

static bool set_capabilities(const struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};

	return !syscall(SYS_capset, &head, data);
}

/* capabilities(7): the bounding set first, while that is still allowed. */
static void capabilities(void)
{
	const struct __user_cap_data_struct none[2] = {0};
	bool bounded = true;

	for (unsigned long cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1 &&
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			bounded = false;
	}
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (!set_capabilities(none))
		protection_set(PROTECT_CAPABILITIES, PROTECTION_ABSENT,
			"the TEE has capabilities that it cannot drop");
	else if (bounded)
		protection_set(PROTECT_CAPABILITIES, PROTECTION_PRESENT,
			"the TEE has no capabilities and can get none");
	else
		/* With no_new_privs the bounding set gives nothing back. */
		protection_set(PROTECT_CAPABILITIES, PROTECTION_PRESENT,
			"the TEE has no capabilities, and no program that it could start would get "
			"any");
}

/* What is locked counts against the same limit as the memory for keys, so there must be room for
 * both. */
static bool lock_fits(void)
{
	size_t limit = secret_memory_limit();
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	bool known = f && fscanf(f, "%lu", &pages) == 1;

	if (f)
		fclose(f);
	return limit == SIZE_MAX ||
	       (known && pages * (unsigned long)sysconf(_SC_PAGESIZE) + LOCK_ROOM <= limit);
}

static void lock_memory(void)
{
	/* Pages as they come into use, and nothing that is mapped later: keys get locked memory of
	 * their own. */
	if (secret_memory_kind() == SECRET_PLAIN)
		protection_set(PROTECT_MEMORY_LOCK, PROTECTION_ABSENT,
			"the TEE's memory may be written to swap: raise the limit on locked memory "
			"(ulimit -l, LimitMEMLOCK=)");
	else if (lock_fits() && !mlockall(MCL_CURRENT | MCL_ONFAULT))
		protection_set(PROTECT_MEMORY_LOCK, PROTECTION_PRESENT,
			"none of the TEE's memory is written to swap");
	else
		protection_set(PROTECT_MEMORY_LOCK, PROTECTION_PARTIAL,
			"keys are never written to swap, but other memory of the TEE may be: a "
			"limit on locked memory of "
			"64 MiB (ulimit -l, LimitMEMLOCK=) would cover all of it");
}

static void secret_memory(void)
{
	static const char *const sentence[] = {
		[SECRET_PLAIN] = "keys are in ordinary memory: raise the limit on locked memory "
				 "(ulimit -l, LimitMEMLOCK=)",
		[SECRET_LOCKED] =
			("keys are in locked memory, which root can read: Linux 5.14 with "
			 "memfd_secret "
			 "(secretmem.enable=1) would hide them from the kernel's own interfaces"),
		[SECRET_MEMFD] = "keys are in memory that the kernel's interfaces do not reach, "
				 "not even for root",
	};
	static const enum wire_protection_state state[] = {
		[SECRET_PLAIN] = PROTECTION_ABSENT,
		[SECRET_LOCKED] = PROTECTION_PARTIAL,
		[SECRET_MEMFD] = PROTECTION_PRESENT,
	};

	protection_set(PROTECT_SECRET_MEMORY, state[secret_memory_kind()], "%s",
		sentence[secret_memory_kind()]);
}

void sandbox_enter(int store_dir, int socket_dir)
{
	dumps();
	secret_memory();
	lock_memory();
	if (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		protection_set(PROTECT_NO_NEW_PRIVS, PROTECTION_PRESENT,
			"no program can give the TEE more rights");
	else
		protection_set(PROTECT_NO_NEW_PRIVS, PROTECTION_ABSENT,
			"the kernel does not know no_new_privs");
	capabilities();
	sandbox_files(store_dir, socket_dir);
	protection_set(PROTECT_ROOT, PROTECTION_ABSENT,
		"root of this machine can get at the keys, if with effort: against root use a TEE "
		"in hardware (OP-TEE)");
	protection_set(PROTECT_ROLLBACK, PROTECTION_ABSENT,
		"an old copy of the store is accepted: keys deleted since would be back; a TPM "
		"counter would prevent it");
}

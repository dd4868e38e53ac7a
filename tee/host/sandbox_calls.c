/* SPDX-License-Identifier: BSD-2-Clause */
/* The last step: a list of system calls, and death for all others. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <seccomp.h>

#include "connection.h"
#include "protection.h"
#include "sandbox.h"
#include "sanitizer.h"
#include "secret_memory.h"

/* No call that makes or names a socket, starts a program or a process, or signals another. Files
 * are reached by openat, which Landlock confines to the store. */
static const int allowed[] = {
	/* serving */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(accept4),
	SCMP_SYS(close),
	SCMP_SYS(shutdown),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(getrandom),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	/* libcrypto's random generators look for forks */
	SCMP_SYS(getpid),
	/* the store */
	SCMP_SYS(openat),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(fdatasync),
	SCMP_SYS(fsync),
	SCMP_SYS(ftruncate),
	SCMP_SYS(renameat),
	SCMP_SYS(unlinkat),
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(memfd_secret),
	/* the end of threads and of the process, and what the kernel resumes */
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* For connection_watch_descriptors. */
static bool allow_looking(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp passcred[] = {
		SCMP_A1_32(SCMP_CMP_EQ, SOL_SOCKET, 0), SCMP_A2_32(SCMP_CMP_EQ, SO_PASSCRED, 0)};
	const struct scmp_arg_cmp peek = SCMP_A2_32(SCMP_CMP_EQ, MSG_PEEK, 0);

	return !seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2, passcred) &&
	       !seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(recvmsg), 1, &peek);
}

static bool allow_with_arguments(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp no_exec = SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp of_socket = SCMP_A1_32(SCMP_CMP_EQ, SOL_SOCKET, 0);

	return !seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &no_exec) &&
	       !seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &no_exec) &&
	       !seccomp_rule_add_array(
		       filter, SCMP_ACT_ALLOW, SCMP_SYS(getsockopt), 1, &of_socket) &&
	       (secret_memory_kind() != SECRET_LOCKED ||
		       !seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mlock), 0));
}

static bool load(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	bool ok = false;

	if (!filter)
		return false;
	if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) ||
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1))
		goto out;
	/* A binary tree, for calls that the kernel has to ask the filter about each time. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		/* Negative numbers are calls that this architecture does not have. */
		if (allowed[i] >= 0 && seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0))
			goto out;
	}
	if (!allow_with_arguments(filter) ||
		(connection_watches_descriptors() && !allow_looking(filter)))
		goto out;
	errno = 0;
	ok = !seccomp_load(filter);
out:
	seccomp_release(filter);
	return ok;
}

void sandbox_seal(void)
{
	if (SANITIZED)
		protection_set(PROTECT_SECCOMP, PROTECTION_ABSENT,
			"this is a build with sanitizers, whose calls no list knows");
	else if (load())
		protection_set(PROTECT_SECCOMP, PROTECTION_PRESENT,
			"a system call outside a short list ends the TEE, so that a flaw in it "
			"does not reach the machine");
	else
		protection_set(PROTECT_SECCOMP, PROTECTION_ABSENT,
			"the kernel takes no list of allowed system calls: a flaw in the TEE could "
			"reach further; use a "
			"kernel with CONFIG_SECCOMP_FILTER, and allow it in the container");
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What another process of the TEE's own user tries. host_isolation PID: each way to read its memory
 * must fail; and work on a child of this program, or the test would prove nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host_raw.h"

static const char here[] = "a string of this program";

static bool opens(pid_t pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool reads(pid_t pid)
{
	char buf[8];
	struct iovec local = {buf, sizeof(buf)};
	/* The address is good in the child; in the TEE any address will do, since permission comes
	 * first. */
	struct iovec remote = {(void *)(uintptr_t)here, sizeof(buf)};

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)sizeof(buf) ||
	       errno == EFAULT;
}

static bool attaches(pid_t pid, enum __ptrace_request how)
{
	if (ptrace(how, pid, NULL, NULL))
		return false;
	if (how == PTRACE_SEIZE)
		ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	waitpid(pid, NULL, __WALL);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return true;
}

static bool takes_descriptor(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, 0, 0);

	if (fd >= 0)
		close(fd);
	if (pidfd >= 0)
		close(pidfd);
	return fd >= 0;
}

static bool writes(pid_t pid)
{
	char buf[1] = {0};
	struct iovec local = {buf, 1};
	struct iovec remote = {(void *)(uintptr_t)here, 1};

	/* Into read-only memory, so that the child's string stays; what counts is whether it gets
	 * that far. */
	return process_vm_writev(pid, &local, 1, &remote, 1, 0) == 1 || errno == EFAULT;
}

int main(int argc, char **argv)
{
	pid_t tee = argc > 1 ? (pid_t)strtol(argv[1], NULL, 10) : 0;
	pid_t child = fork();
	static const char *const files[] = {"mem", "maps", "environ", "auxv", "pagemap", "smaps"};

	if (!child) {
		pause();
		_exit(0);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		raw_check(opens(child, files[i]) && !opens(tee, files[i]),
			"/proc/PID/%s opens for a child and not for the TEE", files[i]);
	raw_check(reads(child) && !reads(tee), "process_vm_readv reads a child and not the TEE");
	raw_check(
		writes(child) && !writes(tee), "process_vm_writev reaches a child and not the TEE");
	raw_check(attaches(child, PTRACE_ATTACH) && !attaches(tee, PTRACE_ATTACH),
		"a debugger attaches to a child and not to the TEE");
	raw_check(attaches(child, PTRACE_SEIZE) && !attaches(tee, PTRACE_SEIZE),
		"ptrace seizes a child and not the TEE");
	raw_check(takes_descriptor(child) && !takes_descriptor(tee),
		"descriptors are taken from a child and not from the TEE");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return raw_finish();
}

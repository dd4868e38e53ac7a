/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/platform.h"
#include "log.h"

/* A log that has grown beyond this begins anew. */
#define LOG_MAX ((off_t)1 << 20)

static _Noreturn void wait_for(pid_t child, int fd)
{
	int status = 0;
	char ready = 0;

	while (read(fd, &ready, 1) < 0 && errno == EINTR)
		;
	if (ready == 1)
		_exit(EXIT_SUCCESS);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

int daemonize(void)
{
	int fd[2];
	pid_t child;

	if (pipe2(fd, O_CLOEXEC))
		return -1;
	child = fork();
	if (child < 0)
		return -1;
	if (child) {
		close(fd[1]);
		wait_for(child, fd[0]);
	}
	close(fd[0]);
	/* Away from the terminal of whoever started it, and from the signals that it sends. */
	(void)setsid();
	return fd[1];
}

void daemonize_detach(const char *log)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd = open(
		log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0)
		platform_log("there will be no log: %s: %s", log, strerror(errno));
	else if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > LOG_MAX && ftruncate(fd, 0))
		platform_log("%s cannot be begun anew: %s", log, strerror(errno));
	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(fd >= 0 ? fd : null, STDERR_FILENO);
		close(null);
	}
	if (fd >= 0)
		close(fd);
	log_init();
}

void daemonize_ready(int fd)
{
	const char ready = 1;

	if (write(fd, &ready, 1) != 1)
		platform_log("whoever started the TEE is gone");
	close(fd);
}

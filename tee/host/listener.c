/* SPDX-License-Identifier: BSD-2-Clause */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "connection.h"
#include "core/platform.h"

/* sd_listen_fds(3): the first one that is passed. */
#define FIRST_FD 3
#define BACKLOG 1024

/* Since Linux 6.16, inherited by what is accepted; the headers that we build with may be older. */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

bool listener_inherited(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *fds = getenv("LISTEN_FDS");

	return pid && fds && strtol(pid, NULL, 10) == (long)getpid() && !strcmp(fds, "1");
}

static bool is_option(int fd, int option, int value)
{
	int v = 0;
	socklen_t n = sizeof(v);

	return !getsockopt(fd, SOL_SOCKET, option, &v, &n) && v == value;
}

/*
 * Whoever reads or drops a message closes the descriptors in it, when its sender has closed them
 * already, and waits as long as that takes: for days, when it is a TCP connection with SO_LINGER
 * (socket(7)). So clients may not pass any.
 */
static void refuse_descriptors(struct listener *l)
{
	const int no = 0;

	/* The value before tells an option that has this number for another reason. */
	l->passes_descriptors = !is_option(l->fd, SO_PASSRIGHTS, 1) ||
				setsockopt(l->fd, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no)) ||
				!is_option(l->fd, SO_PASSRIGHTS, 0);
	if (l->passes_descriptors)
		connection_watch_descriptors();
}

enum kw_err listener_take(struct listener *l)
{
	*l = (struct listener){.fd = FIRST_FD, .dir = -1};
	if (!is_option(FIRST_FD, SO_DOMAIN, AF_UNIX) ||
		!is_option(FIRST_FD, SO_TYPE, SOCK_SEQPACKET) ||
		!is_option(FIRST_FD, SO_ACCEPTCONN, 1)) {
		platform_log("the socket that was passed is not one of ListenSequentialPacket=");
		return KW_ERR_SYSTEM;
	}
	if (fcntl(FIRST_FD, F_SETFL, O_NONBLOCK) || fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC))
		return KW_ERR_SYSTEM;
	refuse_descriptors(l);
	return KW_ERR_OK;
}

static bool somebody_answers(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool answers;

	if (fd < 0)
		return true;
	/* A full backlog (EAGAIN) has somebody behind it. */
	answers = !connect(fd, (const struct sockaddr *)(const void *)a, sizeof(*a)) ||
		  errno == EAGAIN;
	close(fd);
	return answers;
}

/* Takes away what a TEE that died has left. */
static enum kw_err make_room(const char *path, const struct sockaddr_un *a)
{
	struct stat st;

	if (lstat(path, &st))
		return KW_ERR_OK;
	if (!S_ISSOCK(st.st_mode)) {
		platform_log("%s is there already, and is not a socket", path);
		return KW_ERR_SYSTEM;
	}
	if (somebody_answers(a)) {
		platform_log("another TEE answers on %s already", path);
		return KW_ERR_STORE_BUSY;
	}
	(void)unlink(path);
	return KW_ERR_OK;
}

static enum kw_err open_parent(struct listener *l, const char *path)
{
	struct sockaddr_un a;
	char dir[sizeof(a.sun_path)];
	const char *slash = strrchr(path, '/');
	mode_t before;
	int made, error;

	(void)snprintf(
		dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	/* Our own umask would keep everybody else from the socket. */
	before = umask(S_IWGRP | S_IWOTH);
	made = mkdir(dir, 0755);
	error = errno;
	(void)umask(before);
	errno = error;
	if (made && errno != EEXIST) {
		platform_log(
			"the directory %s of the socket cannot be made: %s", dir, strerror(errno));
		return KW_ERR_SYSTEM;
	}
	l->name = slash ? slash + 1 : path;
	l->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l->dir >= 0)
		return KW_ERR_OK;
	platform_log("the directory %s of the socket cannot be opened: %s", dir, strerror(errno));
	return KW_ERR_SYSTEM;
}

/* A directory of our own is one where we may remove the socket at the end. */
static void remember(struct listener *l)
{
	struct stat dir, at;

	if (!fstat(l->dir, &dir) && dir.st_uid == geteuid() && !(dir.st_mode & S_IWOTH) &&
		!fstatat(l->dir, l->name, &at, AT_SYMLINK_NOFOLLOW)) {
		l->dev = at.st_dev;
		l->ino = at.st_ino;
		return;
	}
	close(l->dir);
	l->dir = -1;
}

enum kw_err listener_make(struct listener *l, const char *path, mode_t mode)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	enum kw_err err = KW_ERR_SYSTEM;
	mode_t before;
	int result;

	*l = (struct listener){.fd = -1, .dir = -1};
	if (strlen(path) >= sizeof(a.sun_path)) {
		platform_log("the socket's path has %zu bytes, and may have %zu", strlen(path),
			sizeof(a.sun_path) - 1);
		return KW_ERR_SYSTEM;
	}
	memcpy(a.sun_path, path, strlen(path));
	err = open_parent(l, path);
	if (err)
		goto out;
	err = make_room(path, &a);
	if (err)
		goto out;
	err = KW_ERR_SYSTEM;
	l->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		goto out;
	refuse_descriptors(l);
	/* Made with the right permissions: there is no moment with others. */
	before = umask(0777 & ~mode);
	result = bind(l->fd, (const struct sockaddr *)(const void *)&a, sizeof(a));
	umask(before);
	if (result || listen(l->fd, BACKLOG)) {
		platform_log("cannot listen on %s: %s", path, strerror(errno));
		goto out;
	}
	remember(l);
	err = KW_ERR_OK;
out:
	if (err)
		listener_close(l);
	return err;
}

void listener_close(struct listener *l)
{
	struct stat st;

	if (l->dir >= 0 && l->ino && !fstatat(l->dir, l->name, &st, AT_SYMLINK_NOFOLLOW) &&
		st.st_dev == l->dev && st.st_ino == l->ino)
		(void)unlinkat(l->dir, l->name, 0);
	if (l->dir >= 0)
		close(l->dir);
	if (l->fd >= 0)
		close(l->fd);
	*l = (struct listener){.fd = -1, .dir = -1};
}

int notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (n < 2 || n >= sizeof(a.sun_path) || (*path != '/' && *path != '@'))
		return -1;
	memcpy(a.sun_path, path, n);
	if (*path == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (!connect(fd, (const struct sockaddr *)(const void *)&a,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)))
		return fd;
	close(fd);
	return -1;
}

void notify_send(int fd, const char *state)
{
	/* systemd finds out by other means when this is lost. */
	if (fd >= 0 && write(fd, state, strlen(state)) < 0)
		return;
}

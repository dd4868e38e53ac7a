/* SPDX-License-Identifier: BSD-2-Clause */
#include "device_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/platform.h"
#include "protection.h"

static enum kw_err check(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st)) {
		platform_log("the device secret %s cannot be examined: %s", path, strerror(errno));
		return KW_ERR_STORE_IO;
	}
	if (!S_ISREG(st.st_mode) || st.st_size != DEVICE_SECRET_SIZE) {
		platform_log("%s is not a device secret, which is a file of %d bytes; restore it "
			     "from a backup",
			path, DEVICE_SECRET_SIZE);
		return KW_ERR_CORRUPT;
	}
	if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 077)) {
		platform_log("others can read the device secret %s: make it belong to the TEE's "
			     "user and run "
			     "chmod 600 on it",
			path);
		return KW_ERR_ACCESS;
	}
	return KW_ERR_OK;
}

static enum kw_err read_secret(int fd, const char *path, uint8_t secret[DEVICE_SECRET_SIZE])
{
	enum kw_err err = check(fd, path);

	if (err)
		return err;
	if (pread(fd, secret, DEVICE_SECRET_SIZE, 0) == DEVICE_SECRET_SIZE)
		return KW_ERR_OK;
	platform_log("the device secret %s cannot be read", path);
	return KW_ERR_STORE_IO;
}

/* A rename is durable when its directory is. */
static bool sync_parent(const char *path)
{
	char dir[PATH_MAX];
	char *slash;
	bool ok;
	int fd;

	(void)snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash == dir)
		slash[1] = '\0';
	else if (slash)
		*slash = '\0';
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = !fsync(fd);
	close(fd);
	return ok;
}

/* Under a name of its own first, so that a crash leaves no half-written secret, and then linked to
 * its place, which fails when somebody else was faster. */
static enum kw_err create(const char *path)
{
	uint8_t fresh[DEVICE_SECRET_SIZE];
	char temporary[PATH_MAX];
	enum kw_err err = KW_ERR_STORE_IO;
	int fd = -1;
	int n;

	n = snprintf(temporary, sizeof(temporary), "%s.%ld", path, (long)getpid());
	if (n < 0 || (size_t)n >= sizeof(temporary))
		return KW_ERR_STORE_IO;
	(void)unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		goto out;
	if (getrandom(fresh, sizeof(fresh), 0) != (ssize_t)sizeof(fresh))
		goto out;
	if (write(fd, fresh, sizeof(fresh)) != (ssize_t)sizeof(fresh) || fsync(fd))
		goto out;
	if (link(temporary, path) && errno != EEXIST)
		goto out;
	if (!sync_parent(path))
		goto out;
	err = KW_ERR_OK;
out:
	if (err)
		platform_log("the device secret %s cannot be made: %s", path, strerror(errno));
	if (fd >= 0) {
		close(fd);
		(void)unlink(temporary);
	}
	explicit_bzero(fresh, sizeof(fresh));
	return err;
}

enum kw_err device_secret_open(
	const char *path, bool may_create, uint8_t secret[DEVICE_SECRET_SIZE])
{
	enum kw_err err;
	int fd;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !may_create) {
		platform_log("the device secret %s is missing, and the keys of the store that is "
			     "there can be opened with "
			     "no other: restore it from a backup, or start with an empty store",
			path);
		return KW_ERR_OTHER_DEVICE;
	}
	if (fd < 0 && errno == ENOENT) {
		err = create(path);
		if (err)
			return err;
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	}
	if (fd < 0) {
		platform_log("the device secret %s cannot be opened: %s", path, strerror(errno));
		return KW_ERR_STORE_IO;
	}
	err = read_secret(fd, path, secret);
	close(fd);
	if (!err)
		protection_set(PROTECT_DEVICE_SECRET, PROTECTION_PARTIAL,
			"the stored keys are encrypted, but a copy of the disk that includes "
			"%.300s opens them; keep that "
			"file off backups of the store",
			path);
	return err;
}

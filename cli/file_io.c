/* SPDX-License-Identifier: BSD-2-Clause */
#include "file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_standard(const char *path)
{
	return !path || strcmp(path, "-") == 0;
}

static ssize_t read_all(int fd, uint8_t *buf, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while (used < size) {
		n = read(fd, buf + used, size - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

static bool write_all(int fd, const uint8_t *buf, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, buf, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		buf += n;
		len -= (size_t)n;
	}
	return true;
}

enum exit_code file_read(const char *path, size_t max, uint8_t **data, size_t *len)
{
	enum exit_code code = EXIT_BAD_INPUT;
	uint8_t *buf = NULL;
	ssize_t n = 0;
	int fd = STDIN_FILENO;

	*data = NULL;
	*len = 0;
	if (!is_standard(path))
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	/* One byte more than allowed tells a file that is too large. */
	buf = malloc(max + 1);
	if (fd < 0 || !buf) {
		fail(code, "cannot read '%s': %s", path, strerror(errno));
		goto out;
	}
	n = read_all(fd, buf, max + 1);
	if (n < 0) {
		fail(code, "cannot read '%s': %s", path, strerror(errno));
		goto out;
	}
	if ((size_t)n > max) {
		fail(code, "cannot read '%s': it has more than %zu bytes, too many for such a file",
			path, max);
		goto out;
	}
	*data = buf;
	*len = (size_t)n;
	buf = NULL;
	code = EXIT_OK;
out:
	if (buf)
		explicit_bzero(buf, max + 1);
	free(buf);
	if (fd > STDIN_FILENO)
		close(fd);
	return code;
}

void file_free(uint8_t **data, size_t len)
{
	if (*data)
		explicit_bzero(*data, len);
	free(*data);
	*data = NULL;
}

/* A device or a pipe that is there already, /dev/null for one, is simply written to. */
static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

enum exit_code file_check_output(const char *path, bool replace)
{
	struct stat st;

	if (is_standard(path) || is_special(path) || lstat(path, &st))
		return EXIT_OK;
	if (S_ISDIR(st.st_mode))
		return fail(EXIT_FAILED, "cannot write '%s': it is a directory", path);
	if (!replace)
		return fail(EXIT_EXISTS, "cannot write '%s': the file exists; --force replaces it",
			path);
	return EXIT_OK;
}

static enum exit_code write_special(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	bool ok = fd >= 0 && write_all(fd, data, len);

	if (!ok)
		fail(EXIT_FAILED, "cannot write '%s': %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok ? EXIT_OK : EXIT_FAILED;
}

/* The directory's entry has to be on the disk as well. */
static bool sync_directory(const char *path)
{
	char directory[PATH_MAX];
	char *slash;
	bool ok;
	int fd;

	snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	if (slash)
		slash[slash == directory] = '\0';
	fd = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	/* Some file systems cannot sync a directory and say so with EINVAL. */
	ok = !fsync(fd) || errno == EINVAL;
	close(fd);
	return ok;
}

static bool temporary_name(const char *path, char *buf, size_t size)
{
	const char *slash = strrchr(path, '/');
	int n = snprintf(
		buf, size, "%.*s.keyward-XXXXXX", slash ? (int)(slash + 1 - path) : 0, path);

	errno = ENAMETOOLONG;
	return n > 0 && (size_t)n < size;
}

/* Owner first: changing it may clear bits of the mode. A file that would end up with another owner is
 * an error, since a server might then no longer be able to read it. */
static bool set_owner_and_mode(int fd, const struct stat *like)
{
	if (!like)
		return !fchmod(fd, 0644);
	return !fchown(fd, like->st_uid, like->st_gid) && !fchmod(fd, like->st_mode & 07777);
}

/* Like rename(), but it refuses when a file has appeared meanwhile. */
static int move_to_new(const char *temporary, const char *path)
{
	if (!renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE))
		return 0;
	/* Not every file system has it. */
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (link(temporary, path))
		return -1;
	unlink(temporary);
	return 0;
}

enum exit_code file_write(const char *path, const void *data, size_t len, bool replace)
{
	char temporary[PATH_MAX] = "", real[PATH_MAX];
	enum exit_code code = EXIT_FAILED;
	bool there = false;
	struct stat st;
	int fd = -1;

	if (is_standard(path))
		return fwrite(data, 1, len, stdout) == len
			       ? EXIT_OK
			       : fail(EXIT_FAILED, "cannot write the output");
	if (is_special(path))
		return write_special(path, data, len);
	/* Where a link points to is replaced, not the link. */
	if (replace && realpath(path, real)) {
		path = real;
		there = !stat(path, &st);
	}
	if (!temporary_name(path, temporary, sizeof(temporary)))
		goto out;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		temporary[0] = '\0';
		goto out;
	}
	if (!set_owner_and_mode(fd, there ? &st : NULL) || !write_all(fd, data, len) || fsync(fd))
		goto out;
	if (replace ? rename(temporary, path) : move_to_new(temporary, path)) {
		code = errno == EEXIST ? EXIT_EXISTS : EXIT_FAILED;
		goto out;
	}
	temporary[0] = '\0';
	if (!sync_directory(path))
		goto out;
	code = EXIT_OK;
out:
	if (code != EXIT_OK)
		fail(code, "cannot write '%s': %s", path, strerror(errno));
	if (temporary[0])
		unlink(temporary);
	if (fd >= 0)
		close(fd);
	return code;
}

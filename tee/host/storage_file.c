/* SPDX-License-Identifier: BSD-2-Clause */
#include "storage_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_NAME "log"
#define FRESH_NAME "log.new"
#define LOCK_NAME "lock"
#define OPEN_FLAGS (O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

struct storage {
	int fd;
	int lock_fd;   /* -1 in a log that is not, or no longer, in place */
	bool is_fresh; /* not swapped in yet: discarded when closed */
	/* Nobody knows whether the directory entry survives a crash, and after a failed fsync
	 * another one proves nothing: no sync of this log succeeds any more, so nothing is
	 * acknowledged. */
	bool is_unsure;
	uint64_t end;
};

static int directory = -1;
/* For STATUS, with room in its reply for all else. */
static char place[1024];

static enum kw_err failure(const char *what, const char *name)
{
	int e = errno;

	platform_log("store: cannot %s %s: %s", what, name, strerror(e));
	return e == ENOSPC || e == EDQUOT || e == EFBIG ? KW_ERR_STORE_FULL : KW_ERR_STORE_IO;
}

/* Whoever else can write here can delete keys; whoever can read learns who has which. */
static enum kw_err check_private(int fd, const char *name, mode_t type)
{
	struct stat st;

	if (fstat(fd, &st))
		return failure("look at", name);
	if ((st.st_mode & S_IFMT) != type) {
		platform_log("store: %s is not a %s", name, type == S_IFDIR ? "directory" : "file");
		return KW_ERR_STORE_IO;
	}
	if (st.st_uid != geteuid()) {
		platform_log("store: %s belongs to user %u, not to the TEE's user %u", name,
			(unsigned)st.st_uid, (unsigned)geteuid());
		return KW_ERR_STORE_IO;
	}
	if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		platform_log(
			"store: %s is open to other users (mode %04o); take that away with chmod "
			"go-rwx",
			name, (unsigned)st.st_mode & 07777);
		return KW_ERR_STORE_IO;
	}
	return KW_ERR_OK;
}

static int sync_retry(int (*sync_fn)(int), int fd)
{
	int r;

	do
		r = sync_fn(fd);
	while (r < 0 && errno == EINTR);
	return r;
}

/* A directory that was made, but is not in its parent after a power cut, takes every key with it. A
 * parent that may not be read cannot be synced by itself; then its whole file system is. */
static enum kw_err sync_parent(int fd, const char *dir)
{
	int parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = parent < 0 ? syncfs(fd) : sync_retry(fsync, parent);
	enum kw_err err = r ? failure("sync the parent of", dir) : KW_ERR_OK;

	if (parent >= 0)
		close(parent);
	return err;
}

/* A name that would act on a terminal is not repeated. */
static void describe_place(const char *dir)
{
	char *path = realpath(dir, NULL);
	const char *shown = path ? path : dir;
	bool clean = strlen(shown) < sizeof(place) - 16;

	for (const char *p = shown; *p; p++)
		clean = clean && *p >= 0x20 && *p < 0x7f;
	snprintf(place, sizeof(place), "a file%s%s", clean ? " in " : "", clean ? shown : "");
	free(path);
}

const char *platform_storage(void)
{
	return place;
}

enum kw_err storage_file_setup(const char *dir)
{
	enum kw_err err = KW_ERR_STORE_IO;
	int fd = -1;

	if (mkdir(dir, 0700) && errno != EEXIST) {
		err = failure("make the directory", dir);
		goto out;
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		err = failure("open the directory", dir);
		goto out;
	}
	err = check_private(fd, dir, S_IFDIR);
	/* Also when it was there: the crash may have been between the two calls. */
	if (!err && faccessat(fd, LOG_NAME, F_OK, AT_SYMLINK_NOFOLLOW))
		err = sync_parent(fd, dir);
	if (err)
		goto out;
	storage_file_teardown();
	directory = fd;
	fd = -1;
	describe_place(dir);
out:
	if (fd >= 0)
		close(fd);
	return err;
}

void storage_file_teardown(void)
{
	if (directory >= 0)
		close(directory);
	directory = -1;
}

int storage_file_directory(void)
{
	return directory;
}

static int open_retry(const char *name, int flags)
{
	int fd;

	do
		fd = openat(directory, name, flags, 0600);
	while (fd < 0 && errno == EINTR);
	return fd;
}

static enum kw_err take_lock(int *lock_fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	enum kw_err err;

	*lock_fd = open_retry(LOCK_NAME, OPEN_FLAGS | O_CREAT);
	if (*lock_fd < 0)
		return failure("open", LOCK_NAME);
	err = check_private(*lock_fd, LOCK_NAME, S_IFREG);
	if (err)
		return err;
	/* Of the open file, not of the process: a second open in this process is refused as
	 * well. */
	if (!fcntl(*lock_fd, F_OFD_SETLK, &whole))
		return KW_ERR_OK;
	if (errno != EAGAIN && errno != EACCES)
		return failure("lock", LOCK_NAME);
	platform_log("store: another process has it open");
	return KW_ERR_STORE_BUSY;
}

static enum kw_err open_log(int *fd, uint64_t *end)
{
	enum kw_err err;
	struct stat st;

	*fd = open_retry(LOG_NAME, OPEN_FLAGS | O_CREAT);
	if (*fd < 0)
		return failure("open", LOG_NAME);
	err = check_private(*fd, LOG_NAME, S_IFREG);
	if (err)
		return err;
	/* It may be new, or a process that was killed may just have put it in place. */
	if (sync_retry(fsync, directory))
		return failure("sync the directory of", LOG_NAME);
	if (fstat(*fd, &st))
		return failure("look at", LOG_NAME);
	*end = (uint64_t)st.st_size;
	return KW_ERR_OK;
}

static struct storage *new_storage(void)
{
	struct storage *s = platform_alloc(sizeof(*s));

	if (s) {
		s->fd = -1;
		s->lock_fd = -1;
	}
	return s;
}

enum kw_err storage_open(struct storage **storage)
{
	struct storage *s = new_storage();
	enum kw_err err = KW_ERR_NO_MEMORY;

	*storage = NULL;
	if (!s)
		goto out;
	err = take_lock(&s->lock_fd);
	if (err)
		goto out;
	if (unlinkat(directory, FRESH_NAME, 0) && errno != ENOENT) {
		err = failure("remove", FRESH_NAME);
		goto out;
	}
	err = open_log(&s->fd, &s->end);
	if (err)
		goto out;
	*storage = s;
	s = NULL;
out:
	storage_close(&s);
	return err;
}

void storage_close(struct storage **storage)
{
	struct storage *s = *storage;

	*storage = NULL;
	if (!s)
		return;
	if (s->is_fresh)
		unlinkat(directory, FRESH_NAME, 0);
	if (s->fd >= 0)
		close(s->fd);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	platform_free(s, sizeof(*s));
}

enum kw_err storage_size(struct storage *s, uint64_t *size)
{
	*size = s->end;
	return KW_ERR_OK;
}

enum kw_err storage_read(struct storage *s, uint64_t offset, void *buf, size_t n)
{
	size_t done = 0;

	if (offset > INT64_MAX - n)
		return KW_ERR_CORRUPT;
	while (done < n) {
		ssize_t r = pread(s->fd, (uint8_t *)buf + done, n - done, (off_t)(offset + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return failure("read", LOG_NAME);
		if (!r)
			return KW_ERR_CORRUPT;
		done += (size_t)r;
	}
	return KW_ERR_OK;
}

static enum kw_err write_at(struct storage *s, uint64_t offset, const void *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = pwrite(
			s->fd, (const uint8_t *)buf + done, n - done, (off_t)(offset + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (!r)
			errno = EIO;
		if (r <= 0)
			return failure("write", s->is_fresh ? FRESH_NAME : LOG_NAME);
		done += (size_t)r;
	}
	return KW_ERR_OK;
}

enum kw_err storage_append(struct storage *s, const void *buf, size_t n)
{
	enum kw_err err;

	if (s->end > INT64_MAX - n)
		return KW_ERR_STORE_FULL;
	err = write_at(s, s->end, buf, n);
	if (!err)
		s->end += n;
	return err;
}

/* The same bytes over themselves: a write that is torn by a crash changes nothing. */
enum kw_err storage_resync(struct storage *s, uint64_t from)
{
	size_t n = from < s->end ? (size_t)(s->end - from) : 0;
	uint8_t *buf = platform_alloc(n);
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!buf)
		goto out;
	err = storage_read(s, from, buf, n);
	if (!err)
		err = write_at(s, from, buf, n);
	if (!err)
		err = storage_sync(s);
out:
	platform_free(buf, n);
	return err;
}

enum kw_err storage_sync(struct storage *s)
{
	if (s->is_unsure) {
		platform_log("store: the directory could not be synced when the log was swapped");
		return KW_ERR_STORE_IO;
	}
	if (sync_retry(fdatasync, s->fd))
		return failure("sync", s->is_fresh ? FRESH_NAME : LOG_NAME);
	return KW_ERR_OK;
}

enum kw_err storage_truncate(struct storage *s, uint64_t size)
{
	int r;

	if (size > s->end)
		return KW_ERR_STORE_IO;
	do
		r = ftruncate(s->fd, (off_t)size);
	while (r && errno == EINTR);
	if (r)
		return failure("cut", LOG_NAME);
	s->end = size;
	/* Not fdatasync: POSIX lets it leave out a size that is not needed to read what is
	 * there. */
	if (sync_retry(fsync, s->fd))
		return failure("sync", LOG_NAME);
	return KW_ERR_OK;
}

enum kw_err storage_begin(struct storage *s, struct storage **fresh)
{
	struct storage *f = new_storage();
	enum kw_err err = KW_ERR_NO_MEMORY;

	(void)s;
	*fresh = NULL;
	if (!f)
		goto out;
	if (unlinkat(directory, FRESH_NAME, 0) && errno != ENOENT) {
		err = failure("remove", FRESH_NAME);
		goto out;
	}
	f->fd = open_retry(FRESH_NAME, OPEN_FLAGS | O_CREAT | O_EXCL);
	if (f->fd < 0) {
		err = failure("make", FRESH_NAME);
		goto out;
	}
	f->is_fresh = true;
	err = KW_ERR_OK;
	*fresh = f;
	f = NULL;
out:
	storage_close(&f);
	return err;
}

/* A rename that reports a failure may have been done all the same (NFS, an I/O error after it). */
static bool is_in_place(const struct storage *s)
{
	struct stat named, open_file;

	return !fstatat(directory, LOG_NAME, &named, AT_SYMLINK_NOFOLLOW) &&
	       !fstat(s->fd, &open_file) && named.st_ino == open_file.st_ino &&
	       named.st_dev == open_file.st_dev;
}

enum kw_err storage_swap(struct storage *s, struct storage *fresh)
{
	if (renameat(directory, FRESH_NAME, directory, LOG_NAME)) {
		enum kw_err err = failure("put in place", FRESH_NAME);

		if (!is_in_place(fresh))
			return err;
		fresh->is_unsure = true;
	}
	fresh->is_fresh = false;
	fresh->lock_fd = s->lock_fd;
	s->lock_fd = -1;
	if (sync_retry(fsync, directory)) {
		failure("sync the directory of", LOG_NAME);
		fresh->is_unsure = true;
	}
	return KW_ERR_OK;
}

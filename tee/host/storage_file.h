/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The storage_* functions of core/platform.h as files in one directory: `log`, `log.new` while a
 * fresh log is written, and `lock`, whose lock the kernel drops when the process dies.
 *
 * After storage_file_setup no path but these three names, relative to the open directory, is used.
 * System calls from then on: openat, fstat and fstatat (newfstatat), fcntl (F_OFD_SETLK), pread64,
 * pwrite64, fdatasync, fsync, ftruncate, renameat, unlinkat, close. Landlock rights needed below
 * the directory: read and write files, make regular files, remove files, truncate.
 */
#ifndef TEE_HOST_STORAGE_FILE_H
#define TEE_HOST_STORAGE_FILE_H

#include "core/platform.h"

/* Once, before storage_open: opens the directory, made (0700) if missing. KW_ERR_STORE_IO,
 * logged, when it cannot be, belongs to somebody else, or lets others in. */
enum kw_err storage_file_setup(const char *dir) KW_MUST_USE;
/* Closes the directory again. */
void storage_file_teardown(void);
/* The open directory, for who has to know what the sandbox must let through; -1 before. */
int storage_file_directory(void);

#endif

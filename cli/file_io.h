/* SPDX-License-Identifier: BSD-2-Clause */
/* Files in and out, whole. Each function says on stderr what went wrong. */
#ifndef CLI_FILE_IO_H
#define CLI_FILE_IO_H

#include <stddef.h>
#include <stdint.h>

#include "cli.h"

/* Reads a file of at most max bytes ("-": standard input) that may hold a secret. */
enum exit_code file_read(const char *path, size_t max, uint8_t **data, size_t *len) KW_MUST_USE;
/* Wipes and frees what file_read gave. */
void file_free(uint8_t **data, size_t len);
/* EXIT_EXISTS when a file is there and may not be replaced, so that a command can refuse before it
 * does anything. NULL and "-" are standard output. */
enum exit_code file_check_output(const char *path, bool replace) KW_MUST_USE;
/* Writes a file so that it is there whole or not at all, also after a power cut. A new one has mode
 * 0644: nothing that the CLI writes is secret. A replaced one keeps its owner and mode. */
enum exit_code file_write(const char *path, const void *data, size_t len, bool replace) KW_MUST_USE;

#endif

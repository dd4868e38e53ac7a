/* SPDX-License-Identifier: BSD-2-Clause */
/* Keyward's own key files: PEM around a reference to a stored key or around a sealed key. */
#ifndef CLI_PEM_FILE_H
#define CLI_PEM_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "cli.h"

struct pem_file {
	const char *path; /* the caller's */
	uint8_t *data;    /* the whole file: other blocks, certificates for one, are kept */
	size_t len;
	size_t begin, end; /* where in it Keyward's block stands */
	struct kw_reference *ref;
};

enum exit_code pem_file_open(const char *path, struct pem_file **file) KW_MUST_USE;
void pem_file_close(struct pem_file **file);
/* Puts the key's new record in the place of the old one. */
enum exit_code pem_file_update(struct pem_file *file, const struct kw_key *key) KW_MUST_USE;
/* The text of a new file for a key, with a line before it that says what it is. free() it. */
enum exit_code pem_text(const struct kw_key *key, char **text, size_t *len) KW_MUST_USE;

#endif

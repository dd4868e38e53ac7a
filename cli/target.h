/* SPDX-License-Identifier: BSD-2-Clause */
/* How people name a key: by its name, by its id (or the first digits of it), or by a Keyward file. */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "cli.h"
#include "pem_file.h"

#define TARGET_ARGUMENT "NAME"
#define ROW_FILE                                                                                \
	{                                                                                       \
		"file", OPTION_FILE, "FILE", "use the key of this Keyward file instead of NAME" \
	}

struct key_target {
	const char *text; /* as typed, for messages */
	struct kw_target target;
	uint8_t id[KW_ID_SIZE];
	struct pem_file *file;
};

/* Needs a connection. `file`, from --file, comes before text. When files are not allowed they are a
 * usage error that says `why_no_file`. Says on stderr what is wrong. */
enum exit_code key_target_find(struct cli *cli, const char *text, const char *file,
	const char *why_no_file, struct key_target *t) KW_MUST_USE;
void key_target_clear(struct key_target *t);

#endif

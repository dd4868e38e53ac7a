/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLI_PASSPHRASE_H
#define CLI_PASSPHRASE_H

#include <stdbool.h>

struct passphrase_source {
	const char *key_path; /* for the prompt */
	const char *file;     /* or NULL */
	int fd;               /* or -1 */
	bool failed;          /* what went wrong was said on stderr */
};

/* A key_passphrase_ask: from the file or descriptor given, else from the terminal without echo. */
int passphrase_ask(void *source, char *buf, int size);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* PINs come from a file or from the terminal; never from an argument or the environment, which others can see. */
#ifndef CLI_PIN_H
#define CLI_PIN_H

#include "cli.h"

struct pin {
	char text[KW_PIN_MAX + 1];
	size_t len;
};

#define PIN_FILE "pin-file"
#define NEW_PIN_FILE "new-pin-file"

#define ROW_PIN_FILE(what)                                                                   \
	{                                                                                    \
		PIN_FILE, OPTION_PIN_FILE, "FILE",                                           \
			"read " what " from the first line of FILE instead of asking for it" \
	}
#define ROW_NEW_PIN_FILE                                                              \
	{                                                                             \
		NEW_PIN_FILE, OPTION_NEW_PIN_FILE, "FILE", "the same for the new PIN" \
	}

/* From the file, which `option` gives, or asks for `what` on the terminal; `twice` for a new one. Says on
 * stderr what is wrong. */
enum exit_code pin_read(
	const char *file, const char *option, const char *what, bool twice, struct pin *pin);
void pin_wipe(struct pin *pin);
/* The operand that is a slot, 1 to KW_SLOT_MAX; ends the process with a usage error when it is none. */
unsigned slot_operand(const struct cli *cli, int i);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLI_HARDEN_H
#define CLI_HARDEN_H

#include <stdbool.h>

/* For a process through which a private key passes: no core dumps, no debugger of the same user, and
 * libcrypto wipes all memory that it gives back. To be called before libcrypto's first use. */
bool harden(void);

#endif

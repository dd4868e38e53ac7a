/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLI_HINTS_H
#define CLI_HINTS_H

#include <keyward/keyward.h>

/* "Made the key", then the key in one line. */
void hint_done(const char *what, const struct kw_key *key);
/* The commands that usually come next, on stdout, ready to be copied. */
void hint_certificate(const struct kw_key *key);
void hint_server_file(const struct kw_key *key);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLI_HINTS_H
#define CLI_HINTS_H

#include <keyward/keyward.h>

#include "cli.h"

/* How this command line reaches the same TEE again: "keyward", with --tee if that was given. */
const char *hint_program(const struct cli *cli);
/* "Made the key", then the key in one line. */
void hint_done(const char *what, const struct kw_key *key);
/* The commands that usually come next, on stdout, ready to be copied. */
void hint_certificate(const struct cli *cli, const struct kw_key *key);
void hint_server_file(const struct cli *cli, const struct kw_key *key);
/* Says on stderr when the access list has somebody whom this TEE never sees. */
void hint_groups(const struct cli *cli, const struct kw_key *key);

#endif

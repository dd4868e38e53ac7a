/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEE_HOST_SANDBOX_FILES_H
#define TEE_HOST_SANDBOX_FILES_H

/* Confines this thread and those it makes to the two directories; after no_new_privs. */
void sandbox_files(int store_dir, int socket_dir);

#endif

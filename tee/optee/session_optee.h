/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions of clients: whose they are, and how many there may be. */
#ifndef TEE_OPTEE_SESSION_OPTEE_H
#define TEE_OPTEE_SESSION_OPTEE_H

#include <tee_internal_api.h>

#include "core/core.h"

/* The session of the client that OP-TEE says is opening one. */
TEE_Result session_open(uint32_t types, const TEE_Param params[TEE_NUM_PARAMS], void **context);
void session_close(void *context);
/* What the core needs to know of it. */
void session_fill(void *context, struct session *session);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* How the protocol travels in OP-TEE: what the Trusted Application and its clients agree on. */
#ifndef WIRE_OPTEE_H
#define WIRE_OPTEE_H

#include "wire.h"

/* 5d0f7c5e-6a0b-4c67-9d5b-2f1f0b7a9c31, as the initialiser of a TEE_UUID or TEEC_UUID and as text. */
#define OPTEE_TA_UUID                                                  \
	{                                                              \
		0x5d0f7c5e, 0x6a0b, 0x4c67,                            \
		{                                                      \
			0x9d, 0x5b, 0x2f, 0x1f, 0x0b, 0x7a, 0x9c, 0x31 \
		}                                                      \
	}
#define OPTEE_TA_UUID_TEXT "5d0f7c5e-6a0b-4c67-9d5b-2f1f0b7a9c31"

/*
 * A session is opened with TEEC_LOGIN_USER or TEEC_LOGIN_GROUP; others are refused with
 * TEEC_ERROR_ACCESS_DENIED, and more sessions than the TEE takes with TEEC_ERROR_BUSY. Its parameters
 * are four input values. The first one's a is the numeric effective user id, or the group id: the TEE
 * is told a hash of it only, so it believes a when the hash fits. The other three, a and b, are 24 bytes
 * from the client's random source: many a board's OP-TEE has none that deserves the name, and what the
 * TEE makes of its own and of theirs is at least as good as either.
 *
 * Parameters (value, none, none, none), or none at all, are taken as well. A session with another a, or
 * without, has the same rights, but its keys' owner is shown as OPTEE_ID_UNKNOWN.
 *
 * A request is one invocation, whose command is an enum wire_command. Its parameters are exactly:
 *   input memref   the request's payload, without a header; at most WIRE_MAX_PAYLOAD bytes
 *   output memref  room for the reply: a frame as on a socket, WIRE_HEADER and payload. Its size
 *                  becomes that of the frame. WIRE_MAX_FRAME bytes are always enough, and so are
 *                  WIRE_HEADER and what commands.def says of the command; fewer pages take less time.
 *   none, none
 * The invocation's result is success whenever there is a frame, also with an error in it. It is
 * TEEC_ERROR_BAD_PARAMETERS for other types, a size that no request has, or no room for a header, and
 * TEEC_ERROR_SHORT_BUFFER, with the size that is needed, when the reply does not fit: then the
 * command has been carried out.
 */
#define OPTEE_ID_UNKNOWN 0xffffffff

#define OPTEE_PARAM_REQUEST 0
#define OPTEE_PARAM_REPLY 1

#endif

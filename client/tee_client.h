/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GlobalPlatform's TEE Client API (version 1.0, GPD_SPE_007) as libteec offers it: the part that is
 * used here. Not the header that comes with libteec: what that leaves to the implementation changed
 * between libteec.so.1 and .2, and this library, which finds one of them when it runs, leaves room
 * for either. Nothing behind the members that the specification names is looked at, but for one
 * descriptor, see tee_context.
 */
#ifndef CLIENT_TEE_CLIENT_H
#define CLIENT_TEE_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "wire/errors.h"

/* 4.2.3, Return Codes. */
#define TEEC_SUCCESS 0x00000000u
#define TEEC_ERROR_GENERIC 0xffff0000u
#define TEEC_ERROR_ACCESS_DENIED 0xffff0001u
#define TEEC_ERROR_BAD_FORMAT 0xffff0005u
#define TEEC_ERROR_BAD_PARAMETERS 0xffff0006u
#define TEEC_ERROR_ITEM_NOT_FOUND 0xffff0008u
#define TEEC_ERROR_NOT_SUPPORTED 0xffff000au
#define TEEC_ERROR_OUT_OF_MEMORY 0xffff000cu
#define TEEC_ERROR_BUSY 0xffff000du
#define TEEC_ERROR_COMMUNICATION 0xffff000eu
#define TEEC_ERROR_SECURITY 0xffff000fu
#define TEEC_ERROR_SHORT_BUFFER 0xffff0010u
/* TEE Internal Core API, 3.3.2: what clients of a Trusted Application that panicked get. */
#define TEEC_ERROR_TARGET_DEAD 0xffff3024u

/* 4.2.4, where a return code comes from. */
#define TEEC_ORIGIN_API 1u
#define TEEC_ORIGIN_COMMS 2u
#define TEEC_ORIGIN_TEE 3u
#define TEEC_ORIGIN_TRUSTED_APP 4u

#define TEEC_LOGIN_USER 1u /* 4.2.5 */
#define TEEC_MEM_INPUT 1u  /* 4.2.6 */
#define TEEC_MEM_OUTPUT 2u
#define TEEC_NONE 0x0u /* 4.2.7, types of parameters */
#define TEEC_VALUE_INPUT 0x1u
#define TEEC_MEMREF_PARTIAL_INPUT 0xdu
#define TEEC_MEMREF_PARTIAL_OUTPUT 0xeu
#define TEEC_PARAM_TYPES(a, b, c, d) ((a) | (b) << 4 | (c) << 8 | (d) << 12)

/* What implementations need is less than half of it. */
#define TEEC_ROOM 128

struct tee_uuid {
	uint32_t time_low;
	uint16_t time_mid;
	uint16_t time_hi_and_version;
	uint8_t clock_seq_and_node[8];
};

union tee_context {
	/* OP-TEE's libteec, both versions: what it opened, without O_CLOEXEC. */
	int fd;
	void *align;
	uint8_t room[TEEC_ROOM];
};

union tee_session {
	void *align;
	uint8_t room[TEEC_ROOM];
};

struct tee_memory {
	void *buffer;
	size_t size;
	uint32_t flags;
	uint8_t room[TEEC_ROOM];
};

struct tee_memref {
	struct tee_memory *parent;
	size_t size;
	size_t offset;
};

union tee_parameter {
	struct tee_memref memref;
	struct {
		uint32_t a;
		uint32_t b;
	} value;
};

struct tee_operation {
	uint32_t started;
	uint32_t types;
	union tee_parameter params[4];
	void *room[TEEC_ROOM / sizeof(void *)];
};

/* The functions, without their prefix TEEC_. */
struct tee_client {
	uint32_t (*initialize)(const char *name, union tee_context *context);
	void (*finalize)(union tee_context *context);
	uint32_t (*open_session)(union tee_context *context, union tee_session *session,
		const struct tee_uuid *destination, uint32_t login, const void *login_data,
		struct tee_operation *operation, uint32_t *origin);
	void (*close_session)(union tee_session *session);
	uint32_t (*invoke)(union tee_session *session, uint32_t command,
		struct tee_operation *operation, uint32_t *origin);
	uint32_t (*allocate)(union tee_context *context, struct tee_memory *memory);
	void (*release)(struct tee_memory *memory);
};

/* Loads libteec when it is first needed; it then stays. NULL when this machine has none: explained. */
const struct tee_client *tee_client_load(void);

#endif

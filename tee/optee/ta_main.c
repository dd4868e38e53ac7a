/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The door of the Trusted Application. A client may change its request while we read it and our reply
 * while we write it, so the core sees private copies only.
 */
#include <string.h>
#include <tee_internal_api.h>

#include "core/core.h"
#include "platform_optee.h"
#include "session_optee.h"
#include "wire/codec.h"
#include "wire/optee.h"

/* One instance serves one call at a time. */
static uint8_t request[WIRE_MAX_PAYLOAD];
static uint8_t reply[WIRE_MAX_FRAME];

/* NULL until the store could be opened: it cannot before tee-supplicant runs. */
static struct core *core;

TEE_Result TA_CreateEntryPoint(void)
{
	return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
	core_close(&core);
	platform_optee_done();
}

TEE_Result TA_OpenSessionEntryPoint(
	uint32_t types, TEE_Param params[TEE_NUM_PARAMS], void **context)
{
	return session_open(types, params, context);
}

void TA_CloseSessionEntryPoint(void *context)
{
	session_close(context);
}

static enum kw_err run(void *context, uint32_t command, size_t n, size_t *len)
{
	const struct core_options options = {.cache_bytes = PLATFORM_CACHE_BYTES};
	struct session session;
	enum kw_err err = KW_ERR_OK;

	*len = 0;
	if (!core)
		err = platform_optee_init();
	if (!err && !core)
		err = core_open(&options, &core);
	if (err)
		return err;
	if (command > UINT16_MAX)
		return KW_ERR_UNKNOWN_COMMAND;
	if (kw_command_lane((uint16_t)command) != LANE_FAST)
		err = random_save();
	if (err)
		return err;
	session_fill(context, &session);
	platform_optee_grows(kw_command_grows((uint16_t)command, request, n));
	err = kw_dispatch(core, &session, (uint16_t)command, request, n, reply + WIRE_HEADER,
		WIRE_MAX_PAYLOAD, len);
	platform_optee_grows(false);
	return err;
}

TEE_Result TA_InvokeCommandEntryPoint(
	void *context, uint32_t command, uint32_t types, TEE_Param params[TEE_NUM_PARAMS])
{
	const uint32_t expected = TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT,
		TEE_PARAM_TYPE_MEMREF_OUTPUT, TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE);
	TEE_Result result = TEE_ERROR_SHORT_BUFFER;
	struct writer head = writer_over(reply, WIRE_HEADER);
	const void *in;
	size_t n, room, len;
	void *out;
	enum kw_err err;

	if (types != expected)
		return TEE_ERROR_BAD_PARAMETERS;
	in = params[OPTEE_PARAM_REQUEST].memref.buffer;
	n = params[OPTEE_PARAM_REQUEST].memref.size;
	out = params[OPTEE_PARAM_REPLY].memref.buffer;
	room = params[OPTEE_PARAM_REPLY].memref.size;
	if (n > sizeof(request) || (n && !in) || room < WIRE_HEADER || !out)
		return TEE_ERROR_BAD_PARAMETERS;
	if (n)
		memcpy(request, in, n);
	err = run(context, command, n, &len);
	put_u16(&head, (uint16_t)err);
	put_u16(&head, 0);
	len += WIRE_HEADER;
	params[OPTEE_PARAM_REPLY].memref.size = len;
	if (len <= room) {
		memcpy(out, reply, len);
		result = TEE_SUCCESS;
	}
	/* A key that is imported, the plaintext of RSA_DECRYPT. */
	platform_wipe(request, n);
	platform_wipe(reply, len);
	return result;
}

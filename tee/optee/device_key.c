/* SPDX-License-Identifier: BSD-2-Clause */
/* What everything is encrypted under: OP-TEE's key for this Trusted Application on this device. */
#include <pta_system.h>
#include <string.h>
#include <tee_internal_api.h>

#include "core/crypto.h"
#include "platform_optee.h"
#include "wire/optee.h"

/* Of OP-TEE's enum huk_subkey_usage. */
#define HUK_SUBKEY_UNIQUE_TA 3

static const char label[] = "keyward OP-TEE TA: master key 1";

static uint8_t master[DEVICE_KEY_SIZE];
static bool is_loaded, is_zero;

static enum kw_err derive(uint8_t key[DEVICE_KEY_SIZE])
{
	static const TEE_UUID system = PTA_SYSTEM_UUID;
	const uint32_t types = TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT,
		TEE_PARAM_TYPE_MEMREF_OUTPUT, TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE);
	TEE_TASessionHandle session = TEE_HANDLE_NULL;
	TEE_Param params[TEE_NUM_PARAMS] = {0};
	char extra[sizeof(label)];
	TEE_Result result;
	uint32_t origin;

	memcpy(extra, label, sizeof(label));
	result = TEE_OpenTASession(&system, TEE_TIMEOUT_INFINITE, 0, NULL, &session, &origin);
	if (result)
		goto out;
	params[0].memref.buffer = extra;
	params[0].memref.size = sizeof(label) - 1;
	params[1].memref.buffer = key;
	params[1].memref.size = DEVICE_KEY_SIZE;
	result = TEE_InvokeTACommand(session, TEE_TIMEOUT_INFINITE, PTA_SYSTEM_DERIVE_TA_UNIQUE_KEY,
		types, params, &origin);
	TEE_CloseTASession(session);
out:
	if (!result)
		return KW_ERR_OK;
	platform_log("device key: OP-TEE does not derive one (0x%08x); it needs CFG_SYSTEM_PTA=y",
		(unsigned)result);
	return KW_ERR_CRYPTO;
}

/*
 * What OP-TEE derives when nobody gave the device a key of its own: HMAC-SHA-256 under zeros of the
 * usage, the UUID as it lies in memory, and our label (huk_subkey_derive, PTA_SYSTEM). HMAC pads its
 * key with zeros, so the length of theirs does not matter.
 */
static enum kw_err derive_from_zeros(uint8_t key[DEVICE_KEY_SIZE])
{
	static const uint8_t zeros[CRYPTO_KEY_SIZE];
	static const TEE_UUID uuid = OPTEE_TA_UUID;
	static const uint32_t usage = HUK_SUBKEY_UNIQUE_TA;
	const struct crypto_bytes parts[] = {
		{&usage, sizeof(usage)},
		{&uuid, sizeof(uuid)},
		{label, sizeof(label) - 1},
	};

	return crypto_hmac(zeros, parts, 3, key);
}

enum kw_err device_key_load(void)
{
	uint8_t known[DEVICE_KEY_SIZE];
	enum kw_err err;

	if (is_loaded)
		return KW_ERR_OK;
	err = derive(master);
	if (!err)
		err = derive_from_zeros(known);
	if (err) {
		device_key_forget();
		return err;
	}
	is_zero = crypto_equal(known, master, sizeof(master));
	is_loaded = true;
	if (is_zero)
		platform_log("device key: THE HARDWARE UNIQUE KEY IS ZERO: nothing here is secret");
	return KW_ERR_OK;
}

void device_key_forget(void)
{
	platform_wipe(master, sizeof(master));
	is_loaded = false;
}

bool device_key_is_zero(void)
{
	return is_zero;
}

enum kw_err platform_device_key(const char *purpose, uint8_t key[DEVICE_KEY_SIZE])
{
	const struct crypto_bytes part = {purpose, strlen(purpose)};

	_Static_assert(DEVICE_KEY_SIZE == CRYPTO_KEY_SIZE, "a device key is a key of HMAC");
	if (!is_loaded)
		return KW_ERR_CRYPTO;
	return crypto_hmac(master, &part, 1, key);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* See baseline.h. Not part of the product: whoever can open a session can use its keys. */
#include <string.h>
#include <tee_internal_api.h>

#include "baseline.h"

struct kind {
	const char *name;
	uint32_t type, algorithm, bits, curve;
};

static const struct kind kinds[BASELINE_KEYS] = {
	[BASELINE_EC] = {"ec", TEE_TYPE_ECDSA_KEYPAIR, TEE_ALG_ECDSA_SHA256, 256,
		TEE_ECC_CURVE_NIST_P256},
	[BASELINE_RSA] = {"rsa", TEE_TYPE_RSA_KEYPAIR, TEE_ALG_RSASSA_PKCS1_PSS_MGF1_SHA256, 2048,
		0},
	[BASELINE_ED] = {"ed", TEE_TYPE_ED25519_KEYPAIR, TEE_ALG_ED25519, 256, 0},
};

/* A key that is ready to sign. */
struct signer {
	TEE_ObjectHandle key;
	TEE_OperationHandle operation;
};

static struct signer kept[BASELINE_KEYS];

static void signer_close(struct signer *s)
{
	TEE_FreeOperation(s->operation);
	TEE_CloseObject(s->key);
	memset(s, 0, sizeof(*s));
}

static TEE_Result signer_open(const struct kind *k, struct signer *s)
{
	TEE_Result result;

	result = TEE_OpenPersistentObject(TEE_STORAGE_PRIVATE, k->name, strlen(k->name),
		TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_SHARE_READ, &s->key);
	if (result)
		return result;
	result = TEE_AllocateOperation(&s->operation, k->algorithm, TEE_MODE_SIGN, k->bits);
	if (!result)
		result = TEE_SetOperationKey(s->operation, s->key);
	if (result)
		signer_close(s);
	return result;
}

static TEE_Result make(const struct kind *k)
{
	TEE_ObjectHandle made = TEE_HANDLE_NULL, stored = TEE_HANDLE_NULL;
	TEE_Attribute curve;
	TEE_Result result;

	result = TEE_AllocateTransientObject(k->type, k->bits, &made);
	if (result)
		return result;
	TEE_InitValueAttribute(&curve, TEE_ATTR_ECC_CURVE, k->curve, 0);
	result = TEE_GenerateKey(made, k->bits, &curve, k->curve ? 1 : 0);
	if (!result)
		result = TEE_CreatePersistentObject(TEE_STORAGE_PRIVATE, k->name, strlen(k->name),
			TEE_DATA_FLAG_ACCESS_WRITE_META, made, NULL, 0, &stored);
	TEE_CloseObject(stored);
	TEE_FreeTransientObject(made);
	return result == TEE_ERROR_ACCESS_CONFLICT ? TEE_SUCCESS : result;
}

static TEE_Result sign(const struct signer *s, TEE_Param *in, TEE_Param *out)
{
	uint8_t message[256], signature[256];
	size_t n = in->memref.size, len = sizeof(signature);
	TEE_Result result;

	if (n > sizeof(message))
		return TEE_ERROR_BAD_PARAMETERS;
	memcpy(message, in->memref.buffer, n);
	result = TEE_AsymmetricSignDigest(s->operation, NULL, 0, message, n, signature, &len);
	if (!result && len > out->memref.size)
		result = TEE_ERROR_SHORT_BUFFER;
	if (!result)
		memcpy(out->memref.buffer, signature, len);
	out->memref.size = len;
	return result;
}

TEE_Result TA_CreateEntryPoint(void)
{
	return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
}

TEE_Result TA_OpenSessionEntryPoint(
	uint32_t types, TEE_Param params[TEE_NUM_PARAMS], void **context)
{
	(void)types;
	(void)params;
	(void)context;
	return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *context)
{
	(void)context;
}

TEE_Result TA_InvokeCommandEntryPoint(
	void *context, uint32_t command, uint32_t types, TEE_Param params[TEE_NUM_PARAMS])
{
	const uint32_t to_make = TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INPUT, 0, 0, 0);
	const uint32_t to_sign = TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INPUT,
		TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_MEMREF_OUTPUT, 0);
	struct signer once = {0}, *s = &once;
	const struct kind *k;
	TEE_Result result = TEE_SUCCESS;

	(void)context;
	if (types != (command == BASELINE_MAKE ? to_make : to_sign) ||
		params[0].value.a >= BASELINE_KEYS)
		return TEE_ERROR_BAD_PARAMETERS;
	k = &kinds[params[0].value.a];
	if (command == BASELINE_MAKE)
		return make(k);
	if (command == BASELINE_SIGN)
		s = &kept[params[0].value.a];
	if (!s->key)
		result = signer_open(k, s);
	if (!result)
		result = sign(s, &params[1], &params[2]);
	if (s == &once)
		signer_close(s);
	return result;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The lists of functions, and those functions that this module has no use for. */
#include <string.h>

#include "message.h"
#include "session.h"

/* With the session checked, as every function does. */
static CK_RV refuse(CK_SESSION_HANDLE session, CK_RV answer)
{
	struct session *s;
	CK_RV rv = session_get(session, &s);

	session_put(&s);
	return rv ? rv : answer;
}

/* A pending operation is a key's and a message's: it stays in this process (5.6.5). */
CK_RV C_GetOperationState(CK_SESSION_HANDLE session, unsigned char *state, CK_ULONG *len)
{
	struct session *s;
	CK_RV rv = session_get(session, &s);

	(void)state;
	if (rv)
		return rv;
	rv = len ? CKR_OPERATION_NOT_INITIALIZED : CKR_ARGUMENTS_BAD;
	for (int i = 0; len && i < OP_KINDS; i++) {
		if (s->operations[i])
			rv = CKR_STATE_UNSAVEABLE;
	}
	session_put(&s);
	return rv;
}

CK_RV C_SetOperationState(CK_SESSION_HANDLE session, unsigned char *state, CK_ULONG len,
	CK_OBJECT_HANDLE encryption_key, CK_OBJECT_HANDLE authentication_key)
{
	(void)encryption_key, (void)authentication_key;
	return refuse(session, !state && len ? CKR_ARGUMENTS_BAD : CKR_SAVED_STATE_INVALID);
}

/* No mechanism here signs or verifies with recovery; so there is nothing that NULL could end (5.13.5 and 5.15.5). */
static CK_RV no_recovery(const CK_MECHANISM *mechanism)
{
	return mechanism ? CKR_MECHANISM_INVALID : CKR_OPERATION_NOT_INITIALIZED;
}

CK_RV C_SignRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	(void)key;
	return refuse(session, no_recovery(mechanism));
}

CK_RV C_SignRecover(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG len,
	unsigned char *out, CK_ULONG *out_len)
{
	(void)data, (void)len, (void)out, (void)out_len;
	return refuse(session, CKR_OPERATION_NOT_INITIALIZED);
}

CK_RV C_VerifyRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	(void)key;
	return refuse(session, no_recovery(mechanism));
}

CK_RV C_VerifyRecover(CK_SESSION_HANDLE session, unsigned char *signature, CK_ULONG signature_len,
	unsigned char *out, CK_ULONG *out_len)
{
	(void)signature, (void)signature_len, (void)out, (void)out_len;
	return refuse(session, CKR_OPERATION_NOT_INITIALIZED);
}

/* What version 2.0 left behind (5.21). */
CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE session)
{
	return refuse(session, CKR_FUNCTION_NOT_PARALLEL);
}

CK_RV C_CancelFunction(CK_SESSION_HANDLE session)
{
	return refuse(session, CKR_FUNCTION_NOT_PARALLEL);
}

/* --- Messages that are signed and verified one by one: what C_SignInit is for --- */

static CK_RV message_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	(void)mechanism, (void)key;
	return refuse(session, CKR_FUNCTION_NOT_SUPPORTED);
}

static CK_RV message_sign(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len,
	unsigned char *data, CK_ULONG data_len, unsigned char *out, CK_ULONG *out_len)
{
	(void)parameter, (void)parameter_len, (void)data, (void)data_len, (void)out, (void)out_len;
	return refuse(session, CKR_FUNCTION_NOT_SUPPORTED);
}

static CK_RV message_verify(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len,
	unsigned char *data, CK_ULONG data_len, unsigned char *signature, CK_ULONG signature_len)
{
	(void)parameter, (void)parameter_len, (void)data, (void)data_len, (void)signature,
		(void)signature_len;
	return refuse(session, CKR_FUNCTION_NOT_SUPPORTED);
}

static CK_RV message_begin(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len)
{
	(void)parameter, (void)parameter_len;
	return refuse(session, CKR_FUNCTION_NOT_SUPPORTED);
}

static CK_RV message_final(CK_SESSION_HANDLE session)
{
	return refuse(session, CKR_FUNCTION_NOT_SUPPORTED);
}

/* --- The lists --- */

#define FUNCTIONS                                                                               \
	.C_Initialize = C_Initialize, .C_Finalize = C_Finalize, .C_GetInfo = C_GetInfo,         \
	.C_GetFunctionList = C_GetFunctionList, .C_GetSlotList = C_GetSlotList,                 \
	.C_GetSlotInfo = C_GetSlotInfo, .C_GetTokenInfo = C_GetTokenInfo,                       \
	.C_GetMechanismList = C_GetMechanismList, .C_GetMechanismInfo = C_GetMechanismInfo,     \
	.C_InitToken = C_InitToken, .C_InitPIN = C_InitPIN, .C_SetPIN = C_SetPIN,               \
	.C_OpenSession = C_OpenSession, .C_CloseSession = C_CloseSession,                       \
	.C_CloseAllSessions = C_CloseAllSessions, .C_GetSessionInfo = C_GetSessionInfo,         \
	.C_GetOperationState = C_GetOperationState, .C_SetOperationState = C_SetOperationState, \
	.C_Login = C_Login, .C_Logout = C_Logout, .C_CreateObject = C_CreateObject,             \
	.C_CopyObject = C_CopyObject, .C_DestroyObject = C_DestroyObject,                       \
	.C_GetObjectSize = C_GetObjectSize, .C_GetAttributeValue = C_GetAttributeValue,         \
	.C_SetAttributeValue = C_SetAttributeValue, .C_FindObjectsInit = C_FindObjectsInit,     \
	.C_FindObjects = C_FindObjects, .C_FindObjectsFinal = C_FindObjectsFinal,               \
	.C_EncryptInit = C_EncryptInit, .C_Encrypt = C_Encrypt,                                 \
	.C_EncryptUpdate = C_EncryptUpdate, .C_EncryptFinal = C_EncryptFinal,                   \
	.C_DecryptInit = C_DecryptInit, .C_Decrypt = C_Decrypt,                                 \
	.C_DecryptUpdate = C_DecryptUpdate, .C_DecryptFinal = C_DecryptFinal,                   \
	.C_DigestInit = C_DigestInit, .C_Digest = C_Digest, .C_DigestUpdate = C_DigestUpdate,   \
	.C_DigestKey = C_DigestKey, .C_DigestFinal = C_DigestFinal, .C_SignInit = C_SignInit,   \
	.C_Sign = C_Sign, .C_SignUpdate = C_SignUpdate, .C_SignFinal = C_SignFinal,             \
	.C_SignRecoverInit = C_SignRecoverInit, .C_SignRecover = C_SignRecover,                 \
	.C_VerifyInit = C_VerifyInit, .C_Verify = C_Verify, .C_VerifyUpdate = C_VerifyUpdate,   \
	.C_VerifyFinal = C_VerifyFinal, .C_VerifyRecoverInit = C_VerifyRecoverInit,             \
	.C_VerifyRecover = C_VerifyRecover, .C_DigestEncryptUpdate = C_DigestEncryptUpdate,     \
	.C_DecryptDigestUpdate = C_DecryptDigestUpdate,                                         \
	.C_SignEncryptUpdate = C_SignEncryptUpdate,                                             \
	.C_DecryptVerifyUpdate = C_DecryptVerifyUpdate, .C_GenerateKey = C_GenerateKey,         \
	.C_GenerateKeyPair = C_GenerateKeyPair, .C_WrapKey = C_WrapKey,                         \
	.C_UnwrapKey = C_UnwrapKey, .C_DeriveKey = C_DeriveKey, .C_SeedRandom = C_SeedRandom,   \
	.C_GenerateRandom = C_GenerateRandom, .C_GetFunctionStatus = C_GetFunctionStatus,       \
	.C_CancelFunction = C_CancelFunction, .C_WaitForSlotEvent = C_WaitForSlotEvent

static CK_FUNCTION_LIST list_2 = {.version = {2, 40}, FUNCTIONS};

static CK_FUNCTION_LIST_3_0 list_3 = {
	.version = {3, 0},
	FUNCTIONS,
	.C_GetInterfaceList = C_GetInterfaceList,
	.C_GetInterface = C_GetInterface,
	.C_LoginUser = C_LoginUser,
	.C_SessionCancel = C_SessionCancel,
	.C_MessageEncryptInit = message_encrypt_init,
	.C_EncryptMessage = message_encrypt,
	.C_EncryptMessageBegin = message_encrypt_begin,
	.C_EncryptMessageNext = message_encrypt_next,
	.C_MessageEncryptFinal = message_encrypt_final,
	.C_MessageDecryptInit = message_decrypt_init,
	.C_DecryptMessage = message_decrypt,
	.C_DecryptMessageBegin = message_decrypt_begin,
	.C_DecryptMessageNext = message_decrypt_next,
	.C_MessageDecryptFinal = message_decrypt_final,
	.C_MessageSignInit = message_init,
	.C_SignMessage = message_sign,
	.C_SignMessageBegin = message_begin,
	.C_SignMessageNext = message_sign,
	.C_MessageSignFinal = message_final,
	.C_MessageVerifyInit = message_init,
	.C_VerifyMessage = message_verify,
	.C_VerifyMessageBegin = message_begin,
	.C_VerifyMessageNext = message_verify,
	.C_MessageVerifyFinal = message_final,
};

static unsigned char interface_name[] = "PKCS 11";

static CK_INTERFACE interfaces[] = {
	{(void *)interface_name, &list_3, CKF_INTERFACE_FORK_SAFE},
	{(void *)interface_name, &list_2, CKF_INTERFACE_FORK_SAFE},
};

static const CK_VERSION *const versions[] = {&list_3.version, &list_2.version};

#define INTERFACES (sizeof(interfaces) / sizeof(interfaces[0]))

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	if (!list)
		return CKR_ARGUMENTS_BAD;
	*list = &list_2;
	return CKR_OK;
}

CK_RV C_GetInterfaceList(CK_INTERFACE *list, CK_ULONG *count)
{
	CK_RV rv = CKR_ARGUMENTS_BAD;

	if (count && module_wants_output(list, count, INTERFACES, &rv)) {
		memcpy(list, interfaces, sizeof(interfaces));
		rv = CKR_OK;
	}
	return rv;
}

CK_RV C_GetInterface(unsigned char *name, CK_VERSION *version, CK_INTERFACE **found, CK_FLAGS flags)
{
	if (!found)
		return CKR_ARGUMENTS_BAD;
	for (size_t i = 0; i < INTERFACES; i++) {
		const CK_VERSION *has = versions[i];

		if (name && strcmp((const char *)name, (const char *)interface_name))
			continue;
		if (version && (version->major != has->major || version->minor != has->minor))
			continue;
		if ((interfaces[i].flags & flags) != flags)
			continue;
		*found = &interfaces[i];
		return CKR_OK;
	}
	return CKR_FUNCTION_FAILED;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* PKCS #11: version 2.40 from p11-kit's header, and what the module has of version 3.0 (OASIS, PKCS #11 Base
 * Specification 3.0). */
#ifndef FRONTENDS_PKCS11_CRYPTOKI_H
#define FRONTENDS_PKCS11_CRYPTOKI_H

/* What an application calls: the symbol map exports no other. */
#pragma GCC visibility push(default)
#include <p11-kit/pkcs11.h>

#define CKF_INTERFACE_FORK_SAFE 1UL
#define CKA_UNIQUE_ID 4UL
#define CKR_OPERATION_CANCEL_FAILED 0x202UL

struct interface {
	unsigned char *pInterfaceName;
	void *pFunctionList;
	CK_FLAGS flags;
};

/* The list of 2.40 is the beginning of that of 3.0. */
struct function_list_3_0 {
	CK_FUNCTION_LIST base;
	CK_RV (*C_GetInterfaceList)(struct interface *, CK_ULONG *);
	CK_RV(*C_GetInterface)
	(unsigned char *, CK_VERSION *, struct interface **, CK_FLAGS);
	CK_RV(*C_LoginUser)
	(CK_SESSION_HANDLE, CK_USER_TYPE, unsigned char *, CK_ULONG, unsigned char *, CK_ULONG);
	CK_RV (*C_SessionCancel)(CK_SESSION_HANDLE, CK_FLAGS);
	CK_RV (*C_MessageEncryptInit)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);
	CK_RV(*C_EncryptMessage)
	(CK_SESSION_HANDLE, void *, CK_ULONG, unsigned char *, CK_ULONG, unsigned char *, CK_ULONG,
		unsigned char *, CK_ULONG *);
	CK_RV(*C_EncryptMessageBegin)
	(CK_SESSION_HANDLE, void *, CK_ULONG, unsigned char *, CK_ULONG);
	CK_RV(*C_EncryptMessageNext)
	(CK_SESSION_HANDLE, void *, CK_ULONG, unsigned char *, CK_ULONG, unsigned char *,
		CK_ULONG *, CK_FLAGS);
	CK_RV (*C_MessageEncryptFinal)(CK_SESSION_HANDLE);
	CK_RV (*C_MessageDecryptInit)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);
	CK_RV(*C_DecryptMessage)
	(CK_SESSION_HANDLE, void *, CK_ULONG, unsigned char *, CK_ULONG, unsigned char *, CK_ULONG,
		unsigned char *, CK_ULONG *);
	CK_RV(*C_DecryptMessageBegin)
	(CK_SESSION_HANDLE, void *, CK_ULONG, unsigned char *, CK_ULONG);
	CK_RV(*C_DecryptMessageNext)
	(CK_SESSION_HANDLE, void *, CK_ULONG, unsigned char *, CK_ULONG, unsigned char *,
		CK_ULONG *, CK_FLAGS);
	CK_RV (*C_MessageDecryptFinal)(CK_SESSION_HANDLE);
	CK_RV (*C_MessageSignInit)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);
	CK_RV(*C_SignMessage)
	(CK_SESSION_HANDLE, void *, CK_ULONG, unsigned char *, CK_ULONG, unsigned char *,
		CK_ULONG *);
	CK_RV (*C_SignMessageBegin)(CK_SESSION_HANDLE, void *, CK_ULONG);
	CK_RV(*C_SignMessageNext)
	(CK_SESSION_HANDLE, void *, CK_ULONG, unsigned char *, CK_ULONG, unsigned char *,
		CK_ULONG *);
	CK_RV (*C_MessageSignFinal)(CK_SESSION_HANDLE);
	CK_RV (*C_MessageVerifyInit)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);
	CK_RV(*C_VerifyMessage)
	(CK_SESSION_HANDLE, void *, CK_ULONG, unsigned char *, CK_ULONG, unsigned char *, CK_ULONG);
	CK_RV (*C_VerifyMessageBegin)(CK_SESSION_HANDLE, void *, CK_ULONG);
	CK_RV(*C_VerifyMessageNext)
	(CK_SESSION_HANDLE, void *, CK_ULONG, unsigned char *, CK_ULONG, unsigned char *, CK_ULONG);
	CK_RV (*C_MessageVerifyFinal)(CK_SESSION_HANDLE);
};

CK_RV C_GetInterfaceList(struct interface *list, CK_ULONG *count);
CK_RV C_GetInterface(
	unsigned char *name, CK_VERSION *version, struct interface **found, CK_FLAGS flags);
CK_RV C_LoginUser(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin,
	CK_ULONG pin_len, unsigned char *name, CK_ULONG name_len);
CK_RV C_SessionCancel(CK_SESSION_HANDLE session, CK_FLAGS flags);

#pragma GCC visibility pop

#endif

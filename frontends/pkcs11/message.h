/* SPDX-License-Identifier: BSD-2-Clause */
/* C_MessageEncryptInit … C_MessageDecryptFinal, for the list of version 3.0. */
#ifndef FRONTENDS_PKCS11_MESSAGE_H
#define FRONTENDS_PKCS11_MESSAGE_H

#include "module.h"

CK_RV message_encrypt_init(
	CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);
CK_RV message_encrypt(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len,
	unsigned char *aad, CK_ULONG aad_len, unsigned char *in, CK_ULONG in_len,
	unsigned char *out, CK_ULONG *out_len);
CK_RV message_encrypt_begin(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len,
	unsigned char *aad, CK_ULONG aad_len);
CK_RV message_encrypt_next(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len,
	unsigned char *in, CK_ULONG in_len, unsigned char *out, CK_ULONG *out_len, CK_FLAGS flags);
CK_RV message_encrypt_final(CK_SESSION_HANDLE session);

CK_RV message_decrypt_init(
	CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);
CK_RV message_decrypt(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len,
	unsigned char *aad, CK_ULONG aad_len, unsigned char *in, CK_ULONG in_len,
	unsigned char *out, CK_ULONG *out_len);
CK_RV message_decrypt_begin(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len,
	unsigned char *aad, CK_ULONG aad_len);
CK_RV message_decrypt_next(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len,
	unsigned char *in, CK_ULONG in_len, unsigned char *out, CK_ULONG *out_len, CK_FLAGS flags);
CK_RV message_decrypt_final(CK_SESSION_HANDLE session);

#endif

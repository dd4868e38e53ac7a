/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs that put the PKCS #11 module under load do with it. */
#ifndef TESTS_PKCS11_USE_H
#define TESTS_PKCS11_USE_H

#include <p11-kit/pkcs11.h>

#define P11_FOUND_MAX 256

/* The module's list of functions; ends the program when it cannot be loaded. */
CK_FUNCTION_LIST *p11_load(const char *path);
/* Initialized for threads; ends the program when that fails. */
void p11_initialize(CK_FUNCTION_LIST *p11);
CK_SESSION_HANDLE p11_open(CK_FUNCTION_LIST *p11);

/* A signing key pair, of Ed25519 or P-256. */
CK_RV p11_generate(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE s, int ed25519, CK_BBOOL token,
	const char *label, CK_OBJECT_HANDLE *public, CK_OBJECT_HANDLE *private);
CK_RV p11_sign(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE s, int ed25519, CK_OBJECT_HANDLE private,
	CK_BYTE *message, CK_ULONG len, CK_BYTE signature[64]);
CK_RV p11_verify(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE s, int ed25519, CK_OBJECT_HANDLE public,
	CK_BYTE *message, CK_ULONG len, CK_BYTE signature[64]);
/* Those with this class and label, at most P11_FOUND_MAX. */
CK_RV p11_find(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE s, CK_OBJECT_CLASS class, const char *label,
	CK_OBJECT_HANDLE found[P11_FOUND_MAX], CK_ULONG *count);

#endif

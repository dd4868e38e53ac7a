/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of tests/pkcs11_matrix.c have in common. */
#ifndef TESTS_PKCS11_MATRIX_H
#define TESTS_PKCS11_MATRIX_H

#include "frontends/pkcs11/cryptoki.h"

/* Version 3.0's list, which begins as that of 2.40. */
extern CK_FUNCTION_LIST_3_0 *p11;

void expect(const char *what, CK_RV expected, CK_RV found);
void check(const char *what, int good);
/* Said with what fails from now on */
void about(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define EXPECT(rv, call) expect(#call, rv, p11->call)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

extern CK_SLOT_ID slot; /* of the sessions that are opened */
extern CK_BBOOL yes, no;
extern CK_BYTE p256[10];
extern CK_BYTE iv[16], tag[16];
extern CK_GCM_PARAMS gcm_whole;
extern struct gcm_message gcm_message;
extern struct hkdf_parameters hkdf;

/* Keys of the session that made them, with every use that their type has. */
struct keys {
	CK_OBJECT_HANDLE rsa, rsa_public, ec, ec_public, ed, ed_public, x, x_public, aes, generic;
	CK_OBJECT_HANDLE data; /* no key */
};

CK_SESSION_HANDLE session_open(CK_FLAGS flags);
void keys_make(CK_SESSION_HANDLE s, struct keys *keys);
CK_OBJECT_HANDLE data_make(CK_SESSION_HANDLE s, CK_BBOOL *token, const char *label);
void pair_make(CK_SESSION_HANDLE s, CK_BBOOL *token, const char *label, CK_OBJECT_HANDLE *public,
	CK_OBJECT_HANDLE *private);
CK_OBJECT_HANDLE secret_make(
	CK_SESSION_HANDLE s, CK_MECHANISM_TYPE generator, CK_BBOOL *token, const char *label);

/* What no refused call may change: the objects that are there, a session that is in the middle of a signature, a digest and
 * a search, and who is logged in. */
struct witness;
struct witness *witness_new(const struct keys *keys);
void witness_check(struct witness *w);
/* Ends the operations, with the results that they should have. */
void witness_end(struct witness **w);

void check_limits(const struct keys *keys);
void check_mechanisms(const struct keys *keys);
void check_templates(const struct keys *keys);
void check_gone(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FRONTENDS_PKCS11_MECHANISM_H
#define FRONTENDS_PKCS11_MECHANISM_H

#include "module.h"

/* Bits: a mechanism may be for several. */
enum family {
	FAMILY_NONE = 0,
	FAMILY_RSA = 1,
	FAMILY_EC = 2,
	FAMILY_ED = 4,
	FAMILY_X = 8,
	FAMILY_AGREE = FAMILY_EC | FAMILY_X,
	FAMILY_AES = 16,
	FAMILY_SECRET = 32 /* generic secrets, for HMAC and HKDF */
};

struct mechanism {
	CK_MECHANISM_TYPE type;
	enum family family;
	CK_FLAGS flags;
	unsigned scheme; /* enum kw_scheme, 0 for none */
	enum kw_hash hash;
	unsigned cipher; /* enum kw_cipher_mode, 0 for none */
	unsigned mac;    /* enum kw_mac_kind, 0 for none */
};

/* NULL when the module does not have it. */
const struct mechanism *mechanism_find(CK_MECHANISM_TYPE type);
/* i-th from 0, NULL past the end. */
const struct mechanism *mechanism_at(unsigned i);
enum family mechanism_family(enum kw_key_type type);
/* The hash of CKM_SHA…; KW_HASH_NONE for any other. */
enum kw_hash mechanism_hash(CK_MECHANISM_TYPE type);
/* Bytes; 0 for KW_HASH_NONE. */
size_t mechanism_hash_size(enum kw_hash hash);
const char *mechanism_hash_name(enum kw_hash hash);
/* What the mechanism hashes its data with, for OpenSSL; NULL for nothing. */
const char *mechanism_own_hash(const struct mechanism *m);
/* CKG_MGF1_SHA… */
enum kw_hash mechanism_mgf_hash(CK_ULONG mgf);

#endif

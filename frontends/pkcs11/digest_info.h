/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FRONTENDS_PKCS11_DIGEST_INFO_H
#define FRONTENDS_PKCS11_DIGEST_INFO_H

#include "module.h"

/* The DigestInfo of RFC 8017, 9.2, which callers of CKM_RSA_PKCS give. *digest is in data. CKR_DATA_INVALID for
 * anything else, which the TEE would not sign. */
CK_RV digest_info_read(const uint8_t *data, size_t len, enum kw_hash *hash, const uint8_t **digest,
	size_t *digest_len);

#endif

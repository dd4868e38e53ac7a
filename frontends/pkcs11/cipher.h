/* SPDX-License-Identifier: BSD-2-Clause */
/* What the TEE does with secret keys: AES and MACs. */
#ifndef FRONTENDS_PKCS11_CIPHER_H
#define FRONTENDS_PKCS11_CIPHER_H

#include "operation.h"

/* CKR_MECHANISM_PARAM_INVALID */
CK_RV cipher_take_parameters(struct operation *op, const CK_MECHANISM *m);
/* A part of a message, or its end (is_last; the data may be none), within the standard's protocol for results: what is
 * returned with CKR_BUFFER_TOO_SMALL, or a NULL buffer, changed nothing. */
CK_RV cipher_part(struct operation *op, bool decrypt, bool is_last, const uint8_t *data, size_t len,
	unsigned char *out, CK_ULONG *out_len);

CK_RV mac_take_parameters(struct operation *op, const CK_MECHANISM *m);
CK_RV mac_sign(const struct operation *op, const uint8_t *data, size_t len, unsigned char *out,
	CK_ULONG *out_len);
CK_RV mac_verify(const struct operation *op, const uint8_t *data, size_t len, const uint8_t *tag,
	size_t tag_len);

#endif

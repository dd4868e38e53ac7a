/* SPDX-License-Identifier: BSD-2-Clause */
/* HMAC and AES-CMAC, by the TEE: it gets the message whole. */
#include <openssl/crypto.h>
#include <string.h>

#include "cipher.h"

/* The TEE compares no fewer bytes. */
#define MAC_MIN 4

CK_RV mac_take_parameters(struct operation *op, const CK_MECHANISM *m)
{
	size_t full = op->mechanism->mac == KW_MAC_CMAC ? 16 : mechanism_hash_size(op->hash);
	CK_ULONG wanted;

	op->mac_len = full;
	switch (m->mechanism) {
	case CKM_AES_CMAC_GENERAL:
	case CKM_SHA224_HMAC_GENERAL:
	case CKM_SHA256_HMAC_GENERAL:
	case CKM_SHA384_HMAC_GENERAL:
	case CKM_SHA512_HMAC_GENERAL:
		if (!m->pParameter || m->ulParameterLen != sizeof(wanted))
			return CKR_MECHANISM_PARAM_INVALID;
		memcpy(&wanted, m->pParameter, sizeof(wanted));
		op->mac_len = wanted;
		return wanted >= MAC_MIN && wanted <= full ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;
	default:
		return m->ulParameterLen ? CKR_MECHANISM_PARAM_INVALID : CKR_OK;
	}
}

static struct kw_mac mac_of(const struct operation *op, const uint8_t *data, size_t len)
{
	return (struct kw_mac){.kind = (enum kw_mac_kind)op->mechanism->mac,
		.hash = op->hash,
		.data = data,
		.len = len};
}

CK_RV mac_sign(const struct operation *op, const uint8_t *data, size_t len, unsigned char *out,
	CK_ULONG *out_len)
{
	struct kw_mac what = mac_of(op, data, len);
	uint8_t tag[KW_MAC_MAX];
	struct kw_use use;
	size_t n = 0;
	CK_RV rv;

	if (!module_wants_output(out, out_len, op->mac_len, &rv))
		return rv;
	rv = object_use(op->key, &use);
	if (!rv)
		rv = module_error(kw_mac(module_kw(), &use, &what, tag, &n));
	if (!rv && n < op->mac_len)
		rv = CKR_DEVICE_ERROR;
	if (!rv)
		memcpy(out, tag, op->mac_len);
	OPENSSL_cleanse(tag, sizeof(tag));
	return rv;
}

CK_RV mac_verify(const struct operation *op, const uint8_t *data, size_t len, const uint8_t *tag,
	size_t tag_len)
{
	struct kw_mac what = mac_of(op, data, len);
	struct kw_use use;
	CK_RV rv = object_use(op->key, &use);

	if (rv)
		return rv;
	if (tag_len != op->mac_len)
		return CKR_SIGNATURE_LEN_RANGE;
	return module_error(kw_mac_verify(module_kw(), &use, &what, tag, tag_len));
}

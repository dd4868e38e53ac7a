/* SPDX-License-Identifier: BSD-2-Clause */
#include "digest_info.h"

#include <string.h>

#include "mechanism.h"

/* 2.16.840.1.101.3.4.2.x, with the NULL that RFC 8017 wants of those who write, and without it. */
CK_RV digest_info_read(const uint8_t *data, size_t len, enum kw_hash *hash, const uint8_t **digest,
	size_t *digest_len)
{
	static const struct {
		enum kw_hash hash;
		uint8_t arc;
	} hashes[] = {
		{KW_HASH_SHA224, 4}, {KW_HASH_SHA256, 1}, {KW_HASH_SHA384, 2}, {KW_HASH_SHA512, 3}};

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		for (size_t null = 0; null <= 2; null += 2) {
			uint8_t n = (uint8_t)mechanism_hash_size(hashes[i].hash);
			uint8_t head[19] = {0x30, (uint8_t)(15 + null + n), 0x30,
				(uint8_t)(11 + null), 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
				0x03, 0x04, 0x02, hashes[i].arc};
			size_t at = 15;

			if (null) {
				head[at++] = 0x05;
				head[at++] = 0x00;
			}
			head[at++] = 0x04;
			head[at++] = n;
			if (len == at + n && !memcmp(data, head, at)) {
				*hash = hashes[i].hash;
				*digest = data + at;
				*digest_len = n;
				return CKR_OK;
			}
		}
	}
	return CKR_DATA_INVALID;
}

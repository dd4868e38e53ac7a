/* SPDX-License-Identifier: BSD-2-Clause */
#include "key_type.h"

#include "wire/wire.h"

static const struct key_type_info types[] = {
#define KW_KEY_TYPE(number, NAME, name, FAMILY, bits) \
	{name, KEY_TYPE_##NAME, FAMILY_##FAMILY, bits},
#include "keyward/algorithms.def"
};

const struct key_type_info *key_type_find(uint8_t number)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type == (enum key_type)number)
			return &types[i];
	}
	return NULL;
}

size_t key_type_bytes(const struct key_type_info *info)
{
	return (info->bits + 7) / 8;
}

bool key_type_is_secret(enum key_type type)
{
	const struct key_type_info *info = key_type_find((uint8_t)type);

	return info && info->family >= FAMILY_AES;
}

bool key_type_takes(const struct key_type_info *info, size_t bytes)
{
	if (info->family == FAMILY_HMAC)
		return bytes > 0 && bytes <= WIRE_SECRET_MAX;
	return info->family == FAMILY_AES && bytes == key_type_bytes(info);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "key_type.h"

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

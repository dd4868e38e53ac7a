/* SPDX-License-Identifier: BSD-2-Clause */
#include "mechanism.h"

#define KW_SCHEME_NONE 0

static const struct mechanism mechanisms[] = {
#define MECHANISM(type, FAMILY, flags, SCHEME, HASH) \
	{type, FAMILY_##FAMILY, flags, KW_SCHEME_##SCHEME, KW_HASH_##HASH, 0, 0},
#define CIPHER(type, flags, MODE) {type, FAMILY_AES, flags, 0, KW_HASH_NONE, KW_CIPHER_##MODE, 0},
#define MAC(type, FAMILY, KIND, HASH) \
	{type, FAMILY_##FAMILY, CKF_SIGN | CKF_VERIFY, 0, KW_HASH_##HASH, 0, KW_MAC_##KIND},
#include "mechanisms.def"
};

#define COUNT (sizeof(mechanisms) / sizeof(mechanisms[0]))

static const struct {
	enum kw_hash hash;
	CK_MECHANISM_TYPE type;
	CK_ULONG mgf;
	size_t size;
	const char *name;
} hashes[] = {
	{KW_HASH_SHA224, CKM_SHA224, CKG_MGF1_SHA224, 28, "SHA2-224"},
	{KW_HASH_SHA256, CKM_SHA256, CKG_MGF1_SHA256, 32, "SHA2-256"},
	{KW_HASH_SHA384, CKM_SHA384, CKG_MGF1_SHA384, 48, "SHA2-384"},
	{KW_HASH_SHA512, CKM_SHA512, CKG_MGF1_SHA512, 64, "SHA2-512"},
};

#define HASHES (sizeof(hashes) / sizeof(hashes[0]))

const struct mechanism *mechanism_at(unsigned i)
{
	return i < COUNT ? &mechanisms[i] : NULL;
}

const struct mechanism *mechanism_find(CK_MECHANISM_TYPE type)
{
	for (size_t i = 0; i < COUNT; i++) {
		if (mechanisms[i].type == type)
			return &mechanisms[i];
	}
	return NULL;
}

enum family mechanism_family(enum kw_key_type type)
{
	if (kw_key_type_is_rsa(type))
		return FAMILY_RSA;
	if (kw_key_type_is_ec(type))
		return FAMILY_EC;
	switch ((int)type) {
	case KW_KEY_TYPE_ED25519:
		return FAMILY_ED;
	case KW_KEY_TYPE_X25519:
		return FAMILY_X;
	case KW_KEY_TYPE_HMAC:
		return FAMILY_SECRET;
	default:
		return kw_key_type_is_secret(type) ? FAMILY_AES : FAMILY_NONE;
	}
}

enum kw_hash mechanism_hash(CK_MECHANISM_TYPE type)
{
	for (size_t i = 0; i < HASHES; i++) {
		if (hashes[i].type == type)
			return hashes[i].hash;
	}
	return KW_HASH_NONE;
}

enum kw_hash mechanism_mgf_hash(CK_ULONG mgf)
{
	for (size_t i = 0; i < HASHES; i++) {
		if (hashes[i].mgf == mgf)
			return hashes[i].hash;
	}
	return KW_HASH_NONE;
}

size_t mechanism_hash_size(enum kw_hash hash)
{
	for (size_t i = 0; i < HASHES; i++) {
		if (hashes[i].hash == hash)
			return hashes[i].size;
	}
	return 0;
}

const char *mechanism_hash_name(enum kw_hash hash)
{
	for (size_t i = 0; i < HASHES; i++) {
		if (hashes[i].hash == hash)
			return hashes[i].name;
	}
	return NULL;
}

const char *mechanism_own_hash(const struct mechanism *m)
{
	return m->type == CKM_ECDSA_SHA1 ? "SHA1" : mechanism_hash_name(m->hash);
}

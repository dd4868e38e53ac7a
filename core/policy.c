/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy.h"

#include <string.h>

#include "key_type.h"
#include "rsa_block.h"
#include "tls_message.h"

static bool is_user(const struct session *s, const struct identity *who)
{
	return who->kind == IDENTITY_USER && !memcmp(who->uuid, s->user.uuid, WIRE_UUID_SIZE);
}

static bool is_caller(const struct session *s, const struct identity *who)
{
	if (is_user(s, who))
		return true;
	if (who->kind != IDENTITY_GROUP)
		return false;
	for (unsigned i = 0; i < s->group_count && i < CALLER_GROUPS_MAX; i++) {
		if (!memcmp(who->uuid, s->groups[i], WIRE_UUID_SIZE))
			return true;
	}
	return false;
}

bool policy_may_use(const struct session *s, const struct identity *owner,
	const struct identity *acl, unsigned acl_count)
{
	if (is_user(s, owner))
		return true;
	for (unsigned i = 0; i < acl_count; i++) {
		if (is_caller(s, &acl[i]))
			return true;
	}
	return false;
}

bool policy_may_manage(const struct session *s, const struct identity *owner)
{
	return s->is_admin || is_user(s, owner);
}

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool policy_name_is_good(const char *name, size_t len)
{
	bool all_hex = true;

	if (len == 0 || len > WIRE_NAME_MAX)
		return false;
	if (!is_letter_or_digit(name[0]) && name[0] != '*' && name[0] != '_')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_letter_or_digit(name[i]) && (!name[i] || !strchr("._-@+*", name[i])))
			return false;
		all_hex = all_hex && is_hex(name[i]);
	}
	/* A name that reads as an id would make "keyward key delete X" a guess. */
	return !(all_hex && len == 2 * WIRE_ID_SIZE);
}

bool policy_purposes_fit(uint32_t purposes, enum key_type type)
{
	static const uint32_t signing =
		PURPOSE_TLS_SERVER | PURPOSE_TLS_CLIENT | PURPOSE_CSR | PURPOSE_SIGN;
	static const uint32_t wrapping =
		PURPOSE_WRAP | PURPOSE_UNWRAP | PURPOSE_TRUSTED | PURPOSE_MIXED;
	static const uint32_t deriving = PURPOSE_DERIVE | PURPOSE_DERIVE_VALUE;
	static const uint32_t leaving = PURPOSE_EXTRACTABLE | PURPOSE_WITH_TRUSTED;
	static const uint32_t possible[] = {
		[FAMILY_RSA] = signing | wrapping | leaving | PURPOSE_DECRYPT |
			       PURPOSE_DECRYPT_PKCS1 | PURPOSE_RAW,
		[FAMILY_EC] = signing | deriving | leaving,
		[FAMILY_ED] = signing | leaving,
		[FAMILY_X] = deriving | leaving,
		[FAMILY_AES] = wrapping | leaving | PURPOSE_ENCRYPT | PURPOSE_DECRYPT | PURPOSE_MAC,
		[FAMILY_HMAC] = deriving | leaving | PURPOSE_MAC | PURPOSE_MIXED,
	};
	const struct key_type_info *info = key_type_find((uint8_t)type);

	if (!info || purposes & ~possible[info->family])
		return false;
	if (purposes & PURPOSE_TRUSTED && !(purposes & PURPOSE_WRAP))
		return false;
	/* A key that may leave is of use elsewhere. */
	return purposes & ~(uint32_t)(PURPOSES_FLAGS & ~PURPOSE_EXTRACTABLE);
}

/*
 * J. Clulow, "On the Security of PKCS #11" (CHES 2003): whoever has a key wrapped and then decrypts that with
 * the same key has it; whoever encrypts a key of his own and has it unwrapped knows a key of the TEE. CMAC
 * and the key stream of CTR stand for encryption as well. And a step of HKDF is an HMAC under the same key. A trusted
 * key that any key may wrap is known to whoever knows that one.
 */
static bool is_mixed(uint32_t p)
{
	const uint32_t blocks = PURPOSE_ENCRYPT | PURPOSE_DECRYPT | PURPOSE_DECRYPT_PKCS1 |
				PURPOSE_MAC | PURPOSE_RAW;

	if (p & (PURPOSE_WRAP | PURPOSE_UNWRAP) && p & blocks)
		return true;
	if (p & PURPOSE_TRUSTED && p & PURPOSE_EXTRACTABLE && !(p & PURPOSE_WITH_TRUSTED))
		return true;
	return p & PURPOSE_MAC && p & PURPOSE_DERIVE && !(p & PURPOSE_DERIVE_VALUE);
}

enum kw_err policy_purposes_check(const struct session *s, uint32_t purposes)
{
	if (is_mixed(purposes) && !(purposes & PURPOSE_MIXED))
		return KW_ERR_MIXED;
	if (purposes & PURPOSE_TRUSTED && !s->is_admin)
		return KW_ERR_NOT_OWNER;
	return KW_ERR_OK;
}

static bool algorithm_fits(const struct key_type_info *info, const struct crypto_sign *what)
{
	size_t hash = hash_size(what->hash);

	switch (what->scheme) {
	case SCHEME_EDDSA:
		return info->family == FAMILY_ED && what->hash == HASH_NONE && !what->is_digest &&
		       what->salt_len == 0;
	case SCHEME_ECDSA:
		return info->family == FAMILY_EC && hash && what->salt_len == 0;
	case SCHEME_RSA_PKCS1:
		if (info->family != FAMILY_RSA || what->salt_len)
			return false;
		/* RFC 8017 9.2: eleven bytes of padding at least */
		return hash || (what->hash == HASH_NONE && what->is_digest &&
				       what->n + 11 <= info->bits / 8);
	case SCHEME_RSA_PSS:
		/* RFC 8017 9.1.1: emLen >= hLen + sLen + 2 */
		return info->family == FAMILY_RSA && hash &&
		       what->salt_len + hash + 2 <= info->bits / 8;
	case SCHEME_RSA_RAW:
		return info->family == FAMILY_RSA && what->hash == HASH_NONE && !what->is_digest &&
		       what->salt_len == 0;
	}
	return false;
}

/* The padding is the only thing that tells a signature from a decryption. */
static enum kw_err check_raw(
	const struct key_type_info *info, uint32_t purposes, const struct crypto_sign *what)
{
	if (what->n != info->bits / 8)
		return KW_ERR_BAD_REQUEST;
	if (purposes & PURPOSE_RAW)
		return KW_ERR_OK;
	if (purposes & PURPOSE_SIGN && rsa_block_is_signature(what->data, what->n))
		return KW_ERR_OK;
	return KW_ERR_PURPOSE;
}

/* EMSA-PKCS1-v1_5 around what the caller gives. */
static enum kw_err check_padded(
	const struct key_type_info *info, uint32_t purposes, const struct crypto_sign *what)
{
	if (!(purposes & PURPOSE_SIGN))
		return KW_ERR_PURPOSE;
	if (purposes & PURPOSE_RAW)
		return KW_ERR_OK;
	return rsa_block_may_contain(what->data, what->n, info->bits / 8) ? KW_ERR_OK
									  : KW_ERR_PURPOSE;
}

enum kw_err policy_check_sign(enum key_type type, uint32_t purposes, const struct crypto_sign *what)
{
	const struct key_type_info *info = key_type_find((uint8_t)type);
	enum kw_err err = KW_ERR_PURPOSE;

	if (!info || !algorithm_fits(info, what))
		return KW_ERR_BAD_ALGORITHM;
	if (what->is_digest && what->hash != HASH_NONE && what->n != hash_size(what->hash))
		return KW_ERR_BAD_REQUEST;
	if (what->scheme == SCHEME_RSA_RAW)
		return check_raw(info, purposes, what);
	/* Bytes that are padded as they come could be anything. */
	if (what->is_digest && what->hash == HASH_NONE)
		return check_padded(info, purposes, what);
	if (purposes & PURPOSE_SIGN)
		return KW_ERR_OK;
	if (purposes & PURPOSE_TLS_SERVER) {
		err = tls_message_check_server(type, what);
		if (!err)
			return KW_ERR_OK;
	}
	if (purposes & PURPOSE_TLS_CLIENT) {
		enum kw_err client = tls_message_check_client(type, what);

		if (!client || err == KW_ERR_PURPOSE)
			err = client;
	}
	return err;
}

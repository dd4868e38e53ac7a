/* SPDX-License-Identifier: BSD-2-Clause */
#include "common.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct front_tee {
	atomic_uint refs;
	struct kw *kw;
};

struct front_key {
	atomic_uint refs;
	struct front_tee *tee;
	enum kw_key_type type;
	uint8_t id[KW_ID_SIZE];
	char label[KW_NAME_MAX + 1];
	uint8_t *spki;
	size_t spki_len;
	uint8_t *record; /* of a sealed key, else NULL */
	size_t record_len;
};

enum kw_err front_tee_new(const struct kw_options *options, struct front_tee **tee)
{
	struct front_tee *t = calloc(1, sizeof(*t));
	enum kw_err err = KW_ERR_NO_MEMORY;

	*tee = NULL;
	if (!t)
		goto out;
	atomic_init(&t->refs, 1);
	err = kw_new(options, &t->kw);
	if (err)
		goto out;
	*tee = t;
	t = NULL;
out:
	free(t);
	return err;
}

struct front_tee *front_tee_ref(struct front_tee *tee)
{
	atomic_fetch_add(&tee->refs, 1);
	return tee;
}

void front_tee_free(struct front_tee **tee)
{
	struct front_tee *t = *tee;

	*tee = NULL;
	if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
		return;
	kw_free(&t->kw);
	free(t);
}

struct front_key *front_key_ref(struct front_key *key)
{
	atomic_fetch_add(&key->refs, 1);
	return key;
}

void front_key_free(struct front_key **key)
{
	struct front_key *k = *key;

	*key = NULL;
	if (!k || atomic_fetch_sub(&k->refs, 1) != 1)
		return;
	front_tee_free(&k->tee);
	free(k->spki);
	free(k->record);
	free(k);
}

static uint8_t *copy_of(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (copy)
		memcpy(copy, p, n);
	return copy;
}

struct parts {
	const char *label;
	const uint8_t *id;
	const uint8_t *spki;
	size_t spki_len;
	const uint8_t *record;
	size_t record_len;
};

static enum kw_err key_new(struct front_tee *tee, const struct parts *p, struct front_key **key)
{
	struct front_key *k = NULL;
	uint8_t id[SHA256_DIGEST_LENGTH];
	enum kw_err err = KW_ERR_BAD_REFERENCE;
	enum kw_key_type type;

	*key = NULL;
	type = front_type_of_spki(p->spki, p->spki_len);
	/* A key is its public key: an id that says otherwise would make signatures that fit no
	 * certificate. */
	if (!type || !SHA256(p->spki, p->spki_len, id) || memcmp(id, p->id, sizeof(id)) != 0)
		goto out;
	err = KW_ERR_NO_MEMORY;
	k = calloc(1, sizeof(*k));
	if (!k)
		goto out;
	atomic_init(&k->refs, 1);
	k->tee = front_tee_ref(tee);
	k->type = type;
	memcpy(k->id, id, sizeof(k->id));
	strncpy(k->label, p->label, sizeof(k->label) - 1);
	k->spki = copy_of(p->spki, p->spki_len);
	k->spki_len = p->spki_len;
	if (p->record) {
		k->record = copy_of(p->record, p->record_len);
		k->record_len = p->record_len;
	}
	if (!k->spki || (p->record && !k->record))
		goto out;
	*key = k;
	k = NULL;
	err = KW_ERR_OK;
out:
	front_key_free(&k);
	return err;
}

static enum kw_err key_from_tee(
	struct front_tee *tee, const struct kw_target *target, struct front_key **key)
{
	struct kw_key *found = NULL;
	struct parts p = {0};
	enum kw_err err;

	*key = NULL;
	err = kw_key_find(tee->kw, target, &found);
	if (err)
		goto out;
	p.label = kw_key_name(found);
	p.id = kw_key_id(found);
	p.spki = kw_key_spki(found, &p.spki_len);
	err = p.spki ? key_new(tee, &p, key) : KW_ERR_UNSUPPORTED_TYPE;
	if (err == KW_ERR_BAD_REFERENCE)
		err = KW_ERR_PROTOCOL;
out:
	kw_key_free(&found);
	return err;
}

enum kw_err front_key_from_file(
	struct front_tee *tee, const uint8_t *der, size_t len, struct front_key **key)
{
	struct kw_reference *ref = NULL;
	struct kw_target by_name = {0};
	struct parts p = {0};
	enum kw_err err;

	*key = NULL;
	err = kw_reference_parse(der, len, &ref);
	if (err)
		goto out;
	p.label = kw_reference_name(ref);
	p.id = kw_reference_id(ref);
	p.spki = kw_reference_spki(ref, &p.spki_len);
	p.record = kw_reference_record(ref, &p.record_len);
	if (!p.record && p.label[0]) {
		by_name.name = p.label;
		err = key_from_tee(tee, &by_name, key);
		if (!err)
			goto out;
	}
	err = key_new(tee, &p, key);
out:
	kw_reference_free(&ref);
	return err;
}

enum kw_err front_key_from_text(struct front_tee *tee, const char *text, struct front_key **key)
{
	uint8_t id[KW_ID_SIZE];
	struct kw_target target = kw_target_from_text(text, id);

	return key_from_tee(tee, &target, key);
}

enum kw_key_type front_key_type(const struct front_key *key)
{
	return key->type;
}

const uint8_t *front_key_spki(const struct front_key *key, size_t *len)
{
	*len = key->spki_len;
	return key->spki;
}

enum kw_err front_key_check(const struct front_key *key)
{
	struct kw_target target = {0};
	struct kw_key *found = NULL;
	const uint8_t *spki;
	size_t len = 0;
	enum kw_err err;

	if (key->record) {
		target.record = key->record;
		target.record_len = key->record_len;
	} else {
		target.id = key->id;
	}
	err = kw_key_find(key->tee->kw, &target, &found);
	if (err)
		goto out;
	spki = kw_key_spki(found, &len);
	err = KW_ERR_BAD_KEY;
	if (spki && len == key->spki_len && memcmp(spki, key->spki, len) == 0)
		err = KW_ERR_OK;
out:
	kw_key_free(&found);
	return err;
}

static struct kw_use use_of(const struct front_key *key)
{
	return (struct kw_use){.id = key->id,
		.record = key->record,
		.record_len = key->record_len,
		.label = key->label[0] ? key->label : NULL};
}

enum kw_err front_key_sign(
	const struct front_key *key, const struct kw_sign *what, uint8_t *sig, size_t *len)
{
	struct kw_use use = use_of(key);
	uint8_t rs[KW_SIGNATURE_MAX];
	size_t rs_len = 0;
	enum kw_err err;

	if (!kw_key_type_is_ec(key->type))
		return kw_sign(key->tee->kw, &use, what, sig, len);
	err = kw_sign(key->tee->kw, &use, what, rs, &rs_len);
	if (err)
		return err;
	return kw_ecdsa_to_der(rs, rs_len, sig, len);
}

enum kw_err front_key_decrypt(
	const struct front_key *key, const struct kw_decrypt *what, uint8_t *out, size_t *len)
{
	struct kw_use use = use_of(key);

	return kw_rsa_decrypt(key->tee->kw, &use, what, out, len);
}

/* AlgorithmIdentifiers: RFC 3279 2.3.1, RFC 5480 2.1.1, RFC 8410 3. */
#define RSA_ALGORITHM "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"
#define EC_OID "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"

static const struct {
	enum kw_key_type type;
	const char *algorithm;
	size_t algorithm_len;
	size_t head;     /* bytes of the outer tag and length before it */
	size_t min, max; /* of the whole: RSA exponents take 3 to 5 bytes */
} forms[] = {
	{KW_KEY_TYPE_RSA_2048, RSA_ALGORITHM, 15, 4, 294, 296},
	{KW_KEY_TYPE_RSA_3072, RSA_ALGORITHM, 15, 4, 422, 424},
	{KW_KEY_TYPE_RSA_4096, RSA_ALGORITHM, 15, 4, 550, 552},
	{KW_KEY_TYPE_EC_P256, "\x30\x13" EC_OID "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 21, 2,
		91, 91},
	{KW_KEY_TYPE_EC_P384, "\x30\x10" EC_OID "\x06\x05\x2b\x81\x04\x00\x22", 18, 2, 120, 120},
	{KW_KEY_TYPE_EC_P521, "\x30\x10" EC_OID "\x06\x05\x2b\x81\x04\x00\x23", 18, 3, 158, 158},
	{KW_KEY_TYPE_ED25519, "\x30\x05\x06\x03\x2b\x65\x70", 7, 2, 44, 44},
};

enum kw_key_type front_type_of_spki(const uint8_t *spki, size_t len)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (len >= forms[i].min && len <= forms[i].max &&
			memcmp(spki + forms[i].head, forms[i].algorithm, forms[i].algorithm_len) ==
				0)
			return forms[i].type;
	return (enum kw_key_type)0;
}

enum kw_err front_type_of_file(const uint8_t *der, size_t len, enum kw_key_type *type)
{
	struct kw_reference *ref = NULL;
	const uint8_t *spki;
	size_t spki_len = 0;
	enum kw_err err;

	*type = (enum kw_key_type)0;
	err = kw_reference_parse(der, len, &ref);
	if (err)
		return err;
	spki = kw_reference_spki(ref, &spki_len);
	if (spki)
		*type = front_type_of_spki(spki, spki_len);
	kw_reference_free(&ref);
	return *type ? KW_ERR_OK : KW_ERR_UNSUPPORTED_TYPE;
}

static const struct {
	struct front_hash hash;
	const char *names[3];
	/* DigestInfo up to the digest itself */
	uint8_t info[19];
} hashes[] = {
#define INFO(whole, arc, size)                                                                 \
	{                                                                                      \
		0x30, whole, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, \
			0x02, arc, 0x05, 0x00, 0x04, size                                      \
	}
	{{KW_HASH_SHA224, NID_sha224, 28, "SHA2-224"}, {"SHA2-224", "SHA224", "SHA-224"},
		INFO(0x2d, 0x04, 28)},
	{{KW_HASH_SHA256, NID_sha256, 32, "SHA2-256"}, {"SHA2-256", "SHA256", "SHA-256"},
		INFO(0x31, 0x01, 32)},
	{{KW_HASH_SHA384, NID_sha384, 48, "SHA2-384"}, {"SHA2-384", "SHA384", "SHA-384"},
		INFO(0x41, 0x02, 48)},
	{{KW_HASH_SHA512, NID_sha512, 64, "SHA2-512"}, {"SHA2-512", "SHA512", "SHA-512"},
		INFO(0x51, 0x03, 64)},
};

#define HASHES (sizeof(hashes) / sizeof(*hashes))

const struct front_hash *front_hash_by_name(const char *name)
{
	for (size_t i = 0; name && i < HASHES; i++)
		for (size_t j = 0; j < 3; j++)
			if (OPENSSL_strcasecmp(name, hashes[i].names[j]) == 0)
				return &hashes[i].hash;
	return NULL;
}

const struct front_hash *front_hash_by_nid(int nid)
{
	for (size_t i = 0; i < HASHES; i++)
		if (hashes[i].hash.nid == nid)
			return &hashes[i].hash;
	return NULL;
}

const struct front_hash *front_hash_by_size(size_t size)
{
	for (size_t i = 0; i < HASHES; i++)
		if (hashes[i].hash.size == size)
			return &hashes[i].hash;
	return NULL;
}

const struct front_hash *front_digest_info(const uint8_t *info, size_t len, const uint8_t **digest)
{
	for (size_t i = 0; i < HASHES; i++)
		if (len == sizeof(hashes[i].info) + hashes[i].hash.size &&
			memcmp(info, hashes[i].info, sizeof(hashes[i].info)) == 0) {
			*digest = info + sizeof(hashes[i].info);
			return &hashes[i].hash;
		}
	return NULL;
}

bool front_pss_salt(
	const struct front_key *key, const struct front_hash *hash, int mode, uint16_t *salt)
{
	/* EMSA-PSS, RFC 8017 9.1.1: emLen - hLen - 2, and emLen is a modulus of whole bytes. */
	size_t max = kw_key_type_bits(key->type) / 8 - hash->size - 2;
	size_t n;

	switch (mode) {
	case RSA_PSS_SALTLEN_DIGEST:
		n = hash->size;
		break;
	case RSA_PSS_SALTLEN_AUTO:
	case RSA_PSS_SALTLEN_MAX:
		n = max;
		break;
	case RSA_PSS_SALTLEN_AUTO_DIGEST_MAX:
		n = hash->size < max ? hash->size : max;
		break;
	default:
		if (mode < 0)
			return false;
		n = (size_t)mode;
	}
	*salt = (uint16_t)n;
	return n <= max;
}

const char *front_explain(enum kw_err err)
{
	const char *text = kw_explain();

	switch (err) {
	case KW_ERR_BAD_REFERENCE:
	case KW_ERR_UNSUPPORTED_TYPE:
	case KW_ERR_BAD_KEY:
	case KW_ERR_NO_MEMORY:
	case KW_ERR_PROTOCOL:
		/* Found here, after calls that succeeded: what libkeyward says is about
		 * something else. */
		return kw_strerror(err);
	default:
		return text[0] ? text : kw_strerror(err);
	}
}

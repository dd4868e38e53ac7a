/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of a key, and its public part in the forms of PKCS #11. */
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"

void public_part_free(struct public_part **part)
{
	struct public_part *p = *part;

	*part = NULL;
	if (!p)
		return;
	EVP_PKEY_free(p->pkey);
	free(p->spki);
	free(p);
}

struct key_data *key_data_new(struct kw_key **key)
{
	struct key_data *d = calloc(1, sizeof(*d));

	if (!d) {
		kw_key_free(key);
		return NULL;
	}
	atomic_init(&d->refs, 1);
	atomic_init(&d->public_part, NULL);
	d->type = kw_key_type(*key);
	memcpy(d->id, kw_key_id(*key), KW_ID_SIZE);
	d->key = *key;
	*key = NULL;
	return d;
}

struct key_data *key_data_of_public(struct public_part **part)
{
	struct key_data *d = calloc(1, sizeof(*d));
	size_t n = 0;

	if (!d || !EVP_Q_digest(module_libcrypto(), "SHA2-256", NULL, (*part)->spki,
			  (*part)->spki_len, d->id, &n)) {
		free(d);
		public_part_free(part);
		return NULL;
	}
	atomic_init(&d->refs, 1);
	d->type = (*part)->type;
	atomic_init(&d->public_part, *part);
	*part = NULL;
	return d;
}

void key_data_put(struct key_data **data)
{
	struct key_data *d = *data;
	struct public_part *part;
	struct kw_key *sealed;

	*data = NULL;
	if (!d || atomic_fetch_sub(&d->refs, 1) != 1)
		return;
	part = atomic_load(&d->public_part);
	public_part_free(&part);
	sealed = atomic_load(&d->sealed);
	kw_key_free(&sealed);
	kw_key_free(&d->key);
	if (d->value)
		OPENSSL_cleanse(d->value, d->value_len);
	free(d->value);
	free(d->attributes);
	free(d);
}

struct key_data *key_data_of_value(enum kw_key_type type, uint32_t purposes, const uint8_t *value,
	size_t len, const uint8_t *attributes, size_t attributes_len)
{
	struct key_data *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->value = malloc(len);
	d->attributes = malloc(attributes_len + 1);
	/* Nothing that the TEE has is meant by it */
	if (!d->value || !d->attributes ||
		RAND_bytes_ex(module_libcrypto(), d->id, sizeof(d->id), 0) != 1) {
		free(d->value);
		free(d->attributes);
		free(d);
		return NULL;
	}
	atomic_init(&d->refs, 1);
	d->type = type;
	d->purposes = purposes;
	memcpy(d->value, value, len);
	d->value_len = len;
	memcpy(d->attributes, attributes, attributes_len);
	d->attributes_len = attributes_len;
	atomic_init(&d->secret_size, len);
	return d;
}

/* --- The public part --- */

/* DER of an OCTET STRING: EC points and Ed25519 keys are far below 256 bytes. */
static size_t put_octet_string(uint8_t *out, size_t n)
{
	size_t head = n < 128 ? 2 : 3;

	memmove(out + head, out, n);
	out[0] = 0x04;
	if (head == 3)
		out[1] = 0x81;
	out[head - 1] = (uint8_t)n;
	return n + head;
}

static bool put_number(const EVP_PKEY *pkey, const char *name, uint8_t *out, size_t size, size_t *n)
{
	BIGNUM *bn = NULL;
	bool ok = EVP_PKEY_get_bn_param(pkey, name, &bn) && (size_t)BN_num_bytes(bn) <= size;

	if (ok)
		*n = (size_t)BN_bn2bin(bn, out);
	BN_free(bn);
	return ok;
}

static bool describe_rsa(struct public_part *p)
{
	int bits = EVP_PKEY_get_bits(p->pkey);

	p->type = bits == 2048   ? KW_KEY_TYPE_RSA_2048
		  : bits == 3072 ? KW_KEY_TYPE_RSA_3072
				 : KW_KEY_TYPE_RSA_4096;
	if (bits != 2048 && bits != 3072 && bits != 4096)
		return false;
	return put_number(p->pkey, OSSL_PKEY_PARAM_RSA_N, p->modulus, sizeof(p->modulus),
		       &p->modulus_len) &&
	       put_number(p->pkey, OSSL_PKEY_PARAM_RSA_E, p->exponent, sizeof(p->exponent),
		       &p->exponent_len);
}

static bool describe_ec(struct public_part *p)
{
	int bits = EVP_PKEY_get_bits(p->pkey);
	char group[32];
	size_t n = 0;

	if (!EVP_PKEY_get_utf8_string_param(
		    p->pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), &n))
		return false;
	if (!strcmp(group, "prime256v1"))
		p->type = KW_KEY_TYPE_EC_P256;
	else if (!strcmp(group, "secp384r1"))
		p->type = KW_KEY_TYPE_EC_P384;
	else if (!strcmp(group, "secp521r1"))
		p->type = KW_KEY_TYPE_EC_P521;
	else
		return false;
	if (!EVP_PKEY_get_octet_string_param(
		    p->pkey, OSSL_PKEY_PARAM_PUB_KEY, p->point, sizeof(p->point) - 3, &n))
		return false;
	p->point_len = put_octet_string(p->point, n);
	return n == 1 + 2 * (((size_t)bits + 7) / 8);
}

/* Ed25519 and X25519 */
static bool describe_raw(struct public_part *p, enum kw_key_type type)
{
	size_t n = sizeof(p->point) - 3;

	p->type = type;
	if (!EVP_PKEY_get_raw_public_key(p->pkey, p->point, &n))
		return false;
	p->point_len = put_octet_string(p->point, n);
	return true;
}

/* d2i_PUBKEY would make a key without a provider where an ENGINE is the default for keys of this type. */
static EVP_PKEY *decode(const uint8_t *spki, size_t len)
{
	EVP_PKEY *pkey = NULL;
	OSSL_DECODER_CTX *ctx = OSSL_DECODER_CTX_new_for_pkey(&pkey, "DER", "SubjectPublicKeyInfo",
		NULL, EVP_PKEY_PUBLIC_KEY, module_libcrypto(), NULL);

	if (!ctx || !OSSL_DECODER_from_data(ctx, &spki, &len) || len) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	OSSL_DECODER_CTX_free(ctx);
	return pkey;
}

CK_RV public_part_new(const uint8_t *spki, size_t len, struct public_part **part)
{
	struct public_part *p = calloc(1, sizeof(*p));
	CK_RV rv = CKR_HOST_MEMORY;
	bool ok = false;

	*part = NULL;
	if (!p)
		return rv;
	p->spki = malloc(len ? len : 1);
	if (!p->spki)
		goto out;
	memcpy(p->spki, spki, len);
	p->spki_len = len;
	rv = CKR_ATTRIBUTE_VALUE_INVALID;
	p->pkey = decode(spki, len);
	if (!p->pkey)
		goto out;
	switch (EVP_PKEY_get_base_id(p->pkey)) {
	case EVP_PKEY_RSA:
		ok = describe_rsa(p);
		break;
	case EVP_PKEY_EC:
		ok = describe_ec(p);
		break;
	case EVP_PKEY_ED25519:
		ok = describe_raw(p, KW_KEY_TYPE_ED25519);
		break;
	case EVP_PKEY_X25519:
		ok = describe_raw(p, KW_KEY_TYPE_X25519);
		break;
	default:
		break;
	}
	if (!ok)
		goto out;
	*part = p;
	p = NULL;
	rv = CKR_OK;
out:
	public_part_free(&p);
	return rv;
}

CK_RV object_public(struct object *o, const struct public_part **part)
{
	struct public_part *p = atomic_load(&o->data->public_part), *expected = NULL;
	struct kw_target target = {.id = o->data->id};
	struct kw_key *found = NULL;
	const uint8_t *spki;
	size_t len = 0;
	CK_RV rv;

	*part = p;
	if (p)
		return CKR_OK;
	spki = kw_key_spki(o->data->key, &len);
	if (!spki) {
		rv = module_error(kw_key_find(module_kw(), &target, &found));
		if (rv)
			return rv == CKR_KEY_HANDLE_INVALID ? CKR_OBJECT_HANDLE_INVALID : rv;
		spki = kw_key_spki(found, &len);
	}
	rv = public_part_new(spki, len, &p);
	if (rv == CKR_ATTRIBUTE_VALUE_INVALID)
		rv = CKR_DEVICE_ERROR;
	/* Another thread may have done the same. */
	if (!rv && !atomic_compare_exchange_strong(&o->data->public_part, &expected, p)) {
		public_part_free(&p);
		p = expected;
	}
	*part = p;
	kw_key_free(&found);
	return rv;
}

/* The key that the TEE makes of a value when it is used for the first time. */
static CK_RV seal_value(struct key_data *d, const struct kw_key **key)
{
	struct kw_key_template t = {
		.name = "", .type = d->type, .purposes = d->purposes, .sealed = true};
	struct kw_key *sealed = atomic_load(&d->sealed), *expected = NULL;
	CK_RV rv = CKR_OK;

	if (!sealed && !d->purposes)
		return CKR_KEY_FUNCTION_NOT_PERMITTED;
	if (!sealed) {
		rv = module_error(kw_key_import(module_kw(), &t, d->value, d->value_len, &sealed));
		/* Another thread may have done the same. */
		if (!rv && !atomic_compare_exchange_strong(&d->sealed, &expected, sealed)) {
			kw_key_free(&sealed);
			sealed = expected;
		}
	}
	*key = sealed;
	return rv;
}

CK_RV object_use(const struct object *o, struct kw_use *use)
{
	const struct kw_key *key = o->data->key;
	CK_RV rv = CKR_OK;

	memset(use, 0, sizeof(*use));
	/* Somebody may have logged out since the operation began. */
	if (!object_is_visible(o))
		return CKR_USER_NOT_LOGGED_IN;
	use->id = o->data->id;
	if (o->data->value) {
		rv = seal_value(o->data, &key);
		if (rv)
			return rv;
		use->id = kw_key_id(key);
	}
	if (key) {
		use->record = kw_key_record(key, &use->record_len);
		use->label = *kw_key_name(key) ? kw_key_name(key) : NULL;
	}
	return CKR_OK;
}

CK_RV object_secret_size(struct object *o, size_t *size)
{
	struct kw_target target = {.id = o->data->id};
	struct kw_key *found = NULL;
	CK_RV rv = CKR_OK;

	*size = atomic_load(&o->data->secret_size);
	if (!*size && o->data->key)
		*size = kw_key_secret_size(o->data->key);
	if (!*size && o->data->type != KW_KEY_TYPE_HMAC)
		*size = kw_key_type_bits(o->data->type) / 8;
	if (!*size) {
		rv = module_error(kw_key_find(module_kw(), &target, &found));
		if (!rv)
			*size = kw_key_secret_size(found);
		kw_key_free(&found);
	}
	atomic_store(&o->data->secret_size, *size);
	return rv == CKR_KEY_HANDLE_INVALID ? CKR_OBJECT_HANDLE_INVALID : rv;
}

bool object_is_secret(const struct object *o)
{
	return o->data && kw_key_type_is_secret(o->data->type);
}

uint32_t object_purposes(const struct object *o)
{
	if (o->data->key)
		return kw_key_purposes(o->data->key);
	return o->data->value ? o->data->purposes : (uint32_t)KW_PURPOSE_SIGN | KW_PURPOSE_DECRYPT;
}

const uint8_t *object_attributes(const struct object *o, size_t *len)
{
	if (o->data->key)
		return kw_key_attributes(o->data->key, len);
	if (o->data->value) {
		*len = o->data->attributes_len;
		return o->data->attributes;
	}
	*len = o->item ? o->item->attributes_len : 0;
	return o->item ? o->item->attributes : NULL;
}

bool object_is_token(const struct object *o)
{
	return !o->session;
}

bool object_is_own(const struct object *o, uid_t user)
{
	struct kw_identity owner;

	if (o->item)
		return o->item->owner == user || !o->item->owner;
	if (!object_is_token(o))
		return true;
	owner = kw_key_owner(o->data->key);
	return owner.kind == KW_IDENTITY_USER && (owner.id == user || !owner.id);
}

CK_KEY_TYPE object_key_type(enum kw_key_type type)
{
	switch (mechanism_family(type)) {
	case FAMILY_RSA:
		return CKK_RSA;
	case FAMILY_EC:
		return CKK_EC;
	case FAMILY_X:
		return CKK_EC_MONTGOMERY;
	case FAMILY_AES:
		return CKK_AES;
	case FAMILY_SECRET:
		return CKK_GENERIC_SECRET;
	default:
		return CKK_EC_EDWARDS;
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of a key, and its public part in the forms of PKCS #11. */
#include <openssl/core_names.h>
#include <openssl/decoder.h>
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

	*data = NULL;
	if (!d || atomic_fetch_sub(&d->refs, 1) != 1)
		return;
	part = atomic_load(&d->public_part);
	public_part_free(&part);
	kw_key_free(&d->key);
	free(d);
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

static bool describe_ed(struct public_part *p)
{
	size_t n = sizeof(p->point) - 3;

	p->type = KW_KEY_TYPE_ED25519;
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
		ok = describe_ed(p);
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

struct kw_use object_use(const struct object *o)
{
	struct kw_use use = {.id = o->data->id};

	if (o->data->key) {
		use.record = kw_key_record(o->data->key, &use.record_len);
		use.label = *kw_key_name(o->data->key) ? kw_key_name(o->data->key) : NULL;
	}
	return use;
}

const uint8_t *object_attributes(const struct object *o, size_t *len)
{
	if (o->data->key)
		return kw_key_attributes(o->data->key, len);
	*len = o->attributes_len;
	return o->attributes;
}

bool object_is_token(const struct object *o)
{
	return !o->session;
}

CK_KEY_TYPE object_key_type(enum kw_key_type type)
{
	switch (mechanism_family(type)) {
	case FAMILY_RSA:
		return CKK_RSA;
	case FAMILY_EC:
		return CKK_EC;
	default:
		return CKK_EC_EDWARDS;
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that the application brings, and changes of objects. */
#include "create.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "item_create.h"
#include "secret.h"
#include "stored.h"

#define MATERIAL_MAX (4 + 2 * 256)

/* Big-endian, with zeros in front or too many of them: right-aligned in `size` bytes. */
static bool put_right(const CK_ATTRIBUTE *a, uint8_t *out, size_t size)
{
	const uint8_t *p = a->pValue;
	size_t n = a->ulValueLen;

	while (n && !*p) {
		p++;
		n--;
	}
	if (!n || n > size)
		return false;
	memset(out, 0, size - n);
	memcpy(out + size - n, p, n);
	return true;
}

static bool is_product(const CK_ATTRIBUTE *n, const CK_ATTRIBUTE *p, const CK_ATTRIBUTE *q)
{
	const CK_ATTRIBUTE *from[3] = {n, p, q};
	BIGNUM *numbers[3] = {NULL}, *product = BN_secure_new();
	BN_CTX *ctx = BN_CTX_secure_new();
	bool ok = product && ctx;

	for (int i = 0; ok && i < 3; i++) {
		numbers[i] = BN_secure_new();
		ok = numbers[i] && BN_bin2bn(from[i]->pValue, (int)from[i]->ulValueLen, numbers[i]);
	}
	ok = ok && BN_mul(product, numbers[1], numbers[2], ctx) && !BN_cmp(product, numbers[0]);
	for (int i = 0; i < 3; i++)
		BN_clear_free(numbers[i]);
	BN_clear_free(product);
	BN_CTX_free(ctx);
	return ok;
}

static CK_RV rsa_material(const CK_ATTRIBUTE *attributes, CK_ULONG count, uint8_t *out, size_t *len,
	enum kw_key_type *type)
{
	static const struct {
		size_t bytes;
		enum kw_key_type type;
	} sizes[] = {{256, KW_KEY_TYPE_RSA_2048}, {384, KW_KEY_TYPE_RSA_3072},
		{512, KW_KEY_TYPE_RSA_4096}};
	const CK_ATTRIBUTE *n = attribute_find(attributes, count, CKA_MODULUS);
	const CK_ATTRIBUTE *e = attribute_find(attributes, count, CKA_PUBLIC_EXPONENT);
	const CK_ATTRIBUTE *p = attribute_find(attributes, count, CKA_PRIME_1);
	const CK_ATTRIBUTE *q = attribute_find(attributes, count, CKA_PRIME_2);
	uint8_t modulus[512];

	if (!n || !e || !p || !q)
		return CKR_TEMPLATE_INCOMPLETE;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t half = sizes[i].bytes / 2;

		if (!put_right(n, modulus, sizes[i].bytes) || !modulus[0])
			continue;
		if (!put_right(e, out, 4) || !put_right(p, out + 4, half) ||
			!put_right(q, out + 4 + half, half) || !is_product(n, p, q))
			return CKR_ATTRIBUTE_VALUE_INVALID;
		*type = sizes[i].type;
		*len = 4 + 2 * half;
		return CKR_OK;
	}
	return CKR_ATTRIBUTE_VALUE_INVALID;
}

static CK_RV ec_material(const CK_ATTRIBUTE *attributes, CK_ULONG count, uint8_t *out, size_t *len,
	enum kw_key_type *type)
{
	const CK_ATTRIBUTE *params = attribute_find(attributes, count, CKA_EC_PARAMS);
	const CK_ATTRIBUTE *value = attribute_find(attributes, count, CKA_VALUE);
	CK_RV rv;

	if (!params || !value || !params->pValue)
		return CKR_TEMPLATE_INCOMPLETE;
	rv = attribute_curve(params, type);
	if (rv)
		return rv;
	*len = kw_key_type_is_ec(*type) ? (kw_key_type_bits(*type) + 7) / 8 : 32;
	/* A seed, or X25519's scalar, is bytes, not a number. */
	if (!kw_key_type_is_ec(*type)) {
		if (value->ulValueLen != *len)
			return CKR_ATTRIBUTE_VALUE_INVALID;
		memcpy(out, value->pValue, *len);
		return CKR_OK;
	}
	return put_right(value, out, *len) ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

static CK_RV create_private(
	struct session *s, const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *handle)
{
	uint8_t material[MATERIAL_MAX];
	struct key_request request;
	struct kw_key *key = NULL;
	enum kw_key_type type;
	CK_ULONG key_type;
	size_t len = 0;
	CK_RV rv = attribute_number(
		attributes, count, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION, &key_type);

	if (rv)
		return rv;
	if (!attribute_find(attributes, count, CKA_KEY_TYPE))
		return CKR_TEMPLATE_INCOMPLETE;
	if (key_type == CKK_RSA)
		rv = rsa_material(attributes, count, material, &len, &type);
	else if (key_type == CKK_EC || key_type == CKK_EC_EDWARDS || key_type == CKK_EC_MONTGOMERY)
		rv = ec_material(attributes, count, material, &len, &type);
	else
		rv = CKR_ATTRIBUTE_VALUE_INVALID;
	if (!rv)
		rv = template_read(attributes, count, type, true, session_is_rw(s), &request);
	if (!rv)
		rv = create_key(&request, type, material, len, &key);
	if (!rv)
		rv = create_objects(s, &request, &key, handle, NULL);
	OPENSSL_cleanse(material, sizeof(material));
	kw_key_free(&key);
	return rv;
}

/* --- Public keys --- */

/* type: an object identifier. By a name, an ENGINE for all keys of that name would be asked (module_libcrypto). */
static EVP_PKEY *from_data(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(module_libcrypto(), type, NULL);
	EVP_PKEY *pkey = NULL;

	if (params && ctx && EVP_PKEY_fromdata_init(ctx) > 0)
		(void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return pkey;
}

CK_RV create_rsa_public(const CK_ATTRIBUTE *attributes, CK_ULONG count, EVP_PKEY **pkey)
{
	const CK_ATTRIBUTE *n = attribute_find(attributes, count, CKA_MODULUS);
	const CK_ATTRIBUTE *e = attribute_find(attributes, count, CKA_PUBLIC_EXPONENT);
	OSSL_PARAM_BLD *build;
	BIGNUM *bn_n, *bn_e;

	if (!n || !e)
		return CKR_TEMPLATE_INCOMPLETE;
	build = OSSL_PARAM_BLD_new();
	bn_n = BN_bin2bn(n->pValue, (int)n->ulValueLen, NULL);
	bn_e = BN_bin2bn(e->pValue, (int)e->ulValueLen, NULL);
	if (build && bn_n && bn_e && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn_n) &&
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, bn_e))
		*pkey = from_data("1.2.840.113549.1.1.1", build);
	BN_free(bn_n);
	BN_free(bn_e);
	OSSL_PARAM_BLD_free(build);
	return *pkey ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

const uint8_t *create_bare_point(const CK_ATTRIBUTE *a, size_t *n)
{
	const uint8_t *p = a->pValue;

	*n = a->ulValueLen;
	/* A point is not taken for an OCTET STRING because its first coordinate begins with what would be the rest's length. */
	if (*n == 32 || *n == 65 || *n == 97 || *n == 133)
		return p;
	if (*n > 2 && p[0] == 0x04 && p[1] < 128 && *n == (size_t)p[1] + 2) {
		*n = p[1];
		return p + 2;
	}
	if (*n > 3 && p[0] == 0x04 && p[1] == 0x81 && *n == (size_t)p[2] + 3) {
		*n = p[2];
		return p + 3;
	}
	return p;
}

CK_RV create_ec_public(const CK_ATTRIBUTE *attributes, CK_ULONG count, EVP_PKEY **pkey)
{
	static const struct {
		enum kw_key_type type;
		const char *group;
	} groups[] = {{KW_KEY_TYPE_EC_P256, "prime256v1"}, {KW_KEY_TYPE_EC_P384, "secp384r1"},
		{KW_KEY_TYPE_EC_P521, "secp521r1"}};
	const CK_ATTRIBUTE *params = attribute_find(attributes, count, CKA_EC_PARAMS);
	const CK_ATTRIBUTE *point = attribute_find(attributes, count, CKA_EC_POINT);
	enum kw_key_type type;
	OSSL_PARAM_BLD *build;
	const uint8_t *p;
	size_t n;
	CK_RV rv;

	if (!params || !point || !params->pValue || !point->pValue)
		return CKR_TEMPLATE_INCOMPLETE;
	rv = attribute_curve(params, &type);
	if (rv)
		return rv;
	p = create_bare_point(point, &n);
	if (!kw_key_type_is_ec(type)) {
		*pkey = EVP_PKEY_new_raw_public_key_ex(module_libcrypto(),
			type == KW_KEY_TYPE_ED25519 ? "ED25519" : "X25519", NULL, p, n);
		return *pkey ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
	}
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (groups[i].type != type)
			continue;
		build = OSSL_PARAM_BLD_new();
		if (build &&
			OSSL_PARAM_BLD_push_utf8_string(
				build, OSSL_PKEY_PARAM_GROUP_NAME, groups[i].group, 0) &&
			OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, p, n))
			*pkey = from_data("1.2.840.10045.2.1", build);
		OSSL_PARAM_BLD_free(build);
	}
	return *pkey ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

/* The public key of a private key on the token is there already; others are kept as they are. */
static CK_RV keep_public(struct session *s, const struct public_part *part,
	const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *handle)
{
	static const uint8_t class = CKO_PUBLIC_KEY;
	struct item_request request = {.class = CKO_PUBLIC_KEY};
	struct key_request kept = {.attributes_len = 0};
	CK_OBJECT_HANDLE private;
	uint8_t id[KW_ID_SIZE];
	CK_RV rv = attribute_flag(attributes, count, CKA_TOKEN, false, &request.is_token);

	if (!rv)
		rv = attribute_flag(attributes, count, CKA_PRIVATE, false, &request.is_private);
	if (!rv)
		rv = template_read_public(attributes, count, part->type, true, &kept);
	if (!rv)
		rv = template_keep_flags(
			attributes, count, 0, kept.attributes, &kept.attributes_len);
	if (rv)
		return rv;
	if (!EVP_Q_digest(
		    module_libcrypto(), "SHA2-256", NULL, part->spki, part->spki_len, id, NULL))
		return CKR_FUNCTION_FAILED;
	if (request.is_token) {
		if (!session_is_rw(s))
			return CKR_SESSION_READ_ONLY;
		rv = object_refresh();
		if (rv)
			return rv;
		object_find_id(id, &private, handle);
		if (*handle)
			return CKR_OK;
	}
	memcpy(request.attributes, kept.attributes, kept.attributes_len);
	request.attributes_len = kept.attributes_len;
	rv = stored_put(request.attributes, &request.attributes_len, STORED_CLASS, &class, 1);
	if (!rv)
		rv = item_value_new(CKO_PUBLIC_KEY, part->spki, part->spki_len, &request.value);
	if (!rv)
		rv = item_keep(s, &request, handle);
	item_value_free(&request.value);
	return rv;
}

static CK_RV create_public(
	struct session *s, const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *handle)
{
	struct public_part *part = NULL;
	unsigned char *der = NULL;
	EVP_PKEY *pkey = NULL;
	CK_ULONG key_type;
	int len;
	CK_RV rv = attribute_number(
		attributes, count, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION, &key_type);

	if (rv)
		return rv;
	if (!attribute_find(attributes, count, CKA_KEY_TYPE))
		return CKR_TEMPLATE_INCOMPLETE;
	if (key_type == CKK_RSA)
		rv = create_rsa_public(attributes, count, &pkey);
	else if (key_type == CKK_EC || key_type == CKK_EC_EDWARDS || key_type == CKK_EC_MONTGOMERY)
		rv = create_ec_public(attributes, count, &pkey);
	else
		rv = CKR_ATTRIBUTE_VALUE_INVALID;
	if (rv)
		goto out;
	len = i2d_PUBKEY(pkey, &der);
	rv = len > 0 ? public_part_new(der, (size_t)len, &part) : CKR_ATTRIBUTE_VALUE_INVALID;
	if (!rv)
		rv = keep_public(s, part, attributes, count, handle);
out:
	public_part_free(&part);
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
	return rv;
}

CK_RV C_CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count,
	CK_OBJECT_HANDLE *handle)
{
	CK_ULONG class;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = handle ? attribute_check_template(attributes, count) : CKR_ARGUMENTS_BAD;
	if (!rv && !attribute_find(attributes, count, CKA_CLASS))
		rv = CKR_TEMPLATE_INCOMPLETE;
	if (!rv)
		rv = attribute_number(attributes, count, CKA_CLASS, 0, &class);
	if (rv)
		goto out;
	if (class == CKO_PRIVATE_KEY)
		rv = create_private(s, attributes, count, handle);
	else if (class == CKO_PUBLIC_KEY)
		rv = create_public(s, attributes, count, handle);
	else if (class == CKO_SECRET_KEY)
		rv = secret_create(s, attributes, count, handle);
	else if (class == CKO_CERTIFICATE || class == CKO_DATA)
		rv = item_create(s, attributes, count, class, handle);
	else
		rv = CKR_ATTRIBUTE_VALUE_INVALID;
out:
	session_put(&s);
	return rv;
}

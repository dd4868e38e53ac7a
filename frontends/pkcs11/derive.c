/* SPDX-License-Identifier: BSD-2-Clause */
/* C_DeriveKey: ECDH and X25519 (PKCS #11 3.0, 2.3.19 of the mechanisms), HKDF (2.43). */
#include <openssl/crypto.h>
#include <string.h>

#include "create.h"
#include "operation.h"
#include "secret.h"

static CK_RV take_agreement(const CK_MECHANISM *m, struct kw_derive *what)
{
	static const struct {
		CK_ULONG kdf;
		enum kw_hash hash;
	} kdfs[] = {{CKD_NULL, KW_HASH_NONE}, {CKD_SHA224_KDF, KW_HASH_SHA224},
		{CKD_SHA256_KDF, KW_HASH_SHA256}, {CKD_SHA384_KDF, KW_HASH_SHA384},
		{CKD_SHA512_KDF, KW_HASH_SHA512}};
	CK_ECDH1_DERIVE_PARAMS p;
	CK_ATTRIBUTE point;

	if (!m->pParameter || m->ulParameterLen != sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, m->pParameter, sizeof(p));
	if (!p.pPublicData || p.ulPublicDataLen > 256 || p.ulSharedDataLen > KW_INFO_MAX ||
		(p.ulSharedDataLen && (!p.pSharedData || p.kdf == CKD_NULL)))
		return CKR_MECHANISM_PARAM_INVALID;
	point = (CK_ATTRIBUTE){CKA_EC_POINT, p.pPublicData, p.ulPublicDataLen};
	what->derivation = KW_DERIVATION_AGREEMENT;
	what->peer = create_bare_point(&point, &what->peer_len);
	what->info = p.pSharedData;
	what->info_len = p.ulSharedDataLen;
	for (size_t i = 0; i < sizeof(kdfs) / sizeof(kdfs[0]); i++) {
		if (kdfs[i].kdf == p.kdf) {
			what->hash = kdfs[i].hash;
			what->x963 = p.kdf != CKD_NULL;
			return CKR_OK;
		}
	}
	return CKR_MECHANISM_PARAM_INVALID;
}

static CK_RV take_hkdf(const CK_MECHANISM *m, struct kw_derive *what)
{
	struct hkdf_parameters p;

	if (!m->pParameter || m->ulParameterLen != sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, m->pParameter, sizeof(p));
	what->derivation = KW_DERIVATION_HKDF;
	what->hash = mechanism_hash(p.hash);
	what->extract = p.extract;
	what->expand = p.expand;
	if (!what->hash || (!p.extract && !p.expand) || p.salt_len > KW_INFO_MAX ||
		p.info_len > KW_INFO_MAX)
		return CKR_MECHANISM_PARAM_INVALID;
	/* A salt that is a key of its own is not here. */
	if (p.extract && p.salt_type == CKF_HKDF_SALT_DATA) {
		if (!p.salt && p.salt_len)
			return CKR_MECHANISM_PARAM_INVALID;
		what->salt = p.salt;
		what->salt_len = p.salt_len;
	} else if (p.extract && p.salt_type != CKF_HKDF_SALT_NULL) {
		return CKR_MECHANISM_PARAM_INVALID;
	}
	if (p.expand && p.info_len && !p.info)
		return CKR_MECHANISM_PARAM_INVALID;
	what->info = p.expand ? p.info : NULL;
	what->info_len = p.expand ? p.info_len : 0;
	return CKR_OK;
}

struct derivation {
	const struct kw_use *use;
	const struct kw_derive *what;
};

static enum kw_err derive_key(
	const struct kw_key_template *t, const void *context, struct kw_key **key)
{
	const struct derivation *d = context;
	struct kw_key_template plain = *t;

	plain.secret_len = 0;
	return kw_derive_key(module_kw(), d->use, d->what, &plain, key);
}

static CK_RV derive(struct session *s, struct object *base, struct kw_derive *what,
	struct key_request *request, CK_OBJECT_HANDLE *handle)
{
	uint8_t value[KW_DERIVED_MAX];
	struct kw_key *key = NULL;
	struct derivation d = {.what = what};
	struct kw_use use;
	size_t n = 0;
	CK_RV rv = object_use(base, &use);

	if (rv)
		return rv;
	what->len = request->size;
	d.use = &use;
	if (request->is_shown) {
		rv = module_error(kw_derive(module_kw(), &use, what, value, &n));
		if (!rv)
			rv = secret_show(s, request, value, n, handle);
		OPENSSL_cleanse(value, sizeof(value));
		return rv;
	}
	rv = create_with(request, request->type, derive_key, &d, &key);
	if (!rv)
		rv = create_objects(s, request, &key, handle, NULL);
	kw_key_free(&key);
	return rv;
}

CK_RV C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE base_key,
	CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *key)
{
	struct kw_derive what = {0};
	struct key_request request;
	const struct mechanism *m;
	struct object *base = NULL;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = mechanism && key ? attribute_check_template(attributes, count) : CKR_ARGUMENTS_BAD;
	if (!rv)
		rv = operation_check_key(
			mechanism->mechanism, CKF_DERIVE, base_key, CKA_DERIVE, &m, &base);
	if (!rv)
		rv = m->type == CKM_HKDF_DERIVE ? take_hkdf(mechanism, &what)
						: take_agreement(mechanism, &what);
	if (!rv)
		rv = template_read_secret(attributes, count, SECRET_DERIVED, CKK_GENERIC_SECRET,
			session_is_rw(s), &request);
	if (rv)
		goto out;
	rv = derive(s, base, &what, &request, key);
	/* Of the other's public key, and of sizes */
	if (rv == CKR_ATTRIBUTE_VALUE_INVALID && m->type != CKM_HKDF_DERIVE)
		rv = CKR_MECHANISM_PARAM_INVALID;
out:
	object_put(&base);
	session_put(&s);
	return rv;
}

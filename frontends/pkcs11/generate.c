/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that the TEE makes. */
#include <string.h>

#include "create.h"
#include "login.h"
#include "stored.h"

CK_RV create_with(struct key_request *request, enum kw_key_type type, create_maker *make,
	const void *context, struct kw_key **key)
{
	struct kw_key_template t = {.type = type,
		.purposes = request->purposes,
		.sealed = !request->is_token,
		.token = request->is_token ? (unsigned)session_slot_now() : KW_SLOT_DEFAULT,
		.attributes = request->attributes,
		.secret_len = request->size};
	const uint8_t *label;
	enum kw_err err = KW_ERR_BAD_NAME;
	size_t n = 0;

	*key = NULL;
	if (!login_shows_private(session_slot_now()))
		return CKR_USER_NOT_LOGGED_IN;
	/* Every key has attributes, so that it may be without a name. */
	label = stored_find(request->attributes, request->attributes_len, STORED_LABEL, &n);
	if (!label &&
		stored_put(request->attributes, &request->attributes_len, STORED_LABEL, "", 0))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	t.attributes_len = request->attributes_len;
	if (label && n && n <= KW_NAME_MAX && !memchr(label, 0, n))
		memcpy(request->name, label, n);
	for (int attempt = 0; attempt < 2; attempt++) {
		t.name = attempt ? "" : request->name;
		err = make(&t, context, key);
		if ((err != KW_ERR_BAD_NAME && err != KW_ERR_NAME_TAKEN) || !*t.name)
			break;
	}
	return module_error(err);
}

struct material {
	const uint8_t *p;
	size_t n;
};

static enum kw_err generate_or_import(
	const struct kw_key_template *t, const void *context, struct kw_key **key)
{
	const struct material *m = context;

	return m->p ? kw_key_import(module_kw(), t, m->p, m->n, key)
		    : kw_key_generate(module_kw(), t, key);
}

CK_RV create_key(struct key_request *request, enum kw_key_type type, const uint8_t *material,
	size_t len, struct kw_key **key)
{
	struct material m = {material, len};

	return create_with(request, type, generate_or_import, &m, key);
}

CK_RV create_objects(struct session *s, const struct key_request *request, struct kw_key **key,
	CK_OBJECT_HANDLE *private_handle, CK_OBJECT_HANDLE *public_handle)
{
	CK_OBJECT_HANDLE handles[2] = {CK_INVALID_HANDLE, CK_INVALID_HANDLE};
	CK_OBJECT_CLASS classes[2] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};
	struct key_data *data;
	CK_RV rv = CKR_OK;

	if (request->is_token) {
		rv = object_add_key(key, private_handle, public_handle);
		refresh_after_own_change();
		return rv;
	}
	data = key_data_new(key);
	if (!data)
		return CKR_HOST_MEMORY;
	if (kw_key_type_is_secret(data->type))
		classes[0] = CKO_SECRET_KEY;
	for (int i = 0; !rv && i < 2; i++) {
		struct object *o;

		if (i && !public_handle)
			break;
		o = object_new(classes[i], data);
		if (o)
			o->session = s->handle;
		rv = o ? object_add(&o, &handles[i]) : CKR_HOST_MEMORY;
	}
	key_data_put(&data);
	if (rv) {
		object_forget(handles[0]);
		return rv;
	}
	if (private_handle)
		*private_handle = handles[0];
	if (public_handle)
		*public_handle = handles[1];
	return CKR_OK;
}

static CK_RV rsa_type(const CK_ATTRIBUTE *attributes, CK_ULONG count, enum kw_key_type *type)
{
	static const uint8_t f4[] = {1, 0, 1};
	const CK_ATTRIBUTE *e = attribute_find(attributes, count, CKA_PUBLIC_EXPONENT);
	CK_ULONG bits;
	size_t skip = 0;
	CK_RV rv;

	if (!attribute_find(attributes, count, CKA_MODULUS_BITS))
		return CKR_TEMPLATE_INCOMPLETE;
	rv = attribute_number(attributes, count, CKA_MODULUS_BITS, 0, &bits);
	if (rv)
		return rv;
	if (e) {
		while (skip < e->ulValueLen && !((const uint8_t *)e->pValue)[skip])
			skip++;
		if (e->ulValueLen - skip != sizeof(f4) ||
			memcmp((const uint8_t *)e->pValue + skip, f4, sizeof(f4)))
			return CKR_ATTRIBUTE_VALUE_INVALID;
	}
	if (bits != 2048 && bits != 3072 && bits != 4096)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	*type = bits == 2048   ? KW_KEY_TYPE_RSA_2048
		: bits == 3072 ? KW_KEY_TYPE_RSA_3072
			       : KW_KEY_TYPE_RSA_4096;
	return CKR_OK;
}

static CK_RV wanted_type(const struct mechanism *m, const CK_ATTRIBUTE *attributes, CK_ULONG count,
	enum kw_key_type *type)
{
	const CK_ATTRIBUTE *params = attribute_find(attributes, count, CKA_EC_PARAMS);
	CK_RV rv;

	if (m->family == FAMILY_RSA)
		return rsa_type(attributes, count, type);
	if (!params || !params->pValue)
		return CKR_TEMPLATE_INCOMPLETE;
	rv = attribute_curve(params, type);
	if (!rv && mechanism_family(*type) != m->family)
		rv = CKR_CURVE_NOT_SUPPORTED;
	return rv;
}

CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
	CK_ATTRIBUTE *public_attributes, CK_ULONG public_count, CK_ATTRIBUTE *private_attributes,
	CK_ULONG private_count, CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
	struct key_request request;
	const struct mechanism *m;
	struct kw_key *key = NULL;
	enum kw_key_type type;
	struct session *s;
	bool is_kept = false;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = CKR_ARGUMENTS_BAD;
	if (!mechanism || !public_key || !private_key)
		goto out;
	rv = attribute_check_template(public_attributes, public_count);
	if (!rv)
		rv = attribute_check_template(private_attributes, private_count);
	if (rv)
		goto out;
	m = mechanism_find(mechanism->mechanism);
	rv = CKR_MECHANISM_INVALID;
	if (!m || !(m->flags & CKF_GENERATE_KEY_PAIR))
		goto out;
	rv = CKR_MECHANISM_PARAM_INVALID;
	if (mechanism->ulParameterLen)
		goto out;
	rv = wanted_type(m, public_attributes, public_count, &type);
	if (!rv)
		rv = template_read(
			private_attributes, private_count, type, false, session_is_rw(s), &request);
	if (!rv)
		rv = template_read_public(public_attributes, public_count, type, false, &request);
	/* The public key is where the private one is. Who wants it to stay would not find it again. */
	if (!rv)
		rv = attribute_flag(
			public_attributes, public_count, CKA_TOKEN, request.is_token, &is_kept);
	if (!rv && is_kept && !request.is_token)
		rv = CKR_TEMPLATE_INCONSISTENT;
	if (!rv)
		rv = create_key(&request, type, NULL, 0, &key);
	if (!rv)
		rv = create_objects(s, &request, &key, private_key, public_key);
out:
	kw_key_free(&key);
	session_put(&s);
	return rv;
}

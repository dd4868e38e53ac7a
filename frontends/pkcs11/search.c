/* SPDX-License-Identifier: BSD-2-Clause */
/* C_FindObjects, and what is asked of one object. */
#include "search.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "create.h"
#include "table.h"

struct search {
	size_t count, next;
	CK_OBJECT_HANDLE handles[];
};

void search_free(struct search **search)
{
	free(*search);
	*search = NULL;
}

static bool fits(struct object *o, const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_RV *rv)
{
	for (CK_ULONG i = 0; i < count; i++) {
		if (!attribute_matches(o, &attributes[i], rv))
			return false;
	}
	return true;
}

/* The curve of a point is told by its length: a template may not name it. */
static CK_RV ec_public(const CK_ATTRIBUTE *point, EVP_PKEY **pkey)
{
	static const struct {
		enum kw_key_type type;
		size_t point_len;
	} curves[] = {{KW_KEY_TYPE_EC_P256, 65}, {KW_KEY_TYPE_EC_P384, 97},
		{KW_KEY_TYPE_EC_P521, 133}, {KW_KEY_TYPE_ED25519, 32}};
	CK_ATTRIBUTE wanted[2] = {{.type = CKA_EC_PARAMS}, *point};
	size_t n, params_len;

	(void)create_bare_point(point, &n);
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		if (curves[i].point_len != n)
			continue;
		wanted[0].pValue =
			(void *)(uintptr_t)attribute_ec_params(curves[i].type, &params_len);
		wanted[0].ulValueLen = params_len;
	}
	return create_ec_public(wanted, 2, pkey);
}

/*
 * The id of the key whose public key the template has, as far as that can be told: it is the hash of the
 * SubjectPublicKeyInfo. The exponent is a guess when it is not there.
 */
static bool key_id(const CK_ATTRIBUTE *attributes, CK_ULONG count, uint8_t id[KW_ID_SIZE])
{
	static unsigned char f4[] = {1, 0, 1};
	const CK_ATTRIBUTE *spki = attribute_find(attributes, count, CKA_PUBLIC_KEY_INFO);
	const CK_ATTRIBUTE *point = attribute_find(attributes, count, CKA_EC_POINT);
	const CK_ATTRIBUTE *modulus = attribute_find(attributes, count, CKA_MODULUS);
	const CK_ATTRIBUTE *exponent = attribute_find(attributes, count, CKA_PUBLIC_EXPONENT);
	CK_ATTRIBUTE rsa[2] = {{0}, {CKA_PUBLIC_EXPONENT, f4, sizeof(f4)}};
	unsigned char *der = NULL;
	EVP_PKEY *pkey = NULL;
	size_t n = 0;
	int der_len = 0;
	bool ok = false;

	if (spki && spki->ulValueLen)
		return EVP_Q_digest(module_libcrypto(), "SHA2-256", NULL, spki->pValue,
			spki->ulValueLen, id, &n);
	if (point && point->ulValueLen) {
		if (ec_public(point, &pkey))
			goto out;
	} else if (modulus && modulus->ulValueLen) {
		rsa[0] = *modulus;
		if (exponent)
			rsa[1] = *exponent;
		if (create_rsa_public(rsa, 2, &pkey))
			goto out;
	}
	if (pkey)
		der_len = i2d_PUBKEY(pkey, &der);
	ok = der_len > 0 &&
	     EVP_Q_digest(module_libcrypto(), "SHA2-256", NULL, der, (size_t)der_len, id, &n);
out:
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
	return ok;
}

/* Those that are likely to fit; *is_all: no other does. */
static CK_RV candidates(const CK_ATTRIBUTE *attributes, CK_ULONG count, struct object ***list,
	size_t *n, bool *is_all)
{
	const CK_ATTRIBUTE *label = attribute_find(attributes, count, CKA_LABEL);
	const CK_ATTRIBUTE *cka_id = attribute_find(attributes, count, CKA_ID);
	struct object_filter filter = {TABLE_KEY, NULL, 0};
	uint8_t id[KW_ID_SIZE];

	*is_all = true;
	if (cka_id && cka_id->ulValueLen) {
		filter = (struct object_filter){TABLE_ID, cka_id->pValue, cka_id->ulValueLen};
	} else if (label && label->ulValueLen) {
		filter = (struct object_filter){TABLE_LABEL, label->pValue, label->ulValueLen};
	} else if (key_id(attributes, count, id)) {
		*is_all = false;
		filter.p = id;
		filter.n = sizeof(id);
	}
	return object_list(filter.p ? &filter : NULL, list, n);
}

/*
 * Adds the handles of those that fit. Most programs take the first: nobody gets a key of his own in front of another user's by
 * sharing it under the same label.
 */
static CK_RV choose(struct object **list, size_t n, const CK_ATTRIBUTE *attributes, CK_ULONG count,
	struct search **search)
{
	struct search *found = calloc(1, sizeof(*found) + n * sizeof(found->handles[0]));
	CK_RV rv = found ? CKR_OK : CKR_HOST_MEMORY;
	uid_t user = geteuid();

	for (size_t i = 0; !rv && i < 2 * n; i++) {
		struct object *o = list[i % n];

		if (object_is_own(o, user) == (i < n) && fits(o, attributes, count, &rv))
			found->handles[found->count++] = o->handle;
	}
	if (rv)
		search_free(&found);
	*search = found;
	return rv;
}

static CK_RV search_new(const CK_ATTRIBUTE *attributes, CK_ULONG count, struct search **search)
{
	struct object **list = NULL;
	size_t n = 0;
	bool is_all;
	CK_RV rv = object_refresh();

	if (!rv)
		rv = candidates(attributes, count, &list, &n, &is_all);
	if (!rv)
		rv = choose(list, n, attributes, count, search);
	object_put_all(&list, n);
	if (rv || is_all || (*search)->count)
		return rv;
	/* Not under the id that was worked out: one by one. */
	search_free(search);
	rv = object_list(NULL, &list, &n);
	if (!rv)
		rv = choose(list, n, attributes, count, search);
	object_put_all(&list, n);
	return rv;
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count)
{
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = attribute_check_template(attributes, count);
	if (rv)
		goto out;
	rv = CKR_OPERATION_ACTIVE;
	if (s->search)
		goto out;
	rv = search_new(attributes, count, &s->search);
out:
	session_put(&s);
	return rv;
}

CK_RV C_FindObjects(
	CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG max, CK_ULONG *count)
{
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = CKR_ARGUMENTS_BAD;
	if (!count || (!objects && max))
		goto out;
	rv = CKR_OPERATION_NOT_INITIALIZED;
	if (!s->search)
		goto out;
	for (*count = 0; *count < max && s->search->next < s->search->count; ++*count)
		objects[*count] = s->search->handles[s->search->next++];
	rv = CKR_OK;
out:
	session_put(&s);
	return rv;
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE session)
{
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = s->search ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
	search_free(&s->search);
	session_put(&s);
	return rv;
}

/* 5.7.5: each attribute gets its answer, and the call the worst of them. */
static CK_RV answer(struct object *o, CK_ATTRIBUTE *a)
{
	struct value v;
	CK_RV rv = attribute_get(o, a->type, &v);

	if (!rv && a->pValue && a->ulValueLen < v.n)
		rv = CKR_BUFFER_TOO_SMALL;
	if (!rv && a->pValue && v.n)
		memcpy(a->pValue, v.p, v.n);
	a->ulValueLen = rv ? CK_UNAVAILABLE_INFORMATION : v.n;
	attribute_wipe(a->type, &v);
	return rv;
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
	CK_ATTRIBUTE *attributes, CK_ULONG count)
{
	struct object *o = NULL;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = CKR_ARGUMENTS_BAD;
	if (!attributes || !count)
		goto out;
	rv = object_get(object, &o);
	if (rv)
		goto out;
	for (CK_ULONG i = 0; i < count; i++) {
		CK_RV one = answer(o, &attributes[i]);

		if (one)
			rv = one;
	}
out:
	object_put(&o);
	session_put(&s);
	return rv;
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG *size)
{
	struct object *o = NULL;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = CKR_ARGUMENTS_BAD;
	if (!size)
		goto out;
	rv = object_get(object, &o);
	if (rv)
		goto out;
	/* How many bytes a key's record has is the TEE's matter. */
	*size = o->item ? o->item->size + o->item->attributes_len : CK_UNAVAILABLE_INFORMATION;
out:
	object_put(&o);
	session_put(&s);
	return rv;
}

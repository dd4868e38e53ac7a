/* SPDX-License-Identifier: BSD-2-Clause */
#include "provider.h"

#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include <stdlib.h>

const char *prov_kind_name(enum prov_kind kind)
{
	switch (kind) {
	case PROV_RSA:
		return "RSA";
	case PROV_EC:
		return "EC";
	case PROV_ED25519:
		return "ED25519";
	}
	return NULL;
}

bool prov_kind_of_type(enum kw_key_type type, enum prov_kind *kind)
{
	if (kw_key_type_is_rsa(type))
		*kind = PROV_RSA;
	else if (kw_key_type_is_ec(type))
		*kind = PROV_EC;
	else if (type == KW_KEY_TYPE_ED25519)
		*kind = PROV_ED25519;
	else
		return false;
	return true;
}

struct prov_key *prov_key_new(struct prov *prov, enum prov_kind kind)
{
	struct prov_key *key = calloc(1, sizeof(*key));

	if (!key)
		return NULL;
	atomic_init(&key->refs, 1);
	key->prov = prov;
	key->kind = kind;
	return key;
}

struct prov_key *prov_key_ref(struct prov_key *key)
{
	atomic_fetch_add(&key->refs, 1);
	return key;
}

void prov_key_free(struct prov_key *key)
{
	if (!key || atomic_fetch_sub(&key->refs, 1) != 1)
		return;
	EVP_PKEY_free(key->public);
	front_key_free(&key->front);
	free(key);
}

struct prov_key *prov_key_from_front(struct prov *prov, struct front_key **front)
{
	struct prov_key *key = NULL;
	enum prov_kind kind;
	const uint8_t *spki;
	size_t len = 0;
	bool ok = false;

	if (!prov_kind_of_type(front_key_type(*front), &kind))
		goto out;
	key = prov_key_new(prov, kind);
	if (!key)
		goto out;
	spki = front_key_spki(*front, &len);
	key->public = d2i_PUBKEY_ex(NULL, &spki, (long)len, prov->libctx, PROV_OTHERS);
	if (!key->public || !EVP_PKEY_is_a(key->public, prov_kind_name(kind))) {
		prov_raise(prov, KW_ERR_BAD_REFERENCE, "the public key of this key is damaged");
		goto out;
	}
	key->max_size = (size_t)EVP_PKEY_get_size(key->public);
	key->front = *front;
	*front = NULL;
	ok = true;
out:
	front_key_free(front);
	if (!ok) {
		prov_key_free(key);
		key = NULL;
	}
	return key;
}

int prov_key_give(struct prov_key *key, OSSL_CALLBACK *cb, void *arg)
{
	int type = OSSL_OBJECT_PKEY;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
		OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE,
			(char *)(uintptr_t)prov_kind_name(key->kind), 0),
		OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, &key, sizeof(key)),
		OSSL_PARAM_construct_end(),
	};
	int ok = cb(params, arg);

	/* keymgmt's load takes the key out of the reference and leaves NULL there. */
	prov_key_free(key);
	return ok;
}

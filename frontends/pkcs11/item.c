/* SPDX-License-Identifier: BSD-2-Clause */
#include "item.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stored.h"

/* --- Values --- */

static bool put_date(const ASN1_TIME *time, char date[8])
{
	char text[24];
	struct tm tm;

	/* CK_DATE has four digits for the year. */
	if (!ASN1_TIME_to_tm(time, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		return false;
	snprintf(text, sizeof(text), "%04u%02u%02u", (unsigned)(tm.tm_year + 1900) % 10000,
		(unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100);
	memcpy(date, text, 8);
	return true;
}

static bool put_der(int len, size_t *n)
{
	*n = len > 0 ? (size_t)len : 0;
	return len > 0;
}

static bool read_certificate(const uint8_t *p, size_t n, struct certificate *c)
{
	uint8_t sha1[EVP_MAX_MD_SIZE];
	const unsigned char *at = p;
	X509 *x = X509_new_ex(module_libcrypto(), NULL);
	bool ok = false;

	if (!x || !d2i_X509(&x, &at, (long)n) || at != p + n)
		goto out;
	/* Names and keys come out as they are in the certificate, byte by byte. */
	ok = put_der(i2d_X509_NAME(X509_get_subject_name(x), &c->subject), &c->subject_len) &&
	     put_der(i2d_X509_NAME(X509_get_issuer_name(x), &c->issuer), &c->issuer_len) &&
	     put_der(i2d_ASN1_INTEGER(X509_get0_serialNumber(x), &c->serial), &c->serial_len) &&
	     put_der(i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &c->spki), &c->spki_len) &&
	     put_date(X509_get0_notBefore(x), c->start) &&
	     put_date(X509_get0_notAfter(x), c->end) &&
	     EVP_Q_digest(
		     module_libcrypto(), "SHA2-256", NULL, c->spki, c->spki_len, c->key_id, NULL) &&
	     EVP_Q_digest(module_libcrypto(), "SHA1", NULL, p, n, sha1, NULL);
	if (ok)
		memcpy(c->check, sha1, sizeof(c->check));
out:
	X509_free(x);
	return ok;
}

CK_RV item_value_new(CK_OBJECT_CLASS class, const uint8_t *p, size_t n, struct item_value **value)
{
	struct item_value *v = calloc(1, sizeof(*v));
	CK_RV rv = CKR_HOST_MEMORY;

	*value = NULL;
	if (!v)
		return rv;
	v->p = malloc(n + 1);
	if (!v->p)
		goto out;
	if (n)
		memcpy(v->p, p, n);
	v->n = n;
	rv = CKR_ATTRIBUTE_VALUE_INVALID;
	if (class == CKO_CERTIFICATE && !read_certificate(v->p, v->n, &v->certificate))
		goto out;
	*value = v;
	v = NULL;
	rv = CKR_OK;
out:
	item_value_free(&v);
	return rv;
}

void item_value_free(struct item_value **value)
{
	struct item_value *v = *value;

	*value = NULL;
	if (!v)
		return;
	OPENSSL_free(v->certificate.subject);
	OPENSSL_free(v->certificate.issuer);
	OPENSSL_free(v->certificate.serial);
	OPENSSL_free(v->certificate.spki);
	/* Data may be somebody's secret. */
	if (v->p)
		OPENSSL_cleanse(v->p, v->n);
	free(v->p);
	free(v);
}

/* --- Items --- */

struct item *item_new(const uint8_t id[KW_ID_SIZE], CK_OBJECT_CLASS class,
	const uint8_t *attributes, size_t attributes_len, size_t size, struct item_value **value)
{
	struct item *i = calloc(1, sizeof(*i));

	if (i)
		i->attributes = malloc(attributes_len + 1);
	if (!i || !i->attributes) {
		free(i);
		item_value_free(value);
		return NULL;
	}
	atomic_init(&i->refs, 1);
	memcpy(i->id, id, KW_ID_SIZE);
	i->class = class;
	i->may_manage = true;
	i->owner = geteuid();
	if (attributes_len)
		memcpy(i->attributes, attributes, attributes_len);
	i->attributes_len = attributes_len;
	i->size = size;
	atomic_init(&i->value, *value);
	*value = NULL;
	return i;
}

void item_put(struct item **item)
{
	struct item *i = *item;
	struct item_value *value;

	*item = NULL;
	if (!i || atomic_fetch_sub(&i->refs, 1) != 1)
		return;
	value = atomic_load(&i->value);
	item_value_free(&value);
	free(i->attributes);
	free(i);
}

/*
 * Anybody who may store may call an object public, and give it the CKA_ID of another user's key. What strangers put on
 * everybody's token is not shown (to a token with a PIN strangers do not get); what the system's administrator does is.
 */
static bool is_shown(const struct kw_object *o)
{
	struct kw_identity owner = kw_object_owner(o);

	if (!kw_object_may_read(o))
		return false;
	return !kw_object_is_public(o) || kw_object_token(o) ||
	       (owner.kind == KW_IDENTITY_USER && (owner.id == geteuid() || !owner.id));
}

static CK_OBJECT_CLASS class_of(const struct kw_object *o)
{
	size_t len, n;
	const uint8_t *list = kw_object_attributes(o, &len);
	const uint8_t *p = stored_find(list, len, STORED_CLASS, &n);

	if (kw_object_kind(o) == KW_OBJECT_CERTIFICATE)
		return CKO_CERTIFICATE;
	return p && n == 1 && *p == CKO_PUBLIC_KEY ? CKO_PUBLIC_KEY : CKO_DATA;
}

CK_RV item_of_object(const struct kw_object *o, struct item **item)
{
	CK_OBJECT_CLASS class = class_of(o);
	struct item_value *value = NULL;
	size_t len, n = 0;
	const uint8_t *list = kw_object_attributes(o, &len), *p = kw_object_value(o, &n);
	CK_RV rv;

	*item = NULL;
	if (!is_shown(o))
		return CKR_OK;
	if (p) {
		rv = item_value_new(class, p, n, &value);
		/* A certificate that is none is not the module's to show. */
		if (rv)
			return rv == CKR_ATTRIBUTE_VALUE_INVALID ? CKR_OK : rv;
	}
	*item = item_new(kw_object_id(o), class, list, len, kw_object_size(o), &value);
	if (!*item)
		return CKR_HOST_MEMORY;
	(*item)->may_manage = kw_object_may_manage(o);
	(*item)->owner = kw_object_owner(o).id;
	(*item)->slot = kw_object_token(o);
	(*item)->is_private = !kw_object_is_public(o);
	return CKR_OK;
}

CK_RV item_get_value(struct item *item, const struct item_value **value)
{
	struct item_value *v = atomic_load(&item->value), *expected = NULL;
	struct kw_object *o = NULL;
	const uint8_t *p;
	enum kw_err err;
	size_t n;
	CK_RV rv;

	*value = v;
	if (v)
		return CKR_OK;
	err = kw_object_get(module_kw(), item->id, &o);
	rv = module_error(err);
	/* Somebody was taken off its list: for him it is not there any more. */
	if (err == KW_ERR_NO_OBJECT || err == KW_ERR_ACCESS)
		rv = CKR_OBJECT_HANDLE_INVALID;
	if (rv)
		return rv;
	p = kw_object_value(o, &n);
	rv = item_value_new(item->class, p, n, &v);
	if (rv == CKR_ATTRIBUTE_VALUE_INVALID)
		rv = CKR_DATA_INVALID;
	/* Another thread may have done the same. */
	if (!rv && !atomic_compare_exchange_strong(&item->value, &expected, v)) {
		item_value_free(&v);
		v = expected;
	}
	*value = v;
	kw_object_free(&o);
	return rv;
}

const uint8_t *item_attribute(const struct item *item, unsigned tag, size_t *n)
{
	return stored_find(item->attributes, item->attributes_len, tag, n);
}

const uint8_t *item_key_id(const struct item *item)
{
	const struct item_value *v = atomic_load(&item->value);
	const uint8_t *p;
	size_t n;

	if (item->class != CKO_CERTIFICATE)
		return NULL;
	p = item_attribute(item, STORED_KEY, &n);
	if (p && n == KW_ID_SIZE)
		return p;
	return v ? v->certificate.key_id : NULL;
}

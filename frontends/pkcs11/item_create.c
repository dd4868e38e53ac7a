/* SPDX-License-Identifier: BSD-2-Clause */
#include "item_create.h"

#include <openssl/rand.h>
#include <string.h>

#include "stored.h"

#define ALLOW_MAX 32 /* kw_object_put */

/* --- On the token --- */

static bool is_same_identity(const struct kw_identity *a, const struct kw_identity *b)
{
	return a->kind == b->kind && a->id == b->id;
}

/* Who may use the key may read its certificate: a server that runs as another user needs both. */
static unsigned allow_as_key(const struct kw_key *key, struct kw_identity allow[ALLOW_MAX])
{
	struct kw_identity owner = kw_key_owner(key);
	unsigned n = 0;

	for (; n < kw_key_allowed(key) && n < ALLOW_MAX; n++)
		allow[n] = kw_key_allowed_at(key, n);
	for (unsigned i = 0; i < n; i++) {
		if (is_same_identity(&allow[i], &owner))
			return n;
	}
	if (n < ALLOW_MAX)
		allow[n++] = owner;
	return n;
}

/* The CKA_ID of the key that it belongs to is a certificate's when it was given none. */
static CK_RV take_key_id(const struct kw_key *key, struct item_request *request)
{
	size_t len, n;
	const uint8_t *list = kw_key_attributes(key, &len);
	const uint8_t *p = stored_find(list, len, STORED_ID, &n);

	if (!p || stored_find(request->attributes, request->attributes_len, STORED_ID, &len))
		return CKR_OK;
	return stored_put(request->attributes, &request->attributes_len, STORED_ID, p, n);
}

/* Its key, if the TEE has it and lets this caller know. */
static CK_RV find_key(const struct item_request *request, struct kw_key **key)
{
	struct kw_target target = {.id = request->value->certificate.key_id};
	enum kw_err err = kw_key_find(module_kw(), &target, key);

	return err == KW_ERR_NO_KEY || err == KW_ERR_ACCESS ? CKR_OK : module_error(err);
}

static CK_RV put_in_tee(struct item_request *request, struct item **item)
{
	struct kw_identity allow[ALLOW_MAX];
	struct kw_object_template t = {.kind = KW_OBJECT_DATA,
		.allow = allow,
		.token = (unsigned)session_slot_now(),
		/* Who may read what is on the default token is not said by CKA_PRIVATE. */
		.is_public = session_slot_now() != SLOT_DEFAULT && !request->is_private};
	struct kw_object *stored = NULL;
	struct kw_key *key = NULL;
	CK_RV rv = CKR_OK;

	if (request->class == CKO_CERTIFICATE) {
		t.kind = KW_OBJECT_CERTIFICATE;
		rv = find_key(request, &key);
	}
	if (!rv && key) {
		t.allow_count = allow_as_key(key, allow);
		rv = take_key_id(key, request);
	}
	if (rv)
		goto out;
	t.attributes = request->attributes;
	t.attributes_len = request->attributes_len;
	t.value = request->value->p;
	t.value_len = request->value->n;
	rv = module_error(kw_object_put(module_kw(), &t, &stored));
	if (rv)
		goto out;
	*item = item_new(kw_object_id(stored), request->class, request->attributes,
		request->attributes_len, request->value->n, &request->value);
	rv = *item ? CKR_OK : CKR_HOST_MEMORY;
	if (*item) {
		(*item)->slot = kw_object_token(stored);
		(*item)->is_private = request->is_private;
	}
out:
	kw_object_free(&stored);
	kw_key_free(&key);
	return rv;
}

CK_RV item_keep(struct session *s, struct item_request *request, CK_OBJECT_HANDLE *handle)
{
	uint8_t id[KW_ID_SIZE];
	struct item *item = NULL;
	struct object *o = NULL;
	CK_RV rv;

	if (request->is_token && !session_is_rw(s))
		return CKR_SESSION_READ_ONLY;
	if (request->is_token) {
		rv = put_in_tee(request, &item);
	} else {
		rv = RAND_bytes_ex(module_libcrypto(), id, sizeof(id), 0) == 1
			     ? CKR_HOST_MEMORY
			     : CKR_FUNCTION_FAILED;
		if (rv == CKR_HOST_MEMORY)
			item = item_new(id, request->class, request->attributes,
				request->attributes_len, request->value->n, &request->value);
		if (item) {
			rv = CKR_OK;
			item->slot = s->slot;
			item->is_private = request->is_private;
		}
	}
	if (rv)
		return rv;
	rv = object_of_item(&item, &o);
	if (rv)
		return rv;
	if (!request->is_token) {
		o->session = s->handle;
		return object_add(&o, handle);
	}
	rv = object_add_item(&o, handle);
	refresh_after_own_change();
	return rv;
}

CK_RV item_create(struct session *s, const CK_ATTRIBUTE *attributes, CK_ULONG count,
	CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *handle)
{
	struct item_request request = {.value = NULL};
	CK_RV rv = item_template_read(attributes, count, class, &request);

	if (!rv)
		rv = item_keep(s, &request, handle);
	item_value_free(&request.value);
	return rv;
}

/* --- What is there --- */

CK_RV item_copy(struct session *s, struct object *o, const CK_ATTRIBUTE *attributes, CK_ULONG count,
	CK_OBJECT_HANDLE *handle)
{
	struct item_request request = {.class = o->class};
	const struct item_value *value;
	CK_RV rv =
		attribute_flag(attributes, count, CKA_TOKEN, object_is_token(o), &request.is_token);

	/* As it is, where the template does not say otherwise (4.4). */
	if (!rv)
		rv = attribute_flag(
			attributes, count, CKA_PRIVATE, o->item->is_private, &request.is_private);
	if (rv)
		return rv;
	if (item_has_flag(o->item, STORED_UNCOPIED))
		return CKR_ACTION_PROHIBITED;
	memcpy(request.attributes, o->item->attributes, o->item->attributes_len);
	request.attributes_len = o->item->attributes_len;
	rv = item_template_change(
		attributes, count, o->class, true, request.attributes, &request.attributes_len);
	if (!rv)
		rv = item_get_value(o->item, &value);
	if (!rv && request.is_token && value->n > KW_OBJECT_MAX)
		rv = CKR_DEVICE_MEMORY;
	if (!rv)
		rv = item_value_new(o->class, value->p, value->n, &request.value);
	if (!rv)
		rv = item_keep(s, &request, handle);
	item_value_free(&request.value);
	return rv;
}

/* The access list is part of what is put. */
static CK_RV put_attributes(
	const struct kw_object *now, const uint8_t *list, size_t len, struct item **item)
{
	struct kw_identity allow[ALLOW_MAX];
	struct kw_object_template t = {.id = kw_object_id(now),
		.kind = kw_object_kind(now),
		.is_public = kw_object_is_public(now),
		.allow = allow,
		.attributes = list,
		.attributes_len = len};
	struct kw_object *stored = NULL;
	CK_RV rv;

	for (; t.allow_count < kw_object_allowed(now) && t.allow_count < ALLOW_MAX; t.allow_count++)
		allow[t.allow_count] = kw_object_allowed_at(now, t.allow_count);
	rv = module_error(kw_object_put(module_kw(), &t, &stored));
	if (!rv)
		rv = item_of_object(stored, item);
	if (!rv && !*item)
		rv = CKR_OBJECT_HANDLE_INVALID;
	kw_object_free(&stored);
	return rv;
}

static CK_RV change_in_tee(
	const struct object *o, const CK_ATTRIBUTE *attributes, CK_ULONG count, struct item **item)
{
	uint8_t list[KW_ATTRIBUTES_MAX];
	struct kw_object *now = NULL;
	const uint8_t *old;
	size_t len = 0;
	enum kw_err err = kw_object_get(module_kw(), o->item->id, &now);
	CK_RV rv = module_error(err);

	if (err == KW_ERR_NO_OBJECT || err == KW_ERR_ACCESS)
		return CKR_OBJECT_HANDLE_INVALID;
	if (rv)
		return rv;
	/* As it is now: another process may have changed it. */
	old = kw_object_attributes(now, &len);
	if (len)
		memcpy(list, old, len);
	rv = item_template_change(attributes, count, o->class, false, list, &len);
	if (!rv)
		rv = put_attributes(now, list, len, item);
	kw_object_free(&now);
	return rv;
}

/* The same value with other attributes */
static CK_RV change_in_session(
	const struct object *o, const CK_ATTRIBUTE *attributes, CK_ULONG count, struct item **item)
{
	uint8_t list[KW_ATTRIBUTES_MAX];
	size_t len = o->item->attributes_len;
	const struct item_value *old;
	struct item_value *value = NULL;
	CK_RV rv;

	memcpy(list, o->item->attributes, len);
	rv = item_template_change(attributes, count, o->class, false, list, &len);
	if (!rv)
		rv = item_get_value(o->item, &old);
	if (!rv)
		rv = item_value_new(o->class, old->p, old->n, &value);
	if (rv)
		return rv;
	*item = item_new(o->item->id, o->class, list, len, o->item->size, &value);
	if (!*item)
		return CKR_HOST_MEMORY;
	(*item)->slot = o->slot;
	(*item)->is_private = o->item->is_private;
	return CKR_OK;
}

CK_RV item_change(
	struct session *s, struct object *o, const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
	bool is_token = object_is_token(o);
	struct object *changed = NULL;
	struct item *item = NULL;
	CK_RV rv;

	if (is_token && !session_is_rw(s))
		return CKR_SESSION_READ_ONLY;
	if (item_has_flag(o->item, STORED_FIXED))
		return CKR_ACTION_PROHIBITED;
	rv = is_token ? change_in_tee(o, attributes, count, &item)
		      : change_in_session(o, attributes, count, &item);
	if (!rv)
		rv = object_of_item(&item, &changed);
	if (rv)
		return rv;
	changed->session = o->session;
	object_replace(o->handle, &changed);
	if (is_token)
		refresh_after_own_change();
	return CKR_OK;
}

CK_RV item_destroy(struct session *s, struct object *o)
{
	enum kw_err err;
	CK_RV rv;

	if (object_is_token(o) && !session_is_rw(s))
		return CKR_SESSION_READ_ONLY;
	if (item_has_flag(o->item, STORED_LASTING))
		return CKR_ACTION_PROHIBITED;
	if (object_is_token(o)) {
		err = kw_object_delete(module_kw(), o->item->id);
		rv = module_error(err);
		if (err == KW_ERR_NO_OBJECT)
			rv = CKR_OBJECT_HANDLE_INVALID;
		if (rv && err != KW_ERR_NO_OBJECT)
			return rv;
		object_forget(o->handle);
		if (!rv)
			refresh_after_own_change();
		return rv;
	}
	object_forget(o->handle);
	return CKR_OK;
}

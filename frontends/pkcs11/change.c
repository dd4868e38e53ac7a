/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of objects that are there. */
#include <stdlib.h>
#include <string.h>

#include "create.h"
#include "item_create.h"
#include "stored.h"

CK_RV C_DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle)
{
	struct kw_target target = {0};
	struct object *o = NULL;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = object_get(handle, &o);
	if (rv)
		goto out;
	if (o->item) {
		rv = item_destroy(s, o);
		goto out;
	}
	if (object_is_token(o)) {
		rv = CKR_SESSION_READ_ONLY;
		if (!session_is_rw(s))
			goto out;
		/* The public key goes with the private one: alone it is nothing that the TEE has. */
		rv = CKR_ACTION_PROHIBITED;
		if (o->class == CKO_PUBLIC_KEY)
			goto out;
		target.id = o->data->id;
		rv = module_error(kw_key_delete(module_kw(), &target));
		if (rv == CKR_KEY_HANDLE_INVALID)
			rv = CKR_OBJECT_HANDLE_INVALID;
		if (!rv) {
			object_orphan(handle, s->handle);
			refresh_after_own_change();
		} else if (rv == CKR_OBJECT_HANDLE_INVALID) {
			object_forget(handle);
		}
		goto out;
	}
	object_forget(handle);
out:
	object_put(&o);
	session_put(&s);
	return rv;
}

/* Which attributes may change (4.1.2), and are kept. */
static CK_RV check_changes(const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
	for (CK_ULONG i = 0; i < count; i++) {
		const CK_ATTRIBUTE *a = &attributes[i];
		bool is_date = a->type == CKA_START_DATE || a->type == CKA_END_DATE;

		if (!stored_tag_of(a->type))
			return CKR_ATTRIBUTE_READ_ONLY;
		if (is_date && a->ulValueLen && a->ulValueLen != sizeof(CK_DATE))
			return CKR_ATTRIBUTE_VALUE_INVALID;
	}
	return CKR_OK;
}

/* Its name follows a label that is a good name, and free; else it keeps the one it has. */
static void rename_too(const struct kw_target *target, const CK_ATTRIBUTE *label)
{
	char name[KW_NAME_MAX + 1] = "";

	if (!label || !label->ulValueLen || label->ulValueLen > KW_NAME_MAX ||
		memchr(label->pValue, 0, label->ulValueLen))
		return;
	memcpy(name, label->pValue, label->ulValueLen);
	(void)!kw_key_rename(module_kw(), target, name, false);
}

static CK_RV change_key(struct object *o, const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
	struct kw_target target = {.id = o->data->id};
	struct kw_key *now = NULL, *changed = NULL;
	uint8_t list[KW_ATTRIBUTES_MAX];
	const uint8_t *old;
	size_t len = 0;
	CK_RV rv;

	/* As it is now: another process may have changed it. */
	rv = module_error(kw_key_find(module_kw(), &target, &now));
	if (rv)
		return rv == CKR_KEY_HANDLE_INVALID ? CKR_OBJECT_HANDLE_INVALID : rv;
	old = kw_key_attributes(now, &len);
	if (len)
		memcpy(list, old, len);
	if (stored_number(list, len, STORED_FLAGS) & STORED_FIXED)
		rv = CKR_ACTION_PROHIBITED;
	for (CK_ULONG i = 0; !rv && i < count; i++)
		rv = stored_put(list, &len, stored_tag_of(attributes[i].type), attributes[i].pValue,
			attributes[i].ulValueLen);
	if (!rv)
		rv = module_error(kw_key_set_attributes(module_kw(), &target, list, len, &changed));
	kw_key_free(&now);
	if (rv)
		return rv;
	rename_too(&target, attribute_find(attributes, count, CKA_LABEL));
	kw_key_free(&changed);
	/* With the name that it has now */
	rv = module_error(kw_key_find(module_kw(), &target, &changed));
	return rv ? rv : object_add_key(&changed, NULL, NULL);
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle,
	CK_ATTRIBUTE *attributes, CK_ULONG count)
{
	struct object *o = NULL;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = attribute_check_template(attributes, count);
	if (!rv && !count)
		rv = CKR_ARGUMENTS_BAD;
	if (!rv)
		rv = object_get(handle, &o);
	if (!rv && !o->item)
		rv = check_changes(attributes, count);
	if (rv)
		goto out;
	if (o->item)
		rv = item_change(s, o, attributes, count);
	else if (object_is_token(o))
		rv = session_is_rw(s) ? change_key(o, attributes, count) : CKR_SESSION_READ_ONLY;
	else
		rv = CKR_ACTION_PROHIBITED; /* session objects are what they were made */
	/* Deleted by another process meanwhile */
	if (rv == CKR_KEY_HANDLE_INVALID)
		rv = CKR_OBJECT_HANDLE_INVALID;
out:
	object_put(&o);
	session_put(&s);
	return rv;
}

/* A key that cannot leave the TEE is in one place: its CKA_COPYABLE is false. */
CK_RV C_CopyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *attributes,
	CK_ULONG count, CK_OBJECT_HANDLE *copy)
{
	struct object *o = NULL;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = copy ? attribute_check_template(attributes, count) : CKR_ARGUMENTS_BAD;
	if (!rv)
		rv = object_get(handle, &o);
	if (!rv)
		rv = o->item ? item_copy(s, o, attributes, count, copy) : CKR_ACTION_PROHIBITED;
	object_put(&o);
	session_put(&s);
	return rv;
}

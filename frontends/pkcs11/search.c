/* SPDX-License-Identifier: BSD-2-Clause */
/* C_FindObjects, and what is asked of one object. */
#include "search.h"

#include <stdlib.h>
#include <string.h>

#include "attribute.h"
#include "session.h"

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

static CK_RV search_new(const CK_ATTRIBUTE *attributes, CK_ULONG count, struct search **search)
{
	struct object **list = NULL;
	struct search *found = NULL;
	size_t n = 0;
	CK_RV rv = object_refresh();

	if (rv)
		return rv;
	rv = object_list(&list, &n);
	if (rv)
		return rv;
	found = calloc(1, sizeof(*found) + n * sizeof(found->handles[0]));
	if (!found)
		rv = CKR_HOST_MEMORY;
	for (size_t i = 0; !rv && i < n; i++) {
		if (fits(list[i], attributes, count, &rv))
			found->handles[found->count++] = list[i]->handle;
	}
	if (!rv) {
		*search = found;
		found = NULL;
	}
	search_free(&found);
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

	if (rv) {
		a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
		return rv;
	}
	if (a->pValue && a->ulValueLen < v.n) {
		a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
		return CKR_BUFFER_TOO_SMALL;
	}
	if (a->pValue && v.n)
		memcpy(a->pValue, v.p, v.n);
	a->ulValueLen = v.n;
	return CKR_OK;
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
	/* How many bytes its record has is the TEE's matter. */
	*size = CK_UNAVAILABLE_INFORMATION;
out:
	object_put(&o);
	session_put(&s);
	return rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* For those who make attributes' values. */
#ifndef FRONTENDS_PKCS11_VALUE_H
#define FRONTENDS_PKCS11_VALUE_H

#include "attribute.h"

static inline CK_RV flag(struct value *v, bool is_set)
{
	v->own.flag = is_set;
	v->p = &v->own.flag;
	v->n = sizeof(v->own.flag);
	return CKR_OK;
}

static inline CK_RV number(struct value *v, CK_ULONG n)
{
	v->own.number = n;
	v->p = &v->own.number;
	v->n = sizeof(v->own.number);
	return CKR_OK;
}

static inline CK_RV bytes(struct value *v, const void *p, size_t n)
{
	v->p = p;
	v->n = n;
	return CKR_OK;
}

#endif

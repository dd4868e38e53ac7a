/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The places of objects, and where to look for those with one label, CKA_ID or key. What is on the token has its place plus 1 as its
 * handle, until a logout gives private ones another; places of sessions' objects are used again, with other handles. Everything here is under the module's lock.
 */
#ifndef FRONTENDS_PKCS11_TABLE_H
#define FRONTENDS_PKCS11_TABLE_H

#include "object.h"

#define TABLE_NONE SIZE_MAX

enum table_index { TABLE_LABEL, TABLE_ID, TABLE_KEY, TABLE_ITEM, TABLE_INDEXES };

/* Places that were ever used. */
size_t table_size(void);
/* NULL: there is nothing any more. */
struct object *table_at(size_t place);
/* Room for n more objects; false: no memory. */
bool table_reserve(size_t n);
/* TABLE_NONE: there is nothing any more. */
size_t table_place(CK_OBJECT_HANDLE handle);
/* The handle of what is there. */
CK_OBJECT_HANDLE table_handle(size_t place);
/* Another handle for what is put there next: the old one is good for nothing. */
CK_OBJECT_HANDLE table_renew(size_t place);
/* Takes the reference over, and gives the object its handle. There is room. */
CK_OBJECT_HANDLE table_append(struct object *o);
/* The same for an object that ends with its session, in a place that may have been another's. */
CK_OBJECT_HANDLE table_add_to_session(struct object *o);
/* Another object, or none, in place of the one that was there. Takes the reference over. */
void table_set(size_t place, struct object *o);
void table_clear(void);
/* Objects that end with a session. */
size_t table_session_objects(void);

/* Places of the objects with this label, CKA_ID, id of the key (a certificate has its key's) or of the item, and of a few others: the caller compares.
 * TABLE_NONE: no more. */
size_t table_first(enum table_index index, const void *p, size_t n);
size_t table_next(enum table_index index, size_t place);
/* The private or secret key on the token with this id, or TABLE_NONE. */
size_t table_find_key(const uint8_t id[KW_ID_SIZE]);
/* The item on the token with this id, or TABLE_NONE. */
size_t table_find_item(const uint8_t id[KW_ID_SIZE]);

#endif

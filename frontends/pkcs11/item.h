/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept of an object that is not a key of the TEE: a certificate, data, or a public key alone. The list of
 * objects has descriptions; a value is fetched when somebody asks for it. Items do not change: what
 * changed is another item.
 */
#ifndef FRONTENDS_PKCS11_ITEM_H
#define FRONTENDS_PKCS11_ITEM_H

#include <stdatomic.h>
#include <sys/types.h>

#include "module.h"

/* What a certificate says, as attributes have it (4.6.3). */
struct certificate {
	uint8_t *subject, *issuer, *serial, *spki; /* DER */
	size_t subject_len, issuer_len, serial_len, spki_len;
	char start[8], end[8]; /* CK_DATE */
	uint8_t check[3];
	uint8_t key_id
		[KW_ID_SIZE]; /* SHA-256 of the SubjectPublicKeyInfo: the id of its key in a TEE */
};

struct item_value {
	uint8_t *p;
	size_t n;
	struct certificate certificate; /* of one */
};

struct item {
	atomic_uint refs;
	uint8_t id[KW_ID_SIZE]; /* in the TEE; of a session object a random one */
	CK_OBJECT_CLASS class;
	bool may_manage;
	uid_t owner;
	bool is_private;
	CK_SLOT_ID slot;
	uint8_t *attributes; /* see stored.h */
	size_t attributes_len;
	size_t size; /* bytes of the value */
	_Atomic(struct item_value *) value;
};

/* CKR_ATTRIBUTE_VALUE_INVALID: the value is not what the class has. */
CK_RV item_value_new(CK_OBJECT_CLASS class, const uint8_t *p, size_t n, struct item_value **value);
void item_value_free(struct item_value **value);
/* Takes the value, which may be NULL, over, also when there is no memory. */
struct item *item_new(const uint8_t id[KW_ID_SIZE], CK_OBJECT_CLASS class,
	const uint8_t *attributes, size_t attributes_len, size_t size, struct item_value **value);
/* What the TEE described, with the value when it is there. *item is NULL for an object that is none of the module's. */
CK_RV item_of_object(const struct kw_object *o, struct item **item);
void item_put(struct item **item);
/* The first call asks the TEE. CKR_OBJECT_HANDLE_INVALID: it is gone. CKR_DATA_INVALID: some other program stored
 * what is no certificate as one. */
CK_RV item_get_value(struct item *item, const struct item_value **value);
/* Of an attribute that is kept beside the value; NULL when it is not there. */
const uint8_t *item_attribute(const struct item *item, unsigned tag, size_t *n);
/* The id of the key that a certificate belongs to; NULL for none. */
const uint8_t *item_key_id(const struct item *item);

#endif

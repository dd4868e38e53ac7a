/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects as the application sees them. Each key of the TEE is two, a private and a public key, or one, a secret key. Certificates, data and
 * public keys alone are objects of the TEE. An object does not change: what changed in the TEE is another object
 * with the same handle. Session objects are what only the module knows, and private and secret keys that are sealed, in
 * files that nobody has.
 */
#ifndef FRONTENDS_PKCS11_OBJECT_H
#define FRONTENDS_PKCS11_OBJECT_H

#include <openssl/evp.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "item.h"
#include "mechanism.h"

/* What a SubjectPublicKeyInfo says, in the forms that attributes have. */
struct public_part {
	uint8_t *spki;
	size_t spki_len;
	EVP_PKEY *pkey;
	enum kw_key_type type;
	uint8_t modulus[512], exponent[16];
	size_t modulus_len, exponent_len;
	uint8_t point[140]; /* CKA_EC_POINT: an OCTET STRING */
	size_t point_len;
};

/* What both objects of a key have in common. */
struct key_data {
	atomic_uint refs;
	enum kw_key_type type;
	uint8_t id[KW_ID_SIZE];
	struct kw_key *key; /* NULL: a public key that the module was given */
	_Atomic(struct public_part *) public_part;
	/* A secret key of a session that is no secret to the application: its value, and the key that the TEE
	 * makes of it when it is used for the first time. */
	uint8_t *value;
	size_t value_len;
	uint32_t purposes;
	bool is_local; /* CKA_LOCAL */
	uint8_t *attributes;
	size_t attributes_len;
	_Atomic(struct kw_key *) sealed;
	atomic_size_t secret_size; /* bytes of a secret key; 0: not asked for yet */
};

struct object {
	atomic_uint refs;
	CK_OBJECT_HANDLE handle;
	unsigned long changed; /* object_changes() when this process did so; 0: as a list had it */
	CK_OBJECT_CLASS class;
	CK_SESSION_HANDLE session; /* that it ends with; 0: a token object */
	bool is_orphan;            /* no search finds it */
	CK_SLOT_ID slot;
	struct key_data *data; /* NULL: not a key */
	struct item *item;     /* NULL: one of a key's pair, in the TEE or of the session */
};

/* --- Handles --- */

/* All of these are about what the present session can see: the objects of its slot, and private ones while the user is
 * logged in. */

/* CKR_OBJECT_HANDLE_INVALID. Give it back with object_put. */
CK_RV object_get(CK_OBJECT_HANDLE handle, struct object **object);
void object_put(struct object **object);
/* Its handle is good: nobody destroyed it, nor closed the session that it ends with. */
bool object_is_there(const struct object *o);
/* Objects with one label, CKA_ID or key, and a few others: see table.h. */
struct object_filter {
	unsigned index; /* enum table_index */
	const void *p;
	size_t n;
};

/* References to all objects (filter NULL), or to those that the filter lets through; the caller frees the list with
 * object_put_all. */
CK_RV object_list(const struct object_filter *filter, struct object ***list, size_t *count);
void object_put_all(struct object ***list, size_t count);
/* A key on the token that this process made; *private or *public may be NULL. */
CK_RV object_add_key(
	struct kw_key **key, CK_OBJECT_HANDLE *private_handle, CK_OBJECT_HANDLE *public_handle);
/* Takes the reference over, also when there is no memory. CKR_USER_NOT_LOGGED_IN: a private one. CKR_SESSION_CLOSED: another thread
 * closed its session. */
CK_RV object_add(struct object **object, CK_OBJECT_HANDLE *handle);
/* An item on the token that this process made or changed; handle may be NULL. Takes the reference over. */
CK_RV object_add_item(struct object **object, CK_OBJECT_HANDLE *handle);
/* In place of the object with this handle. Takes the reference over. */
void object_replace(CK_OBJECT_HANDLE handle, struct object **object);
void object_forget(CK_OBJECT_HANDLE handle);
/* A private key on the token is gone. Its public key stays with the session, for programs that delete both, one after the
 * other. */
void object_orphan(CK_OBJECT_HANDLE private_handle, CK_SESSION_HANDLE session);

/* Under the module's lock. */
/* Private session objects end with the login. */
void object_forget_private(CK_SLOT_ID slot);
/* C_Logout: the handles of private objects on the token stay invalid, also after the next login. The caller sees to it that
 * the next search asks for the list. */
void object_renew_private(CK_SLOT_ID slot);
void object_forget_session(CK_SESSION_HANDLE session);
void object_forget_all(void);

/* How many times this process made, changed or destroyed an object on the token. */
unsigned long object_changes(void);
/* Both take over what they use of the lists. What is not in the list is gone, but for what this process made or changed since there
 * were that many changes: the list may be older. */
CK_RV object_merge(struct kw_key **keys, size_t count, unsigned long changes_before);
CK_RV object_merge_items(struct object **items, size_t count, unsigned long changes_before);
/* The object of an item that is known as it is described, with one more reference; else NULL. */
struct object *object_known_item(const struct item *item);

/* --- Keeping up with the TEE: refresh.c --- */

/* Learns what keys there are: one small request when nothing has changed. */
CK_RV object_refresh(void);
/* This process stored or deleted one key, and its objects say so: the list needs not be asked for again if that
 * was all. */
void refresh_after_own_change(void);
/* Under the module's lock. */
void refresh_forget(void);

/* --- What they are --- */

/* Takes the description over, also when there is no memory. */
struct key_data *key_data_new(struct kw_key **key);
/* A secret key with this value, for a session; attributes: see stored.h, as many bytes as fit into a key. */
struct key_data *key_data_of_value(enum kw_key_type type, uint32_t purposes, const uint8_t *value,
	size_t len, const uint8_t *attributes, size_t attributes_len);
/* Of a public key alone: takes the part over. */
struct key_data *key_data_of_public(struct public_part **part);
void key_data_put(struct key_data **data);
/* With one more reference to the data. */
struct object *object_new(CK_OBJECT_CLASS class, struct key_data *data);
/* Takes the item over. CKR_ATTRIBUTE_VALUE_INVALID: not a public key. Asks the TEE for the value where nothing goes without:
 * also CKR_OBJECT_HANDLE_INVALID and CKR_DATA_INVALID. */
CK_RV object_of_item(struct item **item, struct object **object);
/* CKR_ATTRIBUTE_VALUE_INVALID: not a public key of a known type. */
CK_RV public_part_new(const uint8_t *spki, size_t len, struct public_part **part);
void public_part_free(struct public_part **part);
/* The first call for a key asks the TEE. */
CK_RV object_public(struct object *o, const struct public_part **part);
/* Bytes of a secret key */
CK_RV object_secret_size(struct object *o, size_t *size);
/* CKR_KEY_HANDLE_INVALID, or what the TEE says of a key that it gets only now. */
CK_RV object_use(const struct object *o, struct kw_use *use);
/* In the form of stored.h */
const uint8_t *object_attributes(const struct object *o, size_t *len);
/* The private and the public key on the token with this id; 0 for none. */
void object_find_id(const uint8_t id[KW_ID_SIZE], CK_OBJECT_HANDLE *private_handle,
	CK_OBJECT_HANDLE *public_handle);
bool object_is_token(const struct object *o);
/* The user's, or the system administrator's; not what some other user shares with him. */
bool object_is_own(const struct object *o, uid_t user);
/* CKA_PRIVATE: on a token with a PIN all private and secret keys, and what was stored so. */
bool object_is_private(const struct object *o);
bool object_is_visible(const struct object *o);
/* The key family's name in the standard: CKK_… */
CK_KEY_TYPE object_key_type(enum kw_key_type type);
bool object_is_secret(const struct object *o);
/* Bits of enum kw_purpose; of a public key that the module was given, all that it can do. */
uint32_t object_purposes(const struct object *o);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* An operation of a session, between its Init function and its end. */
#ifndef FRONTENDS_PKCS11_OPERATION_H
#define FRONTENDS_PKCS11_OPERATION_H

#include "object.h"
#include "session.h"

struct operation {
	const struct mechanism *mechanism;
	struct object *key; /* NULL for a digest */
	enum kw_hash
		hash; /* what the data is hashed with, here or by the caller; NONE: not known */
	enum kw_hash mgf_hash;
	uint16_t salt_len;
	size_t mac_len; /* bytes of the MAC that are wanted */
	/* AES: what the next block goes on from, or the nonce */
	uint8_t iv[KW_NONCE_MAX];
	size_t iv_len, tag_len;
	uint64_t blocks_left; /* of CTR's counter */
	uint8_t *label;       /* OAEP; associated data of GCM */
	size_t label_len;
	unsigned ends; /* login_ends of the key's slot when it began */
	/* CKA_ALWAYS_AUTHENTICATE: nobody gave the PIN since it was started. Of the session's, the highest is the latest. */
	unsigned needs_login;
	bool is_multi; /* an Update was called: the one-shot function is not allowed any more */
	/* What the Updates gave: whole, so that the TEE sees the message, as long as one request can have
	 * it; after that its hash so far. */
	uint8_t *data;
	size_t len, room;
	EVP_MD_CTX *digest;
};

void operation_free(struct operation **operation);
/* The key's public part, for OpenSSL. */
CK_RV operation_public_key(const struct operation *op, EVP_PKEY **pkey);
/* What it holds, but for itself. */
void operation_wipe(struct operation *op);
/* CKR_MECHANISM_PARAM_INVALID */
CK_RV operation_take_oaep(struct operation *op, const CK_MECHANISM *m);
/* A copy in op->label. */
CK_RV operation_keep_label(struct operation *op, const void *p, size_t n);
/* The mechanism, if it does what the flag says, and the key for it, which the caller puts back: its class, its type, what it is
 * for (an attribute) and CKA_ALLOWED_MECHANISMS. CKR_MECHANISM_INVALID, CKR_KEY_HANDLE_INVALID,
 * CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_FUNCTION_NOT_PERMITTED. */
CK_RV operation_check_key(CK_MECHANISM_TYPE type, CK_FLAGS flag, CK_OBJECT_HANDLE handle,
	CK_ATTRIBUTE_TYPE permission, const struct mechanism **mechanism, struct object **key);
/* Starts one of this kind: checks the session, that none is active, mechanism, key, and parameters. */
CK_RV operation_start(CK_SESSION_HANDLE session, enum operation_kind kind, CK_MECHANISM *mechanism,
	CK_OBJECT_HANDLE key);
/* CKA_ALWAYS_AUTHENTICATE: the active operation that waits for the PIN, the latest of them; NULL for none. */
struct operation *operation_waiting(const struct session *s);
/* The active operation, for a one-shot function or not. Ends it on CKR_OPERATION_ACTIVE. */
CK_RV operation_get(
	struct session *s, enum operation_kind kind, bool one_shot, struct operation **operation);
CK_RV operation_update(struct operation *op, const uint8_t *part, size_t len);
/* Ends the operation unless the caller asked for the size, or gave too little room. */
void operation_end(struct session *s, enum operation_kind kind, CK_RV rv, const void *out);
/* The number, with zeros in front: size >= len. */
void operation_block(const uint8_t *data, size_t len, uint8_t *out, size_t size);
/* Whether all of the data may go into one request. */
#define OPERATION_WHOLE_MAX KW_MESSAGE_MAX

#endif

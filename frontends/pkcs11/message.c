/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message-based encryption (PKCS #11 3.0, 5.9 and 5.11) with AES-GCM: a key, many messages, each with its own nonce,
 * which the TEE makes if it is asked to. A message in parts is kept until its end.
 */
#include "message.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "cipher.h"

static bool is_decrypt(enum operation_kind kind)
{
	return kind == OP_MESSAGE_DECRYPT;
}

static CK_RV init(CK_SESSION_HANDLE session, enum operation_kind kind, CK_MECHANISM *mechanism,
	CK_OBJECT_HANDLE key)
{
	return operation_start(session, kind, mechanism, key);
}

/* The nonce that a message has, or *is_new: the TEE is to make one. */
static CK_RV read_parameter(
	bool decrypt, const void *parameter, CK_ULONG len, struct gcm_message *p, bool *is_new)
{
	if (!parameter || len != sizeof(*p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(p, parameter, sizeof(*p));
	*is_new = !decrypt && p->generator != CKG_NO_GENERATE;
	if (!p->iv || !p->tag || !p->iv_len || p->iv_len > KW_NONCE_MAX || p->tag_bits % 8 ||
		p->tag_bits < 96 || p->tag_bits > 128)
		return CKR_MECHANISM_PARAM_INVALID;
	/* All of it is random, or nothing. */
	if (*is_new && ((p->generator != CKG_GENERATE && p->generator != CKG_GENERATE_RANDOM) ||
			       p->iv_fixed_bits || p->iv_len != KW_NEW_NONCE_SIZE))
		return CKR_MECHANISM_PARAM_INVALID;
	return CKR_OK;
}

struct message {
	const uint8_t *aad;
	size_t aad_len;
	const uint8_t *data;
	size_t len;
};

static CK_RV call(const struct operation *op, bool decrypt, const struct gcm_message *p,
	bool is_new, const struct message *m, uint8_t *work, size_t room, uint8_t *nonce)
{
	size_t tag_len = p->tag_bits / 8, n = room;
	struct kw_cipher what = {.mode = KW_CIPHER_AES_GCM,
		.decrypt = decrypt,
		.iv = is_new ? NULL : nonce,
		.iv_len = is_new ? 0 : p->iv_len,
		.aad = m->aad,
		.aad_len = m->aad_len,
		.tag_len = tag_len,
		.data = work,
		.len = m->len + (decrypt ? tag_len : 0)};
	struct kw_use use;
	CK_RV rv = object_use(op->key, &use);

	if (m->len)
		memcpy(work, m->data, m->len);
	if (decrypt)
		memcpy(work + m->len, p->tag, tag_len);
	if (!rv)
		rv = module_error(
			kw_cipher(module_kw(), &use, &what, is_new ? nonce : NULL, work, &n));
	if (!rv && n != m->len + (decrypt ? 0 : tag_len))
		rv = CKR_DEVICE_ERROR;
	return rv;
}

/*
 * The nonce of a message in parts is told when it begins (5.9.3), before the TEE has seen any of it. Keys that only encrypt take
 * none but what the TEE makes with the message, at its end.
 */
static CK_RV make_nonce(struct operation *op, const struct gcm_message *p)
{
	CK_RV rv = CKR_OK;

	op->iv_len = 0;
	if (!(object_purposes(op->key) & (KW_PURPOSE_DECRYPT | KW_PURPOSE_MIXED)))
		return rv;
	rv = module_error(kw_random(module_kw(), op->iv, KW_NEW_NONCE_SIZE));
	if (rv)
		return rv;
	op->iv_len = KW_NEW_NONCE_SIZE;
	memcpy(p->iv, op->iv, op->iv_len);
	return rv;
}

/* One message, whole. */
static CK_RV run(const struct operation *op, bool decrypt, const void *parameter,
	CK_ULONG parameter_len, const struct message *m, unsigned char *out, CK_ULONG *out_len)
{
	uint8_t nonce[KW_NONCE_MAX];
	size_t room = m->len + 2 * KW_CIPHER_MORE;
	struct gcm_message p;
	uint8_t *work;
	bool is_new, is_made = false;
	CK_RV rv = read_parameter(decrypt, parameter, parameter_len, &p, &is_new);

	if (rv)
		return rv;
	if (m->len > KW_DATA_MAX)
		return decrypt ? CKR_ENCRYPTED_DATA_LEN_RANGE : CKR_DATA_LEN_RANGE;
	if (m->aad_len > KW_AAD_MAX)
		return CKR_ARGUMENTS_BAD;
	/* Without data there is nothing to ask the size of, and no buffer: the tag is all. */
	if ((m->len || out) && !module_wants_output(out, out_len, m->len, &rv))
		return rv;
	*out_len = m->len;
	work = malloc(room);
	if (!work)
		return CKR_HOST_MEMORY;
	memcpy(nonce, p.iv, p.iv_len);
	if (is_new && op->iv_len) {
		memcpy(nonce, op->iv, op->iv_len);
		is_made = true;
	}
	rv = call(op, decrypt, &p, is_new && !is_made, m, work, room, nonce);
	if (!rv && m->len)
		memcpy(out, work, m->len);
	if (!rv && !decrypt)
		memcpy(p.tag, work + m->len, p.tag_bits / 8);
	if (!rv && is_new)
		memcpy(p.iv, nonce, KW_NEW_NONCE_SIZE);
	OPENSSL_cleanse(work, room);
	free(work);
	return rv == CKR_ENCRYPTED_DATA_INVALID ? CKR_AEAD_DECRYPT_FAILED : rv;
}

/* Another process deleted the key: there will be no more messages. */
static void end_without_key(struct session *s, enum operation_kind kind, CK_RV rv)
{
	if (rv == CKR_KEY_HANDLE_INVALID)
		operation_free(&s->operations[kind]);
}

static CK_RV whole(CK_SESSION_HANDLE session, enum operation_kind kind, void *parameter,
	CK_ULONG parameter_len, const struct message *m, unsigned char *out, CK_ULONG *out_len)
{
	struct operation *op;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = operation_get(s, kind, false, &op);
	/* A message that was begun */
	if (!rv && op->is_multi)
		rv = CKR_OPERATION_ACTIVE;
	if (!rv && ((m->aad_len && !m->aad) || (m->len && !m->data) || !out_len))
		rv = CKR_ARGUMENTS_BAD;
	if (!rv)
		rv = run(op, is_decrypt(kind), parameter, parameter_len, m, out, out_len);
	end_without_key(s, kind, rv);
	session_put(&s);
	return rv;
}

static CK_RV begin(CK_SESSION_HANDLE session, enum operation_kind kind, void *parameter,
	CK_ULONG parameter_len, const uint8_t *aad, size_t aad_len)
{
	struct gcm_message p;
	struct operation *op;
	struct session *s;
	bool is_new;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = operation_get(s, kind, false, &op);
	if (!rv && op->is_multi)
		rv = CKR_OPERATION_ACTIVE;
	if (!rv && ((aad_len && !aad) || aad_len > KW_AAD_MAX))
		rv = CKR_ARGUMENTS_BAD;
	if (!rv)
		rv = read_parameter(is_decrypt(kind), parameter, parameter_len, &p, &is_new);
	if (!rv && is_new)
		rv = make_nonce(op, &p);
	if (!rv)
		rv = operation_keep_label(op, aad, aad_len);
	if (!rv)
		op->is_multi = true;
	session_put(&s);
	return rv;
}

/* The message is over, the operation goes on. */
static void forget_message(struct operation *op)
{
	if (op->data)
		OPENSSL_cleanse(op->data, op->room);
	free(op->label);
	op->label = NULL;
	op->label_len = op->len = op->iv_len = 0;
	op->is_multi = false;
}

/* A message that lacks a part is over, and does not end as a shorter one. */
static CK_RV add_part(struct operation *op, bool decrypt, const uint8_t *part, size_t len)
{
	CK_RV rv = operation_update(op, part, len);

	if (rv)
		forget_message(op);
	return rv == CKR_DATA_LEN_RANGE && decrypt ? CKR_ENCRYPTED_DATA_LEN_RANGE : rv;
}

static CK_RV finish(struct operation *op, bool decrypt, void *parameter, CK_ULONG parameter_len,
	const uint8_t *part, size_t len, unsigned char *out, CK_ULONG *out_len)
{
	struct message m = {.aad = op->label, .aad_len = op->label_len, .len = op->len + len};
	size_t before = op->len;
	CK_RV rv;

	/* A question, or no room: nothing is taken. */
	if ((m.len || out) && !module_wants_output(out, out_len, m.len, &rv))
		return rv;
	rv = add_part(op, decrypt, part, len);
	if (rv)
		return rv;
	m.data = op->data;
	rv = run(op, decrypt, parameter, parameter_len, &m, out, out_len);
	if (rv == CKR_MECHANISM_PARAM_INVALID)
		op->len = before;
	else if (rv || out)
		forget_message(op);
	return rv;
}

static CK_RV next(CK_SESSION_HANDLE session, enum operation_kind kind, void *parameter,
	CK_ULONG parameter_len, const uint8_t *part, size_t len, unsigned char *out,
	CK_ULONG *out_len, CK_FLAGS flags)
{
	struct operation *op;
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = operation_get(s, kind, false, &op);
	if (!rv && !op->is_multi)
		rv = CKR_OPERATION_NOT_INITIALIZED;
	if (!rv && ((len && !part) || !out_len))
		rv = CKR_ARGUMENTS_BAD;
	if (rv)
		goto out;
	if (flags & CKF_END_OF_MESSAGE) {
		rv = finish(
			op, is_decrypt(kind), parameter, parameter_len, part, len, out, out_len);
		end_without_key(s, kind, rv);
		goto out;
	}
	*out_len = 0;
	if (out)
		rv = add_part(op, is_decrypt(kind), part, len);
out:
	session_put(&s);
	return rv;
}

static CK_RV final(CK_SESSION_HANDLE session, enum operation_kind kind)
{
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	rv = s->operations[kind] ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
	operation_free(&s->operations[kind]);
	session_put(&s);
	return rv;
}

/* --- */

CK_RV message_encrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return init(session, OP_MESSAGE_ENCRYPT, mechanism, key);
}

CK_RV message_encrypt(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len,
	unsigned char *aad, CK_ULONG aad_len, unsigned char *in, CK_ULONG in_len,
	unsigned char *out, CK_ULONG *out_len)
{
	struct message m = {aad, aad_len, in, in_len};

	return whole(session, OP_MESSAGE_ENCRYPT, parameter, parameter_len, &m, out, out_len);
}

CK_RV message_encrypt_begin(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len,
	unsigned char *aad, CK_ULONG aad_len)
{
	return begin(session, OP_MESSAGE_ENCRYPT, parameter, parameter_len, aad, aad_len);
}

CK_RV message_encrypt_next(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len,
	unsigned char *in, CK_ULONG in_len, unsigned char *out, CK_ULONG *out_len, CK_FLAGS flags)
{
	return next(session, OP_MESSAGE_ENCRYPT, parameter, parameter_len, in, in_len, out, out_len,
		flags);
}

CK_RV message_encrypt_final(CK_SESSION_HANDLE session)
{
	return final(session, OP_MESSAGE_ENCRYPT);
}

CK_RV message_decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return init(session, OP_MESSAGE_DECRYPT, mechanism, key);
}

CK_RV message_decrypt(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len,
	unsigned char *aad, CK_ULONG aad_len, unsigned char *in, CK_ULONG in_len,
	unsigned char *out, CK_ULONG *out_len)
{
	struct message m = {aad, aad_len, in, in_len};

	return whole(session, OP_MESSAGE_DECRYPT, parameter, parameter_len, &m, out, out_len);
}

CK_RV message_decrypt_begin(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len,
	unsigned char *aad, CK_ULONG aad_len)
{
	return begin(session, OP_MESSAGE_DECRYPT, parameter, parameter_len, aad, aad_len);
}

CK_RV message_decrypt_next(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len,
	unsigned char *in, CK_ULONG in_len, unsigned char *out, CK_ULONG *out_len, CK_FLAGS flags)
{
	return next(session, OP_MESSAGE_DECRYPT, parameter, parameter_len, in, in_len, out, out_len,
		flags);
}

CK_RV message_decrypt_final(CK_SESSION_HANDLE session)
{
	return final(session, OP_MESSAGE_DECRYPT);
}

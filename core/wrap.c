/* SPDX-License-Identifier: BSD-2-Clause */
/* WRAP and UNWRAP: keys that leave the TEE, and come into it, encrypted by another key. */
#include <string.h>

#include "key_make.h"
#include "key_type.h"
#include "key_wrap.h"
#include "pkcs8.h"
#include "rsa_block.h"
#include "rsa_unpad.h"
#include "use.h"

#define LABEL_MAX 256

struct wrap_request {
	const uint8_t *id; /* of the key that wraps */
	enum wrapping wrapping;
	enum hash_id hash, mgf;    /* of OAEP */
	struct crypto_bytes label; /* of OAEP */
};

static bool get_request(struct reader *req, struct wrap_request *w)
{
	w->id = get_bytes(req, WIRE_ID_SIZE);
	w->wrapping = (enum wrapping)get_u8(req);
	w->hash = (enum hash_id)get_u8(req);
	w->mgf = (enum hash_id)get_u8(req);
	w->label.p = get_field16(req, LABEL_MAX, &w->label.n);
	if (req->failed)
		return false;
	if (w->wrapping == WRAPPING_RSA_OAEP)
		return hash_size(w->hash) && hash_size(w->mgf);
	return (w->wrapping == WRAPPING_AES_KW || w->wrapping == WRAPPING_AES_KWP) && !w->hash &&
	       !w->mgf && !w->label.n;
}

static unsigned family_of(const struct wrap_request *w)
{
	return FAMILY_BIT(w->wrapping == WRAPPING_RSA_OAEP ? FAMILY_RSA : FAMILY_AES);
}

/* A secret key is its bytes, a private key a PrivateKeyInfo. */
static enum kw_err get_value(const struct key *key, uint8_t value[PKCS8_MAX], size_t *n)
{
	if (key_type_is_secret(key->type))
		return crypto_key_private(key->crypto, value, n);
	return pkcs8_encode(key->type, key->crypto, value, n);
}

static enum kw_err wrap_value(const struct key *by, const struct wrap_request *w,
	struct crypto_bytes value, uint8_t *out, size_t *n)
{
	size_t k = key_type_bytes(key_type_find((uint8_t)by->type));
	uint8_t em[RSA_UNPAD_MAX];
	enum kw_err err;

	if (w->wrapping != WRAPPING_RSA_OAEP)
		return key_wrap(
			by->crypto, w->wrapping == WRAPPING_AES_KWP, value.p, value.n, out, n);
	err = rsa_block_oaep(w->hash, w->mgf, w->label, value, em, k);
	if (!err)
		err = crypto_rsa_public(by->crypto, em, k, out);
	*n = k;
	platform_wipe(em, sizeof(em));
	return err;
}

static enum kw_err check_may_leave(struct call *c, struct key *key, const struct key *by)
{
	if (!(key->purposes & PURPOSE_EXTRACTABLE))
		return use_refused(c, key);
	if (key->purposes & PURPOSE_WITH_TRUSTED && !(by->purposes & PURPOSE_TRUSTED))
		return use_refused(c, key);
	return KW_ERR_OK;
}

_Static_assert(PKCS8_MAX >= CRYPTO_PRIVATE_MAX, "a secret key has room there as well");
_Static_assert(
	PKCS8_MAX + KEY_WRAP_MORE <= WIRE_WRAPPED_MAX, "every key that leaves can come back");
_Static_assert(RSA_UNPAD_MAX <= WIRE_WRAPPED_MAX, "so can what RSA encrypts");

/* What is wrapped and what comes of it. Large: on the heap, and wiped with it. */
struct wrap_room {
	uint8_t value[PKCS8_MAX];
	uint8_t out[WIRE_WRAPPED_MAX];
};

enum kw_err cmd_wrap(struct call *c, struct reader *req, struct writer *rsp)
{
	struct wrap_room *room = platform_alloc(sizeof(*room));
	struct key *by = NULL, *key = NULL;
	struct wrap_request w = {0};
	const uint8_t *id;
	size_t len = 0, n = 0;
	enum kw_err err = KW_ERR_NO_MEMORY;

	if (!room)
		goto out;
	err = KW_ERR_BAD_REQUEST;
	if (!get_request(req, &w))
		goto out;
	id = get_bytes(req, WIRE_ID_SIZE);
	if (!reader_done(req) || !memcmp(id, w.id, WIRE_ID_SIZE))
		goto out;
	err = use_key(c, w.id, family_of(&w), PURPOSE_WRAP, &by);
	if (!err)
		err = key_use(c->core, c->session, id, &key);
	if (!err)
		err = check_may_leave(c, key, by);
	if (!err)
		err = get_value(key, room->value, &len);
	if (!err)
		err = wrap_value(by, &w, (struct crypto_bytes){room->value, len}, room->out, &n);
	if (err)
		goto out;
	put_field16(rsp, room->out, n);
	key_count_signature(c->core, by);
out:
	platform_free(room, sizeof(*room));
	key_release(&key);
	key_release(&by);
	return err;
}

/* out has WIRE_WRAPPED_MAX bytes. */
static enum kw_err unwrap_value(const struct key *by, const struct wrap_request *w,
	struct crypto_bytes in, uint8_t *out, size_t *n)
{
	struct crypto_decrypt what = {.oaep = true, .hash = w->hash, .mgf = w->mgf};

	if (w->wrapping != WRAPPING_RSA_OAEP)
		return key_unwrap(by->crypto, w->wrapping == WRAPPING_AES_KWP, in.p, in.n, out, n);
	what.label = w->label;
	what.in = in.p;
	what.n = in.n;
	return crypto_rsa_decrypt(by->crypto, &what, out, n);
}

/* What a trusted key brought in may have asked for one when it left: it does not leave by another. */
static bool stays_trusted(const struct key *by, const struct key_meta *m)
{
	return !(by->purposes & PURPOSE_TRUSTED) || !(m->purposes & PURPOSE_EXTRACTABLE) ||
	       m->purposes & PURPOSE_WITH_TRUSTED;
}

static enum kw_err make_unwrapped(struct subject *s, const uint8_t *value, size_t n)
{
	enum key_type type = (enum key_type)s->meta.type;

	s->meta.origin = ORIGIN_IMPORTED;
	return key_type_is_secret(type) ? make_secret(s, value, n)
					: pkcs8_decode(type, value, n, &s->crypto);
}

enum kw_err cmd_unwrap(struct call *c, struct reader *req, struct writer *rsp)
{
	struct subject *s = subject_new();
	uint8_t *value = platform_alloc(WIRE_WRAPPED_MAX);
	struct wrap_request w = {0};
	struct crypto_bytes in;
	struct key *by = NULL;
	enum kw_err err = KW_ERR_NO_MEMORY;
	size_t n = 0;

	if (!s || !value)
		goto out;
	err = KW_ERR_BAD_REQUEST;
	if (!get_request(req, &w))
		goto out;
	in.p = get_field16(req, WIRE_WRAPPED_MAX, &in.n);
	err = in.p ? make_allowed(c) : KW_ERR_BAD_REQUEST;
	if (!err)
		err = make_begin(c, req, &s->meta);
	if (err)
		goto out;
	err = KW_ERR_BAD_REQUEST;
	if (!reader_done(req))
		goto out;
	err = use_key(c, w.id, family_of(&w), PURPOSE_UNWRAP, &by);
	if (err)
		goto out;
	err = stays_trusted(by, &s->meta) ? unwrap_value(by, &w, in, value, &n)
					  : use_refused(c, by);
	if (err)
		goto out;
	err = make_unwrapped(s, value, n);
	if (!err)
		err = make_end(c, s, rsp);
	if (!err)
		key_count_signature(c->core, by);
out:
	platform_free(value, WIRE_WRAPPED_MAX);
	key_release(&by);
	subject_free(s);
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* DERIVE: what two keys agree on, or what follows from a secret key. */
#include <string.h>

#include "kdf.h"
#include "key_make.h"
#include "key_type.h"
#include "use.h"

struct derive_request {
	const uint8_t *id;
	enum derivation derivation;
	enum hash_id hash;
	uint8_t kdf;   /* of an agreement */
	uint8_t steps; /* of HKDF */
	struct crypto_bytes peer, salt, info;
	uint8_t result; /* enum wire_derived */
	size_t n;       /* bytes of the result; 0: as many as there are, or the key's type has */
};

static bool get_request(struct reader *req, struct derive_request *d)
{
	d->id = get_bytes(req, WIRE_ID_SIZE);
	d->derivation = (enum derivation)get_u8(req);
	d->hash = (enum hash_id)get_u8(req);
	if (d->derivation == DERIVATION_AGREEMENT) {
		d->kdf = get_u8(req);
		d->peer.p = get_field16(req, CRYPTO_PUBLIC_MAX, &d->peer.n);
	} else {
		d->steps = get_u8(req);
		d->salt.p = get_field16(req, WIRE_INFO_MAX, &d->salt.n);
	}
	d->info.p = get_field16(req, WIRE_INFO_MAX, &d->info.n);
	d->result = get_u8(req);
	d->n = get_u16(req);
	if (req->failed || d->result > DERIVED_KEY)
		return false;
	if (d->derivation == DERIVATION_HKDF)
		return d->steps && !(d->steps & ~(HKDF_EXTRACT | HKDF_EXPAND)) &&
		       hash_size(d->hash) && (d->steps & HKDF_EXTRACT || !d->salt.n) &&
		       (d->steps & HKDF_EXPAND || !d->info.n);
	if (d->derivation != DERIVATION_AGREEMENT || d->kdf > KDF_X963)
		return false;
	return d->kdf == KDF_X963 ? hash_size(d->hash) != 0 : !d->hash && !d->info.n;
}

/*
 * A secret that may only become a key of the TEE must not be had by way of that key: it may not leave, nor
 * hand out what follows from it, and is not so short that it could be found by trying.
 */
static bool keeps_secret(const struct key *base, const struct key_meta *m)
{
	return base->purposes & PURPOSE_DERIVE_VALUE ||
	       (base->purposes & PURPOSE_DERIVE &&
		       !(m->purposes & (PURPOSE_EXTRACTABLE | PURPOSE_DERIVE_VALUE)));
}

/* Fewer bytes of an agreed secret are its last ones (PKCS #11, CKM_ECDH1_DERIVE). */
static enum kw_err agree(
	const struct key *key, const struct derive_request *d, uint8_t *out, size_t *n)
{
	uint8_t z[CRYPTO_AGREED_MAX];
	struct crypto_bytes secret = {z, 0};
	enum kw_err err = crypto_agree(key->crypto, d->peer.p, d->peer.n, z, &secret.n);

	if (err)
		goto out;
	if (!*n)
		*n = d->kdf == KDF_X963 ? hash_size(d->hash) : secret.n;
	if (d->kdf == KDF_X963) {
		err = kdf_x963(d->hash, secret, d->info, out, *n);
		goto out;
	}
	err = KW_ERR_BAD_ALGORITHM;
	if (*n > secret.n)
		goto out;
	memcpy(out, z + secret.n - *n, *n);
	err = KW_ERR_OK;
out:
	platform_wipe(z, sizeof(z));
	return err;
}

static enum kw_err hkdf(
	const struct key *key, const struct derive_request *d, uint8_t *out, size_t *n)
{
	uint8_t value[CRYPTO_PRIVATE_MAX];
	struct crypto_bytes secret = {value, 0};
	enum kw_err err = crypto_key_private(key->crypto, value, &secret.n);

	if (!*n)
		*n = hash_size(d->hash);
	if (!err)
		err = kdf_hkdf(d->hash, d->steps, secret, d->salt, d->info, out, *n);
	platform_wipe(value, sizeof(value));
	return err;
}

static enum kw_err check_result(struct call *c, struct key *key, const struct derive_request *d,
	const struct key_meta *m, size_t *n)
{
	const struct key_type_info *info;

	*n = d->n;
	if (d->result == DERIVED_VALUE) {
		if (*n > WIRE_VALUE_MAX)
			return KW_ERR_TOO_LARGE;
		return key->purposes & PURPOSE_DERIVE_VALUE ? KW_ERR_OK : use_refused(c, key);
	}
	info = key_type_find(m->type);
	if (!key_type_is_secret(info->type))
		return KW_ERR_BAD_ALGORITHM;
	if (info->family == FAMILY_AES && !*n)
		*n = key_type_bytes(info);
	if (*n && (*n < WIRE_SECRET_MIN || !key_type_takes(info, *n)))
		return KW_ERR_BAD_KEY;
	return keeps_secret(key, m) ? KW_ERR_OK : use_refused(c, key);
}

enum kw_err cmd_derive(struct call *c, struct reader *req, struct writer *rsp)
{
	struct subject *s = subject_new();
	struct derive_request d = {0};
	uint8_t value[WIRE_VALUE_MAX];
	struct key *key = NULL;
	enum kw_err err = KW_ERR_NO_MEMORY;
	unsigned families;
	size_t n = 0;

	if (!s)
		goto out;
	err = KW_ERR_BAD_REQUEST;
	if (!get_request(req, &d))
		goto out;
	if (d.result == DERIVED_KEY) {
		err = make_allowed(c);
		if (!err)
			err = make_begin(c, req, &s->meta);
		if (err)
			goto out;
		err = KW_ERR_BAD_REQUEST;
	}
	if (!reader_done(req))
		goto out;
	families = d.derivation == DERIVATION_HKDF ? FAMILY_BIT(FAMILY_HMAC)
						   : FAMILY_BIT(FAMILY_EC) | FAMILY_BIT(FAMILY_X);
	err = use_key(c, d.id, families, 0, &key);
	if (!err)
		err = check_result(c, key, &d, &s->meta, &n);
	if (!err)
		err = d.derivation == DERIVATION_HKDF ? hkdf(key, &d, value, &n)
						      : agree(key, &d, value, &n);
	if (err)
		goto out;
	if (d.result == DERIVED_VALUE) {
		put_field16(rsp, value, n);
	} else {
		/* Who is at the other end knows it as well. */
		s->meta.origin = ORIGIN_IMPORTED;
		err = make_secret(s, value, n);
		if (!err)
			err = make_end(c, s, rsp);
	}
	if (!err)
		key_count_signature(c->core, key);
out:
	platform_wipe(value, sizeof(value));
	key_release(&key);
	subject_free(s);
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "pkcs8.h"

#include <string.h>

#include "key_type.h"
#include "platform.h"
#include "spki.h"
#include "wire/der.h"

#define VERSION_1 0
#define VERSION_2 1 /* RFC 5958: with the public key */
#define EC_VERSION 1
#define RSA_VERSION 0 /* of two primes */
#define RSA_EXPONENT_SIZE 4
#define RSA_NUMBERS 6 /* of a private part: e, p, q, dp, dq, qinv */
#define RSA_BITS_MAX 4096
#define ALGORITHM_MAX 32
#define TAG_ATTRIBUTES DER_CONTEXT_CONSTRUCTED(0)
#define TAG_PUBLIC DER_CONTEXT(1) /* RFC 5958: an implicit BIT STRING */
#define TAG_EC_CURVE DER_CONTEXT_CONSTRUCTED(0)
#define TAG_EC_PUBLIC DER_CONTEXT_CONSTRUCTED(1)

/* What a key is in the encodings of crypto.h. Large: on the heap, and wiped with it. */
struct parts {
	const struct key_type_info *info;
	uint8_t private_part[CRYPTO_PRIVATE_MAX];
	size_t private_len;
	uint8_t public_part[CRYPTO_PUBLIC_MAX];
	size_t public_len;
	uint8_t d[RSA_BITS_MAX / 8];
	uint8_t bits[CRYPTO_PUBLIC_MAX + 16]; /* of the public key as a BIT STRING has it */
	size_t bits_len;
};

static enum kw_err get_parts(
	struct parts *p, const struct key_type_info *info, const struct crypto_key *key)
{
	struct writer w = writer_over(p->bits, sizeof(p->bits));
	enum kw_err err;

	p->info = info;
	err = crypto_key_private(key, p->private_part, &p->private_len);
	if (!err)
		err = crypto_key_public(key, p->public_part, &p->public_len);
	if (err)
		return err;
	spki_put_bits(info->type, p->public_part, p->public_len, &w);
	p->bits_len = w.len;
	return w.failed ? KW_ERR_CRYPTO : KW_ERR_OK;
}

/* The numbers of an RSA key's private part. */
static void rsa_number(const struct parts *p, unsigned i, const uint8_t **at, size_t *n)
{
	size_t half = p->info->bits / 16;

	*n = i ? half : RSA_EXPONENT_SIZE;
	*at = p->private_part + (i ? RSA_EXPONENT_SIZE + (i - 1) * half : 0);
}

static void put_rsa(const struct parts *p, struct writer *w)
{
	static const uint8_t version = RSA_VERSION;
	size_t mark = der_begin(w, DER_SEQUENCE);
	const uint8_t *at;
	size_t n;

	der_put_unsigned(w, &version, 1);
	der_put_unsigned(w, p->public_part + RSA_EXPONENT_SIZE, p->info->bits / 8);
	for (unsigned i = 0; i < RSA_NUMBERS; i++) {
		rsa_number(p, i, &at, &n);
		der_put_unsigned(w, at, n);
		if (i == 0)
			der_put_unsigned(w, p->d, p->info->bits / 8);
	}
	der_end(w, mark);
}

static void put_ec(const struct parts *p, struct writer *w)
{
	static const uint8_t version = EC_VERSION;
	size_t mark = der_begin(w, DER_SEQUENCE);
	size_t public_key;

	der_put_unsigned(w, &version, 1);
	der_put(w, DER_OCTET_STRING, p->private_part, p->private_len);
	public_key = der_begin(w, TAG_EC_PUBLIC);
	der_put(w, DER_BIT_STRING, p->bits, p->bits_len);
	der_end(w, public_key);
	der_end(w, mark);
}

static void put_key(const struct parts *p, struct writer *w)
{
	static const uint8_t version = VERSION_1;
	size_t mark = der_begin(w, DER_SEQUENCE);
	size_t inner;

	der_put_unsigned(w, &version, 1);
	spki_put_algorithm(p->info->type, w);
	inner = der_begin(w, DER_OCTET_STRING);
	if (p->info->family == FAMILY_RSA)
		put_rsa(p, w);
	else if (p->info->family == FAMILY_EC)
		put_ec(p, w);
	else
		der_put(w, DER_OCTET_STRING, p->private_part, p->private_len);
	der_end(w, inner);
	der_end(w, mark);
}

enum kw_err pkcs8_encode(enum key_type type, const struct crypto_key *key, uint8_t *out, size_t *n)
{
	const struct key_type_info *info = key_type_find((uint8_t)type);
	struct writer w = writer_over(out, PKCS8_MAX);
	struct parts *p = NULL;
	enum kw_err err = KW_ERR_BAD_ALGORITHM;

	*n = 0;
	if (!info || key_type_is_secret(type))
		goto out;
	err = KW_ERR_NO_MEMORY;
	p = platform_alloc(sizeof(*p));
	if (!p)
		goto out;
	err = get_parts(p, info, key);
	if (!err && info->family == FAMILY_RSA)
		err = crypto_rsa_exponent(key, p->d, info->bits / 8);
	if (err)
		goto out;
	put_key(p, &w);
	err = w.failed ? KW_ERR_CRYPTO : KW_ERR_OK;
	if (!err)
		*n = w.len;
out:
	platform_free(p, sizeof(*p));
	return err;
}

/* Fields of a PrivateKeyInfo, in place. */
struct fields {
	struct reader key;    /* contents of privateKey */
	const uint8_t *curve; /* the algorithm's parameters */
	size_t curve_len;
	const uint8_t *bits; /* contents of a BIT STRING with the public key, or NULL */
	size_t bits_len;
};

static bool get_small(struct reader *r, uint8_t *v)
{
	size_t n;
	const uint8_t *p = der_get_unsigned(r, 1, &n);

	*v = p && n ? p[0] : 0;
	return p != NULL;
}

static uint8_t next_tag(const struct reader *r)
{
	return reader_left(r) && !r->failed ? *r->at : 0;
}

static void take(struct reader *r, uint8_t tag, const uint8_t **p, size_t *n)
{
	struct reader in;

	der_get(r, tag, &in);
	*n = reader_left(&in);
	*p = get_bytes(&in, *n);
}

/* One type has one AlgorithmIdentifier: other curves, and those that are spelled out, are other bytes. */
static bool get_algorithm(enum key_type type, struct reader *r, struct fields *f)
{
	uint8_t expected[ALGORITHM_MAX];
	struct writer w = writer_over(expected, sizeof(expected));
	struct reader in, oid;
	const uint8_t *p;
	size_t n;

	spki_put_algorithm(type, &w);
	take(r, DER_SEQUENCE, &p, &n);
	/* Tag and length have a byte each. */
	if (w.failed || !p || n + 2 != w.len || memcmp(p, expected + 2, n) != 0)
		return false;
	in = reader_over(p, n);
	der_get(&in, DER_OID, &oid);
	f->curve_len = reader_left(&in);
	f->curve = get_bytes(&in, f->curve_len);
	return f->curve;
}

static bool get_fields(enum key_type type, const uint8_t *der, size_t n, struct fields *f)
{
	struct reader r = reader_over(der, n);
	struct reader in, attributes;
	const uint8_t *start;
	uint8_t version;

	der_get(&r, DER_SEQUENCE, &in);
	if (!reader_done(&r) || !get_small(&in, &version) || version > VERSION_2 ||
		!get_algorithm(type, &in, f))
		return false;
	der_get(&in, DER_OCTET_STRING, &f->key);
	if (next_tag(&in) == TAG_ATTRIBUTES) {
		start = in.at;
		der_get(&in, TAG_ATTRIBUTES, &attributes);
		if (in.failed || !der_is_well_formed(start, (size_t)(in.at - start)))
			return false;
	}
	/* RFC 5958, 2: "If publicKey is present, then version is set to v2, else version is set to v1." */
	if (version == VERSION_2)
		take(&in, TAG_PUBLIC, &f->bits, &f->bits_len);
	return reader_done(&in);
}

/* Into a number of n bytes at `to`. */
static bool get_number(struct reader *r, uint8_t *to, size_t n)
{
	size_t len;
	const uint8_t *p = der_get_unsigned(r, n, &len);

	if (!p)
		return false;
	memset(to, 0, n - len);
	memcpy(to + n - len, p, len);
	return true;
}

/* d is one of several that fit (RFC 8017, 3.2), and not needed: it has to be there. The rest is compared with what
 * e, p and q give. */
static bool get_rsa(struct parts *p, struct fields *f)
{
	size_t k = p->info->bits / 8;
	uint8_t *e = p->private_part;
	uint8_t *rest = e + RSA_EXPONENT_SIZE;
	struct reader in;
	uint8_t version;

	der_get(&f->key, DER_SEQUENCE, &in);
	if (!reader_done(&f->key) || !get_small(&in, &version) || version != RSA_VERSION ||
		!get_number(&in, p->public_part + RSA_EXPONENT_SIZE, k) ||
		!get_number(&in, e, RSA_EXPONENT_SIZE) || !get_number(&in, p->d, k))
		return false;
	for (unsigned i = 1; i < RSA_NUMBERS; i++, rest += k / 2) {
		if (!get_number(&in, rest, k / 2))
			return false;
	}
	memcpy(p->public_part, e, RSA_EXPONENT_SIZE);
	p->private_len = RSA_EXPONENT_SIZE + (RSA_NUMBERS - 1) * (k / 2);
	p->public_len = RSA_EXPONENT_SIZE + k;
	return reader_done(&in);
}

/* RFC 5915, 3: the scalar is as long as the order. The curve may be said here again. */
static bool get_ec(struct parts *p, struct fields *f)
{
	struct reader in, more;
	const uint8_t *at;
	uint8_t version;
	size_t n;

	der_get(&f->key, DER_SEQUENCE, &in);
	if (!reader_done(&f->key) || !get_small(&in, &version) || version != EC_VERSION)
		return false;
	take(&in, DER_OCTET_STRING, &at, &n);
	if (!at || n != key_type_bytes(p->info))
		return false;
	memcpy(p->private_part, at, n);
	p->private_len = n;
	if (next_tag(&in) == TAG_EC_CURVE) {
		take(&in, TAG_EC_CURVE, &at, &n);
		if (!at || n != f->curve_len || memcmp(at, f->curve, n) != 0)
			return false;
	}
	if (next_tag(&in) == TAG_EC_PUBLIC) {
		der_get(&in, TAG_EC_PUBLIC, &more);
		/* It has one place or the other. */
		if (f->bits)
			return false;
		take(&more, DER_BIT_STRING, &f->bits, &f->bits_len);
		if (!reader_done(&more))
			return false;
	}
	return reader_done(&in);
}

/* RFC 8410, 7: an OCTET STRING in the OCTET STRING. */
static bool get_curve_private(struct parts *p, struct fields *f)
{
	const uint8_t *at;
	size_t n;

	take(&f->key, DER_OCTET_STRING, &at, &n);
	if (!at || n != key_type_bytes(p->info) || !reader_done(&f->key))
		return false;
	memcpy(p->private_part, at, n);
	p->private_len = n;
	return true;
}

static bool get_private(struct parts *p, struct fields *f)
{
	switch (p->info->family) {
	case FAMILY_RSA:
		return get_rsa(p, f);
	case FAMILY_EC:
		return get_ec(p, f);
	case FAMILY_ED:
	case FAMILY_X:
		return get_curve_private(p, f);
	case FAMILY_AES:
	case FAMILY_HMAC:
		break;
	}
	return false;
}

/* What it says besides what the key was made of. */
static bool agrees(const struct parts *said, const struct fields *f, const struct parts *is)
{
	bool good = true;

	if (said->public_len)
		good = said->public_len == is->public_len && said->private_len == is->private_len &&
		       crypto_equal(said->public_part, is->public_part, is->public_len) &&
		       crypto_equal(said->private_part, is->private_part, is->private_len);
	if (f->bits)
		good = good && f->bits_len == is->bits_len &&
		       !memcmp(f->bits, is->bits, is->bits_len);
	return good;
}

enum kw_err pkcs8_decode(enum key_type type, const uint8_t *der, size_t n, struct crypto_key **key)
{
	const struct key_type_info *info = key_type_find((uint8_t)type);
	struct parts *said = platform_alloc(sizeof(*said));
	struct parts *is = platform_alloc(sizeof(*is));
	struct fields f = {0};
	enum kw_err err = KW_ERR_NO_MEMORY;
	size_t material;

	*key = NULL;
	if (!said || !is)
		goto out;
	err = KW_ERR_BAD_KEY;
	if (!info || key_type_is_secret(type))
		goto out;
	said->info = info;
	if (!get_fields(type, der, n, &f) || !get_private(said, &f))
		goto out;
	/* Of RSA e, p and q: the library computes the rest. */
	material =
		info->family == FAMILY_RSA ? RSA_EXPONENT_SIZE + info->bits / 8 : said->private_len;
	err = crypto_key_import(type, said->private_part, material, key);
	if (!err)
		err = get_parts(is, info, *key);
	if (!err && !agrees(said, &f, is))
		err = KW_ERR_BAD_KEY;
	if (err)
		crypto_key_free(key);
out:
	platform_free(said, sizeof(*said));
	platform_free(is, sizeof(*is));
	return err;
}

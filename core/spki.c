/* SPDX-License-Identifier: BSD-2-Clause */
#include "spki.h"

#include "key_type.h"
#include "wire/der.h"

/* RFC 3279 2.3.1, RFC 5480 2.1.1 and 2.1.1.1, RFC 8410 3. */
static const uint8_t oid_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
static const uint8_t oid_ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
static const uint8_t oid_p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t oid_p384[] = {0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t oid_p521[] = {0x2b, 0x81, 0x04, 0x00, 0x23};
static const uint8_t oid_ed25519[] = {0x2b, 0x65, 0x70};
static const uint8_t oid_x25519[] = {0x2b, 0x65, 0x6e};

#define RSA_EXPONENT_SIZE 4

void spki_put_algorithm(enum key_type type, struct writer *w)
{
	size_t mark = der_begin(w, DER_SEQUENCE);

	switch (type) {
	case KEY_TYPE_RSA_2048:
	case KEY_TYPE_RSA_3072:
	case KEY_TYPE_RSA_4096:
		der_put(w, DER_OID, oid_rsa, sizeof(oid_rsa));
		der_put(w, DER_NULL, NULL, 0);
		break;
	case KEY_TYPE_EC_P256:
		der_put(w, DER_OID, oid_ec, sizeof(oid_ec));
		der_put(w, DER_OID, oid_p256, sizeof(oid_p256));
		break;
	case KEY_TYPE_EC_P384:
		der_put(w, DER_OID, oid_ec, sizeof(oid_ec));
		der_put(w, DER_OID, oid_p384, sizeof(oid_p384));
		break;
	case KEY_TYPE_EC_P521:
		der_put(w, DER_OID, oid_ec, sizeof(oid_ec));
		der_put(w, DER_OID, oid_p521, sizeof(oid_p521));
		break;
	case KEY_TYPE_ED25519:
		der_put(w, DER_OID, oid_ed25519, sizeof(oid_ed25519));
		break;
	case KEY_TYPE_X25519:
		der_put(w, DER_OID, oid_x25519, sizeof(oid_x25519));
		break;
	default:
		w->failed = true;
	}
	der_end(w, mark);
}

/* RSAPublicKey (RFC 8017 A.1.1), a SEQUENCE of modulus and exponent. */
static void put_rsa(const uint8_t *public_part, size_t n, struct writer *w)
{
	size_t mark = der_begin(w, DER_SEQUENCE);

	der_put_unsigned(w, public_part + RSA_EXPONENT_SIZE, n - RSA_EXPONENT_SIZE);
	der_put_unsigned(w, public_part, RSA_EXPONENT_SIZE);
	der_end(w, mark);
}

static bool is_public_part(const struct key_type_info *info, const uint8_t *p, size_t n)
{
	size_t bytes = key_type_bytes(info);

	switch (info->family) {
	case FAMILY_RSA:
		/* The modulus has all its bits, and neither it nor the exponent is even. */
		return n == RSA_EXPONENT_SIZE + bytes && p[RSA_EXPONENT_SIZE] & 0x80 &&
		       p[n - 1] & 1 && p[RSA_EXPONENT_SIZE - 1] & 1;
	case FAMILY_EC:
		return n == 1 + 2 * bytes && p[0] == 0x04;
	case FAMILY_ED:
	case FAMILY_X:
		return n == bytes;
	case FAMILY_AES:
	case FAMILY_HMAC:
		break;
	}
	return false;
}

void spki_put_bits(enum key_type type, const uint8_t *public_part, size_t n, struct writer *w)
{
	const struct key_type_info *info = key_type_find((uint8_t)type);

	put_u8(w, 0);
	if (!info || !is_public_part(info, public_part, n))
		w->failed = true;
	else if (info->family == FAMILY_RSA)
		put_rsa(public_part, n, w);
	else
		put_bytes(w, public_part, n);
}

enum kw_err spki_encode(enum key_type type, const uint8_t *public_part, size_t n, struct writer *w)
{
	const struct key_type_info *info = key_type_find((uint8_t)type);
	size_t mark, bits;

	if (!info)
		return KW_ERR_UNSUPPORTED_TYPE;
	if (!is_public_part(info, public_part, n))
		return KW_ERR_BAD_KEY;
	mark = der_begin(w, DER_SEQUENCE);
	spki_put_algorithm(type, w);
	bits = der_begin(w, DER_BIT_STRING);
	spki_put_bits(type, public_part, n, w);
	der_end(w, bits);
	der_end(w, mark);
	return w->failed ? KW_ERR_TOO_LARGE : KW_ERR_OK;
}

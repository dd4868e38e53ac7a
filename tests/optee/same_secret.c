/* SPDX-License-Identifier: BSD-2-Clause */
/* Secret keys, agreement and wrapping: requests at random, and what of their replies is the same in every TEE. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "same.h"

/* What a CIPHER and a WRAP gave last, so that requests turn it back. Of wrapped ones: the type of the key, and whether
 * it is the same everywhere. */
static struct {
	uint8_t id[WIRE_ID_SIZE];
	uint8_t mode, tag_len;
	uint8_t iv[WIRE_NONCE_MAX], aad[WIRE_AAD_MAX], data[WIRE_DATA_MAX + 32];
	size_t iv_len, aad_len, n;
} sealed;

static struct {
	uint8_t head[WIRE_ID_SIZE + 3 + 2 + 256]; /* of the request, up to the label */
	size_t head_len;
	uint8_t data[WIRE_WRAPPED_MAX];
	size_t n;
	uint8_t type;
	bool is_same;
} wrapped;

static uint8_t last_tag[64];
static size_t last_tag_len;

bool is_secret_command(uint16_t command)
{
	return command >= CMD_RANDOM && command <= CMD_UNWRAP;
}

uint32_t secret_purposes(uint8_t type)
{
	static const uint32_t aes[] = {PURPOSE_ENCRYPT | PURPOSE_DECRYPT,
		PURPOSE_ENCRYPT | PURPOSE_DECRYPT | PURPOSE_MAC | PURPOSE_EXTRACTABLE,
		PURPOSE_WRAP | PURPOSE_UNWRAP, PURPOSE_WRAP | PURPOSE_UNWRAP | PURPOSE_TRUSTED,
		PURPOSE_ENCRYPT, PURPOSE_MAC | PURPOSE_EXTRACTABLE | PURPOSE_WITH_TRUSTED,
		PURPOSE_ENCRYPT | PURPOSE_DECRYPT | PURPOSE_WRAP | PURPOSE_UNWRAP | PURPOSE_MAC |
			PURPOSE_EXTRACTABLE | PURPOSE_MIXED,
		PURPOSE_DECRYPT | PURPOSE_UNWRAP};
	static const uint32_t hmac[] = {PURPOSE_MAC, PURPOSE_MAC | PURPOSE_EXTRACTABLE,
		PURPOSE_DERIVE, PURPOSE_DERIVE_VALUE, PURPOSE_DERIVE | PURPOSE_MAC,
		PURPOSE_DERIVE | PURPOSE_MAC | PURPOSE_MIXED | PURPOSE_EXTRACTABLE,
		PURPOSE_DERIVE_VALUE | PURPOSE_MAC | PURPOSE_EXTRACTABLE,
		PURPOSE_EXTRACTABLE | PURPOSE_WITH_TRUSTED};
	static const uint32_t pair[] = {PURPOSE_DERIVE, PURPOSE_DERIVE_VALUE,
		PURPOSE_DERIVE | PURPOSE_DERIVE_VALUE | PURPOSE_EXTRACTABLE,
		PURPOSE_DERIVE_VALUE | PURPOSE_EXTRACTABLE | PURPOSE_WITH_TRUSTED};
	static const uint32_t rsa[] = {PURPOSE_RAW, PURPOSE_WRAP | PURPOSE_UNWRAP,
		PURPOSE_SIGN | PURPOSE_EXTRACTABLE, PURPOSE_RAW | PURPOSE_DECRYPT};

	if (type == KEY_TYPE_HMAC)
		return hmac[below(8)];
	if (is_secret(type))
		return aes[below(8)];
	if (type <= KEY_TYPE_RSA_4096)
		return rsa[below(4)];
	if (type == KEY_TYPE_ED25519)
		return PURPOSE_SIGN | PURPOSE_EXTRACTABLE;
	return pair[below(4)] | (type == KEY_TYPE_X25519 || one_in(2) ? 0 : PURPOSE_SIGN);
}

uint8_t some_hash(void)
{
	return (uint8_t)(one_in(40) ? below(6) : 1 + below(4));
}

/* An AES key, mostly, or one of HMAC; one that was made out of others now and then. */
static const struct known *some_secret(bool hmac)
{
	unsigned at = one_in(15)  ? below(KEYS)
		      : one_in(5) ? MADE_FIRST + below(MADE)
		      : hmac      ? SECRET_FIRST + 5 + below(3)
				  : SECRET_FIRST + below(5);

	return &known[at];
}

static size_t usual_iv(uint8_t mode)
{
	static const uint8_t gcm[] = {12, 12, 12, 0, 1, 16, 64, 60};

	if (one_in(30))
		return below(66);
	if (mode == CIPHER_AES_GCM)
		return gcm[below(8)];
	return mode == CIPHER_AES_CBC || mode == CIPHER_AES_CTR ? 16 : 0;
}

static void put_cipher(struct writer *w)
{
	static uint8_t data[WIRE_DATA_MAX + 20];
	uint8_t iv[70], aad[WIRE_AAD_MAX + 2];
	uint8_t mode = (uint8_t)(one_in(40) ? below(9) : 1 + below(6));
	bool gcm = mode == CIPHER_AES_GCM;
	size_t iv_len = usual_iv(mode);
	size_t n = one_in(40) ? sizeof(data) - below(40) : below(200);
	size_t aad_len = !gcm && !one_in(60) ? 0 : one_in(30) ? WIRE_AAD_MAX + below(3) : below(50);

	if (sealed.n && one_in(3)) {
		put_bytes(w, sealed.id, WIRE_ID_SIZE);
		put_u8(w, sealed.mode);
		put_u8(w, DIRECTION_DECRYPT);
		put_field8(w, sealed.iv, sealed.iv_len);
		put_u8(w, sealed.tag_len);
		put_field16(w, sealed.aad, sealed.aad_len);
		return put_field32(w, sealed.data, sealed.n);
	}
	if (!gcm && mode != CIPHER_AES_CTR && mode != CIPHER_AES_KWP && !one_in(20))
		n &= ~(size_t)15;
	chance_bytes(data, n);
	chance_bytes(iv, sizeof(iv));
	chance_bytes(aad, aad_len);
	put_bytes(w, some_secret(false)->id, WIRE_ID_SIZE);
	put_u8(w, mode);
	put_u8(w, (uint8_t)(one_in(60) ? below(4) : one_in(3) ? 2 : 1));
	put_field8(w, iv, iv_len);
	put_u8(w, (uint8_t)(one_in(30) ? below(20) : gcm ? 12 + below(5) : 0));
	put_field16(w, aad, aad_len);
	put_field32(w, data, n);
}

static void put_mac(struct writer *w)
{
	static uint8_t data[1000];
	uint8_t tag[66];
	bool cmac = one_in(2), verify = one_in(3);
	size_t n = one_in(10) ? 0 : below(sizeof(data)), tag_len = one_in(2) ? 16 : below(66);

	memset(data, 0, sizeof(data));
	if (one_in(2))
		chance_bytes(data, n);
	else
		n = 5; /* so that a tag is met again */
	chance_bytes(tag, sizeof(tag));
	if (last_tag_len && one_in(2)) {
		tag_len = one_in(4) ? below(17) : last_tag_len;
		memcpy(tag, last_tag, sizeof(last_tag));
	}
	put_bytes(w, some_secret(!cmac)->id, WIRE_ID_SIZE);
	put_u8(w, (uint8_t)(one_in(60) ? below(4) : cmac ? MAC_CMAC : MAC_HMAC));
	put_u8(w, cmac && !one_in(60) ? 0 : some_hash());
	put_u8(w, (uint8_t)(one_in(60) ? below(4) : verify ? MAC_VERIFY : MAC_MAKE));
	put_field8(w, tag, verify || one_in(60) ? tag_len : 0);
	put_field32(w, data, n);
}

/* u coordinates of small order, and others that are above the prime or have the bit that does not count (RFC 7748, 5
 * and 6.1; D. J. Bernstein's list). */
static void odd_x25519(uint8_t u[32])
{
	static const uint8_t order_8[32] = {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16,
		0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1,
		0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00};
	unsigned how = below(8);

	memset(u, how < 3 ? 0 : 0xff, 32);
	switch (how) {
	case 0:
	case 1:
		u[0] = (uint8_t)how;
		break;
	case 2:
		memcpy(u, order_8, 32);
		break;
	case 3: /* p - 1, p, p + 1 … */
		u[0] = (uint8_t)(0xec + below(20));
		u[31] = 0x7f;
		break;
	case 4:
		chance_bytes(u, 32);
		u[31] |= 0x80;
		break;
	default:
		chance_bytes(u, 32);
	}
}

/* A public key for k to agree with: of another key, or none at all. */
static size_t some_peer(const struct known *k, uint8_t *out)
{
	const struct known *other = &known[below(SECRET_FIRST)];
	size_t n = k->type == KEY_TYPE_X25519    ? 32
		   : k->type == KEY_TYPE_EC_P384 ? 97
		   : k->type == KEY_TYPE_EC_P521 ? 133
						 : 65;

	for (unsigned i = 0; i < SECRET_FIRST && other->type != k->type; i++)
		other = &known[i];
	chance_bytes(out, n);
	if (one_in(12) && n == 32) {
		odd_x25519(out);
		return n;
	}
	if (one_in(40))
		memset(out, 0, n);
	if (other->spki_len >= n && !one_in(12))
		memcpy(out, other->spki + other->spki_len - n, n);
	if (one_in(20))
		out[one_in(2) ? 0 : below((unsigned)n)] ^= 1;
	if (one_in(20))
		n -= n > 33 && one_in(2) ? n / 2 : 1;
	return n;
}

/* An aim only if a key is made. */
static void put_new(struct writer *w, uint8_t type, unsigned *aim)
{
	if (is_secret(type))
		*aim = MADE_FIRST + below(MADE);
	put_template(w, type);
}

static uint8_t some_secret_type(void)
{
	static const uint8_t types[] = {
		KEY_TYPE_AES_128, KEY_TYPE_AES_256, KEY_TYPE_HMAC, KEY_TYPE_HMAC, KEY_TYPE_AES_192};

	return one_in(30) ? (uint8_t)KEY_TYPE_ED25519 : types[below(5)];
}

static void put_derive(struct writer *w, unsigned *aim)
{
	static const uint16_t lengths[] = {0, 0, 0, 16, 24, 32, 48, 14, 100, 1024, 1025, 1};
	bool agreement = one_in(2), key = one_in(2), kdf = one_in(2), extract, expand;
	const struct known *k =
		agreement ? &known[one_in(3) ? below(SECRET_FIRST) : below(10)] : some_secret(true);
	uint8_t peer[200], info[WIRE_INFO_MAX + 2], type = some_secret_type();
	size_t info_len = one_in(40) ? WIRE_INFO_MAX + below(3) : below(40);
	size_t salt_len = one_in(40) ? WIRE_INFO_MAX + below(3) : below(140);

	chance_bytes(info, sizeof(info));
	put_bytes(w, k->id, WIRE_ID_SIZE);
	if (agreement) {
		put_u8(w, (uint8_t)(one_in(60) ? below(4) : DERIVATION_AGREEMENT));
		put_u8(w, kdf || one_in(60) ? some_hash() : 0);
		put_u8(w, (uint8_t)(one_in(60) ? below(4) : kdf ? KDF_X963 : KDF_NONE));
		put_field16(w, peer, some_peer(k, peer));
		put_field16(w, info, kdf || one_in(60) ? info_len : 0);
	} else {
		extract = one_in(2);
		expand = !extract || one_in(2);
		put_u8(w, DERIVATION_HKDF);
		put_u8(w, some_hash());
		put_u8(w, (uint8_t)(one_in(60) ? below(5)
					       : (extract ? HKDF_EXTRACT : 0) |
							 (expand ? HKDF_EXPAND : 0)));
		put_field16(w, info, extract || one_in(60) ? salt_len : 0);
		put_field16(w, info, expand || one_in(60) ? info_len : 0);
	}
	put_u8(w, (uint8_t)(one_in(60) ? below(4) : key ? DERIVED_KEY : DERIVED_VALUE));
	put_u16(w, lengths[below(12)]);
	if (key)
		put_new(w, type, aim);
}

static const struct known *put_wrapping(struct writer *w)
{
	bool oaep = one_in(4);
	const struct known *k = oaep ? &known[FIXED - 1 - below(3)] : some_secret(false);

	put_bytes(w, k->id, WIRE_ID_SIZE);
	put_u8(w, (uint8_t)(one_in(60)  ? below(5)
			    : oaep      ? WRAPPING_RSA_OAEP
			    : one_in(3) ? WRAPPING_AES_KW
					: WRAPPING_AES_KWP));
	put_u8(w, oaep || one_in(60) ? some_hash() : 0);
	put_u8(w, oaep || one_in(60) ? some_hash() : 0);
	put_field16(w, "a label of OAEP", (oaep && one_in(2)) || one_in(60) ? below(16) : 0);
	return k;
}

static void put_unwrap(struct writer *w, unsigned *aim)
{
	uint8_t junk[300];

	if (wrapped.n && !one_in(6)) {
		put_bytes(w, wrapped.head, wrapped.head_len);
		put_field16(w, wrapped.data, wrapped.n);
		return put_new(w, one_in(8) ? some_secret_type() : wrapped.type, aim);
	}
	put_wrapping(w);
	chance_bytes(junk, sizeof(junk));
	put_field16(w, junk, below(sizeof(junk)));
	put_new(w, some_secret_type(), aim);
}

void put_secret_command(struct writer *w, uint16_t command, unsigned *aim)
{
	switch (command) {
	case CMD_RANDOM:
		return put_u16(w, (uint16_t)(one_in(4) ? 1020 + below(8) : below(100)));
	case CMD_CIPHER:
		return put_cipher(w);
	case CMD_MAC:
		return put_mac(w);
	case CMD_DERIVE:
		return put_derive(w, aim);
	case CMD_WRAP:
		put_wrapping(w);
		return put_bytes(w, known[one_in(2) ? below(FIXED) : SECRET_FIRST + below(14)].id,
			WIRE_ID_SIZE);
	default:
		return put_unwrap(w, aim);
	}
}

/* All of it, in a few digits. */
static void print_sum(const uint8_t *p, size_t n)
{
	uint32_t sum = 2166136261u; /* FNV-1a */

	for (size_t i = 0; p && i < n; i++)
		sum = (sum ^ p[i]) * 16777619u;
	printf(" %zu:%08" PRIx32, n, sum);
}

static void show_result(bool is_same, const uint8_t *p, size_t n)
{
	if (is_same)
		print_sum(p, n);
	else
		printf(" %zu bytes", n);
}

static bool key_is_same(const struct known *k)
{
	return k && k->is_same;
}

static void show_cipher(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	struct reader q = reader_over(a->request, a->request_len);
	const uint8_t *id = get_bytes(&q, WIRE_ID_SIZE), *nonce, *result, *p;
	const struct known *k = known_by_id(id);
	uint8_t mode = get_u8(&q), direction = get_u8(&q);
	size_t made, n, len;

	nonce = get_field8(&r, WIRE_NONCE_MAX, &made);
	result = get_field32(&r, WIRE_MAX_PAYLOAD, &n);
	printf("%s mode %u %u nonce %zu, %s", known_label(k), mode, direction, made,
		judge(reader_done(&r)));
	show_result(key_is_same(k) && !made, result, n);
	if (direction != DIRECTION_ENCRYPT || n > sizeof(sealed.data) || r.failed)
		return;
	memcpy(sealed.id, id, WIRE_ID_SIZE);
	sealed.mode = mode;
	p = get_field8(&q, WIRE_NONCE_MAX, &len);
	sealed.iv_len = made ? made : len;
	memcpy(sealed.iv, made ? nonce : p, sealed.iv_len);
	sealed.tag_len = get_u8(&q);
	p = get_field16(&q, WIRE_AAD_MAX, &sealed.aad_len);
	memcpy(sealed.aad, p, sealed.aad_len);
	memcpy(sealed.data, result, n);
	sealed.n = n;
}

static void show_mac(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	const struct known *k = known_by_id(a->request);
	size_t n;
	const uint8_t *tag = get_field8(&r, sizeof(last_tag), &n);

	printf("%s %s", known_label(k), judge(reader_done(&r)));
	show_result(key_is_same(k), tag, n);
	if (tag && n) {
		memcpy(last_tag, tag, n);
		last_tag_len = n;
	}
}

static bool derives_key(const struct answer *a)
{
	struct reader r = reader_over(a->request, a->request_len);
	size_t n;

	get_bytes(&r, WIRE_ID_SIZE + 3);
	get_field16(&r, WIRE_MAX_PAYLOAD, &n);
	get_field16(&r, WIRE_MAX_PAYLOAD, &n);
	return get_u8(&r) == DERIVED_KEY;
}

/* Whether the public key that the request brings, if it brings one, is the same in every TEE. */
static bool peer_is_same(const struct answer *a)
{
	struct reader r = reader_over(a->request, a->request_len);
	const uint8_t *peer;
	size_t n;

	get_bytes(&r, WIRE_ID_SIZE);
	if (get_u8(&r) != DERIVATION_AGREEMENT)
		return true;
	get_bytes(&r, 2);
	peer = get_field16(&r, WIRE_MAX_PAYLOAD, &n);
	for (const struct known *k = known + FIXED; k < known + SECRET_FIRST; k++)
		if (k->is_known && n > 16 && k->spki_len >= n &&
			!memcmp(k->spki + k->spki_len - n + 1, peer + 1, 8))
			return false;
	return true;
}

bool makes_the_same(const struct answer *a)
{
	switch (a->command) {
	case CMD_KEY_IMPORT:
		return true;
	case CMD_DERIVE:
		return key_is_same(known_by_id(a->request)) && peer_is_same(a);
	case CMD_UNWRAP:
		return wrapped.is_same;
	default:
		return false;
	}
}

static void show_derived(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	const struct known *k = known_by_id(a->request);
	size_t n;
	const uint8_t *value = get_field16(&r, WIRE_VALUE_MAX, &n);

	printf("%s %s", known_label(k), judge(reader_done(&r)));
	show_result(makes_the_same(a), value, n);
}

static void show_wrapped(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	const struct known *by = known_by_id(a->request);
	const struct known *k = known_by_id(a->request + a->request_len - WIRE_ID_SIZE);
	uint8_t way = a->request[WIRE_ID_SIZE];
	size_t n;
	const uint8_t *data = get_field16(&r, WIRE_WRAPPED_MAX, &n);

	printf("%s by ", known_label(k));
	printf("%s way %u %s", known_label(by), way, judge(reader_done(&r)));
	show_result(key_is_same(by) && key_is_same(k) && way != WRAPPING_RSA_OAEP, data, n);
	wrapped.n = 0;
	if (!data || !k || a->request_len - WIRE_ID_SIZE > sizeof(wrapped.head))
		return;
	wrapped.head_len = a->request_len - WIRE_ID_SIZE;
	memcpy(wrapped.head, a->request, wrapped.head_len);
	memcpy(wrapped.data, data, n);
	wrapped.n = n;
	wrapped.type = k->type;
	wrapped.is_same = k->is_same;
}

void show_secret_command(const struct answer *a)
{
	struct reader r = reader_over(a->reply, a->reply_len);
	size_t n;

	switch (a->command) {
	case CMD_RANDOM:
		get_field16(&r, WIRE_RANDOM_MAX, &n);
		printf("%zu bytes, %s", n,
			judge(reader_done(&r) &&
				n == (size_t)(a->request[0] << 8 | a->request[1])));
		return;
	case CMD_CIPHER:
		return show_cipher(a);
	case CMD_MAC:
		return show_mac(a);
	case CMD_DERIVE:
		return derives_key(a) ? show_key(a) : show_derived(a);
	case CMD_WRAP:
		return show_wrapped(a);
	default:
		return show_key(a);
	}
}

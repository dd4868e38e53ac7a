/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AES, by the TEE. It keeps nothing between two requests: ECB, CBC and CTR go on from one part to the next here, with
 * what the last block left; GCM and key wrapping are whole messages.
 */
#include "cipher.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 16u

static uint64_t number_at(const uint8_t p[8])
{
	uint64_t n = 0;

	for (size_t i = 0; i < 8; i++)
		n = n << 8 | p[i];
	return n;
}

/* As many as the counter has before its end, where it would begin again (2.8.6 of the mechanisms): the TEE counts in all
 * bits. UINT64_MAX: more than anybody has. */
static uint64_t blocks_before_end(const uint8_t block[BLOCK], unsigned bits)
{
	uint64_t high = number_at(block), low = number_at(block + 8);
	uint64_t mask = UINT64_MAX >> (64 - (bits - 1) % 64 - 1);

	if (bits <= 64)
		return low & mask || bits < 64 ? mask - (low & mask) + 1 : UINT64_MAX;
	return (high & mask) == mask && low ? UINT64_MAX - low + 1 : UINT64_MAX;
}

static CK_RV take_ctr(struct operation *op, const CK_MECHANISM *m)
{
	CK_AES_CTR_PARAMS p;

	if (!m->pParameter || m->ulParameterLen != sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, m->pParameter, sizeof(p));
	if (!p.ulCounterBits || p.ulCounterBits > 128)
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(op->iv, p.cb, BLOCK);
	op->iv_len = BLOCK;
	op->blocks_left = blocks_before_end(p.cb, (unsigned)p.ulCounterBits);
	return CKR_OK;
}

static CK_RV take_gcm(struct operation *op, const CK_MECHANISM *m)
{
	CK_GCM_PARAMS p;

	if (!m->pParameter || m->ulParameterLen != sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, m->pParameter, sizeof(p));
	if (!p.pIv || !p.ulIvLen || p.ulIvLen > KW_NONCE_MAX || p.ulAADLen > KW_AAD_MAX ||
		(p.ulAADLen && !p.pAAD) || p.ulTagBits % 8 || p.ulTagBits < 96 || p.ulTagBits > 128)
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(op->iv, p.pIv, p.ulIvLen);
	op->iv_len = p.ulIvLen;
	op->tag_len = p.ulTagBits / 8;
	return operation_keep_label(op, p.pAAD, p.ulAADLen);
}

/* The initial value of RFC 3394 (2.2.3.1), or that of RFC 5649 (3). */
static bool is_default_iv(const struct operation *op, const CK_MECHANISM *m)
{
	static const uint8_t kw[8] = {0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6};
	static const uint8_t kwp[4] = {0xa6, 0x59, 0x59, 0xa6};
	bool is_kw = op->mechanism->cipher == KW_CIPHER_AES_KW;
	size_t n = is_kw ? sizeof(kw) : sizeof(kwp);

	if (!m->ulParameterLen)
		return true;
	return m->pParameter && m->ulParameterLen == n &&
	       !memcmp(m->pParameter, is_kw ? kw : kwp, n);
}

CK_RV cipher_take_parameters(struct operation *op, const CK_MECHANISM *m)
{
	switch (op->mechanism->cipher) {
	case KW_CIPHER_AES_ECB:
		return m->ulParameterLen ? CKR_MECHANISM_PARAM_INVALID : CKR_OK;
	case KW_CIPHER_AES_CBC:
		if (!m->pParameter || m->ulParameterLen != BLOCK)
			return CKR_MECHANISM_PARAM_INVALID;
		memcpy(op->iv, m->pParameter, BLOCK);
		op->iv_len = BLOCK;
		return CKR_OK;
	case KW_CIPHER_AES_CTR:
		return take_ctr(op, m);
	case KW_CIPHER_AES_GCM:
		return take_gcm(op, m);
	default:
		return is_default_iv(op, m) ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;
	}
}

/* --- Whole messages --- */

static CK_RV wrong_length(bool decrypt)
{
	return decrypt ? CKR_ENCRYPTED_DATA_LEN_RANGE : CKR_DATA_LEN_RANGE;
}

/* At most this long; false: no message of this length. */
static bool whole_size(const struct operation *op, bool decrypt, size_t len, size_t *size)
{
	switch (op->mechanism->cipher) {
	case KW_CIPHER_AES_GCM:
		if (decrypt && len < op->tag_len)
			return false;
		*size = decrypt ? len - op->tag_len : len + op->tag_len;
		return *size <= KW_DATA_MAX + op->tag_len;
	case KW_CIPHER_AES_KW:
		*size = decrypt ? len - 8 : len + 8;
		return len % 8 == 0 && len >= (decrypt ? 24 : 16) && len <= 4096;
	default:
		*size = decrypt ? len - 8 : (len + 7) / 8 * 8 + 8;
		return decrypt ? len % 8 == 0 && len >= 16 && len <= 4104 : len && len <= 4096;
	}
}

static CK_RV run_whole(struct operation *op, bool decrypt, const uint8_t *data, size_t len,
	unsigned char *out, CK_ULONG *out_len)
{
	struct kw_cipher what = {.mode = (enum kw_cipher_mode)op->mechanism->cipher,
		.decrypt = decrypt,
		.iv = op->iv,
		.iv_len = op->iv_len,
		.aad = op->label,
		.aad_len = op->label_len,
		.tag_len = op->tag_len,
		.data = data,
		.len = len};
	size_t size = 0, room = len + KW_CIPHER_MORE + 8;
	struct kw_use use;
	uint8_t *result;
	CK_RV rv;

	if (!whole_size(op, decrypt, len, &size))
		return wrong_length(decrypt);
	/* Who wants to know how long nothing is may take the answer for one about the tag: it is looked at. */
	if (!out && (size || !decrypt)) {
		*out_len = size;
		return CKR_OK;
	}
	/* Only what KWP decrypts is shorter than is known before. */
	if (*out_len < size && !(decrypt && op->mechanism->cipher == KW_CIPHER_AES_KWP))
		return module_wants_output(out, out_len, size, &rv) ? CKR_OK : rv;
	result = malloc(room);
	if (!result)
		return CKR_HOST_MEMORY;
	rv = object_use(op->key, &use);
	size = room;
	if (!rv)
		rv = module_error(kw_cipher(module_kw(), &use, &what, NULL, result, &size));
	if (!rv && module_wants_output(out, out_len, size, &rv))
		memcpy(out, result, size);
	OPENSSL_cleanse(result, room);
	free(result);
	return rv;
}

/* --- Block by block --- */

/* Big-endian, in all 16 bytes */
static void add_blocks(uint8_t counter[BLOCK], uint64_t n)
{
	for (size_t i = BLOCK; i-- > 0 && n;) {
		n += counter[i];
		counter[i] = (uint8_t)n;
		n >>= 8;
	}
}

/* iv goes on. out may be data. */
static CK_RV run_blocks(const struct operation *op, bool decrypt, const uint8_t *data, size_t len,
	uint8_t iv[BLOCK], uint8_t *out)
{
	struct kw_cipher what = {.mode = (enum kw_cipher_mode)op->mechanism->cipher,
		.decrypt = decrypt,
		.iv = op->iv_len ? iv : NULL,
		.iv_len = op->iv_len};
	uint8_t last[BLOCK];
	struct kw_use use;
	CK_RV rv = object_use(op->key, &use);

	for (size_t at = 0, n; !rv && at < len; at += n) {
		size_t got;

		n = len - at < KW_DATA_MAX ? len - at : KW_DATA_MAX / BLOCK * BLOCK;
		what.data = data + at;
		what.len = n;
		got = n + KW_CIPHER_MORE;
		if (decrypt && n >= BLOCK)
			memcpy(last, data + at + n - BLOCK, BLOCK);
		rv = module_error(kw_cipher(module_kw(), &use, &what, NULL, out + at, &got));
		if (!rv && got != n)
			rv = CKR_DEVICE_ERROR;
		if (rv)
			break;
		if (op->mechanism->cipher == KW_CIPHER_AES_CTR)
			add_blocks(iv, (n + BLOCK - 1) / BLOCK);
		else if (op->mechanism->cipher == KW_CIPHER_AES_CBC)
			memcpy(iv, decrypt ? last : out + at + n - BLOCK, BLOCK);
	}
	return rv;
}

struct step {
	bool decrypt, is_last;
	bool pad;     /* CBC-PAD */
	size_t total; /* held back from before, and new */
	size_t take;  /* of that, now; with padding when encrypting */
	size_t give;  /* at most */
};

static CK_RV plan(const struct operation *op, struct step *p)
{
	p->pad = op->mechanism->type == CKM_AES_CBC_PAD;
	p->take = p->total - p->total % BLOCK;
	if (!p->is_last) {
		/* The last block may be the padding. */
		if (p->pad && p->decrypt && p->take == p->total && p->take)
			p->take -= BLOCK;
	} else if (op->mechanism->cipher == KW_CIPHER_AES_CTR) {
		p->take = p->total;
	} else if (p->pad && !p->decrypt) {
		p->take += BLOCK;
	} else if (p->take != p->total || (p->pad && !p->total)) {
		return wrong_length(p->decrypt);
	}
	if (op->mechanism->cipher == KW_CIPHER_AES_CTR &&
		(p->take + BLOCK - 1) / BLOCK > op->blocks_left)
		return wrong_length(p->decrypt);
	p->give = p->take;
	return CKR_OK;
}

/* PKCS #7 */
static bool remove_padding(const uint8_t *plain, size_t *n)
{
	uint8_t pad = plain[*n - 1];

	if (!pad || pad > BLOCK)
		return false;
	for (size_t i = 0; i < pad; i++) {
		if (plain[*n - 1 - i] != pad)
			return false;
	}
	*n -= pad;
	return true;
}

/* Keeps what is not taken yet. */
static void hold(struct operation *op, const uint8_t *rest, size_t n)
{
	memcpy(op->data, rest, n);
	op->len = n;
}

static CK_RV run_step(struct operation *op, const struct step *p, const uint8_t *data, size_t len,
	uint8_t *work, unsigned char *out, CK_ULONG *out_len)
{
	uint8_t iv[BLOCK], rest[2 * BLOCK];
	size_t n = p->take, kept = p->total - (p->take < p->total ? p->take : p->total);
	CK_RV rv;

	memcpy(iv, op->iv, BLOCK);
	if (op->len)
		memcpy(work, op->data, op->len);
	if (len)
		memcpy(work + op->len, data, len);
	if (p->is_last && p->pad && !p->decrypt)
		memset(work + p->total, (int)(p->take - p->total), p->take - p->total);
	memcpy(rest, work + p->take, p->is_last ? 0 : kept);
	rv = n ? run_blocks(op, p->decrypt, work, n, iv, work) : CKR_OK;
	if (!rv && p->is_last && p->pad && p->decrypt && !remove_padding(work, &n))
		rv = CKR_ENCRYPTED_DATA_INVALID;
	if (!rv && module_wants_output(out, out_len, n, &rv)) {
		if (n)
			memcpy(out, work, n);
		memcpy(op->iv, iv, BLOCK);
		op->blocks_left -= (p->take + BLOCK - 1) / BLOCK;
		if (!p->is_last)
			hold(op, rest, kept);
		rv = CKR_OK;
	}
	OPENSSL_cleanse(rest, sizeof(rest));
	return rv;
}

static CK_RV run_part(struct operation *op, struct step *p, const uint8_t *data, size_t len,
	unsigned char *out, CK_ULONG *out_len)
{
	CK_RV rv = plan(op, p);
	uint8_t *work;
	size_t room;

	if (rv)
		return rv;
	if (!out && p->give) {
		*out_len = p->give;
		return CKR_OK;
	}
	/* How much padding there is, is seen when it is decrypted. */
	if (!(p->pad && p->decrypt && p->is_last) && *out_len < p->give) {
		*out_len = p->give;
		return CKR_BUFFER_TOO_SMALL;
	}
	if (!op->data) {
		op->data = malloc(2 * BLOCK);
		op->room = op->data ? 2 * BLOCK : 0;
	}
	room = p->total + 2 * BLOCK;
	work = malloc(room);
	rv = work && op->data ? run_step(op, p, data, len, work, out, out_len) : CKR_HOST_MEMORY;
	if (work)
		OPENSSL_cleanse(work, room);
	free(work);
	return rv;
}

CK_RV cipher_part(struct operation *op, bool decrypt, bool is_last, const uint8_t *data, size_t len,
	unsigned char *out, CK_ULONG *out_len)
{
	struct step p = {.decrypt = decrypt, .is_last = is_last, .total = op->len + len};
	bool is_whole = op->mechanism->cipher != KW_CIPHER_AES_ECB &&
			op->mechanism->cipher != KW_CIPHER_AES_CBC &&
			op->mechanism->cipher != KW_CIPHER_AES_CTR;

	if (len > SIZE_MAX / 4)
		return wrong_length(decrypt);
	if (!is_whole)
		return run_part(op, &p, data, len, out, out_len);
	if (!is_last) {
		*out_len = 0;
		if (!out && len)
			return CKR_OK; /* a question */
		if (len > KW_DATA_MAX + (decrypt ? op->tag_len : 0) - op->len)
			return wrong_length(decrypt);
		return operation_update(op, data, len);
	}
	/* Either in parts or in one: never both. */
	return op->len ? run_whole(op, decrypt, op->data, op->len, out, out_len)
		       : run_whole(op, decrypt, data, len, out, out_len);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "pkcs11_tee.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "client/transport.h"
#include "core/core.h"
#include "frontends/pkcs11/mechanism.h"
#include "tests/support/platform_memory.h"
#include "tests/support/storage_memory.h"

static struct core *core;

/* --- The way to the TEE --- */

struct own_link {
	struct link base;
	uint8_t request[WIRE_MAX_PAYLOAD], reply[WIRE_MAX_PAYLOAD];
};

static enum kw_err own_open(struct kw *kw, const struct deadline *d, struct link **link)
{
	struct own_link *l = malloc(sizeof(*l));

	(void)kw, (void)d;
	REQUIRE(l);
	l->base = (struct link){.request = l->request, .reply = l->reply, .euid = geteuid()};
	*link = &l->base;
	return KW_ERR_OK;
}

/* An RSA key takes seconds to find. */
static bool too_slow(uint16_t command, const uint8_t *p, size_t n)
{
	return command == CMD_KEY_GENERATE && n && p[0] < KW_KEY_TYPE_EC_P256;
}

static enum kw_err own_exchange(struct kw *kw, struct link *link, struct exchange *x)
{
	struct own_link *l = (struct own_link *)link;
	struct session s = {.user = {.kind = IDENTITY_USER, .id = 1000}, .may_create = true};
	uint8_t *exact = malloc(x->request_len ? x->request_len : 1);
	size_t len = 0;

	(void)kw;
	REQUIRE(exact && !platform_identity(IDENTITY_USER, s.user.id, s.user.uuid));
	memcpy(exact, l->request, x->request_len);
	x->sent = true;
	x->answer = KW_ERR_LIMIT;
	if (!too_slow(x->command, exact, x->request_len))
		x->answer = (uint16_t)kw_dispatch(core, &s, x->command, exact, x->request_len,
			l->reply, sizeof(l->reply), &len);
	x->reply_len = len;
	free(exact);
	return KW_ERR_OK;
}

static void own_close(struct link *link)
{
	free(link);
}

static const struct transport own = {
	.name = "fuzz",
	.tee_kind = TEE_KIND_HOST,
	.stranger = "",
	.log = "",
	.damaged = "",
	.open = own_open,
	.exchange = own_exchange,
	.close = own_close,
	.abandon = own_close,
};

void pkcs11_start(void)
{
	storage_memory_reset();
	REQUIRE(!core_open(NULL, &core));
	REQUIRE(C_Initialize(NULL) == CKR_OK);
	REQUIRE(module_enter() == CKR_OK);
	module_kw()->transport = &own;
	module_leave();
}

void pkcs11_stop(void)
{
	REQUIRE(C_Finalize(NULL) == CKR_OK);
	core_close(&core);
	pkcs11_free();
}

/* --- Arguments --- */

struct block {
	struct block *next;
	_Alignas(max_align_t) unsigned char bytes[];
};

static struct block *blocks;

void *pkcs11_alloc(size_t n)
{
	/* Nothing comes after the bytes: a sanitizer sees what goes beyond them. */
	struct block *b = calloc(1, sizeof(*b) + n);

	REQUIRE(b);
	b->next = blocks;
	blocks = b;
	return b->bytes;
}

void pkcs11_free(void)
{
	while (blocks) {
		struct block *b = blocks;

		blocks = b->next;
		free(b);
	}
}

unsigned char *pkcs11_bytes(struct reader *r, CK_ULONG *len)
{
	uint16_t n = get_u16(r);
	unsigned char *p;

	*len = n & 0x7fffu;
	if (n & 0x8000u) {
		/* Near the end of what a length can be: sums overflow there. */
		if (*len >= 0x7f00u)
			*len = (CK_ULONG)-1 - (*len & 0xffu);
		return NULL;
	}
	if (*len > VALUE_MAX)
		*len = VALUE_MAX;
	if (*len > reader_left(r))
		*len = reader_left(r);
	p = pkcs11_alloc(*len);
	if (*len)
		memcpy(p, get_bytes(r, *len), *len);
	return p;
}

CK_ULONG pkcs11_number(struct reader *r)
{
	static const CK_ULONG others[] = {CK_UNAVAILABLE_INFORMATION, (CK_ULONG)-2, 256, 384, 521,
		2048, 3072, 4096, 0x80000000UL, CKG_MGF1_SHA1, CKG_MGF1_SHA256, CKM_SHA_1,
		CKZ_DATA_SPECIFIED, CKK_HKDF, CKK_SHA256_HMAC, CKK_SHA512_HMAC, CKK_GENERIC_SECRET};
	uint8_t b = get_u8(r);
	const struct mechanism *m;

	if (b < 0x80)
		return b;
	if (b == 0xff)
		return get_u32(r);
	m = mechanism_at(b - 0x80u);
	if (m)
		return m->type;
	b = (uint8_t)(0xfe - b);
	return others[b % (sizeof(others) / sizeof(others[0]))];
}

static const CK_ATTRIBUTE_TYPE types[] = {CKA_CLASS, CKA_TOKEN, CKA_PRIVATE, CKA_LABEL,
	CKA_UNIQUE_ID, CKA_APPLICATION, CKA_VALUE, CKA_OBJECT_ID, CKA_CERTIFICATE_TYPE, CKA_ISSUER,
	CKA_SERIAL_NUMBER, CKA_TRUSTED, CKA_CERTIFICATE_CATEGORY, CKA_CHECK_VALUE, CKA_KEY_TYPE,
	CKA_SUBJECT, CKA_ID, CKA_SENSITIVE, CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP,
	CKA_SIGN, CKA_SIGN_RECOVER, CKA_VERIFY, CKA_DERIVE, CKA_START_DATE, CKA_END_DATE,
	CKA_MODULUS, CKA_MODULUS_BITS, CKA_PUBLIC_EXPONENT, CKA_PRIVATE_EXPONENT, CKA_PRIME_1,
	CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT, CKA_PUBLIC_KEY_INFO,
	CKA_VALUE_LEN, CKA_EXTRACTABLE, CKA_LOCAL, CKA_NEVER_EXTRACTABLE, CKA_ALWAYS_SENSITIVE,
	CKA_KEY_GEN_MECHANISM, CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE, CKA_EC_PARAMS,
	CKA_EC_POINT, CKA_ALWAYS_AUTHENTICATE, CKA_WRAP_WITH_TRUSTED, CKA_WRAP_TEMPLATE,
	CKA_UNWRAP_TEMPLATE, CKA_ALLOWED_MECHANISMS, CKA_HASH_OF_SUBJECT_PUBLIC_KEY,
	CKA_HASH_OF_ISSUER_PUBLIC_KEY, CKA_URL, CKA_KEYWARD_ATTESTATION, CKA_KEYWARD_MIXED};

static CK_ATTRIBUTE_TYPE get_type(struct reader *r)
{
	uint8_t b = get_u8(r);

	return b < 0xfe ? types[b % (sizeof(types) / sizeof(types[0]))] : get_u32(r);
}

static void set_number(CK_ATTRIBUTE *a, CK_ULONG n)
{
	a->ulValueLen = sizeof(n);
	a->pValue = memcpy(pkcs11_alloc(sizeof(n)), &n, sizeof(n));
}

static void set_bytes(CK_ATTRIBUTE *a, const void *p, size_t n)
{
	a->ulValueLen = n;
	a->pValue = memcpy(pkcs11_alloc(n), p, n);
}

static void set_curve(CK_ATTRIBUTE *a, uint8_t which)
{
	static const struct {
		uint8_t len, bytes[15];
	} curves[] = {{10, {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}},
		{7, {6, 5, 0x2b, 0x81, 4, 0, 0x22}}, {7, {6, 5, 0x2b, 0x81, 4, 0, 0x23}},
		{14, {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'}},
		{5, {6, 3, 0x2b, 0x65, 0x70}}, {5, {6, 3, 0x2b, 0x65, 0x6e}}};
	size_t i = which % (sizeof(curves) / sizeof(curves[0]));

	set_bytes(a, curves[i].bytes, curves[i].len);
}

static void get_attribute(struct reader *r, CK_ATTRIBUTE *a, bool nested)
{
	uint8_t kind;
	CK_ULONG n;

	a->type = get_type(r);
	kind = get_u8(r);
	switch (kind % 6) {
	case 0:
		set_bytes(a, &(CK_BBOOL){(kind / 6) & 3}, sizeof(CK_BBOOL));
		break;
	case 1:
		set_number(a, pkcs11_number(r));
		break;
	case 2:
		set_curve(a, kind / 6);
		break;
	case 3:
		if (nested) {
			a->pValue = pkcs11_template(r, &n);
			a->ulValueLen = n * sizeof(*a);
			break;
		}
		/* fall through */
	case 4: {
		/* A list of mechanisms */
		CK_MECHANISM_TYPE *list = pkcs11_alloc((kind / 6 % 8u) * sizeof(*list));

		a->pValue = list;
		a->ulValueLen = kind / 6 % 8u * sizeof(*list);
		for (unsigned i = 0; i < kind / 6 % 8u; i++)
			list[i] = pkcs11_number(r);
		break;
	}
	default:
		a->pValue = pkcs11_bytes(r, &a->ulValueLen);
	}
}

CK_ATTRIBUTE *pkcs11_template(struct reader *r, CK_ULONG *count)
{
	static unsigned depth;
	uint8_t n = get_u8(r);
	CK_ATTRIBUTE *list;

	*count = n % (ATTRIBUTES_MAX + 1u);
	/* No memory, but a count */
	if (n == 0xff)
		return NULL;
	list = pkcs11_alloc(*count * sizeof(*list));
	depth++;
	for (CK_ULONG i = 0; i < *count; i++)
		get_attribute(r, &list[i], depth < 4);
	depth--;
	return list;
}

/* --- Answers --- */

void pkcs11_check(CK_RV rv)
{
	REQUIRE(rv != CKR_DEVICE_ERROR && rv != CKR_FUNCTION_FAILED && rv != CKR_GENERAL_ERROR &&
		rv != CKR_TOKEN_NOT_PRESENT && rv != CKR_HOST_MEMORY);
}

void pkcs11_check_output(CK_RV rv, const unsigned char *out, CK_ULONG room, CK_ULONG len)
{
	pkcs11_check(rv);
	REQUIRE(rv != CKR_OK || !out || len <= room);
	REQUIRE(rv != CKR_BUFFER_TOO_SMALL || (out && len > room));
}

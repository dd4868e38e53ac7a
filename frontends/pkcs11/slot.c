/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots, their tokens, and the mechanisms there. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mechanism.h"
#include "session.h"

/* --- Which there are --- */

/* The token in the slot, in *tokens, which the caller frees; NULL for none. Only slots with a PIN are asked for. */
static CK_RV find_token(CK_SLOT_ID slot, struct kw_tokens **tokens, const struct kw_token **token)
{
	CK_RV rv = module_error(kw_tokens_new(module_kw(), tokens));

	*token = rv ? NULL : kw_tokens_find(*tokens, (unsigned)slot);
	return rv;
}

CK_RV slot_check(CK_SLOT_ID slot)
{
	struct kw_tokens *tokens = NULL;
	const struct kw_token *token;
	CK_RV rv;

	if (slot == SLOT_DEFAULT)
		return CKR_OK;
	if (slot > KW_SLOT_MAX)
		return CKR_SLOT_ID_INVALID;
	rv = find_token(slot, &tokens, &token);
	if (!rv && !token)
		rv = CKR_TOKEN_NOT_RECOGNIZED;
	kw_tokens_free(&tokens);
	return rv;
}

static bool may_make_tokens(void)
{
	struct kw_status *status = NULL;
	bool may = false;

	if (!kw_status_new(module_kw(), &status))
		may = kw_status_may_create(status) || kw_status_is_admin(status);
	kw_status_free(&status);
	return may;
}

/* A bit for each slot that is shown: the default one, those with a token, and for who may make tokens the first one without.
 * A TEE that does not answer has the default one, which says why. */
static uint64_t list_slots(void)
{
	uint64_t slots = 1;
	struct kw_tokens *tokens = NULL;
	unsigned free_slot = 1;

	if (module_error(kw_tokens_new(module_kw(), &tokens)))
		return slots;
	for (unsigned i = 0; i < kw_tokens_count(tokens); i++)
		slots |= UINT64_C(1) << kw_token_slot(kw_tokens_at(tokens, i));
	kw_tokens_free(&tokens);
	while (free_slot <= KW_SLOT_MAX && slots >> free_slot & 1)
		free_slot++;
	if (free_slot <= KW_SLOT_MAX && may_make_tokens())
		slots |= UINT64_C(1) << free_slot;
	return slots;
}

/* What the last call found that asked for the length: the next one fills a list of that length (5.5.1). */
static uint64_t listed;

CK_RV C_GetSlotList(unsigned char present, CK_SLOT_ID *list, CK_ULONG *count)
{
	uint64_t slots;
	size_t n = 0;
	CK_RV rv = module_enter();

	(void)present; /* no token can be taken out */
	if (rv)
		return rv;
	rv = CKR_ARGUMENTS_BAD;
	if (!count)
		goto out;
	module_lock();
	slots = list ? listed : 0;
	module_unlock();
	if (!slots) {
		slots = list_slots();
		module_lock();
		listed = slots;
		module_unlock();
	}
	for (uint64_t left = slots; left; left &= left - 1)
		n++;
	if (module_wants_output(list, count, n, &rv)) {
		n = 0;
		for (CK_SLOT_ID slot = 0; slot <= KW_SLOT_MAX; slot++) {
			if (slots >> slot & 1)
				list[n++] = slot;
		}
		rv = CKR_OK;
	}
out:
	module_leave();
	return rv;
}

/* The caller leaves, but after an error. */
static CK_RV enter_slot(CK_SLOT_ID slot, const void *result)
{
	CK_RV rv = module_enter();

	if (rv)
		return rv;
	if (slot > KW_SLOT_MAX)
		rv = CKR_SLOT_ID_INVALID;
	else if (!result)
		rv = CKR_ARGUMENTS_BAD;
	if (rv)
		module_leave();
	return rv;
}

static bool is_optee(void)
{
	return !strcmp(kw_tee(module_kw()), "optee");
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
	CK_RV rv = enter_slot(slot, info);

	if (rv)
		return rv;
	memset(info, 0, sizeof(*info));
	module_pad(info->slotDescription, sizeof(info->slotDescription),
		is_optee() ? "Keyward in OP-TEE" : "Keyward in an isolated process");
	module_pad(info->manufacturerID, sizeof(info->manufacturerID), "Keyward");
	info->flags = CKF_TOKEN_PRESENT | (is_optee() ? CKF_HW_SLOT : 0);
	module_leave();
	return CKR_OK;
}

/* Of the TEE that this initialization reaches; empty until somebody asks. */
static char serial[17];

void slot_forget(void)
{
	serial[0] = '\0';
	listed = 0;
}

/* Digits, so that it needs no quoting in a URI (RFC 7512). The device's own: it comes from the key that signs the
 * statements of its TEE. */
static CK_RV put_serial(unsigned char to[16])
{
	uint8_t spki[256], digest[EVP_MAX_MD_SIZE];
	size_t n = sizeof(spki);
	CK_RV rv = CKR_OK;
	bool is_known;

	module_lock();
	memcpy(to, serial, 16);
	is_known = serial[0];
	module_unlock();
	if (is_known)
		return rv;
	rv = module_error(kw_attestation_key(module_kw(), spki, &n));
	if (!rv && !EVP_Q_digest(module_libcrypto(), "SHA2-256", NULL, spki, n, digest, NULL))
		rv = CKR_FUNCTION_FAILED;
	if (rv)
		return rv;
	module_lock();
	for (size_t i = 0; i < 8; i++)
		snprintf(serial + 2 * i, 3, "%02x", digest[i]);
	memcpy(to, serial, 16);
	module_unlock();
	return rv;
}

static void put_time(unsigned char text[16])
{
	time_t now = time(NULL);
	struct tm tm;
	char buf[17];

	memset(text, '0', 16);
	if (gmtime_r(&now, &tm) && strftime(buf, sizeof(buf), "%Y%m%d%H%M%S00", &tm) == 16)
		memcpy(text, buf, 16);
}

/* 3.2, CK_TOKEN_INFO: how near a PIN is to being locked. */
static CK_FLAGS tries_flags(unsigned tries, CK_FLAGS low, CK_FLAGS final, CK_FLAGS locked)
{
	if (!tries)
		return locked;
	return (tries < KW_PIN_TRIES ? low : 0) | (tries == 1 ? final : 0);
}

/* A token with PINs, or a slot that waits for one. */
static CK_RV put_token(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	struct kw_tokens *tokens = NULL;
	const struct kw_token *t;
	CK_RV rv = find_token(slot, &tokens, &t);

	if (rv)
		return rv;
	info->flags = CKF_RNG | CKF_CLOCK_ON_TOKEN | CKF_DUAL_CRYPTO_OPERATIONS;
	module_pad(info->label, sizeof(info->label), t ? kw_token_label(t) : "");
	memset(info->serialNumber, ' ', sizeof(info->serialNumber));
	if (!t)
		goto out;
	memcpy(info->serialNumber, kw_token_serial(t), sizeof(info->serialNumber));
	info->flags |= CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED |
		       tries_flags(kw_token_tries(t, KW_TOKEN_SO), CKF_SO_PIN_COUNT_LOW,
			       CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED);
	if (kw_token_has_user_pin(t))
		info->flags |= CKF_USER_PIN_INITIALIZED |
			       tries_flags(kw_token_tries(t, KW_TOKEN_USER), CKF_USER_PIN_COUNT_LOW,
				       CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED);
	info->ulMinPinLen = KW_PIN_MIN;
	info->ulMaxPinLen = KW_PIN_MAX;
out:
	kw_tokens_free(&tokens);
	return CKR_OK;
}

static CK_RV put_default(CK_TOKEN_INFO *info)
{
	module_pad(info->label, sizeof(info->label), "Keyward");
	info->flags =
		CKF_RNG | CKF_TOKEN_INITIALIZED | CKF_CLOCK_ON_TOKEN | CKF_DUAL_CRYPTO_OPERATIONS;
	return put_serial(info->serialNumber);
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	struct kw_status *status = NULL;
	CK_RV rv = enter_slot(slot, info);

	if (rv)
		return rv;
	rv = module_error(kw_status_new(module_kw(), &status));
	if (rv)
		goto out;
	memset(info, 0, sizeof(*info));
	rv = slot == SLOT_DEFAULT ? put_default(info) : put_token(slot, info);
	if (rv)
		goto out;
	module_pad(info->manufacturerID, sizeof(info->manufacturerID), "Keyward");
	module_pad(info->model, sizeof(info->model), kw_status_tee(status));
	if (!kw_status_may_create(status) && !kw_status_is_admin(status))
		info->flags |= CKF_WRITE_PROTECTED;
	info->ulMaxSessionCount = CK_EFFECTIVELY_INFINITE;
	info->ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE;
	session_counts(slot, &info->ulSessionCount, &info->ulRwSessionCount);
	info->ulTotalPublicMemory = CK_UNAVAILABLE_INFORMATION;
	info->ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION;
	info->ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION;
	info->ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION;
	put_time(info->utcTime);
out:
	kw_status_free(&status);
	module_leave();
	return rv;
}

CK_RV C_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *count)
{
	CK_RV rv = enter_slot(slot, count);
	unsigned n = 0;

	if (rv)
		return rv;
	while (mechanism_at(n))
		n++;
	if (module_wants_output(list, count, n, &rv)) {
		for (unsigned i = 0; i < n; i++)
			list[i] = mechanism_at(i)->type;
		rv = CKR_OK;
	}
	module_leave();
	return rv;
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
	/* Of RSA and elliptic curves in bits, of AES in bytes (2.8), of generic secrets in bits (2.7). */
	static const struct {
		enum family family;
		CK_ULONG min, max;
	} sizes[] = {{FAMILY_RSA, 2048, 4096}, {FAMILY_EC, 256, 521}, {FAMILY_ED, 255, 255},
		{FAMILY_X, 255, 255}, {FAMILY_AGREE, 255, 521}, {FAMILY_AES, 16, 32},
		{FAMILY_SECRET, 8, 8 * KW_SECRET_MAX}};
	const struct mechanism *m;
	CK_RV rv = enter_slot(slot, info);

	if (rv)
		return rv;
	m = mechanism_find(type);
	rv = CKR_MECHANISM_INVALID;
	if (!m)
		goto out;
	info->ulMinKeySize = info->ulMaxKeySize = 0;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i].family == m->family) {
			info->ulMinKeySize = sizes[i].min;
			info->ulMaxKeySize = sizes[i].max;
		}
	}
	info->flags = m->flags;
	/* Programs that see it here try it with every key, and few keys can. */
	if (m->scheme == KW_SCHEME_RSA_RAW)
		info->flags &= ~(CK_FLAGS)(CKF_ENCRYPT | CKF_DECRYPT);
	if (m->family & (FAMILY_EC | FAMILY_ED | FAMILY_X))
		info->flags |= CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS;
	/* Public keys and digests are computed here, private and secret keys in the TEE. */
	if (is_optee() && m->flags & ~(CK_FLAGS)(CKF_DIGEST | CKF_VERIFY))
		info->flags |= CKF_HW;
	rv = CKR_OK;
out:
	module_leave();
	return rv;
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
	if (!module_is_ready())
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (!slot || reserved)
		return CKR_ARGUMENTS_BAD;
	/* Nothing ever happens to the slot, and nobody is kept waiting for it. */
	return flags & CKF_DONT_BLOCK ? CKR_NO_EVENT : CKR_FUNCTION_NOT_SUPPORTED;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The one slot, its token, and the mechanisms there. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mechanism.h"
#include "session.h"

CK_RV C_GetSlotList(unsigned char present, CK_SLOT_ID *list, CK_ULONG *count)
{
	CK_RV rv;

	(void)present; /* the token cannot be taken out */
	if (!module_is_ready())
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (!count)
		return CKR_ARGUMENTS_BAD;
	if (module_wants_output(list, count, 1, &rv)) {
		list[0] = SLOT_DEFAULT;
		rv = CKR_OK;
	}
	return rv;
}

/* The caller leaves, but after an error. */
static CK_RV enter_slot(CK_SLOT_ID slot, const void *result)
{
	CK_RV rv = module_enter();

	if (rv)
		return rv;
	if (slot != SLOT_DEFAULT)
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
	rv = put_serial(info->serialNumber);
	if (rv)
		goto out;
	module_pad(info->label, sizeof(info->label), "Keyward");
	module_pad(info->manufacturerID, sizeof(info->manufacturerID), "Keyward");
	module_pad(info->model, sizeof(info->model), kw_status_tee(status));
	info->flags = CKF_RNG | CKF_TOKEN_INITIALIZED | CKF_CLOCK_ON_TOKEN;
	if (!kw_status_may_create(status) && !kw_status_is_admin(status))
		info->flags |= CKF_WRITE_PROTECTED;
	info->ulMaxSessionCount = CK_EFFECTIVELY_INFINITE;
	info->ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE;
	session_counts(&info->ulSessionCount, &info->ulRwSessionCount);
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

/* Tokens with PINs are made elsewhere; this one belongs to whoever the kernel lets in. */
CK_RV C_InitToken(CK_SLOT_ID slot, unsigned char *pin, CK_ULONG pin_len, unsigned char *label)
{
	CK_RV rv = enter_slot(slot, label);

	(void)pin;
	(void)pin_len;
	if (rv)
		return rv;
	module_leave();
	return CKR_TOKEN_WRITE_PROTECTED;
}

CK_RV C_InitPIN(CK_SESSION_HANDLE session, unsigned char *pin, CK_ULONG pin_len)
{
	struct session *s;
	CK_RV rv = session_get(session, &s);

	(void)pin;
	(void)pin_len;
	session_put(&s);
	return rv ? rv : CKR_USER_NOT_LOGGED_IN;
}

CK_RV C_SetPIN(CK_SESSION_HANDLE session, unsigned char *old_pin, CK_ULONG old_len,
	unsigned char *new_pin, CK_ULONG new_len)
{
	struct session *s;
	CK_RV rv = session_get(session, &s);

	if (rv)
		return rv;
	if ((!old_pin && old_len) || (!new_pin && new_len))
		rv = CKR_ARGUMENTS_BAD;
	else
		rv = session_is_rw(s) ? CKR_TOKEN_WRITE_PROTECTED : CKR_SESSION_READ_ONLY;
	session_put(&s);
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

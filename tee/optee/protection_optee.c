/* SPDX-License-Identifier: BSD-2-Clause */
/* What protects this TEE and what does not, for STATUS. */
#include <stdio.h>
#include <string.h>
#include <tee_internal_api.h>

#include "platform_optee.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* GlobalPlatform TEE Internal Core API 1.3.1, 4.7: 0 none, 100 by the normal world, 1000 by hardware. */
static uint32_t rollback_level(void)
{
	static const char name[] = "gpd.tee.trustedStorage.antiRollback.protectionLevel";
	uint32_t level = 0;

	if (TEE_GetPropertyAsU32(TEE_PROPSET_TEE_IMPLEMENTATION, name, &level))
		level = 0;
	return level;
}

static void describe_world(struct platform_protection *p)
{
	static char text[320];
	char version[48], maker[32], api[16];

	platform_tee_property("gpd.tee.trustedos.implementation.version", version, sizeof(version));
	platform_tee_property("gpd.tee.trustedos.manufacturer", maker, sizeof(maker));
	platform_tee_property("gpd.tee.apiversion", api, sizeof(api));
	(void)snprintf(text, sizeof(text),
		"keys are used in the secure world only, by OP-TEE %s (%s, %s); not even root of "
		"the normal world can read them there",
		version[0] ? version : "of unknown version", maker[0] ? maker : "maker unknown",
		api[0] ? api : "GlobalPlatform API unknown");
	*p = (struct platform_protection){"secure-world", text, PROTECTION_PRESENT};
}

static void describe_secret(struct platform_protection *p)
{
	p->id = "device-secret";
	p->state = PROTECTION_PRESENT;
	p->sentence = "what is stored and sealed is encrypted under a key that OP-TEE derives from "
		      "this device's hardware unique key, for this Trusted Application";
	if (!device_key_is_zero())
		return;
	p->state = PROTECTION_ABSENT;
	p->sentence = "THE HARDWARE UNIQUE KEY IS ZERO: this OP-TEE was built without the device's "
		      "own key, so everybody can decrypt what it stores and seals, from a copy "
		      "of the disk or a key file. For trials only: use no real key here, and "
		      "see tee_otp_get_hw_unique_key() in OP-TEE's porting guidelines";
}

static void describe_signing_key(struct platform_protection *p)
{
	p->id = "signing-key";
#ifdef KW_SIGNED_BY_KIT
	p->state = PROTECTION_ABSENT;
	p->sentence = "this Trusted Application was signed with the key in OP-TEE's development "
		      "kit, which is usually public: whoever has it can replace the application "
		      "by one that gives the keys away. Build OP-TEE and this with a key of "
		      "your own (TA_SIGN_KEY)";
#else
	p->state = PROTECTION_PRESENT;
	p->sentence = "this Trusted Application was signed with a key that its builder chose; "
		      "whoever has that key can replace it";
#endif
}

static void describe_rollback(struct platform_protection *p)
{
	p->id = "rollback";
	if (rollback_level() < 1000) {
		p->state = PROTECTION_ABSENT;
		p->sentence = "an old copy of OP-TEE's storage is taken for the present one: root "
			      "of the normal world can bring deleted keys and old access lists "
			      "back. OP-TEE with CFG_RPMB_FS=y can tell the difference";
	} else if (storage_optee_kind() == STORAGE_RPMB) {
		p->state = PROTECTION_PRESENT;
		p->sentence =
			"old copies of the storage are refused: it is in the replay-protected "
			"part of the flash memory (RPMB)";
	} else {
		p->state = PROTECTION_PARTIAL;
		p->sentence = "OP-TEE reports that it refuses old copies of its storage, by a hash "
			      "in RPMB. That holds if it was built with "
			      "CFG_REE_FS_INTEGRITY_RPMB=y and without CFG_REE_FS_ALLOW_RESET, and "
			      "if RPMB has its key";
	}
}

static void describe_removal(struct platform_protection *p)
{
	p->id = "removal";
	p->state = PROTECTION_ABSENT;
	p->sentence =
		storage_optee_kind() == STORAGE_RPMB
			? "root of the normal world can keep OP-TEE from its storage"
			: "root of the normal world can delete the storage, and OP-TEE itself "
			  "removes what it finds damaged there: keep a copy of its files, or of "
			  "the keys";
}

static void describe_randomness(struct platform_protection *p)
{
	p->id = "randomness";
	if (random_has_repeated()) {
		p->state = PROTECTION_ABSENT;
		p->sentence =
			"OP-TEE'S RANDOM NUMBERS REPEAT: it started with the same ones as "
			"before, so it has no source of randomness (see plat_rng_init() in its "
			"porting guidelines). Keys made here are as hard to guess as what "
			"clients' kernels gave to make them from, and no harder";
	} else {
		p->state = PROTECTION_PARTIAL;
		p->sentence = "random numbers are made from OP-TEE's, from a seed that is kept in "
			      "the storage and from what clients' kernels give; whether OP-TEE's "
			      "come from hardware only its builder can say";
	}
}

static void describe_clock(struct platform_protection *p)
{
	p->id = "clock";
	p->state = PROTECTION_ABSENT;
	p->sentence = "times come from the normal world, which can set them at will";
}

const char *platform_storage(void)
{
	switch (storage_optee_kind()) {
	case STORAGE_REE:
		return "one object in OP-TEE's REE file system: encrypted files that "
		       "tee-supplicant "
		       "keeps, under /var/lib/optee-client or /var/lib/tee by default";
	case STORAGE_RPMB:
		return "one object in OP-TEE's RPMB file system";
	default:
		return "not opened";
	}
}

/* Made for each question: some of it changes while the TEE runs. */
const struct platform_protection *platform_protection(unsigned i)
{
	static void (*const describe[])(struct platform_protection *) = {
		describe_world,
		describe_secret,
		describe_signing_key,
		describe_randomness,
		describe_rollback,
		describe_removal,
		describe_clock,
	};
	static struct platform_protection protections[COUNT(describe)];

	if (i >= COUNT(describe))
		return NULL;
	describe[i](&protections[i]);
	return &protections[i];
}

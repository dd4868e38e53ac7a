/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of maps stand in the order of their encodings (RFC 8949 4.2.1): texts by their length first. */
#include "attest_claims.h"

#include "key_type.h"
#include "wire/cose.h"

#define PROTECTIONS_MAX 32

static const struct {
	uint32_t bit;
	const char *name;
} purposes[] = {
#define KW_PURPOSE(number, NAME, name, sentence) {PURPOSE_##NAME, name},
#include "keyward/algorithms.def"
};

#define PURPOSES (sizeof(purposes) / sizeof(purposes[0]))

static void put_purposes(struct writer *w, uint32_t bits)
{
	size_t n = 0;

	for (size_t i = 0; i < PURPOSES; i++)
		n += (bits & purposes[i].bit) != 0;
	cbor_put_array(w, n);
	for (size_t i = 0; i < PURPOSES; i++) {
		if (bits & purposes[i].bit)
			cbor_put_text(w, purposes[i].name);
	}
}

/* What is not known to be good is said to be the worse. */
static void put_key(struct writer *w, const struct key_meta *m)
{
	bool has_public = !key_type_is_secret((enum key_type)m->type);

	cbor_put_map(w, has_public ? 8 : 7);
	cbor_put_text(w, "id");
	cbor_put_bytes(w, m->id, WIRE_ID_SIZE);
	if (has_public) {
		cbor_put_text(w, "spki");
		cbor_put_bytes(w, m->spki, m->spki_len);
	}
	cbor_put_text(w, "type");
	cbor_put_text(w, key_type_find(m->type)->name);
	cbor_put_text(w, "place");
	cbor_put_text(w, m->place == PLACE_STORED ? "stored" : "sealed");
	cbor_put_text(w, "origin");
	cbor_put_text(w, m->origin == ORIGIN_GENERATED ? "generated" : "imported");
	cbor_put_text(w, "created");
	cbor_put_uint(w, m->created);
	cbor_put_text(w, "purposes");
	put_purposes(w, m->purposes);
	cbor_put_text(w, "extractable");
	cbor_put_bool(w, m->purposes & PURPOSE_EXTRACTABLE);
}

struct protection {
	const char *id;
	enum wire_protection_state state;
};

static void put_protections(struct writer *w, const char *key, const struct protection *p,
	unsigned count, enum wire_protection_state state)
{
	size_t n = 0;

	for (unsigned i = 0; i < count; i++)
		n += p[i].state == state;
	cbor_put_text(w, key);
	cbor_put_array(w, n);
	for (unsigned i = 0; i < count; i++) {
		if (p[i].state == state)
			cbor_put_text(w, p[i].id);
	}
}

static void put_tee(struct writer *w)
{
	struct protection p[PROTECTIONS_MAX];
	const struct platform_protection *from;
	unsigned n = 0;

	/* Asked once: a platform may describe each anew at every question. */
	while (n < PROTECTIONS_MAX && (from = platform_protection(n)))
		p[n++] = (struct protection){from->id, from->state};
	cbor_put_map(w, 4);
	cbor_put_text(w, "kind");
	cbor_put_text(w, platform_kind() == TEE_KIND_OPTEE ? "optee" : "host");
	put_protections(w, "absent", p, n, PROTECTION_ABSENT);
	put_protections(w, "partial", p, n, PROTECTION_PARTIAL);
	put_protections(w, "present", p, n, PROTECTION_PRESENT);
}

void attest_put_claims(
	struct writer *w, const struct key_meta *m, const uint8_t *challenge, size_t challenge_len)
{
	uint64_t now = platform_time();

	cbor_put_map(w, 5u + (now ? 1 : 0) + (challenge_len ? 1 : 0));
	if (now) {
		cbor_put_int(w, CLAIM_TIME);
		cbor_put_uint(w, now);
	}
	if (challenge_len) {
		cbor_put_int(w, CLAIM_NONCE);
		cbor_put_bytes(w, challenge, challenge_len);
	}
	cbor_put_int(w, CLAIM_PROFILE);
	cbor_put_text(w, ATTESTATION_PROFILE);
	cbor_put_int(w, CLAIM_SOFTWARE_NAME);
	cbor_put_text(w, "keyward");
	cbor_put_int(w, CLAIM_SOFTWARE_VERSION);
	cbor_put_array(w, 1);
	cbor_put_text(w, platform_version());
	cbor_put_int(w, CLAIM_KEY);
	put_key(w, m);
	cbor_put_int(w, CLAIM_TEE);
	put_tee(w);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of same.c: chance, the keys that it knows, requests, and what of a reply is the same in every TEE. */
#ifndef TESTS_SAME_H
#define TESTS_SAME_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyward/keyward.h"
#include "wire/algorithms.h"
#include "wire/codec.h"
#include "wire/wire.h"

#define FIXED 14    /* pairs that are imported: the same in every TEE; the last three are of RSA */
#define GENERATED 8 /* the last ones that the TEE generated */
#define SECRETS 8   /* secret keys that are imported, whose ids the TEE makes */
#define MADE 6      /* the last secret keys that were generated, derived or unwrapped */
#define SECRET_FIRST (FIXED + GENERATED)
#define MADE_FIRST (SECRET_FIRST + SECRETS)
#define KEYS (MADE_FIRST + MADE)
#define MATERIAL_MAX 520

struct known {
	uint8_t type;
	uint8_t material[MATERIAL_MAX]; /* of a fixed one */
	size_t material_len;
	uint8_t id[WIRE_ID_SIZE];
	uint8_t spki[WIRE_SPKI_MAX];
	size_t spki_len;
	EVP_PKEY *public_key; /* NULL: a secret key, or there is no such key yet */
	bool is_known;        /* its id is */
	bool is_same;         /* in every TEE, and not only its kind */
	bool is_stored;
	uint8_t record[WIRE_RECORD_MAX]; /* the last that was seen */
	size_t record_len;
};

extern struct known known[KEYS];
#define OBJECTS 6 /* the last ones that were made */

struct known_object {
	uint8_t id[WIRE_ID_SIZE]; /* also of one that was deleted */
	bool is_stored;
};

extern struct known_object objects[OBJECTS];
extern uint8_t last_ticket[WIRE_TICKET_SIZE];
extern unsigned wrong; /* signatures that do not verify, replies that make no sense */

/* --- same_keys.c --- */

void chance_seed(uint64_t seed);
uint64_t chance(void);
unsigned below(unsigned n);
bool one_in(unsigned n);
void chance_bytes(uint8_t *p, size_t n);

bool make_fixed_keys(void);
bool is_secret(uint8_t type);
/* NULL for an id that is not known. */
struct known *known_by_id(const uint8_t *id);
/* "fixed3", "new5", "secret2" or "other". */
const char *known_label(const struct known *k);
/* Takes what the TEE says of a key that it made. False: id and public key do not fit. */
bool learn(struct known *k, uint8_t type, const uint8_t *id, const uint8_t *spki, size_t n);

/* --- same_request.c --- */

/* A request at random: its payload's length. `aim` gets the place of the key or object that it may make: for a
 * key that is kept nowhere, KEYS. */
size_t compose(uint16_t command, uint8_t *payload, unsigned *aim);
size_t compose_delete(uint8_t *payload, const uint8_t *id);

/* For the next file. */
void put_template(struct writer *w, uint8_t type);
uint8_t some_hash(void);

/* --- same_reply.c --- */

struct answer {
	uint16_t command;
	const uint8_t *request;
	size_t request_len;
	const uint8_t *reply;
	size_t reply_len;
	unsigned aim; /* the place for the key or object that is made */
};

/* What of a successful reply is the same in every TEE, on one line, to standard output. */
void show_reply(const struct answer *a);

/* The rest of the line, for a reply that describes a key. */
void show_key(const struct answer *a);
const char *judge(bool good);

/* --- same_secret.c: RANDOM, CIPHER, MAC, DERIVE, WRAP, UNWRAP --- */

uint32_t secret_purposes(uint8_t type);
bool is_secret_command(uint16_t command);
void put_secret_command(struct writer *w, uint16_t command, unsigned *aim);
void show_secret_command(const struct answer *a);
/* Whether the key that the command made is the same in every TEE. */
bool makes_the_same(const struct answer *a);

/* --- same_verify.c --- */

/* Whether the signature is one of the request's data by the key that it names. */
bool signature_is_good(const struct known *k, const struct answer *a, const uint8_t *sig, size_t n);
/* Whether this is a request that its key signed. *of: that key, NULL for one that is not known: it was imported from
 * material that chance changed. digest: SHA-256 of the part that is the same in every TEE. */
bool csr_is_good(const uint8_t *der, size_t n, const struct known **of, uint8_t digest[32]);

/* Whether the TEE's own key signed it, the one that ATTEST_KEY gives. */
bool statement_is_good(const struct kw_attestation *s);
/* Whether this is that key, which may be seen here for the first time. */
bool attestation_key_is(const uint8_t *spki, size_t n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libkeyward: private keys that stay inside a Trusted Execution Environment (TEE).
 *
 * One `struct kw` reaches one TEE. It may be shared by all threads of a process and survives fork():
 * each process opens its own connections at its first call. Nothing runs at exit or unload.
 *
 * Functions that return enum kw_err give KW_ERR_OK (0) on success. On failure their results are NULL
 * or zero. Errors that every call can give and that are not repeated below: KW_ERR_NO_TEE,
 * KW_ERR_NO_PERMISSION, KW_ERR_TIMEOUT, KW_ERR_DISCONNECTED, KW_ERR_PROTOCOL, KW_ERR_BUSY,
 * KW_ERR_NO_MEMORY, KW_ERR_SYSTEM.
 */
#ifndef KEYWARD_KEYWARD_H
#define KEYWARD_KEYWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef KW_ERRORS_DEFINED
#define KW_ERRORS_DEFINED
enum kw_err {
#define KW_ERROR(number, NAME, sentence) KW_ERR_##NAME = number,
#include <keyward/errors.def>
};
#endif

#ifndef KW_MUST_USE
#define KW_MUST_USE __attribute__((warn_unused_result))
#endif

enum kw_key_type {
#define KW_KEY_TYPE(number, NAME, name, FAMILY, bits) KW_KEY_TYPE_##NAME = number,
#include <keyward/algorithms.def>
};

enum kw_hash {
	KW_HASH_NONE = 0,
#define KW_HASH(number, NAME, name, bytes) KW_HASH_##NAME = number,
#include <keyward/algorithms.def>
};

enum kw_scheme {
#define KW_SCHEME(number, NAME, name) KW_SCHEME_##NAME = number,
#include <keyward/algorithms.def>
};

enum kw_cipher_mode {
#define KW_CIPHER(number, NAME, name) KW_CIPHER_##NAME = number,
#include <keyward/algorithms.def>
};

enum kw_mac_kind {
#define KW_MAC(number, NAME, name) KW_MAC_##NAME = number,
#include <keyward/algorithms.def>
};

enum kw_derivation {
#define KW_DERIVATION(number, NAME, name) KW_DERIVATION_##NAME = number,
#include <keyward/algorithms.def>
};

enum kw_wrapping {
#define KW_WRAPPING(number, NAME, name) KW_WRAPPING_##NAME = number,
#include <keyward/algorithms.def>
};

enum kw_purpose {
#define KW_PURPOSE(bit, NAME, name, sentence) KW_PURPOSE_##NAME = 1 << bit,
#include <keyward/algorithms.def>
};

#define KW_ATTRIBUTES_MAX 1024 /* bytes that a key or object carries for its users */
#define KW_OBJECT_MAX 6000     /* bytes of an object's value */
#define KW_ID_SIZE 32          /* SHA-256 of the SubjectPublicKeyInfo; of a secret key random */
#define KW_NAME_MAX 128        /* bytes */
#define KW_RECORD_MAX 4096     /* bytes of a sealed key's record */
#define KW_MESSAGE_MAX 64000   /* bytes that one signature call takes */
#define KW_SIGNATURE_MAX 512   /* bytes of the longest signature, RSA-4096 */
#define KW_DATA_MAX 64000      /* bytes that one call encrypts, decrypts or authenticates */
#define KW_AAD_MAX 800         /* bytes of associated data */
#define KW_NONCE_MAX 64        /* bytes of a nonce */
#define KW_NEW_NONCE_SIZE 12   /* bytes of a nonce that the TEE makes */
#define KW_CIPHER_MORE 16      /* bytes that a ciphertext is longer than its plaintext, at most */
#define KW_MAC_MAX 64          /* bytes of a MAC */
#define KW_RANDOM_MAX 1024     /* random bytes of one round trip */
#define KW_SECRET_MAX 128      /* bytes of a secret key */
#define KW_SECRET_MIN 14       /* of one that the TEE makes */
#define KW_INFO_MAX 1024       /* bytes of each parameter of a derivation */
#define KW_DERIVED_MAX 1024    /* bytes of a derived secret */
#define KW_WRAPPED_MAX 2560    /* bytes of a wrapped key */
#define KW_CHALLENGE_MIN 8     /* bytes of a challenge for an attestation, when there is one */
#define KW_CHALLENGE_MAX 64
#define KW_ATTESTATION_MAX 2048 /* bytes of an attestation statement */

/* The sentence for an error, never NULL. */
const char *kw_strerror(enum kw_err err);
/* The name of an error as in errors.def, in lower case with dashes: "no-key". For scripts. */
const char *kw_error_name(enum kw_err err);

/* Names to numbers of algorithms.def and back. 0 and NULL for unknown ones. Purposes: a list with commas. */
enum kw_key_type kw_key_type_from_name(const char *name);
const char *kw_key_type_name(enum kw_key_type type);
bool kw_key_type_is_rsa(enum kw_key_type type);
bool kw_key_type_is_ec(enum kw_key_type type);
/* AES and HMAC keys: they have no public key. */
bool kw_key_type_is_secret(enum kw_key_type type);
bool kw_key_type_signs(enum kw_key_type type);
unsigned kw_key_type_bits(enum kw_key_type type);
/* Bytes of a signature as kw_sign gives it: RSA modulus, twice the EC scalar, 64 for Ed25519, 0 for types that do not sign. */
size_t kw_key_type_signature_size(enum kw_key_type type);
/* KW_ERR_ARGUMENT for an unknown purpose or an empty list. */
enum kw_err kw_purposes_from_names(const char *list, uint32_t *purposes) KW_MUST_USE;
/* Writes "tls-server,csr" and a NUL, cut to size. */
void kw_purposes_names(uint32_t purposes, char *buf, size_t size);
/* i-th row (from 0) of each table, NULL past the end. For help texts and completion. */
const char *kw_key_type_row(unsigned i);
const char *kw_purpose_row(unsigned i, const char **sentence);

/* --- Reaching a TEE --- */

struct kw;

struct kw_options {
	/* "host" or "optee"; NULL: "host" if there is a socket here, else $KEYWARD_TEE, else "host". */
	const char *tee;
	/* Of the host TEE; NULL: $KEYWARD_SOCKET, else the system's if it is there, else the user's. Not
	 * with "optee". */
	const char *socket;
	/* For one call; 0 for 10 s. Key generation has at least 180 s. What OP-TEE does cannot be stopped:
	 * a call that is late there ends with KW_ERR_TIMEOUT, and a thread waits for it. */
	unsigned timeout_ms;
};

/* Reads options (may be NULL) and the environment; opens no connection. The environment is ignored in
 * set-user-id programs. KW_ERR_ARGUMENT: unknown TEE, path too long, a socket for OP-TEE. */
enum kw_err kw_new(const struct kw_options *options, struct kw **kw) KW_MUST_USE;
void kw_free(struct kw **kw);
const char *kw_tee(const struct kw *kw);
const char *kw_socket(const struct kw *kw); /* "" with OP-TEE */
/* The paths that kw_new chooses from. user: written to buf, KW_ERR_SYSTEM when there is no home. */
#define KW_SYSTEM_SOCKET "/run/keyward/tee.sock"
enum kw_err kw_user_socket(char *buf, size_t size) KW_MUST_USE;

/* What went wrong in the last failed call of this thread, as one sentence with its remedy where there
 * is one: who was refused, which key, why, and the command that allows it. Never NULL; "" after none.
 * The text lives until the thread's next call of any kw_ function. */
const char *kw_explain(void);

/* --- The TEE itself --- */

enum kw_protection_state {
	KW_PROTECTION_ABSENT = 0,
	KW_PROTECTION_PRESENT = 1,
	KW_PROTECTION_PARTIAL = 2
};

struct kw_status;
enum kw_err kw_status_new(struct kw *kw, struct kw_status **status) KW_MUST_USE;
void kw_status_free(struct kw_status **status);
const char *kw_status_tee(const struct kw_status *s);     /* "host" or "optee" */
const char *kw_status_version(const struct kw_status *s); /* of the TEE */
const char *kw_status_crypto(const struct kw_status *s);  /* library and version inside */
uint64_t kw_status_started(const struct kw_status *s);    /* seconds since 1970 */
uint32_t kw_status_keys(const struct kw_status *s);       /* stored */
uint32_t kw_status_open_keys(const struct kw_status *s);  /* decrypted in the TEE's memory now */
uint32_t kw_status_objects(const struct kw_status *s);    /* stored, and not keys */
uint64_t kw_status_store_bytes(const struct kw_status *s);
/* Another number after each change of what is stored: as long as it and kw_status_started stay, so does every list. */
uint64_t kw_status_changes(const struct kw_status *s);
uint64_t kw_status_signatures(const struct kw_status *s); /* since the start */
uint64_t kw_status_refusals(const struct kw_status *s);   /* since the start */
uint64_t kw_status_memory(const struct kw_status *s);     /* bytes of the TEE's memory in use */
uint64_t kw_status_memory_max(const struct kw_status *s); /* 0: nothing bounds it */
const char *kw_status_storage(const struct kw_status *s); /* where the keys are stored */
bool kw_status_is_admin(const struct kw_status *s);       /* the caller is an administrator */
bool kw_status_may_create(const struct kw_status *s);
unsigned kw_status_protections(const struct kw_status *s);
const char *kw_status_protection(const struct kw_status *s, unsigned i,
	enum kw_protection_state *state, const char **sentence); /* returns the short id */

/* --- Keys --- */

enum kw_identity_kind { KW_IDENTITY_USER = 1, KW_IDENTITY_GROUP = 2 };

struct kw_identity {
	enum kw_identity_kind kind;
	uint32_t id; /* numeric uid or gid */
};

/* "user:www-data", "group:ssl-cert", or with a number. KW_ERR_ARGUMENT: no such user or bad form. */
enum kw_err kw_identity_from_name(const char *text, struct kw_identity *identity) KW_MUST_USE;
/* The same form back, with the number when there is no name; cut to size. */
void kw_identity_name(const struct kw_identity *identity, char *buf, size_t size);

/* How calls name a key: exactly one of the three. */
struct kw_target {
	const char *name;
	const uint8_t *id;     /* KW_ID_SIZE bytes */
	const uint8_t *record; /* a sealed key */
	size_t record_len;
};
/* From what a person types: a name, or 64 hex digits of an id. `id` holds the id when it is one. */
struct kw_target kw_target_from_text(const char *text, uint8_t id[KW_ID_SIZE]);

/* A description of a key. Everything is public. */
struct kw_key;
void kw_key_free(struct kw_key **key);
const uint8_t *kw_key_id(const struct kw_key *k); /* KW_ID_SIZE bytes */
const char *kw_key_name(const struct kw_key *k);  /* "" when it has none */
enum kw_key_type kw_key_type(const struct kw_key *k);
uint32_t kw_key_purposes(const struct kw_key *k);
bool kw_key_is_sealed(const struct kw_key *k);
/* The slot of the token that it is on: KW_SLOT_DEFAULT, or one with a PIN. */
unsigned kw_key_token(const struct kw_key *k);
bool kw_key_is_imported(const struct kw_key *k);
uint64_t kw_key_created(const struct kw_key *k); /* seconds since 1970 */
struct kw_identity kw_key_owner(const struct kw_key *k);
unsigned kw_key_allowed(const struct kw_key *k); /* entries of the access list */
struct kw_identity kw_key_allowed_at(const struct kw_key *k, unsigned i);
bool kw_key_may_use(const struct kw_key *k); /* the present caller */
bool kw_key_may_manage(const struct kw_key *k);
uint64_t kw_key_signatures(const struct kw_key *k);
uint64_t kw_key_last_use(const struct kw_key *k); /* seconds since 1970, 0 for never */
uint64_t kw_key_refusals(const struct kw_key *k);
/* Bytes of a secret key; 0 for others, and for keys out of a listing. */
size_t kw_key_secret_size(const struct kw_key *k);
/* DER SubjectPublicKeyInfo; NULL for secret keys and for keys out of a listing. */
const uint8_t *kw_key_spki(const struct kw_key *k, size_t *len);
/* What the key's users keep with it, at most KW_ATTRIBUTES_MAX bytes; NULL when there is nothing. The TEE
 * authenticates it, shows it to all who may see the key, and does not look into it. */
const uint8_t *kw_key_attributes(const struct kw_key *k, size_t *len);
/* The record of a sealed key that was just made or changed, else NULL. */
const uint8_t *kw_key_record(const struct kw_key *k, size_t *len);

struct kw_key_template {
	const char *name; /* of a stored key; for a sealed one a label, may be "" */
	enum kw_key_type type;
	uint32_t purposes;               /* bits of enum kw_purpose */
	const struct kw_identity *allow; /* who may use it beside its owner */
	unsigned allow_count;            /* at most 32 */
	bool sealed;                     /* do not store it: the record is in the answer */
	const uint8_t *attributes;       /* see kw_key_attributes; may be NULL */
	size_t attributes_len;           /* at most KW_ATTRIBUTES_MAX */
	unsigned token;    /* the slot of the token to store it on: KW_SLOT_DEFAULT, or one that
			   this program has logged in to */
	size_t secret_len; /* kw_key_generate of HMAC: KW_SECRET_MIN to _MAX bytes, 0 for 32 */
};
/* KW_ERR_BAD_NAME, _NAME_TAKEN, _MAY_NOT_CREATE, _UNSUPPORTED_TYPE, _STORE_FULL, _LIMIT, _TOO_LARGE, _MIXED (purposes that
 * undermine each other), _NOT_OWNER (purpose trusted, which administrators give). */
enum kw_err kw_key_generate(
	struct kw *kw, const struct kw_key_template *t, struct kw_key **key) KW_MUST_USE;
/* `material`, big-endian: RSA u32 public exponent, p, q of bits/16 bytes each; EC the scalar of 32, 48 or 66
 * bytes; Ed25519 the 32 bytes of the seed; X25519 the 32 bytes of the scalar (RFC 7748); AES and HMAC the
 * key itself, 1 to KW_SECRET_MAX bytes. The caller wipes it. Also KW_ERR_BAD_KEY, _KEY_EXISTS. */
enum kw_err kw_key_import(struct kw *kw, const struct kw_key_template *t, const uint8_t *material,
	size_t len, struct kw_key **key) KW_MUST_USE;
/* KW_ERR_NO_KEY, _ACCESS. With a sealed record it is loaded for use as well. */
enum kw_err kw_key_find(struct kw *kw, const struct kw_target *t, struct kw_key **key) KW_MUST_USE;
/* Walks the keys that the caller may see; KW_ERR_NO_KEY at the end. Pages of descriptions are
 * fetched as needed; `page` holds them and starts as NULL; free it with kw_page_free. */
struct kw_page;
enum kw_err kw_key_next(struct kw *kw, struct kw_page **page, struct kw_key **key) KW_MUST_USE;
void kw_page_free(struct kw_page **page);
/* With take the name is taken from a key that has it, which is left without one. */
enum kw_err kw_key_rename(
	struct kw *kw, const struct kw_target *t, const char *name, bool take) KW_MUST_USE;
enum kw_err kw_key_delete(struct kw *kw, const struct kw_target *t) KW_MUST_USE;
/* Changes the access list. The new description is returned, for a sealed key with its new record. */
enum kw_err kw_key_allow(struct kw *kw, const struct kw_target *t, struct kw_identity who,
	struct kw_key **key) KW_MUST_USE;
enum kw_err kw_key_deny(struct kw *kw, const struct kw_target *t, struct kw_identity who,
	struct kw_key **key) KW_MUST_USE;

/* Puts these in the place of the key's attributes, all or nothing. For its owner and administrators:
 * KW_ERR_NOT_OWNER. The new description is returned, for a sealed key with its new record. */
enum kw_err kw_key_set_attributes(struct kw *kw, const struct kw_target *t,
	const uint8_t *attributes, size_t len, struct kw_key **key) KW_MUST_USE;

/* A PKCS #10 request (RFC 2986), built and signed in the TEE. */
enum kw_san_kind { KW_SAN_DNS = 1, KW_SAN_IP = 2, KW_SAN_EMAIL = 3, KW_SAN_URI = 4 };
struct kw_csr {
	/* Relative names in order: attribute type in its short form (CN, O, OU, C, ST, L, serialNumber, emailAddress) and value, UTF-8. */
	const char *const (*subject)[2];
	unsigned subject_count; /* at most 16, values of at most 255 bytes */
	struct kw_san {
		enum kw_san_kind kind;
		const uint8_t *value; /* text; for an IP address its 4 or 16 bytes */
		size_t len;           /* at most 255 */
	} const *sans;
	unsigned san_count; /* at most 100 */
};
/* buf gets DER; *len in: its size, out: bytes used. KW_ERR_PURPOSE, _ACCESS, _TOO_LARGE. */
enum kw_err kw_key_csr(struct kw *kw, const struct kw_target *t, const struct kw_csr *csr,
	uint8_t *buf, size_t *len) KW_MUST_USE;

/* --- Use ---
 * Keys are named by id, so that nothing goes stale. A sealed key's record is given along; it is sent
 * only when the TEE does not have the key open. */

struct kw_use {
	const uint8_t *id;     /* KW_ID_SIZE bytes */
	const uint8_t *record; /* of a sealed key, else NULL */
	size_t record_len;
	const char *label; /* the name for messages; may be NULL */
};

struct kw_sign {
	enum kw_scheme scheme;
	/* KW_HASH_NONE with EdDSA; with RSA PKCS #1 and is_digest the data is padded as it is, up to a
	 * third of the modulus, and is to be a DigestInfo (RFC 8017, 9.2). */
	enum kw_hash hash;
	bool is_digest; /* data was hashed by the caller; only a key with purpose "sign" does this */
	uint16_t salt_len; /* RSA-PSS, bytes */
	const uint8_t *data;
	size_t len; /* at most KW_MESSAGE_MAX */
};
/* sig has KW_SIGNATURE_MAX bytes. ECDSA gives r and s of fixed width (IEEE P1363): kw_ecdsa_to_der.
 * KW_ERR_ACCESS, _PURPOSE, _TLS_MESSAGE, _BAD_ALGORITHM, _NO_KEY, _TOO_LARGE, _OTHER_DEVICE. */
enum kw_err kw_sign(struct kw *kw, const struct kw_use *use, const struct kw_sign *what,
	uint8_t *sig, size_t *sig_len) KW_MUST_USE;
/* Ecdsa-Sig-Value (RFC 3279 2.2.3); der has KW_SIGNATURE_MAX bytes. */
enum kw_err kw_ecdsa_to_der(
	const uint8_t *rs, size_t rs_len, uint8_t *der, size_t *der_len) KW_MUST_USE;

struct kw_decrypt {
	bool oaep;         /* else PKCS #1 v1.5, which answers bad padding with made-up bytes */
	bool raw;          /* not with oaep: the whole block; purpose "raw" */
	enum kw_hash hash; /* OAEP */
	enum kw_hash mgf_hash;
	const uint8_t *label;
	size_t label_len; /* at most 256 */
	const uint8_t *data;
	size_t len;
};
/* out has KW_SIGNATURE_MAX bytes. Also KW_ERR_DECRYPT. */
enum kw_err kw_rsa_decrypt(struct kw *kw, const struct kw_use *use, const struct kw_decrypt *what,
	uint8_t *out, size_t *out_len) KW_MUST_USE;

/* --- Objects that are not keys ---
 * Certificates and data, in the TEE's store like keys: with an owner, an access list and attributes. The
 * TEE does not look into their values, which are encrypted in its store. */

enum kw_object_kind { KW_OBJECT_CERTIFICATE = 1, KW_OBJECT_DATA = 2 };

struct kw_object;
void kw_object_free(struct kw_object **object);
const uint8_t *kw_object_id(const struct kw_object *o); /* KW_ID_SIZE bytes that the TEE chose */
enum kw_object_kind kw_object_kind(const struct kw_object *o);
bool kw_object_is_public(const struct kw_object *o);   /* everybody may read it */
unsigned kw_object_token(const struct kw_object *o);   /* as kw_key_token */
uint64_t kw_object_created(const struct kw_object *o); /* seconds since 1970 */
struct kw_identity kw_object_owner(const struct kw_object *o);
unsigned kw_object_allowed(const struct kw_object *o); /* entries of the access list */
struct kw_identity kw_object_allowed_at(const struct kw_object *o, unsigned i);
bool kw_object_may_read(const struct kw_object *o); /* the present caller */
bool kw_object_may_manage(const struct kw_object *o);
/* As kw_key_attributes: seen by all who may see the object, which administrators may as well. */
const uint8_t *kw_object_attributes(const struct kw_object *o, size_t *len);
size_t kw_object_size(const struct kw_object *o); /* bytes of the value */
/* NULL, and *len 0, for what does not come from kw_object_get. An empty value is not NULL. */
const uint8_t *kw_object_value(const struct kw_object *o, size_t *len);

struct kw_object_template {
	const uint8_t *id; /* NULL: a new one. Else the one, of the same kind, that is replaced */
	enum kw_object_kind kind;
	bool is_public;
	const struct kw_identity *allow; /* who may read it beside its owner */
	unsigned allow_count;            /* at most 32 */
	const uint8_t *attributes;
	size_t attributes_len; /* at most KW_ATTRIBUTES_MAX */
	const uint8_t *value;  /* NULL with an id: stays as it is */
	size_t value_len;      /* at most KW_OBJECT_MAX, may be 0 */
	unsigned token;        /* of a new one; as in struct kw_key_template */
};
/* Stores an object, all or nothing; a replaced one keeps id, owner and time. The description is returned,
 * without the value. New ones are for those who may make keys: KW_ERR_MAY_NOT_CREATE. Replacing is for the
 * owner and administrators: KW_ERR_NOT_OWNER, _NO_OBJECT, _BAD_REQUEST (another kind). Also
 * KW_ERR_STORE_FULL, _TOO_LARGE, _LIMIT. */
enum kw_err kw_object_put(
	struct kw *kw, const struct kw_object_template *t, struct kw_object **object) KW_MUST_USE;
/* With its value, for its owner, those on its list, and everybody if it is public. KW_ERR_NO_OBJECT,
 * _ACCESS: also of an administrator, who may allow himself first. */
enum kw_err kw_object_get(
	struct kw *kw, const uint8_t id[KW_ID_SIZE], struct kw_object **object) KW_MUST_USE;
/* Walks the objects that the caller may read or manage; KW_ERR_NO_OBJECT at the end. As kw_key_next. */
struct kw_object_page;
enum kw_err kw_object_next(
	struct kw *kw, struct kw_object_page **page, struct kw_object **object) KW_MUST_USE;
void kw_object_page_free(struct kw_object_page **page);
/* KW_ERR_NO_OBJECT, _NOT_OWNER. */
enum kw_err kw_object_delete(struct kw *kw, const uint8_t id[KW_ID_SIZE]) KW_MUST_USE;

/* --- Tokens with PINs ---
 * Keys and objects are on the default token, or on one in a slot of 1 to KW_SLOT_MAX. To use or change what is on
 * one of those a program needs the right identity, as always, and has to log in as the user. What is
 * public of a key can be seen without. The security officer (SO) sets and unlocks the user's PIN, and uses no
 * key. KW_PIN_TRIES wrong PINs in a row lock a PIN, whatever happens in between. */

#define KW_SLOT_DEFAULT 0 /* the token without a PIN, always there */
#define KW_SLOT_MAX 63
#define KW_LABEL_MAX 32 /* bytes of a token's label */
#define KW_PIN_MIN 4    /* bytes */
#define KW_PIN_MAX 64
#define KW_PIN_TRIES 10

enum kw_token_user { KW_TOKEN_SO = 1, KW_TOKEN_USER = 2 };

/* All tokens with PINs, by slot, as they were when asked. */
struct kw_tokens;
struct kw_token;
enum kw_err kw_tokens_new(struct kw *kw, struct kw_tokens **tokens) KW_MUST_USE;
void kw_tokens_free(struct kw_tokens **tokens);
unsigned kw_tokens_count(const struct kw_tokens *t);
const struct kw_token *kw_tokens_at(const struct kw_tokens *t, unsigned i); /* NULL past the last */
const struct kw_token *kw_tokens_find(const struct kw_tokens *t, unsigned slot); /* or NULL */

unsigned kw_token_slot(const struct kw_token *t);
const char *kw_token_label(const struct kw_token *t);
/* 16 hexadecimal digits; each initialisation makes others. */
const char *kw_token_serial(const struct kw_token *t);
uint64_t kw_token_created(const struct kw_token *t); /* seconds since 1970 */
struct kw_identity kw_token_owner(const struct kw_token *t);
unsigned kw_token_allowed(const struct kw_token *t); /* entries of the list of who may log in */
struct kw_identity kw_token_allowed_at(const struct kw_token *t, unsigned i);
bool kw_token_may_log_in(const struct kw_token *t); /* the present caller, with the PIN */
bool kw_token_may_manage(const struct kw_token *t);
bool kw_token_has_user_pin(const struct kw_token *t);
/* Wrong PINs that are left, 0 to KW_PIN_TRIES; 0: locked, or the user's is not set. */
unsigned kw_token_tries(const struct kw_token *t, enum kw_token_user user);

struct kw_token_template {
	unsigned slot; /* 1 to KW_SLOT_MAX */
	const char *label;
	const void *so_pin; /* KW_PIN_MIN to KW_PIN_MAX bytes */
	size_t so_pin_len;
	const struct kw_identity *allow; /* who may log in beside its owner and administrators */
	unsigned allow_count;            /* at most 32; 0 leaves the list of one that is there */
};
/* Makes a token, without a user's PIN; or, with the SO PIN of the one that is there, initialises it again: all keys
 * and objects on it are gone. KW_ERR_MAY_NOT_CREATE, _ACCESS, _PIN, _PIN_LOCKED, _ARGUMENT. */
enum kw_err kw_token_init(struct kw *kw, const struct kw_token_template *t) KW_MUST_USE;
/* Deletes it with all that is on it. so_pin NULL: as an administrator. KW_ERR_NO_TOKEN, _NOT_OWNER. */
enum kw_err kw_token_delete(
	struct kw *kw, unsigned slot, const void *so_pin, size_t len) KW_MUST_USE;
/* Changes who may log in. For the owner and administrators: KW_ERR_NOT_OWNER. Denying ends all logins. */
enum kw_err kw_token_allow(struct kw *kw, unsigned slot, struct kw_identity who) KW_MUST_USE;
enum kw_err kw_token_deny(struct kw *kw, unsigned slot, struct kw_identity who) KW_MUST_USE;

/* Logs the context in, as one of the two users at a time: all its threads and connections, also later ones and those of
 * children of fork. It ends with the logout, another PIN, or the TEE: then calls answer KW_ERR_NOT_LOGGED_IN.
 * KW_ERR_PIN, _PIN_LOCKED, _ACCESS, _NO_TOKEN, _LIMIT. The caller wipes the PIN. */
enum kw_err kw_token_login(struct kw *kw, unsigned slot, enum kw_token_user user, const void *pin,
	size_t len) KW_MUST_USE;
/* KW_ERR_NOT_LOGGED_IN. A child of fork that logs out leaves its parent logged in. */
enum kw_err kw_token_logout(struct kw *kw, unsigned slot) KW_MUST_USE;
/* Whether the context is still logged in as this user: KW_ERR_NOT_LOGGED_IN. */
enum kw_err kw_token_check(struct kw *kw, unsigned slot, enum kw_token_user user) KW_MUST_USE;
/* Ends all logins by the old PIN. */
enum kw_err kw_token_set_pin(struct kw *kw, unsigned slot, enum kw_token_user user,
	const void *old_pin, size_t old_len, const void *new_pin, size_t new_len) KW_MUST_USE;
/* Logged in as the SO: sets the user's PIN, whatever it was, and unlocks it. */
enum kw_err kw_token_init_pin(
	struct kw *kw, unsigned slot, const void *pin, size_t len) KW_MUST_USE;

/* Random bytes of the TEE; a round trip for each KW_RANDOM_MAX. On failure buf is wiped. */
enum kw_err kw_random(struct kw *kw, uint8_t *buf, size_t len) KW_MUST_USE;

/* AES. ECB and CBC take whole blocks, so that the last one of a message goes on as the next one's iv; CTR
 * counts in all 16 bytes. KW and KWP (RFC 3394, 5649) take at most 4,096 bytes. */
struct kw_cipher {
	enum kw_cipher_mode mode;
	bool decrypt;
	const uint8_t *iv; /* CBC, CTR: 16 bytes; GCM: 1 to KW_NONCE_MAX */
	size_t iv_len;     /* 0 for AES-GCM encryption: the TEE makes one */
	const uint8_t *aad;
	size_t aad_len;
	size_t tag_len; /* GCM: 12 to 16; the tag is at the end of the ciphertext */
	const uint8_t *data;
	size_t len; /* at most KW_DATA_MAX, and the tag */
};
/* out may be data; *out_len in: its room, len + KW_CIPHER_MORE is enough; out: bytes of the result. nonce: gets the
 * KW_NEW_NONCE_SIZE bytes of a nonce that the TEE makes, else NULL. Purpose encrypt or decrypt. With
 * encrypt alone only GCM with a nonce of the TEE, KW and KWP: the rest needs decrypt or mixed too, because whoever has
 * blocks of his choice encrypted has the key stream of other messages.
 * KW_ERR_DECRYPT for all that is not authentic, _BAD_REQUEST for sizes that do not fit the mode, _PURPOSE,
 * _BAD_ALGORITHM, _ACCESS, _NO_KEY, _TOO_LARGE. */
enum kw_err kw_cipher(struct kw *kw, const struct kw_use *use, const struct kw_cipher *what,
	uint8_t *nonce, uint8_t *out, size_t *out_len) KW_MUST_USE;

struct kw_mac {
	enum kw_mac_kind kind; /* of an HMAC or an AES key */
	enum kw_hash hash;     /* HMAC */
	const uint8_t *data;   /* the whole message */
	size_t len;            /* at most KW_DATA_MAX */
};
/* tag has KW_MAC_MAX bytes. Purpose mac. */
enum kw_err kw_mac(struct kw *kw, const struct kw_use *use, const struct kw_mac *what, uint8_t *tag,
	size_t *tag_len) KW_MUST_USE;
/* Compared in the TEE, in constant time. The first 4 bytes or more of a MAC will do. KW_ERR_BAD_MAC. */
enum kw_err kw_mac_verify(struct kw *kw, const struct kw_use *use, const struct kw_mac *what,
	const uint8_t *tag, size_t tag_len) KW_MUST_USE;

struct kw_derive {
	enum kw_derivation derivation;
	enum kw_hash hash; /* HKDF, and X9.63 */
	/* Agreement of an EC or X25519 key with another's public key: an uncompressed point (SEC 1, 2.3.3) or
	 * 32 bytes. What they agree on is used as it is, or goes through the KDF of X9.63 with `info`. */
	const uint8_t *peer;
	size_t peer_len;
	bool x963;
	/* HKDF (RFC 5869) from an HMAC key: one of the steps or both. */
	bool extract;
	bool expand;
	const uint8_t *salt;
	size_t salt_len;
	const uint8_t *info;
	size_t info_len;
	/* Bytes of the result; 0 for what the key's type has, an agreed secret in full, or as many as the hash
	 * has. Fewer than an agreed secret has are its last ones (PKCS #11). */
	size_t len;
};
/* The secret itself: purpose derive-value. out has KW_DERIVED_MAX bytes; the caller wipes it. KW_ERR_BAD_KEY: the
 * other's public key is none. */
enum kw_err kw_derive(struct kw *kw, const struct kw_use *use, const struct kw_derive *what,
	uint8_t *out, size_t *out_len) KW_MUST_USE;
/* A secret key of the TEE, which counts as imported: purpose derive or derive-value; with derive alone the new
 * key cannot be extractable, nor derive values. Errors of kw_key_import. */
enum kw_err kw_derive_key(struct kw *kw, const struct kw_use *use, const struct kw_derive *what,
	const struct kw_key_template *t, struct kw_key **key) KW_MUST_USE;

struct kw_wrap {
	enum kw_wrapping wrapping; /* by an AES key, or an RSA key's public part */
	enum kw_hash hash;         /* OAEP, these four */
	enum kw_hash mgf_hash;
	const uint8_t *label;
	size_t label_len; /* at most 256 */
};
/* Encrypts `key`, which has the purpose extractable, by another one with the purpose wrap, which is trusted if the
 * key asks for that: a secret key's bytes, or a private key's PKCS #8 PrivateKeyInfo in DER, for which AES-KWP is
 * the way that always fits. out has KW_WRAPPED_MAX bytes. KW_ERR_PURPOSE, _BAD_ALGORITHM: also for a
 * length that this way of wrapping does not take. */
enum kw_err kw_wrap(struct kw *kw, const struct kw_use *by, const struct kw_use *key,
	const struct kw_wrap *what, uint8_t *out, size_t *out_len) KW_MUST_USE;
/* Makes a key of what was wrapped, of the template's type: purpose unwrap. KW_ERR_DECRYPT: it was not wrapped by
 * this key. KW_ERR_BAD_KEY: it is no key of this type. Also errors of kw_key_import. */
enum kw_err kw_unwrap(struct kw *kw, const struct kw_use *by, const struct kw_wrap *what,
	const uint8_t *wrapped, size_t len, const struct kw_key_template *t,
	struct kw_key **key) KW_MUST_USE;

/* --- Attestation ---
 * A statement, signed by a key of the TEE's device: this key is in this TEE, was made or imported there, and may
 * do this and that. docs/ATTESTATION.md has its format, and what it proves and what not. */

/* Of KW_CHALLENGE_MIN to _MAX bytes, chosen by whoever is to be convinced so that no old statement will do, or none.
 * buf gets the statement; *len in: its size, KW_ATTESTATION_MAX is enough, out: bytes used. For all who may see the
 * key. KW_ERR_NO_KEY, _ACCESS, _TOO_LARGE, _OTHER_DEVICE. */
enum kw_err kw_key_attest(struct kw *kw, const struct kw_target *t, const uint8_t *challenge,
	size_t challenge_len, uint8_t *buf, size_t *len) KW_MUST_USE;
/* The key that signs them: Ed25519, the same for the life of the device. buf gets a DER SubjectPublicKeyInfo (RFC 8410),
 * *len as above. Not to be asked of the device whose statements are to be verified with it. */
enum kw_err kw_attestation_key(struct kw *kw, uint8_t *buf, size_t *len) KW_MUST_USE;

/* Takes a statement apart, offline. Nothing in it is to be believed before its signature was verified. */
struct kw_attestation;
/* KW_ERR_BAD_STATEMENT: not a statement, or of a version that this library does not know. */
enum kw_err kw_attestation_parse(
	const uint8_t *statement, size_t len, struct kw_attestation **attestation) KW_MUST_USE;
void kw_attestation_free(struct kw_attestation **attestation);
/* KW_ID_SIZE bytes: SHA-256 of the SubjectPublicKeyInfo of the key that it says signed it. */
const uint8_t *kw_attestation_signer(const struct kw_attestation *a);
/* What is signed (the Sig_structure of RFC 9052, 4.4), and the Ed25519 signature. */
const uint8_t *kw_attestation_signed(const struct kw_attestation *a, size_t *len);
const uint8_t *kw_attestation_signature(const struct kw_attestation *a, size_t *len);
/* NULL, and *len 0, when there was none. */
const uint8_t *kw_attestation_challenge(const struct kw_attestation *a, size_t *len);
uint64_t kw_attestation_time(const struct kw_attestation *a); /* seconds since 1970; 0: not said */
const char *kw_attestation_tee(const struct kw_attestation *a);     /* "host" or "optee" */
const char *kw_attestation_version(const struct kw_attestation *a); /* of the TEE */
/* As in kw_status_protection: the i-th short id, NULL past the end. "device-secret" tells whether the secret that
 * the signing key comes from is one. */
const char *kw_attestation_protection(
	const struct kw_attestation *a, unsigned i, enum kw_protection_state *state);
const uint8_t *kw_attestation_id(const struct kw_attestation *a); /* of the key: KW_ID_SIZE bytes */
/* DER SubjectPublicKeyInfo, which the caller compares with the id; NULL for a key that has none. */
const uint8_t *kw_attestation_spki(const struct kw_attestation *a, size_t *len);
const char *kw_attestation_type(const struct kw_attestation *a); /* "ec-p256" */
bool kw_attestation_is_imported(const struct kw_attestation *a); /* else made in the TEE */
bool kw_attestation_is_sealed(const struct kw_attestation *a);   /* else stored in the TEE */
bool kw_attestation_is_extractable(const struct kw_attestation *a);
uint64_t kw_attestation_created(const struct kw_attestation *a); /* seconds since 1970 */
/* The i-th purpose by its name, NULL past the end. */
const char *kw_attestation_purpose(const struct kw_attestation *a, unsigned i);

/* --- Key files ---
 * What a server gets as its "private key file": PEM with the label below around DER that names a stored
 * key or holds a sealed one. Nothing in it is secret. */
#define KW_PEM_LABEL "KEYWARD PRIVATE KEY"
#define KW_REFERENCE_MAX 8192 /* bytes of DER */

struct kw_reference;
/* KW_ERR_BAD_REFERENCE: not such a file, or a newer version of it. */
enum kw_err kw_reference_parse(
	const uint8_t *der, size_t len, struct kw_reference **ref) KW_MUST_USE;
void kw_reference_free(struct kw_reference **ref);
/* For a stored key its name (or "" when it has none), its id and public key as they were when the file
 * was written; for a sealed one the record as well. */
enum kw_err kw_reference_new(const struct kw_key *key, struct kw_reference **ref) KW_MUST_USE;
const char *kw_reference_name(const struct kw_reference *r);
const uint8_t *kw_reference_id(const struct kw_reference *r);
const uint8_t *kw_reference_spki(const struct kw_reference *r, size_t *len);
const uint8_t *kw_reference_record(
	const struct kw_reference *r, size_t *len); /* NULL for a stored key */
/* buf has KW_REFERENCE_MAX bytes. */
enum kw_err kw_reference_encode(
	const struct kw_reference *r, uint8_t *buf, size_t *len) KW_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif

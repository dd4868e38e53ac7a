/* SPDX-License-Identifier: BSD-2-Clause */
/* What the provider and the ENGINE share: a TEE, keys in it, and OpenSSL's names for algorithms. */
#ifndef FRONTENDS_OPENSSL_COMMON_H
#define FRONTENDS_OPENSSL_COMMON_H

#include <keyward/keyward.h>

#include <openssl/rsa.h>

/* A way to a TEE that its keys keep alive, in whatever order an application frees things at
 * exit. */
struct front_tee;

enum kw_err front_tee_new(const struct kw_options *options, struct front_tee **tee) KW_MUST_USE;
struct front_tee *front_tee_ref(struct front_tee *tee);
void front_tee_free(struct front_tee **tee);

/* A key in a TEE. It never changes, so threads share it; references are counted. */
struct front_key;

/*
 * From the DER of a key file. A name in it is looked up, because it may have moved to another key
 * since the file was written; when the TEE is away or does not show the key, the file's own id and
 * public key serve. So neither a running TEE nor a right to use the key is needed: a server loads
 * its keys as root and uses them as somebody else.
 */
enum kw_err front_key_from_file(
	struct front_tee *tee, const uint8_t *der, size_t len, struct front_key **key) KW_MUST_USE;
/* From a name or 64 hexadecimal digits of an id, both known to the TEE only. */
enum kw_err front_key_from_text(
	struct front_tee *tee, const char *text, struct front_key **key) KW_MUST_USE;
struct front_key *front_key_ref(struct front_key *key);
void front_key_free(struct front_key **key);
enum kw_key_type front_key_type(const struct front_key *key);
const uint8_t *front_key_spki(const struct front_key *key, size_t *len);
/* Asks the TEE whether it has this very key. */
enum kw_err front_key_check(const struct front_key *key) KW_MUST_USE;
/* As kw_sign, but with ECDSA signatures in the DER form that OpenSSL wants. */
enum kw_err front_key_sign(const struct front_key *key, const struct kw_sign *what, uint8_t *sig,
	size_t *len) KW_MUST_USE;
enum kw_err front_key_decrypt(const struct front_key *key, const struct kw_decrypt *what,
	uint8_t *out, size_t *len) KW_MUST_USE;

/* The type of a SubjectPublicKeyInfo as Keyward writes it; 0 for anything else. The key inside
 * is not checked. */
enum kw_key_type front_type_of_spki(const uint8_t *spki, size_t len);
/* The type that a key file says, from the DER in it; no TEE is asked. */
enum kw_err front_type_of_file(const uint8_t *der, size_t len, enum kw_key_type *type) KW_MUST_USE;

struct front_hash {
	enum kw_hash hash;
	int nid;          /* libcrypto's number */
	size_t size;      /* bytes */
	const char *name; /* as providers name it */
};
/* NULL for a hash that Keyward does not sign with. */
const struct front_hash *front_hash_by_name(const char *name);
const struct front_hash *front_hash_by_nid(int nid);
const struct front_hash *front_hash_by_size(size_t size);

/* Finds the hash of a DER DigestInfo (RFC 8017 9.2, note 1) and the digest in it: callers of old
 * interfaces bring one when they sign with RSA. NULL when it is none. */
const struct front_hash *front_digest_info(const uint8_t *info, size_t len, const uint8_t **digest);

/* OpenSSL 3.2 and later: the digest's length, or less when the key has no room. */
#ifndef RSA_PSS_SALTLEN_AUTO_DIGEST_MAX
#define RSA_PSS_SALTLEN_AUTO_DIGEST_MAX -4
#endif

/* The salt's length for one of OpenSSL's RSA_PSS_SALTLEN_ values or a number of bytes. False
 * when the key has no room for it. */
bool front_pss_salt(
	const struct front_key *key, const struct front_hash *hash, int mode, uint16_t *salt);

/* The sentence that goes with a failed call into OpenSSL's error queue. */
const char *front_explain(enum kw_err err);
/* Reason codes: OpenSSL takes 1 to 99 for itself. */
#define FRONT_REASON(err) (100 + (int)(err))

#endif

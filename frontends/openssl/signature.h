/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the provider's signatures among each other. */
#ifndef FRONTENDS_OPENSSL_SIGNATURE_H
#define FRONTENDS_OPENSSL_SIGNATURE_H

#include "provider.h"

enum sig_mode {
	MODE_NONE,
	MODE_MESSAGE, /* digest_sign */
	MODE_DIGEST,  /* sign: the caller hashed */
	MODE_VERIFY,
	MODE_DIGEST_VERIFY,
};

struct sig_ctx {
	struct prov *prov;
	struct prov_key *key;
	enum sig_mode mode;
	const struct front_hash *hash; /* NULL: Ed25519, or not known yet */
	int padding;                   /* RSA */
	int salt;                      /* bytes, or one of RSA_PSS_SALTLEN_ */
	uint8_t *message;              /* collected by updates */
	size_t len, cap;
	EVP_MD_CTX *md;       /* once the message is too long to collect; or verifying */
	EVP_PKEY_CTX *verify; /* belongs to md when MODE_DIGEST_VERIFY */
};

/* A new operation; keydata may be NULL, for the key as before. */
bool sig_start(struct sig_ctx *s, void *keydata, enum sig_mode mode);
/* False when the TEE does not sign with this hash; no error is raised. */
bool sig_set_hash(struct sig_ctx *s, const char *name);
#define SIG_NO_HASH "this hash; SHA-224, SHA-256, SHA-384 and SHA-512 are there"
/* Raises that Keyward does not sign with that; false. */
bool sig_refuse(const struct sig_ctx *s, const char *what);

/* What dispatch tables name. */
OSSL_FUNC_signature_set_ctx_params_fn sig_set_ctx_params;
OSSL_FUNC_signature_get_ctx_params_fn sig_get_ctx_params;
OSSL_FUNC_signature_settable_ctx_params_fn sig_rsa_settable, sig_ecdsa_settable;
OSSL_FUNC_signature_gettable_ctx_params_fn sig_rsa_gettable, sig_ecdsa_gettable,
	sig_ed25519_gettable;
OSSL_FUNC_signature_digest_verify_init_fn sig_digest_verify_init;
OSSL_FUNC_signature_digest_verify_update_fn sig_digest_verify_update;
OSSL_FUNC_signature_digest_verify_final_fn sig_digest_verify_final;
OSSL_FUNC_signature_digest_verify_fn sig_digest_verify;
OSSL_FUNC_signature_verify_init_fn sig_verify_init;
OSSL_FUNC_signature_verify_fn sig_verify;
OSSL_FUNC_signature_verify_recover_init_fn sig_verify_recover_init;
OSSL_FUNC_signature_verify_recover_fn sig_verify_recover;

#endif

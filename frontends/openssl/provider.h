/* SPDX-License-Identifier: BSD-2-Clause */
/* The provider's own parts among each other. */
#ifndef FRONTENDS_OPENSSL_PROVIDER_H
#define FRONTENDS_OPENSSL_PROVIDER_H

#include "common.h"

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/evp.h>

#include <stdatomic.h>

#define PROV_PROPERTIES "provider=keyward"
/* Public-key operations and hashes are those of whichever provider the application has for them.
 * Without this OpenSSL may hand them back to us. */
#define PROV_OTHERS "provider!=keyward"

#define PROV_STRUCTURE "KeywardPrivateKey" /* what is inside a key file */

struct prov {
	const OSSL_CORE_HANDLE *handle;
	OSSL_FUNC_core_new_error_fn *new_error;
	OSSL_FUNC_core_set_error_debug_fn *set_error_debug;
	OSSL_FUNC_core_vset_error_fn *vset_error;
	OSSL_LIB_CTX *libctx; /* a child of the application's: the same providers */
	struct front_tee *tee;
	enum kw_err tee_err; /* why there is no tee */
	char tee_text[200];
};

/* Puts an error with a sentence into OpenSSL's queue, which servers log. */
void prov_raise_at(const struct prov *prov, const char *file, int line, const char *func,
	enum kw_err err, const char *format, ...) __attribute__((format(printf, 6, 7)));
#define prov_raise(prov, err, ...) \
	prov_raise_at(prov, __FILE_NAME__, __LINE__, __func__, err, __VA_ARGS__)
/* The TEE, or NULL with an error raised. */
struct front_tee *prov_tee(const struct prov *prov);

enum prov_kind {
	PROV_RSA,
	PROV_EC,
	PROV_ED25519,
};

/* What OpenSSL calls key data. Shared by reference; it never changes once it is filled. */
struct prov_key {
	atomic_uint refs;
	struct prov *prov;
	enum prov_kind kind;
	struct front_key
		*front;   /* NULL when there is only a public key, for comparing and verifying */
	EVP_PKEY *public; /* in prov->libctx, of another provider; NULL while empty */
	size_t max_size;  /* bytes of a signature or plaintext */
};

struct prov_key *prov_key_new(struct prov *prov, enum prov_kind kind);
/* Takes over *front in every case. NULL with an error raised. */
struct prov_key *prov_key_from_front(struct prov *prov, struct front_key **front);
struct prov_key *prov_key_ref(struct prov_key *key);
void prov_key_free(struct prov_key *key);
/* Gives a key to OpenSSL, which takes it over or refuses it: in both cases it is no longer the
 * caller's. */
int prov_key_give(struct prov_key *key, OSSL_CALLBACK *cb, void *arg);
/* "RSA", "EC" or "ED25519". */
const char *prov_kind_name(enum prov_kind kind);
/* False when the type is none of ours. */
bool prov_kind_of_type(enum kw_key_type type, enum prov_kind *kind);

/* OpenSSL takes padding modes as numbers and as text. */
bool prov_get_padding(const OSSL_PARAM *p, int *padding);

extern const OSSL_DISPATCH prov_rsa_keymgmt[], prov_ec_keymgmt[], prov_ed25519_keymgmt[];
extern const OSSL_DISPATCH prov_rsa_signature[], prov_ecdsa_signature[], prov_ed25519_signature[];
extern const OSSL_DISPATCH prov_rsa_cipher[];
extern const OSSL_DISPATCH prov_pem_decoder[];
extern const OSSL_DISPATCH prov_rsa_decoder[], prov_ec_decoder[], prov_ed25519_decoder[];
extern const OSSL_DISPATCH prov_store[];

/* A dispatch table wants every function as one type. */
#define PROV_FN(id, fn)                  \
	{                                \
		id, (void (*)(void))(fn) \
	}
#define PROV_END        \
	{               \
		0, NULL \
	}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "key_file.h"

#include <openssl/asn1t.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "key_material.h"

/* A file that asks for more rounds than this would keep a core busy for many seconds. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define ROUNDS_MAX 10000
#else
#define ROUNDS_MAX 20000000
#endif

struct reading {
	OSSL_LIB_CTX *lib;
	key_passphrase_ask *ask;
	void *context;
	struct key_material *m;
	bool asked;
	EVP_PKEY *pkey;
};

bool key_problem(struct key_material *m, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(m->problem, sizeof(m->problem), format, ap);
	va_end(ap);
	return false;
}

/* pem_password_cb */
static int ask_passphrase(char *buf, int size, int writing, void *arg)
{
	struct reading *r = arg;
	int n = r->ask ? r->ask(r->context, buf, size) : -1;

	(void)writing;
	r->asked = true;
	if (n < 0)
		r->m->no_passphrase = true;
	return n;
}

static bool wrong_passphrase(struct reading *r)
{
	if (r->m->no_passphrase)
		return key_problem(r->m, "the key is encrypted and there is no passphrase: "
					 "use a terminal, --passphrase-file or --passphrase-fd");
	return key_problem(r->m, "the passphrase is wrong, or the file is damaged: try again");
}

/* The rounds of PBKDF2 (RFC 8018) and of PKCS #12's derivation stand in the file. */
static bool rounds_are_bearable(const X509_SIG *sig)
{
	const X509_ALGOR *algorithm = NULL;
	const ASN1_OCTET_STRING *data = NULL;
	const ASN1_INTEGER *rounds = NULL;
	const ASN1_OBJECT *oid = NULL;
	PBKDF2PARAM *kdf = NULL;
	PBE2PARAM *pbe2 = NULL;
	PBEPARAM *pbe = NULL;
	const void *parameter = NULL;
	int type = 0;
	bool ok = true;

	X509_SIG_get0(sig, &algorithm, &data);
	X509_ALGOR_get0(&oid, &type, &parameter, algorithm);
	if (type != V_ASN1_SEQUENCE)
		return true;
	if (OBJ_obj2nid(oid) == NID_pbes2) {
		pbe2 = ASN1_item_unpack(parameter, ASN1_ITEM_rptr(PBE2PARAM));
		if (pbe2 && OBJ_obj2nid(pbe2->keyfunc->algorithm) == NID_id_pbkdf2 &&
			pbe2->keyfunc->parameter &&
			pbe2->keyfunc->parameter->type == V_ASN1_SEQUENCE)
			kdf = ASN1_item_unpack(pbe2->keyfunc->parameter->value.sequence,
				ASN1_ITEM_rptr(PBKDF2PARAM));
		rounds = kdf ? kdf->iter : NULL;
	} else {
		pbe = ASN1_item_unpack(parameter, ASN1_ITEM_rptr(PBEPARAM));
		rounds = pbe ? pbe->iter : NULL;
	}
	if (rounds) {
		int64_t n = 0;

		ok = ASN1_INTEGER_get_int64(&n, rounds) && n <= ROUNDS_MAX;
	}
	PBKDF2PARAM_free(kdf);
	PBE2PARAM_free(pbe2);
	PBEPARAM_free(pbe);
	return ok;
}

static bool use_pkcs8(struct reading *r, const PKCS8_PRIV_KEY_INFO *info)
{
	r->pkey = EVP_PKCS82PKEY_ex(info, r->lib, NULL);
	if (!r->pkey)
		return key_problem(r->m,
			"the private key in it is damaged or of a kind that libcrypto "
			"does not know: use an RSA, EC or Ed25519 key");
	return true;
}

static bool use_encrypted(struct reading *r, const X509_SIG *sig)
{
	PKCS8_PRIV_KEY_INFO *info = NULL;
	char passphrase[KEY_PASSPHRASE_MAX];
	bool ok = false;
	int n;

	if (!rounds_are_bearable(sig))
		return key_problem(r->m,
			"its encryption asks for too many rounds of key derivation: "
			"write it anew with 'openssl pkcs8 -topk8'");
	n = ask_passphrase(passphrase, (int)sizeof(passphrase), 0, r);
	if (n < 0) {
		wrong_passphrase(r);
		goto out;
	}
	info = PKCS8_decrypt_ex(sig, passphrase, n, r->lib, NULL);
	if (!info) {
		wrong_passphrase(r);
		goto out;
	}
	ok = use_pkcs8(r, info);
out:
	OPENSSL_cleanse(passphrase, sizeof(passphrase));
	PKCS8_PRIV_KEY_INFO_free(info);
	return ok;
}

static bool use_traditional(struct reading *r, int type, const uint8_t *der, long len)
{
	const uint8_t *at = der;

	r->pkey = d2i_PrivateKey_ex(type, NULL, &at, len, r->lib, NULL);
	if (r->pkey && at != der + len) {
		EVP_PKEY_free(r->pkey);
		r->pkey = NULL;
	}
	return r->pkey;
}

/* True and *ok set when der is, as a whole, a PKCS #8 structure. */
static bool is_pkcs8(struct reading *r, const uint8_t *der, long len, bool *ok)
{
	const uint8_t *at = der;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, len);
	X509_SIG *sig = NULL;
	bool is = false;

	*ok = false;
	if (info && at == der + len) {
		is = true;
		*ok = use_pkcs8(r, info);
		goto out;
	}
	at = der;
	sig = d2i_X509_SIG(NULL, &at, len);
	if (sig && at == der + len) {
		is = true;
		*ok = use_encrypted(r, sig);
	}
out:
	PKCS8_PRIV_KEY_INFO_free(info);
	X509_SIG_free(sig);
	return is;
}

static const char not_a_key[] = "this is not a private key that can be read: give a PKCS #8, SEC 1 "
				"or PKCS #1 key in PEM or DER";
static const char is_certificate[] =
	"this is a certificate, which is public: give the file with its private key";
static const char is_public[] = "this is a public key: give the file with the private key";
static const char is_request[] =
	"this is a certificate request, which is public: give the file with its private key";
static const char is_keyward[] = "this is a Keyward key file already: its key is in a TEE";
static const char is_dsa[] =
	"this is a DSA key, which Keyward does not use: make an ec-p256 key instead";
static const char is_pkcs12[] = "this is a PKCS #12 file: take the key out of it first, with "
				"'openssl pkcs12 -nocerts -noenc -in'";

/* DER that is no private key: the sentence that says what it is instead. */
static const char *name_other_der(const uint8_t *der, long len)
{
	const char *what = not_a_key;
	const uint8_t *at = der;
	X509 *certificate = d2i_X509(NULL, &at, len);
	X509_REQ *request;
	X509_PUBKEY *public;
	PKCS12 *p12;

	at = der;
	request = d2i_X509_REQ(NULL, &at, len);
	at = der;
	public = d2i_X509_PUBKEY(NULL, &at, len);
	at = der;
	p12 = d2i_PKCS12(NULL, &at, len);
	if (certificate)
		what = is_certificate;
	else if (request)
		what = is_request;
	else if (public)
		what = is_public;
	else if (p12)
		what = is_pkcs12;
	X509_free(certificate);
	X509_REQ_free(request);
	X509_PUBKEY_free(public);
	PKCS12_free(p12);
	return what;
}

static bool read_der(struct reading *r, const uint8_t *der, long len)
{
	bool ok;

	if (is_pkcs8(r, der, len, &ok))
		return ok;
	if (use_traditional(r, EVP_PKEY_EC, der, len) || use_traditional(r, EVP_PKEY_RSA, der, len))
		return true;
	if (use_traditional(r, EVP_PKEY_DSA, der, len))
		return key_problem(r->m, "%s", is_dsa);
	return key_problem(r->m, "%s", name_other_der(der, len));
}

/* What a PEM block is that holds no private key for us. NULL: one to pass over. */
static const char *name_other_pem(const char *label)
{
	static const struct {
		const char *label, *what;
	} known[] = {
		{PEM_STRING_X509, is_certificate},
		{PEM_STRING_X509_OLD, is_certificate},
		{PEM_STRING_X509_TRUSTED, is_certificate},
		{PEM_STRING_X509_REQ, is_request},
		{PEM_STRING_X509_REQ_OLD, is_request},
		{PEM_STRING_PUBLIC, is_public},
		{PEM_STRING_RSA_PUBLIC, is_public},
		{KW_PEM_LABEL, is_keyward},
		{PEM_STRING_DSA, is_dsa},
		{"OPENSSH PRIVATE KEY",
			"this is a key in OpenSSH's own form: convert a copy of it first, "
			"with 'ssh-keygen -p -m PKCS8 -f COPY'"},
		{"TSS2 PRIVATE KEY",
			"this key is in a TPM, which does not give it out: make a new key"},
		{"PGP PRIVATE KEY BLOCK", "this is an OpenPGP key, which Keyward does not use"},
		{"PKCS12", is_pkcs12},
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(label, known[i].label) == 0)
			return known[i].what;
	}
	return strstr(label, "PARAMETERS") ? NULL : not_a_key;
}

/* One private key's block. `data` is decrypted in place when its header says so (RFC 1421 4.6). */
static bool use_pem(struct reading *r, const char *label, char *header, uint8_t *data, long len)
{
	EVP_CIPHER_INFO cipher = {.cipher = NULL};
	int type = strcmp(label, PEM_STRING_ECPRIVATEKEY) == 0 ? EVP_PKEY_EC : EVP_PKEY_RSA;
	bool ok;

	if (header[0] && !PEM_get_EVP_CIPHER_INFO(header, &cipher))
		return key_problem(r->m,
			"its PEM header is damaged or names a cipher that libcrypto does not "
			"know: write it anew with 'openssl pkcs8 -topk8'");
	if (cipher.cipher && !PEM_do_header(&cipher, data, &len, ask_passphrase, r))
		return wrong_passphrase(r);
	if (strcmp(label, PEM_STRING_PKCS8) == 0 || strcmp(label, PEM_STRING_PKCS8INF) == 0) {
		if (is_pkcs8(r, data, len, &ok))
			return ok;
	} else if (use_traditional(r, type, data, len)) {
		return true;
	}
	if (r->asked)
		return wrong_passphrase(r);
	return key_problem(r->m, "the private key in it is damaged: use another copy of the file");
}

static bool is_private_label(const char *label)
{
	return strcmp(label, PEM_STRING_PKCS8) == 0 || strcmp(label, PEM_STRING_PKCS8INF) == 0 ||
	       strcmp(label, PEM_STRING_ECPRIVATEKEY) == 0 || strcmp(label, PEM_STRING_RSA) == 0;
}

/* A server's file may hold certificates beside the key; it must hold exactly one key. */
static bool read_pem(struct reading *r, const uint8_t *data, size_t len)
{
	BIO *bio = BIO_new_mem_buf(data, (int)len);
	const char *other = not_a_key;
	unsigned keys = 0;
	bool ok = false;

	if (!bio) {
		key_problem(r->m, "there is not enough memory");
		goto out;
	}
	for (;;) {
		char *label = NULL, *header = NULL;
		uint8_t *der = NULL;
		long n = 0;

		ERR_clear_error();
		if (!PEM_read_bio(bio, &label, &header, &der, &n))
			break;
		if (!is_private_label(label)) {
			const char *what = name_other_pem(label);

			if (what && (other == not_a_key || what == is_keyward))
				other = what;
		} else if (++keys == 1) {
			ok = use_pem(r, label, header, der, n);
		}
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)n);
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		key_problem(r->m, "its PEM text is damaged: use another copy of the file");
		ok = false;
	} else if (keys > 1) {
		key_problem(r->m,
			"it holds %u private keys: put the one that you mean into a file of its "
			"own",
			keys);
		ok = false;
	} else if (!keys) {
		key_problem(r->m, "%s", other);
	}
out:
	BIO_free(bio);
	return ok;
}

bool key_file_read(const uint8_t *data, size_t len, key_passphrase_ask *ask, void *context,
	struct key_material *m)
{
	struct reading r = {.ask = ask, .context = context, .m = m};
	OSSL_PROVIDER *standard = NULL, *legacy = NULL;
	bool ok = false;

	memset(m, 0, sizeof(*m));
	if (!len || len > KEY_FILE_MAX)
		return key_problem(m, len ? "it is too large for a key file" : "it is empty");
	/* A context of our own sees no configuration: no other provider or ENGINE gets to see the key. */
	r.lib = OSSL_LIB_CTX_new();
	standard = r.lib ? OSSL_PROVIDER_load(r.lib, "default") : NULL;
	if (!standard) {
		key_problem(m, "libcrypto cannot be used");
		goto out;
	}
	/* Only for old encrypted files; they are refused when it is not installed. */
	legacy = OSSL_PROVIDER_try_load(r.lib, "legacy", 1);
	if (memmem(data, len, "-----BEGIN ", 11))
		ok = read_pem(&r, data, len);
	else
		ok = read_der(&r, data, (long)len);
	ok = ok && key_material_take(m, r.pkey, r.lib);
out:
	if (!ok)
		OPENSSL_cleanse(m->bytes, sizeof(m->bytes));
	EVP_PKEY_free(r.pkey);
	if (legacy)
		OSSL_PROVIDER_unload(legacy);
	if (standard)
		OSSL_PROVIDER_unload(standard);
	OSSL_LIB_CTX_free(r.lib);
	ERR_clear_error();
	return ok;
}

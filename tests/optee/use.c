/* SPDX-License-Identifier: BSD-2-Clause */
#include "use.h"

#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned passed, failed;

bool report(bool good, const char *format, ...)
{
	va_list ap;

	printf(good ? "ok - " : "not ok - ");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	if (!good)
		printf("#   the last thing that the library said: %s\n", kw_explain());
	fflush(stdout);
	good ? passed++ : failed++;
	return good;
}

int report_sums(void)
{
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed;
}

static void die(const char *what)
{
	printf("not ok - %s: %s\n0 passed, 1 failed\n", what, kw_explain());
	exit(1);
}

struct kw *optee_kw(unsigned timeout_ms)
{
	struct kw_options options = {.tee = "optee", .timeout_ms = timeout_ms};
	struct kw *kw;

	if (kw_new(&options, &kw))
		die("a context for OP-TEE");
	return kw;
}

void signer_make(struct signer *s, struct kw *kw, const char *name)
{
	struct kw_key_template t = {.name = name ? name : "",
		.type = KW_KEY_TYPE_EC_P256,
		.purposes = KW_PURPOSE_SIGN,
		.sealed = !name};
	const uint8_t *spki;
	size_t len;

	*s = (struct signer){.kw = kw};
	if (kw_key_generate(kw, &t, &s->key))
		die("make a key");
	s->use.id = kw_key_id(s->key);
	if (!name)
		s->use.record = kw_key_record(s->key, &s->use.record_len);
	spki = kw_key_spki(s->key, &len);
	s->public_key = d2i_PUBKEY(NULL, &spki, (long)len);
	if (!s->public_key)
		die("read the public key");
}

void signer_end(struct signer *s)
{
	struct kw_target t = {.id = s->use.id};

	if (!s->use.record && kw_key_delete(s->kw, &t))
		die("delete the key");
	kw_key_free(&s->key);
	EVP_PKEY_free(s->public_key);
}

enum kw_err signer_use(struct signer *s, struct kw *kw, const char *message)
{
	struct kw_sign what = {.scheme = KW_SCHEME_ECDSA,
		.hash = KW_HASH_SHA256,
		.data = (const uint8_t *)message,
		.len = strlen(message)};
	uint8_t rs[KW_SIGNATURE_MAX], der[KW_SIGNATURE_MAX];
	size_t len;
	EVP_MD_CTX *md;
	enum kw_err err;
	bool good;

	err = kw_sign(kw, &s->use, &what, rs, &len);
	if (!err)
		err = kw_ecdsa_to_der(rs, len, der, &len);
	if (err)
		return err;
	md = EVP_MD_CTX_new();
	good = md && EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, s->public_key) == 1 &&
	       EVP_DigestVerify(md, der, len, what.data, what.len) == 1;
	EVP_MD_CTX_free(md);
	return good ? KW_ERR_OK : KW_ERR_PROTOCOL;
}

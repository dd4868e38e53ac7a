/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every function that talks to a TEE, against one that answers what the input says. The input: a
 * byte that chooses the function, then answers: u8 kind, u16 error, u16 length, payload.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/transport.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct reader answers;
static uint8_t request[WIRE_MAX_PAYLOAD];

enum kind {
	KIND_ANSWER,
	KIND_DEAD_UNSENT,
	KIND_DEAD,
	KIND_TIMEOUT,
	KIND_COUNT,
};

static enum kw_err fuzz_open(struct kw *kw, const struct deadline *d, struct link **link)
{
	(void)kw;
	(void)d;
	*link = calloc(1, sizeof(**link));
	if (!*link)
		abort();
	/* Buffers of the exact size, so that a sanitizer sees who leaves them. */
	(*link)->request = malloc(WIRE_MAX_PAYLOAD);
	(*link)->reply = malloc(WIRE_MAX_PAYLOAD);
	(*link)->euid = geteuid();
	if (!(*link)->request || !(*link)->reply)
		abort();
	return KW_ERR_OK;
}

static void fuzz_close(struct link *link)
{
	free(link->request);
	free(link->reply);
	free(link);
}

static enum kw_err greet(struct link *link, struct exchange *x)
{
	static const uint8_t greeting[] = {0, 1, 1, 0, 0, 0, 1, 0, 0, 0};

	memcpy(link->reply, greeting, sizeof(greeting));
	x->reply_len = sizeof(greeting);
	x->answer = 0;
	return KW_ERR_OK;
}

static enum kw_err fuzz_exchange(struct kw *kw, struct link *link, struct exchange *x)
{
	const uint8_t *p;
	unsigned kind;

	(void)kw;
	x->sent = true;
	memcpy(request, link->request, x->request_len);
	if (x->command == CMD_HELLO)
		return greet(link, x);
	kind = get_u8(&answers) % KIND_COUNT;
	if (kind == KIND_TIMEOUT)
		return explain(KW_ERR_TIMEOUT, "late");
	if (kind != KIND_ANSWER) {
		x->sent = kind == KIND_DEAD;
		return explain(KW_ERR_DISCONNECTED, "gone");
	}
	x->answer = get_u16(&answers);
	p = get_field16(&answers, WIRE_MAX_PAYLOAD, &x->reply_len);
	if (p)
		memcpy(link->reply, p, x->reply_len);
	return KW_ERR_OK;
}

static const struct transport fuzz_transport = {
	.name = "fuzz",
	.tee_kind = TEE_KIND_HOST,
	.stranger = "who is it?",
	.log = "see its log",
	.open = fuzz_open,
	.exchange = fuzz_exchange,
	.close = fuzz_close,
	.abandon = fuzz_close,
};

static const uint8_t id[KW_ID_SIZE] = {1, 2, 3};
static const struct kw_target by_id = {.id = id};

/* Everything that a description says is read, and makes a good key file when it can. */
static void use_key(enum kw_err err, struct kw_key **key)
{
	struct kw_reference *ref;
	char text[300];
	uint8_t *der;
	size_t len;

	if ((err == KW_ERR_OK) != (*key != NULL))
		abort();
	if (!*key)
		return;
	for (unsigned i = 0; i < kw_key_allowed(*key); i++)
		if (!kw_key_allowed_at(*key, i).kind)
			abort();
	kw_purposes_names(kw_key_purposes(*key), text, sizeof(text));
	if (!text[0] || !kw_key_type_name(kw_key_type(*key)) ||
		strlen(kw_key_name(*key)) > KW_NAME_MAX)
		abort();
	if (kw_reference_new(*key, &ref) == KW_ERR_OK) {
		der = malloc(KW_REFERENCE_MAX);
		if (!der || kw_reference_encode(ref, der, &len))
			abort();
		kw_reference_free(&ref);
		if (kw_reference_parse(der, len, &ref))
			abort();
		kw_reference_free(&ref);
		free(der);
	}
	kw_key_free(key);
}

static enum kw_err run_list(struct kw *kw)
{
	struct kw_page *page = NULL;
	struct kw_key *key;
	enum kw_err err;

	while ((err = kw_key_next(kw, &page, &key)) == KW_ERR_OK)
		use_key(err, &key);
	kw_page_free(&page);
	return err;
}

static enum kw_err run_status(struct kw *kw)
{
	enum kw_protection_state state;
	struct kw_status *status;
	const char *sentence;
	size_t total = 0;
	enum kw_err err = kw_status_new(kw, &status);

	if (err)
		return err;
	for (unsigned i = 0; i < kw_status_protections(status); i++)
		total += strlen(kw_status_protection(status, i, &state, &sentence)) +
			 strlen(sentence);
	total += strlen(kw_status_version(status)) + strlen(kw_status_crypto(status));
	if (total > WIRE_MAX_PAYLOAD)
		abort();
	kw_status_free(&status);
	return err;
}

static enum kw_err run_use(struct kw *kw, bool decrypt, bool sealed)
{
	struct kw_use use = {.id = id, .label = "label"};
	struct kw_sign sign = {
		.scheme = KW_SCHEME_ECDSA, .hash = KW_HASH_SHA256, .data = id, .len = 32};
	struct kw_decrypt d = {.data = id, .len = 32};
	uint8_t *out = malloc(KW_SIGNATURE_MAX);
	enum kw_err err;
	size_t len;

	if (!out)
		abort();
	if (sealed) {
		use.record = id;
		use.record_len = sizeof(id);
	}
	err = decrypt ? kw_rsa_decrypt(kw, &use, &d, out, &len)
		      : kw_sign(kw, &use, &sign, out, &len);
	if (len > KW_SIGNATURE_MAX || (err && len))
		abort();
	free(out);
	return err;
}

static enum kw_err run_csr(struct kw *kw)
{
	static const char *const subject[][2] = {{"CN", "name"}};
	struct kw_csr csr = {.subject = subject, .subject_count = 1};
	uint8_t der[64];
	size_t len = sizeof(der);
	enum kw_err err = kw_key_csr(kw, &by_id, &csr, der, &len);

	if (len > sizeof(der))
		abort();
	return err;
}

static enum kw_err run_change(struct kw *kw, unsigned which)
{
	struct kw_key_template t = {
		.name = "n", .type = KW_KEY_TYPE_ED25519, .purposes = KW_PURPOSE_SIGN};
	struct kw_identity who = {.kind = KW_IDENTITY_USER, .id = 1};
	struct kw_key *key = NULL;
	enum kw_err err;

	if (which == 0)
		err = kw_key_generate(kw, &t, &key);
	else if (which == 1)
		err = kw_key_import(kw, &t, id, sizeof(id), &key);
	else if (which == 2)
		err = kw_key_find(kw, &by_id, &key);
	else
		err = kw_key_allow(kw, &by_id, who, &key);
	use_key(err, &key);
	return err;
}

static void use_object(enum kw_err err, struct kw_object **object)
{
	size_t len = 0, sum = 0;
	const uint8_t *p;

	if ((err == KW_ERR_OK) != (*object != NULL))
		abort();
	if (!*object)
		return;
	for (unsigned i = 0; i < kw_object_allowed(*object); i++)
		if (!kw_object_allowed_at(*object, i).kind)
			abort();
	p = kw_object_attributes(*object, &len);
	for (size_t i = 0; i < len; i++)
		sum += p[i];
	p = kw_object_value(*object, &len);
	for (size_t i = 0; i < len; i++)
		sum += p[i];
	if (len > KW_OBJECT_MAX || sum > (KW_OBJECT_MAX + KW_ATTRIBUTES_MAX) * 255)
		abort();
	kw_object_free(object);
}

static enum kw_err run_objects(struct kw *kw, unsigned which)
{
	struct kw_object_template t = {.kind = KW_OBJECT_DATA, .value = id, .value_len = 3};
	struct kw_object_page *page = NULL;
	struct kw_object *object = NULL;
	enum kw_err err;

	if (which == 0)
		err = kw_object_put(kw, &t, &object);
	else if (which == 1)
		err = kw_object_get(kw, id, &object);
	else if (which == 3)
		return kw_object_delete(kw, id);
	else
		while ((err = kw_object_next(kw, &page, &object)) == KW_ERR_OK)
			use_object(err, &object);
	use_object(err, &object);
	kw_object_page_free(&page);
	return err;
}

static enum kw_err run_attributes(struct kw *kw)
{
	struct kw_key *key = NULL;
	enum kw_err err = kw_key_set_attributes(kw, &by_id, id, sizeof(id), &key);

	use_key(err, &key);
	return err;
}

static enum kw_err run_attest(struct kw *kw, bool key)
{
	uint8_t buf[1024];
	size_t len = sizeof(buf);
	enum kw_err err = key ? kw_attestation_key(kw, buf, &len)
			      : kw_key_attest(kw, &by_id, id, sizeof(id), buf, &len);

	if (len > sizeof(buf) || (err && len))
		abort();
	return err;
}

static enum kw_err run(struct kw *kw, unsigned which)
{
	switch (which % 19) {
	case 0:
		return run_status(kw);
	case 1:
		return run_list(kw);
	case 2:
		return run_csr(kw);
	case 3:
		return kw_key_rename(kw, &by_id, "new", true);
	case 4:
		return kw_key_delete(kw, &by_id);
	case 5:
	case 6:
	case 7:
		return run_use(kw, which % 19 == 7, which % 19 == 6);
	case 8:
	case 9:
	case 10:
	case 11:
		return run_change(kw, which % 19 - 8);
	case 12:
		return run_attributes(kw);
	case 17:
	case 18:
		return run_attest(kw, which % 19 == 18);
	default:
		return run_objects(kw, which % 19 - 13);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kw_options options = {.tee = "host", .socket = "/nonexistent"};
	struct kw *kw;
	enum kw_err err;

	answers = reader_over(data, size);
	if (kw_new(&options, &kw))
		abort();
	kw->transport = &fuzz_transport;
	/* Twice: the second call may find the connection that the first left behind. */
	for (unsigned which = get_u8(&answers), i = 0; i < 2; i++) {
		explain_clear();
		err = run(kw, which);
		if (err && (!kw_explain()[0] || strcmp(kw_error_name(err), "unknown") == 0))
			abort();
	}
	kw_free(&kw);
	return 0;
}

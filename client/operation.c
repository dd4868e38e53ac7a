/* SPDX-License-Identifier: BSD-2-Clause */
#include "operation.h"

#include <string.h>

#include "key.h"

/* A sealed key can be let go between loading and use when many are in use: but not for ever. */
#define LOADS_MAX 2

static struct subject subject_of_use(const struct kw_use *use)
{
	return (struct subject){.name = use->label, .id = use->id, .sealed = use->record != NULL};
}

static enum kw_err load(struct call *c, const struct kw_use *use)
{
	struct subject subject = subject_of_use(use);
	const uint8_t *id;
	struct reader rsp;
	enum kw_err err;

	if (use->record_len == 0 || use->record_len > KW_RECORD_MAX)
		return explain(KW_ERR_ARGUMENT,
			"a sealed key's record has 1 to %d bytes, and this one %zu", KW_RECORD_MAX,
			use->record_len);
	call_next(c, CMD_KEY_LOAD);
	put_field16(&c->req, use->record, use->record_len);
	err = call_run(c, &rsp);
	if (err)
		return call_refused(c, err, &subject);
	id = get_bytes(&rsp, KW_ID_SIZE);
	if (!reader_done(&rsp))
		return call_nonsense(c);
	if (memcmp(id, use->id, KW_ID_SIZE) != 0)
		return explain(KW_ERR_BAD_REFERENCE,
			"the key file is inconsistent: it names one key and "
			"holds another; make it again");
	return KW_ERR_OK;
}

/* The TEE does not say which of two it has not: both then. */
static enum kw_err load_all(struct call *c, const struct operation *op)
{
	enum kw_err err = op->use->record ? load(c, op->use) : KW_ERR_OK;

	if (!err && op->other && op->other->record)
		err = load(c, op->other);
	if (!err)
		call_next(c, op->command);
	return err;
}

static bool has_records(const struct operation *op)
{
	return op->use->record || (op->other && op->other->record);
}

/* A refusal for its purpose is explained with the purposes: asks for them. */
static enum kw_err refused(struct call *c, enum kw_err err, const struct operation *op)
{
	struct subject subject = subject_of_use(op->use);
	struct kw_target target = {.id = op->use->id};
	uint16_t command = c->command;
	struct kw_key *key = NULL;
	struct reader rsp;

	if (err == KW_ERR_NOT_LOADED && !has_records(op))
		err = KW_ERR_NO_KEY;
	if (!op->other && (err == KW_ERR_PURPOSE || err == KW_ERR_TLS_MESSAGE)) {
		call_next(c, CMD_KEY_INFO);
		if (!put_target(&c->req, &target) && !call_run(c, &rsp) &&
			!get_key(&rsp, false, &key))
			subject.purposes = key->purposes;
		kw_key_free(&key);
		c->command = command;
	}
	return call_refused(c, err, &subject);
}

enum kw_err operation_run(struct kw *kw, const struct operation *op)
{
	enum kw_err err = KW_ERR_OK;
	struct reader rsp;
	struct call c;

	err = call_begin(&c, kw, op->command);
	if (err)
		goto out;
	c.secret = op->secret;
	for (unsigned loads = 0;; loads++) {
		err = op->put(&c.req, op);
		if (err)
			goto out;
		err = call_run(&c, &rsp);
		if (err != KW_ERR_NOT_LOADED || !has_records(op) || loads == LOADS_MAX)
			break;
		err = load_all(&c, op);
		if (err)
			goto out;
	}
	if (err) {
		err = refused(&c, err, op);
		goto out;
	}
	err = op->take(&rsp, op->result);
	if (err == KW_ERR_PROTOCOL)
		err = call_nonsense(&c);
out:
	call_end(&c);
	return err;
}

enum kw_err operation_take_bytes(struct reader *rsp, void *result)
{
	struct operation_bytes *to = result;
	size_t len;
	const uint8_t *p = get_field16(rsp, WIRE_MAX_PAYLOAD, &len);

	if (!reader_done(rsp) || len < to->min)
		return KW_ERR_PROTOCOL;
	if (len > to->len)
		return explain(KW_ERR_TOO_LARGE,
			"the result has %zu bytes, and there is room for %zu", len, to->len);
	memcpy(to->buf, p, len);
	to->len = len;
	return KW_ERR_OK;
}

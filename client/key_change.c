/* SPDX-License-Identifier: BSD-2-Clause */
/* Making, changing and deleting keys. */
#include "call.h"
#include "key.h"

#include <string.h>

/* RSA-4096: exponent, p and q: more than any other. */
#define MATERIAL_MAX (4 + 2 * 256)

enum kw_err put_template(struct writer *w, const struct kw_key_template *t)
{
	const char *name = t->name ? t->name : "";
	size_t len = strnlen(name, KW_NAME_MAX + 1);
	enum kw_err err;

	if (len > KW_NAME_MAX || (len == 0 && !t->sealed && !t->attributes_len))
		return explain(KW_ERR_BAD_NAME, "%s", kw_strerror(KW_ERR_BAD_NAME));
	if (!kw_key_type_name(t->type))
		return explain(KW_ERR_UNSUPPORTED_TYPE, "key type %d is not known", (int)t->type);
	put_u8(w, (uint8_t)t->type);
	if (t->token > KW_SLOT_MAX || (t->token && t->sealed))
		return explain(KW_ERR_ARGUMENT,
			"a key on a token is stored there, and slots are 0 to %d", KW_SLOT_MAX);
	put_u8(w, t->sealed ? PLACE_SEALED : t->token ? PLACE_TOKEN : PLACE_STORED);
	if (t->token)
		put_u8(w, (uint8_t)t->token);
	put_u32(w, t->purposes);
	put_field8(w, name, len);
	err = put_acl(w, t->allow, t->allow_count);
	return err ? err : put_attributes(w, t->attributes, t->attributes_len);
}

/* Sends the request and reads the description that the reply is. */
static enum kw_err run_for_key(
	struct call *c, const struct subject *s, bool with_record, struct kw_key **key)
{
	struct reader rsp;
	enum kw_err err = call_run(c, &rsp);

	if (err)
		return call_refused(c, err, s);
	err = get_key(&rsp, with_record, key);
	return err == KW_ERR_PROTOCOL ? call_nonsense(c) : err;
}

static enum kw_err make(struct kw *kw, uint16_t command, const struct kw_key_template *t,
	const uint8_t *material, size_t len, struct kw_key **key)
{
	struct subject subject = {0};
	struct call c;
	enum kw_err err;

	if (!key)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	*key = NULL;
	if (!t || (!t->attributes && t->attributes_len))
		return explain(KW_ERR_ARGUMENT, "there is no description of the key to make");
	err = call_begin(&c, kw, command);
	if (err)
		goto out;
	c.secret = command == CMD_KEY_IMPORT;
	err = put_template(&c.req, t);
	if (err)
		goto out;
	if (t->type == KW_KEY_TYPE_HMAC && !c.secret)
		put_u16(&c.req,
			t->secret_len <= KW_SECRET_MAX ? (uint16_t)t->secret_len : UINT16_MAX);
	if (c.secret)
		put_field16(&c.req, material, len);
	subject.name = t->name;
	subject.sealed = t->sealed;
	err = run_for_key(&c, &subject, true, key);
out:
	call_end(&c);
	return err;
}

enum kw_err kw_key_generate(struct kw *kw, const struct kw_key_template *t, struct kw_key **key)
{
	return make(kw, CMD_KEY_GENERATE, t, NULL, 0, key);
}

enum kw_err kw_key_import(struct kw *kw, const struct kw_key_template *t, const uint8_t *material,
	size_t len, struct kw_key **key)
{
	if (key)
		*key = NULL;
	if (!material || len == 0 || len > MATERIAL_MAX)
		return explain(KW_ERR_BAD_KEY, "%s", kw_strerror(KW_ERR_BAD_KEY));
	return make(kw, CMD_KEY_IMPORT, t, material, len, key);
}

enum kw_err kw_key_rename(struct kw *kw, const struct kw_target *t, const char *name, bool take)
{
	size_t len = name ? strnlen(name, KW_NAME_MAX + 1) : 0;
	struct kw_key *key = NULL;
	struct subject subject;
	struct call c;
	enum kw_err err = check_stored(t);

	if (err)
		return err;
	if (len == 0 || len > KW_NAME_MAX)
		return explain(KW_ERR_BAD_NAME, "%s", kw_strerror(KW_ERR_BAD_NAME));
	err = call_begin(&c, kw, CMD_KEY_RENAME);
	if (!err)
		err = put_target(&c.req, t);
	if (err)
		goto out;
	put_field8(&c.req, name, len);
	put_u8(&c.req, take);
	subject = subject_of_target(t);
	subject.new_name = name;
	err = run_for_key(&c, &subject, false, &key);
	kw_key_free(&key);
out:
	call_end(&c);
	return err;
}

enum kw_err kw_key_delete(struct kw *kw, const struct kw_target *t)
{
	struct subject subject;
	struct reader rsp;
	struct call c;
	enum kw_err err = check_stored(t);

	if (err)
		return err;
	err = call_begin(&c, kw, CMD_KEY_DELETE);
	if (!err)
		err = put_target(&c.req, t);
	if (err)
		goto out;
	subject = subject_of_target(t);
	err = call_run(&c, &rsp);
	if (err)
		err = call_refused(&c, err, &subject);
	else if (!reader_done(&rsp))
		err = call_nonsense(&c);
out:
	call_end(&c);
	return err;
}

static enum kw_err change_access(struct kw *kw, const struct kw_target *t, uint8_t change,
	struct kw_identity who, struct kw_key **key)
{
	struct subject subject;
	struct call c;
	enum kw_err err;

	if (!key)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	*key = NULL;
	err = call_begin(&c, kw, CMD_KEY_ACCESS);
	if (!err)
		err = put_target(&c.req, t);
	if (err)
		goto out;
	put_u8(&c.req, change);
	put_identity(&c.req, &who);
	subject = subject_of_target(t);
	err = run_for_key(&c, &subject, true, key);
out:
	call_end(&c);
	return err;
}

enum kw_err kw_key_allow(
	struct kw *kw, const struct kw_target *t, struct kw_identity who, struct kw_key **key)
{
	return change_access(kw, t, ACCESS_ALLOW, who, key);
}

enum kw_err kw_key_deny(
	struct kw *kw, const struct kw_target *t, struct kw_identity who, struct kw_key **key)
{
	return change_access(kw, t, ACCESS_DENY, who, key);
}

enum kw_err kw_key_set_attributes(struct kw *kw, const struct kw_target *t,
	const uint8_t *attributes, size_t len, struct kw_key **key)
{
	struct subject subject;
	struct call c;
	enum kw_err err;

	if (!key || (!attributes && len))
		return explain(KW_ERR_ARGUMENT, "attributes and a place for the result are needed");
	*key = NULL;
	err = call_begin(&c, kw, CMD_KEY_ATTRIBUTES);
	if (!err)
		err = put_target(&c.req, t);
	if (!err)
		err = put_attributes(&c.req, attributes, len);
	if (err)
		goto out;
	subject = subject_of_target(t);
	err = run_for_key(&c, &subject, true, key);
out:
	call_end(&c);
	return err;
}

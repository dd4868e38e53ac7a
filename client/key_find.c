/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding one key, and walking all of them. */
#include "call.h"
#include "key.h"

#include <stdlib.h>
#include <string.h>

enum kw_err kw_key_find(struct kw *kw, const struct kw_target *t, struct kw_key **key)
{
	struct subject subject;
	struct reader rsp;
	struct call c;
	enum kw_err err;

	if (!key)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	*key = NULL;
	err = call_begin(&c, kw, CMD_KEY_INFO);
	if (!err)
		err = put_target(&c.req, t);
	if (err)
		goto out;
	subject = subject_of_target(t);
	err = call_run(&c, &rsp);
	if (err) {
		err = call_refused(&c, err, &subject);
		goto out;
	}
	err = get_key(&rsp, false, key);
	if (err == KW_ERR_PROTOCOL)
		err = call_nonsense(&c);
out:
	call_end(&c);
	return err;
}

/* The descriptions of one KEY_LIST reply that were not yet given out. */
struct kw_page {
	uint32_t next; /* cursor of the page after this one, 0 when this is the last */
	unsigned left;
	struct reader at;
	uint8_t *buf;
};

void kw_page_free(struct kw_page **page)
{
	if (!page || !*page)
		return;
	free((*page)->buf);
	free(*page);
	*page = NULL;
}

/* Takes the reply over into the page. */
static enum kw_err fill_page(struct kw_page *p, struct reader *rsp)
{
	uint32_t asked = p->next;
	size_t len;

	p->next = get_u32(rsp);
	p->left = get_u16(rsp);
	/* Going round in circles would keep the caller busy for ever. */
	if (rsp->failed || (p->next && p->next <= asked))
		return KW_ERR_PROTOCOL;
	len = reader_left(rsp);
	if (p->left == 0 && len)
		return KW_ERR_PROTOCOL;
	free(p->buf);
	p->buf = copy_bytes(rsp->at, len);
	if (!p->buf)
		return explain(KW_ERR_NO_MEMORY, "there is no memory for a list of keys");
	p->at = reader_over(p->buf, len);
	return KW_ERR_OK;
}

static enum kw_err fetch_page(struct kw *kw, struct kw_page *p)
{
	struct reader rsp;
	struct call c;
	enum kw_err err = call_begin(&c, kw, CMD_KEY_LIST);

	if (err)
		goto out;
	put_u32(&c.req, p->next);
	err = call_run(&c, &rsp);
	if (err && err != KW_ERR_NO_KEY) {
		err = call_refused(&c, err, NULL);
		goto out;
	}
	/* NO_KEY would pass for the end of the list. */
	err = err ? KW_ERR_PROTOCOL : fill_page(p, &rsp);
	if (err == KW_ERR_PROTOCOL)
		err = call_nonsense(&c);
out:
	call_end(&c);
	return err;
}

/* The next description of the page. */
static enum kw_err take_key(struct kw *kw, struct kw_page *p, struct kw_key **key)
{
	enum kw_err err = get_description(&p->at, false, key);

	p->left--;
	if (!err && p->left == 0 && !reader_done(&p->at)) {
		kw_key_free(key);
		err = KW_ERR_PROTOCOL;
	}
	if (err == KW_ERR_PROTOCOL)
		return explain(err, "%s sent a list of keys that makes no sense", kw->called);
	return err;
}

enum kw_err kw_key_next(struct kw *kw, struct kw_page **page, struct kw_key **key)
{
	struct kw_page *p;
	enum kw_err err = KW_ERR_OK;

	if (!page || !key || !kw)
		return explain(
			KW_ERR_ARGUMENT, "context, page and place for the result are needed");
	*key = NULL;
	p = *page;
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return explain(KW_ERR_NO_MEMORY, "there is no memory for a list of keys");
		*page = p;
		err = fetch_page(kw, p);
	}
	while (!err && p->left == 0) {
		if (!p->next)
			return explain(KW_ERR_NO_KEY, "there are no more keys");
		err = fetch_page(kw, p);
	}
	if (!err)
		err = take_key(kw, p, key);
	/* After a failure there is no telling where the walk was: it would start again. */
	if (err)
		kw_page_free(page);
	return err;
}

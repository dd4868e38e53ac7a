/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding one key, and walking all of them. */
#include "call.h"
#include "key.h"
#include "list.h"

#include <stdlib.h>

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

struct kw_page {
	struct list_page list;
};

void kw_page_free(struct kw_page **page)
{
	if (!page || !*page)
		return;
	free((*page)->list.buf);
	free(*page);
	*page = NULL;
}

/* The next description of the page. */
static enum kw_err take_key(struct kw *kw, struct list_page *p, struct kw_key **key)
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
	bool is_end = false;

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
		p->list.command = CMD_KEY_LIST;
		err = list_page_fetch(kw, &p->list);
	}
	if (!err)
		err = list_page_more(kw, &p->list, &is_end);
	if (!err && is_end)
		return explain(KW_ERR_NO_KEY, "there are no more keys");
	if (!err)
		err = take_key(kw, &p->list, key);
	/* After a failure there is no telling where the walk was: it would start again. */
	if (err)
		kw_page_free(page);
	return err;
}

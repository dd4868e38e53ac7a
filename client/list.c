/* SPDX-License-Identifier: BSD-2-Clause */
#include "list.h"

#include <stdlib.h>

/* Takes the reply over into the page. */
static enum kw_err fill_page(struct list_page *p, struct reader *rsp)
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
		return explain(KW_ERR_NO_MEMORY, "there is no memory for a list");
	p->at = reader_over(p->buf, len);
	return KW_ERR_OK;
}

enum kw_err list_page_fetch(struct kw *kw, struct list_page *p)
{
	struct reader rsp;
	struct call c;
	enum kw_err err = call_begin(&c, kw, p->command);

	if (err)
		goto out;
	put_u32(&c.req, p->next);
	err = call_run(&c, &rsp);
	/* Either would pass for the end of the list. */
	if (err == KW_ERR_NO_KEY || err == KW_ERR_NO_OBJECT) {
		err = call_nonsense(&c);
		goto out;
	}
	if (err) {
		err = call_refused(&c, err, NULL);
		goto out;
	}
	err = fill_page(p, &rsp);
	if (err == KW_ERR_PROTOCOL)
		err = call_nonsense(&c);
out:
	call_end(&c);
	return err;
}

enum kw_err list_page_more(struct kw *kw, struct list_page *p, bool *is_end)
{
	enum kw_err err = KW_ERR_OK;

	*is_end = false;
	while (!err && p->left == 0) {
		*is_end = p->next == 0;
		if (*is_end)
			break;
		err = list_page_fetch(kw, p);
	}
	return err;
}

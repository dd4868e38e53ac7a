/* SPDX-License-Identifier: BSD-2-Clause */
#include "list_page.h"

#include <string.h>

/* Records that are looked at before other callers of this thread get a turn. */
#define STEPS 64

enum kw_err list_page(struct call *c, struct reader *req, struct writer *rsp, size_t most,
	list_step *step, void *context)
{
	uint32_t cursor = get_u32(req);
	uint8_t head[6] = {0};
	struct writer front = writer_over(head, sizeof(head));
	size_t start = rsp->len;
	uint16_t count = 0;
	enum kw_err err = KW_ERR_OK;

	if (!reader_done(req))
		return KW_ERR_BAD_REQUEST;
	/* Room for the head, which is known last. */
	put_bytes(rsp, head, sizeof(head));
	for (unsigned i = 0; !err && i < STEPS; i++) {
		if (i && rsp->cap - rsp->len < most)
			break;
		err = step(c, &cursor, context, rsp, &count);
	}
	if (err == KW_ERR_NO_KEY || err == KW_ERR_NO_OBJECT) {
		cursor = 0;
		err = KW_ERR_OK;
	}
	put_u32(&front, cursor);
	put_u16(&front, count);
	if (!err && !rsp->failed)
		memcpy(rsp->buf + start, head, sizeof(head));
	return err;
}

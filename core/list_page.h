/* SPDX-License-Identifier: BSD-2-Clause */
/* A listing goes in pages, so that it neither fills a reply nor keeps a thread to itself. */
#ifndef CORE_LIST_PAGE_H
#define CORE_LIST_PAGE_H

#include "core_state.h"

/* One step: looks at the entry at *cursor, which moves past it, and writes and counts what the caller
 * may see. KW_ERR_NO_KEY or KW_ERR_NO_OBJECT at the end. */
typedef enum kw_err list_step(
	struct call *c, uint32_t *cursor, void *context, struct writer *w, uint16_t *count);

/* Reads the request, a cursor, and writes the page. A step writes `most` bytes at most. */
enum kw_err list_page(struct call *c, struct reader *req, struct writer *rsp, size_t most,
	list_step *step, void *context) KW_MUST_USE;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What walks of keys and of objects have in common: the TEE gives lists in pages. */
#ifndef CLIENT_LIST_H
#define CLIENT_LIST_H

#include "call.h"

/* The descriptions of one reply that were not yet given out. Starts zeroed but for the command. */
struct list_page {
	uint16_t command; /* CMD_KEY_LIST or CMD_OBJECT_LIST */
	uint32_t next;    /* cursor of the page after this one, 0 when this is the last */
	unsigned left;
	struct reader at;
	uint8_t *buf; /* the owner frees it */
};

/* Gets the page at p->next in the place of what was there. */
enum kw_err list_page_fetch(struct kw *kw, struct list_page *p) KW_MUST_USE;
/* Gets pages until there is something left in one, or none any more. */
enum kw_err list_page_more(struct kw *kw, struct list_page *p, bool *is_end) KW_MUST_USE;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The logins of a context: tickets that the TEE gave for PINs, which every connection presents. One for each
 * slot. No locks: a fork may happen while another thread is in here.
 */
#ifndef CLIENT_TICKETS_H
#define CLIENT_TICKETS_H

#include "internal.h"

struct ticket {
	uint8_t bytes[WIRE_TICKET_SIZE];
	uint8_t user; /* enum kw_token_user */
	bool is_ours; /* this process logged in, and no parent */
};

/* False: nobody is logged in to the slot. The caller wipes *t. */
bool ticket_get(struct kw *kw, unsigned slot, struct ticket *t);
void ticket_set(struct kw *kw, unsigned slot, const struct ticket *t);
/* Of this process alone; connections stop presenting it. */
void ticket_forget(struct kw *kw, unsigned slot);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* How bytes get into a TEE and back: one implementation for each kind of TEE. */
#ifndef CLIENT_TRANSPORT_H
#define CLIENT_TRANSPORT_H

#include "internal.h"

struct deadline {
	uint64_t at_ms;      /* CLOCK_MONOTONIC */
	unsigned timeout_ms; /* what it was made from */
};

uint64_t now_ms(void);
struct deadline deadline_in(unsigned timeout_ms);
/* Milliseconds left, 0 when it is past. */
unsigned deadline_left(const struct deadline *d);

/* One open connection. It owns its buffers, so that no caller needs a large stack, and it
 * carries one request at a time. The transport's own structure begins with this one. */
struct link {
	uint8_t *request; /* WIRE_MAX_PAYLOAD bytes */
	uint8_t *reply;   /* the same */
	uint32_t euid;    /* as whom the process was connected */
	unsigned logins;  /* the context's, when it presented them */
};

struct exchange {
	uint16_t command;
	size_t request_len;
	size_t reply_max; /* payload, at most WIRE_MAX_PAYLOAD */
	const struct deadline *deadline;
	bool late; /* part of the deadline may be used up: measure what is left */

	bool sent; /* out: the TEE may have seen the request */
	uint16_t answer;
	size_t reply_len;
};

struct transport {
	const char *name;
	uint8_t tee_kind; /* what HELLO must answer */
	/* For sentences: what to ask when something else answers, where to look when storage fails, what to do when what
	 * it holds is damaged. */
	const char *stranger;
	const char *log;
	const char *damaged;
	/* All of these explain their errors. KW_ERR_NO_TEE, _BUSY: waiting may help. */
	enum kw_err (*open)(struct kw *kw, const struct deadline *d, struct link **link);
	/* 0: the TEE answered x->answer. KW_ERR_DISCONNECTED: the connection is dead, x->sent
	 * says whether sending again is safe for any command. After every error the link must
	 * be closed. */
	enum kw_err (*exchange)(struct kw *kw, struct link *link, struct exchange *x);
	void (*close)(struct link *link);
	/* In a forked child: lets go of what was inherited without disturbing the parent's use. */
	void (*abandon)(struct link *link);
};

extern const struct transport transport_host, transport_optee;

#endif

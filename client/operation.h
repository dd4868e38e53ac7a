/* SPDX-License-Identifier: BSD-2-Clause */
/* One operation with one key or two: loads sealed ones when the TEE asks, and explains refusals. */
#ifndef CLIENT_OPERATION_H
#define CLIENT_OPERATION_H

#include "call.h"

struct operation {
	const struct kw_use *use;
	const struct kw_use *other; /* a second key; may be NULL */
	uint16_t command;
	bool secret; /* request or reply hold secrets */
	const void *what;
	/* Writes the whole request. An error is explained. */
	enum kw_err (*put)(struct writer *w, const struct operation *op);
	/* Reads the reply into *result; KW_ERR_PROTOCOL needs no explanation. */
	enum kw_err (*take)(struct reader *rsp, void *result);
	void *result;
};

/* NULL, an id that is missing or a record that is too long: KW_ERR_ARGUMENT. */
enum kw_err operation_run(struct kw *kw, const struct operation *op) KW_MUST_USE;

/* A result of at most *len bytes, of which that many are put into buf. */
struct operation_bytes {
	uint8_t *buf;
	size_t len;
	size_t min;
};
/* A `take` for a struct operation_bytes that is a field16. */
enum kw_err operation_take_bytes(struct reader *rsp, void *result) KW_MUST_USE;

#endif

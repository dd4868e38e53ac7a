/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLIENT_EXPLAIN_TOKEN_H
#define CLIENT_EXPLAIN_TOKEN_H

#include "internal.h"

/* For answers that the TEE gives about tokens, and nothing else. */
enum kw_err explain_token(
	const struct kw *kw, uint16_t command, enum kw_err err, const struct subject *s);

#endif

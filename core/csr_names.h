/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of a certificate request: from KEY_CSR's fields to DER, checked against RFC 5280. */
#ifndef CORE_CSR_NAMES_H
#define CORE_CSR_NAMES_H

#include "wire/codec.h"
#include "wire/errors.h"

/* Reads `u8 n, (field8 type, field8 value) ×n` and appends a Name. *count is n.
 * KW_ERR_BAD_REQUEST; a full writer is left to the caller to find. */
enum kw_err csr_put_subject(struct reader *request, struct writer *w, unsigned *count) KW_MUST_USE;

/* Reads `u8 m, (u8 kind, field8 value) ×m` and appends GeneralNames (RFC 5280 4.2.1.6). */
enum kw_err csr_put_alt_names(struct reader *request, unsigned m, struct writer *w) KW_MUST_USE;

#endif

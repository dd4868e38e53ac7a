/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small strict DER codec (ITU-T X.690): definite lengths in their shortest form, single-byte tags.
 * The only code that reads or writes DER in the TEE and in the client library.
 */
#ifndef WIRE_DER_H
#define WIRE_DER_H

#include "codec.h"

#define DER_BOOLEAN 0x01
#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_OCTET_STRING 0x04
#define DER_NULL 0x05
#define DER_OID 0x06
#define DER_UTF8_STRING 0x0c
#define DER_PRINTABLE_STRING 0x13
#define DER_IA5_STRING 0x16
#define DER_SEQUENCE 0x30
#define DER_SET 0x31
#define DER_CONTEXT(n) ((uint8_t)(0x80 | (n)))             /* primitive, implicit */
#define DER_CONTEXT_CONSTRUCTED(n) ((uint8_t)(0xa0 | (n))) /* constructed */

/* Reads one TLV that must have the given tag; the contents go to *inner. On failure r->failed and an
 * empty, failed *inner. */
void der_get(struct reader *r, uint8_t tag, struct reader *inner);
/* Reads any TLV. Returns its tag, 0 on failure. */
uint8_t der_get_any(struct reader *r, struct reader *inner);
/* An unsigned INTEGER's magnitude without leading zeros (zero itself has length 0). Negative or
 * non-minimal encodings fail. */
const uint8_t *der_get_unsigned(struct reader *r, size_t max, size_t *len);
/* True when buf is exactly one TLV whose constructed parts are, all the way down (depth 16),
 * well-formed DER. */
bool der_is_well_formed(const uint8_t *buf, size_t len);
/* True when a lenient reader could take the whole of buf for one SEQUENCE or SET: lengths and tags
 * in any form of BER, as libcrypto reads them, and contents that nobody looked into. It errs on the
 * side of true: for refusing, never for accepting. */
bool der_may_be_structure(const uint8_t *buf, size_t len);

/* Writing: the writer's buffer is filled from front to back; der_begin leaves room for the length and
 * der_end closes the innermost open element, moving its contents into place. */
size_t der_begin(struct writer *w, uint8_t tag);
void der_end(struct writer *w, size_t mark);
void der_put(struct writer *w, uint8_t tag, const void *contents, size_t len);
/* An unsigned INTEGER from big-endian bytes, leading zeros allowed. */
void der_put_unsigned(struct writer *w, const uint8_t *magnitude, size_t len);

/* ECDSA signatures: r and s of `half` bytes each (IEEE P1363) to Ecdsa-Sig-Value (RFC 3279 2.2.3). */
void der_put_ecdsa(struct writer *w, const uint8_t *rs, size_t half);

#endif

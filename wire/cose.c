/* SPDX-License-Identifier: BSD-2-Clause */
#include "cose.h"

static void put_protected(struct writer *w, const struct cose_sign1 *s)
{
	uint8_t head[COSE_PROTECTED_SIZE];
	struct writer h = writer_over(head, sizeof(head));

	cbor_put_map(&h, 2);
	cbor_put_int(&h, COSE_HEADER_ALGORITHM);
	cbor_put_int(&h, COSE_ALGORITHM_EDDSA);
	cbor_put_int(&h, COSE_HEADER_KEY_ID);
	cbor_put_bytes(&h, s->key_id, WIRE_ID_SIZE);
	if (h.failed)
		w->failed = true;
	cbor_put_bytes(w, head, h.len);
}

void cose_put_sign1(struct writer *w, const struct cose_sign1 *s)
{
	cbor_put_tag(w, COSE_SIGN1_TAG);
	cbor_put_array(w, 4);
	put_protected(w, s);
	cbor_put_map(w, 0);
	cbor_put_bytes(w, s->payload, s->payload_len);
	cbor_put_bytes(w, s->signature, COSE_SIGNATURE_SIZE);
}

void cose_put_signed(struct writer *w, const struct cose_sign1 *s)
{
	cbor_put_array(w, 4);
	cbor_put_text(w, "Signature1");
	put_protected(w, s);
	cbor_put_bytes(w, "", 0);
	cbor_put_bytes(w, s->payload, s->payload_len);
}

static void get_protected(struct reader *r, struct cose_sign1 *s)
{
	size_t n;
	const uint8_t *head = cbor_get_bytes(r, COSE_PROTECTED_SIZE, &n);
	struct reader h = reader_over(head, n);

	if (cbor_get_map(&h, 2) != 2 || cbor_get_int(&h) != COSE_HEADER_ALGORITHM ||
		cbor_get_int(&h) != COSE_ALGORITHM_EDDSA || cbor_get_int(&h) != COSE_HEADER_KEY_ID)
		r->failed = true;
	s->key_id = cbor_get_bytes(&h, WIRE_ID_SIZE, &n);
	if (n != WIRE_ID_SIZE || !reader_done(&h))
		r->failed = true;
}

void cose_get_sign1(struct reader *r, struct cose_sign1 *s)
{
	size_t n;

	if (cbor_get_tag(r) != COSE_SIGN1_TAG || cbor_get_array(r, 4) != 4)
		r->failed = true;
	get_protected(r, s);
	if (cbor_get_map(r, 0))
		r->failed = true;
	s->payload = cbor_get_bytes(r, SIZE_MAX, &s->payload_len);
	s->signature = cbor_get_bytes(r, COSE_SIGNATURE_SIZE, &n);
	if (n != COSE_SIGNATURE_SIZE)
		r->failed = true;
}

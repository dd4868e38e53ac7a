/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Key files: PEM around this DER, with implicit tags.
 *
 *   KeywardPrivateKey ::= SEQUENCE {
 *     version  INTEGER (1),
 *     name     UTF8String,                  -- at most 128 bytes; empty: the key has none
 *     id       OCTET STRING (SIZE (32)),    -- SHA-256 of the SubjectPublicKeyInfo
 *     spki     OCTET STRING,                -- SubjectPublicKeyInfo in DER
 *     record   [0] OCTET STRING OPTIONAL    -- of a sealed key
 *   }
 */
#include "key.h"

#include <stdlib.h>
#include <string.h>

#include "wire/der.h"

#define REFERENCE_VERSION 1

struct kw_reference {
	char name[KW_NAME_MAX + 1];
	uint8_t id[KW_ID_SIZE];
	uint8_t *spki;
	size_t spki_len;
	uint8_t *record; /* NULL for a stored key */
	size_t record_len;
};

static bool get_version(struct reader *r, unsigned *version)
{
	size_t len;
	const uint8_t *p = der_get_unsigned(r, 1, &len);

	*version = len == 1 ? p[0] : 0;
	return !r->failed;
}

/* The contents of the next element, which must have min to max bytes. NULL on failure. */
static const uint8_t *get_contents(
	struct reader *r, uint8_t tag, size_t min, size_t max, size_t *len)
{
	struct reader inner;

	der_get(r, tag, &inner);
	*len = reader_left(&inner);
	if (*len < min || *len > max)
		r->failed = true;
	return r->failed ? NULL : get_bytes(&inner, *len);
}

static enum kw_err bad_reference(const char *why)
{
	return explain(KW_ERR_BAD_REFERENCE,
		"this is not a good Keyward key file: %s; make it again: "
		"keyward key pem NAME -o FILE",
		why);
}

/* Fills the reference from what is inside the SEQUENCE, after the version. */
static enum kw_err read_body(struct reader *in, struct kw_reference *ref)
{
	const uint8_t *name, *id, *spki, *record = NULL;
	size_t name_len, id_len;

	name = get_contents(in, DER_UTF8_STRING, 0, KW_NAME_MAX, &name_len);
	id = get_contents(in, DER_OCTET_STRING, KW_ID_SIZE, KW_ID_SIZE, &id_len);
	spki = get_contents(in, DER_OCTET_STRING, 1, WIRE_SPKI_MAX, &ref->spki_len);
	if (reader_left(in))
		record = get_contents(in, DER_CONTEXT(0), 1, KW_RECORD_MAX, &ref->record_len);
	if (!reader_done(in) || !name || !id || !spki)
		return bad_reference("it is damaged or cut off");
	if (!name_is_good(name, name_len))
		return bad_reference("the key's name has characters that no name has");
	if (!der_is_well_formed(spki, ref->spki_len))
		return bad_reference("the public key is damaged");
	memcpy(ref->name, name, name_len);
	memcpy(ref->id, id, KW_ID_SIZE);
	ref->spki = copy_bytes(spki, ref->spki_len);
	if (record)
		ref->record = copy_bytes(record, ref->record_len);
	if (!ref->spki || (record && !ref->record))
		return explain(KW_ERR_NO_MEMORY, "there is no memory for a key file");
	return KW_ERR_OK;
}

enum kw_err kw_reference_parse(const uint8_t *der, size_t len, struct kw_reference **ref)
{
	struct reader r = reader_over(der, der ? len : 0);
	struct kw_reference *found = NULL;
	struct reader in;
	unsigned version;
	enum kw_err err;

	if (!ref)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	*ref = NULL;
	der_get(&r, DER_SEQUENCE, &in);
	if (len > KW_REFERENCE_MAX || !reader_done(&r) || !get_version(&in, &version)) {
		err = bad_reference("its contents are something else, or cut off");
		goto out;
	}
	if (version != REFERENCE_VERSION) {
		err = explain(KW_ERR_BAD_REFERENCE,
			"this key file has version %u, and this library knows "
			"version %d only; upgrade it, or make the file again",
			version, REFERENCE_VERSION);
		goto out;
	}
	found = calloc(1, sizeof(*found));
	err = found ? read_body(&in, found)
		    : explain(KW_ERR_NO_MEMORY, "there is no memory for a key file");
	if (err)
		goto out;
	*ref = found;
	found = NULL;
out:
	kw_reference_free(&found);
	return err;
}

void kw_reference_free(struct kw_reference **ref)
{
	if (!ref || !*ref)
		return;
	free((*ref)->spki);
	free((*ref)->record);
	free(*ref);
	*ref = NULL;
}

enum kw_err kw_reference_new(const struct kw_key *key, struct kw_reference **ref)
{
	struct kw_reference *made = NULL;
	enum kw_err err = KW_ERR_ARGUMENT;

	if (!ref)
		return explain(err, "there is no place for the result");
	*ref = NULL;
	if (key && kw_key_type_is_secret(key->type))
		return explain(err, "a secret key has no public key, which a key file needs");
	if (!key || !key->spki || (kw_key_is_sealed(key) && !key->record))
		return explain(err,
			"this description of a key lacks the public key, or the record of a "
			"sealed key: a key file needs them");
	err = KW_ERR_NO_MEMORY;
	made = calloc(1, sizeof(*made));
	if (!made)
		goto out;
	memcpy(made->name, key->name, sizeof(made->name));
	memcpy(made->id, key->id, KW_ID_SIZE);
	made->spki_len = key->spki_len;
	made->spki = copy_bytes(key->spki, key->spki_len);
	if (key->record) {
		made->record_len = key->record_len;
		made->record = copy_bytes(key->record, key->record_len);
	}
	if (!made->spki || (key->record && !made->record))
		goto out;
	*ref = made;
	made = NULL;
	err = KW_ERR_OK;
out:
	if (err)
		explain(err, "there is no memory for a key file");
	kw_reference_free(&made);
	return err;
}

const char *kw_reference_name(const struct kw_reference *r)
{
	return r->name;
}

const uint8_t *kw_reference_id(const struct kw_reference *r)
{
	return r->id;
}

const uint8_t *kw_reference_spki(const struct kw_reference *r, size_t *len)
{
	*len = r->spki_len;
	return r->spki;
}

const uint8_t *kw_reference_record(const struct kw_reference *r, size_t *len)
{
	*len = r->record_len;
	return r->record;
}

enum kw_err kw_reference_encode(const struct kw_reference *r, uint8_t *buf, size_t *len)
{
	static const uint8_t version = REFERENCE_VERSION;
	struct writer w = writer_over(buf, KW_REFERENCE_MAX);
	size_t mark;

	if (!r || !buf || !len)
		return explain(KW_ERR_ARGUMENT, "there is no key file, or no place for the result");
	*len = 0;
	mark = der_begin(&w, DER_SEQUENCE);
	der_put_unsigned(&w, &version, 1);
	der_put(&w, DER_UTF8_STRING, r->name, strlen(r->name));
	der_put(&w, DER_OCTET_STRING, r->id, KW_ID_SIZE);
	der_put(&w, DER_OCTET_STRING, r->spki, r->spki_len);
	if (r->record)
		der_put(&w, DER_CONTEXT(0), r->record, r->record_len);
	der_end(&w, mark);
	if (w.failed)
		return explain(KW_ERR_TOO_LARGE, "the key file would be larger than %d bytes",
			KW_REFERENCE_MAX);
	*len = w.len;
	return KW_ERR_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What an application says of a key that it makes. */
#ifndef FRONTENDS_PKCS11_TEMPLATE_H
#define FRONTENDS_PKCS11_TEMPLATE_H

#include "attribute.h"

struct key_request {
	bool is_token;
	uint32_t purposes;
	char name[KW_NAME_MAX + 1]; /* of a token key, as far as its label is one */
	uint8_t attributes[KW_ATTRIBUTES_MAX];
	size_t attributes_len;
	/* Of a secret key: */
	enum kw_key_type type; /* as far as the length is known */
	CK_KEY_TYPE key_type;
	size_t size;   /* bytes that were asked for; 0 for none */
	bool is_shown; /* a session key whose value the application may read */
	bool is_local; /* and that was made here */
};

enum rule {
	RULE_ANY,        /* looked at elsewhere, or it changes nothing */
	RULE_FALSE_ONLY, /* a flag with a meaning that is not there */
	RULE_TRUE_ONLY,
	RULE_KEPT,  /* in the TEE, with the key */
	RULE_DATE,  /* kept; empty or of eight characters */
	RULE_VALUE, /* of a key that is given, not made */
	RULE_MINE,  /* the token's to say */
};

struct attribute_rule {
	CK_ATTRIBUTE_TYPE type;
	enum rule rule;
};

/* CKR_ATTRIBUTE_TYPE_INVALID for what has no rule. `material`: the value is given. */
CK_RV template_check_rules(const struct attribute_rule *rules, size_t rule_count,
	const CK_ATTRIBUTE *attributes, CK_ULONG count, bool material);
/* Takes over what is kept with the key. */
CK_RV template_keep(
	const CK_ATTRIBUTE *attributes, CK_ULONG count, bool replace, struct key_request *request);
/* Keeps these flags (enum stored_flag), and that CKA_MODIFIABLE is false. */
CK_RV template_keep_flags(
	const CK_ATTRIBUTE *attributes, CK_ULONG count, uint8_t flags, uint8_t *list, size_t *len);
CK_RV template_expect(
	const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type, CK_ULONG value);

enum secret_source { SECRET_GENERATED, SECRET_GIVEN, SECRET_DERIVED, SECRET_UNWRAPPED };

/* Reads a secret key's template. key_type: what the mechanism makes, CK_UNAVAILABLE_INFORMATION if the template
 * has to say it. */
CK_RV template_read_secret(const CK_ATTRIBUTE *attributes, CK_ULONG count,
	enum secret_source source, CK_KEY_TYPE key_type, bool is_rw, struct key_request *request);
/* The type of an AES key of so many bytes; false: there is none. */
bool template_aes_type(size_t size, enum kw_key_type *type);

/* Reads a private key's template, whose type is known. `material`: attributes of the key's value are allowed. The standard's
 * codes for what cannot be had. */
CK_RV template_read(const CK_ATTRIBUTE *attributes, CK_ULONG count, enum kw_key_type type,
	bool material, bool is_rw, struct key_request *request);
/* A public key's template says nothing that the private one does not; only contradictions are found. The label
 * and id are taken when the private one has none. */
CK_RV template_read_public(const CK_ATTRIBUTE *attributes, CK_ULONG count, enum kw_key_type type,
	bool material, struct key_request *request);

#endif

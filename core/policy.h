/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may do what with a key. Asked on every use: lists may have changed since the last one. */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H

#include "core.h"
#include "crypto.h"

/* The owner and everyone on the access list. An administrator is not, by being one: he allows himself. */
bool policy_may_use(const struct session *s, const struct identity *owner,
	const struct identity *acl, unsigned acl_count) KW_MUST_USE;
/* The owner and administrators. */
bool policy_may_manage(const struct session *s, const struct identity *owner) KW_MUST_USE;

/* 1 to WIRE_NAME_MAX of [A-Za-z0-9._@+*-], first one of [A-Za-z0-9*_], and not like an id in hex. */
bool policy_name_is_good(const char *name, size_t len) KW_MUST_USE;
/* Not two that undermine each other, unless that is asked for: KW_ERR_MIXED; nor what only administrators
 * give: KW_ERR_NOT_OWNER. */
enum kw_err policy_purposes_check(const struct session *s, uint32_t purposes) KW_MUST_USE;
/* At least one, all known, all possible with the type. */
bool policy_purposes_fit(uint32_t purposes, enum key_type type) KW_MUST_USE;

/* Does the key's purpose allow this signature? Scheme and hash are checked against the type first:
 * KW_ERR_BAD_ALGORITHM, KW_ERR_PURPOSE, KW_ERR_TLS_MESSAGE. RSA_RAW: with purpose sign only a block that is
 * padded as a signature. */
enum kw_err policy_check_sign(
	enum key_type type, uint32_t purposes, const struct crypto_sign *what) KW_MUST_USE;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* How commands get at the key that they use. */
#ifndef CORE_USE_H
#define CORE_USE_H

#include "core_state.h"

#define FAMILY_BIT(family) (1u << (family))

/* Opens a key of one of the families that has all these purposes. KW_ERR_BAD_ALGORITHM, KW_ERR_PURPOSE (counted),
 * and what key_use gives. */
enum kw_err use_key(struct call *c, const uint8_t id[WIRE_ID_SIZE], unsigned families,
	uint32_t purposes, struct key **key) KW_MUST_USE;
/* Counts a refusal of an open key; gives KW_ERR_PURPOSE. */
enum kw_err use_refused(struct call *c, struct key *key) KW_MUST_USE;

#endif

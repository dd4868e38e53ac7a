/* SPDX-License-Identifier: BSD-2-Clause */
/* AlgorithmIdentifiers of signatures, for certificates, requests and CMS. */
#ifndef FRONTENDS_OPENSSL_ALGORITHM_ID_H
#define FRONTENDS_OPENSSL_ALGORITHM_ID_H

#include "common.h"

/* DER in *der, to be freed with OPENSSL_free; returns its length, 0 on failure. `key_nid` is
 * libcrypto's number of the key's algorithm, `hash` NULL for Ed25519. `salt` is the salt's
 * length for RSA-PSS. */
size_t front_algorithm_id(
	int key_nid, const struct front_hash *hash, bool pss, uint16_t salt, unsigned char **der);

#endif

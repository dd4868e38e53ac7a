/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a TLS endpoint signs in a handshake, and nothing else: docs/PURPOSES.md. The caller is taken
 * for hostile: it has chosen every byte of the message.
 */
#ifndef CORE_TLS_MESSAGE_H
#define CORE_TLS_MESSAGE_H

#include "crypto.h"

/*
 * KW_ERR_OK only when what->data is, as a whole, what a server (a client) signs in TLS 1.3, TLS 1.2
 * or DTLS 1.2, with an algorithm that this version allows for a key of this type.
 * KW_ERR_TLS_MESSAGE: anything else, and every digest. KW_ERR_BAD_ALGORITHM: such a message, but
 * not with this scheme, hash or salt length. No message passes both functions.
 */
enum kw_err tls_message_check_server(
	enum key_type type, const struct crypto_sign *what) KW_MUST_USE;
enum kw_err tls_message_check_client(
	enum key_type type, const struct crypto_sign *what) KW_MUST_USE;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The handshake messages that a TLS 1.2 client signs, as one piece. */
#ifndef CORE_TLS_TRANSCRIPT_H
#define CORE_TLS_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True when m is, exactly, all messages of a TLS 1.2 or DTLS 1.2 handshake from ClientHello to
 * ClientKeyExchange, in which the server asked for a certificate (RFC 5246 7.4.8, 6347 4.2.6). */
bool tls_transcript_is_client(const uint8_t *m, size_t n);

#endif

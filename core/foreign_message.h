/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages that other protocols sign, recognised by their form: what a TLS key must not sign. */
#ifndef CORE_FOREIGN_MESSAGE_H
#define CORE_FOREIGN_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hello_form {
	HELLO_NONE,
	HELLO_TLS,
	HELLO_DTLS,
	HELLO_SSL2, /* the form of RFC 5246 E.2, which some servers still take */
};

/* How a handshake transcript that starts with these bytes would have been framed. */
enum hello_form foreign_hello_form(const uint8_t *m, size_t n);

/*
 * True for what could be, as a whole, a TBSCertificate, CertificationRequestInfo, CMS attributes or
 * any other ASN.1 structure; an SSH user authentication, signature or certificate; a COSE, DSSE or
 * OpenPGP signature's input. It errs on the side of true. docs/PURPOSES.md says how rarely.
 */
bool foreign_message(const uint8_t *m, size_t n);

#endif

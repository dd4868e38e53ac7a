/* SPDX-License-Identifier: BSD-2-Clause */
#include "foreign_message.h"

#include <string.h>

#include "wire/codec.h"
#include "wire/der.h"

#define CLIENT_HELLO 1
#define SSH_USERAUTH_REQUEST 50

enum hello_form foreign_hello_form(const uint8_t *m, size_t n)
{
	static const uint8_t no_offset[4];

	/* No handshake message here is over 64 KiB: the first byte of its length is zero. */
	if (n < 9 || m[0] != CLIENT_HELLO)
		return HELLO_NONE;
	if (m[1] == 0 && m[4] == 3 && m[5] < 0x10)
		return HELLO_TLS;
	/* RFC 6347 4.2.2: length, sequence number, fragment offset 0, fragment length, version. */
	if (n >= 14 && m[1] == 0 && m[4] == 0 && memcmp(m + 6, no_offset, 4) == 0 &&
		memcmp(m + 2, m + 10, 2) == 0 && m[12] == 0xfe)
		return HELLO_DTLS;
	/* Version, then the lengths of ciphers, session id and challenge; the last two are small.
	 */
	if (m[1] == 3 && m[2] < 0x10 && m[5] == 0 && m[6] <= 32 && m[7] == 0 && m[8] >= 16 &&
		m[8] <= 64)
		return HELLO_SSL2;
	return HELLO_NONE;
}

/* RFC 4252 7: session identifier, SSH_MSG_USERAUTH_REQUEST, user, service, method. */
static bool is_ssh_userauth(const uint8_t *m, size_t n)
{
	struct reader r = reader_over(m, n);
	size_t len, session;

	get_field32(&r, 64, &session);
	if (get_u8(&r) != SSH_USERAUTH_REQUEST)
		return false;
	for (int i = 0; i < 3; i++)
		get_field32(&r, n, &len);
	return !r.failed && session >= 16;
}

/* Fixed words that the inputs of signatures begin with. */
static bool has_known_prefix(const uint8_t *m, size_t n)
{
	static const struct {
		uint8_t offset;
		uint8_t len;
		const char *text;
	} known[] = {
		{0, 6, "SSHSIG"},              /* OpenSSH's PROTOCOL.sshsig */
		{4, 4, "ssh-"},                /* certificates, PROTOCOL.certkeys */
		{4, 6, "ecdsa-"},              /* the same */
		{4, 4, "rsa-"},                /* the same */
		{4, 3, "sk-"},                 /* the same */
		{0, 12, "\x84\x6aSignature1"}, /* COSE, RFC 9052 4.4 */
		{0, 11, "\x85\x69Signature"},  /* the same, with several signers */
		{0, 7, "DSSEv1 "},             /* Dead Simple Signing Envelope */
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (n < (size_t)known[i].offset + known[i].len)
			continue;
		/* What stands before the word is its length, in four bytes. */
		if (known[i].offset && (m[0] || m[1] || m[2]))
			continue;
		if (memcmp(m + known[i].offset, known[i].text, known[i].len) == 0)
			return true;
	}
	return false;
}

/* RFC 9580 5.2.4: after the document the signature's head, then version, 0xff, and the head's
 * length, in 4 bytes (8 in version 5). */
static bool has_openpgp_trailer(const uint8_t *m, size_t n)
{
	static const struct {
		uint8_t version;
		uint8_t size;
	} forms[] = {{4, 6}, {5, 10}, {6, 6}};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct reader r;
		uint64_t len;

		if (n < forms[i].size)
			continue;
		r = reader_over(m + n - forms[i].size, forms[i].size);
		if (get_u8(&r) != forms[i].version || get_u8(&r) != 0xff)
			continue;
		len = forms[i].size == 10 ? get_u64(&r) : get_u32(&r);
		if (len >= 4 && len <= n - forms[i].size &&
			m[n - forms[i].size - len] == forms[i].version)
			return true;
	}
	return false;
}

bool foreign_message(const uint8_t *m, size_t n)
{
	return der_may_be_structure(m, n) || is_ssh_userauth(m, n) || has_known_prefix(m, n) ||
	       has_openpgp_trailer(m, n);
}

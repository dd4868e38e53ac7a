/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the client library share. Nothing here is exported. */
#ifndef CLIENT_INTERNAL_H
#define CLIENT_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#include "keyward/keyward.h"
#include "wire/codec.h"
#include "wire/wire.h"

struct transport;
struct pool;

#define DEFAULT_TIMEOUT_MS 10000u
#define LONG_TIMEOUT_MS 180000u
/* How long a call waits for a TEE that was there before, because it may be restarting. */
#define RESTART_WAIT_MS 3000u

#define SOCKET_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

#define TICKET_WORDS (WIRE_TICKET_SIZE / sizeof(uint64_t))

/* See tickets.h. */
struct ticket_place {
	atomic_uint state;
	atomic_uint user;
	atomic_int pid; /* that logged in */
	_Atomic uint64_t words[TICKET_WORDS];
};

struct kw {
	const struct transport *transport;
	unsigned timeout_ms;
	/* The root directory when the context was made: tells a chroot from a TEE that is not there. */
	dev_t root_dev;
	ino_t root_ino;
	atomic_bool
		had_tee; /* a connection worked before, and waiting for it was not in vain since */
	_Atomic(struct pool *) pool;                    /* never NULL */
	struct ticket_place tickets[WIRE_SLOT_MAX + 1]; /* by slot */
	atomic_uint logins;                             /* changes of them */
	atomic_bool has_forgotten; /* some login ended: connections may still have it */
	/* For sentences: "the TEE at /run/keyward/tee.sock" or "OP-TEE", and how the command line
	 * reaches the same one. */
	char called[SOCKET_PATH_SIZE + 16];
	const char *cli;
	char socket[SOCKET_PATH_SIZE]; /* of the host TEE, else empty */
};

/* --- errors.c, explain.c --- */

bool error_is_from_tee(uint16_t number);

/* Sets the sentence that kw_explain gives and returns err, so that failing is one line. */
enum kw_err explain(enum kw_err err, const char *format, ...) __attribute__((format(printf, 2, 3)));
void explain_clear(void);

/* What a call was about, for its explanation. All of it may be NULL or 0. */
struct subject {
	const char *name;
	const char *new_name; /* that a key was to get */
	const uint8_t *id;
	bool sealed;
	bool is_object;    /* not a key */
	unsigned slot;     /* of a token: this is about nothing else */
	uint32_t purposes; /* of the key, when they are known */
};

struct subject subject_of_target(const struct kw_target *t);
/* Explains an error that the TEE answered to `command`. */
enum kw_err explain_answer(
	const struct kw *kw, uint16_t command, enum kw_err err, const struct subject *s);
/* Explains why the host TEE could not be reached; chooses the error for the system's. */
enum kw_err explain_connect(const struct kw *kw, int error);
/* True when the program has changed its root directory since the context was made: then the TEE may
 * well be there, but not in this root. */
bool root_has_changed(const struct kw *kw);
/* Size of a buffer for any caller_text. */
#define CALLER_TEXT_SIZE 96
/* "user www-data (uid 33)" of this process. */
void caller_text(char *buf, size_t size);

/* --- identity.c --- */

/* True for text without control characters: what may be shown on a terminal. */
bool text_is_clean(const uint8_t *text, size_t len);
bool user_name(uint32_t uid, char *buf, size_t size);
bool group_name(uint32_t gid, char *buf, size_t size);

/* --- helpers --- */

/* A number of an enum as the byte that travels: one that does not fit becomes one that no TEE
 * knows. */
static inline uint8_t enum_byte(unsigned v)
{
	return v < UINT8_MAX ? (uint8_t)v : UINT8_MAX;
}

/* A copy, NULL when there is no memory. */
uint8_t *copy_bytes(const uint8_t *src, size_t len);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* A TEE for the tests of the client library: real frames on a real socket, answers as a test
 * wants them. */
#ifndef CLIENT_TEST_FAKE_TEE_H
#define CLIENT_TEST_FAKE_TEE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "keyward/keyward.h"
#include "wire/codec.h"
#include "wire/wire.h"

enum fake_action {
	FAKE_ANSWER = 0, /* err, and the payload in reply */
	FAKE_CLOSE,      /* read the request and close */
	FAKE_SILENT,     /* never answer */
	FAKE_RAW,        /* the payload is the whole frame */
};

/* One request as the handler of a test sees it. */
struct fake_request {
	uint16_t command;
	unsigned connection; /* 1 for the first that was accepted */
	unsigned count;      /* of this command over all connections, from 1 */
	struct reader payload;
	uint16_t err; /* out */
	enum fake_action action;
	struct writer reply;
};

#define FAKE_COMMANDS 64 /* those of the table have lower numbers */
#define FAKE_CONNECTIONS 256

struct fake_tee {
	char folder[64];
	char path[96];
	int listener;
	pthread_t thread;
	pthread_mutex_t mutex; /* for fds */
	int fds[FAKE_CONNECTIONS];
	/* Called from the threads of the connections. HELLO comes here only with `own_hello`. */
	void (*handler)(struct fake_tee *f, struct fake_request *rq);
	bool own_hello;
	uint8_t refusal;                   /* an error to send before that */
	bool refuse;                       /* close connections as soon as they are accepted */
	atomic_uint connections;           /* accepted so far */
	atomic_uint open;                  /* now */
	atomic_uint counts[FAKE_COMMANDS]; /* requests by command */
	atomic_uint hello_cpu;             /* of the last HELLO */
};

/* A folder for the socket; nothing listens yet. */
void fake_init(struct fake_tee *f);
void fake_listen(struct fake_tee *f);
/* Init and listen. */
void fake_start(struct fake_tee *f, void (*handler)(struct fake_tee *, struct fake_request *));
/* Stops listening and closes every connection, as a TEE that is killed. fake_listen starts
 * again. */
void fake_stop(struct fake_tee *f);
/* Stop, and remove the folder. */
void fake_end(struct fake_tee *f);
/* A context for it. timeout_ms 0: the default. */
struct kw *fake_kw(const struct fake_tee *f, unsigned timeout_ms);

void fake_hello(struct fake_request *rq);
/* A good description; spki_len 0 for one of a listing. */
void fake_description(struct writer *w, const char *name, uint8_t place, size_t spki_len);
/* A public object with a value of 5 bytes. */
void fake_object(struct writer *w);
/* An attestation statement, complete but for its signature, which no device made. */
void fake_statement(struct writer *w);
/* Waits until so many connections are open, for some seconds at most, and tells how many are. */
unsigned fake_wait_for_open(struct fake_tee *f, unsigned wanted);

/* A handler for SIGN whose signatures are the data's first 64 bytes, and a call that checks
 * that. */
void fake_signer(struct fake_tee *f, struct fake_request *rq);
enum kw_err fake_sign(struct kw *kw, const char *text);
/* Keeps the thread on one CPU, so that a call finds the connection of the call before. */
void fake_stay_on_cpu(unsigned cpu);
extern const uint8_t fake_id[KW_ID_SIZE];

#endif

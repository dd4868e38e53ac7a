/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection to OP-TEE, and the thread that carries its calls: see transport_optee.c. */
#ifndef CLIENT_OPTEE_CARRIER_H
#define CLIENT_OPTEE_CARRIER_H

#include <semaphore.h>

#include "tee_client.h"
#include "transport.h"

#define OPTEE_RETRY_MS 20

/* What failed when a connection was opened. */
enum step {
	STEP_DEVICE,
	STEP_SESSION,
	STEP_MEMORY,
	STEP_DONE,
};

struct optee_link {
	struct link base;
	const struct tee_client *tee;
	union tee_context context;
	union tee_session session;
	struct tee_memory memory;
	/* What the context's descriptor is: a program that closes descriptors which are not its own
	 * may have given the number to something else. is_known: libteec's is where it is expected. */
	bool is_known;
	dev_t dev;
	ino_t ino;

	sem_t go;         /* the carrier has something to do */
	sem_t done;       /* it has done it */
	atomic_bool left; /* nobody will ask for more: take it down */
	atomic_bool late; /* the caller did not wait for the end of a call */
	uint64_t open_until_ms;

	/* Between go and done they are the carrier's, else the caller's. */
	uint16_t command;
	size_t request_len;
	size_t frame_max;
	size_t frame_len;
	enum step step;
	uint32_t result;
	uint32_t origin;
};

/* The request begins the shared memory, the reply's frame its other half. */
uint8_t *optee_request(const struct optee_link *l);
uint8_t *optee_frame(const struct optee_link *l);
/* Starts the carrier, which opens the connection and posts l->done. From then on it carries out one
 * call for each post of l->go, until l->left is set: then it frees l. The result is an errno. */
int carrier_start(struct optee_link *l) KW_MUST_USE;
/* One invocation, by whoever owns the link at the moment. */
void optee_invoke(struct optee_link *l);
/* Lets go of memory and device, but not of the session. */
void optee_drop(struct optee_link *l);

/* When an invocation of this process came back last, on the clock of now_ms(). */
extern _Atomic uint64_t optee_alive_ms;
/* Calls of this process that are late and still in OP-TEE. */
atomic_uint *optee_stuck(void);

void sleep_ms(unsigned ms);

#endif

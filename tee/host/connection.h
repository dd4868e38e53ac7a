/* SPDX-License-Identifier: BSD-2-Clause */
/* One client's connection, and the frames on it. Exactly one thread owns a connection at any time.
 */
#ifndef TEE_HOST_CONNECTION_H
#define TEE_HOST_CONNECTION_H

#include <sys/types.h>

#include "core/core.h"
#include "fair.h"

struct server_thread;
struct admission;

struct connection {
	_Alignas(CACHE_LINES) struct fair_item item; /* in the queue of its thread */
	struct fair_caller *caller;   /* in that queue; NULL until the thread has met it */
	struct server_thread *thread; /* NULL in the lobby */
	struct connection *next;      /* in the list of all, under the lock of admission */
	struct connection *prev;
	struct connection *younger; /* in the lobby's list */
	struct connection *older;
	uint64_t deadline; /* for HELLO, ns */
	int fd;
	bool queued;
	struct session session;
	struct grants grants; /* of the session */
};

/* Private buffers of a thread, of WIRE_MAX_FRAME + 1 bytes. */
struct buffers {
	uint8_t *request;
	uint8_t *reply;
	bool secret; /* in secret memory */
};
enum kw_err buffers_new(struct buffers *b) KW_MUST_USE;
void buffers_free(struct buffers *b);

enum received {
	RECEIVED_NOTHING, /* no message is waiting */
	RECEIVED_FRAME,
	RECEIVED_BAD, /* a message that is no frame: *err is the answer, and the connection ends */
	RECEIVED_END, /* the client is gone */
	RECEIVED_STUCK, /* a message with descriptors, which stays where it is: the connection ends
			 */
};

/*
 * For a kernel that lets clients pass descriptors (see listener.c): from now on no message is read
 * or dropped that has any. Each connection has to be prepared then. Before other threads run.
 */
void connection_watch_descriptors(void);
bool connection_watches_descriptors(void);
bool connection_prepare(int fd) KW_MUST_USE;
/* Closes it; false when that may take as long as the client likes, and the caller has to find
 * somebody who can wait. */
bool connection_close(int fd) KW_MUST_USE;

/* Reads one message into b->request: the one copy that is looked at. */
enum received connection_receive(struct connection *c, struct buffers *b, uint16_t *command,
	size_t *payload, enum kw_err *err);
/* Sends the reply whose payload is in frame + WIRE_HEADER. Never waits: false when it did not fit.
 */
bool connection_reply(
	struct connection *c, uint8_t *frame, enum kw_err err, size_t payload) KW_MUST_USE;
/* An error to a client that will be closed: reads what it has sent, since an unread message would
 * make the kernel drop the answer (unix(7), ECONNRESET). */
void connection_refuse(int fd, enum kw_err err);

#endif

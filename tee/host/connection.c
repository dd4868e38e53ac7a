/* SPDX-License-Identifier: BSD-2-Clause */
#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "secret_memory.h"
#include "wire/codec.h"

/* The sockets do not block and SIGPIPE is ignored, so read and write do, and the filter of system calls needs none
 * of the calls that name an address or pass descriptors. */

#define BUFFER_SIZE (WIRE_MAX_FRAME + 1)

enum kw_err buffers_new(struct buffers *b)
{
	/* Keys come first: with many CPUs and little locked memory these go elsewhere. They are wiped after use. */
	b->secret = secret_memory_mapped() + 2 * BUFFER_SIZE <= secret_memory_limit() / 2;
	b->request = b->secret ? secret_alloc(BUFFER_SIZE) : malloc(BUFFER_SIZE);
	b->reply = b->secret ? secret_alloc(BUFFER_SIZE) : malloc(BUFFER_SIZE);
	return b->request && b->reply ? KW_ERR_OK : KW_ERR_NO_MEMORY;
}

void buffers_free(struct buffers *b)
{
	if (b->secret) {
		secret_free(b->request);
		secret_free(b->reply);
	} else {
		free(b->request);
		free(b->reply);
	}
	*b = (struct buffers){ 0 };
}

enum received connection_receive(struct connection *c, struct buffers *b, uint16_t *command, size_t *payload,
	enum kw_err *err)
{
	struct reader r;
	ssize_t n;

	*command = 0;
	*payload = 0;
	*err = KW_ERR_OK;
	/* One byte more than a frame tells a message that is too long: the rest of it is dropped. */
	n = read(c->fd, b->request, BUFFER_SIZE);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return RECEIVED_NOTHING;
	if (n <= 0)
		return RECEIVED_END;
	*err = KW_ERR_TOO_LARGE;
	if (n > WIRE_MAX_FRAME)
		return RECEIVED_BAD;
	r = reader_over(b->request, (size_t)n);
	*command = get_u16(&r);
	*err = KW_ERR_BAD_REQUEST;
	if (get_u16(&r) != 0 || r.failed)
		return RECEIVED_BAD;
	*err = KW_ERR_OK;
	*payload = (size_t)n - WIRE_HEADER;
	return RECEIVED_FRAME;
}

bool connection_reply(struct connection *c, uint8_t *frame, enum kw_err err, size_t payload)
{
	struct writer w = writer_over(frame, WIRE_HEADER);
	size_t n = WIRE_HEADER + payload;

	put_u16(&w, (uint16_t)err);
	put_u16(&w, 0);
	return write(c->fd, frame, n) == (ssize_t)n;
}

void connection_refuse(int fd, enum kw_err err)
{
	uint8_t frame[WIRE_HEADER];
	struct writer w = writer_over(frame, sizeof(frame));
	uint8_t unread;

	put_u16(&w, (uint16_t)err);
	put_u16(&w, 0);
	for (unsigned i = 0; i < 64 && read(fd, &unread, 1) > 0; i++)
		;
	/* Whether it arrives is up to the client. */
	if (write(fd, frame, sizeof(frame)) < 0)
		return;
	(void)shutdown(fd, SHUT_RDWR);
}

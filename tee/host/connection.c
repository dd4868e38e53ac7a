/* SPDX-License-Identifier: BSD-2-Clause */
#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "secret_memory.h"
#include "wire/codec.h"

/* The sockets do not block and SIGPIPE is ignored, so read and write do, and the filter of system
 * calls needs none of the calls that name an address or, where the kernel can refuse descriptors,
 * receive them. */

#define BUFFER_SIZE (WIRE_MAX_FRAME + 1)

enum kw_err buffers_new(struct buffers *b)
{
	/* Keys come first: with many CPUs and little locked memory these go elsewhere. They are
	 * wiped after use. */
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
	*b = (struct buffers){0};
}

static bool watching;

void connection_watch_descriptors(void)
{
	watching = true;
}

bool connection_watches_descriptors(void)
{
	return watching;
}

bool connection_prepare(int fd)
{
	const int yes = 1;

	return !watching || !setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes));
}

enum next {
	NEXT_NOTHING,
	NEXT_PLAIN,
	NEXT_DESCRIPTORS,
};

/*
 * What is the next message? Each has the credentials of its sender, which tells an empty one from
 * none, and there is room for nothing else: the kernel says that it left descriptors out, and they
 * stay in the message (MSG_PEEK).
 */
static enum next look(int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct msghdr m;

	/* An error of the connection comes before its messages, once. */
	for (unsigned i = 0; i < 4; i++) {
		m = (struct msghdr){.msg_control = &control, .msg_controllen = sizeof(control)};
		if (recvmsg(fd, &m, MSG_PEEK) >= 0) {
			if (m.msg_flags & MSG_CTRUNC)
				return NEXT_DESCRIPTORS;
			return m.msg_controllen ? NEXT_PLAIN : NEXT_NOTHING;
		}
		if (errno == EAGAIN)
			return NEXT_NOTHING;
	}
	return NEXT_DESCRIPTORS;
}

bool connection_close(int fd)
{
	enum next next = NEXT_NOTHING;
	uint8_t unread;

	/* No message comes any more, so those that are there can be gone through. */
	if (watching && !shutdown(fd, SHUT_RDWR)) {
		while ((next = look(fd)) == NEXT_PLAIN && read(fd, &unread, 1) >= 0)
			;
	}
	if (next == NEXT_DESCRIPTORS)
		return false;
	close(fd);
	return true;
}

enum received connection_receive(struct connection *c, struct buffers *b, uint16_t *command,
	size_t *payload, enum kw_err *err)
{
	struct reader r;
	ssize_t n;

	*command = 0;
	*payload = 0;
	*err = KW_ERR_OK;
	if (watching && look(c->fd) == NEXT_DESCRIPTORS)
		return RECEIVED_STUCK;
	/* One byte more than a frame tells a message that is too long: the rest of it is dropped.
	 */
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
	for (unsigned i = 0; i < 64; i++) {
		if ((watching && look(fd) == NEXT_DESCRIPTORS) || read(fd, &unread, 1) <= 0)
			break;
	}
	/* Whether it arrives is up to the client. */
	if (write(fd, frame, sizeof(frame)) < 0)
		return;
	(void)shutdown(fd, SHUT_RDWR);
}

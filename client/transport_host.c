/* SPDX-License-Identifier: BSD-2-Clause */
/* The host TEE: SOCK_SEQPACKET messages on a Unix socket, docs/PROTOCOL.md "The frame". */
#include "transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct host_link {
	struct link base;
	int fd;
	/* Which socket fd was: a program that closes descriptors which are not its own may
	 * have given the number to something else by the time we close it. */
	dev_t dev;
	ino_t ino;
	unsigned wait_ms; /* SO_RCVTIMEO as it is set */
	uint8_t request[WIRE_MAX_FRAME];
	uint8_t reply[WIRE_MAX_FRAME];
};

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct deadline deadline_in(unsigned timeout_ms)
{
	return (struct deadline){.at_ms = now_ms() + timeout_ms, .timeout_ms = timeout_ms};
}

unsigned deadline_left(const struct deadline *d)
{
	uint64_t now = now_ms();

	return now < d->at_ms ? (unsigned)(d->at_ms - now) : 0;
}

static struct host_link *host(struct link *link)
{
	return (struct host_link *)link;
}

static bool set_wait(int fd, int option, unsigned ms)
{
	struct timeval t = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

	/* Zero would be for ever. */
	if (ms == 0)
		t.tv_usec = 1000;
	return setsockopt(fd, SOL_SOCKET, option, &t, sizeof(t)) == 0;
}

static void host_close(struct link *link)
{
	struct host_link *l = host(link);
	struct stat st;

	if (fstat(l->fd, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
		close(l->fd);
	free(l);
}

/* A full backlog blocks connect() for SO_SNDTIMEO. */
static int connect_until(int fd, const char *path, const struct deadline *d)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int error;

	memcpy(addr.sun_path, path, strlen(path));
	do {
		unsigned left = deadline_left(d);

		if (left == 0)
			return EAGAIN;
		if (!set_wait(fd, SO_SNDTIMEO, left))
			return errno;
		error = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ? errno : 0;
	} while (error == EINTR);
	return error;
}

static enum kw_err host_open(struct kw *kw, const struct deadline *d, struct link **link)
{
	struct host_link *l = malloc(sizeof(*l));
	enum kw_err err = KW_ERR_NO_MEMORY;
	struct stat st;
	int fd = -1;
	int error;

	*link = NULL;
	if (!l) {
		explain(err, "there is no memory for a connection to the TEE");
		goto out;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	error = fd < 0 ? errno : connect_until(fd, kw->socket, d);
	if (!error && (fstat(fd, &st) || !set_wait(fd, SO_RCVTIMEO, d->timeout_ms) ||
			      !set_wait(fd, SO_SNDTIMEO, d->timeout_ms)))
		error = errno;
	if (error) {
		err = explain_connect(kw, error);
		goto out;
	}
	/* The buffers stay as they are: pages that are never used are never given to the
	 * process. */
	l->base = (struct link){.request = l->request + WIRE_HEADER,
		.reply = l->reply + WIRE_HEADER,
		.euid = geteuid()};
	l->fd = fd;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	l->wait_ms = d->timeout_ms;
	*link = &l->base;
	l = NULL;
	fd = -1;
	err = KW_ERR_OK;
out:
	if (fd >= 0)
		close(fd);
	free(l);
	return err;
}

static enum kw_err timed_out(const struct kw *kw, const struct deadline *d)
{
	return explain(KW_ERR_TIMEOUT, "the TEE at %s did not answer within %u ms", kw->socket,
		d->timeout_ms);
}

/* An error of send or recv that ends the connection. */
static enum kw_err broken(const struct kw *kw, int error)
{
	switch (error) {
	case EPIPE:
	case ECONNRESET:
	case ENOTCONN:
	case EBADF:
	case ENOTSOCK:
		return explain(KW_ERR_DISCONNECTED,
			"the TEE at %s closed the connection before it answered; it may have "
			"stopped or "
			"be restarting: keyward status",
			kw->socket);
	case ENOMEM:
	case ENOBUFS:
		return explain(
			KW_ERR_NO_MEMORY, "the system has no memory for a request to the TEE");
	default:
		return explain(KW_ERR_SYSTEM, "talking to the TEE at %s failed: %s", kw->socket,
			strerror(error));
	}
}

/* Requests are larger than a small net.core.wmem_default lets through. */
static bool enlarge_buffer(int fd)
{
	int size = WIRE_MAX_FRAME + 4096;

	return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == 0;
}

static enum kw_err send_request(struct kw *kw, struct host_link *l, const struct exchange *x)
{
	bool enlarged = false;

	for (;;) {
		/* A sequenced packet is sent whole or not at all. */
		if (send(l->fd, l->request, WIRE_HEADER + x->request_len, MSG_NOSIGNAL) >= 0)
			return KW_ERR_OK;
		if (errno == EMSGSIZE && !enlarged) {
			enlarged = enlarge_buffer(l->fd);
			if (!enlarged)
				return broken(kw, EMSGSIZE);
			continue;
		}
		if (errno == EINTR && deadline_left(x->deadline))
			continue;
		if (errno == EINTR || errno == EAGAIN)
			return timed_out(kw, x->deadline);
		return broken(kw, errno);
	}
}

static enum kw_err receive_reply(
	struct kw *kw, struct host_link *l, const struct exchange *x, size_t *len)
{
	unsigned want = x->late ? deadline_left(x->deadline) : x->deadline->timeout_ms;
	ssize_t n;

	for (;;) {
		if (want == 0)
			return timed_out(kw, x->deadline);
		if (want != l->wait_ms) {
			if (!set_wait(l->fd, SO_RCVTIMEO, want))
				return broken(kw, errno);
			l->wait_ms = want;
		}
		/* MSG_TRUNC: a message that is too long tells its true length. */
		n = recv(l->fd, l->reply, sizeof(l->reply), MSG_TRUNC);
		if (n > 0)
			break;
		if (n == 0)
			return broken(kw, ECONNRESET);
		if (errno == EAGAIN)
			return timed_out(kw, x->deadline);
		if (errno != EINTR)
			return broken(kw, errno);
		/* A signal came: wait for what is left, not for all of it again. */
		want = deadline_left(x->deadline);
	}
	*len = (size_t)n;
	return KW_ERR_OK;
}

static bool read_header(const struct host_link *l, size_t len, struct exchange *x)
{
	struct reader r;
	uint16_t reserved;

	if (len < WIRE_HEADER || len > sizeof(l->reply))
		return false;
	r = reader_over(l->reply, len);
	x->answer = get_u16(&r);
	reserved = get_u16(&r);
	x->reply_len = reader_left(&r);
	return !r.failed && reserved == 0;
}

/* A TEE that does not admit us says why and closes, perhaps before it read our greeting: sending or
 * receiving then fails although its frame is there. */
static bool read_refusal(struct host_link *l, struct exchange *x)
{
	ssize_t n = -1;

	/* The first error is the connection's own and is reported once; the frame comes after
	 * it. */
	for (int i = 0; i < 3 && n < 0; i++)
		n = recv(l->fd, l->reply, sizeof(l->reply), MSG_TRUNC | MSG_DONTWAIT);
	return n > 0 && read_header(l, (size_t)n, x) && x->answer;
}

static enum kw_err host_exchange(struct kw *kw, struct link *link, struct exchange *x)
{
	struct host_link *l = host(link);
	struct writer w = writer_over(l->request, WIRE_HEADER);
	enum kw_err err;
	size_t len = 0;

	x->sent = false;
	put_u16(&w, x->command);
	put_u16(&w, 0);
	err = send_request(kw, l, x);
	if (!err) {
		x->sent = true;
		err = receive_reply(kw, l, x, &len);
	}
	if (err == KW_ERR_DISCONNECTED && x->command == CMD_HELLO && read_refusal(l, x))
		return KW_ERR_OK;
	if (err)
		return err;
	if (!read_header(l, len, x))
		return explain(KW_ERR_PROTOCOL,
			"what listens at %s sent a frame that makes no sense; is it keyward-teed?",
			kw->socket);
	return KW_ERR_OK;
}

const struct transport transport_host = {
	.name = "host",
	.tee_kind = TEE_KIND_HOST,
	.stranger = "is it keyward-teed?",
	.log = "see its log: journalctl -u keyward-teed",
	.damaged = "see its log: journalctl -u keyward-teed",
	.open = host_open,
	.exchange = host_exchange,
	.close = host_close,
	/* The parent has its own descriptor of the socket; closing ours sends nothing. */
	.abandon = host_close,
};

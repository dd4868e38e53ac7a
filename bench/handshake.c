/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time that a full TLS 1.3 handshake takes, one connection at a time, without resumption.
 *
 *	handshake COUNT PORT…
 *
 * The ports of 127.0.0.1 are visited in turn, so that all see the same machine. One line for each port:
 * port, then p50, p99 and mean in microseconds, from the ClientHello until the handshake is complete.
 */
#include "rounds.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORTS_MAX 8

/* Seconds, negative on failure. */
static double one_handshake(SSL_CTX *ctx, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	SSL *ssl = SSL_new(ctx);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	double begin;
	double took = -1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!ssl || fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		goto out;
	SSL_set_fd(ssl, fd);
	begin = bench_now();
	if (SSL_connect(ssl) == 1)
		took = bench_now() - begin;
	else
		ERR_print_errors_fp(stderr);
out:
	SSL_free(ssl);
	if (fd >= 0)
		close(fd);
	return took;
}

int main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	double *times[PORTS_MAX] = {0};
	double sums[PORTS_MAX] = {0};
	int count = argc > 2 ? atoi(argv[1]) : 0;
	int ports = argc - 2;
	int result = 1;

	if (count <= 0 || ports > PORTS_MAX || !ctx) {
		fprintf(stderr, "usage: handshake COUNT PORT…\n");
		return 2;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	for (int p = 0; p < ports; p++) {
		times[p] = calloc((size_t)count, sizeof(double));
		if (!times[p])
			goto out;
	}
	for (int i = -20; i < count; i++) {
		for (int p = 0; p < ports; p++) {
			double took = one_handshake(ctx, (uint16_t)atoi(argv[2 + p]));

			if (took < 0) {
				fprintf(stderr, "handshake: port %s failed\n", argv[2 + p]);
				goto out;
			}
			if (i < 0)
				continue; /* warming up */
			times[p][i] = took * 1e6;
			sums[p] += took * 1e6;
		}
	}
	for (int p = 0; p < ports; p++)
		printf("%s %.1f %.1f %.1f\n", argv[2 + p],
			bench_percentile(times[p], (size_t)count, 0.5),
			bench_percentile(times[p], (size_t)count, 0.99), sums[p] / count);
	result = 0;
out:
	for (int p = 0; p < ports; p++)
		free(times[p]);
	SSL_CTX_free(ctx);
	return result;
}

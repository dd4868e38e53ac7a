/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has a TEE built with host_hook.c make a system call. host_escape SOCKET NUMBER WHICH STRING
 * ARGUMENT…: prints "result N", or "died" when the TEE did not live to answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_raw.h"
#include "wire/codec.h"
#include "wire/wire.h"

#define HOOK 0x7ffe

int main(int argc, char **argv)
{
	static uint8_t payload[WIRE_MAX_PAYLOAD];
	uint8_t frame[512];
	struct writer w = writer_over(frame, sizeof(frame));
	struct reader r;
	size_t n = 0;
	int fd, err;

	if (argc < 5)
		return 2;
	raw_path = argv[1];
	fd = raw_open(0);
	put_u16(&w, HOOK);
	put_u16(&w, 0);
	put_u16(&w, (uint16_t)strtoul(argv[2], NULL, 0));
	put_u8(&w, (uint8_t)strtoul(argv[3], NULL, 0));
	for (int i = 0; i < 6; i++)
		put_u64(&w, 5 + i < argc ? (uint64_t)strtoll(argv[5 + i], NULL, 0) : 0);
	put_bytes(&w, argv[4], strlen(argv[4]));
	err = raw_send(fd, frame, w.len) ? raw_reply(fd, payload, &n) : RAW_CLOSED;
	if (err == RAW_CLOSED) {
		printf("died\n");
		return 0;
	}
	r = reader_over(payload, n);
	printf("result %lld\n", (long long)get_u64(&r));
	return err ? 1 : 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures a second of the Trusted Application in bench/optee, which uses OP-TEE's own cryptography.
 *
 *	bench_optee_baseline PROCESSES SECONDS kept|open ec|rsa|ed
 *
 * kept: its key stays open; open: it is opened for each signature. Shared memory is reused in both.
 */
#include "rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tee_client_api.h>

#include "optee/baseline.h"

#define SIGNATURE_AT 256

struct baseline {
	uint32_t key;
	uint32_t command;
	uint64_t n;
	TEEC_Context context;
	TEEC_Session session;
	TEEC_SharedMemory shared;
};

static int invoke(struct baseline *b, uint32_t command, size_t n)
{
	TEEC_Operation op = {0};
	TEEC_Result result;
	uint32_t origin;

	op.paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_INPUT,
		(uint32_t)(n ? TEEC_MEMREF_PARTIAL_INPUT : TEEC_NONE),
		(uint32_t)(n ? TEEC_MEMREF_PARTIAL_OUTPUT : TEEC_NONE), TEEC_NONE);
	op.params[0].value.a = b->key;
	op.params[1].memref = (TEEC_RegisteredMemoryReference){&b->shared, n, 0};
	op.params[2].memref = (TEEC_RegisteredMemoryReference){&b->shared, 256, SIGNATURE_AT};
	result = TEEC_InvokeCommand(&b->session, command, &op, &origin);
	if (result)
		fprintf(stderr, "bench_optee_baseline: 0x%08x\n", result);
	return result ? -1 : 0;
}

static int open_session(void *ctx)
{
	const TEEC_UUID uuid = BASELINE_UUID;
	struct baseline *b = ctx;
	TEEC_Result result;
	uint32_t origin;

	b->shared.size = 512;
	b->shared.flags = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT;
	result = TEEC_InitializeContext(NULL, &b->context);
	if (!result)
		result = TEEC_AllocateSharedMemory(&b->context, &b->shared);
	if (!result)
		result = TEEC_OpenSession(
			&b->context, &b->session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin);
	if (result) {
		fprintf(stderr, "bench_optee_baseline: no session (0x%08x)\n", result);
		return -1;
	}
	return invoke(b, BASELINE_MAKE, 0);
}

static int sign_once(void *ctx)
{
	struct baseline *b = ctx;
	uint8_t message[BENCH_MESSAGE_SIZE];
	size_t n = b->key == BASELINE_ED ? sizeof(message) : 32;

	/* Its first 64 bytes are padding, the number comes later: any 32 bytes are a digest. */
	bench_message(message, b->n++);
	memcpy(b->shared.buffer, message + sizeof(message) - n, n);
	return invoke(b, b->command, n);
}

int main(int argc, char **argv)
{
	static const char *const keys[BASELINE_KEYS] = {
		[BASELINE_EC] = "ec", [BASELINE_RSA] = "rsa", [BASELINE_ED] = "ed"};
	struct baseline baseline = {.key = BASELINE_KEYS};
	struct bench bench = {.open = open_session, .once = sign_once, .ctx = &baseline};
	double rate;

	for (uint32_t i = 0; argc == 5 && i < BASELINE_KEYS; i++) {
		if (!strcmp(argv[4], keys[i]))
			baseline.key = i;
	}
	if (baseline.key == BASELINE_KEYS || atoi(argv[1]) <= 0 || atof(argv[2]) <= 0 ||
		(strcmp(argv[3], "kept") && strcmp(argv[3], "open"))) {
		fprintf(stderr,
			"usage: bench_optee_baseline PROCESSES SECONDS kept|open ec|rsa|ed\n");
		return 2;
	}
	baseline.command = strcmp(argv[3], "kept") ? BASELINE_OPEN_AND_SIGN : BASELINE_SIGN;
	rate = bench_rate(&bench, (unsigned)atoi(argv[1]), atof(argv[2]));
	if (rate < 0)
		return 1;
	printf("%.1f\n", rate);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Milliseconds to make and to import an EC P-256 key, stored when the call returns, through libkeyward.
 *
 *	bench_keys COUNT
 *
 * The medians over COUNT keys, each of which is deleted again before the next.
 */
#include "rounds.h"

#include <keyward/keyward.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT_MAX 10000
#define SCALAR_SIZE 32

static struct kw *kw;

/* material NULL: generate. Milliseconds, negative on failure. */
static double make_once(const char *name, const uint8_t *material)
{
	struct kw_key_template t = {
		.name = name, .type = KW_KEY_TYPE_EC_P256, .purposes = KW_PURPOSE_TLS_SERVER};
	struct kw_target target = {.name = name};
	struct kw_key *key = NULL;
	double begin = bench_now();
	double took;
	enum kw_err err;

	if (material)
		err = kw_key_import(kw, &t, material, SCALAR_SIZE, &key);
	else
		err = kw_key_generate(kw, &t, &key);
	took = bench_now() - begin;
	kw_key_free(&key);
	if (!err)
		err = kw_key_delete(kw, &target);
	if (err)
		fprintf(stderr, "bench_keys: %s (%s)\n", kw_strerror(err), kw_explain());
	return err ? -1 : took * 1e3;
}

static int measure(size_t count, bool import, double *median)
{
	static double took[COUNT_MAX];
	uint8_t scalar[SCALAR_SIZE];

	/* One more, for what only the first one does. */
	for (size_t i = 0; i <= count; i++) {
		if (RAND_bytes(scalar, sizeof(scalar)) != 1)
			return -1;
		scalar[0] &= 0x7f; /* below the group's order */
		took[i ? i - 1 : 0] = make_once("bench-keys", import ? scalar : NULL);
		if (took[i ? i - 1 : 0] < 0)
			return -1;
	}
	*median = bench_percentile(took, count, 0.5);
	return 0;
}

int main(int argc, char **argv)
{
	struct kw_options options = {0};
	long count = argc == 2 ? atol(argv[1]) : 0;
	double generate = 0;
	double import = 0;
	int status = 1;

	if (count < 1 || count > COUNT_MAX) {
		fprintf(stderr, "usage: bench_keys COUNT\n");
		return 2;
	}
	if (kw_new(&options, &kw)) {
		fprintf(stderr, "bench_keys: %s\n", kw_explain());
		goto out;
	}
	if (measure((size_t)count, false, &generate) || measure((size_t)count, true, &import))
		goto out;
	printf("%.2f %.2f\n", generate, import);
	status = 0;
out:
	kw_free(&kw);
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a TEE does with many keys, through libkeyward.
 *
 *	scale fill FROM TO            store EC keys key00000FROM … up to TO
 *	scale sign FROM TO SECONDS    signatures a second, the keys FROM … TO used in turn
 *	scale find COUNT KEYS         microseconds of one lookup by name and one by id, medians over COUNT
 *	scale sealed FILES TURNS PID  make sealed keys, use them in turn TURNS times; resident KiB of PID on the way
 *	scale ready                   wait until the TEE answers
 */
#include "rounds.h"

#include <keyward/keyward.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct kw *kw;

static int failed(const char *what, enum kw_err err)
{
	fprintf(stderr, "scale: %s: %s (%s)\n", what, kw_strerror(err), kw_explain());
	return 1;
}

static void key_name(char name[32], unsigned n)
{
	snprintf(name, 32, "key%08u", n);
}

static enum kw_err find(unsigned n, struct kw_key **key)
{
	char name[32];
	struct kw_target target = {.name = name};

	key_name(name, n);
	return kw_key_find(kw, &target, key);
}

static int fill(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		char name[32];
		struct kw_key_template t = {.name = name,
			.type = KW_KEY_TYPE_EC_P256,
			.purposes = KW_PURPOSE_TLS_SERVER};
		struct kw_key *key;
		enum kw_err err;

		key_name(name, i);
		err = kw_key_generate(kw, &t, &key);
		if (err)
			return failed(name, err);
		kw_key_free(&key);
	}
	return 0;
}

static enum kw_err sign_with(const struct kw_use *use, uint64_t n)
{
	uint8_t message[BENCH_MESSAGE_SIZE];
	uint8_t signature[KW_SIGNATURE_MAX];
	size_t len = sizeof(signature);
	struct kw_sign what = {.scheme = KW_SCHEME_ECDSA,
		.hash = KW_HASH_SHA256,
		.data = message,
		.len = sizeof(message)};

	bench_message(message, n);
	return kw_sign(kw, use, &what, signature, &len);
}

static int sign(unsigned from, unsigned to, double seconds)
{
	unsigned keys = to - from;
	uint8_t(*ids)[KW_ID_SIZE] = calloc(keys, KW_ID_SIZE);
	uint64_t count = 0;
	double begin;
	double now;
	int result = 1;

	if (!ids)
		return 1;
	for (unsigned i = 0; i < keys; i++) {
		struct kw_key *key;
		enum kw_err err = find(from + i, &key);

		if (err) {
			failed("find", err);
			goto out;
		}
		memcpy(ids[i], kw_key_id(key), KW_ID_SIZE);
		kw_key_free(&key);
	}
	/* Once through all, so that the first opening of a key is not what is measured. */
	for (unsigned i = 0; i < keys; i++)
		if (sign_with(&(struct kw_use){.id = ids[i]}, i))
			goto out;
	begin = bench_now();
	do {
		enum kw_err err = sign_with(&(struct kw_use){.id = ids[count % keys]}, count);

		if (err) {
			failed("sign", err);
			goto out;
		}
		count++;
		now = bench_now();
	} while (now - begin < seconds);
	printf("%.1f\n", (double)count / (now - begin));
	result = 0;
out:
	free(ids);
	return result;
}

static int lookups(unsigned count, unsigned keys)
{
	double *by_name = calloc(count, sizeof(double));
	double *by_id = calloc(count, sizeof(double));
	int result = 1;

	if (!by_name || !by_id || !count || !keys)
		goto out;
	for (unsigned i = 0; i < count; i++) {
		struct kw_key *key;
		struct kw_target target = {0};
		uint8_t id[KW_ID_SIZE];
		double begin = bench_now();
		enum kw_err err = find(i * 7919 % keys, &key);

		by_name[i] = (bench_now() - begin) * 1e6;
		if (err) {
			failed("find by name", err);
			goto out;
		}
		memcpy(id, kw_key_id(key), sizeof(id));
		kw_key_free(&key);
		target.id = id;
		begin = bench_now();
		err = kw_key_find(kw, &target, &key);
		by_id[i] = (bench_now() - begin) * 1e6;
		if (err) {
			failed("find by id", err);
			goto out;
		}
		kw_key_free(&key);
	}
	printf("%.1f %.1f\n", bench_percentile(by_name, count, 0.5),
		bench_percentile(by_id, count, 0.5));
	result = 0;
out:
	free(by_name);
	free(by_id);
	return result;
}

static long resident_kib(const char *pid)
{
	char path[64];
	char line[256];
	long kib = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.20s/status", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

static int sealed(unsigned files, unsigned turns, const char *pid)
{
	struct kw_key **keys = calloc(files, sizeof(struct kw_key *));
	struct kw_key_template t = {.name = "",
		.type = KW_KEY_TYPE_EC_P256,
		.purposes = KW_PURPOSE_TLS_SERVER,
		.sealed = true};
	int result = 1;

	if (!keys)
		return 1;
	for (unsigned i = 0; i < files; i++) {
		enum kw_err err = kw_key_generate(kw, &t, &keys[i]);

		if (err) {
			failed("seal", err);
			goto out;
		}
	}
	printf("sealed %u %ld\n", files, resident_kib(pid));
	for (unsigned turn = 0; turn < turns; turn++) {
		double begin = bench_now();

		for (unsigned i = 0; i < files; i++) {
			struct kw_use use = {.id = kw_key_id(keys[i])};
			enum kw_err err;

			use.record = kw_key_record(keys[i], &use.record_len);
			err = sign_with(&use, i);
			if (err) {
				failed("sign with a sealed key", err);
				goto out;
			}
			/* Ten figures a turn. */
			if ((i + 1) % (files / 10 ? files / 10 : 1) == 0)
				printf("used %u %ld\n", turn * files + i + 1, resident_kib(pid));
		}
		printf("rate %.1f\n", files / (bench_now() - begin));
	}
	result = 0;
out:
	for (unsigned i = 0; i < files; i++)
		kw_key_free(&keys[i]);
	free(keys);
	return result;
}

/* Polls every 200 µs for at most a minute. */
static int ready(void)
{
	for (unsigned i = 0; i < 300000; i++) {
		struct kw_status *status;

		if (!kw_status_new(kw, &status)) {
			kw_status_free(&status);
			return 0;
		}
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	return 1;
}

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
	enum kw_err err = kw_new(NULL, &kw);
	const char *what = argc > 1 ? argv[1] : "";
	int result = 2;

	if (err)
		return failed("start", err);
	if (strcmp(what, "fill") == 0 && argc == 4)
		result = fill(number(argv[2]), number(argv[3]));
	else if (strcmp(what, "sign") == 0 && argc == 5 && number(argv[3]) > number(argv[2]))
		result = sign(number(argv[2]), number(argv[3]), atof(argv[4]));
	else if (strcmp(what, "find") == 0 && argc == 4)
		result = lookups(number(argv[2]), number(argv[3]));
	else if (strcmp(what, "sealed") == 0 && argc == 5)
		result = sealed(number(argv[2]), number(argv[3]), argv[4]);
	else if (strcmp(what, "ready") == 0 && argc == 2)
		result = ready();
	else
		fprintf(stderr, "usage: scale fill|sign|find|sealed|ready …\n");
	kw_free(&kw);
	return result;
}

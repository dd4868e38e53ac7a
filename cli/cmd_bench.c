/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench_run.h"
#include "cli.h"
#include "json.h"
#include "text.h"

/* Both sides take turns, so that what else the machine does hits both; medians drop the worst of it. */
#define ROUNDS 5
/* As long as what a TLS 1.3 server signs with SHA-256 (RFC 8446 4.4.3): 64 + 33 + 1 + 32. */
#define MESSAGE_SIZE 130

enum side { KEYWARD, LIBCRYPTO, SIDES };

static const struct option_row options[] = {
	{"type", OPTION_TYPE, "TYPE", "the type of key to sign with (default ec-p256)"},
	{"threads", OPTION_THREADS, "N",
		"sign in this many threads at a time, 1 to 256 (default 1)"},
	{"seconds", OPTION_SECONDS, "S",
		"measure each side for this long in all, 1 to 3600 (default 3)"},
	ROW_JSON,
	ROW_END,
};

struct bench {
	enum kw_key_type type;
	unsigned threads, seconds;
	struct kw *kw;
	struct kw_key *key; /* sealed: nothing is stored, so nothing stays behind */
	struct kw_use use;
	struct kw_sign what;
	uint8_t message[MESSAGE_SIZE];
	double rate[SIDES][ROUNDS], ratio[ROUNDS];
	struct histogram latencies[SIDES];
	double cpu, wall; /* seconds that libcrypto's side computed, and could have */
};

/* One thread's place in both sides. */
struct seat {
	struct bench *bench;
	EVP_PKEY *
		own; /* libcrypto's key; each thread has a copy, else they would fight for its reference count */
	uint8_t signature[KW_SIGNATURE_MAX];
	size_t signature_len;
	enum kw_err err;
	char problem[256];
};

static bool sign_keyward(void *context)
{
	struct seat *seat = context;
	const struct bench *b = seat->bench;
	uint8_t rs[KW_SIGNATURE_MAX];
	size_t len = 0;

	seat->err = kw_sign(b->kw, &b->use, &b->what, rs, &len);
	/* To the form that libcrypto makes: the two sides do the same work. */
	if (!seat->err && b->what.scheme == KW_SCHEME_ECDSA) {
		seat->err = kw_ecdsa_to_der(rs, len, seat->signature, &seat->signature_len);
	} else if (!seat->err) {
		memcpy(seat->signature, rs, len);
		seat->signature_len = len;
	}
	/* The explanation belongs to this thread, which is about to end. */
	if (seat->err)
		snprintf(seat->problem, sizeof(seat->problem), "%s", kw_explain());
	return !seat->err;
}

/* With a fresh EVP_DigestSign each time, as TLS servers do it. */
static bool sign_libcrypto(void *context)
{
	struct seat *seat = context;
	const struct bench *b = seat->bench;
	const EVP_MD *md = b->what.hash == KW_HASH_NONE ? NULL : EVP_sha256();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	seat->signature_len = sizeof(seat->signature);
	ok = ctx && EVP_DigestSignInit(ctx, NULL, md, NULL, seat->own) == 1 &&
	     EVP_DigestSign(ctx, seat->signature, &seat->signature_len, b->message,
		     sizeof(b->message)) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static EVP_PKEY *make_own_key(enum kw_key_type type)
{
	static const char *const curves[] = {"P-256", "P-384", "P-521"};

	if (kw_key_type_is_rsa(type))
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)kw_key_type_bits(type));
	if (kw_key_type_is_ec(type))
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC",
			curves[type == KW_KEY_TYPE_EC_P256    ? 0
				: type == KW_KEY_TYPE_EC_P384 ? 1
							      : 2]);
	return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

/* A number is worth nothing when the signatures are not. */
static bool verifies(const struct seat *seat, EVP_PKEY *key)
{
	const struct bench *b = seat->bench;
	const EVP_MD *md = b->what.hash == KW_HASH_NONE ? NULL : EVP_sha256();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
		  EVP_DigestVerify(ctx, seat->signature, seat->signature_len, b->message,
			  sizeof(b->message)) == 1;

	EVP_MD_CTX_free(ctx);
	return ok;
}

static enum exit_code make_key(struct bench *b)
{
	const struct kw_key_template t = {
		.name = "", .type = b->type, .purposes = KW_PURPOSE_SIGN, .sealed = true};
	enum kw_err err = kw_key_generate(b->kw, &t, &b->key);
	size_t i;

	if (err)
		return fail_kw(err, "cannot make a key to measure with");
	b->use.id = kw_key_id(b->key);
	b->use.record = kw_key_record(b->key, &b->use.record_len);
	b->use.label = "bench";
	for (i = 0; i < sizeof(b->message); i++)
		b->message[i] = (uint8_t)i;
	b->what = (struct kw_sign){
		.data = b->message, .len = sizeof(b->message), .hash = KW_HASH_SHA256};
	if (kw_key_type_is_rsa(b->type)) {
		b->what.scheme = KW_SCHEME_RSA_PKCS1;
	} else if (kw_key_type_is_ec(b->type)) {
		b->what.scheme = KW_SCHEME_ECDSA;
	} else {
		b->what.scheme = KW_SCHEME_EDDSA;
		b->what.hash = KW_HASH_NONE;
	}
	return EXIT_OK;
}

/* One signature of each side in each seat: it warms up, and is checked. */
static enum exit_code check_seats(struct bench *b, struct seat *seats)
{
	enum exit_code code = EXIT_OK;
	const uint8_t *spki;
	EVP_PKEY *public;
	size_t len = 0;
	unsigned i;

	spki = kw_key_spki(b->key, &len);
	public = spki ? d2i_PUBKEY(NULL, &spki, (long)len) : NULL;
	for (i = 0; i < b->threads && code == EXIT_OK; i++) {
		if (!sign_keyward(&seats[i]))
			code = fail(
				exit_code_of(seats[i].err), "cannot sign: %s", seats[i].problem);
		else if (!public || !verifies(&seats[i], public))
			code = fail(EXIT_FAILED, "the TEE made a signature that does not verify");
		else if (!sign_libcrypto(&seats[i]) || !verifies(&seats[i], seats[i].own))
			code = fail(EXIT_FAILED, "libcrypto cannot sign with a key of type %s",
				kw_key_type_name(b->type));
	}
	EVP_PKEY_free(public);
	return code;
}

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One round of one side. */
static double run_side(struct bench *b, enum side side, void *const *contexts, uint64_t ns)
{
	bench_work *const work[SIDES] = {sign_keyward, sign_libcrypto};
	double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID), wall = seconds_of(CLOCK_MONOTONIC), rate;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	rate = bench_run(work[side], contexts, b->threads, ns, &b->latencies[side]);
	if (side == LIBCRYPTO) {
		b->cpu += seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		b->wall +=
			(seconds_of(CLOCK_MONOTONIC) - wall) *
			(cpus > 0 && (long)b->threads > cpus ? (double)cpus : (double)b->threads);
	}
	return rate;
}

/* When others take much of the processors, the share that each side gets decides and not its speed. */
static bool was_busy(const struct bench *b)
{
	return b->cpu < 0.85 * b->wall;
}

static enum exit_code measure(struct bench *b, struct seat *seats)
{
	uint64_t ns = (uint64_t)b->seconds * 1000000000u / ROUNDS;
	void *contexts[BENCH_THREADS_MAX];
	unsigned i, round, side;

	for (i = 0; i < b->threads; i++)
		contexts[i] = &seats[i];
	for (round = 0; round < ROUNDS; round++) {
		for (side = 0; side < SIDES; side++) {
			double rate = run_side(b, (enum side)side, contexts, ns);

			b->rate[side][round] = rate;
			for (i = 0; rate <= 0 && i < b->threads; i++) {
				if (seats[i].err)
					return fail(exit_code_of(seats[i].err), "cannot sign: %s",
						seats[i].problem);
			}
			if (rate <= 0)
				return fail(EXIT_FAILED,
					"the measurement failed: there may be too many threads");
		}
		b->ratio[round] = b->rate[KEYWARD][round] / b->rate[LIBCRYPTO][round];
	}
	return EXIT_OK;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof(values[0]), by_value);
	return values[ROUNDS / 2];
}

static void report(struct bench *b, bool json)
{
	static const char *const names[SIDES] = {"keyward", "libcrypto"};
	double ratio = median(b->ratio), us[SIDES][2];
	struct json j = {.f = stdout};
	unsigned side;

	for (side = 0; side < SIDES; side++) {
		us[side][0] = (double)histogram_percentile(&b->latencies[side], 0.50) / 1000;
		us[side][1] = (double)histogram_percentile(&b->latencies[side], 0.99) / 1000;
	}
	if (!json) {
		printf("%s, %u thread%s, %d rounds of each side\n\n", kw_key_type_name(b->type),
			b->threads, b->threads == 1 ? "" : "s", ROUNDS);
		printf("%-12s %14s %12s %12s\n", "", "signatures/s", "p50", "p99");
		for (side = 0; side < SIDES; side++)
			printf("%-12s %14.0f %9.1f us %9.1f us\n", names[side],
				median(b->rate[side]), us[side][0], us[side][1]);
		printf("%-12s %14.2f\n", "ratio", ratio);
		if (was_busy(b))
			puts("\nOther work took much of the processors meanwhile: only p50 can be "
			     "compared.");
		return;
	}
	json_open(&j, NULL, '{');
	json_string(&j, "type", kw_key_type_name(b->type));
	json_number(&j, "threads", b->threads);
	json_number(&j, "seconds", b->seconds);
	for (side = 0; side < SIDES; side++) {
		json_open(&j, names[side], '{');
		json_decimal(&j, "signatures_per_second", median(b->rate[side]));
		json_decimal(&j, "p50_us", us[side][0]);
		json_decimal(&j, "p99_us", us[side][1]);
		json_close(&j, '}');
	}
	json_decimal(&j, "ratio", ratio);
	json_bool(&j, "machine_was_busy", was_busy(b));
	json_close(&j, '}');
}

static enum exit_code bench(struct bench *b, bool json)
{
	struct seat *seats = calloc(b->threads, sizeof(*seats));
	EVP_PKEY *own = make_own_key(b->type);
	enum exit_code code = EXIT_FAILED;
	unsigned i;

	if (!seats || !own) {
		fail(code, "libcrypto cannot make a key of type %s", kw_key_type_name(b->type));
		goto out;
	}
	for (i = 0; i < b->threads; i++) {
		seats[i].bench = b;
		seats[i].own = EVP_PKEY_dup(own);
		if (!seats[i].own) {
			fail(code, "there is not enough memory for %u threads", b->threads);
			goto out;
		}
	}
	code = make_key(b);
	if (code == EXIT_OK)
		code = check_seats(b, seats);
	if (code == EXIT_OK)
		code = measure(b, seats);
	if (code == EXIT_OK)
		report(b, json);
out:
	for (i = 0; seats && i < b->threads; i++)
		EVP_PKEY_free(seats[i].own);
	EVP_PKEY_free(own);
	free(seats);
	kw_key_free(&b->key);
	return code;
}

static enum exit_code run(struct cli *cli)
{
	struct bench *b = calloc(1, sizeof(*b));
	enum exit_code code;
	const char *value;
	bool json = false, ok = true;
	int letter;

	if (!b)
		return fail(EXIT_FAILED, "there is not enough memory");
	b->type = KW_KEY_TYPE_EC_P256;
	b->threads = 1;
	b->seconds = 3;
	while (ok && (letter = option_next(cli, &value)) != -1) {
		if (letter == OPTION_JSON)
			json = true;
		else if (letter == OPTION_TYPE)
			ok = kw_key_type_signs(b->type = kw_key_type_from_name(value));
		else if (letter == OPTION_THREADS)
			ok = parse_number(value, 1, BENCH_THREADS_MAX, &b->threads);
		else if (letter == OPTION_SECONDS)
			ok = parse_number(value, 1, 3600, &b->seconds);
	}
	if (!ok) {
		code = usage_error(cli,
			letter == OPTION_TYPE ? "there is no type '%s' that signs"
					      : "'%s' is not a number "
						"that this option takes",
			value);
		goto out;
	}
	operands_check(cli, 0, 0);
	code = cli_connect(cli);
	if (code != EXIT_OK)
		goto out;
	b->kw = cli->kw;
	code = bench(b, json);
out:
	free(b);
	return code;
}

const struct command command_bench = {
	.name = "bench",
	.arguments = "[OPTION]...",
	.summary = "measure signatures a second beside in-process libcrypto",
	.details =
		"Signs the same message with a temporary key in the TEE and with one in this "
		"process, in turns.\n"
		"Nothing is stored. The ratio is the part of libcrypto's own speed that is left.",
	.options = options,
	.run = run,
};

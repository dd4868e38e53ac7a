/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames and greetings that make no sense, and limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test_fake_tee.h"

/* A TEE that takes one connection at a time: the others get BUSY. */
static void one_at_a_time(struct fake_tee *f, struct fake_request *rq)
{
	if (rq->command == CMD_HELLO && atomic_load(&f->open) > 1)
		rq->err = KW_ERR_BUSY;
	else if (rq->command == CMD_HELLO)
		fake_hello(rq);
	else
		fake_signer(f, rq);
}

static void busy_tee_is_shared(void **state)
{
	struct fake_tee f;
	cpu_set_t cpus;
	struct kw *kw;

	(void)state;
	fake_init(&f);
	f.handler = one_at_a_time;
	f.own_hello = true;
	fake_listen(&f);
	kw = fake_kw(&f, 0);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (unsigned i = 0; i < 32; i++) {
		if (!CPU_ISSET(i, &cpus))
			continue;
		fake_stay_on_cpu(i);
		assert_int_equal(fake_sign(kw, "hello"), KW_ERR_OK);
	}
	sched_setaffinity(0, sizeof(cpus), &cpus);
	kw_free(&kw);
	fake_end(&f);
}

static void always_busy(struct fake_tee *f, struct fake_request *rq)
{
	(void)f;
	rq->err = KW_ERR_BUSY;
}

static void busy_tee_is_reported(void **state)
{
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_init(&f);
	f.handler = always_busy;
	f.own_hello = true;
	fake_listen(&f);
	kw = fake_kw(&f, 100);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_BUSY);
	assert_non_null(strstr(kw_explain(), "too many"));
	kw_free(&kw);
	fake_end(&f);
}

/* A TEE that is full says so and closes at once: that must arrive, whoever is faster. */
static void refusal_at_the_door_arrives(void **state)
{
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_init(&f);
	f.refuse = true;
	f.refusal = KW_ERR_NO_MEMORY;
	fake_listen(&f);
	kw = fake_kw(&f, 0);
	for (int i = 0; i < 200; i++)
		assert_int_equal(fake_sign(kw, "x"), KW_ERR_NO_MEMORY);
	kw_free(&kw);
	fake_end(&f);
}

static void no_descriptors_left(void **state)
{
	struct rlimit before;
	struct rlimit none;
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, fake_signer);
	kw = fake_kw(&f, 0);
	getrlimit(RLIMIT_NOFILE, &before);
	none = (struct rlimit){3, before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &none);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_SYSTEM);
	assert_non_null(strstr(kw_explain(), "open files"));
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_OK);
	kw_free(&kw);
	fake_end(&f);
}

static struct {
	uint8_t bytes[300];
	size_t len;
	enum fake_action action;
	uint16_t err;
	uint16_t command;
} nonsense;

static void send_nonsense(struct fake_tee *f, struct fake_request *rq)
{
	if (rq->command == nonsense.command) {
		put_bytes(&rq->reply, nonsense.bytes, nonsense.len);
		rq->action = nonsense.action;
		rq->err = nonsense.err;
	} else if (rq->command == CMD_HELLO) {
		fake_hello(rq);
	} else {
		fake_signer(f, rq);
	}
}

static void try_nonsense(struct fake_tee *f, uint16_t command, enum fake_action action,
	uint16_t error, const char *bytes, size_t len)
{
	struct kw *kw = fake_kw(f, 2000);

	nonsense.command = command;
	nonsense.action = action;
	nonsense.err = error;
	nonsense.len = len;
	memcpy(nonsense.bytes, bytes, len);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_PROTOCOL);
	assert_int_equal(fake_wait_for_open(f, 0), 0);
	kw_free(&kw);
}

static void nonsense_is_refused(void **state)
{
	static const char greeting[] = "\0\1\1\0\0\0\1\0\0\3abc";
	char changed[sizeof(greeting)];
	struct fake_tee f;

	(void)state;
	fake_init(&f);
	f.handler = send_nonsense;
	f.own_hello = true;
	fake_listen(&f);
	/* Frames: too short, reserved bytes set, an error with a payload, errors that do not
	 * travel. */
	for (size_t len = 1; len < WIRE_HEADER; len++)
		try_nonsense(&f, CMD_SIGN, FAKE_RAW, 0, "\0\0\0", len);
	try_nonsense(&f, CMD_SIGN, FAKE_RAW, 0, "\0\0\0\1\0\1x", 7);
	try_nonsense(&f, CMD_SIGN, FAKE_ANSWER, KW_ERR_ACCESS, "\0\1x", 3);
	try_nonsense(&f, CMD_SIGN, FAKE_ANSWER, KW_ERR_NO_TEE, "", 0);
	try_nonsense(&f, CMD_SIGN, FAKE_ANSWER, 63, "", 0);
	try_nonsense(&f, CMD_SIGN, FAKE_ANSWER, 0xffff, "", 0);
	/* Greetings: every truncation, a byte too many, other version, other kind of TEE. */
	for (size_t len = 0; len < sizeof(greeting) - 1; len++)
		try_nonsense(&f, CMD_HELLO, FAKE_ANSWER, 0, greeting, len);
	try_nonsense(&f, CMD_HELLO, FAKE_ANSWER, 0, greeting, sizeof(greeting));
	memcpy(changed, greeting, sizeof(greeting));
	changed[1] = 2;
	try_nonsense(&f, CMD_HELLO, FAKE_ANSWER, 0, changed, sizeof(greeting) - 1);
	changed[1] = 1;
	changed[2] = TEE_KIND_OPTEE;
	try_nonsense(&f, CMD_HELLO, FAKE_ANSWER, 0, changed, sizeof(greeting) - 1);
	fake_end(&f);
}

static void large_reply(struct fake_tee *f, struct fake_request *rq)
{
	(void)f;
	/* More than any frame; then good DER, but more than this command's bound. */
	if (rq->command == CMD_SIGN) {
		rq->reply.len = WIRE_MAX_PAYLOAD + 50;
		memset(rq->reply.buf, 0, rq->reply.len);
	} else {
		put_bytes(&rq->reply, "\x40\x04\x04\x82\x40\x00", 6);
		memset(rq->reply.buf + 6, 0, 0x4000);
		rq->reply.len += 0x4000;
	}
}

static void oversized_replies_are_refused(void **state)
{
	static uint8_t der[20000];
	struct kw_target t = {.id = fake_id};
	struct kw_csr csr = {0};
	size_t len = sizeof(der);
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, large_reply);
	kw = fake_kw(&f, 0);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_PROTOCOL);
	assert_int_equal(kw_key_csr(kw, &t, &csr, der, &len), KW_ERR_PROTOCOL);
	kw_free(&kw);
	fake_end(&f);
}

static void old_tee(struct fake_tee *f, struct fake_request *rq)
{
	(void)f;
	rq->err = KW_ERR_BAD_VERSION;
}

static void other_version_is_explained(void **state)
{
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_init(&f);
	f.handler = old_tee;
	f.own_hello = true;
	fake_listen(&f);
	kw = fake_kw(&f, 0);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_BAD_VERSION);
	assert_non_null(strstr(kw_explain(), "upgrade"));
	kw_free(&kw);
	fake_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(busy_tee_is_shared),
		cmocka_unit_test(busy_tee_is_reported),
		cmocka_unit_test(refusal_at_the_door_arrives),
		cmocka_unit_test(no_descriptors_left),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(oversized_replies_are_refused),
		cmocka_unit_test(other_version_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

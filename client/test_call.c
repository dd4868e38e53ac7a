/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections: sharing, breaking, waiting and repeating. */
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

#include "internal.h"
#include "test_fake_tee.h"

static enum kw_err generate(struct kw *kw)
{
	struct kw_key_template t = {
		.name = "n", .type = KW_KEY_TYPE_EC_P256, .purposes = KW_PURPOSE_SIGN};
	struct kw_key *key = NULL;
	enum kw_err err = kw_key_generate(kw, &t, &key);

	kw_key_free(&key);
	return err;
}

static void reuses_its_connection(void **state)
{
	struct fake_tee f;
	struct kw *kw;
	cpu_set_t cpus;

	(void)state;
	fake_start(&f, fake_signer);
	kw = fake_kw(&f, 0);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	fake_stay_on_cpu((unsigned)sched_getcpu());
	for (int i = 0; i < 100; i++)
		assert_int_equal(fake_sign(kw, "hello"), KW_ERR_OK);
	assert_int_equal(atomic_load(&f.connections), 1);
	assert_int_equal(atomic_load(&f.hello_cpu), sched_getcpu());
	sched_setaffinity(0, sizeof(cpus), &cpus);
	kw_free(&kw);
	assert_null(kw);
	fake_end(&f);
}

static void each_cpu_has_its_own(void **state)
{
	struct fake_tee f;
	struct kw *kw;
	cpu_set_t cpus;
	unsigned n = 0;

	(void)state;
	fake_start(&f, fake_signer);
	kw = fake_kw(&f, 0);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 32; i++) {
			if (!CPU_ISSET(i, &cpus))
				continue;
			fake_stay_on_cpu(i);
			assert_int_equal(fake_sign(kw, "hello"), KW_ERR_OK);
			if (round == 0) {
				n++;
				assert_int_equal(atomic_load(&f.hello_cpu), i);
			}
		}
	}
	assert_int_equal(atomic_load(&f.connections), n);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	kw_free(&kw);
	fake_end(&f);
}

static void first_connect_fails_at_once(void **state)
{
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_init(&f);
	kw = fake_kw(&f, 60000);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_NO_TEE);
	assert_non_null(strstr(kw_explain(), f.path));
	assert_non_null(strstr(kw_explain(), "No such file"));
	assert_non_null(strstr(kw_explain(), "keyward-teed --store"));
	kw_free(&kw);
	fake_end(&f);
}

static void chroot_is_told(void **state)
{
	struct fake_tee f;
	struct kw *kw;
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	fake_start(&f, fake_signer);
	kw = fake_kw(&f, 0);
	pid = fork();
	if (pid == 0) {
		if (chroot(f.folder) || fake_sign(kw, "x") != KW_ERR_NO_TEE)
			_exit(1);
		_exit(strstr(kw_explain(), "chroot") ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	kw_free(&kw);
	fake_end(&f);
}

static void *listen_later(void *arg)
{
	struct timespec t = {.tv_nsec = 200000000};

	nanosleep(&t, NULL);
	fake_listen(arg);
	return NULL;
}

/* A restart: the pooled connection is dead, and for a moment nothing listens. */
static void survives_a_restart(void **state)
{
	struct fake_tee f;
	struct kw *kw;
	pthread_t thread;

	(void)state;
	fake_start(&f, fake_signer);
	kw = fake_kw(&f, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fake_sign(kw, "before"), KW_ERR_OK);
		fake_stop(&f);
		if (i == 1)
			unlink(f.path);
		assert_int_equal(pthread_create(&thread, NULL, listen_later, &f), 0);
		assert_int_equal(fake_sign(kw, "after"), KW_ERR_OK);
		pthread_join(thread, NULL);
	}
	kw_free(&kw);
	fake_end(&f);
}

static void maker(struct fake_tee *f, struct fake_request *rq)
{
	if (rq->command == CMD_KEY_GENERATE) {
		fake_description(&rq->reply, "n", PLACE_STORED, 300);
		put_u16(&rq->reply, 0);
	} else {
		fake_signer(f, rq);
	}
}

static void unsent_command_is_sent_after_a_restart(void **state)
{
	struct fake_tee f;
	struct kw *kw;
	cpu_set_t cpus;

	(void)state;
	fake_start(&f, maker);
	kw = fake_kw(&f, 0);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	fake_stay_on_cpu((unsigned)sched_getcpu());
	assert_int_equal(fake_sign(kw, "before"), KW_ERR_OK);
	fake_stop(&f);
	fake_listen(&f);
	assert_int_equal(generate(kw), KW_ERR_OK);
	assert_int_equal(atomic_load(&f.counts[CMD_KEY_GENERATE]), 1);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	kw_free(&kw);
	fake_end(&f);
}

/* After a wait in vain the next calls fail without one. */
static void gives_up_when_it_stays_away(void **state)
{
	struct fake_tee f;
	unsigned usual;
	enum kw_err err;
	struct kw *kw;

	(void)state;
	fake_start(&f, fake_signer);
	kw = fake_kw(&f, 0);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_OK);
	fake_stop(&f);
	usual = kw->timeout_ms;
	kw->timeout_ms = 150;
	/* A machine that is busy enough may see the deadline first. */
	err = fake_sign(kw, "x");
	assert_true(err == KW_ERR_NO_TEE || err == KW_ERR_TIMEOUT);
	kw->timeout_ms = usual;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(fake_sign(kw, "x"), KW_ERR_NO_TEE);
	fake_listen(&f);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_OK);
	kw_free(&kw);
	fake_end(&f);
}

/* Reads the request and closes, the first time of each command. */
static void closer(struct fake_tee *f, struct fake_request *rq)
{
	if (rq->count == 1)
		rq->action = FAKE_CLOSE;
	else
		maker(f, rq);
}

static void repeats_what_may_be_repeated(void **state)
{
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, closer);
	kw = fake_kw(&f, 0);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_OK);
	assert_int_equal(atomic_load(&f.counts[CMD_SIGN]), 2);
	kw_free(&kw);
	fake_end(&f);
}

static void never_repeats_what_changes(void **state)
{
	struct kw_target t = {.name = "a"};
	struct kw_identity who = {.kind = KW_IDENTITY_USER, .id = 1};
	struct kw_key_template template = {
		.name = "n", .type = KW_KEY_TYPE_ED25519, .purposes = KW_PURPOSE_SIGN};
	uint8_t seed[32] = {1};
	struct kw_key *key;
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, closer);
	kw = fake_kw(&f, 0);
	assert_int_equal(generate(kw), KW_ERR_DISCONNECTED);
	assert_non_null(strstr(kw_explain(), "whether the change was made is not known"));
	assert_int_equal(
		kw_key_import(kw, &template, seed, sizeof(seed), &key), KW_ERR_DISCONNECTED);
	assert_int_equal(kw_key_rename(kw, &t, "b", false), KW_ERR_DISCONNECTED);
	assert_int_equal(kw_key_delete(kw, &t), KW_ERR_DISCONNECTED);
	assert_int_equal(kw_key_allow(kw, &t, who, &key), KW_ERR_DISCONNECTED);
	assert_int_equal(atomic_load(&f.counts[CMD_KEY_GENERATE]), 1);
	assert_int_equal(atomic_load(&f.counts[CMD_KEY_IMPORT]), 1);
	assert_int_equal(atomic_load(&f.counts[CMD_KEY_RENAME]), 1);
	assert_int_equal(atomic_load(&f.counts[CMD_KEY_DELETE]), 1);
	assert_int_equal(atomic_load(&f.counts[CMD_KEY_ACCESS]), 1);
	kw_free(&kw);
	fake_end(&f);
}

static void always_close(struct fake_tee *f, struct fake_request *rq)
{
	(void)f;
	rq->action = FAKE_CLOSE;
}

static void repeats_once_only(void **state)
{
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_start(&f, always_close);
	kw = fake_kw(&f, 0);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_DISCONNECTED);
	assert_int_equal(atomic_load(&f.counts[CMD_SIGN]), 2);
	assert_non_null(strstr(kw_explain(), "closed the connection"));
	kw_free(&kw);
	fake_end(&f);
}

static void closing_before_the_greeting(void **state)
{
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_init(&f);
	f.handler = always_close;
	f.refuse = true;
	fake_listen(&f);
	kw = fake_kw(&f, 0);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_DISCONNECTED);
	fake_stop(&f);
	f.refuse = false;
	f.own_hello = true;
	fake_listen(&f);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_DISCONNECTED);
	kw_free(&kw);
	fake_end(&f);
}

/* Signs on any connection but the first. */
static void silent_at_first(struct fake_tee *f, struct fake_request *rq)
{
	if (rq->command == CMD_SIGN && rq->connection == 1)
		rq->action = FAKE_SILENT;
	else
		maker(f, rq);
}

/* The late answer must never be taken for that of the next call: the connection is given up. */
static void stalled_tee_times_out(void **state)
{
	struct fake_tee f;
	unsigned usual;
	struct kw *kw;
	cpu_set_t cpus;

	(void)state;
	fake_start(&f, silent_at_first);
	kw = fake_kw(&f, 0);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	fake_stay_on_cpu((unsigned)sched_getcpu());
	/* Only the one call is short of time: a busy machine may be slow with the others. */
	assert_int_equal(generate(kw), KW_ERR_OK);
	usual = kw->timeout_ms;
	kw->timeout_ms = 100;
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_TIMEOUT);
	assert_non_null(strstr(kw_explain(), "did not answer"));
	kw->timeout_ms = usual;
	assert_int_equal(fake_sign(kw, "y"), KW_ERR_OK);
	assert_int_equal(atomic_load(&f.connections), 2);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	/* Once the fake has read all there is, it has seen each of them once. */
	fake_stop(&f);
	assert_int_equal(atomic_load(&f.counts[CMD_SIGN]), 2);
	kw_free(&kw);
	fake_end(&f);
}

static void silent(struct fake_tee *f, struct fake_request *rq)
{
	(void)f;
	rq->action = FAKE_SILENT;
}

static void greeting_that_never_comes(void **state)
{
	struct fake_tee f;
	struct kw *kw;

	(void)state;
	fake_init(&f);
	f.handler = silent;
	f.own_hello = true;
	fake_listen(&f);
	kw = fake_kw(&f, 100);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_TIMEOUT);
	/* Not even a call that may take minutes waits for that long. */
	assert_int_equal(generate(kw), KW_ERR_TIMEOUT);
	kw_free(&kw);
	fake_end(&f);
}

/* Nobody accepts, and the backlog is full. */
static void full_backlog_times_out(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct fake_tee f;
	struct kw *kw[4];
	int fd;

	(void)state;
	fake_init(&f);
	strcpy(addr.sun_path, f.path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 0), 0);
	for (int i = 0; i < 4; i++) {
		kw[i] = fake_kw(&f, 50);
		assert_int_equal(fake_sign(kw[i], "x"), KW_ERR_TIMEOUT);
	}
	for (int i = 0; i < 4; i++)
		kw_free(&kw[i]);
	close(fd);
	fake_end(&f);
}

static atomic_uint alarms;

static void on_alarm(int sig)
{
	(void)sig;
	atomic_fetch_add(&alarms, 1);
}

static void slow(struct fake_tee *f, struct fake_request *rq)
{
	struct timespec t = {.tv_nsec = 100000000};

	while (nanosleep(&t, &t) != 0)
		;
	fake_signer(f, rq);
}

/* Signals arrive all the time: a call goes on, and its deadline still ends it. */
static void signals_do_not_disturb(void **state)
{
	struct sigaction sa = {.sa_handler = on_alarm};
	struct itimerval often = {{0, 3000}, {0, 3000}};
	struct itimerval never = {0};
	struct fake_tee f;
	struct kw *kw;
	sigset_t set;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	/* The threads of the fake leave the signal to this one. */
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	fake_start(&f, slow);
	kw = fake_kw(&f, 0);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_OK);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	assert_int_equal(fake_sign(kw, "x"), KW_ERR_OK);
	kw_free(&kw);
	f.handler = silent;
	kw = fake_kw(&f, 100);
	/* A busy machine merges the signals that it has no time to deliver. */
	do
		assert_int_equal(fake_sign(kw, "x"), KW_ERR_TIMEOUT);
	while (atomic_load(&alarms) <= 10);
	setitimer(ITIMER_REAL, &never, NULL);
	kw_free(&kw);
	fake_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reuses_its_connection),
		cmocka_unit_test(each_cpu_has_its_own),
		cmocka_unit_test(first_connect_fails_at_once),
		cmocka_unit_test(chroot_is_told),
		cmocka_unit_test(survives_a_restart),
		cmocka_unit_test(unsent_command_is_sent_after_a_restart),
		cmocka_unit_test(gives_up_when_it_stays_away),
		cmocka_unit_test(repeats_what_may_be_repeated),
		cmocka_unit_test(never_repeats_what_changes),
		cmocka_unit_test(repeats_once_only),
		cmocka_unit_test(closing_before_the_greeting),
		cmocka_unit_test(stalled_tee_times_out),
		cmocka_unit_test(greeting_that_never_comes),
		cmocka_unit_test(full_backlog_times_out),
		cmocka_unit_test(signals_do_not_disturb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Somebody who guesses PINs, and kills the TEE whenever he likes: in the middle of a guess, or between two of them. He
 * never learns of more PINs than the limit whether they are right, until the security officer unlocks the token, as
 * this program does again and again. For tests/pin_guesses.sh.
 *
 * usage: pin_guesses KEYWARD-TEED DIRECTORY GUESSES SEED
 */
#include <keyward/keyward.h>
#include <signal.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOT 1
#define SO_PIN "87654321", 8
#define PIN "right", 5

static const char *teed, *dir;
static char socket_path[256], store_path[256];
static pid_t tee;
static uint32_t random_state;
static struct kw *kw;

static unsigned below(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % n;
}

static void wait_us(unsigned us)
{
	const struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};

	nanosleep(&t, NULL);
}

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "pin_guesses: %s: %s\n", what, kw_explain());
	if (tee > 0)
		kill(tee, SIGKILL);
	exit(1);
}

static void start(void)
{
	struct kw_tokens *tokens = NULL;
	enum kw_err err = KW_ERR_NO_TEE;

	tee = fork();
	if (!tee) {
		execl(teed, teed, "--store", store_path, "--socket", socket_path, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; err && i < 500; i++) {
		wait_us(10000);
		err = kw_tokens_new(kw, &tokens);
	}
	kw_tokens_free(&tokens);
	if (err)
		give_up("the TEE does not start");
}

static void stop(int how)
{
	kill(tee, how);
	waitpid(tee, NULL, 0);
}

static unsigned tries_left(void)
{
	struct kw_tokens *tokens = NULL;
	const struct kw_token *t;
	unsigned tries;

	if (kw_tokens_new(kw, &tokens))
		give_up("no list of tokens");
	t = kw_tokens_find(tokens, SLOT);
	if (!t)
		give_up("the token is gone");
	tries = kw_token_tries(t, KW_TOKEN_USER);
	kw_tokens_free(&tokens);
	return tries;
}

static void unlock(void)
{
	if (kw_token_login(kw, SLOT, KW_TOKEN_SO, SO_PIN) || kw_token_init_pin(kw, SLOT, PIN) ||
		kw_token_logout(kw, SLOT))
		give_up("the security officer cannot unlock");
}

static void *kill_soon(void *us)
{
	wait_us(*(const unsigned *)us);
	kill(tee, SIGKILL);
	return NULL;
}

/* The TEE dies while it looks at the PIN, or so. */
static enum kw_err guess_and_kill(const char *pin)
{
	unsigned us = below(12000);
	pthread_t killer;
	enum kw_err err;

	if (pthread_create(&killer, NULL, kill_soon, &us))
		give_up("no thread");
	err = kw_token_login(kw, SLOT, KW_TOKEN_USER, pin, strlen(pin));
	pthread_join(killer, NULL);
	waitpid(tee, NULL, 0);
	start();
	return err;
}

struct result {
	unsigned long verdicts, kills, stops, locks;
};

static void run(unsigned long guesses, struct result *all)
{
	unsigned verdicts = 0, until_kill = 1;
	char pin[32];

	for (unsigned long i = 0; i < guesses; i++) {
		enum kw_err err;

		snprintf(pin, sizeof(pin), "%08lu", i);
		if (--until_kill == 0) {
			until_kill = 1 + below(40);
			err = guess_and_kill(pin);
			all->kills++;
		} else {
			err = kw_token_login(kw, SLOT, KW_TOKEN_USER, pin, strlen(pin));
		}
		if (below(100) == 0) {
			stop(SIGTERM);
			start();
			all->stops++;
		}
		if (!err)
			give_up("a wrong PIN logs in");
		verdicts += err == KW_ERR_PIN;
		all->verdicts += err == KW_ERR_PIN;
		if (verdicts + tries_left() > KW_PIN_TRIES) {
			fprintf(stderr, "%u answers, and %u tries left\n", verdicts, tries_left());
			give_up("more tries than there are");
		}
		if (tries_left())
			continue;
		/* The right one does not help any more either. */
		if (kw_token_login(kw, SLOT, KW_TOKEN_USER, PIN) != KW_ERR_PIN_LOCKED)
			give_up("a locked PIN is looked at");
		unlock();
		all->locks++;
		verdicts = 0;
	}
}

int main(int argc, char **argv)
{
	struct kw_token_template t = {
		.slot = SLOT, .label = "guessed", .so_pin = "87654321", .so_pin_len = 8};
	struct kw_options options = {.socket = socket_path};
	struct result all = {0};

	if (argc != 5)
		return 2;
	teed = argv[1];
	dir = argv[2];
	random_state = (uint32_t)strtoul(argv[4], NULL, 10) | 1;
	snprintf(socket_path, sizeof(socket_path), "%s/tee.sock", dir);
	snprintf(store_path, sizeof(store_path), "%s/store", dir);
	if (kw_new(&options, &kw))
		give_up("no context");
	start();
	if (kw_token_init(kw, &t))
		give_up("no token");
	unlock();
	run(strtoul(argv[3], NULL, 10), &all);
	if (!tries_left())
		unlock();
	if (kw_token_login(kw, SLOT, KW_TOKEN_USER, PIN))
		give_up("the right PIN does not log in");
	stop(SIGTERM);
	kw_free(&kw);
	printf("%lu answers, %lu kills, %lu stops, locked %lu times\n", all.verdicts, all.kills,
		all.stops, all.locks);
	/* Otherwise nothing was tried. */
	return all.locks == 0 || all.kills == 0 || all.verdicts < all.locks;
}

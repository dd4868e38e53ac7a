/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kills a TEE under load, starts it again, and asks whether it kept its word.
 *
 *	storage_kill KILLS COMMAND…
 *
 * COMMAND starts the TEE that $KEYWARD_SOCKET names. Clients generate, rename and delete keys and note each
 * acknowledgement. After each kill every acknowledged key must be there under its name, no deleted one may be back,
 * and the one operation that was not acknowledged must have happened wholly or not at all.
 */
#include <keyward/keyward.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS 4
#define KEYS_MAX 24
#define DELETED_MAX 64
#define NAME_SIZE 32

enum operation { NOTHING, GENERATE, DELETE, RENAME };

struct kept {
	uint8_t id[KW_ID_SIZE];
	char name[NAME_SIZE];
};

struct client {
	unsigned number;
	unsigned next_name;
	unsigned random;
	struct kw *kw;
	struct kept keys[KEYS_MAX];
	unsigned count;
	uint8_t deleted[DELETED_MAX][KW_ID_SIZE];
	unsigned deletions;
	unsigned acknowledged;
	/* The operation that got no answer: on keys[at], which was to get `name`, taken from keys[victim] if >= 0. */
	enum operation open;
	unsigned at;
	int victim;
	char name[NAME_SIZE];
};

static struct client clients[CLIENTS];
static pthread_barrier_t barrier;
static atomic_bool pausing;
static atomic_bool ending;
static atomic_uint violations;

__attribute__((format(printf, 2, 3))) static void violation(
	const struct client *c, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (atomic_fetch_add(&violations, 1) < 20)
		printf("not ok - client %u: %s\n", c->number, text);
}

static unsigned pick(struct client *c, unsigned n)
{
	return (unsigned)rand_r(&c->random) % n;
}

/* Whether an error says only that the TEE went away. Anything else is a broken promise. */
static bool went_away(struct client *c, const char *what, enum kw_err err)
{
	if (err == KW_ERR_DISCONNECTED || err == KW_ERR_NO_TEE)
		return true;
	violation(c, "%s: %s", what, kw_strerror(err));
	return false;
}

static void forget(struct client *c, unsigned at)
{
	memcpy(c->deleted[c->deletions++ % DELETED_MAX], c->keys[at].id, KW_ID_SIZE);
	c->keys[at] = c->keys[--c->count];
}

static void renamed(struct client *c)
{
	memcpy(c->keys[c->at].name, c->name, NAME_SIZE);
	if (c->victim >= 0)
		c->keys[c->victim].name[0] = '\0';
}

static enum kw_err find(struct client *c, const char *name, const uint8_t *id, struct kw_key **key)
{
	struct kw_target target = {.name = name, .id = id};
	enum kw_err err = KW_ERR_NO_TEE;

	/* The TEE is on its way up again. */
	for (int i = 0; i < 2000 && (err == KW_ERR_NO_TEE || err == KW_ERR_DISCONNECTED); i++) {
		if (i)
			nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
		err = kw_key_find(c->kw, &target, key);
	}
	return err;
}

static enum kw_err do_generate(struct client *c)
{
	struct kw_key_template t = {
		.name = c->name, .type = KW_KEY_TYPE_EC_P256, .purposes = KW_PURPOSE_TLS_SERVER};
	struct kw_key *key;
	enum kw_err err = kw_key_generate(c->kw, &t, &key);

	if (err)
		return err;
	memcpy(c->keys[c->count].id, kw_key_id(key), KW_ID_SIZE);
	memcpy(c->keys[c->count++].name, c->name, NAME_SIZE);
	kw_key_free(&key);
	return KW_ERR_OK;
}

static void one_operation(struct client *c)
{
	struct kw_target target = {0};
	unsigned what = pick(c, 10);
	enum kw_err err;

	c->victim = -1;
	snprintf(c->name, sizeof(c->name), "c%u-%u", c->number, c->next_name++);
	if (c->count < 2 || (what < 5 && c->count < KEYS_MAX)) {
		c->open = GENERATE;
		err = do_generate(c);
	} else if (what < 7 || c->count == KEYS_MAX) {
		c->open = DELETE;
		c->at = pick(c, c->count);
		target.id = c->keys[c->at].id;
		err = kw_key_delete(c->kw, &target);
		if (!err)
			forget(c, c->at);
	} else {
		c->open = RENAME;
		c->at = pick(c, c->count);
		if (what == 9) {
			unsigned victim = (c->at + 1 + pick(c, c->count - 1)) % c->count;

			if (c->keys[victim].name[0]) {
				c->victim = (int)victim;
				memcpy(c->name, c->keys[victim].name, NAME_SIZE);
			}
		}
		target.id = c->keys[c->at].id;
		err = kw_key_rename(c->kw, &target, c->name, c->victim >= 0);
		if (!err)
			renamed(c);
	}
	if (!err) {
		c->open = NOTHING;
		c->acknowledged++;
	} else if (!went_away(c, "an operation", err)) {
		c->open = NOTHING;
	}
}

/* Either of two states is right after an operation that got no answer: find out which, and expect it from now on. */
static void settle(struct client *c)
{
	struct kw_key *key = NULL;
	enum kw_err err;

	if (c->open == GENERATE) {
		err = find(c, c->name, NULL, &key);
		if (!err) {
			memcpy(c->keys[c->count].id, kw_key_id(key), KW_ID_SIZE);
			memcpy(c->keys[c->count++].name, c->name, NAME_SIZE);
		} else if (err != KW_ERR_NO_KEY) {
			violation(c, "looking for a new key: %s", kw_strerror(err));
		}
	} else if (c->open == DELETE) {
		err = find(c, NULL, c->keys[c->at].id, &key);
		if (err == KW_ERR_NO_KEY)
			forget(c, c->at);
		else if (err)
			violation(c, "looking for a deleted key: %s", kw_strerror(err));
	} else if (c->open == RENAME) {
		err = find(c, NULL, c->keys[c->at].id, &key);
		if (err)
			violation(c, "a key that was renamed: %s", kw_strerror(err));
		else if (strcmp(kw_key_name(key), c->name) == 0)
			renamed(c);
	}
	kw_key_free(&key);
	c->open = NOTHING;
}

static void verify(struct client *c)
{
	unsigned known = c->deletions < DELETED_MAX ? c->deletions : DELETED_MAX;

	settle(c);
	for (unsigned i = 0; i < c->count; i++) {
		struct kw_key *key = NULL;
		enum kw_err err = find(c, NULL, c->keys[i].id, &key);

		if (err)
			violation(c, "the acknowledged key '%s' is lost: %s", c->keys[i].name,
				kw_strerror(err));
		else if (strcmp(kw_key_name(key), c->keys[i].name) != 0)
			violation(c, "the key '%s' has the name '%s'", c->keys[i].name,
				kw_key_name(key));
		kw_key_free(&key);
		if (!c->keys[i].name[0])
			continue;
		err = find(c, c->keys[i].name, NULL, &key);
		if (err || memcmp(kw_key_id(key), c->keys[i].id, KW_ID_SIZE) != 0)
			violation(c, "the name '%s' is not that of its key: %s", c->keys[i].name,
				kw_strerror(err));
		kw_key_free(&key);
	}
	for (unsigned i = 0; i < known; i++) {
		struct kw_key *key = NULL;
		enum kw_err err = find(c, NULL, c->deleted[i], &key);

		if (err != KW_ERR_NO_KEY)
			violation(c, "a deleted key is back: %s",
				err ? kw_strerror(err) : kw_key_name(key));
		kw_key_free(&key);
	}
}

static void *client_main(void *arg)
{
	struct client *c = arg;

	for (;;) {
		while (!atomic_load(&pausing)) {
			if (c->open == NOTHING)
				one_operation(c);
			else
				nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		}
		pthread_barrier_wait(&barrier);
		verify(c);
		pthread_barrier_wait(&barrier);
		/* The main thread says whether there is a next round. */
		pthread_barrier_wait(&barrier);
		if (atomic_load(&ending))
			return NULL;
	}
}

static pid_t start_tee(char **command)
{
	pid_t pid = fork();

	if (pid == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	return pid;
}

/* How many keys there are in all; negative when the listing fails. */
static long count_keys(struct kw *kw)
{
	struct kw_page *page = NULL;
	struct kw_key *key = NULL;
	long count = 0;
	enum kw_err err;

	while (!(err = kw_key_next(kw, &page, &key))) {
		count++;
		kw_key_free(&key);
	}
	kw_page_free(&page);
	return err == KW_ERR_NO_KEY ? count : -1;
}

/* All rounds; returns how many kills found the TEE at work. */
static unsigned rounds(unsigned kills, char **command, pid_t *tee, unsigned seed)
{
	unsigned useful = 0;

	for (unsigned i = 0; i < kills && !atomic_load(&violations); i++) {
		long nanoseconds =
			1000000L + (long)(rand_r(&seed) % 40000) * 1000; /* 1 to 41 ms of load */
		unsigned interrupted = 0;

		nanosleep(&(struct timespec){.tv_nsec = nanoseconds}, NULL);
		kill(*tee, SIGKILL);
		waitpid(*tee, NULL, 0);
		atomic_store(&pausing, true);
		*tee = start_tee(command);
		pthread_barrier_wait(&barrier);
		for (unsigned k = 0; k < CLIENTS; k++)
			interrupted += clients[k].open != NOTHING;
		useful += interrupted > 0;
		pthread_barrier_wait(&barrier);
		atomic_store(&pausing, false);
		atomic_store(&ending, i + 1 == kills || atomic_load(&violations));
		pthread_barrier_wait(&barrier);
	}
	return useful;
}

int main(int argc, char **argv)
{
	unsigned kills = argc > 2 ? (unsigned)atoi(argv[1]) : 0;
	pthread_t threads[CLIENTS];
	unsigned acknowledged = 0;
	unsigned expected = 0;
	unsigned useful;
	unsigned seed = (unsigned)time(NULL);
	struct kw_key *none = NULL;
	pid_t tee;
	long found;
	int status = 0;

	if (!kills) {
		fprintf(stderr, "usage: storage_kill KILLS COMMAND…\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("# seed %u\n", seed);
	pthread_barrier_init(&barrier, NULL, CLIENTS + 1);
	tee = start_tee(argv + 2);
	for (unsigned i = 0; i < CLIENTS; i++) {
		clients[i].number = i;
		clients[i].random = seed + i;
		if (kw_new(NULL, &clients[i].kw))
			return 2;
	}
	if (find(&clients[0], "absent", NULL, &none) != KW_ERR_NO_KEY) {
		printf("not ok - the TEE starts: %s\n0 passed, 1 failed\n", kw_explain());
		return 1;
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		pthread_create(&threads[i], NULL, client_main, &clients[i]);
	useful = rounds(kills, argv + 2, &tee, seed);
	for (unsigned i = 0; i < CLIENTS; i++) {
		pthread_join(threads[i], NULL);
		acknowledged += clients[i].acknowledged;
		expected += clients[i].count;
	}
	found = count_keys(clients[0].kw);
	if (found != (long)expected)
		violation(&clients[0], "%ld keys are listed, %u were acknowledged and not deleted",
			found, expected);
	for (unsigned i = 0; i < CLIENTS; i++)
		kw_free(&clients[i].kw);
	kill(tee, SIGTERM);
	waitpid(tee, &status, 0);
	if (status)
		violation(&clients[0], "the TEE ended with status %#x", (unsigned)status);
	/* Load that no kill interrupted would prove nothing. */
	if (useful * 4 < kills)
		violation(
			&clients[0], "only %u of %u kills interrupted an operation", useful, kills);
	if (!atomic_load(&violations))
		printf("ok - %u kills, %u of them within an operation: %u acknowledged changes "
		       "kept\n",
			kills, useful, acknowledged);
	printf("%u passed, %u failed\n", atomic_load(&violations) ? 0 : kills,
		atomic_load(&violations));
	return atomic_load(&violations) ? 1 : 0;
}

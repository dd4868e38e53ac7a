/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes and threads that create, find, use and destroy the same objects at once: keys and data under a few labels that
 * all of them share. Each answer is right, or says that the object is gone; each object is destroyed by exactly one; in the end there
 * are as many as were made and not destroyed.
 *
 * usage: pkcs11_two_processes MODULE SECONDS PROCESSES THREADS
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pkcs11_use.h"

#define LABELS 4
#define VALUE_SIZE 200
/* Of each label, that others find them in use */
#define WANTED 2
#define EXTRA_SECONDS 60

static CK_FUNCTION_LIST *p11;

/* All processes'. */
static struct shared {
	atomic_ulong made[2][LABELS], destroyed[2][LABELS]; /* keys, data */
	atomic_ulong signatures, reads, some_destroyed, gone, wrong;
} * shared;

struct worker {
	unsigned number;
	unsigned seed;
	time_t until;
	CK_SESSION_HANDLE s;
};

static void wrong(const char *what, CK_RV rv)
{
	/* One line for each: a process that is wrong once is wrong a thousand times. */
	if (atomic_fetch_add(&shared->wrong, 1) < 10) {
		printf("not ok - %s: 0x%lx\n", what, rv);
		fflush(stdout);
	}
}

/* True: it was done. False: the object is gone, which others may have done; or it is wrong. */
static int done(const char *what, CK_RV rv)
{
	if (!rv)
		return 1;
	if (rv == CKR_OBJECT_HANDLE_INVALID || rv == CKR_KEY_HANDLE_INVALID)
		atomic_fetch_add(&shared->gone, 1);
	else
		wrong(what, rv);
	return 0;
}

static unsigned random_below(struct worker *w, unsigned n)
{
	return (unsigned)rand_r(&w->seed) % n;
}

static void label_of(char *label, unsigned n)
{
	sprintf(label, "shared-%u", n);
}

static int is_ed25519(unsigned n)
{
	return n % 2 == 1;
}

static CK_ULONG find(struct worker *w, CK_OBJECT_CLASS class, unsigned n, CK_OBJECT_HANDLE *found)
{
	char label[32];
	CK_ULONG count = 0;
	CK_RV rv;

	label_of(label, n);
	rv = p11_find(p11, w->s, class, label, found, &count);
	if (rv)
		wrong("a search", rv);
	return rv ? 0 : count;
}

static void make_key(struct worker *w, unsigned n)
{
	CK_OBJECT_HANDLE public, private;
	char label[32];
	CK_RV rv;

	label_of(label, n);
	rv = p11_generate(p11, w->s, is_ed25519(n), CK_TRUE, label, &public, &private);
	if (rv)
		wrong("a key is made", rv);
	else
		atomic_fetch_add(&shared->made[0][n], 1);
}

/* The public key of this private key: others have the same label. */
static int public_of(struct worker *w, CK_OBJECT_HANDLE private, CK_OBJECT_HANDLE *public)
{
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_BYTE info[128];
	CK_ATTRIBUTE wanted[] = {
		{CKA_CLASS, &class, sizeof(class)}, {CKA_PUBLIC_KEY_INFO, info, sizeof(info)}};
	CK_ULONG count = 0;
	CK_RV rv = p11->C_GetAttributeValue(w->s, private, &wanted[1], 1);

	if (!done("the public key's info", rv))
		return 0;
	rv = p11->C_FindObjectsInit(w->s, wanted, 2);
	if (!rv)
		rv = p11->C_FindObjects(w->s, public, 1, &count);
	if (!rv)
		rv = p11->C_FindObjectsFinal(w->s);
	if (rv)
		wrong("a search for the public key", rv);
	return !rv && count == 1;
}

static void use_key(struct worker *w, unsigned n, CK_OBJECT_HANDLE private)
{
	CK_OBJECT_HANDLE public;
	CK_BYTE message[64], signature[64];
	CK_RV rv;

	if (random_below(w, 8) == 0) {
		CK_BYTE id = (CK_BYTE)random_below(w, 256);
		CK_ATTRIBUTE a = {CKA_ID, &id, 1};

		rv = p11->C_SetAttributeValue(w->s, private, &a, 1);
		if (rv == CKR_KEY_HANDLE_INVALID)
			wrong("a key that is gone is changed", rv);
		else
			(void)done("a key is changed", rv);
		return;
	}
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (CK_BYTE)random_below(w, 256);
	if (!public_of(w, private, &public))
		return;
	rv = p11_sign(p11, w->s, is_ed25519(n), private, message, sizeof(message), signature);
	if (!done("a signature", rv))
		return;
	rv = p11_verify(p11, w->s, is_ed25519(n), public, message, sizeof(message), signature);
	if (done("it is good", rv))
		atomic_fetch_add(&shared->signatures, 1);
}

static void make_data(struct worker *w, unsigned n)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE;
	CK_BYTE value[VALUE_SIZE];
	CK_OBJECT_HANDLE o;
	char label[32];
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_TOKEN, &yes, 1},
		{CKA_LABEL, label, 0}, {CKA_VALUE, value, sizeof(value)},
		{CKA_APPLICATION, value, sizeof(value)}};
	CK_RV rv;

	label_of(label, n);
	template[2].ulValueLen = strlen(label);
	memset(value, 'a' + (int)random_below(w, 26), sizeof(value));
	rv = p11->C_CreateObject(w->s, template, 5, &o);
	if (rv)
		wrong("data is made", rv);
	else
		atomic_fetch_add(&shared->made[1][n], 1);
}

/* All of one write, whoever's. */
static int is_uniform(const CK_BYTE *p, CK_ULONG n)
{
	return n == VALUE_SIZE && !memcmp(p, p + 1, VALUE_SIZE - 1);
}

static void use_data(struct worker *w, CK_OBJECT_HANDLE o)
{
	CK_BYTE value[VALUE_SIZE], application[VALUE_SIZE];
	CK_ATTRIBUTE a[] = {{CKA_VALUE, value, sizeof(value)},
		{CKA_APPLICATION, application, sizeof(application)}};

	if (random_below(w, 4) == 0) {
		memset(application, 'a' + (int)random_below(w, 26), sizeof(application));
		(void)done("data is changed", p11->C_SetAttributeValue(w->s, o, &a[1], 1));
		return;
	}
	if (!done("data is read", p11->C_GetAttributeValue(w->s, o, a, 2)))
		return;
	if (!is_uniform(value, a[0].ulValueLen) || !is_uniform(application, a[1].ulValueLen))
		wrong("data that nobody wrote", a[0].ulValueLen);
	atomic_fetch_add(&shared->reads, 1);
}

static void destroy(struct worker *w, unsigned kind, unsigned n, CK_OBJECT_HANDLE o)
{
	CK_RV rv = p11->C_DestroyObject(w->s, o);

	if (rv == CKR_KEY_HANDLE_INVALID)
		wrong("an object that is gone is destroyed", rv);
	if (rv == CKR_KEY_HANDLE_INVALID || !done("an object is destroyed", rv))
		return;
	atomic_fetch_add(&shared->destroyed[kind][n], 1);
	atomic_store(&shared->some_destroyed, 1);
}

static void one_step(struct worker *w)
{
	unsigned n = random_below(w, LABELS), kind = random_below(w, 2);
	CK_OBJECT_HANDLE found[P11_FOUND_MAX];
	CK_ULONG count = find(w, kind ? CKO_DATA : CKO_PRIVATE_KEY, n, found);
	CK_OBJECT_HANDLE o;

	if (count < WANTED) {
		kind ? make_data(w, n) : make_key(w, n);
		return;
	}
	/* Mostly the first: so that two meet. */
	o = found[random_below(w, 2) ? 0 : random_below(w, (unsigned)count)];
	if (random_below(w, 12) == 0)
		destroy(w, kind, n, o);
	else if (kind)
		use_data(w, o);
	else
		use_key(w, n, o);
	if (random_below(w, 50) == 0) {
		CK_RV rv = p11->C_CloseSession(w->s);

		if (rv)
			wrong("a session is closed", rv);
		w->s = p11_open(p11);
	}
}

/* A slow machine gets more time: what was not done says nothing. */
static int has_time(time_t until)
{
	int enough = shared->signatures && shared->reads && shared->some_destroyed;

	return time(NULL) < (enough ? until : until + EXTRA_SECONDS);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	w->s = p11_open(p11);
	w->seed = w->number + 1;
	while (has_time(w->until) && !atomic_load(&shared->wrong))
		one_step(w);
	return NULL;
}

/* What the module says of all data, in whatever order it is. */
static unsigned long describe(void)
{
	struct worker w = {.s = p11_open(p11)};
	CK_OBJECT_HANDLE found[P11_FOUND_MAX];
	unsigned long digest = 0;

	for (unsigned n = 0; n < LABELS; n++) {
		CK_ULONG count = find(&w, CKO_DATA, n, found);

		for (CK_ULONG i = 0; i < count; i++) {
			CK_BYTE letters[2][VALUE_SIZE] = {{0}};
			CK_ATTRIBUTE a[] = {{CKA_VALUE, letters[0], VALUE_SIZE},
				{CKA_APPLICATION, letters[1], VALUE_SIZE}};

			if (p11->C_GetAttributeValue(w.s, found[i], a, 2))
				wrong("data is read in the end", 0);
			digest += (n + 1) * 1000003UL *
				  (letters[0][0] * 256UL + letters[1][0] + 77777UL);
		}
	}
	return digest;
}

static unsigned long known; /* at the end, by the process that did it all */

static void run_process(unsigned process, unsigned threads, time_t until)
{
	struct worker *workers = calloc(threads, sizeof(*workers));
	pthread_t *ids = calloc(threads, sizeof(*ids));

	p11_initialize(p11);
	for (unsigned i = 0; i < threads; i++) {
		workers[i].number = process * threads + i;
		workers[i].until = until;
		if (pthread_create(&ids[i], NULL, work, &workers[i]))
			exit(1);
	}
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	known = describe();
	p11->C_Finalize(NULL);
	free(workers);
	free(ids);
}

/* With a module that begins anew: what the TEE has. Destroys it. */
static unsigned long count_lost(int is_alone)
{
	struct worker w = {0};
	unsigned long lost = 0;

	p11_initialize(p11);
	w.s = p11_open(p11);
	if (is_alone && describe() != known) {
		printf("not ok - what the module knew of the objects is not what they are\n");
		lost++;
	}
	for (unsigned kind = 0; kind < 2; kind++) {
		for (unsigned n = 0; n < LABELS; n++) {
			CK_OBJECT_HANDLE found[P11_FOUND_MAX];
			CK_ULONG count = find(&w, kind ? CKO_DATA : CKO_PRIVATE_KEY, n, found);
			unsigned long left = shared->made[kind][n] - shared->destroyed[kind][n];

			if (count != left) {
				printf("not ok - %s %u: %lu were left, %lu are there\n",
					kind ? "data" : "key", n, left, (unsigned long)count);
				lost++;
			}
			for (CK_ULONG i = 0; i < count; i++)
				lost += p11->C_DestroyObject(w.s, found[i]) != CKR_OK;
		}
	}
	p11->C_Finalize(NULL);
	return lost;
}

static unsigned long sum(const atomic_ulong counts[2][LABELS])
{
	unsigned long total = 0;

	for (unsigned n = 0; n < LABELS; n++)
		total += counts[0][n] + counts[1][n];
	return total;
}

int main(int argc, char **argv)
{
	unsigned processes = argc == 5 ? (unsigned)atoi(argv[3]) : 0, failed = 0;
	unsigned threads = argc == 5 ? (unsigned)atoi(argv[4]) : 0;
	time_t until = time(NULL) + (argc == 5 ? atoi(argv[2]) : 0);
	int status;

	if (!processes || !threads) {
		fprintf(stderr, "usage: pkcs11_two_processes MODULE SECONDS PROCESSES THREADS\n");
		return 2;
	}
	shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 2;
	p11 = p11_load(argv[1]);
	for (unsigned i = 1; i < processes; i++) {
		if (fork() == 0) {
			run_process(i, threads, until);
			_exit(0);
		}
	}
	run_process(0, threads, until);
	while (wait(&status) > 0)
		failed += status != 0;
	failed += count_lost(processes == 1) != 0;
	failed += atomic_load(&shared->wrong) != 0;
	printf("# %lu made, %lu destroyed, %lu signatures, %lu values; %lu times the object was "
	       "gone\n",
		sum(shared->made), sum(shared->destroyed), shared->signatures, shared->reads,
		shared->gone);
	/* That nothing was wrong says little when nothing was done. */
	if (!shared->signatures || !shared->reads || !sum(shared->destroyed)) {
		printf("not ok - nothing was done\n");
		failed++;
	}
	return failed != 0;
}

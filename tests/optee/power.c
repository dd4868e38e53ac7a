/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes keys until the power goes, and asks after the next start whether OP-TEE kept its word.
 *
 *	board_power FOLDER          checks what FOLDER says, prints "writing", and changes keys without an end
 *	board_power FOLDER check    checks only
 *
 * FOLDER is on another machine: what was written there stays when this one loses its power. A journal there for
 * each thread has a line before each change, and one when it was acknowledged. So after a power cut the last
 * change of each thread may have happened or not, and of all others it is known. One key of each thread is large,
 * and renamed often, so the log is compacted often.
 */
#include "use.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENTS 2
#define KEYS_MAX 12
#define DELETED_MAX 64
#define NAME_SIZE 32
#define HEX_SIZE (2 * KW_ID_SIZE + 1)
#define LINE_SIZE (32 + 2 * HEX_SIZE + NAME_SIZE)
#define TIMEOUT_MS 60000
#define LARGE 0 /* the place of the large key, which stays */
#define LARGE_BITS 2048

enum operation { NOTHING, GENERATE, DELETE, RENAME };

struct kept {
	char id[HEX_SIZE];
	char name[NAME_SIZE];
};

/* On `id`, which gets `name`; it is taken from the key `victim` when that is not "". */
struct change {
	enum operation what;
	char id[HEX_SIZE];
	char name[NAME_SIZE];
	char victim[HEX_SIZE];
};

struct client {
	unsigned number;
	unsigned next_name;
	unsigned random;
	int journal;
	struct kw *kw;
	struct kept keys[KEYS_MAX];
	unsigned count;
	char deleted[DELETED_MAX][HEX_SIZE];
	unsigned deletions;
	unsigned acknowledged;
	struct change open;
};

static struct client clients[CLIENTS];

static void die(const char *what, const char *why)
{
	printf("not ok - %s: %s\n", what, why);
	fflush(stdout);
	exit(1);
}

static void to_hex(char hex[HEX_SIZE], const uint8_t *id)
{
	for (size_t i = 0; i < KW_ID_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
}

static unsigned pick(struct client *c, unsigned n)
{
	return (unsigned)rand_r(&c->random) % n;
}

static void note(struct client *c, const char *line)
{
	size_t len = strlen(line);

	if (write(c->journal, line, len) != (ssize_t)len)
		die("the journal can be written", strerror(errno));
}

static struct kept *kept(struct client *c, const char *id)
{
	for (unsigned i = 0; i < c->count; i++) {
		if (strcmp(c->keys[i].id, id) == 0)
			return &c->keys[i];
	}
	die("the journal names keys that there are", id);
	return NULL;
}

/* --- What must be there --- */

static void begin(struct client *c, const struct change *change)
{
	if (c->open.what != NOTHING || (change->what == GENERATE && c->count == KEYS_MAX))
		die("the journal makes sense", change->name);
	c->open = *change;
}

/* The open change happened; `id` is that of a new key. */
static void happened(struct client *c, const char *id)
{
	struct kept *k = c->open.what == GENERATE ? &c->keys[c->count++] : kept(c, c->open.id);

	if (c->open.victim[0])
		kept(c, c->open.victim)->name[0] = '\0';
	if (c->open.what == GENERATE)
		snprintf(k->id, sizeof(k->id), "%s", id);
	if (c->open.what == DELETE) {
		memcpy(c->deleted[c->deletions++ % DELETED_MAX], k->id, HEX_SIZE);
		*k = c->keys[--c->count];
	} else {
		memcpy(k->name, c->open.name, NAME_SIZE);
	}
	c->open.what = NOTHING;
	c->acknowledged++;
}

static void note_open(struct client *c)
{
	static const char *const words[] = {"", "generate", "delete", "rename"};
	const struct change *o = &c->open;
	char line[LINE_SIZE];

	snprintf(line, sizeof(line), "%s %s %s %s\n", words[o->what], o->id[0] ? o->id : "-",
		o->name[0] ? o->name : "-", o->victim[0] ? o->victim : "-");
	note(c, line);
}

static void note_happened(struct client *c, const char *id)
{
	char line[LINE_SIZE];

	snprintf(line, sizeof(line), "done %s\n", id);
	note(c, line);
	happened(c, id);
}

static void note_not(struct client *c)
{
	note(c, "not\n");
	c->open.what = NOTHING;
}

static void take_line(struct client *c, const char *line)
{
	struct change o = {0};
	char word[16];

	if (sscanf(line, "%15s %64s %31s %64s", word, o.id, o.name, o.victim) < 1)
		die("the journal can be read", line);
	for (char *field = o.id; field; field = field == o.id     ? o.name
						: field == o.name ? o.victim
								  : NULL) {
		if (strcmp(field, "-") == 0)
			*field = '\0';
	}
	if (strcmp(word, "done") == 0) {
		happened(c, o.id);
	} else if (strcmp(word, "not") == 0) {
		c->open.what = NOTHING;
	} else {
		o.what = *word == 'g' ? GENERATE : *word == 'd' ? DELETE : RENAME;
		c->next_name++;
		begin(c, &o);
	}
}

static void read_journal(struct client *c, const char *folder)
{
	char path[256], line[LINE_SIZE];
	FILE *f;

	snprintf(path, sizeof(path), "%s/journal-%u", folder, c->number);
	c->journal = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	f = fopen(path, "r");
	if (c->journal < 0 || !f)
		die("the journal can be opened", strerror(errno));
	while (fgets(line, sizeof(line), f))
		take_line(c, line);
	fclose(f);
}

/* --- What is there --- */

static enum kw_err find(struct client *c, const char *name, const char *id, struct kw_key **key)
{
	uint8_t bytes[KW_ID_SIZE];
	struct kw_target target =
		name ? (struct kw_target){.name = name} : kw_target_from_text(id, bytes);

	*key = NULL;
	return kw_key_find(c->kw, &target, key);
}

/* Either of two states is right after a change that got no answer: find out which, and expect it from now on. */
static void settle(struct client *c)
{
	bool is_new = c->open.what == GENERATE;
	char id[HEX_SIZE] = "-";
	struct kw_key *key;
	enum kw_err err;
	bool done;

	if (c->open.what == NOTHING)
		return;
	err = find(c, is_new ? c->open.name : NULL, c->open.id, &key);
	if (err && (err != KW_ERR_NO_KEY || c->open.what == RENAME)) {
		report(false, "the key that was being changed is lost: %s", kw_strerror(err));
		return;
	}
	done = is_new                   ? !err
	       : c->open.what == DELETE ? err == KW_ERR_NO_KEY
					: strcmp(kw_key_name(key), c->open.name) == 0;
	if (is_new && done)
		to_hex(id, kw_key_id(key));
	printf("# a change without an answer: %s\n", done ? "done" : "not done");
	if (done)
		note_happened(c, id);
	else
		note_not(c);
	kw_key_free(&key);
}

static bool is_as_kept(struct client *c, const struct kept *k)
{
	char id[HEX_SIZE] = "";
	struct kw_key *key;
	enum kw_err err = find(c, NULL, k->id, &key);
	bool good = !err && strcmp(kw_key_name(key), k->name) == 0;

	if (err)
		report(false, "the acknowledged key '%s' is lost: %s", k->name, kw_strerror(err));
	else if (!good)
		report(false, "the key '%s' has the name '%s'", k->name, kw_key_name(key));
	kw_key_free(&key);
	if (!k->name[0])
		return good;
	err = find(c, k->name, NULL, &key);
	if (!err)
		to_hex(id, kw_key_id(key));
	kw_key_free(&key);
	if (strcmp(id, k->id) == 0)
		return good;
	return report(false, "the name '%s' is not that of its key: %s", k->name, kw_strerror(err));
}

static bool verify(struct client *c)
{
	unsigned known = c->deletions < DELETED_MAX ? c->deletions : DELETED_MAX;
	bool good = true;

	settle(c);
	for (unsigned i = 0; i < c->count; i++)
		good = is_as_kept(c, &c->keys[i]) && good;
	for (unsigned i = 0; i < known; i++) {
		struct kw_key *key;
		enum kw_err err = find(c, NULL, c->deleted[i], &key);

		kw_key_free(&key);
		if (err != KW_ERR_NO_KEY)
			good = report(false, "a deleted key is back: %s", c->deleted[i]);
	}
	return good;
}

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

static bool verify_all(void)
{
	unsigned expected = 0, acknowledged = 0;
	bool good = true;

	for (unsigned i = 0; i < CLIENTS; i++) {
		good = verify(&clients[i]) && good;
		expected += clients[i].count;
		acknowledged += clients[i].acknowledged;
	}
	if (count_keys(clients[0].kw) != (long)expected)
		good = report(false, "%ld keys are listed, %u must be there",
			count_keys(clients[0].kw), expected);
	return good && report(true, "%u keys are as %u changes left them", expected, acknowledged);
}

/* --- Changes --- */

static void choose(struct client *c, struct change *o)
{
	unsigned what = pick(c, 10);
	const struct kept *k;

	*o = (struct change){.what = RENAME};
	snprintf(o->name, sizeof(o->name), "power-%u-%u", c->number, c->next_name++);
	if (c->count < 3 || (what < 3 && c->count < KEYS_MAX)) {
		o->what = GENERATE;
		return;
	}
	if (what < 5) {
		o->what = DELETE;
		o->name[0] = '\0';
	}
	k = &c->keys[what < 7 ? 1 + pick(c, c->count - 1) : LARGE];
	memcpy(o->id, k->id, HEX_SIZE);
	if (what == 9) {
		const struct kept *victim = &c->keys[1 + pick(c, c->count - 1)];

		if (victim->name[0]) {
			memcpy(o->victim, victim->id, HEX_SIZE);
			memcpy(o->name, victim->name, NAME_SIZE);
		}
	}
}

static enum kw_err apply(struct client *c, char new_id[HEX_SIZE])
{
	struct kw_key_template t = {.name = c->open.name,
		.type = KW_KEY_TYPE_ED25519,
		.purposes = KW_PURPOSE_TLS_SERVER};
	uint8_t id[KW_ID_SIZE];
	struct kw_target target = kw_target_from_text(c->open.id, id);
	struct kw_key *key = NULL;
	enum kw_err err;

	strcpy(new_id, "-");
	if (c->open.what == DELETE)
		return kw_key_delete(c->kw, &target);
	if (c->open.what == RENAME)
		return kw_key_rename(c->kw, &target, c->open.name, c->open.victim[0] != '\0');
	err = kw_key_generate(c->kw, &t, &key);
	if (!err)
		to_hex(new_id, kw_key_id(key));
	kw_key_free(&key);
	return err;
}

static void *change_keys(void *arg)
{
	struct client *c = arg;
	struct change change;
	char new_id[HEX_SIZE];

	for (;;) {
		choose(c, &change);
		begin(c, &change);
		note_open(c);
		if (apply(c, new_id))
			die("a change", kw_explain());
		note_happened(c, new_id);
	}
	return NULL;
}

/* RSA primes are found faster outside of OP-TEE. */
static void make_material(uint8_t material[4 + LARGE_BITS / 8])
{
	EVP_PKEY *pkey = EVP_RSA_gen(LARGE_BITS);
	BIGNUM *p = NULL, *q = NULL;

	if (!pkey || !EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, &p) ||
		!EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, &q))
		die("a large key", "libcrypto fails");
	memcpy(material, (const uint8_t[]){0, 1, 0, 1}, 4); /* 65537 */
	BN_bn2binpad(p, material + 4, LARGE_BITS / 16);
	BN_bn2binpad(q, material + 4 + LARGE_BITS / 16, LARGE_BITS / 16);
	BN_free(p);
	BN_free(q);
	EVP_PKEY_free(pkey);
}

static void make_large_key(struct client *c)
{
	struct kw_key_template t = {.name = c->open.name,
		.type = KW_KEY_TYPE_RSA_2048,
		.purposes = KW_PURPOSE_TLS_SERVER};
	uint8_t material[4 + LARGE_BITS / 8];
	char id[HEX_SIZE];
	struct kw_key *key;

	c->open.what = GENERATE;
	snprintf(c->open.name, sizeof(c->open.name), "power-large-%u", c->number);
	make_material(material);
	note_open(c);
	if (kw_key_import(c->kw, &t, material, sizeof(material), &key))
		die("a large key is imported", kw_explain());
	to_hex(id, kw_key_id(key));
	kw_key_free(&key);
	note_happened(c, id);
}

int main(int argc, char **argv)
{
	pthread_t threads[CLIENTS];
	struct kw_status *status;

	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned i = 0; i < CLIENTS; i++) {
		clients[i].number = i;
		clients[i].kw = optee_kw(TIMEOUT_MS);
		clients[i].random = (unsigned)getpid() + i;
		read_journal(&clients[i], argv[1]);
		clients[i].random += clients[i].next_name * 7919;
	}
	if (kw_status_new(clients[0].kw, &status))
		die("the TEE answers", kw_explain());
	if (!verify_all())
		return 1;
	printf("# the log has %llu bytes\n", (unsigned long long)kw_status_store_bytes(status));
	kw_status_free(&status);
	if (argc > 2)
		return report_sums();
	for (unsigned i = 0; i < CLIENTS; i++) {
		if (!clients[i].count)
			make_large_key(&clients[i]);
	}
	puts("writing");
	for (unsigned i = 0; i < CLIENTS; i++) {
		if (pthread_create(&threads[i], NULL, change_keys, &clients[i]))
			die("a thread", strerror(errno));
	}
	pthread_join(threads[0], NULL);
	return 1;
}

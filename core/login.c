/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logins: in memory only, so that they end with the TEE. A login has a number, which connections remember,
 * and a ticket, with which its caller gets it on another connection. A number is never used again.
 */
#include <string.h>

#include "token.h"

#define LOGINS_MAX 512
#define LOGINS_PER_CALLER 64

struct login {
	uint64_t number; /* 0: none. Its remainder by LOGINS_MAX is the place in the table */
	uint64_t used;   /* larger is later */
	uint8_t ticket[WIRE_TICKET_SIZE];
	uint8_t uuid[WIRE_UUID_SIZE]; /* of the user who logged in */
	uint8_t slot;
	uint8_t user; /* enum wire_token_user */
};

struct logins {
	struct platform_mutex *lock;
	uint64_t times; /* logins and uses so far */
	struct login at[LOGINS_MAX];
};

enum kw_err logins_new(struct core *core)
{
	struct logins *l = platform_alloc(sizeof(*l));

	if (!l)
		return KW_ERR_NO_MEMORY;
	l->lock = platform_mutex_new();
	if (!l->lock) {
		platform_free(l, sizeof(*l));
		return KW_ERR_NO_MEMORY;
	}
	core->logins = l;
	return KW_ERR_OK;
}

void logins_free(struct core *core)
{
	struct logins *l = core->logins;

	core->logins = NULL;
	if (!l)
		return;
	platform_mutex_free(&l->lock);
	platform_free(l, sizeof(*l));
}

/* --- Under the lock --- */

static bool is_of(const struct login *l, const struct session *s)
{
	return l->number && !memcmp(l->uuid, s->user.uuid, sizeof(l->uuid));
}

static struct login *by_number(struct logins *l, uint64_t number)
{
	struct login *login = &l->at[number % LOGINS_MAX];

	return number && login->number == number ? login : NULL;
}

static struct login *by_ticket(struct logins *l, const struct session *s, const uint8_t *ticket)
{
	struct login *found = NULL;

	for (unsigned i = 0; i < LOGINS_MAX; i++) {
		if (is_of(&l->at[i], s) && crypto_equal(l->at[i].ticket, ticket, WIRE_TICKET_SIZE))
			found = &l->at[i];
	}
	return found;
}

/* How many logins the user has, and the one that was not used for longest. */
static unsigned count_of(
	struct logins *l, const uint8_t uuid[WIRE_UUID_SIZE], struct login **oldest)
{
	unsigned n = 0;

	*oldest = NULL;
	for (unsigned i = 0; i < LOGINS_MAX; i++) {
		struct login *login = &l->at[i];

		if (!login->number || memcmp(login->uuid, uuid, sizeof(login->uuid)) != 0)
			continue;
		n++;
		if (!*oldest || login->used < (*oldest)->used)
			*oldest = login;
	}
	return n;
}

/* Of a user who has most. */
static struct login *oldest_of_most(struct logins *l)
{
	struct login *oldest, *found = NULL;
	unsigned most = 0, n;

	for (unsigned i = 0; i < LOGINS_MAX; i++) {
		if (!l->at[i].number)
			continue;
		n = count_of(l, l->at[i].uuid, &oldest);
		if (n > most) {
			most = n;
			found = oldest;
		}
	}
	return found;
}

/* Programs that end without logging out leave their logins behind. They must not keep others from it: a user with as
 * many as there may be gives up one of his own, and when the table is full whoever has most does. */
static struct login *place_for(struct logins *l, const struct session *s)
{
	struct login *oldest;

	if (count_of(l, s->user.uuid, &oldest) >= LOGINS_PER_CALLER)
		return oldest;
	for (unsigned i = 0; i < LOGINS_MAX; i++) {
		if (!l->at[i].number)
			return &l->at[i];
	}
	return oldest_of_most(l);
}

/* The connection's place for this login: its own, one of a login that has ended, or NULL. */
static uint64_t *grant_for(struct logins *l, const struct session *s, const struct login *login)
{
	uint64_t *spare = NULL;

	for (unsigned i = 0; s->grants && i < GRANTS_MAX; i++) {
		uint64_t *at = &s->grants->logins[i];
		const struct login *other = by_number(l, *at);

		if (!other)
			spare = at;
		/* One at a time for each of a token's two users. */
		else if (other->slot == login->slot && other->user == login->user)
			return at;
	}
	return spare;
}

static void end(struct login *login)
{
	platform_wipe(login, sizeof(*login));
}

/* --- */

enum kw_err login_add(struct core *core, const struct session *s, uint8_t slot,
	enum wire_token_user user, uint8_t ticket[WIRE_TICKET_SIZE])
{
	struct logins *l = core->logins;
	struct login fresh = {.slot = slot, .user = (uint8_t)user};
	uint64_t *grant;
	struct login *place;
	enum kw_err err = platform_random(fresh.ticket, sizeof(fresh.ticket));

	if (err)
		return err;
	memcpy(fresh.uuid, s->user.uuid, sizeof(fresh.uuid));
	platform_mutex_lock(l->lock);
	place = place_for(l, s);
	grant = grant_for(l, s, &fresh);
	err = KW_ERR_LIMIT;
	if (!place || !grant)
		goto out;
	fresh.used = ++l->times;
	fresh.number = l->times * LOGINS_MAX + (uint64_t)(place - l->at);
	*place = fresh;
	*grant = fresh.number;
	memcpy(ticket, fresh.ticket, sizeof(fresh.ticket));
	err = KW_ERR_OK;
out:
	platform_mutex_unlock(l->lock);
	platform_wipe(&fresh, sizeof(fresh));
	return err;
}

enum kw_err login_present(
	struct core *core, const struct session *s, const uint8_t ticket[WIRE_TICKET_SIZE])
{
	struct logins *l = core->logins;
	enum kw_err err = KW_ERR_NOT_LOGGED_IN;
	struct login *login;
	uint64_t *grant;

	platform_mutex_lock(l->lock);
	login = by_ticket(l, s, ticket);
	if (!login)
		goto out;
	err = KW_ERR_LIMIT;
	grant = grant_for(l, s, login);
	if (!grant)
		goto out;
	*grant = login->number;
	login->used = ++l->times;
	err = KW_ERR_OK;
out:
	platform_mutex_unlock(l->lock);
	return err;
}

enum kw_err login_end(
	struct core *core, const struct session *s, const uint8_t ticket[WIRE_TICKET_SIZE])
{
	struct logins *l = core->logins;
	struct login *login;

	platform_mutex_lock(l->lock);
	login = by_ticket(l, s, ticket);
	if (login)
		end(login);
	platform_mutex_unlock(l->lock);
	return login ? KW_ERR_OK : KW_ERR_NOT_LOGGED_IN;
}

void login_leave(const struct session *s)
{
	if (s->grants)
		memset(s->grants, 0, sizeof(*s->grants));
}

void login_end_all(struct core *core, uint8_t slot, uint8_t user)
{
	struct logins *l = core->logins;

	platform_mutex_lock(l->lock);
	for (unsigned i = 0; i < LOGINS_MAX; i++) {
		if (l->at[i].slot == slot && (!user || l->at[i].user == user))
			end(&l->at[i]);
	}
	platform_mutex_unlock(l->lock);
}

bool login_holds(
	struct core *core, const struct session *s, uint8_t slot, enum wire_token_user user)
{
	struct logins *l = core->logins;
	bool holds = false;

	if (!s->grants)
		return false;
	platform_mutex_lock(l->lock);
	for (unsigned i = 0; !holds && i < GRANTS_MAX; i++) {
		struct login *login = by_number(l, s->grants->logins[i]);

		holds = login && login->slot == slot && login->user == user;
		if (holds)
			login->used = ++l->times;
	}
	platform_mutex_unlock(l->lock);
	return holds;
}

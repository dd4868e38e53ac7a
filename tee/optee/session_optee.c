/* SPDX-License-Identifier: BSD-2-Clause */
#include "session_optee.h"

#include <string.h>

#include "platform_optee.h"
#include "wire/optee.h"

/* Each costs OP-TEE's own heap as well, which all Trusted Applications share. */
#define SESSIONS_MAX 256
#define SESSIONS_PER_CALLER 128
#define SESSIONS_FOR_ROOT 8 /* of the total: others cannot lock the administrator out */

struct client {
	struct client *next;
	struct identity who;
	bool is_admin;
	bool may_create;
	struct grants grants;
};

static struct client *clients;

static void put_be(uint8_t *to, uint32_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
}

/* RFC 4122, 4.1.2: the octets of a UUID that OP-TEE keeps as numbers. */
static void uuid_octets(const TEE_UUID *from, uint8_t to[WIRE_UUID_SIZE])
{
	put_be(to, from->timeLow, 4);
	put_be(to + 4, from->timeMid, 2);
	put_be(to + 6, from->timeHiAndVersion, 2);
	memcpy(to + 8, from->clockSeqAndNode, sizeof(from->clockSeqAndNode));
}

static bool has_id(const struct identity *who, uint32_t id)
{
	uint8_t uuid[WIRE_UUID_SIZE];

	return !platform_identity((enum wire_identity_kind)who->kind, id, uuid) &&
	       !memcmp(uuid, who->uuid, sizeof(uuid));
}

/* Users that the builder of this Trusted Application lets create keys: KEYWARD_CREATORS. */
static bool is_creator(const struct identity *who)
{
	static const uint32_t creators[] = {0, KW_CREATORS};

	for (size_t i = 0; i < sizeof(creators) / sizeof(creators[0]); i++) {
		if (who->kind == IDENTITY_USER && has_id(who, creators[i]))
			return true;
	}
	return false;
}

static TEE_Result identify(struct client *c)
{
	TEE_Identity identity;
	TEE_Result result;

	result = TEE_GetPropertyAsIdentity(
		TEE_PROPSET_CURRENT_CLIENT, "gpd.client.identity", &identity);
	if (result)
		return result;
	/* Not other Trusted Applications, nor the normal world's kernel: they have no user. */
	if (identity.login == TEE_LOGIN_USER)
		c->who.kind = IDENTITY_USER;
	else if (identity.login == TEE_LOGIN_GROUP)
		c->who.kind = IDENTITY_GROUP;
	else
		return TEE_ERROR_ACCESS_DENIED;
	uuid_octets(&identity.uuid, c->who.uuid);
	c->who.id = OPTEE_ID_UNKNOWN;
	c->is_admin = c->who.kind == IDENTITY_USER && has_id(&c->who, 0);
	c->may_create = is_creator(&c->who);
	return TEE_SUCCESS;
}

static bool has_room_for(const struct client *c)
{
	unsigned total = 0, same = 0;

	for (const struct client *other = clients; other; other = other->next) {
		total++;
		if (other->who.kind == c->who.kind &&
			!memcmp(other->who.uuid, c->who.uuid, sizeof(c->who.uuid)))
			same++;
	}
	if (c->is_admin)
		return total < SESSIONS_MAX;
	return total < SESSIONS_MAX - SESSIONS_FOR_ROOT && same < SESSIONS_PER_CALLER;
}

TEE_Result session_open(uint32_t types, const TEE_Param params[TEE_NUM_PARAMS], void **context)
{
	const uint32_t with_id = TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INPUT, TEE_PARAM_TYPE_NONE,
		TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE);
	const uint32_t with_random = TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INPUT,
		TEE_PARAM_TYPE_VALUE_INPUT, TEE_PARAM_TYPE_VALUE_INPUT, TEE_PARAM_TYPE_VALUE_INPUT);
	struct client *c = NULL;
	TEE_Result result = TEE_ERROR_BAD_PARAMETERS;

	if (types != with_random && types != with_id && types != 0)
		goto out;
	/* Whoever it is. */
	for (unsigned i = 1; types == with_random && i < TEE_NUM_PARAMS; i++)
		random_add(&params[i].value, sizeof(params[i].value));
	result = TEE_ERROR_OUT_OF_MEMORY;
	c = platform_alloc(sizeof(*c));
	if (!c)
		goto out;
	result = identify(c);
	if (result)
		goto out;
	result = TEE_ERROR_BUSY;
	if (!has_room_for(c))
		goto out;
	if (types && has_id(&c->who, params[0].value.a))
		c->who.id = params[0].value.a;
	c->next = clients;
	clients = c;
	*context = c;
	c = NULL;
	result = TEE_SUCCESS;
out:
	platform_free(c, sizeof(*c));
	return result;
}

void session_close(void *context)
{
	struct client **at = &clients;
	struct client *c = context;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	platform_free(c, sizeof(*c));
}

void session_fill(void *context, struct session *session)
{
	struct client *c = context;

	memset(session, 0, sizeof(*session));
	session->user = c->who;
	if (c->who.kind == IDENTITY_GROUP)
		memcpy(session->groups[session->group_count++], c->who.uuid, WIRE_UUID_SIZE);
	session->is_admin = c->is_admin;
	session->may_create = c->may_create;
	session->grants = &c->grants;
}

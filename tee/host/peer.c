/* SPDX-License-Identifier: BSD-2-Clause */
#include "peer.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* As many as setgroups(2) takes, and the main one. */
#define GROUPS_MAX 65537

static bool number(const char *text, uint32_t *id)
{
	char *end;
	unsigned long v;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoul(text, &end, 10);
	/* -1 means "no id" in every call that takes one. */
	if (errno || *end || v >= UINT32_MAX)
		return false;
	*id = (uint32_t)v;
	return true;
}

enum kw_err peer_rule_add(struct peer_rules *rules, const char *text, bool admin)
{
	struct peer_rule rule = {.admin = admin};
	struct passwd *pw;
	struct group *gr;

	if (rules->count == PEER_RULES_MAX)
		return KW_ERR_LIMIT;
	if (!strncmp(text, "user:", 5)) {
		rule.kind = IDENTITY_USER;
		pw = getpwnam(text + 5);
		if (pw)
			rule.id = pw->pw_uid;
		else if (!number(text + 5, &rule.id))
			return KW_ERR_BAD_NAME;
	} else if (!strncmp(text, "group:", 6)) {
		rule.kind = IDENTITY_GROUP;
		gr = getgrnam(text + 6);
		if (gr)
			rule.id = gr->gr_gid;
		else if (!number(text + 6, &rule.id))
			return KW_ERR_BAD_NAME;
	} else {
		return KW_ERR_BAD_NAME;
	}
	rules->rule[rules->count++] = rule;
	return KW_ERR_OK;
}

static void apply(const struct peer_rules *rules, enum wire_identity_kind kind, uint32_t id,
	struct session *s)
{
	for (unsigned i = 0; i < rules->count; i++) {
		if (rules->rule[i].kind != kind || rules->rule[i].id != id)
			continue;
		s->may_create = true;
		s->is_admin = s->is_admin || rules->rule[i].admin;
	}
}

static enum kw_err add_group(const struct peer_rules *rules, uint32_t gid, struct session *s)
{
	enum kw_err err;

	apply(rules, IDENTITY_GROUP, gid, s);
	/* A key that is shared with a group beyond the 64th stays closed to this caller. */
	if (s->group_count == CALLER_GROUPS_MAX)
		return KW_ERR_OK;
	err = platform_identity(IDENTITY_GROUP, gid, s->groups[s->group_count]);
	if (!err)
		s->group_count++;
	return err;
}

/* unix(7), SO_PEERGROUPS: the supplementary groups at connect time. */
static enum kw_err add_groups(const struct peer_rules *rules, int fd, struct session *s)
{
	gid_t few[CALLER_GROUPS_MAX];
	gid_t *groups = few;
	socklen_t len = sizeof(few);
	enum kw_err err = KW_ERR_NO_MEMORY;
	int result;

	result = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len);
	if (result && errno == ERANGE && len <= GROUPS_MAX * sizeof(gid_t)) {
		groups = malloc(len);
		if (!groups)
			return KW_ERR_NO_MEMORY;
		result = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len);
	}
	if (result)
		goto out;
	err = KW_ERR_OK;
	for (size_t i = 0; !err && i < len / sizeof(gid_t); i++)
		err = add_group(rules, groups[i], s);
out:
	if (groups != few)
		free(groups);
	return err;
}

enum kw_err peer_session(const struct peer_rules *rules, int fd, struct session *s)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	enum kw_err err;

	memset(s, 0, sizeof(*s));
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) || len != sizeof(peer))
		return KW_ERR_ACCESS;
	s->user.kind = IDENTITY_USER;
	s->user.id = peer.uid;
	s->is_admin = peer.uid == 0 || peer.uid == rules->own_uid;
	s->may_create = s->is_admin;
	apply(rules, IDENTITY_USER, peer.uid, s);
	err = platform_identity(IDENTITY_USER, peer.uid, s->user.uuid);
	if (!err)
		err = add_group(rules, peer.gid, s);
	if (!err)
		err = add_groups(rules, fd, s);
	return err;
}

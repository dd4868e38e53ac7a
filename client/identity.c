/* SPDX-License-Identifier: BSD-2-Clause */
/* Users and groups, by name and by number. */
#include "internal.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Entries of large groups are long; not on the stack, which may be small. */
#define ENTRY_FIRST 4096
#define ENTRY_MAX (1u << 20)

bool text_is_clean(const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x20 || text[i] == 0x7f)
			return false;
		/* C1 controls, U+0080 to U+009F: terminals obey them too. */
		if (text[i] == 0xc2 && i + 1 < len && text[i + 1] < 0xa0)
			return false;
	}
	return true;
}

/* The number of the name, or the name of the number: whichever `name` asks for. */
static bool look_up(bool group, const char *name, uint32_t *id, char *buf, size_t size)
{
	struct passwd pw, *found_pw = NULL;
	struct group gr, *found_gr = NULL;
	char *entry = NULL;
	char *bigger;
	int r = ERANGE;

	for (size_t n = ENTRY_FIRST; r == ERANGE && n <= ENTRY_MAX; n *= 4) {
		bigger = realloc(entry, n);
		if (!bigger)
			break;
		entry = bigger;
		if (group)
			r = name ? getgrnam_r(name, &gr, entry, n, &found_gr)
				 : getgrgid_r(*id, &gr, entry, n, &found_gr);
		else
			r = name ? getpwnam_r(name, &pw, entry, n, &found_pw)
				 : getpwuid_r(*id, &pw, entry, n, &found_pw);
	}
	if (found_pw && name)
		*id = found_pw->pw_uid;
	else if (found_gr && name)
		*id = found_gr->gr_gid;
	else if (found_pw || found_gr)
		snprintf(buf, size, "%s", found_pw ? found_pw->pw_name : found_gr->gr_name);
	free(entry);
	return found_pw || found_gr;
}

bool user_name(uint32_t uid, char *buf, size_t size)
{
	return look_up(false, NULL, &uid, buf, size);
}

bool group_name(uint32_t gid, char *buf, size_t size)
{
	return look_up(true, NULL, &gid, buf, size);
}

/* All digits, and an id that can exist: the highest number means "none" to the system. */
static bool parse_number(const char *text, uint32_t *id)
{
	uint64_t v = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (uint64_t)(*text - '0');
		if (v >= UINT32_MAX)
			return false;
	}
	*id = (uint32_t)v;
	return true;
}

enum kw_err kw_identity_from_name(const char *text, struct kw_identity *identity)
{
	struct kw_identity found = {.kind = KW_IDENTITY_USER};
	const char *name;
	bool group;

	if (!identity)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	*identity = (struct kw_identity){0};
	if (text && strncmp(text, "user:", 5) == 0)
		name = text + 5;
	else if (text && strncmp(text, "group:", 6) == 0)
		name = text + 6;
	else
		return explain(KW_ERR_ARGUMENT, "'%.64s' is neither user:NAME nor group:NAME",
			text ? text : "");
	group = text[0] == 'g';
	if (group)
		found.kind = KW_IDENTITY_GROUP;
	if (!*name)
		return explain(KW_ERR_ARGUMENT, "the name after '%s' is missing", text);
	if (!parse_number(name, &found.id) && !look_up(group, name, &found.id, NULL, 0))
		return explain(KW_ERR_ARGUMENT, "this machine has no %s '%.64s'; see: getent %s",
			group ? "group" : "user", name, group ? "group" : "passwd");
	*identity = found;
	return KW_ERR_OK;
}

void kw_identity_name(const struct kw_identity *identity, char *buf, size_t size)
{
	bool group = identity->kind == KW_IDENTITY_GROUP;
	uint32_t id = identity->id;
	char name[256];

	if (look_up(group, NULL, &id, name, sizeof(name)))
		snprintf(buf, size, "%s:%s", group ? "group" : "user", name);
	else
		snprintf(buf, size, "%s:%" PRIu32, group ? "group" : "user", id);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences for people: what was refused or failed, to whom, why, and what to do about it. */
#include "explain_token.h"
#include "key.h"
#include "transport.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_TEXT_SIZE (KW_NAME_MAX + 32)
#define KEY_ARGUMENT_SIZE (KW_NAME_MAX + 3)

static _Thread_local char sentence[1024];

const char *kw_explain(void)
{
	return sentence;
}

enum kw_err explain(enum kw_err err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(sentence, sizeof(sentence), format, ap);
	va_end(ap);
	/* Names and paths are other people's text, and this will be in a log or on a terminal. */
	for (size_t i = 0; sentence[i]; i++)
		if ((unsigned char)sentence[i] < 0x20 || sentence[i] == 0x7f)
			sentence[i] = '?';
	return err;
}

void explain_clear(void)
{
	sentence[0] = '\0';
}

void caller_text(char *buf, size_t size)
{
	uint32_t uid = geteuid();
	char name[64];

	if (user_name(uid, name, sizeof(name)))
		snprintf(buf, size, "user %s (uid %" PRIu32 ")", name, uid);
	else
		snprintf(buf, size, "uid %" PRIu32, uid);
}

struct subject subject_of_target(const struct kw_target *t)
{
	return (struct subject){.name = t->name, .id = t->id, .sealed = t->record != NULL};
}

static void put_hex(char *buf, const uint8_t *id, size_t n)
{
	for (size_t i = 0; i < n; i++)
		snprintf(buf + 2 * i, 3, "%02x", id[i]);
}

/* "the key 'www.test.com'" */
static void key_text(const struct subject *s, char buf[KEY_TEXT_SIZE])
{
	char hex[17] = "";

	if (s->name && s->name[0]) {
		snprintf(buf, KEY_TEXT_SIZE, "the key '%.*s'", KW_NAME_MAX, s->name);
	} else if (s->id) {
		put_hex(hex, s->id, 8);
		snprintf(buf, KEY_TEXT_SIZE, "the key %s…", hex);
	} else {
		snprintf(buf, KEY_TEXT_SIZE, s->sealed ? "the sealed key" : "the key");
	}
}

/* How the command line takes the key: what a person can paste into a shell. Labels come out of
 * key files that somebody else may have made: what the shell would act on is not repeated. */
static void key_argument(const struct subject *s, char buf[KEY_ARGUMENT_SIZE])
{
	const char *name = s->name ? s->name : "";
	size_t len = strnlen(name, KW_NAME_MAX + 1);
	const char *quote = strchr(name, '*') ? "'" : "";

	if (s->sealed)
		snprintf(buf, KEY_ARGUMENT_SIZE, "FILE");
	else if (len && len <= KW_NAME_MAX && name_is_good((const uint8_t *)name, len))
		snprintf(buf, KEY_ARGUMENT_SIZE, "%s%s%s", quote, name, quote);
	else if (s->id)
		put_hex(buf, s->id, KW_ID_SIZE);
	else
		snprintf(buf, KEY_ARGUMENT_SIZE, "NAME");
}

static enum kw_err explain_access(const struct kw *kw, const struct subject *s, uint16_t command)
{
	struct kw_identity self = {.kind = KW_IDENTITY_USER, .id = geteuid()};
	bool looking = command == CMD_KEY_INFO;
	char who[CALLER_TEXT_SIZE];
	char key[KEY_TEXT_SIZE];
	char argument[KEY_ARGUMENT_SIZE];
	char identity[64];

	caller_text(who, sizeof(who));
	key_text(s, key);
	key_argument(s, argument);
	kw_identity_name(&self, identity, sizeof(identity));
	return explain(KW_ERR_ACCESS, "%s may not %s %s; allow it with: %s key allow %s %s", who,
		looking ? "see" : "use", key, kw->cli, argument, identity);
}

static enum kw_err explain_purpose(const struct kw *kw, enum kw_err err, const struct subject *s)
{
	char key[KEY_TEXT_SIZE];
	char purposes[96];
	const char *does = "has purposes that do not allow this operation";

	key_text(s, key);
	kw_purposes_names(s->purposes, purposes, sizeof(purposes));
	if (err == KW_ERR_TLS_MESSAGE && s->purposes & KW_PURPOSE_TLS_SERVER &&
		s->purposes & KW_PURPOSE_TLS_CLIENT)
		does = "signs TLS handshakes only";
	else if (err == KW_ERR_TLS_MESSAGE && s->purposes & KW_PURPOSE_TLS_CLIENT)
		does = "signs TLS client handshakes only";
	else if (err == KW_ERR_TLS_MESSAGE && s->purposes & KW_PURPOSE_TLS_SERVER)
		does = "signs TLS server handshakes only";
	else if (err == KW_ERR_TLS_MESSAGE)
		does = "signs TLS handshakes only";
	if (!s->purposes)
		return explain(err, "%s %s; see: %s key show", key, does, kw->cli);
	if (err == KW_ERR_TLS_MESSAGE)
		return explain(err,
			"%s %s (purposes: %s); this was a request to sign something else", key,
			does, purposes);
	return explain(err,
		"%s %s (purposes: %s); purposes are fixed when a key is made, so use a key that "
		"was made "
		"for this",
		key, does, purposes);
}

static enum kw_err explain_rights(const struct kw *kw, enum kw_err err, const struct subject *s)
{
	char who[CALLER_TEXT_SIZE];
	char key[KEY_TEXT_SIZE];

	caller_text(who, sizeof(who));
	key_text(s, key);
	if (err == KW_ERR_NOT_OWNER)
		return explain(err,
			"%s may not change %s; only its owner or an administrator of the TEE may: "
			"run this "
			"as its owner or as root",
			who, key);
	return explain(err,
		"%s may not create keys in %s; run this as an administrator of the "
		"TEE, or as root",
		who, kw->called);
}

static enum kw_err explain_key(const struct kw *kw, enum kw_err err, const struct subject *s)
{
	const struct subject wanted = {.name = s->new_name ? s->new_name : s->name};
	char argument[KEY_ARGUMENT_SIZE];
	char key[KEY_TEXT_SIZE];

	key_text(s, key);
	switch ((int)err) {
	case KW_ERR_NO_KEY:
		return explain(err, "%s is not in %s; see: %s key list", key, kw->called, kw->cli);
	case KW_ERR_NOT_LOADED:
		return explain(err,
			"%s let %s go before it could be used; too many keys are in "
			"use at the same time, try again",
			kw->called, key);
	case KW_ERR_NAME_TAKEN:
		key_argument(&wanted, argument);
		return explain(err,
			"another key has the name '%.*s' already; choose another name, or delete "
			"or "
			"rename that key: %s key show %s",
			KW_NAME_MAX, wanted.name ? wanted.name : "", kw->cli, argument);
	case KW_ERR_KEY_EXISTS:
		return explain(err,
			"this very key is stored already, perhaps under another name; see: %s key "
			"list",
			kw->cli);
	case KW_ERR_OTHER_DEVICE:
		return explain(err,
			"%s was sealed by another device or with another device secret, so %s "
			"cannot open it; make or seal it again on this machine",
			key, kw->called);
	case KW_ERR_CORRUPT:
		if (s->sealed)
			return explain(err,
				"%s is damaged: %s cannot open what the key file holds; take the "
				"file from a backup",
				key, kw->called);
		return explain(err, "what %s has stored is damaged; %s", kw->called,
			kw->transport->damaged);
	case KW_ERR_BAD_ALGORITHM:
		return explain(err,
			"%s cannot do this: the algorithm does not fit its type; see: %s key "
			"show",
			key, kw->cli);
	case KW_ERR_DECRYPT:
		return explain(err,
			"the data cannot be decrypted with %s; it was made for another key or "
			"with other parameters",
			key);
	default:
		return explain(err, "%s", kw_strerror(err));
	}
}

static enum kw_err explain_state(const struct kw *kw, enum kw_err err);

/* The object's id is all there is to call it by. */
static enum kw_err explain_object(const struct kw *kw, enum kw_err err, const struct subject *s)
{
	char who[CALLER_TEXT_SIZE];
	char hex[17] = "";

	caller_text(who, sizeof(who));
	if (s->id)
		put_hex(hex, s->id, 8);
	switch ((int)err) {
	case KW_ERR_ACCESS:
		return explain(err,
			"%s may not read the object %s…; its owner or an administrator of the TEE "
			"can allow it",
			who, hex);
	case KW_ERR_NOT_OWNER:
		return explain(err,
			"%s may not change the object %s…; only its owner or an administrator of "
			"the TEE may",
			who, hex);
	case KW_ERR_MAY_NOT_CREATE:
		return explain(err,
			"%s may not store objects in %s; run this as an administrator of the TEE, "
			"or as root",
			who, kw->called);
	case KW_ERR_NO_OBJECT:
		return explain(err, "the object %s… is not in %s", hex, kw->called);
	case KW_ERR_CORRUPT:
		return explain(err, "what %s has stored is damaged; %s", kw->called,
			kw->transport->damaged);
	default:
		return explain_state(kw, err);
	}
}

/* What has to do with the TEE's state rather than with a key. */
static enum kw_err explain_state(const struct kw *kw, enum kw_err err)
{
	switch ((int)err) {
	case KW_ERR_STORE_FULL:
		return explain(err,
			"the disk that holds the store of %s is full; nothing was "
			"changed; make room and try again",
			kw->called);
	case KW_ERR_STORE_IO:
		return explain(err, "%s cannot read or write its store; %s", kw->called,
			kw->transport->log);
	case KW_ERR_BUSY:
		return explain(err,
			"%s has too many connections or requests from this user; "
			"try again, or use fewer at a time",
			kw->called);
	case KW_ERR_LIMIT:
		return explain(
			err, "a limit of %s is reached; see: %s status", kw->called, kw->cli);
	case KW_ERR_NO_MEMORY:
		return explain(err, "%s is out of memory", kw->called);
	case KW_ERR_BAD_VERSION:
		return explain(err,
			"%s speaks another version of the protocol than this "
			"library; upgrade the older of the two",
			kw->called);
	case KW_ERR_BAD_REQUEST:
		return explain(err,
			"%s did not understand the request, or its arguments do not "
			"fit together",
			kw->called);
	default:
		return explain(err, "%s", kw_strerror(err));
	}
}

static bool error_is_about_token(enum kw_err err)
{
	return err >= KW_ERR_NO_TOKEN && err <= KW_ERR_NOT_LOGGED_IN;
}

/* A key or object that is, or was to be, on a token. */
static enum kw_err explain_on_token(const struct kw *kw, enum kw_err err, const struct subject *s)
{
	char key[KEY_TEXT_SIZE];

	key_text(s, key);
	if (err == KW_ERR_NO_TOKEN)
		return explain(err, "there is no such token in %s; see: %s token list", kw->called,
			kw->cli);
	if (err == KW_ERR_NOT_LOGGED_IN)
		return explain(err,
			"%s is on a token with a PIN, and this program has not logged in to it; "
			"those that speak PKCS #11 can",
			s->is_object ? "the object" : key);
	return explain(err, "%s", kw_strerror(err));
}

enum kw_err explain_answer(
	const struct kw *kw, uint16_t command, enum kw_err err, const struct subject *s)
{
	static const struct subject nothing;

	if (!s)
		s = &nothing;
	if (err == KW_ERR_LIMIT && (command == CMD_KEY_ACCESS || command == CMD_TOKEN_ACCESS))
		return explain(err,
			"the access list is full, it has %d entries; allow a group, or take "
			"somebody off it",
			WIRE_ACL_MAX);
	if (s->slot && (error_is_about_token(err) || err == KW_ERR_ACCESS ||
			       err == KW_ERR_NOT_OWNER || err == KW_ERR_MAY_NOT_CREATE))
		return explain_token(kw, command, err, s);
	if (error_is_about_token(err))
		return explain_on_token(kw, err, s);
	if (s->is_object)
		return explain_object(kw, err, s);
	switch ((int)err) {
	case KW_ERR_ACCESS:
		return explain_access(kw, s, command);
	case KW_ERR_PURPOSE:
	case KW_ERR_TLS_MESSAGE:
		return explain_purpose(kw, err, s);
	case KW_ERR_NOT_OWNER:
	case KW_ERR_MAY_NOT_CREATE:
		return explain_rights(kw, err, s);
	case KW_ERR_NO_KEY:
	case KW_ERR_NOT_LOADED:
	case KW_ERR_NAME_TAKEN:
	case KW_ERR_KEY_EXISTS:
	case KW_ERR_OTHER_DEVICE:
	case KW_ERR_CORRUPT:
	case KW_ERR_BAD_ALGORITHM:
	case KW_ERR_DECRYPT:
		return explain_key(kw, err, s);
	case KW_ERR_BAD_MAC:
	case KW_ERR_MIXED:
		return explain(err, "%s", kw_strerror(err));
	default:
		return explain_state(kw, err);
	}
}

bool root_has_changed(const struct kw *kw)
{
	struct stat root;

	return stat("/", &root) == 0 &&
	       (root.st_dev != kw->root_dev || root.st_ino != kw->root_ino);
}

static enum kw_err explain_denied(const struct kw *kw, int error)
{
	char who[CALLER_TEXT_SIZE];
	char group[64];
	struct stat st;

	caller_text(who, sizeof(who));
	if (stat(kw->socket, &st) == 0 && st.st_mode & S_IWGRP &&
		group_name(st.st_gid, group, sizeof(group)))
		return explain(KW_ERR_NO_PERMISSION,
			"%s may not connect to the TEE at %s (%s); it is open to the group '%s': "
			"usermod "
			"--append --groups %s USER",
			who, kw->socket, strerror(error), group, group);
	return explain(KW_ERR_NO_PERMISSION,
		"%s may not connect to the TEE at %s (%s); see the permissions of the socket and "
		"of its "
		"folders: namei -l %s",
		who, kw->socket, strerror(error), kw->socket);
}

static enum kw_err explain_absent(const struct kw *kw, int error)
{
	if (root_has_changed(kw))
		return explain(KW_ERR_NO_TEE,
			"no TEE answers at %s (%s): this program has changed its root directory "
			"(chroot), "
			"and the socket must be inside; let keyward-teed listen there as well",
			kw->socket, strerror(error));
	if (strcmp(kw->socket, KW_SYSTEM_SOCKET) == 0)
		return explain(KW_ERR_NO_TEE,
			"no TEE answers at %s (%s); start it: systemctl start keyward-teed.socket, "
			"or "
			"keyward-teed --store DIR --socket %s",
			kw->socket, strerror(error), kw->socket);
	return explain(KW_ERR_NO_TEE,
		"no TEE answers at %s (%s); start it: keyward-teed --store DIR --socket %s",
		kw->socket, strerror(error), kw->socket);
}

enum kw_err explain_connect(const struct kw *kw, int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
		return explain_absent(kw, error);
	case EPROTOTYPE:
		return explain(KW_ERR_NO_TEE, "what listens at %s is not a TEE (%s)", kw->socket,
			strerror(error));
	case EACCES:
	case EPERM:
		return explain_denied(kw, error);
	case EAGAIN:
		return explain(KW_ERR_TIMEOUT,
			"the TEE at %s does not accept connections: it is overloaded "
			"or stopped",
			kw->socket);
	case ENOMEM:
	case ENOBUFS:
		return explain(
			KW_ERR_NO_MEMORY, "the system has no memory for a connection to the TEE");
	case EMFILE:
	case ENFILE:
		return explain(KW_ERR_SYSTEM,
			"no connection to the TEE can be made: %s; raise the limit of "
			"open files (ulimit -n)",
			strerror(error));
	default:
		return explain(KW_ERR_SYSTEM, "connecting to the TEE at %s failed: %s", kw->socket,
			strerror(error));
	}
}

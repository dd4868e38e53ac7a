/* SPDX-License-Identifier: BSD-2-Clause */
#include "describe.h"

#include <inttypes.h>
#include <string.h>

#include "public_file.h"
#include "text.h"

#define LABEL_COLUMN 14
#define IDENTITY_SIZE 300

void key_label(const struct kw_key *key, char buf[KEY_LABEL_SIZE])
{
	char hex[2 * 8 + 1];

	if (*kw_key_name(key)) {
		snprintf(buf, KEY_LABEL_SIZE, "%s", kw_key_name(key));
		return;
	}
	text_hex(kw_key_id(key), 8, hex);
	snprintf(buf, KEY_LABEL_SIZE, "id:%s", hex);
}

char *key_public_pem(const struct kw_key *key)
{
	size_t len = 0;
	const uint8_t *spki = kw_key_spki(key, &len);

	return spki ? public_pem(spki, len) : NULL;
}

static void rights_json(struct json *j, const struct kw_key *key)
{
	struct kw_identity who = kw_key_owner(key);
	char buf[IDENTITY_SIZE];
	unsigned i;

	kw_identity_name(&who, buf, sizeof(buf));
	json_string(j, "owner", buf);
	json_open(j, "allowed", '[');
	for (i = 0; i < kw_key_allowed(key); i++) {
		who = kw_key_allowed_at(key, i);
		kw_identity_name(&who, buf, sizeof(buf));
		json_string(j, NULL, buf);
	}
	json_close(j, ']');
	json_bool(j, "may_use", kw_key_may_use(key));
	json_bool(j, "may_manage", kw_key_may_manage(key));
}

void key_json(struct json *j, const char *member, const struct kw_key *key)
{
	const char *name, *sentence, *type = kw_key_type_name(kw_key_type(key));
	char hex[2 * KW_ID_SIZE + 1], *pem;
	unsigned i;

	json_open(j, member, '{');
	json_string(j, "name", kw_key_name(key));
	text_hex(kw_key_id(key), KW_ID_SIZE, hex);
	json_string(j, "id", hex);
	json_string(j, "type", type ? type : "unknown");
	json_open(j, "purposes", '[');
	for (i = 0; (name = kw_purpose_row(i, &sentence)); i++) {
		uint32_t bit = 0;

		if (!kw_purposes_from_names(name, &bit) && kw_key_purposes(key) & bit)
			json_string(j, NULL, name);
	}
	json_close(j, ']');
	json_bool(j, "extractable", kw_key_purposes(key) & KW_PURPOSE_EXTRACTABLE);
	if (kw_key_secret_size(key))
		json_number(j, "bytes", kw_key_secret_size(key));
	json_bool(j, "sealed", kw_key_is_sealed(key));
	json_number(j, "token", kw_key_token(key));
	json_string(j, "origin", kw_key_is_imported(key) ? "imported" : "generated");
	json_number(j, "created", kw_key_created(key));
	rights_json(j, key);
	json_number(j, "signatures", kw_key_signatures(key));
	if (kw_key_last_use(key))
		json_number(j, "last_use", kw_key_last_use(key));
	else
		json_null(j, "last_use");
	json_number(j, "refusals", kw_key_refusals(key));
	pem = key_public_pem(key);
	if (pem)
		json_string(j, "public_key", pem);
	OPENSSL_free(pem);
	json_close(j, '}');
}

static void item(const char *label, const char *value)
{
	printf("%-*s", LABEL_COLUMN, label);
	text_print(stdout, value);
	putchar('\n');
}

static void print_purposes(const struct kw_key *key)
{
	const char *name, *sentence, *label = "Purposes";
	unsigned i;

	for (i = 0; (name = kw_purpose_row(i, &sentence)); i++) {
		uint32_t bit = 0;

		if (kw_purposes_from_names(name, &bit) || !(kw_key_purposes(key) & bit))
			continue;
		printf("%-*s%s: ", LABEL_COLUMN, label, name);
		text_print_wrapped(stdout, sentence, LABEL_COLUMN + (unsigned)strlen(name) + 2,
			text_columns(stdout));
		label = "";
	}
}

static void print_rights(const struct kw_key *key)
{
	struct kw_identity who = kw_key_owner(key);
	const char *label = "Allowed";
	char buf[IDENTITY_SIZE];
	unsigned i;

	kw_identity_name(&who, buf, sizeof(buf));
	item("Owner", buf);
	for (i = 0; i < kw_key_allowed(key); i++) {
		who = kw_key_allowed_at(key, i);
		kw_identity_name(&who, buf, sizeof(buf));
		item(label, buf);
		label = "";
	}
	if (!i)
		item(label, "nobody but the owner");
	item("You may", kw_key_may_use(key) && kw_key_may_manage(key) ? "use and manage it"
			: kw_key_may_use(key)                         ? "use it"
			: kw_key_may_manage(key)                      ? "manage it"
								      : "only look at it");
}

static const char *how_it_leaves(uint32_t purposes)
{
	if (!(purposes & KW_PURPOSE_EXTRACTABLE))
		return "no";
	return purposes & KW_PURPOSE_WITH_TRUSTED ? "yes, wrapped by a trusted key"
						  : "yes, wrapped by any key with the purpose wrap";
}

void key_print(const struct kw_key *key)
{
	const char *type = kw_key_type_name(kw_key_type(key));
	char buf[128], time[TEXT_TIME_SIZE], hex[2 * KW_ID_SIZE + 1];

	item("Name", *kw_key_name(key) ? kw_key_name(key) : "(none)");
	item("Type", type ? type : "unknown");
	if (kw_key_secret_size(key)) {
		snprintf(buf, sizeof(buf), "%zu bytes, secret", kw_key_secret_size(key));
		item("Length", buf);
	}
	print_purposes(key);
	item("May leave", how_it_leaves(kw_key_purposes(key)));
	if (kw_key_token(key)) {
		snprintf(buf, sizeof(buf), "in slot %u: its use needs the PIN as well",
			kw_key_token(key));
		item("Token", buf);
	}
	item("Kept", kw_key_is_sealed(key) ? "sealed: only in its file, for the TEE of this device"
					   : "in the TEE");
	text_time(kw_key_created(key), time);
	snprintf(buf, sizeof(buf), "%s %s",
		kw_key_is_imported(key) ? "imported" : "generated in the TEE", time);
	item("Origin", buf);
	print_rights(key);
	text_time(kw_key_last_use(key), time);
	snprintf(buf, sizeof(buf), "%" PRIu64 "%s%s", kw_key_signatures(key),
		kw_key_last_use(key) ? ", last used " : "", kw_key_last_use(key) ? time : "");
	item(kw_key_type_signs(kw_key_type(key)) ? "Signatures" : "Uses", buf);
	snprintf(buf, sizeof(buf), "%" PRIu64, kw_key_refusals(key));
	item("Refusals", buf);
	text_hex(kw_key_id(key), KW_ID_SIZE, hex);
	item("Id", hex);
}

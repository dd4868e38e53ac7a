/* SPDX-License-Identifier: BSD-2-Clause */
#include "target.h"

#include <ctype.h>
#include <string.h>

#include "text.h"

#define PREFIX_MIN 8

/* No name can contain a colon or a slash, so these forms cannot be mistaken. */
static const char id_form[] = "id:", name_form[] = "name:";

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool looks_like_file(const char *text)
{
	size_t n = strlen(text);

	return strchr(text, '/') || (n > 4 && strcmp(text + n - 4, ".pem") == 0);
}

/* Finds the one visible key whose id begins with these digits. */
static enum exit_code find_by_prefix(struct cli *cli, const char *digits, struct key_target *t)
{
	size_t n = strlen(digits);
	struct kw_page *page = NULL;
	struct kw_key *key = NULL;
	char hex[2 * KW_ID_SIZE + 1];
	enum kw_err err;
	unsigned found = 0;

	while (!(err = kw_key_next(cli->kw, &page, &key))) {
		text_hex(kw_key_id(key), KW_ID_SIZE, hex);
		if (strncmp(hex, digits, n) == 0) {
			memcpy(t->id, kw_key_id(key), KW_ID_SIZE);
			found++;
		}
		kw_key_free(&key);
	}
	kw_page_free(&page);
	if (err != KW_ERR_NO_KEY)
		return fail_kw(err, "cannot look for the key '%s'", t->text);
	if (found > 1)
		return fail(EXIT_NO_KEY, "%u keys have ids that begin like '%s': give more digits",
			found, t->text);
	if (!found)
		return fail(EXIT_NO_KEY,
			"there is no key '%s' that you may use or manage: 'keyward key list' shows "
			"those",
			t->text);
	t->target.id = t->id;
	return EXIT_OK;
}

static enum exit_code find_by_id(struct cli *cli, const char *text, struct key_target *t)
{
	char digits[2 * KW_ID_SIZE + 1];
	size_t n = strlen(text), i;

	for (i = 0; i < n && i < 2 * KW_ID_SIZE && isxdigit((unsigned char)text[i]); i++)
		digits[i] = (char)tolower((unsigned char)text[i]);
	digits[i] = '\0';
	if (i != n || n < PREFIX_MIN)
		return usage_error(cli, "an id has %d to %d hexadecimal digits after 'id:'",
			PREFIX_MIN, 2 * KW_ID_SIZE);
	if (n < 2 * KW_ID_SIZE)
		return find_by_prefix(cli, digits, t);
	t->target = kw_target_from_text(digits, t->id);
	return EXIT_OK;
}

static enum exit_code find_by_file(const char *path, struct key_target *t)
{
	enum exit_code code = pem_file_open(path, &t->file);

	if (code != EXIT_OK)
		return code;
	t->target.record = kw_reference_record(t->file->ref, &t->target.record_len);
	if (t->target.record)
		return EXIT_OK;
	/* Like the servers that read this file: by its id, whatever its name is now. */
	memcpy(t->id, kw_reference_id(t->file->ref), KW_ID_SIZE);
	t->target.id = t->id;
	t->target.record_len = 0;
	return EXIT_OK;
}

enum exit_code key_target_find(struct cli *cli, const char *text, const char *file,
	const char *why_no_file, struct key_target *t)
{
	memset(t, 0, sizeof(*t));
	t->text = file ? file : text;
	if (file || looks_like_file(text)) {
		if (why_no_file)
			return usage_error(cli, "'%s' is a file: %s", t->text, why_no_file);
		return find_by_file(t->text, t);
	}
	if (has_prefix(text, id_form))
		return find_by_id(cli, text + strlen(id_form), t);
	if (has_prefix(text, name_form)) {
		text += strlen(name_form);
		t->text = text;
		t->target.name = text;
	} else {
		t->target = kw_target_from_text(text, t->id);
	}
	return EXIT_OK;
}

void key_target_clear(struct key_target *t)
{
	pem_file_close(&t->file);
	memset(t, 0, sizeof(*t));
}

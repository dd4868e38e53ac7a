/* SPDX-License-Identifier: BSD-2-Clause */
#include "json.h"

#include <inttypes.h>
#include <math.h>

#include "text.h"

/* RFC 8259 section 7. A byte that is not UTF-8 becomes U+FFFD, so that every reader takes the result. */
static void put_string(FILE *f, const char *s)
{
	uint32_t c;
	unsigned n;

	fputc('"', f);
	while (*s) {
		n = text_utf8(s, &c);
		if (!n) {
			fputs("\\ufffd", f);
			s++;
			continue;
		}
		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", (int)c);
		else if (c == '\n')
			fputs("\\n", f);
		else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			fprintf(f, "\\u%04" PRIx32, c);
		else
			fwrite(s, 1, n, f);
		s += n;
	}
	fputc('"', f);
}

/* What stands before a value: comma, line, indent and key. */
static void lead(struct json *j, const char *key)
{
	if (j->depth)
		fprintf(j->f, "%s\n%*s", j->filled ? "," : "", (int)(2 * j->depth), "");
	j->filled = true;
	if (key) {
		put_string(j->f, key);
		fputs(": ", j->f);
	}
}

void json_open(struct json *j, const char *key, char bracket)
{
	lead(j, key);
	fputc(bracket, j->f);
	j->depth++;
	j->filled = false;
}

void json_close(struct json *j, char bracket)
{
	j->depth--;
	if (j->filled)
		fprintf(j->f, "\n%*s", (int)(2 * j->depth), "");
	fputc(bracket, j->f);
	j->filled = true;
	if (!j->depth)
		fputc('\n', j->f);
}

void json_string(struct json *j, const char *key, const char *value)
{
	lead(j, key);
	put_string(j->f, value);
}

void json_number(struct json *j, const char *key, uint64_t value)
{
	lead(j, key);
	fprintf(j->f, "%" PRIu64, value);
}

void json_decimal(struct json *j, const char *key, double value)
{
	/* RFC 8259 section 6: there is no infinity and no not-a-number. */
	if (!isfinite(value)) {
		json_null(j, key);
		return;
	}
	lead(j, key);
	fprintf(j->f, "%.3f", value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	lead(j, key);
	fputs(value ? "true" : "false", j->f);
}

void json_null(struct json *j, const char *key)
{
	lead(j, key);
	fputs("null", j->f);
}

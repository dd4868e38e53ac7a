/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

unsigned text_utf8(const char *s, uint32_t *c)
{
	const unsigned char *b = (const unsigned char *)s;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned n, i;

	*c = b[0];
	if (b[0] < 0x80)
		return 1;
	if (b[0] >= 0xc0 && b[0] < 0xe0) {
		n = 2;
		*c = b[0] & 0x1fu;
	} else if (b[0] >= 0xe0 && b[0] < 0xf0) {
		n = 3;
		*c = b[0] & 0x0fu;
	} else if (b[0] >= 0xf0 && b[0] < 0xf8) {
		n = 4;
		*c = b[0] & 0x07u;
	} else {
		return 0;
	}
	/* A NUL is no continuation byte, so this never reads past the end. */
	for (i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (b[i] & 0x3fu);
	}
	if (*c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
		return 0;
	return n;
}

bool text_is_utf8(const char *s)
{
	uint32_t c;
	unsigned n;

	for (; *s; s += n) {
		n = text_utf8(s, &c);
		if (!n)
			return false;
	}
	return true;
}

/* Control characters of both sets, and those that reorder or hide what stands around them. */
static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* Writes one character in its safe form to buf (at least 16 bytes), advances *s. Returns its width. */
static unsigned safe_character(const char **s, char *buf, size_t size)
{
	uint32_t c = 0;
	unsigned n = text_utf8(*s, &c);

	if (!n) {
		snprintf(buf, size, "\\x%02x", (unsigned)(unsigned char)**s);
		*s += 1;
	} else if (is_unsafe(c) && c < 0x80) {
		snprintf(buf, size, "\\x%02x", (unsigned)c);
		*s += n;
	} else if (is_unsafe(c)) {
		snprintf(buf, size, "\\u{%" PRIx32 "}", c);
		*s += n;
	} else {
		memcpy(buf, *s, n);
		buf[n] = '\0';
		*s += n;
		return 1;
	}
	return (unsigned)strlen(buf);
}

void text_print(FILE *f, const char *s)
{
	char buf[16];

	while (*s) {
		safe_character(&s, buf, sizeof(buf));
		fputs(buf, f);
	}
}

void text_print_word(FILE *f, const char *s)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+@/:=,";

	if (*s && !s[strspn(s, plain)]) {
		text_print(f, s);
		return;
	}
	fputc('\'', f);
	while (*s) {
		char safe[16];

		if (*s == '\'')
			fputs("'\\'", f);
		safe_character(&s, safe, sizeof(safe));
		fputs(safe, f);
	}
	fputc('\'', f);
}

unsigned text_width(const char *s)
{
	unsigned width = 0;
	char buf[16];

	while (*s)
		width += safe_character(&s, buf, sizeof(buf));
	return width;
}

void text_print_padded(FILE *f, const char *s, unsigned width)
{
	unsigned used = text_width(s);

	text_print(f, s);
	for (; used < width; used++)
		fputc(' ', f);
}

void text_print_wrapped(FILE *f, const char *s, unsigned indent, unsigned columns)
{
	unsigned at = indent;
	char word[256];
	bool first = true;

	while (*s) {
		size_t n = strcspn(s, " \n");
		unsigned width;

		if (n >= sizeof(word))
			n = sizeof(word) - 1;
		memcpy(word, s, n);
		word[n] = '\0';
		s += n;
		s += strspn(s, " \n");
		width = text_width(word);
		if (!first && at + 1 + width > columns) {
			fprintf(f, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			fputc(' ', f);
			at++;
		}
		text_print(f, word);
		at += width;
		first = false;
	}
	fputc('\n', f);
}

unsigned text_columns(FILE *f)
{
	struct winsize size;

	if (!isatty(fileno(f)) || ioctl(fileno(f), TIOCGWINSZ, &size) || size.ws_col > 100)
		return 100;
	return size.ws_col < 60 ? 60 : size.ws_col;
}

void text_time(uint64_t seconds, char buf[TEXT_TIME_SIZE])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!seconds)
		snprintf(buf, TEXT_TIME_SIZE, "never");
	else if (seconds > INT64_MAX || !localtime_r(&t, &tm) ||
		 !strftime(buf, TEXT_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(buf, TEXT_TIME_SIZE, "%" PRIu64, seconds);
}

void text_hex(const uint8_t *bytes, size_t n, char *buf)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < n; i++) {
		buf[2 * i] = digits[bytes[i] >> 4];
		buf[2 * i + 1] = digits[bytes[i] & 15];
	}
	buf[2 * n] = '\0';
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool text_unhex(const char *text, uint8_t *bytes, size_t max, size_t *n)
{
	int high, low;

	for (*n = 0; *text; text += 2) {
		high = digit_value(text[0]);
		low = high < 0 ? -1 : digit_value(text[1]);
		if (low < 0 || *n == max)
			return false;
		bytes[(*n)++] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* The sentence is printed at once and safely: whatever went into it may hold control characters. */
static void say(const char *what, const char *why)
{
	fflush(stdout);
	fputs("keyward: ", stderr);
	text_print(stderr, what);
	if (why && *why) {
		fputs(": ", stderr);
		text_print(stderr, why);
	}
	fputc('\n', stderr);
}

enum exit_code fail(enum exit_code code, const char *format, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	say(text, NULL);
	return code;
}

enum exit_code fail_kw(enum kw_err err, const char *format, ...)
{
	char text[1024], why[2048];
	va_list ap;

	/* Copied before anything else: the text lives only until the next call of the library. */
	snprintf(why, sizeof(why), "%s", kw_explain());
	if (!why[0])
		snprintf(why, sizeof(why), "%s", kw_strerror(err));
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	say(text, why);
	return exit_code_of(err);
}

enum exit_code exit_code_of(enum kw_err err)
{
	switch (err) {
	case KW_ERR_OK:
		return EXIT_OK;
	case KW_ERR_NO_TEE:
	case KW_ERR_TIMEOUT:
	case KW_ERR_DISCONNECTED:
		return EXIT_NO_TEE;
	case KW_ERR_ACCESS:
	case KW_ERR_NOT_OWNER:
	case KW_ERR_MAY_NOT_CREATE:
	case KW_ERR_PURPOSE:
	case KW_ERR_TLS_MESSAGE:
	case KW_ERR_NO_PERMISSION:
	case KW_ERR_PIN:
	case KW_ERR_PIN_LOCKED:
	case KW_ERR_NOT_LOGGED_IN:
		return EXIT_REFUSED;
	case KW_ERR_NO_KEY:
	case KW_ERR_NO_TOKEN:
		return EXIT_NO_KEY;
	case KW_ERR_NAME_TAKEN:
	case KW_ERR_KEY_EXISTS:
		return EXIT_EXISTS;
	case KW_ERR_BAD_KEY:
	case KW_ERR_BAD_REFERENCE:
	case KW_ERR_BAD_STATEMENT:
	case KW_ERR_OTHER_DEVICE:
		return EXIT_BAD_INPUT;
	case KW_ERR_BAD_NAME:
	case KW_ERR_ARGUMENT:
	case KW_ERR_UNSUPPORTED_TYPE:
	case KW_ERR_MIXED:
		return EXIT_USAGE;
	default:
		return EXIT_FAILED;
	}
}

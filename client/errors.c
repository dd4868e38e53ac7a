/* SPDX-License-Identifier: BSD-2-Clause */
#include "internal.h"

/* Errors from here on are the client library's own and never travel. */
#define FIRST_OWN_ERROR 64

const char *kw_strerror(enum kw_err err)
{
	switch ((int)err) {
#define KW_ERROR(number, NAME, sentence) \
	case number:                     \
		return sentence;
#include "wire/errors.def"
	}
	return "an unknown error";
}

const char *kw_error_name(enum kw_err err)
{
	switch ((int)err) {
#include "error_names.inc"
	}
	return "unknown";
}

bool error_is_from_tee(uint16_t number)
{
	switch (number) {
#define KW_ERROR(number, NAME, sentence) \
	case number:                     \
		return number < FIRST_OWN_ERROR;
#include "wire/errors.def"
	}
	return false;
}

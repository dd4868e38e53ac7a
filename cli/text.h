/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Length in bytes of the UTF-8 character at s (a NUL ends the text), its number in *c; 0 when it is
 * not well-formed (RFC 3629: no overlong forms, surrogates, or numbers above U+10FFFF). */
unsigned text_utf8(const char *s, uint32_t *c);
bool text_is_utf8(const char *s);
/* Prints a text from outside. Control characters, those that reorder text, and bytes that are not
 * UTF-8 come out as \xNN or \u{N}: a name must not move the cursor or hide what follows. */
void text_print(FILE *f, const char *s);
/* text_print as one word of a shell command, in quotes when it needs them. */
void text_print_word(FILE *f, const char *s);
/* Columns that text_print takes, if every character is one column wide. */
unsigned text_width(const char *s);
/* text_print, then spaces up to the width. */
void text_print_padded(FILE *f, const char *s, unsigned width);
/* Words wrapped at `columns`, every line but the first indented. */
void text_print_wrapped(FILE *f, const char *s, unsigned indent, unsigned columns);
/* Columns of the terminal, at least 60 and at most 100; 100 when f is no terminal. */
unsigned text_columns(FILE *f);

#define TEXT_TIME_SIZE 32
/* Local time, "2026-01-31 17:05:09"; "never" for 0. */
void text_time(uint64_t seconds, char buf[TEXT_TIME_SIZE]);
/* 2 × n lower-case hex digits and a NUL. */
void text_hex(const uint8_t *bytes, size_t n, char *buf);
/* The bytes of hex digits of either case, at most max. False: other characters, an odd number, too many. */
bool text_unhex(const char *text, uint8_t *bytes, size_t max, size_t *n);

#endif

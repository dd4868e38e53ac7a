/* SPDX-License-Identifier: BSD-2-Clause */
/* What a certificate request says: the subject as openssl takes it, and alternative names. */
#ifndef CLI_SUBJECT_H
#define CLI_SUBJECT_H

#include <stdbool.h>
#include <keyward/keyward.h>

#define SUBJECT_MAX 16
#define SAN_MAX 100
#define VALUE_MAX 255

struct subject {
	const char *names[SUBJECT_MAX][2];
	unsigned n;
	char *storage; /* what names[][1] points into */
};

struct san_list {
	struct kw_san at[SAN_MAX];
	unsigned n;
	char *storage[SAN_MAX];
};

#define PROBLEM_SIZE 320

/* "/CN=www.test.com/O=Some \/ Thing": a backslash takes the next character as it is. */
bool subject_parse(const char *text, struct subject *s, char problem[PROBLEM_SIZE]) KW_MUST_USE;
void subject_free(struct subject *s);
/* Adds "DNS:a.test", "IP:192.0.2.1", "email:a@b.test", "URI:https://…", or several with commas. */
bool san_add(struct san_list *list, const char *text, char problem[PROBLEM_SIZE]) KW_MUST_USE;
void san_free(struct san_list *list);

#endif

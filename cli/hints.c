/* SPDX-License-Identifier: BSD-2-Clause */
#include "hints.h"

#include <stdio.h>
#include <string.h>

#include "describe.h"
#include "text.h"

const char *hint_program(const struct cli *cli)
{
	bool was_given = cli->options.tee && strcmp(kw_tee(cli->kw), "optee") == 0;

	return was_given ? "keyward --tee optee" : "keyward";
}

void hint_done(const char *what, const struct kw_key *key)
{
	const char *type = kw_key_type_name(kw_key_type(key));
	char purposes[PURPOSES_SIZE], label[KEY_LABEL_SIZE];

	kw_purposes_names(kw_key_purposes(key), purposes, sizeof(purposes));
	key_label(key, label);
	printf("%s '", what);
	text_print(stdout, label);
	printf("' (%s; %s).\n", type ? type : "unknown", purposes);
}

void hint_certificate(const struct cli *cli, const struct kw_key *key)
{
	const char *name = kw_key_name(key);
	char word[KW_NAME_MAX + 16];

	if (!(kw_key_purposes(key) & (KW_PURPOSE_CSR | KW_PURPOSE_SIGN)))
		return;
	printf("To ask for a certificate:  %s key csr ", hint_program(cli));
	text_print_word(stdout, name);
	snprintf(word, sizeof(word), "/CN=%s", name);
	fputs(" --subject ", stdout);
	text_print_word(stdout, word);
	/* A name that can be one of a host. */
	if (strchr(name, '.') && !strpbrk(name, "_@+")) {
		snprintf(word, sizeof(word), "DNS:%s", name);
		fputs(" --san ", stdout);
		text_print_word(stdout, word);
	}
	putchar('\n');
}

void hint_server_file(const struct cli *cli, const struct kw_key *key)
{
	const char *name = kw_key_name(key);
	char file[KW_NAME_MAX + 16];
	char *star;

	if (!kw_key_type_signs(kw_key_type(key)))
		return;
	printf("To get a server's file:    %s key pem ", hint_program(cli));
	text_print_word(stdout, name);
	snprintf(file, sizeof(file), "%s.pem", name);
	while ((star = strchr(file, '*')))
		*star = '_';
	fputs(" -o ", stdout);
	text_print_word(stdout, file);
	putchar('\n');
}

void hint_groups(const struct cli *cli, const struct kw_key *key)
{
	char name[300];

	if (strcmp(kw_tee(cli->kw), "optee") != 0)
		return;
	for (unsigned i = 0; i < kw_key_allowed(key); i++) {
		struct kw_identity who = kw_key_allowed_at(key, i);

		if (who.kind != KW_IDENTITY_GROUP)
			continue;
		kw_identity_name(&who, name, sizeof(name));
		fail(EXIT_OK,
			"OP-TEE is told who the user is, but not the groups: '%s' on the access "
			"list lets nobody in; allow users",
			name);
		return;
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The way to the TEE. An ordinary user needs no set-up: without a TEE, one of their own is started. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* How long a TEE may take from its start to its first answer; it returns as soon as it answers. */
#define START_TRIES 200
#define START_SLEEP_NS (25 * 1000 * 1000)

/* A program that another user could have put there is not started. */
static bool is_trusted_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) &&
	       (st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & (S_IWGRP | S_IWOTH)) &&
	       !access(path, X_OK);
}

/* $KEYWARD_TEED, where it was built, where it is installed. */
static bool find_teed(char path[PATH_MAX])
{
	const char *given = secure_getenv("KEYWARD_TEED");
	char self[PATH_MAX];
	ssize_t n;
	char *slash;
	int used;

	if (given) {
		used = snprintf(path, PATH_MAX, "%s", given);
		return used > 0 && used < PATH_MAX && !access(path, X_OK);
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (slash)
			*slash = '\0';
		used = snprintf(path, PATH_MAX, "%s/../tee/host/keyward-teed", self);
		if (used > 0 && used < PATH_MAX && is_trusted_program(path))
			return true;
	}
	snprintf(path, PATH_MAX, "%s", KW_TEED_PATH);
	return is_trusted_program(path);
}

/* Makes the directory and those above it that are missing, for this user alone. */
static bool make_directories(char *path)
{
	char *slash;
	bool ok;

	if (!mkdir(path, 0700) || errno == EEXIST)
		return true;
	if (errno != ENOENT)
		return false;
	slash = strrchr(path, '/');
	if (!slash || slash == path)
		return false;
	*slash = '\0';
	ok = make_directories(path);
	*slash = '/';
	return ok && (!mkdir(path, 0700) || errno == EEXIST);
}

/* ~/.local/share/keyward/store, as the XDG base directories say. */
static bool user_store(char path[PATH_MAX])
{
	const char *data = secure_getenv("XDG_DATA_HOME"), *home = secure_getenv("HOME");
	int n;

	if (data && data[0] == '/')
		n = snprintf(path, PATH_MAX, "%s/keyward/store", data);
	else if (home && home[0] == '/')
		n = snprintf(path, PATH_MAX, "%s/.local/share/keyward/store", home);
	else
		return false;
	return n > 0 && n < PATH_MAX;
}

/* Runs it and waits until it has gone into the background. What it says goes into a file in memory:
 * a pipe would stay open as long as the TEE runs. */
static bool run_teed(char *program, char *store, char *socket, int output)
{
	char *argv[] = {program, "--daemon", "--store", store, "--socket", socket, NULL};
	posix_spawn_file_actions_t actions;
	int status = -1;
	bool ok = false;
	pid_t pid = -1;

	if (posix_spawn_file_actions_init(&actions))
		return false;
	ok = !posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0) &&
	     !posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) &&
	     !posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO) &&
	     !posix_spawn(&pid, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	while (ok && waitpid(pid, &status, 0) < 0)
		ok = errno == EINTR;
	return ok && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The first line of what the TEE said when it would not start. */
static void last_words(int output, char *buf, size_t size)
{
	ssize_t n = pread(output, buf, size - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

static bool answers(struct kw *kw)
{
	struct kw_status *status = NULL;
	enum kw_err err = kw_status_new(kw, &status);

	kw_status_free(&status);
	/* Any other failure is for the command itself to report. */
	return err != KW_ERR_NO_TEE;
}

static bool answers_soon(struct kw *kw, int tries)
{
	const struct timespec pause = {.tv_nsec = START_SLEEP_NS};

	while (!answers(kw)) {
		if (--tries <= 0)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static enum exit_code start_teed(struct cli *cli)
{
	char program[PATH_MAX], store[PATH_MAX], socket[PATH_MAX], words[512] = "";
	bool first, started;
	char *slash;
	int output;

	if (!find_teed(program))
		return fail(EXIT_NO_TEE,
			"no TEE answers, and keyward-teed is not installed: install it, or "
			"give the socket of a TEE with --socket");
	snprintf(socket, sizeof(socket), "%s", kw_socket(cli->kw));
	if (!user_store(store))
		return fail(EXIT_NO_TEE,
			"no TEE answers, and one of your own needs a home: set HOME, or give "
			"the socket of a TEE with --socket");
	first = access(store, F_OK) != 0;
	slash = strrchr(socket, '/');
	*slash = '\0';
	started = make_directories(socket);
	*slash = '/';
	slash = strrchr(store, '/');
	*slash = '\0';
	started = started && make_directories(store);
	*slash = '/';
	if (!started)
		return fail(EXIT_NO_TEE,
			"cannot start a TEE of your own: cannot make the directories of '%s' and "
			"'%s': %s",
			store, socket, strerror(errno));
	output = memfd_create("keyward-teed", MFD_CLOEXEC);
	started = output >= 0 && run_teed(program, store, socket, output);
	/* When two commands start one at the same time, the TEE of the other answers to both. */
	if (!answers_soon(cli->kw, started ? START_TRIES : START_TRIES / 10)) {
		if (output >= 0)
			last_words(output, words, sizeof(words));
		fail(EXIT_NO_TEE, "no TEE answers, and '%s' did not start: %s", program,
			words[0] ? words : "it said nothing");
		started = false;
	} else {
		if (first)
			fail(EXIT_OK, "started a TEE of your own; it keeps its keys in '%s'",
				store);
		started = true;
	}
	if (output >= 0)
		close(output);
	return started ? EXIT_OK : EXIT_NO_TEE;
}

enum exit_code cli_connect(struct cli *cli)
{
	const char *given =
		cli->options.socket ? cli->options.socket : secure_getenv("KEYWARD_SOCKET");
	enum kw_err err = kw_new(&cli->options, &cli->kw);

	if (err)
		return fail_kw(err, "cannot use a TEE");
	if (given || strcmp(kw_tee(cli->kw), "host") != 0)
		return EXIT_OK;
	if (answers(cli->kw))
		return EXIT_OK;
	/* The machine has a system TEE, or should have: keys must not end up elsewhere in the meantime. */
	if (strcmp(kw_socket(cli->kw), KW_SYSTEM_SOCKET) == 0)
		return fail(EXIT_NO_TEE,
			"no TEE answers at %s: 'systemctl start keyward-teed.socket' starts the "
			"system's, --socket PATH uses another",
			KW_SYSTEM_SOCKET);
	if (geteuid() == 0)
		return fail(EXIT_NO_TEE,
			"no TEE runs on this machine: 'systemctl enable --now keyward-teed.socket' "
			"starts the system's, --socket PATH uses another");
	return start_teed(cli);
}

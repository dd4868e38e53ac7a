/* SPDX-License-Identifier: BSD-2-Clause */
/* The context: which TEE, where it is, and how long to wait for it. */
#include "pool.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writes the parts one after the other. False when they do not fit. */
static bool join(char *buf, size_t size, const char *a, const char *b)
{
	int n = snprintf(buf, size, "%s%s", a, b);

	return n > 0 && (size_t)n < size;
}

static bool is_own_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

/* Empty is as good as unset. */
static const char *environment(const char *name)
{
	const char *value = secure_getenv(name);

	return value && *value ? value : NULL;
}

enum kw_err kw_user_socket(char *buf, size_t size)
{
	const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
	const char *home = secure_getenv("HOME");
	char run_user[32];
	bool fits;

	if (!buf || size == 0)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	buf[0] = '\0';
	snprintf(run_user, sizeof(run_user), "/run/user/%u", (unsigned)geteuid());
	/* The XDG specification: a path that is not absolute is to be ignored. */
	if (runtime && runtime[0] == '/')
		fits = join(buf, size, runtime, "/keyward/tee.sock");
	else if (is_own_directory(run_user))
		fits = join(buf, size, run_user, "/keyward/tee.sock");
	else if (home && home[0] == '/')
		fits = join(buf, size, home, "/.local/share/keyward/tee.sock");
	else
		return explain(KW_ERR_SYSTEM,
			"neither XDG_RUNTIME_DIR nor HOME is set; set one, or "
			"name the TEE's socket in KEYWARD_SOCKET");
	if (fits)
		return KW_ERR_OK;
	buf[0] = '\0';
	return explain(KW_ERR_ARGUMENT,
		"the path of the user's socket is longer than %zu bytes; set KEYWARD_SOCKET",
		size - 1);
}

/* Relative paths are made absolute: servers change their directory after they read the
 * configuration. */
static enum kw_err set_socket(struct kw *kw, const char *path)
{
	char *cwd = NULL;
	int n;

	if (!*path)
		return explain(KW_ERR_ARGUMENT, "the path of the TEE's socket is empty");
	if (path[0] != '/') {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return explain(KW_ERR_SYSTEM, "the current directory cannot be found: %s",
				strerror(errno));
	}
	n = snprintf(
		kw->socket, sizeof(kw->socket), "%s%s%s", cwd ? cwd : "", cwd ? "/" : "", path);
	free(cwd);
	if (n < 0 || (size_t)n >= sizeof(kw->socket))
		return explain(KW_ERR_ARGUMENT,
			"the path of the TEE's socket is longer than %zu bytes: '%.40s…'",
			sizeof(kw->socket) - 1, path);
	return KW_ERR_OK;
}

static enum kw_err choose_socket(struct kw *kw, const char *path)
{
	enum kw_err err;

	if (!path)
		path = environment("KEYWARD_SOCKET");
	if (path)
		return set_socket(kw, path);
	if (access(KW_SYSTEM_SOCKET, F_OK) == 0)
		return set_socket(kw, KW_SYSTEM_SOCKET);
	err = kw_user_socket(kw->socket, sizeof(kw->socket));
	/* A service without a home: the system's socket is the one it must mean. */
	return err == KW_ERR_SYSTEM ? set_socket(kw, KW_SYSTEM_SOCKET) : err;
}

/* What is asked for in one place, the program's configuration or the environment, goes together: a
 * socket is the host TEE's, so naming one there without a TEE means that. */
static enum kw_err choose_tee(struct kw *kw, const struct kw_options *options)
{
	const char *tee = options ? options->tee : NULL;
	const char *path = options ? options->socket : NULL;

	if (!tee && path)
		tee = "host";
	if (!tee)
		tee = environment("KEYWARD_TEE");
	if (!tee || strcmp(tee, transport_host.name) == 0) {
		kw->transport = &transport_host;
		kw->cli = "keyward";
		return choose_socket(kw, path);
	}
	if (strcmp(tee, transport_optee.name) != 0)
		return explain(KW_ERR_ARGUMENT,
			"'%.32s' is not a kind of TEE; those known: host, optee", tee);
	if (path)
		return explain(KW_ERR_ARGUMENT,
			"OP-TEE has no socket; leave the path away, or use the host TEE");
	kw->transport = &transport_optee;
	kw->cli = "keyward --tee optee";
	return KW_ERR_OK;
}

enum kw_err kw_new(const struct kw_options *options, struct kw **kw)
{
	struct kw *k = NULL;
	enum kw_err err = KW_ERR_NO_MEMORY;
	struct stat root;

	if (!kw)
		return explain(KW_ERR_ARGUMENT, "there is no place for the result");
	*kw = NULL;
	k = calloc(1, sizeof(*k));
	if (!k) {
		explain(err, "there is no memory for a connection to the TEE");
		goto out;
	}
	k->timeout_ms = options && options->timeout_ms ? options->timeout_ms : DEFAULT_TIMEOUT_MS;
	/* Sums with the clock, and the system's own types, hold that much. */
	if (k->timeout_ms > INT_MAX)
		k->timeout_ms = INT_MAX;
	err = choose_tee(k, options);
	if (err)
		goto out;
	snprintf(k->called, sizeof(k->called), "%s%s", k->socket[0] ? "the TEE at " : "OP-TEE",
		k->socket);
	if (stat("/", &root) == 0) {
		k->root_dev = root.st_dev;
		k->root_ino = root.st_ino;
	}
	atomic_init(&k->pool, pool_new());
	if (!atomic_load(&k->pool)) {
		err = explain(KW_ERR_NO_MEMORY, "there is no memory for connections to the TEE");
		goto out;
	}
	*kw = k;
	k = NULL;
out:
	free(k);
	return err;
}

void kw_free(struct kw **kw)
{
	if (!kw || !*kw)
		return;
	pool_free(*kw);
	explicit_bzero((void *)(*kw)->tickets, sizeof((*kw)->tickets));
	free(*kw);
	*kw = NULL;
}

const char *kw_tee(const struct kw *kw)
{
	return kw->transport->name;
}

const char *kw_socket(const struct kw *kw)
{
	return kw->socket;
}

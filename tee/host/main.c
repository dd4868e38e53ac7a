/* SPDX-License-Identifier: BSD-2-Clause */
/* keyward-teed: opens everything, gives up everything else, and serves. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crypto.h"
#include "crypto_openssl.h"
#include "daemonize.h"
#include "listener.h"
#include "log.h"
#include "options.h"
#include "platform_host.h"
#include "sandbox.h"
#include "secret_memory.h"
#include "server.h"
#include "storage_file.h"

/* Descriptors that connections may not have: logs, epolls, the store, and a swap of its log. */
static unsigned connections_max(void)
{
	struct rlimit rl = {1024, 1024};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	rlim_t reserve = 64 + 2 * (rlim_t)(cpus > 0 ? cpus : 1);

	(void)getrlimit(RLIMIT_NOFILE, &rl);
	if (rl.rlim_cur > 1u << 20)
		rl.rlim_cur = 1u << 20;
	return rl.rlim_cur > 2 * reserve ? (unsigned)(rl.rlim_cur - reserve)
					 : (unsigned)(rl.rlim_cur / 2);
}

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static bool has_log(void)
{
	struct stat st;

	/* storage_file.h names the files. */
	return !fstatat(storage_file_directory(), "log", &st, AT_SYMLINK_NOFOLLOW);
}

/* Files of the store are made as the user that the TEE becomes; all else as who started it. */
static bool as_user(const struct options *o)
{
	if (geteuid() || !o->user || !o->uid)
		return true;
	return !setegid(o->gid) && !seteuid(o->uid);
}

static bool as_starter(const struct options *o)
{
	if (!o->user || getuid())
		return true;
	return !seteuid(0) && !setegid(0);
}

/* The directory of a store that will belong to --user. Whoever owns its parent may have put a link there. */
static bool give_store(const struct options *o)
{
	bool given;
	int fd;

	if (!o->user || getuid() || mkdir(o->store, 0700))
		return true;
	fd = open(o->store, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	given = fd >= 0 && !fchown(fd, o->uid, o->gid);
	if (fd >= 0)
		close(fd);
	return given;
}

static enum kw_err open_store(const struct options *o, struct core **core)
{
	struct core_options options = {(size_t)o->cache_mib << 20};
	uint8_t secret[DEVICE_SECRET_SIZE];
	size_t limit = secret_memory_limit();
	enum kw_err err = KW_ERR_SYSTEM;

	if (!options.cache_bytes && limit < (size_t)16 << 20)
		options.cache_bytes = limit / 4;
	if (!give_store(o) || !as_user(o))
		return err;
	err = storage_file_setup(o->store);
	if (err)
		return err;
	err = KW_ERR_SYSTEM;
	if (!as_starter(o))
		return err;
	err = device_secret_open(o->device_secret, !has_log(), secret);
	if (!err)
		err = platform_set_secret(secret);
	explicit_bzero(secret, sizeof(secret));
	if (err)
		return err;
	err = KW_ERR_SYSTEM;
	if (!as_user(o))
		return err;
	err = core_open(&options, core);
	if (!as_starter(o))
		return KW_ERR_SYSTEM;
	return err;
}

/* What needs libcrypto or secret memory comes after it here, and there is one process from here on.
 */
static enum kw_err prepare(void)
{
	enum kw_err err;

	/* One heap for all threads: what is secret is not on it. */
	(void)mallopt(M_ARENA_MAX, 1);
	err = secret_memory_init(0);
	if (!err)
		err = secret_memory_take_libcrypto();
	context_limit(secret_memory_limit() / SECRET_PER_THREAD);
	if (!err)
		err = crypto_init();
	if (!err)
		err = libcrypto_warm_up();
	if (err)
		platform_log("secret memory or libcrypto cannot be set up (error %d)", (int)err);
	return err;
}

struct starting {
	struct options o;
	bool inherited;
	int notify;
	int parent;
};

static enum kw_err serve(struct starting *st, struct core *core)
{
	struct options *o = &st->o;
	struct listener l = {.fd = -1, .dir = -1};
	struct server_options options = {core, &o->rules, -1, connections_max(), o->idle_exit};
	struct server *server = NULL;
	char log[PATH_MAX];
	enum kw_err err;

	err = st->inherited ? listener_take(&l) : listener_make(&l, o->socket, o->socket_mode);
	if (err)
		goto out;
	err = sandbox_become(o->user ? o->uid : geteuid(), o->user ? o->gid : getegid(), o->user);
	if (err)
		goto out;
	o->rules.own_uid = geteuid();
	options.listener = l.fd;
	if (st->parent >= 0 && snprintf(log, sizeof(log), "%s.log", o->store) < (int)sizeof(log))
		daemonize_detach(log);
	err = KW_ERR_SYSTEM;
	if (chdir("/"))
		goto out;
	sandbox_enter(storage_file_directory(), l.dir);
	err = server_new(&options, &server);
	if (err)
		goto out;
	sandbox_seal();
	log_info("version %s serves the store %s", KW_VERSION, o->store);
	notify_send(st->notify, "READY=1");
	if (st->parent >= 0)
		daemonize_ready(st->parent);
	server_run(server);
	notify_send(st->notify, "STOPPING=1");
out:
	listener_close(&l);
	server_free(&server);
	return err;
}

static enum kw_err run(struct starting *st)
{
	struct core *core = NULL;
	enum kw_err err = prepare();

	if (!err)
		err = open_store(&st->o, &core);
	if (!err)
		err = serve(st, core);
	core_close(&core);
	storage_file_teardown();
	platform_forget_secret();
	return err;
}

/* Whoever started it may have had secrets of his own there. */
static bool forget_environment(void)
{
	for (char **e = environ; e && *e; e++)
		explicit_bzero(*e, strlen(*e));
	return !clearenv();
}

int main(int argc, char **argv)
{
	struct starting st = {.notify = -1, .parent = -1};
	int code;

	st.inherited = listener_inherited();
	sandbox_begin(st.inherited ? 1 : 0);
	log_init();
	if (!options_read(&st.o, argc, argv, st.inherited, &code))
		return code;
	block_signals();
	st.notify = notify_open();
	if (!forget_environment())
		return EXIT_FAILURE;
	/* Before any memory is set up that a child must not share. */
	if (st.o.daemon) {
		st.parent = daemonize();
		if (st.parent < 0) {
			platform_log("no process could be made: %s", strerror(errno));
			return EXIT_FAILURE;
		}
	}
	return run(&st) ? EXIT_FAILURE : EXIT_SUCCESS;
}

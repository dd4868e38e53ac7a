/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2

static const char help[] =
	"usage: keyward-teed --store DIR --socket PATH [option]...\n"
	"Keeps private keys in a process of its own and uses them for those who may.\n"
	"\n"
	"  --store DIR            where the keys are kept, encrypted; made when it is missing\n"
	"  --socket PATH          where clients connect; not needed when systemd passes the "
	"socket\n"
	"  --device-secret FILE   what the keys are encrypted with; made at the first start\n"
	"                         (default: DIR.secret, beside the store)\n"
	"  --admin WHO            user:NAME or group:NAME that administers the TEE, as root and\n"
	"                         the TEE's own user do; may be repeated\n"
	"  --creator WHO          user:NAME or group:NAME that may create keys; may be repeated\n"
	"  --socket-mode MODE     permissions of the socket, octal (default: 0666)\n"
	"  --user NAME            become this user, when started as root\n"
	"  --cache-mib N          bound on the memory for open keys, in MiB (default: 4)\n"
	"  --daemon               go to the background, once the socket answers\n"
	"  --idle-exit SECONDS    stop when nobody was connected for so long\n"
	"  --version              print the version and exit\n"
	"  --help                 print this and exit\n";

enum option_id {
	OPT_STORE = 256,
	OPT_SOCKET,
	OPT_DEVICE_SECRET,
	OPT_ADMIN,
	OPT_CREATOR,
	OPT_SOCKET_MODE,
	OPT_USER,
	OPT_CACHE_MIB,
	OPT_DAEMON,
	OPT_IDLE_EXIT,
	OPT_VERSION,
	OPT_HELP,
};

static const struct option table[] = {
	{"store", required_argument, NULL, OPT_STORE},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"device-secret", required_argument, NULL, OPT_DEVICE_SECRET},
	{"admin", required_argument, NULL, OPT_ADMIN},
	{"creator", required_argument, NULL, OPT_CREATOR},
	{"socket-mode", required_argument, NULL, OPT_SOCKET_MODE},
	{"user", required_argument, NULL, OPT_USER},
	{"cache-mib", required_argument, NULL, OPT_CACHE_MIB},
	{"daemon", no_argument, NULL, OPT_DAEMON},
	{"idle-exit", required_argument, NULL, OPT_IDLE_EXIT},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static bool number(
	const char *option, const char *text, int base, unsigned long max, unsigned long *v)
{
	char limit[24];
	char *end;

	errno = 0;
	*v = strtoul(text, &end, base);
	if (*text >= '0' && *text <= '9' && !errno && !*end && *v <= max)
		return true;
	(void)snprintf(limit, sizeof(limit), base == 8 ? "0%lo" : "%lu", max);
	fprintf(stderr, "keyward-teed: --%s takes a number from 0 to %s, not '%s'\n", option, limit,
		text);
	return false;
}

static bool rule(struct options *o, const char *text, bool admin)
{
	switch (peer_rule_add(&o->rules, text, admin)) {
	case KW_ERR_OK:
		return true;
	case KW_ERR_LIMIT:
		fprintf(stderr,
			"keyward-teed: more than %d of --admin and --creator; use a group\n",
			PEER_RULES_MAX);
		return false;
	default:
		fprintf(stderr,
			"keyward-teed: '%s' is not user:NAME or group:NAME of a user or group that "
			"there is\n",
			text);
		return false;
	}
}

static bool user(struct options *o, const char *name)
{
	struct passwd *pw = getpwnam(name);

	if (!pw) {
		fprintf(stderr, "keyward-teed: there is no user '%s'\n", name);
		return false;
	}
	o->user = name;
	o->uid = pw->pw_uid;
	o->gid = pw->pw_gid;
	return true;
}

static bool apply(struct options *o, int id, const char *arg)
{
	unsigned long v;

	switch (id) {
	case OPT_STORE:
		o->store = arg;
		return true;
	case OPT_SOCKET:
		o->socket = arg;
		return true;
	case OPT_DEVICE_SECRET:
		o->device_secret = arg;
		return true;
	case OPT_ADMIN:
	case OPT_CREATOR:
		return rule(o, arg, id == OPT_ADMIN);
	case OPT_SOCKET_MODE:
		if (!number("socket-mode", arg, 8, 0777, &v))
			return false;
		o->socket_mode = (mode_t)v;
		return true;
	case OPT_USER:
		return user(o, arg);
	case OPT_CACHE_MIB:
		if (!number("cache-mib", arg, 10, 65536, &v))
			return false;
		o->cache_mib = (unsigned)v;
		return true;
	case OPT_IDLE_EXIT:
		if (!number("idle-exit", arg, 10, 31536000, &v))
			return false;
		o->idle_exit = (unsigned)v;
		return true;
	default:
		o->daemon = true;
		return true;
	}
}

/* "/var/lib/keyward/store/" has its secret in "/var/lib/keyward/store.secret". */
static const char *secret_beside(const char *store)
{
	static char path[PATH_MAX];
	size_t n = strlen(store);

	while (n > 1 && store[n - 1] == '/')
		n--;
	if (n + sizeof(".secret") > sizeof(path))
		return NULL;
	(void)snprintf(path, sizeof(path), "%.*s.secret", (int)n, store);
	return path;
}

static bool complete(struct options *o, bool inherited)
{
	const char *missing = NULL;

	if (!o->store || !*o->store)
		missing = "--store DIR says where the keys are kept";
	else if (!inherited && (!o->socket || !*o->socket))
		missing = "--socket PATH says where clients connect";
	if (missing) {
		fprintf(stderr, "keyward-teed: %s; see keyward-teed --help\n", missing);
		return false;
	}
	if (inherited)
		o->socket = NULL;
	if (!o->device_secret)
		o->device_secret = secret_beside(o->store);
	if (!o->device_secret) {
		fprintf(stderr, "keyward-teed: the path of the store is too long\n");
		return false;
	}
	return true;
}

bool options_read(struct options *o, int argc, char **argv, bool inherited, int *code)
{
	const char *text;
	int id;

	memset(o, 0, sizeof(*o));
	o->socket_mode = 0666;
	*code = EXIT_USAGE;
	while ((id = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (id == OPT_HELP || id == OPT_VERSION) {
			text = id == OPT_HELP ? help : "keyward-teed " KW_VERSION "\n";
			*code = fputs(text, stdout) < 0 || fflush(stdout);
			return false;
		}
		if (id == '?') {
			fprintf(stderr, "keyward-teed: see keyward-teed --help\n");
			return false;
		}
		if (!apply(o, id, optarg))
			return false;
	}
	if (optind < argc) {
		fprintf(stderr, "keyward-teed: what is '%s'? See keyward-teed --help\n",
			argv[optind]);
		return false;
	}
	return complete(o, inherited);
}

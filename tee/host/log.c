/* SPDX-License-Identifier: BSD-2-Clause */
#include "log.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024
#define REFUSALS_A_SECOND 5 /* of a user */
#define REFUSED_USERS 32

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool with_level;

void log_init(void)
{
	with_level = !isatty(STDERR_FILENO);
}

/* A reader of the log that does not read must not stop the TEE: a line for which there is no room
 * is lost. Poll says yes when at least PIPE_BUF bytes fit, and a line is shorter. */
static void write_line(const char *line, size_t n)
{
	struct pollfd p = {STDERR_FILENO, POLLOUT, 0};

	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
		return;
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

__attribute__((format(printf, 2, 0))) static void print(int level, const char *format, va_list args)
{
	char line[LINE_MAX_BYTES];
	size_t at = 0;
	int n;

	if (with_level)
		at = (size_t)snprintf(line, sizeof(line), "<%d>", level);
	at += (size_t)snprintf(line + at, sizeof(line) - at, "keyward-teed: ");
	n = vsnprintf(line + at, sizeof(line) - at - 1, format, args);
	if (n < 0)
		return;
	at = (size_t)n < sizeof(line) - at - 1 ? at + (size_t)n : sizeof(line) - 2;
	line[at++] = '\n';
	write_line(line, at);
}

void platform_log(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&lock);
	print(4, format, args);
	pthread_mutex_unlock(&lock);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&lock);
	print(6, format, args);
	pthread_mutex_unlock(&lock);
	va_end(args);
}

static void notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void notice(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(5, format, args);
	va_end(args);
}

static const char *command_name(uint16_t command)
{
	switch (command) {
#define KW_COMMAND(number, NAME, name, role, lane, repeat, rmin, rmax, pmax) \
	case number:                                                         \
		return #name;
#include "wire/commands.def"
	default:
		return "unknown";
	}
}

static const char *sentence(enum kw_err err)
{
	switch (err) {
#define KW_ERROR(number, NAME, text) \
	case KW_ERR_##NAME:          \
		return text;
#include "wire/errors.def"
	default:
		return "unknown error";
	}
}

/* Under the lock. Whether this user may have another line in this second: one who floods the log
 * does not keep those of others out of it. */
static bool may_print(time_t now, uint32_t uid, bool *new_second)
{
	static struct {
		uint32_t uid;
		unsigned lines;
	} users[REFUSED_USERS];
	static unsigned count;
	static time_t second;
	unsigned i = 0;

	*new_second = now != second;
	if (*new_second)
		count = 0;
	second = now;
	while (i < count && users[i].uid != uid)
		i++;
	if (i == REFUSED_USERS)
		return false;
	if (i == count) {
		users[i].uid = uid;
		users[i].lines = 0;
		count++;
	}
	return users[i].lines++ < REFUSALS_A_SECOND;
}

void log_refusal(uint32_t uid, uint16_t command, enum kw_err err)
{
	static atomic_uint suppressed;
	struct timespec now = {0};
	bool new_second, may;
	unsigned n;

	if (pthread_mutex_trylock(&lock)) {
		atomic_fetch_add(&suppressed, 1);
		return;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	may = may_print(now.tv_sec, uid, &new_second);
	n = new_second ? atomic_exchange(&suppressed, 0) : 0;
	if (n)
		notice("%u more requests were refused", n);
	if (may)
		notice("refused %s of uid %u: %s", command_name(command), uid, sentence(err));
	else
		atomic_fetch_add(&suppressed, 1);
	pthread_mutex_unlock(&lock);
}

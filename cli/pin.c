/* SPDX-License-Identifier: BSD-2-Clause */
#include "pin.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void pin_wipe(struct pin *pin)
{
	OPENSSL_cleanse(pin, sizeof(*pin));
}

static bool is_length(size_t n)
{
	return n >= KW_PIN_MIN && n <= KW_PIN_MAX;
}

/* Up to the end of the first line. One byte more than a PIN has tells one that is too long. */
static enum exit_code read_first_line(int fd, const char *file, struct pin *pin)
{
	size_t n = 0;

	while (n < sizeof(pin->text)) {
		ssize_t got = read(fd, pin->text + n, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(EXIT_BAD_INPUT, "cannot read the PIN from '%s': %s", file,
				strerror(errno));
		if (got == 0 || pin->text[n] == '\n')
			break;
		n++;
	}
	pin->len = n;
	return is_length(n) ? EXIT_OK
			    : fail(EXIT_BAD_INPUT,
				      "the first line of '%s' is no PIN: one has %d to %d bytes",
				      file, KW_PIN_MIN, KW_PIN_MAX);
}

static enum exit_code read_file(const char *file, struct pin *pin)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum exit_code code;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		code = fail(EXIT_BAD_INPUT, "cannot open '%s': %s", file, strerror(errno));
		goto out;
	}
	if (S_ISREG(st.st_mode) && st.st_mode & (S_IRWXG | S_IRWXO)) {
		code = fail(EXIT_BAD_INPUT,
			"'%s' has a PIN and can be read by others: chmod 600 the file", file);
		goto out;
	}
	code = read_first_line(fd, file, pin);
out:
	if (fd >= 0)
		close(fd);
	return code;
}

static enum exit_code ask(const char *option, const char *what, bool twice, struct pin *pin)
{
	char prompt[128], text[KW_PIN_MAX + 2] = "";
	enum exit_code code;
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);

	/* Without a terminal libcrypto would read standard input. */
	if (tty < 0)
		return fail(EXIT_USAGE, "there is no terminal to ask for %s at: give --%s FILE",
			what, option);
	close(tty);
	snprintf(prompt, sizeof(prompt), "Enter %s: ", what);
	/* It writes a NUL after as many bytes as it may take. */
	if (EVP_read_pw_string(text, (int)sizeof(text) - 1, prompt, twice)) {
		code = fail(EXIT_BAD_INPUT, "%s was not given%s", what,
			twice ? ", or not the same twice" : "");
	} else if (!is_length(strnlen(text, sizeof(text)))) {
		code = fail(EXIT_BAD_INPUT, "%s has %d to %d bytes", what, KW_PIN_MIN, KW_PIN_MAX);
	} else {
		pin->len = strnlen(text, sizeof(text));
		memcpy(pin->text, text, pin->len);
		code = EXIT_OK;
	}
	OPENSSL_cleanse(text, sizeof(text));
	return code;
}

enum exit_code pin_read(
	const char *file, const char *option, const char *what, bool twice, struct pin *pin)
{
	memset(pin, 0, sizeof(*pin));
	return file ? read_file(file, pin) : ask(option, what, twice, pin);
}

unsigned slot_operand(const struct cli *cli, int i)
{
	unsigned slot = 0;

	if (!parse_number(operand(cli, i), 1, KW_SLOT_MAX, &slot))
		exit((int)usage_error(cli, "'%s' is not a slot: tokens with PINs have 1 to %d",
			operand(cli, i), KW_SLOT_MAX));
	return slot;
}

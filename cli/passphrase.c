/* SPDX-License-Identifier: BSD-2-Clause */
#include "passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "text.h"

/* The first line, without its end. -1 when it cannot be read or is longer than size. */
static int read_line(int fd, char *buf, int size)
{
	int n = 0;

	/* Byte by byte: what follows the line belongs to whoever reads this descriptor next. */
	for (;;) {
		char c;
		ssize_t got = read(fd, &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0 || c == '\n')
			break;
		if (n == size) {
			errno = EMSGSIZE;
			return -1;
		}
		buf[n++] = c;
	}
	if (n > 0 && buf[n - 1] == '\r')
		n--;
	return n;
}

static int ask_terminal(const char *path, char *buf, int size)
{
	char *prompt = NULL;
	size_t len = 0;
	FILE *f;
	int tty, n = -1;

	/* Without a terminal libcrypto would read standard input, which may be the key itself. */
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (tty < 0)
		return -1;
	close(tty);
	f = open_memstream(&prompt, &len);
	if (!f)
		return -1;
	fputs("Passphrase of ", f);
	text_print(f, path);
	fputs(": ", f);
	/* It writes a NUL after as many bytes as it may take. */
	if (!fclose(f) && !EVP_read_pw_string(buf, size - 1, prompt, 0))
		n = (int)strnlen(buf, (size_t)size - 1);
	free(prompt);
	return n;
}

int passphrase_ask(void *context, char *buf, int size)
{
	struct passphrase_source *source = context;
	int fd = source->fd, n;

	if (!source->file && fd < 0)
		return ask_terminal(source->key_path, buf, size);
	if (source->file)
		fd = open(source->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	n = fd < 0 ? -1 : read_line(fd, buf, size);
	if (n < 0) {
		if (source->file)
			fail(EXIT_BAD_INPUT, "cannot read the passphrase from '%s': %s",
				source->file, strerror(errno));
		else
			fail(EXIT_BAD_INPUT, "cannot read the passphrase from descriptor %d: %s",
				fd, strerror(errno));
		source->failed = true;
	}
	if (source->file && fd >= 0)
		close(fd);
	return n;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "pem_file.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "file_io.h"
#include "text.h"

#define PEM_FILE_MAX (256 * 1024)

static const char begin_line[] = "-----BEGIN " KW_PEM_LABEL "-----";

/* The first begin line at or after `from`; len when there is none. */
static size_t find_block(const uint8_t *data, size_t len, size_t from)
{
	const size_t n = sizeof(begin_line) - 1;

	for (; from + n <= len; from++) {
		if (memcmp(data + from, begin_line, n) == 0 &&
			(from == 0 || data[from - 1] == '\n'))
			return from;
	}
	return len;
}

static bool parse(struct pem_file *file)
{
	char *label = NULL, *header = NULL;
	uint8_t *der = NULL;
	BIO *bio = NULL;
	bool ok = false;
	long n = 0;

	file->begin = find_block(file->data, file->len, 0);
	if (file->begin == file->len) {
		fail(EXIT_BAD_INPUT,
			"'%s' is not a Keyward key file: 'keyward key seal' or 'keyward key pem' "
			"make one",
			file->path);
		goto out;
	}
	bio = BIO_new_mem_buf(file->data + file->begin, (int)(file->len - file->begin));
	if (!bio || !PEM_read_bio(bio, &label, &header, &der, &n) ||
		strcmp(label, KW_PEM_LABEL) != 0) {
		fail(EXIT_BAD_INPUT,
			"the Keyward key in '%s' is damaged: use another copy of the file",
			file->path);
		goto out;
	}
	file->end = file->len - (size_t)BIO_pending(bio);
	if (find_block(file->data, file->len, file->end) != file->len) {
		fail(EXIT_BAD_INPUT,
			"'%s' holds several Keyward keys: put each into a file of its own",
			file->path);
		goto out;
	}
	if (kw_reference_parse(der, (size_t)n, &file->ref)) {
		fail(EXIT_BAD_INPUT,
			"the Keyward key in '%s' cannot be read: it is damaged or of a newer "
			"version",
			file->path);
		goto out;
	}
	ok = true;
out:
	OPENSSL_free(label);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(bio);
	ERR_clear_error();
	return ok;
}

enum exit_code pem_file_open(const char *path, struct pem_file **file)
{
	enum exit_code code = EXIT_FAILED;
	struct pem_file *f;

	*file = NULL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return fail(code, "there is not enough memory");
	f->path = path;
	code = file_read(path, PEM_FILE_MAX, &f->data, &f->len);
	if (code == EXIT_OK && !parse(f))
		code = EXIT_BAD_INPUT;
	if (code == EXIT_OK)
		*file = f;
	else
		pem_file_close(&f);
	return code;
}

void pem_file_close(struct pem_file **file)
{
	if (!*file)
		return;
	file_free(&(*file)->data, (*file)->len);
	kw_reference_free(&(*file)->ref);
	free(*file);
	*file = NULL;
}

static bool put_block(FILE *f, const struct kw_key *key)
{
	uint8_t der[KW_REFERENCE_MAX];
	struct kw_reference *ref = NULL;
	size_t len = sizeof(der);
	char *pem = NULL;
	bool ok = false;
	BIO *bio = NULL;
	long n;

	if (kw_reference_new(key, &ref) || kw_reference_encode(ref, der, &len))
		goto out;
	bio = BIO_new(BIO_s_mem());
	if (!bio || !PEM_write_bio(bio, KW_PEM_LABEL, "", der, (long)len))
		goto out;
	n = BIO_get_mem_data(bio, &pem);
	ok = n > 0 && fwrite(pem, 1, (size_t)n, f) == (size_t)n;
out:
	BIO_free(bio);
	kw_reference_free(&ref);
	return ok;
}

enum exit_code pem_file_update(struct pem_file *file, const struct kw_key *key)
{
	enum exit_code code = EXIT_FAILED;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	bool ok;

	ok = f && fwrite(file->data, 1, file->begin, f) == file->begin && put_block(f, key) &&
	     fwrite(file->data + file->end, 1, file->len - file->end, f) == file->len - file->end;
	if (f && fclose(f))
		ok = false;
	if (ok)
		code = file_write(file->path, text, len, true);
	else
		fail(code, "cannot make the new text of '%s': there is not enough memory",
			file->path);
	free(text);
	return code;
}

enum exit_code pem_text(const struct kw_key *key, char **text, size_t *len)
{
	FILE *f = open_memstream(text, len);
	bool ok = false;

	if (f) {
		/* Readers of PEM pass over lines outside of the blocks (RFC 7468 section 2). */
		fputs(kw_key_is_sealed(key) ? "Keyward sealed key" : "Keyward reference to the key",
			f);
		if (*kw_key_name(key)) {
			fputs(" '", f);
			text_print(f, kw_key_name(key));
			fputc('\'', f);
		}
		fprintf(f, " (%s).\n", kw_key_type_name(kw_key_type(key)));
		fputs(kw_key_is_sealed(key)
				? "Only the TEE of the device that sealed it can use this file.\n"
				: "There is no secret in this file: the key itself stays in the "
				  "TEE.\n",
			f);
		ok = put_block(f, key) && !ferror(f);
		ok = !fclose(f) && ok;
	}
	if (ok)
		return EXIT_OK;
	if (f)
		free(*text);
	*text = NULL;
	return fail(EXIT_FAILED, "cannot make the key's PEM text");
}

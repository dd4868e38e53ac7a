/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target over files without libFuzzer, so that every build replays the corpora: each file whole, and cut
 * to each shorter length (all of them up to CUTS, evenly spread beyond).
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CUTS 256
#define FILE_LIMIT (4u << 20) /* bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

/* An allocation of its own for each run: the sanitizer then sees a read beyond the end. */
static int run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return -1;
	if (size)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	return 0;
}

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t size = 0;
	size_t step;
	int result = -1;

	if (!file)
		goto out;
	data = malloc(FILE_LIMIT);
	if (!data)
		goto out;
	size = fread(data, 1, FILE_LIMIT, file);
	if (ferror(file))
		goto out;
	step = size / CUTS + 1;
	for (size_t n = 0; n < size; n += step)
		if (run(data, n))
			goto out;
	result = run(data, size);
out:
	if (result)
		fprintf(stderr, "not ok - %s cannot be replayed\n", path);
	free(data);
	if (file)
		fclose(file);
	return result;
}

static unsigned passed, failed;

static void replay(const char *path)
{
	struct stat st;
	struct dirent **entries = NULL;
	int n;

	if (stat(path, &st) || !S_ISDIR(st.st_mode)) {
		if (replay_file(path))
			failed++;
		else
			passed++;
		return;
	}
	n = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char *child = NULL;

		if (entries[i]->d_name[0] != '.') {
			if (asprintf(&child, "%s/%s", path, entries[i]->d_name) < 0)
				abort();
			replay(child);
			free(child);
		}
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (!passed && !failed)
		failed++; /* an empty corpus is a mistake */
	printf("%u passed, %u failed\n", passed, failed);
	return failed ? 1 : 0;
}

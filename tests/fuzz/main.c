/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A plain main() for a fuzz target: give it each file named on the command line,
 * and each file of each directory named there.
 *
 * Every input is handed over in a block of exactly its size, so that a sanitizer
 * sees a read behind its end.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned inputs;

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	long size = -1;
	int rc = -1;

	if (f && fseek(f, 0, SEEK_END) == 0)
		size = ftell(f);
	if (size >= 0)
		data = malloc(size ? (size_t)size : 1);
	if (data) {
		rewind(f);
		if (fread(data, 1, (size_t)size, f) == (size_t)size)
			rc = LLVMFuzzerTestOneInput(data, (size_t)size);
		inputs++;
	}
	free(data);
	if (f)
		fclose(f);
	if (rc < 0)
		fprintf(stderr, "%s: cannot be replayed\n", path);
	return rc;
}

static int replay_dir(DIR *dir, const char *path)
{
	struct dirent *entry;
	char name[4096];
	int rc = 0;

	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (replay_file(name) < 0)
			rc = -1;
	}
	return rc;
}

static int replay(const char *path)
{
	DIR *dir = opendir(path);
	int rc;

	if (!dir)
		return replay_file(path);
	rc = replay_dir(dir, path);
	closedir(dir);
	return rc;
}

int main(int argc, char **argv)
{
	int rc = 0;

	for (int i = 1; i < argc; i++) {
		if (replay(argv[i]) < 0)
			rc = 1;
	}
	printf("%u inputs\n", inputs);
	if (!inputs) {
		fprintf(stderr, "no input: the corpus is empty or missing\n");
		rc = 1;
	}
	return rc;
}

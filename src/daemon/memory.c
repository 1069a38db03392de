/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* Long enough for what is read of a line; the rest of it, a path, is read as another. */
#define LINE_MAX_BYTES 128

/* Private, accessible, and no page of the kernel's ([vdso], [vvar], [vsyscall]). */
static bool is_ours(const char *permissions, const char *name)
{
	return permissions[3] == 'p' && strncmp(permissions, "---", 3) != 0 &&
		strncmp(name, "[v", 2) != 0;
}

static int lock_range(const char *line)
{
	uintptr_t start, end;
	char permissions[5], name[16] = "";

	if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %15s", &start, &end, permissions,
			name) < 3 || !is_ours(permissions, name))
		return 0;
	return mlock2((void *)start, end - start, MLOCK_ONFAULT) < 0 ? -errno : 0;
}

int memory_lock(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[LINE_MAX_BYTES];
	bool begins = true;
	int err = 0;

	if (!maps)
		return -errno;
	while (err == 0 && fgets(line, sizeof(line), maps)) {
		if (begins)
			err = lock_range(line);
		begins = strchr(line, '\n') != NULL;
	}
	fclose(maps);
	if (err < 0)
		munlockall();
	return err;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/watch.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

int watch_open(const char *folder)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int err;

	if (fd < 0)
		return -errno;
	if (inotify_add_watch(fd, folder, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) >= 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

bool watch_take(int fd, const char *start)
{
	_Alignas(struct inotify_event) char events[4096];
	bool come = false;
	ssize_t bytes;

	while ((bytes = read(fd, events, sizeof(events))) > 0) {
		const struct inotify_event *e;

		for (const char *at = events; at < events + bytes; at += sizeof(*e) + e->len) {
			e = (const void *)at;
			/* Some were too many to be told: one of them may have been it. */
			if (e->mask & IN_Q_OVERFLOW)
				come = true;
			else if (e->len > 0 && strncmp(e->name, start, strlen(start)) == 0)
				come = true;
		}
	}
	return come;
}

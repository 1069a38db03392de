/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/file_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static sf_count_t disk_length(void *arg)
{
	const struct file_disk *d = arg;

	return d->length;
}

static sf_count_t disk_tell(void *arg)
{
	const struct file_disk *d = arg;

	return d->position;
}

static sf_count_t disk_seek(sf_count_t offset, int whence, void *arg)
{
	struct file_disk *d = arg;
	sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? d->position : d->length;

	if (from + offset < 0)
		return -1;
	d->position = from + offset;
	return d->position;
}

static sf_count_t disk_read(void *bytes, sf_count_t n, void *arg)
{
	struct file_disk *d = arg;
	ssize_t got = pread(d->fd, bytes, (size_t)n, d->position);

	if (got < 0)
		return 0;
	d->position += got;
	return got;
}

/* What could be written of it. */
static sf_count_t disk_write(const void *bytes, sf_count_t n, void *arg)
{
	struct file_disk *d = arg;
	const char *from = bytes;
	sf_count_t done = 0;

	while (done < n) {
		ssize_t put = pwrite(d->fd, from + done, (size_t)(n - done), d->position);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			d->error = put < 0 ? errno : ENOSPC;
			break;
		}
		done += put;
		d->position += put;
	}
	if (d->length < d->position)
		d->length = d->position;
	return done;
}

SNDFILE *file_disk_open(struct file_disk *d, const char *path, SF_INFO *info)
{
	SF_VIRTUAL_IO io = {
		.get_filelen = disk_length,
		.seek = disk_seek,
		.read = disk_read,
		.write = disk_write,
		.tell = disk_tell,
	};
	SNDFILE *file;

	*d = (struct file_disk){ .fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) };
	if (d->fd < 0) {
		d->error = errno;
		return NULL;
	}
	file = sf_open_virtual(&io, SFM_WRITE, info, d);
	if (!file)
		close(d->fd);
	return file;
}

void file_disk_close(struct file_disk *d, SNDFILE *file)
{
	if (!file)
		return;
	sf_close(file);
	close(d->fd);
}

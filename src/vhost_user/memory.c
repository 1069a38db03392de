/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mapping of guest memory.
 *
 * A region starts at a page-aligned offset of its file.  Files of huge pages
 * can be mapped and unmapped in huge pages only, which stat() tells as the
 * block size: the mapping begins at the border before the region and ends at
 * the one after it.  (Mapping from offset 0, as libvhost-user does, would need
 * no such care and would map what does not belong to the region.)
 *
 * The file must be as long as the region needs, so that a wrong size is found
 * here and not as a SIGBUS in the audio thread.  The front-end may truncate it
 * later: that one is caught by the daemon's SIGBUS handler (vsnd_mem_fault()).
 *
 * Guest addresses are page-aligned, too: rings are aligned in guest addresses,
 * and must then be aligned here.
 */
#include "vhost_user/memory.h"

#include <errno.h>
#include <stdbool.h>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HUGE_PAGE_MAX (UINT64_C(1) << 34)

/* What a mapping of the file has to be aligned to; 0 for files that are no memory. */
static uint64_t map_alignment(const struct stat *st)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t block = (uint64_t)st->st_blksize;

	if (S_ISDIR(st->st_mode) || S_ISFIFO(st->st_mode) || S_ISSOCK(st->st_mode))
		return 0;
	if (!S_ISREG(st->st_mode) || block <= page || block > HUGE_PAGE_MAX ||
	    (block & (block - 1)))
		return page;
	return block;
}

static int region_map(const struct vu_mem_desc *d, int fd, struct vu_region *ret)
{
	uint64_t align, before, size, page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct stat st;
	void *map;

	if (fstat(fd, &st) < 0)
		return -errno;
	align = map_alignment(&st);
	if (!align || d->offset % page || d->gpa % page)
		return -EINVAL;
	if (S_ISREG(st.st_mode) &&
	    (d->size > (uint64_t)st.st_size || d->offset > (uint64_t)st.st_size - d->size))
		return -EINVAL;
	if (d->size > SIZE_MAX / 4 || d->offset > INT64_MAX - d->size)
		return -EINVAL;

	before = d->offset % align;
	size = before + d->size;
	size += (align - size % align) % align;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd,
		   (off_t)(d->offset - before));
	if (map == MAP_FAILED)
		return -errno;
	madvise(map, size, MADV_DONTDUMP);

	*ret = (struct vu_region){
		.desc = *d,
		.map = map,
		.map_size = size,
		.host = (uint8_t *)map + before,
	};
	return 0;
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b ? b - a < a_size : a - b < b_size;
}

int vu_memory_add(struct vu_memory *m, const struct vu_mem_desc *desc, int fd)
{
	unsigned i;
	int err;

	if (m->n == VU_MEM_SLOTS)
		return -ENOSPC;
	for (i = 0; i < m->n; i++) {
		const struct vu_mem_desc *d = &m->region[i].desc;

		if (overlap(d->gpa, d->size, desc->gpa, desc->size) ||
		    overlap(d->uaddr, d->size, desc->uaddr, desc->size))
			return -EINVAL;
	}
	err = region_map(desc, fd, &m->region[m->n]);
	if (err < 0)
		return err;
	m->n++;
	return 0;
}

int vu_memory_take(struct vu_memory *m, const struct vu_mem_desc *desc,
		   struct vu_region *ret_region)
{
	unsigned i;

	for (i = 0; i < m->n; i++) {
		const struct vu_mem_desc *d = &m->region[i].desc;

		if (d->gpa == desc->gpa && d->uaddr == desc->uaddr && d->size == desc->size)
			break;
	}
	if (i == m->n)
		return -ENOENT;
	*ret_region = m->region[i];
	m->region[i] = m->region[--m->n];
	return 0;
}

void vu_region_unmap(struct vu_region *r)
{
	munmap(r->map, r->map_size);
}

void vu_memory_unmap(struct vu_memory *m)
{
	unsigned i;

	for (i = 0; i < m->n; i++)
		vu_region_unmap(&m->region[i]);
	m->n = 0;
}

int vu_memory_gpa(const struct vu_memory *m, uint64_t uaddr, uint64_t size, uint64_t *ret_gpa)
{
	unsigned i;

	for (i = 0; i < m->n; i++) {
		const struct vu_mem_desc *d = &m->region[i].desc;

		if (uaddr < d->uaddr || uaddr - d->uaddr >= d->size)
			continue;
		if (size > d->size - (uaddr - d->uaddr))
			return -EFAULT;
		*ret_gpa = d->gpa + (uaddr - d->uaddr);
		return 0;
	}
	return -EFAULT;
}

void vu_memory_regions(const struct vu_memory *m, struct vsnd_mem_region *regions)
{
	unsigned i;

	for (i = 0; i < m->n; i++) {
		regions[i] = (struct vsnd_mem_region){
			.gpa = m->region[i].desc.gpa,
			.size = m->region[i].desc.size,
			.host = m->region[i].host,
		};
	}
}

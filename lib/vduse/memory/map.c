/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Maps files of driver memory. A regular file is mapped in windows, so that many small regions of
 * one file share a mapping, and a small region of a large file uses little address space.
 * Input: a file and a range. Output: a mapping.
 * Thread: control; vduse_mapping_free() any.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include <rte_vduse_compat.h>

#include <vduse/memory/iotlb.h>
#include <vduse/core/log.h>

#define MAP_HUGE_ALIGN (UINT64_C(2) << 20)

/* A mapping begins and ends at a multiple of this in the file, or at the end of the file. */
#define MAP_WINDOW (UINT64_C(1) << 30)

int
vduse_map_stat(int fd, struct vduse_map_file *file)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	/* All anonymous inodes share one number, which so identifies no file. */
	file->keyed = S_ISREG(st.st_mode) && fs.f_type != ANON_INODE_FS_MAGIC;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	file->size = (uint64_t)st.st_size;
	file->huge = fs.f_type == HUGETLBFS_MAGIC;
	file->populates = file->keyed && (file->huge || fs.f_type == TMPFS_MAGIC);
	file->page_size = file->huge ? (size_t)st.st_blksize : 4096;
	return 0;
}

int
vduse_map_reopen(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

uint64_t
vduse_map_there(int fd, uint64_t from, size_t page, uint64_t to)
{
	uint64_t end = from + page;

	/* Not SEEK_HOLE: it would walk all pages of the file up to the hole. */
	while (end < to && end - from < VDUSE_MAP_SLICE &&
	       lseek(fd, (off_t)end, SEEK_DATA) == (off_t)end)
		end += page;
	return end;
}

/* The bucket of mappings of a file that begin in the window of offset. */
static uint32_t *
map_bucket(struct vduse_iotlb *table, uint64_t dev, uint64_t ino, uint64_t offset)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio */
	uint64_t hash = table->seed;

	hash = (hash ^ dev) * odd;
	hash = (hash ^ hash >> 32 ^ ino) * odd;
	hash = (hash ^ hash >> 32 ^ offset / MAP_WINDOW) * odd;
	return &table->buckets[hash >> 32 & (VDUSE_IOTLB_BUCKETS - 1)];
}

struct vduse_mapping *
vduse_mapping_find(struct vduse_iotlb *table, const struct vduse_map_file *file, uint64_t offset,
		   uint64_t len, bool writable)
{
	uint32_t i;

	if (!file->keyed)
		return NULL;
	for (i = *map_bucket(table, file->dev, file->ino, offset); i > 0; i = table->next[i - 1]) {
		struct vduse_mapping *mapping = table->mappings[i - 1];

		table->nb_compared++;
		if (mapping->dev != file->dev || mapping->ino != file->ino)
			continue;
		if (writable && !mapping->writable)
			continue;
		if (rte_atomic_load_explicit(&mapping->lost, rte_memory_order_relaxed))
			continue;
		if (offset >= mapping->offset && offset - mapping->offset <= mapping->len &&
		    len <= mapping->len - (offset - mapping->offset))
			return mapping;
	}
	return NULL;
}

void
vduse_mapping_share(struct vduse_iotlb *table, uint32_t index)
{
	const struct vduse_mapping *mapping = table->mappings[index];
	uint32_t *bucket;

	if (!mapping->windowed)
		return;
	bucket = map_bucket(table, mapping->dev, mapping->ino, mapping->offset);
	table->next[index] = *bucket;
	*bucket = index + 1;
}

/* Whether the kernel allocates all that is mapped: mlockall() without MCL_ONFAULT. */
static bool
map_allocates(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char there = 0;

	if (page == MAP_FAILED)
		return false;
	(void)mincore(page, 4096, &there);
	munmap(page, 4096);
	return (there & 1) != 0;
}

void *
vduse_map_shared(void *va, size_t len, int prot, int flags, int fd, uint64_t offset)
{
	va = mmap(va, len, PROT_NONE, MAP_SHARED | flags, fd, (off_t)offset);
	if (va == MAP_FAILED)
		return va;
	/* What is touched is locked all the same. */
	if (map_allocates())
		(void)mlock2(va, len, MLOCK_ONFAULT);
	if (mprotect(va, len, prot) < 0) {
		int err = errno;

		munmap(va, len);
		errno = err;
		return MAP_FAILED;
	}
	return va;
}

/* Maps at an address at which the kernel can use huge pages. */
static void *
map_aligned(int fd, uint64_t offset, size_t len, size_t page_size, int prot)
{
	size_t align = RTE_MAX(page_size, len >= MAP_HUGE_ALIGN ? (size_t)MAP_HUGE_ALIGN : 4096);
	uint8_t *room, *start, *va;

	room = mmap(NULL, len + align, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		    0);
	if (room == MAP_FAILED)
		return MAP_FAILED;
	/* Huge pages need address and offset congruent modulo the alignment. */
	start = room +
		((align + (offset & (align - 1)) - ((uintptr_t)room & (align - 1))) & (align - 1));
	va = vduse_map_shared(start, len, prot, MAP_FIXED, fd, offset);
	if (va == MAP_FAILED) {
		int err = errno;

		munmap(room, len + align);
		errno = err;
		return MAP_FAILED;
	}
	if (start > room)
		munmap(room, (size_t)(start - room));
	if (start + len < room + len + align)
		munmap(start + len, (size_t)(room + align - start));
	return va;
}

/*
 * Extends a range to what is mapped: windows of a regular file, else whole pages. Returns whether
 * it is windows.
 */
static bool
map_extent(const struct vduse_map_file *file, uint64_t *offset, uint64_t *len)
{
	uint64_t page = file->page_size;
	uint64_t end = *offset + *len;
	bool windowed = file->keyed && end <= file->size;

	if (windowed) {
		*offset = RTE_ALIGN_FLOOR(*offset, MAP_WINDOW);
		end = RTE_MIN(RTE_ALIGN_CEIL(end, MAP_WINDOW), file->size);
	}
	*offset &= ~(page - 1);
	end = RTE_ALIGN_MUL_CEIL(end, page);
	*len = end - *offset;
	return windowed;
}

struct vduse_mapping *
vduse_mapping_create(const char *name, int fd, const struct vduse_map_file *file, uint64_t offset,
		     uint64_t len, bool writable)
{
	static struct vduse_log_rate rate; /* for all devices */
	struct vduse_mapping *mapping;
	void *va = MAP_FAILED;

	mapping = calloc(1, sizeof(*mapping));
	if (mapping == NULL)
		return NULL;
	mapping->windowed = map_extent(file, &offset, &len);
	if (len != 0)
		va = map_aligned(fd, offset, len, file->page_size,
				 writable ? PROT_READ | PROT_WRITE : PROT_READ);
	if (va == MAP_FAILED) {
		VDUSE_LOG_RATED(&rate, iotlb, ERR, name,
				"cannot map 0x%zx bytes of a driver's memory: %s", (size_t)len,
				strerror(errno));
		free(mapping);
		return NULL;
	}
	madvise(va, len, MADV_DONTDUMP);
	mapping->refs = 1;
	mapping->keyed = file->keyed;
	mapping->writable = writable;
	mapping->populates = file->populates;
	mapping->huge = file->huge;
	mapping->dev = file->dev;
	mapping->ino = file->ino;
	mapping->offset = offset;
	mapping->len = len;
	mapping->page_size = file->page_size;
	mapping->va = va;
	return mapping;
}

bool
vduse_mapping_replace(const struct vduse_mapping *mapping)
{
	void *va = mmap(NULL, mapping->len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			-1, 0);

	if (va == MAP_FAILED)
		return false;
	(void)munlock(va, mapping->len);
	if (mprotect(va, mapping->len, PROT_READ | PROT_WRITE) == 0 &&
	    mremap(va, mapping->len, mapping->len, MREMAP_MAYMOVE | MREMAP_FIXED, mapping->va) !=
		    MAP_FAILED)
		return true;
	munmap(va, mapping->len);
	return false;
}

void
vduse_mapping_free(struct vduse_mapping *mapping)
{
	if (!mapping->ours && munmap(mapping->va, mapping->len) < 0)
		VDUSE_LOG(iotlb, ERR, "map", "cannot unmap %p, 0x%zx bytes: %s",
			  (void *)mapping->va, mapping->len, strerror(errno));
	free(mapping);
}

void
vduse_mapping_put(struct vduse_mapping *mapping)
{
	if (--mapping->refs == 0 && !vduse_populate_drop(mapping))
		vduse_mapping_free(mapping);
}

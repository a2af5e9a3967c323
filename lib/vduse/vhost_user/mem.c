/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Memory of a vhost-user driver.
 * Input: regions that it describes, with their files. Output: the valid ones, sorted.
 * Thread: control.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/vhost_user/vhost_user.h>
#include <vduse/vhost_user/wire.h>

/* A page: more than any alignment that a virtqueue needs. */
#define MEM_ALIGN 4096

/* Address space for one driver, of the 128 TiB of the process. */
#define MEM_TOTAL_MAX (UINT64_C(16) << 40)

static void
mem_close(const struct vhost_user *vu)
{
	uint32_t i;

	for (i = 0; i < vu->nb_regions; i++)
		vhost_user_file_close(vu->closer, vu->regions[i].fd);
}

/*
 * Checks that a file covers a region, if it is a regular file, and tries to map it as the control
 * thread will: a failure is then reported to the driver.
 */
static const char *
mem_file_fault(int fd, const struct vhost_user_memory *from)
{
	uint64_t start, size, block;
	struct stat st;
	void *va;

	if (fstat(fd, &st) < 0 ||
	    (S_ISREG(st.st_mode) && from->offset + from->size > (uint64_t)st.st_size))
		return "is longer than its file";
	if (st.st_blksize <= 0)
		return "cannot be mapped";
	block = (uint64_t)st.st_blksize;
	start = RTE_ALIGN_MUL_FLOOR(from->offset, block);
	size = RTE_ALIGN_MUL_CEIL(from->offset + from->size, block) - start;
	va = vduse_map_shared(NULL, size, PROT_READ | PROT_WRITE, MAP_NORESERVE, fd, start);
	if (va == MAP_FAILED)
		return "cannot be mapped";
	munmap(va, size);
	return NULL;
}

static const char *
mem_fault(const struct vhost_user *vu, const struct vhost_user_memory *from, int fd)
{
	uint64_t end = from->offset + from->size;

	if (from->size == 0)
		return "is empty";
	if (from->first + from->size - 1 < from->first || end < from->size || end > INT64_MAX)
		return "wraps around";
	/* A ring that is aligned in the driver's addresses must be aligned in this process's. */
	if ((from->offset ^ from->first) % MEM_ALIGN != 0)
		return "is not aligned in its file as in memory";
	/* Before any other use of the file: with another type of file that could block for ever. */
	if (!vu->any_memory && !vhost_user_file_is_memory(fd))
		return "is no shared memory (use a memfd, tmpfs or hugetlbfs; or any-memory=1)";
	return mem_file_fault(fd, from);
}

/* Appends a region to a table of nb. */
static int
mem_append(const struct vhost_user *vu, struct vhost_user_region *regions, uint32_t nb,
	   const struct vhost_user_memory *from, int fd)
{
	const char *fault = mem_fault(vu, from, fd);
	uint64_t last = from->first + from->size - 1, total = from->size;
	uint32_t i;

	for (i = 0; fault == NULL && i < nb; i++) {
		if (regions[i].first <= last && from->first <= regions[i].last)
			fault = "overlaps another one";
		total += regions[i].last - regions[i].first + 1;
	}
	if (fault == NULL && total > vu->dev->memory_limit)
		fault = "makes it more than memory-limit";
	if (fault == NULL && total > MEM_TOTAL_MAX)
		fault = "makes it more than 16 TiB";
	if (fault == NULL) {
		regions[nb] = (struct vhost_user_region){
			.first = from->first,
			.last = last,
			.user = from->user,
			.offset = from->offset,
			.fd = fd,
		};
		return 0;
	}
	VDUSE_LOG_DRIVER(vu->dev, iotlb, ERR,
			 "refused: a region of 0x%" PRIx64 " bytes at 0x%" PRIx64
			 ", in its file at 0x%" PRIx64 ", %s",
			 from->size, from->first, from->offset, fault);
	return -EPROTO;
}

static int
mem_compare(const void *a, const void *b)
{
	const struct vhost_user_region *left = a, *right = b;

	return (left->first > right->first) - (left->first < right->first);
}

/* The device will map all regions again, so no request may be in flight. */
static int
mem_drain(const struct vhost_user *vu)
{
	return vu->up ? vduse_drain(vu->dev, 0, vu->dev->nb_vqs, false) : 0;
}

/* Replaces the table of regions and sorts the new one. */
static void
mem_swap(struct vhost_user *vu, struct vhost_user_region *regions, uint32_t nb)
{
	if (nb > 1)
		qsort(regions, nb, sizeof(*regions), mem_compare);
	free(vu->regions);
	vu->regions = regions;
	vu->nb_regions = nb;
}

static struct vhost_user_region *
mem_alloc(const struct vhost_user *vu, uint32_t nb)
{
	struct vhost_user_region *regions = calloc(nb + 1, sizeof(*regions));

	if (regions == NULL)
		VDUSE_LOG_DRIVER(vu->dev, iotlb, ERR, "refused: no memory for %u regions", nb);
	return regions;
}

int
vhost_user_mem_add(struct vhost_user *vu, uint32_t keep, const struct vhost_user_memory *table,
		   const int *fds, uint32_t nb)
{
	struct vhost_user_region *regions;
	uint32_t i;
	int ret = 0;

	if (nb > VHOST_USER_REGIONS_MAX - keep) {
		VDUSE_LOG_DRIVER(vu->dev, iotlb, ERR, "refused: it adds a region to %u", keep);
		return -EPROTO;
	}
	regions = mem_alloc(vu, keep + nb);
	if (regions == NULL)
		return -ENOMEM;
	if (keep > 0)
		memcpy(regions, vu->regions, keep * sizeof(*regions));
	for (i = 0; i < nb && ret == 0; i++)
		ret = mem_append(vu, regions, keep + i, &table[i], fds[i]);
	if (ret == 0)
		ret = mem_drain(vu);
	if (ret < 0) {
		free(regions);
		return ret;
	}
	if (keep == 0)
		mem_close(vu);
	mem_swap(vu, regions, keep + nb);
	return 0;
}

/* Index of a region; nb_regions: there is no such one. */
static uint32_t
mem_index(const struct vhost_user *vu, const struct vhost_user_memory *region)
{
	uint32_t i = 0;

	while (i < vu->nb_regions &&
	       (vu->regions[i].first != region->first || vu->regions[i].user != region->user ||
		vu->regions[i].last != region->first + region->size - 1))
		i++;
	return i;
}

bool
vhost_user_mem_has(const struct vhost_user *vu, const struct vhost_user_memory *region)
{
	uint32_t i = mem_index(vu, region);

	return i < vu->nb_regions && vu->regions[i].offset == region->offset;
}

int
vhost_user_mem_remove(struct vhost_user *vu, const struct vhost_user_memory *region)
{
	struct vhost_user_region *regions;
	uint32_t nb = vu->nb_regions, i = mem_index(vu, region);
	int fd, ret;

	if (i == nb)
		return -ENOENT;
	regions = mem_alloc(vu, nb - 1);
	ret = regions == NULL ? -ENOMEM : mem_drain(vu);
	if (ret < 0) {
		free(regions);
		return ret;
	}
	memcpy(regions, vu->regions, i * sizeof(*regions));
	memcpy(regions + i, vu->regions + i + 1, (nb - 1 - i) * sizeof(*regions));
	fd = vu->regions[i].fd;
	mem_swap(vu, regions, nb - 1);
	vhost_user_file_close(vu->closer, fd);
	return 0;
}

void
vhost_user_mem_clear(struct vhost_user *vu)
{
	mem_close(vu);
	mem_swap(vu, NULL, 0);
}

int
vhost_user_mem_iova(const struct vhost_user *vu, uint64_t user, uint64_t len, uint64_t *iova)
{
	uint32_t i;

	for (i = 0; i < vu->nb_regions; i++) {
		const struct vhost_user_region *region = &vu->regions[i];
		uint64_t offset = user - region->user, size = region->last - region->first + 1;

		if (user < region->user || offset > size || len > size - offset)
			continue;
		*iova = region->first + offset;
		return 0;
	}
	return -EFAULT;
}

int
vhost_user_mem_region(struct vhost_user *vu, uint64_t from, struct vduse_file_region *region)
{
	uint32_t i = 0, end = vu->nb_regions;

	/* They are sorted, and a walk asks for each: the first that does not end before. */
	while (i < end) {
		uint32_t middle = i + (end - i) / 2;

		if (vu->regions[middle].last < from)
			i = middle + 1;
		else
			end = middle;
	}
	if (i == vu->nb_regions)
		return -ENOENT;
	*region = (struct vduse_file_region){
		.first = vu->regions[i].first,
		.last = vu->regions[i].last,
		.offset = vu->regions[i].offset,
		.perm = VDUSE_ACCESS_RW,
		/* No dup(): it can fail, which would end the walk over the regions too early. */
		.lent = true,
		.fd = vu->regions[i].fd,
	};
	return 0;
}
